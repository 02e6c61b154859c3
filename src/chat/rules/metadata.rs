//! What is said of people and rooms for programs to read: a key and a value, such as an avatar's
//! address. IRCv3 metadata.
//!
//! A person's belong to their account, and are the same under every nick that acts for it; a
//! guest's end with the session. A room's end with the room. Whoever logs in has what the account
//! has, and what they set as a guest before is gone: merging the two would bring back what was
//! removed on another device.
//!
//! Bounds: [`limits::METADATA_KEYS`] keys for each, [`limits::METADATA_KEY_LENGTH`] and
//! [`limits::METADATA_VALUE_LENGTH`] bytes.
//!
//! A value that was removed is still in the journal's records until a snapshot covers them, as a
//! topic is: only what is said in rooms and in private is erased at once.
//!
//! Deliberately absent: which keys somebody follows. An effect says who may hear of a change; who
//! wants to is known to their session alone. Absent, too: keys that not all may see.

use super::applying::Applying;
use crate::chat::api::command::{Command, Decision};
use crate::chat::api::effect::{Event, Holder};
use crate::chat::log::record::Change;
use crate::chat::model::audience::Audience;
use crate::chat::model::ids::SessionId;
use crate::chat::model::metadata::{Metadata, MetadataChanges, check_metadata, set_metadata};
use crate::chat::model::name::Name;
use crate::chat::model::refusal::Refusal;
use crate::chat::state::hub::Hub;
use crate::chat::state::room::Room;
use crate::chat::state::user::User;
use std::collections::BTreeMap;
use std::sync::Arc;

static NONE: Metadata = BTreeMap::new();

/// Whose metadata a command means.
enum Owner {
    Room(Name),
    Person(SessionId),
}

impl Hub {
    /// What is said of a person.
    pub fn metadata_of<'h>(&'h self, user: &'h User) -> &'h Metadata {
        match &user.identity.account {
            Some(account) => self.accounts.get(account).map_or(&NONE, |it| &it.metadata),
            None => &user.extras().metadata,
        }
    }

    /// Whether `user` may read what is said of a room: for its members, like its messages.
    pub fn may_read_metadata(&self, user: &User, room: &Room) -> bool {
        room.members.contains_key(&user.identity.session) || user.is_operator()
    }

    pub(super) fn decide_metadata(
        &self,
        user: &User,
        command: Command,
    ) -> Result<Decision, Refusal> {
        let (target, key, value) = match command {
            Command::SetMetadata(target, key, value) => {
                check_metadata(&key, value.as_ref())?;
                (target, Some(key), value)
            }
            Command::ClearMetadata(target) => (target, None, None),
            _ => return Err(Refusal::NotHere),
        };
        let owner = self.owner(user, &target)?;
        if let Some(key) = &key {
            // On a copy: nothing changes before it is written down.
            set_metadata(&mut self.metadata_at(&owner).clone(), key, value.as_ref())?;
        }
        Ok(Decision::Change(Change::Metadata { target: Name::new(&target), key, value }))
    }

    /// Whose metadata `name` means, if `user` may change them: one's own, those of a room that
    /// one moderates; a server operator those of all.
    fn owner(&self, user: &User, name: &str) -> Result<Owner, Refusal> {
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
    ) -> Result<(), Refusal> {
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

    /// Everything that has the metadata of `owner`, with who may hear of it: first what was named,
    /// then the other nicks of its account.
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

    /// Takes over what an IRC client has set before it came in, and tells of it who knows its
    /// account by other nicks.
    pub(super) fn enter_metadata(&mut self, at: &mut Applying<'_>, entry: Metadata) {
        if entry.is_empty() {
            return;
        }
        let owner = Owner::Person(at.origin);
        let Some(metadata) = self.metadata_mut(&owner) else { return };
        let mut changes = MetadataChanges::new();
        for (key, value) in entry {
            // What is one too many is not there in the list that the client is given next.
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

    /// What is said of the origin, kept to be compared after a login or logout.
    pub(super) fn metadata_before(&self, at: &Applying<'_>) -> Metadata {
        self.metadata_at(&Owner::Person(at.origin)).clone()
    }

    /// Tells what is different now that the origin acts for another account, or for none.
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
    let audience = Audience::Peers { rooms: user.rooms.clone(), from: None };
    (Holder::Person(Arc::clone(&user.identity)), audience)
}

/// The same audience, and the one whose doing it was.
fn answering(audience: Audience, origin: SessionId) -> Audience {
    match audience {
        Audience::Room { room, except, .. } => Audience::Room { room, from: Some(origin), except },
        Audience::Peers { rooms, .. } => Audience::Peers { rooms, from: Some(origin) },
        other => other,
    }
}
