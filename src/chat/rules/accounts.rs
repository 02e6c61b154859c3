//! Accounts: registered nicks, which their owners log in to with a password.
//!
//! The hub never sees a password and a hash together: a worker makes the hash or verifies the
//! password, and the record holds the result. Whether an account exists is not revealed to a user
//! who cannot log in to it: the reply is the same, and takes the same time.

use super::applying::Applying;
use super::checks::fits;
use crate::chat::api::{AccountStep, Command, Decision, Event, Outcome, Purpose, Work};
use crate::chat::log::Change;
use crate::chat::model::{
    Audience, Caseless, Claim, Field, Identity, ModeChange, Moment, Name, Origin, PasswordHash,
    Query, Range, RecordId, Refusal, Result, Scope, ScramKeys, Secret, SessionId, advance, limits,
    require,
};
use crate::chat::state::{Account, Hub, User};
use std::sync::Arc;

impl Hub {
    pub(super) fn decide_account(
        &self,
        user: &User,
        command: Command,
        now: Moment,
    ) -> Result<Decision> {
        let account = user.identity.account.clone();
        match command {
            Command::Register(secret) => {
                logged_out(&user.identity)?;
                self.may_register(&user.identity)?;
                checked_password(&secret)?;
                let purpose = Purpose::Register(user.identity.nick.clone());
                Ok(Decision::Work(Work::Hash { secret, former: None, purpose }))
            }
            Command::Login(name, secret) => {
                logged_out(&user.identity)?;
                Ok(Decision::Work(self.login_work(&name, secret, now)))
            }
            Command::Password(old, new) => {
                let name = account.ok_or(Refusal::NotLoggedIn)?;
                checked_password(&new)?;
                let (hash, former) = self.hashes_of(&name, now);
                let (secret, purpose) = (old, Purpose::Change(name, new));
                let work = Work::Verify { secret, hash, former, lacks_keys: false, purpose };
                Ok(Decision::Work(work))
            }
            Command::SetAccount(name, secret, new) => {
                self.set_account_work(user, &name, secret, new)
            }
            Command::DeleteAccount(name, erases) => {
                let account = self.account_for(user, &name)?;
                Ok(Decision::Change(Change::AccountDeleted { account, erases }))
            }
            _ if account.is_none() => Err(Refusal::NotLoggedIn),
            _ => Ok(Decision::Change(Change::Logout { renames: true })),
        }
    }

    /// The work of verifying a login, for unregistered clients as well (SASL).
    pub fn login_work(&self, name: &str, secret: Secret, now: Moment) -> Work {
        let claim = self.claim(name);
        let (hash, former) = self.hashes_of(&claim.account, now);
        let account = self.accounts.get(&claim.account);
        let lacks_keys = account.is_some_and(|account| account.scram.is_none());
        Work::Verify { secret, hash, former, lacks_keys, purpose: Purpose::Login(claim) }
    }

    /// The work of registering an account before its owner, the session to be, has entered.
    ///
    /// # Errors
    /// The name cannot be an account's, or is another user's nick.
    pub fn early_registration(
        &self,
        session: SessionId,
        name: &str,
        secret: Secret,
    ) -> Result<Work> {
        let name = Name::nick(name).map_err(|fault| Refusal::BadNick(name.into(), fault))?;
        self.may_be_made(&name)?;
        self.nick_is_free(session, None, &name)?;
        checked_password(&secret)?;
        Ok(Work::Hash { secret, former: None, purpose: Purpose::RegisterEarly(name) })
    }

    /// The hashes of an account's password and of its former one.
    fn hashes_of(&self, name: &Name, now: Moment) -> (Option<PasswordHash>, Option<PasswordHash>) {
        let Some(account) = self.accounts.get(name) else { return (None, None) };
        let former = account.former(now).map(|former| former.hash.clone());
        (Some(account.hash.clone()), former)
    }

    /// A claim to the account of this name, or to a substitute, as of now.
    pub fn claim(&self, name: &str) -> Claim {
        let (account, as_of) = (self.known_or_stand_in(name), self.last.unwrap_or_default());
        Claim { account, as_of }
    }

    /// The account of this name, or a substitute if there is none. The name may be a misplaced
    /// password and is going to be counted: sixteen bits of a digest are enough to slow down
    /// repeated attempts with the same name, and too few to guess it from. No nick starts like the
    /// substitute.
    pub fn known_or_stand_in(&self, name: &str) -> Name {
        if let Some(account) = self.accounts.get(&Caseless(name)) {
            return account.name.clone();
        }
        // FNV-1a, folded in half.
        let digest = name.bytes().fold(0x811c_9dc5_u32, |digest, byte| {
            (digest ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0193)
        });
        Name::new(&format!("?{:04x}", (digest >> 16) ^ (digest & 0xffff)))
    }

    /// Whether the owner of an account has logged in from this origin before.
    pub fn knows_origin(&self, account: &Name, origin: Origin) -> bool {
        self.accounts.get(account).is_some_and(|account| account.origins.contains(&origin))
    }

    /// Whether a claim is to the account that has the name now, and not to an earlier one.
    pub fn is_of_today(&self, claim: &Claim) -> bool {
        self.accounts.get(&claim.account).is_some_and(|account| account.since <= claim.as_of)
    }

    /// The account, if one more session may log in to it.
    ///
    /// # Errors
    /// The claim is void, or the account is banned or has as many sessions as it may.
    pub fn may_act_for(&self, claim: &Claim, now: Moment) -> Result<&Account> {
        self.admits_account(&claim.account, now)?;
        let account = self.accounts.get(&claim.account).ok_or(Refusal::VoidClaim)?;
        account.admits(claim.as_of).map(|()| account)
    }

    fn may_register(&self, who: &Identity) -> Result<()> {
        require(who.named, || Refusal::NickFirst)?;
        self.may_be_made(&who.nick)
    }

    /// Whether an account of this name can be made.
    pub(super) fn may_be_made(&self, name: &Name) -> Result<()> {
        require(!self.accounts.contains_key(name), || Refusal::AccountExists(name.clone()))?;
        require(self.accounts.len() < limits::ACCOUNTS, || Refusal::TooManyAccounts)
    }

    /// Goes on with what waited for the worker.
    pub fn worked(
        &self,
        session: SessionId,
        purpose: Purpose,
        outcome: Outcome,
        now: Moment,
    ) -> Decision {
        let has_entered = self.users.contains_key(&session);
        match (purpose, outcome) {
            (Purpose::RegisterEarly(account), Outcome::Hashed(hash, scram)) if !has_entered => {
                Decision::Change(Change::AccountSet { account, hash, scram, new: true })
            }
            _ if !has_entered => Decision::Refuse(Refusal::NotHere),
            (Purpose::Register(account), Outcome::Hashed(hash, scram)) => {
                Decision::Change(Change::Register { account, hash, scram })
            }
            (Purpose::Replace(account), Outcome::Hashed(hash, scram)) => {
                Decision::Change(Change::Password { account, hash, scram, alone: true })
            }
            (Purpose::Set(account, new), Outcome::Hashed(hash, scram)) => {
                Decision::Change(Change::AccountSet { account, hash, scram, new })
            }
            (Purpose::Login(claim), Outcome::Verified(true) | Outcome::VerifiedWithKeys(..)) => {
                match self.may_act_for(&claim, now) {
                    Ok(_) => Decision::Change(Change::Login {
                        account: claim.account,
                        as_of: Some(claim.as_of),
                    }),
                    Err(refusal) => Decision::Refuse(refusal),
                }
            }
            (Purpose::Change(account, new), Outcome::Verified(true)) => {
                let former = self.accounts.get(&account).and_then(|account| account.scram.clone());
                let purpose = Purpose::Replace(account);
                Decision::Work(Work::Hash { secret: new, former, purpose })
            }
            (Purpose::Oper(name, _), Outcome::Verified(true)) => {
                Decision::Change(Change::Oper { name })
            }
            _ => Decision::Refuse(Refusal::WrongPassword),
        }
    }

    pub(super) fn register(
        &mut self,
        at: &mut Applying<'_>,
        name: Name,
        hash: PasswordHash,
        scram: Option<ScramKeys>,
    ) -> Result<()> {
        let who = &self.origin(at)?.identity;
        self.may_register(who)?;
        require(who.nick == name, || Refusal::NickFirst)?;
        logged_out(who)?;
        let mut account = Account::new(name.clone(), (hash, scram), (at.id, at.time));
        account.metadata = self.metadata_before(at);
        self.accounts.insert(name.clone(), account);
        self.attach_account(at.origin, &name, at.time);
        self.tell_account(at, AccountStep::Registered);
        Ok(())
    }

    pub(super) fn login(
        &mut self,
        at: &mut Applying<'_>,
        account: Name,
        as_of: Option<RecordId>,
    ) -> Result<()> {
        let user = self.origin(at)?;
        logged_out(&user.identity)?;
        let claim = Claim { account, as_of: as_of.unwrap_or(at.id) };
        let account = self.may_act_for(&claim, at.time)?;
        let (name, named) = (account.name.clone(), user.identity.named);
        let renames = !named
            && self.session_of(name.as_str()).is_none()
            && self.may_be_renamed(user, &name).is_ok();
        let metadata = self.metadata_before(at);
        self.keep_silent_everywhere(at);
        if let Some(account) = self.accounts.get_mut(&name)
            && account.former(at.time).is_none()
        {
            account.former = None;
        }
        self.attach_account(at.origin, &name, at.time);
        self.tell_account(at, AccountStep::LoggedIn);
        self.tell_metadata_since(at, &metadata);
        if renames {
            self.rename(at, name.clone())?;
        }
        self.op_where_known(at, &name);
        self.replay_mail(at, name);
        Ok(())
    }

    /// Makes a session act for an account; who it is now.
    pub(super) fn attach_account(
        &mut self,
        session: SessionId,
        name: &Name,
        now: Moment,
    ) -> Option<Arc<Identity>> {
        let account = self.accounts.get_mut(name)?;
        account.seen = Some(now);
        let user = self.users.get_mut(&session)?;
        if !account.sessions.contains(&session) {
            account.sessions.push(session);
        }
        if let Some(origin) = Origin::of_host(user.identity.host()) {
            account.note_origin(origin);
        }
        user.identity_mut().account = Some(account.name.clone());
        if let Some(extras) = &mut user.extras {
            extras.metadata.clear();
            for (target, time) in std::mem::take(&mut extras.markers) {
                advance(&mut account.markers, &target, time);
            }
        }
        Some(Arc::clone(&user.identity))
    }

    /// The accounts that no one has been logged in to since `before`.
    pub fn unused_accounts(&self, before: Moment) -> Vec<Name> {
        let unused = |account: &&Account| account.is_unused(before);
        self.accounts.values().filter(unused).map(|account| account.name.clone()).collect()
    }

    pub(super) fn detach_account(&mut self, session: SessionId, name: &Name, now: Moment) {
        if let Some(account) = self.accounts.get_mut(name) {
            account.left = Some(now);
            account.sessions.retain(|other| *other != session);
        }
    }

    /// Gives the origin op in those of its rooms that know its account as op.
    fn op_where_known(&mut self, at: &mut Applying<'_>, account: &Name) {
        let Some(user) = self.users.get(&at.origin) else { return };
        for name in user.rooms.iter() {
            let Some(room) = self.rooms.get_mut(name) else { continue };
            if !room.ops.contains(account) {
                continue;
            }
            let Some(member) = room.members.get_mut(&at.origin) else { continue };
            if !std::mem::replace(&mut member.op, true) {
                let changes = vec![ModeChange::Op(user.identity.nick.clone(), true)];
                let (who, room) = (Arc::clone(&user.identity), name.clone());
                at.tell_room(name, Event::ModesSet { who, room, changes });
            }
        }
    }

    /// Hands over what waited for an account.
    pub(super) fn replay_mail(&mut self, at: &mut Applying<'_>, name: Name) {
        let Some(account) = self.accounts.get_mut(&name) else { return };
        let Some(since) = account.mail_since.take() else { return };
        account.mail = 0;
        account.mail_from.clear();
        let scope = Scope::Mail { account: name, since };
        let limit = Some(limits::MAIL_PER_ACCOUNT);
        let query = Query { scope, range: Range::Latest, limit, events: false };
        at.tell_origin(Event::ReplayHistory(Box::new(query)));
    }

    /// The origin is no longer the account's. If it has the account's nick, it gets a guest's: what
    /// is sent to that nick is for the account's owner.
    pub(super) fn logout(&mut self, at: &mut Applying<'_>, renames: bool) -> Result<()> {
        let metadata = self.metadata_before(at);
        self.keep_silent_everywhere(at);
        let Some(user) = self.users.get_mut(&at.origin) else { return Err(Refusal::NotHere) };
        let Some(account) = user.identity_mut().account.take() else {
            return Err(Refusal::NotLoggedIn);
        };
        self.detach_account(at.origin, &account, at.time);
        self.tell_account(at, AccountStep::LoggedOut);
        self.tell_metadata_since(at, &metadata);
        if renames && self.origin(at)?.identity.nick == account {
            self.become_guest(at)?;
        }
        Ok(())
    }

    pub(super) fn password(
        &mut self,
        at: &mut Applying<'_>,
        name: &Name,
        secrets: (PasswordHash, Option<ScramKeys>),
        alone: bool,
    ) -> Result<()> {
        require(self.origin(at)?.identity.account.as_ref() == Some(name), || Refusal::NotLoggedIn)?;
        let Some(account) = self.accounts.get_mut(name) else { return Err(Refusal::NotLoggedIn) };
        account.renew(secrets, (at.id, at.time));
        let sessions = if alone { account.sessions.clone() } else { Vec::new() };
        let who = Arc::clone(&self.origin(at)?.identity);
        at.tell_origin(Event::Account { who, step: AccountStep::PasswordChanged });
        // Someone who knew the old password and is still there does not know the new one.
        let changer = at.origin;
        self.log_out(at, sessions.into_iter().filter(|session| *session != changer));
        Ok(())
    }

    pub(super) fn log_out(
        &mut self,
        at: &mut Applying<'_>,
        sessions: impl IntoIterator<Item = SessionId>,
    ) {
        let origin = at.origin;
        for session in sessions {
            at.origin = session;
            let _ = self.logout(at, true);
        }
        at.origin = origin;
    }

    fn tell_account(&self, at: &mut Applying<'_>, step: AccountStep) {
        let Some(user) = self.users.get(&at.origin) else { return };
        let audience = Audience::Peers { rooms: user.rooms.to_vec(), from: Some(at.origin) };
        at.tell(audience, Event::Account { who: Arc::clone(&user.identity), step });
    }
}

/// Whether a user acts for no account yet.
fn logged_out(who: &Identity) -> Result<()> {
    who.account.clone().map_or(Ok(()), |account| Err(Refusal::LoggedIn(account)))
}

/// How short it may be is a setting: the server sees to that.
pub(super) fn checked_password(secret: &Secret) -> Result<()> {
    fits(Field::Password, secret.expose(), limits::PASSWORD_LENGTH)
}
