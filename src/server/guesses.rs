//! Delays after wrong passwords: who may try one now.
//!
//! An attempt is counted when it is submitted and taken back if the password was right. Counted
//! only after the hash, two hundred connections would have two hundred free guesses.
//!
//! | tally | attempts | longest delay |
//! |---|---|---|
//! | of an account or operator, and an origin that has logged in to it before | the owner's, so that strangers do not lock them out | [`OWNER_DELAY`] |
//! | of an account or operator, and all other origins together | everyone else's | [`ACCOUNT_DELAY`] |
//! | of an origin that the account does not know | at all accounts, and at `--password` | [`ORIGIN_DELAY`] |
//!
//! All ways to show a password are the same here: login, SCRAM's proof, the old password of a
//! change, `/oper`. Only a known origin's success clears its tally: a stranger's, or the owner's, must
//! not give the other strangers their free guesses back.
//!
//! The server's password has no tally of all origins together: everyone would wait at the door.
//!
//! The password from before a change is no guess for an hour: the owner's other clients have it.
//!
//! The clock is the monotonic one, and nothing is kept on disk: a wall clock that jumps neither
//! frees nor locks anyone. Known limit: a restart forgets the delays and the origins of operators, and
//! an owner who comes from a new place while strangers guess waits with them.

use crate::chat::limits::STAND_INS;
use crate::chat::{Name, Origin};
use chatloop_reactor::Token;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::Hash;
use std::time::{Duration, Instant};

/// Wrong passwords for one account without a delay.
const FREE: u32 = 4;
/// The same for one origin, which may be a school.
const FREE_PER_ORIGIN: u32 = 20;
/// The first delay; it doubles.
const FIRST_DELAY: Duration = Duration::from_secs(10);
const OWNER_DELAY: Duration = Duration::from_secs(300);
/// Short, or anyone could lock an owner who travels out.
const ACCOUNT_DELAY: Duration = Duration::from_secs(30);
const ORIGIN_DELAY: Duration = Duration::from_secs(300);
/// How long wrong passwords are remembered.
const MEMORY: Duration = Duration::from_secs(900);
/// Tallies of origins; the oldest give way.
const ORIGINS: usize = 4_096;
/// Tallies of accounts and operators: more than there are stand-ins for names of each that do not exist,
/// or a flood of guesses at those would make the server forget the ones at an account.
const TARGETS: usize = 3 * STAND_INS;
/// How many origins of an operator are known.
const OPERATOR_ORIGINS: usize = 8;

/// What is guessed at.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Target {
    Account(Name),
    Oper(Name),
    /// `--password`.
    Server,
}

/// What has become of an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ended {
    Right,
    Wrong,
    /// It was no guess: the password was right until lately, or nothing was checked.
    Uncounted,
}

/// One attempt.
#[derive(Clone, Debug)]
pub(super) struct Guess {
    pub target: Target,
    /// `None` at the console.
    pub origin: Option<Origin>,
    /// Whether the origin has logged in to the account before.
    pub known: bool,
}

#[derive(Clone, Copy, Debug)]
struct Tally {
    count: u32,
    last: Instant,
}

/// Tallies of one kind.
struct Tallies<K> {
    /// Its order means nothing: equally old tallies give way together.
    all: HashMap<K, Tally>,
    most: usize,
    free: u32,
    longest: Duration,
}

impl<K: Clone + Eq + Hash> Tallies<K> {
    fn new(most: usize, free: u32, longest: Duration) -> Tallies<K> {
        Tallies { all: HashMap::new(), most, free, longest }
    }

    fn wait(&self, key: &K, now: Instant) -> Duration {
        let Some(tally) = self.all.get(key) else { return Duration::ZERO };
        let since = now.saturating_duration_since(tally.last);
        if tally.count < self.free || since >= MEMORY {
            return Duration::ZERO;
        }
        let doublings = (tally.count - self.free).min(10);
        (FIRST_DELAY * (1 << doublings)).min(self.longest).saturating_sub(since)
    }

    /// Returns what `last` was.
    fn add(&mut self, key: &K, now: Instant) -> Instant {
        if !self.all.contains_key(key) && self.all.len() >= self.most {
            self.make_room(now);
        }
        let tally = self.all.entry(key.clone()).or_insert(Tally { count: 0, last: now });
        let old = now.saturating_duration_since(tally.last) >= MEMORY;
        tally.count = if old { 1 } else { tally.count.saturating_add(1) };
        std::mem::replace(&mut tally.last, now)
    }

    /// Undoes [`add`](Tallies::add), the delay after it included: the next one of the same school
    /// does not wait because a password was right.
    fn take_back(&mut self, key: &K, (before, began): (Instant, Instant)) {
        if let Some(tally) = self.all.get_mut(key) {
            tally.count = tally.count.saturating_sub(1);
            if tally.last == began {
                tally.last = before;
            }
            if tally.count == 0 {
                self.all.remove(key);
            }
        }
    }

    /// Removes old tallies, and the oldest eighth if that is not enough: to look for room each time
    /// would cost more than the guess.
    fn make_room(&mut self, now: Instant) {
        self.all.retain(|_, tally| now.saturating_duration_since(tally.last) < MEMORY);
        if self.all.len() >= self.most {
            let mut times: Vec<Instant> = self.all.values().map(|tally| tally.last).collect();
            let place = times.len() / 8;
            let (_, newest, _) = times.select_nth_unstable(place);
            self.all.retain(|_, tally| tally.last > *newest);
        }
    }
}

/// All tallies, and the attempts in flight: one a connection, which waits for its answer.
pub(super) struct Guesses {
    owners: Tallies<(Target, Origin)>,
    strangers: Tallies<Target>,
    origins: Tallies<Origin>,
    /// Where operators have come from lately, by the names that are configured.
    operators: BTreeMap<Name, VecDeque<Origin>>,
    in_flight: HashMap<Token, InFlight>,
}

/// A guess, when it began, and when the ones before it did.
struct InFlight {
    guess: Guess,
    began: Instant,
    target_before: Instant,
    origin_before: Instant,
}

impl Guesses {
    pub fn new() -> Guesses {
        Guesses {
            owners: Tallies::new(ORIGINS, FREE, OWNER_DELAY),
            strangers: Tallies::new(TARGETS, FREE, ACCOUNT_DELAY),
            origins: Tallies::new(ORIGINS, FREE_PER_ORIGIN, ORIGIN_DELAY),
            operators: BTreeMap::new(),
            in_flight: HashMap::new(),
        }
    }

    /// Whether an operator has come from this origin before.
    pub fn knows_operator(&self, name: &Name, origin: Origin) -> bool {
        self.operators.get(name).is_some_and(|origins| origins.contains(&origin))
    }

    /// Counts an attempt as wrong, until [`end`](Guesses::end) says otherwise.
    ///
    /// # Errors
    /// It is too early, by this much.
    pub fn begin(&mut self, token: Token, guess: Guess, now: Instant) -> Result<(), Duration> {
        let Some(origin) = guess.origin else { return Ok(()) };
        let (known, of_server) = (guess.known, guess.target == Target::Server);
        let key = (guess.target.clone(), origin);
        let wait = match known {
            true => self.owners.wait(&key, now),
            false if of_server => self.origins.wait(&origin, now),
            false => self.origins.wait(&origin, now).max(self.strangers.wait(&key.0, now)),
        };
        if !wait.is_zero() {
            return Err(wait);
        }
        let target_before = match known {
            true => self.owners.add(&key, now),
            false if of_server => now,
            false => self.strangers.add(&key.0, now),
        };
        let origin_before = if known { now } else { self.origins.add(&origin, now) };
        let guess = InFlight { guess, began: now, target_before, origin_before };
        self.in_flight.insert(token, guess);
        Ok(())
    }

    /// What a connection waited for is done.
    pub fn end(&mut self, token: Token, ended: Ended) {
        let Some(in_flight) = self.in_flight.remove(&token) else { return };
        let InFlight { guess, began, target_before, origin_before } = in_flight;
        let Some(origin) = guess.origin.filter(|_| ended != Ended::Wrong) else { return };
        if let (Target::Oper(name), Ended::Right) = (&guess.target, ended) {
            let origins = self.operators.entry(name.clone()).or_default();
            origins.retain(|known| *known != origin);
            origins.push_front(origin);
            origins.truncate(OPERATOR_ORIGINS);
        }
        match (guess.known, ended) {
            (true, Ended::Right) => {
                self.owners.all.remove(&(guess.target, origin));
            }
            (true, _) => self.owners.take_back(&(guess.target, origin), (target_before, began)),
            (false, _) => {
                self.strangers.take_back(&guess.target, (target_before, began));
                self.origins.take_back(&origin, (origin_before, began));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(origin: u8, known: bool) -> Guess {
        let target = Target::Account(Name::new("bob"));
        Guess { target, origin: Some(Origin::V4([192, 0, 2, origin])), known }
    }

    #[test]
    fn attempts_in_flight_count_and_a_right_password_gives_its_own_back() {
        let (mut guesses, now) = (Guesses::new(), Instant::now());
        for number in 0..4 {
            guesses.begin(Token::fixed(number), guess(number, false), now).unwrap();
        }
        let fifth = guesses.begin(Token::fixed(4), guess(4, false), now);
        assert_eq!(fifth, Err(FIRST_DELAY), "none of the four has ended");
        guesses.end(Token::fixed(0), Ended::Right);
        guesses.begin(Token::fixed(4), guess(4, false), now).unwrap();
        guesses.end(Token::fixed(4), Ended::Wrong);
        guesses.end(Token::fixed(4), Ended::Right); // an attempt ends once
        assert!(guesses.begin(Token::fixed(5), guess(5, false), now).is_err());
    }

    #[test]
    fn strangers_have_five_guesses_in_thirty_seconds_and_do_not_lock_the_owner_out() {
        let (mut guesses, start) = (Guesses::new(), Instant::now());
        let mut looked_at = 0;
        for tenth in 0..300 {
            let now = start + Duration::from_millis(100) * tenth;
            for connection in 0..50 {
                let token = Token::fixed(connection);
                if guesses.begin(token, guess(connection, false), now).is_ok() {
                    looked_at += 1;
                    guesses.end(token, Ended::Wrong);
                }
            }
            guesses.begin(Token::fixed(60), guess(60, true), now).unwrap();
            guesses.end(Token::fixed(60), Ended::Right);
        }
        assert_eq!(looked_at, 5);
    }

    #[test]
    fn a_known_origin_is_delayed_too_and_an_origin_that_tries_many_accounts() {
        let (mut guesses, now) = (Guesses::new(), Instant::now());
        for _ in 0..FREE {
            guesses.begin(Token::fixed(1), guess(1, true), now).unwrap();
            guesses.end(Token::fixed(1), Ended::Wrong);
        }
        assert!(guesses.begin(Token::fixed(1), guess(1, true), now).is_err());
        let later = now + FIRST_DELAY;
        guesses.begin(Token::fixed(1), guess(1, true), later).unwrap();
        guesses.end(Token::fixed(1), Ended::Wrong);
        assert_eq!(guesses.begin(Token::fixed(1), guess(1, true), later), Err(FIRST_DELAY * 2));
        assert!(guesses.begin(Token::fixed(1), guess(1, true), later + MEMORY).is_ok());
        let mut spray = |number: u32| {
            let target = Target::Account(Name::new(&format!("n{number}")));
            guesses.begin(Token::fixed(2), Guess { target, ..guess(2, false) }, now)
        };
        assert!((0..FREE_PER_ORIGIN).all(|number| spray(number).is_ok()));
        assert!(spray(FREE_PER_ORIGIN).is_err());
    }

    #[test]
    fn what_was_no_guess_neither_counts_nor_clears() {
        let (mut guesses, now) = (Guesses::new(), Instant::now());
        for known in [true, false] {
            let mut attempt = |ended| {
                let begun = guesses.begin(Token::fixed(1), guess(1, known), now);
                begun.map(|()| guesses.end(Token::fixed(1), ended))
            };
            (1..FREE).for_each(|_| attempt(Ended::Wrong).unwrap());
            (0..50).for_each(|_| attempt(Ended::Uncounted).unwrap());
            attempt(Ended::Wrong).unwrap();
            assert!(attempt(Ended::Wrong).is_err());
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut tallies = Tallies::new(ORIGINS, FREE, ACCOUNT_DELAY);
        let start = Instant::now();
        for number in 0..2 * ORIGINS {
            tallies.add(&number, start + Duration::from_millis(number as u64));
            assert!(tallies.all.len() <= ORIGINS && tallies.all.contains_key(&number));
        }
        let now = Instant::now();
        for number in 0..2 * ORIGINS {
            tallies.add(&number, now);
        }
        assert!(tallies.all.len() <= ORIGINS, "all of the same moment");
    }

    #[test]
    fn guesses_at_names_that_do_not_exist_make_none_forgotten() {
        let (mut guesses, start) = (Guesses::new(), Instant::now());
        let mut wrong = |target: Target, number: u32, now| {
            let origin = Some(Origin::V4(number.to_be_bytes()));
            let begun = guesses.begin(Token::fixed(1), Guess { target, origin, known: false }, now);
            guesses.end(Token::fixed(1), Ended::Wrong);
            begun.is_ok()
        };
        let bob = || Target::Account(Name::new("bob"));
        assert!((0..FREE).all(|number| wrong(bob(), number, start)));
        let now = start + Duration::from_millis(1);
        for number in 0..5_000 {
            let stand_in = Name::new(&format!("?{number:04x}"));
            assert!(wrong(Target::Account(stand_in.clone()), FREE + number, now));
            assert!(wrong(Target::Oper(stand_in), FREE + number, now));
        }
        assert!(!wrong(bob(), FREE, now), "the guesses at bob are forgotten");
    }

    #[test]
    fn strangers_do_not_lock_out_an_operator_who_was_here_before() {
        let (mut guesses, now) = (Guesses::new(), Instant::now());
        let root = Name::new("root");
        let home = Origin::V4([192, 0, 2, 1]);
        let mut attempt = |origin: u8, ended| {
            let origin = Origin::V4([192, 0, 2, origin]);
            let known = guesses.knows_operator(&root, origin);
            let guess = Guess { target: Target::Oper(root.clone()), origin: Some(origin), known };
            let begun = guesses.begin(Token::fixed(1), guess, now).is_ok();
            guesses.end(Token::fixed(1), ended);
            begun
        };
        assert!(attempt(1, Ended::Right));
        let guessed = (2..20).filter(|stranger| attempt(*stranger, Ended::Wrong)).count();
        assert_eq!(guessed, FREE as usize);
        assert!(!attempt(2, Ended::Right), "a stranger");
        assert!(attempt(1, Ended::Right), "the operator");
        for other in 100..108 {
            let origin = Some(Origin::V4([192, 0, 2, other]));
            let guess = Guess { target: Target::Oper(root.clone()), origin, known: true };
            guesses.begin(Token::fixed(1), guess, now).unwrap();
            guesses.end(Token::fixed(1), Ended::Right);
        }
        assert!(!guesses.knows_operator(&root, home), "only the last ones are known");
    }
}
