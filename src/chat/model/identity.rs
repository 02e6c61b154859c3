//! Who is somebody, as others see it?
//!
//! An identity is made anew when something of it changes, and what was said before keeps the old
//! one: the past shows people as they were. Names of fields are in the journal: never renamed.

use super::ids::SessionId;
use super::name::Name;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Who somebody is, as others see it. Shared by everything said since it last changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Identity {
    /// The session.
    pub session: SessionId,
    /// The nick, `guestN` if none was taken.
    pub nick: Name,
    /// Whether the nick was taken rather than given.
    pub named: bool,
    /// Address and port.
    pub label: Arc<str>,
    /// IRC's user name.
    pub username: Option<Arc<str>>,
    /// IRC's real name.
    pub realname: Option<Arc<str>>,
    /// The account it is logged in to.
    pub account: Option<Name>,
    /// Whether it is a program, by its own word.
    #[serde(default)]
    pub bot: bool,
}

impl Identity {
    /// The address without the port.
    pub fn host(&self) -> &str {
        host_of(&self.label)
    }

    /// IRC's user name, or what stands for it.
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
