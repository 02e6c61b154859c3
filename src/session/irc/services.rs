//! A stand-in for services: NickServ's usual requests, carried out, and a word about ChanServ's.

use super::Context;
use crate::chat::{Command, Secret};
use crate::wire::irc::Message;

const NICKSERV: [&str; 3] = [
    "NickServ is part of this server. REGISTER PASSWORD registers your nick, IDENTIFY [NICK] PASSWORD \
     logs in to it, LOGOUT logs out.",
    "To be logged in from the first line on, let your client do it by SASL (PLAIN or SCRAM-SHA-256).",
    "A lost password is for the operators of this server.",
];
const CHANSERV: [&str; 2] = [
    "There is no ChanServ: an operator of a channel who is logged in is one again after a reconnect.",
    "/mode, /topic, /kick and /invite do the rest.",
];
const NONE: [&str; 1] = ["There are no services on this server; HELP lists its commands."];

/// `NICKSERV request`, `CHANSERV request` and their short forms.
pub(super) fn service(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let request = message.parameters.join(" ");
    answer(context, context.session.command, &request);
}

/// Whether a message is for a service, which has answered it then.
pub(super) fn takes(context: &mut Context<'_, '_>, to: &str, text: &str) -> bool {
    let name = to.split('@').next().unwrap_or_default();
    let ends = name.len().checked_sub(4).and_then(|start| name.get(start..));
    let is_one = ends.is_some_and(|end| end.eq_ignore_ascii_case("serv"))
        && context.view.hub.session_of(name).is_none();
    if is_one {
        answer(context, name, text);
    }
    is_one
}

fn answer(context: &mut Context<'_, '_>, service: &str, request: &str) {
    let is = |names: &[&str]| names.iter().any(|name| service.eq_ignore_ascii_case(name));
    let help = match () {
        () if is(&["NickServ", "NS"]) => match nickserv(context, request) {
            Some(command) => return context.run(command),
            None => &NICKSERV[..],
        },
        () if is(&["ChanServ", "CS"]) => &CHANSERV[..],
        () => &NONE[..],
    };
    let mut reply = context.reply();
    help.iter().for_each(|line| reply.notice(line));
}

/// The command that a request stands for; `None` if it is another one, or lacks its password.
fn nickserv(context: &Context<'_, '_>, request: &str) -> Option<Command> {
    let words: Vec<&str> = request.split_ascii_whitespace().collect();
    let (first, rest) = words.split_first()?;
    match (first.to_ascii_uppercase().as_str(), rest) {
        ("REGISTER", [password, ..]) => Some(Command::Register(Secret::new(*password))),
        ("IDENTIFY" | "LOGIN" | "ID", [name, password]) => {
            Some(Command::Login((*name).into(), Secret::new(*password)))
        }
        ("IDENTIFY" | "LOGIN" | "ID", [password]) => {
            let nick = context.user()?.identity.nick.shared();
            Some(Command::Login(nick, Secret::new(*password)))
        }
        ("LOGOUT", []) => Some(Command::Logout),
        _ => None,
    }
}
