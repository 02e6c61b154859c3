//! How does the operator talk from the terminal the server was started at? The editor in the last
//! row, the chat and the log above it.
//!
//! The one file of the server that uses `terminal/`. Rejected: a line editor of the server's own,
//! which would be a second and a worse one; and the terminal's own editing, in which every line
//! that comes in tears the one being typed.
//!
//! What is shown goes to stdout by an [`Outlet`], one frame a turn. A frame begins by clearing the
//! row and ends by painting it, so a frame that a stopped terminal did not take leaves no trace
//! but its lines, which are counted and said.
//!
//! What the operator is to the chat stands in `operator`.

use super::log::Held;
use super::outlet::{Outlet, Refused};
use crate::terminal::raw::{in_foreground, suspend_job};
use crate::terminal::{Code, Decoder, Editor, Face, Input, Key, Outcome, RawMode, Screen};
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

/// What others say: as the classic two-window chat showed it to its server.
const CYAN: &str = "36";
/// The prompt, and what the operator has said.
const YELLOW: &str = "1;33";

/// Bytes of one turn's lines; more are left out.
const MOST_PER_TURN: usize = 256 * 1024;

/// What the operator's keys ask for.
pub(super) enum Wish {
    /// This line is to be said, or done.
    Line(String),
    /// Stop the server.
    Stop,
    /// Close the console.
    Close,
    /// Nothing: the terminal is gone.
    Vanish,
}

/// The terminal, in raw mode while this exists, unless it is paused.
pub(super) struct Console {
    // The order matters when this is dropped: the log goes back to stderr last.
    terminal: Option<RawMode>,
    outlet: Option<Outlet>,
    decoder: Decoder,
    inputs: Vec<Input>,
    editor: Editor,
    screen: Screen,
    prompt: String,
    colours: bool,
    /// A paste that waits for a yes.
    question: Option<Vec<String>>,
    out: Vec<u8>,
    left_out: u64,
    stale: bool,
    /// The terminal belongs to the shell, or to another job.
    paused: bool,
    held: Option<Held>,
}

/// Whether somebody types and reads here, and means this program: not one in the background.
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
    /// What the system said: they are none, or there is no thread for the output.
    pub(super) fn open() -> io::Result<Console> {
        let outlet = Outlet::start("console", io::stdout)?;
        let terminal = RawMode::enter(io::stdin(), io::stdout())?;
        let screen = Screen::new(terminal.columns());
        let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Ok(Console {
            terminal: Some(terminal),
            outlet: Some(outlet),
            decoder: Decoder::new(),
            inputs: Vec::new(),
            editor: Editor::new(),
            screen,
            prompt: String::new(),
            colours,
            question: None,
            out: Vec::new(),
            left_out: 0,
            stale: true,
            paused: false,
            // Only the log of a server whose stderr is elsewhere keeps going there.
            held: io::stderr().is_terminal().then(Held::start),
        })
    }

    /// How long to wait for more bytes before [`patience_ended`](Console::patience_ended).
    pub(super) fn patience(&self) -> Option<Duration> {
        self.decoder.patience()
    }

    /// The terminal is ready: read once and say what the keys ask for.
    pub(super) fn input_ready(&mut self, scratch: &mut [u8]) -> Vec<Wish> {
        let Some(terminal) = &self.terminal else { return Vec::new() };
        match terminal.read(scratch) {
            Ok(count) if count > 0 => {
                self.decoder.feed(&scratch[..count], &mut self.inputs);
                self.act()
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock
                ) =>
            {
                Vec::new()
            }
            Ok(_) | Err(_) => vec![Wish::Vanish],
        }
    }

    /// No more bytes came in time: an ESC was the key.
    pub(super) fn patience_ended(&mut self) -> Vec<Wish> {
        self.decoder.flush(&mut self.inputs);
        self.act()
    }

    fn act(&mut self) -> Vec<Wish> {
        let mut wishes = Vec::new();
        for input in std::mem::take(&mut self.inputs) {
            match (input, self.question.take()) {
                // In the row of a server Ctrl-C means the server, whatever is half typed.
                (Input::Key(Key { code: Code::Char('c'), control: true, .. }), _) => {
                    wishes.push(Wish::Stop);
                }
                (Input::Key(key), Some(lines)) => self.answer(key, lines, &mut wishes),
                (Input::Key(key), None) => {
                    let outcome = self.editor.key(key);
                    self.follow(outcome, &mut wishes);
                }
                // A second paste while the first one waits: one question at a time.
                (_, Some(lines)) => {
                    self.question = Some(lines);
                    self.bell();
                }
                (Input::Paste(text), None) => {
                    let outcome = self.editor.paste(&text);
                    self.follow(outcome, &mut wishes);
                }
                (Input::PasteTooLong, None) => self.print(b"* that paste is too long\n", false),
            }
            self.stale = true;
        }
        wishes
    }

    fn follow(&mut self, outcome: Outcome, wishes: &mut Vec<Wish>) {
        match outcome {
            Outcome::Unchanged | Outcome::Changed => {}
            // Nothing is completed here: operators' commands are few, and `/help` lists them.
            Outcome::Refused | Outcome::Complete | Outcome::Search => self.bell(),
            Outcome::Submitted(line) if line.is_empty() => {}
            Outcome::Submitted(line) => wishes.push(Wish::Line(line)),
            Outcome::Interrupted => wishes.push(Wish::Stop),
            Outcome::Ended => wishes.push(Wish::Close),
            Outcome::Suspended => {
                if !suspend_job() {
                    self.bell();
                }
            }
            Outcome::ClearScreen => self.on_screen(Screen::clear),
            Outcome::Ask(lines) => self.question = Some(lines),
        }
    }

    /// One key decides about a paste.
    fn answer(&mut self, key: Key, lines: Vec<String>, wishes: &mut Vec<Wish>) {
        match key.code {
            Code::Char('y' | 'Y') | Code::Enter if !key.control && !key.alt => {
                self.editor.clear();
                wishes.extend(lines.into_iter().map(Wish::Line));
            }
            Code::Char('n' | 'N') | Code::Escape if !key.control => {}
            Code::Char('d') if key.control => {}
            _ => {
                self.question = Some(lines);
                self.bell();
            }
        }
    }

    /// What stands in front of the line.
    pub(super) fn set_prompt(&mut self, prompt: String) {
        if self.prompt != prompt {
            self.prompt = prompt;
            self.stale = true;
        }
    }

    /// Shows a line of the operator's own, as it is being done.
    pub(super) fn echo(&mut self, line: &str) {
        let mut shown = Vec::new();
        let style = if self.colours { YELLOW } else { "" };
        crate::terminal::screen::styled(&self.prompt, style, &mut shown);
        shown.extend_from_slice(line.as_bytes());
        self.show_line(&shown);
    }

    /// Shows lines, each with its end, above the row.
    pub(super) fn print(&mut self, lines: &[u8], coloured: bool) {
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            if coloured && self.colours {
                let mut shown = Vec::with_capacity(line.len() + 9);
                let _ = write!(shown, "\x1b[{CYAN}m"); // writing to a Vec cannot fail
                shown.extend_from_slice(line);
                shown.extend_from_slice(b"\x1b[0m");
                self.show_line(&shown);
            } else {
                self.show_line(line);
            }
        }
    }

    fn show_line(&mut self, line: &[u8]) {
        if self.out.len() > MOST_PER_TURN {
            self.left_out += 1;
            return;
        }
        self.screen.print(line, &mut self.out);
        self.stale = true;
    }

    fn bell(&mut self) {
        self.out.push(0x07);
    }

    /// Lets the screen act on what the row shows: the line, or the question in its place.
    fn on_screen(&mut self, act: impl FnOnce(&mut Screen, &Face<'_>, &mut Vec<u8>)) {
        let asked;
        let face = match &self.question {
            None => Face {
                prompt: &self.prompt,
                style: if self.colours { YELLOW } else { "" },
                line: self.editor.line(),
                cursor: self.editor.cursor(),
            },
            Some(lines) => {
                asked = format!("send {} lines? y or n ", lines.len());
                Face { prompt: "", style: "", line: &asked, cursor: asked.len() }
            }
        };
        act(&mut self.screen, &face, &mut self.out);
    }

    /// Hands over what the turn has changed, as one frame.
    pub(super) fn present(&mut self) {
        self.print_log();
        if self.left_out > 0 && self.out.len() <= MOST_PER_TURN {
            let said = format!("* {} lines are missing here: the terminal is slow", self.left_out);
            self.show_line(said.as_bytes());
        }
        if std::mem::take(&mut self.stale) && !self.paused {
            self.on_screen(Screen::show);
        }
        self.send();
    }

    fn print_log(&mut self) {
        let lines = self.held.as_ref().map(Held::take).unwrap_or_default();
        self.print(&lines, false);
    }

    fn send(&mut self) {
        let Some(outlet) = &self.outlet else { return self.out.clear() };
        if self.out.is_empty() {
            return;
        }
        match outlet.send(std::mem::take(&mut self.out)) {
            Ok(()) => self.left_out = 0,
            Err(Refused::Full(frame)) => {
                self.left_out += memchr::memchr_iter(b'\n', &frame).count() as u64;
                self.stale = true;
            }
            Err(Refused::Closed) => self.outlet = None,
        }
    }

    /// The window has another size.
    pub(super) fn resized(&mut self) {
        if let (Some(terminal), false) = (&self.terminal, self.paused) {
            let columns = terminal.columns();
            self.on_screen(|screen, face, out| screen.resize(columns, face, out));
        }
    }

    /// Gives the terminal back while the process is stopped, or in the background.
    pub(super) fn pause(&mut self) {
        if std::mem::replace(&mut self.paused, true) {
            return;
        }
        let taken = self.end_output();
        match (&mut self.terminal, taken) {
            // An error is that of a terminal that is gone; the next read tells.
            (Some(terminal), true) => drop(terminal.pause()),
            _ => self.abandon(),
        }
    }

    /// Shows everything up to here and nothing more; whether the terminal has taken it.
    fn end_output(&mut self) -> bool {
        self.print_log();
        self.screen.hide(&mut self.out);
        self.stale = false;
        self.send();
        self.outlet.take().is_none_or(Outlet::finish)
    }

    fn abandon(&mut self) {
        if let Some(terminal) = self.terminal.take() {
            terminal.abandon();
        }
    }

    /// Takes the terminal again, if it is ours; whether it is. In the background lines go on
    /// being shown, without a row.
    pub(super) fn resume(&mut self) -> bool {
        if self.outlet.is_none() {
            self.outlet = Outlet::start("console", io::stdout).ok();
        }
        let Some(terminal) = &mut self.terminal else { return false };
        if !in_foreground(&*terminal) || terminal.resume().is_err() {
            return false;
        }
        self.paused = false;
        self.screen.forget();
        self.stale = true;
        self.resized();
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
            self.abandon();
        }
    }
}
