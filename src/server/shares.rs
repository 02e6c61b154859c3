//! Equal shares of the work for each origin, and for each connection of an origin: they decide whose
//! input is next.
//!
//! Fair queuing: each origin has its own clock, which advances by what its requests cost, and the
//! one whose clock is furthest behind is next; its connections take turns. One that alone has input has
//! everything, and one that comes back has nothing saved up. 250 connections of one origin together
//! get as much as one of another, while both have input.
//!
//! An origin may have only so much unfinished work (`--origin-work`): records and questions that
//! wait for the journal or to be applied. They are worked off in order, so whatever comes later
//! waits behind them. How much it is, is estimated by what the origin's last ones cost.
//!
//! Without that limit (on loopback, by default) each connection of an origin has a share as large as
//! another origin's: its clock advances more slowly the more of them there are.

use super::stats::{Counter, Stats};
use crate::chat::Origin;
use crate::chat::work::Cost;
use chatloop_reactor::Token;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

/// The ticks of an origin's clock in a nanosecond: a small cost of one in a large crowd counts, too.
const FINE: u64 = 1024;

/// The share of an origin, as its connections know it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct ShareId(u32);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Has no input.
    Idle,
    /// In the order.
    Queued,
    /// Has input, and too much unfinished work to go on.
    Parked,
}

struct Share {
    origin: Origin,
    connections: u32,
    /// The unfinished work that it may have.
    limit: Option<Cost>,
    /// Its clock.
    used: u64,
    unfinished: u32,
    /// What one of its records or questions costs: rises at once, falls slowly.
    typical: u64,
    place: Place,
    /// Connections with input to look at. The one that has waited longest is first.
    queue: VecDeque<Token>,
}

impl Share {
    fn is_full(&self) -> bool {
        let unfinished = u64::from(self.unfinished);
        self.limit.is_some_and(|limit| {
            unfinished > 0 && unfinished.saturating_mul(self.typical) >= limit.0
        })
    }
}

/// The shares of all origins with connections.
#[derive(Default)]
pub(super) struct Shares {
    shares: Vec<Share>,
    free: Vec<u32>,
    by_origin: HashMap<Origin, u32>,
    /// Origins with input: their clocks when they were put here, then who came first.
    order: BinaryHeap<Reverse<(u64, u64, u32)>>,
    /// The clock of the origin that was served last: where those that come back begin.
    now: u64,
    arrivals: u64,
    /// Connections in queues that are not parked.
    waiting: usize,
    /// Unfinished work counts.
    limits: bool,
    stats: Stats,
}

impl Shares {
    pub(super) fn new(stats: Stats) -> Shares {
        Shares { limits: true, stats, ..Shares::default() }
    }

    /// A connection of an origin has come.
    pub(super) fn enter(&mut self, origin: Origin, limit: Option<Cost>) -> ShareId {
        let slot = match self.by_origin.get(&origin) {
            Some(&slot) => slot,
            None => self.add(origin),
        };
        self.by_origin.insert(origin, slot);
        let share = &mut self.shares[slot as usize];
        share.connections += 1;
        share.limit = limit;
        ShareId(slot)
    }

    fn add(&mut self, origin: Origin) -> u32 {
        let share = Share {
            origin,
            connections: 0,
            limit: None,
            used: self.now,
            unfinished: 0,
            typical: 0,
            place: Place::Idle,
            queue: VecDeque::new(),
        };
        match self.free.pop() {
            Some(slot) => {
                self.shares[slot as usize] = share;
                slot
            }
            None => {
                self.shares.push(share);
                // A slot for each connection at most, and those have 32-bit numbers as well.
                (self.shares.len() - 1) as u32
            }
        }
    }

    /// A connection has gone, with this much unfinished. Its place in a queue is skipped later.
    pub(super) fn leave(&mut self, id: ShareId, unfinished: u32) {
        for _ in 0..unfinished {
            self.finish(id);
        }
        let share = &mut self.shares[id.0 as usize];
        share.connections -= 1;
        if share.connections == 0 {
            self.by_origin.remove(&share.origin);
        }
        self.release(id.0);
    }

    /// Gives a slot back that nothing refers to any more.
    fn release(&mut self, slot: u32) {
        let share = &self.shares[slot as usize];
        if share.connections == 0 && share.place == Place::Idle {
            self.free.push(slot);
        }
    }

    /// The limit of unfinished work is another one now.
    pub(super) fn set_limit(&mut self, id: ShareId, limit: Option<Cost>) {
        self.shares[id.0 as usize].limit = limit;
        self.unpark(id.0);
    }

    /// A connection has input to look at.
    pub(super) fn push(&mut self, id: ShareId, token: Token) {
        let share = &mut self.shares[id.0 as usize];
        share.queue.push_back(token);
        self.waiting += usize::from(share.place != Place::Parked);
        if share.place == Place::Idle {
            self.enqueue(id.0);
        }
    }

    fn enqueue(&mut self, slot: u32) {
        let share = &mut self.shares[slot as usize];
        share.place = Place::Queued;
        share.used = share.used.max(self.now);
        self.arrivals += 1;
        self.order.push(Reverse((share.used, self.arrivals, slot)));
    }

    /// The next connection to be looked at.
    pub(super) fn next(&mut self) -> Option<Token> {
        loop {
            let Reverse((used, _, slot)) = self.order.pop()?;
            let share = &mut self.shares[slot as usize];
            if share.used > used {
                // It has been charged since.
                self.enqueue(slot);
                continue;
            }
            if self.limits && share.is_full() {
                share.place = Place::Parked;
                self.waiting -= share.queue.len();
                self.stats.count(Counter::OriginWork);
                continue;
            }
            self.now = self.now.max(used);
            let token = share.queue.pop_front();
            if share.queue.is_empty() {
                share.place = Place::Idle;
                self.release(slot);
            } else {
                self.enqueue(slot);
            }
            if let Some(token) = token {
                self.waiting -= 1;
                return Some(token);
            }
        }
    }

    /// How many connections have input that may be looked at.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Whether an origin has to wait for what it has unfinished.
    pub(super) fn is_full(&self, id: ShareId) -> bool {
        self.limits && self.shares[id.0 as usize].is_full()
    }

    /// Whether an origin may have only so much unfinished.
    pub(super) fn is_limited(&self, id: ShareId) -> bool {
        self.limits && self.shares[id.0 as usize].limit.is_some()
    }

    /// Whether unfinished work counts. It does not while a database that cannot be written is what
    /// it waits for: the others of the same origin would wait for that, too.
    pub(super) fn set_limits(&mut self, limits: bool) {
        if std::mem::replace(&mut self.limits, limits) != limits {
            (0..self.shares.len()).for_each(|slot| self.unpark(slot as u32));
        }
    }

    /// The origin pays.
    pub(super) fn charge(&mut self, id: ShareId, cost: Cost) {
        let share = &mut self.shares[id.0 as usize];
        let weight = if share.limit.is_some() { 1 } else { u64::from(share.connections.max(1)) };
        share.used = share.used.saturating_add(cost.0.saturating_mul(FINE) / weight);
    }

    /// The same for what a record or a question has cost when it was worked off.
    pub(super) fn charge_unfinished(&mut self, id: ShareId, cost: Cost) {
        self.charge(id, cost);
        let share = &mut self.shares[id.0 as usize];
        share.typical = cost.0.max((share.typical * 7 + cost.0) / 8);
    }

    /// A record or a question of the origin is on its way.
    pub(super) fn begin(&mut self, id: ShareId) {
        self.shares[id.0 as usize].unfinished += 1;
    }

    /// It is done with.
    pub(super) fn finish(&mut self, id: ShareId) {
        let share = &mut self.shares[id.0 as usize];
        share.unfinished = share.unfinished.saturating_sub(1);
        self.unpark(id.0);
    }

    fn unpark(&mut self, slot: u32) {
        let share = &self.shares[slot as usize];
        if share.place == Place::Parked && !(self.limits && share.is_full()) {
            self.waiting += share.queue.len();
            self.enqueue(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Origin = Origin::V4([192, 0, 2, 1]);
    const OTHER: Origin = Origin::V4([192, 0, 2, 2]);
    const LIMIT: Option<Cost> = Some(Cost(1_000));

    fn token(number: u64) -> Token {
        Token::from_bits(number)
    }

    /// Serves `visits` connections that always have more input; how many of the second origin.
    fn serve(shares: &mut Shares, ids: [ShareId; 2], visits: usize) -> usize {
        let mut served = 0;
        for _ in 0..visits {
            let token = shares.next().unwrap();
            let id = ids[usize::from(token.to_bits() >= 1_000)];
            served += usize::from(token.to_bits() >= 1_000);
            shares.charge(id, Cost(10));
            shares.push(id, token);
        }
        served
    }

    fn crowd_and_one(limit: Option<Cost>) -> (Shares, [ShareId; 2]) {
        let mut shares = Shares::new(Stats::default());
        let mut ids = [ShareId(0); 2];
        for number in 0..250 {
            ids[0] = shares.enter(ONE, limit);
            shares.push(ids[0], token(number));
        }
        ids[1] = shares.enter(OTHER, LIMIT);
        shares.push(ids[1], token(1_000));
        (shares, ids)
    }

    #[test]
    fn the_connections_of_one_origin_together_have_the_share_of_one() {
        let (mut shares, ids) = crowd_and_one(LIMIT);
        let served = serve(&mut shares, ids, 1_000);
        assert!((499..=501).contains(&served), "{served}");
    }

    #[test]
    fn without_a_limit_each_connection_has_a_share() {
        let (mut shares, ids) = crowd_and_one(None);
        let served = serve(&mut shares, ids, 2_510);
        assert!((9..=12).contains(&served), "{served}");
    }

    #[test]
    fn who_comes_back_has_nothing_saved_up_and_who_worked_alone_owes_nothing() {
        let mut shares = Shares::new(Stats::default());
        let ids = [shares.enter(ONE, LIMIT), shares.enter(OTHER, LIMIT)];
        shares.push(ids[0], token(1));
        assert_eq!(serve(&mut shares, ids, 1_000), 0);
        shares.push(ids[1], token(1_000));
        let served = serve(&mut shares, ids, 100);
        assert!((49..=51).contains(&served), "{served}");
    }

    #[test]
    fn work_that_waits_for_a_disk_parks_no_one() {
        let mut shares = Shares::new(Stats::default());
        let id = shares.enter(ONE, LIMIT);
        shares.charge_unfinished(id, Cost(2_000));
        shares.begin(id);
        shares.push(id, token(1));
        assert!(shares.is_full(id) && shares.next().is_none());
        shares.set_limits(false);
        assert!(!shares.is_full(id) && shares.waiting() == 1);
        assert_eq!(shares.next(), Some(token(1)));
        shares.push(id, token(1));
        shares.set_limits(true);
        assert!(shares.next().is_none() && shares.waiting() == 0);
        shares.finish(id);
        assert_eq!(shares.next(), Some(token(1)));
    }

    #[test]
    fn an_origin_waits_for_its_own_unfinished_work_and_for_no_others() {
        let mut shares = Shares::new(Stats::default());
        let ids = [shares.enter(ONE, LIMIT), shares.enter(OTHER, LIMIT)];
        shares.charge_unfinished(ids[0], Cost(600));
        shares.begin(ids[0]);
        assert!(!shares.is_full(ids[0]));
        shares.begin(ids[0]);
        assert!(shares.is_full(ids[0]) && !shares.is_full(ids[1]));
        shares.push(ids[0], token(1));
        shares.push(ids[1], token(2));
        assert_eq!(shares.next(), Some(token(2)));
        assert_eq!((shares.next(), shares.waiting(), shares.stats.lines().count()), (None, 0, 1));
        shares.finish(ids[0]);
        assert_eq!((shares.waiting(), shares.next()), (1, Some(token(1))));
    }

    #[test]
    fn an_origin_without_connections_is_forgotten() {
        let mut shares = Shares::new(Stats::default());
        for number in 0..100 {
            let id = shares.enter(ONE, LIMIT);
            shares.begin(id);
            shares.push(id, token(number));
            shares.leave(id, 1);
            // Its connection is gone, and its place in the queue still leads there.
            assert_eq!(shares.next(), Some(token(number)));
        }
        assert_eq!((shares.shares.len(), shares.by_origin.len(), shares.waiting()), (1, 0, 0));
    }
}
