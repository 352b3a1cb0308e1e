//! `voltergeist check`: tests expectations on a running instance or a recording.

mod file;
mod report;
mod target;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, ValueHint};
use clap_complete::ArgValueCandidates;
use tokio::time::Instant;

use self::{file::SourcedExpectation, target::CheckTarget};
use super::{
    annotation::ReportFormat,
    complete,
    output::{USAGE, complain},
    setting_values::lasting,
    settings::Settings,
};

/// What to test, and where.
#[expect(clippy::doc_markdown, reason = "the help shows the words as they are written here")]
#[derive(Clone, Debug, Args)]
pub struct CheckArgs {
    /// A recording, or a running instance by its name, control socket, `tcp://HOST:PORT` or `ssh://HOST`
    #[arg(value_name = "TARGET", value_hint = ValueHint::FilePath, add = ArgValueCandidates::new(complete::instances))]
    target: String,

    /// What must hold, such as 'mount == unmount'
    #[arg(value_name = "EXPECTATION", required_unless_present = "file")]
    expectations: Vec<String>,

    /// A TOML file with more expectations, in the list `expect`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,

    /// Wait so long, until all expectations are met; also for the instance to start
    #[arg(long, value_name = "DUR", value_parser = lasting)]
    wait: Option<Duration>,

    /// Print one line of JSON for each expectation
    #[arg(long, conflicts_with = "format")]
    json: bool,

    /// Print text, or annotations that GitHub shows beside it
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: ReportFormat,

    /// Write a JUnit report too
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    junit: Option<PathBuf>,
}

/// Tests the expectations, and returns the exit status.
pub async fn run(args: &CheckArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    let wanted = match file::wanted(&args.expectations, args.file.as_deref()) {
        Ok(wanted) => wanted,
        Err(problem) => {
            complain(&problem);
            return Ok(USAGE.into());
        }
    };
    let started = Instant::now();
    let deadline = started + args.wait.unwrap_or_default();
    let expectations =
        wanted.iter().map(|SourcedExpectation { expectation, .. }| expectation.clone()).collect();
    let mut target = CheckTarget::open(&args.target, expectations, settings, deadline).await?;
    let verdicts = loop {
        let verdicts = target.verdicts()?;
        if verdicts.iter().all(|verdict| verdict.passed) || !target.changed(deadline).await {
            break verdicts;
        }
    };
    target.check_connection()?;
    let results: Vec<_> = wanted.iter().zip(&verdicts).collect();
    report::print(args, settings, &results)?;
    if let Some(path) = &args.junit {
        report::junit(path, &args.target, &results, started.elapsed())?;
    }
    let passed = verdicts.iter().all(|verdict| verdict.passed);
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
