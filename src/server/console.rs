//! The operator's terminal: the edited line in the last row, the chat and the log above it.
//!
//! The one file of the server that uses `terminal/`. Rejected: the terminal's own editing, in which
//! every line that comes in tears the one being typed.
//!
//! What is shown goes to stdout by an [`Outlet`], one frame a turn. A frame begins by clearing the
//! row and ends by painting it, so a frame that a stopped terminal did not take leaves no trace
//! but its lines, which are counted and reported.
//!
//! What the operator is to the chat is in `operator`.

use super::log::{LogHold, is_on_stderr};
use super::outlet::{self, Content, Full, Outlet};
pub(super) use crate::terminal::ConsoleEvent;
use crate::terminal::raw::in_foreground;
use crate::terminal::{ConsoleOptions, LineConsole};
use std::io::{self, IsTerminal};
use std::time::Duration;

/// What others say: as the classic two-window chat showed it to its server.
const CYAN: &str = "36";
/// The prompt, and the operator's own lines.
const YELLOW: &str = "1;33";

/// Bytes of one turn's lines; more are left out.
const MOST_PER_TURN: usize = 256 * 1024;

/// The terminal, in raw mode while this exists, unless it is paused.
pub(super) struct Console {
    // The order matters when this is dropped: the log goes back to stderr last.
    console: LineConsole,
    outlet: Option<Outlet>,
    prompt: String,
    colours: bool,
    left_out: u64,
    /// The terminal belongs to the shell, or to another job.
    paused: bool,
    held: Option<LogHold>,
}

/// Whether a person types and reads here, and means this program: not one in the background.
pub(super) fn is_wanted(quiet: bool, no_console: bool) -> bool {
    let knows_escapes =
        std::env::var_os("TERM").is_some_and(|name| !name.is_empty() && name != "dumb");
    let at_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    !quiet && !no_console && at_terminal && knows_escapes && in_foreground(io::stdin())
}

impl Console {
    /// Makes standard input and output a raw terminal.
    ///
    /// # Errors
    /// They are no terminal, or there is no thread for the output.
    pub(super) fn open() -> io::Result<Console> {
        let outlet = Outlet::start(Content::Console, outlet::stdout)?;
        let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let console = LineConsole::open(ConsoleOptions {
            keeps_blank_lines: false,
            style: if colours { YELLOW } else { "" },
            mask: |_, _| None,
        })?;
        Ok(Console {
            console,
            outlet: Some(outlet),
            prompt: String::new(),
            colours,
            left_out: 0,
            paused: false,
            // Only the log of a server whose stderr is elsewhere keeps going there.
            held: (is_on_stderr() && io::stderr().is_terminal()).then(LogHold::start),
        })
    }

    /// How long to wait for more bytes before [`timed_out`](Console::timed_out).
    pub(super) fn timeout(&self) -> Option<Duration> {
        self.console.timeout()
    }

    /// The terminal is ready: reads once. What that meant is in
    /// [`next_event`](Console::next_event).
    pub(super) fn read(&mut self, scratch: &mut [u8]) {
        self.console.read(scratch);
    }

    /// The timeout has expired: an ESC was the key.
    pub(super) fn timed_out(&mut self) {
        self.console.timed_out();
    }

    /// The next thing that the operator asks for and the console does not do itself.
    pub(super) fn next_event(&mut self) -> Option<ConsoleEvent> {
        loop {
            match self.console.next_event()? {
                // Nothing is completed here: operators' commands are few, and `/help` lists them.
                ConsoleEvent::Complete => self.console.bell(),
                ConsoleEvent::PasteTooLong => self.print(b"* that paste is too long\n", false),
                ConsoleEvent::PasteDeclined(..)
                | ConsoleEvent::Unanswered
                | ConsoleEvent::Cleared => {}
                ConsoleEvent::PasteConfirmed(lines) => {
                    self.console.editor.clear();
                    return Some(ConsoleEvent::PasteConfirmed(lines));
                }
                ConsoleEvent::Line(line) => {
                    if !line.is_empty() {
                        self.console.editor.history.push(&line);
                    }
                    return Some(ConsoleEvent::Line(line));
                }
                event => return Some(event),
            }
        }
    }

    /// Sets what stands in front of the line.
    pub(super) fn set_prompt(&mut self, prompt: String) {
        self.console.set_prompt(&prompt);
        self.prompt = prompt;
    }

    /// Shows a line of the operator's own, as it is being done.
    pub(super) fn echo(&mut self, line: &str) {
        let mut shown = Vec::new();
        let style = if self.colours { YELLOW } else { "" };
        crate::terminal::styled(&self.prompt, style, &mut shown);
        shown.extend_from_slice(line.as_bytes());
        self.print_line(&shown);
    }

    /// Shows lines, each with its newline, above the row.
    pub(super) fn print(&mut self, lines: &[u8], coloured: bool) {
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            if coloured && self.colours {
                let start = format!("\x1b[{CYAN}m");
                self.print_line(&[start.as_bytes(), line, b"\x1b[0m"].concat());
            } else {
                self.print_line(line);
            }
        }
    }

    fn print_line(&mut self, line: &[u8]) {
        if self.console.pending() > MOST_PER_TURN {
            self.left_out += 1;
            return;
        }
        self.console.print(line);
    }

    /// Hands over what the turn has changed, as one frame.
    pub(super) fn present(&mut self) {
        self.print_log();
        if self.left_out > 0 && self.console.pending() <= MOST_PER_TURN {
            let text = format!("* the terminal is slow: {} lines are not shown", self.left_out);
            self.print_line(text.as_bytes());
        }
        let frame = if self.paused { self.console.last_frame() } else { self.console.frame() };
        self.send(frame);
    }

    fn print_log(&mut self) {
        let lines = self.held.as_ref().map(LogHold::take).unwrap_or_default();
        self.print(&lines, false);
    }

    fn send(&mut self, frame: Vec<u8>) {
        let Some(outlet) = self.outlet.as_ref().filter(|_| !frame.is_empty()) else { return };
        match outlet.send(frame) {
            Ok(()) => self.left_out = 0,
            Err(Full(frame)) => {
                self.left_out += outlet::lines(&frame);
                self.console.repaint();
            }
        }
    }

    /// The window has another size.
    pub(super) fn resized(&mut self) {
        if !self.paused {
            self.console.resized();
        }
    }

    /// Gives the terminal back while the process is stopped, or in the background.
    pub(super) fn pause(&mut self) {
        if std::mem::replace(&mut self.paused, true) {
            return;
        }
        if self.end_output() {
            // An error means that the terminal is gone; the next read reports it.
            let _ = self.console.pause();
        } else {
            self.console.abandon();
        }
    }

    /// Shows everything up to here and nothing more; whether the terminal has taken it.
    fn end_output(&mut self) -> bool {
        self.print_log();
        let frame = self.console.last_frame();
        self.send(frame);
        self.outlet.take().is_none_or(Outlet::finish)
    }

    /// Takes the terminal again, if it is ours; whether it is. In the background lines go on
    /// being shown, without a row.
    pub(super) fn resume(&mut self) -> bool {
        if self.outlet.is_none() {
            self.outlet = Outlet::start(Content::Console, outlet::stdout).ok();
        }
        if !in_foreground(io::stdin()) || self.console.resume().is_err() {
            return false;
        }
        self.paused = false;
        true
    }

    /// Whether the terminal has been given back for a while.
    pub(super) fn is_paused(&self) -> bool {
        self.paused
    }

    /// Gives the terminal back for good. What is dropped without it has its terminal restored
    /// all the same, after whatever was shown last.
    pub(super) fn close(mut self) {
        if !self.end_output() {
            self.console.abandon();
        }
    }
}
