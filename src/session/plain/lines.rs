//! How a plain line begins and ends in either style, and the parts that several kinds of lines share.

use super::{Style, Theme};
use crate::chat::{Identity, Kind, Quoted};
use crate::wire::clean::clean;
use std::io::Write;

pub(super) const BLUE: &str = "\x1b[34;1m";
pub(super) const RED: &str = "\x1b[31;1m";
pub(super) const PURPLE: &str = "\x1b[35;1m";
pub(super) const GREEN: &str = "\x1b[32m";
const RESET: &str = "\x1b[0m";

/// Characters of a message that a reply to it repeats.
const EXCERPT: usize = 30;

/// "1 user", "2 users".
pub(super) fn users(count: usize) -> String {
    format!("{count} {}", if count == 1 { "user" } else { "users" })
}

/// Adds a line from the server to `out`.
pub(super) fn notice(theme: Theme, colour: &str, text: &str, out: &mut Vec<u8>) {
    begin(theme, colour, out);
    put(out, &[if theme.style == Style::Plain { "* " } else { "" }]);
    put_harmless(out, text);
    end(theme, out);
}

/// The nick; in classic style address and port until a user chooses one.
pub(super) fn label(theme: Theme, who: &Identity) -> &str {
    if theme.style == Style::Classic && !who.named { &who.label } else { who.nick.as_str() }
}

/// What follows the sender of a message, from the closing bracket on.
pub(super) fn body(kind: Kind, reply: Option<&Quoted>, text: &str, out: &mut Vec<u8>) {
    let between = match kind {
        Kind::Message => "]: ",
        Kind::Action => "] ",
        Kind::Notice => "] (notice): ",
    };
    put(out, &[between]);
    if let Some(reply) = reply {
        // Writing to a Vec cannot fail.
        let _ = write!(out, "re {} <{}>", reply.number, reply.from);
        if let Some(quoted) = &reply.text {
            let end = quoted.char_indices().nth(EXCERPT).map_or(quoted.len(), |(end, _)| end);
            put(out, &[" "]);
            put_harmless(out, &quoted[..end]);
            put(out, &[if end < quoted.len() { "…" } else { "" }]);
        }
        put(out, &[": "]);
    }
    put_harmless(out, text);
}

/// Adds a text that an IRC client may have written: its formatting codes are control characters,
/// which a terminal would obey. The text of a plain client is harmless already and is not copied.
fn put_harmless(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(clean(text.as_bytes()).as_bytes());
}

pub(super) fn put(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

pub(super) fn begin(theme: Theme, colour: &str, out: &mut Vec<u8>) {
    if theme.style == Style::Classic {
        put(out, &["\r", colour]);
    }
}

pub(super) fn end(theme: Theme, out: &mut Vec<u8>) {
    put(out, &["\n", if theme.style == Style::Classic { RESET } else { "" }]);
}
