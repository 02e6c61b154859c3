//! The binary that libFuzzer drives. `CHATLOOP_FUZZ` names the target; without it, the targets are listed.
//! `scripts/fuzz.sh` is how to run it.

#![no_main]

use chatloop_fuzz::TARGETS;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static RUN: LazyLock<fn(&[u8])> = LazyLock::new(chosen);

fn chosen() -> fn(&[u8]) {
    let name = std::env::var("CHATLOOP_FUZZ").unwrap_or_default();
    match TARGETS.iter().find(|target| target.name == name) {
        Some(target) => target.run,
        None => {
            for target in TARGETS {
                println!("{:<16} {}", target.name, target.about);
            }
            std::process::exit(if name.is_empty() { 0 } else { 2 });
        }
    }
}

fuzz_target!(
    init: {
        LazyLock::force(&RUN);
    },
    |data: &[u8]| (*RUN)(data)
);
