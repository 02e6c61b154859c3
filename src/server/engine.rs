//! The chat and its journal: commands become records, committed records become effects.
//!
//! The hub decides; what it decides is proposed to the journal and applied when the journal has
//! committed it. So whatever anyone has seen is in the journal.

use super::times::Times;
use crate::chat::{
    Change, Command, Effect, Event, Hub, Lookup, Moment, Name, Origin, Past, Query, Record,
    Refusal, Rest, Scope, SessionId, Work,
};
use crate::journal::{Answer, Committed, Health, HistoryQuery, Journal, Limits, QueryId, Rejected};
use crate::session::Proof;
use chatloop_reactor::Token;
use log::{error, warn};
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// Text applied in one turn, in bytes. A disk that was slow hands much back at once, and all of it
/// would be queued for every member before the first of them is written to.
const APPLIED_PER_TURN: usize = 512 * 1024;

/// What a query to the journal is for.
enum Pending {
    /// To be shown to a connection, whose next line waits.
    Show(Query),
    /// The same for a page of an answer; what is left behind it.
    Page(Query, Option<Box<Rest>>),
    /// To be shown before what the connection is told from here on.
    Replay(Query),
    /// A command that names an old message, and what to say if there is none.
    Decide(Box<Command>, Refusal),
}

/// What the journal has found for a connection.
pub(super) enum Found {
    /// The answer to its question.
    Show(Event),
    /// What waited for this query can go, behind the answer.
    Replay(QueryId, Option<Event>),
    /// Its command can be decided.
    Decide(Command),
    /// There is no answer; why, and the end of what has been shown of it.
    Failed(String, Option<Event>),
}

impl Found {
    /// Whether it is a search that has not looked through everything.
    pub fn is_partial(&self) -> bool {
        matches!(self, Found::Show(Event::Past(past)) if past.unsearched.is_some())
    }
}

/// The chat, its journal, and who waits for which answer.
pub(super) struct Engine {
    hub: Hub,
    journal: Journal,
    committed: VecDeque<Record>,
    /// Bytes that may still be applied in this turn.
    share: usize,
    /// Used again: what the journal hands back, and the effects of the hub.
    taken: Vec<Committed>,
    effects: Vec<Effect>,
    /// Since when records are not saved, and how many changes were rejected since then.
    failing: Option<(Instant, usize)>,
    /// As the log knows it.
    health: Health,
    queries: HashMap<QueryId, (Token, Pending)>,
    /// Records that were proposed, and those of them that the journal is done with.
    proposed: u64,
    settled: u64,
    /// One that is on its way, by its number, and since when.
    watched: Option<(u64, Instant)>,
    commits: Times,
}

impl Engine {
    pub fn new(journal: Journal, hub: Hub) -> Engine {
        Engine {
            hub,
            journal,
            committed: VecDeque::new(),
            share: 0,
            taken: Vec::new(),
            effects: Vec::new(),
            failing: None,
            health: Health::Good,
            queries: HashMap::new(),
            proposed: 0,
            settled: 0,
            watched: None,
            commits: Times::default(),
        }
    }

    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Whether more commands should be taken. If not, the disk is behind; it wakes the loop when it
    /// has caught up.
    pub fn has_room(&self) -> bool {
        self.journal.has_room()
    }

    /// Whether there is something to do without a wait.
    pub fn has_work(&self) -> bool {
        !self.committed.is_empty() || self.journal.has_news()
    }

    /// The work that checks a step of SASL.
    pub fn prove(&self, proof: Proof, now: Moment) -> Work {
        match proof {
            Proof::Password(name, secret) => self.hub.login_work(&name, secret, now),
            Proof::Begin(name) => self.hub.challenge_work(&name),
            Proof::Scram(name, said) => self.hub.proof_work(&name, said, now),
        }
    }

    /// Proposes a change. It happens when the journal has committed it.
    pub fn propose(&mut self, now: Moment, session: SessionId, change: Change) {
        self.proposed += 1;
        self.journal.propose(now, session, change);
    }

    /// Sends the turn's proposals to the journal, and takes what is committed and rejected by now.
    pub fn end_turn(&mut self, now: Instant) {
        if self.pending() > 0 {
            self.watched.get_or_insert((self.proposed, now));
        }
        self.journal.end_turn();
        self.journal.take_committed(&mut self.taken);
        self.settle(self.taken.len(), now);
        self.committed.extend(self.taken.drain(..).map(|committed| committed.record));
        self.share = APPLIED_PER_TURN;
    }

    /// One record at a time is watched on its way to the disk: each transaction has some.
    fn settle(&mut self, count: usize, now: Instant) {
        self.settled += count as u64;
        if let Some((_, since)) = self.watched.take_if(|(number, _)| *number <= self.settled) {
            self.commits.add(now.saturating_duration_since(since));
        }
    }

    /// Records on their way.
    pub fn pending(&self) -> u64 {
        self.proposed.saturating_sub(self.settled)
    }

    /// How long records have taken to be committed.
    #[cfg_attr(not(feature = "web"), expect(dead_code, reason = "asked for by /metrics"))]
    pub fn commits(&self) -> &Times {
        &self.commits
    }

    /// How long the record that is watched has been on its way.
    #[cfg_attr(not(feature = "web"), expect(dead_code, reason = "asked for by /metrics"))]
    pub fn lag(&self, now: Instant) -> Duration {
        self.watched.map_or(Duration::ZERO, |(_, since)| now.saturating_duration_since(since))
    }

    /// The next record to be applied in this turn.
    pub fn next_committed(&mut self) -> Option<Record> {
        if self.share == 0 {
            return None;
        }
        let record = self.committed.pop_front()?;
        self.share = self.share.saturating_sub(record.change.size());
        Some(record)
    }

    /// Gives back the memory of queues that were long once.
    pub fn release_memory(&mut self) {
        self.taken.shrink_to_fit();
        self.committed.shrink_to_fit();
        self.journal.release_memory();
    }

    /// Applies a committed record. The effects go back with [`reuse`](Engine::reuse).
    pub fn apply(&mut self, record: Record) -> Vec<Effect> {
        let mut effects = std::mem::take(&mut self.effects);
        self.hub.apply(record, &mut effects);
        effects
    }

    pub fn reuse(&mut self, effects: Vec<Effect>) {
        self.effects = effects;
    }

    /// Learns that an effect is being told now.
    pub fn archive(&mut self, effect: &Effect) {
        for entry in effect.entries() {
            self.journal.archive(entry);
        }
    }

    /// The changes that the journal could not commit.
    pub fn take_rejected(&mut self, now: Instant) -> Vec<Rejected> {
        let mut rejected = Vec::new();
        self.journal.take_rejected(&mut rejected);
        self.settle(rejected.len(), now);
        if let Some((_, count)) = &mut self.failing {
            *count += rejected.len();
        }
        rejected
    }

    /// Whether records are saved now, as far as is known.
    pub fn is_saving(&self) -> bool {
        self.health == Health::Good
    }

    /// Logs that records are not saved, once for each reason, and that they are saved again.
    pub fn watch_health(&mut self, now: Instant) {
        self.note_health(self.journal.health(), now);
    }

    fn note_health(&mut self, health: Health, now: Instant) {
        if health == self.health {
            return;
        }
        if let Health::Failing { detail, .. } = &health {
            self.failing.get_or_insert((now, 0));
            error!("messages cannot be saved at present: {detail}");
        } else if let Some((since, rejected)) = self.failing.take() {
            let seconds = now.saturating_duration_since(since).as_secs();
            warn!("messages are saved again, after {seconds} s (changes rejected: {rejected})");
        }
        self.health = health;
    }

    /// Keeps what has been proposed and closes the journal. Tells whether it could be saved.
    pub fn close(&mut self, now: Instant) -> bool {
        let nothing = Journal::memory(&Limits::default());
        let health = std::mem::replace(&mut self.journal, nothing).close();
        if let Health::Failing { detail, .. } = &health {
            error!("the end: messages could not be saved: {detail}");
            return false;
        }
        self.note_health(health, now);
        true
    }

    // Queries.

    /// The id of the next query: drawn first, so that its asker can wait for it.
    pub fn next_query(&mut self) -> QueryId {
        self.journal.next_query()
    }

    /// Asks for messages, to be shown to a connection.
    pub fn query(&mut self, token: Token, query: Query) {
        self.ask(token, Pending::Show(query.clone()), HistoryQuery::Past(query));
    }

    /// Asks for a page of an answer, to be shown to a connection.
    pub fn query_page(&mut self, token: Token, query: Query, rest: Option<Box<Rest>>) {
        self.ask(token, Pending::Page(query.clone(), rest), HistoryQuery::Past(query));
    }

    /// Asks for messages to be shown before all else (`asked`, shown as the answer to `query`).
    pub fn query_replay(&mut self, id: QueryId, token: Token, asked: Query, query: Query) {
        self.queries.insert(id, (token, Pending::Replay(query)));
        // Mail is delivered once: it is never given up.
        let mail = matches!(asked.scope, Scope::Mail { .. });
        let query = if mail { HistoryQuery::Past } else { HistoryQuery::Replay };
        self.journal.query(id, self.asker(token), query(asked));
    }

    /// Asks for the message that a command names.
    pub fn look_up(&mut self, token: Token, lookup: Lookup, then: Box<Command>, missing: Refusal) {
        self.ask(token, Pending::Decide(then, missing), HistoryQuery::Find(lookup));
    }

    fn ask(&mut self, token: Token, purpose: Pending, query: HistoryQuery) {
        let id = self.next_query();
        self.queries.insert(id, (token, purpose));
        self.journal.query(id, self.asker(token), query);
    }

    /// Whom the journal serves in turn with others: an origin, for accounts are had by the hundred. On
    /// loopback, where everyone may come from one, an account.
    fn asker(&self, token: Token) -> Name {
        let Some(user) = self.hub.user(SessionId(token.to_bits())) else { return Name::new("") };
        let host = user.identity.host();
        let account = user.identity.account.as_ref();
        match (Origin::of_host(host), account) {
            (Some(origin), Some(account)) if origin.is_loopback() => account.clone(),
            (Some(origin), _) => Name::new(&origin.to_string()),
            (None, _) => Name::new(host),
        }
    }

    /// The next answer of the journal, and who has asked. What is done with it may lead to the next
    /// question, which a journal in memory answers at once.
    pub fn next_answer(&mut self) -> Option<(Token, Found)> {
        loop {
            let (id, answer) = self.journal.next_answer()?;
            if let Some((token, purpose)) = self.queries.remove(&id) {
                let user = self.hub.user(SessionId(token.to_bits()));
                let nick = user.map(|user| &user.identity.nick);
                return Some((token, found(id, purpose, answer, nick)));
            }
        }
    }
}

fn found(id: QueryId, purpose: Pending, answer: Answer, asker: Option<&Name>) -> Found {
    match (purpose, answer) {
        (Pending::Replay(query), answer) => {
            let past = past(query, answer).ok().map(|past| match past.query.scope {
                // Delivered once, however much it is.
                Scope::Mail { .. } => past.first_page(),
                _ => past,
            });
            Found::Replay(id, past.map(|past| Event::Past(Box::new(past))))
        }
        (Pending::Decide(command, missing), Answer::Found(message, reactions)) => {
            let command = match message {
                Some(reference) => command.found(reference, &reactions, asker),
                None => command.not_found().ok_or(missing),
            };
            match command {
                Ok(command) => Found::Decide(command),
                Err(refusal) => Found::Show(Event::Refused(refusal)),
            }
        }
        (Pending::Decide(..), answer) => Found::Failed(failure(answer), None),
        (Pending::Show(query), answer) => match past(query, answer) {
            Ok(past) => Found::Show(Event::Past(Box::new(past.first_page()))),
            Err(why) => Found::Failed(why, None),
        },
        (Pending::Page(query, rest), answer) => {
            let (entries, happened) = match answer {
                Answer::Past(entries, happened) => (entries, happened),
                // What was found before is there still.
                Answer::Partial(entries, _) => (entries, Vec::new()),
                answer => {
                    let end = Event::Past(Box::new(Past::end(query)));
                    return Found::Failed(failure(answer), Some(end));
                }
            };
            let page = Past::page(query, entries, happened, rest);
            Found::Show(Event::Past(Box::new(page)))
        }
    }
}

fn past(query: Query, answer: Answer) -> Result<Past, String> {
    match answer {
        Answer::Past(entries, happened) => Ok(Past::whole(query, entries, happened, None)),
        Answer::Partial(entries, from) => Ok(Past::whole(query, entries, Vec::new(), Some(from))),
        answer => Err(failure(answer)),
    }
}

/// The journal answers what it was asked; if not, a connection must not wait permanently.
fn failure(answer: Answer) -> String {
    match answer {
        Answer::Failed(why) => why,
        _ => "it answered another question".to_owned(),
    }
}
