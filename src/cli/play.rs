//! `voltergeist play`: plays scenarios, and prints the expected and the actual result of each step.

mod list;
mod reporter;
mod summary;

use std::{
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::bail;
use clap::{Args, ValueEnum, ValueHint};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::{
    reporter::PlayReporter,
    summary::{Played, Results},
};
use super::{
    annotation::ReportFormat,
    output::{NOT_REMOVED, USAGE, complain},
    settings::Settings,
};
use crate::{
    app::{
        Config, EngineChoice, Instance, InstanceScope, Shutdown, paths,
        plugin_list::{self, ListedPlugin},
        recording::RecordingHandle,
    },
    domain::{
        lang::command::Command,
        model::{entry::EntryKind, origin::Origin, scenario::ScenarioEvent},
    },
    engine_api::{Clock, Profile},
    scenario::{self, LibraryError, LoadedScenario, Progress, ScenarioLibrary},
};

/// The default name of the driver. It is always the same, since a daemon keeps looking for every driver that it has used.
const DRIVER: &str = "voltergeist-play";

/// The speed of a simulated daemon's clock: its minute takes three seconds, and a busy machine keeps up.
const SPEED: f64 = 20.0;

/// What scenarios are played on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum EngineKind {
    /// A simulated daemon for each scenario
    #[default]
    Simulated,
    /// The machine's own, found as the docker command finds it
    Docker,
}

/// What to play, and on what.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
#[expect(clippy::doc_markdown, reason = "the help shows the words as they are written here")]
#[derive(Clone, Debug, Args)]
pub struct PlayArgs {
    /// Scenarios, by name or file path; without any, lists them
    #[arg(value_name = "SCENARIO")]
    scenarios: Vec<String>,

    /// Play all scenarios that are for the engine; on a real one, only those that cannot harm it
    #[arg(long, conflicts_with = "scenarios")]
    all: bool,

    /// List the scenarios
    #[arg(long, conflicts_with_all = ["scenarios", "all"])]
    list: bool,

    /// The engine to play on
    #[arg(long, value_enum, default_value_t, value_name = "ENGINE")]
    engine: EngineKind,

    /// Which engine is simulated
    #[arg(long, value_enum, value_name = "PROFILE")]
    profile: Option<Profile>,

    /// Play all of it so many times, each time with the next seed; --seed N is the first
    #[arg(long, value_name = "N", default_value_t = 1, hide_default_value = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,

    /// Print one line of JSON for each scenario
    #[arg(long, conflicts_with = "format")]
    json: bool,

    /// Print text, or annotations that GitHub shows beside it
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: ReportFormat,

    /// Write a JUnit report too, with a test case for each scenario
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    junit: Option<PathBuf>,

    /// On a real engine, allow scenarios that can harm it or disturb other containers
    #[arg(long)]
    dangerous: bool,
}

impl PlayArgs {
    fn allows_dangerous(&self) -> bool {
        self.dangerous || self.engine == EngineKind::Simulated
    }

    /// The engine in words.
    fn engine_words(&self, profile: Profile) -> String {
        match self.engine {
            EngineKind::Simulated => format!("{}, {SPEED} times as fast", profile.simulated()),
            EngineKind::Docker => "docker".to_owned(),
        }
    }

    /// The scenarios to play, in order.
    fn choose(&self, from: &ScenarioLibrary) -> Result<Vec<LoadedScenario>, PlayError> {
        let mut scenarios = if self.all {
            from.all().into_iter().collect::<Result<Vec<_>, _>>()?
        } else {
            self.scenarios.iter().map(|name| from.find(name)).collect::<Result<Vec<_>, _>>()?
        };
        if self.all {
            scenarios.retain(|loaded| self.allows_dangerous() || !loaded.scenario.dangerous);
        }
        match scenarios.iter().find(|loaded| loaded.scenario.dangerous && !self.allows_dangerous()) {
            Some(loaded) => Err(PlayError::Dangerous(loaded.scenario.name.clone())),
            None => Ok(scenarios),
        }
    }
}

/// Why nothing is played.
#[derive(Debug, thiserror::Error)]
enum PlayError {
    #[error(transparent)]
    Library(#[from] LibraryError),
    #[error(
        "scenario {0:?} can harm a real engine or disturb other containers on it; play it on the simulated one, or \
         use --dangerous"
    )]
    Dangerous(String),
}

/// Lists or plays scenarios, and returns the exit status.
pub async fn run(args: &PlayArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    let library = ScenarioLibrary::new(paths::config("scenarios"));
    if args.list || (args.scenarios.is_empty() && !args.all) {
        return list::print(&library, args.json);
    }
    let mut scenarios = match args.choose(&library) {
        Ok(scenarios) => scenarios,
        Err(error) => {
            complain(&error.to_string());
            return Ok(USAGE.into());
        }
    };
    if let (EngineKind::Docker, Some(_)) = (args.engine, args.profile) {
        complain("--profile is for a simulated engine; leave it out with --engine docker");
        return Ok(USAGE.into());
    }
    let shutdown = Shutdown::watch()?;
    let exit_status = || shutdown.signal().map(|signal| ExitCode::from(signal.exit_status()));
    let docker = match args.engine {
        EngineKind::Simulated => None,
        EngineKind::Docker => tokio::select! {
            docker = EngineChoice::docker(args.dangerous) => Some(docker?),
            () = shutdown.requested.cancelled() => return Ok(exit_status().unwrap_or(ExitCode::FAILURE)),
        },
    };
    let is_docker = docker.is_some();
    if is_docker {
        for warning in plugin_list::list().await.iter().filter_map(ListedPlugin::warning) {
            eprintln!("voltergeist: {warning}");
        }
    }
    let scope = if is_docker { InstanceScope::EngineOnly } else { InstanceScope::Isolated };
    let upstream = plugin_list::find(settings.upstream.as_ref()).await?;
    let clock = if is_docker { Clock::REAL } else { Clock::faster(SPEED) };
    let mut config = Config { upstream, speed: clock.speed(), ..settings.config(DRIVER) };
    // A simulated daemon needs no plugin of this machine, and an engine remembers the address of one on TCP.
    let has_socket = config.upstream.as_ref().is_some_and(|upstream| upstream.socket().is_some());
    if config.takes_over && !(is_docker && has_socket) {
        config.takes_over = false;
        config.name = settings.name.clone().unwrap_or_else(|| DRIVER.to_owned());
    }
    let takes_over = config.takes_over;
    let instance = Instance::open(scope, &config, |_| {})?;
    let mut engine = docker.unwrap_or_else(|| EngineChoice::Simulated {
        profile: args.profile.unwrap_or_default(),
        files: instance.root.clone(),
        seed: instance.seed,
        speed: SPEED,
    });
    if args.all {
        scenarios.retain(|loaded| loaded.scenario.is_for(engine.profile()));
    }
    let recording = RecordingHandle::start(&config, &instance.hub)?;
    let stop = shutdown.requested.child_token();
    let mut reporter = PlayReporter::new(args.json, args.format, stop.clone());
    let mut results = Results::default();
    let total = scenarios.len() * args.repeat as usize;
    let played = tokio::select! {
        biased;
        played = play_all(args, &scenarios, &mut engine, &instance, &mut reporter, &mut results, &stop) => Some(played),
        () = shutdown.forced.cancelled() => None,
    };
    if played.is_some()
        && let Some(stays) = engine.close().await
    {
        complain(&stays);
    }
    instance.close().await?;
    if let Some(recording) = recording {
        recording.finish().await?;
    }
    if played.is_none() {
        complain(NOT_REMOVED);
    }
    if is_docker && !takes_over {
        // Source: moby, daemon/volume/drivers: an adapter is kept for the life of the daemon, and each list asks it.
        complain(
            "docker keeps looking for the driver: `docker volume ls` takes 15 s longer until docker is restarted or the \
             driver is back",
        );
    }
    played.transpose()?;
    reporter.summary(&results, total);
    if let Some(path) = &args.junit {
        results.write_junit(path)?;
    }
    // Of all scenarios some may not fit another plugin, or need what the engine has not.
    let counts = results.counts();
    let skipped = if args.all && counts.passed > 0 { counts.skipped } else { 0 };
    let passed = counts.passed + skipped == total;
    reporter.finish()?;
    let default = if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    Ok(exit_status().unwrap_or(default))
}

/// Plays the scenarios in order, until one is stopped.
async fn play_all(
    args: &PlayArgs,
    scenarios: &[LoadedScenario],
    engine: &mut EngineChoice,
    instance: &Instance,
    reporter: &mut PlayReporter,
    results: &mut Results,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let driver = instance.hub.driver();
    if let (EngineChoice::Docker(_), Some(fix_command)) = (&*engine, driver.fix_command) {
        bail!("docker does not find the driver, {}; play as root, or: {fix_command}", driver.registration);
    }
    let (_all, allowed_steps) = watch::channel(usize::MAX);
    let total = scenarios.len() * args.repeat as usize;
    for repetition in 0..args.repeat {
        let seed = instance.seed.wrapping_add(repetition.into());
        if repetition > 0 {
            instance.hub.command(&Command::Seed(seed), Origin::Program)?;
            engine.reseed(seed);
        }
        for LoadedScenario { scenario, file } in scenarios {
            reporter.start(scenario, results.len() + 1, total);
            let context = engine.context(scenario, &instance.hub, Duration::ZERO, allowed_steps.clone())?;
            let started = Instant::now();
            let record = |event| instance.hub.record(EntryKind::Scenario(Box::new(event)));
            let chosen = scenario.clone().on_engine(engine.profile());
            record(chosen.started(&instance.hub.driver(), args.engine_words(engine.profile())));
            let on_progress = |progress: Progress<'_>| {
                record(progress.event());
                reporter.progress(progress);
            };
            let report = scenario::run(scenario, &context, on_progress, stop).await;
            record(ScenarioEvent::Finished { scenario: report.name.clone(), end: report.end() });
            let repetition = (args.repeat > 1).then_some(repetition + 1);
            let played = Played { report, seed, repetition, file: file.clone(), duration: started.elapsed() };
            reporter.result(&played);
            results.push(played);
            if stop.is_cancelled() {
                return Ok(());
            }
        }
    }
    Ok(())
}
