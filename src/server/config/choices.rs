//! Settings that are one of a few words, and operators.

use crate::chat::PasswordHash;
use crate::server::password;
use clap::ValueEnum;
use std::str::FromStr;

/// `--registration` on the command line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Registration {
    /// Anyone, with /register; with --require-account also before they are admitted
    Open,
    /// Anyone, in IRC also before they are admitted (draft/account-registration=before-connect)
    Early,
    /// Server operators only, with /account add
    Operators,
    /// No one; chatloop-server passwd --add creates accounts while the server is stopped
    Closed,
}

/// `--transcript`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum When {
    /// Unless stdout is the log of a service manager
    Auto,
    On,
    Off,
}

/// A server operator, as `--oper` defines one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operator {
    /// The name that `/oper` is given.
    pub name: String,
    /// The hash of the password, or the password itself, to be hashed when it is first needed.
    pub hash: PasswordHash,
}

impl FromStr for Operator {
    type Err = String;

    fn from_str(text: &str) -> Result<Operator, String> {
        // The value may contain a password in place of its hash: it is not shown.
        match text.split_once(':') {
            Some((name, hash)) if !name.is_empty() && hash.starts_with("$argon2") => {
                Ok(Operator { name: name.to_owned(), hash: PasswordHash::new(hash) })
            }
            Some((name, password)) if !name.is_empty() && !password.is_empty() => {
                // What `hash` would not hash is no password here either.
                password::check(password).map_err(|why| format!("operator {name}: {why}"))?;
                // To hash it here would cost a tenth of a second at every start.
                Ok(Operator {
                    name: name.to_owned(),
                    hash: crate::server::hashing::unhashed(password),
                })
            }
            _ => Err("expected NAME:PASSWORD or NAME:HASH".to_owned()),
        }
    }
}

/// The verbosity of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum LogLevel {
    /// Nothing
    Off,
    /// Fatal errors
    Error,
    /// Also exceeded limits and disconnected clients
    Warn,
    /// Also startup, shutdown, moderation, and who connects from where
    Info,
    /// Also every connection
    Debug,
    /// Also every turn of the loop
    Trace,
}

impl LogLevel {
    /// In the log facade's own terms.
    pub fn filter(self) -> log::LevelFilter {
        log::LevelFilter::iter().nth(self as usize).unwrap_or(log::LevelFilter::Info)
    }
}
