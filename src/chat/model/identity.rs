//! A user's identity as other users see it.
//!
//! An identity is replaced when any part of it changes, and earlier messages keep the old one:
//! history shows users as they were. Field names are part of the record format and are never
//! renamed.

use super::ids::SessionId;
use super::name::Name;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A user's identity as other users see it; shared by all messages sent since it last changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Identity {
    /// The session.
    pub session: SessionId,
    /// The nick, `guestN` if none was taken.
    pub nick: Name,
    /// Whether the user chose the nick, rather than being assigned it.
    pub named: bool,
    /// Address and port.
    pub label: Arc<str>,
    /// IRC's user name.
    pub username: Option<Arc<str>>,
    /// IRC's real name.
    pub realname: Option<Arc<str>>,
    /// The account it is logged in to.
    pub account: Option<Name>,
    /// Whether the user has declared itself a bot.
    #[serde(default)]
    pub bot: bool,
}

impl Identity {
    /// The address without the port.
    pub fn host(&self) -> &str {
        host_of(&self.label)
    }

    /// The IRC user name, or its substitute.
    pub fn user(&self) -> &str {
        self.username.as_deref().unwrap_or("~user")
    }

    /// `nick!user@host`.
    pub fn prefix(&self) -> String {
        format!("{}!{}@{}", self.nick, self.user(), self.host())
    }
}

/// The address part of `address:port`.
pub(in crate::chat) fn host_of(label: &str) -> &str {
    let host = label.rsplit_once(':').map_or(label, |(host, _)| host);
    host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host)
}
