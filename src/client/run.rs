//! The client's loop: one turn, and how it ends.
//!
//! `wait → signals, keys, socket → timers → link events → flush → show`. Handlers queue; the
//! socket is written in one place, the screen in another. What follows from the connection's state is
//! in `connection`.

mod connection;

use super::console::ConsoleAction;
use super::dialect::Dialect;
use super::front::Front;
use super::irc::{ConnectOptions, IrcSession};
use super::known_servers::KnownServer;
use super::link::{Link, LinkEvent, READ_SHARE};
use super::options::{Options, Timestamps};
use super::paint::style;
use super::plain::PlainLines;
use super::script::Script;
use super::startup::{
    connect_options, is_person, poller_for_input, resolve, to_stderr, unix_seconds, wants_colours,
};
use super::timers::TimerKind;
use super::tokens::{INPUT, OUTPUT, SIGNALS, SOCKET};
use super::{Exit, Notice};
use crate::tls::{Connector as Tls, Trust};
use chatloop_reactor::signals::{ignore_write_signals, stop_this_process};
use chatloop_reactor::{Interest, Poller, Readiness, Signal, Signals, TimerId, Timers};
use jiff::ZonedDateTime;
use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How long the last lines may take to be sent when the person leaves.
const LAST_SEND: Duration = Duration::from_secs(1);
/// How long a script waits for replies after its last line, unless `--linger` says otherwise.
const DEFAULT_LINGER: Duration = Duration::from_secs(1);

struct Client<'options> {
    options: &'options Options,
    colours: bool,
    poller: Poller,
    timers: Timers<TimerKind>,
    signals: Signals,
    link: Link,
    front: Front,
    known: KnownServer,
    keys_timer: Option<TimerId>,
    connected_at: Option<Instant>,
    /// Armed until the IRC server has accepted the registration.
    registration_timers: Vec<TimerId>,
    /// What a script waits for, and its timer.
    awaited: Option<((u64, u64), TimerId)>,
    attempts: u32,
    /// Consecutive registrations that came too late.
    late: u32,
    /// The exit is armed: after the linger time, or when everything is sent.
    ending: Option<Exit>,
    /// Exit at the end of this turn.
    ended: Option<Exit>,
}

/// Runs the client to its end; what goes wrong before the first turn is written to stderr.
pub fn run(options: &Options) -> Exit {
    let colours = wants_colours(options);
    let red = if colours && io::stderr().is_terminal() { style::ERROR } else { "" };
    let (host, port, tls) = match options.server() {
        Ok(server) => server,
        Err(why) => {
            to_stderr(&Notice::error(why), red);
            return Exit::Arguments;
        }
    };
    let addresses = match resolve(&host, port) {
        Ok(addresses) => addresses,
        Err(error) => {
            let text = format!("could not resolve {host}: {error}");
            to_stderr(&Notice::error(text), red);
            return Exit::NotConnected;
        }
    };
    let tls = match tls.then(|| Tls::new(&host, trust(options))).transpose() {
        Ok(tls) => tls,
        Err(why) => {
            to_stderr(&Notice::error(why), red);
            return Exit::Arguments;
        }
    };
    let (known, warning) = KnownServer::look_up(&host, port);
    if let Some(warning) = warning.filter(|_| !options.plain) {
        to_stderr(&Notice::error(warning), red);
    }
    if tls.is_none() && known.is_for_tls(unix_seconds()) {
        let text = format!("{host} is for TLS only, as it said before (STS): connect with --tls");
        to_stderr(&Notice::error(text), red);
        return Exit::NotConnected;
    }
    let person = is_person() && !options.json;
    let connect_options =
        match connect_options(options, person, tls.is_some(), known.has_offered_scram()) {
            Ok(connect_options) => connect_options,
            Err(why) => {
                to_stderr(&Notice::error(why), red);
                return Exit::Arguments;
            }
        };
    // The client lives in `talk`, so the terminal has been restored when the error is printed.
    let server = (addresses, tls);
    talk(options, connect_options, known, colours, server).unwrap_or_else(|error| {
        to_stderr(&Notice::error(format!("cannot continue: {error}")), red);
        Exit::System
    })
}

fn talk(
    options: &Options,
    connect_options: ConnectOptions,
    known: KnownServer,
    colours: bool,
    server: (Vec<SocketAddr>, Option<Tls>),
) -> io::Result<Exit> {
    Client::new(options, connect_options, known, colours, server)?.talk()
}

fn trust(options: &Options) -> Trust {
    options.tls_fingerprint.map_or(Trust::System, Trust::Pinned)
}

impl<'options> Client<'options> {
    fn new(
        options: &'options Options,
        connect_options: ConnectOptions,
        known: KnownServer,
        colours: bool,
        (addresses, tls): (Vec<SocketAddr>, Option<Tls>),
    ) -> io::Result<Client<'options>> {
        let person = connect_options.person;
        ignore_write_signals()?;
        let signals = Signals::new(if person {
            &Signal::ALL[..]
        } else {
            // Caught in order to write what has been received. The others keep their meaning: a
            // script started with nohup must not be terminated by SIGHUP.
            &[Signal::Interrupt, Signal::Terminate]
        })?;
        let mut poller = poller_for_input(options.backend)?;
        poller.add(&signals, SIGNALS, Interest::READ)?;
        let session =
            (!options.plain).then(|| Box::new(IrcSession::new(connect_options, options.bell)));
        let front = if person {
            Front::Person(Some(match session {
                Some(session) => Dialect::Irc(session),
                None => Dialect::Plain(PlainLines::new(options.bell)),
            }))
        } else {
            let timestamps = options.timestamps == Timestamps::Always;
            Front::Script(Box::new(Script::new(timestamps, colours, options.json, session)?))
        };
        Ok(Client {
            options,
            colours,
            poller,
            timers: Timers::new(),
            signals,
            link: Link::new(addresses, options.timeout, tls),
            front,
            known,
            keys_timer: None,
            connected_at: None,
            registration_timers: Vec::new(),
            awaited: None,
            attempts: 0,
            late: 0,
            ending: None,
            ended: None,
        })
    }

    fn talk(mut self) -> io::Result<Exit> {
        let mut scratch = vec![0; READ_SHARE];
        let (mut events, mut link_events) = (Vec::new(), Vec::new());
        self.link.start(&mut self.poller, &mut self.timers, &mut link_events)?;
        loop {
            self.handle_link_events(&mut link_events)?;
            self.remember_server();
            let unasked = self.front.take_outgoing();
            if !unasked.is_empty() && self.link.is_up() {
                self.link.send(&unasked);
            }
            self.link.flush(&mut self.poller, self.front.is_listening())?;
            self.watch_answers();
            self.check_end();
            if let Some(exit) = self.ended {
                self.send_quit()?;
                self.link.close(&mut scratch, &mut link_events);
                return self.quit(exit, link_events);
            }
            if !self.front.show(&mut self.poller, &self.link)? {
                self.ended = Some(Exit::Signal(SIGHUP));
                continue;
            }
            let wait = self.timers.time_left(Instant::now());
            self.poller.wait(&mut events, wait)?;
            for event in &events {
                self.handle(event, &mut scratch, &mut link_events)?;
            }
            self.fire(&mut link_events)?;
        }
    }

    /// Sends QUIT to an IRC server. It is a short line, and goes out with one write or not at all.
    fn send_quit(&mut self) -> io::Result<()> {
        let Some(session) = self.front.session() else { return Ok(()) };
        let (bytes, waiting) = (session.quit(), session.waiting());
        if self.link.is_up() {
            self.link.send(&bytes);
            self.link.flush(&mut self.poller, false)?;
        }
        if waiting > 0 {
            let lines = super::display::counted(waiting, "line");
            self.notice(Notice::error(format!("{lines} not sent: the server was too slow")));
        }
        Ok(())
    }

    fn handle(
        &mut self,
        event: &Readiness,
        scratch: &mut [u8],
        link_events: &mut Vec<LinkEvent>,
    ) -> io::Result<()> {
        match event.token {
            SIGNALS => self.take_signals(),
            SOCKET => self.link.ready(&mut self.poller, &mut self.timers, scratch, link_events),
            INPUT => {
                match &mut self.front {
                    Front::Person(_) => {}
                    Front::Script(script) => script.input_ready(&mut self.link, scratch),
                    Front::Console(console) => {
                        let action =
                            console.input_ready(&mut self.link, &ZonedDateTime::now(), scratch);
                        self.perform(action);
                    }
                }
                Ok(())
            }
            OUTPUT => match &mut self.front {
                Front::Script(script) => script.output_ready(event.hangup),
                Front::Person(_) | Front::Console(_) => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn perform(&mut self, action: ConsoleAction) {
        match action {
            ConsoleAction::Continue => {
                if let Some(timer) = self.keys_timer.take() {
                    self.timers.cancel(timer);
                }
                if let Front::Console(console) = &self.front
                    && let Some(timeout) = console.timeout()
                {
                    self.keys_timer =
                        Some(self.timers.arm(Instant::now() + timeout, TimerKind::EscapeTimeout));
                }
            }
            ConsoleAction::Leave => self.end_within(LAST_SEND, Exit::Done),
            ConsoleAction::Vanish => self.ended = Some(Exit::Signal(SIGHUP)),
        }
    }

    /// Ends with `exit` when everything is sent, or after `limit`.
    fn end_within(&mut self, limit: Duration, exit: Exit) {
        if self.ending.is_none() {
            self.ending = Some(exit);
            self.timers.arm(Instant::now() + limit, TimerKind::Exit);
        }
    }

    fn take_signals(&mut self) -> io::Result<()> {
        for signal in self.signals.drain() {
            match signal {
                Signal::Interrupt => self.ended = Some(Exit::Signal(SIGINT)),
                Signal::Terminate => self.ended = Some(Exit::Signal(SIGTERM)),
                Signal::Hangup => self.ended = Some(Exit::Signal(SIGHUP)),
                Signal::Suspend => {
                    if let Front::Console(console) = &mut self.front {
                        console.pause()?;
                    }
                    stop_this_process()?;
                    self.front.resume()?;
                }
                Signal::Continue => self.front.resume()?,
                Signal::WindowChange => {
                    if let Front::Console(console) = &mut self.front {
                        console.resized();
                    }
                }
            }
        }
        Ok(())
    }

    fn fire(&mut self, link_events: &mut Vec<LinkEvent>) -> io::Result<()> {
        let now = Instant::now();
        while let Some(due) = self.timers.pop_due(now) {
            match due {
                TimerKind::ConnectTimeout => {
                    self.link.connect_timed_out(&mut self.poller, &mut self.timers, link_events)?;
                }
                TimerKind::Reconnect => {
                    self.link.start(&mut self.poller, &mut self.timers, link_events)?
                }
                TimerKind::EscapeTimeout => {
                    self.keys_timer = None;
                    if let Front::Console(console) = &mut self.front {
                        let action = console.timed_out(&mut self.link, &ZonedDateTime::now());
                        self.perform(action);
                    }
                }
                TimerKind::SilenceHint => self.hint(),
                TimerKind::FirstLine
                    if self.front.session().is_some_and(|it| it.has_answered()) => {}
                TimerKind::FirstLine | TimerKind::Registration => {
                    self.front.session().into_iter().for_each(IrcSession::registration_timed_out);
                    self.check_registration()?;
                }
                TimerKind::Answer => self.no_answer(),
                TimerKind::Exit => self.ended = self.ending,
            }
        }
        Ok(())
    }

    /// Shows what happened to the connection, and decides what follows.
    fn handle_link_events(&mut self, link_events: &mut Vec<LinkEvent>) -> io::Result<()> {
        if link_events.is_empty() {
            return Ok(());
        }
        let now = ZonedDateTime::now();
        for item in std::mem::take(link_events) {
            match item {
                LinkEvent::Line(line) => {
                    self.front.line(&line, &now);
                    // The rest belongs to a connection that was given up.
                    if self.check_registration()? {
                        break;
                    }
                }
                LinkEvent::LineTooLong => self.notice(Notice::error(
                    "a line from the server exceeds 64 KiB and is not shown",
                )),
                LinkEvent::Connected(address) => self.connected(address)?,
                LinkEvent::Unreachable(address, why) => {
                    self.notice(Notice::error(format!("could not connect to {address}: {why}")));
                }
                LinkEvent::NotConnected => match self.connected_at {
                    None => self.ended = Some(Exit::NotConnected),
                    Some(_) => self.retry(),
                },
                LinkEvent::Closed => self.lost(None),
                LinkEvent::Broken(error) => self.lost(Some(error)),
            }
        }
        Ok(())
    }

    fn notice(&mut self, notice: Notice) {
        self.front.notice(&notice, self.colours);
    }

    /// The exit code when everything is sent.
    fn done(&self) -> Exit {
        match &self.front {
            Front::Script(script) if script.has_failed() => Exit::Rejected,
            _ => Exit::Done,
        }
    }

    /// Exits if there is nothing left to wait for.
    fn check_end(&mut self) {
        let waiting = self.front.session().map_or(0, |session| session.waiting());
        match &self.front {
            Front::Script(script) => {
                let said_all = script.has_sent_all() && self.link.unsent() == 0;
                if script.output_closed() {
                    self.end_within(LAST_SEND, Exit::Done);
                    if self.link.unsent() == 0 {
                        self.ended.get_or_insert(Exit::Done);
                    }
                } else if said_all && self.link.is_up() {
                    let at_terminal = io::stdin().is_terminal();
                    let default = if at_terminal { Duration::ZERO } else { DEFAULT_LINGER };
                    let exit = self.done();
                    self.end_within(self.options.linger.unwrap_or(default), exit);
                }
            }
            Front::Console(_) => {
                if self.ending.is_some() && self.link.unsent() == 0 && waiting == 0 {
                    self.ended = self.ended.or(self.ending);
                }
            }
            Front::Person(_) => {}
        }
    }

    /// Shows the last lines and gives the terminal back.
    fn quit(mut self, exit: Exit, mut link_events: Vec<LinkEvent>) -> io::Result<Exit> {
        let now = ZonedDateTime::now();
        for item in link_events.drain(..) {
            if let LinkEvent::Line(line) = item {
                self.front.line(&line, &now);
            }
        }
        self.front.finish()?;
        Ok(exit)
    }
}

const SIGHUP: u8 = 1;
const SIGINT: u8 = 2;
const SIGTERM: u8 = 15;
