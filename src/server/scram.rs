//! SCRAM-SHA-256 on the server: stored keys, challenges, and verification of proofs. RFC 5802, RFC
//! 7677; on the worker thread.
//!
//! The price of SCRAM: an attacker with the file of accounts can attack the weaker of two hashes,
//! and PBKDF2 is weaker than the argon2id beside it. [`ITERATIONS`] reduces the difference.

use super::random::Random;
use crate::chat::{Challenge, ScramKeys, ScramProof, Secret};
use base64ct::{Base64, Encoding};
use pbkdf2::hmac::{Hmac, KeyInit, Mac, digest::CtOutput};
use pbkdf2::sha2::{Digest, Sha256};
use pbkdf2::{Algorithm, Params, pbkdf2_hmac_with_params};
use zeroize::Zeroizing;

/// Iterations of the hash. RFC 7677 requires at least 4,096; each login by SCRAM costs the
/// *client* that much. Cyrus SASL, which some clients use, rejects more than 65,536.
const ITERATIONS: u32 = 64_000;
/// In a simulation, which has no time for more: as few as a client accepts.
const CHEAP_ITERATIONS: u32 = 4_096;
/// Bytes of a salt.
const SALT: usize = 16;
/// Bytes of the server's part of the nonce. A multiple of three: no padding in base64.
const NONCE: usize = 18;

const KEY: usize = 32;

/// The worker's secret, drawn at each start, for the salts of names without an account. After a
/// restart such a name has another salt while an account keeps its own, so someone who asks before
/// and after can tell the two apart. A secret in the journal would not have that flaw, but would
/// have to be protected.
pub(super) struct Scram {
    secret: Zeroizing<[u8; KEY]>,
    /// Keys of no account, so that there is as much to read without an account.
    nobody: ScramKeys,
}

/// The parts of [`ScramKeys`].
struct Parts<'a> {
    iterations: u32,
    salt: &'a str,
    stored_key: [u8; KEY],
    server_key: [u8; KEY],
}

impl Scram {
    /// Draws the secret of this start.
    ///
    /// # Errors
    /// The system has no randomness.
    pub(super) fn new(random: &mut Random) -> std::io::Result<Scram> {
        let mut secret = Zeroizing::new([0; KEY]);
        random.fill(&mut *secret)?;
        let nobody = written(iterations(random), &[0; SALT], &*secret, &*secret);
        Ok(Scram { secret, nobody })
    }

    /// The challenge; `None` if the system has no randomness for a nonce, or the keys are invalid.
    pub(super) fn challenge(
        &self,
        name: &str,
        keys: Option<&ScramKeys>,
        random: &mut Random,
    ) -> Option<Challenge> {
        let nonce: [u8; NONCE] = random.bytes().ok()?;
        // Computed in any case: a name without an account must not take longer.
        let made_up = hmac(&*self.secret, name.to_ascii_lowercase().as_bytes());
        let made_up = Base64::encode_string(&made_up[..SALT]);
        let Parts { salt, iterations, .. } = parts(keys.unwrap_or(&self.nobody))?;
        let salt = if keys.is_some() { salt } else { &made_up }.to_owned();
        Some(Challenge { nonce: Base64::encode_string(&nonce), salt, iterations })
    }

    /// `ServerSignature` in base64, if the proof is right. Without keys, the same is computed with
    /// made-up ones and fails.
    pub(super) fn verify(&self, said: &ScramProof, keys: Option<&ScramKeys>) -> Option<String> {
        let Parts { stored_key, server_key, .. } = parts(keys.unwrap_or(&self.nobody))?;
        let message = said.message.as_bytes();
        let signature = hmac(&stored_key, message);
        let proof = <[u8; KEY]>::try_from(&*said.proof).ok()?;
        let client_key: [u8; KEY] = std::array::from_fn(|place| proof[place] ^ signature[place]);
        let digest = CtOutput::<Sha256>::new(Sha256::digest(client_key));
        let fits = digest == CtOutput::new(stored_key.into());
        let answer = Base64::encode_string(&hmac(&server_key, message));
        (fits && keys.is_some()).then_some(answer)
    }
}

/// The keys of a password, with the salt of the `former` ones or a new one; `None` if SASLprep (RFC 4013) does not let it be a
/// password: then no client that keeps to the standard could log in with it.
pub(super) fn keys_of(
    secret: &Secret,
    former: Option<&ScramKeys>,
    random: &mut Random,
) -> Option<ScramKeys> {
    let former = former.and_then(parts).filter(|parts| parts.iterations == iterations(random));
    let salt = match former.and_then(|parts| Base64::decode_vec(parts.salt).ok()) {
        Some(salt) => salt,
        None => random.bytes::<SALT>().ok()?.to_vec(),
    };
    derive(secret, &salt, iterations(random))
}

fn iterations(random: &Random) -> u32 {
    if random.is_simulated() { CHEAP_ITERATIONS } else { ITERATIONS }
}

fn derive(secret: &Secret, salt: &[u8], iterations: u32) -> Option<ScramKeys> {
    let prepared = Zeroizing::new(stringprep::saslprep(secret.expose()).ok()?.into_owned());
    if prepared.is_empty() {
        return None;
    }
    let mut salted = Zeroizing::new([0; KEY]);
    let (how, often) = (Algorithm::Pbkdf2Sha256, Params::new(iterations).ok()?);
    pbkdf2_hmac_with_params(prepared.as_bytes(), salt, how, often, &mut *salted);
    let client_key = Zeroizing::new(hmac(&*salted, b"Client Key"));
    let stored_key = Sha256::digest(*client_key);
    Some(written(iterations, salt, &stored_key, &hmac(&*salted, b"Server Key")))
}

fn written(iterations: u32, salt: &[u8], stored_key: &[u8], server_key: &[u8]) -> ScramKeys {
    let [salt, stored, server] = [salt, stored_key, server_key].map(Base64::encode_string);
    ScramKeys::new(format!("SCRAM-SHA-256${iterations}:{salt}${stored}:{server}"))
}

/// `None` if they are not of our making.
fn parts(keys: &ScramKeys) -> Option<Parts<'_>> {
    let rest = keys.as_text().strip_prefix("SCRAM-SHA-256$")?;
    let (how, keys) = rest.split_once('$')?;
    let (iterations, salt) = how.split_once(':')?;
    let (stored, server) = keys.split_once(':')?;
    let key = |text: &str| {
        let mut bytes = [0; KEY];
        let length = Base64::decode(text, &mut bytes).ok()?.len();
        (length == KEY).then_some(bytes)
    };
    let iterations = iterations.parse().ok()?;
    Some(Parts { iterations, salt, stored_key: key(stored)?, server_key: key(server)? })
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; KEY] {
    // A key of any length fits: a longer one than a block is hashed first (RFC 2104).
    let mac = Hmac::<Sha256>::new_from_slice(key);
    mac.map_or([0; KEY], |mac| mac.chain_update(message).finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7677, section 3.
    fn example() -> (ScramKeys, ScramProof) {
        let salt = Base64::decode_vec("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let keys = derive(&Secret::new("pencil"), &salt, 4096).unwrap();
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let message = format!(
            "n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
             c=biws,r={nonce}"
        );
        let proof = Base64::decode_vec("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=").unwrap();
        (keys, ScramProof { message, proof: proof.into() })
    }

    #[test]
    fn the_example_of_rfc_7677_fits() {
        let (scram, (keys, said)) = (Scram::new(&mut Random::seeded(1)).unwrap(), example());
        assert!(keys.as_text().starts_with("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"));
        let signature = scram.verify(&said, Some(&keys));
        assert_eq!(signature.as_deref(), Some("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
    }

    #[test]
    fn nothing_else_fits() {
        let (scram, (keys, said)) = (Scram::new(&mut Random::seeded(1)).unwrap(), example());
        assert_eq!(scram.verify(&said, None), None);
        assert_eq!(scram.verify(&said, Some(&ScramKeys::new("no keys"))), None);
        let other = keys_of(&Secret::new("pencil"), None, &mut Random::seeded(2)).unwrap();
        assert_eq!(scram.verify(&said, Some(&other)), None, "another salt");
        for place in 0..KEY {
            let mut wrong = said.clone();
            wrong.proof[place] ^= 1;
            assert_eq!(scram.verify(&wrong, Some(&keys)), None, "byte {place}");
        }
        let short = ScramProof { proof: said.proof[1..].into(), ..said.clone() };
        assert_eq!(scram.verify(&short, Some(&keys)), None);
        let message = said.message.replace("4096", "4097");
        assert_eq!(scram.verify(&ScramProof { message, ..said }, Some(&keys)), None);
    }

    #[test]
    fn a_name_that_is_no_accounts_has_always_the_same_salt() {
        let mut random = Random::seeded(3);
        let scram = Scram::new(&mut random).unwrap();
        let mut ask = |name: &str| scram.challenge(name, None, &mut random).unwrap();
        let (one, again, other) = (ask("nobody"), ask("NoBody"), ask("somebody"));
        assert_eq!((&one.salt, one.iterations), (&again.salt, iterations(&Random::seeded(1))));
        assert_ne!(one.salt, other.salt);
        assert_ne!(one.nonce, again.nonce);
        let keys = keys_of(&Secret::new("sesame"), None, &mut random).unwrap();
        let real = scram.challenge("alice", Some(&keys), &mut random).unwrap();
        assert_eq!((real.salt.len(), real.iterations), (one.salt.len(), one.iterations));
        assert!(keys.as_text().contains(&format!(":{}$", real.salt)));
        let other = Scram::new(&mut random).unwrap();
        assert_ne!(other.challenge("nobody", None, &mut random).unwrap().salt, one.salt);
    }

    #[test]
    fn a_new_password_keeps_the_salt_so_that_a_proof_by_the_former_one_is_known() {
        let mut random = Random::seeded(4);
        let mut keys =
            |password, former| keys_of(&Secret::new(password), former, &mut random).unwrap();
        let first = keys("sesame", None);
        let second = keys("millet", Some(&first));
        let salt = |keys: &ScramKeys| parts(keys).unwrap().salt.to_owned();
        assert_eq!(salt(&first), salt(&second));
        assert_eq!(keys("sesame", Some(&second)), first);
        // Keys of an older version with fewer iterations.
        let old = derive(&Secret::new("sesame"), b"0123456789abcdef", 4096).unwrap();
        assert_ne!(salt(&keys("millet", Some(&old))), salt(&old));
    }

    #[test]
    fn passwords_are_prepared() {
        let derive = |text: &str| derive(&Secret::new(text), b"salt", 4096);
        // RFC 4013, section 3.
        assert_eq!(derive("I\u{ad}X"), derive("IX"));
        assert_eq!(derive("\u{2168}"), derive("IX"));
        assert_ne!(derive("USER"), derive("user"));
        assert_eq!(derive("a\u{7}b"), None, "prohibited");
        assert_eq!(derive("\u{627}\u{31}"), None, "of both directions");
        assert_eq!(derive("\u{ad}"), None, "nothing is left");
    }
}
