//! The dialect of HTTP clients: one request, its route, its answer.
//!
//! | file | subject |
//! |---|---|
//! | this one | one connection: a head becomes an [`Action`] |
//! | `handshake`, `websocket` | a WebSocket, and the frames under a session of IRC |
//! | `origin` | which `Host` and `Origin` a request may name |
//! | `page` | the files that a browser is given |
//!
//! A request is no peer of the chat: it enters no room, is announced to no one, and nothing of it is
//! ever read as a line. In a build without the feature `web`, `no_http` stands in for all of it.

mod handshake;
mod origin;
mod page;
mod websocket;

pub use origin::Settings;
pub(super) use websocket::Received;
pub use websocket::{Framing, WebSocket};

use super::action::{Action, PageRequest};
use super::frame::{Body, Frame};
use super::time::http_date;
use crate::chat::Moment;
use crate::wire::http::{Fault, LONGEST_HEAD, Request, Response, TOO_LONG, end_of_head};
use crate::wire::websocket::{Opcode, write_frame};
use std::time::Duration;

/// How long the head of a request may take.
pub(super) const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// What a path leads to.
#[derive(Clone, Copy)]
enum Route {
    /// A file of the page.
    File(&'static page::File),
    Health,
    Metrics,
}

/// The page that shows the loop.
const LOOP: &str = "/loop";

/// The only methods of all routes so far.
const METHODS: &str = "GET, HEAD";

/// A connection whose request has not come in full yet, or a page that the loop is shown to.
#[derive(Default)]
pub struct Session {
    /// Bytes at the front of the input that hold no end of a head.
    scanned: usize,
    watching: Option<Box<WebSocket>>,
}

impl Session {
    /// A connection on which an HTTP request has begun; `None` if HTTP is not served.
    pub(super) fn begin(settings: &Settings) -> Option<Session> {
        settings.enabled.then(Session::default)
    }

    /// The head of the request, once all of it is there.
    pub(super) fn next<'i>(&mut self, input: &'i [u8]) -> Frame<'i> {
        if let Some(socket) = &self.watching {
            return socket.next(input, |_| true);
        }
        let input = &input[..input.len().min(LONGEST_HEAD)];
        let (used, body) = match end_of_head(input, self.scanned) {
            Some(end) => (end, Some(Body::Line(&input[..end]))),
            None if input.len() == LONGEST_HEAD => (input.len(), Some(Body::TooLong(None))),
            None => (0, None),
        };
        // A head that is there is found again: it may have to wait before it is taken.
        if body.is_none() {
            self.scanned = input.len();
        }
        Frame { used, pipelined: true, body }
    }

    /// What becomes of a request, or of a frame, which may be answered to `out`.
    pub(super) fn take(
        &mut self,
        body: &Body<'_>,
        settings: &Settings,
        now: Moment,
        out: &mut Vec<u8>,
    ) -> Outcome {
        if let (Some(socket), Body::Frame(frame)) = (&mut self.watching, body) {
            return match socket.take(frame, out) {
                Received::Nothing => Outcome::Nothing,
                Received::Message(message) => page_request(&message),
                Received::End(_) => Outcome::Answer(Action::Close),
            };
        }
        let parsed = match body {
            Body::Line(head) => Request::parse(head),
            Body::TooLong(_) | Body::Opening(_) | Body::Frame(_) | Body::More => Err(TOO_LONG),
        };
        match parsed {
            Ok(request) => match answer(&request, settings, now) {
                Outcome::Upgrade(socket, answer) if request.path == Some(LOOP) => {
                    self.watching = Some(Box::new(socket));
                    let key = request.query.and_then(|query| query.strip_prefix("key="));
                    let (key, forwarded) = (key.map(str::to_owned), request.is_forwarded());
                    Outcome::Answer(Action::Watch { key, forwarded, answer })
                }
                outcome => outcome,
            },
            Err(fault) => Outcome::Answer(respond(&fault.into(), now)),
        }
    }

    /// The head took too long.
    pub(super) fn timeout(&self, now: Moment) -> Option<Action> {
        let response = Response::text(408, "the request took too long");
        self.watching.is_none().then(|| respond(&response, now))
    }

    pub(super) fn websocket(&mut self) -> Option<&mut WebSocket> {
        self.watching.as_deref_mut()
    }

    pub(super) fn stop_watching(&mut self) {
        self.watching = None;
    }

    /// The connection ends before a request was answered.
    pub(super) fn farewell(&self, text: &str, out: &mut Vec<u8>) {
        if self.watching.is_none() {
            Response::text(503, text).write(None, out);
        }
    }
}

/// What becomes of a request.
pub(super) enum Outcome {
    /// It is answered so.
    Answer(Action),
    /// It is answered with these bytes, and the connection is a WebSocket from here on.
    Upgrade(WebSocket, Vec<u8>),
    /// There is nothing to do.
    Nothing,
}

/// What a page has said.
fn page_request(message: &[u8]) -> Outcome {
    Outcome::Answer(Action::Page(match message {
        b"next" => PageRequest::Next,
        b"step" => PageRequest::Step(1),
        b"run" => PageRequest::Run(true),
        b"hold" => PageRequest::Run(false),
        _ => return Outcome::Nothing,
    }))
}

/// What a page is sent of the loop, in one frame.
pub fn page_frame(rows: &[u8], out: &mut Vec<u8>) {
    write_frame(Opcode::Binary, rows, out);
}

/// The answer to a page that may not be shown the loop.
pub fn not_shown(is_full: bool, now: Moment) -> Action {
    let text = match is_full {
        true => "the loop is shown to as many pages as it may be (--loop-pages)",
        false => {
            "the loop is shown on loopback, and by the link that /loop gives a server operator"
        }
    };
    respond(&Response::text(403, text), now)
}

/// The answer to a scrape, in the text that it asked for; `None` if its peer may not have it.
pub fn scraped(text: Option<(&'static str, String)>, head_only: bool, now: Moment) -> Action {
    let response = match text {
        Some((content_type, text)) => Response {
            content_type,
            headers: vec![("Cache-Control", "no-store".into())],
            body: text.into_bytes().into(),
            ..Response::text(200, "")
        },
        None => Response::text(403, "metrics are for loopback and --metrics-from"),
    };
    respond(&Response { head_only, ..response }, now)
}

impl From<Fault> for Response {
    fn from(Fault { status, text }: Fault) -> Response {
        Response::text(status, text)
    }
}

fn respond(response: &Response, now: Moment) -> Action {
    let mut bytes = Vec::new();
    response.write(Some(&http_date(now)), &mut bytes);
    let of_page = response.status == 200 && response.content_type.starts_with("text/html");
    Action::Respond { status: response.status, bytes, of_page }
}

fn route(path: &str) -> Option<Route> {
    match path {
        "/health" => Some(Route::Health),
        "/metrics" => Some(Route::Metrics),
        path => page::file(path).map(Route::File),
    }
}

/// The checks of a request, from its address to what it wants, and the answer.
fn answer(request: &Request<'_>, settings: &Settings, now: Moment) -> Outcome {
    let head_only = request.method == "HEAD";
    let respond =
        |response: Response| Outcome::Answer(respond(&Response { head_only, ..response }, now));
    let method_not_allowed = || Response {
        headers: vec![("Allow", METHODS.into())],
        ..Response::text(405, "this path has the methods GET and HEAD")
    };
    let Some(path) = request.path else { return respond(method_not_allowed()) };
    let route = route(path);
    let checked = !matches!(route, Some(Route::Health));
    if let Some(host) = request.host.filter(|host| checked && !settings.knows_host(host)) {
        let host: String = host.chars().filter(|it| it.is_ascii_graphic()).take(64).collect();
        let text = format!("this server is not known as {host} (--name, --url, --web-origin)");
        return respond(Response::text(421, &text));
    }
    if let Some(origin) = request.header("origin")
        && !settings.allows_origin(origin, request.host)
    {
        return respond(Response::text(403, "pages of other sites may not connect (--web-origin)"));
    }
    let Some(route) = route else { return respond(Response::text(404, "no such page")) };
    if !matches!(request.method, "GET" | "HEAD") {
        return respond(method_not_allowed());
    }
    if request.has_body {
        return respond(Response::text(413, "this path takes no body"));
    }
    match route {
        Route::File(file) if file.has_socket() && handshake::is_asked(request) => {
            match handshake::answer(request) {
                Ok((socket, answer)) => Outcome::Upgrade(socket, answer),
                Err(response) => respond(response),
            }
        }
        Route::File(file) => respond(file.response()),
        Route::Health => respond(Response {
            headers: vec![("Cache-Control", "no-store".into())],
            ..Response::text(200, "ok")
        }),
        Route::Metrics => Outcome::Answer(Action::Scrape {
            open_metrics: request
                .list("accept")
                .any(|it| it.starts_with("application/openmetrics")),
            forwarded: request.is_forwarded(),
            head_only,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(head: &str) -> (u16, String) {
        let settings = Settings::new(true, ["chat.example.org"], []);
        let mut session = Session::begin(&settings).unwrap();
        let frame = session.next(head.as_bytes());
        let action = session.take(&frame.body.unwrap(), &settings, Moment(0), &mut Vec::new());
        match action {
            Outcome::Answer(Action::Respond { status, bytes, .. }) => {
                (status, String::from_utf8(bytes).unwrap())
            }
            _ => panic!("{head} is not answered"),
        }
    }

    /// What a stranger may send, and what it is answered.
    #[test]
    fn every_request_has_its_status() {
        let long = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(LONGEST_HEAD));
        for (head, expected) in [
            ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
            ("GET /?a=b HTTP/1.1\r\nHost: 127.0.0.1:7777\r\n\r\n", 200),
            ("HEAD / HTTP/1.1\r\nHost: [::1]:7777\r\n\r\n", 200),
            ("GET http://CHAT.example.org/health HTTP/1.1\r\nHost: x\r\n\r\n", 200),
            ("GET / HTTP/1.0\r\n\r\n", 200),
            ("\r\n\r\nGET / HTTP/1.0\r\n\r\n", 200),
            ("GET / HTTP/1.1\nHost: localhost\n\n", 200),
            // A health check may come by any name.
            ("GET /health HTTP/1.1\r\nHost: pod-17.cluster\r\n\r\n", 200),
            ("GET /health HTTP/1.1\r\n\r\n", 400),
            ("GET /metrics HTTP/1.1\r\nHost: rebound.example.com\r\n\r\n", 421),
            ("GET / HTTP/1.1\r\nHost: evil.chat.example.org\r\n\r\n", 421),
            ("GET / HTTP/1.1\r\nHost: \r\n\r\n", 421),
            ("GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n\r\n", 200),
            ("GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n\r\n", 403),
            ("GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\n\r\n", 403),
            ("GET /secret HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
            ("GET /../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
            ("GET //health HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
            ("BREW /health HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
            ("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
            ("CONNECT localhost:22 HTTP/1.1\r\nHost: localhost:22\r\n\r\n", 405),
            ("POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n", 405),
            ("GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc", 413),
            ("GET /health HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413),
            ("GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost localhost\r\n\r\n", 400),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
            (&long, 431),
        ] {
            let (found, text) = status(head);
            assert_eq!(found, expected, "{head}: {text}");
            assert!(text.starts_with(&format!("HTTP/1.1 {expected} ")), "{text}");
            assert!(text.contains("\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"), "{text}");
            assert_eq!(head.starts_with("HEAD"), text.ends_with("\r\n\r\n"), "{text}");
        }
    }

    #[test]
    fn a_request_is_taken_when_its_head_is_whole() {
        let settings = Settings::new(true, [], []);
        let mut session = Session::begin(&settings).unwrap();
        let input = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\nGET /second HTTP/1.1\r\n\r\n";
        for end in 0..33 {
            assert!(session.next(&input[..end]).body.is_none(), "{end}");
        }
        assert_eq!(session.next(input).used, 33);
        assert!(Session::begin(&Settings::new(false, [], [])).is_none());
    }
}
