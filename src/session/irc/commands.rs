//! The table of commands, and the lookup of a line's command in it.

use super::{
    Context, about, account, capabilities, channel, files, history, messages, metadata, modes,
    multiline, operator, people, read_marker, registration, sasl, services, vendor,
};
use crate::session::frame::PasswordAnswer;
use crate::wire::irc::{Message, numeric};

/// Whether a command is for clients that have registered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    Before,
    After,
}

struct Row {
    name: &'static str,
    when: When,
    /// The fewest parameters it takes.
    least: usize,
    run: fn(&mut Context<'_, '_>, &Message<'_>),
}

macro_rules! rows {
    ($($name:literal $when:ident $least:literal $run:expr;)*) => {
        &[$(Row { name: $name, when: When::$when, least: $least, run: $run }),*]
    };
}

/// In alphabetical order.
static ROWS: &[Row] = rows! {
    "ACCOUNT" After 1 account::manage;
    "ADMIN" After 0 |context, message| about::here(context, message, about::admin);
    "AUTHENTICATE" Always 1 sasl::authenticate;
    "AWAY" After 0 people::away;
    "BATCH" After 1 multiline::batch;
    "CAP" Always 1 capabilities::cap;
    "CERT" After 1 account::cert;
    "CHANSERV" After 0 services::service;
    "CHATHISTORY" After 1 history::chathistory;
    "CHATLOOP" After 1 vendor::chatloop;
    "CS" After 0 services::service;
    "DELFILE" After 1 files::delfile;
    "ERROR" Always 0 |_, _| {};
    "FILES" After 1 files::files;
    "HELP" After 0 help;
    "HELPOP" After 0 help;
    "INFO" After 0 |context, message| about::here(context, message, about::info);
    "INVITE" After 0 channel::invite;
    "ISON" After 1 people::ison;
    "JOIN" After 1 channel::join;
    "KICK" After 2 channel::kick;
    "KILL" After 1 operator::kill;
    "LINKS" After 0 about::links;
    "LIST" After 0 channel::list;
    "LUSERS" After 0 |context, _| about::lusers(context);
    "MARKREAD" After 0 read_marker::markread;
    "METADATA" Always 0 metadata::metadata;
    "MODE" After 1 modes::mode;
    "MONITOR" After 1 people::monitor;
    "MOTD" After 0 |context, message| about::here(context, message, about::motd);
    "NAMES" After 0 channel::names;
    "NICK" Always 0 registration::nick;
    "NICKSERV" After 0 services::service;
    "NOTICE" After 0 messages::notice;
    "NS" After 0 services::service;
    "OPER" After 2 operator::oper;
    "PART" After 1 channel::part;
    "PASS" Before 1 registration::pass;
    "PING" Always 0 registration::ping;
    "PONG" Always 0 |_, _| {};
    "PRIVMSG" After 0 messages::privmsg;
    "QUIT" Always 0 registration::quit;
    "REDACT" After 2 messages::redact;
    "REGISTER" Always 3 account::register;
    "REHASH" After 0 operator::rehash;
    "RENAME" After 2 channel::rename;
    "SEARCH" After 1 vendor::search;
    "SETNAME" After 1 people::setname;
    "STATS" After 1 about::stats;
    "TAGMSG" After 1 messages::tagmsg;
    "TIME" After 0 |context, message| about::here(context, message, about::time);
    "TOPIC" After 1 channel::topic;
    "UPLOAD" After 0 files::upload;
    "USER" Before 4 registration::user;
    "USERHOST" After 1 people::userhost;
    "VERIFY" Always 2 account::verify;
    "VERSION" After 0 |context, message| about::here(context, message, about::version);
    "WALLOPS" After 1 operator::wallops;
    "WEBIRC" Before 4 registration::webirc;
    "WHO" After 0 people::who;
    "WHOIS" After 0 people::whois;
    "WHOWAS" After 0 people::whowas;
};

/// The names of all commands.
#[cfg(test)]
pub fn command_names() -> Vec<&'static str> {
    ROWS.iter().map(|row| row.name).collect()
}

/// Runs the command of a line.
pub(super) fn run(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let word = message.command.to_ascii_uppercase();
    let Ok(place) = ROWS.binary_search_by(|row| row.name.cmp(word.as_str())) else {
        context.session.command = "";
        return context.numeric(numeric::ERR_UNKNOWNCOMMAND, &[message.command]);
    };
    let row = &ROWS[place];
    context.session.command = row.name;
    context.session.subject = None;
    if registration::awaits_password(context) && !before_password(context, row, message) {
        return;
    }
    match (row.when, context.session.is_registered()) {
        (When::After, false) => context.numeric(numeric::ERR_NOTREGISTERED, &[]),
        (When::Before, true) => context.numeric(numeric::ERR_ALREADYREGISTERED, &[]),
        _ if message.parameters.len() < row.least => context.need_more(),
        _ => (row.run)(context, message),
    }
}

impl Context<'_, '_> {
    /// What came of the server's password. What has waited for it is done now.
    pub fn unlocked(&mut self, answer: PasswordAnswer) {
        match answer {
            PasswordAnswer::Wrong => registration::wrong_password(self),
            PasswordAnswer::TooEarly(wait) => registration::guessed_too_often(self, wait),
            PasswordAnswer::Right => {
                for (_, line) in registration::take_early(self) {
                    if let Ok(message) = Message::parse(line.as_bytes()) {
                        run(self, &message);
                    }
                }
            }
        }
    }
}

/// A command of a client that has not given the server's password yet; whether it may run now.
/// Such a client is told nothing about nicks and accounts, not even by an answer to NICK.
fn before_password(context: &mut Context<'_, '_>, row: &Row, message: &Message<'_>) -> bool {
    match row.name {
        "CAP" | "PASS" | "PING" | "PONG" | "QUIT" | "WEBIRC" => true,
        "NICK" | "USER" | "AUTHENTICATE" if message.parameters.len() >= row.least => {
            registration::keep_early(context, row.name, message);
            false
        }
        _ => {
            context.numeric(numeric::ERR_NOTREGISTERED, &[]);
            false
        }
    }
}

/// `HELP [command]`.
fn help(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [subject] = message.words();
    if subject.is_empty() {
        let all: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
        let mut reply = context.reply();
        reply.numeric_text(numeric::RPL_HELPSTART, &["*"], "Commands of this server:");
        for line in all.chunks(8) {
            reply.numeric_text(numeric::RPL_HELPTXT, &["*"], &line.join(" "));
        }
        return reply.numeric(numeric::RPL_ENDOFHELP, &["*"]);
    }
    let mut reply = context.reply();
    let Some(row) = ROWS.iter().find(|row| row.name.eq_ignore_ascii_case(subject)) else {
        return reply.numeric(numeric::ERR_HELPNOTFOUND, &[subject]);
    };
    let text = format!("{} is a command of this server,", row.name);
    reply.numeric_text(numeric::RPL_HELPSTART, &[subject], &text);
    let text = "as described in the Modern IRC Client Protocol and IRCv3.";
    reply.numeric_text(numeric::RPL_HELPTXT, &[subject], text);
    reply.numeric(numeric::RPL_ENDOFHELP, &[subject]);
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
        for row in ROWS {
            assert!(words.contains(&row.name), "docs/PROTOCOL.md lacks {}", row.name);
        }
    }
}
