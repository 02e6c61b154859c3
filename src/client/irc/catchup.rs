//! The messages of one room that were missed while the connection was down.
//!
//! During catch-up, messages that arrive are deferred. The history is requested by time, from a
//! little before the last message that was shown (servers of one network have separate clocks), page
//! by page, and messages already shown are recognised by msgid and time. By both, because a
//! restarted server may reuse msgids.
//!
//! The last message shown must be in the answer; otherwise the server has lost its history.
//!
//! When a room is joined for the first time the same is done with its last messages, so that
//! messages that arrive meanwhile are not shown twice.
//!
//! Bounds: `MAX_SEEN`, `MAX_HELD`, `MAX_PAGES` of `PAGE`, `MAX_FOUND`; of all rooms together `MAX_WAITING`.

use super::messages::ChatMessage;
use super::server_info::ServerInfo;
use jiff::{SignedDuration, Timestamp};
use std::collections::{HashSet, VecDeque};

/// Shown messages of a room that are recognised.
const MAX_SEEN: usize = 512;
/// Messages deferred during catch-up; what exceeds that is requested with the history.
const MAX_HELD: usize = 2_000;
/// Bytes of the messages that wait in all rooms for the end of a catch-up. A server may have put this
/// user into many.
pub(super) const MAX_WAITING: usize = 16 * 1024 * 1024;
/// Messages requested at a time, if the server allows it.
const PAGE: usize = 500;
/// Pages requested.
const MAX_PAGES: usize = 20;
/// Messages of all pages.
const MAX_FOUND: usize = 10_000;
/// How much another clock may differ from ours, for a room without messages so far. There
/// is nothing in it to be shown twice.
const OTHER_CLOCK: SignedDuration = SignedDuration::from_mins(10);
/// How far before the last message the request begins.
const FUZZ: SignedDuration = SignedDuration::from_secs(1);

/// The messages seen in a room.
#[derive(Debug, Default)]
pub(super) struct RoomLog {
    /// When the room was first joined, by this clock or the server's.
    entered: Option<Timestamp>,
    /// The time and msgid of the newest message.
    newest: Option<Timestamp>,
    newest_id: Option<String>,
    /// Its key, if it must be in the history.
    newest_key: Option<u64>,
    seen: VecDeque<u64>,
    catching: Option<CatchUp>,
}

/// A catch-up, under way or complete.
#[derive(Debug, Default)]
pub(super) struct CatchUp {
    /// Messages of the history; in the end those not shown yet, oldest first.
    pub missed: Vec<ChatMessage>,
    /// What arrived meanwhile.
    pub held: Vec<ChatMessage>,
    /// Bytes of both.
    bytes: usize,
    overflowed: bool,
    pages: usize,
    /// Messages that the last request asked for.
    asked: usize,
    /// The room was joined for the first time: only the most recent messages are needed.
    pub first_visit: bool,
    /// The message that the reply must contain.
    known: Option<u64>,
    /// Of the missed messages, those older than this have been shown, or were sent by this user.
    pub shown_until: Option<Timestamp>,
    /// There is more than was requested.
    pub more: bool,
    /// The server does not have what was shown before.
    pub forgotten: bool,
}

/// What to do at the end of a reply.
#[derive(Debug)]
pub(super) enum Next {
    /// Request so many messages after this reference.
    Ask(String, usize),
    /// Catch-up is complete.
    Done(CatchUp),
}

/// What may be missing since the connection was lost.
#[derive(Debug, Default)]
pub(super) struct Missed {
    /// Rejoining the rooms of the last connection.
    pub returning: bool,
    /// Something was missed, or may have been.
    pub any: bool,
    /// Direct messages that were shown, to recognise them.
    pub private: RoomLog,
    /// When the connection was lost, and whose direct messages since then were requested.
    pub since: Option<Timestamp>,
    pub asked_of: Vec<String>,
}

impl RoomLog {
    /// The room was joined now. `exact` if that is the server's time and nothing before it is wanted.
    pub fn enter(&mut self, now: Timestamp, exact: bool) {
        self.entered = self.entered.or(Some(now));
        self.newest = self.newest.or(self.entered.filter(|_| exact));
    }

    /// Bytes of the messages that wait for the end of a catch-up.
    pub fn waiting(&self) -> usize {
        self.catching.as_ref().map_or(0, |catching| catching.bytes)
    }

    /// A message arrives; `None` if it is deferred, for which all rooms have so many bytes `left`.
    pub fn live(&mut self, chat: ChatMessage, left: usize) -> Option<ChatMessage> {
        match &mut self.catching {
            None => {
                self.note(&chat);
                Some(chat)
            }
            Some(catching) if catching.held.len() < MAX_HELD && chat.weight() <= left => {
                catching.bytes += chat.weight();
                catching.held.push(chat);
                None
            }
            Some(catching) => {
                catching.overflowed = true;
                None
            }
        }
    }

    /// A message is shown, or was sent by this person.
    pub fn note(&mut self, chat: &ChatMessage) {
        if self.seen.len() == MAX_SEEN {
            self.seen.pop_front();
        }
        self.seen.push_back(chat.key());
        if chat.time.is_some() && chat.time >= self.newest {
            self.newest = chat.time;
            self.newest_id.clone_from(&chat.id);
            self.newest_key = Some(chat.key());
        }
    }

    /// Whether a message has been shown.
    pub fn knows(&self, chat: &ChatMessage) -> bool {
        self.seen.contains(&chat.key())
    }

    /// A message was deleted: it is no longer in the history.
    pub fn deleted(&mut self, id: &str) {
        if self.newest_id.as_deref() == Some(id) {
            self.newest_key = None;
        }
    }

    /// Begins catch-up: the reference to request messages after, and how many. When the room was
    /// joined for the first time the reference is `*`, the latest. Since `unheard` this person has
    /// sent messages that are not confirmed: they are looked for, too.
    pub fn begin(
        &mut self,
        server: &ServerInfo,
        first: Option<usize>,
        unheard: Option<Timestamp>,
    ) -> (String, usize) {
        let page = server.history_page(PAGE);
        if let Some(wanted) = first {
            let asked = wanted.min(page);
            self.catching = Some(CatchUp { first_visit: true, asked, ..CatchUp::default() });
            return ("*".to_owned(), asked);
        }
        let entered = self.entered.and_then(|time| time.checked_sub(OTHER_CLOCK).ok());
        let by_time = self.newest.or(entered).filter(|_| server.refers_by("timestamp"));
        let known = self.newest_key.filter(|_| by_time.is_some());
        let shown_until = self.newest.and_then(|time| time.checked_sub(FUZZ).ok());
        self.catching = Some(CatchUp { asked: page, known, shown_until, ..CatchUp::default() });
        let reference = match (by_time, &self.newest_id) {
            (Some(time), _) => shortly_before(unheard.map_or(time, |unheard| unheard.min(time))),
            (None, Some(id)) => format!("msgid={id}"),
            (None, None) => "*".to_owned(),
        };
        (reference, page)
    }

    /// Whether messages are being deferred.
    pub fn is_catching_up(&self) -> bool {
        self.catching.is_some()
    }

    /// A page arrived. All rooms have so many bytes `left` for messages that wait: the last page may
    /// take more, and is shown at once.
    pub fn answered(&mut self, page: Vec<ChatMessage>, server: &ServerInfo, left: usize) -> Next {
        let Some(mut catching) = self.catching.take() else {
            return Next::Done(CatchUp::default());
        };
        catching.pages += 1;
        let full = page.len() >= catching.asked && !page.is_empty();
        let last = page.last().map(|chat| (chat.time, chat.id.clone()));
        let room = MAX_FOUND.saturating_sub(catching.missed.len());
        let bytes: usize = page.iter().map(ChatMessage::weight).sum();
        catching.bytes += bytes;
        catching.missed.extend(page.into_iter().take(room));
        let unfinished =
            (full || std::mem::take(&mut catching.overflowed)) && !catching.first_visit;
        let reference = match last {
            Some((_, Some(id))) if server.refers_by("msgid") => Some(format!("msgid={id}")),
            Some((Some(time), _)) => Some(by_timestamp(time)),
            _ => None,
        };
        if let Some(reference) = reference
            && unfinished
            && catching.pages < MAX_PAGES
            && room > 0
            && bytes <= left
        {
            let asked = catching.asked;
            self.catching = Some(catching);
            return Next::Ask(reference, asked);
        }
        Next::Done(self.finish(catching, unfinished))
    }

    /// There will be no answer: returns what was deferred.
    pub fn give_up(&mut self) -> CatchUp {
        let catching = CatchUp { known: None, ..self.catching.take().unwrap_or_default() };
        self.finish(catching, false)
    }

    fn finish(&mut self, mut catching: CatchUp, more: bool) -> CatchUp {
        let is_known = |chat: &ChatMessage| catching.known == Some(chat.key());
        catching.forgotten = catching.known.is_some() && !catching.missed.iter().any(is_known);
        catching.more = more;
        let mut known: HashSet<u64> = self.seen.iter().copied().collect();
        catching.missed.retain(|chat| known.insert(chat.key()));
        catching.held.retain(|chat| known.insert(chat.key()));
        catching.missed.iter().chain(&catching.held).for_each(|chat| self.note(chat));
        catching
    }
}

/// A reference to a little before a moment.
pub(super) fn shortly_before(time: Timestamp) -> String {
    by_timestamp(time.checked_sub(FUZZ).unwrap_or(time))
}

/// A reference to a moment, as IRCv3 server-time writes it.
pub(super) fn by_timestamp(time: Timestamp) -> String {
    format!("timestamp={}", time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::irc::Message;
    use proptest::prelude::*;

    const BEGIN: i64 = 1_770_000_000_000;

    /// The room's message of a number: each a tenth of a second after the one before.
    fn message(number: usize) -> ChatMessage {
        let time = Timestamp::from_millisecond(BEGIN + 100 * number as i64).unwrap();
        let stamp = by_timestamp(time).replace("timestamp=", "time=");
        let line = format!("@{stamp};msgid=m{number} :bob!b@h PRIVMSG #x :text {number}");
        let message = Message::parse(line.as_bytes()).unwrap();
        ChatMessage::of(&message, message.tags).unwrap()
    }

    fn number(chat: &ChatMessage) -> usize {
        chat.text.split(' ').next_back().unwrap().parse().unwrap()
    }

    /// A server with `count` messages that answers `AFTER`.
    fn answer(reference: &str, limit: usize, count: usize) -> Vec<ChatMessage> {
        let after: Box<dyn Fn(&ChatMessage) -> bool> = match reference.split_once('=') {
            Some(("msgid", id)) => {
                let last: usize = id[1..].parse().unwrap();
                Box::new(move |chat| number(chat) > last)
            }
            Some((_, time)) => {
                let time: Timestamp = time.parse().unwrap();
                Box::new(move |chat| chat.time.unwrap() > time)
            }
            None => Box::new(|_| true),
        };
        (1..=count).map(message).filter(|chat| after(chat)).take(limit).collect()
    }

    fn server(page: usize) -> ServerInfo {
        let mut server = ServerInfo::new();
        server.supports(&[&format!("CHATHISTORY={page}")]);
        server
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_doubled(
            (seen, count, overlap, page) in (1usize..40, 0usize..200, 0usize..6, 1usize..30),
        ) {
            // A page must reach beyond what the fuzz repeats: ten messages a second here.
            let page = page + 12;
            let count = seen + count;
            let server = server(page);
            let mut log = RoomLog::default();
            log.enter(Timestamp::from_millisecond(BEGIN).unwrap(), false);
            let mut shown: Vec<usize> = Vec::new();
            for it in 1..=seen {
                shown.push(number(&log.live(message(it), MAX_WAITING).unwrap()));
            }
            let (mut reference, mut limit) = log.begin(&server, None, None);
            // Some of what is in the answer is said, too, and something behind it.
            for it in count.saturating_sub(overlap).max(seen) + 1..=count + 3 {
                prop_assert!(log.live(message(it), MAX_WAITING).is_none());
            }
            let caught = loop {
                match log.answered(answer(&reference, limit, count), &server, MAX_WAITING) {
                    Next::Ask(next, most) => (reference, limit) = (next, most),
                    Next::Done(caught) => break caught,
                }
            };
            prop_assert!(!caught.more && !caught.forgotten);
            shown.extend(caught.missed.iter().chain(&caught.held).map(number));
            prop_assert_eq!(shown, (1..=count + 3).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_server_that_has_forgotten_is_known_by_it() {
        let server = server(100);
        for (count, deleted, forgotten) in [(5, false, false), (4, false, true), (4, true, false)] {
            let mut log = RoomLog::default();
            (1..=5).for_each(|it| log.note(&message(it)));
            if deleted {
                log.deleted("m5");
            }
            let (reference, limit) = log.begin(&server, None, None);
            let Next::Done(caught) =
                log.answered(answer(&reference, limit, count), &server, MAX_WAITING)
            else {
                panic!("asks again")
            };
            assert_eq!((caught.forgotten, caught.missed.len()), (forgotten, 0));
        }
    }

    #[test]
    fn a_first_visit_asks_once() {
        let server = server(100);
        let mut log = RoomLog::default();
        assert_eq!(log.begin(&server, Some(20), None), ("*".to_owned(), 20));
        assert!(log.live(message(40), MAX_WAITING).is_none());
        let page: Vec<ChatMessage> = (21..=40).map(message).collect();
        let Next::Done(caught) = log.answered(page, &server, MAX_WAITING) else {
            panic!("asks again")
        };
        assert!(caught.first_visit && !caught.more);
        assert_eq!((caught.missed.len(), caught.held.len()), (20, 0));
    }

    #[test]
    fn there_is_an_end_to_asking() {
        let server = server(100);
        let mut log = RoomLog::default();
        log.note(&message(1));
        let (mut reference, mut limit) = log.begin(&server, None, None);
        for _ in 1..MAX_PAGES {
            let Next::Ask(next, most) =
                log.answered(answer(&reference, limit, 9_999), &server, MAX_WAITING)
            else {
                panic!("too early")
            };
            (reference, limit) = (next, most);
        }
        let Next::Done(caught) =
            log.answered(answer(&reference, limit, 9_999), &server, MAX_WAITING)
        else {
            panic!("too long")
        };
        assert!(caught.more && caught.missed.len() >= (MAX_PAGES - 1) * 100);
    }

    /// A server that has put the user into two hundred rooms could make the client hold gigabytes.
    #[test]
    fn what_waits_in_all_rooms_is_bounded() {
        let server = server(10);
        let mut log = RoomLog::default();
        let most = 20 * message(1).weight();
        log.begin(&server, None, None);
        for it in 1..=100 {
            assert!(log.live(message(it), most - log.waiting()).is_none());
        }
        assert!(log.waiting() <= most && log.waiting() > most / 2);
        let page: Vec<ChatMessage> = (1..=10).map(message).collect();
        assert!(matches!(log.answered(page.clone(), &server, most), Next::Ask(..)));
        let Next::Done(caught) = log.answered(page, &server, 0) else { panic!("asks again") };
        assert!(caught.more);
        assert_eq!(log.waiting(), 0);
    }
}
