//! Requests for files: `GET /files/ID/NAME`, and the head of the answer.
//!
//! What a stranger has uploaded is shown on this server's own address, where the page's scripts run.
//! So only types that cannot hold a script are shown; everything else is saved, and what a browser
//! shows after all is in a sandbox.

use super::cors::Reader;
use super::respond::respond;
use crate::chat::{Moment, StoredFile};
use crate::session::action::Action;
use crate::session::time::http_date;
use crate::session::transfer::{ByteRange, Fetch};
use crate::wire::http::{Request, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::ops::Range;

/// Types that a browser may show, by the ending of the name. Not among them: HTML, SVG, PDF.
const SHOWN: &[(&str, &str)] = &[
    ("txt", "text/plain; charset=utf-8"),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("avif", "image/avif"),
    ("mp3", "audio/mpeg"),
    ("ogg", "audio/ogg"),
    ("wav", "audio/wav"),
    ("mp4", "video/mp4"),
    ("webm", "video/webm"),
];

/// Letters of a name that a URL takes as they are.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The usual ending of a type.
pub(super) fn ending(content_type: &str) -> Option<&'static str> {
    SHOWN.iter().find(|(_, known)| *known == content_type).map(|(ending, _)| *ending)
}

/// The path of a file.
pub fn path_of(file: &StoredFile) -> String {
    format!("/files/{}/{}", file.id, utf8_percent_encode(&file.name, ESCAPED))
}

/// The id in the path of a file, if it is one.
pub(super) fn id(path: &str) -> Option<&str> {
    path.strip_prefix("/files/")?.split('/').next().filter(|id| !id.is_empty())
}

/// The answer to OPTIONS.
pub(super) fn options() -> Response {
    Response::text(200, "GET a file here").with("Allow", "GET, HEAD, OPTIONS")
}

pub(super) fn read(request: &Request<'_>, id: &str) -> Fetch {
    Fetch {
        id: id.to_ascii_lowercase(),
        head_only: request.method == "HEAD",
        // Of GET alone (RFC 9110, section 14.2): HEAD asks what the whole is.
        range: request.header("range").filter(|_| request.method == "GET").and_then(range),
        known: request.list("if-none-match").map(str::to_owned).collect(),
        if_range: request.header("if-range").map(str::to_owned),
    }
}

/// One range. Several are answered with the whole file, as they may be.
fn range(value: &str) -> Option<ByteRange> {
    let (first, last) = value.strip_prefix("bytes=")?.trim().split_once('-')?;
    let number = |text: &str| -> Option<u64> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    match (first, last) {
        ("", last) => number(last).map(ByteRange::Last),
        (first, "") => Some(ByteRange::From(number(first)?, None)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(ByteRange::From(first, Some(last)))
        }
    }
}

/// The bytes of a file of this size that a range means; `None` if there are none.
fn bytes(range: ByteRange, size: u64) -> Option<Range<u64>> {
    let bytes = match range {
        ByteRange::From(first, last) => {
            first..last.map_or(size, |last| size.min(last.saturating_add(1)))
        }
        ByteRange::Last(count) => size.saturating_sub(count)..size,
    };
    (!bytes.is_empty()).then_some(bytes)
}

/// What answers a request for a file.
pub enum Answer {
    /// This, and that is all.
    Whole(Action),
    /// This head, and these bytes of the file.
    Body(Vec<u8>, Range<u64>),
}

/// The answer to a request for a file; `None` if there is no such file.
pub(super) fn answer(file: Option<&StoredFile>, fetch: &Fetch, to: &Reader, now: Moment) -> Answer {
    let told = |response: Response| {
        let mut response = Response { head_only: fetch.head_only, ..response };
        to.allow(&mut response);
        Answer::Whole(respond(&response, now))
    };
    let Some(file) = file else {
        return told(Response::text(404, "no such file; it may have been deleted"));
    };
    let tag = format!("\"{}\"", file.sha256);
    let mut head = head(file, &tag);
    to.allow(&mut head);
    let is_same = |known: &String| {
        let known = known.strip_prefix("W/").unwrap_or(known);
        known == tag || known == "*"
    };
    if fetch.known.iter().any(is_same) {
        head.status = 304;
        return finished(head, file.size, now);
    }
    let valid = fetch.if_range.as_ref().is_none_or(|known| *known == tag);
    let part = match fetch.range.filter(|_| valid).map(|range| bytes(range, file.size)) {
        None => 0..file.size,
        Some(Some(part)) => {
            head.status = 206;
            let (first, last) = (part.start, part.end - 1);
            head = head.with("Content-Range", format!("bytes {first}-{last}/{}", file.size));
            part
        }
        Some(None) => {
            let response = Response::text(416, "the file does not have these bytes");
            return told(response.with("Content-Range", format!("bytes */{}", file.size)));
        }
    };
    let length = part.end - part.start;
    if fetch.head_only || length == 0 {
        return finished(head, length, now);
    }
    let mut out = Vec::new();
    head.write_head(length, Some(&http_date(now)), &mut out);
    Answer::Body(out, part)
}

/// The head of the answer with the whole file.
fn head(file: &StoredFile, tag: &str) -> Response {
    let ending = file.name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let shown = SHOWN.iter().find(|(known, _)| Some(*known) == ending.as_deref());
    let disposition = if shown.is_some() { "inline" } else { "attachment" };
    let name = utf8_percent_encode(&file.name, ESCAPED);
    // `curl -J` knows this form only.
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !b"\"\\%".contains(&byte);
    let plain = file.name.bytes().all(is_plain).then(|| format!("; filename=\"{}\"", file.name));
    let plain = plain.unwrap_or_default();
    let content_type = shown.map_or("application/octet-stream", |(_, content_type)| *content_type);
    Response { content_type, ..Response::text(200, "") }
        .with("Accept-Ranges", "bytes")
        .with("Cache-Control", "private, max-age=31536000, immutable")
        .with("Content-Disposition", format!("{disposition}{plain}; filename*=UTF-8''{name}"))
        .with("Content-Security-Policy", "sandbox; default-src 'none'")
        .with("ETag", tag.to_owned())
        .with("Last-Modified", http_date(file.time))
        .with("Referrer-Policy", "no-referrer")
        // What a page of this server has in its cache does not say that another may read it.
        .with("Vary", "Origin")
}

fn finished(head: Response, length: u64, now: Moment) -> Answer {
    let mut bytes = Vec::new();
    head.write_head(length, Some(&http_date(now)), &mut bytes);
    Answer::Whole(Action::Respond { status: head.status, bytes, of_page: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Name;

    fn file(name: &str) -> StoredFile {
        StoredFile {
            id: "ab".into(),
            name: name.into(),
            size: 10,
            sha256: "cd".into(),
            by: Name::new("alice"),
            account: None,
            origin: "127.0.0.1".parse().unwrap(),
            room: None,
            time: Moment(0),
        }
    }

    /// The status, the head, and what of the file follows.
    fn get(name: &str, headers: &str) -> (u16, String, Range<u64>) {
        ask("GET", name, headers)
    }

    fn ask(method: &str, name: &str, headers: &str) -> (u16, String, Range<u64>) {
        let head = format!("{method} /files/ab/x HTTP/1.1\r\nHost: a\r\n{headers}\r\n");
        let request = Request::parse(head.as_bytes()).unwrap();
        let fetch = read(&request, id(request.path.unwrap()).unwrap());
        let (bytes, part) = match answer(Some(&file(name)), &fetch, &Reader::default(), Moment(0)) {
            Answer::Whole(Action::Respond { bytes, .. }) => (bytes, 0..0),
            Answer::Body(bytes, part) => (bytes, part),
            Answer::Whole(_) => panic!("no response"),
        };
        let head = String::from_utf8(bytes).unwrap();
        (head[9..12].parse().unwrap(), head, part)
    }

    #[test]
    fn a_range_is_answered_with_what_there_is_of_it() {
        for (range, status, part) in [
            ("", 200, 0..10),
            ("Range: bytes=0-\r\n", 206, 0..10),
            ("Range: bytes=3-5\r\n", 206, 3..6),
            ("Range: bytes=9-99999999999999999999999\r\n", 206, 9..10),
            ("Range: bytes=-4\r\n", 206, 6..10),
            ("Range: bytes=-99\r\n", 206, 0..10),
            ("Range: bytes=10-\r\n", 416, 0..0),
            ("Range: bytes=-0\r\n", 416, 0..0),
            // Not understood, or several: all of it.
            ("Range: bytes=5-3\r\n", 200, 0..10),
            ("Range: bytes=0-1,4-5\r\n", 200, 0..10),
            ("Range: lines=0-1\r\n", 200, 0..10),
            ("Range: bytes=3-5\r\nIf-Range: \"cd\"\r\n", 206, 3..6),
            ("Range: bytes=3-5\r\nIf-Range: \"ef\"\r\n", 200, 0..10),
            ("If-None-Match: \"ef\", W/\"cd\"\r\n", 304, 0..0),
        ] {
            let (found, head, bytes) = get("a.txt", range);
            assert_eq!((found, bytes.clone()), (status, part), "{range}: {head}");
            if status == 206 {
                let length = format!("\r\nContent-Length: {}\r\n", bytes.end - bytes.start);
                let (first, last) = (bytes.start, bytes.end - 1);
                assert!(head.contains(&length), "{head}");
                assert!(head.contains(&format!("\r\nContent-Range: bytes {first}-{last}/10\r\n")));
            }
        }
    }

    #[test]
    fn a_head_is_of_the_whole_file() {
        for range in ["", "Range: bytes=3-5\r\n", "Range: bytes=10-\r\n"] {
            let (status, head, bytes) = ask("HEAD", "a.txt", range);
            assert_eq!((status, bytes), (200, 0..0), "{range}: {head}");
            assert!(head.contains("\r\nContent-Length: 10\r\n"), "{head}");
        }
    }

    #[test]
    fn only_what_cannot_hold_a_script_is_shown() {
        for (name, content_type, disposition) in [
            ("a.PNG", "image/png", "inline; filename=\"a.PNG\""),
            ("a b.txt", "text/plain; charset=utf-8", "inline; filename=\"a b.txt\""),
            ("a.txt", "text/plain; charset=utf-8", "inline"),
            ("a.html", "application/octet-stream", "attachment"),
            ("a.svg", "application/octet-stream", "attachment"),
            ("png", "application/octet-stream", "attachment"),
            ("a\"\u{20ac}.pdf", "application/octet-stream", "attachment"),
            ("a%\".pdf", "application/octet-stream", "attachment"),
        ] {
            let (_, head, _) = get(name, "");
            assert!(head.contains(&format!("\r\nContent-Type: {content_type}\r\n")), "{head}");
            assert!(head.contains(&format!("\r\nContent-Disposition: {disposition}; ")), "{head}");
            assert_eq!(head.contains("; filename=\""), !name.contains('"'), "{head}");
            assert!(head.contains("\r\nContent-Security-Policy: sandbox"), "{head}");
            assert!(head.contains("\r\nX-Content-Type-Options: nosniff\r\n"), "{head}");
            assert!(head.is_ascii(), "{head}");
        }
        assert_eq!(path_of(&file("a b/\u{e9}.txt")), "/files/ab/a%20b%2F%C3%A9.txt");
    }
}
