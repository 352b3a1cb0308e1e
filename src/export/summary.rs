//! The summary that is printed when the console has ended.

use std::{fmt::Write as _, path::Path};

use super::report;
use crate::{
    domain::{
        model::{
            entry::Outcome,
            protocol::{Caller, Operation},
        },
        rules::RuleState,
        text,
    },
    hub::Snapshot,
};

/// A few lines: calls, faults, armed rules, open mounts, and the recording.
pub fn summary(snapshot: &Snapshot, recording: Option<&Path>) -> String {
    let counters = &snapshot.counters;
    let total: u64 = Operation::ALL.iter().map(|operation| counters.operation(*operation)).sum();
    let mut summary = String::new();
    let mut line = |text: String| {
        let _ = writeln!(summary, "{text}");
    };
    let each: Vec<String> = Operation::ALL
        .iter()
        .filter(|operation| counters.operation(**operation) > 0)
        .map(|operation| format!("{operation} {}", text::grouped(counters.operation(*operation))))
        .collect();
    let each = if each.is_empty() { String::new() } else { format!(": {}", each.join(", ")) };
    line(format!("{}{each}", text::counted(total, "call")));
    let ended = [
        (counters.outcome(Outcome::Error), "failed"),
        (counters.outcome(Outcome::Cancelled), "cancelled by the client"),
        (counters.outcome(Outcome::Panicked), "panicked"),
        (counters.faults_injected, "with a fault"),
        (counters.lints(), "with lints"),
    ];
    let ended: Vec<String> = ended
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{} {what}", text::grouped(number)))
        .collect();
    if !ended.is_empty() {
        line(format!("of these: {}", ended.join(", ")));
    }
    if let Some(latency) = report::latency(counters) {
        line(format!("latency without faults: {latency}"));
    }
    for rule in snapshot.rules.iter().filter(|rule| rule.state == RuleState::Armed) {
        line(format!(
            "rule {} was still armed, fired {}: {}",
            rule.id,
            text::counted(rule.fired, "time"),
            text::clean(&rule.text)
        ));
    }
    for volume in snapshot.volumes.iter().filter(|volume| volume.is_mounted()) {
        line(format!(
            "volume {} still has {}",
            text::clean(&volume.name),
            text::counted(volume.open_mounts().into(), "open mount")
        ));
    }
    if counters.caller(Caller::Docker) > 0 {
        line(
            "docker remembers this driver: until it runs again, or docker is restarted, `docker volume ls` \
             waits 15 s for it"
                .to_owned(),
        );
    }
    line(match recording {
        Some(path) => format!("recorded in {}", path.display()),
        None => "not recorded; use --record FILE".to_owned(),
    });
    summary
}
