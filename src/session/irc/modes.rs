//! Channel and user modes: MODE.

use super::lookup::{self, visible};
use super::mode_letters::ModeString;
use super::{Context, fields, settings};
use crate::chat::{Command, Flag, Mask, ModeChange, Moment, Name, Room, User, UserMode, limits};
use crate::wire::irc::mode::{ModeChange as Requested, ModeTable, Sign};
use crate::wire::irc::{Message, name, numeric};

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
    match target.starts_with('#') {
        true => channel_modes(context, target, rest),
        false => user_modes(context, target, rest),
    }
}

fn channel_modes(context: &mut Context<'_, '_>, name: &str, words: &[&str]) {
    let Some(room) = visible(context, name) else {
        return context.numeric(numeric::ERR_NOSUCHCHANNEL, &[name]);
    };
    if words.is_empty() {
        return tell_modes(context, room);
    }
    let mut changes = requested(context, room, words);
    changes.truncate(limits::MODES_PER_COMMAND);
    let user = context.user();
    let allowed = user.is_some_and(|user| context.view.hub.moderates(user, room).is_ok());
    if !changes.is_empty() && !allowed {
        return context.numeric(numeric::ERR_CHANOPRIVSNEEDED, &[room.name.as_str()]);
    }
    // One by one: one missing member does not stop the other changes.
    changes.retain(|change| applies(context, room, change));
    if changes.is_empty() {
        return;
    }
    // A request is answered, even if it asks for what is so already.
    if changes.iter().all(|change| is_so(room, change)) {
        return tell_modes(context, room);
    }
    // Of several lists, the one that will be full first.
    let added = changes.iter().filter(|change| change.adds_mask()).map(|change| change.parts().1);
    let list = added.max_by_key(|letter| room.masks(*letter).len());
    context.session.subject =
        list.map(|letter| Box::from([room.name.as_str().to_owned(), letter.to_string()]));
    context.run(Command::SetModes(room.name.shared(), changes));
}

/// Whether a room is as a change wants it. The lists are not looked at: they have replies of their own.
fn is_so(room: &Room, change: &ModeChange) -> bool {
    match change {
        ModeChange::Flag(flag, on) => room.modes.has(*flag) == *on,
        ModeChange::Key(key) => room.modes.key == *key,
        ModeChange::Limit(limit) => room.modes.limit == *limit,
        _ => false,
    }
}

/// The changes a line asks for. Lists are shown and errors replied on the way.
fn requested(context: &mut Context<'_, '_>, room: &Room, words: &[&str]) -> Vec<ModeChange> {
    let mut changes = Vec::new();
    let mut unknown: Vec<char> = Vec::new();
    for requested in TABLE.changes(words) {
        match (requested.letter, requested.argument) {
            (letter @ ('b' | 'e' | 'I'), None | Some("")) => tell_masks(context, room, letter),
            (letter, _) if requested.kind.is_none() => {
                if !unknown.contains(&letter) {
                    unknown.push(letter);
                    context.numeric(numeric::ERR_UNKNOWNMODE, &[&letter.to_string()]);
                }
            }
            (letter, argument) => match change(&requested) {
                Ok(change) => changes.extend(change),
                Err(text) => {
                    let fits = |word: &&str| !word.is_empty() && word.len() <= limits::KEY_LENGTH;
                    let argument = argument.filter(fits).unwrap_or("*");
                    let words = [room.name.as_str(), &letter.to_string(), argument];
                    context.reply().numeric_text(numeric::ERR_INVALIDMODEPARAM, &words, text);
                }
            },
        }
    }
    changes
}

/// The chat's form of a change: `None` if there is none of this letter, or why it is not valid.
fn change(requested: &Requested<'_>) -> Result<Option<ModeChange>, &'static str> {
    let on = requested.sign == Sign::Plus;
    let flag = |letter| Flag::ALL.into_iter().find(|flag| flag.letter() == letter);
    Ok(match (requested.letter, requested.argument) {
        ('o', Some(nick)) => Some(ModeChange::Op(Name::new(nick), on)),
        ('v', Some(nick)) => Some(ModeChange::Voice(Name::new(nick), on)),
        ('b' | 'e' | 'I', Some(mask)) if Mask::parse(mask).is_none() => return Err("Invalid mask"),
        ('b', Some(mask)) => Some(ModeChange::Ban(mask.to_owned(), on)),
        ('e', Some(mask)) => Some(ModeChange::Except(mask.to_owned(), on)),
        ('I', Some(mask)) => Some(ModeChange::Invitable(mask.to_owned(), on)),
        ('k', Some(key)) if on => {
            if !name::is_channel_key(key, limits::KEY_LENGTH) {
                return Err("Invalid key: use one word without commas, and not too long");
            }
            Some(ModeChange::Key(Some(key.into())))
        }
        ('k', _) if !on => Some(ModeChange::Key(None)),
        ('l', Some(limit)) => match limit.parse() {
            Ok(limit) if limit > 0 => Some(ModeChange::Limit(Some(limit))),
            _ => return Err("Invalid limit: use a number above 0"),
        },
        ('l', None) if !on => Some(ModeChange::Limit(None)),
        ('o' | 'v' | 'k' | 'l', None) => return Err("This mode needs a parameter"),
        (letter, _) => flag(letter).map(|flag| ModeChange::Flag(flag, on)),
    })
}

/// Whether a change has something to change; replies if its member is missing.
fn applies(context: &mut Context<'_, '_>, room: &Room, change: &ModeChange) -> bool {
    match change {
        ModeChange::Op(nick, _) | ModeChange::Voice(nick, _) => {
            let nick = nick.as_str();
            match context.view.hub.session_of(nick) {
                None => context.numeric(numeric::ERR_NOSUCHNICK, &[nick]),
                Some(session) if room.member(session).is_some() => return true,
                Some(_) => {
                    context.numeric(numeric::ERR_USERNOTINCHANNEL, &[nick, room.name.as_str()]);
                }
            }
            false
        }
        // To remove a ban that is not there is no error.
        ModeChange::Ban(mask, false) => {
            Mask::parse(mask).is_some_and(|full| room.masks('b').iter().any(|ban| ban.mask == full))
        }
        _ => true,
    }
}

/// The modes of a channel, and when it was created.
fn tell_modes(context: &mut Context<'_, '_>, room: &Room) {
    let inside = room.member(context.view.me).is_some();
    let flags = Flag::ALL.into_iter().filter(|flag| room.modes.has(*flag)).map(Flag::letter);
    let mut letters: String = std::iter::once('+').chain(flags).collect();
    let limit = room.modes.limit.map(|limit| limit.to_string());
    let mut arguments = Vec::new();
    if let Some(key) = room.modes.key.as_deref() {
        letters.push('k');
        // That there is a key is no secret; the key is.
        arguments.push(if inside { key } else { "*" });
    }
    if let Some(limit) = &limit {
        letters.push('l');
        arguments.push(limit);
    }
    let words = [&[room.name.as_str(), letters.as_str()], arguments.as_slice()].concat();
    let mut reply = context.reply();
    reply.numeric(numeric::RPL_CHANNELMODEIS, &words);
    // The lobby is older than any record.
    if room.created != Moment(0) {
        let created = fields::seconds(room.created);
        reply.numeric(numeric::RPL_CHANNELCREATED, &[room.name.as_str(), &created]);
    }
}

/// One of a channel's lists of masks.
fn tell_masks(context: &mut Context<'_, '_>, room: &Room, letter: char) {
    let (entry, end) = match letter {
        'b' => (numeric::RPL_BANLIST, numeric::RPL_ENDOFBANLIST),
        'e' => (numeric::RPL_EXCEPTLIST, numeric::RPL_ENDOFEXCEPTLIST),
        _ => (numeric::RPL_INVEXLIST, numeric::RPL_ENDOFINVEXLIST),
    };
    let mut reply = context.reply();
    for ban in room.masks(letter) {
        let (mask, time) = (ban.mask.to_string(), fields::seconds(ban.time));
        reply.numeric(entry, &[room.name.as_str(), &mask, ban.by.as_str(), &time]);
    }
    reply.numeric(end, &[room.name.as_str()]);
}

fn user_modes(context: &mut Context<'_, '_>, nick: &str, words: &[&str]) {
    let Some(user) = context.user() else { return };
    if user.identity.nick != *nick {
        return match lookup::user(context, nick) {
            Some(_) => context.numeric(numeric::ERR_USERSDONTMATCH, &[]),
            None => context.numeric(numeric::ERR_NOSUCHNICK, &[nick]),
        };
    }
    let Some(letters) = words.first() else {
        return context.numeric(numeric::RPL_UMODEIS, &[&of_user(user)]);
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
        context.numeric(numeric::ERR_UMODEUNKNOWNFLAG, &[]);
    }
    if !changes.is_empty() {
        context.run(Command::UserModes(changes));
    }
}

/// A user's modes, as RPL_UMODEIS has them.
pub(super) fn of_user(user: &User) -> String {
    let modes = UserMode::ALL.into_iter().filter(|mode| user.is(*mode));
    std::iter::once('+').chain(modes.map(UserMode::letter)).collect()
}

/// Changes of the client's own modes.
pub(super) fn tell_user_modes(context: &mut Context<'_, '_>, changes: &[(UserMode, bool)]) {
    let Some(user) = context.user() else { return };
    let mut letters = ModeString::default();
    changes.iter().for_each(|(mode, on)| letters.push(*on, mode.letter()));
    let source = fields::prefix(&user.identity);
    let mut lines = context.out.lines();
    let line = lines.line().source(&source).command("MODE");
    let _ = line.middle(user.identity.nick.as_str()).middle(letters.as_str()).end();
}
