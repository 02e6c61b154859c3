//! One run: what happens next, as the seed decides.

use super::client::{Client, Dialect};
use super::ledger::{HISTORY, Ledger, ROOMS};
use super::plan::{MOST_CLIENTS, Plan, Step};
use super::report::{Options, Tally};
use crate::server::simulated::Simulated;
use chatloop_reactor::simulated::{Dice, Network, Peer};
use chatloop_reactor::{Clock, TimeControl};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// Turns in a row that may move nothing although descriptors were ready.
const IDLE_TURNS: u32 = 40;

/// Turns in which everything that is owed arrives when faults have stopped.
const SETTLING: u32 = 20_000;

/// A directory that is gone when the run is over.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

struct World {
    dice: Dice,
    network: Network,
    time: TimeControl,
    clock: Clock,
    plan: Plan,
    /// `None` while it is dead.
    server: Option<Simulated>,
    clients: Vec<Client>,
    ledger: Ledger,
    tally: Tally,
    /// Turns in a row that moved nothing, and how far the network was then.
    idle: (u32, u64),
    steps: bool,
}

fn tell(steps: bool, client: usize, what: &str, bytes: &[u8]) {
    if steps && !bytes.is_empty() {
        eprintln!("{client} {what} {:?}", String::from_utf8_lossy(bytes));
    }
}

/// Runs one seed.
pub(super) fn run(seed: u64, options: &Options) -> Result<Tally, String> {
    let mut dice = Dice::new(seed);
    let directory = std::env::temp_dir();
    let name = format!(
        "chatloop-simulation-{}-{:?}-{seed}",
        std::process::id(),
        std::thread::current().id()
    );
    let scratch = Scratch(directory.join(name));
    let mut plan = Plan::draw(&mut dice, &scratch.0);
    if let Some(file) = &options.trace {
        plan.flags.push(format!("--trace={}", file.display()));
    }
    let network = Network::new(dice.number());
    let _entered = network.enter();
    let (clock, time) = Clock::manual(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    if options.steps {
        eprintln!("flags: {}; capacity {}", plan.flags.join(" "), plan.capacity);
    }
    let server = Simulated::start(&plan.flags, clock.clone(), seed)?;
    let mut world = World {
        dice,
        network,
        time,
        clock,
        plan,
        server: Some(server),
        clients: Vec::new(),
        ledger: Ledger::default(),
        tally: Tally::default(),
        idle: (0, 0),
        steps: options.steps,
    };
    world.live(Duration::from_secs(u64::from(options.minutes) * 60))?;
    world.settle()?;
    (world.tally.said, world.tally.heard) = world.ledger.count;
    Ok(world.tally)
}

impl World {
    /// Everything goes wrong, for so long.
    fn live(&mut self, time: Duration) -> Result<(), String> {
        let mut clock = self.clock.clone();
        let begin = clock.now();
        while clock.now() - begin < time {
            let step = self.plan.step(&mut self.dice);
            self.step(step)?;
            clock.tick();
        }
        Ok(())
    }

    fn step(&mut self, step: Step) -> Result<(), String> {
        let chosen = self.dice.below(MOST_CLIENTS);
        if self.steps && !matches!(step, Step::Turn | Step::Deliver | Step::Read) {
            eprintln!("{step:?} {:?}", self.clients.get(chosen).map(|client| client.number));
        }
        match step {
            Step::Connect => return self.connect(),
            Step::Deliver => drop(self.network.deliver()),
            Step::Turn => return self.turn(),
            Step::Wait => {
                let most = if self.dice.chance(5) { 5_000 } else { 500 };
                self.time.advance(Duration::from_millis(self.dice.below(most) as u64));
            }
            Step::Date => {
                let seconds = 1_800_000_000 + self.dice.below(1_000_000) as u64;
                self.time.set_wall(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
            }
            Step::Kill => return self.kill(),
            _ if chosen < self.clients.len() => return self.client_step(chosen, step),
            _ => {}
        }
        Ok(())
    }

    fn client_step(&mut self, chosen: usize, step: Step) -> Result<(), String> {
        let World { clients, dice, ledger, steps, .. } = self;
        let client = &mut clients[chosen];
        match step {
            Step::Say => client.say(dice, ledger),
            Step::Burst => (0..40).for_each(|_| client.say(dice, ledger)),
            Step::Fragment => client.in_pieces = !client.in_pieces,
            Step::Join => client.join(dice.below(ROOMS.len()), ledger),
            Step::Part => client.part(dice, ledger),
            Step::Ask => client.ask(dice),
            Step::Nick => client.rename(),
            Step::Garbage => client.garble(dice),
            Step::Pause => client.paused = !client.paused,
            Step::Quit => client.quit(ledger),
            Step::HalfClose => client.half_close(ledger),
            Step::Close | Step::Reset => {
                client.vanish(step == Step::Reset, ledger);
                self.clients.remove(chosen);
                return Ok(());
            }
            _ => {}
        }
        let (number, steps) = (clients[chosen].number, *steps);
        clients[chosen].send(dice, |bytes| tell(steps, number, "sends", bytes));
        self.read(chosen).map(drop)
    }

    fn connect(&mut self) -> Result<(), String> {
        if self.clients.len() >= MOST_CLIENTS {
            return Ok(());
        }
        let number = self.tally.clients as usize;
        self.tally.clients += 1;
        let plain_only = self.plan.flags.iter().any(|flag| flag == "--greeting-delay=0");
        let dialect = match self.dice.below(10) {
            _ if plain_only => Dialect::Plain,
            0..5 => Dialect::Plain,
            5..9 => Dialect::Irc,
            _ => Dialect::Http,
        };
        let peer = self.dial()?;
        self.clients.push(Client::new(number, dialect, peer, &mut self.ledger));
        Ok(())
    }

    fn dial(&mut self) -> Result<Peer, String> {
        // Three origins, so that shares and limits of an origin matter.
        let host = IpAddr::from([192, 0, 2, 1 + self.dice.below(3) as u8]);
        let port = 1_024 + (self.tally.clients as u16 & 0x7fff);
        let address = SocketAddr::new(host, port);
        self.network.connect(address, self.plan.capacity).map_err(|error| error.to_string())
    }

    /// One turn of the server, and the rules that hold between two.
    fn turn(&mut self) -> Result<(), String> {
        self.tally.turns += 1;
        let Some(server) = &mut self.server else { return Ok(()) };
        let ready = server.turn().map_err(|error| format!("the turn failed: {error}"))?;
        server.check()?;
        let progress = self.network.progress();
        self.idle = match self.idle {
            (turns, before) if ready > 0 && before == progress => (turns + 1, progress),
            _ => (0, progress),
        };
        if self.idle.0 > IDLE_TURNS {
            return Err(format!(
                "{IDLE_TURNS} turns in which something was ready and nothing moved"
            ));
        }
        Ok(())
    }

    /// A client reads, and is taken away if it is over. Whether anything has moved.
    fn read(&mut self, chosen: usize) -> Result<bool, String> {
        let most = if self.dice.chance(30) { 1 + self.dice.below(50) } else { usize::MAX };
        let World { clients, ledger, tally, plan, steps, .. } = self;
        let client = &mut clients[chosen];
        if client.paused {
            return Ok(false);
        }
        let number = client.number as u64;
        let moved = client.read(most, ledger, |bytes| {
            tell(*steps, number as usize, "receives", bytes);
            for byte in bytes {
                // FNV-1a
                tally.digest =
                    (tally.digest ^ u64::from(*byte) ^ number << 8).wrapping_mul(0x100_0000_01b3);
            }
        })?;
        if client.is_over() {
            let limits = ["--outbox", "--stall", "--idle", "--max-clients"];
            let is_limit = |flag: &String| limits.iter().any(|limit| flag.starts_with(limit));
            let limited = plan.flags.iter().any(is_limit);
            if !client.may_end && !limited {
                return Err(format!("client {number} was disconnected for nothing"));
            }
            // Whose answer takes longer than the server waits for it to be read may lose the rest.
            if !limited && plan.capacity > 100_000 && !client.is_answered() {
                return Err(format!("client {number} has no whole answer to its request"));
            }
            ledger.gone(client.number);
            // A limit may have struck before its last lines were looked at.
            if limited || !client.has_sent_all() {
                ledger.may_be_lost(client.number);
            }
            clients.remove(chosen);
            return Ok(true);
        }
        Ok(moved)
    }

    /// Kills the server; its successor has what is on disk.
    fn kill(&mut self) -> Result<(), String> {
        self.tally.kills += 1;
        self.ledger.killed();
        self.clients.drain(..).for_each(|mut client| client.vanish(true, &mut Ledger::default()));
        self.server = None; // it lets its directory go
        self.time.advance(Duration::from_millis(200));
        self.clock.tick();
        let server = Simulated::start(&self.plan.flags, self.clock.clone(), self.tally.kills)?;
        self.server = Some(server);
        Ok(())
    }

    /// Faults have stopped: what is owed arrives.
    fn settle(&mut self) -> Result<(), String> {
        self.network.widen(256 * 1024);
        for client in &mut self.clients {
            (client.in_pieces, client.paused) = (false, false);
        }
        let mut quiet = 0;
        for _ in 0..SETTLING {
            if self.round()? {
                quiet = 0;
            } else {
                quiet += 1;
                if quiet > 30 {
                    break;
                }
                let wait = self.network.wait().unwrap_or(Duration::from_secs(1));
                self.time.advance(wait.min(Duration::from_secs(1)));
            }
        }
        self.ledger.settle()?;
        // The other rooms end with their last member.
        let lines = self.history(0)?;
        let mut history = Vec::new();
        for line in &lines {
            history.extend(self.ledger.identify(line)?);
        }
        self.ledger.compare(0, &history, lines.len())
    }

    /// Everyone does what there is to do. Whether anything has moved.
    fn round(&mut self) -> Result<bool, String> {
        let before = self.network.progress();
        let mut moved = self.network.deliver();
        for client in &mut self.clients {
            let (number, steps) = (client.number, self.steps);
            moved |= client.send(&mut self.dice, |bytes| tell(steps, number, "sends", bytes));
        }
        self.turn()?;
        for chosen in (0..self.clients.len()).rev() {
            moved |= self.read(chosen)?;
        }
        Ok(moved || self.network.progress() > before)
    }

    /// What a newcomer is told of a room's past.
    fn history(&mut self, room: usize) -> Result<Vec<String>, String> {
        while let Some(mut client) = self.clients.pop() {
            client.vanish(false, &mut self.ledger);
        }
        let mut peer = self.dial()?;
        let name = ROOMS[room];
        let mut lines = String::new();
        let questions = format!("/join {name}\n/history {name} {HISTORY}\n/answered\n");
        let mut unsent = questions.as_bytes();
        for _ in 0..SETTLING {
            unsent = &unsent[peer.send(unsent)..];
            self.network.deliver();
            self.turn()?;
            lines += &String::from_utf8_lossy(&peer.receive(usize::MAX));
            if peer.is_over() && !lines.contains("connected as") {
                peer = self.dial()?; // the server was full until now
                (unsent, lines) = (questions.as_bytes(), String::new());
            }
            if lines.contains("/answered") {
                peer.reset();
                return Ok(lines
                    .lines()
                    .filter(|it| it.starts_with("- "))
                    .map(str::to_owned)
                    .collect());
            }
            self.time.advance(Duration::from_millis(20));
        }
        Err(format!("the history of {name} never comes: {lines:?}"))
    }
}
