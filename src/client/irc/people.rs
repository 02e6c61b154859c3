//! Joins, parts, quits, nick changes, away, and changes of a room: one line each.

use super::{IrcSession, Line};
use crate::client::display::counted;
use crate::wire::clean::clean;
use crate::wire::irc::{Message, ModeKind, Sign, format::stripped};

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
    let text = text.map(|text| stripped(text)).filter(|text| !text.is_empty());
    text.map(|text| format!(" ({text})")).unwrap_or_default()
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
            ("AWAY", [text, ..]) if !text.is_empty() => {
                self.show_text(format!("{who} is away: {}", stripped(text)));
            }
            ("AWAY", _) => self.show_text(format!("{who} is back")),
            ("ACCOUNT", [account, ..]) if *account == "*" || self.server.same(account, &who) => {}
            ("ACCOUNT", [account, ..]) => {
                self.show_text(format!("{who} is logged in as {account}"));
            }
            ("SETNAME", _) | ("CHGHOST", [_, _, ..]) => {}
            ("KILL", [nick, rest @ ..]) if self.is_me(nick) => {
                self.show_text(format!("{who} killed your session{}", reason(rest.last())));
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
        let count = room.count().map(|count| format!(", {} there", counted(count, "user")));
        let text = format!("{who} joined {}{}", room.name, count.unwrap_or_default());
        self.vocabulary.present(who);
        if !quiet {
            self.show_text(text);
        }
    }

    /// The user has joined a room.
    fn entered(&mut self, name: &str) {
        if !self.server.is_room(name) {
            return self.note(format!("{name} is not followed: its name cannot be displayed"));
        }
        let place = self.rooms.joining.iter().position(|(asked, _)| self.server.same(asked, name));
        let key = place.map(|place| self.rooms.joining.remove(place)).and_then(|(_, key)| key);
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
            room.log.enter(since);
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
        if asked || !quiet {
            self.show_text(text);
        }
    }

    fn parted(&mut self, who: &str, name: &str, why: &str) {
        if self.is_me(who) {
            self.left(name);
            return self.show_text(format!("you left {name}{why}"));
        }
        let Some(room) = self.rooms.get(&self.server, name) else { return };
        room.remove(&self.server, who);
        let count = room.count().map(|count| format!(", {} there", counted(count, "user")));
        let text = format!("{who} left {}{why}{}", room.name, count.unwrap_or_default());
        self.show_text(text);
    }

    fn kicked(&mut self, who: &str, name: &str, nick: &str, why: &str) {
        if self.is_me(nick) {
            self.left(name);
            return self.show_text(format!("{who} kicked you from {name}{why}"));
        }
        if let Some(room) = self.rooms.get(&self.server, name) {
            room.remove(&self.server, nick);
        }
        self.show_text(format!("{who} kicked {nick} from {name}{why}"));
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
            self.show_text(format!("{who} quit{why}{count}"));
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
            return self.show_text(format!("you are now known as {nick}"));
        }
        self.vocabulary.renamed(before, nick);
        self.show_text(format!("{before} is now known as {nick}"));
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
        self.show_text(format!("{who} changed the modes of {target}: {}", words.join(" ")));
    }

    fn topic_set(&mut self, who: &str, name: &str, text: &str) {
        let text = self.keep_topic(name, text);
        self.show_text(match text.is_empty() {
            true => format!("{who} cleared the topic of {name}"),
            false => format!("{who} set the topic of {name} to: {text}"),
        });
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
            if !nick.is_empty() && clean(nick.as_bytes()) == nick {
                room.add(server, nick, prefix);
            }
        }
    }
}
