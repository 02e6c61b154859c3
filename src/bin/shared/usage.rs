//! Messages about a program's command line: errors with its name in front, and help that a closed
//! pipe or a full disk behind standard output does not spoil.

use chatloop::settings::in_words;
use chatloop::wire::clean::clean_text;
use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};

/// Bytes of an error. A file that it is about may say anything, at any length.
const LONGEST_ERROR: usize = 4_096;

/// Prints clap's error or help; returns the exit code.
pub fn print_usage(program: &str, error: &clap::Error) -> u8 {
    let text = error.render();
    let shown = |terminal| {
        let text = if terminal { text.ansi().to_string() } else { text.to_string() };
        in_words(&text)
    };
    if !error.use_stderr() {
        return print_text(program, shown(io::stdout().is_terminal()), 0);
    }
    let text = shown(io::stderr().is_terminal());
    // The word that clap begins with, in its colour or without one.
    let end = text.find("error:").map_or(0, |at| at + "error:".len());
    eprint!("{program}: {}", text[end..].trim_start_matches("\x1b[0m").trim_start());
    u8::try_from(error.exit_code()).unwrap_or(2)
}

/// Prints a text; returns the exit code, which is `code` if all is well. A reader that has seen enough
/// is no error.
pub fn print_text(program: &str, text: impl AsRef<[u8]>, code: u8) -> u8 {
    let mut out = io::stdout();
    match out.write_all(text.as_ref()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            print_error(program, format_args!("could not write to standard output: {error}"));
            1
        }
        _ => code,
    }
}

/// Prints an error in one line, made harmless: it may repeat a word of a file that a stranger wrote.
pub fn print_error(program: &str, error: impl Display) {
    let error = error.to_string();
    let shown = &error[..error.floor_char_boundary(LONGEST_ERROR)];
    let more = if shown.len() < error.len() { "…" } else { "" };
    eprintln!("{program}: {}{more}", clean_text(shown));
}
