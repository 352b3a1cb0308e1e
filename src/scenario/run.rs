//! Runs a scenario step by step, and compares results with expectations. Nothing that it created remains.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use tokio::time::{Instant, sleep, timeout};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    context::{Progress, RunContext},
    expect::{actual, compare, compare_calls, compare_expectations, compare_mounts, list, summary_line},
    file::{EngineNumber, Scenario, ScenarioAction, Step, fill, on_engine},
    fit::refusal,
    report::{Report, StepReport},
    trace::Trace,
};
use crate::{
    domain::{
        analysis::traced_calls::TracedCall,
        lang::expectation::Expectation,
        model::{origin::Origin, scenario::ScenarioResult},
        text::counted,
    },
    engine_api::{CliResult, DockerCommand, Inventory},
    hub::DriverStatus,
};

/// Longer than any timeout of an engine.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(200);
/// The longest wait for a quiet period, as a multiple of it.
const MAX_QUIET_PERIODS: u32 = 20;
const CLEANUP_WAITS: &str = "all steps have ended; one more removes what the scenario created";
/// The label of the command in the foreground.
const FOREGROUND: &str = "";

/// Runs a scenario to its end, or until it is cancelled, and removes what it created.
pub async fn run(
    scenario: &Scenario,
    context: &RunContext,
    mut on_progress: impl FnMut(Progress<'_>),
    cancel: &CancellationToken,
) -> Report {
    if let Some(obstacle) = scenario.obstacle(&context.engine.abilities(), &context.engine_setup()) {
        return Report::skipped(scenario, obstacle);
    }
    let scenario = &scenario.clone().on_engine(context.engine.profile());
    let checked = tokio::select! {
        biased;
        () = cancel.cancelled() => return Report::new(scenario, ScenarioResult::Stopped),
        checked = check_preconditions(scenario, context, &mut on_progress) => checked,
    };
    let inventory = match checked {
        Ok(inventory) => inventory,
        Err(reason) => return Report::skipped(scenario, reason),
    };
    let _in_its_time = context.hub.in_time_of(context.clock.speed());
    let mut run = StepRunner::start(scenario, context, inventory).await;
    let result = tokio::select! {
        () = cancel.cancelled() => ScenarioResult::Stopped,
        result = run.steps(&mut on_progress) => result,
    };
    tokio::select! {
        biased;
        () = cancel.cancelled() => {}
        () = run.wait_for_cleanup(&mut on_progress) => {}
    }
    run.clean_up(result, &mut on_progress).await
}

/// The driver must be up, and nothing that the scenario names may exist.
async fn check_preconditions(
    scenario: &Scenario,
    context: &RunContext,
    on_progress: &mut impl FnMut(Progress<'_>),
) -> Result<Inventory, String> {
    if context.hub.desired_state().status != DriverStatus::Up {
        return Err("the driver is down; run `up`, then play the scenario again".into());
    }
    if context.hub.driver().upstream.is_some()
        && let Some(reason) = scenario.upstream_obstacle()
    {
        return Err(reason);
    }
    let inventory = context.inventory(&context.engine, on_progress).await?;
    let exists = |kind: &str, name: &String| {
        Err(format!("{kind} {name:?} already exists; remove it, then play the scenario again"))
    };
    let names = scenario.names();
    let is_known =
        |name: &&String| inventory.volumes.contains(*name) || context.hub.volumes().known(name).is_some();
    if let Some(name) = names.volumes.iter().find(is_known) {
        return exists("volume", name);
    }
    match names.containers.iter().find(|name| inventory.containers.contains(*name)) {
        Some(name) => exists("container", name),
        None => Ok(inventory),
    }
}

/// A scenario that is running.
pub(super) struct StepRunner<'c> {
    pub(super) scenario: &'c Scenario,
    pub(super) context: &'c RunContext,
    pub(super) trace: Trace,
    /// The volumes that the engine had before.
    pub(super) volumes_before: BTreeSet<String>,
    /// The calls of the trace that belong to steps that have ended.
    attributed: Vec<u64>,
    /// The docker commands that have not ended, by label.
    pub(super) running: BTreeMap<String, AbortOnDropHandle<CliResult>>,
    pub(super) rules_before: Vec<u32>,
    driver: String,
    address: String,
    pub(super) report: Report,
}

impl<'c> StepRunner<'c> {
    async fn start(scenario: &'c Scenario, context: &'c RunContext, before: Inventory) -> Self {
        if scenario.fresh_engine && !context.fresh_engine {
            context.engine.perform(&DockerCommand::DaemonRestart).await;
        }
        let snapshot = context.hub.snapshot();
        Self {
            scenario,
            context,
            trace: Trace::start(&context.hub),
            volumes_before: before.volumes,
            attributed: Vec::new(),
            running: BTreeMap::new(),
            rules_before: snapshot.rules.iter().map(|rule| rule.id).collect(),
            driver: snapshot.driver.name,
            address: snapshot.driver.address,
            report: Report::new(scenario, ScenarioResult::Passed),
        }
    }

    fn fill(&self, text: &str) -> String {
        fill(text, &self.driver, &self.address)
    }

    async fn steps(&mut self, on_progress: &mut impl FnMut(Progress<'_>)) -> ScenarioResult {
        let mut allowed_steps = self.context.allowed_steps.clone();
        let before = self.context.hub.kept().end - 1;
        for (index, step) in self.scenario.steps.iter().enumerate() {
            if self.running.is_empty() {
                if index > 0 {
                    sleep(self.context.step_delay).await;
                }
                // If the sender is gone, nobody can allow more steps, and none waits.
                let _ = allowed_steps.wait_for(|allowed| *allowed > index).await;
            }
            on_progress(Progress::StepStarted { index, line: &step.shown(&self.driver, &self.address) });
            let report = self.step(step).await;
            on_progress(Progress::StepFinished { index, report: &report });
            let passed = report.passed();
            self.report.steps.push(report);
            if !passed {
                if let Some(reason) = refusal(&self.context.hub, before) {
                    self.report.problems = vec![reason];
                    return ScenarioResult::Skipped;
                }
                // The steps after it would only fail because of it.
                return ScenarioResult::Failed;
            }
        }
        self.report.problems = self.compare_all_calls();
        if self.report.problems.is_empty() { ScenarioResult::Passed } else { ScenarioResult::Failed }
    }

    /// In single-step mode what the scenario created stays until one more step is allowed, so that people can look at it.
    async fn wait_for_cleanup(&self, on_progress: &mut impl FnMut(Progress<'_>)) {
        // Also after a step that failed: those after it were allowed, and not this.
        let steps = self.scenario.steps.len();
        let mut allowed_steps = self.context.allowed_steps.clone();
        if *allowed_steps.borrow() <= steps {
            on_progress(Progress::Delayed { reason: CLEANUP_WAITS });
        }
        // If the sender is gone, nobody can allow more steps, and none waits.
        let _ = allowed_steps.wait_for(|allowed| *allowed > steps).await;
    }

    async fn step(&mut self, step: &Step) -> StepReport {
        let started = Instant::now();
        let result = self.perform(step).await;
        self.wait_until_quiet().await;
        let calls = self.new_calls();
        let mut problems = Vec::new();
        let mut exit = None;
        let actual = match result {
            Ok(StepResult::Docker(result)) => {
                exit = Some(result.code);
                problems.extend(compare(step, &result, |text| self.fill(text)));
                actual(&result)
            }
            Ok(StepResult::Other(text)) => text,
            Err(problem) => {
                problems.push(problem);
                String::new()
            }
        };
        problems.extend(compare_calls(step, &calls, |call| self.fill(call)));
        problems.extend(compare_mounts(step, &self.context.hub.volumes()));
        problems.extend(self.unmet(&step.expect.expect));
        StepReport {
            line: step.shown(&self.driver, &self.address),
            line_number: step.line_number,
            say: step.say.clone(),
            expected: step.expected(),
            summary: summary_line(step, &actual, |text| self.fill(text)),
            actual,
            exit,
            calls,
            problems,
            duration: started.elapsed(),
        }
    }

    async fn perform(&mut self, step: &Step) -> Result<StepResult, String> {
        let line = self.fill(&step.line);
        match &step.action {
            ScenarioAction::Docker { background } => {
                let (number, line) = on_engine(&line);
                let command: DockerCommand = line.parse().map_err(|error| format!("{error}"))?;
                let engine = match number {
                    EngineNumber::First => Some(&self.context.engine),
                    EngineNumber::Second => self.context.second_engine.as_ref(),
                };
                let engine = Arc::clone(engine.ok_or("there is no second engine")?);
                let running = tokio::spawn(async move { engine.perform(&command).await });
                let label = background.as_deref().unwrap_or(FOREGROUND);
                self.running.insert(label.to_owned(), AbortOnDropHandle::new(running));
                match background {
                    Some(_) => Ok(StepResult::Other("running".into())),
                    None => self.wait_for(FOREGROUND).await.map(StepResult::Docker),
                }
            }
            ScenarioAction::WaitFor(label) => self.wait_for(label).await.map(StepResult::Docker),
            ScenarioAction::StillRunning(label) => {
                let is_running = self.running.get(label).is_some_and(|running| !running.is_finished());
                if is_running {
                    Ok(StepResult::Other("still running".into()))
                } else {
                    Err("has ended".into())
                }
            }
            ScenarioAction::Command => {
                let output = {
                    let origin = Origin::scenario(&self.scenario.name);
                    self.context.hub.command_line(&line, origin).map_err(|error| error.to_string())?
                };
                self.context.hub.wait_until_applied().await;
                Ok(StepResult::Other(output.text))
            }
            ScenarioAction::Sleep(time) => {
                self.context.clock.sleep(*time).await;
                Ok(StepResult::Other(String::new()))
            }
        }
    }

    /// Waits for the end of a command. If the run is cancelled meanwhile, the clean-up waits for it.
    async fn wait_for(&mut self, label: &str) -> Result<CliResult, String> {
        let running = self.running.get_mut(label).ok_or("not running")?;
        let ended = match self.context.clock.timeout(Some(COMMAND_TIMEOUT), running).await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(error)) => Err(format!("the engine panicked: {error}")),
            Err(_) => Err(format!("timed out after {} s of the engine's time", COMMAND_TIMEOUT.as_secs())),
        };
        self.running.remove(label);
        ended
    }

    /// Waits until nothing is recorded any more. The limit is for a driver that others use too, without a pause.
    async fn wait_until_quiet(&self) {
        let quiet_period = self.context.quiet_period;
        let mut changes = self.context.hub.subscribe();
        let quiet = async {
            while timeout(quiet_period, changes.changed()).await.is_ok_and(|changed| changed.is_ok()) {}
        };
        let _ = timeout(quiet_period * MAX_QUIET_PERIODS, quiet).await;
    }

    /// The calls that belong to no step yet.
    fn new_calls(&mut self) -> Vec<String> {
        let mut new = Vec::new();
        for (number, call) in self.trace.calls() {
            if !self.attributed.contains(&number) {
                self.attributed.push(number);
                new.extend(self.counts(&call).then(|| call.to_string()));
            }
        }
        new
    }

    /// A daemon sends the handshake only once, so it counts only in a scenario that starts with a fresh engine.
    fn counts(&self, call: &TracedCall) -> bool {
        self.scenario.fresh_engine || !call.is_handshake()
    }

    /// All calls of the scenario so far.
    pub(super) fn calls(&self) -> Vec<TracedCall> {
        self.trace.calls().into_values().filter(|call| self.counts(call)).collect()
    }

    /// How the calls of all steps differ from what the scenario expects.
    fn compare_all_calls(&self) -> Vec<String> {
        let calls = self.calls();
        let lines: Vec<_> = calls.iter().map(TracedCall::to_string).collect();
        let mut problems = Vec::new();
        if let Some(expected) = self.scenario.calls.as_ref().filter(|expected| **expected != lines) {
            problems.push(format!("expected calls in all: {}", list(expected)));
        }
        for (operation, expected) in &self.scenario.call_counts {
            let count = calls.iter().filter(|call| call.operation.as_str() == operation).count();
            if count != *expected {
                let expected = counted(*expected as u64, &format!("{operation} call"));
                problems.push(format!("expected {expected}, actual {count}"));
            }
        }
        problems.extend(self.unmet(&self.scenario.expect));
        problems
    }

    /// Which expectations are not met by the calls so far.
    fn unmet(&self, expectations: &[Expectation]) -> Vec<String> {
        if expectations.is_empty() {
            return Vec::new();
        }
        compare_expectations(expectations, &self.trace, &self.context.hub.snapshot())
    }
}

/// What a step did.
enum StepResult {
    /// A docker command ended.
    Docker(CliResult),
    /// Anything else, as text.
    Other(String),
}
