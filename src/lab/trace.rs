//! `chatloop-lab trace`: which turns of a trace matter, and where did the time go?

use crate::trace::{Chrome, Parser, Turn, create};
use crate::wire::clean::clean;
use clap::Args;
use hdrhistogram::Histogram;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// Read, filter, summarize or convert what chatloop-server --trace has written
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The trace; - for standard input
    pub file: PathBuf,

    /// Show only what happened on this connection, by number or name
    #[arg(long, value_name = "NUMBER|NAME")]
    pub connection: Option<String>,

    /// Show only this turn
    #[arg(long, value_name = "NUMBER")]
    pub turn: Option<u64>,

    /// Show only turns that took longer than this
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub slower_than: Option<Duration>,

    /// Show how long turns and phases took, instead of the turns
    #[arg(long, conflicts_with = "chrome")]
    pub summary: bool,

    /// Write the turns to this file (- for standard output) as JSON for Perfetto (ui.perfetto.dev)
    #[arg(long, value_name = "FILE")]
    pub chrome: Option<PathBuf>,
}

/// `250us`, `1ms`, `0.5s`.
fn time(text: &str) -> Result<Duration, String> {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number = text[..text.len() - unit.len()].parse::<f64>().ok();
    let scale = match unit {
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        _ => 0.0,
    };
    let time = number.filter(|_| scale > 0.0).map(|number| number * scale);
    let time = time.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.ok_or_else(|| format!("invalid time '{text}': expected for example 250us, 1ms or 0.5s"))
}

/// Why a trace was not read, or not what it says written.
#[derive(Error, Debug)]
pub enum Failure {
    #[error("{0}")]
    Input(#[from] io::Error),
    #[error("could not write to {0}: {1}")]
    Output(String, io::Error),
}

/// The error, with the file's name in front.
fn of_file(path: &Path, error: &dyn fmt::Display, kind: io::ErrorKind) -> io::Error {
    io::Error::new(kind, format!("{}: {error}", path.display()))
}

/// Bytes of a line. A message's text may be in one.
const LONGEST_LINE: u64 = 256 * 1024;

/// Rows of a summary: far more than there are phases.
const MOST_ROWS: usize = 64;

/// The next line, made harmless: the file may come from someone else.
fn next_line(input: &mut dyn BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let read = input.take(LONGEST_LINE).read_until(b'\n', &mut line)?;
    if read as u64 == LONGEST_LINE && line.last() != Some(&b'\n') {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "no trace: its lines have no end"));
    }
    let line = line.trim_ascii_end();
    Ok((read > 0).then(|| clean(line).into_owned()))
}

/// Reads the trace and writes what `options` ask for to `out`.
///
/// # Errors
/// The file cannot be read, or it is not a trace at all; or what is asked for cannot be written.
pub fn run(options: &Options, out: &mut impl Write) -> Result<(), Failure> {
    let file = |error: io::Error| of_file(&options.file, &error, error.kind());
    let unwritten = |error| Failure::Output("standard output".to_owned(), error);
    let mut input: Box<dyn BufRead> = match options.file.to_str() {
        Some("-") => Box::new(io::stdin().lock()),
        _ => Box::new(BufReader::new(File::open(&options.file).map_err(file)?)),
    };
    let (mut parser, mut chrome, mut summary) =
        (Parser::default(), Chrome::default(), Summary::default());
    let (mut turns, mut selected, mut wrong) = (0, 0, None);
    while let Some(line) = next_line(&mut *input).map_err(file)? {
        let turn = match parser.line(&line) {
            Ok(None) => continue,
            Ok(Some(turn)) => turn,
            Err(error) => {
                // The end of a server that was killed, or its transcript in between.
                wrong.get_or_insert(error);
                continue;
            }
        };
        turns += 1;
        let Some(turn) = options.select(turn) else { continue };
        selected += 1;
        match (&options.chrome, options.summary) {
            (Some(_), _) => chrome.add(turn),
            (None, true) => summary.add(&turn),
            (None, false) => write!(out, "{turn}").map_err(unwritten)?,
        }
    }
    match (turns, wrong) {
        (0, Some(error)) => {
            let why = format!("no trace of chatloop-server --trace: {error}");
            return Err(of_file(&options.file, &why, io::ErrorKind::InvalidData).into());
        }
        (_, wrong) => wrong.iter().for_each(|error| eprintln!("chatloop-lab: {error}")),
    }
    if selected == 0 {
        let path = options.file.display();
        eprintln!("chatloop-lab: {path}: none of its {turns} turns is one of those asked for");
    }
    match &options.chrome {
        Some(path) if path.as_os_str() == "-" => chrome.write(out).map_err(unwritten)?,
        Some(path) => {
            let unwritten = |error| Failure::Output(path.display().to_string(), error);
            let mut json = BufWriter::new(create(path).map_err(unwritten)?);
            chrome.write(&mut json).and_then(|()| json.flush()).map_err(unwritten)?;
        }
        None => {}
    }
    if options.summary {
        write!(out, "{summary}").map_err(unwritten)?;
    }
    out.flush().map_err(unwritten)
}

impl Options {
    /// What of a turn is wanted.
    fn select(&self, mut turn: Turn) -> Option<Turn> {
        let slow = self.slower_than.is_none_or(|time| u128::from(turn.length()) > time.as_nanos());
        if !slow || self.turn.is_some_and(|number| number != turn.number) {
            return None;
        }
        if let Some(wanted) = &self.connection {
            turn.entries.retain(|entry| {
                let known = entry.connection.as_ref();
                known.is_some_and(|(number, name)| number.to_string() == *wanted || name == wanted)
            });
            return (!turn.entries.is_empty()).then_some(turn);
        }
        Some(turn)
    }
}

/// The time that turns, waits and phases took.
#[derive(Default)]
struct Summary {
    /// In the order in which they came first.
    rows: Vec<(String, Histogram<u64>)>,
    total: u64,
}

impl Summary {
    fn add(&mut self, turn: &Turn) {
        self.total = self.total.saturating_add(turn.length());
        self.count("wait", turn.waited);
        for (name, length) in &turn.phases {
            self.count(name, *length);
        }
        self.count("turn", turn.length());
    }

    fn count(&mut self, name: &str, nanoseconds: u64) {
        if !self.rows.iter().any(|(known, _)| known == name)
            && self.rows.len() < MOST_ROWS
            && let Ok(histogram) = Histogram::new(3)
        {
            self.rows.push((name.to_owned(), histogram));
        }
        if let Some((_, times)) = self.rows.iter_mut().find(|(known, _)| known == name) {
            // It grows to fit.
            let _ = times.record(nanoseconds / 1_000);
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<10} {:>8} {:>12} {:>6} {:>9} {:>9} {:>9}",
            "phase", "count", "total ms", "%", "p50 µs", "p99 µs", "max µs"
        )?;
        for (name, times) in &self.rows {
            let total: f64 = times
                .iter_recorded()
                .map(|it| it.value_iterated_to() as f64 * it.count_at_value() as f64)
                .sum();
            let share = if self.total == 0 { 0.0 } else { total * 100_000.0 / self.total as f64 };
            let [p50, p99] = [0.5, 0.99].map(|it| times.value_at_quantile(it));
            let share = if name == "wait" { "-".to_owned() } else { format!("{share:.1}") };
            writeln!(
                f,
                "{name:<10} {:>8} {:>12.3} {share:>6} {p50:>9} {p99:>9} {:>9}",
                times.len(),
                total / 1_000.0,
                times.max()
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "\
turn 1 at 0.000100 s: waited 0.050 ms, 1 ready
  read     5 alice    42 bytes
turn 1 took 0.300 ms: read 0.100, flush 0.200
turn 2 at 1.000000 s: waited 0.900 ms, 1 ready
  read     6 bob      10 bytes
turn 2 took 2.000 ms: read 0.500, flush 1.500
";

    fn run_on(text: &str, adapt: impl FnOnce(&mut Options)) -> Result<String, Failure> {
        let scratch = crate::scratch::Scratch::new("trace");
        let mut options = Options {
            file: scratch.write("trace", text).into(),
            connection: None,
            turn: None,
            slower_than: None,
            summary: false,
            chrome: None,
        };
        adapt(&mut options);
        let mut out = Vec::new();
        run(&options, &mut out).map(|()| String::from_utf8(out).unwrap())
    }

    fn fault_of(text: &str) -> io::Error {
        let Err(Failure::Input(error)) = run_on(text, |_| {}) else { panic!("it is read") };
        error
    }

    #[test]
    fn turns_are_chosen_by_connection_number_and_length() {
        assert!(run_on(TRACE, |_| {}).unwrap().contains("turn 2 took"));
        let alice = run_on(TRACE, |it| it.connection = Some("alice".to_owned())).unwrap();
        assert!(alice.contains("42 bytes") && !alice.contains("bob"), "{alice}");
        let six = run_on(TRACE, |it| it.connection = Some("6".to_owned())).unwrap();
        assert!(six.contains("bob") && !six.contains("alice"), "{six}");
        let slow = run_on(TRACE, |it| it.slower_than = Some(Duration::from_millis(1))).unwrap();
        assert!(slow.starts_with("turn 2 at"), "{slow}");
        let first = run_on(TRACE, |it| it.turn = Some(1)).unwrap();
        assert!(!first.contains("turn 2"), "{first}");
    }

    #[test]
    fn the_summary_says_where_the_time_went() {
        let text = run_on(TRACE, |it| it.summary = true).unwrap();
        let flush = text.lines().find(|line| line.starts_with("flush")).unwrap();
        let words: Vec<&str> = flush.split_whitespace().collect();
        assert_eq!(words[1], "2", "{text}");
        assert!((words[2].parse::<f64>().unwrap() - 1.7).abs() < 0.01, "{text}");
        assert!((words[3].parse::<f64>().unwrap() - 73.9).abs() < 0.5, "{text}");
    }

    #[test]
    fn what_is_no_trace_is_refused_and_a_torn_end_is_not() {
        let error = fault_of("hello\n");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
        assert!(error.to_string().contains("/trace: "), "{error}");
        let torn = &TRACE[..TRACE.len() - 20];
        assert!(run_on(torn, |_| {}).unwrap().contains("turn 1 took"));
    }

    #[test]
    fn a_trace_from_someone_else_is_text_of_bounded_length_and_its_numbers_fit() {
        let hostile = TRACE.replace("5 alice", "4294967295 \u{1b}[31malice\u{202e}");
        let hostile =
            hostile.replace("flush 0.200", "flush 2305843009213.000, flush 2305843009213.0");
        let whole = hostile.replace("213.0\n", "213.000\n");
        for text in [&hostile, &whole] {
            let shown = run_on(text, |_| {}).unwrap();
            assert!(shown.contains("turn 2 took") && !shown.contains(['\u{1b}', '\u{202e}']));
            assert!(run_on(text, |it| it.summary = true).unwrap().contains("flush"));
            let chrome = |it: &mut Options| it.chrome = Some("-".into());
            assert!(run_on(text, chrome).unwrap().contains("\"tid\":"), "{text}");
        }
        let phases: String = (0..200).map(|number| format!(", p{number} 1.000")).collect();
        let text = TRACE.replace("flush 0.200", &format!("flush 0.200{phases}"));
        let rows = run_on(&text, |it| it.summary = true).unwrap().lines().count();
        assert_eq!(rows, MOST_ROWS + 1);
        let endless = "x".repeat(LONGEST_LINE as usize + 1);
        assert_eq!(fault_of(&endless).kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn a_time_has_a_unit() {
        assert_eq!(time("250us"), Ok(Duration::from_micros(250)));
        assert_eq!(time("1ms"), Ok(Duration::from_millis(1)));
        assert!(time("1").is_err() && time("ms").is_err() && time("-1s").is_err());
    }
}
