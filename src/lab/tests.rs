//! Dice for property tests: the seed is printed, and `CHATLOOP_SEED` repeats a run.

/// Pseudo-random numbers from a seed (xorshift64*).
pub struct Dice(u64);

impl Dice {
    /// Dice with a fresh seed, or with that of the environment; printed with the test's name.
    pub fn seeded(test: &str) -> Dice {
        let given = std::env::var("CHATLOOP_SEED").ok().and_then(|text| text.parse().ok());
        let seed: u64 = given.unwrap_or_else(|| {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            now.unwrap().as_nanos() as u64
        });
        println!("{test}: CHATLOOP_SEED={seed}");
        Dice(seed | 1)
    }

    /// A number below `bound`, which must not be 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}
