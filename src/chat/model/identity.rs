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
    pub session: SessionId,
    /// `guestN` if none was taken.
    pub nick: Name,
    /// Whether the user chose the nick, rather than being assigned it.
    pub named: bool,
    /// Address and port. Not shared: a box is smaller than an `Arc`, and every session has one.
    pub label: Box<str>,
    #[serde(flatten)]
    pub names: IrcNames,
    /// The account it is logged in to.
    pub account: Option<Name>,
    /// Whether the user has declared itself a bot.
    #[serde(default)]
    pub bot: bool,
}

/// The names that only IRC clients give; boxed, because an idle plain client does not pay for them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Names", into = "Names")]
pub struct IrcNames(Option<Box<Names>>);

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Names {
    username: Option<Arc<str>>,
    realname: Option<Arc<str>>,
}

impl From<Names> for IrcNames {
    fn from(names: Names) -> IrcNames {
        IrcNames((names != Names::default()).then(|| Box::new(names)))
    }
}

impl From<IrcNames> for Names {
    fn from(names: IrcNames) -> Names {
        names.0.map_or_else(Names::default, |names| *names)
    }
}

impl IrcNames {
    pub fn new(username: Option<Arc<str>>, realname: Option<Arc<str>>) -> IrcNames {
        Names { username, realname }.into()
    }

    pub fn username(&self) -> Option<&Arc<str>> {
        self.0.as_ref()?.username.as_ref()
    }

    pub fn realname(&self) -> Option<&Arc<str>> {
        self.0.as_ref()?.realname.as_ref()
    }
}

impl Identity {
    /// The address without the port.
    pub fn host(&self) -> &str {
        host_of(&self.label)
    }

    /// The IRC user name, or its substitute.
    pub fn user(&self) -> &str {
        self.names.username().map_or("~user", |name| name)
    }

    /// `nick!user@host`.
    pub fn prefix(&self) -> String {
        format!("{}!{}@{}", self.nick, self.user(), self.host())
    }
}

/// The address part of `address:port`.
pub fn host_of(label: &str) -> &str {
    let host = label.rsplit_once(':').map_or(label, |(host, _)| host);
    host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host)
}
