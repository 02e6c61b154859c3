//! A client in a simulation: what it sends, in one of three dialects, and what it makes of the answers.

use super::carrier::Carrier;
use super::errand::{Errand, Outcome};
use super::ledger::{self, Ledger, ROOMS, Target};
use chatloop_reactor::dice::Dice;
use std::time::{Duration, Instant};

/// Messages that may be more than the server keeps for a client whose protocol is not known: 16 KiB,
/// and the longest have more than half a KiB.
const MANY: u64 = 20;

/// How long the server waits for a request that has begun.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it waits for an answer to be read, and its client to close.
const LINGER: Duration = Duration::from_secs(1);

/// How a client of plain text is greeted.
const GREETING: &str = "* connected as ";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Dialect {
    Plain,
    Irc,
    Http,
}

/// One client, from its connection to the end of it.
pub(super) struct Client {
    pub number: usize,
    dialect: Dialect,
    pub carrier: Carrier,
    /// What it asks for, if it speaks HTTP.
    pub errand: Option<Errand>,
    /// Sends a few bytes at a time.
    pub in_pieces: bool,
    /// Does not read.
    pub paused: bool,
    /// Has been either.
    pub was_slow: bool,
    /// Nothing more is to be sent behind what is queued.
    closing: bool,
    /// What was received of an unfinished line, or of an answer of HTTP.
    received: Vec<u8>,
    said: u32,
    /// How many messages were said and had arrived somewhere before it connected, if the server keeps
    /// little for it.
    pub said_before: Option<u64>,
    /// When it connected.
    pub since: Option<Instant>,
    /// When it has read last, and for how long it had not then.
    read_at: Option<Instant>,
    not_read_for: Duration,
    nicks: u32,
    /// Has been let in.
    pub is_in: bool,
    /// It has asked for its end, or done something that may end it.
    pub may_end: bool,
    /// The rooms that it has asked for and not left, by number.
    rooms: Vec<usize>,
    /// How often it has asked to join each room, and how often that was confirmed: a slow client
    /// reads of an earlier time.
    joins: [(u32, u32); ROOMS.len()],
    /// Tokens to upload with that it has been given.
    tokens: Vec<String>,
    /// Prints what it sends.
    steps: bool,
}

impl Client {
    /// One that talks; its first line says in which dialect.
    pub fn new(number: usize, dialect: Dialect, carrier: Carrier, steps: bool) -> Client {
        let mut client = Client {
            number,
            dialect,
            carrier,
            errand: None,
            in_pieces: false,
            paused: false,
            was_slow: false,
            closing: false,
            received: Vec::new(),
            said: 0,
            said_before: None,
            since: None,
            read_at: None,
            not_read_for: Duration::ZERO,
            nicks: 0,
            is_in: false,
            may_end: false,
            rooms: Vec::new(),
            joins: [(0, 0); ROOMS.len()],
            tokens: Vec::new(),
            steps,
        };
        match dialect {
            Dialect::Plain => {
                client.rooms.push(0);
                client.joins[0].0 = 1;
                client.line("/who"); // is known for what it is at once
            }
            Dialect::Irc => client.line(&format!("NICK n{number}\r\nUSER u 0 * :u")),
            Dialect::Http => {}
        }
        client
    }

    /// One that makes a request.
    pub fn with_errand(number: usize, errand: Errand, carrier: Carrier, steps: bool) -> Client {
        let mut client = Client::new(number, Dialect::Http, carrier, steps);
        client.carrier.queue(&errand.request());
        (client.errand, client.may_end) = (Some(errand), true);
        client
    }

    fn line(&mut self, line: &str) {
        if !self.closing && self.dialect != Dialect::Http {
            let end = if self.dialect == Dialect::Irc { "\r\n" } else { "\n" };
            self.carrier.queue(format!("{line}{end}").as_bytes());
        }
    }

    /// The same command in plain text and in IRC.
    fn either(&mut self, plain: &str, irc: &str) {
        self.line(if self.dialect == Dialect::Irc { irc } else { plain });
    }

    /// A message in one of its rooms.
    pub fn say(&mut self, dice: &mut Dice, ledger: &mut Ledger) {
        if self.rooms.is_empty() || self.closing || !self.is_in {
            return;
        }
        let room = dice.one(&self.rooms);
        let text = self.compose(Target::Room(room), ledger);
        let room = ROOMS[room];
        self.either(&format!("/room {room}\n{text}"), &format!("PRIVMSG {room} :{text}"));
    }

    fn compose(&mut self, target: Target, ledger: &mut Ledger) -> String {
        self.said += 1;
        ledger.says(self.number, self.said, target);
        ledger::text(target, (self.number, self.said))
    }

    /// The nick that another client can reach it by, if that is known.
    pub fn nick(&self) -> Option<(usize, String)> {
        let is_known = self.dialect == Dialect::Irc && self.is_in && self.nicks == 0;
        (is_known && !self.closing).then(|| (self.number, format!("n{}", self.number)))
    }

    /// A message to one other client.
    pub fn tell(&mut self, (client, nick): (usize, String), ledger: &mut Ledger) {
        if self.closing || !self.is_in || client == self.number {
            return;
        }
        let text = self.compose(Target::Client(client), ledger);
        self.either(&format!("/msg {nick} {text}"), &format!("PRIVMSG {nick} :{text}"));
    }

    pub fn join(&mut self, room: usize, ledger: &mut Ledger) {
        if self.closing || self.dialect == Dialect::Http || self.rooms.contains(&room) {
            return;
        }
        ledger.asks_to_join(self.number, room);
        self.rooms.push(room);
        self.joins[room].0 += 1;
        self.either(&format!("/join {}", ROOMS[room]), &format!("JOIN {}", ROOMS[room]));
    }

    pub fn part(&mut self, dice: &mut Dice, ledger: &mut Ledger) {
        if self.rooms.is_empty() || self.closing {
            return;
        }
        let room = self.rooms.swap_remove(dice.below(self.rooms.len()));
        ledger.asks_to_leave(self.number, room);
        self.either(&format!("/part {}", ROOMS[room]), &format!("PART {}", ROOMS[room]));
    }

    pub fn ask(&mut self, dice: &mut Dice) {
        let question = match self.dialect {
            Dialect::Plain => ["/who", "/rooms", "/help", "/history 5", "/nonsense"],
            _ => ["WHO *", "LIST", "LUSERS", "PING x", "NONSENSE"],
        };
        self.line(dice.one(&question));
    }

    pub fn rename(&mut self, ledger: &mut Ledger) {
        self.nicks += 1;
        ledger.changes_its_nick(self.number);
        let nick = format!("n{}x{}", self.number, self.nicks);
        self.either(&format!("/nick {nick}"), &format!("NICK {nick}"));
    }

    /// Random bytes with an end; none that could be taken for a message of this simulation, for
    /// HTTP, for a TLS handshake, or for a subnegotiation of telnet, which may hold whole lines.
    pub fn garble(&mut self, dice: &mut Dice) {
        let bytes: Vec<u8> = (0..dice.below(60))
            .map(|_| dice.below(256) as u8)
            .filter(|byte| !b"~/\x16\xfa".contains(byte) && !byte.is_ascii_alphabetic())
            .collect();
        // A WebSocket that carries anything but text is closed.
        if !self.closing && self.is_in && !self.carrier.is_framed() {
            self.carrier.queue(b"!");
            self.carrier.queue(&bytes);
            self.line("");
        }
    }

    pub fn quit(&mut self, ledger: &mut Ledger) {
        self.either("/quit", "QUIT :bye");
        self.end(ledger);
    }

    /// It sends nothing more, and still reads.
    pub fn end(&mut self, ledger: &mut Ledger) {
        self.closing = true;
        self.may_end = true;
        self.carrier.end();
        ledger.gone(self.number);
    }

    /// Asks for a token to upload with.
    pub fn ask_for_token(&mut self) {
        if self.is_in && self.dialect == Dialect::Plain {
            self.line("/upload");
        }
    }

    /// A token that it has been given.
    pub fn take_token(&mut self) -> Option<String> {
        self.tokens.pop()
    }

    /// Ends the connection without a word; a reset, or a close that leaves everything unread.
    pub fn vanish(&mut self, reset: bool, ledger: &mut Ledger) {
        ledger.gone(self.number);
        ledger.may_be_lost(self.number);
        self.carrier.vanish(reset);
    }

    /// Sends what is to be sent, or a part of it. Whether anything has moved.
    ///
    /// # Errors
    /// The handshake of TLS has failed.
    pub fn send(&mut self, dice: &mut Dice) -> Result<bool, String> {
        let most = if self.in_pieces { 1 + dice.below(8) } else { usize::MAX };
        let sent = self.carrier.send(most)?;
        if self.steps && !sent.is_empty() {
            match self.carrier.is_encrypted() {
                true => eprintln!("{} sends {} encrypted bytes", self.number, sent.len()),
                false => eprintln!("{} sends {:?}", self.number, String::from_utf8_lossy(&sent)),
            }
        }
        Ok(!sent.is_empty())
    }

    /// Whether the server may give it up: it has taken its time with the first lines.
    pub fn may_be_given_up(&self) -> bool {
        !self.is_in && (self.was_slow || self.age() >= PATIENCE)
    }

    /// How long it has been connected, by its last reading.
    fn age(&self) -> Duration {
        self.read_at.zip(self.since).map_or(Duration::ZERO, |(read, since)| read - since)
    }

    /// It is about to read.
    pub fn reads_at(&mut self, now: Instant) {
        let before = self.read_at.replace(now).or(self.since);
        self.not_read_for = before.map_or(Duration::ZERO, |before| now - before);
    }

    /// Whether it has read in time: how often it came to be is a matter of dice.
    pub fn reads_in_time(&self) -> bool {
        !self.was_slow && self.not_read_for < LINGER
    }

    /// Whether it is in a handshake, which may be rejected.
    pub fn may_be_refused(&self) -> bool {
        (self.carrier.is_framed() || self.carrier.is_encrypted()) && !self.is_in
    }

    /// Goes on in small pieces, or does not any more.
    pub fn break_up(&mut self) {
        (self.in_pieces, self.was_slow) = (!self.in_pieces, true);
    }

    /// Stops reading, or reads again.
    pub fn pause(&mut self) {
        (self.paused, self.was_slow) = (!self.paused, true);
    }

    /// Reads at most so many bytes, and understands what they say. Whether there were any.
    ///
    /// # Errors
    /// What is wrong with a message.
    pub fn read(
        &mut self,
        most: usize,
        ledger: &mut Ledger,
        mut seen: impl FnMut(&[u8]),
    ) -> Result<bool, String> {
        let arrived = self.carrier.receive(most)?;
        seen(&arrived.bytes);
        self.received.extend_from_slice(&arrived.bytes);
        if self.dialect == Dialect::Http {
            if self.received.starts_with(GREETING.as_bytes()) {
                self.taken_for_plain(ledger)?;
            }
            return Ok(arrived.moved);
        }
        while let Some(end) = self.received.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.received.drain(..=end).collect();
            let line =
                String::from_utf8(line).map_err(|_| "a line that is not UTF-8".to_owned())?;
            self.understand(line.trim_end_matches(['\r', '\n']), ledger)?;
        }
        Ok(arrived.moved)
    }

    fn understand(&mut self, line: &str, ledger: &mut Ledger) -> Result<(), String> {
        if !self.is_in && line.contains("~~") {
            return Err(format!("client {} is told before it is let in: {line:?}", self.number));
        }
        if self.dialect == Dialect::Plain && line.starts_with("- ") {
            return ledger.recalls(self.number, line);
        }
        ledger.hears(self.number, line)?;
        if let Some((_, token)) = line.split_once("/upload/") {
            self.tokens.extend(token.split('/').next().map(str::to_owned));
        }
        let greeted = line.starts_with(GREETING);
        if greeted && self.dialect == Dialect::Irc {
            return self.taken_for_plain(ledger);
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
        if let Some(room) = room {
            let (asked, confirmed) = &mut self.joins[room];
            *confirmed += 1;
            // It may be told of rooms that it has asked to leave meanwhile, or not.
            if confirmed == asked && self.rooms.contains(&room) && !self.closing {
                ledger.joined(self.number, room);
            }
        }
        Ok(())
    }

    /// It begins in IRC or HTTP, and is greeted in plain text: right only if so much was said before its
    /// first line came that it could not be kept for it any longer.
    fn taken_for_plain(&mut self, ledger: &mut Ledger) -> Result<(), String> {
        if self.said_before.is_none_or(|before| ledger.count.0 < before + MANY) {
            let Client { number, dialect, .. } = self;
            let error =
                format!("client {number} begins in {dialect:?}, and is greeted in plain text");
            return Err(error);
        }
        self.may_end = true;
        self.errand = None;
        self.received.clear(); // the rest is for a client of plain text
        self.vanish(true, ledger);
        Ok(())
    }

    /// What has come of its errand: `None` if it has none.
    ///
    /// # Errors
    /// The answer is wrong.
    pub fn outcome(&self) -> Result<Option<Outcome>, String> {
        let Some(errand) = &self.errand else { return Ok(None) };
        match errand.answer(&self.received)? {
            Outcome::Late if !self.was_slow && self.age() < PATIENCE => {
                Err(format!("{} came in time", errand.summary()))
            }
            outcome => Ok(Some(outcome)),
        }
    }
}
