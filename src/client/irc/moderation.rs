//! The commands of moderation, and those that only query, as lines for the server.

use super::IrcSession;
use super::commands::Command;

impl IrcSession {
    /// The commands that `input` does not handle itself.
    pub(super) fn moderate(&mut self, command: &Command, words: &[&str], rest: &str) {
        match (command.name, words) {
            ("whois", [nick]) => self.queue("WHOIS", &[nick], None),
            ("away", _) => self.away(if rest.is_empty() { "away" } else { rest }),
            ("back", []) => self.queue("AWAY", &[], None),
            ("list", []) => self.queue("LIST", &[], None),
            ("list", [mask]) => self.queue("LIST", &[mask], None),
            ("motd", []) => {
                self.motd.1 = true;
                self.queue("MOTD", &[], None);
            }
            ("op", [nick, room @ ..]) => self.set_mode(room, "+o", nick),
            ("deop", [nick, room @ ..]) => self.set_mode(room, "-o", nick),
            ("voice", [nick, room @ ..]) => self.set_mode(room, "+v", nick),
            ("devoice", [nick, room @ ..]) => self.set_mode(room, "-v", nick),
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
                self.queue(
                    "KILL",
                    &[nick],
                    Some(if reason.is_empty() { "no reason" } else { reason }),
                );
            }
            (_, []) => self.usage_error(command, "missing arguments"),
            _ => self.usage_error(command, "invalid arguments"),
        }
    }

    fn away(&mut self, text: &str) {
        match self.server.longest("AWAYLEN").filter(|limit| text.len() > *limit) {
            Some(limit) => {
                self.fail(format!("away messages on this server have at most {limit} bytes"))
            }
            None => self.queue("AWAY", &[], Some(text)),
        }
    }

    fn set_mode(&mut self, room: &[&str], letters: &str, nick: &str) {
        self.with_room(room.first().copied(), |session, room| {
            session.queue("MODE", &[room, letters, nick], None);
        });
    }

    fn kick(&mut self, command: &Command, rest: &str) {
        let (first, behind) = rest.split_once(' ').unwrap_or((rest, ""));
        let (room, rest) = if self.server.is_room(first) {
            (Some(first), behind.trim_start())
        } else {
            (None, rest)
        };
        let (nick, reason) = rest.split_once(' ').unwrap_or((rest, ""));
        if nick.is_empty() {
            return self.usage_error(command, "missing nick");
        }
        if let Some(limit) = self.server.longest("KICKLEN").filter(|limit| reason.len() > *limit) {
            return self.fail(format!("reasons on this server have at most {limit} bytes"));
        }
        let reason = Some(reason.trim_start()).filter(|reason| !reason.is_empty());
        self.with_room(room, |session, room| session.queue("KICK", &[room, nick], reason));
    }

    /// A nick is banned with any user and host: only the server knows a user's host.
    fn ban(&mut self, command: &Command, letters: &str, words: &[&str]) {
        let (room, words) = self.room_first(words);
        let mask = match words {
            [] => None,
            [mask] if is_mask(mask) => Some((*mask).to_owned()),
            [nick] => Some(format!("{nick}!*@*")),
            _ => return self.usage_error(command, "expected one nick or mask"),
        };
        self.with_room(room, |session, room| match &mask {
            Some(mask) => session.queue("MODE", &[room, letters, mask], None),
            None => session.queue("MODE", &[room, "b"], None),
        });
    }

    /// No RFC defines muting. A server announces in ISUPPORT which of two ways it supports: a ban
    /// mask that starts with `m:` (EXTBAN; chatloop, InspIRCd) or a separate list `q` (CHANMODES;
    /// Solanum).
    fn mute(&mut self, command: &Command, sign: &str, words: &[&str]) {
        let (room, words) = self.room_first(words);
        let [name] = words else { return self.usage_error(command, "expected one nick or mask") };
        let mask = if is_mask(name) { (*name).to_owned() } else { format!("{name}!*@*") };
        let (letter, mask) = match self.server.mute_prefix() {
            Some(prefix) => ('b', format!("{prefix}{mask}")),
            None if self.server.modes().list.contains('q') => ('q', mask),
            None => {
                return self
                    .fail("this server does not support mute (use /lock moderated and /voice)");
            }
        };
        self.with_room(room, |session, room| {
            session.queue("MODE", &[room, &format!("{sign}{letter}"), &mask], None);
        });
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
        self.with_room(room, |session, room| {
            let words: Vec<&str> = [room, &change].into_iter().chain(value).collect();
            session.queue("MODE", &words, None);
        });
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
            _ => self.with_room(None, |session, room| {
                let words: Vec<&str> = std::iter::once(room).chain(words.iter().copied()).collect();
                session.queue("MODE", &words, None);
            }),
        }
    }
}

/// Whether this is a mask and not a nick.
fn is_mask(word: &str) -> bool {
    word.contains(['!', '@', ':', '*', '$', '~'])
}
