//! The interactive front end: messages above the edited line, lines and pastes to the server.
//!
//! Everything shown in a turn is written at its end with one system call. The terminal may block; a
//! user whose terminal is stopped expects nothing else to move, and the server keeps their send
//! queue.

use super::complete::Completion;
use super::dialect::Dialect;
use super::display::DisplayItem;
use super::link::{Link, SEND_HARD};
use super::paint::{Painter, style};
use super::tokens::INPUT;
use super::{Notice, Severity, secrets};
use crate::terminal::{ConsoleEvent, ConsoleOptions, LineConsole, MAX_PASTE, Mask};
use chatloop_reactor::{Interest, Poller, Registration};
use jiff::ZonedDateTime;
use std::io;
use std::time::Duration;
use zeroize::Zeroizing;

const PROMPT: &str = "[You]: ";
/// The prefix of further lines of one message.
const INDENT: &str = "    ";

/// What the loop is to do after key presses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConsoleAction {
    /// Go on.
    Continue,
    /// Send what is queued, and exit.
    Leave,
    /// Exit at once: the terminal is gone.
    Vanish,
}

/// The completions offered.
struct Offer {
    /// The byte of the line at which the words start.
    start: usize,
    words: Vec<String>,
    /// The current word.
    current: usize,
    /// The line and cursor with it: after any other change the offer is void.
    line: String,
    cursor: usize,
}

/// The terminal, in raw mode while this exists.
pub struct Console {
    console: LineConsole,
    registration: Registration,
    painter: Painter,
    offer: Option<Offer>,
    dialect: Dialect,
    quit_sent: bool,
    /// The draft that was being typed when a password was asked for, while it is.
    set_aside: Option<String>,
}

impl Console {
    /// Makes standard input and output a raw terminal.
    ///
    /// # Errors
    /// They are not a terminal.
    pub fn open(painter: Painter, dialect: Dialect) -> io::Result<Console> {
        let irc = matches!(dialect, Dialect::Irc(_));
        let console = LineConsole::open(ConsoleOptions {
            // Some plain-text servers disconnect on an empty line.
            keeps_blank_lines: irc,
            always_interrupts: false,
            style: painter.style(style::YOU),
            mask: mask(&dialect),
        })?;
        let registration = Registration::new(INPUT);
        Ok(Console {
            console,
            registration,
            painter,
            offer: None,
            dialect,
            quit_sent: false,
            set_aside: None,
        })
    }

    pub fn has_sent_quit(&self) -> bool {
        self.quit_sent
    }

    /// How long to wait for more bytes before [`timed_out`](Console::timed_out).
    pub fn timeout(&self) -> Option<Duration> {
        self.console.timeout()
    }

    /// Standard input is readable: reads once and executes the keys.
    pub fn input_ready(
        &mut self,
        link: &mut Link,
        now: &ZonedDateTime,
        scratch: &mut [u8],
    ) -> ConsoleAction {
        self.console.read(scratch);
        self.act(link, now)
    }

    /// The timeout has expired: an ESC was the key.
    pub fn timed_out(&mut self, link: &mut Link, now: &ZonedDateTime) -> ConsoleAction {
        self.console.timed_out();
        self.act(link, now)
    }

    fn act(&mut self, link: &mut Link, now: &ZonedDateTime) -> ConsoleAction {
        while let Some(event) = self.console.next_event() {
            match event {
                ConsoleEvent::Line(line) => self.submitted(line, link, now),
                ConsoleEvent::PasteConfirmed(lines) => match self.send(&lines, link, now) {
                    Ok(()) => self.console.clear(),
                    Err(why) => {
                        self.notice(&Notice::error(format!("{why}; nothing was sent")), now);
                        self.console.ask(lines);
                    }
                },
                ConsoleEvent::PasteDeclined(count) => {
                    self.notice(&Notice::note(format!("{count} lines not sent")), now);
                }
                ConsoleEvent::PasteTooLong => {
                    let limit = MAX_PASTE / (1024 * 1024);
                    let text = format!("paste not sent: it exceeds {limit} MiB");
                    self.notice(&Notice::error(text), now);
                }
                ConsoleEvent::Complete => self.complete(now),
                ConsoleEvent::Interrupt | ConsoleEvent::Eof => return ConsoleAction::Leave,
                ConsoleEvent::Closed => return ConsoleAction::Vanish,
            }
        }
        ConsoleAction::Continue
    }

    fn submitted(&mut self, line: String, link: &mut Link, now: &ZonedDateTime) {
        if self.set_aside.is_some() {
            if let Some(session) = self.dialect.irc() {
                session.password_typed(Zeroizing::new(line));
            }
            return self.ask_or_not();
        }
        if secrets::begins(&line, self.dialect.forms()).is_none() {
            self.console.remember(&line);
        }
        if let Err(why) = self.send(std::slice::from_ref(&line), link, now) {
            self.console.set(&line);
            self.notice(&Notice::error(format!("{why}; your line is kept")), now);
            self.console.bell();
        }
    }

    /// Turns the row into a question for a password when the session has one, and back. What was
    /// being typed is set aside: a message must not be sent as a password, nor be lost.
    fn ask_or_not(&mut self) {
        match (self.dialect.asked_account(), &mut self.set_aside) {
            (Some(_), None) => {
                self.set_aside = Some(self.console.line().to_owned());
                self.console.clear();
                self.console.set_mask(secrets::all_masked);
            }
            (None, Some(draft)) => {
                self.console.set(draft);
                self.set_aside = None;
                self.console.set_mask(mask(&self.dialect));
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
    }

    /// Tab: the first matching word, and with each further Tab the next one.
    fn complete(&mut self, now: &ZonedDateTime) {
        let (line, cursor) = (self.console.line(), self.console.cursor());
        let valid = |offer: &Offer| offer.line == line && offer.cursor == cursor;
        let (start, words, current) = match self.offer.take().filter(valid) {
            Some(offer) => (offer.start, offer.words, offer.current + 1),
            None => match self.dialect.vocabulary().complete(line, cursor, self.dialect.nick()) {
                Completion::Nothing => return self.console.bell(),
                Completion::Words { start, words } => (start, words, 0),
                Completion::List(lines) => {
                    return lines.iter().for_each(|line| self.notice(&Notice::note(line), now));
                }
            },
        };
        let current = current % words.len();
        if !self.console.complete(start, &words[current]) {
            return self.console.bell();
        }
        // A single word is complete: the next Tab completes what follows it.
        if words.len() > 1 {
            let (line, cursor) = (self.console.line().to_owned(), self.console.cursor());
            self.offer = Some(Offer { start, words, current, line, cursor });
        }
    }

    /// Sends lines and shows them as sent.
    fn send(
        &mut self,
        lines: &[String],
        link: &mut Link,
        now: &ZonedDateTime,
    ) -> Result<(), String> {
        if !link.is_up() {
            return Err("not connected".to_owned());
        }
        let bytes: usize = lines.iter().map(|line| line.len() + 1).sum();
        if link.unsent() + bytes > SEND_HARD {
            let limit = SEND_HARD / (1024 * 1024);
            return Err(format!("the server is not reading: {limit} MiB are waiting to be sent"));
        }
        self.dialect.can_send(lines)?;
        let parts: Vec<Vec<String>> = self.dialect.parts(lines).map(<[String]>::to_vec).collect();
        for part in parts {
            self.echo(&part, now);
            let (bytes, shown) = self.dialect.send(&part, now);
            if !bytes.is_empty() {
                link.send(&bytes);
            }
            self.quit_sent = self.dialect.is_quit(&part[part.len() - 1]);
            self.show(shown, now);
        }
        Ok(())
    }

    /// Shows the user's own message. Lines after the first are indented.
    fn echo(&mut self, lines: &[String], now: &ZonedDateTime) {
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

    /// `[You]: `, with the room that messages go to in front if that is known.
    fn prompt(&self) -> String {
        match (self.dialect.asked_account(), self.dialect.room()) {
            (Some(account), _) => format!("Password for {account}: "),
            (None, Some(room)) => format!("{room} {PROMPT}"),
            (None, None) => PROMPT.to_owned(),
        }
    }

    /// The connection is established.
    pub fn connected(&mut self, now: &ZonedDateTime) {
        self.dialect.connected(now);
        self.ask_or_not();
    }

    /// The conversation.
    pub fn dialect(&mut self) -> &mut Dialect {
        &mut self.dialect
    }

    /// A line from the server.
    pub fn line(&mut self, line: &[u8], now: &ZonedDateTime) {
        let items = self.dialect.received(line, now);
        self.show(items, now);
        self.ask_or_not();
    }

    fn show(&mut self, items: Vec<DisplayItem>, now: &ZonedDateTime) {
        let numbers = self.dialect.shows_numbers();
        for item in items {
            match item {
                DisplayItem::Bell => self.console.bell(),
                DisplayItem::Notice(notice) => self.notice(&notice, now),
                item => {
                    for line in self.painter.item(&item, numbers, Some(INDENT), now) {
                        self.print(&line, now);
                    }
                }
            }
        }
    }

    /// Shows something of the client's own.
    pub fn notice(&mut self, notice: &Notice, now: &ZonedDateTime) {
        let style = match notice.severity {
            Severity::Note => style::DIM,
            Severity::Error => style::ERROR,
        };
        let mut shown = Vec::new();
        self.painter.time(now, &mut shown);
        self.painter.styled(&format!("-- {}", notice.text), style, &mut shown);
        self.print(&shown, now);
    }

    /// Prints a line above the edited one, preceded by the date if it has changed.
    fn print(&mut self, shown: &[u8], now: &ZonedDateTime) {
        if let Some(day) = self.painter.day_line(now) {
            let mut line = Vec::new();
            self.painter.styled(&day, style::DIM, &mut line);
            self.console.print(&line);
        }
        self.console.print(shown);
    }

    /// Shows what the turn has changed, with one write.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn present(&mut self) -> io::Result<()> {
        self.console.set_prompt(&self.prompt());
        let frame = self.console.frame();
        self.console.write(&frame)
    }

    /// The window has another size.
    pub fn resized(&mut self) {
        self.console.resized();
    }

    /// Gives the terminal back while the process is stopped.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn pause(&mut self) -> io::Result<()> {
        self.clear_row()?;
        self.console.pause()
    }

    /// Takes the terminal back.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn resume(&mut self) -> io::Result<()> {
        self.console.resume()
    }

    /// Takes the row away: what the shell prints next begins there.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn clear_row(&mut self) -> io::Result<()> {
        let frame = self.console.last_frame();
        self.console.write(&frame)
    }

    /// Updates the poller interest: keys are always wanted.
    ///
    /// # Errors
    /// The poller's.
    pub fn update(&mut self, poller: &mut Poller) -> io::Result<()> {
        self.registration.set(poller, io::stdin(), Interest::READ)
    }
}

/// What hides the passwords of typed lines.
fn mask(dialect: &Dialect) -> Mask {
    match dialect.forms() {
        secrets::Forms::Irc => secrets::masked_irc,
        secrets::Forms::Plain => secrets::masked_plain,
    }
}
