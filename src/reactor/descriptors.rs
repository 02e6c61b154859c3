//! The number of descriptors that this process may hold.
//!
//! Every process has a soft limit (often 256 or 1,024, so that old programs with `select` keep
//! working) and a hard one up to which it may raise the soft one by itself.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::io;

/// macOS calls its hard limit infinite and then rejects more than this (its OPEN_MAX).
const MACOS_CEILING: libc::rlim_t = 10_240;

/// Raises the soft limit to the hard one and returns what holds now.
///
/// # Errors
/// If the limit cannot be read. One that cannot be raised is no error: the return value is the
/// truth.
pub fn raise_limit() -> io::Result<usize> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let targets = [hard, hard.min(MACOS_CEILING)].into_iter().filter(|target| *target > soft);
    let raised = |target: &libc::rlim_t| setrlimit(Resource::RLIMIT_NOFILE, *target, hard).is_ok();
    let limit = targets.into_iter().find(raised).unwrap_or(soft);
    // An infinite limit does not fit everywhere; the largest number does.
    Ok(usize::try_from(limit).unwrap_or(usize::MAX))
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
