//! What happens in one turn of the loop, and how does it end?
//!
//! `wait → signals, keys, socket → timers → news → flush → show`. Handlers queue; the socket is
//! written in one place, the screen in another.

use super::console::{Console, Wish};
use super::dialect::Dialect;
use super::front::Front;
use super::irc::{Session, Verdict, Wishes};
use super::link::{Link, News, READ_SHARE};
use super::options::{Options, Timestamps};
use super::outset::{is_person, poller_for_input, resolve, to_stderr, wants_colours, wishes};
use super::paint::{Painter, style};
use super::plain::Conversation;
use super::script::Script;
use super::watch::{INPUT, OUTPUT, SIGNALS, SOCKET};
use super::{Exit, Notice};
use crate::reactor::signals::stop_this_process;
use crate::reactor::{Event, Interest, Poller, Signal, Signals, TimerId, Timers};
use jiff::Zoned;
use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Attempts to connect again after a loss.
const MAX_ATTEMPTS: u32 = 10;
/// The pause before the first of them; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A connection that has stood this long makes the count of attempts begin anew. A server that
/// accepts and closes at once must not be tried for ever.
const STEADY: Duration = Duration::from_secs(10);
/// How long a leaving person's last lines may take to be sent.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How many times `--timeout` an IRC server may take for its first word. Some look up who we are
/// before they read anything.
const FIRST_WORD: u32 = 5;
/// How many times `--timeout` an IRC server may take for the next sign that it has taken what a
/// script said: an answer to a PING, or the words themselves. One that has none is a server that
/// knows no PING, or hangs.
const NEXT_ANSWER: u32 = 30;
/// Attempts to be in time with the first word. A machine under load may come later than the
/// server waits.
const MAX_LATE: u32 = 5;
/// How long it may take to let us in.
const REGISTRATION: Duration = Duration::from_secs(60);
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
                None => Dialect::Plain(Box::new(Conversation::new(options.bell))),
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
            let lines = super::heard::counted(waiting, "line");
            self.notice(Notice::error(format!(
                "{lines} not sent: the server was too slow for them"
            )));
        }
        Ok(())
    }

    fn handle(
        &mut self,
        event: &Event,
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
                        let wish = console.input_ready(&mut self.link, &Zoned::now(), scratch);
                        self.grant(wish);
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

    fn grant(&mut self, wish: Wish) {
        match wish {
            Wish::Stay => {
                if let Some(timer) = self.keys_timer.take() {
                    self.timers.cancel(timer);
                }
                if let Front::Console(console) = &self.front
                    && let Some(patience) = console.patience()
                {
                    self.keys_timer = Some(self.timers.arm(Instant::now() + patience, Due::Keys));
                }
            }
            Wish::Leave => self.end_within(LAST_WORDS, Exit::Done),
            Wish::Vanish => self.ended = Some(Exit::Signal(SIGHUP)),
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
                        let wish = console.patience_ended(&mut self.link, &Zoned::now());
                        self.grant(wish);
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

    fn connected(&mut self, address: SocketAddr) -> io::Result<()> {
        self.connected_at = Some(Instant::now());
        if let Front::Person(dialect) = &mut self.front
            && let Some(dialect) = dialect.take()
        {
            let timestamps = self.options.timestamps != Timestamps::Never;
            let painter = Painter::new(self.colours, timestamps);
            self.front = Front::Console(Box::new(Console::open(painter, dialect)?));
        }
        self.front.connected(&Zoned::now());
        self.notice(Notice::note(format!("connected to {address}")));
        if self.front.session().is_some() {
            let (now, first) = (Instant::now(), self.options.timeout);
            for (after, due) in [
                (first, Due::Hint),
                (first * FIRST_WORD, Due::FirstWord),
                (REGISTRATION, Due::Registration),
            ] {
                self.door_timers.push(self.timers.arm(now + after, due));
            }
        }
        Ok(())
    }

    /// Measures how long a script waits for the server to take what it said. While nobody reads
    /// our output we do not read the server either, and that is no fault of it.
    fn watch_answers(&mut self) {
        let reads = matches!(self.front, Front::Script(_)) && self.front.is_listening();
        let up = self.link.is_up() && reads;
        let owed = self.front.session().filter(|_| up).and_then(|session| session.owed());
        if owed == self.awaited.map(|(owed, _)| owed) {
            return;
        }
        if let Some((_, timer)) = self.awaited.take() {
            self.timers.cancel(timer);
        }
        let limit = Instant::now() + self.options.timeout * NEXT_ANSWER;
        self.awaited = owed.map(|owed| (owed, self.timers.arm(limit, Due::Answer)));
    }

    fn no_answer(&mut self) {
        let limit = (self.options.timeout * NEXT_ANSWER).as_secs_f64();
        self.notice(Notice::error(format!(
            "the server has answered no PING for {limit} s: what was said last may not have been heard"
        )));
        self.ended.get_or_insert(Exit::Lost);
    }

    fn hint(&mut self) {
        if self.front.session().is_some_and(|session| !session.has_answered()) {
            let text =
                "the server is silent; if it knows no IRC, --plain talks to it in plain lines";
            self.notice(Notice::note(text));
        }
    }

    /// Looks whether an IRC server has let us in, or will not: then it is over, or to be tried
    /// again.
    fn judge(&mut self) -> io::Result<bool> {
        let Some(session) = self.front.session() else { return Ok(false) };
        let (settled, was_in) = (session.is_settled(), session.was_in());
        let verdict = session.take_verdict();
        if settled {
            self.late = 0;
        }
        if settled || verdict.is_some() {
            for timer in self.door_timers.drain(..) {
                self.timers.cancel(timer);
            }
        }
        let why = match verdict {
            None => return Ok(false),
            Some(Verdict::Late(_)) if self.late < MAX_LATE => {
                self.late += 1;
                self.link.abandon(&mut self.poller)?;
                self.link.forget_unsent();
                self.timers.arm(Instant::now(), Due::Retry);
                return Ok(true);
            }
            Some(Verdict::Refused(why) | Verdict::NotIrc(why) | Verdict::Late(why)) => why,
        };
        self.notice(Notice::error(why));
        if !was_in {
            self.ended.get_or_insert(Exit::TurnedAway);
            return Ok(true);
        }
        // It has let us in before, and may again.
        self.link.abandon(&mut self.poller)?;
        self.lost(None);
        Ok(true)
    }

    fn lost(&mut self, error: Option<io::Error>) {
        if self.connected_at.is_some_and(|since| since.elapsed() >= STEADY) {
            self.attempts = 0;
        }
        let unsent = self.link.forget_unsent();
        for timer in self.door_timers.drain(..) {
            self.timers.cancel(timer);
        }
        if let Some(why) = self.front.session().and_then(Session::disconnected) {
            self.notice(Notice::error(why));
            self.ended.get_or_insert(Exit::TurnedAway);
            return;
        }
        if let Front::Script(script) = &mut self.front {
            script.look_for_end_of_input();
        }
        let (farewell, persistent) = match &self.front {
            // A script that has said everything has nothing to lose.
            Front::Script(script) => (
                script.has_said_farewell()
                    || (script.has_said_all() && unsent == 0 && error.is_none()),
                false,
            ),
            Front::Console(console) => {
                (console.has_said_farewell() || self.ending.is_some(), !self.options.no_reconnect)
            }
            Front::Person(_) => (false, false),
        };
        if farewell {
            self.ended = Some(self.done());
            return;
        }
        self.notice(Notice::error(match &error {
            None => "connection lost: the server has closed it".to_owned(),
            Some(error) => format!("connection lost: {error}"),
        }));
        if unsent > 0 {
            self.notice(Notice::error(format!("{unsent} bytes were not sent")));
        }
        if persistent { self.retry() } else { self.ended = Some(Exit::Lost) }
    }

    fn retry(&mut self) {
        if self.attempts == MAX_ATTEMPTS {
            self.notice(Notice::error(format!("gave up after {MAX_ATTEMPTS} attempts")));
            self.ended = Some(Exit::Lost);
            return;
        }
        let pause = (FIRST_PAUSE * (1 << self.attempts)).min(LONGEST_PAUSE);
        self.attempts += 1;
        let seconds = pause.as_secs_f64();
        let text = format!("next attempt in {seconds} s ({} of {MAX_ATTEMPTS})", self.attempts);
        self.notice(Notice::note(text));
        self.timers.arm(Instant::now() + pause, Due::Retry);
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
