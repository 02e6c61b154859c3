//! `chatloop-lab storm`: attacks a server with every command and asks two honest users.
//!
//! For each row of `scenarios`:
//!
//! 1. the honest **pair** connects, and the crowd is completed if someone was disconnected;
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
mod report;
mod scenarios;
mod template;

pub use options::Options;
pub use report::{Row, Style};

use super::connections::{Connections, Handler};
use super::payload::{self, Format};
use super::target::{invalid, make_room, resolve};
use attack::Attack;
use identity::{
    READY, crowd_caps, crowd_dialect, crowd_nick, introduction, join, nth_address, question,
};
use pair::{Ledger, PAIR, Summary};
use scenarios::{BIG, Dialect, OWNER_PASSWORD, Prepared, Scenario};
use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::time::{Duration, Instant};
use template::Values;

/// Time between two messages of the honest pair: each of the two sends 50 a second, half of what
/// the flood limit allows.
const MESSAGE_INTERVAL: Duration = Duration::from_millis(10);
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
/// Crowd members who share an address: fewer than --max-per-address.
const CROWD_PER_ADDRESS: usize = 200;

/// The names of all attacks.
pub fn names() -> impl Iterator<Item = &'static str> {
    scenarios::ALL.iter().map(|scenario| scenario.name)
}

/// Measures the rows that `options` ask for and gives each to `done` as it is finished.
///
/// # Errors
/// `InvalidInput` if other options would help; otherwise the server did not let its users in, or
/// was still busy long after the last row that `done` was given.
pub fn run(options: &Options, mut done: impl FnMut(&Row)) -> io::Result<()> {
    if let Some(unknown) = options.only.iter().find(|name| names().all(|known| known != *name)) {
        return Err(invalid(format!("no attack is called {unknown}; --list names them all")));
    }
    if options.host.tls {
        return Err(invalid("the storm does not use TLS; leave the + out"));
    }
    let Some(server) = resolve(&options.host, options.port)?.find(|it| it.ip().is_loopback())
    else {
        let host = &options.host;
        return Err(invalid(format!("{host} is not on loopback; attack a server here")));
    };
    let places = PAIR + options.crowd + options.attackers;
    make_room(places, options.backend)?;
    let format = Format::new(u64::from(std::process::id()), payload::SHORTEST);
    let leftover = format.longest_leftover();
    let mut connections = Connections::new(places, server, options.backend, leftover, Some(READY))?;
    connections.favoured = PAIR;
    let pair = Pair { format, ledger: Ledger::default() };
    let mut storm = Storm { options, connections, pair, calm: VecDeque::new() };
    let wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|it| it == name);
    let chosen = scenarios::ALL.iter().filter(|scenario| wanted(scenario.name));
    for (number, scenario) in chosen.enumerate().skip(options.skip) {
        let row = storm.measure(number, scenario)?;
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

/// The honest two, who have the first places.
struct Pair {
    format: Format,
    /// Of the row that is being measured.
    ledger: Ledger,
}

impl Handler for Pair {
    fn received(&mut self, place: usize, bytes: &[u8], now: Instant) -> usize {
        if place >= PAIR {
            return bytes.len();
        }
        self.format.scan(bytes, false, |found| self.ledger.receive(place as u32, found, now))
    }
}

struct Storm<'a> {
    options: &'a Options,
    connections: Connections,
    pair: Pair,
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

    fn measure(&mut self, number: usize, scenario: &Scenario) -> io::Result<Row> {
        let prepared = scenario.prepare().map_err(invalid)?;
        self.pair.ledger = Ledger::default();
        self.connect_crowd()?;
        self.connect_pair(number)?;
        let mut attack = Attack::new(self.options, scenario, &prepared, self.attackers().start);
        let attackers = self.connect_attackers(scenario, &attack)?;
        self.prepare_crowd(scenario, &prepared)?;
        self.settle()?;

        self.exchange(self.options.calm, None)?;
        let calm_messages = self.pair.ledger.sent();
        if self.options.deaf {
            self.attackers().try_for_each(|place| self.connections.set_aside(place, true))?;
        }
        let received = self.connections.received;
        self.connections.longest_gap = Duration::ZERO;
        self.exchange(self.options.seconds, Some(&mut attack))?;
        let mut row = Row {
            command: scenario.name,
            attackers,
            reconnects: attack.reconnects,
            lines: attack.lines,
            received: self.connections.received - received,
            crowd_lost: self.crowd().filter(|place| self.connections.is_closed(*place)).count(),
            ..Row::default()
        };
        self.attackers().try_for_each(|place| self.connections.abort(place))?;
        let gone = Instant::now();
        // Late messages have the time to arrive.
        self.wait(|storm| !storm.pair.ledger.is_waiting())?;
        let stuck = !self.settle()?;
        // The looks that find the server calm are not part of it.
        row.busy_s = gone.elapsed().saturating_sub(LOOK * CALM_LOOKS).as_secs_f64();
        row.lab_gap_ms = self.connections.longest_gap.as_secs_f64() * 1e3;
        let calm = self.remember(self.pair.ledger.summary(0..calm_messages));
        let storm = self.pair.ledger.summary(calm_messages..self.pair.ledger.sent());
        (0..PAIR).try_for_each(|place| self.connections.abort(place))?;
        Ok(row.judged(&calm, &storm, stuck))
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
        for (place, dialect) in [Dialect::Irc, Dialect::Plain].into_iter().enumerate() {
            self.connections.connect(place, Some(self.options.honest_address))?;
            let hello = introduction(dialect, &format!("honest{row}-{place}"), 0);
            self.connections.ask(place, &(hello + &join(dialect, "#calm") + question(dialect)));
        }
        self.await_all(0..PAIR, "the honest pair")
    }

    /// Connects those of the crowd who are not there.
    fn connect_crowd(&mut self) -> io::Result<()> {
        let (crowd, addresses) = (self.crowd(), self.options.crowd_address);
        self.connect_all(crowd.clone(), |connections, place| {
            let number = place - crowd.start;
            let dialect = crowd_dialect(number);
            let mut hello = introduction(dialect, &crowd_nick(number), crowd_caps(number));
            hello += &join(dialect, BIG);
            if number == 0 {
                hello += &format!("REGISTER * * {OWNER_PASSWORD}\n");
            }
            connections.connect(place, Some(nth_address(addresses, number / CROWD_PER_ADDRESS)))?;
            connections.ask(place, &(hello + question(dialect)));
            Ok(())
        })?;
        self.await_all(self.crowd(), "the crowd")
    }

    /// Connects the attackers and lets them prepare; returns how many have.
    fn connect_attackers(&mut self, scenario: &Scenario, attack: &Attack<'_>) -> io::Result<usize> {
        let places = self.attackers();
        self.connect_all(places.clone(), |connections, place| {
            attack.connect(place - places.start, connections)?;
            if scenario.registers() {
                connections.ask(place, question(scenario.dialect()));
            }
            Ok(())
        })?;
        Ok(self.attackers().filter(|place| self.connections.is_ready(*place)).count())
    }

    /// Connects all places that are closed, some at a time, and waits until each is ready or
    /// closed again.
    fn connect_all(
        &mut self,
        places: Range<usize>,
        connect: impl Fn(&mut Connections, usize) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut missing: VecDeque<usize> =
            places.filter(|place| self.connections.is_closed(*place)).collect();
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
                connect(&mut self.connections, place)?;
                pending.push(place);
            }
            self.turn(next_retry)?;
            for place in std::mem::take(&mut pending) {
                if self.connections.is_ready(place) {
                    end = Instant::now() + self.options.timeout;
                } else if self.connections.is_closed(place) {
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
        let speaks = |place: &usize| crowd_dialect(place - first) == scenario.dialect();
        let places: Vec<usize> = self.crowd().filter(speaks).take(scenario.crowd).collect();
        for place in &places {
            let (number, me) = (place - first, crowd_nick(place - first));
            let values = Values { number, round: 0, me: &me, crowd: &me };
            self.connections.say(*place, |out| prepared.crowd_setup.write(values, out));
            self.connections.ask(*place, question(scenario.dialect()));
        }
        self.wait(|storm| places.iter().all(|place| storm.connections.is_ready(*place)))?;
        Ok(())
    }

    fn await_all(&mut self, places: Range<usize>, who: &str) -> io::Result<()> {
        let any_closed =
            |storm: &Self| places.clone().any(|place| storm.connections.is_closed(place));
        let absent = |storm: &Self| {
            places.clone().filter(|place| !storm.connections.is_ready(*place)).count()
        };
        self.wait(|storm| any_closed(storm) || absent(storm) == 0)?;
        match absent(self) {
            0 => Ok(()),
            absent => Err(io::Error::other(format!(
                "{absent} of {} connections of {who} were not let in; does the server run with \
                 --max-per-address 256 and a --max-clients above {}?",
                places.len(),
                PAIR + self.options.crowd + self.options.attackers
            ))),
        }
    }

    /// Waits until the server has nothing to do but to answer at once; false if that takes longer
    /// than the timeout.
    fn settle(&mut self) -> io::Result<bool> {
        let end = Instant::now() + self.options.timeout;
        let mut calm_looks = 0;
        while calm_looks < CALM_LOOKS {
            let (asked, received) = (Instant::now(), self.connections.received);
            if asked > end || self.connections.is_closed(0) {
                return Ok(false);
            }
            self.connections.ask(0, question(Dialect::Irc));
            self.wait(|storm| storm.connections.is_ready(0) || Instant::now() > end)?;
            let prompt = asked.elapsed() < PROMPT;
            while Instant::now() < asked + LOOK {
                self.turn(asked + LOOK)?;
            }
            let quiet = self.connections.received - received < QUIET;
            calm_looks = if prompt && quiet { calm_looks + 1 } else { 0 };
        }
        Ok(true)
    }

    /// Lets the pair exchange messages for so long, under attack or not.
    fn exchange(&mut self, length: Duration, attack: Option<&mut Attack<'_>>) -> io::Result<()> {
        let end = Instant::now() + length;
        let (mut attack, mut due) = (attack, Instant::now());
        while Instant::now() < end {
            while due <= Instant::now() {
                let Pair { ledger, format } = &mut self.pair;
                let stamp = ledger.send(due);
                self.connections.say(stamp.sender as usize, |out| {
                    out.extend_from_slice([&b"PRIVMSG #calm :"[..], b""][stamp.sender as usize]);
                    format.encode(stamp, out);
                });
                due += MESSAGE_INTERVAL;
            }
            let mut until = due.min(end);
            if let Some(attack) = &mut attack {
                until = until.min(attack.tick(&mut self.connections));
            }
            self.turn(until)?;
        }
        Ok(())
    }

    /// Goes on until something is true, at most for `--timeout`.
    fn wait(&mut self, done: impl Fn(&Self) -> bool) -> io::Result<()> {
        let end = Instant::now() + self.options.timeout;
        while !done(self) && Instant::now() < end {
            self.turn(end)?;
        }
        Ok(())
    }

    fn turn(&mut self, until: Instant) -> io::Result<()> {
        self.connections.turn(until, &mut self.pair)
    }
}
