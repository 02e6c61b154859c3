//! Uploaded files: what is known of them, who may delete one, and what they add up to.
//!
//! The hub knows a file by its record; the bytes are the server's. Anyone who has the id may read a
//! file, so the rules are about deleting and about quotas only.
//!
//! Rejected: sums kept for each account and origin. They would be a second copy of the table, and a
//! walk over all files costs 0.2 ms once an upload.

use super::applying::Applying;
use crate::chat::api::{Decision, Event};
use crate::chat::log::{Change, StoredFile};
use crate::chat::model::{
    Audience, Moment, Name, Origin, RecordId, Refusal, Result, SessionId, limits, require,
};
use crate::chat::state::{Hub, User};
use std::sync::Arc;

/// What files add up to, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FileUsage {
    /// Those of one account, or of the guests of one origin, and how many these are.
    pub own: u64,
    pub count: usize,
    pub all: u64,
}

impl Hub {
    pub fn file(&self, id: &str) -> Option<&StoredFile> {
        self.files.get(id)
    }

    /// The ids of all files.
    pub fn file_ids(&self) -> impl Iterator<Item = &Arc<str>> {
        self.files.keys()
    }

    /// How many there are, and their bytes.
    pub fn files_kept(&self) -> (u64, u64) {
        let bytes = self.files.values().fold(0, |sum: u64, file| sum.saturating_add(file.size));
        (self.files.len() as u64, bytes)
    }

    /// How many have another size than these, or none: their bytes are lost.
    pub fn lost_files(&self, size_of: impl Fn(&str) -> Option<u64>) -> usize {
        self.files.values().filter(|file| size_of(&file.id) != Some(file.size)).count()
    }

    pub fn has_room_for_a_file(&self) -> bool {
        self.files.len() < limits::FILES
    }

    /// What the files add up to. One counts for `least` bytes at least.
    pub fn file_usage(&self, account: Option<&Name>, origin: Origin, least: u64) -> FileUsage {
        let mut usage = FileUsage::default();
        for file in self.files.values() {
            let size = file.size.max(least);
            usage.all = usage.all.saturating_add(size);
            if owns(account, origin, file) {
                usage.own = usage.own.saturating_add(size);
                usage.count += 1;
            }
        }
        usage
    }

    /// The room that `session` may share a file in, and the record that created it.
    ///
    /// # Errors
    /// It may not send messages there.
    pub fn may_share(&self, session: SessionId, room: &str) -> Result<(Name, RecordId)> {
        let user = self.users.get(&session).ok_or(Refusal::NotHere)?;
        let room = self.may_speak(user, room)?;
        Ok((room.name.clone(), room.since))
    }

    /// A session of the account that is in the room.
    pub fn session_in(&self, account: &Name, room: &str) -> Option<SessionId> {
        let (account, room) = (self.accounts.get(account)?, self.room(room)?);
        account.sessions.iter().copied().find(|session| room.member(*session).is_some())
    }

    /// The newest files of a room that `session` is in, at most `most`, the newest last.
    ///
    /// # Errors
    /// It is not in there.
    pub fn files_in(
        &self,
        session: SessionId,
        room: &str,
        most: usize,
    ) -> Result<Vec<&StoredFile>> {
        let user = self.users.get(&session).ok_or(Refusal::NotHere)?;
        let since = self.own_room(user, room)?.since;
        let files = self.files.values().filter(|file| file.room == Some(since));
        let mut files: Vec<&StoredFile> = files.collect();
        files.sort_unstable_by_key(|file| (file.time, &file.id));
        Ok(files.split_off(files.len().saturating_sub(most)))
    }

    /// Files from before this moment, at most `most`.
    pub fn files_before(&self, moment: Moment, most: usize) -> Vec<Arc<str>> {
        let old = self.files.values().filter(|file| file.time < moment);
        old.take(most).map(|file| Arc::clone(&file.id)).collect()
    }

    pub(super) fn decide_delete_file(&self, user: &User, id: &str) -> Result<Decision> {
        let file = self.files.get(id).ok_or(Refusal::NoSuchFile)?;
        // A guest is known by address and nick, as long as it keeps both.
        let is_own = match &file.account {
            Some(account) => user.identity.account.as_ref() == Some(account),
            None => {
                file.by == user.identity.nick
                    && Origin::of_host(user.identity.host()) == Some(file.origin)
            }
        };
        require(is_own || user.is_operator(), || Refusal::NotYourFile(Arc::clone(&file.name)))?;
        Ok(Decision::Change(Change::DeleteFile { id: Arc::clone(&file.id) }))
    }

    /// The ids of an account's files.
    pub fn files_of(&self, account: &Name) -> Vec<Arc<str>> {
        let files = self.files.values().filter(|file| file.account.as_ref() == Some(account));
        files.map(|file| Arc::clone(&file.id)).collect()
    }

    /// An account is deleted. The files that stay have no owner.
    pub(super) fn disown_files(&mut self, account: &Name, erases: bool) {
        let is_its = |file: &StoredFile| file.account.as_ref() == Some(account);
        self.files.retain(|_, file| !(erases && is_its(file)));
        self.files.values_mut().filter(|file| is_its(file)).for_each(disown);
    }

    pub(super) fn add_file(&mut self, mut file: StoredFile) {
        // Deleted while this was on its way.
        if file.account.as_ref().is_some_and(|name| !self.accounts.contains_key(name)) {
            disown(&mut file);
        }
        if self.has_room_for_a_file() {
            self.files.insert(Arc::clone(&file.id), file);
        }
    }

    /// Whether it may was decided; no one misses a file that is gone by now.
    pub(super) fn delete_file(&mut self, at: &mut Applying<'_>, id: &str) {
        let Some(StoredFile { name, .. }) = self.files.swap_remove(id) else { return };
        at.tell(Audience::One(at.origin), Event::FileDeleted { name });
    }
}

/// Neither the next account of the name nor a guest who takes it at that address owns the file.
fn disown(file: &mut StoredFile) {
    (file.account, file.origin) = (None, Origin::NO_ONE);
}

fn owns(account: Option<&Name>, origin: Origin, file: &StoredFile) -> bool {
    match account {
        Some(account) => file.account.as_ref() == Some(account),
        None => file.account.is_none() && file.origin == origin,
    }
}
