//! Requests to upload: `POST /upload`, `PUT /upload/NAME`, and either under `/upload/TOKEN/`.

use crate::chat::{Secret, limits};
use crate::session::transfer::{Credentials, Upload};
use crate::wire::clean::clean_text;
use crate::wire::http::{Fault, Length, Request, Response};
use base64ct::{Base64, Encoding as _};
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

/// Digits of a token.
const TOKEN: usize = 32;

/// The methods of these paths.
pub(super) const METHODS: &str = "POST, PUT, OPTIONS";

/// What of a path is behind `/upload`, if it is one of these.
pub(super) fn below(path: &str) -> Option<&str> {
    path.strip_prefix("/upload").filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The answer to OPTIONS: what may be sent here (soju.im/FILEHOST).
pub(super) fn options() -> Response {
    let response = Response::text(200, "POST a file, or PUT it to /upload/NAME");
    response.with("Allow", METHODS).with("Accept-Post", "*/*")
}

/// Reads the head of an upload.
///
/// # Errors
/// The status and the line to answer with.
pub(super) fn read(request: &Request<'_>, rest: &str) -> Result<Upload, Fault> {
    let content_type = request.header("content-type").unwrap_or_default();
    if content_type.to_ascii_lowercase().starts_with("multipart/") {
        return Err(A_FORM);
    }
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    let (token, name) = match rest.split_once('/') {
        Some((token, name)) if is_token(token) => (Some(token), name),
        Some(_) => return Err(NO_NAME),
        None if is_token(rest) && request.method == "POST" => (Some(rest), ""),
        // It would become the name of a file that no one may upload.
        None if is_token(rest) => return Err(NO_NAME),
        None => (None, rest),
    };
    let disposition = || request.header("content-disposition").and_then(file_name);
    let name = match decoded(name)? {
        name if name.is_empty() => match disposition() {
            Some(name) => name?,
            None if request.method == "PUT" => return Err(NO_NAME),
            None => fallback(content_type),
        },
        name => name,
    };
    let credentials = match token {
        Some(token) => Credentials::Token(token.to_owned()),
        None => request.header("authorization").map_or(Ok(Credentials::None), authorization)?,
    };
    Ok(Upload {
        name: checked(name)?,
        room: room(request.query)?,
        length: match request.body {
            Length::Known(length) => Some(length),
            Length::Chunked => None,
        },
        credentials,
        server_password: request.header("server-password").map(Secret::new),
    })
}

const BAD_NAME: Fault = Fault {
    status: 400,
    text: "invalid file name: at most 200 bytes, no slash, no control character",
};

const NO_NAME: Fault = Fault {
    status: 400,
    text: "the path is /upload/NAME, or /upload/TOKEN/NAME (curl -T adds the name behind a /)",
};

/// What is around a file in a form would be kept as part of it.
const A_FORM: Fault =
    Fault { status: 415, text: "send the file itself and not a form (curl -T FILE, not curl -F)" };

/// A name may hold nothing that a reader of a line would not see: it is told to others.
fn checked(name: String) -> Result<String, Fault> {
    let wrong = name.contains(['/', '\\', '\t'])
        || matches!(name.trim(), "" | "." | "..")
        || name.len() > limits::FILE_NAME_LENGTH
        || clean_text(&name) != name;
    if wrong { Err(BAD_NAME) } else { Ok(name.trim().to_owned()) }
}

fn is_token(text: &str) -> bool {
    text.len() == TOKEN && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn decoded(text: &str) -> Result<String, Fault> {
    let text = percent_decode_str(text).decode_utf8();
    text.map(|text| text.into_owned()).map_err(|_| BAD_NAME)
}

/// `attachment; filename="a.txt"; filename*=UTF-8''a.txt` (RFC 6266). The last form goes before.
fn file_name(disposition: &str) -> Option<Result<String, Fault>> {
    let (mut plain, mut rest) = (None, disposition);
    while let Some((_, after)) = rest.split_once(';') {
        let (name, value) = after.split_once('=')?;
        let name = name.trim().to_ascii_lowercase();
        let value = value.trim_start();
        let text = match value.strip_prefix('"') {
            Some(quoted) => {
                let (text, after) = unquoted(quoted)?;
                rest = after;
                text
            }
            None => {
                let end = value.find(';').unwrap_or(value.len());
                rest = &value[end..];
                value[..end].trim().to_owned()
            }
        };
        match name.as_str() {
            "filename*" => {
                let mut parts = text.splitn(3, '\'');
                let utf8 = parts.next().is_some_and(|it| it.eq_ignore_ascii_case("utf-8"));
                return parts.nth(1).filter(|_| utf8).map(decoded);
            }
            "filename" => plain = Some(text),
            _ => {}
        }
    }
    plain.map(Ok)
}

/// A quoted string to its end, and what is behind it.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let (mut value, mut escaped) = (String::new(), false);
    for (place, letter) in text.char_indices() {
        match letter {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return Some((value, &text[place + 1..])),
            letter => {
                escaped = false;
                value.push(letter);
            }
        }
    }
    None
}

/// The name of a file that was given none.
fn fallback(content_type: &str) -> String {
    let kind = content_type.split(';').next().unwrap_or_default();
    let ending = match kind.trim() {
        "text/plain" => "txt",
        kind => super::download::ending(kind).unwrap_or("bin"),
    };
    format!("file.{ending}")
}

fn authorization(value: &str) -> Result<Credentials, Fault> {
    const MALFORMED: Fault = Fault { status: 400, text: "malformed Authorization header" };
    let (scheme, rest) = value.split_once(' ').ok_or(MALFORMED)?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(Credentials::Token(rest.to_owned()));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(Fault { status: 401, text: "log in with Basic, or with a token (/upload)" });
    }
    let bytes = Zeroizing::new(Base64::decode_vec(rest).map_err(|_| MALFORMED)?);
    let text = std::str::from_utf8(&bytes).map_err(|_| MALFORMED)?;
    let (name, password) = text.split_once(':').ok_or(MALFORMED)?;
    if password.len() > limits::PASSWORD_LENGTH {
        return Err(MALFORMED);
    }
    Ok(Credentials::Password(name.into(), Secret::new(password)))
}

/// `room=rust` or `room=%23rust` of a query.
fn room(query: Option<&str>) -> Result<Option<String>, Fault> {
    let mut pairs = query.unwrap_or_default().split('&');
    let Some(room) = pairs.find_map(|it| it.strip_prefix("room=")) else { return Ok(None) };
    let room = decoded(room)?;
    Ok(Some(if room.starts_with('#') { room } else { format!("#{room}") }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(head: &str) -> Result<Upload, u16> {
        let head = head.replace('\n', "\r\n") + "\r\n\r\n";
        let request = Request::parse(head.as_bytes()).map_err(|fault| fault.status)?;
        let rest = below(request.path.unwrap()).expect("an upload");
        read(&request, rest).map_err(|fault| fault.status)
    }

    fn put(target: &str) -> Result<Upload, u16> {
        parse(&format!("PUT {target} HTTP/1.1\nHost: a\nContent-Length: 3"))
    }

    #[test]
    fn the_name_is_in_the_path_or_in_the_disposition() {
        let token = "0123456789abcdef0123456789ABCDEF";
        for (target, name) in [
            ("/upload/a.txt", "a.txt"),
            ("/upload/a%20%C3%A9.txt?room=x", "a \u{e9}.txt"),
            (&format!("/upload/{token}/b.txt"), "b.txt"),
            ("/upload/...", "..."),
        ] {
            assert_eq!(put(target).unwrap().name, name, "{target}");
        }
        for (disposition, name) in [
            ("Content-Disposition: attachment; filename=\"a \\\"b\\\".txt\"", "a \"b\".txt"),
            ("Content-Disposition: attachment; filename=a.txt; size=3", "a.txt"),
            (
                "Content-Disposition: attachment; filename=\"?\"; filename*=UTF-8''%e2%82%ac",
                "\u{20ac}",
            ),
            ("Content-Disposition: attachment", "file.bin"),
            ("Content-Type: image/png", "file.png"),
            ("Content-Type: text/plain; charset=utf-8", "file.txt"),
            ("X: y", "file.bin"),
        ] {
            let head = format!("POST /upload HTTP/1.1\nHost: a\n{disposition}");
            assert_eq!(parse(&head).unwrap().name, name, "{disposition}");
        }
    }

    #[test]
    fn a_name_that_is_a_path_or_cannot_be_shown_is_rejected() {
        let long = format!("/upload/{}", "x".repeat(201));
        for target in [
            "/upload",
            "/upload/",
            "/upload/..",
            "/upload/%2e%2E",
            "/upload/..%2fetc",
            "/upload/../etc",
            "/upload/a%00b",
            "/upload/a%5cb",
            "/upload/a%0d%0ab",
            "/upload/%1b%5b31m",
            "/upload/%e2%80%aeexe.pdf",
            "/upload/%ff",
            "/upload/%20",
            "/upload/tokenless/a.txt",
            &long,
        ] {
            assert_eq!(put(target), Err(400), "{target}");
        }
        let head = "POST /upload HTTP/1.1\nHost: a\nContent-Disposition: x; filename=\"../a\"";
        assert_eq!(parse(head), Err(400));
        // A token without the / behind it is no name.
        assert_eq!(put("/upload/0123456789abcdef0123456789abcdef"), Err(400));
        // `curl -F`: its envelope would be kept with the file.
        let head = "POST /upload HTTP/1.1\nHost: a\nContent-Type: Multipart/form-data; boundary=x";
        assert_eq!(parse(head), Err(415));
    }

    #[test]
    fn credentials_are_a_token_or_a_password() {
        let token = "0123456789abcdef0123456789abcdef";
        let credentials = |head: &str| parse(head).map(|upload| upload.credentials);
        let post = |line: &str| credentials(&format!("POST /upload HTTP/1.1\nHost: a\n{line}"));
        assert_eq!(post("X: y"), Ok(Credentials::None));
        let basic = Credentials::Password("alice".into(), Secret::new("se:same"));
        assert_eq!(post("Authorization: Basic YWxpY2U6c2U6c2FtZQ=="), Ok(basic));
        let bearer = format!("Authorization: bearer {token}");
        assert_eq!(post(&bearer), Ok(Credentials::Token(token.into())));
        assert_eq!(post("Authorization: Basic ???"), Err(400));
        assert_eq!(post("Authorization: Digest x"), Err(401));
        let path = format!("POST /upload/{token} HTTP/1.1\nHost: a");
        assert_eq!(credentials(&path), Ok(Credentials::Token(token.into())));
    }

    #[test]
    fn the_room_may_lack_its_hash() {
        for (query, expected) in [
            ("?room=rust", Some("#rust")),
            ("?x=y&room=%23rust", Some("#rust")),
            ("?rooms=rust", None),
            ("", None),
        ] {
            let upload = put(&format!("/upload/a{query}")).unwrap();
            assert_eq!(upload.room.as_deref(), expected, "{query}");
        }
    }
}
