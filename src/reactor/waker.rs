//! How does another thread end the loop's wait? It makes a descriptor readable.
//!
//! An eventfd on Linux (one descriptor, a counter), a socket pair elsewhere. Wakes that come
//! before the loop has drained the descriptor are one: it says "look", never what happened.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod system {
    use nix::sys::eventfd::{EfdFlags, EventFd};
    use std::io;
    use std::os::fd::{AsFd, BorrowedFd};

    pub(super) struct Bell(EventFd);

    impl Bell {
        pub(super) fn new() -> io::Result<Bell> {
            let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
            Ok(Bell(EventFd::from_value_and_flags(0, flags)?))
        }

        pub(super) fn ring(&self) -> io::Result<()> {
            self.0.write(1)?;
            Ok(())
        }

        pub(super) fn silence(&self) -> io::Result<()> {
            self.0.read()?;
            Ok(())
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

    pub(super) struct Bell {
        hear: UnixStream,
        pull: UnixStream,
    }

    impl Bell {
        pub(super) fn new() -> io::Result<Bell> {
            let (hear, pull) = UnixStream::pair()?;
            hear.set_nonblocking(true)?;
            pull.set_nonblocking(true)?;
            Ok(Bell { hear, pull })
        }

        pub(super) fn ring(&self) -> io::Result<()> {
            (&self.pull).write(&[1]).map(drop)
        }

        pub(super) fn silence(&self) -> io::Result<()> {
            let mut bytes = [0; 64];
            while (&self.hear).read(&mut bytes)? == bytes.len() {}
            Ok(())
        }

        pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
            self.hear.as_fd()
        }
    }
}

/// The loop's side: watch it for reading.
pub struct WakeReceiver {
    bell: Arc<system::Bell>,
}

/// The other threads' side. Clones ring the same bell.
#[derive(Clone)]
pub struct Waker {
    bell: Arc<system::Bell>,
}

/// Both sides of one waker.
///
/// # Errors
/// What the system said when it had no descriptor to give.
pub fn waker() -> io::Result<(Waker, WakeReceiver)> {
    let bell = Arc::new(system::Bell::new()?);
    Ok((Waker { bell: Arc::clone(&bell) }, WakeReceiver { bell }))
}

impl Waker {
    /// Makes the loop's next wait return. Never blocks. A bell that is full is ringing already,
    /// so the one error there can be (EAGAIN) means success.
    pub fn wake(&self) {
        let _ = self.bell.ring();
    }
}

impl WakeReceiver {
    /// Swallows all wakes so far. Call it before looking for what happened, never after: a wake
    /// between the look and the drain would be lost.
    pub fn drain(&self) {
        // EAGAIN: nobody rang, which is as good.
        let _ = self.bell.silence();
    }
}

impl AsFd for WakeReceiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.descriptor()
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
