//! How the programs are linked: with the debug sections compressed, where ELF is the format. They are
//! two thirds of a program's file, and a backtrace finds its lines in them either way.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=scripts/link.rs");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|it| it == value);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("PROFILE", "release") {
        println!("cargo:rustc-link-arg-bins=-Wl,--compress-debug-sections=zlib");
    }
}
