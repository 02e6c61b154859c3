//! Times as people type and read them, in UTC: the reader of a line may be in any time zone.

use crate::chat::Moment;
use jiff::{Timestamp, civil, tz::TimeZone};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The longest time that a ban may be given: about a century.
pub(super) const LONGEST: i64 = 5200 * 7 * DAY;

/// `12:30` (the most recent one), `2026-01-31`, `2026-01-31T12:30` with or without seconds, or an
/// age: `90s`, `10m`, `2h`, `3d`.
pub(super) fn parse(text: &str, now: Moment) -> Option<Moment> {
    if let Some(age) = span(text) {
        return Some(Moment(now.0.saturating_sub(age)));
    }
    let bare = text.trim_end_matches('Z');
    // jiff also reads "12" as a time and "20260131" as a date; here those are message numbers.
    if bare.contains('-') {
        let date_time = bare.parse::<civil::DateTime>().ok();
        return date_time.and_then(in_utc).filter(|moment| moment.0 >= 0);
    }
    let clock: civil::Time = Some(bare).filter(|text| text.contains(':'))?.parse().ok()?;
    let midnight = now.0.div_euclid(DAY) * DAY;
    let today = midnight + clock.duration_since(civil::Time::midnight()).as_secs() * 1000;
    Some(Moment(if today > now.0 { today - DAY } else { today }))
}

fn in_utc(time: civil::DateTime) -> Option<Moment> {
    let zoned = time.to_zoned_datetime(TimeZone::UTC).ok()?;
    Some(Moment(zoned.timestamp().as_millisecond()))
}

/// A duration in milliseconds: `90s`, `10m`, `2h`, `3d`, `1w`.
pub(super) fn span(text: &str) -> Option<i64> {
    let unit = match text.chars().last()? {
        's' => 1000,
        'm' => MINUTE,
        'h' => HOUR,
        'd' => DAY,
        'w' => 7 * DAY,
        _ => return None,
    };
    let count: u32 = text[..text.len() - 1].parse().ok()?;
    Some(i64::from(count).saturating_mul(unit))
}

/// The moment, or the first or last one that has a date.
fn dated(moment: Moment) -> Timestamp {
    let nearest = if moment.0 < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_millisecond(moment.0).unwrap_or(nearest)
}

/// `2026-01-31 12:30`.
pub fn shown(moment: Moment) -> String {
    dated(moment).strftime("%Y-%m-%d %H:%M").to_string()
}

/// `2026-01-31T12:30:05Z`, as the log has it.
pub fn shown_to_the_second(moment: Moment) -> String {
    dated(moment).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, as HTTP writes it.
#[cfg(feature = "web")]
pub(super) fn http_date(moment: Moment) -> String {
    dated(moment).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// A duration in its largest unit: `3d`, `2h`, `10m`, `90s`.
pub(super) fn length(milliseconds: i64) -> String {
    let shown = |unit: i64, letter: char| format!("{}{letter}", milliseconds / unit);
    match milliseconds {
        _ if milliseconds < 2 * MINUTE => shown(1000, 's'),
        _ if milliseconds < 2 * HOUR => shown(MINUTE, 'm'),
        _ if milliseconds < 2 * DAY => shown(HOUR, 'h'),
        _ => shown(DAY, 'd'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_are_parsed_and_shown() {
        let now = parse("2026-11-21T12:00", Moment(0)).unwrap();
        assert_eq!(now.0, 1_795_262_400_000);
        let read = |text| parse(text, now).map(shown);
        assert_eq!(read("11:30").as_deref(), Some("2026-11-21 11:30"));
        assert_eq!(read("12:30").as_deref(), Some("2026-11-20 12:30"));
        assert_eq!(read("2024-02-29").as_deref(), Some("2024-02-29 00:00"));
        assert_eq!(read("2000-12-31T23:59:59Z").as_deref(), Some("2000-12-31 23:59"));
        assert_eq!(read("90m").as_deref(), Some("2026-11-21 10:30"));
        for wrong in
            ["", "x", "12", "24:00", "12:60", "2023-02-29", "2026-13-01", "1-1-1", "m", "é"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!((length(1000), length(600_000)), ("1s".into(), "10m".into()));
        assert_eq!((length(7_200_000), length(172_800_000)), ("2h".into(), "2d".into()));
    }

    proptest! {
        #[test]
        fn what_is_shown_parses_back(minutes in 0i64..4_000_000_000 / 2) {
            let moment = Moment(minutes * MINUTE);
            prop_assert_eq!(parse(&shown(moment), Moment(0)), Some(moment));
        }

        #[test]
        fn any_text_parses_without_panic(text in ".{0,12}") {
            let _ = (parse(&text, Moment(0)), span(&text));
        }
    }
}
