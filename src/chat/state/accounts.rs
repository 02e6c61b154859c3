//! All accounts, and what their metadata and read markers hold in memory altogether.
//!
//! Each account is bounded, and there may be a hundred thousand of them: so there is a memory for all.
//! While it is used up, no account takes in more. What an account holds is weighed where it has
//! changed.
//!
//! Rejected: the oldest give way, as recent messages do: nothing else has what they would lose.

use super::account::Account;
use super::table::Table;
use crate::chat::model::Name;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use std::ops::Deref;

/// The memory for what accounts hold, unless it is configured.
const MEMORY: usize = 64 * 1024 * 1024;

/// All accounts.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Table<Name, Account>")]
pub(in crate::chat) struct Accounts {
    table: Table<Name, Account>,
    /// What each holds that holds something, and all of them.
    weights: BTreeMap<Name, usize>,
    bytes: usize,
    memory: usize,
}

/// Reading; what changes accounts is below.
impl Deref for Accounts {
    type Target = Table<Name, Account>;

    fn deref(&self) -> &Table<Name, Account> {
        &self.table
    }
}

impl PartialEq for Accounts {
    fn eq(&self, other: &Accounts) -> bool {
        self.table == other.table
    }
}

impl Serialize for Accounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.table.serialize(serializer)
    }
}

impl From<Table<Name, Account>> for Accounts {
    fn from(table: Table<Name, Account>) -> Accounts {
        let names: Vec<Name> = table.keys().cloned().collect();
        let mut accounts = Accounts { table, weights: BTreeMap::new(), bytes: 0, memory: MEMORY };
        names.iter().for_each(|name| accounts.weigh(name));
        accounts
    }
}

impl Accounts {
    pub(in crate::chat) fn set_memory(&mut self, bytes: usize) {
        self.memory = bytes;
    }

    pub(in crate::chat) fn memory(&self) -> usize {
        self.memory
    }

    /// Whether all of them together hold as much as they may.
    pub(in crate::chat) fn are_full(&self) -> bool {
        self.bytes >= self.memory
    }

    /// What is changed is to be [weighed](Accounts::weigh) then, if it is of weight.
    pub(in crate::chat) fn get_mut(&mut self, name: &Name) -> Option<&mut Account> {
        self.table.get_mut(name)
    }

    /// Adds an account, whose name is free.
    pub(in crate::chat) fn insert(&mut self, name: Name, account: Account) {
        self.table.insert(name.clone(), account);
        self.weigh(&name);
    }

    pub(in crate::chat) fn swap_remove(&mut self, name: &Name) -> Option<Account> {
        let account = self.table.swap_remove(name);
        self.weigh(name);
        account
    }

    /// The metadata or the markers of an account may have changed.
    pub(in crate::chat) fn weigh(&mut self, name: &Name) {
        let after = self.table.get(name).map_or(0, Account::weight);
        let before = match after {
            0 => self.weights.remove(name),
            _ => self.weights.insert(name.clone(), after),
        };
        self.bytes = self.bytes + after - before.unwrap_or(0);
    }

    /// Whether the counts are those of a recount.
    #[cfg(test)]
    pub(in crate::chat) fn is_counted(&self) -> bool {
        let again = Accounts::from(self.table.clone());
        (again.bytes, &again.weights) == (self.bytes, &self.weights)
    }
}
