//! The state of a client's login by SCRAM-SHA-256. RFC 5802, section 5.
//!
//! What it says is kept, because the proof is made of all of it; the arithmetic is the worker's.
//! Deliberately absent: an answer that says what was wrong (`e=`). IRC has ERR_SASLFAIL for that,
//! and it says the same for all.

use crate::chat::{Challenge, ScramProof};
use crate::session::action::Proof;
use crate::wire::scram::{ClientFinal, ClientFirst, auth_message, server_first};
use std::sync::Arc;

/// The messages exchanged so far.
#[derive(Default)]
pub(super) enum Scram {
    /// Nothing.
    #[default]
    Silent,
    /// The client's first message; the worker is asked for what to answer.
    Begun(Transcript),
    /// Our first message, too.
    Challenged(Transcript),
}

/// The parts of them that the proof needs.
#[derive(Default)]
pub(super) struct Transcript {
    name: Arc<str>,
    /// The client's word on channel binding, which it has to repeat.
    header: String,
    client_first: String,
    server_first: String,
    /// The client's part; both parts, once we have answered.
    nonce: String,
}

impl Scram {
    /// What the worker is to do about a message of the client, and whether that decides the
    /// login; `None` if the message is wrong.
    pub(super) fn receive(&mut self, text: &str) -> Option<(Proof, bool)> {
        match std::mem::take(self) {
            Scram::Silent => {
                let first = ClientFirst::parse(text)?;
                let other = first.acts_for.is_some_and(|it| !it.eq_ignore_ascii_case(&first.name));
                if other {
                    return None;
                }
                let name: Arc<str> = first.name.into();
                *self = Scram::Begun(Transcript {
                    name: Arc::clone(&name),
                    header: first.header.to_owned(),
                    client_first: first.bare.to_owned(),
                    server_first: String::new(),
                    nonce: first.nonce.to_owned(),
                });
                Some((Proof::Begin(name), false))
            }
            Scram::Begun(_) => None,
            Scram::Challenged(so_far) => {
                let last = ClientFinal::parse(text)?;
                if last.header != so_far.header.as_bytes() || last.nonce != so_far.nonce {
                    return None;
                }
                let message =
                    auth_message(&so_far.client_first, &so_far.server_first, last.without_proof);
                let proof = ScramProof { message, proof: last.proof.into() };
                Some((Proof::Scram(so_far.name, proof), true))
            }
        }
    }

    /// Our first message.
    pub(super) fn challenge(&mut self, challenge: &Challenge) -> String {
        if let Scram::Begun(mut so_far) = std::mem::take(self) {
            so_far.nonce.push_str(&challenge.nonce);
            so_far.server_first =
                server_first(&so_far.nonce, &challenge.salt, challenge.iterations);
            let message = so_far.server_first.clone();
            *self = Scram::Challenged(so_far);
            return message;
        }
        // Without a first message of the client there is nothing to answer.
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7677, section 3.
    fn challenged() -> (Scram, String) {
        let mut scram = Scram::default();
        let (proof, decides) = scram.receive("n,,n=user,r=rOprNGfwEbeRWgbNEkqO").unwrap();
        assert_eq!((proof, decides), (Proof::Begin("user".into()), false));
        let answer = scram.challenge(&Challenge {
            nonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0".into(),
            salt: "W22ZaJ0SNY7soEsUEjb6gQ==".into(),
            iterations: 4096,
        });
        (scram, answer)
    }

    const NONCE: &str = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const PROOF: &str = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

    #[test]
    fn the_example_of_rfc_7677_goes_its_way() {
        let (mut scram, answer) = challenged();
        assert_eq!(answer, format!("r={NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"));
        let (proof, decides) = scram.receive(&format!("c=biws,r={NONCE},p={PROOF}")).unwrap();
        let Proof::Scram(name, scram_proof) = proof else { panic!("{proof:?}") };
        assert_eq!((&*name, decides), ("user", true));
        let message = format!("n=user,r=rOprNGfwEbeRWgbNEkqO,{answer},c=biws,r={NONCE}");
        assert_eq!(scram_proof.message, message);
        assert!(scram.receive(&format!("c=biws,r={NONCE},p={PROOF}")).is_none(), "once");
    }

    #[test]
    fn what_does_not_repeat_what_was_said_is_wrong() {
        for text in [
            format!("c=eSws,r={NONCE},p={PROOF}"), // another header: y,,
            format!("c=biws,r={NONCE}x,p={PROOF}"),
            format!("c=biws,r=rOprNGfwEbeRWgbNEkqO,p={PROOF}"),
        ] {
            assert!(challenged().0.receive(&text).is_none(), "{text}");
        }
        // A client that could bind and sees that we cannot.
        let mut scram = Scram::default();
        scram.receive("y,a=user,n=user,r=x").unwrap();
        scram.challenge(&Challenge { nonce: "y".into(), salt: "c2FsdA==".into(), iterations: 1 });
        assert!(scram.receive(&format!("c=eSxhPXVzZXIs,r=xy,p={PROOF}")).is_some());
    }

    #[test]
    fn another_identity_and_channel_binding_are_rejected() {
        assert!(Scram::default().receive("n,a=root,n=user,r=x").is_none());
        assert!(Scram::default().receive("p=tls-unique,,n=user,r=x").is_none());
        let mut scram = Scram::default();
        scram.receive("n,,n=user,r=x").unwrap();
        assert!(scram.receive("n,,n=user,r=x").is_none(), "it was our turn");
    }
}
