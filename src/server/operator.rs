//! What is the operator at the console to the chat? One more session, without a socket.
//!
//! It comes in as `server`, is a server operator from the start, and is told things like everyone
//! else: by the effects of records. Where a delivery finds no connection for a session it asks
//! here, so those with a socket do not pay for it; only what is told to many is offered once more
//! ([`Server::offer_to_operator`]). Its typed lines wait as those in an inbox do.

use super::connection::PendingRecords;
use super::console::{self, Console, ConsoleEvent};
use super::transcript::Transcript;
use super::turn::{Due, Server};
use crate::chat::{Audience, Change, Entry, Event, Name, QuitReason, Room, Viewpoint};
use crate::reactor::signals::stop_this_process;
use crate::reactor::{Interest, Signal, TimerId, Token};
use crate::session::Format;
use crate::session::plain::{self, Session};
use log::{info, warn};
use std::collections::VecDeque;
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::Duration;

/// The operator's session, and the event that keys have been pressed.
pub(super) const CONSOLE: Token = Token::fixed(200);

/// The nick it asks for, and its address for those who ask.
const NICK: &str = "server";
const LABEL: &str = "console";

/// Lines taken in one turn; the rest of a paste waits.
const LINES_PER_TURN: usize = 64;

/// How often to look whether the terminal is ours again, while another job has it. Nothing tells
/// of that: a shell continues only a job that was stopped.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The operator at the console.
pub(super) struct Operator {
    console: Console,
    session: Session,
    /// Typed, and not yet understood: bounded by the longest paste.
    lines: VecDeque<String>,
    pending: PendingRecords,
    timer: Option<TimerId>,
    /// The console is to be closed at the end of the turn.
    ended: bool,
}

impl Operator {
    /// Whether a typed line may be taken now.
    fn has_line(&self) -> bool {
        self.lines.front().is_some_and(|line| self.pending.allows_line(line.as_bytes()))
    }
}

impl Server {
    /// Lets the operator in, if there is a terminal to talk from.
    pub(super) fn open_console(&mut self) {
        if !console::is_wanted(self.config.quiet, self.config.no_console) {
            return;
        }
        let watched = self.poller.add(io::stdin(), CONSOLE, Interest::READ);
        let console = match watched.and_then(|()| Console::open()) {
            Ok(console) => console,
            Err(error) => {
                warn!("no console, this terminal cannot be used: {error}");
                let _ = self.poller.remove(io::stdin());
                return;
            }
        };
        self.transcript.finish();
        self.transcript = Transcript::silent();
        self.operator = Some(Box::new(Operator {
            console,
            session: Session::new(crate::session::Style::Plain),
            lines: VecDeque::new(),
            pending: PendingRecords::default(),
            timer: None,
            ended: false,
        }));
        let entry = Entry {
            label: LABEL.into(),
            nick: Some(Name::new(NICK)),
            lobby: true,
            console: true,
            ..Entry::default()
        };
        self.record(CONSOLE, Change::Enter(entry));
    }

    /// Keys have been pressed.
    pub(super) fn operator_keys(&mut self) {
        let Some(operator) = &mut self.operator else { return };
        operator.console.read(&mut self.scratch);
        self.take_console_events();
    }

    /// The time of an ESC has passed, or it is time to look whether the terminal is ours again.
    pub(super) fn operator_timer(&mut self) {
        let Some(operator) = &mut self.operator else { return };
        operator.timer = None;
        if operator.console.is_paused() {
            self.resume_console();
        } else {
            operator.console.timed_out();
            self.take_console_events();
        }
    }

    fn take_console_events(&mut self) {
        while let Some(operator) = &mut self.operator
            && let Some(event) = operator.console.next_event()
        {
            match event {
                ConsoleEvent::Line(line) => operator.lines.push_back(line),
                ConsoleEvent::PasteConfirmed(lines) => operator.lines.extend(lines),
                ConsoleEvent::Interrupt => self.stop(Signal::Interrupt),
                ConsoleEvent::Eof => self.operator_leaves(None),
                ConsoleEvent::Closed => {
                    // It would be reported as readable at every wait from here on.
                    let _ = self.poller.remove(io::stdin());
                    if self.has_lost_its_terminal() {
                        // The signal that says the same may come before, after, or not at all.
                        self.take_signal(Signal::Hangup);
                    } else {
                        self.operator_leaves(None);
                    }
                }
                // The console does these itself.
                ConsoleEvent::Complete
                | ConsoleEvent::PasteDeclined(_)
                | ConsoleEvent::PasteTooLong => {}
            }
        }
        let timeout = self.operator.as_ref().and_then(|operator| operator.console.timeout());
        self.arm_operator(timeout);
    }

    fn arm_operator(&mut self, after: Option<Duration>) {
        let Some(operator) = &mut self.operator else { return };
        if let Some(timer) = operator.timer.take() {
            self.timers.cancel(timer);
        }
        operator.timer = after.map(|after| self.timers.arm(self.now + after, Due::Console));
    }

    /// Takes what was typed, as far as it may be taken now.
    pub(super) fn take_operator_lines(&mut self) {
        for _ in 0..LINES_PER_TURN {
            if !self.operator_has_line() {
                return;
            }
            let Some(operator) = &mut self.operator else { return };
            let Some(line) = operator.lines.pop_front() else { return };
            operator.console.echo(&line);
            let limit = self.config.max_line;
            if line.len() > limit.0 {
                let text = format!("that line is over {limit} (--max-line) and was not sent");
                self.tell(CONSOLE, &text);
                continue;
            }
            let rooms = self.hub.user(Self::session(CONSOLE)).map_or(&[][..], |user| user.rooms());
            let request = operator.session.parse(line.as_bytes(), rooms, self.moment);
            self.carry_out(CONSOLE, request);
        }
    }

    /// Whether a typed line is left that may be taken now.
    pub(super) fn operator_has_line(&self) -> bool {
        self.journal.has_room()
            && self.operator.as_ref().is_some_and(|operator| !operator.ended && operator.has_line())
    }

    /// Counts a record of this origin, if it is the operator's.
    pub(super) fn operator_waits(&mut self, origin: Token, change: &Change) {
        if let Some(operator) = self.operator.as_mut().filter(|_| origin == CONSOLE) {
            operator.pending.add(change);
        }
    }

    /// A record of this origin is not waited for any more.
    pub(super) fn operator_waits_no_more(&mut self, origin: Token, change: &Change) {
        if let Some(operator) = self.operator.as_mut().filter(|_| origin == CONSOLE) {
            operator.pending.remove(change);
        }
    }

    /// Shows the operator something that is told to many, if it is among them.
    pub(super) fn offer_to_operator(&mut self, audience: &Audience, event: &Event) {
        if self.operator.is_none() {
            return;
        }
        let me = Self::session(CONSOLE);
        let is_in = |name: &Name| {
            self.hub.room(name.as_str()).is_some_and(|room: &Room| room.member(me).is_some())
        };
        let viewpoint = match audience {
            // Told by `operator_hears`, as one session.
            Audience::One(_) | Audience::Private { .. } => None,
            Audience::Room { from, .. } | Audience::Peers { from, .. } if *from == Some(me) => {
                Some(Viewpoint::Actor)
            }
            Audience::Room { room, except, .. } => {
                (is_in(room) && !except.contains(&me)).then_some(Viewpoint::Observer)
            }
            Audience::Peers { rooms, .. } => rooms.iter().any(is_in).then_some(Viewpoint::Observer),
            Audience::All => self.hub.user(me).map(|_| Viewpoint::Observer),
        };
        if let Some(viewpoint) = viewpoint {
            self.operator_hears(CONSOLE, event, viewpoint);
        }
    }

    /// Shows the operator an event, if the session is the operator's.
    pub(super) fn operator_hears(&mut self, token: Token, event: &Event, viewpoint: Viewpoint) {
        let Some(operator) = self.operator.as_mut().filter(|_| token == CONSOLE) else { return };
        operator.session.heard(event, viewpoint);
        let mut lines = Vec::new();
        Format::Plain(operator.session.look()).render(None, event, viewpoint, &mut lines);
        let said = matches!(
            event,
            Event::RoomMessage(_) | Event::DirectMessage(_) | Event::Announced { .. }
        );
        operator.console.print(&lines, said);
        if matches!(event, Event::Closed { .. }) {
            operator.ended = true;
        }
    }

    /// Shows the operator a line of the server's own, if the session is the operator's.
    pub(super) fn tell_operator(&mut self, token: Token, text: &str) {
        let Some(operator) = self.operator.as_mut().filter(|_| token == CONSOLE) else { return };
        let mut lines = Vec::new();
        plain::render_notice(operator.session.look(), text, &mut lines);
        operator.console.print(&lines, false);
    }

    /// The operator goes; the server stays.
    pub(super) fn operator_leaves(&mut self, words: Option<Arc<str>>) {
        let Some(operator) = &mut self.operator else { return };
        if !std::mem::replace(&mut operator.ended, true) {
            let departure = words.map_or(QuitReason::Quit, QuitReason::Message);
            self.record(CONSOLE, Change::Leave { departure });
        }
    }

    /// Shows what the turn has brought.
    pub(super) fn present_console(&mut self) {
        let user = self.hub.user(Self::session(CONSOLE));
        let Some(operator) = &mut self.operator else { return };
        if operator.ended && user.is_none() {
            self.close_console();
            self.transcript = Transcript::on_stdout();
            info!("the console is closed, the chat goes on; Ctrl-C stops the server");
            return;
        }
        let nick = user.map_or(NICK, |user| user.identity.nick.as_str());
        let rooms = user.map_or(&[][..], |user| user.rooms());
        let room = operator.session.current(rooms).filter(|room| **room != Name::lobby());
        operator.console.set_prompt(match room {
            Some(room) => format!("[{nick} {room}]: "),
            None => format!("[{nick}]: "),
        });
        operator.console.present();
    }

    /// Gives the terminal back.
    pub(super) fn close_console(&mut self) {
        self.arm_operator(None);
        let Some(operator) = self.operator.take() else { return };
        if !operator.console.is_paused() {
            // An error is that of a terminal that is gone.
            let _ = self.poller.remove(io::stdin());
        }
        operator.console.close();
    }

    /// The window has another size.
    pub(super) fn console_resized(&mut self) {
        if let Some(operator) = &mut self.operator {
            operator.console.resized();
        }
    }

    /// Ctrl-Z: stops this process, and takes the terminal again when it goes on.
    pub(super) fn suspend(&mut self) {
        if let Some(operator) = &mut self.operator
            && !operator.console.is_paused()
        {
            operator.console.pause();
            let _ = self.poller.remove(io::stdin());
        }
        if let Err(error) = stop_this_process() {
            warn!("cannot be suspended: {error}");
        }
        self.resume_console();
    }

    /// Takes the terminal, if it is this job's again; else goes on without it and looks again.
    pub(super) fn resume_console(&mut self) {
        let Some(operator) = &mut self.operator else { return };
        let was_paused = operator.console.is_paused();
        if !operator.console.resume() {
            if !was_paused {
                operator.console.pause();
                let _ = self.poller.remove(io::stdin());
            }
            return self.arm_operator(Some(LOOK_AGAIN));
        }
        if was_paused && let Err(error) = self.poller.add(io::stdin(), CONSOLE, Interest::READ) {
            warn!("the console is closed, this terminal cannot be used any more: {error}");
            self.operator_leaves(None);
        }
    }

    /// Whether there was a terminal at the start and is none now: it was closed, and nobody can
    /// see this server or stop it from there. One that is to outlive its terminal is started
    /// without it (`nohup`, a service).
    pub(super) fn has_lost_its_terminal(&self) -> bool {
        self.had_terminal && !io::stdin().is_terminal()
    }
}
