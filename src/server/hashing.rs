//! argon2id, in memory that is used again.
//!
//! Each hash fills 19 MiB. Allocated anew for each, they stayed with the process for good: the
//! allocator keeps what is freed often. So the worker keeps one block of memory while it has work
//! and gives it back when it has none.

use super::random::Random;
use crate::chat::{PasswordHash, Secret};
use argon2::password_hash::phc::{self, Output, ParamsString, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use chatloop_reactor::memory;

/// Bytes of a salt: what the PHC recommends.
const SALT: usize = 16;

/// What stands in front of a password that is in place of its hash.
const UNHASHED: &str = "$unhashed$";

/// A password of the configuration in place of its hash, for [`Hashing::verify`].
pub(super) fn unhashed(password: &str) -> PasswordHash {
    PasswordHash::new(format!("{UNHASHED}{password}"))
}

/// Makes and checks hashes.
#[derive(Default)]
pub(super) struct Hashing {
    blocks: Vec<Block>,
    argon: Argon2<'static>,
}

impl Hashing {
    /// With the parameters that OWASP recommends, or hardly any cost in a simulation.
    pub(super) fn new(random: &Random) -> Hashing {
        let cheap = Params::new(Params::MIN_M_COST, 1, 1, None).ok();
        let argon = cheap.filter(|_| random.is_simulated()).map(Argon2::from);
        Hashing { argon: argon.unwrap_or_default(), blocks: Vec::new() }
    }

    /// A PHC string of argon2id with a random salt; `None` if there is no randomness.
    pub(super) fn hash(&mut self, secret: &Secret, random: &mut Random) -> Option<PasswordHash> {
        let salt: [u8; SALT] = random.bytes().ok()?;
        let argon = self.argon.clone();
        let mut out = [0; Params::DEFAULT_OUTPUT_LEN];
        self.fill(&argon, secret, &salt, &mut out)?;
        let hash = phc::PasswordHash {
            algorithm: Algorithm::default().ident(),
            version: Some(Version::default().into()),
            params: ParamsString::try_from(argon.params()).ok()?,
            salt: Some(Salt::new(&salt).ok()?),
            hash: Some(Output::new(&out).ok()?),
        };
        Some(PasswordHash::new(hash.to_string()))
    }

    /// Whether `secret` is right. Without a hash the same work is done, so that the time of the
    /// reply does not reveal whether the account exists.
    pub(super) fn verify(&mut self, secret: &Secret, hash: Option<&PasswordHash>) -> bool {
        let word = hash.and_then(|hash| hash.as_phc().strip_prefix(UNHASHED));
        if let Some(hash) = hash.filter(|_| word.is_none()) {
            return self.fits(secret, hash).unwrap_or(false);
        }
        let mut out = [0; Params::DEFAULT_OUTPUT_LEN];
        let _ = self.fill(&self.argon.clone(), secret, &[0; SALT], &mut out);
        word.is_some_and(|word| is_same(secret.expose().as_bytes(), word.as_bytes()))
    }

    fn fits(&mut self, secret: &Secret, hash: &PasswordHash) -> Option<bool> {
        let parsed = phc::PasswordHash::new(hash.as_phc()).ok()?;
        let algorithm = Algorithm::try_from(parsed.algorithm.as_str()).ok()?;
        let version = parsed.version.map(Version::try_from).transpose().ok()?.unwrap_or_default();
        let argon = Argon2::new(algorithm, version, Params::try_from(&parsed).ok()?);
        let (salt, expected) = (parsed.salt?, parsed.hash?);
        let mut out = [0; Output::MAX_LENGTH];
        let out = out.get_mut(..expected.len())?;
        self.fill(&argon, secret, &salt, out)?;
        // `Output` compares in constant time.
        Some(Output::new(out).ok()? == expected)
    }

    fn fill(
        &mut self,
        argon: &Argon2<'_>,
        secret: &Secret,
        salt: &[u8],
        out: &mut [u8],
    ) -> Option<()> {
        let count = argon.params().block_count();
        if self.blocks.len() < count {
            self.blocks.resize(count, Block::new());
        }
        let blocks = self.blocks.get_mut(..count)?;
        argon.hash_password_into_with_memory(secret.expose().as_bytes(), salt, out, blocks).ok()
    }

    /// There is no work: gives the memory back.
    pub(super) fn rest(&mut self) {
        if !self.blocks.is_empty() {
            self.blocks = Vec::new();
            memory::trim();
        }
    }
}

/// Compares without telling by the time it takes where the first difference is.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let difference =
        one.iter().zip(other).fold(0, |all, (a, b)| std::hint::black_box(all | (a ^ b)));
    one.len() == other.len() && difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::password_hash::PasswordHasher;

    #[test]
    fn a_hash_fits_its_password_and_no_other() {
        let mut hashing = Hashing::default();
        let hashed = hashing.hash(&Secret::new("correct horse"), &mut Random::System).unwrap();
        assert!(hashed.as_phc().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(hashing.verify(&Secret::new("correct horse"), Some(&hashed)));
        assert!(!hashing.verify(&Secret::new("battery staple"), Some(&hashed)));
        assert!(!hashing.verify(&Secret::new("correct horse"), None));
        let word = unhashed("correct horse");
        assert!(hashing.verify(&Secret::new("correct horse"), Some(&word)));
        assert!(!hashing.verify(&Secret::new("correct horses"), Some(&word)));
        assert!(!hashing.verify(&Secret::new("correct house"), Some(&word)));
        let no_phc = PasswordHash::new("no PHC string".to_owned());
        assert!(!hashing.verify(&Secret::new("x"), Some(&no_phc)));
    }

    #[test]
    fn memory_that_was_used_before_changes_no_hash_and_is_given_back() {
        let mut hashing = Hashing::default();
        for password in ["one", "another", "one"] {
            let salt = [7; SALT];
            let theirs = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
            let theirs = PasswordHash::new(theirs.unwrap().to_string());
            assert!(hashing.verify(&Secret::new(password), Some(&theirs)));
        }
        // A hash with other parameters, as an operator's may be.
        let small = Argon2::from(Params::new(64, 1, 1, None).unwrap());
        let small = small.hash_password_with_salt(b"small", &[1; SALT]).unwrap().to_string();
        assert!(hashing.verify(&Secret::new("small"), Some(&PasswordHash::new(small))));
        assert!(hashing.blocks.len() >= 19_456);
        hashing.rest();
        assert_eq!(hashing.blocks.capacity(), 0);
    }
}
