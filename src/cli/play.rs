//! `voltergeist play`: plays scenario cards, and says of each step what was expected and what was seen.

mod list;
mod reporter;

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::bail;
use clap::Args;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::reporter::{PlayReporter, Tally};
use super::{
    USAGE,
    engine_choice::{EngineChoice, EngineKind},
    follow::record,
    instance::{Instance, InstanceScope},
    places,
    settings::Settings,
    signals,
};
use crate::engine::scenario::{self, LibraryError, Scenario, ScenarioLibrary};

/// The driver that cards are played with. It is the same each time, since a daemon keeps looking for every
/// driver that it has met.
const DRIVER: &str = "voltergeist-play";

/// How fast the time of a simulated daemon passes: fast enough for its minute to be three seconds, and slow
/// enough for a busy machine to keep up.
const SPEED: f64 = 20.0;

/// What to play, and where.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
#[derive(Clone, Debug, Args)]
pub struct PlayArgs {
    /// The cards, by name or by the path of a file; none lists them
    #[arg(value_name = "CARD")]
    scenarios: Vec<String>,

    /// Play all scenarios; on a real engine, only those that cannot harm it
    #[arg(long, conflicts_with = "scenarios")]
    all: bool,

    /// List the cards
    #[arg(long, conflicts_with_all = ["scenarios", "all"])]
    list: bool,

    /// What to play on
    #[arg(long, value_enum, default_value_t, value_name = "ENGINE")]
    engine: EngineKind,

    /// Print one line of JSON for each card
    #[arg(long)]
    json: bool,

    /// On a real engine, play also what can harm it or whatever else runs there
    #[arg(long)]
    dangerous: bool,
}

impl PlayArgs {
    fn may_harm(&self) -> bool {
        self.dangerous || self.engine == EngineKind::Simulated
    }

    /// The cards to play, in order.
    fn choose(&self, from: &ScenarioLibrary) -> Result<Vec<Scenario>, Refused> {
        let scenarios = if self.all {
            from.all().into_iter().collect::<Result<Vec<_>, _>>()?
        } else {
            self.scenarios.iter().map(|name| from.find(name)).collect::<Result<Vec<_>, _>>()?
        };
        let mut scenarios: Vec<Scenario> = scenarios.into_iter().map(|loaded| loaded.scenario).collect();
        if self.all {
            scenarios.retain(|scenario| self.may_harm() || !scenario.dangerous);
        }
        match scenarios.iter().find(|scenario| scenario.dangerous && !self.may_harm()) {
            Some(scenario) => Err(Refused::Dangerous(scenario.name.clone())),
            None => Ok(scenarios),
        }
    }
}

/// Why nothing is played.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    ScenarioLibrary(#[from] LibraryError),
    #[error(
        "the card {0:?} can harm a real engine, or what else runs on it; play it on a simulated one, or if you \
         mean it: --dangerous"
    )]
    Dangerous(String),
}

/// Lists or plays, and returns the exit status.
pub async fn run(args: &PlayArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    let library = ScenarioLibrary::new(places::config("scenarios"));
    if args.list || (args.scenarios.is_empty() && !args.all) {
        return list::print(&library, args.json);
    }
    let scenarios = match args.choose(&library) {
        Ok(scenarios) => scenarios,
        Err(refused) => {
            eprintln!("voltergeist: {refused}");
            return Ok(USAGE.into());
        }
    };
    let signal = signals::first()?;
    tokio::pin!(signal);
    let engine = async {
        match args.engine {
            EngineKind::Simulated => Ok(None),
            EngineKind::Docker => EngineChoice::docker(args.dangerous).await.map(Some),
        }
    };
    let docker = tokio::select! {
        docker = engine => docker?,
        signal = &mut signal => return Ok(signal.exit_status().into()),
    };
    let home = if docker.is_some() { InstanceScope::EngineOnly } else { InstanceScope::Isolated };
    let instance = Instance::open(home, settings.name.as_deref().unwrap_or(DRIVER), settings, |_| {})?;
    let engine_choice = docker.unwrap_or_else(|| EngineChoice::Simulated {
        files: instance.root.clone(),
        seed: instance.seed,
        speed: SPEED,
    });
    let stop = CancellationToken::new();
    let mut reporter = PlayReporter::new(args.json, stop.clone());
    let path = settings.record.as_deref();
    let recording = path.map(|path| record(path, &instance.hub, &instance.shutdown)).transpose()?;
    let mut playing = Box::pin(play_all(&scenarios, &engine_choice, &instance, &mut reporter, &stop));
    let (played, ended_by) = tokio::select! {
        played = &mut playing => (Some(played), None),
        signal = signal => {
            stop.cancel();
            // What the card has made is removed now, unless somebody cannot wait for it.
            let impatient = signals::first()?;
            tokio::select! {
                played = &mut playing => (Some(played), Some(signal)),
                _ = impatient => (None, Some(signal)),
            }
        }
    };
    drop(playing);
    instance.close().await?;
    if let Some(recording) = recording {
        recording.await??;
    }
    if played.is_none() {
        eprintln!("voltergeist: not all was removed; see docker ps -a --filter label=voltergeist.scenario");
    }
    if matches!(engine_choice, EngineChoice::Docker(_)) {
        // Source: moby, daemon/volume/drivers: an adapter is kept for the life of the daemon, and each list asks it.
        eprintln!(
            "voltergeist: docker keeps looking for the driver; until it restarts, or you play again, \
             `docker volume ls` takes 15 s longer"
        );
    }
    let held = played.transpose()?.unwrap_or(false);
    reporter.end()?;
    Ok(match ended_by {
        Some(signal) => signal.exit_status().into(),
        None if held => ExitCode::SUCCESS,
        None => ExitCode::FAILURE,
    })
}

/// Plays one card after the other, until one is stopped. Says whether all have held.
async fn play_all(
    scenarios: &[Scenario],
    engine_choice: &EngineChoice,
    instance: &Instance,
    reporter: &mut PlayReporter,
    stop: &CancellationToken,
) -> anyhow::Result<bool> {
    let driver = instance.hub.driver();
    if let (EngineChoice::Docker(_), Some(fix_command)) = (engine_choice, driver.fix_command) {
        bail!("docker does not find the driver, {}; play as root, or: {fix_command}", driver.registration);
    }
    let (_all, allowed) = watch::channel(usize::MAX);
    let mut tally = Tally::default();
    for (index, scenario) in scenarios.iter().enumerate() {
        reporter.begin(scenario, index + 1, scenarios.len());
        let context = engine_choice.context(&instance.hub, Duration::ZERO, allowed.clone())?;
        let begun = Instant::now();
        let report = scenario::play(scenario, &context, |event| reporter.tell(event), stop).await;
        reporter.conclude(&report, begun.elapsed());
        tally.count(&report.result);
        if stop.is_cancelled() {
            break;
        }
    }
    reporter.sum_up(&tally, scenarios.len());
    Ok(tally.held == scenarios.len())
}
