//! Accounts and rooms that are to be deleted because no one uses them: only those that were unused at
//! every hourly check of a day, because a clock that is wrong for an hour must not delete everything.

use crate::chat::Name;
use std::collections::BTreeMap;
use std::time::Duration;

pub(super) const CHECK_INTERVAL: Duration = Duration::from_secs(3600);

/// Checks in a row that have to find the same.
const CHECKS: u8 = 24;

/// The unused names of one kind, each with the checks before the last that found it.
#[derive(Default)]
pub(super) struct Expiry {
    found: BTreeMap<Name, u8>,
}

impl Expiry {
    /// These are unused now. Returns those that have been at every check for a day.
    pub(super) fn check(&mut self, unused: Vec<Name>) -> Vec<Name> {
        let known = std::mem::take(&mut self.found);
        let again = |name: &Name| known.get(name).map_or(0, |checks| (checks + 1).min(CHECKS));
        self.found = unused.into_iter().map(|name| (name.clone(), again(&name))).collect();
        let due = self.found.iter().filter(|(_, checks)| **checks == CHECKS);
        due.map(|(name, _)| name.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_in_use_at_one_check_is_not_due_for_another_day() {
        let (mut expiry, names) = (Expiry::default(), ["a", "b"].map(Name::new));
        for hour in 0..24 {
            let found = if hour == 12 { &names[..1] } else { &names[..] };
            assert!(expiry.check(found.to_vec()).is_empty(), "{hour}");
        }
        for _ in 24..37 {
            assert_eq!(expiry.check(names.to_vec()), names[..1]);
        }
        assert_eq!(expiry.check(names.to_vec()), names);
    }
}
