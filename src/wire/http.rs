//! HTTP/1.1 as far as one port needs it: the head of a request, and a response.
//!
//! A head is found by its empty line and parsed once, when it is whole; no byte is searched twice,
//! so a head that arrives byte by byte costs its reader what it would cost in one piece.
//!
//! Deliberately absent: a second request on the same connection. A response closes it: a page of
//! three files costs a browser three of them, and no request can be hidden behind another. Bodies
//! are in `http_body`.

use core::net::{IpAddr, SocketAddr};
use memchr::memchr;
use std::borrow::Cow;

/// Bytes of a head, its empty line included.
pub const LONGEST_HEAD: usize = 16 * 1024;
/// Headers of a request.
pub const MOST_HEADERS: usize = 64;

/// What is wrong with a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    pub status: u16,
    /// One line, without its end.
    pub text: &'static str,
}

pub(super) const fn bad(text: &'static str) -> Fault {
    Fault { status: 400, text }
}

/// How long a body is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Length {
    /// So many bytes; none without a header that says otherwise.
    Known(u64),
    Chunked,
}

/// The head was too long.
pub const TOO_LONG: Fault =
    Fault { status: 431, text: "the head of a request may have 16 KiB and 64 headers" };

/// A request, parsed.
#[derive(Debug)]
pub struct Request<'a> {
    pub method: &'a str,
    /// The path without its query; `None` if the target has none (`*`, the authority of CONNECT).
    pub path: Option<&'a str>,
    /// What stands behind the `?` of the target.
    pub query: Option<&'a str>,
    /// Where the client thinks that it is: `Host`, or the authority of an absolute target. A client
    /// of HTTP/1.0 need not say.
    pub host: Option<&'a str>,
    /// The body that follows.
    pub body: Length,
    /// Whether it is HTTP/1.0.
    pub is_old: bool,
    headers: Vec<(&'a str, &'a [u8])>,
}

/// Where the head ends, behind its empty line; the first `scanned` bytes were searched before. Empty
/// lines in front of a request are no end of one.
pub fn end_of_head(input: &[u8], scanned: usize) -> Option<usize> {
    let front = input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let mut at = scanned.saturating_sub(2).max(front).min(input.len());
    while let Some(end) = memchr(b'\n', &input[at..]) {
        at += end + 1;
        match input[at..] {
            [b'\n', ..] => return Some(at + 1),
            [b'\r', b'\n', ..] => return Some(at + 2),
            _ => {}
        }
    }
    None
}

impl<'a> Request<'a> {
    /// Parses a whole head.
    ///
    /// # Errors
    /// The status and the line to answer with.
    pub fn parse(head: &'a [u8]) -> Result<Request<'a>, Fault> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut parsed = httparse::Request::new(&mut headers);
        match parsed.parse(head) {
            Ok(httparse::Status::Complete(_)) => {}
            Err(httparse::Error::TooManyHeaders) => return Err(TOO_LONG),
            Err(httparse::Error::Version) if names_a_version(head) => {
                return Err(Fault { status: 505, text: "this server speaks HTTP/1.1" });
            }
            Ok(httparse::Status::Partial) | Err(_) => return Err(bad("malformed request")),
        }
        let (Some(method), Some(target)) = (parsed.method, parsed.path) else {
            return Err(bad("malformed request"));
        };
        let headers = parsed.headers.iter().map(|header| (header.name, header.value)).collect();
        let is_old = parsed.version == Some(0);
        let mut request = Request {
            method,
            path: None,
            query: None,
            host: None,
            body: Length::Known(0),
            is_old,
            headers,
        };
        request.query = target.split_once('?').map(|(_, query)| query);
        request.host = request.only("host", "more than one Host header")?;
        if request.host.is_none() && !is_old {
            return Err(bad("the Host header is missing"));
        }
        if method != "CONNECT" {
            let (authority, path) = split_target(target);
            request.path = path;
            request.host = authority.or(request.host);
        }
        request.body = request.body_length()?;
        Ok(request)
    }

    /// The values of a header, in the order in which they came.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.values(name).map(text)
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let named = self.headers.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, value)| *value)
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.all(name).next()
    }

    /// The words of a header that is a list of them, in all of its lines.
    pub fn list(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.values(name).flat_map(|value| value.split(|byte| *byte == b',')).map(text)
    }

    /// Whether a list has this word, in any case.
    pub fn lists(&self, name: &str, word: &str) -> bool {
        self.list(name).any(|listed| listed.eq_ignore_ascii_case(word))
    }

    /// Whether a proxy has passed it on: its peer's address is not where it comes from.
    pub fn is_forwarded(&self) -> bool {
        ["forwarded", "x-forwarded-for", "via"].iter().any(|name| self.header(name).is_some())
    }

    /// The client that the last proxy has seen: the last hop of X-Forwarded-For. What stands before
    /// it, the client may have made up.
    pub fn forwarded_for(&self) -> Option<IpAddr> {
        let last = self.list("x-forwarded-for").last()?;
        let with_port = last.parse().map(|address: SocketAddr| address.ip());
        let bracketed = last.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let ip = with_port.or_else(|_| bracketed.unwrap_or(last).parse());
        ip.ok().map(|ip: IpAddr| ip.to_canonical())
    }

    fn only(&self, name: &str, twice: &'static str) -> Result<Option<&'a str>, Fault> {
        let mut values = self.all(name);
        let value = values.next();
        if values.next().is_some() { Err(bad(twice)) } else { Ok(value) }
    }

    /// Two lengths, or a length beside chunks, are how requests are smuggled past a proxy.
    fn body_length(&self) -> Result<Length, Fault> {
        let encoding = self.only("transfer-encoding", "more than one Transfer-Encoding header")?;
        let length = self.only("content-length", "more than one Content-Length header")?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
        match (encoding, length) {
            (None, None) => Ok(Length::Known(0)),
            (Some(_), Some(_)) => Err(bad("Content-Length beside Transfer-Encoding")),
            (Some(coding), None) if coding.eq_ignore_ascii_case("chunked") => Ok(Length::Chunked),
            (Some(_), None) => Err(Fault { status: 501, text: "no transfer coding but chunked" }),
            (None, Some(length)) if !digits(length) => Err(bad("Content-Length is not a number")),
            // More than fits is more than any limit.
            (None, Some(length)) => Ok(Length::Known(length.parse().unwrap_or(u64::MAX))),
        }
    }
}

/// What a header says. What is not UTF-8 is a word that means nothing, and not nothing: a client could
/// otherwise hide a header from here that the proxies before us have seen, or have added to.
fn text(value: &[u8]) -> &str {
    std::str::from_utf8(value).map_or("\u{fffd}", str::trim)
}

/// Whether the first line ends as a request's does, whatever the version.
fn names_a_version(head: &[u8]) -> bool {
    let line = head.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    line.rsplit(|byte| *byte == b' ').next().is_some_and(|last| last.starts_with(b"HTTP/"))
}

/// The authority of an absolute target, and the path.
fn split_target(target: &str) -> (Option<&str>, Option<&str>) {
    let path = |text| str::split(text, '?').next();
    if target.starts_with('/') {
        return (None, path(target));
    }
    let rest = ["http://", "https://"].iter().find_map(|scheme| {
        let (start, rest) = target.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    });
    let Some(rest) = rest else { return (None, None) };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let rooted = path(&rest[end..]).filter(|path| !path.is_empty());
    (Some(&rest[..end]), rooted.or(Some("/")))
}

/// A response that ends its connection.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub content_type: &'static str,
    /// Beside those that every response has.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    pub body: Cow<'static, [u8]>,
    /// The answer to HEAD: the head of what GET would have been answered.
    pub head_only: bool,
}

impl Response {
    /// One line of text.
    pub fn text(status: u16, text: &str) -> Response {
        Response {
            status,
            content_type: "text/plain; charset=utf-8",
            headers: Vec::new(),
            body: format!("{text}\n").into_bytes().into(),
            head_only: false,
        }
    }

    /// The same with one more header.
    pub fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Response {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds its bytes to `out`. `date` in the form of RFC 9110, if the time is known.
    pub fn write(&self, date: Option<&str>, out: &mut Vec<u8>) {
        self.write_head(self.body.len() as u64, date, out);
        if !self.head_only {
            out.extend_from_slice(&self.body);
        }
    }

    /// Its head alone: a body of this length follows by another way.
    pub fn write_head(&self, length: u64, date: Option<&str>, out: &mut Vec<u8>) {
        let reason = reason(self.status);
        debug_assert_ne!(reason, UNNAMED, "{}", self.status);
        let mut head = format!("HTTP/1.1 {} {reason}\r\n", self.status);
        let length = length.to_string();
        let common = [
            ("Content-Type", self.content_type),
            ("Content-Length", &length),
            ("Connection", "close"),
            ("X-Content-Type-Options", "nosniff"),
        ];
        let own = self.headers.iter().map(|(name, value)| (*name, &**value));
        for (name, value) in date.map(|date| ("Date", date)).into_iter().chain(common).chain(own) {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.push_str("\r\n");
        out.extend_from_slice(head.as_bytes());
    }
}

/// A status that has no name here: a test that meets it fails.
const UNNAMED: &str = "Unknown";

/// The name of a status that this server uses.
fn reason(status: u16) -> &'static str {
    match status {
        101 => "Switching Protocols",
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        206 => "Partial Content",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        421 => "Misdirected Request",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        507 => "Insufficient Storage",
        _ => UNNAMED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn request(head: &str) -> Result<Request<'_>, Fault> {
        Request::parse(head.as_bytes())
    }

    #[test]
    fn a_head_says_where_to_and_what_follows() {
        let head =
            "GET /a/b?c=d HTTP/1.1\r\nHost: X.org\r\nConnection: keep-alive, Upgrade\r\n\r\n";
        let found = request(head).unwrap();
        assert_eq!((found.method, found.path, found.host), ("GET", Some("/a/b"), Some("X.org")));
        assert!(
            found.lists("connection", "upgrade") && found.body == Length::Known(0) && !found.is_old
        );
        let found =
            request("POST http://a.org:1?x HTTP/1.1\r\nHost: b\r\nContent-Length: 7\r\n\r\n");
        let found = found.unwrap();
        assert_eq!(
            (found.path, found.host, found.body),
            (Some("/"), Some("a.org:1"), Length::Known(7))
        );
        let found = request("OPTIONS * HTTP/1.0\r\nVia: 1.1 x\r\n\r\n").unwrap();
        assert_eq!((found.path, found.host), (None, None));
        assert!(found.is_old && found.is_forwarded());
    }

    #[test]
    fn the_last_hop_of_the_last_header_is_the_client() {
        for (headers, expected) in [
            ("X-Forwarded-For: 192.0.2.1", Some("192.0.2.1")),
            ("X-Forwarded-For: 127.0.0.1, 192.0.2.1:80", Some("192.0.2.1")),
            ("X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-For: 2001:db8::1", Some("2001:db8::1")),
            ("X-Forwarded-For: [2001:db8::1]:443", Some("2001:db8::1")),
            ("X-Forwarded-For: [2001:db8::1]", Some("2001:db8::1")),
            ("X-Forwarded-For: ::ffff:192.0.2.1", Some("192.0.2.1")),
            ("X-Forwarded-For: 192.0.2.1, unknown", None),
            ("X-Forwarded-For: 192.0.2.1,", None),
            ("Forwarded: for=192.0.2.1", None),
        ] {
            let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{headers}\r\n\r\n");
            let found = request(&head).unwrap();
            assert!(found.is_forwarded(), "{headers}");
            let expected = expected.map(|ip| ip.parse().unwrap());
            assert_eq!(found.forwarded_for(), expected, "{headers}");
        }
    }

    /// The client may begin the list with anything; a proxy adds its hop behind that.
    #[test]
    fn a_value_that_is_not_utf_8_hides_no_header() {
        let request = |headers: &[u8]| {
            let head = [b"GET / HTTP/1.1\r\nHost: a\r\n", headers, b"\r\n\r\n"].concat();
            let seen = |it: Request<'_>| (it.is_forwarded(), it.forwarded_for());
            Request::parse(&head).map(seen).map_err(|fault| fault.status)
        };
        let client = Some("192.0.2.1".parse().unwrap());
        assert_eq!(request(b"X-Forwarded-For: \xff, 192.0.2.1"), Ok((true, client)));
        assert_eq!(request(b"X-Forwarded-For: 192.0.2.1, \xff"), Ok((true, None)));
        assert_eq!(request(b"Via: 1.1 caf\xe9"), Ok((true, None)));
        assert_eq!(request(b"Host: \xff"), Err(400));
        assert_eq!(request(b"Content-Length: \xff"), Err(400));
        assert_eq!(request(b"Content-Length: 5\r\nContent-Length: \xff"), Err(400));
        assert_eq!(request(b"Content-Length: 5\r\nTransfer-Encoding: \xff"), Err(400));
        assert_eq!(request(b"Transfer-Encoding: \xff"), Err(501));
    }

    #[test]
    fn a_bad_head_has_its_status() {
        let long = "X: y\r\n".repeat(MOST_HEADERS);
        for (head, status) in [
            ("GET / HTTP/1.1\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400),
            ("GET / lol\r\n\r\n", 400),
            ("GET /\r\n\r\n", 400),
            ("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
            ("PRI * HTTP/2.0\r\n\r\n", 505),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                400,
            ),
            (&format!("GET / HTTP/1.1\r\nHost: a\r\n{long}\r\n"), 431),
        ] {
            assert_eq!(request(head).map(|_| ()).unwrap_err().status, status, "{head}");
        }
    }

    #[test]
    fn a_response_says_how_long_its_body_is() {
        let mut out = Vec::new();
        let mut response = Response::text(404, "no such page");
        response.write(Some("Thu, 01 Jan 1970 00:00:00 GMT"), &mut out);
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("HTTP/1.1 404 Not Found\r\nDate: Thu, 01"), "{text}");
        assert!(text.contains("\r\nContent-Length: 13\r\n"), "{text}");
        assert!(text.ends_with("\r\n\r\nno such page\n"), "{text}");
        response.head_only = true;
        let mut out = Vec::new();
        response.write(None, &mut out);
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.contains("\r\nContent-Length: 13\r\n") && text.ends_with("\r\n\r\n"),
            "{text}"
        );
    }

    proptest! {
        /// However a head is cut on its way, it ends at the same place.
        #[test]
        fn the_end_is_found_at_every_cut(
            lines in prop::collection::vec("[a-z\r: ]{0,6}", 0..8),
            ends in prop::collection::vec(any::<bool>(), 9),
            cuts in prop::collection::vec(0usize..60, 0..12),
        ) {
            let mut input = Vec::new();
            for (line, crlf) in lines.iter().zip(&ends) {
                input.extend_from_slice(line.as_bytes());
                input.extend_from_slice(if *crlf { b"\r\n" } else { b"\n" });
            }
            let whole = end_of_head(&input, 0);
            let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut < input.len()).collect();
            cuts.push(input.len());
            cuts.sort_unstable();
            let (mut scanned, mut found) = (0, None);
            for cut in cuts {
                found = found.or_else(|| end_of_head(&input[..cut], scanned));
                scanned = cut;
            }
            prop_assert_eq!(found, whole);
        }

        /// No head panics, and what is accepted has a path or none for a reason.
        #[test]
        fn any_head_is_parsed_or_answered(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let head = [b"GET /".as_slice(), &bytes, b"\r\n\r\n"].concat();
            if let Err(fault) = Request::parse(&head) {
                prop_assert!(matches!(fault.status, 400 | 431 | 501 | 505));
            }
        }
    }
}
