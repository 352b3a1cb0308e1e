//! The report of a run: expected and actual result of each step, and whether the scenario passed.

use std::{fmt, time::Duration};

use serde::Serialize;

use super::file::Scenario;
use crate::domain::model::scenario::ScenarioResult;

/// The result of one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepReport {
    /// Its line.
    pub line: String,
    /// The line in the file in which it begins.
    #[serde(skip)]
    pub line_number: usize,
    /// The remark for the audience.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub say: Option<String>,
    /// The expected result.
    pub expected: String,
    /// The actual result.
    pub actual: String,
    /// The most relevant line of the actual result.
    #[serde(skip)]
    pub summary: String,
    /// The exit code of the docker command that ended in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<u8>,
    /// The calls that the plugin got in it.
    pub calls: Vec<String>,
    /// How the actual result differs from the expected one.
    pub problems: Vec<String>,
    /// How long it took, in real time.
    #[serde(rename = "duration_ms", serialize_with = "millis")]
    pub duration: Duration,
}

impl StepReport {
    /// Whether the actual result is the expected one.
    pub fn passed(&self) -> bool {
        self.problems.is_empty()
    }
}

fn millis<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

/// The result of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The scenario's name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Whether it passed.
    pub result: ScenarioResult,
    /// The steps that were run.
    pub steps: Vec<StepReport>,
    /// Why it was skipped; what differs over all steps; what could not be cleaned up.
    pub problems: Vec<String>,
    /// What is left that nothing can remove.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
    /// All calls, in the order of their arrival.
    pub calls: Vec<TimedCall>,
}

/// A call that the plugin got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TimedCall {
    /// As in [`TracedCall`](crate::domain::analysis::traced_calls::TracedCall).
    pub call: String,
    /// When, since the first one and by the engine's clock.
    #[serde(rename = "at_ms", serialize_with = "millis")]
    pub at: Duration,
}

impl Report {
    /// The report of a scenario of which no step has been run.
    pub(super) fn new(scenario: &Scenario, result: ScenarioResult) -> Self {
        Self {
            name: scenario.name.clone(),
            title: scenario.title.clone(),
            result,
            steps: Vec::new(),
            problems: Vec::new(),
            left: Vec::new(),
            calls: Vec::new(),
        }
    }

    /// The report of a scenario that is not run, and why.
    pub(super) fn skipped(scenario: &Scenario, reason: String) -> Self {
        Self { problems: vec![reason], ..Self::new(scenario, ScenarioResult::Skipped) }
    }

    /// Whether it passed.
    pub fn passed(&self) -> bool {
        self.result == ScenarioResult::Passed
    }
}

const PASSED: char = '✓';
const FAILED: char = '✗';

impl fmt::Display for StepReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.passed() { PASSED } else { FAILED };
        write!(f, "  {mark} {}", self.line)?;
        for problem in &self.problems {
            write!(f, "\n      {problem}")?;
        }
        // Of an expected result one line is enough.
        let actual = if self.passed() { &self.summary } else { &self.actual };
        for (label, text) in [("expected", &self.expected), ("actual", actual)] {
            for (index, line) in text.lines().enumerate() {
                let label = if index == 0 { label } else { "" };
                write!(f, "\n      {label:8}  {line}")?;
            }
        }
        if self.passed() {
            return Ok(());
        }
        write!(f, "\n      calls     {}", self.calls.join(", "))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mark, suffix) = match self.result {
            ScenarioResult::Passed => (PASSED, ""),
            ScenarioResult::Failed => (FAILED, "  failed"),
            ScenarioResult::Skipped => ('-', "  skipped"),
            ScenarioResult::Stopped => ('-', "  stopped"),
        };
        write!(f, "{mark} {}  {}{suffix}", self.name, self.title)?;
        for problem in &self.problems {
            write!(f, "\n    {problem}")?;
        }
        for left in &self.left {
            write!(f, "\n    left: {left}")?;
        }
        Ok(())
    }
}
