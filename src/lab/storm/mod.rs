//! `chatloop-lab storm`: attacks a server with every command and asks two honest users.
//!
//! For each row of `scenarios`:
//!
//! 1. the honest **pair** connects, and the crowd is completed if somebody was disconnected;
//! 2. the **attackers** connect, all from one address, and prepare; then the crowd prepares;
//! 3. **calm**: the pair exchanges messages;
//! 4. **storm**: it goes on, and each attacker sends its lines as fast as the server takes them;
//! 5. **afterwards** the attackers are gone, and messages that have not arrived get some more time
//!    before they count as lost.
//!
//! All of it is one loop in one thread, on a core that the server does not have. What this program
//! adds to a latency is in the report (`lab_gap_ms`).
//!
//! Limits: one origin of attackers. The crowd and the state that an attack leaves behind (rooms of
//! the crowd, accounts, the journal) stay for the next rows, as they would on a real server.

mod attack;
mod identity;
mod options;
mod pair;
mod peers;
mod report;
mod scenarios;
mod template;

pub use options::Options;
pub use report::{Row, Style};

use super::payload::{self, Format};
use attack::Attack;
use chatloop_reactor::descriptors;
use identity::{crowd_caps, crowd_dialect, crowd_nick, introduction, join, nth_address, question};
use pair::{Ledger, Summary};
use peers::{PAIR, Peers};
use report::Counts;
use scenarios::{BIG, Dialect, OWNER_PASSWORD, Prepared, Scenario};
use std::collections::VecDeque;
use std::io;
use std::net::ToSocketAddrs;
use std::ops::Range;
use std::time::{Duration, Instant};
use template::Values;

/// Time between two messages of the honest pair: each of the two sends 50 a second, half of what
/// the flood limit allows.
const MESSAGE_INTERVAL: Duration = Duration::from_millis(10);
/// While lines that the system has not taken are waited for, they are offered again so often.
const RETRY: Duration = Duration::from_millis(20);
/// Connections that are made at the same time.
const CONNECTING: usize = 64;
/// A connection that was rejected is tried again after so long.
const REJECTION_PAUSE: Duration = Duration::from_millis(200);
/// The server is calm when it is asked so many times in a row, at such intervals,
const CALM_LOOKS: u32 = 2;
const LOOK: Duration = Duration::from_millis(80);
/// and answers within this time, and sends everyone together less than so many bytes.
const PROMPT: Duration = Duration::from_millis(20);
const QUIET: u64 = 4_096;
/// Calm periods count for so long.
const CALM_MEMORY: Duration = Duration::from_secs(60);
/// Descriptors beside the connections'.
const OTHER_DESCRIPTORS: usize = 16;
/// Crowd members who share an address: fewer than --max-per-address.
const CROWD_PER_ADDRESS: usize = 200;

/// The names of all attacks.
pub fn names() -> impl Iterator<Item = &'static str> {
    scenarios::all().map(|scenario| scenario.name)
}

/// Measures the rows that `options` ask for and gives each to `done` as it is finished.
///
/// # Errors
/// `InvalidInput` if other options would help; otherwise the server did not let its users in, or
/// was still busy long after the last row that `done` was given.
pub fn run(options: &Options, mut done: impl FnMut(&Row)) -> io::Result<()> {
    let chosen = choose(&options.only)?;
    let (host, port) = options.host.with_port(options.port).map_err(invalid)?;
    let server = (host.as_str(), port).to_socket_addrs()?.find(|it| it.ip().is_loopback());
    let Some(server) = server else {
        return Err(invalid(format!("{host} is not on loopback; attack a server here")));
    };
    let places = PAIR + options.crowd + options.attackers;
    let limit = descriptors::raise_limit()?;
    if places + OTHER_DESCRIPTORS > limit {
        let text = format!("{places} connections need more descriptors than the limit of {limit}");
        return Err(invalid(format!("{text} (see `ulimit -Hn`)")));
    }
    let format = Format::new(u64::from(std::process::id()), payload::SHORTEST);
    let peers = Peers::new(places, server, options.backend, format)?;
    let mut storm = Storm { options, peers, ledger: Ledger::default(), calm: VecDeque::new() };
    for (number, (scenario, prepared)) in chosen.iter().enumerate().skip(options.skip) {
        let row = storm.measure(number, scenario, prepared)?;
        done(&row);
        if row.verdict == "stuck" {
            let waited = options.timeout.as_secs_f64();
            return Err(io::Error::other(format!(
                "the server was still busy {waited} s after {}; restart it and go on with \
                 --skip {}",
                scenario.name,
                number + 1
            )));
        }
    }
    Ok(())
}

fn choose(only: &[String]) -> io::Result<Vec<(&'static Scenario, Prepared)>> {
    if let Some(unknown) = only.iter().find(|name| names().all(|known| known != *name)) {
        return Err(invalid(format!("no attack is called {unknown}; --list names them all")));
    }
    let wanted =
        |scenario: &&Scenario| only.is_empty() || only.iter().any(|name| name == scenario.name);
    let prepare = |scenario: &'static Scenario| {
        Ok((
            scenario,
            scenario.prepare().map_err(|wrong| invalid(format!("{}: {wrong}", scenario.name)))?,
        ))
    };
    scenarios::all().filter(wanted).map(prepare).collect()
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

struct Storm<'a> {
    options: &'a Options,
    peers: Peers,
    /// Of the row that is being measured.
    ledger: Ledger,
    /// The calm periods of the last minute.
    calm: VecDeque<(Instant, Summary)>,
}

impl Storm<'_> {
    fn crowd(&self) -> Range<usize> {
        PAIR..PAIR + self.options.crowd
    }

    fn attackers(&self) -> Range<usize> {
        let first = PAIR + self.options.crowd;
        first..first + self.options.attackers
    }

    fn measure(
        &mut self,
        number: usize,
        scenario: &Scenario,
        prepared: &Prepared,
    ) -> io::Result<Row> {
        self.ledger = Ledger::default();
        self.connect_crowd()?;
        self.connect_pair(number)?;
        let first = self.attackers().start;
        let mut attack = Attack::new(self.options, scenario, prepared, first);
        let ready = self.connect_attackers(scenario, &attack)?;
        self.prepare_crowd(scenario, prepared)?;
        self.settle()?;

        self.exchange(self.options.calm, None)?;
        let calm_messages = self.ledger.sent();
        if self.options.deaf {
            self.attackers().try_for_each(|place| self.peers.deafen(place))?;
        }
        let received = self.peers.received;
        self.peers.longest_gap = Duration::ZERO;
        self.exchange(self.options.seconds, Some(&mut attack))?;
        let mut counts = Counts {
            attackers: ready,
            reconnects: attack.reconnects,
            lines: attack.lines,
            received: self.peers.received - received,
            crowd_lost: self.crowd().filter(|place| self.peers.is_closed(*place)).count(),
            ..Counts::default()
        };
        self.attackers().try_for_each(|place| self.peers.abort(place))?;
        counts.stuck = !self.recovers()?;
        counts.lab_gap = self.peers.longest_gap;
        let calm = self.remember(self.ledger.summary(0..calm_messages));
        let storm = self.ledger.summary(calm_messages..self.ledger.sent());
        (0..PAIR).try_for_each(|place| self.peers.abort(place))?;
        Ok(Row::new(scenario.name, &calm, &storm, counts))
    }

    /// Gives late messages the time to arrive, and tells whether the server is calm again in time.
    fn recovers(&mut self) -> io::Result<bool> {
        let end = Instant::now() + self.options.timeout;
        while self.ledger.is_waiting() && Instant::now() < end {
            (0..PAIR).try_for_each(|place| self.peers.flush(place))?;
            self.turn(end.min(Instant::now() + RETRY))?;
        }
        self.settle()
    }

    /// Adds a calm period to those of the last minute, and returns their sum.
    fn remember(&mut self, summary: Summary) -> Summary {
        let now = Instant::now();
        self.calm.push_back((now, summary));
        self.calm.retain(|(time, _)| now.duration_since(*time) < CALM_MEMORY);
        let mut sum = Summary::default();
        for (_, summary) in &self.calm {
            sum.latencies.extend(&summary.latencies);
            sum.lost += summary.lost;
            sum.duplicated += summary.duplicated;
        }
        sum.latencies.sort_unstable();
        sum
    }

    fn connect_pair(&mut self, row: usize) -> io::Result<()> {
        for place in 0..PAIR {
            let dialect = [Dialect::Irc, Dialect::Plain][place];
            let mut hello = introduction(dialect, &format!("honest{row}-{place}"), 0);
            hello.extend_from_slice(join(dialect, "#calm").as_bytes());
            self.peers.connect(place, self.options.honest_address, hello)?;
            self.peers.await_ready(place, &question(dialect));
        }
        self.await_all(0..PAIR, "the honest pair")
    }

    /// Connects those of the crowd who are not there.
    fn connect_crowd(&mut self) -> io::Result<()> {
        let crowd = self.crowd();
        let first = crowd.start;
        let addresses = self.options.crowd_address;
        self.connect_all(crowd.clone(), |peers, place| {
            let number = place - first;
            let dialect = crowd_dialect(number);
            let mut hello = introduction(dialect, &crowd_nick(number), crowd_caps(number));
            hello.extend_from_slice(join(dialect, BIG).as_bytes());
            if number == 0 {
                hello.extend_from_slice(format!("REGISTER * * {OWNER_PASSWORD}\n").as_bytes());
            }
            let source = nth_address(addresses, number / CROWD_PER_ADDRESS);
            peers.connect(place, source, hello)?;
            peers.await_ready(place, &question(dialect));
            Ok(())
        })?;
        self.await_all(crowd, "the crowd")
    }

    /// Connects the attackers and lets them prepare; returns how many have.
    fn connect_attackers(&mut self, scenario: &Scenario, attack: &Attack<'_>) -> io::Result<usize> {
        let places = self.attackers();
        let source = self.options.attacker_address;
        self.connect_all(places.clone(), |peers, place| {
            peers.connect(place, source, attack.hello(place))?;
            if scenario.registers {
                peers.await_ready(place, &question(scenario.dialect));
            }
            Ok(())
        })?;
        Ok(places.filter(|place| self.peers.is_ready(*place)).count())
    }

    /// Connects all places that are closed, some at a time, and waits until each is ready or
    /// closed again.
    fn connect_all(
        &mut self,
        places: Range<usize>,
        mut connect: impl FnMut(&mut Peers, usize) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut missing: VecDeque<usize> =
            places.filter(|place| self.peers.is_closed(*place)).collect();
        let (mut pending, mut rejected) = (Vec::new(), Vec::new());
        let mut end = Instant::now() + self.options.timeout;
        let mut next_retry = Instant::now();
        while missing.len() + pending.len() + rejected.len() > 0 && Instant::now() < end {
            if Instant::now() >= next_retry {
                missing.extend(rejected.drain(..));
                next_retry = Instant::now() + REJECTION_PAUSE;
            }
            while pending.len() < CONNECTING
                && let Some(place) = missing.pop_front()
            {
                connect(&mut self.peers, place)?;
                pending.push(place);
            }
            self.turn(Instant::now() + RETRY)?;
            for place in std::mem::take(&mut pending) {
                self.peers.flush(place)?;
                if self.peers.is_ready(place) {
                    end = Instant::now() + self.options.timeout;
                } else if self.peers.is_closed(place) {
                    rejected.push(place); // the server may not have noticed yet that others left
                } else {
                    pending.push(place);
                }
            }
        }
        Ok(())
    }

    fn prepare_crowd(&mut self, scenario: &Scenario, prepared: &Prepared) -> io::Result<()> {
        let first = self.crowd().start;
        let speaks = |place: &usize| crowd_dialect(place - first) == scenario.dialect;
        let places: Vec<usize> = self.crowd().filter(speaks).take(scenario.crowd).collect();
        for place in &places {
            let (number, me) = (place - first, crowd_nick(place - first));
            let values = Values { number, round: 0, me: &me, crowd: &me };
            self.peers.say(*place, |out| prepared.crowd_setup.write(values, out));
            self.peers.await_ready(*place, &question(scenario.dialect));
        }
        let end = Instant::now() + self.options.timeout;
        while !places.iter().all(|place| self.peers.is_ready(*place)) && Instant::now() < end {
            for place in &places {
                self.peers.flush(*place)?;
            }
            self.turn(Instant::now() + RETRY)?;
        }
        Ok(())
    }

    fn await_all(&mut self, places: Range<usize>, who: &str) -> io::Result<()> {
        let end = Instant::now() + self.options.timeout;
        loop {
            let absent = places.clone().filter(|place| !self.peers.is_ready(*place)).count();
            if absent == 0 {
                return Ok(());
            }
            let gone = places.clone().any(|place| self.peers.is_closed(place));
            if gone || Instant::now() > end {
                return Err(io::Error::other(format!(
                    "{absent} of {} connections of {who} were not let in; does the server run with \
                     --max-per-address 256 and a --max-clients above {}?",
                    places.len(),
                    PAIR + self.options.crowd + self.options.attackers
                )));
            }
            self.turn(Instant::now() + RETRY)?;
        }
    }

    /// Waits until the server has nothing to do but to answer at once; false if that takes longer
    /// than the timeout.
    fn settle(&mut self) -> io::Result<bool> {
        let end = Instant::now() + self.options.timeout;
        let mut calm_looks = 0;
        while calm_looks < CALM_LOOKS {
            let (asked, received) = (Instant::now(), self.peers.received);
            if asked > end || self.peers.is_closed(0) {
                return Ok(false);
            }
            self.peers.await_ready(0, &question(Dialect::Irc));
            self.peers.flush(0)?;
            while !self.peers.is_ready(0) && Instant::now() < end {
                self.turn(end.min(Instant::now() + RETRY))?;
            }
            let prompt = asked.elapsed() < PROMPT;
            while Instant::now() < asked + LOOK {
                self.turn(asked + LOOK)?;
            }
            let quiet = self.peers.received - received < QUIET;
            calm_looks = if prompt && quiet { calm_looks + 1 } else { 0 };
        }
        Ok(true)
    }

    /// Lets the pair exchange messages for so long, under attack or not.
    fn exchange(
        &mut self,
        length: Duration,
        mut attack: Option<&mut Attack<'_>>,
    ) -> io::Result<()> {
        let end = Instant::now() + length;
        let mut due = Instant::now();
        if let Some(attack) = &mut attack {
            attack.begin();
        }
        while Instant::now() < end {
            while due <= Instant::now() {
                let stamp = self.ledger.send(due);
                let prefix = ["PRIVMSG #calm :", ""][stamp.sender as usize];
                self.peers.send_message(stamp.sender as usize, prefix, stamp)?;
                due += MESSAGE_INTERVAL;
            }
            let mut until = due.min(end);
            if let Some(attack) = &mut attack {
                until = until.min(attack.tick(&mut self.peers)?);
            }
            self.turn(until)?;
        }
        Ok(())
    }

    fn turn(&mut self, until: Instant) -> io::Result<()> {
        self.peers.turn(&mut self.ledger, until)
    }
}
