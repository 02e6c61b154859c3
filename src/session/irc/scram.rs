//! The state of a client's login by SCRAM-SHA-256. RFC 5802, section 5.
//!
//! What it says is kept, because the proof is made of all of it; the arithmetic is the worker's.
//! Deliberately absent: an answer that says what was wrong (`e=`). IRC has ERR_SASLFAIL for that,
//! and it says the same for all.

use crate::chat::{Challenge, ScramProof};
use crate::session::action::Proof;
use crate::wire::scram::{ClientFinal, ClientFirst, auth_message, server_first};
use std::sync::Arc;

/// The messages exchanged so far, as far as the proof needs them.
pub(super) struct Scram {
    name: Arc<str>,
    /// The client's word on channel binding, which it has to repeat.
    header: String,
    client_first: String,
    server_first: String,
    /// The client's part; both parts, once we have answered.
    nonce: String,
}

impl Scram {
    /// The client's first message; `None` if it is wrong.
    pub(super) fn begin(text: &str) -> Option<Scram> {
        let first = ClientFirst::parse(text)?;
        let other = first.acts_for.is_some_and(|it| !it.eq_ignore_ascii_case(&first.name));
        (!other).then(|| Scram {
            name: first.name.into(),
            header: first.header.to_owned(),
            client_first: first.bare.to_owned(),
            server_first: String::new(),
            nonce: first.nonce.to_owned(),
        })
    }

    /// What the worker is to do first: it knows the salt.
    pub(super) fn question(&self) -> Proof {
        Proof::Begin(Arc::clone(&self.name))
    }

    /// Our first message.
    pub(super) fn challenge(&mut self, challenge: &Challenge) -> String {
        self.nonce.push_str(&challenge.nonce);
        self.server_first = server_first(&self.nonce, &challenge.salt, challenge.iterations);
        self.server_first.clone()
    }

    /// What the worker is to do about the client's last message; `None` if that is wrong.
    pub(super) fn prove(self, text: &str) -> Option<Proof> {
        let last = ClientFinal::parse(text)?;
        if last.header != self.header.as_bytes() || last.nonce != self.nonce {
            return None;
        }
        let message = auth_message(&self.client_first, &self.server_first, last.without_proof);
        let proof = ScramProof { message, proof: last.proof.into() };
        Some(Proof::Scram(self.name, proof))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7677, section 3.
    fn challenged() -> (Scram, String) {
        let mut scram = Scram::begin("n,,n=user,r=rOprNGfwEbeRWgbNEkqO").unwrap();
        assert_eq!(scram.question(), Proof::Begin("user".into()));
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
        let (scram, answer) = challenged();
        assert_eq!(answer, format!("r={NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"));
        let proof = scram.prove(&format!("c=biws,r={NONCE},p={PROOF}")).unwrap();
        let Proof::Scram(name, scram_proof) = proof else { panic!("{proof:?}") };
        assert_eq!(&*name, "user");
        let message = format!("n=user,r=rOprNGfwEbeRWgbNEkqO,{answer},c=biws,r={NONCE}");
        assert_eq!(scram_proof.message, message);
    }

    #[test]
    fn what_does_not_repeat_what_was_said_is_wrong() {
        for text in [
            format!("c=eSws,r={NONCE},p={PROOF}"), // another header: y,,
            format!("c=biws,r={NONCE}x,p={PROOF}"),
            format!("c=biws,r=rOprNGfwEbeRWgbNEkqO,p={PROOF}"),
        ] {
            assert!(challenged().0.prove(&text).is_none(), "{text}");
        }
        // A client that could bind and sees that we cannot.
        let mut scram = Scram::begin("y,a=user,n=user,r=x").unwrap();
        scram.challenge(&Challenge { nonce: "y".into(), salt: "c2FsdA==".into(), iterations: 1 });
        assert!(scram.prove(&format!("c=eSxhPXVzZXIs,r=xy,p={PROOF}")).is_some());
    }

    #[test]
    fn another_identity_and_channel_binding_are_rejected() {
        assert!(Scram::begin("n,a=root,n=user,r=x").is_none());
        assert!(Scram::begin("p=tls-unique,,n=user,r=x").is_none());
    }
}
