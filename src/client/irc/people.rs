//! Joins, parts, quits, nick changes, away, and changes of a room: one line each.

use super::rooms::JoinedRoom;
use super::{IrcSession, Line};
use crate::client::display::{Event, EventKind};
use crate::wire::clean::clean;
use crate::wire::irc::{Message, ModeKind, Sign, format::stripped};
use crate::wire::plural::counted;

/// Names that are shown when a room is joined.
const NAMES_SHOWN: usize = 10;
/// Names that are shown on request.
const NAMES_ASKED: usize = 200;
/// Bytes of a topic that is kept and shown.
const MAX_TOPIC: usize = 1_000;

/// The sender, without user and host.
pub(super) fn name(message: &Message<'_>) -> String {
    clean(message.source().unwrap_or_default().name.as_bytes()).into_owned()
}

fn reason(text: Option<&&str>) -> String {
    text.map(|text| stripped(text).into_owned()).unwrap_or_default()
}

/// ` (the reason)`, if there is one.
pub(super) fn in_brackets(why: &str) -> String {
    if why.is_empty() { String::new() } else { format!(" ({why})") }
}

/// How many are in a room now, if that is known.
fn how_many(room: &JoinedRoom) -> String {
    room.count().map(|count| format!(", {} there", counted(count, "user"))).unwrap_or_default()
}

/// The reason of a QUIT, without what servers add.
fn quit(text: Option<&&str>) -> String {
    let text = text.map(|text| text.strip_prefix("Quit: ").unwrap_or(text));
    reason(text.filter(|text| !text.eq_ignore_ascii_case("Client quit")).as_ref())
}

impl IrcSession {
    /// Handles such a command; `false` if it is another one.
    pub(super) fn about_people(&mut self, command: &str, line: &Line<'_>) -> bool {
        let who = name(line.message);
        match (command, line.words) {
            ("JOIN", [rooms, ..]) => {
                for room in rooms.split(',') {
                    self.joined(&who, room, line);
                }
            }
            ("PART", [rooms, rest @ ..]) => {
                for room in rooms.split(',') {
                    self.parted(&who, room, &reason(rest.first()));
                }
            }
            ("KICK", [room, nick, rest @ ..]) => {
                self.kicked(&who, room, nick, &reason(rest.first()))
            }
            ("QUIT", rest) => self.quit_by(&who, &quit(rest.first()), line),
            ("NICK", [nick, ..]) => self.renamed(&who, nick),
            ("MODE", [target, rest @ ..]) => self.modes_set(&who, target, rest),
            ("TOPIC", [room, text, ..]) => self.topic_set(&who, room, text),
            ("INVITE", [nick, room, ..]) if self.is_me(nick) => {
                if self.server.is_room(room) {
                    self.vocabulary.room(room);
                }
                self.show_text(format!("{who} invited you to {room} (try /join {room})"));
            }
            ("INVITE", [nick, room, ..]) => {
                self.show_text(format!("{who} invited {nick} to {room}"))
            }
            ("CHGHOST", [user, host, ..]) if self.is_me(&who) => {
                self.address = Some(format!("{user}@{host}"));
            }
            ("AWAY" | "ACCOUNT", _) if self.is_me(&who) => {}
            ("AWAY", words) => self.away_by(&who, words.first().copied().unwrap_or_default()),
            ("ACCOUNT", [account, ..]) if *account == "*" || self.server.same(account, &who) => {}
            ("ACCOUNT", [account, ..]) => {
                self.show_text(format!("{who} is logged in as {account}"));
            }
            ("SETNAME", _) | ("CHGHOST", [_, _, ..]) => {}
            ("KILL", [nick, rest @ ..]) if self.is_me(nick) => {
                let why = in_brackets(&reason(rest.last()));
                self.show_text(format!("{who} killed your session{why}"));
            }
            _ => return false,
        }
        true
    }

    /// Whether a line is in a batch of this kind, which shows no more than how many there were.
    fn is_counted(&mut self, line: &Line<'_>, kind: &str) -> bool {
        let batch = line.batch.as_deref().and_then(|it| self.batches.inside(it, kind));
        batch.map(|batch| batch.counted += 1).is_some()
    }

    fn joined(&mut self, who: &str, name: &str, line: &Line<'_>) {
        if self.is_me(who) {
            return self.entered(name);
        }
        let quiet = self.is_counted(line, "netjoin");
        let Some(room) = self.rooms.get(&self.server, name) else { return };
        room.add(&self.server, who, "");
        let text = format!("{who} joined {}{}", room.name, how_many(room));
        self.vocabulary.present(who);
        if !quiet {
            self.event(Event::new(EventKind::Join, Some(name), who, text));
        }
    }

    /// A user is away, or with an empty text back: folded in the current room if that is large.
    fn away_by(&mut self, who: &str, text: &str) {
        let text = stripped(text);
        let shown = match text.is_empty() {
            true => format!("{who} is back"),
            false => format!("{who} is away: {text}"),
        };
        let server = &self.server;
        let mut rooms = self.rooms.all.iter().filter(|room| room.has(server, who));
        let room = rooms.next().filter(|_| rooms.next().is_none()).map(|room| room.name.clone());
        let room = room.or_else(|| self.rooms.current.clone());
        self.event(Event::new(EventKind::Away, room.as_deref(), who, shown).with_text(&text));
    }

    /// The user has joined a room.
    fn entered(&mut self, name: &str) {
        if !self.server.is_room(name) {
            return self.note(format!("{name} is not followed: its name cannot be displayed"));
        }
        let place = self.rooms.joining.iter().position(|it| self.server.same(&it.room, name));
        let key = place.and_then(|place| self.rooms.joining.remove(place).key);
        let Some(room) = self.rooms.enter(&self.server, name) else {
            return self.note(format!("too many rooms: {name} is not followed"));
        };
        name.clone_into(&mut room.name);
        (room.inside, room.naming, room.topic) = (true, true, None);
        room.quiet = self.missed.returning;
        room.forget_members();
        if key.is_some() {
            room.key = key;
        }
        let since = self.newest.unwrap_or(self.now);
        let returns = self.missed.returning;
        self.vocabulary.room(name);
        if !returns {
            self.rooms.current = Some(name.to_owned());
        }
        self.request_history(name, returns);
        if let Some(room) = self.rooms.get(&self.server, name) {
            room.log.enter(since, !self.connect_options.person && self.newest.is_some());
        }
        self.check_rejoined();
    }

    /// All names have arrived: shows the room that was joined, or the names if they were requested.
    pub(super) fn named(&mut self, name: &str) {
        let Some(room) = self.rooms.get(&self.server, name) else { return };
        if !std::mem::take(&mut room.naming) {
            return;
        }
        let asked = std::mem::take(&mut room.asked_names);
        let quiet = std::mem::take(&mut room.quiet);
        let most = if asked { NAMES_ASKED } else { NAMES_SHOWN };
        let (names, more) = room.names(&self.server, most);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let topic =
            room.topic.as_ref().map(|topic| format!("; topic: {topic}")).unwrap_or_default();
        let (users, names) = (counted(room.named(), "user"), names.join(" "));
        let text = match asked {
            true => format!("{users} in {}: {names}{more}", room.name),
            false => format!("you joined {}, {users}: {names}{more}{topic}", room.name),
        };
        let (known, _) = room.names(&self.server, crate::client::complete::MAX_NICKS);
        let marks = self.server.prefixes().to_owned();
        for nick in known.iter().map(|nick| nick.trim_start_matches(|c| marks.contains(c))) {
            if nick != self.nick {
                self.vocabulary.present(nick);
            }
        }
        if asked {
            self.show_text(text);
        } else if !quiet {
            let nick = self.nick.clone();
            self.event(Event::new(EventKind::Join, Some(name), &nick, text));
        }
    }

    fn parted(&mut self, who: &str, name: &str, why: &str) {
        if self.is_me(who) {
            self.left(name);
            let text = format!("you left {name}{}", in_brackets(why));
            return self.event(Event::new(EventKind::Part, Some(name), who, text).with_text(why));
        }
        let Some(room) = self.rooms.get(&self.server, name) else { return };
        room.remove(&self.server, who);
        let text = format!("{who} left {}{}{}", room.name, in_brackets(why), how_many(room));
        self.event(Event::new(EventKind::Part, Some(name), who, text).with_text(why));
    }

    fn kicked(&mut self, who: &str, name: &str, nick: &str, why: &str) {
        if self.is_me(nick) {
            self.left(name);
        } else if let Some(room) = self.rooms.get(&self.server, name) {
            room.remove(&self.server, nick);
        }
        let whom = if self.is_me(nick) { "you" } else { nick };
        let text = format!("{who} kicked {whom} from {name}{}", in_brackets(why));
        let event = Event::new(EventKind::Kick, Some(name), who, text);
        self.event(event.to(nick).with_text(why));
    }

    /// The user has left a room.
    pub(super) fn left(&mut self, name: &str) {
        self.rooms.leave(&self.server, name);
        if self.rooms.current.as_deref().is_some_and(|current| self.server.same(current, name)) {
            let last = self.rooms.all.iter().rfind(|room| room.inside);
            self.rooms.current = last.map(|room| room.name.clone());
        }
    }

    fn quit_by(&mut self, who: &str, why: &str, line: &Line<'_>) {
        if self.is_me(who) {
            return;
        }
        let quiet = self.is_counted(line, "netsplit");
        let mut places = Vec::new();
        for room in &mut self.rooms.all {
            if room.remove(&self.server, who) {
                places.push((room.name.clone(), room.count()));
            }
        }
        let count = match &places[..] {
            [(name, Some(count))] => format!(", {} in {name}", counted(*count, "user")),
            _ => String::new(),
        };
        if !quiet {
            let text = format!("{who} quit{}{count}", in_brackets(why));
            // Of several rooms the current one decides whether it is folded.
            let current = self.rooms.current.clone();
            let here = places.iter().map(|(name, _)| name);
            let room =
                here.clone().find(|name| Some(*name) == current.as_ref()).or(here.clone().next());
            let event = Event::new(EventKind::Quit, room.map(String::as_str), who, text);
            self.event(event.with_text(why));
        }
        self.vocabulary.forget(who);
        self.take_back_nick(who);
    }

    /// Takes the nick back that an old connection of this client may have held.
    fn take_back_nick(&mut self, freed: &str) {
        if let Some(wanted) = self.regain.clone().filter(|it| self.server.same(it, freed)) {
            self.queue("NICK", &[&wanted], None);
        }
    }

    fn renamed(&mut self, before: &str, nick: &str) {
        let nick = &*clean(nick.as_bytes());
        let mine = self.is_me(before);
        for room in &mut self.rooms.all {
            room.rename(&self.server, before, nick);
        }
        if mine {
            nick.clone_into(&mut self.nick);
            self.regain = None;
            let text = format!("you are now known as {nick}");
            return self.event(Event::new(EventKind::Nick, None, before, text).to(nick));
        }
        if self.query.as_deref().is_some_and(|query| self.server.same(query, before)) {
            self.query = Some(nick.to_owned());
        }
        self.vocabulary.renamed(before, nick);
        let text = format!("{before} is now known as {nick}");
        self.event(Event::new(EventKind::Nick, None, before, text).to(nick));
        self.take_back_nick(before);
    }

    fn modes_set(&mut self, who: &str, target: &str, words: &[&str]) {
        if !self.server.is_room(target) {
            // User modes that the server sets at registration are not shown.
            return;
        }
        let server = &self.server;
        let table = server.modes();
        let mut marks = Vec::new();
        for change in table.changes(words) {
            if let (Some(ModeKind::Member), Some(nick)) = (change.kind, change.argument)
                && let Some(mark) = server.prefix_of(change.letter)
            {
                marks.push((nick.to_owned(), mark, change.sign == Sign::Plus));
            }
        }
        if let Some(room) = self.rooms.get(server, target) {
            for (nick, mark, on) in marks {
                room.mark(server, &nick, mark, on);
            }
        }
        let modes = words.join(" ");
        let text = format!("{who} changed the modes of {target}: {modes}");
        let target_nick = words.get(1).copied().unwrap_or_default();
        let event = Event::new(EventKind::Mode, Some(target), who, text);
        self.event(event.to(target_nick).with_text(&modes));
    }

    fn topic_set(&mut self, who: &str, name: &str, text: &str) {
        let text = self.keep_topic(name, text);
        let shown = match text.is_empty() {
            true => format!("{who} cleared the topic of {name}"),
            false => format!("{who} set the topic of {name} to: {text}"),
        };
        self.event(Event::new(EventKind::Topic, Some(name), who, shown).with_text(&text));
    }

    pub(super) fn keep_topic(&mut self, name: &str, text: &str) -> String {
        let text = stripped(&text[..text.floor_char_boundary(MAX_TOPIC)]).into_owned();
        if let Some(room) = self.rooms.get(&self.server, name) {
            room.topic = Some(text.clone()).filter(|text| !text.is_empty());
        }
        text
    }

    /// Names of a room: RPL_NAMREPLY.
    pub(super) fn names(&mut self, name: &str, list: &str) {
        let server = &self.server;
        let Some(room) = self.rooms.get(server, name).filter(|room| room.naming) else { return };
        for word in list.split_ascii_whitespace() {
            let nick = word.trim_start_matches(|mark| server.prefixes().contains(mark));
            let prefix = &word[..word.len() - nick.len()];
            // With userhost-in-names each includes user and host.
            let nick = nick.split_once('!').map_or(nick, |(nick, _)| nick);
            if !nick.is_empty()
                && nick.len() <= super::messages::MAX_WORD
                && clean(nick.as_bytes()) == nick
            {
                room.add(server, nick, prefix);
            }
        }
    }
}
