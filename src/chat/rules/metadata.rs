//! Metadata of users and rooms: keys and values for programs, such as an avatar's URL (IRCv3
//! metadata).
//!
//! A user's metadata belongs to the account and is the same for all its sessions; that of a guest
//! lasts for the session, that of a room as long as the room. On login the account's metadata
//! replaces what the guest has set. Rejected: merging the two, because that would restore what was
//! removed on another device.
//!
//! Bounds: `limits::METADATA_KEYS` keys for each, `limits::METADATA_KEY_LENGTH` and
//! `limits::METADATA_VALUE_LENGTH` bytes.
//!
//! A removed value remains in the journal's records until a snapshot covers them, like a topic:
//! only messages are erased at once.
//!
//! Absent: which keys a client subscribes to. An effect names the possible recipients; only their
//! sessions know their subscriptions. Also absent: keys with restricted visibility.

use super::applying::Applying;
use crate::chat::api::{Command, Decision, Event, Holder};
use crate::chat::log::Change;
use crate::chat::model::{
    Audience, Metadata, MetadataChanges, Name, Refusal, Result, SessionId, check_metadata,
    set_metadata,
};
use crate::chat::state::{Hub, Room, User};
use std::collections::BTreeMap;
use std::sync::Arc;

static NONE: Metadata = BTreeMap::new();

/// The owner of the metadata that a command refers to.
enum Owner {
    Room(Name),
    Person(SessionId),
}

impl Hub {
    pub fn metadata_of<'h>(&'h self, user: &'h User) -> &'h Metadata {
        match &user.identity.account {
            Some(account) => self.accounts.get(account).map_or(&NONE, |it| &it.metadata),
            None => &user.extras().metadata,
        }
    }

    /// Whether `user` may read a room's metadata: only members may, as with its messages.
    pub fn may_read_metadata(&self, user: &User, room: &Room) -> bool {
        room.members.contains_key(&user.identity.session) || user.is_operator()
    }

    pub(super) fn decide_metadata(&self, user: &User, command: Command) -> Result<Decision> {
        let (target, key, value) = match command {
            Command::SetMetadata(target, key, value) => {
                check_metadata(&key, value.as_ref())?;
                (target, Some(key), value)
            }
            Command::ClearMetadata(target) => (target, None, None),
            _ => return Err(Refusal::NotHere),
        };
        let owner = self.owner(user, &target)?;
        if value.is_some() && self.account_of(&owner).is_some() && self.accounts.are_full() {
            return Err(Refusal::TooMuchAccountData);
        }
        if let Some(key) = &key {
            // On a copy: nothing changes before it is written down.
            set_metadata(&mut self.metadata_at(&owner).clone(), key, value.as_ref())?;
        }
        Ok(Decision::Change(Change::Metadata { target: Name::new(&target), key, value }))
    }

    /// The owner that `name` refers to, if `user` may change its metadata: their own, or that of a
    /// room that they moderate; a server operator any.
    fn owner(&self, user: &User, name: &str) -> Result<Owner> {
        if name.starts_with('#') {
            let room = self.visible_room(user, name)?;
            self.moderates(user, room)?;
            return Ok(Owner::Room(room.name.clone()));
        }
        let session = self.session_of(name).ok_or_else(|| Refusal::NoSuchNick(Name::new(name)))?;
        let account = self.user(session).and_then(|other| other.identity.account.as_ref());
        let own = session == user.identity.session
            || (account.is_some() && account == user.identity.account.as_ref());
        if own || user.is_operator() {
            Ok(Owner::Person(session))
        } else {
            Err(Refusal::NotYourMetadata(Name::new(name)))
        }
    }

    fn metadata_at(&self, owner: &Owner) -> &Metadata {
        match owner {
            Owner::Room(name) => self.rooms.get(name).map_or(&NONE, |room| &room.metadata),
            Owner::Person(session) => {
                self.users.get(session).map_or(&NONE, |user| self.metadata_of(user))
            }
        }
    }

    /// Whose account it is that has the metadata, if it is an account's.
    fn account_of(&self, owner: &Owner) -> Option<&Name> {
        let Owner::Person(session) = owner else { return None };
        self.users.get(session)?.identity.account.as_ref()
    }

    fn metadata_mut(&mut self, owner: &Owner) -> Option<&mut Metadata> {
        match owner {
            Owner::Room(name) => self.rooms.get_mut(name).map(|room| &mut room.metadata),
            Owner::Person(session) => {
                let user = self.users.get_mut(session)?;
                match &user.identity.account {
                    Some(account) => self.accounts.get_mut(account).map(|it| &mut it.metadata),
                    None => Some(&mut user.extras_mut().metadata),
                }
            }
        }
    }

    /// Sets or removes a key; without a key, removes all.
    pub(super) fn metadata(
        &mut self,
        at: &mut Applying<'_>,
        target: &Name,
        key: Option<Arc<str>>,
        value: Option<Arc<str>>,
    ) -> Result<()> {
        let owner = self.owner(self.origin(at)?, target.as_str())?;
        let Some(metadata) = self.metadata_mut(&owner) else { return Ok(()) };
        let (changes, news): (MetadataChanges, bool) = match key {
            Some(key) => {
                let news = metadata.get(&key) != value.as_ref();
                set_metadata(metadata, &key, value.as_ref())?;
                (vec![(key, value)], news)
            }
            None => {
                let all = std::mem::take(metadata);
                let news = !all.is_empty();
                (all.into_keys().map(|key| (key, None)).collect(), news)
            }
        };
        let mut holders = self.holders(&owner).into_iter();
        let Some((holder, audience)) = holders.next() else { return Ok(()) };
        let alone = Audience::Private { to: Vec::new(), from: at.origin };
        let audience = if news { answering(audience, at.origin) } else { alone };
        at.tell(audience, Event::MetadataSet { holder, changes: changes.clone() });
        if news {
            for (holder, audience) in holders {
                at.tell(audience, Event::MetadataSet { holder, changes: changes.clone() });
            }
        }
        Ok(())
    }

    /// Everything that has the metadata of `owner`, with its audience: first what was named, then
    /// the other sessions of its account.
    fn holders(&self, owner: &Owner) -> Vec<(Holder, Audience)> {
        match owner {
            Owner::Room(room) => {
                let audience =
                    Audience::Room { room: room.clone(), from: None, except: Vec::new() };
                vec![(Holder::Room(room.clone()), audience)]
            }
            Owner::Person(session) => {
                let Some(user) = self.users.get(session) else { return Vec::new() };
                let account = user.identity.account.as_ref();
                let account = account.and_then(|account| self.accounts.get(account));
                let others = account.map_or(&[][..], |account| &account.sessions).iter();
                let others = others.filter(|other| *other != session);
                let others = others.filter_map(|other| self.users.get(other));
                std::iter::once(user).chain(others).map(person).collect()
            }
        }
    }

    /// Takes over what an IRC client has set before registration, and notifies users who know its
    /// account under other nicks.
    pub(super) fn enter_metadata(&mut self, at: &mut Applying<'_>, entry: Metadata) {
        if entry.is_empty() {
            return;
        }
        let owner = Owner::Person(at.origin);
        let Some(metadata) = self.metadata_mut(&owner) else { return };
        let mut changes = MetadataChanges::new();
        for (key, value) in entry {
            // Metadata over the limit is missing from the list that the client is sent next.
            if metadata.get(&key) != Some(&value)
                && set_metadata(metadata, &key, Some(&value)).is_ok()
            {
                changes.push((key, Some(value)));
            }
        }
        if !changes.is_empty() {
            for (holder, audience) in self.holders(&owner).into_iter().skip(1) {
                at.tell(audience, Event::MetadataSet { holder, changes: changes.clone() });
            }
        }
    }

    /// The origin's metadata, to be compared after a login or logout.
    pub(super) fn metadata_before(&self, at: &Applying<'_>) -> Metadata {
        self.metadata_at(&Owner::Person(at.origin)).clone()
    }

    /// Reports what has changed because the origin has logged in to an account or logged out.
    pub(super) fn tell_metadata_since(&self, at: &mut Applying<'_>, before: &Metadata) {
        let now = self.metadata_at(&Owner::Person(at.origin));
        let removed = before.keys().filter(|key| !now.contains_key(*key));
        let set = now.iter().filter(|(key, value)| before.get(*key) != Some(*value));
        let removed = removed.map(|key| (Arc::clone(key), None));
        let set = set.map(|(key, value)| (Arc::clone(key), Some(Arc::clone(value))));
        let changes: MetadataChanges = removed.chain(set).collect();
        if !changes.is_empty()
            && let Some(user) = self.users.get(&at.origin)
        {
            let (holder, audience) = person(user);
            at.tell(audience, Event::MetadataSet { holder, changes });
        }
    }
}

fn person(user: &User) -> (Holder, Audience) {
    let audience = Audience::Peers { rooms: user.rooms.to_vec(), from: None };
    (Holder::Person(Arc::clone(&user.identity)), audience)
}

/// The same audience, including the origin.
fn answering(audience: Audience, origin: SessionId) -> Audience {
    match audience {
        Audience::Room { room, except, .. } => Audience::Room { room, from: Some(origin), except },
        Audience::Peers { rooms, .. } => Audience::Peers { rooms, from: Some(origin) },
        other => other,
    }
}
