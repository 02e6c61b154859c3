//! IRC messages: tags, source, command and parameters of a line. Modern IRC "Message Format", RFC
//! 1459 §2.3.1 for the spaces (one or more), RFC 2812 §2.3.1 for the fifteenth parameter.
//!
//! Invariants: no part of a message holds NUL, CR or LF; only the last parameter may hold a
//! space, be empty, or begin with a colon.
//!
//! All text is UTF-8: the server offers UTF8ONLY. A line that is not valid UTF-8 is rejected, not
//! repaired: what cannot be relayed as sent should not be relayed as something else.
//!
//! Absent: a check of the command's letters. The reply to an unknown command contains its name
//! (421), so it has to be parsed.

use super::{Numeric, Source, Tags};
use std::ops::Deref;
use std::str;

/// Parameters of a message, the last one included. RFC 1459 §2.3.
pub const MAX_PARAMETERS: usize = 15;

/// One line, in parts that point into it.
///
/// ```
/// use chatloop::wire::irc::Message;
/// let message = Message::parse(b"@label=7 :ada!al@host PRIVMSG #lab :good morning")?;
/// assert_eq!(message.tags.get("label").as_deref(), Some("7"));
/// assert_eq!(message.source().map(|source| source.name), Some("ada"));
/// assert_eq!(message.command, "PRIVMSG");
/// assert_eq!(*message.parameters, ["#lab", "good morning"]);
/// # Ok::<(), chatloop::wire::irc::ParseError<'static>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message<'a> {
    /// The section between `@` and the first space; may be empty.
    pub tags: Tags<'a>,
    /// The sender as received, without its colon. A server ignores what a client claims here.
    pub raw_source: Option<&'a str>,
    /// The command as received, never empty. Compare it without regard to ASCII case.
    pub command: &'a str,
    /// All parameters; whether the last one had a colon makes no difference and is not kept.
    pub parameters: Parameters<'a>,
}

/// Up to [`MAX_PARAMETERS`] parameters, in place: a slice to all who read it.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Parameters<'a> {
    all: [&'a str; MAX_PARAMETERS],
    count: usize,
}

/// Why a line is not a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParseError<'a> {
    /// Nothing or spaces only: to be ignored.
    Empty,
    /// Tags or a source, and then nothing.
    NoCommand,
    /// A NUL, or a CR or LF inside. RFC 1459 §2.3.1 has them nowhere.
    ForbiddenByte,
    /// Not UTF-8. A server replies with FAIL and INVALID_UTF8, and needs the tags and the command for it,
    /// if they precede the invalid byte.
    NotUtf8 { tags: Tags<'a>, command: Option<&'a str> },
}

impl<'a> Message<'a> {
    /// Parses one line, with or without its line end.
    ///
    /// # Errors
    /// See [`ParseError`]; no length is checked here, that is the framer's task.
    pub fn parse(line: &'a [u8]) -> Result<Message<'a>, ParseError<'a>> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = match str::from_utf8(line) {
            Ok(text) => text,
            Err(bad) => return Err(not_utf8(line, bad.valid_up_to())),
        };
        if memchr::memchr3(0, b'\r', b'\n', line).is_some() {
            return Err(ParseError::ForbiddenByte);
        }
        let head = Head::split(text);
        if head.command.is_empty() {
            let nothing = text.bytes().all(|byte| byte == b' ');
            return Err(if nothing { ParseError::Empty } else { ParseError::NoCommand });
        }
        Ok(Message {
            tags: head.tags,
            raw_source: head.source,
            command: head.command,
            parameters: Parameters::split(head.rest),
        })
    }

    /// The first `N` parameters; empty where there are fewer.
    pub fn words<const N: usize>(&self) -> [&'a str; N] {
        std::array::from_fn(|place| self.parameters.get(place).copied().unwrap_or_default())
    }

    /// The sender, in parts.
    pub fn source(&self) -> Option<Source<'a>> {
        self.raw_source.map(Source::parse)
    }

    /// The numeric, if the command is one.
    pub fn numeric(&self) -> Option<Numeric> {
        Numeric::parse(self.command)
    }
}

/// All before the parameters.
struct Head<'a> {
    tags: Tags<'a>,
    source: Option<&'a str>,
    command: &'a str,
    rest: &'a str,
}

impl<'a> Head<'a> {
    fn split(text: &'a str) -> Head<'a> {
        let mut rest = text.trim_start_matches(' ');
        let mut tags = Tags::default();
        if let Some(tagged) = rest.strip_prefix('@') {
            let (section, after) = word(tagged);
            tags = Tags::new(section);
            rest = after;
        }
        let mut source = None;
        if let Some(sourced) = rest.strip_prefix(':') {
            let (sender, after) = word(sourced);
            source = Some(sender);
            rest = after;
        }
        let (command, rest) = word(rest);
        Head { tags, source, command, rest }
    }
}

/// The text up to the first space, and what follows the spaces.
fn word(text: &str) -> (&str, &str) {
    match text.split_once(' ') {
        Some((word, rest)) => (word, rest.trim_start_matches(' ')),
        None => (text, ""),
    }
}

/// A line that may be one of IRC, from its command on; empty while only tags or a source are there.
/// `@#` is no tag: it sends a plain line to another room. Nor is `:-)` a source.
pub fn from_command(line: &str) -> &str {
    let mut line = line.trim_start_matches(' ');
    if line.starts_with('@') && !line.starts_with("@#") {
        line = word(line).1;
    }
    let source = line.strip_prefix(':').unwrap_or_default();
    if source.starts_with(|c: char| c.is_ascii_alphanumeric()) { word(line).1 } else { line }
}

/// What is known about a line whose bytes are UTF-8 only up to `valid`.
fn not_utf8(line: &[u8], valid: usize) -> ParseError<'_> {
    let text = str::from_utf8(&line[..valid]).unwrap_or_default();
    // The last word may continue in the invalid bytes, so it is not known.
    let whole = text.rfind(' ').map_or("", |space| &text[..=space]);
    let head = Head::split(whole);
    if whole.contains('\0') || whole.contains(['\r', '\n']) {
        return ParseError::NotUtf8 { tags: Tags::default(), command: None };
    }
    ParseError::NotUtf8 {
        tags: head.tags,
        command: Some(head.command).filter(|command| !command.is_empty()),
    }
}

impl<'a> Parameters<'a> {
    fn split(mut rest: &'a str) -> Parameters<'a> {
        let mut parameters = Parameters::default();
        while !rest.is_empty() {
            if let Some(trailing) = rest.strip_prefix(':') {
                parameters.push(trailing);
                break;
            }
            // RFC 2812: after fourteen, all the rest is the fifteenth, colon or not.
            if parameters.count == MAX_PARAMETERS - 1 {
                parameters.push(rest.trim_end_matches(' '));
                break;
            }
            let (middle, after) = word(rest);
            parameters.push(middle);
            rest = after;
        }
        parameters
    }

    fn push(&mut self, parameter: &'a str) {
        if let Some(place) = self.all.get_mut(self.count) {
            *place = parameter;
            self.count += 1;
        }
    }

    /// All of them, with the life of the line and not of this value.
    pub fn as_slice(&self) -> &[&'a str] {
        self.all.get(..self.count).unwrap_or_default()
    }
}

impl<'a> Deref for Parameters<'a> {
    type Target = [&'a str];

    fn deref(&self) -> &[&'a str] {
        self.as_slice()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Message<'_> {
        Message::parse(line.as_bytes()).expect("a message")
    }

    #[test]
    fn the_last_parameter_has_three_forms() {
        for (line, parameters) in [
            ("FOO bar baz asdf", &["bar", "baz", "asdf"][..]),
            ("FOO bar baz :asdf quux", &["bar", "baz", "asdf quux"]),
            ("FOO bar baz :", &["bar", "baz", ""]),
            ("FOO bar baz ::asdf", &["bar", "baz", ":asdf"]),
            ("FOO bar :  lol :) ", &["bar", "  lol :) "]),
            ("FOO  bar   baz  ", &["bar", "baz"]),
            ("FOO b\tar b:az", &["b\tar", "b:az"]),
            ("FOO :only", &["only"]),
            ("FOO ", &[]),
            ("FOO", &[]),
        ] {
            let message = parsed(line);
            assert_eq!((message.command, message.parameters.as_slice()), ("FOO", parameters));
        }
    }

    #[test]
    fn the_fifteenth_parameter_is_all_the_rest() {
        let line = "X 1 2 3 4 5 6 7 8 9 10 11 12 13 14 and so on  ";
        assert_eq!(parsed(line).parameters.last(), Some(&"and so on"));
        let line = "X 1 2 3 4 5 6 7 8 9 10 11 12 13 14 :and so on ";
        assert_eq!(parsed(line).parameters.last(), Some(&"and so on "));
        assert_eq!(parsed(line).parameters.len(), MAX_PARAMETERS);
    }

    #[test]
    fn tags_and_source_come_before_the_command() {
        let message = parsed("  @c;h=;a=b   :quux   ab cd\r\n");
        assert_eq!(message.tags.get("a").as_deref(), Some("b"));
        assert_eq!(message.raw_source, Some("quux"));
        assert_eq!((message.command, message.parameters.as_slice()), ("ab", &["cd"][..]));
        assert_eq!(parsed(":irc.example.org 005 ada").numeric().map(Numeric::number), Some(5));
        assert_eq!(parsed("PING").source(), None);
    }

    #[test]
    fn what_is_no_message_says_why() {
        use ParseError::{Empty, ForbiddenByte, NoCommand};
        for (line, error) in [
            ("", Empty),
            ("   ", Empty),
            ("\r\n", Empty),
            ("@a=b", NoCommand),
            ("@a=b ", NoCommand),
            (":source", NoCommand),
            ("@a :source ", NoCommand),
            ("@", NoCommand),
            ("PING a\0b", ForbiddenByte),
            ("PING a\rQUIT", ForbiddenByte),
            ("PING a\nQUIT", ForbiddenByte),
        ] {
            assert_eq!(Message::parse(line.as_bytes()), Err(error), "{line:?}");
        }
    }

    #[test]
    fn bad_utf8_leaves_what_its_answer_needs() {
        let tags = Tags::new("label=x");
        for (line, tags, command) in [
            (&b"@label=x PRIVMSG #lab hi\xaa"[..], tags, Some("PRIVMSG")),
            (b"@label=x PRIV\xaaMSG #lab", tags, None),
            (b"@label=\xaa PRIVMSG #lab", Tags::default(), None),
            (b"PRIVMSG\xaa", Tags::default(), None),
            (b"\xaa", Tags::default(), None),
            (b"PRIV\0MSG #lab \xaa", Tags::default(), None),
        ] {
            assert_eq!(Message::parse(line), Err(ParseError::NotUtf8 { tags, command }));
        }
    }
}
