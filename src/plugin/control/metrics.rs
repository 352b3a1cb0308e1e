//! `GET /metrics`: the counters in Prometheus' text format.

use std::fmt::Write;

use axum::{
    extract::State,
    http::{HeaderName, header},
};

use super::Control;
use crate::{
    domain::model::{
        entry::Outcome,
        lint::Lint,
        protocol::{Caller, Operation},
    },
    state::{DriverStatus, Snapshot},
};

/// Answers with all metrics.
pub async fn metrics(
    State(Control { hub, .. }): State<Control>,
) -> ([(HeaderName, &'static str); 1], String) {
    let snapshot = hub.snapshot();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text(&snapshot))
}

fn text(snapshot: &Snapshot) -> String {
    let counters = &snapshot.counters;
    let mut page = Page(String::new());
    let operations = Operation::ALL.map(|operation| (operation.as_str(), counters.operation(operation)));
    page.counters(
        "requests_total",
        "Requests by call.",
        "call",
        operations.into_iter().chain([("none", counters.unknown_requests)]),
    );
    let callers = Caller::ALL.map(|caller| (caller.as_str(), counters.caller(caller)));
    page.counters("callers_total", "Requests by the end that sent them.", "caller", callers);
    let outcomes = Outcome::ALL.map(|outcome| (outcome.as_str(), counters.outcome(outcome)));
    page.counters("outcomes_total", "Ended calls by their outcome.", "outcome", outcomes);
    let lints = Lint::ALL.map(|lint| (lint.as_str(), counters.lint(lint)));
    page.counters("lints_total", "Calls by what was odd about them.", "lint", lints);
    page.metric(
        "faulted_total",
        "Ended calls that a rule acted on, or that down reset met.",
        "counter",
        [(String::new(), counters.faults_injected)],
    );

    let faults = || {
        snapshot.faults.iter().map(|fault| {
            let label = fault.label.as_deref().unwrap_or_default();
            (fault, labels(&[("id", &fault.id.to_string()), ("label", label), ("rule", &fault.text)]))
        })
    };
    let evaluated = faults().map(|(fault, labels)| (labels, fault.evaluated));
    page.metric("fault_evaluated_total", "Calls that a rule evaluated.", "counter", evaluated);
    let fired = faults().map(|(fault, labels)| (labels, fault.fired));
    page.metric("fault_fired_total", "Calls that a rule acted on.", "counter", fired);

    let seconds = [0.5, 0.9, 0.99].into_iter().filter_map(|quantile| {
        let labels = labels(&[("quantile", &quantile.to_string())]);
        counters.latency(quantile).map(|micros| (labels, micros as f64 / 1e6))
    });
    page.metric(
        "undisturbed_seconds",
        "Time to the answer of calls that no rule acted on.",
        "gauge",
        seconds,
    );
    let up = u64::from(snapshot.driver_state.status == DriverStatus::Up);
    for (name, help, value) in [
        ("up", "Whether the driver can be reached.", up),
        (
            "volumes",
            "Volumes, those included that the driver does not admit to.",
            snapshot.volumes.len() as u64,
        ),
        ("open_mounts", "Open mounts.", snapshot.open_mounts),
        ("waiting_calls", "Calls that a rule keeps waiting.", snapshot.held.len() as u64),
        ("journal_entries", "Entries that the journal keeps.", snapshot.kept.end - snapshot.kept.start),
    ] {
        page.metric(name, help, "gauge", [(String::new(), value)]);
    }
    page.0
}

struct Page(String);

impl Page {
    fn metric<V: std::fmt::Display>(
        &mut self,
        name: &str,
        help: &str,
        kind: &str,
        samples: impl IntoIterator<Item = (String, V)>,
    ) {
        let mut write = |line: std::fmt::Arguments<'_>| {
            self.0.write_fmt(line).expect("memory takes any text");
        };
        write(format_args!("# HELP voltergeist_{name} {help}\n# TYPE voltergeist_{name} {kind}\n"));
        for (labels, value) in samples {
            write(format_args!("voltergeist_{name}{labels} {value}\n"));
        }
    }

    fn counters(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        samples: impl IntoIterator<Item = (&'static str, u64)>,
    ) {
        let samples = samples.into_iter().map(|(word, count)| (labels(&[(label, word)]), count));
        self.metric(name, help, "counter", samples);
    }
}

fn labels(pairs: &[(&str, &str)]) -> String {
    let escaped = |value: &str| value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    format!("{{{}}}", pairs.join(","))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        domain::{
            model::{
                entry::{Call, EntryKind, Session},
                volume::Volumes,
            },
            state::journal::Bounds,
        },
        state::{Hub, InMemoryStore},
    };

    #[test]
    fn every_counter_of_the_console_is_a_metric() {
        let hub = Hub::new(Session::new(0, Volumes::default()), Box::new(InMemoryStore), Bounds::default());
        for line in ["conjure db1", "arm get: fail \"a \\\"quoted\\\" word\" as loud", "down refuse"] {
            hub.command_line(line).expect("the command is right");
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
        insta::assert_snapshot!(text(&hub.snapshot()));
    }
}
