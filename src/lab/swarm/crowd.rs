//! Thousands of clients in one loop: connecting, reading, writing, losing.
//!
//! A member costs one descriptor and a hundred-odd bytes; the 19,000th is served as the first.
//! All share one buffer for reading. A member owns bytes only while half a message has arrived,
//! or while its own is not yet taken by the system.
//!
//! Invariants: exactly the members that are [`Link::Open`] and not set aside are in the poller; a
//! descriptor leaves the poller before it is closed.

use super::checker::{Checker, Listener};
use super::options::{Echo, Options};
use super::welcome::{Waiting, Welcome};
use crate::lab::ledger::Account;
use chatloop_reactor::{
    Backend, Connector, Interest, Poller, Readiness, Received, Registration, Signal, Signals,
    Token, Transport,
};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// One read takes at most so much, so that every member has its turn.
const READ: usize = 256 * 1_024;
const SIGNALS: Token = Token::fixed(0);

/// A member's connection.
enum Link {
    NotYet,
    Connecting(Connector),
    Open(Transport),
    Gone,
}

/// One simulated user in the room.
pub struct Member {
    link: Link,
    pub listener: Listener,
    /// The start of a message whose rest has not arrived: shorter than
    /// [`crate::lab::payload::Format::longest_leftover`].
    leftover: Vec<u8>,
    /// Connected, and not yet welcome (`--welcome`).
    waiting: Option<Waiting>,
    /// What it has sent and the system has not accepted yet: at most the messages in flight.
    unsent: Vec<u8>,
    registration: Registration,
    /// Out of the poller: a slow reader that is not reading.
    aside: bool,
}

impl Member {
    fn new(number: u32, account: Account, slow: bool) -> Member {
        Member {
            link: Link::NotYet,
            listener: Listener { account, slow, present: false },
            leftover: Vec::new(),
            waiting: None,
            unsent: Vec::new(),
            registration: Registration::new(Token::from_bits(number.into())),
            aside: false,
        }
    }

    pub fn is_gone(&self) -> bool {
        matches!(self.link, Link::Gone)
    }
}

/// All members: the senders first, in the order of their numbers, then the other clients, the
/// idle and the slow ones.
pub struct Crowd {
    poller: Poller,
    signals: Signals,
    events: Vec<Readiness>,
    scratch: Vec<u8>,
    pub members: Vec<Member>,
    /// Members with something to write at the end of the turn.
    talking: Vec<usize>,
    hello: Option<String>,
    welcome: Welcome,
    pub address: SocketAddr,
    pub started: usize,
    /// Connected, and welcome if that is waited for.
    pub connected: usize,
    /// Connected, and not welcome yet.
    pub unwelcome: usize,
    /// Connections that were open and have been lost: of slow readers, and of all others.
    pub slow_dropped: usize,
    pub lost: usize,
    /// The receivers that a message waits for.
    pub awaited: u32,
    pub bytes: u64,
    pub last_read: Instant,
    pub interrupted: bool,
    pub refused: Option<io::Error>,
}

impl Crowd {
    pub fn new(options: &Options, address: SocketAddr, leftover: usize) -> io::Result<Crowd> {
        let signals = Signals::new(&[Signal::Interrupt, Signal::Terminate])?;
        let mut poller = Poller::new(options.backend)?;
        poller.add(&signals, SIGNALS, Interest::READ)?;
        let fast = options.clients + options.idle;
        let members = (0..options.connections() as u32).map(|number| {
            let sends = number < options.talkers();
            let hears_itself = options.echo == Echo::Expect;
            match number {
                _ if sends && !hears_itself => {
                    Member::new(number, Account::new().without_own(number), false)
                }
                _ if number < fast => Member::new(number, Account::new(), false),
                _ => Member::new(number, Account::new().not_awaited(), true),
            }
        });
        Ok(Crowd {
            poller,
            signals,
            events: Vec::new(),
            scratch: vec![0; READ + leftover],
            members: members.collect(),
            talking: Vec::new(),
            hello: options.hello.as_ref().map(|line| line.replace("\\n", "\n")),
            welcome: Welcome::new(options.welcome.as_deref()),
            address,
            started: 0,
            connected: 0,
            unwelcome: 0,
            slow_dropped: 0,
            lost: 0,
            awaited: fast,
            bytes: 0,
            last_read: Instant::now(),
            interrupted: false,
            refused: None,
        })
    }

    pub fn backend(&self) -> Backend {
        self.poller.backend()
    }

    /// Begins the next member's connection.
    pub fn connect_next(&mut self) -> io::Result<()> {
        let index = self.started;
        let connector = Connector::start(self.address)?;
        let member = &mut self.members[index];
        member.registration.set(&mut self.poller, &connector, Interest::WRITE)?;
        member.link = Link::Connecting(connector);
        self.started += 1;
        Ok(())
    }

    /// Queues what `write` appends for the end of the turn, unless the member is gone.
    pub fn say(&mut self, index: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let member = &mut self.members[index];
        if let Link::Open(_) = member.link {
            if member.unsent.is_empty() {
                self.talking.push(index);
            }
            write(&mut member.unsent);
        }
    }

    /// One turn: writes what is queued, waits at most until `until`, then reads.
    pub fn turn(&mut self, checker: &mut Checker, until: Instant) -> io::Result<()> {
        for index in std::mem::take(&mut self.talking) {
            self.write(index, checker)?;
        }
        // The poller counts in milliseconds and rounds up. What is due sooner is waited for
        // awake, or `--rate` would send in clumps and blame the server for the delay.
        let left = until.saturating_duration_since(Instant::now());
        let timeout = if left < Duration::from_millis(1) { Duration::ZERO } else { left };
        let mut events = std::mem::take(&mut self.events);
        let outcome = self.poller.wait(&mut events, Some(timeout));
        for event in &events {
            if event.token == SIGNALS {
                self.interrupted |= !self.signals.drain().is_empty();
            } else {
                self.attend(event, checker)?;
            }
        }
        self.events = events;
        outcome
    }

    fn attend(&mut self, event: &Readiness, checker: &mut Checker) -> io::Result<()> {
        let index = event.token.slot();
        if let Link::Connecting(_) = self.members[index].link {
            return self.finish_connecting(index, checker);
        }
        if event.writable && !self.members[index].unsent.is_empty() {
            self.write(index, checker)?;
        }
        if event.readable { self.read(index, checker) } else { Ok(()) }
    }

    fn finish_connecting(&mut self, index: usize, checker: &mut Checker) -> io::Result<()> {
        let member = &mut self.members[index];
        let Link::Connecting(connector) = std::mem::replace(&mut member.link, Link::Gone) else {
            return Ok(());
        };
        member.registration.clear(&mut self.poller, &connector)?;
        match connector.finish() {
            Ok(Ok(transport)) => {
                member.registration.set(&mut self.poller, &transport, Interest::READ)?;
                member.link = Link::Open(transport);
                member.waiting = self.welcome.waiting();
                match member.waiting {
                    Some(_) => self.unwelcome += 1,
                    None => self.connected += 1,
                }
            }
            Err(connector) => {
                member.registration.set(&mut self.poller, &connector, Interest::WRITE)?;
                member.link = Link::Connecting(connector);
                return Ok(());
            }
            Ok(Err(error)) => {
                self.refused.get_or_insert(error);
                return Ok(());
            }
        }
        if let Some(hello) = &self.hello {
            let line = format!("{}\n", hello.replace("{}", &index.to_string()));
            self.members[index].unsent = line.into_bytes();
            self.write(index, checker)?;
        }
        Ok(())
    }

    /// One bounded read; the poller reports the socket again if there is more.
    fn read(&mut self, index: usize, checker: &mut Checker) -> io::Result<()> {
        let member = &mut self.members[index];
        let Link::Open(transport) = &mut member.link else { return Ok(()) };
        let kept = member.leftover.len();
        self.scratch[..kept].copy_from_slice(&member.leftover);
        match transport.read(&mut self.scratch[kept..kept + READ]) {
            Received::Bytes(count) => {
                let now = Instant::now();
                self.last_read = now;
                self.bytes += count as u64;
                let bytes = &self.scratch[..kept + count];
                if let Some(waiting) = &mut member.waiting
                    && self.welcome.heard(waiting, &bytes[kept..])
                {
                    member.waiting = None;
                    self.unwelcome -= 1;
                    self.connected += 1;
                }
                let done = checker.receive(&mut member.listener, bytes, now);
                member.leftover.clear();
                if done < bytes.len() {
                    member.leftover.extend_from_slice(&bytes[done..]);
                } else if kept > 0 {
                    member.leftover = Vec::new(); // rare, and memory for 19,000 is not
                }
                Ok(())
            }
            Received::WouldBlock => Ok(()),
            Received::Ended | Received::Failed(_) => self.lose(index, checker),
        }
    }

    /// Writes as much of a member's queue as the system accepts.
    fn write(&mut self, index: usize, checker: &mut Checker) -> io::Result<()> {
        let member = &mut self.members[index];
        let Link::Open(transport) = &mut member.link else { return Ok(()) };
        while !member.unsent.is_empty() {
            match transport.write(&member.unsent) {
                Ok(count) => drop(member.unsent.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return self.lose(index, checker),
            }
        }
        if member.aside {
            return Ok(());
        }
        let wanted = Interest { readable: true, writable: !member.unsent.is_empty() };
        member.registration.set(&mut self.poller, transport, wanted)
    }

    /// The server has closed this connection, or it broke.
    fn lose(&mut self, index: usize, checker: &mut Checker) -> io::Result<()> {
        let member = &mut self.members[index];
        if let Link::Open(transport) = std::mem::replace(&mut member.link, Link::Gone) {
            member.registration.clear(&mut self.poller, &transport)?;
        }
        // Half a message at the end of a lost connection is truncated, not corrupted.
        member.leftover = Vec::new();
        member.unsent = Vec::new();
        if member.listener.slow {
            self.slow_dropped += 1;
        } else {
            self.lost += 1;
            self.awaited -= 1;
            checker.ledger.stop_waiting_for(&mut member.listener.account);
        }
        Ok(())
    }

    /// The slow members stop reading (`true`) or resume.
    pub fn set_slow_aside(&mut self, aside: bool) -> io::Result<()> {
        for member in &mut self.members {
            let Link::Open(transport) = &member.link else { continue };
            if !member.listener.slow || member.aside == aside {
                continue;
            }
            member.aside = aside;
            // Out of the poller and not just without interest: a hangup would be reported at
            // every wait.
            if aside {
                member.registration.clear(&mut self.poller, transport)?;
            } else {
                member.registration.set(&mut self.poller, transport, Interest::READ)?;
            }
        }
        Ok(())
    }
}
