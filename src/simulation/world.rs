//! One run: what happens next, as the seed decides.

use super::carrier::Carrier;
use super::client::{Client, Dialect};
use super::errand::{Errand, Outcome};
use super::ledger::{HISTORY, Ledger, ROOMS};
use super::plan::{MOST_CLIENTS, Plan, Step};
use super::report::{Options, Tally};
use super::trouble::DataDirectory;
use crate::server::config::Settings;
use crate::server::simulated::Simulated;
use chatloop_reactor::dice::Dice;
use chatloop_reactor::simulated::{Network, Peer};
use chatloop_reactor::{Clock, TimeControl};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant, SystemTime};

/// Turns in a row that may move nothing although something was ready, or the time stood still: with
/// four injected faults in five calls, forty of them in a row do happen.
const IDLE_TURNS: u32 = 200;

/// Turns in which everything that is owed arrives when faults have stopped.
const SETTLING: u32 = 20_000;

/// What the network keeps for a client once faults have stopped.
const WIDE: usize = 256 * 1024;

/// Files that are looked at again at the end.
const FILES: usize = 3;

/// Where the server listens.
const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7777);

struct World {
    dice: Dice,
    network: Network,
    time: TimeControl,
    clock: Clock,
    plan: Plan,
    settings: Settings,
    /// `None` while it is dead.
    server: Option<Simulated>,
    /// Behind the server, which holds it.
    directory: DataDirectory,
    clients: Vec<Client>,
    ledger: Ledger,
    tally: Tally,
    /// Turns in a row that moved nothing, and how far the network and the time were then.
    idle: (u32, (u64, Instant)),
    /// How often its loop would have waited.
    sleeps: u64,
    /// A thread of the server has woken its loop, which has not turned since.
    woken: bool,
    /// Files so far, and where those are that the server has said to keep.
    files: usize,
    kept: Vec<(String, usize)>,
    seed: u64,
    /// How often the server was started again.
    starts: u64,
    steps: bool,
}

/// Runs one seed.
pub(super) fn run(seed: u64, options: &Options) -> Result<Tally, String> {
    let mut dice = Dice::new(seed);
    let name = format!(
        "chatloop-simulation-{}-{:?}-{seed}",
        std::process::id(),
        std::thread::current().id()
    );
    let path = std::env::temp_dir().join(name);
    let directory = DataDirectory::new(path.clone());
    let mut plan = Plan::draw(&mut dice, &path)?;
    if let Some(file) = &options.trace {
        plan.flags.push(format!("--trace={}", file.display()));
    }
    let network = Network::new(dice.number());
    let _entered = network.enter();
    let (clock, time) = Clock::manual(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    if options.steps {
        eprintln!("flags: {}; capacity {}", plan.flags.join(" "), plan.capacity);
    }
    let settings = Simulated::settings(&plan.flags)?;
    let server = Simulated::start(settings.clone(), clock.clone(), seed)?;
    let ledger = Ledger::new(plan.has(Step::Trouble));
    let mut world = World {
        dice,
        network,
        time,
        idle: (0, (0, clock.now())),
        clock,
        plan,
        settings,
        server: Some(server),
        directory,
        clients: Vec::new(),
        ledger,
        tally: Tally::default(),
        sleeps: 0,
        woken: false,
        files: 0,
        kept: Vec::new(),
        seed,
        starts: 0,
        steps: options.steps,
    };
    world.live(Duration::from_secs(u64::from(options.minutes) * 60))?;
    world.settle()?;
    (world.tally.said, world.tally.heard) = world.ledger.count;
    (world.tally.files, world.tally.bytes) = (world.kept.len() as u64, world.network.progress());
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
        if self.steps && !matches!(step, Step::Turn | Step::Deliver | Step::Read | Step::Work) {
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
            Step::Work => {
                let threads = self.server.as_ref().map_or(0, Simulated::threads);
                if threads > 0 {
                    let thread = self.dice.below(threads);
                    self.work(thread);
                }
            }
            Step::Download if !self.kept.is_empty() => {
                let (path, file) = self.kept[self.dice.below(self.kept.len())].clone();
                return self.run_errand(Errand::Download { path, file });
            }
            Step::Trouble => return self.directory.change(&mut self.dice),
            Step::Kill => {
                self.tally.kills += 1;
                return self.restart();
            }
            _ if chosen < self.clients.len() => return self.client_step(chosen, step),
            _ => {}
        }
        Ok(())
    }

    fn client_step(&mut self, chosen: usize, step: Step) -> Result<(), String> {
        let World { clients, dice, ledger, .. } = self;
        let other = clients[dice.below(clients.len())].nick();
        let client = &mut clients[chosen];
        match step {
            Step::Tell => other.into_iter().for_each(|other| client.tell(other, ledger)),
            Step::Upload => match client.take_token() {
                Some(token) => {
                    let file = self.files;
                    self.files += 1;
                    return self.run_errand(Errand::Upload { token, file });
                }
                None => client.ask_for_token(),
            },
            Step::Say => client.say(dice, ledger),
            Step::Burst => (0..40).for_each(|_| client.say(dice, ledger)),
            Step::Fragment => client.break_up(),
            Step::Join => client.join(dice.below(ROOMS.len()), ledger),
            Step::Part => client.part(dice, ledger),
            Step::Ask => client.ask(dice),
            Step::Nick => client.rename(ledger),
            Step::Garbage => client.garble(dice),
            Step::Pause => client.pause(),
            Step::Quit => client.quit(ledger),
            Step::HalfClose => client.end(ledger),
            Step::Close | Step::Reset => {
                client.vanish(step == Step::Reset, ledger);
                self.clients.remove(chosen);
                return Ok(());
            }
            _ => {}
        }
        clients[chosen].send(dice)?;
        self.read(chosen).map(drop)
    }

    fn connect(&mut self) -> Result<(), String> {
        if self.clients.len() >= MOST_CLIENTS {
            return Ok(());
        }
        let (dialect, is_framed) = match self.dice.below(10) {
            _ if self.plan.plain_only => (Dialect::Plain, false),
            0..4 => (Dialect::Plain, false),
            4..7 => (Dialect::Irc, false),
            7..9 => (Dialect::Irc, true),
            number => return self.run_errand(Errand::page(number + self.clients.len())),
        };
        let (number, carrier) = self.carrier(is_framed)?;
        if dialect == Dialect::Plain {
            self.ledger.asks_to_join(number, 0);
        }
        self.add(Client::new(number, dialect, carrier, self.steps));
        Ok(())
    }

    fn add(&mut self, mut client: Client) {
        client.since = Some(self.clock.now());
        client.said_before = self.plan.keeps_little.then(|| self.ledger.arrived());
        self.clients.push(client);
    }

    /// A client that makes one request.
    fn run_errand(&mut self, errand: Errand) -> Result<(), String> {
        if self.plan.plain_only || self.clients.len() >= MOST_CLIENTS {
            return Ok(());
        }
        let (number, carrier) = self.carrier(false)?;
        self.add(Client::with_errand(number, errand, carrier, self.steps));
        Ok(())
    }

    /// The number of a new client, and its way to the server.
    fn carrier(&mut self, is_framed: bool) -> Result<(usize, Carrier), String> {
        let number = self.tally.clients as usize;
        self.tally.clients += 1;
        let peer = self.dial(self.plan.capacity)?;
        let tls = self.plan.tls.as_ref().filter(|_| self.dice.chance(50));
        Ok((number, Carrier::new(peer, tls, is_framed.then_some(SERVER))))
    }

    fn dial(&mut self, capacity: usize) -> Result<Peer, String> {
        // Three origins, so that shares and limits of an origin matter.
        let host = IpAddr::from([192, 0, 2, 1 + self.dice.below(3) as u8]);
        let port = 1_024 + (self.tally.clients as u16 & 0x7fff);
        let address = SocketAddr::new(host, port);
        self.network.connect(address, capacity).map_err(|error| error.to_string())
    }

    /// A thread of the server does a piece of its work. Whether it has woken the loop.
    fn work(&mut self, thread: usize) -> bool {
        let woken = self.server.as_ref().is_some_and(|server| server.work(thread));
        self.woken |= woken;
        woken
    }

    /// One turn of the server, unless it would still wait, and the rules that hold between two.
    fn turn(&mut self) -> Result<(), String> {
        self.clock.tick();
        let Some(server) = &mut self.server else { return Ok(()) };
        let turn = server.turn().map_err(|error| format!("the turn failed: {error}"))?;
        let Some(ready) = turn else {
            self.sleeps += 1;
            return match self.woken {
                true => Err("the loop sleeps on although a thread has woken it".to_owned()),
                false => Ok(()),
            };
        };
        self.tally.turns += 1;
        let was_woken = std::mem::take(&mut self.woken);
        let (progress, now) = (self.network.progress() + server.records(), self.clock.now());
        self.idle = match self.idle {
            // Without readiness it may have been a timer.
            (turns, (before, then))
                if before == progress && !was_woken && (ready > 0 || then == now) =>
            {
                (turns + 1, (progress, now))
            }
            _ => (0, (progress, now)),
        };
        if self.idle.0 > IDLE_TURNS {
            return Err(format!("{IDLE_TURNS} turns that were not waited for, and nothing moved"));
        }
        server.check()
    }

    /// A client reads, and is taken away if it is over. Whether anything has moved.
    fn read(&mut self, chosen: usize) -> Result<bool, String> {
        let most = if self.dice.chance(30) { 1 + self.dice.below(50) } else { usize::MAX };
        let World { clients, ledger, tally, plan, steps, clock, .. } = self;
        let client = &mut clients[chosen];
        if client.paused {
            return Ok(false);
        }
        client.reads_at(clock.now());
        let number = client.number;
        let read = client.read(most, ledger, |bytes| {
            if *steps && !bytes.is_empty() {
                eprintln!("{number} receives {:?}", String::from_utf8_lossy(bytes));
            }
            for byte in bytes {
                // FNV-1a
                tally.digest = (tally.digest ^ u64::from(*byte) ^ (number as u64) << 8)
                    .wrapping_mul(0x100_0000_01b3);
            }
        });
        // A server that is full, or has waited for too long, says so in its own way.
        let may_refuse = plan.is_limited || client.may_be_given_up();
        let is_refused = read.is_err() && may_refuse && client.may_be_refused();
        let moved = if is_refused { true } else { read? };
        if is_refused || client.carrier.is_over() {
            self.ended(chosen)?;
            self.clients.remove(chosen);
            return Ok(true);
        }
        Ok(moved)
    }

    /// A client has been disconnected: was that right?
    fn ended(&mut self, chosen: usize) -> Result<(), String> {
        let World { clients, ledger, plan, kept, .. } = self;
        let client = &clients[chosen];
        let (number, is_limited) = (client.number, plan.is_limited);
        if !client.may_end && !client.may_be_given_up() && !is_limited {
            return Err(format!("client {number} was disconnected for nothing"));
        }
        match (client.outcome()?, &client.errand) {
            (Some(Outcome::Kept(path)), Some(Errand::Upload { file, .. })) => {
                kept.push((path, *file));
            }
            // Whose answer takes longer than the server waits for it to be read may lose the rest,
            // and so may one that was answered before all that it sends had come.
            (Some(Outcome::Open), Some(Errand::Page(_) | Errand::Download { .. }))
                if !is_limited && client.reads_in_time() && plan.capacity > 100_000 =>
            {
                return Err(format!("client {number} has no whole answer to its request"));
            }
            _ => {}
        }
        ledger.gone(number);
        // A limit may have struck before its last lines were looked at.
        if is_limited || !client.carrier.has_sent_all() {
            ledger.may_be_lost(number);
        }
        Ok(())
    }

    /// Kills the server; its successor has what is on disk.
    fn restart(&mut self) -> Result<(), String> {
        self.starts += 1;
        self.ledger.killed();
        self.clients.drain(..).for_each(|mut client| client.vanish(true, &mut Ledger::default()));
        self.server = None; // it lets its directory go
        self.woken = false;
        self.directory.heal()?;
        self.time.advance(Duration::from_millis(200));
        self.clock.tick();
        let seed = self.seed.wrapping_add(self.starts << 32);
        let server = Simulated::start(self.settings.clone(), self.clock.clone(), seed)?;
        self.server = Some(server);
        Ok(())
    }

    /// Faults have stopped: what is owed arrives, and nothing is forgotten.
    fn settle(&mut self) -> Result<(), String> {
        self.directory.heal()?;
        self.settings.config.boot.fault = None;
        self.server.iter_mut().for_each(Simulated::stop_faults);
        self.network.widen(WIDE);
        for client in &mut self.clients {
            (client.in_pieces, client.paused) = (false, false);
        }
        self.quiesce()?;
        self.ledger.settle()?;
        if self.plan.is_on_disk {
            let before = self.server.as_mut().map(Simulated::state);
            self.restart()?;
            if self.server.as_mut().map(Simulated::state) != before {
                return Err("what is on disk is another chat than the one before".to_owned());
            }
        }
        while let Some(mut client) = self.clients.pop() {
            client.vanish(false, &mut self.ledger);
        }
        for (path, file) in self.kept.iter().rev().take(FILES).cloned().collect::<Vec<_>>() {
            let errand = Errand::Download { path, file };
            let is_whole =
                |answer: &[u8]| !matches!(errand.answer(answer), Ok(Outcome::Open | Outcome::Busy));
            let answer = self.converse(&errand.request(), is_whole)?;
            if errand.answer(&answer)? != Outcome::Done {
                return Err(format!("{} is not possible", errand.summary()));
            }
        }
        // The other rooms end with their last member.
        let lines = self.history(0)?;
        let mut history = Vec::new();
        for line in &lines {
            history.extend(self.ledger.identify(line)?);
        }
        self.ledger.compare(0, &history, lines.len())
    }

    /// Goes on until nothing happens any more.
    fn quiesce(&mut self) -> Result<(), String> {
        let (mut quiet, mut waited, mut sleeps) = (0, Duration::ZERO, self.sleeps);
        for _ in 0..SETTLING {
            if self.round()? {
                (quiet, waited, sleeps) = (0, Duration::ZERO, self.sleeps);
                continue;
            }
            // Longer than a journal in trouble takes to try again.
            quiet += 1;
            if quiet > 30 && waited > Duration::from_secs(5) {
                let slept = self.sleeps > sleeps;
                return if slept { Ok(()) } else { Err("the loop never sleeps".to_owned()) };
            }
            let second = Duration::from_secs(1);
            let wait = self.network.wait().unwrap_or(second).min(second);
            waited += wait;
            self.time.advance(wait);
        }
        Err(format!("after {SETTLING} turns without faults there is still something to do"))
    }

    /// Everyone does what there is to do. Whether anything has moved.
    fn round(&mut self) -> Result<bool, String> {
        let before = self.network.progress();
        let mut moved = self.network.deliver();
        for client in &mut self.clients {
            moved |= client.send(&mut self.dice)?;
        }
        moved |= self.work_all();
        self.turn()?;
        for chosen in (0..self.clients.len()).rev() {
            moved |= self.read(chosen)?;
        }
        Ok(moved || self.network.progress() > before)
    }

    fn work_all(&mut self) -> bool {
        let threads = self.server.as_ref().map_or(0, Simulated::threads);
        (0..threads).filter(|thread| self.work(*thread)).count() > 0
    }

    /// What a newcomer is told of a room's past.
    fn history(&mut self, room: usize) -> Result<Vec<String>, String> {
        let name = ROOMS[room];
        // What it is shown because it joins comes before the first of the two that are no commands.
        let questions = format!("/join {name}\n/asked\n/history {name} {HISTORY}\n/answered\n");
        let is_whole = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains("/answered");
        let answer = self.converse(questions.as_bytes(), is_whole)?;
        let answer = String::from_utf8_lossy(&answer);
        let (_, answer) = answer.split_once("/asked").unwrap_or_default();
        Ok(answer.lines().filter(|it| it.starts_with("- ")).map(str::to_owned).collect())
    }

    /// What a newcomer receives that sends this, until it is whole.
    fn converse(
        &mut self,
        request: &[u8],
        is_whole: impl Fn(&[u8]) -> bool,
    ) -> Result<Vec<u8>, String> {
        let mut peer = self.dial(WIDE)?;
        let (mut unsent, mut received) = (request, Vec::new());
        for _ in 0..SETTLING {
            unsent = &unsent[peer.send(unsent)..];
            self.network.deliver();
            self.work_all();
            self.turn()?;
            received.extend(peer.receive(usize::MAX));
            if is_whole(&received) {
                peer.reset();
                return Ok(received);
            }
            if peer.is_over() {
                peer = self.dial(WIDE)?; // the server was full until now
                (unsent, received) = (request, Vec::new());
            }
            self.time.advance(Duration::from_millis(20));
        }
        let (request, received) =
            (String::from_utf8_lossy(request), String::from_utf8_lossy(&received));
        Err(format!("{request:?} is never answered: {received:?}"))
    }
}
