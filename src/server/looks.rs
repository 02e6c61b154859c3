//! What is to end because no one uses it: found at each look for a day, because a clock that is set
//! wrong for an hour must not delete everything.

use crate::chat::Name;
use std::collections::BTreeMap;
use std::time::Duration;

/// Between two looks, and how many have to find the same.
pub(super) const PAUSE: Duration = Duration::from_secs(3600);
const LOOKS: u8 = 24;

/// What was found, and at how many looks before.
#[derive(Default)]
pub(super) struct Looks {
    found: BTreeMap<Name, u8>,
}

impl Looks {
    /// This is unused now. What has been at every look for a day.
    pub(super) fn look(&mut self, unused: Vec<Name>) -> Vec<Name> {
        let known = std::mem::take(&mut self.found);
        let again = |name: &Name| known.get(name).map_or(0, |looks| (looks + 1).min(LOOKS));
        self.found = unused.into_iter().map(|name| (name.clone(), again(&name))).collect();
        let due = self.found.iter().filter(|(_, looks)| **looks == LOOKS);
        due.map(|(name, _)| name.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_in_use_at_one_look_is_not_due_for_another_day() {
        let (mut looks, names) = (Looks::default(), ["a", "b"].map(Name::new));
        for hour in 0..24 {
            let found = if hour == 12 { &names[..1] } else { &names[..] };
            assert!(looks.look(found.to_vec()).is_empty(), "{hour}");
        }
        for _ in 24..37 {
            assert_eq!(looks.look(names.to_vec()), names[..1]);
        }
        assert_eq!(looks.look(names.to_vec()), names);
    }
}
