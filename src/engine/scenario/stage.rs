//! The stage: one card as it is played, step by step.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::time::{Instant, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::{
    card::{Action, Card, Step, fill},
    check::{compare, in_words, listed, seen},
    player::{Cast, Event},
    report::{Report, StepReport, Verdict},
    trace::{Line, Trace},
};
use crate::{
    domain::volume::Volumes,
    engine::{DockerCommand, Outcome},
    hub::Window,
};

/// Longer than any time limit of an engine.
const PATIENCE: Duration = Duration::from_secs(200);

/// A card as it is played.
pub(super) struct Stage<'c> {
    pub(super) card: &'c Card,
    pub(super) cast: &'c Cast,
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
    pub(super) async fn set(card: &'c Card, cast: &'c Cast) -> Self {
        if card.fresh && !cast.fresh {
            cast.engine.perform(&DockerCommand::DaemonRestart).await;
        }
        let glance = cast.hub.glance(&Window::default());
        Self {
            card,
            cast,
            trace: Trace::begin(&cast.hub),
            told: Vec::new(),
            going_on: BTreeMap::new(),
            rules_before: glance.faults.iter().map(|rule| rule.id).collect(),
            driver: glance.driver.name,
            address: glance.driver.address,
            report: Report::new(card),
        }
    }

    fn fill(&self, text: &str) -> String {
        fill(text, &self.driver, &self.address)
    }

    pub(super) async fn play(&mut self, tell: &mut impl FnMut(Event<'_>)) -> Verdict {
        let mut allowed = self.cast.allowed.clone();
        for (index, step) in self.card.steps.iter().enumerate() {
            // A director who is gone leaves the play to itself.
            let _ = allowed.wait_for(|allowed| *allowed > index).await;
            let line = step.filled(&self.driver, &self.address);
            tell(Event::Begun { index, line: &line });
            let report = self.play_step(step, line).await;
            tell(Event::Ended { index, report: &report });
            let held = report.held();
            self.report.steps.push(report);
            if !held {
                // What follows would only repeat that something is wrong.
                return Verdict::Failed;
            }
        }
        self.report.problems = self.wrong_calls();
        if self.report.problems.is_empty() { Verdict::Held } else { Verdict::Failed }
    }

    async fn play_step(&mut self, step: &Step, line: String) -> StepReport {
        let begun = Instant::now();
        let done = self.perform(step, &line).await;
        self.quiet().await;
        let calls = self.new_calls();
        let mut problems = Vec::new();
        let (seen, shown) = match done {
            Ok(Done::Ended(outcome)) => {
                problems.extend(compare(step, &outcome, |text| self.fill(text)));
                let shown = match &step.action {
                    Action::Await(label) => format!("await {label}"),
                    _ => format!("$ {line}"),
                };
                (seen(&outcome), shown)
            }
            Ok(Done::Said { seen, shown }) => (seen, shown),
            Err(problem) => {
                problems.push(problem);
                (String::new(), line)
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
            let open = self.cast.hub.with_volumes(open);
            if open != *expected {
                problems.push(format!("expected {expected} open mounts of {volume}, and there are {open}"));
            }
        }
        let expected = in_words(step);
        StepReport {
            line: shown,
            say: step.say.clone(),
            expected,
            seen,
            calls,
            problems,
            took: begun.elapsed(),
        }
    }

    async fn perform(&mut self, step: &Step, line: &str) -> Result<Done, String> {
        let said = |seen: &str, shown: String| Ok(Done::Said { seen: seen.to_owned(), shown });
        match &step.action {
            Action::Engine { background } => {
                let command: DockerCommand = line.parse().map_err(|error| format!("{error}"))?;
                let engine = Arc::clone(&self.cast.engine);
                let running = tokio::spawn(async move { engine.perform(&command).await });
                let running = AbortOnDropHandle::new(running);
                match background {
                    Some(label) => {
                        self.going_on.insert(label.clone(), running);
                        said("goes on", format!("$ {line} &"))
                    }
                    None => self.end_of(running).await.map(Done::Ended),
                }
            }
            Action::Await(label) => {
                let running = self.going_on.remove(label).ok_or("it is not going on")?;
                self.end_of(running).await.map(Done::Ended)
            }
            Action::Pending(label) => {
                let pending = self.going_on.get(label).is_some_and(|running| !running.is_finished());
                let shown = format!("pending {label}");
                if pending { said("it has not ended", shown) } else { Err("it has come to its end".into()) }
            }
            Action::Command => {
                let effect = self.cast.hub.command_line(line).map_err(|error| error.to_string())?;
                self.cast.hub.settle().await;
                said(&effect.text, format!(": {line}"))
            }
            Action::Wait(time) => {
                self.cast.clock.sleep(*time).await;
                said("", format!("wait {line}"))
            }
        }
    }

    async fn end_of(&self, mut running: AbortOnDropHandle<Outcome>) -> Result<Outcome, String> {
        match self.cast.clock.timeout(Some(PATIENCE), &mut running).await {
            Ok(Ok(outcome)) => Ok(outcome),
            Ok(Err(error)) => Err(format!("the engine broke down: {error}")),
            Err(_) => Err(format!("it did not end within {} s of the engine's time", PATIENCE.as_secs())),
        }
    }

    /// Waits until nothing more is heard of the step.
    async fn quiet(&self) {
        let mut changes = self.cast.hub.changes();
        while timeout(self.cast.settle, changes.changed()).await.is_ok_and(|changed| changed.is_ok()) {}
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
        self.card.fresh || !line.is_introduction()
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
        if let Some(expected) = self.card.calls.sequence.as_ref().filter(|expected| **expected != calls) {
            problems.push(format!("expected in all the calls {}", listed(expected)));
        }
        for (word, expected) in &self.card.calls.counts {
            let count = lines.iter().filter(|line| line.operation.word() == word).count();
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
    /// Something else happened.
    Said { seen: String, shown: String },
}
