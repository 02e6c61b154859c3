//! Moments as people write and read them. UTC throughout: who reads a line of `nc` sits anywhere.

use crate::chat::Moment;
use std::fmt::Write;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A moment: `12:30` (the last time it was that late), `2026-01-31`, `2026-01-31T12:30` with or
/// without seconds, or how long ago: `90s`, `10m`, `2h`, `3d`.
pub(super) fn parse(text: &str, now: Moment) -> Option<Moment> {
    if let Some(span) = span(text) {
        return Some(Moment(now.0.saturating_sub(span)));
    }
    let (date, clock) = match text.split_once(['T', ' ']) {
        Some((date, clock)) => (Some(date), Some(clock)),
        None if text.contains('-') => (Some(text), None),
        None => (None, Some(text)),
    };
    let clock = clock.map(|clock| of_day(clock.trim_end_matches('Z')));
    let within = match clock {
        Some(parsed) => parsed?,
        None => 0,
    };
    match date {
        Some(date) => Some(Moment(day(date)? * DAY + within)),
        None => {
            let today = now.0.div_euclid(DAY) * DAY + within;
            Some(Moment(if today > now.0 { today - DAY } else { today }))
        }
    }
}

/// A length of time in milliseconds: `90s`, `10m`, `2h`, `3d`, `1w`.
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

fn of_day(text: &str) -> Option<i64> {
    let mut parts = text.split(':').map(|part| part.parse::<u8>().ok());
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = match parts.next() {
        Some(part) => part?,
        None => 0,
    };
    let fits = hour < 24 && minute < 60 && second < 60 && parts.next().is_none();
    fits.then(|| i64::from(hour) * HOUR + i64::from(minute) * MINUTE + i64::from(second) * 1000)
}

/// Days since 1970-01-01 of `2026-01-31`.
fn day(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let year: i64 = parts.next()?.parse().ok()?;
    let month: i64 = parts.next()?.parse().ok()?;
    let date: i64 = parts.next()?.parse().ok()?;
    let fits = (1970..10_000).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&date)
        && parts.next().is_none();
    let days = days_before(year, month) + date - 1;
    // The 31st of a shorter month would be the 1st of the next.
    (fits && civil(days) == (year, month, date)).then_some(days)
}

/// Days from 1970-01-01 to the first of a month.
fn days_before(year: i64, month: i64) -> i64 {
    // Years that begin in March put the leap day at the end, so that no month needs a table.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 1970-01-01 is 719,468 days after 0000-03-01.
    year * 365 + leaps + (153 * month + 2) / 5 - 719_468
}

/// Year, month and date of a day.
fn civil(days: i64) -> (i64, i64, i64) {
    // 400 years are 146,097 days; the guess is off by a year at most.
    let mut year = 1970 + days * 400 / 146_097;
    while days_before(year + 1, 1) <= days {
        year += 1;
    }
    while days_before(year, 1) > days {
        year -= 1;
    }
    let month = (1..=12).rev().find(|&month| days_before(year, month) <= days).unwrap_or(1);
    (year, month, days - days_before(year, month) + 1)
}

/// Adds `2026-01-31 12:30`.
pub(super) fn write(moment: Moment, out: &mut String) {
    let (year, month, date) = civil(moment.0.div_euclid(DAY));
    let within = moment.0.rem_euclid(DAY);
    let (hour, minute) = (within / HOUR, within % HOUR / MINUTE);
    // Writing to a String cannot fail.
    let _ = write!(out, "{year:04}-{month:02}-{date:02} {hour:02}:{minute:02}");
}

/// `2026-01-31 12:30`.
pub(super) fn shown(moment: Moment) -> String {
    let mut text = String::new();
    write(moment, &mut text);
    text
}

/// A length of time in its largest unit: `3d`, `2h`, `10m`, `90s`.
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
    fn moments_are_read_and_shown() {
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
        fn what_is_shown_is_read_again(minutes in 0i64..4_000_000_000 / 2) {
            let moment = Moment(minutes * MINUTE);
            let text = shown(moment);
            if civil(minutes * MINUTE / DAY).0 < 10_000 {
                prop_assert_eq!(parse(&text, Moment(0)), Some(moment));
            }
        }

        #[test]
        fn any_text_is_read_without_panic(text in ".{0,12}") {
            let _ = (parse(&text, Moment(0)), span(&text));
        }
    }
}
