//! A client in a simulation: what it sends, in one of two dialects, and what it makes of the answers.

use super::ledger::{self, Ledger, ROOMS};
use chatloop_reactor::simulated::{Dice, Peer};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Dialect {
    Plain,
    Irc,
    Http,
}

/// Requests, and the status of the answer.
const REQUESTS: [(&str, &str); 5] = [
    ("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
    ("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
    ("GET / HTTP/1.1\r\nHost: localhost\r\nX: y\r\n\r\n", "200"),
    ("GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n", "404"),
    ("GET / HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n", "421"),
];

/// One client, from its connection to the end of it.
pub(super) struct Client {
    pub(super) number: usize,
    dialect: Dialect,
    peer: Peer,
    /// To be sent, as soon as the network takes it.
    outgoing: Vec<u8>,
    /// Sends a few bytes at a time.
    pub(super) in_pieces: bool,
    /// Does not read.
    pub(super) paused: bool,
    /// Nothing more is to be sent behind what is in `outgoing`.
    closing: bool,
    /// What was received of an unfinished line.
    received: Vec<u8>,
    said: u32,
    nicks: u32,
    /// Has been let in.
    pub(super) is_in: bool,
    /// It has asked for its end, or done something that may end it.
    pub(super) may_end: bool,
    /// The rooms that it has asked for and not left, by number.
    rooms: Vec<usize>,
}

impl Client {
    pub(super) fn new(number: usize, dialect: Dialect, peer: Peer, ledger: &mut Ledger) -> Client {
        let mut client = Client {
            number,
            dialect,
            peer,
            outgoing: Vec::new(),
            in_pieces: false,
            paused: false,
            closing: false,
            received: Vec::new(),
            said: 0,
            nicks: 0,
            is_in: false,
            may_end: false,
            rooms: Vec::new(),
        };
        match dialect {
            Dialect::Plain => {
                ledger.asks_to_join(number, 0);
                client.rooms.push(0);
                client.line("/who"); // is known for what it is at once
            }
            Dialect::Irc => client.line(&format!("NICK n{number}\r\nUSER u 0 * :u")),
            Dialect::Http => {
                client.outgoing.extend_from_slice(REQUESTS[number % REQUESTS.len()].0.as_bytes());
                client.may_end = true;
            }
        }
        client
    }

    fn line(&mut self, line: &str) {
        if !self.closing && self.dialect != Dialect::Http {
            self.outgoing.extend_from_slice(line.as_bytes());
            self.outgoing.extend_from_slice(if self.dialect == Dialect::Irc {
                b"\r\n"
            } else {
                b"\n"
            });
        }
    }

    /// A message in one of its rooms.
    pub(super) fn say(&mut self, dice: &mut Dice, ledger: &mut Ledger) {
        if self.rooms.is_empty() || self.closing || !self.is_in {
            return;
        }
        let room = self.rooms[dice.below(self.rooms.len())];
        self.said += 1;
        let text = ledger::text(room, (self.number, self.said));
        ledger.says(self.number, self.said, room);
        match self.dialect {
            Dialect::Plain => self.line(&format!("/room {}\n{text}", ROOMS[room])),
            _ => self.line(&format!("PRIVMSG {} :{text}", ROOMS[room])),
        }
    }

    pub(super) fn join(&mut self, room: usize, ledger: &mut Ledger) {
        if self.closing || self.dialect == Dialect::Http || self.rooms.contains(&room) {
            return;
        }
        ledger.asks_to_join(self.number, room);
        self.rooms.push(room);
        match self.dialect {
            Dialect::Plain => self.line(&format!("/join {}", ROOMS[room])),
            _ => self.line(&format!("JOIN {}", ROOMS[room])),
        }
    }

    pub(super) fn part(&mut self, dice: &mut Dice, ledger: &mut Ledger) {
        if self.rooms.is_empty() || self.closing {
            return;
        }
        let room = self.rooms.swap_remove(dice.below(self.rooms.len()));
        ledger.asks_to_leave(self.number, room);
        match self.dialect {
            Dialect::Plain => self.line(&format!("/part {}", ROOMS[room])),
            _ => self.line(&format!("PART {}", ROOMS[room])),
        }
    }

    pub(super) fn ask(&mut self, dice: &mut Dice) {
        let question = match self.dialect {
            Dialect::Plain => ["/who", "/rooms", "/help", "/room", "/nonsense"],
            _ => ["WHO *", "LIST", "LUSERS", "PING x", "NONSENSE"],
        };
        self.line(question[dice.below(question.len())]);
    }

    pub(super) fn rename(&mut self) {
        self.nicks += 1;
        let nick = format!("n{}x{}", self.number, self.nicks);
        match self.dialect {
            Dialect::Plain => self.line(&format!("/nick {nick}")),
            _ => self.line(&format!("NICK {nick}")),
        }
    }

    /// Random bytes with an end; none that could be taken for a message of this simulation, for
    /// HTTP or for a TLS handshake.
    pub(super) fn garble(&mut self, dice: &mut Dice) {
        let bytes: Vec<u8> = (0..dice.below(60))
            .map(|_| dice.below(256) as u8)
            .filter(|byte| !b"~/\x16".contains(byte) && !byte.is_ascii_alphabetic())
            .collect();
        if !self.closing && self.is_in {
            self.outgoing.extend_from_slice(b"!");
            self.outgoing.extend_from_slice(&bytes);
            self.line("");
        }
    }

    pub(super) fn quit(&mut self, ledger: &mut Ledger) {
        self.line(if self.dialect == Dialect::Irc { "QUIT :bye" } else { "/quit" });
        self.end(ledger);
    }

    pub(super) fn half_close(&mut self, ledger: &mut Ledger) {
        self.end(ledger);
    }

    fn end(&mut self, ledger: &mut Ledger) {
        self.closing = true;
        self.may_end = true;
        ledger.gone(self.number);
    }

    /// Ends the connection without a word; a reset, or a close that leaves everything unread.
    pub(super) fn vanish(&mut self, reset: bool, ledger: &mut Ledger) {
        ledger.gone(self.number);
        ledger.may_be_lost(self.number);
        if reset { self.peer.reset() } else { self.peer.close() }
    }

    /// Sends what is to be sent, or a part of it. Whether anything has moved.
    pub(super) fn send(&mut self, dice: &mut Dice, mut sending: impl FnMut(&[u8])) -> bool {
        if self.outgoing.is_empty() {
            if self.closing {
                self.peer.shut_down();
            }
            return false;
        }
        let most = if self.in_pieces { 1 + dice.below(8) } else { self.outgoing.len() };
        let sent = self.peer.send(&self.outgoing[..most.min(self.outgoing.len())]);
        sending(&self.outgoing[..sent]);
        self.outgoing.drain(..sent);
        sent > 0
    }

    pub(super) fn has_sent_all(&self) -> bool {
        self.outgoing.is_empty()
    }

    /// Reads at most so many bytes, and understands what they say. Whether there were any.
    ///
    /// # Errors
    /// What is wrong with a message.
    pub(super) fn read(
        &mut self,
        most: usize,
        ledger: &mut Ledger,
        mut seen: impl FnMut(&[u8]),
    ) -> Result<bool, String> {
        let bytes = self.peer.receive(most);
        seen(&bytes);
        self.received.extend_from_slice(&bytes);
        if self.dialect == Dialect::Http {
            return Ok(!bytes.is_empty());
        }
        while let Some(end) = self.received.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.received.drain(..=end).collect();
            let line =
                String::from_utf8(line).map_err(|_| "a line that is not UTF-8".to_owned())?;
            self.understand(line.trim_end_matches(['\r', '\n']), ledger)?;
        }
        Ok(!bytes.is_empty())
    }

    fn understand(&mut self, line: &str, ledger: &mut Ledger) -> Result<(), String> {
        ledger.hears(self.number, line)?;
        let greeted = line.starts_with("* connected as ");
        if greeted && self.dialect == Dialect::Irc {
            return Err(format!(
                "client {} begins in IRC, and is greeted in plain text",
                self.number
            ));
        }
        let confirmed = match self.dialect {
            Dialect::Plain if greeted => {
                self.is_in = true;
                Some(ROOMS[0])
            }
            Dialect::Plain => {
                line.strip_prefix("* you joined ").and_then(|it| it.split(' ').next())
            }
            _ => {
                let words: Vec<&str> = line.split(' ').collect();
                match words[..] {
                    ["PING", ..] => {
                        self.line(&line.replacen("PING", "PONG", 1));
                        None
                    }
                    [_, "001", ..] => {
                        self.is_in = true;
                        None
                    }
                    [_, "366", _, room, ..] => Some(room),
                    _ => None,
                }
            }
        };
        let room = confirmed.and_then(|name| ROOMS.iter().position(|room| *room == name));
        // What it has asked to leave meanwhile, it may hear of or not.
        if let Some(room) = room.filter(|room| self.rooms.contains(room) && !self.closing) {
            ledger.joined(self.number, room);
        }
        Ok(())
    }

    /// Whether the answer to a request is whole, as its length says. True of other clients.
    pub(super) fn is_answered(&self) -> bool {
        let text = String::from_utf8_lossy(&self.received);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            return self.dialect != Dialect::Http;
        };
        let (request, status) = REQUESTS[self.number % REQUESTS.len()];
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let length = if request.starts_with("HEAD") {
            Some(0)
        } else {
            length.and_then(|it| it.parse().ok())
        };
        self.dialect != Dialect::Http
            || (head.starts_with(&format!("HTTP/1.1 {status} ")) && length == Some(body.len()))
    }

    pub(super) fn is_over(&self) -> bool {
        self.peer.is_over()
    }
}
