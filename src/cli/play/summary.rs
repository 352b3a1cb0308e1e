//! The results of all scenarios: a table, and a `JUnit` report.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    cli::junit::{self, Case, CaseResult},
    domain::model::scenario::ScenarioResult,
    scenario::Report,
};

/// A scenario that was played.
pub struct Played {
    pub report: Report,
    /// The seed of all draws.
    pub seed: u64,
    /// Which repetition it is, if there are more.
    pub repetition: Option<u32>,
    /// The scenario's file, unless it is a shipped one.
    pub file: Option<PathBuf>,
    pub duration: Duration,
}

/// The scenarios that were played, in their order.
#[derive(Default)]
pub struct Results(Vec<Played>);

/// How many scenarios had which result.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResultCounts {
    pub passed: usize,
    pub skipped: usize,
    pub failed: usize,
}

impl Played {
    /// Its name; with the number of its repetition, if there are more.
    fn name(&self) -> String {
        let name = &self.report.name;
        let seed = self.seed;
        self.repetition.map_or_else(|| name.clone(), |number| format!("{name} #{number} (seed {seed})"))
    }

    /// What went wrong: in one line, and where in the file.
    pub fn problem(&self) -> (String, Option<(&Path, usize)>) {
        let failed = self.report.steps.iter().find(|step| !step.passed());
        let problems = failed.map_or(&self.report.problems, |step| &step.problems);
        let line = failed.map_or(1, |step| step.line_number);
        let step = failed.map_or_else(String::new, |step| format!("{}: ", step.line));
        (format!("{step}{}", problems.join("; ")), self.file.as_deref().map(|file| (file, line)))
    }

    fn case(&self) -> Case {
        let result = match self.report.result {
            ScenarioResult::Passed => CaseResult::Passed,
            ScenarioResult::Failed => {
                let steps = self.report.steps.iter().map(|step| format!("{step}\n"));
                let text = format!("{}\n{}", self.report, steps.collect::<String>());
                CaseResult::Failed(self.problem().0, text)
            }
            ScenarioResult::Skipped => CaseResult::Skipped(self.report.problems.join("; ")),
            ScenarioResult::Stopped => CaseResult::Skipped("stopped".to_owned()),
        };
        Case { class: "voltergeist.play".to_owned(), name: self.name(), duration: self.duration, result }
    }
}

impl Results {
    pub fn push(&mut self, played: Played) {
        self.0.push(played);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn counts(&self) -> ResultCounts {
        let mut counts = ResultCounts::default();
        for played in &self.0 {
            match played.report.result {
                ScenarioResult::Passed => counts.passed += 1,
                ScenarioResult::Failed => counts.failed += 1,
                ScenarioResult::Skipped => counts.skipped += 1,
                ScenarioResult::Stopped => {}
            }
        }
        counts
    }

    /// A row for each scenario that was played, however often.
    pub fn table(&self) -> String {
        let mut names: Vec<&str> = Vec::new();
        for played in &self.0 {
            if !names.contains(&played.report.name.as_str()) {
                names.push(&played.report.name);
            }
        }
        let width = names.iter().map(|name| name.len()).max().unwrap_or(0).max("scenario".len());
        let mut table = format!("{:width$}  result   steps  time\n", "scenario");
        for name in names {
            let runs = || self.0.iter().filter(|played| played.report.name == name);
            let those = |result| runs().filter(move |played| played.report.result == result);
            let worst = [ScenarioResult::Failed, ScenarioResult::Stopped, ScenarioResult::Skipped];
            let result = worst.into_iter().find(|result| those(*result).next().is_some());
            let result = result.unwrap_or(ScenarioResult::Passed).words();
            let steps: usize = runs().map(|played| played.report.steps.len()).sum();
            let time: Duration = runs().map(|played| played.duration).sum();
            let _ = write!(table, "{name:width$}  {result:7}  {steps:>5}  {:.1} s", time.as_secs_f64());
            let repetitions = runs().count();
            if repetitions > 1 {
                let _ = write!(table, "  passed {}/{repetitions}", those(ScenarioResult::Passed).count());
            }
            let seeds: Vec<_> = those(ScenarioResult::Failed).map(|played| played.seed.to_string()).collect();
            if repetitions > 1 && !seeds.is_empty() {
                let _ = write!(table, ", failed with seed {}", seeds.join(", "));
            }
            table.push('\n');
        }
        table
    }

    /// Writes a `JUnit` report with a test case for each scenario.
    pub fn write_junit(&self, path: &Path) -> anyhow::Result<()> {
        junit::write(path, "voltergeist play", self.0.iter().map(Played::case).collect())
    }
}
