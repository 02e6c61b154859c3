//! All accounts, and what their metadata and read markers hold in memory altogether.
//!
//! Each account is bounded, and there may be a hundred thousand of them: so there is a memory for all.
//! While it is used up, no account takes in more. What an account holds is weighed when a record
//! that changes it has been applied, in one place ([`Hub::apply`](crate::chat::Hub::apply)).
//!
//! Rejected: the oldest give way, as recent messages do: nothing else has what they would lose.

use super::account::Account;
use super::indexed::Indexed;
use super::table::Table;
use crate::chat::model::Name;
use std::collections::BTreeMap;

/// The memory for what accounts hold, unless it is configured.
const MEMORY: usize = 64 * 1024 * 1024;

/// All accounts.
pub type Accounts = Indexed<Name, Account, Weights>;

#[derive(Clone)]
pub struct Weights {
    /// What each holds that holds something, and all of them.
    each: BTreeMap<Name, usize>,
    bytes: usize,
    memory: usize,
    /// Those that a record has changed, until they are weighed.
    changed: Vec<Name>,
}

impl From<Table<Name, Account>> for Accounts {
    fn from(table: Table<Name, Account>) -> Accounts {
        let names: Vec<Name> = table.keys().cloned().collect();
        let (each, changed) = (BTreeMap::new(), Vec::new());
        let index = Weights { each, bytes: 0, memory: MEMORY, changed };
        let mut accounts = Accounts { table, index };
        names.iter().for_each(|name| accounts.weigh(name));
        accounts
    }
}

impl Accounts {
    pub fn set_memory(&mut self, bytes: usize) {
        self.index.memory = bytes;
    }

    pub fn memory(&self) -> usize {
        self.index.memory
    }

    /// Whether all of them together hold as much as they may.
    pub fn are_full(&self) -> bool {
        self.index.bytes >= self.index.memory
    }

    /// The account is weighed when the record has been applied.
    pub fn get_mut(&mut self, name: &Name) -> Option<&mut Account> {
        let account = self.table.get_mut(name)?;
        self.index.changed.push(name.clone());
        Some(account)
    }

    /// A record has been applied: weighs the accounts that it has changed.
    pub fn weigh_changed(&mut self) {
        while let Some(name) = self.index.changed.pop() {
            self.weigh(&name);
        }
    }

    /// Adds an account, whose name is free.
    pub fn insert(&mut self, name: Name, account: Account) {
        self.table.insert(name.clone(), account);
        self.weigh(&name);
    }

    pub fn swap_remove(&mut self, name: &Name) -> Option<Account> {
        let account = self.table.swap_remove(name);
        self.weigh(name);
        account
    }

    fn weigh(&mut self, name: &Name) {
        let after = self.table.get(name).map_or(0, Account::weight);
        let before = match after {
            0 => self.index.each.remove(name),
            _ => self.index.each.insert(name.clone(), after),
        };
        self.index.bytes = self.index.bytes + after - before.unwrap_or(0);
    }

    /// Whether the counts are those of a recount.
    #[cfg(test)]
    pub fn is_counted(&self) -> bool {
        let again = Accounts::from(self.table.clone());
        (again.index.bytes, &again.index.each) == (self.index.bytes, &self.index.each)
    }
}
