//! How does this person talk to an IRC server, over all connections to it?
//!
//! | file | its question |
//! |---|---|
//! | `door` | how does the client come in? |
//! | `sasl`, `scram` | how is an account proved? |
//! | `server` | what can this server do? |
//! | `incoming` | what does a line of the server mean? |
//! | `talk` | what is said, and to whom? |
//! | `said` | what does a PRIVMSG or NOTICE say? |
//! | `people` | who comes, goes, and is called otherwise? |
//! | `numerics` | what does a number say in words? |
//! | `past` | what was said before, and what was missed? |
//! | `catchup` | which messages of one room were missed? |
//! | `batches` | which lines belong together? |
//! | `rooms` | which rooms, and who else is there? |
//! | `numbers` | which message does a short number mean? |
//! | `commands` | what may be typed? |
//! | `typed`, `ordered` | which lines does a typed line become? |
//! | `speak` | how is a text cut into lines that arrive whole? |
//! | `pace` | how fast may lines go out, and which has the server taken? |
//!
//! Pure: the server's lines and typed lines in; bytes to send and things to show out; the time is
//! an argument. The standard is the Modern IRC Client Protocol, with IRCv3 where a server has it.
//! Nothing is sent but the registration before the server has let the client in.
//!
//! Invariants: what is shown is harmless on a terminal; every map and queue has a bound, said
//! where it is; a password goes to the server and nowhere else.
//!
//! Deliberately absent: DCC, and anything else that one program asks another to do. TLS.

mod batches;
mod catchup;
pub mod commands;
mod door;
mod incoming;
mod numbers;
mod numerics;
mod ordered;
mod pace;
mod past;
mod people;
mod rooms;
mod said;
mod sasl;
mod scram;
mod server;
mod speak;
mod talk;
#[cfg(test)]
mod tests;
mod typed;

use super::complete::Vocabulary;
use super::display::DisplayItem;
use super::options::Bell;
use crate::wire::irc::{Fit, Limits, LineWriter};
use batches::Batches;
use door::Door;
use jiff::Timestamp;
use numbers::Numbers;
use pace::Pace;
use rooms::Rooms;
use server::Server;
use speak::Spoken;
use zeroize::Zeroizing;

/// What the person wants, from the command line.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// The nick.
    pub nick: String,
    /// The server's password, for PASS.
    pub password: Option<Zeroizing<String>>,
    /// An account and its password, for SASL.
    pub account: Option<(String, Zeroizing<String>)>,
    /// Rooms to enter at first.
    pub rooms: Vec<String>,
    /// Somebody sits at a terminal: there is a past to show, and a mistake is not the end.
    pub person: bool,
    /// Some number, for a nick that nobody else has.
    pub seed: u32,
    /// What nobody can guess, without a comma: the beginning of nonces.
    pub nonce: String,
}

/// Why it is over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The server has not let the client in.
    Refused(String),
    /// That is no IRC server.
    NotIrc(String),
    /// A chatloop server, which has taken this connection for plain lines: our first word came
    /// later than its `--greeting-delay`. Another try may be in time.
    Late(String),
}

/// An account and its password.
#[derive(Clone, Debug)]
struct Login {
    account: String,
    password: Zeroizing<String>,
}

/// The conversation with one server.
pub struct Session {
    wishes: Wishes,
    server: Server,
    /// Some: not in yet.
    door: Option<Door>,
    /// Was in once: rooms and the rest are those of before.
    was_in: bool,
    /// This connection's welcome is over.
    welcomed: bool,
    nick: String,
    /// `user@host`, as others see it, if that is known.
    address: Option<String>,
    /// The nick to have again, when somebody else has it.
    regain: Option<String>,
    login: Option<Login>,
    /// A nick that is to become an account.
    login_asked: Option<Login>,
    exchange: Option<sasl::Exchange>,
    /// Logins so far: each has a nonce of its own.
    nonces: u64,
    rooms: Rooms,
    current: Option<String>,
    /// Rooms that were asked for and have not answered, with their keys.
    joining: Vec<(String, Option<Zeroizing<String>>)>,
    /// The serial number of the last PART.
    parting: u64,
    /// On the way back to the rooms of before.
    returning: bool,
    /// Nothing was missed, as far as is known.
    complete: bool,
    pace: Pace,
    /// What cannot wait: answers to PING, and the registration.
    urgent: Vec<u8>,
    spoken: Spoken,
    batches: Batches,
    numbers: Numbers,
    /// The newest time that the server has said.
    newest: Option<Timestamp>,
    /// What was said to this person alone, to know it again.
    private: catchup::RoomLog,
    /// When the connection was lost, and whose words since then were asked for.
    lost_at: Option<Timestamp>,
    missed_of: Vec<String>,
    /// Lines of the message of the day so far; those shown, those asked for.
    motd: (usize, bool),
    /// Rows of an answer that are still shown.
    rows_left: usize,
    /// When the last questions of other programs were answered.
    answered: Vec<Timestamp>,
    ignored: Vec<String>,
    last_private: Option<String>,
    bell: Bell,
    verdict: Option<Verdict>,
    failed: bool,
    farewell: bool,
    now: Timestamp,
    shown: Vec<DisplayItem>,
    /// What Tab knows.
    pub vocabulary: Vocabulary,
    /// Whether numbers are shown.
    pub show_numbers: bool,
}

impl Session {
    /// With nobody yet.
    pub fn new(wishes: Wishes, bell: Bell) -> Session {
        let login = wishes.account.as_ref();
        let login = login.map(|(account, password)| Login {
            account: account.clone(),
            password: password.clone(),
        });
        let mut vocabulary = Vocabulary::default();
        for command in commands::COMMANDS {
            vocabulary.command(command.name, &format!("{}: {}", command.form, command.what));
        }
        Session {
            server: Server::new(),
            door: None,
            was_in: false,
            welcomed: false,
            nick: wishes.nick.clone(),
            address: None,
            regain: None,
            login,
            login_asked: None,
            exchange: None,
            nonces: 0,
            rooms: Rooms::default(),
            current: None,
            joining: Vec::new(),
            parting: 0,
            returning: false,
            complete: true,
            pace: Pace::default(),
            urgent: Vec::new(),
            spoken: Spoken::default(),
            batches: Batches::default(),
            numbers: Numbers::default(),
            newest: None,
            private: catchup::RoomLog::default(),
            lost_at: None,
            missed_of: Vec::new(),
            motd: (0, false),
            rows_left: numerics::ROWS_SHOWN,
            answered: Vec::new(),
            ignored: Vec::new(),
            last_private: None,
            bell,
            verdict: None,
            failed: false,
            farewell: false,
            now: Timestamp::UNIX_EPOCH,
            shown: Vec::new(),
            vocabulary,
            show_numbers: false,
            wishes,
        }
    }

    /// This person's nick.
    pub fn nick(&self) -> &str {
        &self.nick
    }

    /// The room that words go to.
    pub fn room(&self) -> Option<&str> {
        self.current.as_deref().filter(|_| self.welcomed)
    }

    /// What is to be shown now.
    pub fn take_shown(&mut self) -> Vec<DisplayItem> {
        std::mem::take(&mut self.shown)
    }

    /// What is to be sent now.
    pub fn take_outgoing(&mut self) -> Vec<u8> {
        let mut out = std::mem::take(&mut self.urgent);
        if self.door.is_none() {
            self.pace.take(&mut out);
        }
        out
    }

    /// Whether the server has said anything that an IRC server says.
    pub fn has_answered(&self) -> bool {
        self.door.as_ref().is_none_or(|door| door.answered)
    }

    /// Whether words can be said: in, in the rooms that were asked for or refused there, and no
    /// longer in those that were left. Before that they might go to the wrong room.
    pub fn is_settled(&self) -> bool {
        self.welcomed && self.joining.is_empty() && self.pace.taken() >= self.parting
    }

    /// What the server owes: the PING that it has not answered and how much it has confirmed so
    /// far. It changes with every step, and is `None` when nothing is owed.
    pub fn owed(&self) -> Option<(u64, u64)> {
        Some((self.pace.awaited()?, self.spoken.confirmed()))
    }

    /// Whether the server has taken everything that was said.
    pub fn is_idle(&self) -> bool {
        self.is_settled() && self.pace.is_idle()
    }

    /// Whether a script should type no more for now.
    pub fn is_full(&self) -> bool {
        !self.pace.has_room_for(1)
    }

    /// Whether these lines can be typed now.
    ///
    /// # Errors
    /// Why not, in words for people.
    pub fn can_type(&self, lines: &[String]) -> Result<(), String> {
        if !self.welcomed {
            return Err("the server has not let us in yet".to_owned());
        }
        if !self.pace.has_room_for(lines.len()) {
            return Err(format!("the server is slow, {} lines wait for it", self.waiting()));
        }
        let asked = self.joining.iter().map(|(room, _)| room);
        let waits = asked.into_iter().find(|room| match &self.current {
            Some(current) => self.server.same(room, current),
            None => true,
        });
        match waits {
            Some(room) if lines.iter().any(|line| !line.starts_with(['/', '@'])) => {
                Err(format!("you are not in {room} yet"))
            }
            _ => Ok(()),
        }
    }

    /// Lines that wait for the server.
    pub fn waiting(&self) -> usize {
        self.pace.waiting()
    }

    /// Whether the last thing typed was `/quit`.
    pub fn has_said_farewell(&self) -> bool {
        self.farewell
    }

    /// Whether something that was typed could not be done, or not be heard.
    pub fn has_failed(&self) -> bool {
        self.failed
    }

    /// Why it is over, if it is; once.
    pub fn take_verdict(&mut self) -> Option<Verdict> {
        self.verdict.take()
    }

    /// Whether a server has let the client in before.
    pub fn was_in(&self) -> bool {
        self.was_in
    }

    /// The connection is gone: what the server has not confirmed may not have been heard. If it
    /// was never in, why not.
    pub fn disconnected(&mut self) -> Option<String> {
        self.spoken.connection_lost();
        if self.welcomed {
            self.lost_at = self.newest.or(Some(self.now));
        }
        self.welcomed = false;
        if self.was_in {
            return None;
        }
        match self.has_answered() {
            false => self.not_irc("it has closed the connection"),
            true => self.refused("it has closed the connection"),
        }
        self.verdict
            .take()
            .map(|(Verdict::Refused(why) | Verdict::NotIrc(why) | Verdict::Late(why))| why)
    }

    /// Leaves: bytes that say so, if there is anybody who has not heard it.
    pub fn farewell(&mut self) -> Vec<u8> {
        if self.farewell || self.door.is_some() {
            return Vec::new();
        }
        self.farewell = true;
        self.line("QUIT", &[], None).unwrap_or_default()
    }

    fn words(&mut self, text: impl AsRef<str>) {
        self.shown.push(DisplayItem::server_text(text));
    }

    fn note(&mut self, text: impl AsRef<str>) {
        self.shown.push(DisplayItem::note(text));
    }

    /// What was typed cannot be done.
    fn fail(&mut self, text: impl AsRef<str>) {
        self.failed = true;
        self.shown.push(DisplayItem::server_text(text));
    }

    /// One line for the server. A `None` in place of the line: it would be cut.
    fn line(&self, command: &str, words: &[&str], text: Option<&str>) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let limits = Limits { body: self.server.line_length(), ..Limits::FROM_CLIENT };
        let mut line = LineWriter::new(&mut out, limits).command(command);
        for word in words {
            line = line.middle(word);
        }
        let fit = match text {
            Some(text) => line.trailing(text).end(),
            None => line.end(),
        };
        (fit == Fit::Whole).then_some(out)
    }

    /// Queues a line for the server.
    fn order(&mut self, command: &str, words: &[&str], text: Option<&str>) {
        match self.line(command, words, text) {
            Some(line) => {
                self.pace.push(line);
            }
            None => self.fail("that is too long for one line of this server"),
        }
    }

    /// Sends a line that waits for nothing.
    fn at_once(&mut self, command: &str, words: &[&str], text: Option<&str>) {
        if let Some(line) = self.line(command, words, text) {
            self.urgent.extend_from_slice(&line);
        }
    }

    fn is_me(&self, nick: &str) -> bool {
        self.server.same(nick, &self.nick)
    }
}
