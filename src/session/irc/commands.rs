//! Every command: one row, by which it is found, counted and let in or not.

use super::Context;
use super::{
    about, account, capabilities, channel, history, messages, metadata, modes, multiline, operator,
    people, read_marker, registration, sasl,
};
use crate::wire::irc::{Message, numeric};

/// When a command may be given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    /// Before the client is in.
    Outside,
    /// Once it is in.
    Inside,
}

/// One command.
struct Row {
    name: &'static str,
    when: When,
    /// How many parameters it has at least.
    least: usize,
    run: fn(&mut Context<'_, '_>, &Message<'_>),
}

macro_rules! rows {
    ($($name:literal $when:ident $least:literal $run:expr;)*) => {
        &[$(Row { name: $name, when: When::$when, least: $least, run: $run }),*]
    };
}

/// All commands, in alphabetical order.
static ROWS: &[Row] = rows! {
    "ADMIN" Inside 0 about::admin;
    "AUTHENTICATE" Always 1 sasl::authenticate;
    "AWAY" Inside 0 people::away;
    "BATCH" Inside 1 multiline::batch;
    "CAP" Always 1 capabilities::cap;
    "CHATHISTORY" Inside 1 history::chathistory;
    "ERROR" Always 0 |_, _| {};
    "HELP" Inside 0 about::help;
    "HELPOP" Inside 0 about::help;
    "INFO" Inside 0 about::info;
    "INVITE" Inside 0 channel::invite;
    "ISON" Inside 1 people::ison;
    "JOIN" Inside 1 channel::join;
    "KICK" Inside 2 channel::kick;
    "KILL" Inside 1 operator::kill;
    "LINKS" Inside 0 about::links;
    "LIST" Inside 0 channel::list;
    "LUSERS" Inside 0 |context, _| about::lusers(context);
    "MARKREAD" Inside 0 read_marker::markread;
    "METADATA" Always 0 metadata::metadata;
    "MODE" Inside 1 modes::mode;
    "MONITOR" Inside 1 people::monitor;
    "MOTD" Inside 0 about::motd_command;
    "NAMES" Inside 0 channel::names;
    "NICK" Always 0 registration::nick;
    "NOTICE" Inside 0 messages::notice;
    "OPER" Inside 2 operator::oper;
    "PART" Inside 1 channel::part;
    "PASS" Outside 1 registration::pass;
    "PING" Always 0 registration::ping;
    "PONG" Always 0 |_, _| {};
    "PRIVMSG" Inside 0 messages::privmsg;
    "QUIT" Always 0 registration::quit;
    "REDACT" Inside 2 messages::redact;
    "REGISTER" Always 3 account::register;
    "REHASH" Inside 0 operator::rehash;
    "RENAME" Inside 2 channel::rename;
    "SETNAME" Inside 1 people::setname;
    "STATS" Inside 1 about::stats;
    "TAGMSG" Inside 1 messages::tagmsg;
    "TIME" Inside 0 about::time;
    "TOPIC" Inside 1 channel::topic;
    "USER" Outside 4 registration::user;
    "USERHOST" Inside 1 people::userhost;
    "VERIFY" Always 2 account::verify;
    "VERSION" Inside 0 about::version;
    "WALLOPS" Inside 1 operator::wallops;
    "WHO" Inside 0 people::who;
    "WHOIS" Inside 0 people::whois;
    "WHOWAS" Inside 0 people::whowas;
};

/// Carries out a line.
pub(super) fn run(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let word = message.command.to_ascii_uppercase();
    let Ok(place) = ROWS.binary_search_by(|row| row.name.cmp(word.as_str())) else {
        context.session.command = "";
        context.reply().numeric(numeric::ERR_UNKNOWNCOMMAND, &[message.command]);
        return;
    };
    let row = &ROWS[place];
    context.session.command = row.name;
    context.session.subject = None;
    match (row.when, context.session.is_in()) {
        (When::Inside, false) => {
            context.reply().numeric(numeric::ERR_NOTREGISTERED, &[row.name]);
        }
        (When::Outside, true) => {
            context.reply().numeric(numeric::ERR_ALREADYREGISTERED, &[]);
        }
        _ if message.parameters.len() < row.least => need_more(context),
        _ => (row.run)(context, message),
    }
}

/// The command in hand lacks a parameter.
pub(super) fn need_more(context: &mut Context<'_, '_>) {
    let command = context.session.command;
    context.reply().numeric(numeric::ERR_NEEDMOREPARAMS, &[command]);
}

/// The names of all commands, for HELP.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ROWS.iter().map(|row| row.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(ROWS.windows(2).all(|rows| rows[0].name < rows[1].name));
    }

    #[test]
    fn the_page_names_every_command() {
        let (_, irc) = include_str!("../../../docs/PROTOCOL.md").split_once("\n## IRC\n").unwrap();
        let (_, table) = irc.split_once("### IRC commands\n").unwrap();
        let (table, _) = table.split_once("\n### ").unwrap();
        let words: Vec<&str> = table.split(|letter: char| !letter.is_ascii_uppercase()).collect();
        for name in names() {
            assert!(words.contains(&name), "docs/PROTOCOL.md lacks {name}");
        }
    }
}
