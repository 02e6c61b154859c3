//! A state from outside: could the rules have made it, and do its tables agree?

use super::account::Account;
use super::hub::Hub;
use super::initials::Initials;
use super::room::{Ban, Room};
use super::user::User;
use crate::chat::log::StoredFile;
use crate::chat::model::check::{self, Checked, ensure};
use crate::chat::model::{
    Metadata, Name, ReadMarkers, RecordId, SessionId, check_metadata, guest_number, limits,
};
use std::collections::BTreeSet;

impl Hub {
    /// Checks every name, every text, and every table against the others.
    ///
    /// # Errors
    /// The first fault, in words.
    pub fn check(&self) -> Checked {
        ensure(self.users.have_different_nicks(), "two users have the same nick")?;
        let mut initials = Initials::default();
        for (session, user) in self.users.iter() {
            initials.add(&user.identity.nick);
            self.check_user(*session, user)?;
        }
        ensure(
            initials == self.initials,
            "the counts of first letters are not those of the nicks",
        )?;
        for (nick, sessions) in self.ignorers.iter() {
            check::nick(nick)?;
            let ignores = |session| {
                let user = self.users.get(session);
                user.is_some_and(|user| user.extras().ignores.contains(nick))
            };
            let agree = !sessions.is_empty() && sessions.iter().all(ignores);
            ensure(agree, format_args!("{nick} is ignored by a user who ignores no such nick"))?;
        }
        for (name, account) in self.accounts.iter() {
            self.check_account(name, account)?;
        }
        let lobby = self.rooms.get(&Name::lobby());
        ensure(lobby.is_some_and(|lobby| lobby.kept), "the lobby is missing")?;
        for (name, room) in self.rooms.iter() {
            self.check_room(name, room).map_err(|what| format!("{name}: {what}"))?;
        }
        for ban in &self.server_bans {
            check::nick(&ban.by)?;
            check::line(
                "reason",
                ban.reason.as_deref().unwrap_or_default(),
                limits::REASON_LENGTH,
            )?;
        }
        self.check_ids()?;
        ensure(self.files.len() <= limits::FILES, "too many files")?;
        for (id, file) in self.files.iter() {
            check_file(id, file)?;
        }
        self.private.iter().try_for_each(|private| check::nick(&private.to))
    }

    /// No id is above that of the last record: the ones to come are, and what is numbered by them.
    fn check_ids(&self) -> Checked {
        let Some(last) = self.last else { return Ok(()) };
        let of_rooms = self.rooms.values().flat_map(|room| {
            let recent = room.recent.iter().map(|recent| recent.reference.id);
            recent.chain([room.since, RecordId(room.last_number)])
        });
        let of_accounts = self.accounts.iter().flat_map(|(_, account)| {
            [account.since, account.renewed, account.mail_since.unwrap_or_default()]
        });
        let of_messages = self.private.iter().map(|private| private.id);
        let newest = of_rooms.chain(of_accounts).chain(of_messages).max();
        ensure(newest.is_none_or(|newest| newest <= last), "an id is above that of the last record")
    }

    fn check_user(&self, session: SessionId, user: &User) -> Checked {
        let who = &user.identity;
        check::nick(&who.nick)?;
        let nick = who.nick.as_str();
        let agree = who.session == session && guest_number(nick).is_none() == who.named;
        ensure(agree, format_args!("the session or the nick of {nick} is another one"))?;
        check::word("address", &who.label)?;
        check::word("user name", who.names.username().map_or("", |name| name))?;
        let real = who.names.realname().map_or("", |name| name);
        check::line("real name", real, limits::REAL_NAME_LENGTH)?;
        let rooms: BTreeSet<&Name> = user.rooms.iter().collect();
        ensure(rooms.len() == user.rooms.len(), format_args!("{nick} is in a room twice"))?;
        ensure(rooms.len() <= limits::ROOMS_PER_USER, format_args!("{nick} is in too many rooms"))?;
        for room in rooms {
            let inside = self.rooms.get(room).is_some_and(|it| it.members.contains_key(&session));
            ensure(
                inside,
                format_args!("{nick} is in {:?}, which has no such member", room.as_str()),
            )?;
        }
        let extras = user.extras();
        check::line("reason", extras.away.as_deref().unwrap_or_default(), limits::REASON_LENGTH)?;
        for ignored in &extras.ignores {
            let known = self.ignorers.get(ignored).is_some_and(|it| it.contains(&session));
            ensure(known, format_args!("{nick} ignores a nick that no table has"))?;
        }
        check_kept(&extras.metadata, &extras.markers)?;
        let Some(account) = &who.account else { return Ok(()) };
        let logged_in =
            self.accounts.get(account).is_some_and(|account| account.sessions.contains(&session));
        let alone = extras.metadata.is_empty() && extras.markers.is_empty();
        ensure(
            logged_in && alone,
            format_args!("{nick} is not logged in to {:?}", account.as_str()),
        )
    }

    fn check_account(&self, name: &Name, account: &Account) -> Checked {
        check::account(&account.name)?;
        ensure(*name == account.name, "an account has two names")?;
        check_kept(&account.metadata, &account.markers)?;
        account.partners.iter().try_for_each(|(partner, _)| check::nick(partner))?;
        for session in &account.sessions {
            let user = self.users.get(session);
            let logged_in = user.is_some_and(|user| user.identity.account.as_ref() == Some(name));
            ensure(logged_in, format_args!("a session of {name} that is not logged in to it"))?;
        }
        Ok(())
    }

    fn check_room(&self, name: &Name, room: &Room) -> Checked {
        check::room(&room.name)?;
        ensure(name.as_str() == room.name.as_str(), "it has two names")?;
        ensure(room.lives(), "it has no members and is not kept")?;
        let waits = !room.waiting || room.members.is_empty() || room.kept;
        ensure(waits, "it waits for members and has some")?;
        if let Some(topic) = &room.topic {
            check::line("topic", &topic.text, limits::TOPIC_LENGTH)?;
            check::nick(&topic.by)?;
        }
        if let Some(key) = &room.modes.key {
            check::word("key", key)?;
            let fits = (1..=limits::KEY_LENGTH).contains(&key.len()) && !key.contains(',');
            ensure(fits, "an invalid key")?;
        }
        for masks in [&room.bans, &room.excepts, &room.invitables] {
            check_masks(masks)?;
        }
        room.ops.iter().try_for_each(check::account)?;
        check_kept(&room.metadata, &Vec::new())?;
        for session in room.members.keys() {
            let user = self.users.get(session);
            let inside = user.is_some_and(|user| user.rooms.contains(name));
            ensure(inside, "a member that is no user, or not in it")?;
        }
        ensure(room.recent.len() <= limits::RECENT_PER_ROOM, "too many recent messages")?;
        let mut before = None;
        for recent in &room.recent {
            let order = Some((recent.reference.id, recent.reference.number));
            ensure(before <= order, "its recent messages are not in order")?;
            before = order;
            check::nick(&recent.reference.from)?;
            check::lines("message", &recent.text, limits::TEXT_LENGTH)?;
            for (nick, text) in &recent.reactions {
                check::nick(nick)?;
                check::reaction(text)?;
            }
        }
        let counted = before.is_none_or(|(_, number)| number <= room.last_number);
        ensure(counted, "its last number is below that of a message")
    }
}

fn check_file(id: &str, file: &StoredFile) -> Checked {
    let hex = |text: &str, length| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let named = *id == *file.id && hex(id, 32) && hex(&file.sha256, 64);
    ensure(named, format_args!("an invalid file: {id:?}"))?;
    check::nick(&file.by)?;
    check::line("file name", &file.name, limits::FILE_NAME_LENGTH)
}

fn check_masks(masks: &[Ban]) -> Checked {
    ensure(masks.len() <= limits::BANS_PER_ROOM, "too many masks")?;
    masks.iter().try_for_each(|ban| {
        check::nick(&ban.by)?;
        let text = ban.mask.to_string();
        // A short form has been completed, so it may be a little longer than what was typed.
        let wrong = |c: char| c.is_whitespace() || c.is_control() || c == ',';
        let valid = !text.contains(wrong) && text.len() <= limits::MASK_LENGTH + MASK_COMPLETED;
        ensure(valid, format_args!("an invalid mask: {text:?}"))
    })
}

/// How much longer a mask is in full than in a short form.
const MASK_COMPLETED: usize = "*!*@".len();

/// Metadata and read markers are within their bounds.
fn check_kept(metadata: &Metadata, markers: &ReadMarkers) -> Checked {
    ensure(metadata.len() <= limits::METADATA_KEYS, "too much metadata")?;
    for (key, value) in metadata {
        let valid = check_metadata(key, Some(value)).is_ok();
        ensure(valid, format_args!("invalid metadata {key:?}"))?;
        check::line("value of metadata", value, limits::METADATA_VALUE_LENGTH)?;
    }
    ensure(markers.len() <= limits::READ_MARKERS, "too many read markers")?;
    let names: BTreeSet<&Name> = markers.iter().map(|(name, _)| name).collect();
    ensure(names.len() == markers.len(), "two read markers of one name")
}
