//! Settings that are one of a few words.

use crate::journal::Durability as JournalDurability;
use crate::session::Style;
use clap::ValueEnum;

/// `--style` on the command line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum StyleName {
    /// Clean lines without escape sequences; empty lines are ignored
    Plain,
    /// Like the classic select-server course project: `\r`, colours, an empty line disconnects
    Classic,
}

impl From<StyleName> for Style {
    fn from(name: StyleName) -> Style {
        match name {
            StyleName::Plain => Style::Plain,
            StyleName::Classic => Style::Classic,
        }
    }
}

/// `--registration`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Registration {
    /// Everyone, by /register
    Open,
    /// Server operators only, by /account add
    Operators,
    /// No one; chatloop-server passwd --add, while the server does not run
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

/// `--durability`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Durability {
    /// The end of the process, also kill -9; a power cut may take the last seconds
    Process,
    /// A power cut as well, at the price of a wait for the disk with each commit
    Power,
}

impl From<Durability> for JournalDurability {
    fn from(name: Durability) -> JournalDurability {
        match name {
            Durability::Process => JournalDurability::Process,
            Durability::Power => JournalDurability::Power,
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
        match self {
            LogLevel::Off => log::LevelFilter::Off,
            LogLevel::Error => log::LevelFilter::Error,
            LogLevel::Warn => log::LevelFilter::Warn,
            LogLevel::Info => log::LevelFilter::Info,
            LogLevel::Debug => log::LevelFilter::Debug,
            LogLevel::Trace => log::LevelFilter::Trace,
        }
    }
}
