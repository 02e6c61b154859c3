//! Message tags and the escaping of their values. IRCv3 message-tags.
//!
//! A [`Tags`] is the raw section, and is parsed at every access: most messages are accessed for one
//! key or none, and a map would cost an allocation each.
//!
//! Invariant: a key or a raw value contains no space, `;`, NUL, CR or LF, so it can be relayed
//! unchanged. Keys are opaque, as the specification requires: none is rejected for its letters.
//!
//! Absent: removal of duplicate keys. The last one counts, for [`Tags::get`] and for every
//! receiver, so relaying a duplicate does not change the meaning; and a section of 2,000 one-letter
//! tags cannot force a comparison of all pairs.

use std::borrow::Cow;

/// The tags of one message, in their order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tags<'a> {
    /// Without the `@` and the space.
    section: &'a str,
}

/// One tag.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tag<'a> {
    /// The key with its `+` and its vendor; never empty.
    pub key: &'a str,
    /// The value as received, still escaped. `None` and empty are equivalent.
    pub raw_value: Option<&'a str>,
}

impl<'a> Tags<'a> {
    /// Tags from the text between `@` and the space.
    pub const fn new(section: &'a str) -> Tags<'a> {
        Tags { section }
    }

    /// Tags from the bytes of a section with its `@` and its space, if that is what they are.
    pub(in crate::wire) fn of_section(bytes: &'a [u8]) -> Tags<'a> {
        let inner = bytes.strip_prefix(b"@").and_then(|inner| inner.strip_suffix(b" "));
        match inner.map(std::str::from_utf8) {
            Some(Ok(section)) if !section.contains('\0') => Tags { section },
            _ => Tags::default(),
        }
    }

    pub fn is_empty(self) -> bool {
        self.section.is_empty() || self.iter().next().is_none()
    }

    /// Every tag, repetitions included.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = Tag<'a>> {
        self.section.split(';').filter_map(Tag::parse)
    }

    /// Those a server relays untouched: the keys with a `+`.
    pub fn client_only(self) -> impl Iterator<Item = Tag<'a>> {
        self.iter().filter(|tag| tag.is_client_only())
    }

    /// The last tag with this key: of repetitions only the last one counts.
    pub fn find(self, key: &str) -> Option<Tag<'a>> {
        if self.section.is_empty() {
            return None; // as on nearly every line
        }
        self.iter().rfind(|tag| tag.key == key)
    }

    /// The value of `key`, unescaped; empty if it has none, `None` if the tag is missing.
    pub fn get(self, key: &str) -> Option<Cow<'a, str>> {
        self.find(key).map(Tag::value)
    }
}

impl<'a> Tag<'a> {
    fn parse(text: &'a str) -> Option<Tag<'a>> {
        let (key, raw_value) = match text.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (text, None),
        };
        (!key.is_empty()).then_some(Tag { key, raw_value })
    }

    /// The value, unescaped; empty if it has none.
    pub fn value(self) -> Cow<'a, str> {
        unescape(self.raw_value.unwrap_or_default())
    }

    /// Whether it is a client-only tag.
    pub fn is_client_only(self) -> bool {
        self.key.starts_with('+')
    }
}

/// The text of a raw tag value. A backslash before any other letter, or at the end, is dropped;
/// that is the specification's rule for undefined escapes.
pub fn unescape(raw: &str) -> Cow<'_, str> {
    let Some(first) = raw.find('\\') else {
        return Cow::Borrowed(raw);
    };
    let (clean, rest) = raw.split_at(first);
    let mut text = String::with_capacity(raw.len());
    text.push_str(clean);
    let mut letters = rest.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            text.push(letter);
            continue;
        }
        match letters.next() {
            Some(':') => text.push(';'),
            Some('s') => text.push(' '),
            Some('r') => text.push('\r'),
            Some('n') => text.push('\n'),
            Some(other) => text.push(other),
            None => {}
        }
    }
    Cow::Owned(text)
}

/// Writes `value` so that [`unescape`] restores it. NUL has no escape and is dropped, because a
/// message cannot contain it.
pub fn escape_into(value: &str, out: &mut Vec<u8>) {
    for byte in value.bytes() {
        match byte {
            b';' => out.extend_from_slice(b"\\:"),
            b' ' => out.extend_from_slice(b"\\s"),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0 => {}
            plain => out.push(plain),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_letter_by_letter() {
        for (raw, text) in [
            ("", ""),
            ("plain", "plain"),
            (r"gh\:764", "gh;764"),
            (r"72\s45", "72 45"),
            (r"\\\\\:\\s\s\r\n", "\\\\;\\s \r\n"),
            (r"value\\ntest", r"value\ntest"),
            (r"value\1", "value1"),
            ("value\\", "value"),
            (r"\é", "é"),
        ] {
            assert_eq!(unescape(raw), text, "{raw:?}");
        }
    }

    #[test]
    fn the_last_of_a_repeated_key_counts_and_vendors_differ() {
        let tags = Tags::new("tag1=1;tag2=3;;=x;tag1=5;vendor/tag2=8;+flag");
        assert_eq!(tags.get("tag1").as_deref(), Some("5"));
        assert_eq!(tags.get("tag2").as_deref(), Some("3"));
        assert_eq!(tags.get("vendor/tag2").as_deref(), Some("8"));
        assert_eq!(tags.get("+flag").as_deref(), Some(""));
        assert_eq!(tags.get("flag"), None);
        assert_eq!(tags.get(""), None);
        assert_eq!(tags.iter().count(), 5);
        let client_only: Vec<&str> = tags.client_only().map(|tag| tag.key).collect();
        assert_eq!(client_only, ["+flag"]);
        assert!(Tags::new(";=;").is_empty());
    }
}
