//! The report, for people and for programs.
//!
//! `--json` prints one object on one line, without nesting, so that a shell can take a number out
//! with `sed`. Its keys are the fields of [`Report`], in that order; what was not measured is
//! `null`. Keys may be added and are not renamed.

use super::checker::Checker;
use super::options::Options;
use crate::lab::connections::Connections;
use crate::lab::process::Usage;
use indicatif::HumanCount;
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// The resolution of CPU time is a hundredth of a second; below this, no quotient is computed.
const LEAST_CPU: Duration = Duration::from_millis(100);

/// The result of a swarm.
#[derive(Serialize, Clone, Default, Debug)]
pub struct Report {
    /// `clean`, `faults`, `connections lost` or `interrupted`.
    pub verdict: &'static str,
    /// The server's address.
    pub server: String,
    /// The poller of this process.
    pub backend: &'static str,
    /// Members of the room: clients, idle and slow ones.
    pub connections: usize,
    /// Of these, how many sent.
    pub senders: u32,
    /// Members that read nothing until the end.
    pub slow: u32,
    /// Bytes of a message as sent, newline included.
    pub size: usize,
    /// Messages in flight, or null if `rate` was given.
    pub window: Option<u32>,
    /// The requested messages per second.
    pub rate: Option<f64>,
    /// The time to connect.
    pub connect_seconds: f64,
    /// Connections made a second.
    pub connects_per_second: f64,
    /// Messages that were sent.
    pub messages: u32,
    /// Messages that arrived once at a member; slow ones not counted.
    pub deliveries: u64,
    /// From the first message to the last delivery.
    pub seconds: f64,
    /// Messages a second.
    pub messages_per_second: f64,
    /// Deliveries a second.
    pub deliveries_per_second: f64,
    /// Microseconds from sent (or due, with `rate`) to received: the median.
    pub latency_p50_us: Option<u64>,
    /// 99 of 100 deliveries took at most this.
    pub latency_p99_us: Option<u64>,
    /// 999 of 1,000 deliveries took at most this.
    pub latency_p999_us: Option<u64>,
    /// The longest.
    pub latency_max_us: Option<u64>,
    /// The server's CPU microseconds in user mode per delivery (including those to slow members).
    /// Null, like the next three, if the run was too short: less than 0.1 s of CPU time.
    pub server_user_us_per_delivery: Option<f64>,
    /// The same in the kernel.
    pub server_system_us_per_delivery: Option<f64>,
    /// Both.
    pub server_cpu_us_per_delivery: Option<f64>,
    /// This process's CPU per delivery. If it is above the server's, the server waited for it.
    pub lab_cpu_us_per_delivery: Option<f64>,
    /// The server's resident memory before the first connection, in bytes.
    pub server_rss_before: Option<u64>,
    /// After the last, once the server was quiet.
    pub server_rss_after: Option<u64>,
    /// The difference per connection.
    pub server_rss_per_connection: Option<f64>,
    /// Deliveries that never came.
    pub lost: u64,
    /// Repeated deliveries.
    pub duplicated: u64,
    /// Deliveries after a later message of the same sender.
    pub reordered: u64,
    /// Messages cut, glued or garbled; each is also lost.
    pub corrupted: u64,
    /// Deliveries in another order between senders than at the first receiver; an error with
    /// `--one-order`. Null if every member sends, because then it cannot be determined.
    pub crossed: Option<u64>,
    /// Messages that were echoed to their sender; an error with `--echo forbid`.
    pub echoes: u64,
    /// Deliveries that are missing because a connection was lost or Ctrl-C was pressed.
    pub cut_off: u64,
    /// Connections that broke or were closed by the server; slow readers not counted.
    pub connections_lost: usize,
    /// Slow members that received everything in the end.
    pub slow_served: u32,
    /// Slow readers that the server dropped, which is its right.
    pub slow_dropped: usize,
    /// Whether the run ended because there was no progress for `--timeout`.
    pub stalled: bool,
    /// The sum of what counts as a fault.
    pub faults: u64,
    /// Whether Ctrl-C ended the run.
    pub interrupted: bool,
    /// The server's CPU during the exchange, and this process's.
    #[serde(skip)]
    pub(super) server_cpu: Option<Usage>,
    #[serde(skip)]
    pub(super) lab_cpu: Option<Usage>,
}

impl Report {
    /// Adds what was counted, and the quotients, to what the phases have measured.
    pub(super) fn complete(
        self,
        options: &Options,
        all: &Connections,
        checker: &Checker,
    ) -> Report {
        let per_second =
            |count: f64, seconds: f64| if seconds > 0.0 { count / seconds } else { 0.0 };
        let (sent, deliveries) = (checker.ledger.sent(), checker.deliveries as f64);
        let per_delivery = |time: Duration| {
            (checker.deliveries > 0).then(|| time.as_secs_f64() * 1e6 / deliveries)
        };
        let enough = |usage: &Usage| usage.total >= LEAST_CPU;
        let (server, lab) = (self.server_cpu.filter(enough), self.lab_cpu.filter(enough));
        let user = server.and_then(|usage| usage.user);
        let system = server.and_then(|usage| Some(usage.total.saturating_sub(usage.user?)));
        let latency = |quantile| {
            (!checker.latency.is_empty()).then(|| checker.latency.value_at_quantile(quantile))
        };
        let ledger = checker.ledger.faults;
        let faults = checker.faults(options.one_order);
        let memory = self.server_rss_before.zip(self.server_rss_after);
        let growth = memory.map(|(before, after)| after as f64 - before as f64);
        Report {
            verdict: match () {
                () if faults > 0 => "faults",
                () if checker.lost > 0 => "connections lost",
                () if self.interrupted => "interrupted",
                () => "clean",
            },
            server: all.server.to_string(),
            backend: all.backend().name(),
            connections: checker.connected,
            senders: options.talkers(),
            slow: options.slow,
            size: options.size,
            window: options.rate.is_none().then_some(options.window),
            rate: options.rate,
            connects_per_second: per_second(checker.connected as f64, self.connect_seconds),
            messages: sent,
            deliveries: checker.deliveries,
            messages_per_second: per_second(f64::from(sent), self.seconds),
            deliveries_per_second: per_second(deliveries, self.seconds),
            latency_p50_us: latency(0.5),
            latency_p99_us: latency(0.99),
            latency_p999_us: latency(0.999),
            latency_max_us: latency(1.0),
            server_user_us_per_delivery: user.and_then(per_delivery),
            server_system_us_per_delivery: system.and_then(per_delivery),
            server_cpu_us_per_delivery: server.and_then(|usage| per_delivery(usage.total)),
            lab_cpu_us_per_delivery: lab.and_then(|usage| per_delivery(usage.total)),
            server_rss_per_connection: growth.map(|bytes| bytes / checker.connected.max(1) as f64),
            lost: ledger.lost,
            duplicated: ledger.duplicated,
            reordered: ledger.reordered,
            corrupted: ledger.corrupted,
            crossed: (options.listeners() > 0).then_some(ledger.crossed),
            echoes: checker.echoes,
            connections_lost: checker.lost,
            slow_dropped: checker.slow_dropped,
            faults,
            ..self
        }
    }

    /// 1 if there were faults, else 3 if connections were lost, else 0.
    pub fn exit_code(&self) -> u8 {
        match self.verdict {
            "faults" => 1,
            "connections lost" => 3,
            _ => 0,
        }
    }

    /// One object on one line.
    pub fn to_json(&self) -> String {
        // Numbers, strings and nulls under fixed names: nothing in it can fail to serialise.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The report for people: a word, and what is said of it. A clean run without slow readers has
    /// fewer rows.
    fn rows(&self) -> impl Iterator<Item = (&'static str, String)> {
        let rate = |value: f64| HumanCount(value.round() as u64);
        let unless_zero = |count: u64, text: String| (count > 0).then_some(text);
        let latency = [
            ("p50", self.latency_p50_us),
            ("p99", self.latency_p99_us),
            ("p99.9", self.latency_p999_us),
            ("max", self.latency_max_us),
        ];
        let latency = latency.map(|(name, value)| value.map(|it| format!("{name} {}", time(it))));
        let latency: Option<Vec<String>> = latency.into_iter().collect();
        let faults = [
            ("lost", self.lost),
            ("duplicated", self.duplicated),
            ("reordered", self.reordered),
            ("corrupted", self.corrupted),
        ];
        let faults = faults.map(|(name, count)| format!("{} {name}", HumanCount(count)));
        let (messages, crossed) = (self.messages.into(), self.crossed.unwrap_or(0));
        let (lost, stalled) = (self.connections_lost, "nothing moved until the timeout");
        let connected = format!(
            "{} to {} ({}), {} of them send; {} connects/s",
            HumanCount(self.connections as u64),
            self.server,
            self.backend,
            HumanCount(self.senders.into()),
            rate(self.connects_per_second)
        );
        let sent = format!(
            "{} messages of {} bytes in {:.2} s; {} messages/s",
            HumanCount(messages),
            self.size,
            self.seconds,
            rate(self.messages_per_second)
        );
        let (delivered, per_second) =
            (HumanCount(self.deliveries), rate(self.deliveries_per_second));
        let delivered = format!("{delivered}; {per_second} deliveries/s");
        let slow = format!(
            "{} readers: {} received everything in the end, {} were dropped by the server",
            self.slow, self.slow_served, self.slow_dropped
        );
        let cut_off = format!("{} deliveries, by that or by Ctrl-C", HumanCount(self.cut_off));
        let rows = [
            ("connected", Some(connected)),
            ("sent", unless_zero(messages, sent)),
            ("delivered", unless_zero(messages, delivered)),
            ("latency", latency.map(|latency| latency.join(" · "))),
            ("server", self.server_cpu()),
            ("memory", self.server_memory()),
            ("slow", unless_zero(self.slow.into(), slow)),
            (
                "connections",
                unless_zero(lost as u64, format!("{lost} lost while the others went on")),
            ),
            ("cut off", unless_zero(self.cut_off, cut_off)),
            ("stalled", self.stalled.then(|| stalled.to_owned())),
            ("crossed", unless_zero(crossed, HumanCount(crossed).to_string())),
            ("echoes", unless_zero(self.echoes, HumanCount(self.echoes).to_string())),
            (self.verdict, Some(faults.join(", "))),
        ];
        rows.into_iter().filter_map(|(name, text)| Some((name, text?)))
    }

    fn server_memory(&self) -> Option<String> {
        let (before, after) = (self.server_rss_before? / 1_024, self.server_rss_after? / 1_024);
        let each = self.server_rss_per_connection?;
        Some(format!("{each:.0} bytes per connection ({before} KiB before, {after} KiB after)"))
    }

    fn server_cpu(&self) -> Option<String> {
        let mut text = format!("{:.3} µs of CPU per delivery", self.server_cpu_us_per_delivery?);
        let (user, system) = (self.server_user_us_per_delivery, self.server_system_us_per_delivery);
        if let (Some(user), Some(system)) = (user, system) {
            text += &format!(" (user {user:.3}, system {system:.3})");
        }
        if let Some(lab) = self.lab_cpu_us_per_delivery {
            text += &format!("; {lab:.3} of this process");
        }
        Some(text)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.rows().map(|(name, text)| format!("{name:<11} {text}"));
        f.write_str(&lines.collect::<Vec<_>>().join("\n"))
    }
}

/// Microseconds in the unit that reads well.
fn time(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{:.1} ms", micros as f64 / 1e3),
        _ => format!("{:.2} s", micros as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            [0, 999, 1_000, 1_234_567].map(|it| HumanCount(it).to_string()),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!([1, 999, 1_500, 2_500_000].map(time), ["1 µs", "999 µs", "1.5 ms", "2.50 s"]);
    }
}
