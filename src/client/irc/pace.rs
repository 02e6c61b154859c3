//! The send queue to the server, paced by PING and PONG.
//!
//! Most IRC servers close a connection that sends faster than they read ("Excess Flood"), and do
//! not announce the limit. But they answer a PING in order, so no more than `WINDOW` lines and
//! `WINDOW_BYTES` are sent that are not confirmed by a PONG. That is as fast as the server itself
//! works, and whatever precedes the PONG has been taken. A chatloop server delays fast clients and
//! drops nothing; it gets a wider window.
//!
//! Limit: `MAX_WAITING` lines; the caller checks [`Pace::has_room_for`] first.

use std::collections::VecDeque;

/// Unconfirmed lines at an unknown server.
const WINDOW: usize = 5;
/// Bytes of them. RFC 1459 servers keep 8 KiB of what they have not read; some keep less.
const WINDOW_BYTES: usize = 4 * 1024;
/// The same at a chatloop server, whose inbox is 64 KiB.
const WIDE: (usize, usize) = (100, 32 * 1024);
/// Lines that wait.
pub(super) const MAX_WAITING: usize = 10_000;

/// Lines that are sent together: one, or a batch, which must not be interrupted.
#[derive(Debug)]
struct Item {
    bytes: Vec<u8>,
    lines: usize,
}

/// What is to be sent, and what is not confirmed.
#[derive(Debug, Default)]
pub(super) struct Pace {
    waiting: VecDeque<Item>,
    /// Lines and bytes since the last PING, and those before it.
    since: (usize, usize),
    asked: (usize, usize),
    /// The PING that is not answered yet.
    pub token: Option<u64>,
    tokens: u64,
    /// Items that were queued; sent; covered by the PING; taken by the server: their last serial
    /// numbers.
    pub handed: u64,
    sent: u64,
    behind: u64,
    pub taken: u64,
    /// A chatloop server.
    pub wide: bool,
}

impl Pace {
    /// Whether so many more may be queued.
    pub fn has_room_for(&self, count: usize) -> bool {
        self.waiting.len() + count <= MAX_WAITING
    }

    /// Whether another line would have to wait for the server.
    pub fn is_full(&self) -> bool {
        let (lines, bytes) = self.window();
        self.waiting.len() + self.since.0 + self.asked.0 >= lines
            || self.since.1 + self.asked.1 >= bytes
    }

    fn window(&self) -> (usize, usize) {
        if self.wide { WIDE } else { (WINDOW, WINDOW_BYTES) }
    }

    /// Items that wait to be sent.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether the server has accepted everything.
    pub fn is_idle(&self) -> bool {
        self.taken == self.handed
    }

    /// Queues lines that belong together; returns their serial number, counted from 1.
    pub fn push(&mut self, bytes: Vec<u8>) -> u64 {
        let lines = memchr::memchr_iter(b'\n', &bytes).count();
        self.waiting.push_back(Item { bytes, lines });
        self.handed += 1;
        self.handed
    }

    /// Asks the server for a PONG though nothing was sent.
    pub fn fence(&mut self) {
        self.since.0 += 1;
    }

    /// The bytes that can be sent now.
    pub fn take(&mut self, out: &mut Vec<u8>) {
        let (lines, bytes) = self.window();
        while let Some(item) = self.waiting.front() {
            let under_way = (self.since.0 + self.asked.0, self.since.1 + self.asked.1);
            let fits = under_way.0 + item.lines <= lines && under_way.1 + item.bytes.len() <= bytes;
            if !fits && under_way.0 > 0 {
                break;
            }
            self.since = (self.since.0 + item.lines, self.since.1 + item.bytes.len());
            out.extend_from_slice(&item.bytes);
            self.sent += 1;
            self.waiting.pop_front();
        }
        if self.since.0 > 0 && self.token.is_none() {
            self.tokens += 1;
            self.token = Some(self.tokens);
            (self.asked, self.since) = (self.since, (0, 0));
            self.behind = self.sent;
            out.extend_from_slice(format!("PING chatloop-{}\r\n", self.tokens).as_bytes());
        }
    }

    /// A PONG with these parameters; whether it answers the PING.
    pub fn pong(&mut self, words: &[&str]) -> bool {
        let Some(token) = self.token else { return false };
        let expected = format!("chatloop-{token}");
        let ours = words.iter().any(|word| *word == expected);
        if ours {
            self.token = None;
            self.asked = (0, 0);
            self.taken = self.behind;
        }
        ours
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sent(pace: &mut Pace) -> String {
        let mut out = Vec::new();
        pace.take(&mut out);
        String::from_utf8(out).unwrap().replace("\r\n", "|")
    }

    #[test]
    fn a_window_at_a_time() {
        let mut pace = Pace::default();
        assert!(pace.is_idle());
        for number in 1..=7 {
            assert_eq!(pace.push(format!("{number}\r\n").into_bytes()), number);
        }
        assert_eq!(sent(&mut pace), "1|2|3|4|5|PING chatloop-1|");
        assert_eq!(sent(&mut pace), "");
        assert!(!pace.pong(&["chatloop-9"]) && pace.pong(&["srv", "chatloop-1"]));
        assert_eq!((pace.taken, pace.is_idle()), (5, false));
        assert_eq!(sent(&mut pace), "6|7|PING chatloop-2|");
        pace.push(b"8\r\n".to_vec());
        assert_eq!(sent(&mut pace), "8|", "what is typed goes at once");
        pace.pong(&["chatloop-2"]);
        assert_eq!(sent(&mut pace), "PING chatloop-3|");
        pace.pong(&["chatloop-3"]);
        assert!(pace.is_idle());
        assert_eq!(sent(&mut pace), "");
    }

    #[test]
    fn a_batch_is_not_torn() {
        let mut pace = Pace::default();
        pace.push(b"1\r\n".to_vec());
        pace.push("x\r\n".repeat(20).into_bytes());
        assert_eq!(sent(&mut pace), "1|PING chatloop-1|");
        pace.pong(&["chatloop-1"]);
        assert_eq!(sent(&mut pace), "x|".repeat(20) + "PING chatloop-2|");
    }

    proptest! {
        #[test]
        fn everything_goes_out_once_and_in_order(sizes in proptest::collection::vec(1usize..2000, 0..60), wide: bool) {
            let mut pace = Pace { wide, ..Pace::default() };
            let lines: Vec<String> = sizes.iter().map(|size| "x".repeat(*size) + "\r\n").collect();
            lines.iter().for_each(|line| { pace.push(line.clone().into_bytes()); });
            let mut all = String::new();
            while !pace.is_idle() {
                let mut out = Vec::new();
                pace.take(&mut out);
                for line in String::from_utf8(out).unwrap().split_inclusive('\n') {
                    match line.strip_prefix("PING ") {
                        Some(token) => { pace.pong(&[token.trim_end()]); }
                        None => all += line,
                    }
                }
            }
            prop_assert_eq!(all, lines.concat());
        }
    }
}
