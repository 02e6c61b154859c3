//! The time: asked once per turn, so that all of a turn agrees.

use crate::chat::Moment;
use std::time::{Duration, Instant, SystemTime};
#[cfg(test)]
use std::{cell::Cell, rc::Rc};

/// The moment of a turn, in the two forms that are needed.
pub(super) struct Clock {
    now: Instant,
    moment: Moment,
    turns: u64,
    /// A test moves this one by hand.
    #[cfg(test)]
    hand: Option<(Instant, Rc<Cell<Duration>>)>,
}

impl Clock {
    /// The system's clock.
    pub(super) fn system() -> Clock {
        Clock {
            now: Instant::now(),
            moment: moment(),
            turns: 0,
            #[cfg(test)]
            hand: None,
        }
    }

    /// A clock that stands still unless the cell is moved.
    #[cfg(test)]
    pub(super) fn by_hand(passed: Rc<Cell<Duration>>) -> Clock {
        let now = Instant::now();
        Clock { now, moment: Moment(1_767_225_600_000), turns: 0, hand: Some((now, passed)) }
    }

    /// A turn begins.
    pub(super) fn tick(&mut self) {
        self.turns += 1;
        #[cfg(test)]
        if let Some((start, passed)) = &self.hand {
            let passed = passed.get();
            self.now = *start + passed;
            self.moment = Moment(1_767_225_600_000 + passed.as_millis() as i64);
            return;
        }
        (self.now, self.moment) = (Instant::now(), moment());
    }

    /// The moment of this turn.
    pub(super) fn now(&self) -> Instant {
        self.now
    }

    /// The same moment as the chat counts it.
    pub(super) fn moment(&self) -> Moment {
        self.moment
    }

    /// How long the loop may sleep when the next timer is due at `deadline`. The turn has taken
    /// time since [`now`](Clock::now).
    pub(super) fn time_left(&self, deadline: Option<Instant>) -> Option<Duration> {
        #[cfg(test)]
        if self.hand.is_some() {
            return Some(Duration::ZERO);
        }
        deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Turns so far.
    pub(super) fn turns(&self) -> u64 {
        self.turns
    }
}

fn moment() -> Moment {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Moment(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
