//! Accounts in English, for both dialects: what an operator has done with one, and one of a list.

use super::time;
use crate::chat::{AccountChange, AccountLine, Name};
use crate::wire::plural::counted;

pub fn managed(account: &Name, what: AccountChange) -> String {
    match what {
        AccountChange::Made => format!("account {account} created"),
        AccountChange::Reset => {
            format!("account {account} has a new password, and its sessions are logged out")
        }
        AccountChange::Deleted { erases: false, .. } => format!("account {account} deleted"),
        AccountChange::Deleted { erases: true, .. } => {
            format!("account {account} deleted, with its messages and files")
        }
    }
}

pub fn line(account: &AccountLine) -> String {
    let AccountLine { name, created, seen, sessions, rooms } = account;
    let seen = match (sessions, seen) {
        (0, None) => "never logged in".to_owned(),
        (0, Some(seen)) => format!("last login {} UTC", time::shown(*seen)),
        (sessions, _) => counted(*sessions, "session"),
    };
    format!("{name}: since {} UTC, {seen}, registered rooms: {rooms}", time::shown(*created))
}
