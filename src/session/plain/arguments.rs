//! The arguments of a command, taken from its line one by one.

use crate::chat::{Moment, Pick, Point, RecordId};
use crate::session::refusal_text::short;
use crate::session::time;

/// What is wrong with a line.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// An argument is missing: the usage says which.
    Usage,
    /// An argument is not valid; the usage follows the text.
    Invalid(String),
    /// All there is to say.
    Other(String),
}

impl Fault {
    /// The text, where no command has a usage to add.
    pub(super) fn without_usage(self) -> String {
        match self {
            Fault::Usage => "missing arguments".to_owned(),
            Fault::Invalid(text) | Fault::Other(text) => text,
        }
    }

    /// `invalid count "x"`, as much of it as should be repeated.
    pub(super) fn invalid(what: &str, word: &str) -> Fault {
        Fault::Invalid(format!("invalid {what} \"{}\"", short(word)))
    }
}

/// The part of a line that has not been parsed yet, and the same with the spaces before it, but for
/// the one that ended the word before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a>(&'a str, &'a str);

impl<'a> Line<'a> {
    pub(super) fn new(text: &'a str) -> Line<'a> {
        Line(text.trim_start(), text)
    }

    /// The next word, if there is one.
    pub(super) fn word(&mut self) -> Option<&'a str> {
        let end = self.0.find(char::is_whitespace).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        self.1 = rest.strip_prefix(char::is_whitespace).unwrap_or(rest);
        self.0 = rest.trim_start();
        (!word.is_empty()).then_some(word)
    }

    /// The next word, if it is a room.
    pub(super) fn room(&mut self) -> Option<&'a str> {
        if self.0.starts_with('#') { self.word() } else { None }
    }

    /// The rest, if there is any.
    pub(super) fn rest(self) -> Option<&'a str> {
        (!self.0.trim().is_empty()).then_some(self.0)
    }

    /// The rest as it was typed, spaces included, which must be there.
    pub(super) fn need_verbatim(self) -> Result<&'a str, Fault> {
        self.need_rest().map(|_| self.1)
    }

    /// There must be no more.
    pub(super) fn end(self) -> Result<(), Fault> {
        match self.0 {
            "" => Ok(()),
            rest => Err(Fault::Invalid(format!("unexpected \"{}\"", short(rest)))),
        }
    }

    /// The next word, which must be there.
    pub(super) fn need(&mut self) -> Result<&'a str, Fault> {
        self.word().ok_or(Fault::Usage)
    }

    /// The rest, which must be there.
    pub(super) fn need_rest(self) -> Result<&'a str, Fault> {
        self.rest().ok_or(Fault::Usage)
    }

    /// A message's number or id.
    pub(super) fn message(&mut self) -> Result<Pick, Fault> {
        let word = self.need()?;
        match point(word) {
            Some(Point::Number(number)) => Ok(Pick::Number(number)),
            Some(Point::Id(id)) => Ok(Pick::Id(id)),
            _ => Err(Fault::invalid("message number", word)),
        }
    }

    /// A message or a time.
    pub(super) fn point(&mut self, now: Moment) -> Result<Point, Fault> {
        let word = self.need()?;
        point_in_history(word, now).ok_or_else(|| {
            let word = short(word);
            Fault::Invalid(format!(
                "invalid message number or time \"{word}\": try 17, 10m, 12:30 or 2026-01-31T12:30"
            ))
        })
    }
}

/// A message or a moment.
pub(super) fn point_in_history(word: &str, now: Moment) -> Option<Point> {
    point(word).or_else(|| time::parse(word, now).map(Point::Time))
}

/// `17` is a number in the room, `id:17` an id.
fn point(word: &str) -> Option<Point> {
    match word.strip_prefix("id:") {
        Some(id) => id.parse().ok().map(|id| Point::Id(RecordId(id))),
        None => word.parse().ok().map(Point::Number),
    }
}
