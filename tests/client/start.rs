//! Starting programs one at a time.
//!
//! Between fork and exec a child holds every descriptor of this process, the pipes of other tests
//! among them: a test that closes a pipe then and waits for its other end to notice might wait for
//! a stranger. So programs are started under a lock, and a test that cares closes under it, too.

use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};

static STARTING: Mutex<()> = Mutex::new(());

/// No one is between fork and exec as long as this is held.
pub fn nobody_is_starting() -> MutexGuard<'static, ()> {
    STARTING.lock().unwrap_or_else(PoisonError::into_inner)
}

pub trait Start {
    /// Starts the program; when this returns it has become the program.
    fn start(&mut self) -> Child;
}

impl Start for Command {
    fn start(&mut self) -> Child {
        // A client without a home has no settings, and remembers no server for the next test at its port.
        for home in ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"] {
            if self.get_envs().all(|(set, _)| set != home) {
                self.env_remove(home);
            }
        }
        let _guard = nobody_is_starting();
        self.spawn().unwrap()
    }
}
