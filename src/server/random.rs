//! Randomness from one source: the system's, or a seed in tests.

use std::io;

/// The source of salts, nonces and secrets.
#[derive(Default)]
pub(super) enum Random {
    /// The system's.
    #[default]
    System,
    /// The same sequence for the same seed: for tests only, since it can be guessed.
    #[cfg(any(test, feature = "simulation"))]
    Seeded(u64),
}

impl Random {
    /// Whether passwords may be cheap to hash: a simulation has no time for real ones.
    pub(super) fn is_simulated(&self) -> bool {
        match self {
            Random::System => false,
            #[cfg(any(test, feature = "simulation"))]
            Random::Seeded(_) => cfg!(feature = "simulation"),
        }
    }

    /// Fills `bytes`.
    pub(super) fn fill(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        match self {
            Random::System => Ok(getrandom::fill(bytes)?),
            #[cfg(any(test, feature = "simulation"))]
            Random::Seeded(state) => {
                for byte in bytes {
                    *byte = (split_mix(state) >> 56) as u8;
                }
                Ok(())
            }
        }
    }

    /// Some bytes.
    pub(super) fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
#[cfg(any(test, feature = "simulation"))]
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same() {
        let draw = |seed| Random::Seeded(seed).bytes::<16>().unwrap();
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }
}
