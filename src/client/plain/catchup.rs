//! Which of a room's messages has the person seen, and which were missed while the connection was
//! gone? Pure: lines in, decisions out.
//!
//! While we catch up, messages that arrive are held; the server is asked for what came after the
//! last number that was shown, that one included. If it is there and says what it said, the past
//! is the same one, and what is behind it was missed. If it is not, the whole past is asked for
//! once: either something in it is known, or the server has begun a new past, and that is said.
//!
//! A server does not repeat to people what they said themselves, so the numbers of their own
//! messages are the gaps between the others'. What has no gap and does not turn up in the past is
//! not known to have arrived.
//!
//! Bounds: `MAX_SEEN`, `MAX_OWN`, `MAX_HELD`, `PAGE` times `MAX_PAGES`.

use crate::wire::chatline::{ChatLine, Said, parse};
use std::collections::{BTreeMap, VecDeque};

/// Shown messages that are remembered, to know the past again.
const MAX_SEEN: usize = 64;
/// Bytes of each of them.
const MAX_PREFIX: usize = 64;
/// Own messages that are not yet known to have arrived.
const MAX_OWN: usize = 64;
/// Messages held while the past is under way. What is over that is asked for with it.
const MAX_HELD: usize = 2_000;
/// Messages asked for at a time: what the server gives at most.
pub const PAGE: usize = 500;
/// Pages asked for.
const MAX_PAGES: usize = 20;

/// What is known of one room.
#[derive(Debug)]
pub struct RoomLog {
    /// Its name.
    pub name: String,
    /// When it was entered, as the server reads times: where the past begins if nothing was seen.
    entered: String,
    last: Option<u64>,
    seen: VecDeque<(Option<u64>, String)>,
    own: VecDeque<String>,
    catching: Option<Catching>,
}

#[derive(Debug, Default)]
struct Catching {
    past: BTreeMap<u64, Vec<u8>>,
    held: Vec<Vec<u8>>,
    /// A line was not held for want of room: the past must be asked once more.
    overflowed: bool,
    /// Messages of the last answer.
    page: usize,
    pages: usize,
    /// The whole past was asked for.
    whole: bool,
}

/// What to do at the end of an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Next {
    /// Ask this.
    Ask(String),
    /// It is over.
    Done(Caught),
}

/// What was missed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Caught {
    /// Past lines that have not been shown.
    pub missed: Vec<Vec<u8>>,
    /// Lines that came meanwhile.
    pub held: Vec<Vec<u8>>,
    /// The server does not know what was shown before.
    pub new_past: bool,
    /// There is more than was asked for.
    pub more: bool,
    /// What the person said and nobody may have heard.
    pub unheard: Vec<String>,
}

impl RoomLog {
    /// A room just entered, at `now` as the server reads times.
    pub fn new(name: &str, now: &str) -> RoomLog {
        RoomLog {
            name: name.to_owned(),
            entered: now.to_owned(),
            last: None,
            seen: VecDeque::new(),
            own: VecDeque::new(),
            catching: None,
        }
    }

    /// The person says something here.
    pub fn own(&mut self, text: &str) {
        if self.own.len() == MAX_OWN {
            self.own.pop_front();
        }
        self.own.push_back(text.to_owned());
    }

    /// Somebody says something here; whether to show it now.
    pub fn live(&mut self, said: &Said<'_>, line: &[u8]) -> bool {
        match &mut self.catching {
            None => {
                self.note(said);
                true
            }
            Some(catching) => {
                if catching.held.len() < MAX_HELD {
                    catching.held.push(line.to_owned());
                } else {
                    catching.overflowed = true;
                }
                false
            }
        }
    }

    /// A message of the past; whether to show it now.
    pub fn past(&mut self, said: &Said<'_>, line: &[u8]) -> bool {
        match (&mut self.catching, said.number) {
            (Some(catching), Some(number)) => {
                if catching.past.len() < (MAX_PAGES + 1) * PAGE {
                    catching.past.insert(number, line.to_owned());
                }
                false
            }
            (_, number) => {
                if number > self.last {
                    self.note(said);
                } else {
                    self.remember(said);
                }
                true
            }
        }
    }

    /// A heading says how many messages of the past follow.
    pub fn heading(&mut self, count: usize) {
        if let Some(catching) = &mut self.catching {
            catching.page = count;
        }
    }

    /// Whether messages are held.
    pub fn is_catching_up(&self) -> bool {
        self.catching.is_some()
    }

    /// The connection stands again: what to ask.
    pub fn begin(&mut self) -> String {
        self.catching = Some(Catching::default());
        match self.last {
            Some(last) => self.question(&(last.saturating_sub(1)).to_string()),
            None => self.question(&self.entered),
        }
    }

    fn question(&self, after: &str) -> String {
        format!("/history {} after {after} {PAGE}", self.name)
    }

    /// The answer is complete. `nick` is the person's own.
    pub fn next(&mut self, nick: &str) -> Next {
        let Some(mut catching) = self.catching.take() else { return Next::Done(Caught::default()) };
        catching.pages += 1;
        let newest = catching.past.last_key_value().map_or(0, |(number, _)| *number);
        let unfinished = catching.page >= PAGE || std::mem::take(&mut catching.overflowed);
        if unfinished && catching.pages < MAX_PAGES {
            catching.page = 0;
            self.catching = Some(catching);
            return Next::Ask(self.question(&newest.to_string()));
        }
        let last = self.last.unwrap_or(0);
        let known = self.known(&catching);
        if known != Some(true) && (newest <= last || known == Some(false)) && self.last.is_some() {
            if !catching.whole {
                self.catching =
                    Some(Catching { whole: true, past: BTreeMap::new(), page: 0, ..catching });
                return Next::Ask(self.question("0"));
            }
            return Next::Done(self.finish(catching, nick, true, unfinished));
        }
        Next::Done(self.finish(catching, nick, false, unfinished))
    }

    /// Whether the past holds something that was shown, and says the same. `Some(false)`: under a
    /// number that was shown stands something else.
    fn known(&self, catching: &Catching) -> Option<bool> {
        let mut contradicts = None;
        for (number, line) in &catching.past {
            let ChatLine::Past(_, said) = parse(line) else { continue };
            match self.seen.iter().find(|(seen, _)| *seen == Some(*number)) {
                Some((_, seen)) if is_same(seen, &said) => return Some(true),
                Some(_) => contradicts = Some(false),
                None => {}
            }
        }
        contradicts
    }

    fn finish(&mut self, catching: Catching, nick: &str, new_past: bool, more: bool) -> Caught {
        if new_past {
            self.last = None;
            self.seen.clear();
        }
        let last = self.last.unwrap_or(0);
        let mut caught = Caught { new_past, more, ..Caught::default() };
        for (number, line) in &catching.past {
            let ChatLine::Past(_, said) = parse(line) else { continue };
            let shown = *number <= last || self.takes_unnumbered(&said);
            if shown {
                continue;
            }
            // Numbers in between are no gaps here: what is missing in the past was deleted.
            self.last = Some(*number);
            self.remember(&said);
            if said.nick.eq_ignore_ascii_case(nick)
                && let Some(at) = self.own.iter().position(|text| is_own(text, said.text))
            {
                self.own.remove(at);
                continue;
            }
            caught.missed.push(line.clone());
        }
        caught.unheard = std::mem::take(&mut self.own).into();
        for line in catching.held {
            let ChatLine::Said(said) = parse(&line) else { continue };
            let shown = match said.number {
                Some(number) => catching.past.contains_key(&number),
                None => catching.past.values().any(|past| match parse(past) {
                    ChatLine::Past(_, past) => {
                        past.nick == said.nick
                            && (past.text == said.text
                                || past.text.split(NEWLINE).any(|line| line == said.text))
                    }
                    _ => false,
                }),
            };
            if !shown {
                self.note(&said);
                caught.held.push(line);
            }
        }
        caught
    }

    /// Whether this was shown before numbers were on; its number is known from here on.
    fn takes_unnumbered(&mut self, said: &Said<'_>) -> bool {
        let shown =
            self.seen.iter_mut().find(|(number, seen)| number.is_none() && is_same(seen, said));
        match shown {
            Some((number, _)) => {
                *number = said.number;
                self.last = self.last.max(said.number);
                true
            }
            None => false,
        }
    }

    /// A message is shown that is newer than all before.
    fn note(&mut self, said: &Said<'_>) {
        if let Some(number) = said.number {
            let last = self.last.unwrap_or(0);
            let gap = usize::try_from(number.saturating_sub(last + 1)).unwrap_or(usize::MAX);
            self.own.drain(..gap.min(self.own.len()));
        }
        self.last = self.last.max(said.number);
        self.remember(said);
    }

    fn remember(&mut self, said: &Said<'_>) {
        if self.seen.len() == MAX_SEEN {
            self.seen.pop_front();
        }
        self.seen.push_back((said.number, fingerprint(said)));
    }
}

/// Who and how it begins; enough to know a message again.
fn fingerprint(said: &Said<'_>) -> String {
    let mut end = said.text.len().min(MAX_PREFIX);
    while !said.text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{} {}", said.nick, &said.text[..end])
}

/// What stands for the newlines of a message of several lines, in the past. When it is said its
/// lines come one by one, and the first alone has its number.
const NEWLINE: char = '\u{240A}';

/// Whether a past message is the one that was shown. An edited one has other words; reactions
/// stand behind the words, and so do the other lines.
fn is_same(seen: &str, said: &Said<'_>) -> bool {
    let (nick, text) = seen.split_once(' ').unwrap_or((seen, ""));
    let rest = said.text.strip_prefix(text);
    let cut = text.len() + 4 > MAX_PREFIX && rest.is_some();
    let first = rest.is_some_and(|rest| rest.starts_with(NEWLINE));
    let text_is = cut || first || is_text(text, said.text) || said.text.contains(" (edited)");
    nick == said.nick && text_is
}

/// Whether a past message is this one of the person's own: answers repeat what they answer.
fn is_own(text: &str, past: &str) -> bool {
    is_text(text, past) || past.ends_with(&format!(": {text}"))
}

/// Whether a past message says `text`; reactions stand behind it.
fn is_text(text: &str, past: &str) -> bool {
    past.strip_prefix(text)
        .is_some_and(|rest| rest.is_empty() || (rest.starts_with(" {") && rest.ends_with('}')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A server's room: messages by number from 1, some of them by "me".
    fn past_line(number: usize, mine: bool) -> String {
        let nick = if mine { "me" } else { "bob" };
        format!("- {number} 2026-01-31 12:30 [{nick}]: text {number}")
    }

    fn hear(log: &mut RoomLog, line: &str) -> bool {
        match parse(line.as_bytes()) {
            ChatLine::Said(said) => log.live(&said, line.as_bytes()),
            ChatLine::Past(_, said) => log.past(&said, line.as_bytes()),
            other => panic!("{other:?}"),
        }
    }

    /// Answers as the server does, from `room` (who spoke: me?), until it is over.
    fn answered(log: &mut RoomLog, mut question: String, room: &[bool]) -> Caught {
        loop {
            let after: usize = question.split(' ').nth(3).unwrap().parse().unwrap_or(0);
            let page: Vec<usize> = (after + 1..=room.len()).take(PAGE).collect();
            log.heading(page.len());
            for number in page {
                assert!(!hear(log, &past_line(number, room[number - 1])));
            }
            match log.next("me") {
                Next::Ask(next) => question = next,
                Next::Done(caught) => return caught,
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_doubled(
            room in proptest::collection::vec(any::<bool>(), 1..40),
            (seen, meanwhile) in (1usize..40, 0usize..5),
        ) {
            let seen = seen.min(room.len());
            let mut log = RoomLog::new("#lobby", "2026-01-31T12:00:00");
            let mut shown = Vec::new();
            for (at, mine) in room[..seen].iter().enumerate() {
                let number = at + 1;
                if *mine {
                    log.own(&format!("text {number}"));
                } else {
                    let at_once = hear(&mut log, &format!("{number} [bob]: text {number}"));
                    prop_assert!(at_once);
                    shown.push(number);
                }
            }
            let question = log.begin();
            // What is said while the answer is under way is in the answer or behind it.
            let first = (room.len().saturating_sub(meanwhile) + 1).max(seen + 1);
            for number in first..room.len() + 3 {
                if number > room.len() || !room[number - 1] {
                    let held = hear(&mut log, &format!("{number} [bob]: text {number}"));
                    prop_assert!(!held);
                }
            }
            let caught = answered(&mut log, question, &room);
            prop_assert!(!caught.new_past && !caught.more);
            for line in caught.missed.iter().chain(&caught.held) {
                let number = match parse(line) {
                    ChatLine::Said(said) | ChatLine::Past(_, said) => said.number.unwrap(),
                    other => panic!("{other:?}"),
                };
                shown.push(number as usize);
            }
            let known = |number: &usize| *number <= seen && *number <= room.len() && room[number - 1];
            let expected: Vec<usize> =
                (1..room.len() + 3).filter(|number| !known(number)).collect();
            prop_assert_eq!(shown, expected);
        }
    }

    #[test]
    fn a_new_past_is_told_from_the_old_one() {
        let mut log = RoomLog::new("#lobby", "2026-01-31T12:00:00");
        for number in 1..=7 {
            hear(&mut log, &format!("{number} [bob]: old {number}"));
        }
        log.own("lost?");
        let question = log.begin();
        assert_eq!(question, "/history #lobby after 6 500");
        let caught = answered(&mut log, question, &[false; 3]);
        assert!(caught.new_past);
        assert_eq!(caught.missed.len(), 3, "all of the new past");
        assert_eq!(caught.unheard, ["lost?"]);
        // The numbers go on in the new past.
        assert!(hear(&mut log, "4 [bob]: text 4"));
        let question = log.begin();
        let caught = answered(&mut log, question, &[false; 5]);
        assert_eq!((caught.new_past, caught.missed.len()), (false, 1));
    }

    #[test]
    fn a_message_of_several_lines_is_one_of_the_past() {
        let mut log = RoomLog::new("#lobby", "2026-01-31T12:00:00");
        hear(&mut log, "1 [bob]: first");
        hear(&mut log, "[bob]: second");
        log.begin();
        log.heading(2);
        hear(&mut log, "- 1 2026-01-31 12:30 [bob]: first\u{240A}second");
        hear(&mut log, "- 2 2026-01-31 12:31 [bob]: third\u{240A}fourth");
        // It was said while the answer was under way, and is in it.
        assert!(!hear(&mut log, "2 [bob]: third") && !hear(&mut log, "[bob]: fourth"));
        let Next::Done(caught) = log.next("me") else { panic!("it asks on") };
        let missed = "- 2 2026-01-31 12:31 [bob]: third\u{240A}fourth".as_bytes().to_owned();
        assert_eq!(caught, Caught { missed: vec![missed], ..Caught::default() });
    }

    #[test]
    fn many_pages_and_no_more_than_that() {
        let mut log = RoomLog::new("#lobby", "2026-01-31T12:00:00");
        hear(&mut log, "1 [bob]: text 1");
        let question = log.begin();
        let caught = answered(&mut log, question, &vec![false; 3 * PAGE]);
        assert_eq!((caught.missed.len(), caught.more), (3 * PAGE - 1, false));
        let question = log.begin();
        let caught = answered(&mut log, question, &vec![false; 40 * PAGE]);
        assert!(caught.more && caught.missed.len() >= (MAX_PAGES - 1) * PAGE);
    }
}
