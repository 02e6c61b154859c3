//! The client's loop: one turn, and how it ends.
//!
//! `wait → signals, keys, socket → timers → link events → flush → show`. Handlers queue; the
//! socket is written in one place, the screen in another. What follows from the connection's state is
//! in `connection`.

mod connection;

use super::console::Console;
use super::event_loop::{EventLoop, FILES, INPUT, OUTPUT, SIGNALS, SOCKET, TimerKind};
#[cfg(feature = "web")]
use super::files::{ChatServer, Files};
use super::front::Front;
use super::irc::{ConnectOptions, Irc, IrcSession};
use super::known_servers::KnownServer;
use super::link::{Link, LinkEvent};
#[cfg(not(feature = "web"))]
use super::no_files::{ChatServer, Files};
use super::options::{Options, Timestamps};
use super::paint::style;
use super::script::Script;
use super::startup::{
    connect_options, is_person, poller_for_input, resolve, to_stderr, unix_seconds, wants_colours,
};
use super::{Exit, Notice};
use crate::terminal::ConsoleEvent;
use crate::tls::{Connector as Tls, Trust};
use crate::trace::Phase;
use crate::wire::plural::counted;
use chatloop_reactor::signals::{ignore_write_signals, stop_this_process};
use chatloop_reactor::{Clock, Interest, Readiness, Signal, Signals, TimerId};
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

/// How long the last lines may take to be sent when the person leaves.
const LAST_SEND: Duration = Duration::from_secs(1);
/// How long a script waits for replies after its last line, unless `--linger` says otherwise.
const DEFAULT_LINGER: Duration = Duration::from_secs(1);

struct Client<'options> {
    options: &'options Options,
    /// The style of errors on standard error.
    red: &'static str,
    turn: EventLoop,
    signals: Signals,
    link: Link,
    irc: Irc,
    front: Front,
    known: KnownServer,
    files: Files,
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
    let colours = wants_colours(options) && io::stderr().is_terminal();
    let red = if colours { style::ERROR } else { "" };
    let stuck = |error| (Exit::System, format!("cannot continue: {error}"));
    // The client lives in `run`, so the terminal has been restored when the error is printed.
    let outcome = prepare(options, red).and_then(|(connect_options, known, link, server)| {
        let client = Client::new(options, red, connect_options, known, link, server);
        client.and_then(Client::run).map_err(stuck)
    });
    outcome.unwrap_or_else(|(exit, why)| {
        to_stderr(&Notice::error(why), red);
        exit
    })
}

type Prepared = (ConnectOptions, KnownServer, Link, ChatServer);

fn prepare(options: &Options, red: &str) -> Result<Prepared, (Exit, String)> {
    let arguments = |why| (Exit::Arguments, why);
    let (host, mut port, mut tls) = options.server().map_err(arguments)?;
    let (mut known, warning) = KnownServer::look_up(&host, port);
    if let Some(warning) = warning.filter(|_| !options.plain) {
        to_stderr(&Notice::error(warning), red);
    }
    if !tls && let Some(secure) = known.tls_port(unix_seconds(&Clock::system())) {
        (port, tls) = (secure, true);
        known = KnownServer::look_up(&host, port).0;
    }
    if options.tls_cert.is_some() && !tls {
        return Err(arguments("--tls-cert: a certificate is shown by TLS only (--tls)".to_owned()));
    }
    let (link, server) = route(options, &host, port, tls)?;
    let person = is_person() && !options.json && options.upload.is_empty();
    let connect_options = connect_options(options, person, tls, known.scram);
    Ok((connect_options.map_err(arguments)?, known, link, server))
}

/// The way to the server, for lines and for files.
fn route(
    options: &Options,
    host: &str,
    port: u16,
    tls: bool,
) -> Result<(Link, ChatServer), (Exit, String)> {
    let trust = options.tls_fingerprint.map_or(Trust::System, Trust::Pinned);
    let own = options.tls_cert.as_deref().zip(options.tls_key.as_deref());
    let tls = tls.then(|| Tls::new(host, trust, own)).transpose();
    let tls = tls.map_err(|why| (Exit::Arguments, why))?;
    let addresses = resolve(host, port)
        .map_err(|error| (Exit::NotConnected, format!("could not resolve {host}: {error}")))?;
    let server = ChatServer::new(host.to_owned(), port, addresses.clone(), tls.clone());
    Ok((Link::new(addresses, options.timeout, tls), server))
}

impl<'options> Client<'options> {
    fn new(
        options: &'options Options,
        red: &'static str,
        connect_options: ConnectOptions,
        known: KnownServer,
        link: Link,
        server: ChatServer,
    ) -> io::Result<Client<'options>> {
        let person = connect_options.person;
        ignore_write_signals()?;
        let signals = Signals::new(if person {
            Signal::TERMINAL
        } else {
            // Caught in order to write what has been received. The others keep their meaning: a
            // script started with nohup must not be terminated by SIGHUP.
            &[Signal::Interrupt, Signal::Terminate]
        })?;
        let mut poller = poller_for_input(options.backend)?;
        poller.add(&signals, SIGNALS, Interest::READ)?;
        let files = Files::new(server, &mut poller)?;
        let front = if person {
            Front::Person(None)
        } else {
            let timestamps = options.timestamps == Timestamps::Always;
            Front::Script(Box::new(Script::new(timestamps, red, options)?))
        };
        Ok(Client {
            options,
            red,
            turn: EventLoop::new(poller, options.trace.as_deref())?,
            signals,
            link,
            irc: (!options.plain).then(|| IrcSession::new(connect_options, options.bell)),
            front,
            known,
            files,
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

    /// Turns until there is a reason to exit.
    fn run(mut self) -> io::Result<Exit> {
        let mut events = Vec::new();
        self.link.start(&mut self.turn)?;
        loop {
            self.front.tick(&self.turn);
            self.handle_link_events()?;
            self.remember_server();
            self.start_transfer();
            if let Some(session) = self.irc.as_mut().filter(|_| self.link.is_up()) {
                self.link.send(&session.take_outgoing());
            }
            self.turn.end_phase(Phase::Commands);
            self.link.flush(&mut self.turn, self.front.is_listening())?;
            self.turn.end_phase(Phase::Flush);
            self.watch_answers();
            self.check_end();
            if let Some(exit) = self.ended {
                return self.quit(exit);
            }
            if !self.front.show(&mut self.turn, &self.link, &self.irc)? {
                self.ended = Some(Exit::Signal(SIGHUP));
                continue;
            }
            self.turn.end_phase(Phase::Show);
            self.turn.wait(&mut events)?;
            self.front.tick(&self.turn);
            for event in &events {
                self.handle(event)?;
            }
            self.turn.end_phase(Phase::Read);
            self.handle_timers()?;
            self.turn.end_phase(Phase::Timers);
        }
    }

    /// Everything that can wake the loop.
    fn handle(&mut self, event: &Readiness) -> io::Result<()> {
        match (event.token, &mut self.front) {
            (SIGNALS, _) => return self.take_signals(),
            (SOCKET, _) => return self.link.ready(&mut self.turn),
            (FILES, _) => self.follow_transfer(),
            (INPUT, Front::Person(Some(console))) => {
                console.terminal.read(&mut self.turn.scratch);
                return self.act();
            }
            (INPUT, Front::Script(script)) => {
                script.input_ready(&mut self.turn.scratch, &mut self.link, &mut self.irc);
            }
            (OUTPUT, Front::Script(script)) => return script.output_ready(event.hangup),
            _ => {}
        }
        Ok(())
    }

    /// Does what the person's keys say.
    fn act(&mut self) -> io::Result<()> {
        let Some(console) = self.front.console() else { return Ok(()) };
        let outcome = console.act(&mut self.link, &mut self.irc, self.turn.clock.now());
        match outcome {
            Some(ConsoleEvent::Closed) => self.ended = Some(Exit::Signal(SIGHUP)),
            Some(_) => self.end_within(LAST_SEND, Exit::Done),
            None => {
                let timeout = console.terminal.timeout();
                if let Some(timer) = self.keys_timer.take() {
                    self.turn.timers.cancel(timer);
                }
                self.keys_timer =
                    timeout.map(|timeout| self.turn.arm(timeout, TimerKind::EscapeTimeout));
            }
        }
        let typed = self.irc.as_mut().is_some_and(|it| std::mem::take(&mut it.reconnects));
        if typed { self.link.start(&mut self.turn) } else { Ok(()) }
    }

    /// Ends with `exit` when everything is sent, or after `limit`.
    fn end_within(&mut self, limit: Duration, exit: Exit) {
        if self.ending.is_none() {
            self.ending = Some(exit);
            self.turn.arm(limit, TimerKind::Exit);
        }
    }

    fn take_signals(&mut self) -> io::Result<()> {
        for signal in self.signals.drain() {
            match signal {
                Signal::Interrupt => self.ended = Some(Exit::Signal(SIGINT)),
                Signal::Terminate => self.ended = Some(Exit::Signal(SIGTERM)),
                Signal::Hangup => self.ended = Some(Exit::Signal(SIGHUP)),
                Signal::Suspend => {
                    self.front.console().map_or(Ok(()), Console::pause)?;
                    stop_this_process()?;
                    self.resume()?;
                }
                Signal::Continue => self.resume()?,
                Signal::User1 => {} // not asked for
                Signal::WindowChange => {
                    self.front.console().into_iter().for_each(|it| it.terminal.resized());
                }
            }
        }
        Ok(())
    }

    /// Takes the terminal back after a stop.
    fn resume(&mut self) -> io::Result<()> {
        self.front.console().map_or(Ok(()), |console| console.terminal.resume())
    }

    /// Does what is due.
    fn handle_timers(&mut self) -> io::Result<()> {
        let now = self.turn.clock.now();
        while let Some(due) = self.turn.timers.pop_due(now) {
            match due {
                TimerKind::ConnectTimeout => self.link.connect_timed_out(&mut self.turn)?,
                TimerKind::Reconnect => self.link.start(&mut self.turn)?,
                TimerKind::EscapeTimeout => {
                    self.keys_timer = None;
                    self.front.console().into_iter().for_each(|it| it.terminal.timed_out());
                    self.act()?;
                }
                TimerKind::SilenceHint => self.hint(),
                TimerKind::FirstLine if self.irc.as_ref().is_some_and(|it| it.is_content()) => {}
                TimerKind::FirstLine | TimerKind::Registration => {
                    self.irc.iter_mut().for_each(IrcSession::registration_timed_out);
                    self.check_registration()?;
                }
                TimerKind::Answer => self.no_answer(),
                // What was rejected meanwhile counts.
                TimerKind::Exit if self.ending == Some(Exit::Done) => {
                    self.ended = Some(self.done())
                }
                TimerKind::Exit => self.ended = self.ending,
            }
        }
        Ok(())
    }

    /// Shows what happened to the connection, and decides what follows.
    fn handle_link_events(&mut self) -> io::Result<()> {
        for event in self.link.take_events() {
            match event {
                LinkEvent::Line(line) => {
                    self.front.line(&line, &mut self.irc);
                    // The rest belongs to a connection that was given up.
                    if self.check_registration()? {
                        break;
                    }
                }
                LinkEvent::LineTooLong => self.notice(Notice::error(
                    "a line from the server exceeds 64 KiB and is not shown",
                )),
                LinkEvent::Connected(address) => self.connected(address)?,
                LinkEvent::Unreachable(address, why) => self.unreachable(address, &why),
                LinkEvent::NotConnected => match self.connected_at {
                    None => self.ended = Some(Exit::NotConnected),
                    Some(_) => self.retry(),
                },
                LinkEvent::Lost(error) => self.lost(error),
            }
        }
        Ok(())
    }

    /// Moves the file that the session has asked for.
    fn start_transfer(&mut self) {
        if let Some(request) = self.irc.as_mut().and_then(IrcSession::take_file_request)
            && let Err(why) = self.files.begin(request)
        {
            self.irc.iter_mut().for_each(|irc| irc.file_done(Err(why.clone())));
            self.front.refresh(&mut self.irc);
        }
    }

    /// The thread that moves a file has told something.
    fn follow_transfer(&mut self) {
        let done = self.files.follow();
        match &mut self.front {
            Front::Person(Some(console)) => console.progress = self.files.progress(),
            Front::Person(None) => {}
            Front::Script(script) => {
                self.files.draw();
                if let Some(Ok(told)) = &done
                    && !self.options.upload.is_empty()
                {
                    script.push_line(told.as_bytes());
                }
            }
        }
        if let Some(done) = done {
            self.irc.iter_mut().for_each(|irc| irc.file_done(done.clone()));
            self.front.refresh(&mut self.irc);
        }
    }

    fn notice(&mut self, notice: Notice) {
        self.front.notice(&notice, self.red);
    }

    /// The exit code when everything is sent.
    fn done(&self) -> Exit {
        match (&self.front, &self.irc) {
            (Front::Script(script), _) if script.input_failed => Exit::System,
            (Front::Script(_), Some(session)) if session.lost => Exit::Lost,
            (Front::Script(_), Some(session)) if session.failed => Exit::Rejected,
            _ => Exit::Done,
        }
    }

    /// Exits if there is nothing left to wait for.
    fn check_end(&mut self) {
        let sent = self.link.unsent() == 0;
        match &self.front {
            // What was read is still sent, if that does not take long.
            Front::Script(script) if script.output_closed() => {
                let idle = self.irc.as_ref().is_none_or(IrcSession::is_idle);
                let exit = self.done();
                self.end_within(LAST_SEND, exit);
                if sent && idle {
                    self.ended.get_or_insert(exit);
                }
            }
            Front::Script(script) => {
                if script.has_sent_all(&self.irc) && sent && self.link.is_up() {
                    let at_terminal = io::stdin().is_terminal();
                    let default = if at_terminal { Duration::ZERO } else { DEFAULT_LINGER };
                    let exit = self.done();
                    self.end_within(self.options.linger.unwrap_or(default), exit);
                }
            }
            Front::Person(_) => {
                let waiting = self.irc.as_ref().map_or(0, IrcSession::waiting);
                if self.ending.is_some() && sent && waiting == 0 {
                    self.ended = self.ended.or(self.ending);
                }
            }
        }
    }

    /// Leaves the server, shows the last lines and gives the terminal back.
    fn quit(mut self, exit: Exit) -> io::Result<Exit> {
        let mut lost = false;
        if let Some(session) = &mut self.irc {
            let (bytes, waiting) = (session.quit(), session.waiting());
            // It is a short line, and goes out with one write or not at all.
            if self.link.is_up() {
                self.link.send(&bytes);
                self.link.flush(&mut self.turn, false)?;
            }
            if waiting > 0 {
                let lines = counted(waiting, "line");
                let why = match &self.front {
                    Front::Script(script) if script.output_closed() => "standard output was closed",
                    _ => "the server was too slow",
                };
                self.notice(Notice::error(format!("{lines} not sent: {why}")));
                lost = exit == Exit::Done && matches!(self.front, Front::Script(_));
            }
        }
        self.link.close(&mut self.turn);
        for event in self.link.take_events() {
            if let LinkEvent::Line(line) = event {
                self.front.line(&line, &mut self.irc);
            }
        }
        self.turn.trace.finish();
        self.front.finish()?;
        Ok(if lost { Exit::Lost } else { exit })
    }
}

const SIGHUP: u8 = 1;
const SIGINT: u8 = 2;
const SIGTERM: u8 = 15;
