//! The dialect of HTTP clients: one request, its route, its answer.
//!
//! | file | subject |
//! |---|---|
//! | this one | one connection: a head becomes an [`Action`] |
//! | `handshake`, `websocket` | a WebSocket, and the frames under a session of IRC |
//! | `origin` | which `Host` and `Origin` a request may name |
//! | `cors` | which pages of other sites may read an answer |
//! | `upload`, `download` | requests that bring a file, or ask for one |
//! | `page` | the files that a browser is given |
//! | `routes` | what a path leads to, and the checks before it is answered |
//! | `respond` | a response as an [`Action`] |
//!
//! A request is no peer of the chat: it enters no room, is announced to no one, and nothing of it is
//! ever read as a line. In a build without the feature `web`, `no_http` stands in for all of it.

mod cors;
mod download;
mod handshake;
mod origin;
mod page;
mod respond;
mod routes;
mod upload;
mod websocket;

pub use download::{Answer, path_of};
pub use origin::Settings;
pub(super) use websocket::Received;
pub use websocket::{Framing, WebSocket};

use super::action::{Action, Relay, ViewerRequest};
use super::frame::{Body, Frame};
use super::transfer::{Fetch, FileRequest};
use crate::chat::{Moment, StoredFile};
use crate::wire::http::{Fault, LONGEST_HEAD, Request, Response, TOO_LONG, end_of_head};
use crate::wire::http_body::Decoder;
use crate::wire::websocket::{Opcode, write_frame};
use cors::Reader;
use respond::respond;
pub(super) use routes::Outcome;
use routes::{Route, answer, route};
use std::time::Duration;

/// How long the head of a request may take.
pub(super) const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of a body that are taken at a time.
const PIECE: usize = 64 * 1024;

/// The page that shows the loop.
const LOOP: &str = "/loop";

/// A connection with one request.
pub struct Session {
    stage: Stage,
    /// The page of another site that may read the answer.
    reader: Reader,
}

/// How far its request has come.
enum Stage {
    /// So many bytes at the front of the input hold no end of a head.
    Head(usize),
    /// Whether its body is taken is being decided.
    Deciding(Box<Decoder>, bool),
    /// The body is taken.
    Body(Box<Decoder>),
    /// All of it has come, and the answer has not begun.
    Taken,
    /// The answer has begun.
    Answered,
    /// It has become the WebSocket of a page that the loop is shown to.
    Watching(Box<WebSocket>),
}

impl Session {
    /// A connection on which an HTTP request has begun; `None` if HTTP is not served.
    pub(super) fn begin(settings: &Settings) -> Option<Session> {
        let session = Session { stage: Stage::Head(0), reader: Reader::default() };
        settings.enabled.then_some(session)
    }

    /// The head of the request, once all of it is there, and then pieces of its body.
    pub(super) fn next<'i>(&mut self, input: &'i [u8]) -> Frame<'i> {
        let scanned = match &mut self.stage {
            Stage::Head(scanned) => scanned,
            Stage::Deciding(..) => return Frame { used: 0, pipelined: true, body: None },
            Stage::Body(_) => {
                let piece = &input[..input.len().min(PIECE)];
                let body = (!piece.is_empty()).then_some(Body::RequestBody(piece));
                return Frame { used: piece.len(), pipelined: true, body };
            }
            Stage::Watching(socket) => return socket.next(input, |_| true),
            // There is no second request.
            Stage::Taken | Stage::Answered => {
                return Frame { used: input.len(), pipelined: true, body: None };
            }
        };
        let input = &input[..input.len().min(LONGEST_HEAD)];
        let (used, body) = match end_of_head(input, *scanned) {
            Some(end) => (end, Some(Body::Line(&input[..end]))),
            None if input.len() == LONGEST_HEAD => (input.len(), Some(Body::TooLong(None))),
            None => (0, None),
        };
        // A head that is there is found again: it may have to wait before it is taken.
        if body.is_none() {
            *scanned = input.len();
        }
        Frame { used, pipelined: true, body }
    }

    /// What becomes of a request, of a piece of its body, or of a frame, which may be answered to `out`.
    /// Where a request comes from goes to `actions`.
    pub(super) fn take(
        &mut self,
        body: &Body<'_>,
        settings: &Settings,
        now: Moment,
        out: &mut Vec<u8>,
        actions: &mut Vec<Action>,
    ) -> Outcome {
        if let (Stage::Watching(socket), Body::WebSocketFrame(frame)) = (&mut self.stage, body) {
            return match socket.take(frame, out) {
                Received::Nothing => Outcome::Nothing,
                Received::Message(message) => viewer_request(&message),
                Received::End(_) => Outcome::Answer(Action::Close),
            };
        }
        let parsed = match body {
            Body::RequestBody(data) => return Outcome::Answer(self.take_data(data, now)),
            Body::Line(head) => Request::parse(head),
            Body::TooLong(_) | Body::Opening(_) | Body::WebSocketFrame(_) | Body::More => {
                Err(TOO_LONG)
            }
        };
        match parsed {
            Ok(request) => self.take_request(&request, settings, now, actions),
            Err(fault) => {
                self.stage = Stage::Answered;
                Outcome::Answer(respond(&fault.into(), now))
            }
        }
    }

    fn take_request(
        &mut self,
        request: &Request<'_>,
        settings: &Settings,
        now: Moment,
        actions: &mut Vec<Action>,
    ) -> Outcome {
        if request.is_forwarded() {
            actions.push(Action::Relay(Relay::Forwarded(request.forwarded_for())));
        }
        if matches!(request.path.and_then(route), Some(Route::Upload(_) | Route::Fetch(_))) {
            self.reader = Reader::of(request, settings);
        }
        let outcome = answer(request, settings, &self.reader, now);
        // The server decides about files, and about those who watch the loop.
        let (stage, outcome) = match outcome {
            Outcome::Answer(Action::Files(FileRequest::Upload(_))) => {
                let expects = !request.is_old && request.lists("expect", "100-continue");
                (Stage::Deciding(Box::new(Decoder::new(request.body)), expects), outcome)
            }
            Outcome::Answer(Action::Files(_)) => (Stage::Taken, outcome),
            Outcome::Upgrade(socket, answer) if request.path == Some(LOOP) => {
                let key = request.query.and_then(|query| query.strip_prefix("key="));
                let (key, forwarded) = (key.map(str::to_owned), request.is_forwarded());
                let watch = Action::Watch { key, forwarded, answer };
                (Stage::Watching(Box::new(socket)), Outcome::Answer(watch))
            }
            outcome => (Stage::Answered, outcome),
        };
        self.stage = stage;
        outcome
    }

    fn take_data(&mut self, data: &[u8], now: Moment) -> Action {
        let mut bytes = Vec::with_capacity(data.len());
        let done = match &mut self.stage {
            Stage::Body(decoder) => match decoder.take(data, &mut bytes) {
                Ok(()) => decoder.is_done(),
                Err(fault) => {
                    self.stage = Stage::Answered;
                    return self.respond(fault.into(), now);
                }
            },
            _ => false,
        };
        if done {
            self.stage = Stage::Taken;
        }
        Action::Files(FileRequest::Store { bytes, done })
    }

    /// The answer to its request.
    fn respond(&self, mut response: Response, now: Moment) -> Action {
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

    /// The body is to be taken: tells a client that waits to be told. Whether it has come in full,
    /// because there is none.
    pub fn take_body(&mut self, out: &mut Vec<u8>) -> bool {
        let Stage::Deciding(decoder, expects) = std::mem::replace(&mut self.stage, Stage::Taken)
        else {
            return false;
        };
        if expects {
            out.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        let done = decoder.is_done();
        if !done {
            self.stage = Stage::Body(decoder);
        }
        done
    }

    /// The head took too long. A body and an answer have limits of their own.
    pub(super) fn timeout(&self, now: Moment) -> Option<Action> {
        let slow = || respond(&Response::text(408, "the request took too long"), now);
        matches!(self.stage, Stage::Head(_)).then(slow)
    }

    pub(super) fn websocket(&mut self) -> Option<&mut WebSocket> {
        match &mut self.stage {
            Stage::Watching(socket) => Some(socket),
            _ => None,
        }
    }

    /// The answer begins; or no other one will come.
    pub fn begin_answer(&mut self) {
        self.stage = Stage::Answered;
    }

    /// Whether the answer has begun.
    pub fn is_answered(&self) -> bool {
        matches!(self.stage, Stage::Answered)
    }

    /// Whether its client is still to send something.
    pub(super) fn is_unfinished(&self) -> bool {
        matches!(self.stage, Stage::Head(_) | Stage::Body(_) | Stage::Watching(_))
    }

    /// In place of all that was to answer its request: its client is not served.
    pub(super) fn reject(&mut self, text: &str, out: &mut Vec<u8>) {
        self.stage = Stage::Answered;
        Response::text(503, text).write(None, out);
    }

    /// The connection ends before a request was answered.
    pub(super) fn farewell(&self, text: &str, out: &mut Vec<u8>) {
        if !matches!(self.stage, Stage::Answered | Stage::Watching(_)) {
            Response::text(503, text).write(None, out);
        }
    }
}

/// What a viewer of the loop has said.
fn viewer_request(message: &[u8]) -> Outcome {
    Outcome::Answer(Action::Viewer(match message {
        b"next" => ViewerRequest::Next,
        b"step" => ViewerRequest::Step(1),
        b"run" => ViewerRequest::Run(true),
        b"hold" => ViewerRequest::Run(false),
        _ => return Outcome::Nothing,
    }))
}

/// What a viewer is sent of the loop, in one frame.
pub fn viewer_frame(rows: &[u8], out: &mut Vec<u8>) {
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
        Some((content_type, text)) => {
            let body = text.into_bytes().into();
            Response { content_type, body, ..Response::text(200, "") }
                .with("Cache-Control", "no-store")
        }
        None => Response::text(403, "metrics are for loopback and --metrics-from"),
    };
    respond(&Response { head_only, ..response }, now)
}

impl From<Fault> for Response {
    fn from(Fault { status, text }: Fault) -> Response {
        Response::text(status, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(head: &str) -> (u16, String) {
        let settings = Settings::new(true, ["chat.example.org"], []);
        let mut session = Session::begin(&settings).unwrap();
        let frame = session.next(head.as_bytes());
        let action = session.take(
            &frame.body.unwrap(),
            &settings,
            Moment(0),
            &mut Vec::new(),
            &mut Vec::new(),
        );
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
        const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        let upgrade = |version: &str, keys: &str| {
            format!(
                "GET / HTTP/{version}\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Version: 13\r\n{keys}\r\n"
            )
        };
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
            (&upgrade("1.1", ""), 400),
            (&upgrade("1.1", &KEY.repeat(2)), 400),
            (&upgrade("1.1", "Sec-WebSocket-Key: c2hvcnQ=\r\n"), 400),
            (&upgrade("1.0", KEY), 400),
            ("GET /%2e%2e/etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
            ("GET /health%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
            ("GET /hea\0lth HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
            ("GET /health HTTP/1.1\rHost: localhost\r\n\r\n", 400),
            ("GET /health HTTP/1.1\r\nHost: local\rhost\r\n\r\n", 400),
            ("GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 421),
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
