//! Expectations held against what was seen, and both in words.

use super::format::{Action, Step};
use crate::engine::Outcome;

/// What is wrong with the outcome of a docker command. `fill` puts names into their places.
pub(super) fn compare(step: &Step, outcome: &Outcome, fill: impl Fn(&str) -> String) -> Vec<String> {
    let has = |text: &str, part: &str| text.to_lowercase().contains(&fill(part).to_lowercase());
    let mut problems = Vec::new();
    let expect = &step.expect;
    match (expect.fails.is_empty(), outcome.succeeded()) {
        (true, false) => problems.push(format!("it failed with exit code {}", outcome.code)),
        (false, true) => problems.push("it succeeded".into()),
        _ => {}
    }
    let complaint = format!("{}\n{}", outcome.stderr, outcome.stdout);
    let missing = |text: &str, part: &&String| !has(text, part);
    problems.extend(
        expect
            .fails
            .iter()
            .filter(|part| missing(&complaint, part))
            .map(|part| format!("it did not say {part:?}")),
    );
    problems.extend(
        expect
            .prints
            .iter()
            .filter(|part| missing(&outcome.stdout, part))
            .map(|part| format!("it did not print {part:?}")),
    );
    problems.extend(
        expect
            .lacks
            .iter()
            .filter(|part| has(&outcome.stdout, part))
            .map(|part| format!("it printed {part:?}")),
    );
    problems
}

/// An outcome in words.
pub(super) fn seen(outcome: &Outcome) -> String {
    let texts = [outcome.stdout.as_str(), outcome.stderr.as_str()];
    let told = texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n");
    match (outcome.code, told.is_empty()) {
        (0, true) => "success".into(),
        (code, true) => format!("exit code {code}"),
        _ => told,
    }
}

/// The line of what was seen that says most: one that was looked for, or else the first with a word in it.
pub(super) fn gist(step: &Step, seen: &str, fill: impl Fn(&str) -> String) -> String {
    let expect = &step.expect;
    let wanted: Vec<_> =
        expect.fails.iter().chain(&expect.prints).map(|part| fill(part).to_lowercase()).collect();
    let mut lines = seen.lines();
    let looked_for = |line: &&str| {
        let line = line.to_lowercase();
        wanted.iter().any(|part| !part.is_empty() && line.contains(part))
    };
    let line = lines.clone().find(looked_for);
    let line = line.or_else(|| lines.find(|line| line.chars().any(char::is_alphanumeric)));
    line.unwrap_or_default().trim().to_owned()
}

/// Calls in words.
pub(super) fn listed(texts: &[String]) -> String {
    if texts.is_empty() { "none".into() } else { texts.join(", ") }
}

/// An expectation in words.
pub(super) fn in_words(step: &Step) -> String {
    let expect = &step.expect;
    let quoted =
        |texts: &[String]| texts.iter().map(|text| format!("{text:?}")).collect::<Vec<_>>().join(" and ");
    let ends = matches!(step.action, Action::Engine { background: None } | Action::Await(_));
    let mut words = Vec::new();
    if ends && expect.fails.is_empty() {
        words.push("success".to_owned());
    }
    for (verb, texts) in
        [("failure with", &expect.fails), ("printing", &expect.prints), ("not printing", &expect.lacks)]
    {
        if !texts.is_empty() {
            words.push(format!("{verb} {}", quoted(texts)));
        }
    }
    if let Some(calls) = &expect.calls {
        words.push(format!("the calls {}", listed(calls)));
    }
    words.extend(expect.mounts.iter().map(|(volume, open)| format!("{open} open mounts of {volume}")));
    words.join(", ")
}
