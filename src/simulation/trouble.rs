//! Trouble with the data directory behind the server's back, as other programs and people make it.

use chatloop_reactor::dice::Dice;
use rusqlite::Connection;
use std::fs;
use std::path::PathBuf;

enum Trouble {
    /// Another program writes: its lock ends with its connection.
    Locked(Connection),
    /// The database rejects a record now and then.
    Refusing,
    /// The lock file is somewhere else.
    Moved,
}

/// A data directory.
pub(super) struct DataDirectory {
    path: PathBuf,
    trouble: Option<Trouble>,
}

impl DataDirectory {
    pub(super) fn new(path: PathBuf) -> DataDirectory {
        DataDirectory { path, trouble: None }
    }

    fn connect(&self) -> Result<Connection, String> {
        Connection::open(self.path.join("chatloop.db")).map_err(|error| error.to_string())
    }

    /// A trouble begins, or ends if there is one.
    ///
    /// # Errors
    /// The directory is not as it should be.
    pub(super) fn change(&mut self, dice: &mut Dice) -> Result<(), String> {
        if self.trouble.is_some() {
            return self.heal();
        }
        let run = |connection: Connection, sql: &str| {
            let done = connection.execute_batch(sql).map_err(|error| error.to_string());
            done.map(|()| connection)
        };
        self.trouble = Some(match dice.below(3) {
            0 => Trouble::Locked(run(self.connect()?, "BEGIN IMMEDIATE")?),
            1 => {
                // Those before it in the same transaction were taken.
                let sql = "CREATE TRIGGER refusal BEFORE INSERT ON record WHEN NEW.id % 3 = 0
                           BEGIN SELECT RAISE(ABORT, 'rejected by the simulation'); END";
                run(self.connect()?, sql)?;
                Trouble::Refusing
            }
            _ => {
                self.rename("chatloop.lock", "elsewhere")?;
                Trouble::Moved
            }
        });
        Ok(())
    }

    /// The trouble is over.
    ///
    /// # Errors
    /// The directory is not as it should be.
    pub(super) fn heal(&mut self) -> Result<(), String> {
        match self.trouble.take() {
            None => Ok(()),
            Some(Trouble::Locked(connection)) => {
                drop(connection);
                Ok(())
            }
            Some(Trouble::Refusing) => {
                let dropped = self.connect()?.execute_batch("DROP TRIGGER refusal");
                dropped.map_err(|error| error.to_string())
            }
            Some(Trouble::Moved) => self.rename("elsewhere", "chatloop.lock"),
        }
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), String> {
        let moved = fs::rename(self.path.join(from), self.path.join(to));
        moved.map_err(|error| format!("{from}: {error}"))
    }
}

impl Drop for DataDirectory {
    /// The run is over.
    fn drop(&mut self) {
        self.trouble = None;
        // What is left after a failure is no use to anyone.
        let _ = fs::remove_dir_all(&self.path);
    }
}
