//! Signals as bytes in a pipe that the loop waits on like on any descriptor.
//!
//! A signal handler may interrupt any instruction, so it may do almost nothing: no allocation,
//! no lock, no logging. signal-hook's handler writes one byte into a socket pair and notes the
//! number; everything else happens in the loop, in its own time, as ordinary code.
//!
//! SIGPIPE is not among them. Its default kills a process that writes to a socket whose peer is gone,
//! which happens on a server every day; it is what ends most student servers. So it is ignored for
//! the whole process, and the same write returns the error EPIPE, which can be handled. The same goes
//! for SIGXFSZ, which kills a process whose file reaches `ulimit -f`: the write returns EFBIG.

use nix::sys::signal::{SigHandler, Signal as Number, signal};
use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::SignalOnly;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

/// A signal that a loop can handle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i32)]
pub enum Signal {
    /// SIGINT: Ctrl-C outside raw mode.
    Interrupt = libc::SIGINT,
    /// SIGTERM: a request to stop.
    Terminate = libc::SIGTERM,
    /// SIGHUP: the terminal is gone; servers take it for "reload the configuration".
    Hangup = libc::SIGHUP,
    /// SIGTSTP: Ctrl-Z outside raw mode.
    Suspend = libc::SIGTSTP,
    /// SIGCONT: running again.
    Continue = libc::SIGCONT,
    /// SIGWINCH: the terminal has another size.
    WindowChange = libc::SIGWINCH,
    /// SIGUSR1: whatever the program says it means.
    User1 = libc::SIGUSR1,
}

impl Signal {
    /// All of them.
    pub const ALL: [Signal; 7] = [
        Signal::Interrupt,
        Signal::Terminate,
        Signal::Hangup,
        Signal::Suspend,
        Signal::Continue,
        Signal::WindowChange,
        Signal::User1,
    ];

    /// Those that a program at a terminal handles: all but the last one.
    pub const TERMINAL: &[Signal] = Signal::ALL.split_at(6).0;
}

/// Ignores SIGPIPE and SIGXFSZ for the whole process, so that a write to a departed peer or to a file
/// at its limit is an error and not the end. Rust's runtime ignores the first before `main`; it is
/// done here again because everything rests on it, and because a program that embeds the loop may
/// have undone it.
pub fn ignore_write_signals() -> io::Result<()> {
    for number in [Number::SIGPIPE, Number::SIGXFSZ] {
        // SAFETY: to ignore a signal installs no handler, so nothing can run at a bad moment.
        unsafe { signal(number, SigHandler::SigIgn) }?;
    }
    Ok(())
}

/// Stops this process as Ctrl-Z would, when a program has caught SIGTSTP to tidy up first.
/// Returns when it is continued.
pub fn stop_this_process() -> io::Result<()> {
    // SIGSTOP and not SIGTSTP with its default action restored: no window in which a second
    // Ctrl-Z does something else.
    nix::sys::signal::raise(Number::SIGSTOP)?;
    Ok(())
}

/// The requested signals, as a descriptor. Watch it for reading.
pub struct Signals {
    delivery: SignalDelivery<UnixStream, SignalOnly>,
}

impl Signals {
    /// From here on `wanted` come through this pipe and have no other effect, until it is dropped.
    /// Those that this process was started to ignore, as under `nohup` or as a shell's background
    /// job, stay ignored: that was the intention.
    ///
    /// # Errors
    /// If no descriptor is left for the pipe.
    pub fn new(wanted: &[Signal]) -> io::Result<Signals> {
        let (read, write) = UnixStream::pair()?;
        let numbers = wanted.iter().map(|signal| *signal as i32);
        let numbers = numbers.filter(|number| !is_ignored(*number));
        let delivery = SignalDelivery::with_pipe(read, write, SignalOnly, numbers)?;
        Ok(Signals { delivery })
    }

    /// The signals since the last call; a signal that came twice in between is reported once.
    pub fn drain(&mut self) -> Vec<Signal> {
        let numbers: Vec<i32> = self.delivery.pending().collect();
        Signal::ALL.into_iter().filter(|signal| numbers.contains(&(*signal as i32))).collect()
    }
}

fn is_ignored(number: i32) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: with no new action sigaction changes nothing; it writes the present one, which is
    // read only if the call succeeded.
    unsafe {
        libc::sigaction(number, std::ptr::null(), action.as_mut_ptr()) == 0
            && action.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.delivery.get_read().as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Backend, Interest, Poller, Token};
    use super::*;

    #[test]
    fn what_was_ignored_stays_ignored() {
        // SIGCONT: no other test waits for it, and ignored it still continues.
        // SAFETY: to ignore a signal installs no handler.
        unsafe { signal(Number::SIGCONT, SigHandler::SigIgn) }.unwrap();
        let mut signals = Signals::new(&[Signal::Continue]).unwrap();
        nix::sys::signal::raise(Number::SIGCONT).unwrap();
        assert_eq!(signals.drain(), []);
        assert!(is_ignored(libc::SIGCONT) && !is_ignored(libc::SIGSEGV));
    }

    #[test]
    fn a_write_beyond_a_limit_is_an_error_and_not_the_end() {
        ignore_write_signals().unwrap();
        assert!(is_ignored(libc::SIGPIPE) && is_ignored(libc::SIGXFSZ));
    }

    #[test]
    fn a_signal_is_an_event_and_then_a_value() {
        // SIGWINCH and no other: its default is to do nothing, so tests that run beside this one
        // are safe.
        for backend in Backend::available() {
            let mut signals = Signals::new(&[Signal::WindowChange]).unwrap();
            let mut poller = Poller::new(*backend).unwrap();
            poller.add(&signals, Token::fixed(1), Interest::READ).unwrap();
            nix::sys::signal::raise(Number::SIGWINCH).unwrap();
            let mut events = Vec::new();
            while events.is_empty() {
                poller.wait(&mut events, None).unwrap(); // EINTR ends a wait early
            }
            assert_eq!(signals.drain(), [Signal::WindowChange]);
        }
    }
}
