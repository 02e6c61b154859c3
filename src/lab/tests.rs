//! Dice for property tests: the seed is printed, and `CHATLOOP_SEED` repeats a run.

use chatloop_reactor::dice::Dice;

/// Dice with a fresh seed, or with that of the environment; printed with the test's name.
pub fn seeded(test: &str) -> Dice {
    let given = std::env::var("CHATLOOP_SEED").ok().and_then(|text| text.parse().ok());
    let seed = given.unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.unwrap().as_nanos() as u64
    });
    println!("{test}: CHATLOOP_SEED={seed}");
    Dice::new(seed)
}
