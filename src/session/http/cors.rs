//! Pages of other sites that may read an answer (CORS): those of `--web-origin`, where files come and go.
//!
//! A browser shows a page the answer of another site, and sends a header that the page has added, only if
//! that site says so. Errors say so, too: a page has to tell its user why a file was not taken. A browser
//! never adds its own credentials: a page that has a token or a password sends it itself.

use super::origin::Settings;
use crate::wire::http::{Request, Response};

/// How a page may send a file, and ask for one.
const METHODS: &str = "GET, HEAD, POST, PUT";
/// What it may add to a request.
const HEADERS: &str =
    "Authorization, Content-Disposition, Content-Type, If-Range, Range, Server-Password";
/// What it may read of an answer.
const EXPOSED: &str =
    "Accept-Ranges, Content-Disposition, Content-Range, ETag, Location, Retry-After";
/// Seconds for which a browser need not ask again.
const MAX_AGE: &str = "3600";

/// The page of another site that may read an answer, if there is one.
#[derive(Default)]
pub(super) struct Reader {
    origin: Option<Box<str>>,
    /// The request only asks what may be sent.
    is_preflight: bool,
}

impl Reader {
    /// Who may read the answer to a request about files.
    pub(super) fn of(request: &Request<'_>, settings: &Settings) -> Reader {
        let known = request.header("origin").and_then(|origin| settings.other_site(origin));
        Reader { origin: known.map(Into::into), is_preflight: request.method == "OPTIONS" }
    }

    /// Says so in a response.
    pub(super) fn allow(&self, response: &mut Response) {
        let Some(origin) = &self.origin else { return };
        response.headers.push(("Access-Control-Allow-Origin", origin.to_string().into()));
        response.headers.push(("Access-Control-Expose-Headers", EXPOSED.into()));
        if self.is_preflight {
            response.headers.push(("Access-Control-Allow-Methods", METHODS.into()));
            response.headers.push(("Access-Control-Allow-Headers", HEADERS.into()));
            response.headers.push(("Access-Control-Max-Age", MAX_AGE.into()));
        }
    }
}
