//! One-time tokens: a user who asks for one on a connection to the chat may upload a file with it.
//!
//! Rejected: guests who upload without one. A token ties an upload to a user who is there: one who
//! has given the server's password, and whom a room's operators may kick.

use super::random::Random;
use crate::chat::work::{self, ROW};
use crate::chat::{Claim, Name, Origin, RecordId, SessionId};
use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

/// How long a token may be used. The texts that offer one say so.
const LIFE: Duration = Duration::from_secs(600);
/// Tokens in all, and of one origin; the oldest gives way.
const TOKENS: usize = 4_096;
const PER_ORIGIN: usize = 64;

/// Who uploads, and where the file is to be shared.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Uploader {
    /// A nick, or an account.
    pub(super) name: Name,
    /// Whose quota the file counts for, as long as that is the same account.
    pub(super) account: Option<Claim>,
    pub(super) origin: Origin,
    /// In which room and by which session, with the record that created the room.
    pub(super) share: Option<(SessionId, Name, RecordId)>,
    /// The session that has asked for the token; the token is of no use without it.
    pub(super) session: Option<SessionId>,
}

impl Uploader {
    pub(super) fn account(&self) -> Option<&Name> {
        self.account.as_ref().map(|claim| &claim.account)
    }
}

#[derive(Default)]
pub(super) struct UploadTokens {
    /// With the time of their issue.
    issued: BTreeMap<String, (Instant, Uploader)>,
}

impl UploadTokens {
    pub(super) fn issue(
        &mut self,
        uploader: Uploader,
        random: &mut Random,
        now: Instant,
    ) -> io::Result<String> {
        let token: String = random_id(random)?;
        work::charge(ROW.times(3 * self.issued.len()));
        self.issued.retain(|_, (since, _)| now.saturating_duration_since(*since) < LIFE);
        let origin = uploader.origin;
        self.make_room(PER_ORIGIN, |other| other.origin == origin);
        self.make_room(TOKENS, |_| true);
        self.issued.insert(token.clone(), (now, uploader));
        Ok(token)
    }

    fn make_room(&mut self, most: usize, counts: impl Fn(&Uploader) -> bool) {
        let counted = || self.issued.iter().filter(|(_, (_, uploader))| counts(uploader));
        let oldest = counted().min_by_key(|(_, (since, _))| *since).map(|(token, _)| token.clone());
        if let Some(token) = oldest.filter(|_| counted().count() >= most) {
            self.issued.remove(&token);
        }
    }

    /// What a token allows.
    pub(super) fn find(&self, token: &str, now: Instant) -> Option<&Uploader> {
        let (since, uploader) = self.issued.get(token)?;
        (now.saturating_duration_since(*since) < LIFE).then_some(uploader)
    }

    /// It has been used.
    pub(super) fn spend(&mut self, token: &str) {
        self.issued.remove(token);
    }
}

/// 128 random bits.
pub(super) fn random_id(random: &mut Random) -> io::Result<String> {
    let bytes: [u8; 16] = random.bytes()?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest(number: u8) -> Uploader {
        let origin = Origin::V4([192, 0, 2, number]);
        Uploader { name: Name::new("ada"), account: None, origin, share: None, session: None }
    }

    #[test]
    fn a_token_is_good_once_and_for_a_while() {
        let (mut tokens, mut random) = (UploadTokens::default(), Random::seeded(1));
        let now = Instant::now();
        let token = tokens.issue(guest(1), &mut random, now).unwrap();
        assert_eq!(token.len(), 32);
        assert_eq!(tokens.find(&token, now), Some(&guest(1)));
        assert_eq!(tokens.find(&token[1..], now), None);
        assert_eq!(tokens.find(&token, now + LIFE), None);
        tokens.spend(&token);
        assert_eq!(tokens.find(&token, now), None);
    }

    #[test]
    fn the_oldest_token_of_an_origin_gives_way_and_no_others() {
        let (mut tokens, mut random) = (UploadTokens::default(), Random::seeded(1));
        let mut now = Instant::now();
        let other = tokens.issue(guest(2), &mut random, now).unwrap();
        let mut issued = Vec::new();
        for _ in 0..=PER_ORIGIN {
            now += Duration::from_millis(1);
            issued.push(tokens.issue(guest(1), &mut random, now).unwrap());
        }
        assert!(tokens.find(&other, now).is_some() && tokens.find(&issued[0], now).is_none());
        assert!(issued[1..].iter().all(|token| tokens.find(token, now).is_some()));
    }
}
