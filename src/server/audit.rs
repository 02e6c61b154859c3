//! Audit log: one line for each act of moderation, whether it took effect or was rejected.
//!
//! Never logged: passwords, room keys, and the name given to a failed `/oper` unless it is an
//! operator's, because it may be a mistyped password.

use crate::chat::{BanTarget, Change, Effect, Event, Hub, ModeChange, Name, Record, SessionId};
use crate::session::{refusal_text, shown};
use log::info;

/// The prefix of the log lines, and their target for RUST_LOG.
const AUDIT: &str = "audit";

/// Describes an act before it is applied: afterwards a kicked or killed user can no longer be
/// looked up. `None`, at no cost, for everything that is not moderation.
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
            let until = until.map(|until| format!(" until {} UTC", shown(until)));
            let until = until.unwrap_or_default();
            format!("server ban {}{until}{}", banned(target), because(reason.as_deref()))
        }
        Change::Unban { target } => format!("server unban {}", banned(target)),
        Change::Announce { text } => format!("announce: {text}"),
        Change::Metadata { target, key, .. } if is_somebody_else(hub, record.origin, target) => {
            format!("metadata of {}: {}", named(target), key.as_deref().unwrap_or("all removed"))
        }
        // Its owner's doing: they register before they enter.
        Change::AccountSet { .. } if hub.user(record.origin).is_none() => return None,
        Change::AccountSet { account, new, .. } => match new {
            true => format!("account {account} created"),
            false => format!("account {account}: password reset"),
        },
        Change::AccountDeleted { account, .. } if hub.user(record.origin).is_none() => {
            return Some(format!(
                "account {account} deleted: no one has logged in to it for long (--account-expiry)"
            ));
        }
        Change::AccountDeleted { account, erases } => {
            let erases = if *erases { ", with its messages" } else { "" };
            format!("account {account} deleted{erases}")
        }
        Change::Lapse { room, before } => {
            return Some(format!(
                "{room} lapsed: no one has been in it since {} UTC or longer (--room-expiry)",
                shown(*before)
            ));
        }
        Change::Oper { name } => format!("became operator {name}"),
        _ => return None,
    };
    Some(format!("{}: {act}", person(record.origin)))
}

/// Logs an act once its outcome is known.
pub(super) fn write(act: &str, effects: &[Effect]) {
    let refusal = effects.iter().find_map(|effect| match &effect.event {
        Event::Refused(refusal) => Some(refusal),
        _ => None,
    });
    match refusal {
        Some(refusal) => {
            info!(target: AUDIT, "{AUDIT}: {act} (rejected: {})", refusal_text::of(refusal));
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

/// An operator has the configuration reloaded.
pub(super) fn reload(hub: &Hub, session: SessionId) {
    info!(target: AUDIT, "{AUDIT}: {}: reload the configuration", who(hub, session));
}

/// A user's nick, address and account.
pub(super) fn who(hub: &Hub, session: SessionId) -> String {
    let Some(user) = hub.user(session) else { return "a user who has quit".to_owned() };
    let identity = &user.identity;
    match &identity.account {
        Some(account) => format!("{} ({}, account {account})", identity.nick, identity.label),
        None => format!("{} ({})", identity.nick, identity.label),
    }
}

/// Whether a nick is another user's: neither the session's own, nor one of its account.
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

/// A mode change in IRC's notation, without keys, which are secret.
fn mode(change: &ModeChange) -> String {
    match change {
        ModeChange::Key(Some(_)) => "+k".to_owned(),
        change => change.to_string(),
    }
}
