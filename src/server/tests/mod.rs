//! A whole server inside the test: real sockets, a clock set by hand, workers in line.
//!
//! No test here waits for time to pass. The server is turned until what a test waits for is there,
//! or until it has turned so often that it will never be.

mod backpressure;
mod costs;
mod detection;
#[cfg(feature = "web")]
mod files;
mod history;
#[cfg(feature = "web")]
mod http;
mod limits;
mod operators;
mod passwords;
mod proxy;
mod silence;
#[cfg(feature = "tls")]
mod tls;

use super::config::Task;
use super::random::Random;
use super::turn::{Server, Setup};
use super::worker::Workers;
use crate::journal::Threads;
use chatloop_reactor::{Clock, Readiness, TimeControl};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, SystemTime};

/// Turns after which it is certain that nothing will come. Loopback delivers at once, or as soon as
/// this thread gives way.
const TURNS: usize = 20_000;

/// Turns in which everything happens that is going to happen by itself.
const SETTLED: usize = 50;

/// A server that turns when it is told to.
struct Bench {
    server: Server,
    time: TimeControl,
    readiness: Vec<Readiness>,
}

impl Bench {
    fn new(flags: &[&str]) -> Bench {
        let fixed = ["chatloop-server", "127.0.0.1", "0", "--quiet", "--no-console"];
        let arguments = fixed.iter().chain(flags).map(Into::into);
        let Ok(Task::Serve(settings)) = Task::read(arguments) else { panic!("{flags:?}") };
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        let (clock, time) = Clock::manual(date);
        let work = |_, wakes| Workers::in_line(wakes, Random::seeded(1));
        let (threads, random) = (Threads::System, Random::System);
        let server =
            Server::start_with(*settings, Setup { clock, signals: &[], work, threads, random })
                .unwrap();
        Bench { server, time, readiness: Vec::new() }
    }

    /// One turn that does not wait; how many descriptors were ready.
    fn turn(&mut self) -> usize {
        self.server.turn(&mut self.readiness, Some(Duration::ZERO)).unwrap()
    }

    fn online(&mut self) -> usize {
        self.server.exchange().census().0
    }

    fn connections(&mut self) -> usize {
        self.server.exchange().census().1
    }

    fn longest_queue(&mut self) -> usize {
        self.server.exchange().census().2
    }

    fn settle(&mut self) {
        for _ in 0..SETTLED {
            self.turn();
            std::thread::yield_now();
        }
    }

    /// Lets time pass, and what is due happen.
    fn pass(&mut self, time: Duration) {
        self.time.advance(time);
        self.settle();
    }

    fn address(&self) -> SocketAddr {
        self.server.addresses()[0]
    }

    fn connect(&mut self) -> Client {
        Client::over(TcpStream::connect(self.address()).unwrap())
    }

    /// A client that has been greeted and is called `nick`.
    fn join(&mut self, nick: &str) -> Client {
        let mut client = self.connect();
        client.send(&format!("/nick {nick}\n/fence\n"));
        self.wait_for(&mut client, "/fence");
        client
    }

    /// Turns until a line comes that contains `text`; all lines up to it.
    fn wait_for(&mut self, client: &mut Client, text: &str) -> Vec<String> {
        let mut lines = Vec::new();
        for _ in 0..TURNS {
            while let Some(line) = client.line() {
                let found = line.contains(text);
                lines.push(line);
                if found {
                    return lines;
                }
            }
            self.turn();
            std::thread::yield_now();
        }
        panic!("{text:?} is not in {lines:?}");
    }

    /// Turns until the server has closed; all that came until then.
    fn wait_for_end(&mut self, client: &mut Client) -> String {
        for _ in 0..TURNS {
            client.receive();
            if client.ended {
                return String::from_utf8(std::mem::take(&mut client.received)).unwrap();
            }
            self.turn();
            std::thread::yield_now();
        }
        panic!("not closed: {:?}", String::from_utf8_lossy(&client.received));
    }

    /// Turns, and lets the client read, until nothing comes any more.
    fn wait_for_silence(&mut self, client: &mut Client) {
        let mut quiet = 0;
        while quiet < SETTLED {
            client.receive();
            quiet = if std::mem::take(&mut client.received).is_empty() { quiet + 1 } else { 0 };
            self.turn();
            std::thread::yield_now();
        }
    }

    /// The lines that have come when nothing more happens by itself.
    fn lines(&mut self, client: &mut Client) -> Vec<String> {
        self.settle();
        std::iter::from_fn(|| client.line()).collect()
    }
}

/// The other end of a connection.
struct Client {
    socket: TcpStream,
    received: Vec<u8>,
    ended: bool,
}

impl Client {
    fn over(socket: TcpStream) -> Client {
        socket.set_nonblocking(true).unwrap();
        socket.set_nodelay(true).unwrap();
        Client { socket, received: Vec::new(), ended: false }
    }

    fn send(&mut self, text: &str) {
        self.send_bytes(text.as_bytes());
    }

    fn send_bytes(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).unwrap();
    }

    /// Whether the server still takes it: it may have closed.
    fn try_send(&mut self, text: &str) -> bool {
        self.socket.write_all(text.as_bytes()).is_ok()
    }

    fn half_close(&mut self) {
        self.socket.shutdown(Shutdown::Write).unwrap();
    }

    fn receive(&mut self) {
        let mut buffer = [0; 64 * 1024];
        while !self.ended {
            match self.socket.read(&mut buffer) {
                Ok(0) => self.ended = true,
                Ok(count) => self.received.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.ended = true,
            }
        }
    }

    /// All bytes that have come.
    fn bytes(&mut self) -> Vec<u8> {
        self.receive();
        std::mem::take(&mut self.received)
    }

    /// The next whole line that has come.
    fn line(&mut self) -> Option<String> {
        self.receive();
        let end = self.received.iter().position(|byte| *byte == b'\n')?;
        let line: Vec<u8> = self.received.drain(..=end).collect();
        Some(String::from_utf8(line).unwrap().trim_end().to_owned())
    }
}
