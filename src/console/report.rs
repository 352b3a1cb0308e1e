//! What a run can be shown as elsewhere: a Mermaid sequence diagram, and a report in Markdown.

use std::{fmt::Write as _, sync::Arc};

use super::text::clean;
use crate::{
    domain::{
        entry::{Entry, Kind, Outcome},
        protocol::Operation,
    },
    hub::Snapshot,
};

/// How many of the latest entries a report's diagram has.
const DRAWN: usize = 60;

/// The calls as a Mermaid sequence diagram, with the commands between them as notes.
pub fn mermaid<'e>(entries: impl Iterator<Item = &'e Arc<Entry>>, seen: &Snapshot) -> String {
    // Mermaid ends a message at a semicolon and a line at its break.
    let plain = |text: &str| clean(text).replace(';', ",").replace('#', "no. ");
    let engine = seen.tally.usual_caller();
    let mut diagram = format!(
        "sequenceDiagram\n    participant {engine}\n    participant plugin as {}\n",
        plain(&seen.driver.name)
    );
    let mut line = |text: String| diagram.extend(["    ", &text, "\n"]);
    for entry in entries {
        match &entry.kind {
            Kind::Call(call) => {
                let word = call.operation.map_or_else(|| "?".to_owned(), |operation| operation.to_string());
                let volume = call.volume.as_deref().unwrap_or_default();
                line(format!("{engine}->>plugin: {}", plain(format!("{word} {volume}").trim_end())));
                if let Some(deed) = &call.fault {
                    line(format!(
                        "Note right of plugin: {}",
                        plain(&format!("rule {}: {}", deed.id, deed.action))
                    ));
                }
                let end = match call.outcome {
                    Outcome::Answered => "ok",
                    Outcome::Abandoned => "the caller gave up",
                    Outcome::Failed | Outcome::Panicked => "failed",
                };
                let error = plain(call.error.as_deref().unwrap_or(end).trim());
                let status = call.status.map_or_else(String::new, |status| format!("{status} "));
                let arrow = if call.status.is_some() { "-->>" } else { "--x" };
                line(format!("plugin{arrow}{engine}: {status}{error}"));
            }
            Kind::Waiting(waiting) => {
                let volume = waiting.volume.as_deref().unwrap_or_default();
                line(format!(
                    "{engine}->>plugin: {}",
                    plain(format!("{} {volume}", waiting.operation).trim_end())
                ));
                line(format!("Note right of plugin: waits, {}", plain(&waiting.fault.action)));
            }
            Kind::Command(execution) => line(format!("Note over plugin: {}", plain(&execution.line))),
            Kind::Note { text } => line(format!("Note over {engine}: {}", plain(text))),
            Kind::Fault(_) | Kind::Driver { .. } => {}
        }
    }
    diagram
}

/// The run in Markdown: who was called, how often, which rules there were, what is still mounted, and the
/// latest calls as a diagram.
pub fn markdown<'e>(entries: impl Iterator<Item = &'e Arc<Entry>>, seen: &Snapshot) -> String {
    let mut page = format!(
        "# voltergeist, {:.0}\n\nDriver `{}` at `{}`, seed {}.\n\n## Calls\n\n| call | times |\n|---|---|\n",
        seen.at,
        cell(&seen.driver.name),
        cell(&seen.driver.address),
        seen.seed
    );
    for operation in Operation::ALL {
        let _ = writeln!(page, "| {operation} | {} |", seen.tally.counters.of(operation));
    }
    let tally = &seen.tally;
    let _ = writeln!(
        page,
        "\n{} failed, {} abandoned, {} panicked, {} met a fault, {} oddities (lints).",
        tally.outcome(Outcome::Failed),
        tally.outcome(Outcome::Abandoned),
        tally.outcome(Outcome::Panicked),
        tally.faulted,
        tally.lints()
    );
    if !seen.faults.is_empty() {
        page.push_str(
            "\n## Rules\n\n| rule | state | calls it was held against | fired |\n|---|---|---|---|\n",
        );
    }
    for rule in &seen.faults {
        let state = format!("{:?}", rule.state).to_lowercase();
        let _ = writeln!(page, "| `{}` | {state} | {} | {} |", cell(&rule.text), rule.evaluated, rule.fired);
    }
    if seen.open_mounts > 0 {
        page.push_str("\n## Open mounts\n\n");
    }
    for volume in seen.volumes.iter().filter(|volume| volume.is_mounted()) {
        let _ = writeln!(page, "* `{}`, mounted {}", cell(&volume.name), volume.open_mounts());
    }
    let entries: Vec<_> = entries.collect();
    let latest = &entries[entries.len().saturating_sub(DRAWN)..];
    let _ =
        write!(page, "\n## The latest calls\n\n```mermaid\n{}```\n", mermaid(latest.iter().copied(), seen));
    page
}

/// A foreign text within a table and between backticks.
fn cell(text: &str) -> String {
    clean(text).replace('|', "\\|").replace('`', "'")
}
