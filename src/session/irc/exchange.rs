//! One SASL exchange: the client's messages put together, and the steps of PLAIN (RFC 4616),
//! SCRAM-SHA-256 and EXTERNAL (RFC 4422, appendix A).

use super::scram::Scram;
use crate::chat::{Challenge, Claim, Secret};
use crate::session::action::{Action, Proof};
use base64ct::{Base64, Encoding};
use std::sync::Arc;

/// Bytes of one piece: a full piece is followed by another, if only `+`.
pub(super) const PIECE: usize = 400;
/// Bytes of base64 of one message: names and passwords are far shorter.
const MOST: usize = 4_000;

/// An exchange in progress.
pub(super) struct Exchange {
    base64: String,
    stage: Stage,
}

/// What is expected next.
enum Stage {
    /// The one message of PLAIN.
    Plain,
    /// A message of SCRAM, from the client or from the worker.
    Scram(Box<Scram>),
    /// The one message of EXTERNAL.
    External,
    /// SCRAM has proved this account; the client has to acknowledge the server's proof.
    Signed(Claim),
    /// The chat's decision.
    Asked,
}

/// Why an exchange fails.
pub(super) enum Failure {
    LongPiece,
    LongMessage,
    Wrong,
}

impl Exchange {
    pub(super) fn begin(mechanism: &str) -> Option<Exchange> {
        let stage = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => Stage::Plain,
            "EXTERNAL" => Stage::External,
            "SCRAM-SHA-256" => Stage::Scram(Box::default()),
            _ => return None,
        };
        Some(Exchange { base64: String::new(), stage })
    }

    /// Takes one piece; the action that a whole message leads to.
    pub(super) fn take(&mut self, piece: &str) -> Result<Option<Action>, Failure> {
        if piece.len() > PIECE {
            return Err(Failure::LongPiece);
        }
        if self.base64.len() + piece.len() > MOST {
            return Err(Failure::LongMessage);
        }
        if piece != "+" {
            self.base64.push_str(piece);
            if piece.len() == PIECE {
                return Ok(None);
            }
        }
        let base64 = std::mem::take(&mut self.base64);
        // Without its padding it is not valid (RFC 4648, section 4).
        let text = Base64::decode_vec(&base64).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let action = text.and_then(|text| step(&mut self.stage, &text));
        action.map(Some).ok_or(Failure::Wrong)
    }

    /// The server's first message of SCRAM.
    pub(super) fn challenge(&mut self, challenge: &Challenge) -> Option<String> {
        match &mut self.stage {
            Stage::Scram(scram) => Some(scram.challenge(challenge)),
            _ => None,
        }
    }

    /// SCRAM has proved `claim`; whether a decision was expected.
    pub(super) fn sign(&mut self, claim: &Claim) -> bool {
        let asked = self.is_asked();
        if asked {
            self.stage = Stage::Signed(claim.clone());
        }
        asked
    }

    pub(super) fn is_asked(&self) -> bool {
        matches!(self.stage, Stage::Asked)
    }
}

/// The action that a whole message leads to; `None` if it is wrong.
fn step(stage: &mut Stage, text: &str) -> Option<Action> {
    match stage {
        Stage::Plain => {
            let (name, secret) = plain(text)?;
            *stage = Stage::Asked;
            Some(Action::Prove(Proof::Password(name.into(), secret)))
        }
        Stage::External => {
            let account = Some(text).filter(|name| !name.is_empty()).map(Arc::from);
            *stage = Stage::Asked;
            Some(Action::ProveByCertificate(account))
        }
        Stage::Scram(scram) => {
            let (proof, decides) = scram.receive(text)?;
            if decides {
                *stage = Stage::Asked;
            }
            Some(Action::Prove(proof))
        }
        Stage::Signed(claim) if text.is_empty() => {
            let claim = claim.clone();
            *stage = Stage::Asked;
            Some(Action::LogIn(claim))
        }
        Stage::Signed(_) | Stage::Asked => None,
    }
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
