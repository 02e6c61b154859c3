//! SCRAM-SHA-256, the client's side: RFC 5802 and RFC 7677.
//!
//! Absent: channel binding.

use crate::wire::scram::auth_message;
use base64ct::{Base64, Encoding};
use pbkdf2::hmac::{Hmac, KeyInit, Mac};
use pbkdf2::sha2::{Digest, Sha256};
use pbkdf2::{Algorithm, Params, pbkdf2_hmac_with_params};
use zeroize::Zeroizing;

/// Iterations that a server may request. Fewer than RFC 7677 requires are too weak; far more only
/// keep this client busy.
const ITERATIONS: std::ops::RangeInclusive<u32> = 4_096..=1_000_000;
/// Bytes of a key.
const KEY: usize = 32;
/// `n,,` in base64: no channel binding, no authorization identity.
const HEADER: &str = "biws";

/// A login in progress.
#[derive(Debug)]
pub(super) struct Scram {
    password: Zeroizing<String>,
    nonce: String,
    bare: String,
    pub step: Step,
}

/// How far a login has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Step {
    Begun,
    /// We have proven that we know the password; the server's proof is all that is missing, and
    /// must be this.
    Answered(String),
    /// The server has proven that it knows the password.
    Proven,
}

impl Scram {
    /// Begins: the login and the first message. `None` if the password is invalid (RFC 4013).
    pub fn begin(account: &str, password: &str, nonce: &str) -> Option<(Scram, String)> {
        let name = stringprep::saslprep(account).ok()?.replace('=', "=3D").replace(',', "=2C");
        let password = Zeroizing::new(stringprep::saslprep(password).ok()?.into_owned());
        let bare = format!("n={name},r={nonce}");
        let first = format!("n,,{bare}");
        let nonce = nonce.to_owned();
        Some((Scram { password, nonce, bare, step: Step::Begun }, first))
    }

    /// A message of the server; the answer, empty at the end. `None` if the message is invalid.
    pub fn receive(&mut self, message: &str) -> Option<String> {
        match &self.step {
            Step::Begun => self.prove(message),
            // The server must prove that it knows the password, too: anyone could claim success.
            Step::Answered(signature) if message == signature => {
                self.step = Step::Proven;
                Some(String::new())
            }
            Step::Answered(_) | Step::Proven => None,
        }
    }

    fn prove(&mut self, first: &str) -> Option<String> {
        let mut attributes = first.split(',');
        let mut next = |letter: &str| attributes.next()?.strip_prefix(letter);
        let (nonce, salt, often) = (next("r=")?, next("s=")?, next("i=")?);
        let often = often.parse().ok().filter(|often| ITERATIONS.contains(often))?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return None;
        }
        let salt = Base64::decode_vec(salt).ok()?;
        let mut salted = Zeroizing::new([0; KEY]);
        let params = Params::new(often).ok()?;
        let password = self.password.as_bytes();
        pbkdf2_hmac_with_params(password, &salt, Algorithm::Pbkdf2Sha256, params, &mut *salted);
        let without_proof = format!("c={HEADER},r={nonce}");
        let message = auth_message(&self.bare, first, &without_proof);
        let client_key = Zeroizing::new(hmac(&*salted, b"Client Key"));
        let client_signature = hmac(&Sha256::digest(*client_key), message.as_bytes());
        let proof: [u8; KEY] = std::array::from_fn(|at| client_key[at] ^ client_signature[at]);
        let server_key = hmac(&*salted, b"Server Key");
        let signature = Base64::encode_string(&hmac(&server_key, message.as_bytes()));
        self.step = Step::Answered(format!("v={signature}"));
        Some(format!("{without_proof},p={}", Base64::encode_string(&proof)))
    }
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; KEY] {
    // HMAC takes keys of any length: the error cannot happen.
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; KEY] };
    mac.chain_update(message).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str =
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    fn begun() -> Scram {
        let (scram, first) = Scram::begin("user", "pencil", "rOprNGfwEbeRWgbNEkqO").unwrap();
        assert_eq!(first, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        scram
    }

    #[test]
    fn the_example_of_rfc_7677() {
        let mut scram = begun();
        assert_eq!(
            scram.receive(FIRST).unwrap(),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        let last = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
        assert_eq!(scram.receive(last).unwrap(), "");
    }

    #[test]
    fn a_server_that_does_not_know_the_password_is_found_out() {
        let mut scram = begun();
        scram.receive(FIRST).unwrap();
        assert_eq!(scram.receive("v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="), None);
        for wrong in [
            "r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=999999999",
            "r=rOprNGfwEbeRWgbNEkqOx,s=é,i=4096",
            "e=other-error",
            "",
        ] {
            assert_eq!(begun().receive(wrong), None, "{wrong}");
        }
    }
}
