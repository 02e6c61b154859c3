//! A response as what is to be done for its connection.

use super::{Answer, Session, download};
use crate::chat::{Moment, StoredFile};
use crate::session::action::Action;
use crate::session::time::http_date;
use crate::session::transfer::Fetch;
use crate::wire::http::Response;

pub(super) fn respond(response: &Response, now: Moment) -> Action {
    let mut bytes = Vec::new();
    response.write(Some(&http_date(now)), &mut bytes);
    let of_page = response.status == 200 && response.content_type.starts_with("text/html");
    Action::Respond { status: response.status, bytes, of_page }
}

impl Session {
    /// The answer to its request.
    pub(super) fn respond(&self, mut response: Response, now: Moment) -> Action {
        self.reader.allow(&mut response);
        respond(&response, now)
    }

    /// One line as the answer to its request.
    pub fn tell(
        &self,
        status: u16,
        text: &str,
        headers: Vec<(&'static str, String)>,
        now: Moment,
    ) -> Action {
        let headers = headers.into_iter().map(|(name, value)| (name, value.into())).collect();
        self.respond(Response { headers, ..Response::text(status, text) }, now)
    }

    /// The answer to its request for a file; `None` if there is no such file.
    pub fn send_file(&self, file: Option<&StoredFile>, fetch: &Fetch, now: Moment) -> Answer {
        download::answer(file, fetch, &self.reader, now)
    }
}
