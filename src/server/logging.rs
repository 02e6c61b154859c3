//! The log: one line an event, to stderr, and how much of it.
//!
//! `--log` decides for all of the program, and may be changed while it runs; where it is not
//! given, `RUST_LOG` decides, module by module if it likes.

use super::config::LogLevel;
use env_logger::Logger;
use log::{LevelFilter, Log, Metadata, Record};
use std::sync::atomic::{AtomicU8, Ordering};

/// In `LEVEL`: RUST_LOG decides.
const BY_ENVIRONMENT: u8 = u8::MAX;

/// The level of `--log` as a number, 0 for off.
static LEVEL: AtomicU8 = AtomicU8::new(BY_ENVIRONMENT);

/// Sends records on to stderr, or does not.
struct Gate {
    by_environment: Logger,
    all: Logger,
}

impl Gate {
    fn chosen(&self) -> Result<LevelFilter, &Logger> {
        match LEVEL.load(Ordering::Relaxed) {
            BY_ENVIRONMENT => Err(&self.by_environment),
            number => Ok(LevelFilter::iter().nth(number.into()).unwrap_or(LevelFilter::Info)),
        }
    }
}

impl Log for Gate {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        match self.chosen() {
            Ok(filter) => metadata.level() <= filter,
            Err(logger) => logger.enabled(metadata),
        }
    }

    fn log(&self, record: &Record<'_>) {
        match self.chosen() {
            Ok(filter) if record.level() <= filter => self.all.log(record),
            Ok(_) => {}
            Err(logger) => logger.log(record),
        }
    }

    fn flush(&self) {}
}

/// Starts the log of this process. A second call changes only the level.
pub fn start(level: Option<LogLevel>) {
    let logger = || {
        let mut builder = env_logger::Builder::new();
        builder.format_target(false);
        builder
    };
    let by_environment = logger().filter_level(LevelFilter::Info).parse_default_env().build();
    let all = logger().filter_level(LevelFilter::Trace).build();
    // Refused if there is one already, which then has the level.
    let _ = log::set_boxed_logger(Box::new(Gate { by_environment, all }));
    set_level(level);
}

/// From here on this much is logged; without a level, what RUST_LOG says.
pub fn set_level(level: Option<LogLevel>) {
    let number = level.map_or(BY_ENVIRONMENT, |level| level.filter() as u8);
    LEVEL.store(number, Ordering::Relaxed);
    log::set_max_level(level.map_or(LevelFilter::Trace, LogLevel::filter));
}
