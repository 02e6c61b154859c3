//! The time of a turn, read once so that everything in the turn agrees on it.
//!
//! A program that asks the system for the time wherever it needs it gets a different answer each
//! time: two timers armed "now" are due in two different turns, and a message is older than its
//! connection. And no test can make it wait. So one [`Clock`] is read once per turn, right after
//! the wait, and passed to whatever needs the time.
//!
//! It has two hands. [`now`](Clock::now) is monotonic: it never goes back, has no date, and is for
//! deadlines. [`wall`](Clock::wall) is the date; the administrator may set it back, so it is for
//! people and records and never for a deadline.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// The time of the current turn. A clone goes on by itself: each thread has its own turns.
///
/// ```
/// use chatloop_reactor::Clock;
/// use std::time::{Duration, SystemTime};
/// let (mut clock, control) = Clock::manual(SystemTime::UNIX_EPOCH);
/// let start = clock.now();
/// control.advance(Duration::from_secs(3));
/// assert_eq!(clock.now(), start, "constant during a turn");
/// assert_eq!(clock.spent(), Duration::from_secs(3));
/// clock.tick();
/// assert_eq!(clock.now() - start, Duration::from_secs(3));
/// assert_eq!(clock.unix_milliseconds(), 3_000);
/// ```
#[derive(Clone, Debug)]
pub struct Clock {
    now: Instant,
    wall: SystemTime,
    source: Source,
    /// Time that does not count.
    stood_still: Duration,
}

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(TimeControl),
}

impl Clock {
    /// The system's time, as of this call.
    pub fn system() -> Clock {
        Clock::from(Source::System)
    }

    /// A clock that stands still, and the control that advances it. `wall` is its date.
    pub fn manual(wall: SystemTime) -> (Clock, TimeControl) {
        let control = TimeControl { time: Arc::new(Mutex::new((Instant::now(), wall))) };
        (Clock::from(Source::Manual(control.clone())), control)
    }

    fn from(source: Source) -> Clock {
        let (now, wall) = source.read();
        Clock { now, wall, source, stood_still: Duration::ZERO }
    }

    /// A new turn begins: reads the time anew.
    pub fn tick(&mut self) {
        (self.now, self.wall) = self.source.read();
        self.now -= self.stood_still;
    }

    /// So much of this turn does not count: for deadlines the time has stood still, as long as
    /// someone looked at the loop. The date goes on.
    pub fn stand_still(&mut self, time: Duration) {
        self.stood_still += time;
    }

    /// The turn's time for deadlines.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The turn's date.
    pub fn wall(&self) -> SystemTime {
        self.wall
    }

    /// The turn's date in milliseconds since 1970. A date before that counts as 1970.
    pub fn unix_milliseconds(&self) -> i64 {
        let since = self.wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    /// The time used in this turn so far. It differs from run to run, so nothing that is recorded
    /// may depend on it; it is for giving way to others, for the next wait and for a trace.
    pub fn spent(&self) -> Duration {
        let now = match &self.source {
            Source::System => Instant::now(),
            Source::Manual(control) => control.lock().0,
        };
        now.saturating_duration_since(self.now).saturating_sub(self.stood_still)
    }
}

impl Source {
    fn read(&self) -> (Instant, SystemTime) {
        match self {
            Source::System => (Instant::now(), SystemTime::now()),
            Source::Manual(control) => *control.lock(),
        }
    }
}

/// Sets the time of a [manual](Clock::manual) clock and of all its clones. They show it at their
/// next [`tick`](Clock::tick).
#[derive(Clone, Debug)]
pub struct TimeControl {
    time: Arc<Mutex<(Instant, SystemTime)>>,
}

impl TimeControl {
    /// Lets `by` pass, on both hands.
    pub fn advance(&self, by: Duration) {
        let mut time = self.lock();
        time.0 += by;
        time.1 += by;
    }

    /// Changes the date and leaves the monotonic time alone, as an administrator may.
    pub fn set_wall(&self, wall: SystemTime) {
        self.lock().1 = wall;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (Instant, SystemTime)> {
        // Two plain values: no panic can leave them half written.
        self.time.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_time_moves_at_a_tick_and_only_then() {
        let mut clock = Clock::system();
        let (start, date) = (clock.now(), clock.wall());
        while clock.spent().is_zero() {}
        assert_eq!((clock.now(), clock.wall()), (start, date));
        clock.tick();
        assert!(clock.now() > start);
    }

    #[test]
    fn a_clone_follows_the_same_control_in_its_own_turns() {
        let (mut clock, control) = Clock::manual(SystemTime::UNIX_EPOCH);
        let mut clone = clock.clone();
        control.advance(Duration::from_millis(1_500));
        clock.tick();
        assert_eq!((clock.unix_milliseconds(), clone.unix_milliseconds()), (1_500, 0));
        clone.tick();
        assert_eq!(clone.now(), clock.now());
    }

    #[test]
    fn time_that_stood_still_moves_the_date_and_no_deadline() {
        let (mut clock, control) = Clock::manual(SystemTime::UNIX_EPOCH);
        let start = clock.now();
        control.advance(Duration::from_millis(10));
        control.advance(Duration::from_secs(60));
        clock.stand_still(Duration::from_secs(60));
        assert_eq!(clock.spent(), Duration::from_millis(10));
        clock.tick();
        assert_eq!(clock.now() - start, Duration::from_millis(10));
        assert_eq!((clock.spent(), clock.unix_milliseconds()), (Duration::ZERO, 60_010));
    }

    #[test]
    fn a_date_that_is_set_back_moves_no_deadline() {
        let (mut clock, control) = Clock::manual(SystemTime::UNIX_EPOCH + Duration::from_secs(9));
        let start = clock.now();
        control.set_wall(SystemTime::UNIX_EPOCH - Duration::from_secs(1));
        control.advance(Duration::from_millis(10));
        clock.tick();
        assert_eq!(
            (clock.now() - start, clock.unix_milliseconds()),
            (Duration::from_millis(10), 0)
        );
    }
}
