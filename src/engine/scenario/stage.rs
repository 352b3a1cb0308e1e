//! The stage: one card as it is played, step by step.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::{
    check::{compare, gist, listed, seen},
    format::{Action, Scenario, Step, fill},
    player::{Event, RunContext},
    report::{Report, ScenarioResult, StepReport},
    trace::{Line, Trace},
};
use crate::{
    domain::model::volume::Volumes,
    engine::{DockerCommand, Outcome},
};

/// Longer than any time limit of an engine.
const PATIENCE: Duration = Duration::from_secs(200);
/// How many times the settling time a step may be heard of.
const MOST_SETTLING: u32 = 20;
/// Under which label a command goes on that somebody waits for.
const FOREGROUND: &str = "";

/// A card as it is played.
pub(super) struct Stage<'c> {
    pub(super) scenario: &'c Scenario,
    pub(super) context: &'c RunContext,
    pub(super) trace: Trace,
    /// How many calls of the trace belong to steps that are over.
    told: Vec<u64>,
    pub(super) going_on: BTreeMap<String, AbortOnDropHandle<Outcome>>,
    pub(super) rules_before: Vec<u32>,
    driver: String,
    address: String,
    pub(super) report: Report,
}

impl<'c> Stage<'c> {
    pub(super) async fn set(scenario: &'c Scenario, context: &'c RunContext) -> Self {
        if scenario.fresh && !context.fresh {
            context.engine.perform(&DockerCommand::DaemonRestart).await;
        }
        let snapshot = context.hub.snapshot();
        Self {
            scenario,
            context,
            trace: Trace::begin(&context.hub),
            told: Vec::new(),
            going_on: BTreeMap::new(),
            rules_before: snapshot.faults.iter().map(|rule| rule.id).collect(),
            driver: snapshot.driver.name,
            address: snapshot.driver.address,
            report: Report::new(scenario),
        }
    }

    fn fill(&self, text: &str) -> String {
        fill(text, &self.driver, &self.address)
    }

    pub(super) async fn play(&mut self, tell: &mut impl FnMut(Event<'_>)) -> ScenarioResult {
        let mut allowed = self.context.allowed.clone();
        for (index, step) in self.scenario.steps.iter().enumerate() {
            if self.going_on.is_empty() {
                if index > 0 {
                    sleep(self.context.beat).await;
                }
                // A director who is gone leaves the play to itself.
                let _ = allowed.wait_for(|allowed| *allowed > index).await;
            }
            tell(Event::Begun { index, line: &step.shown(&self.driver, &self.address) });
            let report = self.play_step(step).await;
            tell(Event::Ended { index, report: &report });
            let held = report.held();
            self.report.steps.push(report);
            if !held {
                // What follows would only repeat that something is wrong.
                return ScenarioResult::Failed;
            }
        }
        self.report.problems = self.wrong_calls();
        if self.report.problems.is_empty() { ScenarioResult::Passed } else { ScenarioResult::Failed }
    }

    async fn play_step(&mut self, step: &Step) -> StepReport {
        let begun = Instant::now();
        let done = self.perform(step).await;
        self.quiet().await;
        let calls = self.new_calls();
        let mut problems = Vec::new();
        let seen = match done {
            Ok(Done::Ended(outcome)) => {
                problems.extend(compare(step, &outcome, |text| self.fill(text)));
                seen(&outcome)
            }
            Ok(Done::StyledText(seen)) => seen,
            Err(problem) => {
                problems.push(problem);
                String::new()
            }
        };
        if let Some(expected) = &step.expect.calls {
            let expected: Vec<_> = expected.iter().map(|call| self.fill(call)).collect();
            if calls != expected {
                problems.push(format!("expected the calls {}", listed(&expected)));
            }
        }
        for (volume, expected) in &step.expect.mounts {
            let open = |volumes: &Volumes| volumes.record(volume).map_or(0, |volume| volume.open_mounts());
            let open = self.context.hub.with_volumes(open);
            if open != *expected {
                problems.push(format!("expected {expected} open mounts of {volume}, and there are {open}"));
            }
        }
        StepReport {
            line: step.shown(&self.driver, &self.address),
            say: step.say.clone(),
            expected: step.expected(),
            gist: gist(step, &seen, |text| self.fill(text)),
            seen,
            calls,
            problems,
            took: begun.elapsed(),
        }
    }

    async fn perform(&mut self, step: &Step) -> Result<Done, String> {
        let line = self.fill(&step.line);
        match &step.action {
            Action::Engine { background } => {
                let command: DockerCommand = line.parse().map_err(|error| format!("{error}"))?;
                let engine = Arc::clone(&self.context.engine);
                let running = tokio::spawn(async move { engine.perform(&command).await });
                let label = background.as_deref().unwrap_or(FOREGROUND);
                self.going_on.insert(label.to_owned(), AbortOnDropHandle::new(running));
                match background {
                    Some(_) => Ok(Done::StyledText("goes on".into())),
                    None => self.end_of(FOREGROUND).await.map(Done::Ended),
                }
            }
            Action::Await(label) => self.end_of(label).await.map(Done::Ended),
            Action::Pending(label) => {
                let pending = self.going_on.get(label).is_some_and(|running| !running.is_finished());
                if pending {
                    Ok(Done::StyledText("it has not ended".into()))
                } else {
                    Err("it has come to its end".into())
                }
            }
            Action::Command => {
                let effect = self.context.hub.command_line(&line).map_err(|error| error.to_string())?;
                self.context.hub.wait_until_applied().await;
                Ok(Done::StyledText(effect.text))
            }
            Action::Wait(time) => {
                self.context.clock.sleep(*time).await;
                Ok(Done::StyledText(String::new()))
            }
        }
    }

    /// Waits for the end of a command. Should the play end meanwhile, it still goes on, and is seen to in the end.
    async fn end_of(&mut self, label: &str) -> Result<Outcome, String> {
        let running = self.going_on.get_mut(label).ok_or("it is not going on")?;
        let ended = match self.context.clock.timeout(Some(PATIENCE), running).await {
            Ok(Ok(outcome)) => Ok(outcome),
            Ok(Err(error)) => Err(format!("the engine broke down: {error}")),
            Err(_) => Err(format!("it did not end within {} s of the engine's time", PATIENCE.as_secs())),
        };
        self.going_on.remove(label);
        ended
    }

    /// Waits until nothing more is heard of the step. Others may use the driver too, and need not end.
    async fn quiet(&self) {
        let mut changes = self.context.hub.changes();
        let quiet = async {
            while timeout(self.context.wait_until_applied, changes.changed())
                .await
                .is_ok_and(|changed| changed.is_ok())
            {}
        };
        let _ = timeout(self.context.wait_until_applied * MOST_SETTLING, quiet).await;
    }

    /// The calls that belong to no step yet.
    fn new_calls(&mut self) -> Vec<String> {
        let mut new = Vec::new();
        for (number, line) in self.trace.lines() {
            if !self.told.contains(&number) {
                self.told.push(number);
                new.extend(self.counts(&line).then(|| line.to_string()));
            }
        }
        new
    }

    /// A daemon that has met the driver does without an introduction, so cards speak of it only if they make sure of it.
    fn counts(&self, line: &Line) -> bool {
        self.scenario.fresh || !line.is_handshake()
    }

    /// All calls so far that the card is about.
    pub(super) fn lines(&self) -> Vec<Line> {
        self.trace.lines().into_values().filter(|line| self.counts(line)).collect()
    }

    /// What is wrong with the calls of the whole card.
    fn wrong_calls(&self) -> Vec<String> {
        let lines = self.lines();
        let calls: Vec<_> = lines.iter().map(Line::to_string).collect();
        let mut problems = Vec::new();
        if let Some(expected) = self.scenario.calls.sequence.as_ref().filter(|expected| **expected != calls) {
            problems.push(format!("expected in all the calls {}", listed(expected)));
        }
        for (word, expected) in &self.scenario.calls.counts {
            let count = lines.iter().filter(|line| line.operation.as_str() == word).count();
            if count != *expected {
                problems.push(format!("expected {expected} calls of {word}, and there were {count}"));
            }
        }
        problems
    }
}

/// What came of what was done.
enum Done {
    /// A docker command ended.
    Ended(Outcome),
    /// Something else happened, in words.
    StyledText(String),
}
