//! Mistyped logins, held back before a whole room reads a password: in which commands is a text?

use super::commands::exists;
use crate::chat::Command;
use crate::wire::secrets;

/// Rejects a command whose message looks like a command with a password.
pub(super) fn check_command(command: &Command) -> Result<(), String> {
    match command {
        Command::Tell(to, _, text) => check(text).and(check(&format!("PRIVMSG {to} :{text}"))),
        Command::Say(_, _, text)
        | Command::Answer(text)
        | Command::Reply(_, _, text)
        | Command::Edit(_, _, text)
        | Command::Announce(text) => check(text),
        _ => Ok(()),
    }
}

fn check(text: &str) -> Result<(), String> {
    secrets::check(text, exists)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_a_command_with_a_password_is_known() {
        for (names, _) in secrets::COMMANDS {
            assert_eq!(super::super::commands::names(names[0]), names);
        }
    }
}
