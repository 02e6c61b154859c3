//! The commands of the client in IRC: the names are those of a chatloop server's plain dialect, as
//! far as IRC can carry them, and `/quote` for the rest.

use crate::client::display::DisplayItem;

/// One command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Command {
    /// Its name, with the slash, and its arguments.
    pub usage: &'static str,
    pub aliases: &'static [&'static str],
    pub summary: &'static str,
}

impl Command {
    /// Its name, without the slash.
    pub fn name(&self) -> &'static str {
        self.usage[1..].split(' ').next().unwrap_or_default()
    }

    /// Its usage and summary, for a list.
    pub fn row(&self) -> DisplayItem {
        DisplayItem::Row(self.usage, self.summary)
    }

    /// Whether its arguments are text, which may contain words that begin with a colon.
    pub fn takes_text(&self) -> bool {
        let kinds = ["TEXT", "REASON", "MESSAGE", "EMOJI", "LINE", "PASSWORD", "NEW", "WORDS"];
        kinds.iter().any(|kind| self.usage.contains(kind))
    }
}

/// What `/help` lists: few enough for a small screen, and the commands of each for a larger one.
pub struct Topic {
    pub name: &'static str,
    pub summary: &'static str,
    pub commands: &'static [Command],
}

macro_rules! topics {
    ($($name:literal, $about:literal {
        $($usage:literal $([$($alias:literal),*])? $summary:literal;)*
    })*) => {
        pub const TOPICS: &[Topic] = &[$(Topic {
            name: $name,
            summary: $about,
            commands: &[$(
                Command { usage: $usage, aliases: &[$($($alias),*)?], summary: $summary },
            )*],
        }),*];
    };
}

topics! {
    "talk", "messages and edits" {
        "/msg NICK TEXT" ["m", "tell"] "send a direct message";
        "/query [NICK]" ["q"] "write to one user until /query or /room";
        "/reply TEXT" "reply to the last direct message";
        "/re [#room] N TEXT" "reply to message N";
        "/thread [#room] N" "show message N and its replies";
        "/react [#room] N EMOJI" "react to message N";
        "/unreact [#room] N EMOJI" "remove a reaction";
        "/edit [#room] N|last TEXT" "change your message N, or your last one";
        "/delete [#room] N|last [REASON]" ["del"] "delete your message";
        "/me TEXT" ["action"] "send an action";
        "/notice NICK|#room TEXT" "send a notice, which programs do not answer";
        "/say TEXT" "send text as it is, even if it begins with /";
    }
    "rooms", "join, leave, topic" {
        "/join #room [KEY]" ["j"] "join a room";
        "/part [#room] [REASON]" ["leave"] "leave a room";
        "/room [#room]" ["r"] "show or change the current room";
        "/list [MASK]" ["rooms"] "list rooms";
        "/topic [#room] [TEXT]" ["t"] "show or set a room's topic; - clears it";
        "/invite NICK [#room]" "invite a user to a room";
    }
    "people", "who, names, ignore" {
        "/names [#room]" ["users"] "list the users in a room";
        "/who [#room|MASK]" "list the users in a room, or matching a mask";
        "/whois NICK" "show who a user is";
        "/ignore [NICK]" "hide a user's messages; without a nick: list them";
        "/unignore NICK" "show their messages again";
    }
    "account", "nick, away, login" {
        "/nick NAME" ["name"] "change your nick";
        "/away [MESSAGE]" "mark yourself as away";
        "/back" "mark yourself as back";
        "/register PASSWORD" "register your nick as an account";
        "/login [NAME] PASSWORD" ["identify"] "log in to an account";
        "/logout" "log out of your account";
        "/password OLD NEW" ["passwd"] "change your account's password";
        "/cert add|list|del [FINGERPRINT]" "log in with the certificate of your TLS connection";
        "/quit [REASON]" ["exit", "bye"] "disconnect";
    }
    "history", "earlier, search" {
        "/history [#room|NICK] [N] | before|after N|TIME [COUNT]" ["last"]
            "show earlier messages; TIME is 10m, 2h, 12:30 or 2026-01-31T12:30";
        "/search WORDS [#room] [from NICK]" "search your rooms for messages";
    }
    "files", "send, save, delete" {
        "/upload FILE [#room]" "upload a file and share it in a room";
        "/download URL [FILE]" "save a file; goes on with one that was broken off";
        "/files [#room]" "list the files shared in a room";
        "/delfile URL" "delete a file that you have uploaded";
    }
    "screen", "hide, clear, bell" {
        "/help [TOPIC|COMMAND|all]" ["h", "?"] "explain the commands";
        "/clear" "clear the screen";
        "/hide [#room] [on|off|fold|auto]" "hide, show or fold joins, departures and absences";
        "/numbers on|off" "show or hide message numbers";
        "/bell off|pm|mention|all" "when to ring the bell";
        "/motd" "show the message of the day";
    }
    "moderation", "kick, ban, lock" {
        "/op NICK [#room]" "make a user an operator of the room";
        "/deop NICK [#room]" "remove operator status";
        "/voice NICK [#room]" "allow a user to speak in a moderated room";
        "/devoice NICK [#room]" "remove voice";
        "/kick [#room] NICK [REASON]" "kick a user from a room";
        "/ban [#room] [NICK|MASK]" "ban a user from a room; without a name: list the bans";
        "/unban [#room] NICK|MASK" "remove a ban";
        "/mute [#room] NICK|MASK" "prevent a user from speaking";
        "/unmute [#room] NICK|MASK" "allow a muted user to speak";
        "/lock [#room] topic|invite|moderated|external|secret|ctcp|key WORD|limit N"
            "restrict the room";
        "/unlock [#room] topic|invite|moderated|external|secret|ctcp|key|limit"
            "remove a restriction";
        "/mode [#room|NICK] [MODES]" ["modes"] "show or change modes";
    }
    "operator", "of the server" {
        "/oper NAME PASSWORD" "become a server operator";
        "/kill NICK [REASON]" "disconnect a user from the server";
        "/gban [ADDRESS|account:NAME] [10m|2h|3d] [REASON]"
            "ban from the server; without an address: list the bans";
        "/ungban ADDRESS|account:NAME" "remove a server ban";
        "/account [list] | add|reset NAME PASSWORD | delete NAME [erase]" "list or change accounts";
        "/announce TEXT" ["wall"] "send a message to everyone";
        "/connections" "list all connections";
        "/keep [#room]" "make a room permanent";
        "/unkeep [#room]" "make a room temporary again";
        "/stats" "show how full the server is";
        "/rehash" "reload the configuration";
        "/trace on|off" "switch the trace of the server's loop";
        "/loop" "make a link to the page that shows the loop";
        "/quote LINE" ["raw"] "send a raw line";
    }
}

/// All of them, in the order of `/help all`.
pub fn all() -> impl Iterator<Item = &'static Command> {
    TOPICS.iter().flat_map(|topic| topic.commands)
}

/// The command of a name, in capitals or not.
pub fn find(name: &str) -> Option<&'static Command> {
    let is = |known: &str| known.eq_ignore_ascii_case(name);
    all().find(|command| is(command.name()) || command.aliases.iter().any(|alias| is(alias)))
}

/// The command that a name misspells by one letter or two transposed ones.
pub fn almost(name: &str) -> Option<&'static Command> {
    let name = name.to_ascii_lowercase();
    let is_near = |command: &&Command| strsim::osa_distance(command.name(), &name) == 1;
    all().find(|command| name.len() > 2 && is_near(command))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_name_is_one_commands_and_stands_in_its_form() {
        let mut names = HashSet::new();
        for command in all() {
            assert!(
                command.usage.starts_with(&format!("/{}", command.name())),
                "{}",
                command.usage
            );
            for name in std::iter::once(command.name()).chain(command.aliases.iter().copied()) {
                assert!(names.insert(name), "{name} twice");
            }
        }
        assert_eq!(find("JOIN").unwrap().name(), "join");
        assert_eq!(find("j").unwrap().name(), "join");
        assert!(find("dance").is_none());
    }

    #[test]
    fn slips_of_the_finger() {
        for (typed, meant) in [
            ("lgoin", Some("login")),
            ("logi", Some("login")),
            ("loginn", Some("login")),
            ("Tpic", Some("topic")),
            ("nock", Some("nick")),
            ("dance", None),
            ("x", None),
        ] {
            assert_eq!(almost(typed).map(Command::name), meant, "{typed}");
        }
    }
}
