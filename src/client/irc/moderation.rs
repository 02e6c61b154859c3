//! The commands of moderation, and those that only query, as lines for the server.

use super::IrcSession;
use super::commands::Command;
use super::input::given;

impl IrcSession {
    /// The commands that `input` does not handle itself.
    pub(super) fn moderate(&mut self, command: &Command, words: &[&str], rest: &str) {
        match (command.name(), words) {
            ("whois", [nick]) => self.queue("WHOIS", &[nick], None),
            ("away", _) => self.away(if rest.is_empty() { "away" } else { rest }),
            ("back", []) => self.queue("AWAY", &[], None),
            ("list", []) => self.queue("LIST", &[], None),
            ("list", [mask]) => self.queue("LIST", &[mask], None),
            ("motd", []) => {
                self.motd.1 = true;
                self.queue("MOTD", &[], None);
            }
            ("op", [nick, room @ ..]) => self.set_mode(room, &["+o", nick]),
            ("deop", [nick, room @ ..]) => self.set_mode(room, &["-o", nick]),
            ("voice", [nick, room @ ..]) => self.set_mode(room, &["+v", nick]),
            ("devoice", [nick, room @ ..]) => self.set_mode(room, &["-v", nick]),
            ("kick", _) => self.kick(command, rest),
            ("ban", _) => self.ban(command, "+b", words),
            ("unban", [_, ..]) => self.ban(command, "-b", words),
            ("mute", [_, ..]) => self.mute(command, "+", words),
            ("unmute", [_, ..]) => self.mute(command, "-", words),
            ("lock", [_, ..]) => self.lock(command, true, words),
            ("unlock", [_, ..]) => self.lock(command, false, words),
            ("mode", _) => self.mode(words),
            ("oper", [name, password]) => self.queue("OPER", &[name, password], None),
            ("kill", [nick, ..]) => {
                let reason = rest[nick.len()..].trim_start();
                self.queue("KILL", &[nick], given(reason).or(Some("no reason")));
            }
            ("gban" | "connections" | "stats" | "loop", _)
            | ("ungban" | "announce" | "trace", [_, ..]) => self.vendor(command, rest),
            ("rehash", []) => self.queue("REHASH", &[], None),
            ("cert", ["add" | "list" | "del", ..]) => self.queue("CERT", words, None),
            ("account", []) => self.queue("ACCOUNT", &["LIST"], None),
            ("account", _) => self.queue("ACCOUNT", words, None),
            ("keep" | "unkeep", [] | [_]) => {
                if let Some(room) = self.room_or_fail(words.first().copied()) {
                    self.vendor(command, &room);
                }
            }
            (_, []) => self.usage_error(command, "missing arguments"),
            _ => self.usage_error(command, "invalid arguments"),
        }
    }

    fn away(&mut self, text: &str) {
        if !self.exceeds("AWAYLEN", text, "away messages") {
            self.queue("AWAY", &[], Some(text));
        }
    }

    fn set_mode(&mut self, room: &[&str], change: &[&str]) {
        self.queue_in(room.first().copied(), "MODE", change, None);
    }

    fn kick(&mut self, command: &Command, rest: &str) {
        let (room, rest) = self.room_and_rest(rest);
        let (nick, reason) = rest.split_once(' ').unwrap_or((rest, ""));
        if nick.is_empty() {
            return self.usage_error(command, "missing nick");
        }
        if !self.exceeds("KICKLEN", reason, "reasons") {
            self.queue_in(room, "KICK", &[nick], given(reason.trim_start()));
        }
    }

    /// A nick is banned with any user and host: only the server knows a user's host.
    fn ban(&mut self, command: &Command, letters: &str, words: &[&str]) {
        let (room, words) = self.room_first(words);
        match words {
            [] => self.queue_in(room, "MODE", &["b"], None),
            [name] => self.queue_in(room, "MODE", &[letters, &mask(name)], None),
            _ => self.usage_error(command, "expected one nick or mask"),
        }
    }

    /// No RFC defines muting. A server announces in ISUPPORT which of two ways it supports: a ban
    /// mask that starts with `m:` (EXTBAN; chatloop, InspIRCd) or a separate list `q` (CHANMODES;
    /// Solanum).
    fn mute(&mut self, command: &Command, sign: &str, words: &[&str]) {
        let (room, words) = self.room_first(words);
        let [name] = words else { return self.usage_error(command, "expected one nick or mask") };
        let (letter, mask) = match self.server.mute_prefix() {
            Some(prefix) => ('b', prefix + &mask(name)),
            None if self.server.modes().list.contains('q') => ('q', mask(name)),
            None => {
                return self
                    .fail("this server does not support mute (use /lock moderated and /voice)");
            }
        };
        self.queue_in(room, "MODE", &[&format!("{sign}{letter}"), &mask], None);
    }

    /// RFC 2811 §4.2.
    fn lock(&mut self, command: &Command, on: bool, words: &[&str]) {
        let (room, words) = self.room_first(words);
        let (letter, value) = match (on, words) {
            (_, ["topic"]) => ('t', None),
            (_, ["invite"]) => ('i', None),
            (_, ["moderated"]) => ('m', None),
            (_, ["external"]) => ('n', None),
            (_, ["secret"]) => ('s', None),
            (true, ["key", word]) => ('k', Some(*word)),
            // The key need not be known to remove it, but the mode requires an argument.
            (false, ["key", word @ ..]) => ('k', Some(word.first().copied().unwrap_or("*"))),
            (true, ["limit", number]) if number.parse().is_ok_and(|it: u32| it > 0) => {
                ('l', Some(*number))
            }
            (true, ["limit", ..]) => {
                return self.usage_error(command, "the limit must be a number above 0");
            }
            (false, ["limit"]) => ('l', None),
            (true, ["key"]) => return self.usage_error(command, "missing key"),
            (_, []) => return self.usage_error(command, "missing lock name"),
            (_, [what, ..]) => {
                return self.usage_error(command, &format!("unknown lock \"{what}\""));
            }
        };
        let change = format!("{}{letter}", if on { '+' } else { '-' });
        self.queue_in(room, "MODE", &[&[change.as_str()], value.as_slice()].concat(), None);
    }

    /// The room that the arguments begin with, if they do, and the others.
    fn room_first<'w, 't>(&self, words: &'w [&'t str]) -> (Option<&'t str>, &'w [&'t str]) {
        match words {
            [room, rest @ ..] if self.server.is_room(room) => (Some(*room), rest),
            _ => (None, words),
        }
    }

    fn mode(&mut self, words: &[&str]) {
        match words {
            [target, ..] if self.server.is_room(target) || self.is_me(target) => {
                self.queue("MODE", words, None)
            }
            _ => self.queue_in(None, "MODE", words, None),
        }
    }
}

/// A mask as it is, or the one of a nick.
fn mask(word: &str) -> String {
    let is_mask = word.contains(['!', '@', ':', '*', '$', '~']);
    if is_mask { word.to_owned() } else { format!("{word}!*@*") }
}
