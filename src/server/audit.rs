//! Who did what to whom: one line of the log for each act of moderation, whether it took effect
//! or was refused.
//!
//! Never in it: passwords, room keys, and the name of a failed `/oper` that no operator has, for
//! somebody may have typed a password there.

use crate::chat::{BanTarget, Change, Effect, Event, Hub, ModeChange, Name, Record, SessionId};
use crate::session::{irc, refusal_text};
use log::info;

/// What the lines of the log begin with, and their target for RUST_LOG.
const AUDIT: &str = "audit";

/// An act, in words, before it is applied: afterwards who was put out is no longer there to be
/// named. `None`, and no work at all, for everything that is no moderation.
pub(super) fn describe(hub: &Hub, record: &Record) -> Option<String> {
    let person = |session| who(hub, session);
    let named = |nick: &Name| match hub.session_of(nick.as_str()) {
        Some(session) => who(hub, session),
        None => nick.to_string(),
    };
    let act = match &record.change {
        Change::Kick { room, nick, reason } => {
            format!("kick {} from {room}{}", named(nick), because(reason.as_deref()))
        }
        Change::Kill { nick, reason } => {
            format!("kill {}{}", named(nick), because(reason.as_deref()))
        }
        Change::Modes { room, changes } => {
            let changes: Vec<String> = changes.iter().map(mode).collect();
            format!("mode {room} {}", changes.join(" "))
        }
        Change::RenameRoom { room, to, reason } => {
            format!("rename {room} to {to}{}", because(reason.as_deref()))
        }
        Change::Keep { room, on } => format!("{} {room}", if *on { "keep" } else { "unkeep" }),
        Change::Ban { target, reason, until } => {
            let until = until.map(|until| format!(" until {} ms", until.0)).unwrap_or_default();
            format!("server ban {}{until}{}", banned(target), because(reason.as_deref()))
        }
        Change::Unban { target } => format!("server unban {}", banned(target)),
        Change::Announce { text } => format!("announce: {text}"),
        Change::Metadata { target, key, .. } if is_somebody_else(hub, record.origin, target) => {
            format!("metadata of {}: {}", named(target), key.as_deref().unwrap_or("all removed"))
        }
        Change::Oper { name } => format!("is operator {name} now"),
        _ => return None,
    };
    Some(format!("{}: {act}", person(record.origin)))
}

/// Writes an act down, once it is known what came of it.
pub(super) fn write(act: &str, effects: &[Effect]) {
    let refusal = effects.iter().find_map(|effect| match &effect.event {
        Event::Refused(refusal) => Some(refusal),
        _ => None,
    });
    match refusal {
        Some(refusal) => {
            info!(target: AUDIT, "{AUDIT}: {act} (refused: {})", refusal_text::of(refusal));
        }
        // Nothing has changed: a mode that was set already.
        None if effects.is_empty() => {}
        None => info!(target: AUDIT, "{AUDIT}: {act}"),
    }
}

/// A wrong password was given for an operator's name.
pub(super) fn failed_oper(hub: &Hub, session: SessionId, name: &str, is_known: bool) {
    let who = who(hub, session);
    let name = if is_known { name } else { "of an unknown name" };
    info!(target: AUDIT, "{AUDIT}: {who}: failed to become operator {name}");
}

/// Nick, address and account of somebody.
fn who(hub: &Hub, session: SessionId) -> String {
    let Some(user) = hub.user(session) else { return "somebody who has left".to_owned() };
    let identity = &user.identity;
    match &identity.account {
        Some(account) => format!("{} ({}, account {account})", identity.nick, identity.label),
        None => format!("{} ({})", identity.nick, identity.label),
    }
}

/// Whether a nick is another person's: neither the session's own, nor one of its account.
fn is_somebody_else(hub: &Hub, session: SessionId, nick: &Name) -> bool {
    let account = |session| hub.user(session).and_then(|user| user.identity.account.as_ref());
    hub.session_of(nick.as_str()).is_some_and(|other| {
        other != session && (account(other).is_none() || account(other) != account(session))
    })
}

fn because(reason: Option<&str>) -> String {
    reason.filter(|reason| !reason.is_empty()).map(|it| format!(" ({it})")).unwrap_or_default()
}

fn banned(target: &BanTarget) -> String {
    match target {
        BanTarget::Address(mask) => mask.clone(),
        BanTarget::Account(name) => format!("account {name}"),
    }
}

/// A mode change as IRC writes it. A key is a secret: it is left out.
fn mode(change: &ModeChange) -> String {
    let (on, letter, argument) = irc::mode_parts(change);
    let sign = if on { '+' } else { '-' };
    match argument.filter(|_| letter != 'k') {
        Some(argument) => format!("{sign}{letter} {argument}"),
        None => format!("{sign}{letter}"),
    }
}
