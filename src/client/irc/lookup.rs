//! The commands for earlier messages, and those that only a chatloop server has.

use super::IrcSession;
use super::catchup::by_timestamp;
use super::commands::Command;
use crate::wire::irc::tags::escape_into;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Messages that `/history` shows by default.
const HISTORY: usize = 20;

impl IrcSession {
    /// `/history [#room|NICK] [N] | before|after N|TIME [COUNT]`.
    pub(super) fn history(&mut self, words: &[&str]) {
        if !self.server.keeps_history() {
            return self.fail("this server does not keep history");
        }
        let is_word = |word: &str| word.parse::<usize>().is_err();
        let (place, words) = match words {
            [first, rest @ ..] if is_word(first) && !["before", "after"].contains(first) => {
                (Some(*first), rest)
            }
            _ => (None, words),
        };
        let place = place.map(str::to_owned).or_else(|| self.query.clone());
        let Some(place) = self.room_or_fail(place.as_deref()) else { return };
        let most = self.server.history_page(1_000);
        let count = |word: Option<&&str>| {
            word.map_or(Some(HISTORY), |word| word.parse().ok().filter(|count| *count > 0))
        };
        let (how, reference, count) = match words {
            [how @ ("before" | "after"), point, rest @ ..] => {
                let Some(reference) = self.point(&place, point) else { return };
                (how.to_ascii_uppercase(), reference, count(rest.first()))
            }
            _ => ("LATEST".to_owned(), "*".to_owned(), count(words.first())),
        };
        let Some(count) = count else {
            return self.fail("invalid number of messages; usage: /history [#room|NICK] [N]");
        };
        let count = count.min(most).to_string();
        self.queue("CHATHISTORY", &[&how, &place, &reference, &count], None);
    }

    /// A message's number, or a time, as CHATHISTORY refers to it.
    fn point(&mut self, place: &str, word: &str) -> Option<String> {
        match moment(word, self.now, &TimeZone::system()) {
            Some(time) => Some(by_timestamp(time)),
            None => self.msgid_of(place, word).map(|id| format!("msgid={id}")),
        }
    }

    /// `/search WORDS [#room] [from NICK]`, by the SEARCH of soju.im/search.
    pub(super) fn search(&mut self, words: &[&str]) {
        if !self.server.has("soju.im/search") {
            return self.fail("this server does not support search");
        }
        let (mut words, mut attributes) = (words.to_vec(), Vec::new());
        loop {
            match words[..] {
                [_, .., "from", nick] => {
                    attributes.push(format!("from={}", escaped(nick)));
                    words.truncate(words.len() - 2);
                }
                [_, .., last] if self.server.is_room(last) => {
                    attributes.push(format!("in={}", escaped(last)));
                    words.pop();
                }
                _ => break,
            }
        }
        attributes.push(format!("text={}", escaped(&words.join(" "))));
        self.queue("SEARCH", &[&attributes.join(";")], None);
    }

    /// A command that only a chatloop server has, as it was typed.
    pub(super) fn vendor(&mut self, command: &Command, rest: &str) {
        self.vendor_line(format!("{} {rest}", command.name()).trim_end());
    }

    /// The same, with its name.
    pub(super) fn vendor_line(&mut self, line: &str) {
        if !self.server.is_chatloop {
            return self.fail("only a chatloop server has that command");
        }
        self.queue("CHATLOOP", &[], Some(line));
    }
}

/// A value of SEARCH, which are written like those of tags.
fn escaped(text: &str) -> String {
    let mut out = Vec::new();
    escape_into(text, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// `10m` and the like before `now`; `12:30`, the last one; a date, with or without a time.
fn moment(word: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let digits = word.trim_end_matches(|unit: char| unit.is_ascii_alphabetic());
    let seconds = match &word[digits.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => 0,
    };
    if let Some(number) = digits.parse::<i64>().ok().filter(|number| *number > 0 && seconds > 0) {
        return now.checked_sub(SignedDuration::from_secs(number.checked_mul(seconds)?)).ok();
    }
    let here = zone.to_datetime(now);
    let local = match (word.parse::<DateTime>(), word.parse::<Time>()) {
        (Ok(local), _) if word.contains('-') => local,
        (_, Ok(time)) if word.contains(':') => {
            let today = here.date().to_datetime(time);
            if today > here { today.yesterday().ok()? } else { today }
        }
        _ => return word.parse().ok(),
    };
    zone.to_timestamp(local).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_local_and_in_the_past() {
        let now: Timestamp = "2026-01-31T12:30:00Z".parse().unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        for (word, then) in [
            ("10m", Some("2026-01-31T12:20:00Z")),
            ("2d", Some("2026-01-29T12:30:00Z")),
            ("14:00", Some("2026-01-31T12:00:00Z")),
            ("15:00", Some("2026-01-30T13:00:00Z")),
            ("2026-01-30", Some("2026-01-29T22:00:00Z")),
            ("2026-01-30T10:00", Some("2026-01-30T08:00:00Z")),
            ("2026-01-30T10:00Z", Some("2026-01-30T10:00:00Z")),
            ("17", None),
            ("0m", None),
            ("9223372036854775807d", None),
            ("soon", None),
        ] {
            assert_eq!(moment(word, now, &zone), then.map(|then| then.parse().unwrap()), "{word}");
        }
    }
}
