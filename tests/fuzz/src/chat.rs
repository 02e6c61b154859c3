//! A chat without a server: the hub, sessions in their dialects, and a worker that hashes nothing.
//!
//! The targets about commands, records and logins run in it: thousands of commands take as long as one start
//! of the whole server.

use chatloop::chat::{
    Audience, Challenge, Change, Decision, Effect, Event, Hub, Moment, Name, Outcome, PasswordHash,
    Past, Purpose, QuitReason, Record, RecordId, ScramKeys, Secret, SessionId, Viewpoint, Work,
};
use chatloop::session::irc::{MonitorList, Settings, UserCounts, Whowas};
use chatloop::session::{Action, Body, Dialect, Proof, ProofAnswer, Protocol, Style, View, http};

/// Bytes of a plain line, as `--max-line` has it.
const MAX_LINE: usize = 4096;

/// Units that the bytes of one input may be: a page of an answer is one, too.
const MAX_UNITS: usize = 20_000;

/// The password of `/oper root`.
const OPERATOR: &str = "operator";

/// What a user has in hand.
pub struct Peer {
    dialect: Dialect,
    protocol: Protocol,
    inbox: Vec<u8>,
    /// What it was sent; the caller takes it.
    pub out: Vec<u8>,
    /// The server has closed it; the next line begins another connection.
    over: bool,
}

/// Everyone, and everything they agreed on.
pub struct Chat {
    pub hub: Hub,
    pub peers: Vec<Peer>,
    /// All that was applied.
    pub records: Vec<Record>,
    /// What followed.
    pub effects: Vec<Effect>,
    /// Changes are not applied but kept in `late`.
    pub delays: bool,
    late: Vec<(usize, Change)>,
    settings: Settings,
    monitors: MonitorList,
    whowas: Whowas,
    counts: UserCounts,
    now: i64,
}

fn settings() -> Settings {
    Settings {
        name: "chat.example.org".to_owned(),
        network: "Fuzz".to_owned(),
        has_password: false,
        requires_account: false,
        registers_early: false,
        tls: false,
        sts: None,
        motd: Some(vec!["tea".to_owned()]),
        started: Moment(0),
        filehost: None,
        web: http::Settings::new(true, ["chat.example.org"], []),
    }
}

impl Chat {
    /// One connection for each protocol, which has sent nothing yet.
    pub fn new(protocols: &[(Protocol, Style)]) -> Chat {
        let peer = |&(protocol, style): &(Protocol, Style)| Peer {
            dialect: Dialect::new(style, protocol),
            protocol,
            inbox: Vec::new(),
            out: Vec::new(),
            over: false,
        };
        Chat {
            hub: Hub::new(),
            peers: protocols.iter().map(peer).collect(),
            records: Vec::new(),
            effects: Vec::new(),
            delays: false,
            late: Vec::new(),
            settings: settings(),
            monitors: MonitorList::default(),
            whowas: Whowas::default(),
            counts: UserCounts::default(),
            now: 1_770_000_000_000,
        }
    }

    /// Lets `act` have a peer's dialect, what it may see, and where its bytes and actions go.
    fn with<T>(
        &mut self,
        number: usize,
        act: impl FnOnce(&mut Dialect, &mut View<'_>, &mut Vec<u8>, &mut Vec<Action>) -> T,
    ) -> (T, Vec<Action>) {
        let Peer { dialect, out, .. } = &mut self.peers[number];
        let mut view = View {
            hub: &self.hub,
            settings: &self.settings,
            monitors: &mut self.monitors,
            whowas: &self.whowas,
            counts: &mut self.counts,
            me: session(number),
            now: Moment(self.now),
            stamp: None,
        };
        let mut actions = Vec::new();
        let done = act(dialect, &mut view, out, &mut actions);
        (done, actions)
    }

    /// Takes bytes of a peer, and does all that they ask for.
    pub fn receive(&mut self, number: usize, bytes: &[u8]) {
        self.peers[number].inbox.extend_from_slice(bytes);
        for _ in 0..MAX_UNITS {
            let mut inbox = std::mem::take(&mut self.peers[number].inbox);
            let ((used, taken), actions) = self.with(number, |dialect, view, out, actions| {
                let frame = dialect.next(&inbox, MAX_LINE, false);
                let used = frame.used;
                let taken = frame.body.is_some();
                if let Some(body) = frame.body {
                    assert!(used > 0 || matches!(body, Body::More | Body::Opening(_)));
                    dialect.take(body, view, out, actions);
                }
                (used, taken)
            });
            inbox.drain(..used);
            self.peers[number].inbox = inbox;
            self.perform(number, actions);
            if !taken {
                return;
            }
            self.with(number, |dialect, _, out, _| dialect.command_done(out));
            self.now += 40;
        }
        panic!("no end of lines, or of an answer");
    }

    /// Whether the server has closed a peer's first connection.
    pub fn is_over(&self, number: usize) -> bool {
        self.peers[number].over
    }

    fn perform(&mut self, number: usize, actions: Vec<Action>) {
        for action in actions {
            self.perform_one(number, action);
        }
    }

    fn perform_one(&mut self, number: usize, action: Action) {
        match action {
            Action::Do(command) => {
                let decision = self.hub.decide(session(number), command, Moment(self.now));
                self.carry_out(number, decision);
            }
            Action::Tell(lines) => lines.iter().for_each(|line| self.notice(number, line)),
            Action::Show(event) => self.reply(number, &event),
            Action::Enter(mut entry) => {
                entry.label = format!("192.0.2.{number}:4000").into();
                match self.hub.admits_entry(&entry, Moment(self.now)) {
                    Ok(()) => self.propose(number, Change::Enter(entry)),
                    Err(why) => {
                        self.reply(number, &Event::Closed { why });
                        self.reconnect(number);
                    }
                }
            }
            Action::NotAdmitted(event) => self.reply(number, &event),
            Action::Prove(proof) => {
                let now = Moment(self.now);
                let work = match proof {
                    Proof::Password(name, secret) => self.hub.login_work(&name, secret, now),
                    Proof::Begin(name) => self.hub.challenge_work(&name),
                    Proof::Scram(name, said) => self.hub.proof_work(&name, said, now),
                };
                self.work(number, work);
            }
            Action::LogIn(claim) => {
                self.worked(number, Purpose::Login(claim), Outcome::Verified(true));
            }
            Action::Withdraw => self.leave(number, None),
            Action::Leave { words, farewell } => {
                self.with(number, |dialect, _, out, _| dialect.farewell(&farewell, out));
                self.leave(number, words);
                self.reconnect(number);
            }
            Action::Respond { bytes, .. } => {
                self.peers[number].out.extend(bytes);
                self.reconnect(number);
            }
            Action::Close | Action::Gone | Action::Reject { .. } => {
                self.leave(number, None);
                self.reconnect(number);
            }
            // The server's own: files, certificates, timers, pages, the trace.
            _ => {}
        }
    }

    fn leave(&mut self, number: usize, words: Option<std::sync::Arc<str>>) {
        if self.hub.user(session(number)).is_some() {
            let departure = words.map_or(QuitReason::Quit, QuitReason::Message);
            self.write(number, Change::Leave { departure });
        }
    }

    /// The connection is over, and the next one begins.
    fn reconnect(&mut self, number: usize) {
        let peer = &mut self.peers[number];
        peer.dialect.end(&mut peer.out);
        peer.dialect = Dialect::new(Style::Plain, peer.protocol);
        peer.inbox.clear();
        peer.over = true;
    }

    fn carry_out(&mut self, number: usize, decision: Decision) {
        match decision {
            Decision::Change(change) => self.propose(number, change),
            Decision::Reply(event) => self.reply(number, &event),
            Decision::Refuse(why) => self.reply(number, &Event::Refused(why)),
            Decision::Ask(query) | Decision::AskPage(query, _) => {
                let past = Past::whole(query, Vec::new(), Vec::new(), None);
                self.reply(number, &Event::Past(Box::new(past)));
            }
            Decision::Lookup { then, missing, .. } => match then.not_found() {
                Some(then) => {
                    let decision = self.hub.decide(session(number), then, Moment(self.now));
                    assert!(!matches!(decision, Decision::Lookup { .. }), "looked up again");
                    self.carry_out(number, decision);
                }
                None => self.reply(number, &Event::Refused(missing)),
            },
            Decision::Work(work) => self.work(number, work),
        }
    }

    /// The worker: its hash of a password is the password backwards, and a proof is right if it is all
    /// zeros.
    fn work(&mut self, number: usize, work: Work) {
        let (purpose, outcome) = match work {
            Work::Hash { secret, purpose, .. } => {
                let keys = ScramKeys::new("SCRAM-SHA-256$1:$:");
                (purpose, Outcome::Hashed(PasswordHash::new(reversed(&secret)), Some(keys)))
            }
            Work::Verify { secret, purpose: purpose @ Purpose::Oper(..), .. } => {
                (purpose, Outcome::Verified(secret.expose() == OPERATOR))
            }
            Work::Verify { secret, hash, purpose, .. } => {
                let fits = hash.is_some_and(|hash| hash.as_phc() == reversed(&secret));
                (purpose, Outcome::Verified(fits))
            }
            Work::Challenge { name, .. } => {
                let challenge = Challenge {
                    nonce: "server".to_owned(),
                    salt: "c2FsdA==".to_owned(),
                    iterations: 4096 + name.len() as u32,
                };
                (Purpose::Challenge, Outcome::Challenge(challenge))
            }
            Work::Proof { said, keys, purpose, .. } => {
                let right = keys.is_some() && said.proof.iter().all(|byte| *byte == 0);
                let wrong = Outcome::Verified(false);
                (purpose, if right { Outcome::Signed("c2lnbg==".to_owned()) } else { wrong })
            }
        };
        self.worked(number, purpose, outcome);
    }

    fn worked(&mut self, number: usize, purpose: Purpose, outcome: Outcome) {
        let now = Moment(self.now);
        let is_here = self.hub.user(session(number)).is_some();
        match (&purpose, &outcome) {
            (_, Outcome::Challenge(challenge)) => {
                self.answer_proof(number, ProofAnswer::Challenge(challenge));
            }
            (Purpose::Login(claim), Outcome::Signed(signature)) => {
                self.answer_proof(number, ProofAnswer::Signed(claim, signature));
            }
            (Purpose::Login(claim), outcome) if !is_here => {
                let fits = *outcome == Outcome::Verified(true);
                let admitted = fits && self.hub.may_act_for(claim, now).is_ok();
                let claim = Some(claim.clone()).filter(|_| admitted);
                self.answer_proof(number, ProofAnswer::Proved(claim));
            }
            _ => {
                let decision = self.hub.worked(session(number), purpose, outcome, now);
                self.carry_out(number, decision);
            }
        }
    }

    fn answer_proof(&mut self, number: usize, answer: ProofAnswer<'_>) {
        let ((), actions) = self.with(number, |dialect, view, out, actions| {
            dialect.answer_proof(answer, view, out, actions);
        });
        self.perform(number, actions);
    }

    fn notice(&mut self, number: usize, text: &str) {
        self.with(number, |dialect, view, out, _| dialect.notice(text, view, out));
    }

    fn reply(&mut self, number: usize, event: &Event) {
        self.tell(number, event, Viewpoint::Actor, true);
    }

    fn tell(&mut self, number: usize, event: &Event, viewpoint: Viewpoint, answers: bool) {
        self.with(number, |dialect, view, out, _| {
            dialect.tell(event, viewpoint, answers, view, out);
        });
    }

    fn propose(&mut self, number: usize, change: Change) {
        match self.delays {
            true => self.late.push((number, change)),
            false => self.write(number, change),
        }
    }

    /// Applies what has waited, as a disk that was slow would have it.
    pub fn catch_up(&mut self) {
        for (number, change) in std::mem::take(&mut self.late) {
            self.write(number, change);
        }
    }

    /// Keeps a change and applies it: everyone concerned is told.
    pub fn write(&mut self, number: usize, change: Change) {
        self.now += 1;
        let id = RecordId(self.records.len() as u64 + 1);
        let record = Record { id, time: Moment(self.now), origin: session(number), change };
        self.records.push(record.clone());
        let mut effects = Vec::new();
        self.hub.apply(record, &mut effects);
        self.hub.check().expect("the state is whole");
        for effect in &effects {
            self.publish(number, effect);
        }
        self.effects.append(&mut effects);
    }

    fn publish(&mut self, actor: usize, effect: &Effect) {
        let mut recipients = Vec::new();
        self.hub.recipients(&effect.audience, |to, viewpoint| recipients.push((to, viewpoint)));
        for (to, viewpoint) in recipients {
            let number = to.0 as usize;
            let Some(event) = effect.event_for(to) else { continue };
            let Some(peer) = self.peers.get_mut(number) else { continue };
            self.counts.observe(&event);
            let alone = matches!(effect.audience, Audience::One(_) | Audience::Private { .. })
                || matches!(*event, Event::RoomRenamed { .. } | Event::MetadataSet { .. });
            match &*event {
                // The server asks the journal.
                Event::ReplayHistory(_) => {}
                Event::Closed { .. } => {
                    self.tell(number, &event, viewpoint, false);
                    self.reconnect(number);
                }
                _ if viewpoint == Viewpoint::Actor && !peer.dialect.receives_own(&event) => {}
                _ if viewpoint == Viewpoint::Actor || alone => {
                    self.tell(number, &event, viewpoint, number == actor);
                }
                _ => {
                    // As it is rendered once for all who want it so.
                    peer.dialect.observe(&event, viewpoint);
                    let format = peer.dialect.format();
                    format.render(Some(effect.stamp), &event, viewpoint, &mut peer.out);
                }
            }
        }
    }

    /// The records alone make the same state and the same effects again, and so does a snapshot.
    pub fn check_replay(&self) {
        let (mut again, mut effects) = (Hub::new(), Vec::new());
        for record in &self.records {
            let kept = serde_json::to_string(record).expect("a record can be kept");
            let record: Record = serde_json::from_str(&kept).expect("what is kept can be read");
            again.apply(record.clone(), &mut effects);
            // Once more, as after an overlap with a snapshot.
            again.apply(record, &mut effects);
        }
        assert!(effects == self.effects, "the records have other effects");
        assert!(again == self.hub, "the records make another state");
        let snapshot = serde_json::to_string(&again).expect("a state can be kept");
        let restored: Hub = serde_json::from_str(&snapshot).expect("a snapshot can be read");
        assert!(restored == again, "a snapshot makes another state");
    }

    /// Whether anyone is called so.
    pub fn is_online(&self, nick: &str) -> bool {
        self.hub.session_of(Name::new(nick).as_str()).is_some()
    }
}

fn session(number: usize) -> SessionId {
    SessionId(number as u64)
}

fn reversed(secret: &Secret) -> String {
    secret.expose().chars().rev().collect()
}
