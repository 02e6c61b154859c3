//! What all parts of a turn share: the poller, the timers and the time.

use chatloop_reactor::{Clock, Poller, TimerId, Timers, Token};
use jiff::ZonedDateTime;
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
}

impl EventLoop {
    pub fn new(poller: Poller) -> EventLoop {
        let clock = Clock::system();
        let time = ZonedDateTime::try_from(clock.wall()).unwrap_or_default();
        EventLoop { poller, timers: Timers::new(), clock, time, scratch: vec![0; READ_SHARE] }
    }

    /// Another turn begins.
    pub fn tick(&mut self) {
        self.clock.tick();
        self.time = ZonedDateTime::try_from(self.clock.wall()).unwrap_or_default();
    }

    pub fn arm(&mut self, after: Duration, what: TimerKind) -> TimerId {
        self.timers.arm(self.clock.now() + after, what)
    }
}
