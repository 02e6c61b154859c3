//! The time that a part of a turn may take: it gives way between two lines, two records, two answers.
//!
//! The clock is read when enough has been done that it may have moved, as the costs tell: reading it
//! for every line would cost more than many a line. It decides when others have their turn, and
//! nothing that is recorded.

use crate::chat::work::Cost;
use chatloop_reactor::Clock;
use std::time::Duration;

/// The work between two looks at the clock.
const LOOK: Cost = Cost(50_000);

/// A part of a turn that has begun.
pub(super) struct Stint {
    until: Duration,
    unwatched: Cost,
    over: bool,
}

impl Stint {
    /// One that may take so long from now on.
    pub(super) fn begin(clock: &Clock, length: Duration) -> Stint {
        Stint { until: clock.spent() + length, unwatched: Cost::default(), over: false }
    }

    /// So much more has been done.
    pub(super) fn add(&mut self, cost: Cost, clock: &Clock) {
        self.unwatched += cost;
        if self.unwatched >= LOOK {
            self.unwatched = Cost::default();
            self.over = clock.spent() >= self.until;
        }
    }

    /// Whether it is the others' turn.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn a_stint_ends_when_its_time_is_over_and_the_clock_is_looked_at() {
        let (clock, control) = Clock::manual(SystemTime::UNIX_EPOCH);
        let mut stint = Stint::begin(&clock, Duration::from_millis(5));
        stint.add(LOOK, &clock);
        assert!(!stint.is_over());
        control.advance(Duration::from_millis(5));
        stint.add(Cost(1), &clock);
        assert!(!stint.is_over(), "too little has been done to look");
        stint.add(LOOK, &clock);
        assert!(stint.is_over());
    }
}
