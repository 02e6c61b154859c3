//! A line server in the test's own hands: what it says and when is up to the test.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// How long anything may take before a test fails. Nothing waits for it when all is well.
pub const TIMEOUT: Duration = Duration::from_secs(20);

pub struct LineServer {
    listener: TcpListener,
}

impl LineServer {
    pub fn new() -> LineServer {
        LineServer { listener: TcpListener::bind("127.0.0.1:0").unwrap() }
    }

    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    pub fn accept(&self) -> Peer {
        let stream = self.listener.accept().unwrap().0;
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        Peer { lines: BufReader::new(stream) }
    }
}

pub struct Peer {
    lines: BufReader<TcpStream>,
}

impl Peer {
    pub fn say(&mut self, text: &str) {
        self.lines.get_mut().write_all(text.as_bytes()).unwrap();
    }

    /// The next line without its newline; `None` at the end of the stream.
    pub fn hear(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.lines.read_line(&mut line).expect("a line in time") {
            0 => None,
            _ => Some(line.strip_suffix('\n').expect("a whole line").to_owned()),
        }
    }

    /// Everything up to the end of the stream.
    pub fn hear_all(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.hear()).collect()
    }

    pub fn end(&mut self) {
        self.lines.get_mut().shutdown(Shutdown::Write).unwrap();
    }

    /// Closes so that the other side sees a reset.
    pub fn reset(self) {
        let stream = self.lines.into_inner();
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    }

    pub fn stream(&self) -> TcpStream {
        self.lines.get_ref().try_clone().unwrap()
    }
}
