//! The report of a run in Markdown.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use jiff::tz::TimeZone;

use super::sequence;
use crate::{
    domain::{
        analysis::groups::{CallGroup, CallGroups},
        lang::filter::Filter,
        model::{
            entry::{Entry, EntryKind, Outcome},
            protocol::Operation,
        },
        state::counters::Counters,
        text::{clean, describe, symbols, took},
    },
    hub::Snapshot,
};

/// The maximum number of entries in the diagram.
const MAX_DRAWN: usize = 60;

/// The run in Markdown: counters, rules, open mounts, the latest engine commands, and the latest calls as a diagram. A
/// filter narrows these last two; an engine command is listed, with all of its calls, if any of them passes.
pub fn markdown<'e>(
    entries: impl Iterator<Item = &'e Arc<Entry>>,
    which: &Filter,
    snapshot: &Snapshot,
) -> String {
    let mut page = format!(
        "# voltergeist, {:.0}\n\nDriver `{}` at `{}`, seed {}.\n\n## Calls\n\n| call | times |\n|---|---|\n",
        snapshot.at,
        cell(&snapshot.driver.name),
        cell(&snapshot.driver.address),
        snapshot.seed
    );
    for operation in Operation::ALL {
        let _ = writeln!(page, "| {operation} | {} |", snapshot.counters.operation(operation));
    }
    let counters = &snapshot.counters;
    let _ = writeln!(
        page,
        "\n{} failed, {} cancelled, {} panicked, {} with a fault, {} lints.",
        counters.outcome(Outcome::Error),
        counters.outcome(Outcome::Cancelled),
        counters.outcome(Outcome::Panicked),
        counters.faults_injected,
        counters.lints()
    );
    if let Some(latency) = latency(counters) {
        let _ = writeln!(page, "\nLatency without faults: {latency}.");
    }
    if !snapshot.rules.is_empty() {
        page.push_str("\n## Rules\n\n| rule | state | evaluated | fired |\n|---|---|---|---|\n");
    }
    for rule in &snapshot.rules {
        let state = format!("{:?}", rule.state).to_lowercase();
        let _ = writeln!(page, "| `{}` | {state} | {} | {} |", cell(&rule.text), rule.evaluated, rule.fired);
    }
    if snapshot.volumes.open_mounts() > 0 {
        page.push_str("\n## Open mounts\n\n");
    }
    for volume in snapshot.volumes.iter().filter(|volume| volume.is_mounted()) {
        let _ = writeln!(page, "* `{}`, mounted {}", cell(&volume.name), volume.open_mounts());
    }
    if !which.is_empty() {
        let _ = writeln!(page, "\nOnly what matches the filter `{}` from here on.", cell(&which.to_string()));
    }
    let entries: Vec<_> = entries.collect();
    page.push_str(&groups(&entries, which, snapshot));
    // A retry that is drawn may be one of a call that is not.
    let retries = sequence::retries(entries.iter().copied());
    let shown = entries.into_iter().filter(|entry| !entry.is_redundant());
    let passing: Vec<_> = shown.filter(|entry| which.matches(entry)).collect();
    let latest = &passing[passing.len().saturating_sub(MAX_DRAWN)..];
    let latest = sequence::mermaid_with(latest.iter().copied(), &retries, snapshot);
    let _ = write!(page, "\n## Latest calls\n\n```mermaid\n{latest}```\n");
    page
}

/// The latest engine commands, as recognised from their calls.
fn groups(entries: &[&Arc<Entry>], which: &Filter, snapshot: &Snapshot) -> String {
    let mut all = CallGroups::default();
    for entry in entries {
        all.push(entry);
    }
    let passes = |group: &&CallGroup| group.members().iter().any(|member| which.matches(&member.entry));
    let groups: Vec<_> = all.iter().filter(passes).collect();
    let mut table = String::new();
    if !groups.is_empty() {
        table.push_str("\n## Operations\n\nThe latest engine commands, as recognised from their calls.\n\n");
        table.push_str("| time | caller | command | volume | calls | outcome | took | where |\n");
        table.push_str("|---|---|---|---|---|---|---|---|\n");
    }
    for group in &groups[groups.len().saturating_sub(MAX_DRAWN)..] {
        let outcome = match &group.decisive().entry.kind {
            EntryKind::Call(call) if call.outcome == Outcome::Ok => "ok".to_owned(),
            EntryKind::Call(call) => describe::outcome(call, &symbols::UNICODE).text,
            _ => "waits".to_owned(),
        };
        let (calls, timing) = (group.members(), group.timing(snapshot.at));
        let _ = writeln!(
            table,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            describe::time(calls[0].began(), &TimeZone::UTC, 12),
            group.caller(),
            group.name(),
            group.volume().map_or_else(String::new, |volume| format!("`{}`", cell(volume))),
            calls.len(),
            plain(&outcome),
            took(timing.wall),
            timing.parts()
        );
    }
    table
}

/// The latency percentiles of calls without faults, if there were any.
pub fn latency(counters: &Counters) -> Option<String> {
    let within = |share: f64| {
        let micros = counters.latency(share)?;
        Some(format!("p{} {}", share * 100.0, took(Duration::from_micros(micros))))
    };
    let shares: Option<Vec<_>> = [0.5, 0.9, 0.99].into_iter().map(within).collect();
    shares.map(|shares| shares.join(", "))
}

/// A text in a table cell that is nothing but text: no image, no link, no HTML.
fn plain(text: &str) -> String {
    let escaped = clean(text).chars().fold(String::new(), |mut escaped, c| {
        if c.is_ascii_punctuation()
            && !matches!(c, '.' | ',' | ':' | ';' | '\'' | '"' | '%' | '/' | '?' | '-')
        {
            escaped.push('\\');
        }
        escaped.push(c);
        escaped
    });
    // An address would become a link.
    escaped.replace("://", r"\://")
}

/// A text in a table cell between backticks.
fn cell(text: &str) -> String {
    clean(text).replace('|', "\\|").replace('`', "'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_shows_what_a_caller_has_sent_as_text() {
        assert_eq!(
            plain("500: ![x](http://e.x/y) <img src=x> a|b *c* `d`"),
            r"500: \!\[x\]\(http\://e.x/y\) \<img src\=x\> a\|b \*c\* \`d\`"
        );
        assert_eq!(plain("\u{202e}\n"), r"\<U\+202E\>\^J");
        assert_eq!(cell("a|b`c\n"), r"a\|b'c^J");
    }
}
