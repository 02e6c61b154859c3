//! What happened, as lines.

use super::answers;
use super::{Bell, Style, Theme};
use crate::chat::{
    AccountStep, BanTarget, DirectMessage, Event, Identity, Kind, ModeChange, QuitReason, Quoted,
    RoomMessage, Viewpoint,
};
use crate::session::{refusal_text, time};
use crate::wire::clean::clean;
use std::io::Write;

const BLUE: &str = "\x1b[34;1m";
const RED: &str = "\x1b[31;1m";
const PURPLE: &str = "\x1b[35;1m";
const GREEN: &str = "\x1b[32m";
const RESET: &str = "\x1b[0m";
const RING: &str = "\x07";

/// How much of an answered message is repeated, in characters.
const EXCERPT: usize = 30;

/// "1 user", "2 users".
pub fn users(count: usize) -> String {
    format!("{count} {}", if count == 1 { "user" } else { "users" })
}

/// Adds one line of the server's own to `out`.
pub fn render_notice(look: Theme, text: &str, out: &mut Vec<u8>) {
    notice(look, GREEN, text, out);
}

/// Adds the lines that tell `event` to `out`; nothing, if there is nothing to tell.
pub fn render(look: Theme, event: &Event, viewpoint: Viewpoint, out: &mut Vec<u8>) {
    match event {
        Event::RoomMessage(line) => said(look, line, viewpoint, out),
        Event::DirectMessage(line) => told(look, line, viewpoint, out),
        Event::Entered { .. }
        | Event::Left { .. }
        | Event::Joined { .. }
        | Event::Parted { .. }
        | Event::Kicked { .. }
        | Event::Closed { .. }
        | Event::Welcome { .. } => coming_and_going(look, event, viewpoint, out),
        Event::Rooms(_)
        | Event::Who { .. }
        | Event::Whois(_)
        | Event::TopicIs { .. }
        | Event::ModesAre { .. }
        | Event::Bans { .. }
        | Event::Ignored(_)
        | Event::ServerBans(_)
        | Event::Connections(_)
        | Event::Past(_) => answers::render(look, event, out),
        // The journal's answer follows.
        Event::ReplayHistory(_) => {}
        _ => {
            if let Some(text) = words_for(look, event, viewpoint) {
                notice(look, GREEN, &text, out);
            }
        }
    }
}

/// What somebody is called: in classic style by address and port until they take a name.
pub(super) fn label(look: Theme, who: &Identity) -> &str {
    if look.style == Style::Classic && !who.named { &who.label } else { who.nick.as_str() }
}

/// The address, too, as long as nobody knows them by a name of their own.
fn full_label(look: Theme, who: &Identity) -> String {
    match look.style {
        Style::Plain if !who.named => format!("{} ({})", who.label, who.nick),
        _ => label(look, who).to_owned(),
    }
}

fn coming_and_going(look: Theme, event: &Event, viewpoint: Viewpoint, out: &mut Vec<u8>) {
    let own = viewpoint == Viewpoint::Actor;
    match event {
        Event::Welcome { who, online } => {
            let users = users(*online);
            let text = match look.style {
                Style::Plain => format!(
                    "connected as {}, {users} online; /help lists the commands, /quit leaves",
                    who.nick
                ),
                Style::Classic => format!("connected, {users} online; an empty line leaves"),
            };
            notice(look, BLUE, &text, out);
        }
        Event::Entered { who, online } if !own => {
            let (who, users) = (full_label(look, who), users(*online));
            notice(look, BLUE, &format!("a new user {who} entered, {users} online"), out);
        }
        Event::Left { who, departure, online } => {
            let (who, users) = (full_label(look, who), users(*online));
            let how = match departure {
                QuitReason::Quit => String::new(),
                QuitReason::Message(words) => format!(" ({words})"),
                QuitReason::Error(why) if look.style == Style::Plain => format!(" (error: {why})"),
                QuitReason::Error(_) => " (error)".to_owned(),
                QuitReason::Killed(why) if why.is_empty() => " (put out)".to_owned(),
                QuitReason::Killed(why) => format!(" (put out: {why})"),
            };
            notice(look, RED, &format!("the user {who} left{how}, {users} online"), out);
        }
        Event::Joined { who, room, members, topic, op, .. } => {
            let text = if own {
                let op = if *op { ", you are its op" } else { "" };
                let topic = topic.as_ref().map(|topic| format!("; topic: {}", topic.text));
                let users = users(*members);
                format!("you are in {room} now, {users} there{op}{}", topic.unwrap_or_default())
            } else {
                format!("{} entered {room}", label(look, who))
            };
            notice(look, BLUE, &text, out);
        }
        Event::Parted { who, room, reason } => {
            let reason = reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            let text = if own {
                format!("you left {room}{reason}")
            } else {
                format!("{} left {room}{reason}", label(look, who))
            };
            notice(look, RED, &text, out);
        }
        Event::Kicked { who, room, target, reason } => {
            let reason = reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            let (who, target) = (label(look, who), label(look, target));
            notice(look, RED, &format!("{who} has put {target} out of {room}{reason}"), out);
        }
        Event::Closed { why } => notice(look, RED, &refusal_text::of(why), out),
        _ => {}
    }
}

/// The words for what needs no looks of its own.
fn words_for(look: Theme, event: &Event, viewpoint: Viewpoint) -> Option<String> {
    let own = viewpoint == Viewpoint::Actor;
    let on_off = |on: bool, yes: &str, no: &str| if on { yes.to_owned() } else { no.to_owned() };
    Some(match event {
        Event::Renamed { who, .. } if own => format!("you are {} now", who.nick),
        Event::Renamed { who, before } => format!("{} is {} now", label(look, before), who.nick),
        Event::Away { message: Some(_), .. } if own => {
            "you are marked as away; /back ends that".to_owned()
        }
        Event::Away { message: None, .. } if own => "you are no longer away".to_owned(),
        Event::Away { who, message } => match message {
            Some(message) => format!("{} is away: {message}", label(look, who)),
            None => format!("{} is back", label(look, who)),
        },
        Event::Ignoring { nick, on } => {
            on_off(*on, &format!("you ignore {nick}"), &format!("you no longer ignore {nick}"))
        }
        Event::TopicSet { who, room, topic } if topic.text.is_empty() => {
            format!("{} has cleared the topic of {room}", label(look, who))
        }
        Event::TopicSet { who, room, topic } => {
            format!("{} has set the topic of {room}: {}", label(look, who), topic.text)
        }
        Event::RoomRenamed { who, before, room, reason } => {
            let reason = reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            format!("{} has renamed {before} to {room}{reason}", label(look, who))
        }
        Event::Invited { room, nick, .. } if own => format!("{nick} is invited to {room}"),
        Event::Invited { who, room, .. } => {
            format!("{} invites you to {room}; /join {room} enters it", label(look, who))
        }
        Event::ModesSet { who, room, changes } => {
            let changes: Vec<String> = changes.iter().map(ModeChange::to_string).collect();
            format!("{} has changed {room}: {}", label(look, who), changes.join(", "))
        }
        Event::Kept { room, on } => on_off(
            *on,
            &format!("{room} stays when everyone has left"),
            &format!("{room} ends when everyone has left"),
        ),
        Event::Reacted { who, room, message, text, on, .. } => {
            let (who, place) = (label(look, who), place(room.as_str(), message));
            let did = if *on { "reacts to" } else { "takes back from" };
            format!("{who} {did} {place}: {text}")
        }
        Event::Edited { who, room, message, text } => {
            format!("{} has changed {}: {text}", label(look, who), place(room.as_str(), message))
        }
        Event::Deleted { who, room, message, reason } => {
            deleted(label(look, who), room.as_str(), message, reason.as_deref())
        }
        Event::Wallops { who, text } => format!("to operators, by {}: {text}", label(look, who)),
        Event::Account { who, step } => account(look, who, *step, own)?,
        Event::Operator => "you are a server operator now".to_owned(),
        Event::Announced { who, text } => {
            format!("announcement by {}: {text}", label(look, who))
        }
        Event::ServerBan { target, on, until } => {
            let target = server_ban_target(target);
            let until = until.map(|until| format!(" until {} UTC", time::shown(until)));
            on_off(
                *on,
                &format!("{target} is banned from the server{}", until.unwrap_or_default()),
                &format!("{target} is no longer banned from the server"),
            )
        }
        Event::Refused(why) => refusal_text::of(why),
        _ => return None,
    })
}

fn deleted(who: &str, room: &str, message: &Quoted, reason: Option<&str>) -> String {
    let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    if room.starts_with('#') {
        format!("{who} has deleted {}{reason}", place(room, message))
    } else {
        format!("{who} has taken a private message back{reason}")
    }
}

fn account(look: Theme, who: &Identity, step: AccountStep, own: bool) -> Option<String> {
    let name = who.account.as_ref().unwrap_or(&who.nick);
    Some(match (step, own) {
        (AccountStep::Registered, true) => {
            format!("{name} is registered and yours; next time: /login {name} PASSWORD")
        }
        (AccountStep::LoggedIn, true) => format!("you are logged in as {name}"),
        (AccountStep::LoggedOut, true) => "you are logged out".to_owned(),
        (AccountStep::PasswordChanged, _) => "your password is changed".to_owned(),
        // In a room that knows somebody by another name it matters who they are.
        (AccountStep::LoggedIn, false) if who.named && *name != who.nick => {
            format!("{} is logged in as {name}", label(look, who))
        }
        _ => return None,
    })
}

pub(super) fn server_ban_target(target: &BanTarget) -> String {
    match target {
        BanTarget::Address(mask) => mask.clone(),
        BanTarget::Account(name) => format!("account:{name}"),
    }
}

/// `#rust 17 <alice>`: a reference to a message.
fn place(room: &str, message: &Quoted) -> String {
    format!("{room} {} <{}>", message.number, message.from)
}

/// The one line that is rendered for every message: no formatting machinery, no allocation, if it
/// is as most are.
fn said(look: Theme, said: &RoomMessage, viewpoint: Viewpoint, out: &mut Vec<u8>) {
    if viewpoint == Viewpoint::Actor {
        return;
    }
    let rings = look.bell == Bell::All || (said.mention && look.bell >= Bell::Mention);
    let mark = if said.mention { "*" } else { "" };
    for (number, text) in lines(&said.text) {
        begin(look, PURPLE, out);
        put(out, &[if rings && number == 0 { RING } else { "" }, mark]);
        if said.room.as_str() != "#lobby" {
            put(out, &[said.room.as_str(), " "]);
        }
        if look.numbers && number == 0 {
            // Writing to a Vec cannot fail.
            let _ = write!(out, "{} ", said.number);
        }
        put(out, &["[", label(look, &said.who)]);
        words(said.kind, said.reply.as_deref().filter(|_| number == 0), text, out);
        end(look, out);
    }
}

/// The lines of a message, which is one but for those of IRC clients that send several. What there
/// is one of for a message goes with the first: number, bell, what it answers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split('\n').enumerate()
}

fn told(look: Theme, told: &DirectMessage, viewpoint: Viewpoint, out: &mut Vec<u8>) {
    for (number, text) in lines(&told.text) {
        begin(look, PURPLE, out);
        if viewpoint == Viewpoint::Actor {
            put(out, &["[you -> ", told.to.as_str()]);
        } else {
            let rings = look.bell >= Bell::Private && number == 0;
            put(out, &[if rings { RING } else { "" }, "[", label(look, &told.who), " -> you"]);
        }
        words(told.kind, None, text, out);
        end(look, out);
    }
    if viewpoint == Viewpoint::Actor {
        if told.waits {
            let text = format!("{} is not here and gets it at the next login", told.to);
            notice(look, GREEN, &text, out);
        } else if let Some(away) = &told.away {
            notice(look, GREEN, &format!("{} is away: {away}", told.to), out);
        }
    }
}

/// What follows a speaker's name, from the closing bracket on.
pub(super) fn words(kind: Kind, reply: Option<&Quoted>, text: &str, out: &mut Vec<u8>) {
    let between = match kind {
        Kind::Message => "]: ",
        Kind::Action => "] ",
        Kind::Notice => "] (notice): ",
    };
    put(out, &[between]);
    if let Some(reply) = reply {
        // Writing to a Vec cannot fail.
        let _ = write!(out, "re {} <{}>", reply.number, reply.from);
        if let Some(quoted) = &reply.text {
            let end = quoted.char_indices().nth(EXCERPT).map_or(quoted.len(), |(end, _)| end);
            put(out, &[" "]);
            put_harmless(out, &quoted[..end]);
            put(out, &[if end < quoted.len() { "…" } else { "" }]);
        }
        put(out, &[": "]);
    }
    put_harmless(out, text);
}

/// Adds a text that an IRC client may have written: its formatting codes are controls, and a
/// terminal obeys those. What a plain client wrote is harmless already, and is not copied.
fn put_harmless(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(clean(text.as_bytes()).as_bytes());
}

pub(super) fn put(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

pub(super) fn begin(look: Theme, colour: &str, out: &mut Vec<u8>) {
    if look.style == Style::Classic {
        put(out, &["\r", colour]);
    }
}

pub(super) fn end(look: Theme, out: &mut Vec<u8>) {
    put(out, &["\n", if look.style == Style::Classic { RESET } else { "" }]);
}

/// A line of the server's own words.
pub(super) fn notice(look: Theme, colour: &str, text: &str, out: &mut Vec<u8>) {
    begin(look, colour, out);
    put(out, &[if look.style == Style::Plain { "* " } else { "" }]);
    put_harmless(out, text);
    end(look, out);
}
