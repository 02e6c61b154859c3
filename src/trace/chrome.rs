//! A trace in the JSON of Chrome's trace viewer, which Perfetto opens (ui.perfetto.dev).
//!
//! One track shows the turns, one their phases, and one each what happened on a connection; counters
//! show how many descriptors were ready, the memory of the send queues, and the timers. Perfetto's importer takes slices that overlap on a
//! track for nested ones, and silently drops those that do not nest. So there are complete events
//! (`X`) only, no pairs of begin and end, and none overlap: what happened within a phase shares the
//! phase's time in equal parts, in order. The lengths of turns and phases are measured; those of the
//! parts within a phase are not. A turn that was read back from text is rounded and could reach into
//! the next one, so everything is cut off where that begins.
//!
//! Format: "Trace Event Format", Google, 2016. Times are in microseconds.

use super::turn::{Turn, phase_of};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Write};

/// The events that are kept, and for how long: viewers become slow with more.
const MOST_EVENTS: usize = 200_000;
const LONGEST: u64 = 10_000_000_000;

const PROCESS: u32 = 1;
const TURNS: u32 = 1;
const PHASES: u32 = 2;
/// The track of connection 0.
const CONNECTIONS: u32 = 10;

/// Collects turns; the newest are kept.
#[derive(Default)]
pub struct Chrome {
    turns: VecDeque<Turn>,
    events: usize,
}

impl Chrome {
    /// Adds a turn, in place of the oldest if there are too many.
    pub fn add(&mut self, turn: Turn) {
        let now = turn.began;
        self.events += events_of(&turn);
        self.turns.push_back(turn);
        while self.turns.len() > 1
            && let Some(oldest) = self.turns.front()
            && (self.events > MOST_EVENTS || oldest.began + LONGEST < now)
        {
            self.events -= events_of(oldest);
            self.turns.pop_front();
        }
    }

    /// Writes the file: one JSON object.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut tracks =
            BTreeMap::from([(TURNS, "turns".to_owned()), (PHASES, "phases".to_owned())]);
        for entry in self.turns.iter().flat_map(|turn| &turn.entries) {
            if let Some((number, name)) = &entry.connection {
                tracks.insert(track_of(*number), format!("{number} {name}"));
            }
        }
        let process = json!({"name": "process_name", "ph": "M", "pid": PROCESS, "tid": TURNS,
            "args": {"name": "chatloop"}});
        write!(out, "{{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n{process}")?;
        for (track, name) in tracks {
            let event = json!({"name": "thread_name", "ph": "M", "pid": PROCESS, "tid": track,
                "args": {"name": name}});
            write!(out, ",\n{event}")?;
        }
        let ends = self.turns.iter().skip(1).map(|next| next.began).chain([u64::MAX]);
        for (turn, end) in self.turns.iter().zip(ends) {
            write_turn(turn, end, &mut |event| write!(out, ",\n{event}"))?;
        }
        out.write_all(b"\n]}\n")
    }
}

/// How many events a turn has in the file.
fn events_of(turn: &Turn) -> usize {
    // A total is two.
    3 + turn.phases.len() + turn.entries.len()
}

/// Writes a turn; the next one begins at `end`.
fn write_turn(
    turn: &Turn,
    end: u64,
    write: &mut impl FnMut(Value) -> io::Result<()>,
) -> io::Result<()> {
    let mut left = end.saturating_sub(turn.began).min(turn.length());
    write(slice("turn", TURNS, turn.began, left, &format!("turn {}", turn.number)))?;
    let counter = |name: &str, when, unit: &str, count: u64| {
        json!({"name": name, "ph": "C", "pid": PROCESS, "tid": TURNS, "ts": microseconds(when),
            "args": {unit: count}})
    };
    write(counter("ready", turn.began, "descriptors", turn.ready.into()))?;
    let total = turn.entries.iter().find(|entry| entry.what == "total");
    if let Some((queued, timers)) = total.and_then(|entry| totals(&entry.detail)) {
        let end = turn.began + left;
        write(counter("send queues", end, "bytes", queued))?;
        write(counter("timers", end, "timers", timers))?;
    }
    let mut begins = turn.began;
    for (phase, length) in &turn.phases {
        let length = left.min(*length);
        left -= length;
        write(slice(phase, PHASES, begins, length, phase))?;
        let entries = turn.entries.iter().filter(|entry| phase_of(&entry.what) == phase);
        let on_connections: Vec<_> =
            entries.filter_map(|entry| Some((entry, entry.connection.as_ref()?.0))).collect();
        let share = length / on_connections.len().max(1) as u64;
        for (place, (entry, number)) in on_connections.iter().enumerate() {
            let (what, begins) = (&entry.what, begins + share * place as u64);
            let text = format!("{what} {}", entry.detail);
            write(slice(what, track_of(*number), begins, share, &text))?;
        }
        begins += length;
    }
    Ok(())
}

/// The track of a connection.
fn track_of(number: u32) -> u32 {
    CONNECTIONS.saturating_add(number)
}

/// The numbers of `N bytes held by the send queues, M timers`.
fn totals(detail: &str) -> Option<(u64, u64)> {
    let mut numbers = detail.split(' ').filter_map(|word| word.parse().ok());
    Some((numbers.next()?, numbers.next()?))
}

fn slice(category: &str, track: u32, begins: u64, length: u64, name: &str) -> Value {
    json!({"name": name, "cat": category, "ph": "X", "pid": PROCESS, "tid": track,
        "ts": microseconds(begins), "dur": microseconds(length)})
}

/// Older importers multiply by 1,000 and cut off, newer ones round: so never below the true number.
fn microseconds(nanoseconds: u64) -> f64 {
    let time = nanoseconds as f64 / 1_000.0;
    if ((time * 1_000.0) as u64) < nanoseconds { time.next_up() } else { time }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Entry;

    fn entry(what: &str, number: u32) -> Entry {
        let connection = Some((number, format!("user{number}")));
        Entry { what: what.to_owned(), connection, detail: "12 bytes".to_owned() }
    }

    fn turn(number: u64) -> Turn {
        let phases = [("read", 1_000), ("journal", 500), ("flush", 3_000)];
        Turn {
            number,
            began: number * 1_000_000,
            ready: 2,
            entries: vec![
                entry("read", 3),
                entry("read", 3),
                entry("write", 3),
                entry("write", 4),
                Entry {
                    what: "total".to_owned(),
                    connection: None,
                    detail: "65536 bytes held by the send queues, 2 timers".to_owned(),
                },
            ],
            phases: phases.map(|(name, length)| (name.to_owned(), length)).into(),
            ..Turn::default()
        }
    }

    /// What Perfetto's importer demands.
    fn check(json: &[u8]) -> usize {
        let file: Value = serde_json::from_slice(json).unwrap();
        let events = file["traceEvents"].as_array().unwrap();
        let mut named = Vec::new();
        let mut ends: BTreeMap<u64, u64> = BTreeMap::new();
        // One importer cuts off, another rounds.
        let exact = |time: &Value| {
            let time = time.as_f64().unwrap() * 1_000.0;
            assert_eq!(time as u64, time.round() as u64);
            time as u64
        };
        for event in events {
            let track = event["tid"].as_u64().unwrap();
            assert!(event["pid"].is_u64());
            match event["ph"].as_str().unwrap() {
                "M" => named.push(track),
                "C" => assert!(event["args"].as_object().unwrap().values().all(Value::is_u64)),
                "X" => {
                    let begins = exact(&event["ts"]);
                    let end = ends.entry(track).or_default();
                    assert!(begins >= *end, "{event} overlaps on track {track}");
                    *end = begins + exact(&event["dur"]);
                    assert!(named.contains(&track), "track {track} has no name");
                }
                other => panic!("{other} is no event of ours"),
            }
        }
        events.len()
    }

    #[test]
    fn slices_do_not_overlap_and_every_track_has_a_name() {
        let mut chrome = Chrome::default();
        (1..=20).for_each(|number| chrome.add(turn(number)));
        let mut file = Vec::new();
        chrome.write(&mut file).unwrap();
        assert!(check(&file) > 20 * 8);
        let text = String::from_utf8(file).unwrap();
        assert!(text.contains(r#""args":{"bytes":65536}"#) && text.contains(r#"{"timers":2}"#));
    }

    #[test]
    fn times_are_exact_to_the_nanosecond_and_a_rounded_turn_ends_before_the_next() {
        let mut chrome = Chrome::default();
        let mut began = 0;
        for number in 0..3_000 {
            // Odd lengths, and turns that follow each other without a pause.
            let turn = Turn { began, ..turn(number) };
            began += turn.length() - number % 3 + number * 7_919 % 10_007;
            chrome.add(turn);
        }
        let mut file = Vec::new();
        chrome.write(&mut file).unwrap();
        check(&file);
    }

    #[test]
    fn the_newest_are_kept() {
        let mut chrome = Chrome::default();
        (1..=40_000).for_each(|number| chrome.add(turn(number)));
        assert!(chrome.events <= MOST_EVENTS);
        assert_eq!(chrome.turns.back().unwrap().number, 40_000);
        let first = chrome.turns.front().unwrap();
        assert!(first.began + LONGEST >= 40_000 * 1_000_000);
    }
}
