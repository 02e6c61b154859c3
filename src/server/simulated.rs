//! A whole server that a simulation turns, and whose threads it moves.

use super::config::{Settings, Task};
use super::random::Random;
use super::turn::{Server, Setup};
use super::worker::Workers;
use crate::journal::Threads;
use chatloop_reactor::{Clock, Readiness};
use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::rc::Rc;

/// The work of what would be a thread, piece by piece: whether it has woken the loop.
type Work = Box<dyn FnMut() -> bool>;

/// A server on the thread's simulated network.
pub struct Simulated {
    server: Server,
    readiness: Vec<Readiness>,
    /// Behind the server: its end is theirs.
    threads: Rc<RefCell<Vec<Work>>>,
}

impl Simulated {
    /// What these flags ask for. To read them takes longer than many a run.
    ///
    /// # Errors
    /// What is wrong with the flags.
    pub fn settings(flags: &[String]) -> Result<Settings, String> {
        let fixed = ["chatloop-server", "127.0.0.1", "7777", "--quiet", "--no-console"];
        let arguments = fixed.iter().map(Into::into).chain(flags.iter().map(Into::into));
        match Task::read(arguments) {
            Ok(Task::Serve(settings)) => Ok(*settings),
            Ok(_) => Err(format!("{flags:?} do not start a server")),
            Err(problem) => Err(format!("{flags:?}: {problem:?}")),
        }
    }

    /// Starts one. The clock is the simulation's, and `seed` decides what it draws.
    ///
    /// # Errors
    /// What is wrong with the data directory.
    pub fn start(settings: Settings, clock: Clock, seed: u64) -> Result<Simulated, String> {
        let threads = Rc::new(RefCell::new(Vec::new()));
        let taken_over = Rc::clone(&threads);
        let steps = Threads::Steps(Rc::new(move |work| taken_over.borrow_mut().push(work)));
        let (work, random) =
            (|_, wakes| Workers::in_line(wakes, Random::seeded(seed)), Random::seeded(!seed));
        let setup = Setup { clock, signals: &[], work, threads: steps, random };
        let server = Server::start_with(settings, setup).map_err(|error| error.to_string())?;
        Ok(Simulated { server, readiness: Vec::new(), threads })
    }

    /// One turn: how many descriptors were ready. `None` if it would still wait.
    ///
    /// # Errors
    /// The poller has failed.
    pub fn turn(&mut self) -> io::Result<Option<usize>> {
        match self.server.turn(&mut self.readiness, None) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            turn => turn.map(Some),
        }
    }

    /// How many threads it would have: that of the journal that writes is the first one.
    pub fn threads(&self) -> usize {
        self.threads.borrow().len()
    }

    /// Lets a thread do one piece of its work. Whether it has woken the loop.
    pub fn work(&self, thread: usize) -> bool {
        self.threads.borrow_mut().get_mut(thread).is_some_and(|work| work())
    }

    /// Its calls of the system do not fail on purpose any more.
    pub fn stop_faults(&mut self) {
        self.server.exchange().net().trace().stop_faults();
    }

    /// The chat as it is, to be compared with itself.
    pub fn state(&mut self) -> impl PartialEq + use<> {
        self.server.exchange().hub().clone()
    }

    /// A number that grows with every record that is applied.
    pub fn records(&mut self) -> u64 {
        self.server.exchange().hub().last().map_or(0, |id| id.0)
    }

    /// What must be true between two turns, or what is not.
    ///
    /// # Errors
    /// The rule that is broken, and by which connection.
    pub fn check(&mut self) -> Result<(), String> {
        self.server.exchange().net().check()
    }
}

impl Drop for Simulated {
    /// The end of a trace tells what went wrong.
    fn drop(&mut self) {
        self.server.exchange().net().trace().finish();
    }
}
