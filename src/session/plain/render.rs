//! Events as plain lines.

use super::lines::{BLUE, GREEN, LineWriter, PURPLE, RED, label};
use super::{Bell, Style, Theme, answers};
use crate::chat::{
    AccountStep, DirectMessage, Event, Flag, Identity, ModeChange, QuitReason, Quoted, Refusal,
    RoomMessage, Viewpoint,
};
use crate::session::{account_text, refusal_text};
use crate::wire::plural::counted;

const BELL: &str = "\x07";

/// Adds a line from the server to `out`.
pub fn render_notice(theme: Theme, text: &str, out: &mut Vec<u8>) {
    LineWriter::new(theme, out).notice(GREEN, text);
}

/// Adds the lines of `event` to `out`, if it has any.
pub fn render(theme: Theme, event: &Event, viewpoint: Viewpoint, out: &mut Vec<u8>) {
    let own = viewpoint == Viewpoint::Actor;
    let out = &mut LineWriter::new(theme, out);
    match event {
        Event::RoomMessage(message) => room_message(theme, message, viewpoint, out),
        Event::DirectMessage(message) => direct_message(theme, message, viewpoint, out),
        Event::ModesSet { who, room, changes } => {
            let who = label(theme, who);
            for change in changes {
                out.notice(GREEN, &mode_change(who, room.as_str(), change));
            }
        }
        _ => {
            let line = presence(theme, event, own)
                .or_else(|| about_rooms(theme, event, own).map(|text| (GREEN, text)))
                .or_else(|| about_users(theme, event, own).map(|text| (GREEN, text)));
            match line {
                Some((colour, text)) => out.notice(colour, &text),
                None => answers::render(theme, event, out),
            }
        }
    }
}

/// The nick, and the address of a user who has not chosen one.
fn full_label(theme: Theme, who: &Identity) -> String {
    match theme.style {
        Style::Plain if !who.named => format!("{} ({})", who.nick, who.label),
        _ => label(theme, who).to_owned(),
    }
}

fn because(reason: Option<&str>) -> String {
    reason.map(|reason| format!(" ({reason})")).unwrap_or_default()
}

/// Connecting and leaving, the server or a room. The classic style has the texts of the course
/// project here.
fn presence(theme: Theme, event: &Event, own: bool) -> Option<(&'static str, String)> {
    let classic = theme.style == Style::Classic;
    Some(match event {
        Event::Welcome { who, online } => {
            let (nick, users) = (&who.nick, counted(*online, "user"));
            let text = match theme.style {
                Style::Plain => format!(
                    "connected as {nick}, {users} online (/help lists commands, /quit disconnects)"
                ),
                Style::Classic => format!("connected, {users} online; an empty line leaves"),
            };
            (BLUE, text)
        }
        Event::Entered { who, online } if !own => {
            let (name, users) = (full_label(theme, who), counted(*online, "user"));
            let text = match theme.style {
                Style::Classic => format!("a new user {name} entered, {users} online"),
                Style::Plain => format!("{name} connected, {users} online"),
            };
            (BLUE, text)
        }
        Event::Left { who, departure, online } => {
            let (name, users) = (full_label(theme, who), counted(*online, "user"));
            let left = match (departure, classic) {
                (QuitReason::Quit, true) => format!("the user {name} left"),
                (QuitReason::Error(_), true) => format!("the user {name} left (error)"),
                (QuitReason::Message(text), true) => format!("the user {name} left ({text})"),
                (QuitReason::Quit, false) => format!("{name} quit"),
                (QuitReason::Message(text), false) => format!("{name} quit ({text})"),
                (QuitReason::Error(why), false) => format!("{name} quit ({why})"),
                (QuitReason::Killed(why), _) => {
                    let why = Some(&**why).filter(|why| !why.is_empty());
                    format!("{name} was killed{}", because(why))
                }
            };
            (RED, format!("{left}, {users} online"))
        }
        Event::Joined { room, members, topic, op, .. } if own => {
            let op = if *op { ", you are an operator" } else { "" };
            let topic = topic.as_ref().map(|topic| format!("; topic: {}", topic.text));
            let topic = topic.unwrap_or_default();
            (BLUE, format!("you joined {room} ({}{op}){topic}", counted(*members, "user")))
        }
        Event::Joined { who, room, .. } => (BLUE, format!("{} joined {room}", label(theme, who))),
        Event::Parted { who, room, reason } => {
            let who = if own { "you" } else { label(theme, who) };
            (RED, format!("{who} left {room}{}", because(reason.as_deref())))
        }
        Event::Kicked { who, room, target, reason } => {
            let (who, target) = (label(theme, who), label(theme, target));
            (RED, format!("{who} kicked {target} from {room}{}", because(reason.as_deref())))
        }
        Event::Closed { why } => (RED, refusal_text::of(why)),
        _ => return None,
    })
}

fn about_rooms(theme: Theme, event: &Event, own: bool) -> Option<String> {
    Some(match event {
        Event::TopicSet { who, room, topic } if topic.text.is_empty() => {
            format!("{} cleared the topic of {room}", label(theme, who))
        }
        Event::TopicSet { who, room, topic } => {
            format!("{} set the topic of {room} to \"{}\"", label(theme, who), topic.text)
        }
        Event::RoomRenamed { who, before, room, reason } => {
            let reason = because(reason.as_deref());
            format!("{} renamed {before} to {room}{reason}", label(theme, who))
        }
        Event::Invited { room, nick, .. } if own => format!("you invited {nick} to {room}"),
        Event::Invited { who, room, .. } => {
            format!("{} invited you to {room} (/join {room} accepts)", label(theme, who))
        }
        Event::Kept { room, on: true } => format!("{room} is now permanent"),
        Event::Kept { room, on: false } => {
            format!("{room} is no longer permanent: it is deleted when the last user leaves")
        }
        Event::Reacted { who, room, message, text, on, .. } => {
            let (place, who) = (place(room.as_str(), message, who), label(theme, who));
            match on {
                true => format!("{who} reacted to {place}: {text}"),
                false => format!("{who} removed a reaction from {place}: {text}"),
            }
        }
        Event::Edited { who, room, message, text } => {
            format!("{} edited {}: {text}", label(theme, who), place(room.as_str(), message, who))
        }
        Event::Deleted { who, room, message, reason } => {
            let (name, reason) = (label(theme, who), because(reason.as_deref()));
            match room.as_str().starts_with('#') {
                true => format!("{name} deleted {}{reason}", place(room.as_str(), message, who)),
                false => format!("{name} deleted a direct message{reason}"),
            }
        }
        _ => return None,
    })
}

fn about_users(theme: Theme, event: &Event, own: bool) -> Option<String> {
    Some(match event {
        Event::Renamed { who, .. } if own => format!("you are now known as {}", who.nick),
        Event::Renamed { who, before } => {
            format!("{} is now known as {}", label(theme, before), who.nick)
        }
        Event::Away { message: Some(_), .. } if own => {
            "you are now marked as away (/back ends it)".to_owned()
        }
        Event::Away { message: None, .. } if own => "you are no longer marked as away".to_owned(),
        Event::Away { who, message: Some(message) } => {
            format!("{} is away: {message}", label(theme, who))
        }
        Event::Away { who, message: None } => format!("{} is back", label(theme, who)),
        Event::Ignoring { nick, on: true } => format!("you are now ignoring {nick}"),
        Event::Ignoring { nick, on: false } => format!("you are no longer ignoring {nick}"),
        Event::Wallops { who, text } => {
            format!("message to operators from {}: {text}", label(theme, who))
        }
        Event::Announced { who, text } => {
            format!("announcement from {}: {text}", label(theme, who))
        }
        Event::Account { who, step } => account(theme, who, *step, own)?,
        Event::AccountManaged { account, what } => account_text::managed(account, *what),
        Event::Operator => "you are now a server operator".to_owned(),
        Event::ServerBan { target, on: true, until } => {
            let target = answers::server_ban_target(target);
            format!("server ban added: {target} ({})", answers::until(*until))
        }
        Event::ServerBan { target, on: false, .. } => {
            format!("server ban removed: {}", answers::server_ban_target(target))
        }
        Event::Refused(Refusal::NickInUse(nick)) if theme.style == Style::Classic => {
            format!("user name already exists: {nick}")
        }
        Event::Refused(why) => refusal_text::of(why),
        _ => return None,
    })
}

fn account(theme: Theme, who: &Identity, step: AccountStep, own: bool) -> Option<String> {
    let name = who.account.as_ref().unwrap_or(&who.nick);
    Some(match (step, own) {
        (AccountStep::Registered, true) => {
            format!("account {name} created (log in next time with /login {name} PASSWORD)")
        }
        (AccountStep::LoggedIn, true) => format!("you are now logged in as {name}"),
        (AccountStep::LoggedOut, true) => "you are now logged out".to_owned(),
        (AccountStep::Certificate(true), _) => {
            format!("certificate added: /cert login logs in to {name} with it")
        }
        (AccountStep::Certificate(false), _) => "certificate removed".to_owned(),
        (AccountStep::PasswordChanged, _) => "password changed".to_owned(),
        // In a room that knows a user by another name it matters who they are.
        (AccountStep::LoggedIn, false) if who.named && *name != who.nick => {
            format!("{} logged in as {name}", label(theme, who))
        }
        _ => return None,
    })
}

fn mode_change(who: &str, room: &str, change: &ModeChange) -> String {
    match change {
        ModeChange::Op(nick, true) => format!("{who} made {nick} an operator of {room}"),
        ModeChange::Op(nick, false) => format!("{who} removed {nick} as an operator of {room}"),
        ModeChange::Voice(nick, true) => format!("{who} gave voice to {nick} in {room}"),
        ModeChange::Voice(nick, false) => format!("{who} took voice from {nick} in {room}"),
        ModeChange::Ban(mask, on) => {
            let un = if *on { "" } else { "un" };
            match mask.strip_prefix("m:") {
                Some(mask) => format!("{who} {un}muted {} in {room}", masked(mask)),
                None => format!("{who} {un}banned {} from {room}", masked(mask)),
            }
        }
        ModeChange::Except(mask, on) => exception(who, room, "ban", mask, *on),
        ModeChange::Invitable(mask, on) => exception(who, room, "invite", mask, *on),
        ModeChange::Key(Some(key)) => format!("{who} set the key of {room} to {key}"),
        ModeChange::Key(None) => format!("{who} removed the key of {room}"),
        ModeChange::Limit(Some(limit)) => {
            format!("{who} limited {room} to {}", counted(*limit as usize, "user"))
        }
        ModeChange::Limit(None) => format!("{who} removed the user limit of {room}"),
        ModeChange::Flag(flag, on) => match (flag, on) {
            (Flag::InviteOnly, true) => format!("{who} made {room} invite-only"),
            (Flag::InviteOnly, false) => format!("{who} opened {room} to users without invitation"),
            (Flag::Moderated, true) => format!("{who} made {room} moderated"),
            (Flag::Moderated, false) => format!("{who} made {room} unmoderated"),
            (Flag::NoCtcp, true) => {
                format!("{who} closed {room} to requests between clients (CTCP)")
            }
            (Flag::NoCtcp, false) => {
                format!("{who} opened {room} to requests between clients (CTCP)")
            }
            (Flag::NoExternal, true) => format!("{who} closed {room} to messages from outside"),
            (Flag::NoExternal, false) => format!("{who} opened {room} to messages from outside"),
            (Flag::Secret, true) => format!("{who} made {room} secret"),
            (Flag::Secret, false) => format!("{who} made {room} public"),
            (Flag::TopicLocked, true) => format!("{who} locked the topic of {room}"),
            (Flag::TopicLocked, false) => format!("{who} unlocked the topic of {room}"),
        },
    }
}

fn exception(who: &str, room: &str, list: &str, mask: &str, on: bool) -> String {
    let did = if on { "added a" } else { "removed the" };
    format!("{who} {did} {list} exception for {} in {room}", masked(mask))
}

/// Whom a mask means, for a reader: the nick or account, if it is for one.
fn masked(mask: &str) -> String {
    match (mask.strip_prefix("a:"), mask.strip_suffix("!*@*")) {
        (Some(account), _) => format!("account {account}"),
        (None, Some(nick)) => nick.to_owned(),
        _ => mask.to_owned(),
    }
}

/// Which message is meant; its author is named if someone else does it.
fn place(room: &str, message: &Quoted, who: &Identity) -> String {
    let Quoted { number, from, .. } = message;
    if *from == who.nick {
        return format!("message {number} in {room}");
    }
    format!("message {number} by {from} in {room}")
}

/// The line that is rendered most: no formatting machinery and no allocation in the usual case.
fn room_message(
    theme: Theme,
    message: &RoomMessage,
    viewpoint: Viewpoint,
    out: &mut LineWriter<'_>,
) {
    if viewpoint == Viewpoint::Actor {
        return;
    }
    let rings = theme.bell == Bell::All || (message.mention && theme.bell >= Bell::Mention);
    for (number, text) in lines(&message.text) {
        out.begin(PURPLE);
        out.fixed(if rings && number == 0 { BELL } else { "" });
        out.fixed(if message.mention { "*" } else { "" });
        if message.room.as_str() != "#lobby" {
            out.text(message.room.as_str());
            out.fixed(" ");
        }
        if theme.numbers && number == 0 {
            out.number(message.number);
            out.fixed(" ");
        }
        out.fixed("[");
        out.text(label(theme, &message.who));
        out.body(message.kind, message.reply.as_deref().filter(|_| number == 0), text);
        out.end();
    }
}

/// The lines of a message: one, unless an IRC client sent several. Number, bell and quotation go
/// with the first.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split('\n').enumerate()
}

fn direct_message(
    theme: Theme,
    message: &DirectMessage,
    viewpoint: Viewpoint,
    out: &mut LineWriter<'_>,
) {
    let own = viewpoint == Viewpoint::Actor;
    for (number, text) in lines(&message.text) {
        out.begin(PURPLE);
        if own {
            out.fixed("[you -> ");
            out.text(message.to.as_str());
        } else {
            out.fixed(if theme.bell >= Bell::Private && number == 0 { BELL } else { "" });
            out.fixed("[");
            out.text(label(theme, &message.who));
            out.fixed(" -> you");
        }
        out.body(message.kind, None, text);
        out.end();
    }
    let to = &message.to;
    if own && message.waits {
        let text = format!("{to} is offline; the message will be delivered at the next login");
        out.notice(GREEN, &text);
    } else if let Some(away) = message.away.as_ref().filter(|_| own) {
        out.notice(GREEN, &format!("{to} is away: {away}"));
    }
}
