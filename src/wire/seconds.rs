//! A time as people write it on a command line: seconds, perhaps with a fraction.

use std::time::Duration;

/// The longest time accepted: a hundred years, so that no deadline overflows.
const MAX_SECONDS: f64 = 100.0 * 365.0 * 86_400.0;

/// The same, or `forever`: as long as no program runs.
///
/// # Errors
/// A text for people: it is neither.
pub fn seconds_or_forever(text: &str) -> Result<Duration, String> {
    if text == "forever" {
        return Ok(Duration::from_secs_f64(MAX_SECONDS));
    }
    seconds(text).map_err(|error| format!("{error}, or forever"))
}

/// The same, but not zero: a timeout must leave time for something to happen.
///
/// # Errors
/// A text for people: it is not such a time.
pub fn some_seconds(text: &str) -> Result<Duration, String> {
    let error = || "expected a number of seconds above 0, such as 2 or 0.5".to_owned();
    seconds(text).ok().filter(|time| !time.is_zero()).ok_or_else(error)
}

/// `2`, `0.5`.
///
/// # Errors
/// A text for people: it is not a number, or no such time.
pub fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(number) if (0.0..=MAX_SECONDS).contains(&number) => Ok(Duration::from_secs_f64(number)),
        _ => Err("expected a number of seconds, such as 2 or 0.5".to_owned()),
    }
}
