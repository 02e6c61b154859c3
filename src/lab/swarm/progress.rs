//! A progress bar on standard error, if that is a terminal.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;

/// The bar of the phase that runs.
pub fn bar() -> ProgressBar {
    if std::io::stderr().is_terminal() { ProgressBar::no_length() } else { ProgressBar::hidden() }
}

/// A new phase of `length` steps; 0 if unknown.
pub fn phase(bar: &ProgressBar, what: &str, length: u64) {
    let template = match length {
        0 => "{spinner} {msg}",
        _ => "{msg} {wide_bar} {human_pos}/{human_len} {elapsed}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_length(length);
    bar.set_position(0);
    bar.set_message(what.to_owned());
}
