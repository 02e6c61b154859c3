//! An account, as the hub and its snapshot hold it.

use crate::chat::model::{
    Metadata, Moment, Name, Origin, PasswordHash, ReadMarkers, RecordId, Refusal, Result,
    ScramKeys, SessionId, below, limits, require,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One account.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Account {
    pub name: Name,
    pub hash: PasswordHash,
    /// Accounts from before there was SCRAM have none until their owner shows the password.
    #[serde(default)]
    pub scram: Option<ScramKeys>,
    pub created: Moment,
    /// The record that made it: an earlier account of that name wrote what is older.
    #[serde(default)]
    pub since: RecordId,
    /// The last record that took from someone a way to log in: it was made, got another password, or
    /// lost a certificate. A [`Claim`](crate::chat::model::Claim) from before that is void.
    #[serde(default)]
    pub renewed: RecordId,
    /// The time of the last login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Moment>,
    /// The end of the last session that was logged in to it, or when someone else made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Moment>,
    /// The sessions logged in to it. At most [`limits::SESSIONS_PER_ACCOUNT`].
    pub sessions: Vec<SessionId>,
    /// The number of pending direct messages, and the first of them.
    pub mail: u32,
    pub mail_since: Option<RecordId>,
    /// How many of them came from which origin: one does not fill the mailbox.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mail_from: Vec<(Origin, u32)>,
    /// The direct message partners and the time of the last message, the latest last. At most
    /// [`limits::PARTNERS_PER_ACCOUNT`].
    #[serde(default)]
    pub partners: Vec<(Name, Moment)>,
    /// The password before this one, for as long as other clients of the owner may still have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<FormerPassword>,
    /// The user's metadata.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub markers: ReadMarkers,
    /// Where it logged in from, the latest last: strangers' guesses do not delay logins from there.
    /// At most [`limits::ORIGINS_PER_ACCOUNT`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<Origin>,
    /// The fingerprints of its owner's certificates. At most [`limits::CERTIFICATES_PER_ACCOUNT`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Arc<str>>,
}

/// A password that was changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FormerPassword {
    pub hash: PasswordHash,
    pub scram: Option<ScramKeys>,
    pub until: Moment,
}

impl Account {
    /// A new account, made by this record.
    pub fn new(
        name: Name,
        (hash, scram): (PasswordHash, Option<ScramKeys>),
        (since, created): (RecordId, Moment),
    ) -> Account {
        Account { name, hash, scram, created, since, renewed: since, ..Account::default() }
    }

    /// Whether a claim as of then holds, and one more session fits.
    ///
    /// # Errors
    /// Which of the two it is not.
    pub fn admits(&self, as_of: RecordId) -> Result<()> {
        require(self.renewed <= as_of, || Refusal::VoidClaim)?;
        below(self.sessions.len(), limits::SESSIONS_PER_ACCOUNT, Refusal::TooManySessions)
    }

    /// Gives it another password, by this record.
    pub fn renew(
        &mut self,
        (hash, scram): (PasswordHash, Option<ScramKeys>),
        (id, now): (RecordId, Moment),
    ) {
        let hash = std::mem::replace(&mut self.hash, hash);
        let scram = std::mem::replace(&mut self.scram, scram);
        self.former = Some(FormerPassword { hash, scram, until: now });
        self.renewed = id;
    }

    /// The former password, if it was changed within the last hour.
    pub fn former(&self, now: Moment) -> Option<&FormerPassword> {
        let age = |former: &FormerPassword| now.0.saturating_sub(former.until.0);
        self.former.as_ref().filter(|former| age(former) < limits::FORMER_PASSWORD)
    }

    /// Whether no one has been logged in to it since `before`, as far as is known: one from before servers
    /// remembered that waits for its owner.
    pub fn is_unused(&self, before: Moment) -> bool {
        let last = self.seen.max(self.left);
        self.sessions.is_empty() && last.is_some_and(|last| last < before)
    }

    /// Bytes of its metadata and read markers, about.
    pub fn weight(&self) -> usize {
        /// What an entry takes beside its text.
        const ENTRY: usize = 48;
        let metadata = self.metadata.iter().map(|(key, value)| key.len() + value.len() + 2 * ENTRY);
        let markers = self.markers.iter().map(|(target, _)| target.as_str().len() + ENTRY);
        metadata.chain(markers).sum()
    }

    pub fn mail_is_full(&self) -> bool {
        self.sessions.is_empty() && self.mail >= limits::MAIL_PER_ACCOUNT
    }

    /// Whether `host` has its share of the mail. Asked before a message is written down, and not again:
    /// what earlier servers let in stays.
    pub fn mail_is_full_for(&self, host: &str) -> bool {
        let from = Origin::of_host(host);
        let own = self.mail_from.iter().find(|(origin, _)| Some(*origin) == from);
        let is_full = own.is_some_and(|(_, count)| *count >= limits::MAIL_PER_ACCOUNT / 4);
        self.sessions.is_empty() && is_full
    }

    pub fn note_origin(&mut self, origin: Origin) {
        self.origins.retain(|known| *known != origin);
        if self.origins.len() == limits::ORIGINS_PER_ACCOUNT {
            self.origins.remove(0);
        }
        self.origins.push(origin);
    }

    pub fn keep_mail(&mut self, id: RecordId, host: &str) {
        if let Some(from) = Origin::of_host(host).filter(|origin| !origin.is_loopback()) {
            match self.mail_from.iter_mut().find(|(origin, _)| *origin == from) {
                Some((_, count)) => *count = count.saturating_add(1),
                None => self.mail_from.push((from, 1)),
            }
        }
        self.mail = self.mail.saturating_add(1);
        self.mail_since.get_or_insert(id);
    }
}

/// Moves a direct message partner to the end.
pub fn note_partner(partners: &mut Vec<(Name, Moment)>, peer: &Name, now: Moment) {
    partners.retain(|(known, _)| known != peer);
    if partners.len() == limits::PARTNERS_PER_ACCOUNT {
        partners.remove(0);
    }
    partners.push((peer.clone(), now));
}
