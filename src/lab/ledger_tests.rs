//! The ledger against a slow and obvious one, on streams of servers that are good and bad.

use super::*;
use crate::lab::tests::seeded;
use chatloop_reactor::dice::Dice;
use std::collections::HashSet;

fn stamps(ledger: &mut Ledger, count: u32, receivers: u32) -> Vec<Stamp> {
    (0..count).map(|number| ledger.send(1_000 + u64::from(number), receivers)).collect()
}

/// Delivers the messages in `stream` to a fresh receiver.
fn play(ledger: &mut Ledger, stamps: &[Stamp], stream: &[usize]) -> Account {
    let mut account = Account::new();
    for &number in stream {
        ledger.receive(&mut account, &stamps[number]);
    }
    account
}

fn owed_to(ledger: &Ledger, account: &Account) -> u64 {
    ledger.close(|_| true).owed(account)
}

/// The numbers of the messages as they were first received.
fn order(ledger: &Ledger) -> Vec<u32> {
    let received = |number: &u32| ledger.sent[*number as usize].place != UNRECEIVED;
    let mut order: Vec<u32> = (0..ledger.sent()).filter(received).collect();
    order.sort_by_key(|number| ledger.sent[*number as usize].place);
    order
}

#[test]
fn numbers_go_round_the_senders() {
    let mut ledger = Ledger::new(3, false);
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
        (&[0, 1, 2, 2, 3, 4, 5, 0], Faults { duplicated: 2, ..clean }, 0),
        (&[0, 1, 4, 3, 2, 5], Faults { reordered: 1, crossed: 1, ..clean }, 0),
        (&[2, 0, 1, 3, 4, 5], Faults { reordered: 1, crossed: 1, ..clean }, 0),
        (&[1, 0, 3, 2, 5, 4], Faults { crossed: 3, ..clean }, 0),
        (&[1, 3, 5, 0, 2, 4], Faults { crossed: 3, ..clean }, 0),
    ] {
        let mut ledger = Ledger::new(2, false);
        let stamps = stamps(&mut ledger, 6, 2);
        let first = play(&mut ledger, &stamps, &[0, 1, 2, 3, 4, 5]);
        let account = play(&mut ledger, &stamps, second);
        assert_eq!(ledger.faults, expected, "{second:?}");
        assert_eq!(owed_to(&ledger, &first), 0);
        assert_eq!(owed_to(&ledger, &account), owed, "{second:?}");
        assert_eq!(ledger.open, owed as u32);
    }
}

#[test]
fn a_first_receiver_with_a_bad_order_does_not_blame_the_second() {
    let mut ledger = Ledger::new(1, false);
    let stamps = stamps(&mut ledger, 3, 2);
    play(&mut ledger, &stamps, &[2, 0, 1]);
    assert_eq!(ledger.faults, Faults { reordered: 2, ..Faults::default() });
    play(&mut ledger, &stamps, &[0, 1, 2]);
    let both = Faults { reordered: 2, crossed: 1, ..Faults::default() };
    assert_eq!(ledger.faults, both, "only the order between the two differs");
}

#[test]
fn what_nobody_sent_is_torn() {
    let mut ledger = Ledger::new(2, false);
    let stamps = stamps(&mut ledger, 4, 1);
    let mut account = Account::new();
    let real = stamps[3];
    for forged in [
        Stamp { sequence: 2, ..real },
        Stamp { sequence: u32::MAX, ..real },
        Stamp { sender: 2, sequence: 0, ..real },
        Stamp { micros: real.micros + 1, ..real },
    ] {
        assert_eq!(ledger.receive(&mut account, &forged), Receipt::Nothing);
    }
    assert_eq!(ledger.faults, Faults { corrupted: 4, ..Faults::default() });
}

#[test]
fn an_echo_is_neither_owed_nor_a_fault() {
    let mut ledger = Ledger::new(2, false);
    let stamps = stamps(&mut ledger, 4, 1);
    let mut account = Account::new().without_own(0);
    let heard: Vec<Receipt> = stamps.iter().map(|it| ledger.receive(&mut account, it)).collect();
    assert_eq!(heard, [Receipt::Echo, Receipt::Fresh, Receipt::Echo, Receipt::Fresh]);
    assert_eq!(owed_to(&ledger, &account), 0);
    assert_eq!(ledger.faults, Faults::default());
}

#[test]
fn nobody_waits_for_the_dead_and_the_slow() {
    let mut ledger = Ledger::new(1, false);
    let stamps = stamps(&mut ledger, 3, 2);
    let mut leaver = play(&mut ledger, &stamps, &[0]);
    let mut slow = Account::new().not_awaited();
    play(&mut ledger, &stamps, &[0, 1, 2]);
    assert_eq!(ledger.open, 2);
    ledger.stop_waiting_for(&mut leaver);
    assert_eq!(ledger.open, 0);
    ledger.stop_waiting_for(&mut leaver); // once is enough
    assert_eq!(owed_to(&ledger, &leaver), 2);
    assert_eq!(owed_to(&ledger, &slow), 3);
    for stamp in &stamps {
        assert_eq!(ledger.receive(&mut slow, stamp), Receipt::Fresh);
    }
    assert_eq!(owed_to(&ledger, &slow), 0);
    assert!(ledger.has_heard_all(&slow) && !ledger.has_heard_all(&leaver));
}

#[test]
fn the_messages_of_a_dead_sender_can_be_left_out() {
    let mut ledger = Ledger::new(2, false);
    let stamps = stamps(&mut ledger, 6, 1);
    let account = play(&mut ledger, &stamps, &[0, 2, 3]);
    let unfinished = Account::new().without_own(1);
    assert_eq!(ledger.close(|_| true).owed(&account), 3); // 1, 4, 5
    assert_eq!(ledger.close(|sender| sender == 0).owed(&account), 1); // 4
    assert_eq!(ledger.close(|_| true).owed(&unfinished), 3); // 0, 2, 4
    assert_eq!(ledger.close(|sender| sender == 1).owed(&unfinished), 0);
}

/// The slow and obvious ledger: everything each receiver has received, in a list.
struct Naive {
    senders: u32,
    heard: Vec<Vec<u32>>,
    order: Vec<u32>,
    faults: Faults,
}

impl Naive {
    fn receive(&mut self, receiver: usize, own: Option<u32>, number: u32) {
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
            self.faults.duplicated += 1;
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
        stream.retain(|_| dice.below(6) > 0);
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

/// A room and what everyone in it will receive, one after the other in any interleaving.
struct Room {
    senders: u32,
    messages: u32,
    /// Whose own messages do not come back.
    owners: Vec<Option<u32>>,
    streams: Vec<Vec<u32>>,
}

impl Room {
    fn new(dice: &mut Dice, vices: &[bool; 3]) -> Room {
        let senders = 1 + dice.below(4) as u32;
        let messages = dice.below(30) as u32;
        let owners: Vec<_> = (0..1 + dice.below(6) as u32)
            .map(|receiver| (receiver < senders).then_some(receiver))
            .collect();
        let streams = owners.iter().map(|_| stream(dice, messages, vices)).collect();
        Room { senders, messages, owners, streams }
    }

    /// Plays it to the ledger and to the naive one, and compares what each receiver is owed.
    fn play(&self, dice: &mut Dice, has_listeners: bool) -> (Ledger, Naive) {
        let receivers = self.owners.len();
        let mut ledger = Ledger::new(self.senders, has_listeners);
        let stamps = stamps(&mut ledger, self.messages, receivers as u32);
        let mut naive = Naive {
            senders: self.senders,
            heard: vec![Vec::new(); receivers],
            order: Vec::new(),
            faults: Faults::default(),
        };
        let account = |owner: &Option<u32>| match owner {
            Some(own) => Account::new().without_own(*own),
            None => Account::new(),
        };
        let mut accounts: Vec<Account> = self.owners.iter().map(account).collect();
        let mut streams: Vec<_> = self.streams.iter().map(|it| it.iter().peekable()).collect();
        while streams.iter_mut().any(|stream| stream.peek().is_some()) {
            let receiver = dice.below(receivers);
            if let Some(&number) = streams[receiver].next() {
                ledger.receive(&mut accounts[receiver], &stamps[number as usize]);
                naive.receive(receiver, self.owners[receiver], number);
            }
        }
        accounts.iter_mut().for_each(|account| ledger.settle(account));
        for (receiver, account) in accounts.iter().enumerate() {
            let heard: HashSet<u32> = naive.heard[receiver].iter().copied().collect();
            let own = self.owners[receiver];
            let missing = (0..self.messages).filter(|number| Some(number % self.senders) != own);
            let missing = missing.filter(|number| !heard.contains(number)).count() as u64;
            assert_eq!(owed_to(&ledger, account), missing);
        }
        (ledger, naive)
    }
}

#[test]
fn it_counts_as_the_slow_and_obvious_ledger_does() {
    let mut dice = seeded("slow_and_obvious");
    for _ in 0..400 {
        let vices = [dice.chance(50), dice.chance(50), dice.chance(50)];
        let room = Room::new(&mut dice, &vices);
        let (ledger, naive) = room.play(&mut dice, false);
        assert_eq!(ledger.faults, naive.faults);
        assert_eq!(order(&ledger), naive.order);
        // The order of writing decides only what crosses.
        let (ledger, naive) = room.play(&mut dice, true);
        let crossed = naive.faults.crossed;
        assert_eq!(Faults { crossed, ..ledger.faults }, naive.faults);
    }
}

#[test]
fn senders_who_do_not_hear_themselves_do_not_cross() {
    let mut dice = seeded("one_order");
    for _ in 0..200 {
        let mut room = Room::new(&mut dice, &[false; 3]);
        room.owners.push(None); // a listener
        // One order for all, which is not that of the numbers.
        let mut order: Vec<u32> = (0..room.messages).collect();
        let mut left: Vec<u32> = (0..room.senders).collect(); // the next of each sender
        order.iter_mut().for_each(|number| {
            let open: Vec<_> = (0..left.len()).filter(|&it| left[it] < room.messages).collect();
            let sender = open[dice.below(open.len())];
            *number = left[sender];
            left[sender] += room.senders;
        });
        room.streams = vec![order.clone(); room.owners.len()];
        let (ledger, _) = room.play(&mut dice, true);
        assert_eq!(ledger.faults, Faults::default());
        // And a member that receives two of different senders the other way round is noticed.
        let swap = (1..order.len()).find(|&it| {
            let heard = |number: u32| Some(number % room.senders) != room.owners[0];
            let two = order[it - 1] % room.senders != order[it] % room.senders;
            two && heard(order[it - 1]) && heard(order[it])
        });
        if let Some(swap) = swap {
            room.streams[0].swap(swap - 1, swap);
            let (ledger, _) = room.play(&mut dice, true);
            assert!(ledger.faults.crossed > 0);
        }
    }
}

#[test]
fn a_sender_far_ahead_of_all_listeners_does_not_wait_for_ever() {
    let mut ledger = Ledger::new(2, true);
    let count = 2 * (MOST_AHEAD as u32 + 10);
    let stamps = stamps(&mut ledger, count, 1);
    let mut account = Account::new().without_own(0);
    for stamp in stamps.iter().filter(|stamp| stamp.sender == 1) {
        assert_eq!(ledger.receive(&mut account, stamp), Receipt::Fresh);
        assert_eq!(ledger.receive(&mut account, stamp), Receipt::Nothing, "duplicated");
        assert!(account.ahead.len() <= MOST_AHEAD);
    }
    assert_eq!(ledger.open, count / 2);
    ledger.settle(&mut account);
    assert_eq!(owed_to(&ledger, &account), 0);
    assert_eq!(ledger.faults, Faults { duplicated: u64::from(count / 2), ..Faults::default() });
}
