//! A hub with a journal that keeps everything and a worker that hashes nothing: decided, written
//! down, applied, and checked after every record.

mod accounts;
mod certificates;
mod files;
mod metadata;
mod operators;
mod properties;
mod scram;
mod silence;
mod speech;
mod stories;

use super::*;
use indexmap::IndexMap;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What came of a command.
pub(super) enum Came {
    /// It was applied; this was told.
    Of(Vec<Effect>),
    /// It was answered at once.
    Answer(Event),
    /// The journal is to be asked.
    Asked(Query),
    /// It was rejected before it was written down.
    Refused(Refusal),
}

impl Came {
    pub(super) fn effects(self) -> Vec<Effect> {
        match self {
            Came::Of(effects) => effects,
            Came::Answer(event) => panic!("answered at once: {event:?}"),
            Came::Asked(query) => panic!("asked: {query:?}"),
            Came::Refused(refusal) => panic!("refused: {refusal:?}"),
        }
    }

    /// The refusal, from before or after it was written down.
    pub(super) fn refusal(self) -> Refusal {
        match self {
            Came::Refused(refusal) => refusal,
            Came::Of(effects) => {
                let refusal = effects.into_iter().find_map(|effect| match effect.event {
                    Event::Refused(refusal) => Some(refusal),
                    _ => None,
                });
                refusal.expect("nothing was refused")
            }
            Came::Answer(event) => panic!("answered: {event:?}"),
            Came::Asked(query) => panic!("asked: {query:?}"),
        }
    }

    pub(super) fn answer(self) -> Event {
        match self {
            Came::Answer(event) => event,
            _ => panic!("not answered at once"),
        }
    }

    pub(super) fn asked(self) -> Query {
        match self {
            Came::Asked(query) => query,
            _ => panic!("the journal is not asked"),
        }
    }
}

pub(super) struct World {
    pub(super) hub: Hub,
    pub(super) log: Vec<Record>,
    pub(super) effects: Vec<Effect>,
    pub(super) archive: IndexMap<RecordId, StoredMessage>,
    /// What happened in each room, by record and part, which rise.
    pub(super) happened: IndexMap<Name, Vec<(RecordId, u16)>>,
    pub(super) now: i64,
}

impl World {
    pub(super) fn new() -> World {
        World {
            hub: Hub::new(),
            log: Vec::new(),
            effects: Vec::new(),
            archive: IndexMap::new(),
            happened: IndexMap::new(),
            now: 1_000,
        }
    }

    /// Someone from `10.0.0.N`, who takes `nick` unless it is empty.
    pub(super) fn enter(&mut self, number: u64, nick: &str) -> SessionId {
        let session = SessionId(number);
        let label = format!("10.0.0.{number}:500{number}").into();
        let entry = Entry { label, lobby: true, ..Entry::default() };
        self.write(session, Change::Enter(entry.into()));
        if !nick.is_empty() {
            self.run(session, Command::Nick(nick.into())).effects();
        }
        session
    }

    pub(super) fn leave(&mut self, session: SessionId) -> Vec<Effect> {
        self.write(session, Change::Leave { departure: QuitReason::Quit })
    }

    pub(super) fn run(&mut self, session: SessionId, command: Command) -> Came {
        let decision = self.hub.decide(session, command, Moment(self.now));
        match self.settle(session, decision) {
            Ok(change) => Came::Of(self.write(session, change)),
            Err(came) => came,
        }
    }

    /// Does what the server, the worker and a journal without old messages do.
    pub(super) fn settle(&self, session: SessionId, decision: Decision) -> Result<Change, Came> {
        match decision {
            Decision::Change(change) => Ok(change),
            Decision::Reply(event) => Err(Came::Answer(event)),
            Decision::Ask(query) | Decision::AskPage(query, _) => Err(Came::Asked(query)),
            Decision::Refuse(refusal) => Err(Came::Refused(refusal)),
            Decision::Lookup { lookup, then, missing } => {
                let found = self.archive.values().find(|logged| {
                    logged.target == Target::Room(lookup.room.name.clone())
                        && logged.id >= lookup.room.since
                        && match lookup.message {
                            Point::Number(number) => logged.number == number,
                            Point::Id(id) => logged.id == id,
                            Point::Time(_) | Point::Part(..) => false,
                        }
                });
                let Some(found) = found else {
                    let Some(then) = then.not_found() else { return Err(Came::Refused(missing)) };
                    let decision = self.hub.decide(session, then, Moment(self.now));
                    return self.settle(session, decision);
                };
                let reference = Reference {
                    id: found.id,
                    number: found.number,
                    root: found.reply.as_ref().map_or(found.id, |reply| reply.root),
                    from: found.from.clone(),
                    account: found.account.clone(),
                };
                let then = then.found(reference, &[], None).unwrap();
                let decision = self.hub.decide(session, then, Moment(self.now));
                assert!(!matches!(decision, Decision::Lookup { .. }), "looked up for ever");
                self.settle(session, decision)
            }
            Decision::Work(work) => {
                let (purpose, outcome) = match work {
                    Work::Hash { secret, purpose, .. } => {
                        (purpose, Outcome::Hashed(PasswordHash::new(reversed(&secret)), None))
                    }
                    Work::Verify { secret, purpose: purpose @ Purpose::Oper(..), .. } => {
                        let fits = secret.expose() == "operator";
                        (purpose, Outcome::Verified(fits))
                    }
                    Work::Challenge { .. } | Work::Proof { .. } => {
                        unreachable!("no command leads to SCRAM")
                    }
                    Work::Verify { secret, hash, former, purpose, .. } => {
                        let fits = |hash: Option<PasswordHash>| {
                            hash.is_some_and(|hash| hash.as_phc() == reversed(&secret))
                        };
                        let right = fits(hash);
                        let is_former = !right && fits(former);
                        let outcome =
                            if is_former { Outcome::Former } else { Outcome::Verified(right) };
                        (purpose, outcome)
                    }
                };
                let decision = self.hub.worked(session, purpose, outcome, Moment(self.now));
                self.settle(session, decision)
            }
        }
    }

    pub(super) fn write(&mut self, origin: SessionId, change: Change) -> Vec<Effect> {
        self.now += 1;
        let id = RecordId(self.log.len() as u64 + 1);
        let record = Record { id, time: Moment(self.now), origin, change };
        self.log.push(record.clone());
        let mut effects = Vec::new();
        self.hub.apply(record, &mut effects);
        for effect in &effects {
            for entry in effect.entries() {
                self.keep(entry);
            }
        }
        check_state(&self.hub);
        check_effects(&self.hub, origin, &effects, self.now);
        self.effects.extend_from_slice(&effects);
        effects
    }

    fn keep(&mut self, entry: HistoryUpdate<'_>) {
        match entry {
            HistoryUpdate::Add(logged) => {
                assert!(self.archive.insert(logged.id, logged).is_none(), "an id twice");
            }
            HistoryUpdate::Edit(id, text) => {
                if let Some(logged) = self.archive.get_mut(&id) {
                    logged.text = Arc::clone(text);
                }
            }
            HistoryUpdate::Delete(id) => {
                self.archive.shift_remove(&id);
            }
            HistoryUpdate::Forget { account, since } => {
                self.archive.retain(|id, logged| {
                    since.is_none_or(|since| *id < since)
                        || logged.account.as_ref() != Some(account)
                });
            }
            HistoryUpdate::React(..) | HistoryUpdate::Guests(..) | HistoryUpdate::Over(_) => {}
            HistoryUpdate::Rename(before, room) => {
                let (old, new) = (Target::Room(before.clone()), Target::Room(room.clone()));
                self.archive.retain(|_, logged| logged.target == old || logged.target != new);
                for logged in self.archive.values_mut().filter(|it| it.target == old) {
                    logged.target = new.clone();
                }
                let happened = self.happened.shift_remove(before);
                self.happened.insert(room.clone(), happened.unwrap_or_default());
            }
            HistoryUpdate::HistoryEvent(places, happened) => {
                for place in places {
                    let key = (happened.stamp.id, happened.stamp.part);
                    let Target::Room(room) = place else { continue };
                    let known = self.happened.entry(room).or_default();
                    assert!(known.last().is_none_or(|last| *last < key), "{happened:?}");
                    known.push(key);
                }
            }
        }
    }

    /// What one session receives of `effects`, from where.
    pub(super) fn heard(&self, session: SessionId, effects: &[Effect]) -> Vec<(Event, Viewpoint)> {
        let mut heard = Vec::new();
        for effect in effects {
            self.hub.recipients(&effect.audience, |hearer, viewpoint| {
                if hearer == session
                    && let Some(event) = effect.event_for(session)
                {
                    heard.push((event.into_owned(), viewpoint));
                }
            });
        }
        heard
    }
}

/// Stands for a hash, and is not the password.
fn reversed(secret: &Secret) -> String {
    secret.expose().chars().rev().collect()
}

/// All indexes agree with each other.
fn check_state(hub: &Hub) {
    hub.check().unwrap();
    assert!(hub.rooms.is_counted(), "a command forgot to have a room weighed");
    assert!(hub.accounts.is_counted(), "a command forgot to have an account weighed");
    for (name, room) in hub.rooms.iter() {
        for session in room.members.keys() {
            let user = hub.users.get(session).unwrap();
            assert_eq!(room.silences(user), room.bans(&user.identity, true), "{name}");
        }
    }
}

fn who(room: Arc<str>) -> Command {
    Command::List(Box::new(Listing::Who(Some(room), Walk::default())))
}

/// Someone is told the words of no one whom they ignore, and of no one who is silenced where they
/// be told of them.
fn check_words(hub: &Hub, effect: &Effect, hearer: &User) {
    let session = hearer.identity.session;
    let Some(event) = effect.event_for(session) else { return };
    let Some(who) = event.author().filter(|who| who.session != session) else { return };
    assert!(!hub.is_ignored_by(who, session), "{event:?}");
    let rooms = match &effect.audience {
        Audience::Room { room, .. } => std::slice::from_ref(room),
        Audience::Peers { rooms, .. } => rooms,
        _ => &[],
    };
    // A user who has left is not in the state any more.
    let Some(author) = hub.users.get(&who.session) else { return };
    for room in rooms {
        assert!(!hub.is_hushed_for(session, author, room), "{event:?}");
    }
}

/// No one receives what is not meant for them, or receives it twice.
fn check_effects(hub: &Hub, origin: SessionId, effects: &[Effect], now: i64) {
    let mut closed = BTreeSet::new();
    let mut heard_said = BTreeSet::new();
    let mut parts = Vec::new();
    for effect in effects {
        parts.push(effect.stamp.part);
        if let Audience::Room { from, except, .. } = &effect.audience {
            let rises = except.is_sorted_by(|one, other| one < other);
            assert!(rises && from.is_none_or(|from| !except.contains(&from)), "{effect:?}");
        }
        let mut recipients = BTreeSet::new();
        hub.recipients(&effect.audience, |session, _| {
            assert!(recipients.insert(session), "told twice: {effect:?}");
        });
        for &session in &recipients {
            let user = hub.users.get(&session);
            let present = user.is_some() || session == origin || closed.contains(&session);
            match &effect.event {
                Event::Closed { .. } => {
                    closed.insert(session);
                }
                event => assert!(present, "told to somebody who is not there: {event:?}"),
            }
            let Some(user) = user else { continue };
            // What one has caused oneself is answered.
            if session != origin {
                check_words(hub, effect, user);
            }
            if matches!(effect.event, Event::RoomMessage(_)) {
                assert!(heard_said.insert(session), "said twice to one");
            }
            check_recipient(hub, effect, user, origin, now);
        }
    }
    assert!(parts.iter().all(|part| *part == parts[0] || parts.contains(&(part - 1))));
    assert!(parts.is_sorted() && parts.first().is_none_or(|first| *first == 0));
}

/// What one is told concerns them, or it answers them.
fn check_recipient(hub: &Hub, effect: &Effect, user: &User, origin: SessionId, now: i64) {
    let session = user.identity.session;
    let ignores = |who: &Identity| {
        user.extras()
            .ignores
            .iter()
            .any(|nick| *nick == who.nick || who.account.as_ref().is_some_and(|name| name == nick))
    };
    match &effect.event {
        Event::RoomMessage(said) => {
            assert!(user.rooms.contains(&said.room) || session == origin);
            assert!(session == origin || !ignores(&said.who));
        }
        Event::MetadataSet { holder: Holder::Room(room), .. } => {
            assert!(user.rooms.contains(room) || session == origin);
        }
        Event::ReadMarker { time, .. } => {
            let of = |session| hub.users.get(session)?.identity.account.as_ref();
            assert!(session == origin || of(&session) == of(&origin));
            assert!(of(&session).is_some() || session == origin);
            assert!(time.0 <= now);
        }
        Event::DirectMessage(told) => {
            let account = user.identity.account.as_ref();
            let meant = user.identity.nick == told.to || account == Some(&told.to);
            assert!(meant || session == origin);
            assert!(session == origin || !ignores(&told.who));
        }
        Event::Edited { room, .. }
        | Event::Deleted { room, .. }
        | Event::Reacted { room, .. }
        | Event::TopicSet { room, .. }
        | Event::ModesSet { room, .. }
        | Event::RoomRenamed { room, .. }
        | Event::Joined { room, .. } => {
            // Or it is a direct message that was deleted.
            let meant = user.rooms.contains(room) || user.identity.nick == *room;
            assert!(meant || session == origin);
        }
        _ => {}
    }
}
