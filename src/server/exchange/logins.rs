//! Passwords and proofs: from a command to the workers, and what is done with their answer.

use super::{Exchange, session};
use crate::chat::work;
use crate::chat::{Claim, Hub, Name, Origin, Outcome, Purpose, Refusal, Secret, Work};
use crate::server::admission::register_limit;
use crate::server::audit;
use crate::server::config::{Config, Registration};
use crate::server::gate::Blocked;
use crate::server::guesses::{Ended, Guess, Target};
use crate::server::stats::Counter;
use crate::server::worker;
use crate::session::{Action, PasswordAnswer, Proof, ProofAnswer};
use chatloop_reactor::Token;
use std::time::Duration;

/// Whether the settings forbid the account that a job is for, and what counts that.
fn registration_refusal(config: &Config, hub: &Hub, work: &Work) -> Option<(Refusal, Counter)> {
    let Work::Hash { purpose, .. } = work else { return None };
    let is_owner = matches!(purpose, Purpose::Register(_) | Purpose::RegisterEarly(_));
    if !is_owner && !matches!(purpose, Purpose::Set(_, true)) {
        return None;
    }
    if hub.account_count() >= config.max_accounts as usize {
        return Some((Refusal::TooManyAccounts, Counter::MaxAccounts));
    }
    if hub.accounts_are_full() {
        return Some((Refusal::TooMuchAccountData, Counter::AccountMemory));
    }
    let setting = match config.registration {
        Registration::Operators if is_owner => "operators",
        Registration::Closed => "closed",
        _ => return None,
    };
    Some((Refusal::RegistrationClosed(setting), Counter::Registration))
}

pub(super) fn seconds(wait: Duration) -> u64 {
    wait.as_millis().div_ceil(1000) as u64
}

impl Exchange {
    /// Hands a job to the workers. The one place that a password passes on its way to be checked,
    /// so that no way to show one escapes the delays.
    pub(super) fn submit(&mut self, token: Token, mut work: Work) -> Result<(), Refusal> {
        let now = self.net.tenths();
        if self.net.peer(token).is_some_and(|peer| peer.is_long_gone(now)) {
            self.gone(token);
            return Ok(());
        }
        if let Work::Verify { hash, purpose: Purpose::Oper(name, known), .. } = &mut work {
            *hash = self.live.config().oper_hash(name);
            known.clone_from(hash);
        }
        if let Work::Hash { secret, .. }
        | Work::Verify { purpose: Purpose::Change(_, secret), .. } = &work
        {
            let least = self.live.config().password_length as usize;
            if secret.expose().chars().count() < least {
                return Err(Refusal::ShortPassword(least));
            }
        }
        let (config, hub) = (self.live.config(), self.engine.hub());
        if let Some((refusal, counter)) = registration_refusal(config, hub, &work) {
            self.stats.count(counter);
            return Err(refusal);
        }
        let origin = self.origin(token);
        if let Work::Hash { purpose: Purpose::Register(_) | Purpose::RegisterEarly(_), .. } = &work
            && let Some(connection) = self.net.connection(token)
            && let address = connection.address
            && let Some(limit) = register_limit(self.live.config(), &address)
        {
            let taken = self.registrations.take(address.origin(), limit, self.net.now());
            taken.map_err(|wait| {
                self.stats.count(Counter::Registrations);
                Refusal::TooManyRegistrations(seconds(wait))
            })?;
        }
        if let Some(guess) = self.guess(token, &work) {
            let begun = self.begin_guess(token, guess);
            begun.map_err(|wait| Refusal::TryLater(seconds(wait)))?;
        }
        if matches!(work, Work::Hash { .. } | Work::Verify { .. }) {
            let (pace, now) = (self.net.pace(), self.net.now());
            self.net.with(token, |it| it.gate.charge(work::HASH, pace, now));
        }
        self.workers.submit(token, origin, work);
        self.block(token);
        Ok(())
    }

    pub(super) fn origin(&mut self, token: Token) -> Option<Origin> {
        self.net.connection(token).map(|it| it.address.origin())
    }

    /// Which password a job guesses at, if it could be a guess.
    fn guess(&mut self, token: Token, work: &Work) -> Option<Guess> {
        let (Work::Verify { purpose, .. } | Work::Proof { purpose, .. }) = work else {
            return None;
        };
        let origin = self.origin(token);
        let hub = self.engine.hub();
        let known = |name: &Name| origin.is_some_and(|origin| hub.knows_origin(name, origin));
        let (target, known) = match purpose {
            Purpose::Login(Claim { account: name, .. }) | Purpose::Change(name, _) => {
                (Target::Account(name.clone()), known(name))
            }
            Purpose::Oper(name, _) => {
                let is_configured = self.live.config().oper_hash(name).is_some();
                let name =
                    if is_configured { Name::new(name) } else { hub.known_or_stand_in(name) };
                let guesses = &self.guesses;
                let known = origin.is_some_and(|origin| guesses.knows_operator(&name, origin));
                (Target::Oper(name), known)
            }
            Purpose::Register(_)
            | Purpose::RegisterEarly(_)
            | Purpose::Replace(_)
            | Purpose::Set(..)
            | Purpose::Challenge => return None,
        };
        Some(Guess { target, origin, known })
    }

    /// Compares what a connection says with the server's password. That is a guess like others.
    pub(super) fn is_server_password(
        &mut self,
        token: Token,
        secret: &Secret,
    ) -> Result<bool, Duration> {
        let guess = Guess { target: Target::Server, origin: self.origin(token), known: false };
        self.begin_guess(token, guess)?;
        let right = self.live.config().password.as_ref() == Some(secret);
        self.guesses.end(token, if right { Ended::Right } else { Ended::Wrong });
        Ok(right)
    }

    pub(super) fn unlock(&mut self, token: Token, secret: &Secret) {
        let answer = match self.is_server_password(token, secret) {
            Err(wait) => PasswordAnswer::TooEarly(seconds(wait)),
            Ok(true) => PasswordAnswer::Right,
            Ok(false) => PasswordAnswer::Wrong,
        };
        self.speak_and_ask(token, |session, view, out, actions| {
            session.unlocked(answer, view, out, actions);
        });
    }

    fn begin_guess(&mut self, token: Token, guess: Guess) -> Result<(), Duration> {
        let begun = self.guesses.begin(token, guess, self.net.now());
        begun.inspect_err(|_| self.stats.count(Counter::Guesses))
    }

    pub(super) fn prove(&mut self, token: Token, proof: Proof) {
        if self.net.connection(token).is_none() {
            return;
        }
        let work = self.engine.prove(proof, self.net.moment());
        let submitted = self.submit(token, work);
        self.fail_proof(token, submitted);
    }

    /// The end of a proof, if it has failed.
    pub(super) fn fail_proof(&mut self, token: Token, outcome: Result<(), Refusal>) {
        if let Err(refusal) = outcome {
            self.refuse(token, refusal);
            self.answer_proof(token, ProofAnswer::Failed);
        }
    }

    pub(in crate::server) fn answer_proof(&mut self, token: Token, answer: ProofAnswer<'_>) {
        if self.is_upload_decided(token, &answer) {
            return;
        }
        self.speak_and_ask(token, |session, view, out, actions| {
            session.answer_proof(answer, view, out, actions);
        });
    }

    pub(in crate::server) fn take_work_done(&mut self) {
        while let Some(done) = self.workers.next_done() {
            self.unblock(done.token, Blocked::ANSWER);
            self.guesses.end(
                done.token,
                match done.outcome {
                    Ok(Outcome::Verified(false)) => Ended::Wrong,
                    Ok(Outcome::Former) | Err(_) => Ended::Uncounted,
                    Ok(_) => Ended::Right,
                },
            );
            if done.outcome == Err(worker::FULL) {
                self.stats.count(Counter::Logins);
            }
            self.actions.push(match done.outcome {
                Ok(outcome) => Action::Worked(done.purpose, outcome),
                Err(why) => Action::WorkFailed(why),
            });
            self.perform(done.token);
        }
    }

    /// Goes on with what waited for the workers.
    pub(super) fn worked(&mut self, token: Token, purpose: Purpose, mut outcome: Outcome) {
        if let Purpose::Oper(name, hash) = &purpose
            && self.live.config().oper_hash(name) != *hash
        {
            outcome = Outcome::Verified(false); // the configuration has been reloaded meanwhile
        }
        if let Some(change) = Hub::keys_learnt(&purpose, &outcome) {
            self.propose(token, change);
        }
        let now = self.net.moment();
        match (&purpose, &outcome) {
            (_, Outcome::Challenge(challenge)) => {
                return self.answer_proof(token, ProofAnswer::Challenge(challenge));
            }
            (Purpose::Login(claim), Outcome::Signed(signature)) => {
                return self.answer_proof(token, ProofAnswer::Signed(claim, signature));
            }
            (Purpose::Login(claim), _) if self.engine.hub().user(session(token)).is_none() => {
                let fits =
                    matches!(outcome, Outcome::Verified(true) | Outcome::VerifiedWithKeys(..));
                let admitted = fits && self.engine.hub().may_act_for(claim, now).is_ok();
                let claim = Some(claim.clone()).filter(|_| admitted);
                return self.answer_proof(token, ProofAnswer::Proved(claim));
            }
            (Purpose::Oper(name, _), Outcome::Verified(false)) => {
                let is_known = self.live.config().oper_hash(name).is_some();
                audit::failed_oper(self.engine.hub(), session(token), name, is_known);
            }
            _ => {}
        }
        let decision = self.engine.hub().worked(session(token), purpose, outcome, now);
        self.carry_out(token, decision);
    }
}
