//! The person at the terminal: the operator's session at the console, or a transcript on stdout.
//!
//! To the chat the operator is one more session, without a socket: it comes in as `server`, is a
//! server operator from the start, and is told things as everyone else is, by the effects of
//! records. Effects are offered to it separately, so that connections do not pay for it. Its typed
//! lines wait as those in an inbox do.

use super::config::{Bytes, Config};
use super::console::{self, Console, ConsoleEvent};
use super::gate::{Kind, PendingRecords};
use super::intake::too_long;
use super::net::{Net, TimerKind};
use super::transcript::{self, Transcript};
use crate::chat::{
    Audience, Change, Effect, Entry, Event, Hub, Moment, Name, QuitReason, Room, SessionId,
    Viewpoint,
};
use crate::session::plain::{self, Session};
use crate::session::{Action, Format, Protocol, Style};
use chatloop_reactor::signals::stop_this_process;
use chatloop_reactor::{Interest, Poller, TimerId, Token};
use log::{info, warn};
use std::collections::VecDeque;
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::Duration;

/// The operator's session, and the event that keys have been pressed.
pub(super) const CONSOLE: Token = Token::fixed(200);

const ME: SessionId = SessionId(CONSOLE.to_bits());

/// The nick it asks for, and its address for those who ask.
const NICK: &str = "server";
const LABEL: &str = "console";

/// Lines taken in one turn; the rest of a paste waits.
const LINES_PER_TURN: usize = 64;

/// How often to try to regain the terminal while another job has it. Nothing reports that: a shell
/// continues only a job that was stopped.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What the operator's keys ask of the server.
pub(super) enum Request {
    /// To shut down.
    Stop,
    /// Step mode: so many turns.
    Step(u32),
    /// To close the console.
    Leave,
    /// The terminal is lost, as SIGHUP says it.
    HangUp,
}

/// The operator at the console.
struct Operator {
    console: Console,
    session: Session,
    /// Typed, and not yet understood: bounded by the longest paste.
    lines: VecDeque<String>,
    pending: PendingRecords,
    timer: Option<TimerId>,
    /// The console is to be closed at the end of the turn.
    ended: bool,
}

/// What is shown at the terminal that the server was started at.
pub(super) struct ConsoleService {
    operator: Option<Box<Operator>>,
    transcript: Transcript,
    had_terminal: bool,
    /// The loop takes a turn for an empty line, and so many for a number.
    stepping: bool,
    /// Lines that may still be taken in this turn.
    share: usize,
}

impl ConsoleService {
    pub(super) fn new(config: &Config) -> ConsoleService {
        ConsoleService {
            operator: None,
            transcript: transcript(transcript::is_wanted(config)),
            had_terminal: io::stdin().is_terminal(),
            stepping: config.boot.step,
            share: 0,
        }
    }

    /// Opens the console, if there is a terminal to type at; what then happens in the chat.
    pub(super) fn open(&mut self, net: &mut Net, quiet: bool, no_console: bool) -> Option<Change> {
        if !console::is_wanted(quiet, no_console) {
            return None;
        }
        let watched = net.poller().add(io::stdin(), CONSOLE, Interest::READ);
        let console = match watched.and_then(|()| Console::open()) {
            Ok(console) => console,
            Err(error) => {
                warn!("no console, this terminal cannot be used: {error}");
                let _ = net.poller().remove(io::stdin());
                return None;
            }
        };
        self.transcript.finish();
        self.transcript = Transcript::default();
        self.operator = Some(Box::new(Operator {
            console,
            session: Session::new(Style::Plain, Protocol::Plain),
            lines: VecDeque::new(),
            pending: PendingRecords::default(),
            timer: None,
            ended: false,
        }));
        let nick = Some(Name::new(NICK));
        let entry =
            Entry { label: LABEL.into(), nick, lobby: true, console: true, ..Entry::default() };
        Some(Change::Enter(entry.into()))
    }

    /// The transcript is wanted from here on, or no longer. An open console takes its place.
    pub(super) fn set_transcript(&mut self, wanted: bool) {
        if self.operator.is_none() {
            self.transcript.finish();
            self.transcript = transcript(wanted);
        }
    }

    /// Whether there is a console.
    pub(super) fn is_open(&self) -> bool {
        self.operator.is_some()
    }

    /// Watches the terminal with another poller, too.
    pub(super) fn watch(&self, poller: &mut Poller) -> io::Result<()> {
        match &self.operator {
            Some(operator) if !operator.console.is_paused() => {
                poller.add(io::stdin(), CONSOLE, Interest::READ)
            }
            _ => Ok(()),
        }
    }

    /// Keys have been pressed.
    pub(super) fn keys(&mut self, net: &mut Net) -> Vec<Request> {
        let Some(operator) = &mut self.operator else { return Vec::new() };
        operator.console.read(net.scratch());
        self.take_events(net)
    }

    /// The console's escape-sequence timeout expired, or it is time to try to regain the terminal.
    pub(super) fn timer(&mut self, net: &mut Net) -> Vec<Request> {
        let Some(operator) = &mut self.operator else { return Vec::new() };
        operator.timer = None;
        if operator.console.is_paused() {
            return self.resume(net).into_iter().collect();
        }
        operator.console.timed_out();
        self.take_events(net)
    }

    fn take_events(&mut self, net: &mut Net) -> Vec<Request> {
        let mut requests = Vec::new();
        while let Some(operator) = &mut self.operator
            && let Some(event) = operator.console.next_event()
        {
            match event {
                ConsoleEvent::Line(line) if line.is_empty() => {
                    requests.extend(self.stepping.then_some(Request::Step(1)));
                }
                ConsoleEvent::Line(line) => match line.parse() {
                    Ok(turns) if self.stepping => requests.push(Request::Step(turns)),
                    _ => operator.lines.push_back(line),
                },
                ConsoleEvent::PasteConfirmed(lines) => operator.lines.extend(lines),
                ConsoleEvent::Interrupt => requests.push(Request::Stop),
                ConsoleEvent::Eof => requests.push(Request::Leave),
                ConsoleEvent::Closed => {
                    // It would be reported as readable at every wait from here on.
                    let _ = net.poller().remove(io::stdin());
                    // The signal that says the same may come before, after, or not at all.
                    let lost = self.has_lost_its_terminal();
                    requests.push(if lost { Request::HangUp } else { Request::Leave });
                }
                // The console does these itself.
                ConsoleEvent::Complete
                | ConsoleEvent::PasteDeclined(..)
                | ConsoleEvent::Unanswered
                | ConsoleEvent::Cleared
                | ConsoleEvent::PasteTooLong => {}
            }
        }
        let timeout = self.operator.as_ref().and_then(|operator| operator.console.timeout());
        self.arm(timeout, net);
        requests
    }

    fn arm(&mut self, pause: Option<Duration>, net: &mut Net) {
        let Some(operator) = &mut self.operator else { return };
        if let Some(timer) = operator.timer.take() {
            net.cancel(timer);
        }
        operator.timer = pause.map(|pause| net.after(pause, TimerKind::Console));
    }

    pub(super) fn begin_turn(&mut self) {
        self.share = LINES_PER_TURN;
    }

    /// Whether a typed line is left that may be taken.
    pub(super) fn has_line(&self) -> bool {
        self.operator.as_ref().is_some_and(|operator| {
            let line = operator.lines.front().filter(|_| !operator.ended);
            line.is_some_and(|line| operator.pending.allows_line(line.as_bytes()))
        })
    }

    /// Takes the next typed line of this turn: what it asks for. A longer one than `limit` is not
    /// taken.
    pub(super) fn next_line(
        &mut self,
        hub: &Hub,
        now: Moment,
        limit: Bytes,
        actions: &mut Vec<Action>,
    ) -> bool {
        if self.share == 0 || !self.has_line() {
            return false;
        }
        self.share -= 1;
        let Some(operator) = &mut self.operator else { return false };
        let Some(line) = operator.lines.pop_front() else { return false };
        operator.console.echo(&line);
        if line.len() > limit.0 {
            actions.push(too_long(limit));
        } else {
            let rooms = hub.user(ME).map_or(&[][..], |user| user.rooms());
            actions.extend(operator.session.parse(line.as_bytes(), rooms, now));
        }
        true
    }

    /// A record of the operator is proposed.
    pub(super) fn proposed(&mut self, change: &Change) {
        self.operator.iter_mut().for_each(|it| it.pending.add(change));
    }

    /// A record of the operator is committed or rejected.
    pub(super) fn settled(&mut self, kind: Kind) {
        self.operator.iter_mut().for_each(|it| it.pending.remove(kind));
    }

    /// Shows an effect: to the operator, if it is among the audience, or in the transcript.
    pub(super) fn offer(&mut self, hub: &Hub, effect: &Effect) {
        let Effect { audience, event, stamp, .. } = effect;
        let private = matches!(audience, Audience::One(_) | Audience::Private { .. });
        if !private && !matches!(event, Event::MetadataSet { .. }) {
            self.transcript.say(event, stamp.time);
        }
        if self.operator.is_none() {
            return;
        }
        let is_in = |name: &Name| {
            hub.room(name.as_str()).is_some_and(|room: &Room| room.member(ME).is_some())
        };
        let viewpoint = match audience {
            Audience::One(session) => (*session == ME).then_some(Viewpoint::Observer),
            Audience::Private { from, .. } if *from == ME => Some(Viewpoint::Actor),
            Audience::Private { to, .. } => to.contains(&ME).then_some(Viewpoint::Observer),
            Audience::Room { from, .. } | Audience::Peers { from, .. } if *from == Some(ME) => {
                Some(Viewpoint::Actor)
            }
            Audience::Room { room, except, .. } => {
                (is_in(room) && !except.contains(&ME)).then_some(Viewpoint::Observer)
            }
            Audience::Peers { rooms, .. } => rooms.iter().any(is_in).then_some(Viewpoint::Observer),
            Audience::All => hub.user(ME).map(|_| Viewpoint::Observer),
        };
        if let Some(viewpoint) = viewpoint
            && let Some(event) = effect.event_for(ME)
        {
            self.show_event(&event, viewpoint);
        }
    }

    /// Shows the operator an event.
    pub(super) fn show_event(&mut self, event: &Event, viewpoint: Viewpoint) {
        let Some(operator) = &mut self.operator else { return };
        operator.session.observe(event, viewpoint);
        let mut lines = Vec::new();
        Format::Plain(operator.session.theme()).render(None, event, viewpoint, &mut lines);
        let said = matches!(
            event,
            Event::RoomMessage(_) | Event::DirectMessage(_) | Event::Announced { .. }
        );
        operator.console.print(&lines, said);
        if matches!(event, Event::Closed { .. }) {
            operator.ended = true;
        }
    }

    /// Shows the operator a line of the server's own.
    pub(super) fn tell(&mut self, text: &str) {
        let Some(operator) = &mut self.operator else { return };
        let mut lines = Vec::new();
        plain::render_notice(operator.session.theme(), text, &mut lines);
        operator.console.print(&lines, false);
    }

    /// The operator leaves; the server stays. What then happens in the chat.
    pub(super) fn leave(&mut self, words: Option<Arc<str>>) -> Option<Change> {
        let operator = self.operator.as_mut()?;
        let departure = words.map_or(QuitReason::Quit, QuitReason::Message);
        let first = !std::mem::replace(&mut operator.ended, true);
        first.then_some(Change::Leave { departure })
    }

    /// Hands this turn's lines of the transcript over.
    pub(super) fn end_turn(&mut self) {
        self.transcript.end_turn();
    }

    /// Shows what the turn has brought.
    pub(super) fn present(&mut self, hub: &Hub, net: &mut Net) {
        let user = hub.user(ME);
        let Some(operator) = &mut self.operator else { return };
        if operator.ended && user.is_none() {
            self.close(net);
            self.transcript = Transcript::on_stdout();
            info!("the console is closed, the server keeps running; Ctrl-C stops it");
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
    fn close(&mut self, net: &mut Net) {
        self.arm(None, net);
        let Some(operator) = self.operator.take() else { return };
        if !operator.console.is_paused() {
            // An error is that of a terminal that is gone.
            let _ = net.poller().remove(io::stdin());
        }
        operator.console.close();
    }

    /// The server ends.
    pub(super) fn finish(&mut self, net: &mut Net) {
        self.close(net);
        self.transcript.finish();
    }

    /// The window has another size.
    pub(super) fn resized(&mut self) {
        self.operator.iter_mut().for_each(|it| it.console.resized());
    }

    /// Ctrl-Z: stops this process, and takes the terminal again when it goes on.
    pub(super) fn suspend(&mut self, net: &mut Net) -> Option<Request> {
        if let Some(operator) = &mut self.operator
            && !operator.console.is_paused()
        {
            operator.console.pause();
            let _ = net.poller().remove(io::stdin());
        }
        if let Err(error) = stop_this_process() {
            warn!("cannot be suspended: {error}");
        }
        self.resume(net)
    }

    /// Takes the terminal, if it is this job's again; else goes on without it and tries later.
    pub(super) fn resume(&mut self, net: &mut Net) -> Option<Request> {
        let operator = self.operator.as_mut()?;
        let was_paused = operator.console.is_paused();
        if !operator.console.resume() {
            if !was_paused {
                operator.console.pause();
                let _ = net.poller().remove(io::stdin());
            }
            self.arm(Some(LOOK_AGAIN), net);
        } else if was_paused
            && let Err(error) = net.poller().add(io::stdin(), CONSOLE, Interest::READ)
        {
            warn!("the console is closed, this terminal can no longer be used: {error}");
            return Some(Request::Leave);
        }
        None
    }

    /// Whether the terminal that it was started at is gone: it was closed, and no one can
    /// see this server or stop it from there. A server that is to outlive its terminal is started
    /// without it (`nohup`, a service).
    pub(super) fn has_lost_its_terminal(&self) -> bool {
        self.had_terminal && !io::stdin().is_terminal()
    }
}

fn transcript(wanted: bool) -> Transcript {
    if wanted { Transcript::on_stdout() } else { Transcript::default() }
}
