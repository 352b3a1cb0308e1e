//! What a run can be shown as elsewhere: a report in Markdown, and the calls as a diagram.

use std::{fmt::Write as _, path::Path, sync::Arc, time::Duration};

use jiff::tz::TimeZone;

use super::Snapshot;
use crate::domain::{
    analysis::{
        groups::{CallGroup, CallGroups},
        retries::Retries,
    },
    lang::filter::Filter,
    model::{
        entry::{Entry, EntryKind, Outcome},
        protocol::Operation,
    },
    state::counters::Counters,
    text::{
        clean, describe,
        sequence::{self, Drawing},
        symbols::{self, Symbols},
        took,
    },
};

/// How many of the latest entries a report's diagram has.
const DRAWN: usize = 60;

/// What entries can be saved as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A line of JSON each, as in a recording.
    Lines,
    /// The report, with the entries as a diagram.
    Report,
    /// The diagram as Mermaid.
    Mermaid,
    /// The diagram as it is on the screen.
    Drawing,
}

impl Form {
    /// The endings of file names that stand for each, and what it is. Any other ending stands for lines.
    pub const ENDINGS: [(&str, Self, &str); 4] = [
        ("jsonl", Self::Lines, "entries as lines of JSON"),
        ("md", Self::Report, "a report of the run in Markdown"),
        ("mmd", Self::Mermaid, "the sequence as Mermaid"),
        ("txt", Self::Drawing, "the sequence as text"),
    ];

    /// What a file of this name holds.
    pub fn of(path: &Path) -> Self {
        let release_action =
            path.extension().and_then(|release_action| release_action.to_str()).unwrap_or_default();
        Self::ENDINGS
            .iter()
            .find(|(known, ..)| *known == release_action)
            .map_or(Self::Lines, |(_, form, _)| *form)
    }
}

/// The calls as Mermaid.
pub fn mermaid<'e>(entries: impl Iterator<Item = &'e Arc<Entry>> + Clone, seen: &Snapshot) -> String {
    diagrammed(entries.clone(), &retries(entries), seen)
}

fn diagrammed<'e>(
    entries: impl Iterator<Item = &'e Arc<Entry>> + Clone,
    retries: &Retries,
    seen: &Snapshot,
) -> String {
    sequence::mermaid(&sequence::steps(entries, retries), seen.counters.usual_caller(), &seen.driver.name)
}

fn retries<'e>(entries: impl Iterator<Item = &'e Arc<Entry>>) -> Retries {
    let mut retries = Retries::default();
    for entry in entries {
        retries.push(entry);
    }
    retries
}

/// The calls as they are drawn on the screen, all of them and in full.
pub fn drawing<'e>(
    entries: impl Iterator<Item = &'e Arc<Entry>> + Clone,
    seen: &Snapshot,
    symbols: &Symbols,
    zone: &TimeZone,
) -> String {
    let waited = |entry: &Entry| seen.waited(entry);
    let retries = retries(entries.clone());
    let steps = sequence::steps(entries, &retries);
    let drawing = Drawing::new(symbols, zone, &waited, 0).as_wide_as(&steps);
    drawing.text(&steps, seen.counters.usual_caller(), &seen.driver.name)
}

/// Those entries that pass a filter, in a form that is one text.
pub fn page(form: Form, entries: &[Arc<Entry>], which: &Filter, seen: &Snapshot) -> Option<String> {
    let passing = entries.iter().filter(|entry| which.matches(entry));
    match form {
        Form::Lines => None,
        Form::Report => Some(markdown(entries.iter(), which, seen)),
        Form::Mermaid => Some(mermaid(passing, seen)),
        Form::Drawing => Some(drawing(passing, seen, &symbols::UNICODE, &TimeZone::UTC)),
    }
}

/// The run in Markdown: who was called, how often, which rules there were, what is still mounted, the
/// latest commands of engines, and the latest calls as a diagram. A filter narrows these last two; a command is
/// told from all of its calls, and is there if one of them passes.
pub fn markdown<'e>(
    entries: impl Iterator<Item = &'e Arc<Entry>>,
    which: &Filter,
    seen: &Snapshot,
) -> String {
    let mut page = format!(
        "# voltergeist, {:.0}\n\nDriver `{}` at `{}`, seed {}.\n\n## Calls\n\n| call | times |\n|---|---|\n",
        seen.at,
        cell(&seen.driver.name),
        cell(&seen.driver.address),
        seen.seed
    );
    for operation in Operation::ALL {
        let _ = writeln!(page, "| {operation} | {} |", seen.counters.operation(operation));
    }
    let counters = &seen.counters;
    let _ = writeln!(
        page,
        "\n{} failed, {} abandoned, {} panicked, {} met a fault, {} oddities (lints).",
        counters.outcome(Outcome::Error),
        counters.outcome(Outcome::Cancelled),
        counters.outcome(Outcome::Panicked),
        counters.faults_injected,
        counters.lints()
    );
    if let Some(latency) = latency(counters) {
        let _ = writeln!(page, "\nUndisturbed ones were answered: {latency}.");
    }
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
    if !which.is_empty() {
        let _ = writeln!(page, "\nFrom here on only what passes the filter `{}`.", cell(&which.to_string()));
    }
    let entries: Vec<_> = entries.collect();
    page.push_str(&groups(&entries, which, seen));
    // An attempt that is drawn may have forerunners that are not.
    let retries = retries(entries.iter().copied());
    let passing: Vec<_> = entries.into_iter().filter(|entry| which.matches(entry)).collect();
    let latest = &passing[passing.len().saturating_sub(DRAWN)..];
    let latest = diagrammed(latest.iter().copied(), &retries, seen);
    let _ = write!(page, "\n## The latest calls\n\n```mermaid\n{latest}```\n");
    page
}

/// The latest commands of engines, as far as the calls tell them.
fn groups(entries: &[&Arc<Entry>], which: &Filter, seen: &Snapshot) -> String {
    let mut all = CallGroups::default();
    for entry in entries {
        all.push(entry);
    }
    let passes = |group: &&CallGroup| group.members().iter().any(|member| which.matches(&member.entry));
    let groups: Vec<_> = all.iter().filter(passes).collect();
    let mut table = String::new();
    if !groups.is_empty() {
        table.push_str("\n## Episodes\n\nThe latest commands, as the calls tell them.\n\n");
        table.push_str("| time | caller | command | volume | calls | outcome | took | where |\n");
        table.push_str("|---|---|---|---|---|---|---|---|\n");
    }
    for group in &groups[groups.len().saturating_sub(DRAWN)..] {
        let outcome = match &group.decisive().entry.kind {
            EntryKind::Call(call) if call.outcome == Outcome::Ok => "ok".to_owned(),
            EntryKind::Call(call) => describe::outcome(call, &symbols::UNICODE).text,
            _ => "waits".to_owned(),
        };
        let (calls, timing) = (group.members(), group.timing(seen.at));
        let _ = writeln!(
            table,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            describe::time(calls[0].began(), &TimeZone::UTC, 12),
            group.caller(),
            group.name(),
            group.volume().map_or_else(String::new, |volume| format!("`{}`", cell(volume))),
            calls.len(),
            cell(&outcome),
            took(timing.wall),
            timing.parts()
        );
    }
    table
}

/// How fast the calls were answered that nothing disturbed, if there were any.
pub fn latency(counters: &Counters) -> Option<String> {
    let within = |share: f64| {
        let micros = counters.latency(share)?;
        Some(format!("{}% within {}", share * 100.0, took(Duration::from_micros(micros))))
    };
    let shares: Option<Vec<_>> = [0.5, 0.9, 0.99].into_iter().map(within).collect();
    shares.map(|shares| shares.join(", "))
}

/// A foreign text within a table and between backticks.
fn cell(text: &str) -> String {
    clean(text).replace('|', "\\|").replace('`', "'")
}
