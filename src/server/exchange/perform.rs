//! The one place where actions are performed.

use super::{Exchange, session};
use crate::chat::work;
use crate::chat::{Change, Command, Decision, Entry, Event, Outcome, Purpose, Refusal};
use crate::server::admission::room_limit;
use crate::server::connection::Connection;
use crate::server::gate::Blocked;
use crate::server::intake::{Intake, refused};
use crate::server::net::PeerTimer;
use crate::server::operator::CONSOLE;
use crate::server::stats::Counter;
use crate::session::Action;
use chatloop_reactor::Token;
use log::{debug, info};

impl Exchange {
    /// Does what is asked for one connection, and ends the command in hand if nothing is to come.
    pub(in crate::server) fn perform(&mut self, token: Token) {
        if self.actions.is_empty() {
            return self.settle(token, None);
        }
        let mut actions = std::mem::take(&mut self.actions);
        let mut done = true;
        for action in actions.drain(..) {
            let relays = matches!(action, Action::Relay(_));
            done &= self.perform_one(token, action);
            if relays && !self.net.is_open(token) {
                break; // rejected: it is owed no answer
            }
        }
        // What was asked for meanwhile belongs to the same connection.
        actions.append(&mut self.actions);
        self.actions = actions;
        if !self.actions.is_empty() {
            return self.perform(token);
        }
        if done {
            self.settle(token, None);
        }
    }

    /// Does one thing that is asked for a connection. Whether it may be the end of a command: what
    /// is proposed goes on when it is committed.
    pub(in crate::server) fn perform_one(&mut self, token: Token, action: Action) -> bool {
        match action {
            Action::Do(command) => return self.decide(token, command),
            Action::Stats | Action::Reload | Action::Trace(_) if !self.is_operator(token) => {
                self.reply(token, &Event::Refused(Refusal::NotOperator));
            }
            Action::Stats => self.show_stats(token),
            Action::Reload => self.ask_for_reload(token),
            Action::Trace(on) => self.switch_trace(token, on),
            Action::LoopLink
            | Action::Watch { .. }
            | Action::Viewer(_)
            | Action::Respond { .. }
            | Action::Scrape { .. }
            | Action::Files(_) => return self.perform_for_web(token, action),
            Action::Tell(lines) => lines.iter().for_each(|line| self.notice(token, line)),
            Action::Show(event) => self.reply(token, &event),
            Action::AwaitRegistration(timeout) => {
                self.broadcast.take_early(&mut self.net, token);
                self.net.arm(token, timeout, PeerTimer::Registration.of(token));
            }
            Action::Unlock(secret) => self.unlock(token, &secret),
            Action::Enter(entry) => self.enter(token, entry),
            Action::Registered => self.registered(token),
            Action::NotAdmitted(event) => self.not_admitted(token, &event),
            Action::ProveByCertificate(account) => {
                self.prove_by_certificate(token, account.as_deref());
            }
            Action::Prove(proof) => self.prove(token, proof),
            Action::RegisterEarly(name, secret) => self.register_early(token, &name, secret),
            Action::RegisteredEarly(account) => self.registered_early(token, &account),
            Action::AddCertificate => return self.add_certificate(token),
            Action::LogInByCertificate => self.log_in_by_certificate(token),
            Action::LogIn(claim) => {
                self.worked(token, Purpose::Login(claim), Outcome::Verified(true));
            }
            Action::Worked(purpose, outcome) => self.worked(token, purpose, outcome),
            Action::WorkFailed(why) => {
                self.fail_proof(token, Err(Refusal::Failed(why.into())));
            }
            Action::Replay(query, upto) => self.replay(token, *query, upto),
            Action::Withdraw => self.withdraw(token),
            Action::Leave { words, farewell } => self.leave(token, words, farewell),
            Action::Relay(relay) => self.relay(token, relay),
            Action::StartTls => self.start_tls(token),
            Action::Secured => self.secured(token),
            Action::HandshakeFailed(why) => self.handshake_failed(token, &why),
            Action::Reject { why, farewell } => self.turn_away(token, why, farewell.as_deref()),
            Action::Close => {
                self.net.with(token, |it| it.life.entered = false);
                self.drain(token);
            }
            Action::Gone => self.gone(token),
            Action::InputEnded => {
                if self.half_close(token) {
                    self.net.probe(token);
                }
            }
            Action::WatchBatch(pause) => {
                self.net.after(pause, PeerTimer::Batch.of(token));
            }
        }
        true
    }

    fn not_admitted(&mut self, token: Token, event: &Event) {
        self.net.with(token, |it| it.life.entered = false);
        self.reply(token, event);
    }

    /// What is asked for by HTTP, or for it.
    fn perform_for_web(&mut self, token: Token, action: Action) -> bool {
        match action {
            Action::Respond { status, bytes, of_page } => {
                self.respond(token, status, &bytes, of_page);
            }
            Action::Scrape { open_metrics, head_only } => {
                let action = self.scrape(token, open_metrics, head_only);
                return self.perform_one(token, action);
            }
            Action::Files(request) => self.perform_files(token, request),
            Action::LoopLink => self.make_loop_link(token),
            Action::Watch { key, forwarded, answer } => {
                let refusal = self.watch(token, key.as_deref(), forwarded, &answer);
                return refusal.is_none_or(|refusal| self.perform_one(token, refusal));
            }
            Action::Viewer(request) => self.perform_viewer_request(token, request),
            _ => {}
        }
        true
    }

    /// Tells a peer that it is not served, and closes.
    pub(super) fn turn_away(&mut self, token: Token, why: &str, farewell: Option<&str>) {
        self.broadcast.take_early(&mut self.net, token);
        self.net.with(token, |it| info!("{}: closed: {why}", it.address));
        if let Some(farewell) = farewell {
            self.speak(token, |session, _, out| session.farewell(farewell, out));
        }
        self.drain(token);
    }

    /// Answers an HTTP request, and closes.
    fn respond(&mut self, token: Token, status: u16, bytes: &[u8], of_page: bool) {
        if of_page {
            self.last_page = self.origin(token).map(|origin| (origin, self.net.now()));
        }
        if status >= 400 {
            self.stats.count(Counter::Requests);
        }
        self.net.with(token, |it| debug!("{}: HTTP {status}", it.address));
        self.speak(token, |_, _, out| out.extend_from_slice(bytes));
        self.drain(token);
    }

    /// Lets the chat decide a command; whether that is all.
    pub(super) fn decide(&mut self, token: Token, command: Command) -> bool {
        let decision = self.engine.hub().decide(session(token), command, self.net.moment());
        self.carry_out(token, decision)
    }

    /// Whether there is memory for what a change adds to rooms.
    fn fits_in_memory(&mut self, token: Token, change: &Change) -> Result<(), Refusal> {
        let Some((name, _)) = change.weighs_on() else { return Ok(()) };
        let creates = matches!(change, Change::Join { .. });
        if !creates && !change.adds_to_room() {
            return Ok(());
        }
        let Some(connection) = self.net.connection(token) else { return Ok(()) };
        let (address, hub) = (connection.address, self.engine.hub());
        let room = hub.room(name.as_str());
        if creates && room.is_some() {
            return Ok(());
        }
        let limit = room_limit(self.live.config(), &address);
        let opener = room.map_or(Some(address.origin()), |room| room.opener);
        let of_opener = opener.map(|origin| hub.room_usage(Some(origin))).unwrap_or_default();
        if let Some(limit) = limit.filter(|limit| creates && of_opener.rooms >= *limit as usize) {
            self.stats.count(Counter::OriginRooms);
            return Err(Refusal::TooManyRoomsOfOrigin(limit));
        }
        let (all, memory) = (hub.room_usage(None).texts, hub.room_memory());
        if all > memory / 2 || (limit.is_some() && of_opener.texts > memory / 8) {
            self.stats.count(Counter::RoomTexts);
            return Err(Refusal::TooMuchRoomText);
        }
        Ok(())
    }

    /// What the settings say of a room that is created, since the chat has none: its modes, and that it
    /// stays if its creator is logged in and there is a data directory.
    fn opening(&mut self, token: Token, mut change: Change) -> Change {
        let Change::Join { room, registers, modes } = &mut change else { return change };
        let (hub, config) = (self.engine.hub(), self.live.config());
        if hub.room(room.as_str()).is_some() {
            return change;
        }
        *modes = config.unusual_modes();
        let account = hub.user(session(token)).and_then(|user| user.identity.account.as_ref());
        let Some(account) = account.filter(|_| config.boot.data.is_some()) else { return change };
        let most = config.rooms_per_account;
        if most == 0 {
            return change;
        }
        *registers = hub.rooms_of(account) < most as usize;
        if !*registers {
            let text = format!(
                "{room} is temporary: your account may register {most} rooms at most \
                 (--rooms-per-account)"
            );
            self.stats.count(Counter::RoomsPerAccount);
            self.notice(token, &text);
        }
        change
    }

    pub(super) fn carry_out(&mut self, token: Token, decision: Decision) -> bool {
        if matches!(decision, Decision::Ask(_) | Decision::AskPage(..) | Decision::Lookup { .. }) {
            self.block(token);
        }
        match decision {
            Decision::Ask(query) => self.engine.query(token, query),
            Decision::AskPage(query, rest) => self.engine.query_page(token, query, rest),
            Decision::Lookup { lookup, then, missing } => {
                self.engine.look_up(token, lookup, then, missing);
            }
            Decision::Change(change) => match self.fits_in_memory(token, &change) {
                Ok(()) => {
                    let change = self.opening(token, change);
                    self.propose(token, change);
                }
                Err(refusal) => return self.refuse(token, refusal),
            },
            Decision::Work(work) => {
                return self.submit(token, work).is_err_and(|refusal| self.refuse(token, refusal));
            }
            Decision::Refuse(refusal) => {
                if refusal == Refusal::TooMuchAccountData {
                    self.stats.count(Counter::AccountMemory);
                }
                return self.refuse(token, refusal);
            }
            Decision::Reply(event) => {
                self.reply(token, &event);
                return true;
            }
        }
        false
    }

    /// Tells a peer what speaks against its command: that is all.
    pub(super) fn refuse(&mut self, token: Token, refusal: Refusal) -> bool {
        self.reply(token, &Event::Refused(refusal));
        true
    }

    fn enter(&mut self, token: Token, mut entry: Box<Entry>) {
        let now = self.net.moment();
        let Some(connection) = self.net.connection(token) else { return };
        entry.label = connection.address.to_string().into();
        if entry.account.is_some() && self.engine.hub().accounts_are_full() {
            entry.metadata.clear();
        }
        let admitted = if self.live.config().require_account && entry.account.is_none() {
            self.stats.count(Counter::NoAccount);
            Err(Refusal::AccountRequired { registers: self.live.config().registers_early() })
        } else {
            self.engine.hub().admits_entry(&entry, now)
        };
        match admitted {
            Ok(()) => {
                connection.life.entered = true;
                self.propose(token, Change::Enter(entry));
            }
            Err(why) => {
                self.reply(token, &Event::Closed { why });
                self.drain(token);
            }
        }
    }

    /// The detection timeout has expired, or there is none.
    pub(in crate::server) fn stop_detecting(&mut self, token: Token) {
        if !self.stop_awaiting_header(token) {
            return;
        }
        let Some(mut peer) = self.net.peer(token) else { return };
        if peer.connection.io.transport.is_opening() {
            return self.gone(token); // its early buffer is full
        }
        let refused = refused(self.live.config().tls_only, peer.connection);
        let mut view = self.broadcast.view(self.engine.hub(), token, None);
        let Connection { io, session, .. } = &mut *peer.connection;
        let (pending, actions) = (io.inbox.pending(), &mut self.actions);
        let used = session.stop_detecting(pending, refused, &mut view, actions);
        io.inbox.consume(used);
        self.broadcast.send(&mut peer, self.engine.hub(), &[]);
        peer.look_at_input();
        self.perform(token);
    }

    /// Takes lines from all who have some; what each asks for is performed before the next.
    pub(in crate::server) fn take_lines(&mut self, intake: &mut Intake) {
        if !self.engine.has_room() {
            return; // the disk is behind; when it has caught up, it wakes the loop
        }
        intake.begin_turn(&self.net);
        work::take();
        while let Some(token) =
            intake.next(&mut self.net, self.engine.hub(), &mut self.broadcast, &mut self.actions)
        {
            self.perform(token);
            let cost = work::take();
            self.net.charge(token, cost, false);
            intake.worked(cost, &self.net);
        }
        self.console.begin_turn();
        let (now, limit) = (self.net.moment(), self.live.config().max_line);
        while self.engine.has_room()
            && self.console.next_line(self.engine.hub(), now, limit, &mut self.actions)
        {
            self.perform(CONSOLE);
        }
    }

    /// The next line of a connection waits for an answer.
    pub(super) fn block(&mut self, token: Token) {
        if let Some(mut peer) = self.net.peer(token) {
            peer.await_answer();
        }
    }

    pub(in crate::server) fn unblock(&mut self, token: Token, reason: Blocked) {
        if let Some(mut peer) = self.net.peer(token) {
            peer.unblock(reason);
        }
    }
}
