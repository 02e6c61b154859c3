//! Which lines do the commands of moderation, and those that only ask, become?

use super::Session;
use super::commands::Command;

impl Session {
    /// What [`typed`](super::typed) does not do itself.
    pub(super) fn ordered(&mut self, command: &Command, words: &[&str], rest: &str) {
        match (command.name, words) {
            ("whois", [nick]) => self.order("WHOIS", &[nick], None),
            ("away", _) => self.away(if rest.is_empty() { "away" } else { rest }),
            ("back", []) => self.order("AWAY", &[], None),
            ("list", []) => self.order("LIST", &[], None),
            ("list", [mask]) => self.order("LIST", &[mask], None),
            ("motd", []) => {
                self.motd.1 = true;
                self.order("MOTD", &[], None);
            }
            ("op", [nick, room @ ..]) => self.set_mode(room, "+o", nick),
            ("deop", [nick, room @ ..]) => self.set_mode(room, "-o", nick),
            ("voice", [nick, room @ ..]) => self.set_mode(room, "+v", nick),
            ("devoice", [nick, room @ ..]) => self.set_mode(room, "-v", nick),
            ("kick", _) => self.kick(command, rest),
            ("ban", _) => self.ban(command, "+b", words),
            ("unban", [_, ..]) => self.ban(command, "-b", words),
            ("mode", _) => self.mode(words),
            ("oper", [name, password]) => self.order("OPER", &[name, password], None),
            ("kill", [nick, ..]) => {
                let reason = rest[nick.len()..].trim_start();
                self.order(
                    "KILL",
                    &[nick],
                    Some(if reason.is_empty() { "no reason" } else { reason }),
                );
            }
            (_, []) => self.misses(command, "something is missing"),
            _ => self.misses(command, "that cannot be understood"),
        }
    }

    fn away(&mut self, text: &str) {
        match self.server.longest("AWAYLEN").filter(|limit| text.len() > *limit) {
            Some(limit) => self.fail(format!("such a message has up to {limit} bytes here")),
            None => self.order("AWAY", &[], Some(text)),
        }
    }

    fn set_mode(&mut self, room: &[&str], letters: &str, nick: &str) {
        self.with_room(room.first().copied(), |session, room| {
            session.order("MODE", &[room, letters, nick], None);
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
            return self.misses(command, "the nick is missing");
        }
        if let Some(limit) = self.server.longest("KICKLEN").filter(|limit| reason.len() > *limit) {
            return self.fail(format!("a reason has up to {limit} bytes here"));
        }
        let reason = Some(reason.trim_start()).filter(|reason| !reason.is_empty());
        self.with_room(room, |session, room| session.order("KICK", &[room, nick], reason));
    }

    /// A nick is banned with any user and host: what else somebody has, only the server knows.
    fn ban(&mut self, command: &Command, letters: &str, words: &[&str]) {
        let (room, words) = match words {
            [room, rest @ ..] if self.server.is_room(room) => (Some(*room), rest),
            _ => (None, words),
        };
        let mask = match words {
            [] => None,
            [mask] if mask.contains(['!', '@', ':', '*', '$', '~']) => Some((*mask).to_owned()),
            [nick] => Some(format!("{nick}!*@*")),
            _ => return self.misses(command, "one nick or mask is wanted"),
        };
        self.with_room(room, |session, room| match &mask {
            Some(mask) => session.order("MODE", &[room, letters, mask], None),
            None => session.order("MODE", &[room, "b"], None),
        });
    }

    fn mode(&mut self, words: &[&str]) {
        match words {
            [target, ..] if self.server.is_room(target) || self.is_me(target) => {
                self.order("MODE", words, None)
            }
            _ => self.with_room(None, |session, room| {
                let words: Vec<&str> = std::iter::once(room).chain(words.iter().copied()).collect();
                session.order("MODE", &words, None);
            }),
        }
    }
}
