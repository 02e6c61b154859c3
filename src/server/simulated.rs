//! A whole server that a simulation turns, with its workers and its journal in the loop's thread.

use super::config::Task;
use super::random::Random;
use super::turn::{Server, Setup};
use super::worker::Workers;
use chatloop_reactor::{Clock, Readiness};
use std::io;

/// A server on the thread's simulated network.
pub struct Simulated {
    server: Server,
    readiness: Vec<Readiness>,
}

impl Simulated {
    /// Starts one with these flags. The clock is the simulation's, and `seed` decides what it draws.
    ///
    /// # Errors
    /// What is wrong with the flags or the data directory.
    pub fn start(flags: &[String], clock: Clock, seed: u64) -> Result<Simulated, String> {
        let fixed = ["chatloop-server", "127.0.0.1", "7777", "--quiet", "--no-console"];
        let arguments = fixed.iter().map(Into::into).chain(flags.iter().map(Into::into));
        let settings = match Task::read(arguments) {
            Ok(Task::Serve(settings)) => settings,
            Ok(_) => return Err(format!("{flags:?} do not start a server")),
            Err(problem) => return Err(format!("{flags:?}: {problem:?}")),
        };
        let work = |_, wakes| Workers::in_line(wakes, Random::Seeded(seed));
        let setup = Setup { clock, signals: &[], work, inline: true };
        let server = Server::start_with(*settings, setup).map_err(|error| error.to_string())?;
        Ok(Simulated { server, readiness: Vec::new() })
    }

    /// One turn; how many descriptors were ready.
    ///
    /// # Errors
    /// The poller has failed.
    pub fn turn(&mut self) -> io::Result<usize> {
        self.server.turn(&mut self.readiness, None)
    }

    /// What must be true between two turns, or what is not.
    ///
    /// # Errors
    /// The rule that is broken, and by which connection.
    pub fn check(&mut self) -> Result<(), String> {
        self.server.exchange().net().check()
    }
}
