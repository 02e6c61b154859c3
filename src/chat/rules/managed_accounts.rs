//! Accounts in the hands of operators: made, given another password, deleted, listed.
//!
//! A record of these may come from no session: `chatloop-server passwd` writes it while no server
//! runs. What names a deleted account keeps its name; whether an account is the one that wrote a
//! message is told by the record that made it ([`Account::since`]), so a later account of that name
//! gets nothing of it.

use super::accounts::checked_password;
use super::applying::Applying;
use super::checks::operates;
use crate::chat::api::{AccountChange, AccountLine, Decision, Event, Listing, Page, Purpose, Work};
use crate::chat::model::{Name, PasswordHash, RecordId, Refusal, Result, ScramKeys, Secret, Walk};
use crate::chat::state::{Account, Hub, User};

/// Lines of a page.
const PAGE: usize = 128;

impl Hub {
    /// Whether an operator may put this password on an account of this name.
    pub(super) fn set_account_work(
        &self,
        user: &User,
        name: &str,
        secret: Secret,
        new: bool,
    ) -> Result<Decision> {
        let name = if new {
            operates(user)?;
            let name = Name::nick(name).map_err(|fault| Refusal::BadNick(name.into(), fault))?;
            self.may_be_made(&name)?;
            name
        } else {
            self.account_for(user, name)?
        };
        checked_password(&secret)?;
        Ok(Decision::Work(Work::Hash { secret, former: None, purpose: Purpose::Set(name, new) }))
    }

    /// The account that an operator names.
    pub(super) fn account_for(&self, user: &User, name: &str) -> Result<Name> {
        operates(user)?;
        self.account(name).map(|account| account.name.clone())
    }

    fn account(&self, name: &str) -> Result<&Account> {
        let name = Name::new(name);
        self.accounts.get(&name).ok_or(Refusal::NoSuchAccount(name))
    }

    pub(super) fn set_account(
        &mut self,
        at: &mut Applying<'_>,
        name: Name,
        secrets: (PasswordHash, Option<ScramKeys>),
        new: bool,
    ) -> Result<()> {
        self.may_manage(at)?;
        if new {
            self.may_be_made(&name)?;
            let mut account = Account::new(name.clone(), secrets, (at.id, at.time));
            account.left = Some(at.time);
            self.accounts.insert(name.clone(), account);
            at.tell_origin(Event::AccountManaged { account: name, what: AccountChange::Made });
            return Ok(());
        }
        let account = self.accounts.get_mut(&name);
        let account = account.ok_or_else(|| Refusal::NoSuchAccount(name.clone()))?;
        account.renew(secrets, (at.id, at.time));
        let sessions = account.sessions.clone();
        self.log_out(at, sessions);
        at.tell_origin(Event::AccountManaged { account: name, what: AccountChange::Reset });
        Ok(())
    }

    pub(super) fn delete_account(
        &mut self,
        at: &mut Applying<'_>,
        name: &Name,
        erases: bool,
    ) -> Result<()> {
        self.may_manage(at)?;
        let sessions = self.account(name.as_str())?.sessions.clone();
        if !sessions.is_empty() && !self.users.contains_key(&at.origin) {
            return Ok(()); // it had been unused for long; its owner has come back just now
        }
        self.log_out(at, sessions);
        let Some(account) = self.accounts.swap_remove(name) else { return Ok(()) };
        for certificate in &account.certificates {
            self.certificates.swap_remove(certificate);
        }
        self.rooms.forget_account(name, erases.then_some(account.since));
        let by_account = |by: &Option<Name>| by.as_ref() == Some(name);
        self.private.retain(|private| !(erases && by_account(&private.account)));
        for private in self.private.iter_mut().filter(|private| by_account(&private.account)) {
            private.account = None;
        }
        self.disown_files(name, erases);
        let what = AccountChange::Deleted { erases, since: account.since };
        at.tell_origin(Event::AccountManaged { account: account.name, what });
        Ok(())
    }

    /// The origin is an operator, or no session.
    fn may_manage(&self, at: &Applying<'_>) -> Result<()> {
        self.users.get(&at.origin).map_or(Ok(()), operates)
    }

    pub(super) fn list_accounts(&self, mut walk: Walk<Name>) -> Page<AccountLine> {
        let total = walk.is_new().then(|| self.accounts.len());
        let mut lines = Vec::new();
        while lines.len() < PAGE {
            match self.next_account(&mut walk) {
                Some(line) => lines.push(line),
                None => return Page { total, lines, more: None },
            }
        }
        Page { total, lines, more: Some(Box::new(Listing::Accounts(walk))) }
    }

    /// The next account of a list, for an operator.
    pub fn next_account(&self, walk: &mut Walk<Name>) -> Option<AccountLine> {
        loop {
            let name = walk.next(|| self.accounts.keys().cloned())?;
            let Some(account) = self.accounts.get(&name) else { continue };
            return Some(AccountLine {
                name: account.name.clone(),
                created: account.created,
                seen: account.seen,
                sessions: account.sessions.len(),
                rooms: self.rooms.registered_by(&name),
            });
        }
    }

    /// Whether an account wrote a message, and not an earlier one of its name.
    pub(super) fn wrote(&self, account: Option<&Name>, by: Option<&Name>, id: RecordId) -> bool {
        by.is_some()
            && by == account
            && by.and_then(|by| self.accounts.get(by)).is_some_and(|it| id >= it.since)
    }
}
