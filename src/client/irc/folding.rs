//! Joins and departures of one room that wait to be told of in one line.
//!
//! Bound: [`NAMES_FOLDED`] names of each kind.

use crate::client::display::EventKind;
use jiff::Timestamp;

/// Names that a folded line gives of each kind.
const NAMES_FOLDED: usize = 5;
/// Joins, departures and absences that are not shown yet, as kinds, names and counts.
#[derive(Debug, Default)]
pub(super) struct Folded {
    since: Option<Timestamp>,
    kinds: Vec<(EventKind, Vec<String>, usize)>,
}

/// `/hide`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Hide {
    /// Folded in large rooms.
    #[default]
    Auto,
    On,
    Off,
    Fold,
}

impl Hide {
    pub fn named(name: &str) -> Option<Hide> {
        Some(match name {
            "auto" => Hide::Auto,
            "on" => Hide::On,
            "off" => Hide::Off,
            "fold" => Hide::Fold,
            _ => return None,
        })
    }

    pub fn in_words(self) -> &'static str {
        match self {
            Hide::Auto => "shown, and folded in rooms with more than 20 members",
            Hide::On => "hidden",
            Hide::Off => "shown",
            Hide::Fold => "folded",
        }
    }
}

impl Folded {
    pub fn add(&mut self, kind: EventKind, nick: &str, now: Timestamp) {
        self.since.get_or_insert(now);
        let place = self.kinds.iter().position(|(known, ..)| *known == kind);
        let place = place.unwrap_or_else(|| {
            self.kinds.push((kind, Vec::new(), 0));
            self.kinds.len() - 1
        });
        let (_, names, count) = &mut self.kinds[place];
        *count += 1;
        if names.len() < NAMES_FOLDED {
            names.push(nick.to_owned());
        }
    }

    /// When the first of them happened.
    pub fn since(&self) -> Option<Timestamp> {
        self.since
    }

    /// `joined: a, b and 3 more; left: c`, and nothing is folded.
    pub fn take(&mut self) -> Option<String> {
        self.since = None;
        let parts = self.kinds.drain(..).map(|(kind, names, count)| {
            let more = count - names.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("{}: {}{more}", kind.past(), names.join(", "))
        });
        let text = parts.collect::<Vec<_>>().join("; ");
        (!text.is_empty()).then_some(text)
    }
}
