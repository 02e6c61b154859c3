//! What may be typed? The vocabulary of a chatloop server's plain dialect, as far as IRC can
//! carry it, and `/quote` for the rest.

/// One command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Command {
    /// Its name, without the slash.
    pub name: &'static str,
    /// Other names of it.
    pub also: &'static [&'static str],
    /// How it is typed.
    pub form: &'static str,
    /// What it does.
    pub what: &'static str,
}

const fn command(
    name: &'static str,
    also: &'static [&'static str],
    form: &'static str,
    what: &'static str,
) -> Command {
    Command { name, also, form, what }
}

/// All of them, in the order of `/help`.
pub const COMMANDS: &[Command] = &[
    command("help", &["h", "?"], "/help [COMMAND]", "this list, or one command"),
    command("quit", &["exit", "bye"], "/quit [WORDS]", "leave, perhaps with words"),
    command("nick", &["name"], "/nick NAME", "take a name"),
    command("whois", &[], "/whois NICK", "who somebody is"),
    command("away", &[], "/away [MESSAGE]", "say that you are not there"),
    command("back", &[], "/back", "say that you are there again"),
    command(
        "ignore",
        &[],
        "/ignore [NICK]",
        "hear nothing that somebody says; without a nick: whom you ignore",
    ),
    command("unignore", &[], "/unignore NICK", "hear them again"),
    command("join", &["j"], "/join #room [KEY]", "enter a room"),
    command("part", &["leave"], "/part [#room] [REASON]", "leave a room"),
    command("room", &["r"], "/room [#room]", "which room words go to, or another one"),
    command("list", &["rooms"], "/list [MASK]", "which rooms there are"),
    command("names", &["users"], "/names [#room]", "who is in the room"),
    command("who", &[], "/who [#room|MASK]", "who is in the room, or everyone that a mask fits"),
    command("topic", &["t"], "/topic [#room] [TEXT]", "what a room is about; - clears it"),
    command("invite", &[], "/invite NICK [#room]", "let somebody into a room"),
    command("msg", &["m", "tell", "query"], "/msg NICK TEXT", "say something to one person"),
    command("reply", &[], "/reply TEXT", "answer who wrote to you last"),
    command("notice", &[], "/notice NICK|#room TEXT", "say something that no program answers"),
    command("me", &["action"], "/me TEXT", "do something"),
    command("say", &[], "/say TEXT", "say it, whatever it looks like"),
    command("re", &[], "/re N TEXT", "answer message N"),
    command("react", &[], "/react N EMOJI", "react to message N"),
    command("unreact", &[], "/unreact N EMOJI", "take a reaction back"),
    command("delete", &["del"], "/delete N [REASON]", "delete your message N"),
    command("numbers", &[], "/numbers on|off", "show the numbers of messages"),
    command("bell", &[], "/bell off|pm|mention|all", "when the bell rings"),
    command("history", &[], "/history [#room|NICK] [N] | before|after N [COUNT]", "what was said"),
    command("register", &[], "/register PASSWORD", "make your nick yours"),
    command("login", &["identify"], "/login [NAME] PASSWORD", "prove that an account is yours"),
    command("op", &[], "/op NICK [#room]", "make somebody an op"),
    command("deop", &[], "/deop NICK [#room]", "take that back"),
    command("voice", &[], "/voice NICK [#room]", "let somebody speak in a moderated room"),
    command("devoice", &[], "/devoice NICK [#room]", "take that back"),
    command("kick", &[], "/kick [#room] NICK [REASON]", "put somebody out of a room"),
    command(
        "ban",
        &[],
        "/ban [#room] [NICK|MASK]",
        "keep somebody out; without a name: who is kept out",
    ),
    command("unban", &[], "/unban [#room] NICK|MASK", "let them in again"),
    command("mute", &[], "/mute [#room] NICK|MASK", "let somebody listen but not speak"),
    command("unmute", &[], "/unmute [#room] NICK|MASK", "let them speak again"),
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
        "open it again",
    ),
    command("mode", &["modes"], "/mode [#room|NICK] [MODES]", "show or change modes"),
    command("motd", &[], "/motd", "the message of the day"),
    command("oper", &[], "/oper NAME PASSWORD", "become a server operator"),
    command("kill", &[], "/kill NICK [REASON]", "put somebody out of the server"),
    command("quote", &["raw"], "/quote LINE", "send a line as it is"),
];

/// What a chatloop server does in plain lines only: IRC has no words for it.
pub const ONLY_PLAIN: [&str; 3] = ["edit", "search", "thread"];

/// The command of a name, in capitals or not.
pub fn find(name: &str) -> Option<&'static Command> {
    let is = |known: &str| known.eq_ignore_ascii_case(name);
    COMMANDS.iter().find(|command| is(command.name) || command.also.iter().any(|also| is(also)))
}

/// The command that a name is almost: one letter other, more, less, or two that changed places.
pub fn almost(name: &str) -> Option<&'static Command> {
    let name = name.to_ascii_lowercase();
    COMMANDS.iter().find(|command| name.len() > 2 && is_near(command.name, &name))
}

fn is_near(one: &str, other: &str) -> bool {
    let same = |(one, other): (u8, u8)| one == other;
    let front = one.bytes().zip(other.bytes()).take_while(|pair| same(*pair)).count();
    let back = one.bytes().rev().zip(other.bytes().rev()).take_while(|pair| same(*pair)).count();
    let (short, long) = (one.len().min(other.len()), one.len().max(other.len()));
    if long - short == 1 {
        return front + back >= short;
    }
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let changed = long == short && front + 2 + back == long;
    long == short
        && (front + 1 + back >= long
            || (changed && one[front] == other[front + 1] && one[front + 1] == other[front]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_name_is_one_commands_and_stands_in_its_form() {
        let mut names = HashSet::new();
        for command in COMMANDS {
            assert!(command.form.starts_with(&format!("/{}", command.name)), "{}", command.form);
            for name in std::iter::once(&command.name).chain(command.also) {
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
