//! An attack in progress: which attacker sends what, and when.

use super::identity::{attacker_caps, crowd_nick, introduction, padded};
use super::options::Options;
use super::peers::Peers;
use super::scenarios::{Prepared, Scenario};
use super::template::Values;
use std::io;
use std::time::{Duration, Instant};

/// Each attacker is looked after so often.
const TICK: Duration = Duration::from_millis(20);
/// Attackers that are looked after between two looks at the honest pair.
const TICKS_A_TURN: usize = 8;
/// Connections a second that all attackers make anew. More would use up the ports of one address.
const RECONNECTS: f64 = 1_000.0;

pub struct Attack<'a> {
    options: &'a Options,
    scenario: &'a Scenario,
    prepared: &'a Prepared,
    attackers: Vec<Attacker>,
    /// The place of the first attacker among the peers.
    first: usize,
    began: Instant,
    ticks: u32,
    /// Connections made because the server had closed the ones before.
    pub reconnects: u64,
    /// Lines given to the system.
    pub lines: u64,
}

struct Attacker {
    number: usize,
    nick: String,
    round: u64,
    /// Lines that it may send.
    credit: f64,
}

impl<'a> Attack<'a> {
    pub fn new(
        options: &'a Options,
        scenario: &'a Scenario,
        prepared: &'a Prepared,
        first: usize,
    ) -> Attack<'a> {
        let attacker = |number| Attacker {
            number,
            nick: padded(format!("{}n{number}", prefix(scenario))),
            round: 0,
            credit: 0.0,
        };
        Attack {
            options,
            scenario,
            prepared,
            attackers: (0..options.attackers).map(attacker).collect(),
            first,
            began: Instant::now(),
            ticks: 0,
            reconnects: 0,
            lines: 0,
        }
    }

    pub fn begin(&mut self) {
        self.began = Instant::now();
    }

    /// What the attacker at a place sends on a new connection.
    pub fn hello(&self, place: usize) -> Vec<u8> {
        let attacker = &self.attackers[place - self.first];
        let mut hello = Vec::new();
        if self.scenario.registers {
            let caps = attacker_caps(attacker.number);
            hello = introduction(self.scenario.dialect, &attacker.nick, caps);
        }
        let values = Values { number: attacker.number, round: 0, me: &attacker.nick, crowd: "" };
        self.prepared.setup.write(values, &mut hello);
        hello
    }

    /// Looks after the attackers whose turn it is, and returns when the next one's is.
    pub fn tick(&mut self, peers: &mut Peers) -> io::Result<Instant> {
        let count = self.attackers.len();
        for _ in 0..TICKS_A_TURN {
            let due = self.began + TICK / count as u32 * self.ticks;
            if due > Instant::now() {
                return Ok(due);
            }
            self.attend(self.ticks as usize % count, peers)?;
            self.ticks += 1;
        }
        Ok(Instant::now())
    }

    fn attend(&mut self, number: usize, peers: &mut Peers) -> io::Result<()> {
        let place = self.first + number;
        if peers.is_closed(place) {
            self.reconnect(number, peers);
            return Ok(());
        }
        let rate = f64::from(self.options.rate);
        let attacker = &mut self.attackers[number];
        // The first lines come at once, so that the server has more than it lets through.
        let earned = if attacker.round == 0 { rate } else { rate * TICK.as_secs_f64() };
        attacker.credit = (attacker.credit + earned).min(rate);
        let template = &self.prepared.attack;
        let rounds = (attacker.credit / template.lines as f64) as u64;
        let sent = peers.say(place, |out| {
            for _ in 0..rounds {
                let victim = number + attacker.round as usize;
                let crowd = crowd_nick(victim % self.options.crowd.max(1));
                let (round, me) = (attacker.round, attacker.nick.as_str());
                template.write(Values { number, round, me, crowd: &crowd }, out);
                attacker.round += 1;
            }
        });
        if sent {
            let lines = rounds * template.lines as u64;
            attacker.credit -= lines as f64;
            self.lines += lines;
        }
        peers.flush(place)
    }

    fn reconnect(&mut self, number: usize, peers: &mut Peers) {
        if self.reconnects as f64 >= self.began.elapsed().as_secs_f64() * RECONNECTS {
            return;
        }
        self.reconnects += 1;
        // Another nick: the server may keep the old one for an account.
        let nick = padded(format!("{}r{}", prefix(self.scenario), self.reconnects));
        self.attackers[number] = Attacker { number, nick, round: 0, credit: 0.0 };
        let place = self.first + number;
        // Without a free port it tries again at its next tick; the count of lines tells.
        let _ = peers.connect(place, self.options.attacker_address, self.hello(place));
    }
}

/// What the nicks of one attack begin with; those of two attacks differ, whoever is still there.
fn prefix(scenario: &Scenario) -> String {
    let letters = scenario.name.chars().filter(char::is_ascii_alphabetic);
    format!("{:?}{}", scenario.dialect, letters.collect::<String>())
}
