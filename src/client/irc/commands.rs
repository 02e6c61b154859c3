//! The commands of the client in IRC: the names are those of a chatloop server's plain dialect, as
//! far as IRC can carry them, and `/quote` for the rest.

/// One command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Command {
    /// Its name, without the slash.
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    pub usage: &'static str,
    pub summary: &'static str,
}

const fn command(
    name: &'static str,
    aliases: &'static [&'static str],
    usage: &'static str,
    summary: &'static str,
) -> Command {
    Command { name, aliases, usage, summary }
}

/// All of them, in the order of `/help`.
pub const COMMANDS: &[Command] = &[
    command("help", &["h", "?"], "/help [COMMAND]", "list the commands, or explain one"),
    command("quit", &["exit", "bye"], "/quit [REASON]", "disconnect"),
    command("nick", &["name"], "/nick NAME", "change your nick"),
    command("whois", &[], "/whois NICK", "show who a user is"),
    command("away", &[], "/away [MESSAGE]", "mark yourself as away"),
    command("back", &[], "/back", "mark yourself as back"),
    command(
        "ignore",
        &[],
        "/ignore [NICK]",
        "hide a user's messages; without a nick: list ignored users",
    ),
    command("unignore", &[], "/unignore NICK", "show their messages again"),
    command("join", &["j"], "/join #room [KEY]", "join a room"),
    command("part", &["leave"], "/part [#room] [REASON]", "leave a room"),
    command("room", &["r"], "/room [#room]", "show or change the current room"),
    command("list", &["rooms"], "/list [MASK]", "list rooms"),
    command("names", &["users"], "/names [#room]", "list the users in a room"),
    command("who", &[], "/who [#room|MASK]", "list the users in a room, or matching a mask"),
    command("topic", &["t"], "/topic [#room] [TEXT]", "show or set a room's topic; - clears it"),
    command("invite", &[], "/invite NICK [#room]", "invite a user to a room"),
    command("msg", &["m", "tell", "query"], "/msg NICK TEXT", "send a direct message"),
    command("reply", &[], "/reply TEXT", "reply to the last direct message"),
    command(
        "notice",
        &[],
        "/notice NICK|#room TEXT",
        "send a notice, which programs do not answer",
    ),
    command("me", &["action"], "/me TEXT", "send an action"),
    command("say", &[], "/say TEXT", "send text as it is, even if it begins with /"),
    command("re", &[], "/re N TEXT", "reply to message N"),
    command("react", &[], "/react N EMOJI", "react to message N"),
    command("unreact", &[], "/unreact N EMOJI", "remove a reaction"),
    command("delete", &["del"], "/delete N [REASON]", "delete your message N"),
    command("numbers", &[], "/numbers on|off", "show or hide message numbers"),
    command("bell", &[], "/bell off|pm|mention|all", "when to ring the bell"),
    command(
        "history",
        &[],
        "/history [#room|NICK] [N] | before|after N [COUNT]",
        "show earlier messages",
    ),
    command("register", &[], "/register PASSWORD", "register your nick as an account"),
    command("login", &["identify"], "/login [NAME] PASSWORD", "log in to an account"),
    command("op", &[], "/op NICK [#room]", "make a user an operator of the room"),
    command("deop", &[], "/deop NICK [#room]", "remove operator status"),
    command("voice", &[], "/voice NICK [#room]", "allow a user to speak in a moderated room"),
    command("devoice", &[], "/devoice NICK [#room]", "remove voice"),
    command("kick", &[], "/kick [#room] NICK [REASON]", "kick a user from a room"),
    command(
        "ban",
        &[],
        "/ban [#room] [NICK|MASK]",
        "ban a user from a room; without a name: list the bans",
    ),
    command("unban", &[], "/unban [#room] NICK|MASK", "remove a ban"),
    command("mute", &[], "/mute [#room] NICK|MASK", "prevent a user from speaking"),
    command("unmute", &[], "/unmute [#room] NICK|MASK", "allow a muted user to speak"),
    command(
        "lock",
        &[],
        "/lock [#room] topic|invite|moderated|external|secret|key WORD|limit N",
        "restrict the room",
    ),
    command(
        "unlock",
        &[],
        "/unlock [#room] topic|invite|moderated|external|secret|key|limit",
        "remove a restriction",
    ),
    command("mode", &["modes"], "/mode [#room|NICK] [MODES]", "show or change modes"),
    command("motd", &[], "/motd", "show the message of the day"),
    command("oper", &[], "/oper NAME PASSWORD", "become a server operator"),
    command("kill", &[], "/kill NICK [REASON]", "disconnect a user from the server"),
    command("quote", &["raw"], "/quote LINE", "send a raw line"),
];

/// Commands that a chatloop server has in plain lines only.
pub const ONLY_PLAIN: [&str; 3] = ["edit", "search", "thread"];

/// The command of a name, in capitals or not.
pub fn find(name: &str) -> Option<&'static Command> {
    let is = |known: &str| known.eq_ignore_ascii_case(name);
    COMMANDS
        .iter()
        .find(|command| is(command.name) || command.aliases.iter().any(|alias| is(alias)))
}

/// The command that a name misspells by one letter or two transposed ones.
pub fn almost(name: &str) -> Option<&'static Command> {
    let name = name.to_ascii_lowercase();
    let is_near = |command: &&Command| strsim::osa_distance(command.name, &name) == 1;
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
            assert!(command.usage.starts_with(&format!("/{}", command.name)), "{}", command.usage);
            for name in std::iter::once(&command.name).chain(command.aliases) {
                assert!(names.insert(name), "{name} twice");
            }
        }
        assert_eq!(find("JOIN").unwrap().name, "join");
        assert_eq!(find("j").unwrap().name, "join");
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
            assert_eq!(almost(typed).map(|it| it.name), meant, "{typed}");
        }
    }
}
