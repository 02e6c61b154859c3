//! How the programs are linked, where ELF is the format: smaller, and the same in all else.
//!
//! The debug sections are compressed: they are two thirds of a program's file, and a backtrace finds
//! its lines in them either way. Relocations are packed (DT_RELR), a seventieth of their size, if the
//! system that the programs are built on, and therefore probably for, has a C library that unpacks them.

use std::env;
use std::process::Command;

/// The first version of the GNU C library that unpacks relocations. Others refuse to load the program.
const UNPACKS: (u32, u32) = (2, 36);

fn main() {
    println!("cargo:rerun-if-changed=scripts/link.rs");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|it| it == value);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("PROFILE", "release") {
        println!("cargo:rustc-link-arg-bins=-Wl,--compress-debug-sections=zlib");
        let native = env::var("HOST").is_ok_and(|host| is("TARGET", &host));
        if native && libc_version().is_some_and(|version| version >= UNPACKS) {
            // A linker that cannot do it says so, and goes on.
            println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
        }
    }
}

/// The version of the system's C library, if it is GNU's.
fn libc_version() -> Option<(u32, u32)> {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let output = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = output.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
