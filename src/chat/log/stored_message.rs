//! Messages as the journal stores them for history.
//!
//! A stored message comes from the hub, not from the record: the hub assigns the number and leaves
//! out rejected messages. The journal takes `Effect::entries` of every effect, in order, and
//! answers `Query`s from them.

use crate::chat::model::check::{self, Checked};
use crate::chat::model::{
    Continuations, Identity, IrcNames, Kind, Moment, Name, Quoted, RecordId, SessionId, limits,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A message that was delivered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StoredMessage {
    /// Its id: rises with time, and is never used twice.
    pub id: RecordId,
    pub time: Moment,
    pub target: Target,
    /// Its number in its room; 0 for a private one.
    pub number: u64,
    pub from: Name,
    /// By which account.
    pub account: Option<Name>,
    /// IRC's user name, if the author gave one.
    #[serde(default)]
    pub username: Option<Arc<str>>,
    /// From which address, without the port; `None` in what was kept before this was.
    #[serde(default)]
    pub host: Option<Arc<str>>,
    /// Whether the sender has declared itself a bot.
    #[serde(default)]
    pub bot: bool,
    pub kind: Kind,
    pub text: Arc<str>,
    /// Client-only IRC tags, as received.
    #[serde(default)]
    pub tags: Option<Arc<str>>,
    #[serde(rename = "joints", default)]
    pub continuations: Option<Continuations>,
    /// The message it replies to. In a query's result, with that message's current text.
    pub reply: Option<Quoted>,
    #[serde(default)]
    pub edited: bool,
    /// The reactions and their counts.
    #[serde(default)]
    pub reactions: Vec<(Arc<str>, u32)>,
}

impl StoredMessage {
    /// An empty message from this user.
    pub(in crate::chat) fn by(who: &Identity) -> StoredMessage {
        StoredMessage {
            id: RecordId(0),
            time: Moment(0),
            target: Target::Room(Name::lobby()),
            number: 0,
            from: who.nick.clone(),
            account: who.account.clone(),
            username: who.names.username().cloned(),
            host: Some(who.host().into()),
            bot: who.bot,
            kind: Kind::Message,
            text: Arc::default(),
            tags: None,
            continuations: None,
            reply: None,
            edited: false,
            reactions: Vec::new(),
        }
    }

    /// Its size: everything that a peer can make longer.
    pub fn bytes(&self) -> usize {
        let text = |text: &Option<Arc<str>>| text.as_ref().map_or(0, |text| text.len());
        let name = |name: &Option<Name>| name.as_ref().map_or(0, |name| name.as_str().len());
        let target = match &self.target {
            Target::Room(room) => room.as_str().len(),
            Target::Private { to, account } => to.as_str().len() + name(account),
        };
        let reply =
            self.reply.as_ref().map_or(0, |reply| reply.from.as_str().len() + text(&reply.text));
        let reactions: usize = self.reactions.iter().map(|(text, _)| text.len() + 4).sum();
        let continuations = self.continuations.as_ref().map_or(0, |all| size_of_val(&**all));
        let sender = self.from.as_str().len() + name(&self.account);
        let address = text(&self.username) + text(&self.host);
        let own = self.text.len() + text(&self.tags) + continuations;
        target + reply + reactions + sender + address + own
    }

    /// Checks the names and texts of a message that does not come from the hub.
    ///
    /// # Errors
    /// The first fault, in words.
    pub fn check(&self) -> Checked {
        check::nick(&self.from)?;
        self.account.as_ref().map_or(Ok(()), check::account)?;
        match &self.target {
            Target::Room(room) => {
                check::room(check::name_of_retired_room(room).as_ref().unwrap_or(room))?;
            }
            Target::Private { to, account } => {
                check::nick(to)?;
                account.as_ref().map_or(Ok(()), check::account)?;
            }
        }
        check::word("user name", self.username.as_deref().unwrap_or_default())?;
        check::word("address", self.host.as_deref().unwrap_or_default())?;
        check::lines("message", &self.text, limits::TEXT_LENGTH)?;
        check::line("tags", self.tags.as_deref().unwrap_or_default(), limits::TEXT_LENGTH)?;
        self.reply.as_ref().map_or(Ok(()), |reply| check::nick(&reply.from))?;
        let reactions = self.reactions.iter();
        reactions.map(|(text, _)| text).try_for_each(|text| check::reaction(text))
    }

    /// The sender, as of then.
    pub fn author(&self) -> Identity {
        Identity {
            session: SessionId::default(),
            nick: self.from.clone(),
            named: true,
            // With a port, because an IPv6 address contains colons.
            label: self.host.as_ref().map(|host| format!("{host}:0").into()).unwrap_or_default(),
            names: IrcNames::new(self.username.clone(), None),
            account: self.account.clone(),
            bot: self.bot,
        }
    }
}

/// The recipient of a message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// In a room.
    Room(Name),
    /// A user, and their account, which is required to query the message later.
    Private { to: Name, account: Option<Name> },
}
