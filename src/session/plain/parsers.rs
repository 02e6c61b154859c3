//! How is understood what stands behind a command, where that takes more than its row of the table?
//!
//! Each function here takes what is left of the line and makes the request of it, or says what is
//! wrong; the form is put behind that by `commands`. Words one by one are from `arguments`.

use super::arguments::Line;
use super::{Bell, Session};
use crate::chat::{BanTarget, Command, Flag, ModeChange, Moment, Name, Pick, Range, limits};
use crate::session::action::Action;
use crate::session::refusal_text::short;
use crate::session::time;
use std::sync::Arc;

/// What a parser may need to know.
pub(super) struct Context<'a> {
    pub(super) session: &'a mut Session,
    pub(super) rooms: &'a [Name],
    pub(super) now: Moment,
}

pub(super) fn run(command: Command) -> Result<Action, String> {
    Ok(Action::Do(command))
}

pub(super) fn tell(text: &str) -> Result<Action, String> {
    Ok(Action::Tell(vec![text.to_owned()]))
}

/// Refuses more words, without repeating them: they may be part of a password.
pub(super) fn quiet_end(line: Line<'_>, wrong: &str) -> Result<(), String> {
    line.end().map_err(|_| wrong.to_owned())
}

/// The room that is named, or the current one.
pub(super) fn room_or_current<'a>(
    context: &Context<'_>,
    mut line: Line<'a>,
) -> Result<(Arc<str>, Line<'a>), String> {
    if let Some(room) = line.room() {
        return Ok((room.into(), line));
    }
    let current = context.session.current(context.rooms);
    let room = current.ok_or("you are in no room; name one: #room")?.shared();
    Ok((room, line))
}

pub(super) fn about_message<'a>(
    context: &Context<'_>,
    line: Line<'a>,
) -> Result<(Arc<str>, Pick, Line<'a>), String> {
    let (room, mut line) = room_or_current(context, line)?;
    let pick = line.message()?;
    Ok((room, pick, line))
}

pub(super) fn who(context: &mut Context<'_>, mut line: Line<'_>) -> Result<Action, String> {
    let room = match line.word() {
        None => context.session.current(context.rooms).map(Name::shared),
        Some("*") => None,
        Some(room) if room.starts_with('#') => Some(room.into()),
        Some(other) => return Err(format!("\"{}\" is no room", short(other))),
    };
    line.end()?;
    run(Command::Who(room))
}

pub(super) fn room(context: &mut Context<'_>, mut line: Line<'_>) -> Result<Action, String> {
    let Some(room) = line.word() else {
        let Some(current) = context.session.current(context.rooms) else {
            return tell("you are in no room");
        };
        let all: Vec<&str> = context.rooms.iter().map(Name::as_str).collect();
        return tell(&format!("your words go to {current}; you are in {}", all.join(", ")));
    };
    line.end()?;
    if context.rooms.iter().any(|joined| *joined == room) {
        return switch(context, room);
    }
    run(Command::Join(room.into(), None))
}

pub(super) fn switch(context: &mut Context<'_>, room: &str) -> Result<Action, String> {
    if let Some(joined) = context.rooms.iter().find(|joined| **joined == room) {
        context.session.chosen = Some(joined.clone());
    }
    tell(&format!("your words go to {room} now"))
}

pub(super) fn topic(context: &mut Context<'_>, line: Line<'_>) -> Result<Action, String> {
    let (room, line) = room_or_current(context, line)?;
    match line.some_rest() {
        None => run(Command::Topic(room)),
        Some("-") => run(Command::SetTopic(room, "".into())),
        Some(text) => run(Command::SetTopic(room, text.into())),
    }
}

pub(super) fn react(context: &mut Context<'_>, line: Line<'_>, on: bool) -> Result<Action, String> {
    let (room, pick, mut line) = about_message(context, line)?;
    let text = line.need("the reaction")?;
    line.end()?;
    let bare = text.strip_prefix(':').and_then(|text| text.strip_suffix(':'));
    let text = bare.filter(|bare| !bare.is_empty()).unwrap_or(text);
    run(Command::React(room, pick, text.into(), on))
}

pub(super) fn history(context: &mut Context<'_>, mut line: Line<'_>) -> Result<Action, String> {
    let named = line.room().map(Arc::from);
    let mut peer = None;
    let mut range = Range::Latest;
    let mut next = line.word();
    match next {
        Some("before") => range = Range::Before(line.point(context.now)?),
        Some("after") => range = Range::After(line.point(context.now)?),
        Some(word) if word.parse::<u32>().is_err() => peer = Some(word),
        _ => {}
    }
    if range != Range::Latest || peer.is_some() {
        next = line.word();
    }
    let count = match next.map(str::parse::<u32>) {
        None => None,
        Some(Ok(count)) if (1..=limits::HISTORY_LINES).contains(&count) => Some(count),
        Some(_) => {
            return Err(format!("how many is a number from 1 to {}", limits::HISTORY_LINES));
        }
    };
    line.end()?;
    if let Some(peer) = peer {
        return run(Command::PrivateHistory(peer.into(), range, count));
    }
    let room = match named {
        Some(room) => room,
        None => room_or_current(context, line)?.0,
    };
    run(Command::History(room, range, count))
}

pub(super) fn search(_: &mut Context<'_>, line: Line<'_>) -> Result<Action, String> {
    let mut words: Vec<&str> = line.need_rest("what to search")?.split_whitespace().collect();
    let mut from = None;
    let mut room = None;
    loop {
        match words[..] {
            [_, .., "from", nick] if from.is_none() => {
                from = Some(nick.into());
                words.truncate(words.len() - 2);
            }
            [_, .., last] if room.is_none() && last.starts_with('#') => {
                room = Some(last.into());
                words.truncate(words.len() - 1);
            }
            _ => break,
        }
    }
    run(Command::Search(words.join(" ").into(), room, from))
}

pub(super) fn bell(context: &mut Context<'_>, mut line: Line<'_>) -> Result<Action, String> {
    let (bell, when) = match line.need("off, pm, mention or all")? {
        "off" => (Bell::Off, "never"),
        "pm" => (Bell::Private, "when somebody writes to you alone"),
        "mention" => (Bell::Mention, "when somebody writes to you alone or mentions you"),
        "all" => (Bell::All, "whenever something is said"),
        other => {
            return Err(format!("\"{}\" is not off, pm, mention or all", short(other)));
        }
    };
    line.end()?;
    context.session.look.bell = bell;
    tell(&format!("the bell rings {when}"))
}

pub(super) fn member_mode(
    context: &mut Context<'_>,
    mut line: Line<'_>,
    change: fn(Name) -> ModeChange,
) -> Result<Action, String> {
    let named = line.room().map(Arc::from);
    let nick = Name::new(line.need("the nick")?);
    let (room, line) = match named {
        Some(room) => (room, line),
        None => room_or_current(context, line)?,
    };
    line.end()?;
    run(Command::SetModes(room, vec![change(nick)]))
}

pub(super) fn mask_mode(
    context: &mut Context<'_>,
    line: Line<'_>,
    change: fn(&str) -> ModeChange,
) -> Result<Action, String> {
    let (room, mut line) = room_or_current(context, line)?;
    let mask = line.need("the nick or mask")?;
    line.end()?;
    run(Command::SetModes(room, vec![change(mask)]))
}

pub(super) fn lock(context: &mut Context<'_>, line: Line<'_>, on: bool) -> Result<Action, String> {
    let (room, mut line) = room_or_current(context, line)?;
    let change = match line.need("what to lock")? {
        "topic" => ModeChange::Flag(Flag::TopicLocked, on),
        "invite" => ModeChange::Flag(Flag::InviteOnly, on),
        "moderated" => ModeChange::Flag(Flag::Moderated, on),
        "external" => ModeChange::Flag(Flag::NoExternal, on),
        "secret" => ModeChange::Flag(Flag::Secret, on),
        "key" if on => ModeChange::Key(Some(line.need("the key")?.into())),
        "key" => ModeChange::Key(None),
        "limit" if on => match line.need("the limit")?.parse::<u32>() {
            Ok(limit) if limit > 0 => ModeChange::Limit(Some(limit)),
            _ => return Err("the limit is a number above 0".to_owned()),
        },
        "limit" => ModeChange::Limit(None),
        other => return Err(format!("\"{}\" cannot be locked", short(other))),
    };
    line.end()?;
    run(Command::SetModes(room, vec![change]))
}

pub(super) fn keep(context: &mut Context<'_>, line: Line<'_>, on: bool) -> Result<Action, String> {
    let (room, line) = room_or_current(context, line)?;
    line.end()?;
    run(Command::Keep(room, on))
}

pub(super) fn server_ban(_: &mut Context<'_>, mut line: Line<'_>) -> Result<Action, String> {
    let Some(word) = line.word() else { return run(Command::ServerBans) };
    let mut rest = line;
    let duration = rest.word().and_then(time::span);
    let line = if duration.is_some() { rest } else { line };
    run(Command::ServerBan(target(word), duration, line.some_rest().map(Arc::from)))
}

/// `account:NAME`, or an address with `*` and `?`.
pub(super) fn target(word: &str) -> BanTarget {
    match word.strip_prefix("account:") {
        Some(name) => BanTarget::Account(Name::new(name)),
        None => BanTarget::Address(word.to_owned()),
    }
}
