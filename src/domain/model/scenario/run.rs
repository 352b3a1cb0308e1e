//! The run of a scenario, as its events describe it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::event::{End, ScenarioEvent, StepSpec};

/// What is played.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioState {
    /// The latest run.
    #[serde(rename = "play")]
    pub latest_run: Option<Arc<ScenarioRun>>,
    /// What the player has to do; none while nothing is to be played.
    pub play_request: Option<PlayRequest>,
}

/// What the player of a scenario has to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlayRequest {
    /// The scenario.
    pub scenario: String,
    /// Whether it may do harm.
    pub dangerous: bool,
    /// How many of its steps may begin.
    pub allowed: usize,
    /// Whether it shall come to its end.
    pub stopped: bool,
}

/// A scenario as it is played.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioRun {
    /// The scenario's name.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// What it is played on, in words.
    pub engine: String,
    /// Its steps, in order.
    pub steps: Vec<StepRun>,
    /// Why nothing happens now, if the engine waits.
    pub delay: Option<String>,
    /// How it ended, if it has.
    pub end: Option<End>,
}

/// One step and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRun {
    /// The step.
    pub plan: StepSpec,
    /// How far it is.
    pub state: StepState,
    /// The line that shows best what was seen.
    pub seen: String,
    /// What was not as expected.
    pub problems: Vec<String>,
}

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// It is still to come.
    Pending,
    /// It is being played.
    Running,
    /// It was as expected.
    Passed,
    /// It was not.
    Failed,
}

impl PlayRequest {
    /// Whether the next step waits for somebody to say `next` or `go`.
    pub fn is_paused(&self) -> bool {
        self.allowed != usize::MAX
    }
}

impl ScenarioState {
    /// The scenario that is to be played or is being played.
    pub fn under_way(&self) -> Option<&str> {
        self.play_request.as_ref().map(|play_request| play_request.scenario.as_str())
    }

    /// How many steps of the latest run have begun.
    pub fn begun(&self) -> usize {
        self.latest_run.as_ref().map_or(0, |run| run.begun())
    }

    /// Applies an event of a run.
    pub fn apply(&mut self, event: &ScenarioEvent) {
        match event {
            ScenarioEvent::Started { scenario, title, engine, steps, .. } => {
                let step = |plan: &StepSpec| StepRun {
                    plan: plan.clone(),
                    state: StepState::Pending,
                    seen: String::new(),
                    problems: Vec::new(),
                };
                self.latest_run = Some(Arc::new(ScenarioRun {
                    scenario: scenario.clone(),
                    title: title.clone(),
                    engine: engine.clone(),
                    steps: steps.iter().map(step).collect(),
                    delay: None,
                    end: None,
                }));
            }
            ScenarioEvent::StepStarted { index, .. } => {
                self.delay(None);
                self.change(*index, |step| step.state = StepState::Running);
            }
            ScenarioEvent::Delayed { why } => self.delay(Some(why.clone())),
            ScenarioEvent::StepFinished { index, seen, problems, .. } => self.change(*index, |step| {
                step.state = if problems.is_empty() { StepState::Passed } else { StepState::Failed };
                step.seen.clone_from(seen);
                step.problems.clone_from(problems);
            }),
            ScenarioEvent::Finished { scenario, end } => {
                let run = self.latest_run.take().filter(|run| run.scenario == *scenario && run.end.is_none());
                // A scenario that cannot be read finishes before it has started.
                let mut run = run.unwrap_or_else(|| {
                    Arc::new(ScenarioRun { scenario: scenario.clone(), ..ScenarioRun::default() })
                });
                let over = Arc::make_mut(&mut run);
                (over.delay, over.end) = (None, Some(end.clone()));
                self.latest_run = Some(run);
                self.play_request = None;
            }
        }
    }

    fn delay(&mut self, why: Option<String>) {
        if let Some(run) = self.latest_run.as_mut().filter(|run| run.delay != why) {
            Arc::make_mut(run).delay = why;
        }
    }

    fn change(&mut self, index: usize, change: impl FnOnce(&mut StepRun)) {
        if let Some(step) = self.latest_run.as_mut().and_then(|run| Arc::make_mut(run).steps.get_mut(index)) {
            change(step);
        }
    }
}

impl ScenarioRun {
    /// How many steps have begun.
    pub fn begun(&self) -> usize {
        self.steps.iter().filter(|step| step.state != StepState::Pending).count()
    }

    /// Whether all steps that are played have ended. After one that failed no other is.
    pub fn steps_ended(&self) -> bool {
        let is_any = |state| self.steps.iter().any(|step| step.state == state);
        !is_any(StepState::Running) && (is_any(StepState::Failed) || !is_any(StepState::Pending))
    }

    /// Whether only what it created is left to be removed.
    pub fn waits_for_cleanup(&self) -> bool {
        self.end.is_none() && self.steps_ended()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::scenario::ScenarioResult;

    fn plan(line: &str) -> StepSpec {
        StepSpec { line: line.into(), say: None, expected: "success".into(), action: None }
    }

    #[test]
    fn each_step_turns_from_expected_to_passed_or_failed() {
        let mut state = ScenarioState::default();
        let states = |state: &ScenarioState| {
            let run = state.latest_run.as_ref().expect("a run");
            run.steps.iter().map(|step| step.state).collect::<Vec<_>>()
        };
        let seen = |index, problems: &[&str]| ScenarioEvent::StepFinished {
            index,
            line: String::new(),
            exit: None,
            seen: "seen".into(),
            problems: problems.iter().map(|&problem| problem.into()).collect(),
        };
        let (scenario, title, engine) = ("c".to_owned(), String::new(), String::new());
        let steps = vec![plan("$ docker volume ls"), plan(": up")];
        state.apply(&ScenarioEvent::Started {
            scenario: scenario.clone(),
            title,
            engine,
            needs: Vec::new(),
            steps,
        });
        assert_eq!(states(&state), [StepState::Pending, StepState::Pending]);
        state.apply(&ScenarioEvent::StepStarted { index: 0, line: String::new() });
        assert_eq!(states(&state), [StepState::Running, StepState::Pending]);
        state.apply(&seen(0, &[]));
        state.apply(&seen(1, &["it failed"]));
        assert_eq!(states(&state), [StepState::Passed, StepState::Failed]);
        // A step that was never announced changes nothing.
        state.apply(&seen(7, &[]));
        state.apply(&ScenarioEvent::Finished {
            scenario,
            end: End { result: ScenarioResult::Failed, problems: Vec::new() },
        });
        assert_eq!(
            state.latest_run.and_then(|run| run.end.clone()).map(|end| end.result),
            Some(ScenarioResult::Failed)
        );
    }
}
