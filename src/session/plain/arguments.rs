//! What stands behind a command's name.

use crate::chat::{Moment, Pick, Point, RecordId};
use crate::session::refusal_text::short;
use crate::session::time;

/// The part of a line that is not understood yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a>(&'a str);

impl<'a> Line<'a> {
    pub(super) fn new(text: &'a str) -> Line<'a> {
        Line(text.trim_start())
    }

    /// The next word, if there is one.
    pub(super) fn word(&mut self) -> Option<&'a str> {
        let end = self.0.find(char::is_whitespace).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        self.0 = rest.trim_start();
        (!word.is_empty()).then_some(word)
    }

    /// The next word, if it is a room.
    pub(super) fn room(&mut self) -> Option<&'a str> {
        if self.0.starts_with('#') { self.word() } else { None }
    }

    /// All that is left.
    pub(super) fn rest(self) -> &'a str {
        self.0
    }

    /// All that is left, if anything.
    pub(super) fn some_rest(self) -> Option<&'a str> {
        (!self.0.trim().is_empty()).then_some(self.0)
    }

    /// Refuses what nobody asked for.
    pub(super) fn end(self) -> Result<(), String> {
        if self.0.is_empty() { Ok(()) } else { Err(format!("what is \"{}\"?", short(self.0))) }
    }

    /// The next word, which must be there.
    pub(super) fn need(&mut self, what: &str) -> Result<&'a str, String> {
        self.word().ok_or_else(|| format!("{what} is missing"))
    }

    /// The rest, which must be there.
    pub(super) fn need_rest(self, what: &str) -> Result<&'a str, String> {
        self.some_rest().ok_or_else(|| format!("{what} is missing"))
    }

    /// The number of a message.
    pub(super) fn message(&mut self) -> Result<Pick, String> {
        let word = self.need("the message's number")?;
        match point(word) {
            Some(Point::Number(number)) => Ok(Pick::Number(number)),
            Some(Point::Id(id)) => Ok(Pick::Id(id)),
            _ => Err(format!("\"{}\" is not the number of a message", short(word))),
        }
    }

    /// A message or a moment.
    pub(super) fn point(&mut self, now: Moment) -> Result<Point, String> {
        let word = self.need("a message's number or a time")?;
        point(word).or_else(|| time::parse(word, now).map(Point::Time)).ok_or_else(|| {
            format!("\"{}\" is neither a message's number nor a time (17, 10m, 12:30, 2026-01-31T12:30)", short(word))
        })
    }
}

/// `17` is a number in the room, `id:17` an id.
fn point(word: &str) -> Option<Point> {
    match word.strip_prefix("id:") {
        Some(id) => id.parse().ok().map(|id| Point::Id(RecordId(id))),
        None => word.parse().ok().map(Point::Number),
    }
}
