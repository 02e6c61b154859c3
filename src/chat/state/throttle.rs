//! Delays after failed logins.
//!
//! The delay doubles with every failure, for the address and for the account. An address waits
//! long; an account only shortly, because its owner has to wait for the attempts of others, too.

use crate::chat::model::{Moment, Name, limits};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The recent failures.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(in crate::chat) struct Throttle {
    /// Keys begin with `address ` or `account `. At most [`limits::FAILURE_ENTRIES`].
    failures: BTreeMap<String, Failures>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Failures {
    count: u32,
    last: Moment,
}

impl Failures {
    fn wait(self, longest: i64, now: Moment) -> i64 {
        let since = now.0.saturating_sub(self.last.0).max(0);
        if self.count <= limits::FREE_FAILURES || since >= limits::FAILURE_MEMORY {
            return 0;
        }
        let doublings = (self.count - limits::FREE_FAILURES - 1).min(20);
        ((1000_i64 << doublings).min(longest) - since).max(0)
    }
}

impl Throttle {
    /// Milliseconds until a login of this account from this address is looked at.
    pub(in crate::chat) fn wait(&self, account: &Name, host: &str, now: Moment) -> i64 {
        let of = |key: &str, longest| {
            self.failures.get(key).map_or(0, |failures| failures.wait(longest, now))
        };
        let address = of(&address_key(host), limits::ADDRESS_DELAY);
        address.max(of(&account_key(account), limits::ACCOUNT_DELAY))
    }

    /// One more failure.
    pub(in crate::chat) fn failed(&mut self, account: &Name, host: &str, now: Moment) {
        for key in [address_key(host), account_key(account)] {
            if self.failures.len() >= limits::FAILURE_ENTRIES && !self.failures.contains_key(&key) {
                self.make_room(now);
            }
            let entry = self.failures.entry(key).or_insert(Failures { count: 0, last: now });
            let old = now.0.saturating_sub(entry.last.0) >= limits::FAILURE_MEMORY;
            entry.count = if old { 1 } else { entry.count.saturating_add(1) };
            entry.last = now;
        }
    }

    /// Removes old entries, or the oldest one if there are none.
    fn make_room(&mut self, now: Moment) {
        let old = |last: Moment| now.0.saturating_sub(last.0) >= limits::FAILURE_MEMORY;
        self.failures.retain(|_, failures| !old(failures.last));
        if self.failures.len() >= limits::FAILURE_ENTRIES
            && let Some((key, _)) = self.failures.iter().min_by_key(|(_, failures)| failures.last)
        {
            let key = key.clone();
            self.failures.remove(&key);
        }
    }

    /// A login succeeded: the account's failures are cleared. Those of the address are not, or an
    /// attacker with an account could reset them.
    pub(in crate::chat) fn succeeded(&mut self, account: &Name) {
        self.failures.remove(&account_key(account));
    }
}

fn address_key(host: &str) -> String {
    format!("address {host}")
}

fn account_key(account: &Name) -> String {
    format!("account {}", account.folded())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end() {
        let (mut throttle, bob) = (Throttle::default(), Name::new("bob"));
        for _ in 0..limits::FREE_FAILURES {
            throttle.failed(&bob, "h", Moment(0));
        }
        assert_eq!(throttle.wait(&bob, "h", Moment(0)), 0);
        throttle.failed(&bob, "h", Moment(0));
        assert_eq!(throttle.wait(&bob, "h", Moment(0)), 1000);
        assert_eq!(throttle.wait(&bob, "h", Moment(400)), 600);
        throttle.failed(&bob, "h", Moment(1000));
        assert_eq!(throttle.wait(&bob, "h", Moment(1000)), 2000);
        for _ in 0..40 {
            throttle.failed(&bob, "h", Moment(1000));
        }
        assert_eq!(throttle.wait(&bob, "h", Moment(1000)), limits::ADDRESS_DELAY);
        assert_eq!(throttle.wait(&bob, "elsewhere", Moment(1000)), limits::ACCOUNT_DELAY);
        throttle.succeeded(&bob);
        assert_eq!(throttle.wait(&bob, "elsewhere", Moment(1000)), 0);
        assert_eq!(throttle.wait(&bob, "h", Moment(1000 + limits::FAILURE_MEMORY)), 0);
    }

    #[test]
    fn memory_is_bounded() {
        let mut throttle = Throttle::default();
        for number in 0..2 * limits::FAILURE_ENTRIES as i64 {
            throttle.failed(&Name::new(&format!("n{number}")), "h", Moment(number / 100));
            assert!(throttle.failures.len() <= limits::FAILURE_ENTRIES);
        }
    }
}
