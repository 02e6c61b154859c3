//! How does a person at a terminal talk? The editor at the bottom, messages above it.
//!
//! Everything that is shown in a turn is gathered in one buffer and written at the turn's end with
//! one system call. The terminal blocks if it must; a person whose terminal stands still wants
//! nothing else to move either, and the server keeps their backlog.
//!
//! A paste of several lines waits for one key. Until then messages go on appearing above the
//! question, and the line that was being typed is untouched under it. What each key does is in `keys`.

mod keys;

use super::dialect::Dialect;
use super::display::DisplayItem;
use super::link::{Link, SEND_HARD};
use super::paint::{Painter, style};
use super::tokens::INPUT;
use super::{Gravity, Notice, secrets};
use crate::reactor::{Interest, Poller, Registration};
use crate::terminal::{Decoder, Editor, Face, Input, RawMode, Screen, Search};
use jiff::Zoned;
use std::io;
use std::time::Duration;

const PROMPT: &str = "[You]: ";
/// What stands in front of the further lines of one message.
const INDENT: &str = "    ";

/// What a person at the terminal wants of the program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// Go on.
    Stay,
    /// End the program.
    Leave,
    /// End it without a word: the terminal is gone.
    Vanish,
}

/// The terminal, in raw mode while this exists.
pub struct Console {
    terminal: RawMode,
    registration: Registration,
    decoder: Decoder,
    inputs: Vec<Input>,
    editor: Editor,
    screen: Screen,
    painter: Painter,
    /// A paste that waits for a yes.
    question: Option<Vec<String>>,
    /// Ctrl-R, while it goes on.
    search: Option<Search>,
    /// What Tab offers, from which byte of the line on, and which of it stands there.
    offer: Option<(usize, Vec<String>, usize)>,
    dialect: Dialect,
    farewell: bool,
    /// What is to be written at the end of the turn.
    out: Vec<u8>,
    stale: bool,
}

impl Console {
    /// Makes standard input and output a raw terminal.
    ///
    /// # Errors
    /// What the system said: they are none.
    pub fn open(painter: Painter, dialect: Dialect) -> io::Result<Console> {
        let terminal = RawMode::enter(io::stdin(), io::stdout())?;
        let screen = Screen::new(terminal.columns());
        let mut editor = Editor::new();
        if matches!(dialect, Dialect::Irc(_)) {
            editor.keep_blank_lines();
        }
        Ok(Console {
            terminal,
            registration: Registration::new(INPUT),
            decoder: Decoder::new(),
            inputs: Vec::new(),
            editor,
            screen,
            painter,
            question: None,
            search: None,
            offer: None,
            dialect,
            farewell: false,
            out: Vec::new(),
            stale: true,
        })
    }

    /// Whether the last thing sent was `/quit`.
    pub fn has_said_farewell(&self) -> bool {
        self.farewell
    }

    /// How long to wait for more bytes before [`patience_ended`](Console::patience_ended).
    pub fn patience(&self) -> Option<Duration> {
        self.decoder.patience()
    }

    /// Standard input is ready: read once and do what the keys say.
    pub fn input_ready(&mut self, link: &mut Link, now: &Zoned, scratch: &mut [u8]) -> Wish {
        match self.terminal.read(scratch) {
            Ok(0) => Wish::Vanish,
            Ok(count) => {
                self.decoder.feed(&scratch[..count], &mut self.inputs);
                self.act(link, now)
            }
            Err(error) => match error.kind() {
                io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock => Wish::Stay,
                _ => Wish::Vanish,
            },
        }
    }

    /// No more bytes came in time: an ESC was the key.
    pub fn patience_ended(&mut self, link: &mut Link, now: &Zoned) -> Wish {
        self.decoder.flush(&mut self.inputs);
        self.act(link, now)
    }

    /// Sends lines and shows them as said.
    fn say(&mut self, lines: &[String], link: &mut Link, now: &Zoned) -> Result<(), String> {
        if !link.is_up() {
            return Err("not connected".to_owned());
        }
        let bytes: usize = lines.iter().map(|line| line.len() + 1).sum();
        if link.unsent() + bytes > SEND_HARD {
            let limit = SEND_HARD / (1024 * 1024);
            return Err(format!("the server does not take what waits for it ({limit} MiB)"));
        }
        self.dialect.can_send(lines)?;
        let parts: Vec<Vec<String>> = self.dialect.parts(lines).map(<[String]>::to_vec).collect();
        for part in parts {
            self.echo(&part, now);
            let (bytes, shown) = self.dialect.send(&part, now);
            if !bytes.is_empty() {
                link.send(&bytes);
            }
            self.farewell = self.dialect.is_quit(&part[part.len() - 1]);
            self.show(shown, now);
        }
        Ok(())
    }

    /// Shows what the person says. Of several lines the others stand in from the first.
    fn echo(&mut self, lines: &[String], now: &Zoned) {
        for (place, line) in lines.iter().enumerate() {
            let mut shown = Vec::new();
            match place {
                0 => {
                    self.painter.time(now, &mut shown);
                    self.painter.styled(&self.prompt(), style::YOU, &mut shown);
                }
                _ if line.is_empty() => {}
                _ => shown.extend_from_slice(INDENT.as_bytes()),
            }
            let masked = secrets::sent(line, self.dialect.forms());
            let line = masked.as_deref().unwrap_or(line);
            shown.extend_from_slice(crate::wire::clean::clean(line.as_bytes()).as_bytes());
            self.print(&shown, now);
        }
    }

    /// `[You]: `, with the room that words go to in front if that is known.
    fn prompt(&self) -> String {
        match self.dialect.room() {
            Some(room) => format!("{room} {PROMPT}"),
            None => PROMPT.to_owned(),
        }
    }

    /// A connection stands.
    pub fn connected(&mut self, now: &Zoned) {
        self.dialect.connected(now);
        self.stale = true;
    }

    /// The conversation.
    pub fn dialect(&mut self) -> &mut Dialect {
        &mut self.dialect
    }

    /// A line from the server.
    pub fn line(&mut self, line: &[u8], now: &Zoned) {
        let told = self.dialect.received(line, now);
        // The prompt's room may be another one.
        self.stale = true;
        self.show(told, now);
    }

    /// Shows what came of a line.
    pub fn show(&mut self, told: Vec<DisplayItem>, now: &Zoned) {
        let numbers = self.dialect.shows_numbers();
        for item in told {
            match item {
                DisplayItem::Bell => self.bell(),
                DisplayItem::Notice(notice) => self.notice(&notice, now),
                item => {
                    for line in self.painter.item(&item, numbers, Some(INDENT), now) {
                        self.print(&line, now);
                    }
                }
            }
        }
    }

    /// Something the client has to say.
    pub fn notice(&mut self, notice: &Notice, now: &Zoned) {
        let style = match notice.gravity {
            Gravity::Note => style::DIM,
            Gravity::Error => style::ERROR,
        };
        let mut shown = Vec::new();
        self.painter.time(now, &mut shown);
        self.painter.styled(&format!("-- {}", notice.text), style, &mut shown);
        self.print(&shown, now);
    }

    /// Prints a whole line above the row, and the day before it if that is new.
    fn print(&mut self, shown: &[u8], now: &Zoned) {
        if let Some(day) = self.painter.day_line(now) {
            let mut line = Vec::new();
            self.painter.styled(&day, style::DIM, &mut line);
            self.screen.print(&line, &mut self.out);
        }
        self.screen.print(shown, &mut self.out);
        self.stale = true;
    }

    fn bell(&mut self) {
        self.out.push(0x07);
    }

    /// Lets the screen act on what the row shows: the line, or the question in its place. On a
    /// narrow screen the end of the question is what stays.
    fn on_screen(&mut self, act: impl FnOnce(&mut Screen, &Face<'_>, &mut Vec<u8>)) {
        let style = self.painter.style(style::YOU);
        let (prompt, masked, asked);
        let face = match (&self.question, &self.search) {
            (Some(lines), _) => {
                asked = format!("send {} lines? y or n ", lines.len());
                Face { prompt: "", style: "", line: &asked, cursor: asked.len() }
            }
            (None, Some(search)) => {
                prompt = search.prompt();
                let (line, cursor) = search.found().unwrap_or_default();
                Face { prompt: &prompt, style, line, cursor }
            }
            (None, None) => {
                prompt = self.prompt();
                let forms = self.dialect.forms();
                masked = secrets::masked(self.editor.line(), self.editor.cursor(), forms);
                let (line, cursor) = match &masked {
                    Some((line, cursor)) => (line.as_str(), *cursor),
                    None => (self.editor.line(), self.editor.cursor()),
                };
                Face { prompt: &prompt, style, line, cursor }
            }
        };
        act(&mut self.screen, &face, &mut self.out);
    }

    /// Shows what the turn has changed, with one write.
    ///
    /// # Errors
    /// What the system said: the terminal is gone.
    pub fn present(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.stale) {
            self.on_screen(Screen::show);
        }
        let mut out = std::mem::take(&mut self.out);
        let result = if out.is_empty() { Ok(()) } else { self.terminal.write(&out) };
        out.clear();
        out.shrink_to(KEPT_OUTPUT);
        self.out = out;
        result
    }

    /// The window has another size.
    pub fn resized(&mut self) {
        let columns = self.terminal.columns();
        self.on_screen(|screen, face, out| screen.resize(columns, face, out));
    }

    /// Gives the terminal back while the process is stopped.
    ///
    /// # Errors
    /// What the system said: the terminal is gone.
    pub fn pause(&mut self) -> io::Result<()> {
        self.clear_row()?;
        self.terminal.pause()
    }

    /// Takes the terminal again and shows the row where the cursor is now.
    ///
    /// # Errors
    /// What the system said: the terminal is gone.
    pub fn resume(&mut self) -> io::Result<()> {
        self.terminal.resume()?;
        self.screen.forget();
        self.stale = true;
        self.resized();
        Ok(())
    }

    /// Takes the row away for good: what the shell prints next begins there.
    ///
    /// # Errors
    /// What the system said: the terminal is gone.
    pub fn clear_row(&mut self) -> io::Result<()> {
        self.screen.hide(&mut self.out);
        self.stale = false;
        self.present()
    }

    /// Asks the poller for what is wanted next: always keys.
    ///
    /// # Errors
    /// What the poller said.
    pub fn update(&mut self, poller: &mut Poller) -> io::Result<()> {
        self.registration.set(poller, &self.terminal, Interest::READ)
    }
}

/// Bytes of the output buffer that are kept between turns.
const KEPT_OUTPUT: usize = 64 * 1024;
