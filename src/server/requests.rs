//! What becomes of a request: a change to write down, an answer, a question to the journal, a job
//! for the worker, or a refusal.
//!
//! The hub decides; this file carries the decision to where it belongs and remembers who waits
//! for what. A connection that waits for an answer is not asked for its next line: what it said
//! second must not be answered first.

use super::operator::CONSOLE;
use super::turn::Server;
use super::worker::NoOutcome;
use crate::chat::{
    Command, Decision, Event, Hub, Lookup, Outcome, Past, Point, Purpose, Query, Range, RecordId,
    Refusal, Scope, Viewpoint, Work,
};
use crate::journal::{Answer, HistoryQuery, QueryId};
use crate::reactor::Token;
use crate::session::plain::Request;

/// What a question to the journal is for.
pub(super) enum Pending {
    /// To be shown to this connection.
    Show(Token, Query),
    /// The last lines of a room somebody has just joined, or mail that has waited; their other
    /// lines wait for it.
    ReplayHistory(Token, Query),
    /// A command that names an old message.
    Decide(Token, Box<Command>, Refusal),
}

impl Server {
    /// Does what a line asks for.
    pub(super) fn carry_out(&mut self, token: Token, request: Request) {
        match request {
            Request::Nothing => {}
            Request::Tell(lines) => lines.iter().for_each(|line| self.tell(token, line)),
            Request::Do(command) => self.decide(token, command),
            Request::Quit(words) if token == CONSOLE => self.operator_leaves(words),
            Request::Quit(words) => self.leave_with(token, words, "goodbye".to_owned()),
        }
    }

    pub(super) fn decide(&mut self, token: Token, command: Command) {
        let decision = self.hub.decide(Self::session(token), command, self.moment);
        self.act(token, decision);
    }

    fn act(&mut self, token: Token, decision: Decision) {
        match decision {
            Decision::Change(change) => self.record(token, change),
            Decision::Reply(event) => self.reply(token, &event),
            Decision::Refuse(refusal) => self.reply(token, &Event::Refused(refusal)),
            Decision::Ask(query) => {
                let pending = Pending::Show(token, query.clone());
                self.ask(token, HistoryQuery::Past(query), pending);
            }
            Decision::Lookup { lookup, then, missing } => {
                self.look_up(token, lookup, then, missing)
            }
            Decision::Work(work) => self.submit(token, work),
        }
    }

    /// Tells one connection what it asked for.
    pub(super) fn reply(&mut self, token: Token, event: &Event) {
        self.deliver_to(token, event, Viewpoint::Observer);
    }

    fn look_up(&mut self, token: Token, lookup: Lookup, then: Box<Command>, missing: Refusal) {
        self.ask(token, HistoryQuery::Find(lookup), Pending::Decide(token, then, missing));
    }

    /// Asks the journal for a connection, whose next line waits for the answer.
    fn ask(&mut self, token: Token, query: HistoryQuery, pending: Pending) {
        if let Some(connection) = self.connections.get_mut(token) {
            connection.waits_for_answer = true;
        }
        let id = self.journal.next_query();
        self.query_journal(id, query, pending);
    }

    fn query_journal(&mut self, id: QueryId, query: HistoryQuery, pending: Pending) {
        self.pending.insert(id, pending);
        self.journal.query(id, query);
    }

    /// Asks the journal for the past of a room somebody has just joined, or for their mail. What
    /// they are told meanwhile waits behind it. Who has heard everything from one record on is shown
    /// what was before (`upto`).
    pub(super) fn recall(&mut self, token: Token, query: Query, upto: Option<RecordId>) {
        self.catch_up(Self::session(token));
        let limit = query.limit.unwrap_or(self.config.history_on_join);
        let of_room = matches!(query.scope, Scope::Room(_));
        let irc = self.connections.get_mut(token).and_then(|connection| connection.session.irc());
        let asks_itself = irc.as_ref().is_some_and(|session| !session.is_played_back());
        if limit == 0 || (asks_itself && of_room) {
            return;
        }
        let irc = irc.is_some();
        let id = self.journal.next_query();
        match self.connections.get_mut(token) {
            // Its mail carries its time and may come in between.
            Some(_) if irc && !of_room => {}
            Some(connection) => connection.hold(id.0),
            None if token == CONSOLE => {}
            None => return,
        }
        let query = Query { limit: Some(limit), ..query };
        let range = match upto {
            Some(RecordId(upto)) => Range::Before(Point::Id(RecordId(upto + 1))),
            None => query.range,
        };
        let question = HistoryQuery::Past(Query { range, ..query.clone() });
        self.query_journal(id, question, Pending::ReplayHistory(token, query));
    }

    fn submit(&mut self, token: Token, work: Work) {
        let work = match work {
            Work::Verify { secret, lacks_keys, purpose: Purpose::Oper(name), .. } => {
                let known = self.config.oper.iter().find(|oper| *oper.name == *name);
                let hash = known.map(|oper| oper.hash.clone());
                Work::Verify { secret, hash, lacks_keys, purpose: Purpose::Oper(name) }
            }
            work => work,
        };
        if !self.hand_over(token, work) {
            self.tell(token, "too many passwords are being checked; try again in a moment");
        }
    }

    /// Gives the worker a job; whether it has room for it.
    pub(super) fn hand_over(&mut self, token: Token, work: Work) -> bool {
        let taken = self.worker.submit(token, work);
        if taken && let Some(connection) = self.connections.get_mut(token) {
            connection.waits_for_answer = true;
        }
        taken
    }

    /// The waker rang: a password is checked, records are kept, or a question is answered.
    pub(super) fn take_work_done(&mut self) {
        while let Some(done) = self.worker.next_done() {
            self.go_on(done.token);
            match done.outcome {
                Ok(outcome) => self.take_outcome(done.token, done.purpose, outcome),
                Err(why) => {
                    let why = match why {
                        NoOutcome::NoRandomness => {
                            "the system has no randomness for a password; try again"
                        }
                        NoOutcome::Failed => {
                            "the password could not be checked; the server's log says why"
                        }
                    };
                    self.tell(done.token, why);
                    self.fail_sasl(done.token);
                }
            }
            self.finish_irc(done.token);
        }
    }

    /// Goes on with what waited for the worker.
    pub(super) fn take_outcome(&mut self, token: Token, purpose: Purpose, outcome: Outcome) {
        if let Some(change) = Hub::keys_learnt(&purpose, &outcome) {
            self.record(token, change);
        }
        let session = Self::session(token);
        if self.take_sasl_step(token, &purpose, &outcome) {
            return;
        }
        if let (Purpose::Oper(name), Outcome::Verified(false)) = (&purpose, &outcome) {
            self.audit_failed_oper(session, name);
        }
        let decision = self.hub.worked(session, purpose, outcome, self.moment);
        self.act(token, decision);
    }

    /// Its answer is here: its next line may be taken.
    fn go_on(&mut self, token: Token) {
        if let Some(connection) = self.connections.get_mut(token) {
            connection.waits_for_answer = false;
            self.look_at_input(token);
        }
    }

    /// Hands out what the journal has answered. An answer may lead to the next question, which a
    /// journal in memory answers at once.
    pub(super) fn take_answers(&mut self) {
        while let Some((id, answer)) = self.journal.next_answer() {
            if let Some(pending) = self.pending.remove(&id) {
                self.take_answer(id.0, pending, answer);
            }
        }
    }

    fn take_answer(&mut self, ticket: u64, pending: Pending, answer: Answer) {
        match (pending, answer) {
            (Pending::ReplayHistory(token, query), Answer::Past(entries, happened)) => {
                let past = Event::Past(Box::new(Past { query, entries, happened }));
                self.release_held(token, ticket, Some(&past));
            }
            (Pending::ReplayHistory(token, _), _) => self.release_held(token, ticket, None),
            (Pending::Show(token, query), Answer::Past(entries, happened)) => {
                self.go_on(token);
                self.reply(token, &Event::Past(Box::new(Past { query, entries, happened })));
                self.finish_irc(token);
            }
            (Pending::Decide(token, command, missing), Answer::Found(message)) => {
                self.go_on(token);
                let command = match message {
                    Some(reference) => Some(command.found(reference)),
                    None => command.not_found(),
                };
                match command {
                    Some(command) => self.decide(token, command),
                    None => self.reply(token, &Event::Refused(missing)),
                }
                self.finish_irc(token);
            }
            (Pending::Show(token, _) | Pending::Decide(token, ..), Answer::Failed(why)) => {
                self.go_on(token);
                self.tell(token, &format!("the journal cannot answer: {why}"));
                self.finish_irc(token);
            }
            // The journal answers what it was asked; a connection must not wait for ever if not.
            (Pending::Show(token, _) | Pending::Decide(token, ..), _) => {
                self.go_on(token);
                self.finish_irc(token);
            }
        }
    }
}
