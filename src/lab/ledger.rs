//! The ledger of deliveries: every receiver's stream compared with what was sent and what the
//! others received.
//!
//! A table of receivers by senders would be exact and, for 19,000 of each, take 1.4 GB. Instead
//! there is one shared list, the *order*: every message in the order in which it was first received
//! by anyone. A receiver is a position in that list. As long as it receives the next message there,
//! one comparison is enough; only a receiver that departs from the order has *gaps*, the spans that
//! it has skipped. A message that fills a gap came late; one before the position and in no gap came
//! twice; the gaps that remain at the end are losses. No case is a guess.
//!
//! A server with one thread has one order for all. One with several may show two receivers
//! different orders and still keep the order of each sender: such deliveries are counted as
//! [`Faults::crossed`], separately from [`Faults::reordered`], and the caller decides whether they
//! are errors. A sender that does not receive its own messages cannot tell their position among the
//! others, so only receivers of everything, the *listeners*, write the order; a sender that is
//! ahead of all of them waits with its position (but with nothing else). Without any listener
//! everyone writes, and crossings mean nothing.
//!
//! Limit: after a loss or a reordering a crossing may be counted as well.
//!
//! Sender `s` of `n` sends the messages `s, s + n, s + 2n …`, so number, sender and sequence follow
//! from each other without a table.
//!
//! Absent: the bytes (see [`super::payload`]) and the clock.

use super::payload::Stamp;
use std::collections::VecDeque;

/// The position of a message that has not been received yet.
const UNRECEIVED: u32 = u32::MAX;
/// The sender number of one who sends nothing.
const NOBODY: u32 = u32::MAX;

/// How far a sender may be ahead of all listeners before it writes the order itself. This only
/// happens if every listener has lost a message or lags far behind.
const MOST_AHEAD: usize = 1_024;

/// The server's errors.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Faults {
    /// Deliveries that never came, to a receiver that stayed connected.
    pub lost: u64,
    /// Repeated deliveries.
    pub duplicated: u64,
    /// Deliveries after a later message of the same sender.
    pub reordered: u64,
    /// Messages that were split, joined, changed, or never sent. A corrupted message is also lost.
    pub corrupted: u64,
    /// Deliveries in another order, relative to another sender, than at the first receiver. An
    /// error only if one order is promised.
    pub crossed: u64,
}

/// The classification of a delivery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Receipt {
    /// A new message for this receiver; its order is classified in [`Faults`].
    Fresh,
    /// An unexpected echo to its sender.
    Echo,
    /// Received before, or never sent.
    Nothing,
}

/// The messages that one receiver has received.
pub struct Account {
    /// Everything in the order before this position has been received, except the gaps.
    place: u32,
    /// Its number, if it is a sender that should not receive its own messages.
    own: u32,
    /// Whether messages wait for it: not for a deliberately slow reader.
    awaited: bool,
    /// Stretches `from..to` of the order that were passed over; ascending.
    gaps: Vec<(u32, u32)>,
    /// Numbers received but not placed yet, in the order of receipt.
    ahead: VecDeque<u32>,
}

impl Account {
    /// A receiver of everything.
    pub fn new() -> Account {
        Account { place: 0, own: NOBODY, awaited: true, gaps: Vec::new(), ahead: VecDeque::new() }
    }

    /// It is sender `number` and should not receive its own messages.
    pub fn without_own(mut self, number: u32) -> Account {
        self.own = number;
        self
    }

    /// No message waits for this receiver.
    pub fn not_awaited(mut self) -> Account {
        self.awaited = false;
        self
    }

    /// The index of the gap that a place of the order is in.
    fn gap_at(&self, place: u32) -> Option<usize> {
        let index = self.gaps.partition_point(|&(_, to)| to <= place);
        self.gaps.get(index).is_some_and(|&(from, _)| from <= place).then_some(index)
    }

    /// Whether the message at `place` of the order was in a gap, which is closed there.
    fn fill(&mut self, place: u32) -> bool {
        let Some(index) = self.gap_at(place) else { return false };
        let (from, to) = self.gaps[index];
        let pieces = [(from, place), (place + 1, to)];
        self.gaps.splice(index..=index, pieces.into_iter().filter(|(from, to)| from < to));
        true
    }
}

/// One message in the order.
struct Entry {
    sender: u32,
    /// A later message of the same sender precedes it.
    late: bool,
}

/// One message that was sent.
struct Sent {
    micros: u64,
    place: u32,
    /// Awaited receivers that have not received it.
    missing: u32,
}

/// All messages of a run and the order in which they were received.
#[derive(Default)]
pub struct Ledger {
    senders: u32,
    /// Whether some receivers receive everything and so write the order.
    has_listeners: bool,
    sent: Vec<Sent>,
    order: Vec<Entry>,
    /// Of each sender, one more than the highest sequence in the order.
    highest: Vec<u32>,
    /// Messages that some awaited receiver has not received.
    pub open: u32,
    /// No message before this number is open.
    first_open: u32,
    /// The errors so far.
    pub faults: Faults,
}

impl Ledger {
    /// An empty ledger for `senders`, at least one. `has_listeners`: whether there will be awaited
    /// receivers of everything, which makes [`Faults::crossed`] exact.
    pub fn new(senders: u32, has_listeners: bool) -> Ledger {
        let senders = senders.max(1);
        Ledger { senders, has_listeners, highest: vec![0; senders as usize], ..Ledger::default() }
    }

    /// The number of messages sent.
    pub fn sent(&self) -> u32 {
        self.sent.len() as u32
    }

    /// The next sender.
    pub fn next_sender(&self) -> u32 {
        self.sent() % self.senders
    }

    /// Notes the next message, of [`next_sender`](Ledger::next_sender), for which `receivers`
    /// are awaited, and returns its stamp.
    pub fn send(&mut self, micros: u64, receivers: u32) -> Stamp {
        let number = self.sent();
        self.sent.push(Sent { micros, place: UNRECEIVED, missing: receivers });
        self.open += u32::from(receivers > 0);
        Stamp { sender: number % self.senders, sequence: number / self.senders, micros }
    }

    /// Records that the owner of `account` has received the message of `stamp`.
    pub fn receive(&mut self, account: &mut Account, stamp: &Stamp) -> Receipt {
        let number = u64::from(stamp.sequence) * u64::from(self.senders) + u64::from(stamp.sender);
        let known = usize::try_from(number).ok().and_then(|number| self.sent.get(number));
        let known = known.filter(|it| it.micros == stamp.micros && stamp.sender < self.senders);
        let Some(place) = known.map(|sent| sent.place) else {
            self.faults.corrupted += 1; // a digit was changed
            return Receipt::Nothing;
        };
        if stamp.sender == account.own {
            return Receipt::Echo;
        }
        let number = number as u32;
        self.place_what_is_ahead(account);
        let cannot_place =
            place == UNRECEIVED && self.has_listeners && account.own != NOBODY && account.awaited;
        let is_fresh = match cannot_place || !account.ahead.is_empty() {
            true => self.receive_ahead(account, number),
            false => self.receive_in_order(account, number),
        };
        if !is_fresh {
            self.faults.duplicated += 1;
            return Receipt::Nothing;
        }
        if account.awaited {
            self.tick_off(number);
        }
        Receipt::Fresh
    }

    /// Records a message whose position is unknown, or that waits for such a message.
    fn receive_ahead(&mut self, account: &mut Account, number: u32) -> bool {
        let place = self.sent[number as usize].place;
        if account.ahead.contains(&number) || self.has_heard(account, place) {
            return false;
        }
        account.ahead.push_back(number);
        if account.ahead.len() > MOST_AHEAD {
            self.place_the_first_ahead(account);
        }
        true
    }

    /// Finds `number` in the order, or appends it, and moves `account`. False if the message was
    /// received before.
    fn receive_in_order(&mut self, account: &mut Account, number: u32) -> bool {
        let place = match self.sent[number as usize].place {
            UNRECEIVED => self.enter(number),
            place => place,
        };
        if place >= account.place {
            self.pass_over(account, place);
            account.place = place + 1;
            // The account has received the order up to here except the gaps. So if no later message
            // of the sender precedes it in the order, none was received; if one does, it counts
            // unless it is in a gap.
            if self.order[place as usize].late && self.is_behind(account, number) {
                self.faults.reordered += 1;
            }
            return true;
        }
        if !account.fill(place) {
            return false;
        }
        match self.is_behind(account, number) {
            true => self.faults.reordered += 1,
            false => self.faults.crossed += 1,
        }
        true
    }

    /// Moves `account` over messages that it received ahead of the listeners and that they have
    /// received since.
    fn place_what_is_ahead(&mut self, account: &mut Account) {
        while let Some(&number) = account.ahead.front()
            && self.sent[number as usize].place != UNRECEIVED
        {
            self.place_the_first_ahead(account);
        }
    }

    fn place_the_first_ahead(&mut self, account: &mut Account) {
        if let Some(number) = account.ahead.pop_front() {
            self.receive_in_order(account, number);
        }
    }

    /// Places everything that `account` has received. To be done for all before
    /// [`close`](Ledger::close).
    pub fn settle(&mut self, account: &mut Account) {
        while !account.ahead.is_empty() {
            self.place_the_first_ahead(account);
        }
    }

    /// Appends a message that no one had received to the order.
    fn enter(&mut self, number: u32) -> u32 {
        let place = self.order.len() as u32;
        let (sender, sequence) = (number % self.senders, number / self.senders);
        let highest = &mut self.highest[sender as usize];
        let late = sequence < *highest;
        *highest = (*highest).max(sequence + 1);
        self.order.push(Entry { sender, late });
        self.sent[number as usize].place = place;
        place
    }

    /// Moves `account` up to `place`; other senders' messages in between become a gap.
    fn pass_over(&self, account: &mut Account, place: u32) {
        for passed in account.place..place {
            if self.order[passed as usize].sender == account.own {
                continue;
            }
            match account.gaps.last_mut() {
                Some((_, to)) if *to == passed => *to += 1,
                _ => account.gaps.push((passed, passed + 1)),
            }
        }
    }

    /// Whether the owner of `account` has received a later message of the same sender.
    fn is_behind(&self, account: &Account, number: u32) -> bool {
        let step = self.senders as usize;
        let mut later = self.sent.iter().skip(number as usize + step).step_by(step);
        later.any(|sent| self.has_heard(account, sent.place))
    }

    fn has_heard(&self, account: &Account, place: u32) -> bool {
        place < account.place && account.gap_at(place).is_none()
    }

    fn tick_off(&mut self, number: u32) {
        let missing = &mut self.sent[number as usize].missing;
        // Already 0 if the caller awaited fewer receivers than there are; then no one waits.
        if *missing == 0 {
            return;
        }
        *missing -= 1;
        self.open -= u32::from(*missing == 0);
        while self.sent.get(self.first_open as usize).is_some_and(|sent| sent.missing == 0) {
            self.first_open += 1;
        }
    }

    /// The connection of an awaited receiver is gone: no message waits for it any more.
    pub fn stop_waiting_for(&mut self, account: &mut Account) {
        if !std::mem::replace(&mut account.awaited, false) {
            return;
        }
        self.settle(account);
        for number in self.first_open..self.sent() {
            let sent = &self.sent[number as usize];
            let own = number % self.senders == account.own;
            if sent.missing > 0 && !own && !self.has_heard(account, sent.place) {
                self.tick_off(number);
            }
        }
    }

    /// Whether the owner of `account`, which sends nothing, has received everything so far.
    pub fn has_heard_all(&self, account: &Account) -> bool {
        account.gaps.is_empty() && account.place == self.sent()
    }

    /// Closes the run: from here on, losses can be computed, once all accounts are settled. Only
    /// senders for which `counts` returns true are considered.
    pub fn close(&self, counts: impl Fn(u32) -> bool) -> Closing<'_> {
        let counts: Vec<bool> = (0..self.senders).map(counts).collect();
        let mut unreceived = vec![0; self.senders as usize];
        for (number, sent) in (0u32..).zip(&self.sent) {
            let sender = (number % self.senders) as usize;
            unreceived[sender] += u64::from(sent.place == UNRECEIVED && counts[sender]);
        }
        Closing { ledger: self, counts, unreceived_in_all: unreceived.iter().sum(), unreceived }
    }
}

/// A ledger under which the line is drawn.
pub struct Closing<'a> {
    ledger: &'a Ledger,
    counts: Vec<bool>,
    /// For each sender that counts, how many messages no one received.
    unreceived: Vec<u64>,
    unreceived_in_all: u64,
}

impl Closing<'_> {
    /// How many deliveries the owner of `account` never received.
    pub fn owed(&self, account: &Account) -> u64 {
        let order = &self.ledger.order;
        let gaps = account.gaps.iter().flat_map(|&(from, to)| from..to);
        let passed = gaps.chain(account.place..order.len() as u32).filter(|&place| {
            let sender = order[place as usize].sender;
            sender != account.own && self.counts[sender as usize]
        });
        let own = self.unreceived.get(account.own as usize).copied().unwrap_or(0);
        passed.count() as u64 + self.unreceived_in_all - own
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
