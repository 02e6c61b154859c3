//! A progress bar on standard error, if that is a terminal.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;

/// The bar of the phase that runs.
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    pub fn new() -> Progress {
        let bar = match std::io::stderr().is_terminal() {
            true => ProgressBar::no_length(),
            false => ProgressBar::hidden(),
        };
        Progress { bar }
    }

    /// A new phase of `length` steps; 0 if unknown.
    pub fn phase(&self, what: &str, length: u64) {
        let template = match length {
            0 => "{spinner} {msg}",
            _ => "{msg} {wide_bar} {human_pos}/{human_len} {elapsed}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.set_length(length);
        self.bar.set_position(0);
        self.bar.set_message(what.to_owned());
    }

    /// `position` steps of the phase are done.
    pub fn at(&self, position: u64) {
        self.bar.set_position(position);
    }

    /// Takes the bar off the screen.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
