//! The turns of a loop as a text that people and programs read.
//!
//! A turn is a block: what it waited for, what it did, and what its phases took.
//!
//! ```text
//! turn 812 at 4.120300 s: waited 0.300 ms, 2 ready
//!   read     5 alice    42 bytes
//!   lines    5 alice    2 lines, 42 bytes
//!   record   5 alice    number 991
//!   run      -          37 bytes for 500 connections
//!   write    9 bob      4096 bytes, 12288 left
//!   watch    9 bob      read, write
//! turn 812 took 1.900 ms: read 0.010, commands 0.020, journal 0.040, flush 1.830
//! ```
//!
//! An entry names a connection by its number and by the name it has by then, or none (`-`).

use std::fmt;

/// One turn of a loop.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Turn {
    /// Counted from 1.
    pub number: u64,
    /// When it began, in nanoseconds since the trace began.
    pub began: u64,
    /// How long the loop had waited, in nanoseconds.
    pub waited: u64,
    /// Descriptors that were ready.
    pub ready: u32,
    /// What happened, in order.
    pub entries: Vec<Entry>,
    /// The phases in order, with their lengths in nanoseconds.
    pub phases: Vec<(String, u64)>,
}

/// One thing that happened in a turn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// One word: `read`, `write`.
    pub what: String,
    /// Number and name of the connection.
    pub connection: Option<(u32, String)>,
    /// The rest, for people.
    pub detail: String,
}

impl Turn {
    /// How long it took without the wait, in nanoseconds.
    pub fn length(&self) -> u64 {
        self.phases.iter().fold(0, |sum, (_, length)| sum.saturating_add(*length))
    }
}

/// The phase in which something happens.
pub(super) fn phase_of(what: &str) -> &'static str {
    match what {
        "ready" | "accept" | "read" => "read",
        "lines" | "waits" => "commands",
        "timer" => "timers",
        "record" | "text" | "run" => "journal",
        "close" | "total" => "reap",
        _ => "flush",
    }
}

struct Milliseconds(u64);

impl fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whole microseconds: what is below is noise.
        let micros = self.0.saturating_add(500) / 1_000;
        write!(f, "{}.{:03}", micros / 1_000, micros % 1_000)
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry { what, connection, detail } = self;
        let who = match connection {
            Some((number, name)) => format!("{number} {name}"),
            None => "-".to_owned(),
        };
        if detail.is_empty() {
            return write!(f, "  {what:<8} {who}");
        }
        write!(f, "  {what:<8} {who:<10} {detail}")
    }
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Turn { number, ready, .. } = self;
        let micros = self.began / 1_000;
        let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
        let waited = Milliseconds(self.waited);
        writeln!(f, "turn {number} at {seconds}.{micros:06} s: waited {waited} ms, {ready} ready")?;
        self.entries.iter().try_for_each(|entry| writeln!(f, "{entry}"))?;
        write!(f, "turn {number} took {} ms:", Milliseconds(self.length()))?;
        for (place, (name, length)) in self.phases.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma} {name} {}", Milliseconds(*length))?;
        }
        writeln!(f)
    }
}

/// Reads the text of a trace, line by line.
#[derive(Default)]
pub struct Parser {
    current: Option<Turn>,
}

impl Parser {
    /// Takes the next line; returns a turn that is complete with it.
    ///
    /// # Errors
    /// The line does not fit a trace. Parsing can go on with the next one: the turn that it belongs
    /// to is left out.
    pub fn line(&mut self, line: &str) -> Result<Option<Turn>, String> {
        let outcome = self.take(line.trim_end());
        outcome.ok_or_else(|| {
            self.current = None;
            format!("not a line of a trace: {line:?}")
        })
    }

    fn take(&mut self, line: &str) -> Option<Option<Turn>> {
        if let Some(entry) = line.strip_prefix("  ") {
            self.current.as_mut()?.entries.push(entry_of(entry)?);
            return Some(None);
        }
        let (number, rest) = line.strip_prefix("turn ")?.split_once(' ')?;
        let number = number.parse().ok()?;
        if let Some(rest) = rest.strip_prefix("at ") {
            let (began, rest) = rest.split_once(" s: waited ")?;
            let (waited, ready) = rest.split_once(" ms, ")?;
            let (began, waited) = (fixed(began, 6)?, fixed(waited, 3)?);
            let ready = ready.strip_suffix(" ready")?.parse().ok()?;
            self.current = Some(Turn { number, began, waited, ready, ..Turn::default() });
            return Some(None);
        }
        let (_, phases) = rest.strip_prefix("took ")?.split_once(" ms:")?;
        let mut turn = self.current.take().filter(|turn| turn.number == number)?;
        for phase in phases.split(',').map(str::trim).filter(|phase| !phase.is_empty()) {
            let (name, length) = phase.split_once(' ')?;
            turn.phases.push((name.to_owned(), fixed(length, 3)?));
        }
        Some(Some(turn))
    }
}

fn entry_of(line: &str) -> Option<Entry> {
    let (what, rest) = line.split_once(' ')?;
    let rest = rest.trim_start();
    let (number, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let (connection, detail) = match number {
        "-" => (None, rest),
        number => {
            let (name, detail) = rest.split_once(' ').unwrap_or((rest, ""));
            (Some((number.parse().ok()?, name.to_owned())), detail)
        }
    };
    Some(Entry { what: what.to_owned(), connection, detail: detail.trim_start().to_owned() })
}

/// The longest time in a trace, in nanoseconds: 73 years, so that none overflows when another is added.
const LONGEST: u64 = u64::MAX / 8;

/// A decimal number with so many digits behind the point, in nanoseconds.
fn fixed(text: &str, digits: usize) -> Option<u64> {
    let (whole, fraction) = text.split_once('.')?;
    if fraction.len() != digits {
        return None;
    }
    let (whole, fraction): (u64, u64) = (whole.parse().ok()?, fraction.parse().ok()?);
    let number = whole.checked_mul(10u64.checked_pow(digits as u32)?)?.checked_add(fraction)?;
    number.checked_mul(1_000).filter(|time| *time <= LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "\
turn 812 at 4.120300 s: waited 0.300 ms, 2 ready
  read     5 alice    42 bytes
  run      -          37 bytes for 500 connections
  write    9 bob      4096 bytes, 12288 left
turn 812 took 1.900 ms: read 0.010, commands 0.020, flush 1.870
";

    fn parse(text: &str) -> Vec<Turn> {
        let mut parser = Parser::default();
        text.lines().filter_map(|line| parser.line(line).unwrap()).collect()
    }

    #[test]
    fn a_turn_is_written_as_it_is_read() {
        let turns = parse(TEXT);
        assert_eq!(turns.len(), 1);
        let turn = &turns[0];
        assert_eq!((turn.number, turn.began, turn.waited), (812, 4_120_300_000, 300_000));
        assert_eq!(turn.entries[2].connection, Some((9, "bob".to_owned())));
        assert_eq!(turn.entries[1].connection, None);
        assert_eq!(turn.length(), 1_900_000);
        assert_eq!(turn.to_string(), TEXT);
    }

    #[test]
    fn a_line_that_does_not_fit_costs_its_turn_only() {
        let mut parser = Parser::default();
        let mut turns = Vec::new();
        let broken = TEXT.replace("37 bytes", "\nwhat is this?");
        for line in broken.lines().chain(TEXT.lines()) {
            turns.extend(parser.line(line).unwrap_or_default());
        }
        assert_eq!(turns.len(), 1);
    }

    #[test]
    fn a_time_that_is_too_long_costs_its_turn_only_and_none_overflows() {
        for (at, waited) in [("99999999999.000000", "0.000"), ("0.000000", "9999999999999999.000")]
        {
            let line = format!("turn 1 at {at} s: waited {waited} ms, 1 ready");
            assert!(Parser::default().line(&line).is_err(), "{line}");
        }
        let longest = ["read 2305843009213.000"; 9].join(", ");
        let text = format!(
            "turn 1 at 0.000000 s: waited 0.000 ms, 1 ready\nturn 1 took 0.000 ms: {longest}\n"
        );
        let turn = &parse(&text)[0];
        assert_eq!(turn.length(), u64::MAX);
        assert!(turn.to_string().ends_with(&format!(": {longest}\n")));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(lines in proptest::collection::vec("(turn |  |[a-z0-9 .:,\\PC]){0,12}", 0..8)) {
            let mut parser = Parser::default();
            for line in &lines {
                let _ = parser.line(line);
            }
        }
    }
}
