//! An attack in progress: which attacker sends what, and when.

use super::identity::{attacker_caps, crowd_nick, introduction, padded};
use super::options::Options;
use super::scenarios::{Prepared, Scenario};
use super::template::Values;
use crate::lab::connections::Connections;
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
    /// The place of the first attacker.
    first: usize,
    began: Option<Instant>,
    ticks: u32,
    /// Connections made because the server had closed the ones before.
    pub reconnects: u64,
    /// Lines that were queued.
    pub lines: u64,
}

struct Attacker {
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
        let attacker = |number| Attacker::new(format!("{}n{number}", prefix(scenario)));
        Attack {
            options,
            scenario,
            prepared,
            attackers: (0..options.attackers).map(attacker).collect(),
            first,
            began: None,
            ticks: 0,
            reconnects: 0,
            lines: 0,
        }
    }

    /// Connects an attacker, which prepares.
    pub fn connect(&self, number: usize, connections: &mut Connections) -> io::Result<()> {
        let (place, me) = (self.first + number, self.attackers[number].nick.as_str());
        connections.connect(place, Some(self.options.attacker_address))?;
        connections.say(place, |out| {
            if self.scenario.registers() {
                let caps = attacker_caps(number);
                *out = introduction(self.scenario.dialect(), me, caps).into_bytes();
            }
            self.prepared.setup.write(Values { number, round: 0, me, crowd: "" }, out);
        });
        Ok(())
    }

    /// Looks after the attackers whose turn it is, and returns when the next one's is.
    pub fn tick(&mut self, connections: &mut Connections) -> Instant {
        let began = *self.began.get_or_insert_with(Instant::now);
        let count = self.attackers.len();
        for _ in 0..TICKS_A_TURN {
            let due = began + TICK / count as u32 * self.ticks;
            if due > Instant::now() {
                return due;
            }
            let number = self.ticks as usize % count;
            if connections.is_closed(self.first + number) {
                self.reconnect(number, began, connections);
            } else {
                self.attend(number, connections);
            }
            self.ticks += 1;
        }
        Instant::now()
    }

    fn attend(&mut self, number: usize, connections: &mut Connections) {
        let rate = f64::from(self.options.rate);
        let Attacker { nick, round, credit } = &mut self.attackers[number];
        // The first lines come at once, so that the server has more than it lets through.
        let earned = if *round == 0 { rate } else { rate * TICK.as_secs_f64() };
        *credit = (*credit + earned).min(rate);
        if !connections.is_idle(self.first + number) {
            return;
        }
        let template = &self.prepared.attack;
        let rounds = (*credit / template.lines as f64) as u64;
        connections.say(self.first + number, |out| {
            for _ in 0..rounds {
                let victim = number + *round as usize;
                let crowd = &crowd_nick(victim % self.options.crowd.max(1));
                template.write(Values { number, round: *round, me: nick, crowd }, out);
                *round += 1;
            }
        });
        let lines = rounds * template.lines as u64;
        *credit -= lines as f64;
        self.lines += lines;
    }

    fn reconnect(&mut self, number: usize, began: Instant, connections: &mut Connections) {
        if self.reconnects as f64 >= began.elapsed().as_secs_f64() * RECONNECTS {
            return;
        }
        self.reconnects += 1;
        // Another nick: the server may keep the old one for an account.
        let nick = format!("{}r{}", prefix(self.scenario), self.reconnects);
        self.attackers[number] = Attacker::new(nick);
        // Without a free port it tries again at its next tick; the count of lines tells.
        let _ = self.connect(number, connections);
    }
}

impl Attacker {
    fn new(nick: String) -> Attacker {
        Attacker { nick: padded(nick), round: 0, credit: 0.0 }
    }
}

/// What the nicks of one attack begin with; those of two attacks differ, no matter who is still there.
fn prefix(scenario: &Scenario) -> String {
    let letters = scenario.name.chars().filter(char::is_ascii_alphabetic);
    format!("{:?}{}", scenario.dialect(), letters.collect::<String>())
}
