//! The whole server over a network in the process, with the input as its script: between any two turns its connections
//! are watched for what their states say and its bounds hold, it never spins, and when all have gone nothing is left.
//!
//! The first byte chooses flags. Then a line is a step: `c` a connection, `0hello` a line of client 0, `=0hel` bytes of
//! it, `t` turns, `w250` milliseconds, `p0` client 0 stops reading or reads again, `h0` `x0` `r0` it ends its side, closes,
//! resets. Each step ends with a turn.

use chatloop::server::config::Settings;
use chatloop::server::simulated::Simulated;
use chatloop_reactor::simulated::{Network, Peer};
use chatloop_reactor::{Clock, TimeControl};
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

const CLIENTS: usize = 6;

/// Turns in a row that may move nothing although something was ready.
const IDLE_TURNS: u32 = 40;

/// Turns until a server that everyone has left is empty.
const SETTLING: usize = 2_000;

const ALWAYS: [&str; 4] =
    ["--keep-alive=off", "--connect-limit=off", "--max-per-address=off", "--history-on-join=5"];

/// Flags, and what the network keeps of what a client has not read.
const SETS: [(&[&str], usize); 6] = [
    (&["--greeting-delay=60000"], 200_000),
    (&["--greeting-delay=0"], 4_000),
    (&["--greeting-delay=100", "--flood-limit=5/s", "--outbox-soft=4k", "--outbox-hard=16k"], 300),
    (&["--fault=short-write=0.4,short-read=0.4,eintr=0.3,eagain=0.3,accept-emfile=0.2,seed=7"], 60),
    (&["--password=sesame", "--max-clients=3", "--idle-timeout=5", "--stall-timeout=2"], 4_000),
    (&["--require-account", "--origin-work=1", "--proxy-from=192.0.2.0/24"], 200_000),
];

struct World {
    server: Simulated,
    network: Network,
    time: TimeControl,
    clients: Vec<Client>,
    capacity: usize,
    idle: (u32, u64),
}

struct Client {
    peer: Peer,
    outgoing: Vec<u8>,
    paused: bool,
}

/// Once for all inputs: it takes longer than a run.
fn read((flags, _): (&[&str], usize)) -> Settings {
    let flags: Vec<String> = ALWAYS.iter().chain(flags).map(|flag| (*flag).to_owned()).collect();
    Simulated::settings(&flags).expect("the flags are right")
}

pub fn run(data: &[u8]) {
    static SETTINGS: LazyLock<[Settings; SETS.len()]> = LazyLock::new(|| SETS.map(read));
    let Some((set, script)) = data.split_first() else { return };
    let chosen = usize::from(*set) % SETS.len();
    let (settings, (_, capacity)) = (SETTINGS[chosen].clone(), SETS[chosen]);
    let network = Network::new(u64::from(*set));
    let entered = network.enter();
    let (clock, time) = Clock::manual(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    let server = Simulated::start(settings, clock, 1).expect("it starts");
    let (clients, idle) = (Vec::new(), (0, 0));
    let mut world = World { server, network, time, clients, capacity, idle };
    for step in script.split(|byte| *byte == b'\n') {
        world.step(step);
        world.turn();
    }
    world.settle();
    drop(entered);
}

impl World {
    fn step(&mut self, step: &[u8]) {
        let Some((kind, rest)) = step.split_first() else { return };
        let chosen =
            |digit: Option<&u8>| usize::from(digit.map_or(0, |digit| digit.wrapping_sub(b'0')));
        match kind {
            b'c' => self.connect(),
            b'0'..=b'5' => {
                if let Some(client) = self.clients.get_mut(chosen(Some(kind))) {
                    client.outgoing.extend_from_slice(rest);
                    client.outgoing.push(b'\n');
                }
            }
            b'=' => {
                if let Some((digit, bytes)) = rest.split_first()
                    && let Some(client) = self.clients.get_mut(chosen(Some(digit)))
                {
                    client.outgoing.extend_from_slice(bytes);
                }
            }
            b't' => (0..20).for_each(|_| self.turn()),
            b'w' => {
                let millis = String::from_utf8_lossy(rest).parse().unwrap_or(100_u64);
                self.time.advance(Duration::from_millis(millis.min(200_000)));
            }
            b'p' | b'h' | b'x' | b'r' => {
                let Some(client) = self.clients.get_mut(chosen(rest.first())) else { return };
                match kind {
                    b'p' => client.paused = !client.paused,
                    b'h' => client.peer.shut_down(),
                    b'x' => client.peer.close(),
                    _ => client.peer.reset(),
                }
            }
            _ => {}
        }
    }

    fn connect(&mut self) {
        let number = self.clients.len();
        if number == CLIENTS {
            return;
        }
        let address = SocketAddr::from(([192, 0, 2, 1 + number as u8 % 3], 1_024 + number as u16));
        let peer = self.network.connect(address, self.capacity).expect("a listener");
        self.clients.push(Client { peer, outgoing: Vec::new(), paused: false });
    }

    fn turn(&mut self) {
        for client in &mut self.clients {
            let sent = client.peer.send(&client.outgoing);
            client.outgoing.drain(..sent);
            if !client.paused {
                client.peer.receive(usize::MAX);
            }
        }
        self.network.deliver();
        for thread in 0..self.server.threads() {
            self.server.work(thread);
        }
        let ready = self.server.turn().expect("a turn").unwrap_or(0);
        if let Err(what) = self.server.check() {
            panic!("between two turns: {what}");
        }
        let progress = self.network.progress() + self.server.records();
        self.idle = match self.idle {
            (turns, before) if ready > 0 && before == progress => (turns + 1, progress),
            _ => (0, progress),
        };
        assert!(self.idle.0 <= IDLE_TURNS, "something is ready and nothing moves");
    }

    /// Everyone goes, and time passes.
    fn settle(&mut self) {
        for client in &mut self.clients {
            client.peer.close();
        }
        for _ in 0..SETTLING {
            if self.network.open() == 0 {
                return;
            }
            self.turn();
            self.time.advance(Duration::from_millis(50));
        }
        panic!("{} connections are left of clients that are gone", self.network.open());
    }
}
