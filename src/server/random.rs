//! Randomness from one source: the system's, or a seed in tests.

use chatloop_reactor::dice::Dice;
use std::io;

/// The source of salts, nonces and secrets.
#[derive(Default)]
pub(super) enum Random {
    /// The system's.
    #[default]
    System,
    /// The same sequence for the same seed: for tests only, since it can be guessed.
    #[cfg_attr(not(any(test, feature = "simulation")), expect(dead_code, reason = "for tests"))]
    Seeded(Dice),
}

impl Random {
    #[cfg(any(test, feature = "simulation"))]
    pub(super) fn seeded(seed: u64) -> Random {
        Random::Seeded(Dice::new(seed))
    }

    /// Whether passwords may be cheap to hash: a simulation has no time for real ones.
    pub(super) fn is_simulated(&self) -> bool {
        match self {
            Random::System => false,
            Random::Seeded(_) => cfg!(feature = "simulation"),
        }
    }

    /// Fills `bytes`.
    pub(super) fn fill(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        match self {
            Random::System => Ok(getrandom::fill(bytes)?),
            Random::Seeded(dice) => {
                bytes.fill_with(|| (dice.number() >> 56) as u8);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same() {
        let draw = |seed| Random::seeded(seed).bytes::<16>().unwrap();
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }
}
