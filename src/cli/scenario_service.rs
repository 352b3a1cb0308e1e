//! The director: plays the cards that the hub's cues call for, with the driver of the instance that runs here.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{anyhow, bail};
use tokio::{sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;

use super::engine_choice::EngineChoice;
use crate::{
    domain::model::{
        entry::EntryKind,
        scenario::{End, RunRequest, ScenarioCatalog, ScenarioEvent, ScenarioInfo, ScenarioResult, StepSpec},
    },
    engine::{
        docker::ConnectError,
        scenario::{
            self, Event, LibraryError, LoadedScenario, Report, RunContext, Scenario, ScenarioLibrary,
        },
    },
    state::{DriverInfo, Hub},
};

/// How fast the time of a simulated daemon passes: slow enough to be watched.
const SPEED: f64 = 5.0;
/// How long each step stays before the next begins, so that an audience sees it.
const BEAT: Duration = Duration::from_millis(400);
/// How long others must be silent before a card begins, and how long that is waited for.
const SILENCE: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(3)];
/// How long the demo may take to come to rest: more than a daemon's five tries.
const REST: Duration = Duration::from_secs(20);

/// Plays cards for whoever asks for them.
pub struct ScenarioService {
    /// Where cues come from, and what is played is noted.
    pub hub: Arc<Hub>,
    /// Where the cards are.
    pub library: ScenarioLibrary,
    /// Where the driver has its volumes.
    pub files: PathBuf,
    /// What the random IDs of a simulated daemon are drawn from.
    pub seed: u64,
    /// Whether the demo's life has come to rest, in a demo. Its cards are never played on a real engine.
    pub demo: Option<watch::Receiver<bool>>,
}

impl ScenarioService {
    /// Follows the cues until the end. What is played then is ended in order.
    pub async fn direct(self, closing: CancellationToken) {
        let mut run_requests = self.hub.run_requests();
        loop {
            let run_request = tokio::select! {
                biased;
                () = closing.cancelled() => return,
                // The sender lives as long as the hub.
                run_request = run_requests.wait_for(Option::is_some) => run_request.ok().and_then(|run_request| run_request.clone()),
            };
            let Some(run_request) = run_request else { return };
            let end = self.follow(&run_request, &mut run_requests, &closing).await;
            // A user may have written one meanwhile.
            offer(&self.hub, &self.library, self.demo.is_none());
            self.note(ScenarioEvent::Finished { scenario: run_request.scenario, end });
        }
    }

    /// Plays a card as its cue says, which changes meanwhile.
    async fn follow(
        &self,
        run_request: &RunRequest,
        run_requests: &mut watch::Receiver<Option<RunRequest>>,
        closing: &CancellationToken,
    ) -> End {
        let (allow, allowed) = watch::channel(run_request.allowed);
        let stop = closing.child_token();
        let playing = self.play(run_request, allowed, &stop);
        tokio::pin!(playing);
        loop {
            tokio::select! {
                end = &mut playing => return end,
                Ok(()) = run_requests.changed() => {
                    if let Some(run_request) = &*run_requests.borrow_and_update() {
                        allow.send_replace(run_request.allowed);
                        if run_request.stopped {
                            stop.cancel();
                        }
                    }
                }
            }
        }
    }

    async fn play(
        &self,
        run_request: &RunRequest,
        allowed: watch::Receiver<usize>,
        stop: &CancellationToken,
    ) -> End {
        let prepared = tokio::select! {
            () = stop.cancelled() => return End { result: ScenarioResult::Stopped, problems: Vec::new() },
            prepared = self.prepare(run_request, allowed) => prepared,
        };
        match prepared {
            Ok((scenario, context)) => {
                ended(scenario::play(&scenario, &context, |event| self.tell(event), stop).await)
            }
            Err(why) => End { result: ScenarioResult::Skipped, problems: vec![why.to_string()] },
        }
    }

    /// All that comes before the first step.
    async fn prepare(
        &self,
        run_request: &RunRequest,
        allowed: watch::Receiver<usize>,
    ) -> anyhow::Result<(Scenario, RunContext)> {
        let scenario = self.library.find(&run_request.scenario)?.scenario;
        // The file may have changed since the card was offered.
        if scenario.dangerous && !run_request.dangerous && self.demo.is_none() {
            bail!("the card has become dangerous; if you mean it: play {} --dangerous", scenario.name);
        }
        let (engine_choice, engine) = self.engine_choice(run_request.dangerous).await?;
        let context = engine_choice.context(&self.hub, BEAT, allowed)?;
        let DriverInfo { name, address, .. } = self.hub.driver();
        let steps = scenario.steps.iter().map(|step| StepSpec {
            line: step.shown(&name, &address),
            say: step.say.clone(),
            expected: step.expected(),
        });
        self.note(ScenarioEvent::Started {
            scenario: scenario.name.clone(),
            title: scenario.title.clone(),
            engine,
            steps: steps.collect(),
        });
        self.wait_for_others().await?;
        Ok((scenario, context))
    }

    /// The real engine if it answers and finds the driver, else a simulated one; and which it is, in words.
    async fn engine_choice(&self, may_harm: bool) -> Result<(EngineChoice, String), ConnectError> {
        let why = if self.demo.is_some() {
            ""
        } else if self.hub.snapshot().driver.fix_command.is_some() {
            ", since docker does not find the driver"
        } else {
            match EngineChoice::docker(may_harm).await {
                Err(ConnectError::Unreachable(_)) => ", since docker does not answer",
                engine_choice => return Ok((engine_choice?, "docker".into())),
            }
        };
        let engine_choice =
            EngineChoice::Simulated { files: self.files.clone(), seed: self.seed, speed: SPEED };
        Ok((engine_choice, format!("a simulated daemon whose time passes {SPEED} times as fast{why}")))
    }

    /// Lets others end what they have begun, so that nobody mistakes their calls for the card's.
    ///
    /// The demo stands still while a card is played, and the card has a daemon of its own: a shared one would know
    /// volumes that the card's author did not think of, and a card that restarts it would end the demo's life.
    async fn wait_for_others(&self) -> anyhow::Result<()> {
        if let Some(mut rests) = self.demo.clone() {
            let rests = timeout(REST, rests.wait_for(|rests| *rests)).await;
            rests.map_err(|_| anyhow!("what the demo has begun does not end; try again in a while"))?.ok();
        }
        let [silence, client_timeout] = SILENCE;
        let mut changes = self.hub.changes();
        let silent = async { while timeout(silence, changes.changed()).await.is_ok() {} };
        // A driver that is never silent has users of its own, and the card does not count calls about their volumes.
        timeout(client_timeout, silent).await.ok();
        Ok(())
    }

    fn tell(&self, event: Event<'_>) {
        self.note(match event {
            Event::Begun { index, line } => ScenarioEvent::StepStarted { index, line: line.to_owned() },
            Event::Ended { index, report } => ScenarioEvent::StepFinished {
                index,
                line: report.line.clone(),
                seen: report.gist.clone(),
                problems: report.problems.clone(),
            },
            Event::Delayed { why } => ScenarioEvent::Delayed { why: why.to_owned() },
        });
    }

    fn note(&self, event: ScenarioEvent) {
        self.hub.record(EntryKind::Scenario(Box::new(event)));
    }
}

/// Offers all cards, and names of files that are none with what is wrong in them.
pub fn offer(hub: &Hub, library: &ScenarioLibrary, is_real: bool) {
    let catalog = library.all().into_iter();
    let catalog = catalog.map(|found| found.map_or_else(|error| unplayable(&error), offered));
    // Whoever has written one looks for it, or for what is wrong with it.
    let (mut catalog, shipped): (Vec<_>, Vec<_>) = catalog.partition(|offer| offer.own);
    catalog.extend(shipped);
    hub.set_catalog(ScenarioCatalog { scenarios: catalog.into(), is_real });
}

fn offered(LoadedScenario { scenario, file }: LoadedScenario) -> ScenarioInfo {
    let Scenario { name, title, description, dangerous, slow, .. } = scenario;
    ScenarioInfo { name, title, description, dangerous, slow, own: file.is_some(), problem: None }
}

fn unplayable(error: &LibraryError) -> ScenarioInfo {
    let (name, problem) = (error.name(), Some(error.to_string()));
    ScenarioInfo { name, problem, own: true, ..ScenarioInfo::default() }
}

fn ended(Report { result, mut problems, .. }: Report) -> End {
    let result = match result {
        scenario::ScenarioResult::Passed => ScenarioResult::Passed,
        scenario::ScenarioResult::Failed => ScenarioResult::Failed,
        scenario::ScenarioResult::Stopped => ScenarioResult::Stopped,
        scenario::ScenarioResult::Skipped(why) => {
            problems.push(why);
            ScenarioResult::Skipped
        }
    };
    End { result, problems }
}
