//! The commands of the client in IRC: the names are those of a chatloop server's plain dialect, as
//! far as IRC can carry them, and `/quote` for the rest.

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

    /// Whether its arguments are text, which may contain words that begin with a colon.
    pub fn takes_text(&self) -> bool {
        let kinds = ["TEXT", "REASON", "MESSAGE", "EMOJI", "LINE", "PASSWORD"];
        kinds.iter().any(|kind| self.usage.contains(kind))
    }
}

const fn command(
    usage: &'static str,
    aliases: &'static [&'static str],
    summary: &'static str,
) -> Command {
    Command { usage, aliases, summary }
}

/// All of them, in the order of `/help`.
pub const COMMANDS: &[Command] = &[
    command("/help [COMMAND]", &["h", "?"], "list the commands, or explain one"),
    command("/quit [REASON]", &["exit", "bye"], "disconnect"),
    command("/nick NAME", &["name"], "change your nick"),
    command("/whois NICK", &[], "show who a user is"),
    command("/away [MESSAGE]", &[], "mark yourself as away"),
    command("/back", &[], "mark yourself as back"),
    command("/ignore [NICK]", &[], "hide a user's messages; without a nick: list ignored users"),
    command("/unignore NICK", &[], "show their messages again"),
    command("/join #room [KEY]", &["j"], "join a room"),
    command("/part [#room] [REASON]", &["leave"], "leave a room"),
    command("/room [#room]", &["r"], "show or change the current room"),
    command("/list [MASK]", &["rooms"], "list rooms"),
    command("/names [#room]", &["users"], "list the users in a room"),
    command("/who [#room|MASK]", &[], "list the users in a room, or matching a mask"),
    command("/topic [#room] [TEXT]", &["t"], "show or set a room's topic; - clears it"),
    command("/invite NICK [#room]", &[], "invite a user to a room"),
    command("/msg NICK TEXT", &["m", "tell", "query"], "send a direct message"),
    command("/reply TEXT", &[], "reply to the last direct message"),
    command("/notice NICK|#room TEXT", &[], "send a notice, which programs do not answer"),
    command("/me TEXT", &["action"], "send an action"),
    command("/say TEXT", &[], "send text as it is, even if it begins with /"),
    command("/re N TEXT", &[], "reply to message N"),
    command("/react N EMOJI", &[], "react to message N"),
    command("/unreact N EMOJI", &[], "remove a reaction"),
    command("/delete N [REASON]", &["del"], "delete your message N"),
    command("/numbers on|off", &[], "show or hide message numbers"),
    command("/bell off|pm|mention|all", &[], "when to ring the bell"),
    command("/history [#room|NICK] [N] | before|after N [COUNT]", &[], "show earlier messages"),
    command("/upload FILE [#room]", &[], "upload a file and share it in a room"),
    command("/download URL [FILE]", &[], "save a file; goes on with one that was broken off"),
    command("/files [#room]", &[], "list the files shared in a room"),
    command("/delfile URL", &[], "delete a file that you have uploaded"),
    command("/register PASSWORD", &[], "register your nick as an account"),
    command("/login [NAME] PASSWORD", &["identify"], "log in to an account"),
    command("/op NICK [#room]", &[], "make a user an operator of the room"),
    command("/deop NICK [#room]", &[], "remove operator status"),
    command("/voice NICK [#room]", &[], "allow a user to speak in a moderated room"),
    command("/devoice NICK [#room]", &[], "remove voice"),
    command("/kick [#room] NICK [REASON]", &[], "kick a user from a room"),
    command(
        "/ban [#room] [NICK|MASK]",
        &[],
        "ban a user from a room; without a name: list the bans",
    ),
    command("/unban [#room] NICK|MASK", &[], "remove a ban"),
    command("/mute [#room] NICK|MASK", &[], "prevent a user from speaking"),
    command("/unmute [#room] NICK|MASK", &[], "allow a muted user to speak"),
    command(
        "/lock [#room] topic|invite|moderated|external|secret|ctcp|key WORD|limit N",
        &[],
        "restrict the room",
    ),
    command(
        "/unlock [#room] topic|invite|moderated|external|secret|ctcp|key|limit",
        &[],
        "remove a restriction",
    ),
    command("/mode [#room|NICK] [MODES]", &["modes"], "show or change modes"),
    command("/motd", &[], "show the message of the day"),
    command("/oper NAME PASSWORD", &[], "become a server operator"),
    command("/kill NICK [REASON]", &[], "disconnect a user from the server"),
    command("/quote LINE", &["raw"], "send a raw line"),
];

/// Commands that a chatloop server has in plain lines only.
pub const ONLY_PLAIN: [&str; 3] = ["edit", "search", "thread"];

/// The command of a name, in capitals or not.
pub fn find(name: &str) -> Option<&'static Command> {
    let is = |known: &str| known.eq_ignore_ascii_case(name);
    COMMANDS
        .iter()
        .find(|command| is(command.name()) || command.aliases.iter().any(|alias| is(alias)))
}

/// The command that a name misspells by one letter or two transposed ones.
pub fn almost(name: &str) -> Option<&'static Command> {
    let name = name.to_ascii_lowercase();
    let is_near = |command: &&Command| strsim::osa_distance(command.name(), &name) == 1;
    COMMANDS.iter().find(|command| name.len() > 2 && is_near(command))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_name_is_one_commands_and_stands_in_its_form() {
        let mut names = HashSet::new();
        for command in COMMANDS {
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
