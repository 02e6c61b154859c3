//! How many descriptors may this process hold?
//!
//! Every process has a soft limit (often 256 or 1,024, so that old programs with `select` stay
//! whole) and a hard one up to which it may raise the soft one by itself.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::io;

/// macOS calls its hard limit infinite and then refuses more than this (its OPEN_MAX).
const MACOS_CEILING: u64 = 10_240;

/// Raises the soft limit to the hard one and returns what holds now.
///
/// # Errors
/// What the system said when it could not even be asked. A limit that cannot be raised is no
/// error: the return value is the truth.
pub fn raise_limit() -> io::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft >= hard {
        return Ok(soft);
    }
    for target in [hard, hard.min(MACOS_CEILING)] {
        if target > soft && setrlimit(Resource::RLIMIT_NOFILE, target, hard).is_ok() {
            return Ok(target);
        }
    }
    Ok(soft)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raising_twice_changes_nothing_more() {
        let first = raise_limit().unwrap();
        assert!(first > 0);
        assert_eq!(raise_limit().unwrap(), first);
    }
}
