//! A response as what is to be done for its connection.

use crate::chat::Moment;
use crate::session::action::Action;
use crate::session::time::http_date;
use crate::wire::http::Response;

pub(super) fn respond(response: &Response, now: Moment) -> Action {
    let mut bytes = Vec::new();
    response.write(Some(&http_date(now)), &mut bytes);
    let of_page = response.status == 200 && response.content_type.starts_with("text/html");
    Action::Respond { status: response.status, bytes, of_page }
}
