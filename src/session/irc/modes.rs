//! Which modes has a channel or a user, and how are they changed? MODE.

use super::channel::{no_such_channel, visible};
use super::fields;
use super::{Context, settings};
use crate::chat::{Command, Flag, ModeChange, Name, Room, User, UserMode, limits};
use crate::wire::irc::mode::{ModeChange as Wanted, ModeTable, Sign};
use crate::wire::irc::{Message, numeric};

const TABLE: ModeTable<'static> = ModeTable {
    list: settings::CHANNEL_MODES[0],
    always: settings::CHANNEL_MODES[1],
    on_set: settings::CHANNEL_MODES[2],
    never: settings::CHANNEL_MODES[3],
    member: settings::MEMBER_MODES.0,
};

/// `MODE target [letters arguments…]`.
pub(super) fn mode(context: &mut Context<'_, '_>, message: &Message<'_>) {
    let [target, rest @ ..] = message.parameters.as_slice() else { return };
    if target.starts_with('#') {
        of_channel(context, target, rest)
    } else {
        of_user(context, target, rest)
    }
}

fn of_channel(context: &mut Context<'_, '_>, name: &str, words: &[&str]) {
    let Some(room) = visible(context, name) else { return no_such_channel(context, name) };
    if words.is_empty() {
        return tell_modes(context, room);
    }
    let mut changes = Vec::new();
    let mut unknown: Vec<char> = Vec::new();
    for wanted in TABLE.changes(words) {
        let on = wanted.sign == Sign::Plus;
        match (wanted.letter, wanted.argument) {
            (letter @ ('b' | 'e' | 'I'), None | Some("")) => tell_masks(context, room, letter),
            _ if wanted.kind.is_none() => {
                if !unknown.contains(&wanted.letter) {
                    unknown.push(wanted.letter);
                    let letter = wanted.letter.to_string();
                    context.reply().numeric(numeric::ERR_UNKNOWNMODE, &[&letter]);
                }
            }
            _ => match change(&wanted, on, room) {
                Ok(Some(change)) => changes.push(change),
                Ok(None) => {}
                Err(text) => {
                    let (letter, argument) = (wanted.letter.to_string(), wanted.argument);
                    let fits = |text: &&str| !text.is_empty() && text.len() <= limits::KEY_LENGTH;
                    let argument = argument.filter(fits).unwrap_or("*");
                    let words = [room.name.as_str(), &letter, argument];
                    context.reply().numeric_text(numeric::ERR_INVALIDMODEPARAM, &words, text);
                }
            },
        }
    }
    changes.truncate(limits::MODES_PER_COMMAND);
    // One by one: a member who is not there does not stop the others' changes.
    let user = context.user();
    let allowed = user.is_some_and(|user| context.view.hub.moderates(user, room).is_ok());
    if !changes.is_empty() && !allowed {
        let words = [room.name.as_str()];
        return context.reply().numeric(numeric::ERR_CHANOPRIVSNEEDED, &words);
    }
    changes.retain(|change| match change {
        ModeChange::Op(nick, _) | ModeChange::Voice(nick, _) => {
            let session = context.view.hub.session_of(nick.as_str());
            let there = session.is_some_and(|session| room.member(session).is_some());
            match (session, there) {
                (None, _) => {
                    let words = [nick.as_str()];
                    context.reply().numeric(numeric::ERR_NOSUCHNICK, &words);
                }
                (Some(_), false) => {
                    let words = [nick.as_str(), room.name.as_str()];
                    context.reply().numeric(numeric::ERR_USERNOTINCHANNEL, &words);
                }
                _ => {}
            }
            there
        }
        // To take away what is not there is no fault.
        ModeChange::Ban(mask, false) => {
            let full = crate::chat::Mask::parse(mask);
            full.is_some_and(|full| room.masks('b').iter().any(|ban| ban.mask == full))
        }
        _ => true,
    });
    if !changes.is_empty() {
        context.run(Command::SetModes(room.name.shared(), changes));
    }
}

/// The chat's word for a change; nothing if it lacks its argument, or why it cannot be.
fn change(wanted: &Wanted<'_>, on: bool, room: &Room) -> Result<Option<ModeChange>, &'static str> {
    let flag = |letter| Flag::ALL.into_iter().find(|flag| flag.letter() == letter);
    Ok(match (wanted.letter, wanted.argument) {
        ('o', Some(nick)) => Some(ModeChange::Op(Name::new(nick), on)),
        ('v', Some(nick)) => Some(ModeChange::Voice(Name::new(nick), on)),
        ('b', Some(mask)) => Some(ModeChange::Ban(mask.to_owned(), on)),
        ('e', Some(mask)) => Some(ModeChange::Except(mask.to_owned(), on)),
        ('I', Some(mask)) => Some(ModeChange::Invitable(mask.to_owned(), on)),
        ('k', Some(key)) if on => {
            if !crate::wire::irc::name::is_channel_key(key, limits::KEY_LENGTH) {
                return Err("is not a key: one word without commas, and not too long");
            }
            Some(ModeChange::Key(Some(key.into())))
        }
        ('k', _) if !on => room.modes.key.as_ref().map(|_| ModeChange::Key(None)),
        ('l', Some(limit)) => match limit.parse() {
            Ok(limit) if limit > 0 => Some(ModeChange::Limit(Some(limit))),
            _ => return Err("is not a number of members"),
        },
        ('l', None) if !on => Some(ModeChange::Limit(None)),
        (letter, _) => flag(letter).map(|flag| ModeChange::Flag(flag, on)),
    })
}

/// The modes of a channel and when it was opened.
fn tell_modes(context: &mut Context<'_, '_>, room: &Room) {
    let inside = room.member(context.view.me).is_some();
    let (key, limit) = (room.modes.key.as_deref(), room.modes.limit.map(|limit| limit.to_string()));
    let mut letters = String::from("+");
    let mut arguments = Vec::new();
    letters.extend(Flag::ALL.into_iter().filter(|flag| room.modes.has(*flag)).map(Flag::letter));
    if let Some(key) = key {
        letters.push('k');
        // That there is a key may be known; which one may not.
        arguments.push(if inside { key } else { "*" });
    }
    if let Some(limit) = &limit {
        letters.push('l');
        arguments.push(limit);
    }
    let words = [&[room.name.as_str(), letters.as_str()], arguments.as_slice()].concat();
    let mut reply = context.reply();
    reply.numeric(numeric::RPL_CHANNELMODEIS, &words);
    let words = [room.name.as_str(), &fields::seconds(room.created)];
    reply.numeric(numeric::RPL_CHANNELCREATED, &words);
}

/// One of a channel's lists of masks.
fn tell_masks(context: &mut Context<'_, '_>, room: &Room, letter: char) {
    let (line, end, text) = match letter {
        'b' => (numeric::RPL_BANLIST, numeric::RPL_ENDOFBANLIST, "End of channel ban list"),
        'e' => {
            (numeric::RPL_EXCEPTLIST, numeric::RPL_ENDOFEXCEPTLIST, "End of channel exception list")
        }
        _ => (
            numeric::RPL_INVEXLIST,
            numeric::RPL_ENDOFINVEXLIST,
            "End of channel invite exception list",
        ),
    };
    let mut reply = context.reply();
    for ban in room.masks(letter) {
        let (mask, time) = (ban.mask.to_string(), fields::seconds(ban.time));
        reply.numeric(line, &[room.name.as_str(), &mask, ban.by.as_str(), &time]);
    }
    reply.numeric_text(end, &[room.name.as_str()], text);
}

fn of_user(context: &mut Context<'_, '_>, nick: &str, words: &[&str]) {
    let Some(user) = context.user() else { return };
    if user.identity.nick != *nick {
        let there = context.view.hub.session_of(nick);
        let mut reply = context.reply();
        return match there {
            Some(_) => reply.numeric(numeric::ERR_USERSDONTMATCH, &[]),
            None => reply.numeric(numeric::ERR_NOSUCHNICK, &[nick]),
        };
    }
    let Some(letters) = words.first() else {
        return context.reply().numeric(numeric::RPL_UMODEIS, &[&of(user)]);
    };
    let mut changes = Vec::new();
    let mut on = true;
    let mut unknown = false;
    for letter in letters.chars() {
        match UserMode::ALL.into_iter().find(|mode| mode.letter() == letter) {
            _ if matches!(letter, '+' | '-') => on = letter == '+',
            Some(mode) => changes.push((mode, on)),
            None => unknown = true,
        }
    }
    if unknown {
        context.reply().numeric(numeric::ERR_UMODEUNKNOWNFLAG, &[]);
    }
    if !changes.is_empty() {
        context.run(Command::UserModes(changes));
    }
}

/// Somebody's own modes.
pub(super) fn of(user: &User) -> String {
    let modes = UserMode::ALL.into_iter().filter(|mode| user.is(*mode));
    std::iter::once('+').chain(modes.map(UserMode::letter)).collect()
}

/// Changes of a channel's modes as they are sent: the letters, and their arguments.
pub(super) fn shown(changes: &[ModeChange]) -> (String, Vec<String>) {
    let mut letters = String::new();
    let mut arguments = Vec::new();
    let mut last = None;
    for change in changes {
        let (letter, on, argument) = match change {
            ModeChange::Flag(flag, on) => (flag.letter(), *on, None),
            ModeChange::Key(key) => {
                ('k', key.is_some(), Some(key.as_deref().unwrap_or("*").to_owned()))
            }
            ModeChange::Limit(limit) => {
                ('l', limit.is_some(), limit.map(|limit| limit.to_string()))
            }
            ModeChange::Ban(mask, on) => ('b', *on, Some(mask.clone())),
            ModeChange::Except(mask, on) => ('e', *on, Some(mask.clone())),
            ModeChange::Invitable(mask, on) => ('I', *on, Some(mask.clone())),
            ModeChange::Op(nick, on) => ('o', *on, Some(nick.as_str().to_owned())),
            ModeChange::Voice(nick, on) => ('v', *on, Some(nick.as_str().to_owned())),
        };
        if last != Some(on) {
            letters.push(if on { '+' } else { '-' });
            last = Some(on);
        }
        letters.push(letter);
        arguments.extend(argument);
    }
    (letters, arguments)
}

/// Changes of somebody's own modes, as they are told of them.
pub(super) fn tell_user_modes(context: &mut Context<'_, '_>, changes: &[(UserMode, bool)]) {
    let Some(user) = context.user() else { return };
    let mut letters = String::new();
    let mut last = None;
    for (mode, on) in changes {
        if last != Some(*on) {
            letters.push(if *on { '+' } else { '-' });
            last = Some(*on);
        }
        letters.push(mode.letter());
    }
    let source = fields::prefix(&user.identity);
    let mut lines = context.out.lines();
    let line = lines.line().source(&source).command("MODE");
    let _ = line.middle(user.identity.nick.as_str()).middle(&letters).end();
}
