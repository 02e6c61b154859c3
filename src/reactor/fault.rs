//! Faults on purpose, at the boundary to the system: what a program meets once a year, every second.
//!
//! A program that is right only when a write takes everything and a readable socket has bytes works
//! on every desk and fails in the field. Here the calls lie instead: a write takes a part, a read finds
//! nothing, a wait is interrupted. All of it is allowed to happen anyway, so a loop that is right loses
//! nothing by it. The same seed makes the same decisions, call by call.
//!
//! A program without faults pays for a test of a pointer: they live where a [layer](super::layer)
//! over the socket does, and beside the poller's backend.
//!
//! Limits: reads are not interrupted, because `stream.rs` would try again before anyone sees it.
//! Nothing is made up for a socket that has lost its peer: a read
//! that finds nothing there is the end, and the system would not lie about it.

use super::dice::Dice;
use super::stream::{Received, Stream};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::str::FromStr;

/// What can be injected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Injected {
    /// A write took a part of what it was given.
    ShortWrite,
    /// A read brought a part of what was there.
    ShortRead,
    /// A call was interrupted by a signal.
    Interrupted,
    /// The socket was not ready after all.
    WouldBlock,
    /// The connection was reset.
    Reset,
    /// There was no descriptor left for a connection.
    NoDescriptor,
}

impl Injected {
    const ALL: [Injected; 6] = [
        Injected::ShortWrite,
        Injected::ShortRead,
        Injected::Interrupted,
        Injected::WouldBlock,
        Injected::Reset,
        Injected::NoDescriptor,
    ];

    /// Its name in a [`FaultPlan`].
    pub const fn name(self) -> &'static str {
        match self {
            Injected::ShortWrite => "short-write",
            Injected::ShortRead => "short-read",
            Injected::Interrupted => "eintr",
            Injected::WouldBlock => "eagain",
            Injected::Reset => "reset",
            Injected::NoDescriptor => "accept-emfile",
        }
    }
}

/// How often each fault is injected: `short-write=0.3,eagain=0.1,seed=42`.
///
/// ```
/// use chatloop_reactor::fault::{FaultPlan, Injected};
/// let plan: FaultPlan = "short-write=0.5,seed=7".parse().unwrap();
/// assert_eq!(plan.to_string(), "short-write=0.5,seed=7");
/// assert!("short-write=2".parse::<FaultPlan>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct FaultPlan {
    rates: [f64; Injected::ALL.len()],
    seed: u64,
}

/// A fault that always happens would keep a loop from ever getting on.
const HIGHEST: f64 = 0.9;

impl FromStr for FaultPlan {
    type Err = String;

    fn from_str(text: &str) -> Result<FaultPlan, String> {
        let mut plan = FaultPlan::default();
        for part in text.split(',') {
            let example = "expected for example short-write=0.3,eagain=0.1,seed=42";
            let Some((name, value)) = part.split_once('=') else {
                return Err(format!("invalid fault '{part}': {example}"));
            };
            if name == "seed" {
                plan.seed = value
                    .parse()
                    .map_err(|_| format!("invalid seed '{value}': expected a whole number"))?;
                continue;
            }
            let Some(what) = Injected::ALL.iter().find(|what| what.name() == name) else {
                let names = Injected::ALL.map(|what| what.name()).join(", ");
                return Err(format!("unknown fault '{name}': expected one of {names}"));
            };
            plan.rates[*what as usize] =
                value.parse().ok().filter(|rate| (0.0..=HIGHEST).contains(rate)).ok_or_else(
                    || format!("{name}={value}: expected a rate from 0 to {HIGHEST}"),
                )?;
        }
        Ok(plan)
    }
}

impl fmt::Display for FaultPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for what in Injected::ALL {
            let rate = self.rates[what as usize];
            if rate > 0.0 {
                write!(f, "{}={rate},", what.name())?;
            }
        }
        write!(f, "seed={}", self.seed)
    }
}

/// Injected faults that are kept until someone asks for them; more are not told.
const MOST_KEPT: usize = 64;

/// The faults of one loop.
pub struct Faults {
    plan: Cell<FaultPlan>,
    dice: RefCell<Dice>,
    injected: RefCell<Vec<Injected>>,
}

impl Faults {
    /// Those of this plan, from its seed on.
    pub fn new(plan: FaultPlan) -> Rc<Faults> {
        let (dice, injected) = (RefCell::new(Dice::new(plan.seed)), RefCell::default());
        Rc::new(Faults { plan: Cell::new(plan), dice, injected })
    }

    /// From here on nothing fails.
    pub fn stop(&self) {
        self.plan.set(FaultPlan::default());
    }

    /// Those injected since the last call.
    pub fn take(&self) -> Vec<Injected> {
        self.injected.take()
    }

    fn random(&self) -> u64 {
        self.dice.borrow_mut().number()
    }

    fn happens(&self, what: Injected) -> bool {
        let rate = self.plan.get().rates[what as usize];
        let happens = rate > 0.0 && (self.random() >> 11) as f64 / (1u64 << 53) as f64 <= rate;
        if happens && self.injected.borrow().len() < MOST_KEPT {
            self.injected.borrow_mut().push(what);
        }
        happens
    }

    /// A part of `length`, at least one.
    fn part(&self, length: usize) -> usize {
        1 + (self.random() % (length as u64 - 1)) as usize
    }

    pub(super) fn read(&self, socket: &Stream, buffer: &mut [u8]) -> Received {
        if socket.has_peer() {
            if self.happens(Injected::Reset) {
                socket.reset_on_close();
                return Received::Failed(io::ErrorKind::ConnectionReset.into());
            }
            if self.happens(Injected::WouldBlock) {
                return Received::WouldBlock;
            }
        }
        let length = buffer.len();
        let short = length > 1 && self.happens(Injected::ShortRead);
        let end = if short { self.part(length.min(64)) } else { length };
        socket.read(&mut buffer[..end])
    }

    pub(super) fn write(&self, socket: &Stream, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        for (what, error) in [
            (Injected::Reset, io::ErrorKind::ConnectionReset),
            (Injected::WouldBlock, io::ErrorKind::WouldBlock),
            (Injected::Interrupted, io::ErrorKind::Interrupted),
        ] {
            if self.happens(what) {
                if what == Injected::Reset {
                    socket.reset_on_close();
                }
                return Err(error.into());
            }
        }
        let length: usize = slices.iter().map(|slice| slice.len()).sum();
        if length > 1 && self.happens(Injected::ShortWrite) {
            let first = slices.iter().find(|slice| !slice.is_empty());
            let first: &[u8] = first.map_or(&[], |slice| slice);
            let end = if first.len() > 1 { self.part(first.len()) } else { first.len() };
            return socket.write(&first[..end]);
        }
        socket.write_vectored(slices)
    }

    /// The error that an accept is to fail with.
    pub(super) fn accept(&self) -> Option<io::Error> {
        let happens = self.happens(Injected::NoDescriptor);
        happens.then(|| io::Error::from_raw_os_error(libc::EMFILE))
    }

    /// Whether a wait is to be interrupted.
    pub(super) fn interrupts(&self) -> bool {
        self.happens(Injected::Interrupted)
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.plan.get().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::chunk::ChunkWriter;
    use crate::{Backend, Interest, Listener, Outbox, Poller, Token, Transport, Written};
    use std::net::TcpStream;
    use std::time::Duration;

    fn plan(text: &str) -> FaultPlan {
        text.parse().unwrap()
    }

    #[test]
    fn the_same_seed_makes_the_same_decisions() {
        let decisions = |text| {
            let faults = Faults::new(plan(text));
            let decide = |_| (faults.happens(Injected::ShortWrite), faults.part(100));
            (0..100).map(decide).collect::<Vec<_>>()
        };
        assert_eq!(decisions("short-write=0.5,seed=1"), decisions("short-write=0.5,seed=1"));
        assert_ne!(decisions("short-write=0.5,seed=1"), decisions("short-write=0.5,seed=2"));
        assert!(decisions("eagain=0.5").iter().all(|(happens, _)| !happens));
        let faults = Faults::new(plan("short-write=0.9"));
        faults.stop();
        assert!((0..100).all(|_| !faults.happens(Injected::ShortWrite)));
    }

    /// An outbox, a poller and a reader that take what is injected for what it is.
    #[test]
    fn a_loop_that_is_right_loses_nothing() {
        let faults = Faults::new(plan("short-write=0.5,short-read=0.5,eintr=0.3,eagain=0.3"));
        let mut listener = Listener::bind("127.0.0.1:0".parse().unwrap(), 16).unwrap();
        listener.disturb(&faults);
        let far = TcpStream::connect(listener.local_address().unwrap()).unwrap();
        let mut near: Vec<Transport> = Vec::new();
        while near.is_empty() {
            let _ = listener.accept_each(1, |transport, _| near.push(transport));
        }
        let (mut near, mut far) = (near.remove(0), Transport::new(Stream::new(far).unwrap()));
        let sent: Vec<u8> = (0..5_000u32).flat_map(u32::to_le_bytes).collect();
        let (mut outbox, mut messages) = (Outbox::new(), sent.chunks(100));
        let (mut received, mut echo, mut ready) = (Vec::new(), Outbox::new(), Vec::new());
        let mut poller = Poller::new(Backend::best()).unwrap();
        poller.disturb(&faults);
        poller.add(&near, Token::fixed(1), Interest::READ).unwrap();
        // Out by the faulty end, back to it, one turn after the other.
        let (mut back, mut idle) = (Vec::new(), 0);
        while back.len() < sent.len() {
            idle = if ready.is_empty() { idle + 1 } else { 0 };
            assert!(idle < 500, "{} bytes are missing", sent.len() - back.len());
            if outbox.is_empty()
                && let Some(message) = messages.next()
            {
                outbox.push(&ChunkWriter::new().append(message));
            }
            let interest = Interest { readable: true, writable: !outbox.is_empty() };
            poller.modify(&near, Token::fixed(1), interest).unwrap();
            poller.wait(&mut ready, Some(Duration::from_millis(10))).unwrap();
            if ready.iter().any(|ready| ready.writable) {
                assert!(!matches!(outbox.write_to(&mut near, 1_000), Written::Failed(_)));
            }
            let mut buffer = [0; 4096];
            if ready.iter().any(|ready| ready.readable)
                && let Received::Bytes(count) = near.read(&mut buffer)
            {
                back.extend_from_slice(&buffer[..count]);
            }
            if let Received::Bytes(count) = far.read(&mut buffer) {
                received.extend_from_slice(&buffer[..count]);
                echo.push(&ChunkWriter::new().append(&buffer[..count]));
            }
            let _ = echo.write_to(&mut far, usize::MAX);
        }
        assert!(back == sent && received == sent);
        assert!(!faults.take().is_empty());
    }
}
