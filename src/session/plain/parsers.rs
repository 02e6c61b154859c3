//! The commands whose arguments take more than a row of the table to parse.
//!
//! Parsers for commands whose arguments need more than a row of the table. Each function takes the
//! rest of the line and returns the action or what is wrong, to which `commands` adds the usage.

use super::arguments::{Fault, Line, point_in_history};
use super::session::Session;
use super::theme::Bell;
use crate::chat::{
    BanTarget, Command, Flag, Listing, ModeChange, Moment, Name, Pick, Range, Secret, Walk, limits,
};
use crate::session::action::Action;
use crate::session::fingerprint::canonical;
use crate::session::refusal_text::short;
use crate::session::time;
use std::sync::Arc;

pub(super) type Parsed = Result<Action, Fault>;

/// What the arguments may refer to.
pub(super) struct Context<'a> {
    pub(super) session: &'a mut Session,
    /// The rooms that the peer is in.
    pub(super) rooms: &'a [Name],
    pub(super) now: Moment,
}

pub(super) fn run(command: Command) -> Parsed {
    Ok(Action::Do(command))
}

pub(super) fn list(listing: Listing) -> Parsed {
    run(Command::List(Box::new(listing)))
}

/// A command without arguments.
pub(super) fn alone(line: Line<'_>, parsed: Parsed) -> Parsed {
    line.end().and(parsed)
}

/// A command whose only argument is a word.
pub(super) fn of_word(mut line: Line<'_>, command: impl FnOnce(&str) -> Command) -> Parsed {
    let word = line.need()?;
    alone(line, run(command(word)))
}

/// A command whose only argument is a room, which may be the current one.
pub(super) fn of_room(
    context: &Context<'_>,
    line: Line<'_>,
    action: impl FnOnce(Arc<str>) -> Action,
) -> Parsed {
    let (room, line) = room_or_current(context, line)?;
    alone(line, Ok(action(room)))
}

pub(super) fn tell(text: &str) -> Parsed {
    Ok(Action::Tell(vec![text.to_owned()]))
}

/// A password, the last argument. More words are not repeated: they may be a part of it.
pub(super) fn password(mut line: Line<'_>) -> Result<Secret, Fault> {
    let secret = Secret::new(line.need()?);
    match line.end() {
        Ok(()) => Ok(secret),
        Err(_) => Err(Fault::Invalid("passwords cannot contain spaces".to_owned())),
    }
}

/// The room that is named, or the current one.
pub(super) fn room_or_current<'a>(
    context: &Context<'_>,
    mut line: Line<'a>,
) -> Result<(Arc<str>, Line<'a>), Fault> {
    if let Some(room) = line.room() {
        return Ok((room.into(), line));
    }
    let none = || Fault::Invalid("you are not in any room".to_owned());
    Ok((context.session.current(context.rooms).ok_or_else(none)?.shared(), line))
}

pub(super) fn about_message<'a>(
    context: &Context<'_>,
    line: Line<'a>,
) -> Result<(Arc<str>, Pick, Line<'a>), Fault> {
    let (room, mut line) = room_or_current(context, line)?;
    let pick = line.message()?;
    Ok((room, pick, line))
}

pub(super) fn who(context: &mut Context<'_>, mut line: Line<'_>) -> Parsed {
    let room = match line.word() {
        None => context.session.current(context.rooms).map(Name::shared),
        Some("*") => None,
        Some(room) if room.starts_with('#') => Some(room.into()),
        Some(other) => return Err(Fault::invalid("room name", other)),
    };
    line.end()?;
    list(Listing::Who(room, Walk::default()))
}

pub(super) fn room(context: &mut Context<'_>, mut line: Line<'_>) -> Parsed {
    let Some(room) = line.word() else {
        let Some(current) = context.session.current(context.rooms) else {
            return tell("you are not in any room");
        };
        let all: Vec<&str> = context.rooms.iter().map(Name::as_str).collect();
        let all = all.join(", ");
        return tell(&format!("your messages go to {current} (you are in {all})"));
    };
    line.end()?;
    if context.rooms.iter().any(|joined| *joined == room) {
        return switch(context, room);
    }
    run(Command::Join(room.into(), None))
}

pub(super) fn switch(context: &mut Context<'_>, room: &str) -> Parsed {
    if let Some(joined) = context.rooms.iter().find(|joined| **joined == room) {
        context.session.choose(joined.clone());
    }
    tell(&format!("your messages now go to {room}"))
}

pub(super) fn topic(context: &mut Context<'_>, line: Line<'_>) -> Parsed {
    let (room, line) = room_or_current(context, line)?;
    match line.rest() {
        None => run(Command::Topic(room)),
        Some("-") => run(Command::SetTopic(room, "".into())),
        Some(text) => run(Command::SetTopic(room, text.into())),
    }
}

pub(super) fn react(context: &mut Context<'_>, line: Line<'_>, on: bool) -> Parsed {
    let (room, pick, mut line) = about_message(context, line)?;
    let text = line.need()?;
    line.end()?;
    let bare = text.strip_prefix(':').and_then(|text| text.strip_suffix(':'));
    let text = bare.filter(|bare| !bare.is_empty()).unwrap_or(text);
    run(Command::React(room, pick, text.into(), on))
}

pub(super) fn history(context: &mut Context<'_>, mut line: Line<'_>) -> Parsed {
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
            let (count, most) = (short(next.unwrap_or_default()), limits::HISTORY_LINES);
            return Err(Fault::Invalid(format!("invalid count \"{count}\": use 1 to {most}")));
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

pub(super) fn search(context: &mut Context<'_>, line: Line<'_>) -> Parsed {
    let mut words: Vec<&str> = line.need_rest()?.split_whitespace().collect();
    let (mut from, mut room, mut range) = (None, None, Range::Latest);
    loop {
        match words[..] {
            [_, .., "before", point]
                if range == Range::Latest
                    && let Some(point) = point_in_history(point, context.now) =>
            {
                range = Range::Before(point);
                words.truncate(words.len() - 2);
            }
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
    run(Command::Search(words.join(" ").into(), room, from, range))
}

pub(super) fn bell(context: &mut Context<'_>, mut line: Line<'_>) -> Parsed {
    let (bell, when) = match line.need()? {
        "off" => (Bell::Off, "is off"),
        "pm" => (Bell::Private, "rings for direct messages"),
        "mention" => (Bell::Mention, "rings for direct messages and mentions"),
        "all" => (Bell::All, "rings for all messages"),
        other => return Err(Fault::invalid("setting", other)),
    };
    line.end()?;
    context.session.theme_mut().bell = bell;
    tell(&format!("the bell now {when}"))
}

pub(super) fn member_mode(
    context: &mut Context<'_>,
    mut line: Line<'_>,
    change: fn(Name, bool) -> ModeChange,
    on: bool,
) -> Parsed {
    let named = line.room().map(Arc::from);
    let nick = Name::new(line.need()?);
    let (room, line) = match named {
        Some(room) => (room, line),
        None => room_or_current(context, line)?,
    };
    line.end()?;
    run(Command::SetModes(room, vec![change(nick, on)]))
}

pub(super) fn mask_mode(
    context: &mut Context<'_>,
    line: Line<'_>,
    change: fn(&str) -> ModeChange,
) -> Parsed {
    let (room, mut line) = room_or_current(context, line)?;
    let mask = line.need()?;
    line.end()?;
    run(Command::SetModes(room, vec![change(mask)]))
}

pub(super) fn lock(context: &mut Context<'_>, line: Line<'_>, on: bool) -> Parsed {
    let (room, mut line) = room_or_current(context, line)?;
    let change = match line.need()? {
        "topic" => ModeChange::Flag(Flag::TopicLocked, on),
        "invite" => ModeChange::Flag(Flag::InviteOnly, on),
        "ctcp" => ModeChange::Flag(Flag::NoCtcp, on),
        "moderated" => ModeChange::Flag(Flag::Moderated, on),
        "external" => ModeChange::Flag(Flag::NoExternal, on),
        "secret" => ModeChange::Flag(Flag::Secret, on),
        "key" if on => ModeChange::Key(Some(line.need()?.into())),
        "key" => ModeChange::Key(None),
        "limit" if on => match line.need()?.parse::<u32>() {
            Ok(limit) if limit > 0 => ModeChange::Limit(Some(limit)),
            _ => return Err(Fault::Invalid("invalid limit: use a number above 0".to_owned())),
        },
        "limit" => ModeChange::Limit(None),
        other => return Err(Fault::invalid("restriction", other)),
    };
    line.end()?;
    run(Command::SetModes(room, vec![change]))
}

pub(super) fn keep(context: &mut Context<'_>, line: Line<'_>, on: bool) -> Parsed {
    of_room(context, line, |room| Action::Do(Command::Keep(room, on)))
}

pub(super) fn server_ban(_: &mut Context<'_>, mut line: Line<'_>) -> Parsed {
    let Some(word) = line.word() else {
        return list(Listing::ServerBans(Walk::default()));
    };
    let target = target(word);
    if let BanTarget::Account(name) = &target
        && Name::nick(name.as_str()).is_err()
    {
        return Err(Fault::invalid("account name", name.as_str()));
    }
    let mut rest = line;
    let duration =
        rest.word().filter(|word| is_like_duration(word)).map(ban_duration).transpose()?;
    let line = if duration.is_some() { rest } else { line };
    run(Command::ServerBan(target, duration, line.rest().map(Arc::from)))
}

/// Whether a word is meant as a duration: with a slip in it, it must not become the reason of a
/// permanent ban.
fn is_like_duration(word: &str) -> bool {
    word.trim_start_matches(['-', '+']).starts_with(|first: char| first.is_ascii_digit())
}

fn ban_duration(word: &str) -> Result<i64, Fault> {
    let fits = |span: &i64| (1..=time::LONGEST).contains(span);
    time::span(word).filter(fits).ok_or_else(|| {
        let why = "use for example 90s, 10m, 2h or 3d, at most 5200w; without one it is permanent";
        Fault::Invalid(format!("invalid duration \"{}\": {why}", short(word)))
    })
}

pub(super) fn account(_: &mut Context<'_>, mut line: Line<'_>) -> Parsed {
    let what = line.word();
    if let None | Some("list") = what {
        return alone(line, list(Listing::Accounts(Walk::default())));
    }
    let name = line.need()?.into();
    match what {
        Some("add") => run(Command::SetAccount(name, password(line)?, true)),
        Some("reset") => run(Command::SetAccount(name, password(line)?, false)),
        Some("delete") => {
            let erases = match line.word() {
                None => false,
                Some("erase") => true,
                Some(other) => return Err(Fault::invalid("option", other)),
            };
            line.end()?;
            run(Command::DeleteAccount(name, erases))
        }
        _ => Err(Fault::Usage),
    }
}

/// `add`, `list`, `login` or `del FINGERPRINT`.
pub(super) fn certificate(_: &mut Context<'_>, mut line: Line<'_>) -> Parsed {
    let what = line.need()?;
    let action = match what {
        "add" => Action::AddCertificate,
        "list" => Action::Do(Command::Certificates),
        "login" => Action::LogInByCertificate,
        "del" => Action::Do(Command::Certificate(canonical(line.need()?), false)),
        other => return Err(Fault::invalid("action", other)),
    };
    line.end()?;
    Ok(action)
}

/// `account:NAME`, or an address with `*` and `?`.
pub(super) fn target(word: &str) -> BanTarget {
    match word.strip_prefix("account:") {
        Some(name) => BanTarget::Account(Name::new(name)),
        None => BanTarget::Address(word.to_owned()),
    }
}
