//! Compares results with expectations, and renders both.

use super::{
    file::{ScenarioAction, Step},
    trace::Trace,
};
use crate::{
    domain::{
        analysis::checker::{Checker, Missing, Totals},
        lang::expectation::Expectation,
        model::volume::Volumes,
        state::counters::Counters,
        text::counted,
    },
    engine_api::CliResult,
    hub::Snapshot,
};

/// How the result of a docker command differs from what the step expects. `fill` replaces the placeholders.
pub(super) fn compare(step: &Step, result: &CliResult, fill: impl Fn(&str) -> String) -> Vec<String> {
    let has = |text: &str, part: &str| text.to_lowercase().contains(&fill(part).to_lowercase());
    let mut problems = Vec::new();
    let expect = &step.expect;
    match (expect.fails_with.is_empty(), result.succeeded()) {
        _ if expect.may_fail => {}
        (true, false) => problems.push(format!("failed with exit code {}", result.code)),
        (false, true) => problems.push("succeeded".into()),
        _ => {}
    }
    let error = format!("{}\n{}", result.stderr, result.stdout);
    let missing = |text: &str, part: &&String| !has(text, part);
    let errors = expect.fails_with.iter().filter(|part| missing(&error, part));
    problems.extend(errors.map(|part| format!("error lacks {part:?}")));
    let lacking = expect.output_contains.iter().filter(|part| missing(&result.stdout, part));
    problems.extend(lacking.map(|part| format!("output lacks {part:?}")));
    let unwanted = expect.output_lacks.iter().filter(|part| has(&result.stdout, part));
    problems.extend(unwanted.map(|part| format!("output contains {part:?}")));
    problems
}

/// How the calls of a step differ from what it expects.
pub(super) fn compare_calls(step: &Step, calls: &[String], fill: impl Fn(&str) -> String) -> Option<String> {
    let expected: Vec<_> = step.expect.calls.as_ref()?.iter().map(|call| fill(call)).collect();
    (calls != expected).then(|| format!("expected calls: {}", list(&expected)))
}

/// How the open mounts differ from what the step expects.
pub(super) fn compare_mounts(step: &Step, volumes: &Volumes) -> Vec<String> {
    let compare = |(volume, expected): (&String, &u32)| {
        let open = volumes.known(volume).map_or(0, |volume| volume.open_mounts());
        (open != *expected).then(|| {
            format!("expected {} of {volume}, actual {open}", counted((*expected).into(), "open mount"))
        })
    };
    step.expect.open_mounts.iter().filter_map(compare).collect()
}

/// Which expectations the calls since the start do not meet, with the state now.
pub(super) fn compare_expectations(
    expectations: &[Expectation],
    trace: &Trace,
    snapshot: &Snapshot,
) -> Vec<String> {
    let mut checker = Checker::new(expectations, None);
    let mut counters = Counters::default();
    for entry in trace.entries() {
        counters.count(&entry);
        checker.push(&entry);
    }
    let verdicts = checker.verdicts(Totals {
        counters: &counters,
        volumes: &trace.volumes(),
        held: snapshot.held.len() as u64,
        connections: snapshot.open_connections(),
        missing: Missing::default(),
    });
    let unmet = expectations.iter().zip(verdicts).filter(|(_, verdict)| !verdict.passed);
    unmet.map(|(expectation, verdict)| format!("expected {expectation}, but {}", verdict.found)).collect()
}

/// The result as text.
pub(super) fn actual(result: &CliResult) -> String {
    let texts = [result.stdout.as_str(), result.stderr.as_str()];
    let output = texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n");
    match (result.code, output.is_empty()) {
        (0, true) => "success".into(),
        (code, true) => format!("exit code {code}"),
        _ => output,
    }
}

/// The most relevant line of the actual result: one with an expected text, else the first with a word in it.
pub(super) fn summary_line(step: &Step, actual: &str, fill: impl Fn(&str) -> String) -> String {
    let expect = &step.expect;
    let expected: Vec<_> = expect
        .fails_with
        .iter()
        .chain(&expect.output_contains)
        .map(|part| fill(part).to_lowercase())
        .collect();
    let mut lines = actual.lines();
    let is_expected = |line: &&str| {
        let line = line.to_lowercase();
        expected.iter().any(|part| !part.is_empty() && line.contains(part))
    };
    let line = lines.clone().find(is_expected);
    let line = line.or_else(|| lines.find(|line| line.chars().any(char::is_alphanumeric)));
    line.unwrap_or_default().trim().to_owned()
}

/// A list of calls.
pub(super) fn list(calls: &[String]) -> String {
    if calls.is_empty() { "none".into() } else { calls.join(", ") }
}

impl Step {
    /// The expectation as text.
    pub fn expected(&self) -> String {
        let expect = &self.expect;
        let quoted =
            |texts: &[String]| texts.iter().map(|text| format!("{text:?}")).collect::<Vec<_>>().join(" and ");
        let ends =
            matches!(self.action, ScenarioAction::Docker { background: None } | ScenarioAction::WaitFor(_));
        let mut parts = Vec::new();
        if expect.may_fail {
            parts.push("success or failure".to_owned());
        } else if ends && expect.fails_with.is_empty() {
            parts.push("success".to_owned());
        }
        for (verb, texts) in [
            ("failure with", &expect.fails_with),
            ("output with", &expect.output_contains),
            ("output without", &expect.output_lacks),
        ] {
            if !texts.is_empty() {
                parts.push(format!("{verb} {}", quoted(texts)));
            }
        }
        if let Some(calls) = &expect.calls {
            parts.push(format!("calls: {}", list(calls)));
        }
        let mounts = expect.open_mounts.iter();
        parts.extend(
            mounts.map(|(volume, open)| format!("{} of {volume}", counted((*open).into(), "open mount"))),
        );
        parts.extend(expect.expect.iter().map(ToString::to_string));
        parts.join(", ")
    }
}
