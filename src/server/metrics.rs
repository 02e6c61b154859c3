//! The server's numbers as Prometheus reads them.
//!
//! They are gathered at a scrape, from the parts that count them in plain integers: what is not
//! scraped costs nothing.
//!
//! Rejected: the library's own counters in the parts. Each is an atomic behind a shared pointer, and
//! the second copy of a number would be wrong one day.

use super::transfers::TransferNumbers;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::encoding::{prometheus_text, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use std::fmt;

/// The type of an answer in the text format of OpenMetrics.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Sum, count, and bounds with their counts.
pub(super) type Histogram = (f64, u64, Vec<(f64, u64)>);

/// The numbers of one moment.
#[derive(Debug)]
pub(super) struct Metrics {
    /// Connections by dialect, and by whether they use TLS.
    pub(super) connections: Vec<((&'static str, bool), u64)>,
    pub(super) users: u64,
    pub(super) rooms: u64,
    pub(super) send_queue_bytes: u64,
    pub(super) received_bytes: u64,
    pub(super) sent_bytes: u64,
    /// How often each limit was exceeded.
    pub(super) limits: Vec<(String, u64)>,
    pub(super) deliveries: u64,
    pub(super) files: u64,
    pub(super) file_bytes: u64,
    pub(super) transfers: TransferNumbers,
    pub(super) unsaved_records: u64,
    pub(super) save_lag: f64,
    pub(super) turns: Histogram,
    pub(super) lags: Histogram,
    pub(super) commits: Histogram,
}

impl Metrics {
    /// The type of the answer, and its text.
    pub(super) fn encode(self, open_metrics: bool) -> (&'static str, String) {
        let (mut out, mut registry) = (String::new(), Registry::with_prefix("chatloop"));
        registry.register_collector(Box::new(self));
        let (content_type, result) = match open_metrics {
            true => (OPEN_METRICS, text::encode(&mut out, &registry)),
            false => (prometheus_text::CONTENT_TYPE, prometheus_text::encode(&mut out, &registry)),
        };
        // A `String` takes everything.
        result.map_or((content_type, String::new()), |()| (content_type, out))
    }
}

impl Collector for Metrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut metric = |name, help, kind, write: &dyn Fn(MetricEncoder<'_>) -> fmt::Result| {
            write(encoder.encode_descriptor(name, help, None, kind)?)
        };
        metric("connections", "Connections by dialect and TLS", MetricType::Gauge, &|mut it| {
            self.connections.iter().try_for_each(|((dialect, tls), count)| {
                let labels = [("dialect", *dialect), ("tls", if *tls { "true" } else { "false" })];
                it.encode_family(&labels)?.encode_gauge(count)
            })
        })?;
        let files = &self.transfers;
        for (name, help, number) in [
            ("users", "Users online", self.users),
            ("rooms", "Rooms", self.rooms),
            ("send_queue_bytes", "Memory behind all send queues", self.send_queue_bytes),
            ("files", "Uploaded files", self.files),
            ("file_bytes", "Bytes of uploaded files", self.file_bytes),
            ("unsaved_records", "Records that are not saved yet", self.unsaved_records),
        ] {
            metric(name, help, MetricType::Gauge, &|mut it| it.encode_gauge(&number))?;
        }
        for (name, help, number) in [
            ("received_bytes", "Bytes received from clients", self.received_bytes),
            ("sent_bytes", "Bytes sent to clients", self.sent_bytes),
            ("deliveries", "Events of rooms queued for their members, one each", self.deliveries),
            ("uploads", "Uploads that were kept", files.kept),
        ] {
            metric(name, help, MetricType::Counter, &|mut it| {
                it.encode_counter::<NoLabelSet, _, u64>(&number, None)
            })?;
        }
        let help = "Times that a limit was exceeded";
        metric("limits_exceeded", help, MetricType::Counter, &|mut it| {
            self.limits.iter().try_for_each(|(limit, count)| {
                let labels = [("limit", limit.as_str())];
                it.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(count, None)
            })
        })?;
        let help = "Uploads and downloads in progress";
        metric("transfers", help, MetricType::Gauge, &|mut it| {
            let counts = [("upload", files.uploads), ("download", files.downloads)];
            counts.iter().try_for_each(|(direction, count)| {
                it.encode_family(&[("direction", *direction)])?.encode_gauge(count)
            })
        })?;
        let help = "Bytes of files received and sent";
        metric("transferred_bytes", help, MetricType::Counter, &|mut it| {
            let counts = [("upload", files.received_bytes), ("download", files.sent_bytes)];
            counts.iter().try_for_each(|(direction, count)| {
                let labels = [("direction", *direction)];
                it.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(count, None)
            })
        })?;
        let help = "How long a record has waited to be saved";
        metric("save_lag_seconds", help, MetricType::Gauge, &|mut it| {
            it.encode_gauge(&self.save_lag)
        })?;
        for (name, help, (sum, count, buckets)) in [
            ("turn_seconds", "Time that a turn of the loop took, without its wait", &self.turns),
            ("timer_lag_seconds", "How late the loop was when a timer was due", &self.lags),
            ("commit_seconds", "Time until a record was committed, of samples", &self.commits),
        ] {
            metric(name, help, MetricType::Histogram, &|mut it| {
                it.encode_histogram::<NoLabelSet>(*sum, *count, buckets, None)
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn metrics() -> Metrics {
        Metrics {
            connections: vec![(("irc", true), 2), (("plain", false), 1)],
            users: 3,
            rooms: 1,
            send_queue_bytes: 65_536,
            received_bytes: 10,
            sent_bytes: 20,
            limits: vec![("flood".to_owned(), 4)],
            deliveries: 500,
            files: 7,
            file_bytes: 70_000,
            transfers: TransferNumbers { uploads: 1, sent_bytes: 9, ..Default::default() },
            unsaved_records: 2,
            save_lag: 0.25,
            turns: (0.5, 3, vec![(0.1, 1), (1.0, 1)]),
            lags: (0.0, 0, vec![(0.1, 0)]),
            commits: (0.0, 0, vec![(0.1, 0)]),
        }
    }

    #[test]
    fn help_and_type_bear_the_name_of_the_samples() {
        let (content_type, text) = metrics().encode(false);
        assert_eq!(content_type, "text/plain; version=0.0.4; charset=utf-8");
        for line in [
            "# HELP chatloop_connections Connections by dialect and TLS",
            "# TYPE chatloop_connections gauge",
            "chatloop_connections{dialect=\"irc\",tls=\"true\"} 2",
            "# TYPE chatloop_received_bytes_total counter",
            "chatloop_received_bytes_total 10",
            "chatloop_limits_exceeded_total{limit=\"flood\"} 4",
            "# TYPE chatloop_turn_seconds histogram",
            "chatloop_turn_seconds_bucket{le=\"1\"} 2",
            "chatloop_turn_seconds_bucket{le=\"+Inf\"} 3",
            "chatloop_turn_seconds_sum 0.5",
            "chatloop_turn_seconds_count 3",
            "chatloop_save_lag_seconds 0.25",
            "chatloop_deliveries_total 500",
            "chatloop_files 7",
            "chatloop_file_bytes 70000",
            "chatloop_transfers{direction=\"upload\"} 1",
            "chatloop_transferred_bytes_total{direction=\"download\"} 9",
            "chatloop_uploads_total 0",
        ] {
            assert!(text.lines().any(|it| it == line), "{line} in:\n{text}");
        }
    }

    /// The dashboard and the alerts cannot ask for what is not there.
    #[test]
    fn the_examples_name_metrics_that_exist() {
        let (_, text) = metrics().encode(false);
        let samples: BTreeSet<&str> = text.split(|it| " {\n".contains(it)).collect();
        for (example, least) in [
            (include_str!("../../docs/grafana.json"), 10),
            (include_str!("../../docs/alerts.yml"), 4),
        ] {
            let is_name = |it: char| it.is_ascii_alphanumeric() || it == '_';
            let words = example.split(|it| !is_name(it));
            let named: BTreeSet<&str> = words.filter(|it| it.starts_with("chatloop_")).collect();
            assert!(named.len() >= least, "{named:?}");
            let unknown: Vec<_> = named.difference(&samples).collect();
            assert!(unknown.is_empty(), "{unknown:?}");
        }
    }

    #[test]
    fn every_metric_is_in_the_manual() {
        let manual = include_str!("../../docs/OPERATING.md");
        let (_, text) = metrics().encode(false);
        let names = text.lines().filter_map(|line| line.strip_prefix("# TYPE chatloop_"));
        for name in names.filter_map(|line| line.split(' ').next()) {
            assert!(manual.contains(&format!("`{name}`")), "{name}");
        }
    }

    #[test]
    fn open_metrics_ends_with_its_mark() {
        let (content_type, text) = metrics().encode(true);
        assert!(content_type.starts_with("application/openmetrics-text; version=1.0.0"));
        assert!(text.ends_with("# EOF\n"), "{text}");
        assert!(text.contains("# TYPE chatloop_received_bytes counter\n"), "{text}");
    }
}
