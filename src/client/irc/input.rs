//! Typed lines, and the lines that the server is sent for them.
//!
//! A line that does not begin with `/` is sent to the current room, `//` sends one that does, and
//! `@#room text` sends to another room. A paste is one message, whatever its lines begin with,
//! unless the first is a command: then each is taken as if it were typed.
//!
//! The commands about one message are in `about`, those that change modes in `moderation`, those that
//! ask for earlier messages in `lookup`.

use super::IrcSession;
use super::commands::{self, Command, TOPICS};
use super::numbers::Numbered;
use super::outgoing::Outgoing;
use crate::client::display::{DisplayItem, Incoming, MessageKind, Quoted};
use crate::client::options::Bell;
use crate::client::secrets;
use crate::wire::{self, clean::clean};
use jiff::Timestamp;
use std::borrow::Cow;
use zeroize::Zeroizing;

/// The commands that need no server.
const LOCAL: &[&str] = &["help", "quit", "clear", "hide", "numbers", "bell"];

/// Nicks that may be ignored.
const MAX_IGNORED: usize = 100;

impl IrcSession {
    /// Sends a line as text, whatever it begins with.
    pub fn said(&mut self, line: &str, now: Timestamp) {
        self.begin_typing(now);
        self.send_here(MessageKind::Message, &carriable(line));
    }

    /// Whether a script's line is about this client's last message, which has no id yet.
    pub fn must_wait(&self, line: &str) -> bool {
        let mut words =
            line.split_whitespace().skip(1).skip_while(|word| self.server.is_room(word));
        let about_last = words.next() == Some("last");
        self.server.has("echo-message")
            && self.sent.is_waiting()
            && command_in(line).is_some()
            && about_last
    }

    pub(super) fn begin_typing(&mut self, now: Timestamp) {
        self.now = now;
        self.quit = false;
    }

    /// Handles a typed line, or pasted ones once they are confirmed.
    pub fn typed<L: AsRef<str>>(&mut self, lines: &[L], now: Timestamp) {
        self.begin_typing(now);
        let lines: Vec<_> = lines.iter().map(|line| carriable(line.as_ref())).collect();
        let lines: Vec<&str> = lines.iter().map(|line| &**line).collect();
        if lines.first().is_none_or(|line| command_in(line).is_none()) {
            return self.send_lines(&lines);
        }
        for line in lines.into_iter().filter(|line| !line.is_empty()) {
            match command_in(line) {
                Some(command) => self.command(command),
                None => self.send_lines(&[line]),
            }
        }
    }

    /// Sends lines to the current room, or to the one that the first line names.
    fn send_lines(&mut self, lines: &[&str]) {
        let [first, rest @ ..] = lines else { return };
        let first = first.strip_prefix('/').filter(|text| text.starts_with('/')).unwrap_or(first);
        let elsewhere =
            first.strip_prefix('@').map(|rest| rest.split_once(' ').unwrap_or((rest, "")));
        let (to, first) = match elsewhere.filter(|(room, _)| self.server.is_room(room)) {
            Some((room, text)) => (Some(room.to_owned()), text),
            None => (self.query.clone().or_else(|| self.rooms.current.clone()), first),
        };
        let Some(to) = to else {
            return self.fail(
                "you are not in a room (try /join #room; to write to one user, /msg NICK TEXT)",
            );
        };
        let outside = self.rooms.get(&self.server, &to).is_none_or(|room| !room.inside);
        if outside && self.query.as_ref() != Some(&to) {
            return self.fail(format!("you are not in {to} (try /join {to})"));
        }
        let lines: Vec<&str> = std::iter::once(first).chain(rest.iter().copied()).collect();
        if lines.iter().all(|line| line.trim().is_empty()) {
            return self.fail(format!("no text for {to}; usage: @#room TEXT"));
        }
        if lines.iter().any(|line| self.holds_back(&to, line)) {
            return;
        }
        self.send_message(Outgoing::to(&to), &lines);
    }

    /// Whether a text looks like a mistyped login, and is not for a service that takes logins.
    pub(super) fn holds_back(&mut self, to: &str, text: &str) -> bool {
        if wire::secrets::is_service(to) {
            return false;
        }
        let checked = wire::secrets::check(text, |word| commands::find(word).is_some());
        checked.map_err(|why| self.fail(why)).is_err()
    }

    fn command(&mut self, line: &str) {
        let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let (verbatim, rest) = (rest, rest.trim_start());
        let Some(command) = commands::find(name) else { return self.unknown(name) };
        let words: Vec<&str> = rest.split_whitespace().collect();
        if words.iter().any(|word| word.starts_with(':')) && !command.takes_text() {
            return self.fail("names cannot begin with a colon");
        }
        match (command.name(), &words[..]) {
            ("help", _) => self.help(words.first().copied()),
            ("quit", _) => {
                self.queue("QUIT", &[], given(rest));
                self.quit = true;
            }
            ("nick", [nick]) => {
                self.regain = None;
                self.queue("NICK", &[nick], None);
            }
            ("join", [room]) => self.join_or_go(room, None),
            ("join", [room, key]) => self.join_or_go(room, Some(key)),
            ("part", _) => self.part(rest),
            ("room", []) => self.where_am_i(),
            ("room", [room]) => self.go_to(room),
            ("names", _) => self.ask_names(words.first().copied()),
            ("who", [room]) if !self.server.is_room(room) => self.queue("WHO", &[room], None),
            ("who", _) => self.ask_names(words.first().copied()),
            ("topic", _) => self.topic(rest),
            ("invite", [nick]) => {
                if let Some(room) = self.room_or_fail(None) {
                    self.queue("INVITE", &[nick, &room], None);
                }
            }
            ("invite", [nick, room]) => self.queue("INVITE", &[nick, room], None),
            ("msg", [to, _, ..]) => self.send_to(to, rest, MessageKind::Message),
            ("notice", [to, _, ..]) => self.send_to(to, rest, MessageKind::Notice),
            ("reply", [_, ..]) => match self.last_private.clone() {
                Some(to) => self.send_checked(Outgoing::to(&to), rest),
                None => self.fail("no direct message to reply to yet (try /msg NICK TEXT)"),
            },
            ("me", [_, ..]) => self.send_here(MessageKind::Action, rest),
            ("say", [_, ..]) => self.send_here(MessageKind::Message, verbatim),
            ("re" | "react" | "unreact" | "edit" | "delete" | "thread", [_, ..]) => {
                self.about_message(command, rest);
            }
            ("ignore" | "unignore", _) => self.ignore(command.name() == "ignore", &words),
            ("history", _) => self.history(&words),
            ("search", [_, ..]) => self.search(&words),
            ("logout", []) | ("password", [_, _]) => self.vendor(command, rest),
            ("upload", [_, ..]) => self.upload(rest),
            ("download", [_, ..]) => self.download(rest),
            ("files", []) => self.queue_in(None, "FILES", &[], None),
            ("files", [room]) => self.queue("FILES", &[room], None),
            ("delfile", [url]) => self.queue("DELFILE", &[url], None),
            ("register", [password]) => self.register(password),
            ("login", [password]) => self.log_in(None, password),
            ("login", [account, password]) => self.log_in(Some(account), password),
            ("quote", [_, ..]) => self.quote(rest),
            _ if self.arranges(command, &words, rest) => {}
            _ => self.moderate(command, &words, rest),
        }
    }

    /// The commands of which the server is told nothing; `false` if it is another one.
    fn arranges(&mut self, command: &Command, words: &[&str], rest: &str) -> bool {
        match (command.name(), words) {
            ("query", []) => self.end_query(),
            ("query", [nick, ..]) => self.begin_query(nick, rest),
            ("clear", []) => self.shown.push(DisplayItem::Clear),
            ("hide", [room]) if self.server.is_room(room) => self.set_hide(Some(room), None),
            ("hide", [room, how]) => self.set_hide(Some(room), Some(how)),
            ("hide", []) => self.set_hide(None, None),
            ("hide", [how]) => self.set_hide(None, Some(how)),
            ("numbers", ["on" | "off"]) => {
                self.show_numbers = words[0] == "on";
                self.show_text(format!("message numbers are {}", words[0]));
            }
            ("bell", [when]) => match Bell::named(when) {
                Some(bell) => {
                    self.bell = bell;
                    self.show_text(format!("bell: {when}"));
                }
                None => {
                    self.usage_error(command, &format!("\"{when}\" is not off, pm, mention or all"))
                }
            },
            _ => return false,
        }
        true
    }

    fn unknown(&mut self, name: &str) {
        // A misspelt command may be followed by a password, so nothing of the line is repeated.
        self.fail(match commands::almost(name).map(Command::name) {
            Some(near) => {
                format!("unknown command; did you mean /{near}? (/help {near} shows its usage)")
            }
            None => {
                format!("unknown command /{name} (try /help; to send it as text, type //{name})")
            }
        });
    }

    /// Shows what is wrong, and the command's usage.
    pub(super) fn usage_error(&mut self, command: &Command, what: &str) {
        self.fail(format!("{what}; usage: {}", command.usage));
    }

    fn help(&mut self, name: Option<&str>) {
        let name = name.map(|name| name.trim_start_matches('/')).unwrap_or_default();
        let topic = TOPICS.iter().find(|topic| topic.name.eq_ignore_ascii_case(name));
        if name.is_empty() {
            self.show_text("/help TOPIC lists its commands:");
            for topic in TOPICS {
                self.show_text(format!(" {:<10} {}", topic.name, topic.summary));
            }
            self.show_text("/help COMMAND, /help all; /quit");
        } else if let Some(topic) = topic {
            topic.commands.iter().for_each(|command| self.shown.push(command.row()));
        } else if name.eq_ignore_ascii_case("all") {
            commands::all().for_each(|command| self.shown.push(command.row()));
            self.show_text(
                "@#room TEXT sends to another room; //TEXT sends a line that begins with /",
            );
        } else if let Some(command) = commands::find(name) {
            self.show_text(format!("{}: {}", command.usage, command.summary));
            if !command.aliases.is_empty() {
                self.show_text(format!("aliases: /{}", command.aliases.join(", /")));
            }
        } else {
            self.unknown(name);
        }
    }

    fn join_or_go(&mut self, room: &str, key: Option<&str>) {
        if !self.server.is_room(room) {
            return self.fail(format!(
                "invalid room name \"{room}\": room names begin with # (try #{room})"
            ));
        }
        if self.rooms.get(&self.server, room).is_some_and(|room| room.inside) {
            return self.go_to(room);
        }
        self.join(room, key);
    }

    fn go_to(&mut self, room: &str) {
        match self.rooms.get(&self.server, room).map(|room| room.name.clone()) {
            Some(name) => {
                self.show_text(format!("current room: {name}"));
                (self.rooms.current, self.query) = (Some(name), None);
            }
            None => self.fail(format!("you are not in {room} (try /join {room})")),
        }
    }

    /// `/query NICK [TEXT]`.
    fn begin_query(&mut self, nick: &str, rest: &str) {
        if self.server.is_room(nick) {
            return self.go_to(nick);
        }
        self.query = Some(nick.to_owned());
        self.show_text(format!("your lines go to {nick} now; /query ends it"));
        if rest.len() > nick.len() {
            self.send_to(nick, rest, MessageKind::Message);
        }
    }

    fn end_query(&mut self) {
        match self.query.take() {
            Some(nick) => self.show_text(format!("your lines no longer go to {nick}")),
            None => self.fail("your lines go to no user (try /query NICK)"),
        }
    }

    fn where_am_i(&mut self) {
        let all: Vec<&str> = self.rooms.all.iter().map(|room| room.name.as_str()).collect();
        let text = match &self.rooms.current {
            Some(room) => format!("current room: {room}; you are in {}", all.join(", ")),
            None => "you are not in a room (try /join #room)".to_owned(),
        };
        self.show_text(text);
    }

    /// This room, or the current one.
    pub(super) fn room_or_fail(&mut self, room: Option<&str>) -> Option<String> {
        let room = room.map(str::to_owned).or_else(|| self.rooms.current.clone());
        if room.is_none() {
            self.fail("you are not in a room (try /join #room)");
        }
        room
    }

    /// Queues a line about this room, or about the current one.
    pub(super) fn queue_in(
        &mut self,
        room: Option<&str>,
        command: &str,
        words: &[&str],
        text: Option<&str>,
    ) {
        if let Some(room) = self.room_or_fail(room) {
            self.queue(command, &[&[room.as_str()], words].concat(), text);
        }
    }

    /// The room that arguments begin with, if they do, and the rest.
    pub(super) fn room_and_rest<'t>(&self, rest: &'t str) -> (Option<&'t str>, &'t str) {
        let (first, behind) = rest.split_once(' ').unwrap_or((rest, ""));
        if self.server.is_room(first) { (Some(first), behind.trim_start()) } else { (None, rest) }
    }

    /// Whether a text is longer than the server allows, which is shown then.
    pub(super) fn exceeds(&mut self, token: &str, text: &str, what: &str) -> bool {
        let limit = self.server.longest(token).filter(|limit| text.len() > *limit);
        if let Some(limit) = limit {
            self.fail(format!("{what} on this server have at most {limit} bytes"));
        }
        limit.is_some()
    }

    fn part(&mut self, rest: &str) {
        let (room, reason) = self.room_and_rest(rest);
        self.queue_in(room, "PART", &[], given(reason.trim()));
        self.parting = self.pace.handed;
    }

    fn ask_names(&mut self, room: Option<&str>) {
        let Some(name) = self.room_or_fail(room) else { return };
        let room = self.rooms.get(&self.server, &name);
        if let Some(room) = room.filter(|room| room.inside) {
            room.forget_members();
            (room.naming, room.asked_names) = (true, true);
        }
        self.queue("NAMES", &[&name], None);
    }

    fn topic(&mut self, rest: &str) {
        let (room, text) = self.room_and_rest(rest);
        if self.exceeds("TOPICLEN", text, "topics") {
            return;
        }
        let text = given(text).map(|text| if text == "-" { "" } else { text });
        self.queue_in(room, "TOPIC", &[], text);
    }

    fn send_here(&mut self, kind: MessageKind, text: &str) {
        if let Some(to) = self.room_or_fail(self.query.clone().as_deref()) {
            let outgoing = Outgoing { kind, ..Outgoing::to(&to) };
            match kind {
                // `/say`: the one way to send what looks like a password.
                MessageKind::Message => self.send_message(outgoing, &[text]),
                _ => self.send_checked(outgoing, text),
            }
        }
    }

    fn send_to(&mut self, to: &str, rest: &str, kind: MessageKind) {
        let text = rest[to.len()..].trim_start();
        self.send_checked(Outgoing { kind, ..Outgoing::to(to) }, text);
    }

    pub(super) fn send_checked(&mut self, outgoing: Outgoing<'_>, text: &str) {
        if !self.holds_back(outgoing.to, text) {
            self.send_message(outgoing, &[text]);
        }
    }

    /// Shows this client's own message before the server has confirmed it.
    pub(super) fn show_own(&mut self, outgoing: Outgoing<'_>, text: &str) {
        let text = secrets::masked_message(outgoing.to, text);
        let lines: Vec<_> = text.split('\n').map(|line| clean(line.as_bytes())).collect();
        let room = self.server.room_of(outgoing.to).map(str::to_owned);
        room.iter().for_each(|room| self.unfold(room));
        let nick = if room.is_some() { &self.nick } else { outgoing.to };
        let known = outgoing.reply.and_then(|id| self.numbers.by_id(id)).map(Numbered::quoted);
        self.shown.push(DisplayItem::Message(Box::new(Incoming {
            nick: clean(nick.as_bytes()).into_owned(),
            room,
            own: true,
            kind: outgoing.kind,
            reply: outgoing.reply.map(|id| Quoted { id: id.to_owned(), known }),
            text: lines.join("\n"),
            ..Incoming::default()
        })));
    }

    fn ignore(&mut self, on: bool, words: &[&str]) {
        let Some(nick) = words.first() else {
            let all = self.ignored.join(", ");
            return self.show_text(if all.is_empty() {
                "you are not ignoring anyone".to_owned()
            } else {
                format!("you are ignoring {all}")
            });
        };
        let known = self.ignored.iter().position(|it| self.server.same(it, nick));
        match (on, known) {
            (true, _) if self.is_me(nick) => self.fail("you cannot ignore yourself"),
            (true, None) if self.ignored.len() == MAX_IGNORED => {
                self.fail(format!("you can ignore at most {MAX_IGNORED} users"));
            }
            (true, _) => {
                self.ignored.extend(known.is_none().then(|| (*nick).to_owned()));
                self.show_text(format!("you are now ignoring {nick}"));
            }
            (false, Some(place)) => {
                self.ignored.remove(place);
                self.show_text(format!("you are no longer ignoring {nick}"));
            }
            (false, None) => {
                self.fail(format!("you are not ignoring {nick} (/ignore shows the list)"))
            }
        }
    }

    fn register(&mut self, password: &str) {
        if !self.server.has("draft/account-registration") {
            return self.fail("this server does not support registration; it may have NickServ (try /msg NickServ HELP REGISTER)");
        }
        let nick = self.nick.clone();
        self.logins.registering =
            Some(super::Login { account: nick, password: Zeroizing::new(password.to_owned()) });
        self.queue("REGISTER", &["*", "*"], Some(password));
    }

    fn log_in(&mut self, account: Option<&str>, password: &str) {
        if !self.server.offers_sasl() {
            return self.fail(
                "this server does not support login; it may have NickServ (try /msg NickServ IDENTIFY PASSWORD)",
            );
        }
        let account = account.unwrap_or(&self.nick).to_owned();
        if !self.server.has("sasl") {
            self.send_now("CAP", &["REQ"], Some("sasl"));
        }
        self.begin_sasl(super::Login { account, password: Zeroizing::new(password.to_owned()) });
    }

    fn quote(&mut self, line: &str) {
        let longest = self.server.line_length() - 2;
        if line.len() > longest {
            return self.fail(format!("lines on this server have at most {longest} bytes"));
        }
        self.pace.push(format!("{line}\r\n").into_bytes());
    }
}

/// Whether a typed line is a command that needs no server.
pub fn is_local(line: &str) -> bool {
    let name = command_in(line).and_then(|line| line.split_whitespace().next());
    name.and_then(commands::find).is_some_and(|command| LOCAL.contains(&command.name()))
}

/// What follows the slash of a command; `None` for a text, which may begin with two.
fn command_in(line: &str) -> Option<&str> {
    line.strip_prefix('/').filter(|rest| !rest.starts_with('/'))
}

/// The line without the bytes that IRC cannot carry: a script may send anything.
fn carriable(line: &str) -> Cow<'_, str> {
    match line.contains(['\0', '\r', '\n']) {
        true => Cow::Owned(line.replace(['\0', '\r', '\n'], " ")),
        false => Cow::Borrowed(line),
    }
}

/// A text, unless it is empty.
pub(super) fn given(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
