//! Short numbers of messages: IRC identifies messages by msgids, which are too long to type.
//!
//! A number is one of its room: a chatloop server sends it (`chatloop/number`), and `nc` shows the
//! same one. On other servers the messages of each room are counted as they arrive. Direct messages
//! have none, but are known by their msgid. Bound: the last `MAX_KEPT`.

use super::messages::ChatMessage;
use super::server_info::ServerInfo;
use crate::wire::clean::clean;
use std::collections::VecDeque;
use std::fmt;

/// Messages that are known.
pub const MAX_KEPT: usize = 1_000;
/// Characters of a message that are quoted.
const EXCERPT: usize = 30;

/// One message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Numbered {
    /// `None` for a direct message.
    pub number: Option<u64>,
    /// The room, or the other user.
    pub place: String,
    pub id: String,
    pub nick: String,
    pub excerpt: String,
}

impl Numbered {
    /// As [`Quoted`](crate::client::display::Quoted) has it.
    pub fn quoted(&self) -> (Option<u64>, String, String) {
        (self.number, self.nick.clone(), self.excerpt.clone())
    }
}

impl fmt::Display for Numbered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            Some(number) => write!(f, "{} {number} <{}>", self.place, self.nick),
            None => write!(f, "\"{}\"", self.excerpt),
        }
    }
}

/// The messages that are known.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    kept: VecDeque<Numbered>,
}

impl Numbers {
    /// Remembers a message of `room`, or a direct one with `peer`; its number, if it is in a room and
    /// has a msgid.
    pub fn give(
        &mut self,
        server: &ServerInfo,
        place: Place<'_>,
        chat: &ChatMessage,
    ) -> Option<u64> {
        let id = chat.id.as_ref()?;
        let (Place::Room(name) | Place::Peer(name)) = place;
        let here = |known: &&Numbered| server.same(&known.place, name);
        // A server without a data directory gives the same msgids again after a restart.
        let again = |known: &&Numbered| {
            known.nick == chat.nick && (chat.number.is_none() || chat.number == known.number)
        };
        if let Some(known) = self.by_id(id).filter(here).filter(again) {
            return known.number;
        }
        let last = || self.kept.iter().rev().filter(here).find_map(|known| known.number);
        let number = match place {
            Place::Room(_) => chat.number.or_else(|| Some(last().unwrap_or_default() + 1)),
            Place::Peer(_) => None,
        };
        if self.kept.len() == MAX_KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(Numbered {
            number,
            place: name.to_owned(),
            id: id.clone(),
            nick: chat.nick.clone(),
            excerpt: excerpt(&chat.text),
        });
        number
    }

    /// The message of a msgid has another text now.
    pub fn edited(&mut self, id: &str, text: &str) {
        if let Some(known) = self.kept.iter_mut().rfind(|known| known.id == id) {
            known.excerpt = excerpt(text);
        }
    }

    /// The message of a number in a room.
    pub fn find(&self, server: &ServerInfo, room: &str, number: u64) -> Option<&Numbered> {
        let is = |known: &&Numbered| known.number == Some(number);
        self.kept.iter().rev().filter(is).find(|known| server.same(&known.place, room))
    }

    /// The last message of a nick, or the last one in this room.
    pub fn last_of(
        &self,
        server: &ServerInfo,
        nick: &str,
        room: Option<&str>,
    ) -> Option<&Numbered> {
        let is_there = |known: &&Numbered| room.is_none_or(|room| server.same(&known.place, room));
        self.kept.iter().rev().filter(is_there).find(|known| known.nick == nick)
    }

    /// The message of a msgid; the last one that had it.
    pub fn by_id(&self, id: &str) -> Option<&Numbered> {
        self.kept.iter().rfind(|known| known.id == id)
    }
}

/// What is quoted of a text.
fn excerpt(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let end = line.char_indices().nth(EXCERPT).map_or(line.len(), |(end, _)| end);
    let more = if end < text.len() { "…" } else { "" };
    format!("{}{more}", clean(&line.as_bytes()[..end]))
}

/// Where a message was sent.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    Room(&'a str),
    /// The other user.
    Peer(&'a str),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::irc::Message;

    fn give(numbers: &mut Numbers, place: Place<'_>, line: &str) -> Option<u64> {
        let message = Message::parse(line.as_bytes()).unwrap();
        let chat = ChatMessage::of(&message, message.tags).unwrap();
        numbers.give(&ServerInfo::new(), place, &chat)
    }

    #[test]
    fn numbers_are_those_of_the_room_or_counted_in_it() {
        let (mut numbers, server) = (Numbers::default(), ServerInfo::new());
        let line = |id: &str, text: &str| format!("@msgid={id} :bob!b@h PRIVMSG #x :{text}");
        assert_eq!(give(&mut numbers, Place::Room("#x"), &line("a", "hello")), Some(1));
        let long = "é".repeat(40);
        assert_eq!(give(&mut numbers, Place::Room("#X"), &line("b", &long)), Some(2));
        assert_eq!(give(&mut numbers, Place::Room("#x"), &line("a", "hello")), Some(1), "again");
        assert_eq!(give(&mut numbers, Place::Room("#y"), &line("c", "hi")), Some(1));
        assert_eq!(give(&mut numbers, Place::Peer("bob"), &line("d", "psst")), None);
        let sent = "@msgid=e;chatloop/number=17 :bob!b@h PRIVMSG #y :hi";
        assert_eq!(give(&mut numbers, Place::Room("#y"), sent), Some(17));
        assert_eq!(numbers.find(&server, "#x", 2).unwrap().excerpt, "é".repeat(30) + "…");
        assert_eq!(numbers.find(&server, "#Y", 1).unwrap().id, "c");
        assert_eq!(numbers.find(&server, "#z", 1), None);
        assert_eq!(numbers.last_of(&server, "bob", None).unwrap().id, "e");
        assert_eq!(numbers.last_of(&server, "bob", Some("#x")).unwrap().id, "b");
        let restarted = "@msgid=e;chatloop/number=1 :ann!a@h PRIVMSG #y :first";
        assert_eq!(give(&mut numbers, Place::Room("#y"), restarted), Some(1));
        assert_eq!(numbers.by_id("e").unwrap().nick, "ann");
        let described = |id| numbers.by_id(id).unwrap().to_string();
        assert_eq!((described("a"), described("d")), ("#x 1 <bob>".into(), "\"psst\"".into()));
        for number in 0..2 * MAX_KEPT {
            give(&mut numbers, Place::Room("#x"), &line(&format!("n{number}"), "hi"));
        }
        assert_eq!(numbers.kept.len(), MAX_KEPT);
        assert_eq!(numbers.find(&server, "#x", 1), None);
        assert_eq!(numbers.find(&server, "#x", 2_002).unwrap().id, "n1999");
    }
}
