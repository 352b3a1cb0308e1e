//! `GET /metrics`: the counters in Prometheus' text format.

use std::fmt::Write;

use axum::{
    extract::State,
    http::{HeaderName, header},
};

use super::ApiState;
use crate::{
    domain::{
        model::{
            entry::Outcome,
            lint::Lint,
            protocol::{Caller, Operation},
        },
        state::durations::DurationHistogram,
    },
    hub::{DriverStatus, Snapshot},
};

/// Replies with all metrics.
pub async fn metrics(
    State(ApiState { hub, .. }): State<ApiState>,
) -> ([(HeaderName, &'static str); 1], String) {
    let snapshot = hub.snapshot();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text(&snapshot))
}

fn text(snapshot: &Snapshot) -> String {
    let counters = &snapshot.counters;
    let mut page = Page(String::new());
    page.metric(
        "build_info",
        "The version of voltergeist.",
        "gauge",
        [(labels(&[("version", env!("CARGO_PKG_VERSION"))]), 1)],
    );
    let operations = || Operation::ALL.into_iter().map(Some).chain([None]);
    let requests = operations().flat_map(|operation| {
        Caller::ALL.into_iter().flat_map(move |caller| {
            Outcome::ALL.into_iter().map(move |outcome| {
                let labels = labels(&[
                    ("operation", name(operation)),
                    ("caller", caller.as_str()),
                    ("outcome", outcome.as_str()),
                ]);
                (labels, counters.finished(operation, caller, outcome))
            })
        })
    });
    page.metric("requests_total", "Finished requests.", "counter", requests);
    let durations = operations().map(|operation| (name(operation), counters.durations(operation)));
    page.histograms("request_duration_seconds", "Time from a request to its reply.", "operation", durations);
    if snapshot.driver.upstream.is_some() {
        let durations =
            operations().map(|operation| (name(operation), counters.upstream_durations(operation)));
        let help = "Time from a forwarded request to the end of the upstream's reply.";
        page.histograms("upstream_duration_seconds", help, "operation", durations);
    }
    page.metric(
        "faults_injected_total",
        "Finished requests with a fault.",
        "counter",
        [(String::new(), counters.faults_injected)],
    );
    let lints = Lint::ALL.map(|lint| (labels(&[("lint", lint.as_str())]), counters.lint(lint)));
    page.metric("lints_total", "Protocol warnings.", "counter", lints);

    let rules = || {
        snapshot.rules.iter().map(|rule| {
            let label = rule.label.as_deref().unwrap_or_default();
            (rule, labels(&[("id", &rule.id.to_string()), ("label", label), ("rule", &rule.text)]))
        })
    };
    let evaluated = rules().map(|(rule, labels)| (labels, rule.evaluated));
    page.metric("rule_evaluated_total", "Requests for which a rule was evaluated.", "counter", evaluated);
    let fired = rules().map(|(rule, labels)| (labels, rule.fired));
    page.metric("rule_fired_total", "Requests on which a rule acted.", "counter", fired);

    let connections = snapshot.connections.iter().map(|connections| {
        let peer = connections.peer.as_ref().map_or_else(|| "unknown".to_owned(), ToString::to_string);
        (labels(&[("peer", &peer)]), connections.open)
    });
    page.metric("open_connections", "Open connections of engines.", "gauge", connections);

    let up = u64::from(snapshot.driver_state.status == DriverStatus::Up);
    for (name, help, value) in [
        ("driver_up", "1 if the driver is up, 0 in an outage.", up),
        ("volumes", "Volumes, including forgotten ones.", snapshot.volumes.len() as u64),
        ("open_mounts", "Open mounts.", snapshot.volumes.open_mounts()),
        ("held_calls", "Calls that rules hold.", snapshot.held.len() as u64),
        ("journal_entries", "Entries in the journal.", snapshot.kept.end - snapshot.kept.start),
    ] {
        page.metric(name, help, "gauge", [(String::new(), value)]);
    }
    page.0
}

fn name(operation: Option<Operation>) -> &'static str {
    operation.map_or("unknown", Operation::as_str)
}

struct Page(String);

impl Page {
    fn head(&mut self, name: &str, help: &str, kind: &str) {
        self.write(format_args!("# HELP voltergeist_{name} {help}\n# TYPE voltergeist_{name} {kind}\n"));
    }

    fn metric<V: std::fmt::Display>(
        &mut self,
        name: &str,
        help: &str,
        kind: &str,
        samples: impl IntoIterator<Item = (String, V)>,
    ) {
        self.head(name, help, kind);
        for (labels, value) in samples {
            self.write(format_args!("voltergeist_{name}{labels} {value}\n"));
        }
    }

    fn histograms<'h>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        histograms: impl IntoIterator<Item = (&'static str, &'h DurationHistogram)>,
    ) {
        self.head(name, help, "histogram");
        for (word, histogram) in histograms {
            for (bound, count) in histogram.cumulative() {
                let bound = if bound.is_finite() { bound.to_string() } else { "+Inf".to_owned() };
                let labels = labels(&[(label, word), ("le", &bound)]);
                self.write(format_args!("voltergeist_{name}_bucket{labels} {count}\n"));
            }
            let (labels, sum, count) = (labels(&[(label, word)]), histogram.sum(), histogram.count());
            self.write(format_args!(
                "voltergeist_{name}_sum{labels} {sum}\nvoltergeist_{name}_count{labels} {count}\n"
            ));
        }
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        self.0.write_fmt(text).expect("writing to memory cannot fail");
    }
}

fn labels(pairs: &[(&str, &str)]) -> String {
    let escaped = |value: &str| value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    format!("{{{}}}", pairs.join(","))
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        time::Duration,
    };

    use super::*;
    use crate::{
        domain::model::{
            entry::{Call, EntryKind, UpstreamReply},
            origin::Origin,
        },
        hub::{DriverInfo, Hub},
    };

    #[test]
    fn every_counter_of_the_console_is_a_metric() {
        let hub = Hub::for_tests();
        for line in ["conjure db1", "arm get: fail \"a \\\"quoted\\\" word\" as loud", "down refuse"] {
            hub.command_line(line, Origin::Line).expect("the command is right");
        }
        for (operation, outcome) in [
            (Some(Operation::Get), Outcome::Ok),
            (Some(Operation::Mount), Outcome::Cancelled),
            (None, Outcome::Error),
        ] {
            hub.record(EntryKind::Call(Box::new(Call {
                operation,
                outcome,
                duration: Duration::from_micros(1500),
                lints: vec![Lint::RepeatedCapabilities],
                ..Call::ok(Operation::Get, Caller::Docker)
            })));
        }
        let page = text(&hub.snapshot());
        assert_is_valid(&page);
        // Most series are zero.
        let lines: Vec<_> =
            page.lines().filter(|line| !line.ends_with(" 0") || line.contains("rule=")).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn the_latency_of_the_upstream_is_a_metric_of_its_own() {
        let hub = Hub::for_tests();
        hub.register(DriverInfo { upstream: Some("rclone".into()), ..DriverInfo::default() });
        let duration = Duration::from_micros(400);
        hub.record(EntryKind::Call(Box::new(Call {
            duration: Duration::from_micros(500),
            upstream: Some(Box::new(UpstreamReply { status: 200, duration, reply: None, masked: false })),
            ..Call::ok(Operation::Get, Caller::Docker)
        })));
        let page = text(&hub.snapshot());
        assert_is_valid(&page);
        for line in [
            "voltergeist_request_duration_seconds_sum{operation=\"get\"} 0.0005",
            "voltergeist_upstream_duration_seconds_sum{operation=\"get\"} 0.0004",
            "voltergeist_upstream_duration_seconds_count{operation=\"get\"} 1",
        ] {
            assert!(page.lines().any(|one| one == line), "{line}: {page}");
        }
    }

    /// The rules of the text format and of `promtool check metrics`: each family has help and type before its samples
    /// and comes once, counters end in `_total`, and buckets are cumulative up to `+Inf`, which equals the count.
    fn assert_is_valid(page: &str) {
        let mut families = BTreeSet::new();
        let (mut name, mut kind) = (String::new(), String::new());
        let mut series = BTreeMap::new();
        for line in page.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                name = help.split_once(' ').expect(line).0.to_owned();
                assert!(families.insert(name.clone()), "{line}: a family comes once");
                assert!(name.starts_with("voltergeist_") && !help.ends_with(' '), "{line}");
                kind.clear();
            } else if let Some(of) = line.strip_prefix("# TYPE ") {
                let (typed, of) = of.split_once(' ').expect(line);
                assert!(typed == name && kind.is_empty(), "{line}");
                assert!(["counter", "gauge", "histogram"].contains(&of), "{line}");
                assert_eq!(of == "counter", name.ends_with("_total"), "{line}");
                of.clone_into(&mut kind);
            } else {
                let (key, value) = line.rsplit_once(' ').expect(line);
                let sample = key.split('{').next().expect(line);
                let suffix = sample.strip_prefix(&name).expect(line);
                let is_histogram = ["_bucket", "_sum", "_count"].contains(&suffix);
                assert!(!kind.is_empty() && is_histogram == (kind == "histogram"), "{line}");
                assert!(suffix.is_empty() || is_histogram, "{line}");
                let value: f64 = value.parse().expect(line);
                assert!(series.insert(key.to_owned(), value).is_none(), "{line}: a series comes once");
            }
        }
        for operation in Operation::ALL.map(Operation::as_str).into_iter().chain(["unknown"]) {
            let family = "voltergeist_request_duration_seconds";
            let of =
                |line: &&str| line.starts_with(&format!("{family}_bucket{{operation=\"{operation}\",le="));
            let buckets: Vec<&str> = page.lines().filter(of).collect();
            let mut counts = buckets.iter().map(|line| series[line.rsplit_once(' ').expect(line).0]);
            assert!(counts.clone().is_sorted(), "{buckets:?}");
            assert!(buckets.last().expect(operation).contains("le=\"+Inf\""), "{buckets:?}");
            let count = series[&format!("{family}_count{{operation=\"{operation}\"}}")];
            assert_eq!(counts.next_back(), Some(count), "{operation}");
        }
    }
}
