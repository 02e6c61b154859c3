//! A descriptor that other threads make readable, to end the loop's wait.
//!
//! An eventfd on Linux (one descriptor, a counter), a socket pair elsewhere. Wakes that come
//! before the loop has drained the descriptor are one: it means "look", never what happened.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod system {
    use nix::sys::eventfd::{EfdFlags, EventFd};
    use std::io;
    use std::os::fd::{AsFd, BorrowedFd};

    pub(super) struct Notifier(EventFd);

    impl Notifier {
        pub(super) fn new() -> io::Result<Notifier> {
            let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
            Ok(Notifier(EventFd::from_value_and_flags(0, flags)?))
        }

        pub(super) fn notify(&self) -> io::Result<()> {
            Ok(self.0.write(1).map(drop)?)
        }

        pub(super) fn clear(&self) -> io::Result<()> {
            Ok(self.0.read().map(drop)?)
        }

        pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod system {
    use std::io::{self, Read, Write};
    use std::os::fd::{AsFd, BorrowedFd};
    use std::os::unix::net::UnixStream;

    pub(super) struct Notifier {
        receiver: UnixStream,
        sender: UnixStream,
    }

    impl Notifier {
        pub(super) fn new() -> io::Result<Notifier> {
            let (receiver, sender) = UnixStream::pair()?;
            receiver.set_nonblocking(true)?;
            sender.set_nonblocking(true)?;
            Ok(Notifier { receiver, sender })
        }

        pub(super) fn notify(&self) -> io::Result<()> {
            (&self.sender).write(&[1]).map(drop)
        }

        pub(super) fn clear(&self) -> io::Result<()> {
            let mut bytes = [0; 64];
            while (&self.receiver).read(&mut bytes)? == bytes.len() {}
            Ok(())
        }

        pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
            self.receiver.as_fd()
        }
    }
}

/// The loop's side: watch it for reading.
pub struct WakeReceiver {
    notifier: Arc<system::Notifier>,
}

/// The other threads' side. Clones wake the same loop.
#[derive(Clone)]
pub struct Waker {
    notifier: Arc<system::Notifier>,
}

/// Both sides of one waker.
pub fn waker() -> io::Result<(Waker, WakeReceiver)> {
    let notifier = Arc::new(system::Notifier::new()?);
    Ok((Waker { notifier: Arc::clone(&notifier) }, WakeReceiver { notifier }))
}

impl Waker {
    /// Makes the loop's next wait return. Never blocks. The one error there can be (EAGAIN: it is
    /// full) means that a wake is pending already.
    pub fn wake(&self) {
        let _ = self.notifier.notify();
    }
}

impl WakeReceiver {
    /// Consumes all wakes so far. Call it before looking for results, never after: a wake between
    /// the look and the drain would be lost.
    pub fn drain(&self) {
        // EAGAIN: there was no wake, which is as good.
        let _ = self.notifier.clear();
    }
}

impl AsFd for WakeReceiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.notifier.descriptor()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Backend, Interest, Poller, Token};
    use super::*;
    use std::time::Duration;

    #[test]
    fn many_wakes_are_one_and_none_is_lost() {
        for backend in Backend::available() {
            let (waker, receiver) = waker().unwrap();
            let mut poller = Poller::new(*backend).unwrap();
            poller.add(&receiver, Token::fixed(1), Interest::READ).unwrap();
            let thread = std::thread::spawn(move || {
                for _ in 0..1_000 {
                    waker.wake();
                }
            });
            let mut events = Vec::new();
            poller.wait(&mut events, None).unwrap();
            assert_eq!(events[0].token, Token::fixed(1));
            thread.join().unwrap();
            receiver.drain();
            poller.wait(&mut events, Some(Duration::ZERO)).unwrap();
            assert!(events.is_empty(), "{backend}: drained, so silent");
        }
    }
}
