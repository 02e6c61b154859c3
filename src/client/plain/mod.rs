//! Who is this person on a chatloop server, and where are they? The plain dialect: `--plain`.
//!
//! | file | its question |
//! |---|---|
//! | `back` | how do they get back there, and what was missed? |
//! | [`catchup`] | which messages of one room were missed? |
//!
//! Pure: typed lines and the server's lines in; lines to show, lines to send and a prompt out.
//! Nothing is sent that the person did not type unless a connection's very first line is the
//! welcome of a chatloop server. Then it asks for numbers, for the list of commands and, in a
//! room of `MAX_ASKED` at most, for who is there; the answers are not shown. After a loss it
//! takes the nick, logs in, enters the rooms again, and asks for what was missed
//! ([`catchup`]); `/numbers on` is asked last, because its answer says that all
//! others have been given.
//!
//! A password that has opened an account in this run is kept for that, and wiped when it is
//! replaced or the program ends.

mod back;
pub mod catchup;

use super::complete::Vocabulary;
use super::heard::Shown;
use super::{Notice, options::Bell};
use crate::wire::chatline::{ChatLine, LOBBY, Place, Said, is_room, parse};
use crate::wire::chatnotice::{self, Notice as Word};
use catchup::RoomLog;
use zeroize::Zeroizing;

/// People in a room up to which it is asked who they are.
const MAX_ASKED: usize = 200;
/// Rooms that are followed: the server lets nobody into more.
const MAX_ROOMS: usize = 100;

/// An account and its password.
struct Login {
    account: Option<String>,
    password: Zeroizing<String>,
}

/// A room and the key it was entered with.
struct Room {
    log: RoomLog,
    key: Option<Zeroizing<String>>,
}

/// Lines of an answer that are still to come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    People { left: usize, hidden: bool },
    Rooms { left: usize },
}

/// The conversation with one server, over all its connections.
pub struct Conversation {
    /// Welcomed by a chatloop server on this connection.
    welcomed: bool,
    fresh: bool,
    nick: String,
    /// A nick of their own, to be taken again.
    chosen: Option<String>,
    login: Option<Login>,
    /// Sent, and not yet answered.
    login_asked: Option<Login>,
    key_asked: Option<(String, Zeroizing<String>)>,
    rooms: Vec<Room>,
    current: Option<String>,
    /// Rooms to go back to.
    returning: bool,
    back: Option<String>,
    /// Nothing was missed, as far as is known.
    complete: bool,
    /// Answers to `/numbers on` that nobody asked for.
    marks: usize,
    learning: bool,
    people_asked: Vec<String>,
    answer: Option<Answer>,
    outgoing: Vec<u8>,
    /// What Tab knows.
    pub vocabulary: Vocabulary,
    /// Whether numbers are shown.
    pub numbers: bool,
    bell: Bell,
}

impl Conversation {
    /// With nobody yet.
    pub fn new(bell: Bell) -> Conversation {
        Conversation {
            welcomed: false,
            fresh: true,
            nick: String::new(),
            chosen: None,
            login: None,
            login_asked: None,
            key_asked: None,
            rooms: Vec::new(),
            current: None,
            returning: false,
            back: None,
            complete: true,
            marks: 0,
            learning: false,
            people_asked: Vec::new(),
            answer: None,
            outgoing: Vec::new(),
            vocabulary: Vocabulary::default(),
            numbers: false,
            bell,
        }
    }

    /// Whether the server of this connection is a chatloop server.
    pub fn is_welcomed(&self) -> bool {
        self.welcomed
    }

    /// This person's nick; empty if unknown.
    pub fn nick(&self) -> &str {
        &self.nick
    }

    /// The room that words go to, if known.
    pub fn room(&self) -> Option<&str> {
        self.current.as_deref().filter(|_| self.welcomed)
    }

    /// What is to be sent now.
    pub fn take_outgoing(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.outgoing)
    }

    fn send(&mut self, line: &str) {
        self.outgoing.extend_from_slice(line.as_bytes());
        self.outgoing.push(b'\n');
    }

    /// A connection stands.
    pub fn connected(&mut self) {
        self.fresh = true;
        self.welcomed = false;
        self.returning = false;
        (self.marks, self.learning) = (0, false);
        (self.login_asked, self.key_asked, self.answer) = (None, None, None);
        self.people_asked.clear();
        self.outgoing.clear();
    }

    /// The person has typed a line. Either the answer, if the line is for this program, or
    /// nothing: then it is to be sent.
    pub fn typed(&mut self, line: &str) -> Option<Notice> {
        if !self.welcomed {
            return None;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["/numbers", "on"] | ["/numbers", "off"] => {
                self.numbers = words[1] == "on";
                let shown = if self.numbers { "their" } else { "no" };
                return Some(Notice::note(format!("messages show {shown} numbers")));
            }
            ["/bell", when] => {
                self.bell = Bell::named(when)?;
                return Some(Notice::note(format!("bell: {when}")));
            }
            ["/login" | "/identify", account, password] => {
                self.ask_login(Some(account.to_owned()), password);
            }
            ["/register", password] | ["/password" | "/passwd", _, password] => {
                self.ask_login(None, password);
            }
            ["/join" | "/j", room, key] => {
                self.key_asked = Some((room.to_owned(), Zeroizing::new(key.to_owned())));
            }
            _ => self.said(line),
        }
        None
    }

    fn ask_login(&mut self, account: Option<String>, password: &str) {
        let password = Zeroizing::new(password.to_owned());
        self.login_asked = Some(Login { account, password });
    }

    /// Remembers what the person says: the server will not repeat it.
    fn said(&mut self, line: &str) {
        let (room, text) = if let Some(rest) = line.strip_prefix('@')
            && rest.starts_with('#')
        {
            let (room, text) = rest.split_once(' ').unwrap_or((rest, ""));
            (Some(room.to_owned()), text)
        } else {
            let text = match line.strip_prefix('/') {
                None => line,
                Some(rest) if rest.starts_with('/') => rest,
                Some(command) => match command.split_once(' ') {
                    Some(("me" | "action" | "say", text)) => text,
                    Some(("re", rest)) => rest.split_once(' ').map_or("", |(_, text)| text),
                    _ => "",
                },
            };
            (self.current.clone(), text)
        };
        if let Some(room) = room
            && !text.is_empty()
            && let Some(log) = self.log(&room)
        {
            log.own(text);
        }
    }

    /// The log of a room the person is in.
    fn log(&mut self, room: &str) -> Option<&mut RoomLog> {
        let found = self.rooms.iter_mut().find(|it| it.log.name.eq_ignore_ascii_case(room));
        found.map(|room| &mut room.log)
    }

    /// The server says a line. `now` is the time as the server reads it.
    pub fn heard(&mut self, line: &[u8], now: &str, shown: &mut Vec<Shown>) {
        let first = std::mem::replace(&mut self.fresh, false);
        let parsed = parse(line);
        if let ChatLine::Server(words) = parsed
            && first
            && let Word::Welcome { nick, online } = chatnotice::notice(words)
        {
            shown.push(Shown::Line(line.to_owned()));
            self.welcome(nick, online, now);
            return;
        }
        let show = !self.welcomed
            || match parsed {
                ChatLine::Said(said) => self.heard_said(&said, line, shown),
                ChatLine::Past(_, said) => match said.place {
                    Place::Room(room) => self.log(room).is_none_or(|log| log.past(&said, line)),
                    Place::From | Place::To => true,
                },
                ChatLine::Server(words) => self.heard_words(words, now, shown),
                ChatLine::Raw(_) => true,
            };
        if show {
            shown.push(Shown::Line(line.to_owned()));
        }
    }

    fn heard_said(&mut self, said: &Said<'_>, line: &[u8], shown: &mut Vec<Shown>) -> bool {
        if said.place != Place::To {
            self.vocabulary.spoke(said.nick);
        }
        let rings = match said.place {
            Place::From => self.bell >= Bell::Pm,
            Place::To => false,
            Place::Room(_) => {
                self.bell == Bell::All || (said.mention && self.bell >= Bell::Mention)
            }
        };
        if rings || said.rings {
            shown.push(Shown::Bell);
        }
        match said.place {
            Place::Room(room) => self.log(room).is_none_or(|log| log.live(said, line)),
            Place::From | Place::To => true,
        }
    }

    fn welcome(&mut self, nick: &str, online: usize, now: &str) {
        self.welcomed = true;
        nick.clone_into(&mut self.nick);
        self.vocabulary.room(LOBBY);
        self.marks = 1;
        self.learning = true;
        self.send("/help");
        self.send("/numbers on");
        if self.rooms.is_empty() {
            self.enter(LOBBY, now);
            if online <= MAX_ASKED {
                self.ask_people(LOBBY);
            }
        } else {
            self.go_back();
        }
    }

    fn ask_people(&mut self, room: &str) {
        self.send(&format!("/who {room}"));
        self.people_asked.push(room.to_owned());
    }

    fn enter(&mut self, room: &str, now: &str) {
        self.vocabulary.room(room);
        if self.log(room).is_none() && self.rooms.len() < MAX_ROOMS {
            self.rooms.push(Room { log: RoomLog::new(room, now), key: None });
        }
        self.current = Some(room.to_owned());
        if let Some((asked, key)) = self.key_asked.take()
            && let Some(room) = self.rooms.iter_mut().find(|it| it.log.name == room)
            && room.log.name.eq_ignore_ascii_case(&asked)
        {
            room.key = Some(key);
        }
    }

    fn leave(&mut self, room: &str) {
        self.rooms.retain(|it| !it.log.name.eq_ignore_ascii_case(room));
        if self.current.as_deref().is_some_and(|current| current.eq_ignore_ascii_case(room)) {
            self.current = self.rooms.last().map(|room| room.log.name.clone());
        }
    }

    /// The room is the same one, with its past.
    fn room_renamed(&mut self, before: &str, room: &str) {
        self.vocabulary.room(room);
        if let Some(log) = self.log(before) {
            room.clone_into(&mut log.name);
        }
        for place in [&mut self.current, &mut self.back] {
            if place.as_deref().is_some_and(|it| it.eq_ignore_ascii_case(before)) {
                *place = Some(room.to_owned());
            }
        }
    }

    /// The server's own words; whether to show them.
    fn heard_words(&mut self, words: &str, now: &str, shown: &mut Vec<Shown>) -> bool {
        if let Some(show) = self.answered(words) {
            return show;
        }
        match chatnotice::notice(words) {
            Word::YouAre(nick) => {
                nick.clone_into(&mut self.nick);
                self.chosen = Some(nick.to_owned());
            }
            Word::YouWere(_) | Word::Already(_) => return !self.returning,
            Word::Renamed { before, nick } => self.vocabulary.renamed(before, nick),
            Word::Joined { room, members } => {
                self.enter(room, now);
                if members <= MAX_ASKED && !self.returning {
                    self.ask_people(room);
                }
                return !self.returning;
            }
            Word::Parted(room) => {
                self.leave(room);
                return !self.returning;
            }
            Word::Kicked { nick, room } if nick.eq_ignore_ascii_case(&self.nick) => {
                self.leave(room);
            }
            Word::RoomRenamed { before, room } => self.room_renamed(before, room),
            Word::Current(room) => {
                self.current = Some(room.to_owned());
                return !self.returning;
            }
            Word::Entered(nick) => self.vocabulary.present(nick),
            Word::Left(nick) => {
                self.vocabulary.forget(nick);
                // Our own old session, perhaps, that the server has given up at last.
                if let Some(chosen) = self.chosen.clone()
                    && chosen.eq_ignore_ascii_case(nick)
                    && !self.nick.eq_ignore_ascii_case(nick)
                {
                    self.send(&format!("/nick {chosen}"));
                }
            }
            Word::Registered(name) | Word::LoggedIn(name) => {
                if let Some(asked) = self.login_asked.take() {
                    self.login = Some(Login { account: Some(name.to_owned()), ..asked });
                }
            }
            Word::PasswordChanged => {
                if let (Some(login), Some(asked)) = (&mut self.login, self.login_asked.take()) {
                    login.password = asked.password;
                }
            }
            Word::LoggedOut => self.login = None,
            Word::NumbersOn if self.marks > 0 => {
                self.marks -= 1;
                self.learning = false;
                if self.returning && self.marks == 0 {
                    self.caught_up(shown);
                }
                return false;
            }
            Word::PastOf { room, count } => {
                let log = self.log(room).filter(|log| log.is_catching_up());
                return log.map(|log| log.heading(count)).is_none();
            }
            Word::Command { name, line } => {
                self.vocabulary.command(name, line);
                return !self.learning;
            }
            _ => return !(self.learning && (words.starts_with("@#") || words.starts_with("//"))),
        }
        true
    }

    /// Lines of an answer: people and rooms for Tab. `None` if this is no such line.
    fn answered(&mut self, words: &str) -> Option<bool> {
        match chatnotice::notice(words) {
            Word::PeopleIn { room, count } => {
                let asked = self.people_asked.iter().position(|it| it.eq_ignore_ascii_case(room));
                asked.map(|at| self.people_asked.remove(at));
                let hidden = asked.is_some();
                self.answer = Some(Answer::People { left: count, hidden });
                return Some(!hidden);
            }
            Word::Rooms(count) => {
                self.answer = Some(Answer::Rooms { left: count });
                return Some(true);
            }
            _ => {}
        }
        let (show, rest) = match self.answer? {
            Answer::People { left: 0, .. } | Answer::Rooms { left: 0 } => {
                self.answer = None;
                return None;
            }
            Answer::People { left, hidden } => {
                if let Some(nick) = chatnotice::person(words) {
                    self.vocabulary.present(nick);
                }
                (!hidden, Answer::People { left: left - 1, hidden })
            }
            Answer::Rooms { left } => {
                if let Some(room) = words.split(' ').next().filter(|room| is_room(room)) {
                    self.vocabulary.room(room);
                }
                (true, Answer::Rooms { left: left - 1 })
            }
        };
        self.answer = Some(rest);
        Some(show)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renamed_room_is_gone_back_to_by_its_new_name() {
        let mut talk = Conversation::new(Bell::Off);
        let (now, mut shown) = ("2026-01-31T12:00:00", Vec::new());
        let welcome =
            "* connected as guest1, 2 users online; /help lists the commands, /quit leaves";
        for line in [
            welcome,
            "* you are in #a now, 1 user there, you are its op",
            "* bob has renamed #a to #b (better)",
        ] {
            talk.heard(line.as_bytes(), now, &mut shown);
        }
        assert_eq!(talk.room(), Some("#b"));
        talk.take_outgoing();
        talk.connected();
        talk.heard(welcome.as_bytes(), now, &mut shown);
        let asked = String::from_utf8(talk.take_outgoing()).unwrap();
        assert!(asked.contains("/join #b\n/room #b\n"), "{asked}");
        assert!(asked.contains("/history #b after ") && !asked.contains("#a"), "{asked}");
    }
}
