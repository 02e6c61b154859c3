//! The ledger against a slow and obvious one, on streams of servers that are good and bad.

use super::*;
use crate::lab::testing::Dice;
use std::collections::HashSet;

fn stamps(ledger: &mut Ledger, count: u32, receivers: u32) -> Vec<Stamp> {
    (0..count).map(|number| ledger.send(1_000 + u64::from(number), receivers)).collect()
}

/// Delivers the messages in `stream` to a fresh receiver.
fn play(ledger: &mut Ledger, stamps: &[Stamp], stream: &[usize]) -> Account {
    let mut account = Account::new();
    for &number in stream {
        ledger.hear(&mut account, &stamps[number]);
    }
    account
}

#[test]
fn numbers_go_round_the_senders() {
    let mut ledger = Ledger::new(3);
    let stamps = stamps(&mut ledger, 5, 1);
    let numbers: Vec<_> = stamps.iter().map(|stamp| (stamp.sender, stamp.sequence)).collect();
    assert_eq!(numbers, [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1)]);
    assert_eq!(ledger.next_sender(), 2);
}

#[test]
fn each_fault_is_told_from_the_others() {
    let clean = Faults::default();
    // Two senders: 0 2 4 are of one, 1 3 5 of the other.
    for (second, expected, owed) in [
        (&[0, 1, 2, 3, 4, 5][..], clean, 0),
        (&[0, 1, 3, 4, 5], clean, 1),
        (&[5], clean, 5),
        (&[], clean, 6),
        (&[0, 1, 2, 2, 3, 4, 5, 0], Faults { doubled: 2, ..clean }, 0),
        (&[0, 1, 4, 3, 2, 5], Faults { reordered: 1, crossed: 1, ..clean }, 0),
        (&[2, 0, 1, 3, 4, 5], Faults { reordered: 1, crossed: 1, ..clean }, 0),
        (&[1, 0, 3, 2, 5, 4], Faults { crossed: 3, ..clean }, 0),
        (&[1, 3, 5, 0, 2, 4], Faults { crossed: 3, ..clean }, 0),
    ] {
        let mut ledger = Ledger::new(2);
        let stamps = stamps(&mut ledger, 6, 2);
        let first = play(&mut ledger, &stamps, &[0, 1, 2, 3, 4, 5]);
        let account = play(&mut ledger, &stamps, second);
        assert_eq!(ledger.faults(), expected, "{second:?}");
        assert_eq!(ledger.owed(&first, |_| true), 0);
        assert_eq!(ledger.owed(&account, |_| true), owed, "{second:?}");
        assert_eq!(ledger.open(), owed as u32);
    }
}

#[test]
fn a_first_receiver_with_a_bad_order_does_not_blame_the_second() {
    let mut ledger = Ledger::new(1);
    let stamps = stamps(&mut ledger, 3, 2);
    play(&mut ledger, &stamps, &[2, 0, 1]);
    assert_eq!(ledger.faults(), Faults { reordered: 2, ..Faults::default() });
    play(&mut ledger, &stamps, &[0, 1, 2]);
    let both = Faults { reordered: 2, crossed: 1, ..Faults::default() };
    assert_eq!(ledger.faults(), both, "only the order between the two differs");
}

#[test]
fn what_nobody_sent_is_torn() {
    let mut ledger = Ledger::new(2);
    let stamps = stamps(&mut ledger, 4, 1);
    let mut account = Account::new();
    let real = stamps[3];
    for forged in [
        Stamp { sequence: 2, ..real },
        Stamp { sequence: u32::MAX, ..real },
        Stamp { sender: 2, sequence: 0, ..real },
        Stamp { micros: real.micros + 1, ..real },
    ] {
        assert_eq!(ledger.hear(&mut account, &forged), Heard::Nothing);
    }
    assert_eq!(ledger.faults(), Faults { torn: 4, ..Faults::default() });
}

#[test]
fn an_echo_is_neither_owed_nor_a_fault() {
    let mut ledger = Ledger::new(2);
    let stamps = stamps(&mut ledger, 4, 1);
    let mut account = Account::new().without_own(0);
    let heard: Vec<Heard> = stamps.iter().map(|it| ledger.hear(&mut account, it)).collect();
    assert_eq!(heard, [Heard::Echo, Heard::Fresh, Heard::Echo, Heard::Fresh]);
    assert_eq!(ledger.owed(&account, |_| true), 0);
    assert_eq!(ledger.faults(), Faults::default());
}

#[test]
fn nobody_waits_for_the_dead_and_the_slow() {
    let mut ledger = Ledger::new(1);
    let stamps = stamps(&mut ledger, 3, 2);
    let mut leaver = play(&mut ledger, &stamps, &[0]);
    let mut slow = Account::new().not_awaited();
    play(&mut ledger, &stamps, &[0, 1, 2]);
    assert_eq!(ledger.open(), 2);
    ledger.stop_waiting_for(&mut leaver);
    assert_eq!(ledger.open(), 0);
    ledger.stop_waiting_for(&mut leaver); // once is enough
    assert_eq!(ledger.owed(&leaver, |_| true), 2);
    assert_eq!(ledger.owed(&slow, |_| true), 3);
    for stamp in &stamps {
        assert_eq!(ledger.hear(&mut slow, stamp), Heard::Fresh);
    }
    assert_eq!(ledger.owed(&slow, |_| true), 0);
}

/// The slow and obvious ledger: everything each receiver has heard, in a list.
struct Naive {
    senders: u32,
    heard: Vec<Vec<u32>>,
    order: Vec<u32>,
    faults: Faults,
}

impl Naive {
    fn hear(&mut self, receiver: usize, own: Option<u32>, number: u32) {
        if own == Some(number % self.senders) {
            return;
        }
        if !self.order.contains(&number) {
            self.order.push(number);
        }
        let place = |number: u32| self.order.iter().position(|&it| it == number);
        let heard = &self.heard[receiver];
        let same_sender = |other: u32| other % self.senders == number % self.senders;
        if heard.contains(&number) {
            self.faults.doubled += 1;
            return;
        } else if heard.iter().any(|&other| same_sender(other) && other > number) {
            self.faults.reordered += 1;
        } else if heard.iter().any(|&other| place(other) > place(number)) {
            self.faults.crossed += 1;
        }
        self.heard[receiver].push(number);
    }
}

/// What a server with the given vices makes of `messages` for one receiver.
fn stream(dice: &mut Dice, messages: u32, vices: &[bool; 3]) -> Vec<u32> {
    let mut stream: Vec<u32> = (0..messages).collect();
    let [loses, doubles, reorders] = *vices;
    if loses {
        stream.retain(|_| !dice.once_in(6));
    }
    if doubles {
        for _ in 0..dice.below(5) {
            if !stream.is_empty() {
                let copy = stream[dice.below(stream.len())];
                stream.insert(dice.below(stream.len() + 1), copy);
            }
        }
    }
    if reorders && stream.len() > 1 {
        for _ in 0..dice.below(8) {
            let (one, other) = (dice.below(stream.len()), dice.below(stream.len()));
            stream.swap(one, other);
        }
    }
    stream
}

#[test]
fn it_counts_as_the_slow_and_obvious_ledger_does() {
    let mut dice = Dice::seeded("slow_and_obvious");
    for _ in 0..400 {
        let senders = 1 + dice.below(4) as u32;
        let receivers = 1 + dice.below(5);
        let messages = dice.below(30) as u32;
        let vices = [dice.once_in(2), dice.once_in(2), dice.once_in(2)];
        let mut ledger = Ledger::new(senders);
        let stamps = stamps(&mut ledger, messages, receivers as u32);
        let heard = vec![Vec::new(); receivers];
        let mut naive = Naive { senders, heard, order: Vec::new(), faults: Faults::default() };
        let owner = |receiver: usize| (receiver % 2 == 0).then_some(receiver as u32 % senders);
        let mut accounts: Vec<Account> = (0..receivers)
            .map(|receiver| match owner(receiver) {
                Some(own) => Account::new().without_own(own),
                None => Account::new(),
            })
            .collect();
        let mut streams: Vec<_> = (0..receivers)
            .map(|_| stream(&mut dice, messages, &vices).into_iter().peekable())
            .collect();
        while streams.iter_mut().any(|stream| stream.peek().is_some()) {
            let receiver = dice.below(receivers);
            if let Some(number) = streams[receiver].next() {
                ledger.hear(&mut accounts[receiver], &stamps[number as usize]);
                naive.hear(receiver, owner(receiver), number);
            }
        }
        assert_eq!(ledger.faults(), naive.faults);
        assert_eq!(ledger.order().collect::<Vec<_>>(), naive.order);
        for (receiver, account) in accounts.iter().enumerate() {
            let heard: HashSet<u32> = naive.heard[receiver].iter().copied().collect();
            let own = owner(receiver);
            let missing = (0..messages).filter(|number| Some(number % senders) != own);
            let missing = missing.filter(|number| !heard.contains(number)).count() as u64;
            assert_eq!(ledger.owed(account, |_| true), missing);
        }
    }
}
