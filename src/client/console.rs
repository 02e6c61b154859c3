//! The interactive front end: messages above the edited line, lines and pastes to the server.
//!
//! Everything shown in a turn is written at its end with one system call. The terminal may block; a
//! user whose terminal is stopped expects nothing else to move, and the server keeps their send
//! queue.

use super::complete::Completion;
use super::display::DisplayItem;
use super::irc::{Irc, IrcSession, is_local};
use super::link::{Link, SEND_HARD};
use super::options::Bell;
use super::paint::{Painter, style};
use super::plain::{self, PlainLines, is_quit};
use super::secrets::{self, Forms};
use super::{Notice, Severity};
use crate::terminal::{ConsoleEvent, ConsoleOptions, LineConsole, MAX_PASTE, Mask};
use crate::wire::plural::counted;
use std::io;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

const PROMPT: &str = "[You]: ";
/// How long after Ctrl-C has cleared a draft another one does not leave: it was pressed twice.
const CLEARED: Duration = Duration::from_secs(1);
/// How long after a no to "send N lines?" Enter does not send them: many people end an answer with it.
const ANSWERED: Duration = Duration::from_secs(1);
/// Columns below which there is no room for two columns of text.
const NARROW: usize = 64;
/// The prefix of further lines of one message.
const INDENT: &str = "    ";

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
    pub terminal: LineConsole,
    pub painter: Painter,
    /// Which commands have a password.
    forms: Forms,
    plain: PlainLines,
    offer: Option<Offer>,
    pub quit_sent: bool,
    /// A line that may be a request for a file, while the person is asked.
    asked: Option<String>,
    /// How far a file is, in front of the prompt.
    pub progress: String,
    /// The draft that was being typed when a password was asked for, while it is.
    set_aside: Option<String>,
    /// When Ctrl-C has cleared a draft.
    cleared: Option<Instant>,
    /// When a paste was declined and became the edited line, and that line.
    declined: Option<(Instant, String)>,
}

impl Console {
    /// Makes standard input and output a raw terminal.
    ///
    /// # Errors
    /// They are not a terminal.
    pub fn open(painter: Painter, forms: Forms, bell: Bell) -> io::Result<Console> {
        let terminal = LineConsole::open(console_options(&painter, forms))?;
        Ok(Console::on(terminal, painter, forms, bell))
    }

    /// Without a terminal, so many columns wide.
    #[cfg(feature = "simulation")]
    pub fn simulated(painter: Painter, forms: Forms, bell: Bell, columns: usize) -> Console {
        let terminal = LineConsole::simulated(console_options(&painter, forms), columns);
        Console::on(terminal, painter, forms, bell)
    }

    fn on(terminal: LineConsole, painter: Painter, forms: Forms, bell: Bell) -> Console {
        Console {
            terminal,
            painter,
            forms,
            plain: PlainLines::new(bell),
            offer: None,
            quit_sent: false,
            asked: None,
            progress: String::new(),
            set_aside: None,
            cleared: None,
            declined: None,
        }
    }

    /// Does what the keys say that were read. If they end the client, returns how.
    pub fn act(&mut self, link: &mut Link, irc: &mut Irc, now: Instant) -> Option<ConsoleEvent> {
        while let Some(event) = self.terminal.next_event() {
            match event {
                ConsoleEvent::Line(line) if line.is_empty() => {}
                ConsoleEvent::Line(line) => {
                    self.submitted(line, link, irc);
                    // There is no server that would close the connection.
                    if self.quit_sent && !link.is_up() {
                        return Some(ConsoleEvent::Eof);
                    }
                }
                ConsoleEvent::PasteConfirmed(lines) if self.asked.take().is_some() => {
                    self.send_or_keep(&lines[0], link, irc);
                }
                ConsoleEvent::PasteConfirmed(lines) if self.answered_by_enter(&lines, now) => {
                    self.terminal.editor.set(&lines.join("\n"));
                    self.terminal.bell();
                }
                ConsoleEvent::PasteConfirmed(lines) => match self.send(&lines, link, irc) {
                    Ok(()) => {
                        self.terminal.editor.clear();
                        self.remember(&lines);
                    }
                    Err(why) => {
                        self.notice(&Notice::error(format!("{why}; nothing was sent")));
                        self.terminal.ask(lines);
                    }
                },
                ConsoleEvent::PasteDeclined(..) if self.asked.is_some() => {
                    if let Some(line) = self.asked.take() {
                        self.send_or_keep(&line, link, irc);
                    }
                }
                ConsoleEvent::Unanswered => {
                    self.terminal.editor.set(&self.asked.take().unwrap_or_default());
                }
                ConsoleEvent::PasteDeclined(count, true) => {
                    self.declined = Some((now, self.terminal.editor.line().to_owned()));
                    self.notice(&Notice::note(format!(
                        "{} not sent: edit them (⏎ ends each), Enter sends, Ctrl-C clears",
                        counted(count, "line")
                    )));
                }
                ConsoleEvent::PasteDeclined(count, false) => self.notice(&Notice::note(format!(
                    "{} not sent, too much to edit here; Ctrl-Y asks again",
                    counted(count, "line")
                ))),
                ConsoleEvent::Cleared => self.cleared = Some(now),
                ConsoleEvent::Interrupt
                    if self.cleared.take().is_some_and(|cleared| now - cleared < CLEARED) =>
                {
                    self.notice(&Notice::note("press Ctrl-C again to quit"));
                }
                ConsoleEvent::PasteTooLong => {
                    let limit = MAX_PASTE / (1024 * 1024);
                    self.notice(&Notice::error(format!("paste not sent: it exceeds {limit} MiB")));
                }
                ConsoleEvent::Complete => self.complete(irc),
                ConsoleEvent::Interrupt | ConsoleEvent::Eof | ConsoleEvent::Closed => {
                    return Some(event);
                }
            }
        }
        None
    }

    /// Whether these lines have just been declined: the Enter belongs to the answer.
    fn answered_by_enter(&mut self, lines: &[String], now: Instant) -> bool {
        let declined = self.declined.take();
        declined.is_some_and(|(at, line)| now - at < ANSWERED && line == lines.join("\n"))
    }

    fn submitted(&mut self, line: String, link: &mut Link, irc: &mut Irc) {
        if self.set_aside.is_some() {
            if let Some(session) = irc {
                session.password_typed(Zeroizing::new(line));
            }
            return self.ask_or_not(irc);
        }
        self.remember(std::slice::from_ref(&line));
        if let Some((question, command)) = irc.as_ref().and_then(|irc| irc.may_mean_a_file(&line)) {
            self.asked = Some(line);
            return self.terminal.ask_about(question, vec![command]);
        }
        self.send_or_keep(&line, link, irc);
    }

    fn send_or_keep(&mut self, line: &str, link: &mut Link, irc: &mut Irc) {
        if let Err(why) = self.send(&[line.to_owned()], link, irc) {
            self.terminal.editor.set(line);
            self.notice(&Notice::error(format!("{why}; your line is kept")));
            self.terminal.bell();
        }
    }

    /// Puts lines into the history, unless one has a password.
    fn remember(&mut self, lines: &[String]) {
        if lines.iter().all(|line| secrets::begins(line, self.forms).is_none()) {
            self.terminal.editor.history.push(&lines.join("\n"));
        }
    }

    /// Turns the row into a question for a password when the session has one, and back. What was
    /// being typed is set aside: a message must not be sent as a password, nor be lost.
    pub fn ask_or_not(&mut self, irc: &Irc) {
        let asks = irc.as_ref().is_some_and(|session| session.question().is_some());
        if asks && self.set_aside.is_none() {
            self.set_aside = Some(self.terminal.editor.line().to_owned());
            self.terminal.editor.clear();
            self.terminal.set_mask(secrets::all_masked);
        } else if !asks && let Some(draft) = self.set_aside.take() {
            self.terminal.editor.set(&draft);
            self.terminal.set_mask(mask(self.forms));
        }
    }

    /// Tab: the first matching word, and with each further Tab the next one.
    fn complete(&mut self, irc: &Irc) {
        let (line, cursor) = (self.terminal.editor.line(), self.terminal.editor.cursor());
        let valid = |offer: &Offer| offer.line == line && offer.cursor == cursor;
        let (vocabulary, nick) = match irc {
            Some(session) => (&session.vocabulary, session.nick()),
            None => (&self.plain.vocabulary, ""),
        };
        let (start, words, current) = match self.offer.take().filter(valid) {
            Some(offer) => (offer.start, offer.words, offer.current + 1),
            None => match vocabulary.complete(line, cursor, nick) {
                Completion::Words { words, .. } if words.is_empty() => return self.terminal.bell(),
                Completion::Words { start, words } => (start, words, 0),
                Completion::List(line) => return self.notice(&Notice::note(line)),
            },
        };
        let current = current % words.len();
        if !self.terminal.complete(start, &words[current]) {
            return self.terminal.bell();
        }
        // A single word is complete: the next Tab completes what follows it.
        if words.len() > 1 {
            let (line, cursor) =
                (self.terminal.editor.line().to_owned(), self.terminal.editor.cursor());
            self.offer = Some(Offer { start, words, current, line, cursor });
        }
    }

    /// Sends lines and shows them as sent.
    fn send(&mut self, lines: &[String], link: &mut Link, irc: &mut Irc) -> Result<(), String> {
        if !link.is_up() {
            return self.obey_alone(lines, irc);
        }
        let bytes: usize = lines.iter().map(|line| line.len() + 1).sum();
        if link.unsent() + bytes > SEND_HARD {
            let limit = SEND_HARD / (1024 * 1024);
            return Err(format!("the server is not reading: {limit} MiB are waiting to be sent"));
        }
        let Some(session) = irc else {
            plain::can_send(lines)?;
            for line in lines {
                self.echo(line);
                link.send(&[line.as_bytes(), b"\n"].concat());
                self.quit_sent = is_quit(line.as_bytes());
            }
            return Ok(());
        };
        session.can_send(lines)?;
        session.typed(lines, self.painter.now.timestamp());
        link.send(&session.take_outgoing());
        self.quit_sent = session.has_quit();
        self.show_of(session);
        Ok(())
    }

    /// Without a connection: does what needs no server.
    fn obey_alone(&mut self, lines: &[String], irc: &mut Irc) -> Result<(), String> {
        match (lines, irc) {
            ([line], None) if is_quit(line.as_bytes()) => self.quit_sent = true,
            ([line], Some(session)) if is_local(line) => {
                session.typed(lines, self.painter.now.timestamp());
                self.quit_sent = session.has_quit();
                self.show_of(session);
            }
            _ => return Err("not connected".to_owned()),
        }
        Ok(())
    }

    /// Shows a line that the user has sent to a server of plain lines, whose commands are not known.
    fn echo(&mut self, line: &str) {
        let mut shown = Vec::new();
        self.painter.time(&mut shown);
        self.painter.styled(PROMPT, style::YOU, &mut shown);
        let masked = secrets::sent(line, self.forms);
        let line = masked.as_deref().unwrap_or(line);
        shown.extend_from_slice(crate::wire::clean::clean(line.as_bytes()).as_bytes());
        self.print(&shown);
    }

    /// A line from the server.
    pub fn line(&mut self, line: &[u8], irc: &mut Irc) {
        match irc {
            None => {
                let items = self.plain.received(line);
                self.show(items, false);
            }
            Some(session) => {
                session.receive(line, self.painter.now.timestamp());
                self.show_of(session);
                self.ask_or_not(irc);
            }
        }
    }

    /// Shows what the session has to show.
    pub fn refresh(&mut self, irc: &mut Irc) {
        if let Some(session) = irc {
            self.show_of(session);
        }
    }

    /// Shows what the session has to show. Its current room needs no name in front of its messages.
    fn show_of(&mut self, session: &mut IrcSession) {
        let items = session.take_shown();
        self.painter.here = session.destination().map(str::to_owned);
        self.painter.narrow = self.terminal.columns() < NARROW;
        self.show(items, session.show_numbers);
    }

    fn show(&mut self, items: Vec<DisplayItem>, numbers: bool) {
        for item in items {
            match item {
                DisplayItem::Bell => self.terminal.bell(),
                DisplayItem::Clear => self.terminal.clear(),
                DisplayItem::Notice(notice) => self.notice(&notice),
                item => {
                    for line in self.painter.item(&item, numbers, Some(INDENT)) {
                        self.print(&line);
                    }
                }
            }
        }
    }

    /// Shows something of the client's own.
    pub fn notice(&mut self, notice: &Notice) {
        let style = match notice.severity {
            Severity::Note => style::DIM,
            Severity::Error => style::ERROR,
        };
        let mut shown = Vec::new();
        self.painter.time(&mut shown);
        self.painter.styled(&format!("-- {}", notice.text), style, &mut shown);
        self.print(&shown);
    }

    /// Prints a line above the edited one, preceded by the date if it has changed.
    fn print(&mut self, shown: &[u8]) {
        if let Some(day) = self.painter.day_line() {
            let mut line = Vec::new();
            self.painter.styled(&day, style::DIM, &mut line);
            self.terminal.print(&line);
        }
        self.terminal.print(shown);
    }

    /// Shows what the turn has changed, with one write.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn present(&mut self, irc: &Irc) -> io::Result<()> {
        let frame = self.frame(irc);
        self.terminal.write(&frame)
    }

    /// What the turn has changed on the screen.
    pub fn frame(&mut self, irc: &Irc) -> Vec<u8> {
        self.terminal.set_prompt(&(self.progress.clone() + &prompt(irc.as_ref())));
        self.terminal.frame()
    }

    /// Gives the terminal back while the process is stopped.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn pause(&mut self) -> io::Result<()> {
        self.clear_row()?;
        self.terminal.pause()
    }

    /// Takes the row away: what the shell prints next begins there.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn clear_row(&mut self) -> io::Result<()> {
        let frame = self.terminal.last_frame();
        self.terminal.write(&frame)
    }
}

/// `[You]: `, with the room or nick that messages go to in front if that is known.
fn prompt(session: Option<&IrcSession>) -> String {
    let (question, room) =
        session.map_or((None, None), |session| (session.question(), session.destination()));
    match (question, room) {
        (Some(question), _) => question,
        (None, Some(room)) => format!("{room} {PROMPT}"),
        (None, None) => PROMPT.to_owned(),
    }
}

fn console_options(painter: &Painter, forms: Forms) -> ConsoleOptions {
    ConsoleOptions {
        // Some plain-text servers disconnect on an empty line.
        keeps_blank_lines: forms == Forms::Irc,
        style: painter.style(style::YOU),
        mask: mask(forms),
    }
}

/// What hides the passwords of typed lines.
fn mask(forms: Forms) -> Mask {
    match forms {
        Forms::Irc => |line, cursor| secrets::masked(line, cursor, Forms::Irc),
        Forms::Plain => |line, cursor| secrets::masked(line, cursor, Forms::Plain),
    }
}
