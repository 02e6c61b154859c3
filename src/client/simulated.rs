//! The client without a terminal and on a simulated network: a server's bytes and a person's keys in, and out comes
//! what the screen and the server are sent.
//!
//! Absent: what `run` decides when a connection ends (reconnecting, exit codes), and files.

use super::Notice;
use super::console::Console;
use super::event_loop::EventLoop;
use super::irc::{ConnectOptions, Irc, IrcSession, Login};
use super::link::{Link, LinkEvent};
use super::options::Bell;
use super::paint::Painter;
use super::secrets::Forms;
use chatloop_reactor::simulated::{Network, Peer};
use chatloop_reactor::{Backend, Listener, Poller};
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use zeroize::Zeroizing;

/// Columns of its screen.
const COLUMNS: usize = 60;

/// What the network keeps of what the client sends.
const CAPACITY: usize = 1024 * 1024;

/// What the network takes of the server's bytes at once.
const PIECE: usize = 16 * 1024;

/// A client whose server is the caller.
pub struct Simulated {
    turn: EventLoop,
    link: Link,
    irc: Irc,
    console: Console,
    network: Network,
    server: Peer,
}

impl Simulated {
    /// One that is connected: in plain lines, or in IRC, and there with an account or without.
    ///
    /// # Errors
    /// The system has no descriptors.
    pub fn connect(plain: bool, account: Option<(&str, &str)>) -> io::Result<Simulated> {
        let network = Network::new(1);
        let entered = network.enter();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 6667));
        let listener = Listener::bind(address, 1)?;
        let server = network.connect(address, CAPACITY)?;
        let mut accepted = None;
        let _ = listener.accept_each(1, |transport, _| accepted = Some(transport));
        let mut turn = EventLoop::new(Poller::new(Backend::best())?, None)?;
        let link = Link::over(accepted.ok_or(ErrorKind::ConnectionRefused)?, &mut turn)?;
        drop(entered);
        let painter = Painter::new(true, true);
        let forms = if plain { Forms::Plain } else { Forms::Irc };
        let console = Console::simulated(painter, forms, Bell::All, COLUMNS);
        let options = ConnectOptions {
            nick: "ada".to_owned(),
            account: account.map(|(name, password)| Login {
                account: name.to_owned(),
                password: Zeroizing::new(password.to_owned()),
            }),
            rooms: vec!["#tea".to_owned()],
            person: true,
            nonce: "nonce".to_owned(),
            ..ConnectOptions::default()
        };
        let mut irc = (!plain).then(|| IrcSession::new(options, Bell::All));
        if let Some(session) = &mut irc {
            session.connected(console.painter.now.timestamp());
        }
        Ok(Simulated { turn, link, irc, console, network, server })
    }

    /// The server sends these bytes, and the client takes as many turns as they need.
    ///
    /// # Errors
    /// The poller's.
    pub fn receive(&mut self, bytes: &[u8]) -> io::Result<()> {
        for piece in bytes.chunks(PIECE) {
            self.server.send(piece);
            self.turn()?;
        }
        Ok(())
    }

    /// The person presses these keys.
    ///
    /// # Errors
    /// The poller's.
    pub fn press(&mut self, keys: &[u8]) -> io::Result<()> {
        self.console.terminal.press(keys);
        self.console.terminal.timed_out();
        self.turn()
    }

    fn turn(&mut self) -> io::Result<()> {
        while self.network.deliver() {}
        self.link.ready(&mut self.turn)?;
        for event in self.link.take_events() {
            match event {
                LinkEvent::Line(line) => self.console.line(&line, &mut self.irc),
                LinkEvent::LineTooLong => self.console.notice(&Notice::error("a line is too long")),
                _ => {}
            }
        }
        let now = self.turn.clock.now();
        while self.console.act(&mut self.link, &mut self.irc, now).is_some() {}
        if let Some(session) = &mut self.irc {
            let _ = (session.take_sts_news(), session.take_scram_news());
            let file = session.take_file_request();
            file.into_iter().for_each(|_| session.file_done(Err("not here".to_owned())));
            self.link.send(&session.take_outgoing());
        }
        self.console.refresh(&mut self.irc);
        self.link.flush(&mut self.turn, true)
    }

    /// What the screen is sent.
    pub fn screen(&mut self) -> Vec<u8> {
        self.console.frame(&self.irc)
    }

    /// What the server is sent.
    pub fn sent(&mut self) -> Vec<u8> {
        while self.network.deliver() {}
        self.server.receive(usize::MAX)
    }
}
