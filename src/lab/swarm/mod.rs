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
mod options;
mod progress;
mod report;

pub use options::{Echo, Options};

use super::connections::Connections;
use super::payload::Format;
use super::process::{self, Usage};
use super::target::{invalid, make_room, resolve};
use chatloop_reactor::{Signal, Signals};
use checker::{Checker, Member};
use indicatif::ProgressBar;
use progress::phase;
use report::Report;
use std::io;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The server is idle when it has sent nothing and used no CPU time for this long.
const QUIET: Duration = Duration::from_millis(250);
/// How long until a probe that some member has not received is repeated.
const PROBE_INTERVAL: Duration = Duration::from_millis(500);
/// No turn is longer, so that time-outs, signals and the progress bar are looked at.
const LONGEST_TURN: Duration = Duration::from_millis(100);

/// Runs the swarm. Ctrl-C ends it early, with a report of the results so far.
///
/// # Errors
/// What prevented a measurement; `InvalidInput` if other options would help. Errors of the server
/// are in the report.
pub fn run(options: &Options) -> io::Result<Report> {
    make_room(options.connections(), options.backend)?;
    if options.connections() == 0 {
        return Err(invalid("a swarm needs --clients, --idle or --slow"));
    }
    if options.one_order && options.listeners() == 0 {
        return Err(invalid(
            "--one-order needs a member that receives everything: fewer --senders than --clients, \
             or --idle 1",
        ));
    }
    let unknown = || io::Error::other(format!("no address for {}", options.host));
    let server = resolve(&options.host, options.port)?.next().ok_or_else(unknown)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let run = now.as_nanos() as u64 ^ u64::from(std::process::id()) << 32;
    let format = Format::new(run, options.size);
    let (total, welcome) = (options.connections(), options.welcome.as_deref());
    let leftover = format.longest_leftover();
    let mut connections = Connections::new(total, server, options.backend, leftover, welcome)?;
    connections.wrapping = options.wrapping().map_err(invalid)?;
    let mut swarm = Swarm {
        options,
        connections,
        checker: Checker::new(format, options),
        signals: Signals::new(&[Signal::Interrupt, Signal::Terminate])?,
        progress: progress::bar(),
        report: Report::default(),
    };
    if let Some(file) = &options.trace {
        swarm.connections.trace_to(file)?;
    }
    swarm.run()
}

struct Swarm<'a> {
    options: &'a Options,
    connections: Connections,
    checker: Checker,
    signals: Signals,
    progress: ProgressBar,
    /// What the phases have measured so far.
    report: Report,
}

impl Swarm<'_> {
    fn run(mut self) -> io::Result<Report> {
        let before = self.server_usage()?;
        self.connect()?;
        self.settle()?;
        self.report.server_rss_before = before.map(|usage| usage.resident);
        self.report.server_rss_after = self.server_usage()?.map(|usage| usage.resident);
        if self.options.talkers() > 0 {
            self.probe()?;
            self.set_slow_aside(true)?;
            self.exchange()?;
            self.catch_up()?;
            self.pause(QUIET, "listening for what comes late")?;
        }
        self.pause(self.options.hold, "holding the connections")?;
        self.balance();
        self.progress.finish_and_clear();
        self.connections.trace.finish();
        Ok(self.report.complete(self.options, &self.connections, &self.checker))
    }

    fn server_usage(&self) -> io::Result<Option<Usage>> {
        let usage = self.options.pid.map(process::usage).transpose();
        usage.map_err(|error| invalid(error.to_string()))
    }

    fn turn(&mut self, until: Instant) -> io::Result<()> {
        let until = until.min(Instant::now() + LONGEST_TURN);
        self.connections.turn(until, &mut self.checker)?;
        // A signal interrupts the wait, so its pipe need not be in the poller.
        self.report.interrupted |= !self.signals.drain().is_empty();
        Ok(())
    }

    fn connect(&mut self) -> io::Result<()> {
        let total = self.checker.members.len();
        let begin = Instant::now();
        let (mut moved, mut started, mut before) = (begin, 0, 0);
        let hello = self.options.hello.as_ref().map(|line| line.replace("\\n", "\n") + "\n");
        let hello = hello.unwrap_or_default();
        phase(&self.progress, "connecting", total as u64);
        while self.checker.connected < total && !self.report.interrupted {
            let mut until = moved + self.options.timeout;
            while started < total
                && started - self.checker.connected < self.options.connecting as usize
            {
                if let Some(rate) = self.options.connect_rate {
                    let due = begin + Duration::from_secs_f64(started as f64 / rate);
                    if due > Instant::now() {
                        until = until.min(due);
                        break;
                    }
                }
                let outcome = self.connections.connect(started, None);
                outcome.map_err(|error| self.not_connected(&error))?;
                self.connections.ask(started, &hello.replace("{}", &started.to_string()));
                started += 1;
            }
            self.turn(until)?;
            if let Some(error) = self.checker.refused.take() {
                return Err(self.not_connected(&error));
            }
            if self.options.welcome.is_some() {
                self.all_are_there()?; // or it would be waited for in vain
            }
            if self.checker.connected > before {
                (moved, before) = (Instant::now(), self.checker.connected);
                self.progress.set_position(before as u64);
            } else if moved.elapsed() >= self.options.timeout {
                let connections = &self.connections;
                let waits = |place| connections.is_open(place) && !connections.is_ready(place);
                if (0..total).any(waits) {
                    return Err(io::Error::other(format!(
                        "{} of {total} members did not receive the text of --welcome in time; does \
                         the server send it, and is --hello what it expects?",
                        total - before
                    )));
                }
                return Err(self.not_connected(&io::ErrorKind::TimedOut.into()));
            }
        }
        self.report.connect_seconds = begin.elapsed().as_secs_f64();
        Ok(())
    }

    fn not_connected(&self, reason: &io::Error) -> io::Error {
        let reason = match reason.kind() {
            io::ErrorKind::AddrNotAvailable => {
                "this machine has no more free ports for connections to that address; wait a \
                 minute for old ones, widen net.ipv4.ip_local_port_range, or use fewer clients"
            }
            io::ErrorKind::ConnectionRefused => "connection refused (is a server running there?)",
            io::ErrorKind::TimedOut => {
                "no answer in time (is its listen backlog full? see --connect-rate)"
            }
            _ => &reason.to_string(),
        };
        let (made, total) = (self.checker.connected, self.checker.members.len());
        let made = if made > 0 { format!(" ({made} of {total} were made)") } else { String::new() };
        let server = self.connections.server;
        io::Error::other(format!("cannot connect to {server}: {reason}{made}"))
    }

    /// Waits until the server has been idle for a while, with a timeout, because some servers send
    /// continuously.
    fn settle(&mut self) -> io::Result<()> {
        let give_up = Instant::now() + self.options.timeout;
        phase(&self.progress, "waiting for the server to settle", 0);
        loop {
            let (bytes, usage) = (self.connections.received, self.server_usage()?);
            let end = Instant::now() + QUIET;
            while Instant::now() < end && !self.report.interrupted {
                self.turn(end)?;
            }
            let cpu = |usage: Option<Usage>| usage.map(|usage| usage.total);
            let quiet =
                self.connections.received == bytes && cpu(self.server_usage()?) == cpu(usage);
            if quiet || self.report.interrupted || Instant::now() > give_up {
                break;
            }
        }
        self.all_are_there()
    }

    /// A connection lost before the exchange means that the wrong room would be measured.
    fn all_are_there(&self) -> io::Result<()> {
        let total = self.checker.members.len();
        match self.checker.lost + self.checker.slow_dropped {
            0 => Ok(()),
            lost => Err(io::Error::other(format!(
                "the server closed {lost} of {total} connections before the exchange; does it \
                 limit clients, or clients per address?"
            ))),
        }
    }

    fn probe(&mut self) -> io::Result<()> {
        let talkers = self.options.talkers() as usize;
        let total = self.checker.members.len();
        if let (1, Some(only)) = (talkers, self.checker.members.first_mut()) {
            only.present = true; // not observable for a single sender
        }
        phase(&self.progress, "asking who is in the room", total as u64);
        let give_up = Instant::now() + self.options.timeout;
        let mut next_probe = Instant::now();
        // Only the count of absent members can end this, and it only decreases when bytes arrive.
        let (mut absent, mut counted_at) = (total, u64::MAX);
        while !self.report.interrupted {
            if self.connections.received != counted_at {
                counted_at = self.connections.received;
                absent = self.checker.members.iter().filter(|it| !it.present).count();
                self.progress.set_position((total - absent) as u64);
            }
            self.all_are_there()?;
            if absent == 0 {
                return Ok(());
            }
            let now = Instant::now();
            if now > give_up {
                return Err(io::Error::other(format!(
                    "{absent} of {total} members received nothing from a sender; does the server \
                     relay lines to everyone else at once? If it expects a name or a password \
                     first, see --hello; if its listen backlog is short, try --connect-rate 500"
                )));
            }
            if now >= next_probe {
                for prober in 0..talkers.min(2) {
                    let (checker, prefix) = (&self.checker, &self.options.prefix);
                    let write = |line: &mut _| checker.probe(prober as u32, now, prefix, line);
                    self.connections.say(prober, write);
                }
                next_probe = now + PROBE_INTERVAL;
            }
            self.turn(next_probe)?;
        }
        Ok(())
    }

    fn exchange(&mut self) -> io::Result<()> {
        let messages = self.options.messages;
        phase(&self.progress, "messages", u64::from(messages));
        let lab = process::usage(std::process::id()).ok();
        let server = self.server_usage()?;
        let begin = Instant::now();
        self.checker.last_delivery = begin;
        let mut moved = begin;
        loop {
            let due = self.send_what_is_due(begin);
            let sent = self.checker.ledger.sent();
            let open = self.checker.ledger.open;
            self.progress.set_position(u64::from(sent - open));
            if (sent == messages && open == 0) || self.report.interrupted {
                break;
            }
            moved = if open == 0 { Instant::now() } else { moved.max(self.checker.last_delivery) };
            let stalled = open > 0 && moved.elapsed() > self.options.timeout;
            let talkers = &self.checker.members[..self.options.talkers() as usize];
            if stalled || talkers.iter().all(|member| member.gone) {
                self.report.stalled = stalled;
                break;
            }
            self.turn(due.unwrap_or(moved + self.options.timeout))?;
        }
        self.report.seconds = (self.checker.last_delivery - begin).as_secs_f64();
        // A server that died is in the report as lost connections.
        self.report.server_cpu = difference(server, self.server_usage().ok().flatten());
        self.report.lab_cpu = difference(lab, process::usage(std::process::id()).ok());
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
                None if self.checker.ledger.open >= self.options.window => return None,
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
        let sender = self.checker.ledger.next_sender() as usize;
        let micros = self.checker.micros(due);
        let (checker, prefix) = (&mut self.checker, &self.options.prefix);
        if checker.members[sender].gone {
            // It will never be sent, so no one waits for it.
            return checker.next(micros, 0, prefix, &mut Vec::new());
        }
        let receivers = checker.awaited - u32::from(self.options.echo != Echo::Expect);
        self.connections.say(sender, |line| checker.next(micros, receivers, prefix, line));
    }

    fn set_slow_aside(&mut self, aside: bool) -> io::Result<()> {
        let fast = (self.options.clients + self.options.idle) as usize;
        let mut slow = fast..self.checker.members.len();
        slow.try_for_each(|place| self.connections.set_aside(place, aside))
    }

    fn catch_up(&mut self) -> io::Result<()> {
        if self.options.slow == 0 {
            return Ok(());
        }
        self.set_slow_aside(false)?;
        phase(&self.progress, "slow readers catching up", u64::from(self.options.slow));
        let mut moved = Instant::now();
        while !self.report.interrupted && moved.elapsed() < self.options.timeout {
            let slow = self.checker.members.iter().filter(|member| member.slow);
            let ledger = &self.checker.ledger;
            let served = slow.filter(|member| ledger.has_heard_all(&member.account)).count();
            self.report.slow_served = served as u32;
            self.progress.set_position(served as u64);
            if served + self.checker.slow_dropped >= self.options.slow as usize {
                break;
            }
            let bytes = self.connections.received;
            self.turn(moved + self.options.timeout)?;
            if self.connections.received > bytes {
                moved = Instant::now();
            }
        }
        Ok(())
    }

    fn pause(&mut self, length: Duration, why: &str) -> io::Result<()> {
        let end = Instant::now() + length;
        phase(&self.progress, why, 0);
        while Instant::now() < end && !self.report.interrupted {
            self.turn(end)?;
        }
        Ok(())
    }

    /// Counts what never came. It is the server's error only if both connections stayed open.
    fn balance(&mut self) {
        let (mut owed, mut cut_off) = (0, 0);
        let Checker { members, ledger, .. } = &mut self.checker;
        members.iter_mut().for_each(|member| ledger.settle(&mut member.account));
        let all = ledger.close(|_| true);
        let of_present = ledger.close(|sender| !members[sender as usize].gone);
        for Member { account, slow, gone, .. } in members.iter() {
            let (any, present) = (all.owed(account), of_present.owed(account));
            match gone {
                true if *slow => {} // dropped for it, as announced
                true => cut_off += any,
                false => {
                    owed += present;
                    cut_off += any - present;
                }
            }
        }
        if self.report.interrupted {
            cut_off += owed;
        } else {
            ledger.faults.lost += owed;
        }
        self.report.cut_off = cut_off;
    }
}

fn difference(before: Option<Usage>, after: Option<Usage>) -> Option<Usage> {
    let (before, after) = (before?, after?);
    let user = after.user.zip(before.user).map(|(after, before)| after.saturating_sub(before));
    Some(Usage { user, total: after.total.saturating_sub(before.total), resident: after.resident })
}
