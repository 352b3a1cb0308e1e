//! The report: of each step, what was expected and what was seen; of the card, whether all of it held.

use std::{fmt, time::Duration};

use serde::Serialize;

use super::format::Scenario;

/// Whether a card's prediction came true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "result", content = "reason", rename_all = "lowercase")]
pub enum ScenarioResult {
    /// All that was expected was seen.
    Passed,
    /// Something else was seen.
    Failed,
    /// It was not played.
    Skipped(String),
    /// Somebody ended it before its end.
    Stopped,
}

/// What became of one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepReport {
    /// What was done.
    pub line: String,
    /// The card's remark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub say: Option<String>,
    /// What was expected, in words.
    pub expected: String,
    /// What was seen, in words.
    pub seen: String,
    /// The line of it that says most.
    #[serde(skip)]
    pub gist: String,
    /// The calls that the plugin saw in it.
    pub calls: Vec<String>,
    /// What did not come as expected.
    pub problems: Vec<String>,
    /// How long it took, in real time.
    #[serde(rename = "took_ms", serialize_with = "millis")]
    pub took: Duration,
}

impl StepReport {
    /// Whether all of it came as expected.
    pub fn held(&self) -> bool {
        self.problems.is_empty()
    }
}

fn millis<S: serde::Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(took.as_millis()).unwrap_or(u64::MAX))
}

/// What became of a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The card.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Whether it held.
    #[serde(flatten)]
    pub result: ScenarioResult,
    /// The steps that were played.
    pub steps: Vec<StepReport>,
    /// What did not come as expected over all steps, or could not be cleaned up.
    pub problems: Vec<String>,
    /// All calls, in the order of their arrival.
    pub calls: Vec<Seen>,
}

/// A call that the plugin saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// As in [`Line`](super::Line).
    pub call: String,
    /// When, since the first one and by the engine's clock.
    #[serde(rename = "at_ms", serialize_with = "millis")]
    pub at: Duration,
}

impl Report {
    /// Of a card that has not been played yet.
    pub(super) fn new(scenario: &Scenario) -> Self {
        Self {
            name: scenario.name.clone(),
            title: scenario.title.clone(),
            result: ScenarioResult::Passed,
            steps: Vec::new(),
            problems: Vec::new(),
            calls: Vec::new(),
        }
    }

    /// Of a card that is not played, and why.
    pub fn skipped(scenario: &Scenario, why: impl Into<String>) -> Self {
        Self { result: ScenarioResult::Skipped(why.into()), ..Self::new(scenario) }
    }

    /// Of a card that was stopped before its first step.
    pub(super) fn stopped(scenario: &Scenario) -> Self {
        Self { result: ScenarioResult::Stopped, ..Self::new(scenario) }
    }

    /// Whether all that was expected was seen.
    pub fn held(&self) -> bool {
        self.result == ScenarioResult::Passed
    }
}

const HELD: char = '✓';
const BROKEN: char = '✗';

impl fmt::Display for StepReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.held() { HELD } else { BROKEN };
        write!(f, "  {mark} {}", self.line)?;
        for problem in &self.problems {
            write!(f, "\n      {problem}")?;
        }
        // What held was as expected, so that one line tells enough of it.
        let seen = if self.held() { &self.gist } else { &self.seen };
        for (what, text) in [("expected", &self.expected), ("seen", seen)] {
            for (index, line) in text.lines().enumerate() {
                let what = if index == 0 { what } else { "" };
                write!(f, "\n      {what:8}  {line}")?;
            }
        }
        if self.held() {
            return Ok(());
        }
        write!(f, "\n      calls     {}", self.calls.join(", "))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mark, remark) = match &self.result {
            ScenarioResult::Passed => (HELD, String::new()),
            ScenarioResult::Failed => (BROKEN, "  did not hold".into()),
            ScenarioResult::Skipped(why) => ('-', format!("  skipped: {why}")),
            ScenarioResult::Stopped => ('-', "  stopped".into()),
        };
        write!(f, "{mark} {}  {}{remark}", self.name, self.title)?;
        for problem in &self.problems {
            write!(f, "\n    {problem}")?;
        }
        Ok(())
    }
}
