//! Runs the scenarios that users ask for, with the driver of this instance.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{anyhow, bail};
use tokio::{
    sync::watch,
    task::spawn_blocking,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::engine_choice::{EngineChoice, docker_abilities};
use crate::{
    domain::model::{
        entry::EntryKind,
        scenario::{End, PlayRequest, ScenarioCatalog, ScenarioEvent, ScenarioInfo, ScenarioResult},
    },
    engine::{docker::ConnectError, simulated},
    engine_api::Profile,
    hub::Hub,
    scenario::{
        self, EngineSetup, LibraryError, LoadedScenario, OwnFiles, Progress, RunContext, Scenario,
        ScenarioLibrary,
    },
};

/// The speed of a simulated daemon's clock: slow enough to watch.
const SPEED: f64 = 5.0;
/// How long to wait between two steps, so that an audience can follow.
const STEP_DELAY: Duration = Duration::from_millis(400);
/// A scenario starts when nothing has been recorded for this long.
const QUIET_PERIOD: Duration = Duration::from_millis(100);
/// The longest wait for that.
const MAX_QUIET_WAIT: Duration = Duration::from_secs(3);
/// The longest wait for the demo's commands in flight: more than a daemon's five attempts.
const MAX_DEMO_WAIT: Duration = Duration::from_secs(20);

/// How often the user's files are checked for changes.
const FILE_CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// Runs the scenarios that users ask for.
pub struct ScenarioService {
    /// Where the requests come from and where events are recorded.
    pub hub: Arc<Hub>,
    /// Where the scenarios are.
    pub library: ScenarioLibrary,
    /// Which daemon is simulated, if one is.
    pub profile: Profile,
    /// Where the driver stores its volumes.
    pub files: PathBuf,
    /// The seed of a simulated daemon's random IDs.
    pub seed: u64,
    /// In the demo, whether the workload is paused with no command in flight. The demo never uses a real engine.
    pub demo_idle: Option<watch::Receiver<bool>>,
}

impl ScenarioService {
    /// Serves play requests until `shutdown`. A running scenario is stopped then and cleaned up.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut play_requests = self.hub.play_requests();
        loop {
            let files = self.own_files().await;
            // An engine that does not answer delays only this.
            if shutdown.run_until_cancelled(self.publish_catalog()).await.is_none() {
                return;
            }
            let play_request = tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                // The sender lives as long as the hub.
                request = play_requests.wait_for(Option::is_some) => request.ok().and_then(|request| request.clone()),
                () = self.files_changed(files) => continue,
            };
            let Some(play_request) = play_request else { return };
            let end = self.serve(&play_request, &mut play_requests, &shutdown).await;
            self.record(ScenarioEvent::Finished { scenario: play_request.scenario, end });
        }
    }

    /// Waits until the user's scenarios are others than these.
    async fn files_changed(&self, before: OwnFiles) {
        while self.own_files().await == before {
            sleep(FILE_CHECK_INTERVAL).await;
        }
    }

    async fn own_files(&self) -> OwnFiles {
        let library = self.library.clone();
        spawn_blocking(move || library.own_files()).await.unwrap_or_default()
    }

    /// Lists all scenarios, and says which are not for the engine at hand.
    async fn publish_catalog(&self) {
        let driver = self.hub.driver();
        let is_found = self.demo_idle.is_none() && driver.fix_command.is_none();
        let docker = if is_found { docker_abilities().await } else { None };
        let is_simulated = docker.is_none();
        let engine = docker.unwrap_or_else(|| simulated::abilities(self.profile));
        let setup =
            EngineSetup { driver: driver.name, second_engine: is_simulated, fresh_engine: is_simulated };
        let obstacle = |scenario: &Scenario| {
            let upstream_obstacle = driver.upstream.as_ref().and_then(|_| scenario.upstream_obstacle());
            scenario.obstacle(&engine, &setup).or(upstream_obstacle)
        };
        publish_catalog(&self.hub, &self.library, self.demo_idle.is_none(), obstacle);
    }

    /// Runs a scenario, and follows the request while it changes.
    async fn serve(
        &self,
        play_request: &PlayRequest,
        play_requests: &mut watch::Receiver<Option<PlayRequest>>,
        shutdown: &CancellationToken,
    ) -> End {
        let (allow, allowed_steps) = watch::channel(play_request.allowed);
        let stop = shutdown.child_token();
        let run = self.run_scenario(play_request, allowed_steps, &stop);
        tokio::pin!(run);
        loop {
            tokio::select! {
                end = &mut run => return end,
                Ok(()) = play_requests.changed() => {
                    if let Some(play_request) = &*play_requests.borrow_and_update() {
                        allow.send_replace(play_request.allowed);
                        if play_request.stopped {
                            stop.cancel();
                        }
                    }
                }
            }
        }
    }

    async fn run_scenario(
        &self,
        play_request: &PlayRequest,
        allowed_steps: watch::Receiver<usize>,
        stop: &CancellationToken,
    ) -> End {
        let prepared = tokio::select! {
            () = stop.cancelled() => return End { result: ScenarioResult::Stopped, problems: Vec::new() },
            prepared = self.prepare(play_request, allowed_steps) => prepared,
        };
        match prepared {
            Ok((scenario, context, engine_choice)) => {
                let on_progress = |progress: Progress<'_>| self.record(progress.event());
                let report = scenario::run(&scenario, &context, on_progress, stop).await;
                if let Some(text) = engine_choice.close().await {
                    self.hub.record(EntryKind::Note { text });
                }
                report.end()
            }
            Err(reason) => End { result: ScenarioResult::Skipped, problems: vec![reason.to_string()] },
        }
    }

    /// Loads the scenario, chooses the engine, and waits until nothing else uses the driver.
    async fn prepare(
        &self,
        play_request: &PlayRequest,
        allowed_steps: watch::Receiver<usize>,
    ) -> anyhow::Result<(Scenario, RunContext, EngineChoice)> {
        let scenario = self.library.find(&play_request.scenario)?.scenario;
        // The file may have changed since it was listed.
        if scenario.dangerous && !play_request.dangerous && self.demo_idle.is_none() {
            bail!("the scenario has become dangerous; to play it: play {} --dangerous", scenario.name);
        }
        let (engine_choice, engine) = self.engine_choice(play_request.dangerous).await?;
        let context = engine_choice.context(&scenario, &self.hub, STEP_DELAY, allowed_steps)?;
        let scenario = scenario.on_engine(engine_choice.profile());
        self.record(scenario.started(&self.hub.driver(), engine));
        self.wait_for_others().await?;
        Ok((scenario, context, engine_choice))
    }

    /// The real engine if it answers and finds the driver, else a simulated one; and its description.
    async fn engine_choice(&self, dangerous: bool) -> Result<(EngineChoice, String), ConnectError> {
        let reason = if self.demo_idle.is_some() {
            ""
        } else if self.hub.driver().fix_command.is_some() {
            ", since docker does not find the driver"
        } else {
            match EngineChoice::docker(dangerous).await {
                Err(ConnectError::Unreachable(_)) => ", since docker does not answer",
                engine_choice => return Ok((engine_choice?, "docker".into())),
            }
        };
        let engine_choice = EngineChoice::Simulated {
            profile: self.profile,
            files: self.files.clone(),
            seed: self.seed,
            speed: SPEED,
        };
        Ok((engine_choice, format!("{}, {SPEED} times as fast{reason}", self.profile.simulated())))
    }

    /// Waits until calls in flight have ended, so that none of them is taken for one of the scenario.
    ///
    /// The demo's workload pauses while a scenario runs, and the scenario has a daemon of its own: a shared one would
    /// list the workload's volumes, and restarting it would end the workload's containers.
    async fn wait_for_others(&self) -> anyhow::Result<()> {
        if let Some(mut idle) = self.demo_idle.clone() {
            let idle = timeout(MAX_DEMO_WAIT, idle.wait_for(|idle| *idle)).await;
            idle.map_err(|_| anyhow!("the demo's commands in flight do not end; try again later"))?.ok();
        }
        let mut changes = self.hub.subscribe();
        let quiet = async { while timeout(QUIET_PERIOD, changes.changed()).await.is_ok() {} };
        // Others may use the driver without a pause; the scenario does not count calls about their volumes.
        timeout(MAX_QUIET_WAIT, quiet).await.ok();
        Ok(())
    }

    fn record(&self, event: ScenarioEvent) {
        self.hub.record(EntryKind::Scenario(Box::new(event)));
    }
}

/// Lists all scenarios, including invalid files with their errors.
pub fn publish_catalog(
    hub: &Hub,
    library: &ScenarioLibrary,
    is_real: bool,
    obstacle: impl Fn(&Scenario) -> Option<String>,
) {
    let catalog = library.all().into_iter();
    let catalog = catalog.map(|loaded| match loaded {
        Ok(loaded) => ScenarioInfo { obstacle: obstacle(&loaded.scenario), ..info(loaded) },
        Err(error) => invalid(&error),
    });
    // The user's own first.
    let (mut catalog, shipped): (Vec<_>, Vec<_>) = catalog.partition(|scenario| scenario.own);
    catalog.extend(shipped);
    hub.set_catalog(ScenarioCatalog { scenarios: catalog.into(), is_real });
}

fn info(LoadedScenario { scenario, file }: LoadedScenario) -> ScenarioInfo {
    let Scenario { name, title, description, dangerous, slow, .. } = scenario;
    let own = file.is_some();
    ScenarioInfo { name, title, description, dangerous, slow, own, ..ScenarioInfo::default() }
}

fn invalid(error: &LibraryError) -> ScenarioInfo {
    let (name, problem) = (error.name(), Some(error.to_string()));
    ScenarioInfo { name, problem, own: true, ..ScenarioInfo::default() }
}
