//! Committed records become effects, and effects are told.

use super::{Exchange, session};
use crate::chat::work::{self, LINE, RECORD};
use crate::chat::{
    AccountStep, Change, Effect, Event, Hub, Name, Point, Query, Range, Record, RecordId, Refusal,
    Scope, SessionId,
};
use crate::journal::Rejected;
use crate::server::audit;
use crate::server::broadcast::{Cause, Early, Telling};
use crate::server::engine::Found;
use crate::server::gate::{Blocked, Kind};
use crate::server::operator::CONSOLE;
use crate::server::stats::Counter;
use crate::server::stint::Stint;
use crate::session::{Action, ProofAnswer, Replay};
use crate::trace;
use crate::wire::clean::clean_text;
use chatloop_reactor::Token;
use log::info;
use std::sync::Arc;
use std::time::Duration;

/// How long a turn may apply records, and hand out answers. What is left comes first in the next
/// one: what has been told is written in between.
const APPLYING: Duration = Duration::from_millis(10);
const ANSWERING: Duration = Duration::from_millis(5);

/// The files that a change brings or deletes.
fn files_of(hub: &Hub, change: &Change) -> Vec<Arc<str>> {
    match change {
        Change::Upload { file } => vec![Arc::clone(&file.id)],
        Change::DeleteFile { id } => vec![Arc::clone(id)],
        Change::AccountDeleted { account, erases: true } => hub.files_of(account),
        _ => Vec::new(),
    }
}

/// What a client is shown of a room that it joins is sent in one go: it takes no more than a share of
/// what may wait for it.
fn shorten(past: &mut Event, bytes: usize) {
    if !is_mail(past)
        && let Event::Past(past) = past
    {
        past.keep_newest(bytes);
    }
}

fn is_mail(event: &Event) -> bool {
    matches!(event, Event::Past(past) if matches!(past.query.scope, Scope::Mail { .. }))
}

impl Exchange {
    /// Hands the turn's proposals to the journal, applies what it has committed by now, and tells
    /// the origins of what it has rejected.
    pub(in crate::server) fn commit(&mut self) {
        self.engine.end_turn(self.net.now());
        let mut stint = Stint::begin(self.net.clock(), APPLYING);
        while !stint.is_over()
            && let Some(record) = self.engine.next_committed()
        {
            let token = Token::from_bits(record.origin.0);
            work::take();
            self.apply(record);
            let cost = work::take() + RECORD;
            self.net.charge(token, cost, true);
            stint.add(cost, self.net.clock());
        }
        self.engine.watch_health(self.net.now());
        self.net.set_saving(self.engine.is_saving());
        for rejected in self.engine.take_rejected(self.net.now()) {
            self.reject(rejected);
        }
        self.broadcast.close_run(&mut self.net, self.engine.hub());
        for token in self.broadcast.take_full() {
            self.stop_detecting(token);
        }
    }

    fn apply(&mut self, record: Record) {
        let (origin, kind) = (record.origin, Kind::of(&record.change));
        let token = Token::from_bits(origin.0);
        let leaves = matches!(record.change, Change::Leave { .. });
        let enters = matches!(record.change, Change::Enter(_));
        self.broadcast.before_members_change(&mut self.net, self.engine.hub(), &record);
        let early = enters.then(|| self.broadcast.take_early(&mut self.net, token)).flatten();
        let act = audit::describe(self.engine.hub(), &record);
        let files = files_of(self.engine.hub(), &record.change);
        let renames = enters || matches!(record.change, Change::Nick { .. });
        self.note_record(token, &record);
        let operator = match &record.change {
            Change::Oper { name } => Some(Arc::clone(name)),
            _ => None,
        };
        let leaver = leaves.then(|| audit::who(self.engine.hub(), origin));
        let mut effects = self.engine.apply(record);
        if enters || leaves {
            self.log_presence(token, leaver);
        }
        if renames && let Some(user) = self.engine.hub().user(origin) {
            self.net.trace().label(token, || user.identity.nick.to_string());
        }
        if let Some(act) = act {
            audit::write(&act, &effects);
        }
        let suspects = self.suspects(&effects, enters.then_some(origin));
        for effect in effects.drain(..) {
            self.publish(origin, effect, early.as_ref());
        }
        self.engine.reuse(effects);
        if let Some(early) = early
            && let Some(lobby) = self.engine.hub().room(Name::lobby().as_str())
            && lobby.member(origin).is_some()
            && let Some(mut peer) = self.net.peer(token)
        {
            early.messages.iter().for_each(|message| peer.queue(message));
        }
        for id in files {
            self.file_changed(token, &id);
        }
        self.settle(token, Some(kind));
        self.end_without_account(suspects);
        operator.into_iter().for_each(|name| self.check_operator(origin, &name));
        if leaves {
            if let Some(mut peer) = self.net.peer(token)
                && std::mem::take(&mut peer.connection.life.withdrawn)
            {
                self.broadcast.send(&mut peer, self.engine.hub(), &[]);
            }
            self.say_farewell(token);
        }
    }

    /// For those who watch.
    fn note_record(&self, token: Token, record: &Record) {
        self.net.trace().text(token, || match &record.change {
            Change::Say { text, .. } => Some(clean_text(text).into_owned()),
            _ => None,
        });
        let (client, id) = (trace::number(token), record.id.0);
        self.net.trace().note(|| trace::Event::Record { client, id });
    }

    /// Who may be there without an account now, where none may be: who has been logged out, by a
    /// command, another password or the end of their account, or has entered.
    fn suspects(&self, effects: &[Effect], newcomer: Option<SessionId>) -> Vec<SessionId> {
        if !self.live.config().require_account {
            return Vec::new();
        }
        let logged_out = effects.iter().filter_map(|effect| match &effect.event {
            Event::Account { who, step: AccountStep::LoggedOut } => Some(who.session),
            _ => None,
        });
        logged_out.chain(newcomer).collect()
    }

    /// Without an account one is not admitted (`--require-account`), and does not stay either.
    fn end_without_account(&mut self, suspects: Vec<SessionId>) {
        for session in suspects {
            let token = Token::from_bits(session.0);
            let user = self.engine.hub().user(session);
            if token != CONSOLE && user.is_some_and(|user| user.identity.account.is_none()) {
                let farewell = "you are logged out, and this server requires an account";
                self.stats.count(Counter::NoAccount);
                self.leave(token, Some("logged out".into()), farewell.to_owned());
            }
        }
    }

    /// Logs who has connected from where, or disconnected.
    fn log_presence(&mut self, token: Token, leaver: Option<String>) {
        if let Some(leaver) = leaver {
            return info!("{leaver} disconnected");
        }
        let hub = self.engine.hub();
        if hub.user(session(token)).is_none() {
            return;
        }
        let who = audit::who(hub, session(token));
        if let Some(connection) = self.net.connection(token) {
            let tls = if connection.is_encrypted() { ", TLS" } else { "" };
            info!("{who} connected ({}{tls})", connection.session.name());
        }
    }

    /// A change could not be committed: it has not happened, and its origin is told.
    fn reject(&mut self, rejected: Rejected) {
        let Rejected { proposal, reason } = rejected;
        let token = Token::from_bits(proposal.origin.0);
        self.stats.count(Counter::NotSaved);
        self.fail(token, &format!("not saved: {reason}"));
        if matches!(proposal.change, Change::Login { .. }) {
            self.answer_proof(token, ProofAnswer::Failed);
        }
        if let Change::Upload { file } = &proposal.change {
            self.file_rejected(token, &file.id, &reason);
        }
        self.settle(token, Some(Kind::of(&proposal.change)));
    }

    /// Tells an effect to those who follow effects, always in this order.
    fn publish(&mut self, origin: SessionId, effect: Effect, early: Option<&Early>) {
        let cause = Cause::effect(origin, effect.stamp);
        self.engine.archive(&effect);
        let hub = self.engine.hub();
        let mut telling = Telling { net: &mut self.net, hub, cause };
        self.broadcast.tell_watchers(&mut telling, &effect.event);
        self.console.offer(hub, &effect);
        match self.broadcast.deliver(&mut telling, effect) {
            Some((token, Action::Replay(query, _))) => {
                self.replay(token, *query, early.map(|early| early.since));
            }
            Some((token, action)) => {
                self.perform_one(token, action);
            }
            None => {}
        }
    }

    /// Asks for the messages of a room that a session has just joined, or for its mail. A session
    /// that has received everything since a record is shown what was before (`upto`).
    pub(in crate::server) fn replay(&mut self, token: Token, query: Query, upto: Option<RecordId>) {
        let limit = query.limit.unwrap_or(self.live.config().history_on_join);
        let of_room = matches!(query.scope, Scope::Room(_));
        let id = self.engine.next_query();
        let hub = self.engine.hub();
        match self.net.peer(token) {
            _ if limit == 0 => return,
            Some(mut peer) => match peer.connection.session.replay(of_room) {
                Replay::None => return,
                Replay::First => self.broadcast.defer(&mut peer, hub, id),
                Replay::Anytime => {}
            },
            None if token == CONSOLE => {}
            None => return,
        }
        let query = Query { limit: Some(limit), ..query };
        let range = match upto {
            Some(RecordId(upto)) => Range::Before(Point::Id(RecordId(upto + 1))),
            None => query.range,
        };
        self.engine.query_replay(id, token, Query { range, ..query.clone() }, query);
    }

    /// Hands out what the journal has answered.
    pub(in crate::server) fn take_answers(&mut self) {
        let mut stint = Stint::begin(self.net.clock(), ANSWERING);
        while !stint.is_over()
            && self.net.may_answer()
            && let Some((token, found)) = self.engine.next_answer()
        {
            work::take();
            self.hand_out(token, found);
            let cost = work::take() + LINE;
            self.net.charge(token, cost, true);
            stint.add(cost, self.net.clock());
        }
    }

    fn hand_out(&mut self, token: Token, found: Found) {
        if found.is_partial() {
            self.stats.count(Counter::Searches);
        }
        let action = match found {
            Found::Replay(_, past) if token == CONSOLE => {
                past.iter().for_each(|past| self.reply(CONSOLE, past));
                return self.perform(CONSOLE);
            }
            Found::Replay(id, mut past) => {
                let (hub, share) = (self.engine.hub(), self.live.config().outbox_hard.0 / 4);
                past.iter_mut().for_each(|past| {
                    shorten(past, share);
                    hub.leave_out_ignored(session(token), past);
                });
                self.broadcast.release(&mut self.net, hub, token, id, past.as_ref());
                if past.is_none() {
                    self.stats.count(Counter::Replays);
                    self.notice(token, "history took too long; /history shows it");
                }
                return;
            }
            Found::Show(mut event) => {
                if is_mail(&event) {
                    self.engine.hub().leave_out_ignored(session(token), &mut event);
                }
                Action::Show(Box::new(event))
            }
            Found::Decide(command) => Action::Do(command),
            Found::Failed(why, end) => {
                self.stats.count(Counter::Queries);
                self.actions.extend(end.map(|end| Action::Show(Box::new(end))));
                let why = Refusal::Failed(format!("the database cannot answer: {why}").into());
                Action::Show(Box::new(Event::Refused(why)))
            }
        };
        self.unblock(token, Blocked::ANSWER);
        self.actions.push(action);
        self.perform(token);
    }
}
