//! What `check` prints and writes.

use std::{fmt::Write as _, path::Path, sync::Arc, time::Duration};

use serde::Serialize;

use super::{CheckArgs, file::SourcedExpectation};
use crate::{
    cli::{
        annotation::{Annotation, ReportFormat},
        junit::{self, Case, CaseResult},
        output::print as print_text,
        settings::Settings,
    },
    domain::{
        analysis::checker::Verdict,
        lang::json,
        model::entry::Entry,
        text::{
            clean,
            symbols::{self, Symbols},
        },
    },
    export,
};

/// How many calls are shown.
const SHOWN: usize = 20;

/// One line of JSON.
#[derive(Serialize)]
struct JsonResult<'v> {
    expectation: String,
    passed: bool,
    found: &'v str,
    calls: &'v [Arc<Entry>],
}

/// Prints the results.
pub fn print(
    args: &CheckArgs,
    settings: &Settings,
    results: &[(&SourcedExpectation, &Verdict)],
) -> anyhow::Result<()> {
    let (symbols, zone) = settings.text(|name| std::env::var(name).ok())?;
    let mut text = String::new();
    for (wanted, verdict) in results {
        let expectation = wanted.expectation.to_string();
        let Verdict { passed, found, calls } = verdict;
        if args.json {
            let calls = &calls[calls.len().saturating_sub(SHOWN)..];
            writeln!(text, "{}", json::line(&JsonResult { expectation, passed: *passed, found, calls })?)?;
            continue;
        }
        // Line ends too: a line of its own could be a command for GitHub.
        let (expectation, found) = (clean(&expectation), clean(found));
        let mark = if *passed { symbols.passed } else { symbols.failed };
        writeln!(text, "{mark} {expectation}\n    {found}")?;
        if !passed {
            let lines = call_lines(calls, symbols, &zone);
            lines.lines().try_for_each(|line| writeln!(text, "    {line}"))?;
        }
        if !passed && args.format == ReportFormat::Github {
            let place = wanted.place.as_ref().map(|(file, line)| (&**file, *line));
            writeln!(text, "{}", Annotation { title: &expectation, text: &found, place })?;
        }
    }
    print_text(text.as_bytes())?;
    Ok(())
}

/// The latest of some calls, a line each.
fn call_lines(calls: &[Arc<Entry>], symbols: &Symbols, zone: &jiff::tz::TimeZone) -> String {
    let more = calls.len().saturating_sub(SHOWN);
    let mut text = if more > 0 { format!("{more} more\n") } else { String::new() };
    for line in calls[more..].iter().filter_map(|entry| export::text_line(entry, symbols, zone)) {
        text += &line;
        text.push('\n');
    }
    text
}

/// Writes a `JUnit` report with a test case for each expectation.
pub fn junit(
    path: &Path,
    target: &str,
    results: &[(&SourcedExpectation, &Verdict)],
    duration: Duration,
) -> anyhow::Result<()> {
    let mut durations = std::iter::once(duration).chain(std::iter::repeat(Duration::ZERO));
    let cases = results.iter().map(|(wanted, verdict)| {
        let calls = call_lines(&verdict.calls, &symbols::UNICODE, &jiff::tz::TimeZone::UTC);
        let found = verdict.found.clone();
        Case {
            class: target.to_owned(),
            name: wanted.expectation.to_string(),
            // They are all tested at once.
            duration: durations.next().unwrap_or_default(),
            result: if verdict.passed {
                CaseResult::Passed
            } else {
                CaseResult::Failed(found.clone(), format!("{found}\n{calls}"))
            },
        }
    });
    junit::write(path, "voltergeist check", cases.collect())
}
