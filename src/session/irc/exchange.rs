//! One SASL exchange: the steps of PLAIN (RFC 4616),
//! SCRAM-SHA-256 and EXTERNAL (RFC 4422, appendix A).

use super::scram::Scram;
use crate::chat::{Challenge, Claim, Secret};
use crate::session::action::{Action, Proof};
use crate::wire::sasl::{Fault, Incoming};
use std::sync::Arc;

/// An exchange in progress.
pub(super) struct Exchange {
    incoming: Incoming,
    stage: Stage,
}

/// What is expected next.
enum Stage {
    /// The one message of PLAIN.
    Plain,
    /// The one message of EXTERNAL.
    External,
    /// The client's first message of SCRAM.
    Scram,
    /// The worker's answer to it.
    Begun(Box<Scram>),
    /// The client's last message.
    Challenged(Box<Scram>),
    /// SCRAM has proved this account; the client has to acknowledge the server's proof.
    Signed(Claim),
    /// The chat's decision.
    Asked,
}

impl Exchange {
    pub(super) fn begin(mechanism: &str) -> Option<Exchange> {
        let stage = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => Stage::Plain,
            "EXTERNAL" => Stage::External,
            "SCRAM-SHA-256" => Stage::Scram,
            _ => return None,
        };
        Some(Exchange { incoming: Incoming::default(), stage })
    }

    /// Takes one piece; the action that a whole message leads to. An error ends the exchange.
    pub(super) fn take(&mut self, piece: &str) -> Result<Option<Action>, Fault> {
        let Some(text) = self.incoming.take(piece)? else { return Ok(None) };
        let stage = std::mem::replace(&mut self.stage, Stage::Asked);
        let (stage, action) = step(stage, &text).ok_or(Fault::Malformed)?;
        self.stage = stage;
        Ok(Some(action))
    }

    /// The server's first message of SCRAM.
    pub(super) fn challenge(&mut self, challenge: &Challenge) -> Option<String> {
        match std::mem::replace(&mut self.stage, Stage::Scram) {
            Stage::Begun(mut scram) => {
                let message = scram.challenge(challenge);
                self.stage = Stage::Challenged(scram);
                Some(message)
            }
            // Without a first message of the client there is nothing to answer.
            Stage::Scram | Stage::Challenged(_) => Some(String::new()),
            _ => None,
        }
    }

    /// SCRAM has proved `claim`; whether a decision was expected.
    pub(super) fn sign(&mut self, claim: &Claim) -> bool {
        let asked = matches!(self.stage, Stage::Asked);
        if asked {
            self.stage = Stage::Signed(claim.clone());
        }
        asked
    }

    /// Whether the next word is the server's, and not the client's.
    pub(super) fn awaits_server(&self) -> bool {
        matches!(self.stage, Stage::Begun(_) | Stage::Asked)
    }
}

/// The next stage, and the action that a whole message leads to; `None` if it is wrong.
fn step(stage: Stage, text: &str) -> Option<(Stage, Action)> {
    Some(match stage {
        Stage::Plain => {
            let (name, secret) = plain(text)?;
            (Stage::Asked, Action::Prove(Proof::Password(name.into(), secret)))
        }
        Stage::External => {
            let account = Some(text).filter(|name| !name.is_empty()).map(Arc::from);
            (Stage::Asked, Action::ProveByCertificate(account))
        }
        Stage::Scram => {
            let scram = Box::new(Scram::begin(text)?);
            let question = scram.question();
            (Stage::Begun(scram), Action::Prove(question))
        }
        Stage::Challenged(scram) => (Stage::Asked, Action::Prove(scram.prove(text)?)),
        Stage::Signed(claim) if text.is_empty() => (Stage::Asked, Action::LogIn(claim)),
        Stage::Begun(_) | Stage::Signed(_) | Stage::Asked => return None,
    })
}

/// Name and password of `authzid NUL authcid NUL password`.
fn plain(text: &str) -> Option<(String, Secret)> {
    let mut parts = text.split('\0');
    let (acts_for, name, password) = (parts.next()?, parts.next()?, parts.next()?);
    let one = acts_for.is_empty() || acts_for.eq_ignore_ascii_case(name);
    let fits = one && !name.is_empty() && !password.is_empty() && parts.next().is_none();
    fits.then(|| (name.to_owned(), Secret::new(password)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_of_scram_waits_for_the_challenge() {
        let (stage, _) = step(Stage::Scram, "n,,n=user,r=x").unwrap();
        assert!(step(stage, "n,,n=user,r=x").is_none(), "it was our turn");
    }

    #[test]
    fn plain_is_three_parts_of_one_name() {
        let (name, secret) = plain("jilles\0Jilles\0sesame").unwrap();
        assert_eq!((name.as_str(), secret.expose()), ("Jilles", "sesame"));
        assert!(plain("\0jilles\0sesame").is_some());
        for wrong in ["", "foo", "a\0b", "bob\0jilles\0sesame", "\0\0sesame", "\0b\0", "\0b\0c\0d"]
        {
            assert!(plain(wrong).is_none(), "{wrong:?}");
        }
    }
}
