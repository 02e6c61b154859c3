//! What happens in one turn of the loop, and how does it end?
//!
//! `wait → signals, keys, socket → timers → news → flush → show`. Handlers queue; the socket is
//! written in one place, the screen in another. What becomes of the connection is in `connection`.

mod connection;

use super::console::ConsoleAction;
use super::dialect::Dialect;
use super::front::Front;
use super::irc::{Session, Wishes};
use super::link::{Link, News, READ_SHARE};
use super::options::{Options, Timestamps};
use super::paint::style;
use super::plain::PlainLines;
use super::script::Script;
use super::startup::{is_person, poller_for_input, resolve, to_stderr, wants_colours, wishes};
use super::tokens::{INPUT, OUTPUT, SIGNALS, SOCKET};
use super::{Exit, Notice};
use crate::reactor::signals::stop_this_process;
use crate::reactor::{Interest, Poller, Readiness, Signal, Signals, TimerId, Timers};
use jiff::Zoned;
use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How long a leaving person's last lines may take to be sent.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How long a script listens on after its last line, unless `--linger` says otherwise.
const DEFAULT_LINGER: Duration = Duration::from_secs(1);

/// What a timer is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Due {
    /// Give up connecting to this address.
    ConnectTimeout,
    /// Connect again.
    Retry,
    /// Decide that an ESC was the key.
    Keys,
    /// Say that the server is silent.
    Hint,
    /// Give up on a server that has said nothing.
    FirstWord,
    /// Give up on a server that has not let us in.
    Registration,
    /// Give up on a server that takes nothing of what a script says.
    Answer,
    /// End, whatever still might come.
    End,
}

struct Client<'options> {
    options: &'options Options,
    colours: bool,
    poller: Poller,
    timers: Timers<Due>,
    signals: Signals,
    link: Link,
    front: Front,
    keys_timer: Option<TimerId>,
    connected_at: Option<Instant>,
    /// What is armed while an IRC server lets us in.
    door_timers: Vec<TimerId>,
    /// What a script waits for, and how long.
    awaited: Option<((u64, u64), TimerId)>,
    attempts: u32,
    /// Times in a row that our first word came too late.
    late: u32,
    /// The end is armed: linger or last words.
    ending: Option<Exit>,
    /// The end has come.
    ended: Option<Exit>,
}

/// Talks until it is over; says on standard error what went wrong before it began.
pub fn run(options: &Options) -> Exit {
    let colours = wants_colours(options);
    let red = if colours && io::stderr().is_terminal() { style::ERROR } else { "" };
    let addresses = match resolve(&options.host, options.port) {
        Ok(addresses) => addresses,
        Err(error) => {
            let text = format!("could not find the host '{}': {error}", options.host);
            to_stderr(&Notice::error(text), red);
            return Exit::NotConnected;
        }
    };
    let wishes = match wishes(options, is_person() && !options.json) {
        Ok(wishes) => wishes,
        Err(why) => {
            to_stderr(&Notice::error(why), red);
            return Exit::Arguments;
        }
    };
    // The client lives in `talk`, so the terminal is whole again when the error is printed.
    talk(options, wishes, colours, addresses).unwrap_or_else(|error| {
        to_stderr(&Notice::error(format!("cannot go on: {error}")), red);
        Exit::Refused
    })
}

fn talk(
    options: &Options,
    wishes: Wishes,
    colours: bool,
    addresses: Vec<SocketAddr>,
) -> io::Result<Exit> {
    Client::new(options, wishes, colours, addresses)?.talk()
}

impl<'options> Client<'options> {
    fn new(
        options: &'options Options,
        wishes: Wishes,
        colours: bool,
        addresses: Vec<SocketAddr>,
    ) -> io::Result<Client<'options>> {
        let person = wishes.person;
        let signals = Signals::new(if person {
            &[
                Signal::Interrupt,
                Signal::Terminate,
                Signal::Hangup,
                Signal::Suspend,
                Signal::Continue,
                Signal::WindowChange,
            ]
        } else {
            // Caught to write what has been received. The others keep their meaning: a script
            // started with nohup must not be ended by SIGHUP.
            &[Signal::Interrupt, Signal::Terminate]
        })?;
        let mut poller = poller_for_input(options.backend)?;
        poller.add(&signals, SIGNALS, Interest::READ)?;
        let session = (!options.plain).then(|| Box::new(Session::new(wishes, options.bell)));
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
            link: Link::new(addresses, options.timeout),
            front,
            keys_timer: None,
            connected_at: None,
            door_timers: Vec::new(),
            awaited: None,
            attempts: 0,
            late: 0,
            ending: None,
            ended: None,
        })
    }

    fn talk(mut self) -> io::Result<Exit> {
        let mut scratch = vec![0; READ_SHARE];
        let (mut events, mut news) = (Vec::new(), Vec::new());
        self.link.start(&mut self.poller, &mut self.timers, &mut news)?;
        loop {
            self.tell(&mut news)?;
            let unasked = self.front.take_outgoing();
            if !unasked.is_empty() && self.link.is_up() {
                self.link.send(&unasked);
            }
            self.link.flush(&mut self.poller, self.front.is_listening())?;
            self.watch_answers();
            self.look_for_the_end();
            if let Some(exit) = self.ended {
                self.say_goodbye()?;
                self.link.close(&mut scratch, &mut news);
                return self.farewell(exit, news);
            }
            if !self.front.show(&mut self.poller, &self.link)? {
                self.ended = Some(Exit::Signal(SIGHUP));
                continue;
            }
            let wait = self.timers.time_left(Instant::now());
            self.poller.wait(&mut events, wait)?;
            for event in &events {
                self.handle(event, &mut scratch, &mut news)?;
            }
            self.fire(&mut news)?;
        }
    }

    /// Lets an IRC server know that we leave. It is a short line, and goes out with one write or
    /// not at all.
    fn say_goodbye(&mut self) -> io::Result<()> {
        let Some(session) = self.front.session() else { return Ok(()) };
        let (bytes, waiting) = (session.farewell(), session.waiting());
        if self.link.is_up() {
            self.link.send(&bytes);
            self.link.flush(&mut self.poller, false)?;
        }
        if waiting > 0 {
            let lines = super::display::counted(waiting, "line");
            self.notice(Notice::error(format!(
                "{lines} not sent: the server was too slow for them"
            )));
        }
        Ok(())
    }

    fn handle(
        &mut self,
        event: &Readiness,
        scratch: &mut [u8],
        news: &mut Vec<News>,
    ) -> io::Result<()> {
        match event.token {
            SIGNALS => self.take_signals(),
            SOCKET => self.link.ready(&mut self.poller, &mut self.timers, scratch, news),
            INPUT => {
                match &mut self.front {
                    Front::Person(_) => {}
                    Front::Script(script) => script.input_ready(&mut self.link, scratch),
                    Front::Console(console) => {
                        let action = console.input_ready(&mut self.link, &Zoned::now(), scratch);
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
                    self.keys_timer = Some(self.timers.arm(Instant::now() + timeout, Due::Keys));
                }
            }
            ConsoleAction::Leave => self.end_within(LAST_WORDS, Exit::Done),
            ConsoleAction::Vanish => self.ended = Some(Exit::Signal(SIGHUP)),
        }
    }

    /// Ends with `exit` when everything is sent, or after `limit`.
    fn end_within(&mut self, limit: Duration, exit: Exit) {
        if self.ending.is_none() {
            self.ending = Some(exit);
            self.timers.arm(Instant::now() + limit, Due::End);
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

    fn fire(&mut self, news: &mut Vec<News>) -> io::Result<()> {
        let now = Instant::now();
        while let Some(due) = self.timers.pop_due(now) {
            match due {
                Due::ConnectTimeout => {
                    self.link.connect_timed_out(&mut self.poller, &mut self.timers, news)?;
                }
                Due::Retry => self.link.start(&mut self.poller, &mut self.timers, news)?,
                Due::Keys => {
                    self.keys_timer = None;
                    if let Front::Console(console) = &mut self.front {
                        let action = console.timed_out(&mut self.link, &Zoned::now());
                        self.perform(action);
                    }
                }
                Due::Hint => self.hint(),
                Due::FirstWord if self.front.session().is_some_and(|it| it.has_answered()) => {}
                Due::FirstWord | Due::Registration => {
                    self.front.session().into_iter().for_each(Session::waited_enough);
                    self.judge()?;
                }
                Due::Answer => self.no_answer(),
                Due::End => self.ended = self.ending,
            }
        }
        Ok(())
    }

    /// Tells what has happened to the connection, and decides what follows.
    fn tell(&mut self, news: &mut Vec<News>) -> io::Result<()> {
        if news.is_empty() {
            return Ok(());
        }
        let now = Zoned::now();
        for item in std::mem::take(news) {
            match item {
                News::Line(line) => {
                    self.front.line(&line, &now);
                    // What is behind that belongs to a connection that counts no more.
                    if self.judge()? {
                        break;
                    }
                }
                News::LineTooLong => self.notice(Notice::error("a line too long to be shown")),
                News::Connected(address) => self.connected(address)?,
                News::Unreachable(address, why) => {
                    self.notice(Notice::error(format!("could not connect to {address}: {why}")));
                }
                News::NotConnected => match self.connected_at {
                    None => self.ended = Some(Exit::NotConnected),
                    Some(_) => self.retry(),
                },
                News::Closed => self.lost(None),
                News::Broken(error) => self.lost(Some(error)),
            }
        }
        Ok(())
    }

    fn notice(&mut self, notice: Notice) {
        self.front.notice(&notice, self.colours);
    }

    /// All is said: whether that is all well.
    fn done(&self) -> Exit {
        match &self.front {
            Front::Script(script) if script.has_failed() => Exit::TurnedAway,
            _ => Exit::Done,
        }
    }

    /// Whether there is nothing left to wait for.
    fn look_for_the_end(&mut self) {
        let waiting = self.front.session().map_or(0, |session| session.waiting());
        match &self.front {
            Front::Script(script) => {
                let said_all = script.has_said_all() && self.link.unsent() == 0;
                if script.output_closed() {
                    self.end_within(LAST_WORDS, Exit::Done);
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

    /// Shows what came last and gives the terminal back.
    fn farewell(mut self, exit: Exit, mut news: Vec<News>) -> io::Result<Exit> {
        let now = Zoned::now();
        for item in news.drain(..) {
            if let News::Line(line) = item {
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
