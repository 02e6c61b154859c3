//! The state that all parts of a turn share: the poller, the timers and the time.

use crate::trace::{Phase, Trace};
use chatloop_reactor::{Clock, Poller, Readiness, TimerId, Timers, Token};
use jiff::ZonedDateTime;
use std::io;
use std::path::Path;
use std::time::Duration;

/// Bytes of one read, so that a flood does not block the keyboard.
const READ_SHARE: usize = 64 * 1024;

/// The signals' pipe.
pub(super) const SIGNALS: Token = Token::fixed(0);
/// The connection, being made or made.
pub(super) const SOCKET: Token = Token::fixed(1);
/// Standard input.
pub(super) const INPUT: Token = Token::fixed(2);
/// Standard output of a script.
pub(super) const OUTPUT: Token = Token::fixed(3);
/// The connection in the trace.
pub(super) const SERVER: Token = Token::from_bits(0);

/// What the thread that moves a file has to tell.
pub(super) const FILES: Token = Token::fixed(4);

/// What a timer is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TimerKind {
    /// Give up connecting to this address.
    ConnectTimeout,
    /// Reconnect.
    Reconnect,
    /// Decide that an ESC was the key.
    EscapeTimeout,
    /// Tell the person that the server is silent.
    SilenceHint,
    /// Give up on a server that has sent no line.
    FirstLine,
    /// Give up on a server that has not answered the registration.
    Registration,
    /// Give up on a server that does not take a script's lines.
    Answer,
    /// Exit, whatever might still arrive.
    Exit,
}

pub(super) struct EventLoop {
    pub poller: Poller,
    pub timers: Timers<TimerKind>,
    pub clock: Clock,
    /// The clock's date, as people here write it.
    pub time: ZonedDateTime,
    /// A buffer for reading.
    pub scratch: Vec<u8>,
    /// What the loop does, for those who watch it.
    pub trace: Trace,
}

impl EventLoop {
    /// # Errors
    /// The file of the trace cannot be written.
    pub fn new(poller: Poller, trace: Option<&Path>) -> io::Result<EventLoop> {
        let clock = Clock::system();
        let time = ZonedDateTime::try_from(clock.wall()).unwrap_or_default();
        let trace = match trace {
            Some(path) => Trace::to_file(path, &clock)?,
            None => Trace::off(&clock),
        };
        for (token, name) in
            [(SIGNALS, "signals"), (SOCKET, "server"), (INPUT, "keys"), (OUTPUT, "output")]
        {
            trace.label(token, || name.to_owned());
        }
        trace.label(SERVER, || "server".to_owned());
        let (timers, scratch) = (Timers::new(), vec![0; READ_SHARE]);
        Ok(EventLoop { poller, timers, clock, time, scratch, trace })
    }

    /// Waits until something is ready or due; then a turn begins.
    ///
    /// # Errors
    /// The poller's.
    pub fn wait(&mut self, ready: &mut Vec<Readiness>) -> io::Result<()> {
        self.trace.end_turn();
        let now = self.clock.now() + self.clock.spent();
        self.poller.wait(ready, self.timers.time_left(now))?;
        self.tick();
        self.trace.begin_turn(&self.clock, now, ready);
        Ok(())
    }

    /// A phase of the turn has ended.
    pub fn end_phase(&self, phase: Phase) {
        self.trace.phase(phase, &self.clock);
    }

    /// Another turn begins.
    fn tick(&mut self) {
        self.clock.tick();
        self.time = ZonedDateTime::try_from(self.clock.wall()).unwrap_or_default();
    }

    pub fn arm(&mut self, after: Duration, what: TimerKind) -> TimerId {
        self.timers.arm(self.clock.now() + after, what)
    }
}
