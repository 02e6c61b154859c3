//! The outcome of one attack as a row of a table: for a person, a program and a page.

use super::pair::Summary;
use serde::Serialize;
use std::time::Duration;

/// A p99 up to this passes however calm it was before.
const LEAST_BOUND: Duration = Duration::from_millis(50);
/// And up to so many times the calm p99.
const TIMES_CALM: u32 = 3;

/// What one attack did to the honest two. Times in milliseconds; null if no message arrived.
#[derive(Serialize, Clone, Default, Debug)]
pub struct Row {
    pub command: &'static str,
    /// `ok`; or `slow`, `lost`, `duplicated`; or `stuck` if the server was still busy long after
    /// the attackers had gone; or `no attack` if no attacker was let in.
    pub verdict: &'static str,
    /// Over all calm periods of the last minute.
    pub calm_p99_ms: Option<f64>,
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    pub max_ms: Option<f64>,
    /// Of so many messages under attack.
    pub messages: usize,
    pub lost: u64,
    pub duplicated: u64,
    /// Attackers that were ready when the attack began.
    pub attackers: usize,
    /// Connections that the attackers made anew because the server had closed theirs.
    pub reconnects: u64,
    /// Attack lines given to the system.
    pub lines: u64,
    /// What all users received during the attack, in bytes.
    pub received: u64,
    /// Users of the crowd whom the server disconnected.
    pub crowd_lost: usize,
    /// Seconds that the server still worked for the attackers after they had gone.
    pub busy_s: f64,
    /// The longest time in which this program was busy with others than the honest two: so much of
    /// a latency may be its own.
    pub lab_gap_ms: f64,
}

impl Row {
    /// The same with what the messages of the honest two have come to.
    pub fn judged(self, calm: &Summary, storm: &Summary, stuck: bool) -> Row {
        let bound = calm.percentile(99).map(|p99| p99 * TIMES_CALM).unwrap_or_default();
        // The first thing that is wrong. A loss in the calm counts, too: then there is no calm.
        let verdict = match storm.percentile(99) {
            _ if self.attackers == 0 => "no attack",
            _ if stuck => "stuck",
            _ if calm.lost + storm.lost > 0 => "lost",
            _ if calm.duplicated + storm.duplicated > 0 => "duplicated",
            Some(p99) if p99 <= bound.max(LEAST_BOUND) => "ok",
            _ => "slow",
        };
        let milliseconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64() * 1e3);
        Row {
            verdict,
            calm_p99_ms: milliseconds(calm.percentile(99)),
            p50_ms: milliseconds(storm.percentile(50)),
            p99_ms: milliseconds(storm.percentile(99)),
            max_ms: milliseconds(storm.percentile(100)),
            messages: storm.latencies.len() + storm.lost as usize,
            lost: storm.lost,
            duplicated: storm.duplicated,
            ..self
        }
    }

    pub fn passes(&self) -> bool {
        self.verdict == "ok"
    }
}

/// How rows are printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    Table,
    Json,
    Markdown,
}

impl Style {
    /// What stands above the rows, without a newline.
    pub fn heading(self) -> Option<String> {
        match self {
            Style::Table => Some(aligned(|(title, ..)| (*title).to_owned())),
            Style::Json => None,
            Style::Markdown => Some(
                "| command | calm p99 (ms) | p50 | p99 | max | lost | busy after (s) | verdict |\n\
                 |---|---:|---:|---:|---:|---:|---:|---|"
                    .to_owned(),
            ),
        }
    }

    pub fn row(self, row: &Row) -> String {
        match self {
            Style::Table => aligned(|(_, _, cell)| cell(row)),
            Style::Json => serde_json::to_string(row).unwrap_or_default(),
            Style::Markdown => {
                let cells: Vec<String> = COLUMNS[1..6].iter().map(|(.., cell)| cell(row)).collect();
                let (name, cells, busy) = (row.command, cells.join(" | "), row.busy_s);
                format!("| `{name}` | {cells} | {busy:.1} | {} |", row.verdict)
            }
        }
    }
}

/// A column of the table: its title, its width, and what a row has there.
type Column = (&'static str, usize, fn(&Row) -> String);

const COLUMNS: [Column; 14] = [
    ("times in ms", 0, |row| row.command.to_owned()),
    ("calm p99", 8, |row| shown(row.calm_p99_ms)),
    ("p50", 8, |row| shown(row.p50_ms)),
    ("p99", 9, |row| shown(row.p99_ms)),
    ("max", 9, |row| shown(row.max_ms)),
    ("lost", 5, |row| row.lost.to_string()),
    ("dup", 5, |row| row.duplicated.to_string()),
    ("att", 5, |row| row.attackers.to_string()),
    ("reconn", 6, |row| row.reconnects.to_string()),
    ("lines", 8, |row| row.lines.to_string()),
    ("MB", 7, |row| format!("{:.1}", row.received as f64 / 1e6)),
    ("busy s", 6, |row| format!("{:.1}", row.busy_s)),
    ("gap", 6, |row| format!("{:.1}", row.lab_gap_ms)),
    ("verdict", 0, |row| row.verdict.to_owned()),
];

fn aligned(cell: impl Fn(&Column) -> String) -> String {
    let [first, middle @ .., last] = &COLUMNS;
    let middle: String =
        middle.iter().map(|column| format!(" {:>1$}", cell(column), column.1)).collect();
    format!("{:<14}{middle}  {}", cell(first), cell(last))
}

fn shown(milliseconds: Option<f64>) -> String {
    milliseconds.map_or_else(|| "-".to_owned(), |it| format!("{it:.1}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(milliseconds: &[u64], lost: u64, duplicated: u64) -> Summary {
        let latencies = milliseconds.iter().map(|it| Duration::from_millis(*it)).collect();
        Summary { latencies, lost, duplicated }
    }

    fn row(calm: &Summary, storm: &Summary, attackers: usize, stuck: bool) -> Row {
        Row { command: "WHO", attackers, ..Row::default() }.judged(calm, storm, stuck)
    }

    #[test]
    fn the_bound_is_the_larger_of_50_ms_and_three_times_the_calm() {
        for (calm, storm, verdict) in
            [(1, 50, "ok"), (1, 51, "slow"), (30, 90, "ok"), (30, 91, "slow")]
        {
            let row = row(&summary(&[calm], 0, 0), &summary(&[storm], 0, 0), 250, false);
            assert_eq!(row.verdict, verdict, "{calm} {storm}");
        }
    }

    #[test]
    fn the_verdict_is_the_worst_that_was_found() {
        let good = summary(&[1], 0, 0);
        for (calm, storm, attackers, stuck, verdict) in [
            (good.clone(), good.clone(), 1, false, "ok"),
            (good.clone(), good.clone(), 0, true, "no attack"),
            (good.clone(), summary(&[], 9, 0), 1, true, "stuck"),
            (good.clone(), summary(&[90], 1, 0), 1, false, "lost"),
            (summary(&[1], 1, 0), good.clone(), 1, false, "lost"),
            (good.clone(), summary(&[90], 0, 1), 1, false, "duplicated"),
            (good.clone(), summary(&[], 0, 0), 1, false, "slow"),
        ] {
            let row = row(&calm, &storm, attackers, stuck);
            assert_eq!((row.verdict, row.passes()), (verdict, verdict == "ok"));
            for style in [Style::Table, Style::Json, Style::Markdown] {
                assert!(style.row(&row).contains(verdict), "{}", style.row(&row));
            }
        }
    }

    #[test]
    fn columns_stand_under_their_headings() {
        let row = row(&summary(&[1], 0, 0), &summary(&[2], 0, 0), 250, false);
        let heading = Style::Table.heading().unwrap();
        assert_eq!(heading.find("verdict"), Style::Table.row(&row).find("ok"));
        let columns = |line: &str| line.matches('|').count();
        for line in Style::Markdown.heading().unwrap().lines() {
            assert_eq!(columns(line), columns(&Style::Markdown.row(&row)));
        }
    }
}
