//! `chatloop-lab swarm`: fills a room, sends messages in it, and verifies what every member
//! received.
//!
//! A run is a sequence of phases, each a loop of turns until something is true:
//!
//! 1. **connect** all members, a few at a time; with `--welcome`, until the server has sent that
//!    text;
//! 2. **settle**: wait until the server is quiet, join notices and all (memory is measured here);
//! 3. **probe**: the system reports "connected" for a connection that is still in the server's
//!    listen backlog. So the first sender, and the second for the first, sends a line until every
//!    member has received one. This needs no knowledge of the protocol, and no member can be counted
//!    as having lost messages from before it was in the room;
//! 4. **exchange**: the measured part, from the first message to the last delivery;
//! 5. **catch up**: slow readers begin to read;
//! 6. **linger** for late duplicates; **hold** the connections if requested.
//!
//! Limits: all clients come from one address, so a server's limit per address must allow them. Send
//! times are read from the clock before the write, receive times after the read: a latency includes
//! the system calls of both ends and this process's queue of ready sockets.

mod checker;
mod crowd;
mod options;
mod progress;
mod report;
mod trouble;
pub(super) mod welcome;

pub use options::{Echo, Options};
pub use trouble::Trouble;

use super::payload::Format;
use super::process::{self, Usage};
use chatloop_reactor::descriptors;
use checker::Checker;
use crowd::Crowd;
use progress::Progress;
use report::{Report, Seen};
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The server is idle when it has sent nothing and used no CPU time for this long.
const QUIET: Duration = Duration::from_millis(250);
/// How long until a probe that some member has not received is repeated.
const PROBE_INTERVAL: Duration = Duration::from_millis(500);
/// No turn is longer, so that time-outs and the progress bar are looked at.
const LONGEST_TURN: Duration = Duration::from_millis(100);
/// Descriptors besides the members': standard streams, poller, signals, some spare.
const OTHER_DESCRIPTORS: usize = 16;

/// Runs the swarm. Ctrl-C ends it early, with a report of the results so far.
///
/// # Errors
/// What prevented a measurement. Errors of the server are in the report.
pub fn run(options: &Options) -> Result<Report, Trouble> {
    let limit = descriptors::raise_limit()?;
    let ceiling = options.backend.descriptor_ceiling().unwrap_or(usize::MAX);
    let limit = ceiling.min(limit as usize);
    if options.connections() + OTHER_DESCRIPTORS > limit {
        let (asked, backend) = (options.connections(), options.backend);
        return Err(Trouble::TooMany { asked, limit: limit - OTHER_DESCRIPTORS, backend });
    }
    if options.one_order && options.listeners() == 0 {
        return Err(Trouble::NoListener);
    }
    let address = resolve(options)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let run = now.as_nanos() as u64 ^ u64::from(std::process::id()) << 32;
    let format = Format::new(run, options.size);
    let crowd = Crowd::new(options, address, format.longest_leftover())?;
    let checker = Checker::new(format, options);
    let progress = Progress::new();
    Swarm { options, crowd, checker, progress, seen: Seen::default() }.run()
}

fn resolve(options: &Options) -> Result<SocketAddr, Trouble> {
    let (host, port) = options.host.with_port(options.port).map_err(Trouble::TwoPorts)?;
    let unknown = |reason| Trouble::UnknownHost { host: host.clone(), reason };
    let mut addresses = (host.as_str(), port).to_socket_addrs().map_err(unknown)?;
    addresses.next().ok_or_else(|| unknown(std::io::ErrorKind::NotFound.into()))
}

struct Swarm<'a> {
    options: &'a Options,
    crowd: Crowd,
    checker: Checker,
    progress: Progress,
    seen: Seen,
}

impl Swarm<'_> {
    fn run(mut self) -> Result<Report, Trouble> {
        let before = self.server_usage()?;
        self.connect()?;
        self.settle()?;
        if let (Some(before), Some(after)) = (before, self.server_usage()?) {
            self.seen.memory = Some((before.resident, after.resident));
        }
        if self.options.talkers() > 0 {
            self.probe()?;
            self.crowd.set_slow_aside(true)?;
            self.exchange()?;
            self.catch_up()?;
            self.pause(QUIET, "listening for what comes late")?;
        }
        self.pause(self.options.hold, "holding the connections")?;
        self.balance();
        self.progress.finish();
        Ok(Report::new(self.options, &self.crowd, &self.checker, &self.seen))
    }

    fn server_usage(&self) -> Result<Option<Usage>, Trouble> {
        Ok(self.options.pid.map(process::usage).transpose()?)
    }

    fn turn(&mut self, until: Instant) -> Result<(), Trouble> {
        let until = until.min(Instant::now() + LONGEST_TURN);
        Ok(self.crowd.turn(&mut self.checker, until)?)
    }

    fn connect(&mut self) -> Result<(), Trouble> {
        let total = self.crowd.members.len();
        let begin = Instant::now();
        let (mut moved, mut before) = (begin, 0);
        self.progress.phase("connecting", total as u64);
        let refused = |made, reason, address| Trouble::Connect { made, total, address, reason };
        while self.crowd.connected < total && !self.crowd.interrupted {
            let (address, mut until) = (self.crowd.address, moved + self.options.timeout);
            while self.crowd.started < total
                && self.crowd.started - self.crowd.connected < self.options.connecting as usize
            {
                if let Some(rate) = self.options.connect_rate {
                    let due = begin + Duration::from_secs_f64(self.crowd.started as f64 / rate);
                    if due > Instant::now() {
                        until = until.min(due);
                        break;
                    }
                }
                let made = self.crowd.connected;
                self.crowd.connect_next().map_err(|error| refused(made, error, address))?;
            }
            self.turn(until)?;
            if let Some(error) = self.crowd.refused.take() {
                return Err(refused(self.crowd.connected, error, address));
            }
            if self.options.welcome.is_some() {
                self.all_are_there()?; // or it would be waited for in vain
            }
            if self.crowd.connected > before {
                (moved, before) = (Instant::now(), self.crowd.connected);
                self.progress.at(before as u64);
            } else if moved.elapsed() >= self.options.timeout {
                if self.crowd.unwelcome > 0 {
                    return Err(Trouble::NotWelcome { absent: total - before, total });
                }
                let reason = std::io::ErrorKind::TimedOut.into();
                return Err(refused(self.crowd.connected, reason, address));
            }
        }
        self.seen.connect_time = begin.elapsed();
        Ok(())
    }

    /// Waits until the server has been idle for a while, with a timeout, because some servers send
    /// continuously.
    fn settle(&mut self) -> Result<(), Trouble> {
        let give_up = Instant::now() + self.options.timeout;
        self.progress.phase("waiting for the server to settle", 0);
        loop {
            let (bytes, usage) = (self.crowd.bytes, self.server_usage()?);
            let end = Instant::now() + QUIET;
            while Instant::now() < end && !self.crowd.interrupted {
                self.turn(end)?;
            }
            let cpu = |usage: Option<Usage>| usage.map(|usage| usage.total);
            let quiet = self.crowd.bytes == bytes && cpu(self.server_usage()?) == cpu(usage);
            if quiet || self.crowd.interrupted || Instant::now() > give_up {
                break;
            }
        }
        self.all_are_there()
    }

    /// A connection lost before the exchange means that the wrong room would be measured.
    fn all_are_there(&self) -> Result<(), Trouble> {
        match self.crowd.lost + self.crowd.slow_dropped {
            0 => Ok(()),
            lost => Err(Trouble::ClosedEarly { lost, total: self.crowd.members.len() }),
        }
    }

    fn probe(&mut self) -> Result<(), Trouble> {
        let talkers = self.options.talkers() as usize;
        let total = self.crowd.members.len();
        if let (1, Some(only)) = (talkers, self.crowd.members.first_mut()) {
            only.listener.present = true; // not observable for a single sender
        }
        self.progress.phase("asking who is in the room", total as u64);
        let give_up = Instant::now() + self.options.timeout;
        let mut next_probe = Instant::now();
        // Only the count of absent members can end this, and it only decreases when bytes arrive.
        let (mut absent, mut counted_at) = (total, u64::MAX);
        while !self.crowd.interrupted {
            if self.crowd.bytes != counted_at {
                counted_at = self.crowd.bytes;
                absent = self.crowd.members.iter().filter(|it| !it.listener.present).count();
                self.progress.at((total - absent) as u64);
            }
            self.all_are_there()?;
            if absent == 0 {
                return Ok(());
            }
            let now = Instant::now();
            if now > give_up {
                return Err(Trouble::NotInRoom { absent, total });
            }
            if now >= next_probe {
                for prober in 0..talkers.min(2) {
                    let (checker, prefix) = (&self.checker, &self.options.prefix);
                    self.crowd.say(prober, |line| checker.probe(prober as u32, now, prefix, line));
                }
                next_probe = now + PROBE_INTERVAL;
            }
            self.turn(next_probe)?;
        }
        Ok(())
    }

    fn exchange(&mut self) -> Result<(), Trouble> {
        let messages = self.options.messages;
        self.progress.phase("messages", u64::from(messages));
        let lab = process::usage(std::process::id()).ok();
        let server = self.server_usage()?;
        let begin = Instant::now();
        self.checker.last_delivery = begin;
        let mut moved = begin;
        loop {
            let due = self.send_what_is_due(begin);
            let sent = self.checker.ledger.sent();
            let open = self.checker.ledger.open();
            self.progress.at(u64::from(sent - open));
            if (sent == messages && open == 0) || self.crowd.interrupted {
                break;
            }
            moved = if open == 0 { Instant::now() } else { moved.max(self.checker.last_delivery) };
            let stalled = open > 0 && moved.elapsed() > self.options.timeout;
            if stalled || (0..self.options.talkers()).all(|talker| self.has_gone(talker)) {
                self.seen.stalled = stalled;
                break;
            }
            self.turn(due.unwrap_or(moved + self.options.timeout))?;
        }
        self.seen.exchange_time = self.checker.last_delivery - begin;
        // A server that died is in the report as lost connections.
        self.seen.server_cpu = difference(server, self.server_usage().ok().flatten());
        self.seen.lab_cpu = difference(lab, process::usage(std::process::id()).ok());
        Ok(())
    }

    /// Queues what the window or the rate allows; returns when the next message is due, if time
    /// decides that.
    fn send_what_is_due(&mut self, begin: Instant) -> Option<Instant> {
        let now = Instant::now();
        while self.checker.ledger.sent() < self.options.messages {
            let sent = self.checker.ledger.sent();
            let due = match self.options.rate {
                Some(rate) => begin + Duration::from_secs_f64(f64::from(sent) / rate),
                None if self.checker.ledger.open() >= self.options.window => return None,
                None => now,
            };
            if due > now {
                return Some(due);
            }
            self.send(due);
        }
        None
    }

    fn send(&mut self, due: Instant) {
        let sender = self.checker.ledger.next_sender();
        let hears_itself = self.options.echo == Echo::Expect;
        let receivers = match self.has_gone(sender) {
            true => 0, // it will never be sent, so nobody waits for it
            false => self.crowd.awaited - u32::from(!hears_itself),
        };
        let micros = self.checker.micros(due);
        let (checker, prefix) = (&mut self.checker, &self.options.prefix);
        if self.crowd.members[sender as usize].is_gone() {
            checker.next(micros, receivers, prefix, &mut Vec::new());
        } else {
            self.crowd.say(sender as usize, |line| checker.next(micros, receivers, prefix, line));
        }
    }

    fn has_gone(&self, sender: u32) -> bool {
        self.crowd.members[sender as usize].is_gone()
    }

    fn catch_up(&mut self) -> Result<(), Trouble> {
        if self.options.slow == 0 {
            return Ok(());
        }
        self.crowd.set_slow_aside(false)?;
        self.progress.phase("slow readers catching up", u64::from(self.options.slow));
        let mut moved = Instant::now();
        while !self.crowd.interrupted && moved.elapsed() < self.options.timeout {
            let slow = self.crowd.members.iter().filter(|member| member.listener.slow);
            let ledger = &self.checker.ledger;
            let served =
                slow.filter(|member| ledger.has_heard_all(&member.listener.account)).count();
            self.seen.slow_served = served as u32;
            self.progress.at(served as u64);
            let gone = self.crowd.slow_dropped;
            if served + gone >= self.options.slow as usize {
                break;
            }
            let bytes = self.crowd.bytes;
            self.turn(moved + self.options.timeout)?;
            if self.crowd.bytes > bytes {
                moved = Instant::now();
            }
        }
        Ok(())
    }

    fn pause(&mut self, length: Duration, why: &str) -> Result<(), Trouble> {
        let end = Instant::now() + length;
        self.progress.phase(why, 0);
        while Instant::now() < end && !self.crowd.interrupted {
            self.turn(end)?;
        }
        Ok(())
    }

    /// Counts what never came. It is the server's error only if both connections stayed open.
    fn balance(&mut self) {
        let (mut owed, mut cut_off) = (0, 0);
        for member in &mut self.crowd.members {
            self.checker.ledger.settle(&mut member.listener.account);
        }
        let members = &self.crowd.members;
        let all = self.checker.ledger.close(|_| true);
        let of_present = self.checker.ledger.close(|sender| !members[sender as usize].is_gone());
        for member in members {
            let account = &member.listener.account;
            let (any, present) = (all.owed(account), of_present.owed(account));
            match member.is_gone() {
                true if member.listener.slow => {} // dropped for it, as announced
                true => cut_off += any,
                false => {
                    owed += present;
                    cut_off += any - present;
                }
            }
        }
        if self.crowd.interrupted {
            cut_off += owed;
        } else {
            self.checker.ledger.lose(owed);
        }
        self.seen.cut_off = cut_off;
    }
}

fn difference(before: Option<Usage>, after: Option<Usage>) -> Option<Usage> {
    let (before, after) = (before?, after?);
    let user = after.user.zip(before.user).map(|(after, before)| after.saturating_sub(before));
    Some(Usage { user, total: after.total.saturating_sub(before.total), resident: after.resident })
}
