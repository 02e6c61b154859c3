//! The check of a condition that has to hold before a command is carried out.

/// What has to hold; it is at fault otherwise.
pub fn require<E>(holds: bool, fault: impl FnOnce() -> E) -> Result<(), E> {
    if holds { Ok(()) } else { Err(fault()) }
}
