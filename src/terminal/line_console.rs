//! A person's end of a line program: keys become lines, output is printed above the edited line.
//!
//! It joins the other files of this folder: [`RawMode`], the key [`Decoder`], the [`Editor`] with
//! its history and search, and the [`Screen`]. The caller waits for the terminal with its own
//! poller, calls [`read`](LineConsole::read), takes the events one by one, and once a turn writes
//! out the [`frame`](LineConsole::frame) with one system call.
//!
//! Events are taken one by one because the caller may change the line between two of them: a line
//! that could not be sent comes back, and the keys behind it in the same read are typed after it.
//!
//! A paste of several lines shows its beginning and waits for one key. Until then output goes on
//! appearing above the question. Without a yes the paste becomes the edited line, its newlines shown
//! as ⏎, to be changed, sent or cleared; one that is too long for that comes back with Ctrl-Y.
//!
//! Rejected: a trait for the caller's part (prompt, mask, completion). Two callers, a string and a
//! function pointer are less to read.

use super::editor::{Editor, MAX_LINE, Outcome};
use super::keys::{Code, Decoder, Input, Key};
use super::raw::{RawMode, suspend_job};
use super::screen::{Face, Screen};
use super::search::{Search, SearchStep};
use super::text;
use std::borrow::Cow;
use std::io::{self, ErrorKind};
use std::time::Duration;

/// Lines of a paste that are shown with the question.
const PREVIEW: usize = 4;

/// What is shown of a line instead of the line itself, with the cursor moved along; `None` to
/// show it as it is.
pub type Mask = fn(line: &str, cursor: usize) -> Option<(String, usize)>;

/// What the person asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConsoleEvent {
    /// Enter: a line that is not empty.
    Line(String),
    /// A yes to "send N lines?", or Enter behind an edited paste. [Clear](Editor::clear) the
    /// line when they are sent, or [`ask`](LineConsole::ask) again.
    PasteConfirmed(Vec<String>),
    /// A no to it, with the number of lines, and whether they are the edited line now.
    PasteDeclined(usize, bool),
    /// Neither a yes nor a no to what [`ask_about`](LineConsole::ask_about) asks: Ctrl-C or Escape.
    Unanswered,
    /// A paste exceeded [`MAX_PASTE`](super::keys::MAX_PASTE) and is gone.
    PasteTooLong,
    /// Tab: the caller may [`complete`](LineConsole::complete) the word at the cursor.
    Complete,
    /// Ctrl-C on an empty line, or on any if the console was opened so.
    Interrupt,
    /// Ctrl-C on a draft.
    Cleared,
    /// Ctrl-D on an empty line.
    Eof,
    /// The terminal is gone.
    Closed,
}

/// Lines that wait for a yes.
struct Question {
    lines: Vec<String>,
    /// What is asked, if it is not whether to send them.
    text: Option<String>,
}

/// How a console differs from others.
#[derive(Clone, Copy, Debug)]
pub struct ConsoleOptions {
    /// A paste keeps the empty lines between its others.
    pub keeps_blank_lines: bool,
    /// SGR parameters of the prompt; empty for none.
    pub style: &'static str,
    /// Hides passwords.
    pub mask: Mask,
}

/// Standard input and output as a raw terminal with an edited line in its last row.
pub struct LineConsole {
    /// `None` once it was abandoned.
    terminal: Option<RawMode>,
    options: ConsoleOptions,
    decoder: Decoder,
    closed: bool,
    /// The edited line, and the lines sent before.
    pub editor: Editor,
    screen: Screen,
    prompt: String,
    /// What waits for a yes.
    question: Option<Question>,
    /// A paste that was declined and is too long to be edited.
    declined: Option<Vec<String>>,
    /// Ctrl-R, while it goes on.
    search: Option<Search>,
    out: Vec<u8>,
    /// The bytes that painted the row the last time.
    row: Vec<u8>,
}

impl LineConsole {
    /// Makes standard input and output a raw terminal until this is dropped.
    ///
    /// # Errors
    /// They are not a terminal.
    pub fn open(options: ConsoleOptions) -> io::Result<LineConsole> {
        let terminal = RawMode::enter(io::stdin(), io::stdout())?;
        let screen = Screen::new(terminal.columns());
        Ok(LineConsole { terminal: Some(terminal), ..LineConsole::detached(options, screen) })
    }

    /// A console without a terminal, so many columns wide.
    #[cfg(feature = "simulation")]
    pub fn simulated(options: ConsoleOptions, columns: usize) -> LineConsole {
        LineConsole::detached(options, Screen::new(columns))
    }

    /// These keys are pressed, as `read` would find them.
    #[cfg(feature = "simulation")]
    pub fn press(&mut self, keys: &[u8]) {
        self.decoder.feed(keys);
    }

    fn detached(options: ConsoleOptions, screen: Screen) -> LineConsole {
        LineConsole {
            screen,
            terminal: None,
            options,
            decoder: Decoder::default(),
            closed: false,
            editor: Editor::default(),
            prompt: String::new(),
            question: None,
            declined: None,
            search: None,
            out: Vec::new(),
            row: Vec::new(),
        }
    }

    /// How long to wait for more bytes before [`timed_out`](LineConsole::timed_out).
    pub fn timeout(&self) -> Option<Duration> {
        self.decoder.timeout()
    }

    /// The timeout has expired: an ESC was the key.
    pub fn timed_out(&mut self) {
        self.decoder.flush();
    }

    /// Standard input is ready: reads once. What that meant is in
    /// [`next_event`](LineConsole::next_event).
    pub fn read(&mut self, scratch: &mut [u8]) {
        let Some(terminal) = &self.terminal else { return };
        match terminal.read(scratch) {
            Ok(count @ 1..) => self.decoder.feed(&scratch[..count]),
            Err(error)
                if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
            Ok(_) | Err(_) => self.closed = true,
        }
    }

    /// Does what the keys say up to the next thing that is the caller's to do.
    pub fn next_event(&mut self) -> Option<ConsoleEvent> {
        while let Some(input) = self.decoder.next_input() {
            let event = match (input, self.question.take()) {
                (Input::Key(key), Some(question)) => self.answer(key, question),
                (Input::Key(key), None) => self.key(key),
                // A second paste while the first one waits: one question at a time.
                (_, Some(question)) => self.ask_again(question),
                (Input::Paste(text), None) => {
                    self.take_found();
                    let outcome = self.editor.paste(&text, self.options.keeps_blank_lines);
                    self.follow(outcome)
                }
                (Input::PasteTooLong, None) => Some(ConsoleEvent::PasteTooLong),
            };
            if event.is_some() {
                return event;
            }
        }
        std::mem::take(&mut self.closed).then_some(ConsoleEvent::Closed)
    }

    fn key(&mut self, key: Key) -> Option<ConsoleEvent> {
        if let Some(search) = &mut self.search {
            match search.key(key, &self.editor.history) {
                SearchStep::Continues => return None,
                SearchStep::Failed => return self.refuse(),
                SearchStep::Cancelled => {
                    self.search = None;
                    return None;
                }
                SearchStep::Accepted => self.take_found(),
            }
        }
        if key == Key::control('y')
            && let Some(lines) = self.declined.take()
        {
            self.ask(lines);
            return None;
        }
        let outcome = self.editor.key(key);
        self.follow(outcome)
    }

    /// Ends a search: what was found is the line.
    fn take_found(&mut self) {
        if let Some(search) = self.search.take()
            && let Some((found, _)) = search.found()
        {
            self.editor.set(found);
        }
    }

    fn follow(&mut self, outcome: Outcome) -> Option<ConsoleEvent> {
        match outcome {
            Outcome::Unchanged | Outcome::Changed => None,
            Outcome::Refused => self.refuse(),
            Outcome::Complete => Some(ConsoleEvent::Complete),
            Outcome::Search => {
                self.search = Some(Search::default());
                None
            }
            Outcome::Submitted(line) if line.contains('\n') => {
                Some(ConsoleEvent::PasteConfirmed(line.split('\n').map(str::to_owned).collect()))
            }
            Outcome::Submitted(line) => Some(ConsoleEvent::Line(line)),
            Outcome::Interrupted => Some(ConsoleEvent::Interrupt),
            Outcome::Cleared => Some(ConsoleEvent::Cleared),
            Outcome::Ended => Some(ConsoleEvent::Eof),
            Outcome::Suspended if self.terminal.is_some() && suspend_job() => None,
            Outcome::Suspended => self.refuse(),
            Outcome::ClearScreen => {
                self.clear();
                None
            }
            Outcome::Ask(lines) => {
                self.ask(lines);
                None
            }
        }
    }

    /// One key decides.
    fn answer(&mut self, key: Key, question: Question) -> Option<ConsoleEvent> {
        match key {
            Key { code: Code::Char('y' | 'Y'), control: false, alt: false, .. } => {
                Some(ConsoleEvent::PasteConfirmed(question.lines))
            }
            Key { code: Code::Char('c'), control: true, .. } | Key { code: Code::Escape, .. }
                if question.text.is_some() =>
            {
                Some(ConsoleEvent::Unanswered)
            }
            Key {
                code: Code::Char('n' | 'N') | Code::Enter | Code::Escape,
                control: false,
                ..
            }
            | Key { code: Code::Char('c' | 'd' | 'j'), control: true, .. } => {
                Some(self.decline(question))
            }
            _ => self.ask_again(question),
        }
    }

    fn ask_again(&mut self, question: Question) -> Option<ConsoleEvent> {
        self.question = Some(question);
        self.refuse()
    }

    fn refuse(&mut self) -> Option<ConsoleEvent> {
        self.bell();
        None
    }

    /// Keeps a paste that is not to be sent as it is.
    fn decline(&mut self, question: Question) -> ConsoleEvent {
        let Question { lines, text: None } = question else {
            return ConsoleEvent::PasteDeclined(question.lines.len(), false);
        };
        let (count, whole) = (lines.len(), lines.join("\n"));
        let fits = whole.len() <= MAX_LINE;
        if fits {
            self.editor.set(&whole);
        } else {
            self.declined = Some(lines);
        }
        ConsoleEvent::PasteDeclined(count, fits)
    }

    /// Shows the beginning of these lines, and asks whether they are to be sent.
    pub fn ask(&mut self, lines: Vec<String>) {
        for line in lines.iter().take(PREVIEW) {
            let masked = (self.options.mask)(line, 0);
            let line = masked.as_ref().map_or(line, |(line, _)| line).replace('\t', " ");
            let shown = text::fitting(&line, self.screen.columns().saturating_sub(3));
            self.print(format!("| {shown}").as_bytes());
        }
        if let Some(more) = lines.len().checked_sub(PREVIEW).filter(|more| *more > 0) {
            self.print(format!("| … {more} more").as_bytes());
        }
        self.question = Some(Question { lines, text: None });
    }

    /// Asks this about these lines; they come back as a paste does.
    pub fn ask_about(&mut self, text: String, lines: Vec<String>) {
        self.question = Some(Question { lines, text: Some(text) });
    }

    /// Replaces the bytes from `start` to the cursor; `false` if that does not fit.
    pub fn complete(&mut self, start: usize, text: &str) -> bool {
        self.editor.complete(start, text) != Outcome::Refused
    }

    /// Replaces what hides passwords.
    pub fn set_mask(&mut self, mask: Mask) {
        self.options.mask = mask;
    }

    /// Sets what stands in front of the line.
    pub fn set_prompt(&mut self, prompt: &str) {
        prompt.clone_into(&mut self.prompt);
    }

    /// Prints a whole line, without its newline, above the edited one.
    pub fn print(&mut self, line: &[u8]) {
        self.screen.print(line, &mut self.out);
    }

    /// The width of the terminal.
    pub fn columns(&self) -> usize {
        self.screen.columns()
    }

    /// Clears the screen.
    pub fn clear(&mut self) {
        self.on_screen(Screen::clear);
    }

    /// Rings the terminal's bell.
    pub fn bell(&mut self) {
        self.out.push(0x07);
    }

    /// Bytes that wait to be taken as the next frame.
    pub fn pending(&self) -> usize {
        self.out.len()
    }

    /// Takes what has been printed since the last frame, with the row behind it if that changed.
    pub fn frame(&mut self) -> Vec<u8> {
        let (start, hidden) = (self.out.len(), self.screen.is_hidden());
        self.on_screen(Screen::show);
        if hidden || self.out[start..] != self.row {
            self.row = self.out[start..].to_vec();
        } else {
            self.out.truncate(start);
        }
        std::mem::take(&mut self.out)
    }

    /// Takes what has been printed, with no row behind it: someone else has the terminal next.
    pub fn last_frame(&mut self) -> Vec<u8> {
        self.screen.hide(&mut self.out);
        std::mem::take(&mut self.out)
    }

    /// Paints the row with the next frame, for one that was lost.
    pub fn repaint(&mut self) {
        self.row.clear();
    }

    /// Writes a frame to the terminal. Blocks while the terminal does.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn write(&self, frame: &[u8]) -> io::Result<()> {
        match &self.terminal {
            Some(terminal) if !frame.is_empty() => terminal.write(frame),
            _ => Ok(()),
        }
    }

    /// The window has another size.
    pub fn resized(&mut self) {
        if let Some(terminal) = &self.terminal {
            let columns = terminal.columns();
            self.on_screen(|screen, face, out| screen.resize(columns, face, out));
        }
    }

    /// Gives the terminal back while the process is stopped or in the background.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn pause(&mut self) -> io::Result<()> {
        self.terminal.as_mut().map_or(Ok(()), RawMode::pause)
    }

    /// Takes the terminal again, to paint the row where the cursor is now. In the background this
    /// stops the process until it is in the foreground.
    ///
    /// # Errors
    /// The terminal is gone or was abandoned.
    pub fn resume(&mut self) -> io::Result<()> {
        self.terminal.as_mut().map_or(Err(ErrorKind::NotConnected.into()), RawMode::resume)?;
        self.screen.forget();
        self.resized();
        Ok(())
    }

    /// Gives the terminal back for good without another write, which it would not take.
    pub fn abandon(&mut self) {
        if let Some(terminal) = self.terminal.take() {
            terminal.abandon();
        }
    }

    /// Lets the screen act on what the row shows: the line, or the question or search in its
    /// place. On a narrow screen the end of the question is what stays.
    fn on_screen(&mut self, act: impl FnOnce(&mut Screen, &Face<'_>, &mut Vec<u8>)) {
        let style = self.options.style;
        let (asked, prompt, masked, whole);
        let face = match (&self.question, &self.search) {
            (Some(Question { lines, text }), _) => {
                asked = match text {
                    Some(text) => format!("{text} [y/N] "),
                    None if lines.len() == 1 => "send 1 line? [y/N] ".to_owned(),
                    None => format!("send {} lines? [y/N] ", lines.len()),
                };
                Face { prompt: "", style: "", line: &asked, cursor: asked.len() }
            }
            (None, Some(search)) => {
                prompt = search.prompt();
                let (line, cursor) = search.found().unwrap_or_default();
                let (line, cursor) = in_one_row(line, cursor);
                whole = line;
                Face { prompt: &prompt, style, line: &whole, cursor }
            }
            (None, None) => {
                let (line, cursor) = (self.editor.line(), self.editor.cursor());
                masked = (self.options.mask)(line, cursor);
                let (line, cursor) = match &masked {
                    Some((line, cursor)) => (line.as_str(), *cursor),
                    None => (line, cursor),
                };
                let (line, cursor) = in_one_row(line, cursor);
                whole = line;
                Face { prompt: &self.prompt, style, line: &whole, cursor }
            }
        };
        act(&mut self.screen, &face, &mut self.out);
    }
}

/// A line with a sign for each of its newlines and tabs, and the cursor in that.
fn in_one_row(line: &str, cursor: usize) -> (Cow<'_, str>, usize) {
    if !line.contains(['\n', '\t']) {
        return (Cow::Borrowed(line), cursor);
    }
    let shown = |text: &str| text.replace('\n', "⏎").replace('\t', "⇥");
    (Cow::Owned(shown(line)), shown(&line[..cursor]).len())
}
