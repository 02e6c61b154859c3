//! The age at which history is forgotten, by a clock that a jump ahead does not fool.
//!
//! The present is the time of the newest record. A newest record more than a day after the one before
//! is either a chat in which nothing has happened for days, or a clock that was set wrong. Both look
//! alike, so what it makes too old is forgotten slowly, a day's worth an hour, beginning an hour later:
//! time to set the clock right.
//!
//! Known limit: where nothing happens nothing is forgotten either, until something does; and after a
//! jump of years that is right, only a restart, which believes the newest record, catches up.

use crate::chat::Moment;
use std::time::Duration;

/// In milliseconds.
const DAY: i64 = 24 * HOUR;
const HOUR: i64 = 60 * 60 * 1_000;

/// How old is too old.
#[derive(Clone)]
pub(super) struct Age {
    age: i64,
    /// The present, as far as it is believed.
    present: Option<Moment>,
    /// The newest record is more than a day ahead of that: since when, by its own clock.
    ahead_since: Option<Moment>,
}

impl Age {
    /// `newest` is the time of the last record, if there is one.
    pub(super) fn new(age: Duration, newest: Option<Moment>) -> Age {
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        Age { age, present: newest, ahead_since: None }
    }

    /// The time before which everything is too old when the newest record is of this time.
    pub(super) fn oldest(&mut self, newest: Moment) -> Moment {
        let present = self.present.unwrap_or(newest);
        let ahead = newest.0.saturating_sub(present.0);
        let since = self.ahead_since.filter(|since| *since <= newest).unwrap_or(newest);
        let waited = newest.0.saturating_sub(since.0) >= HOUR;
        (self.present, self.ahead_since) = if ahead <= DAY {
            (Some(newest), None)
        } else if waited {
            (Some(Moment(present.0 + DAY)), Some(newest))
        } else {
            (Some(present), Some(since))
        };
        Moment(self.present.unwrap_or(present).0.saturating_sub(self.age))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);
    const MONTH_MS: i64 = 30 * DAY;

    #[test]
    fn a_jump_ahead_forgets_nothing_for_an_hour_and_then_a_day_an_hour() {
        let mut age = Age::new(MONTH, Some(Moment(100 * DAY)));
        let mut oldest = |at: i64| age.oldest(Moment(at)).0 + MONTH_MS;
        assert_eq!(oldest(101 * DAY), 101 * DAY);
        for minute in 0..60 {
            assert_eq!(oldest(501 * DAY + minute * 60_000), 101 * DAY);
        }
        assert_eq!(oldest(501 * DAY + HOUR), 102 * DAY);
        assert_eq!(oldest(501 * DAY + HOUR + 1), 102 * DAY);
        assert_eq!(oldest(501 * DAY + 2 * HOUR), 103 * DAY);
        // The clock is right again.
        assert_eq!(oldest(101 * DAY + 2 * HOUR), 101 * DAY + 2 * HOUR);
        assert_eq!(oldest(501 * DAY), 101 * DAY + 2 * HOUR);
    }

    #[test]
    fn the_first_record_is_believed() {
        let mut age = Age::new(MONTH, None);
        assert_eq!(age.oldest(Moment(700 * DAY)).0, 670 * DAY);
    }
}
