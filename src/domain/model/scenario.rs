//! Scenarios: which can be played, and the run that is played, as its events describe it.
//!
//! What a scenario is and how it is played is not known here: only its steps with what is expected of each, and their
//! results.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// A scenario that can be played.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioInfo {
    /// Its name, as in `play NAME`.
    pub name: String,
    /// What happens, in one line.
    pub title: String,
    /// What it shows.
    pub description: String,
    /// It can harm a real engine or what else runs on it.
    pub dangerous: bool,
    /// It takes long.
    pub slow: bool,
    /// It is the user's, and not a shipped one.
    pub own: bool,
    /// Why it cannot be played: what is wrong in its file, and where.
    pub problem: Option<String>,
    /// Why it is not for the engine that it would be played on, as far as is known.
    pub obstacle: Option<String>,
}

/// The scenarios that can be played here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScenarioCatalog {
    /// The scenarios, in their order.
    pub scenarios: Arc<[ScenarioInfo]>,
    /// Whether a dangerous scenario could harm an engine that others use.
    pub is_real: bool,
}

/// What is played.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioState {
    /// The latest run.
    pub play: Option<Arc<ScenarioRun>>,
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

/// A step before it is played.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StepSpec {
    /// What is done: `$ docker …` or `: arm …`, ready to be typed, or a wait.
    pub line: String,
    /// A remark for people who watch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub say: Option<String>,
    /// The expected result, in words.
    pub expected: String,
    /// The same as in the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<StepAction>,
}

/// What a step does, as in the file of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StepAction {
    /// The key.
    pub key: StepKey,
    /// Its value.
    pub text: String,
    /// The label of a docker command that runs in the background.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background: Option<String>,
}

/// The key that says what a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum StepKey {
    /// Runs a docker command.
    Docker,
    /// Runs a voltergeist command.
    Command,
    /// Does nothing for a while.
    Sleep,
    /// Waits for a docker command in the background.
    WaitFor,
    /// Checks that a docker command in the background has not ended.
    StillRunning,
}

impl StepKey {
    /// As in the file.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct End {
    /// Whether everything was as expected.
    pub result: ScenarioResult,
    /// What was not as expected, over all steps, or why it was not played.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

/// Whether the expectations were met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum ScenarioResult {
    /// They were.
    Passed,
    /// They were not.
    Failed,
    /// It was not played.
    Skipped,
    /// It was stopped before its end.
    Stopped,
}

impl ScenarioResult {
    /// It in words.
    pub fn words(self) -> &'static str {
        self.into()
    }
}

/// What happens in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ScenarioEvent {
    /// A scenario is played.
    Started {
        /// Its name.
        scenario: String,
        /// Its title.
        title: String,
        /// What it is played on, in words.
        engine: String,
        /// The keys of its file that say what engine it needs: `fresh_engine = true`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        needs: Vec<String>,
        /// Its steps.
        steps: Vec<StepSpec>,
    },
    /// A step begins.
    StepStarted {
        /// Its place, from 0.
        index: usize,
        /// What is done.
        line: String,
    },
    /// A step is over.
    StepFinished {
        /// Its place, from 0.
        index: usize,
        /// What was done.
        line: String,
        /// The line that shows best what was seen.
        seen: String,
        /// The exit code of the docker command that ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exit: Option<u8>,
        /// What was not as expected.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        problems: Vec<String>,
    },
    /// Nothing happens for now, because of the engine.
    Delayed {
        /// Why, as far as is known.
        why: String,
    },
    /// The run is over.
    Finished {
        /// The scenario's name.
        scenario: String,
        /// How.
        #[serde(flatten)]
        end: End,
    },
}

impl ScenarioEvent {
    /// All texts in it.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Self::Started { scenario, title, engine, steps, .. } => {
                let steps = steps.iter().flat_map(|StepSpec { line, say, expected, .. }| {
                    say.iter().chain([line, expected]).filter(|text| !text.is_empty())
                });
                [scenario, title, engine].into_iter().chain(steps).map(String::as_str).collect()
            }
            Self::StepStarted { line: text, .. } | Self::Delayed { why: text } => vec![text],
            Self::StepFinished { line, seen, problems, .. } => {
                [line, seen].into_iter().chain(problems).map(String::as_str).collect()
            }
            Self::Finished { scenario, end } => [scenario.as_str(), end.result.words()]
                .into_iter()
                .chain(end.problems.iter().map(String::as_str))
                .collect(),
        }
    }

    /// About how many bytes of memory it holds.
    pub fn size_estimate(&self) -> usize {
        size_of::<Self>()
            + self.texts().into_iter().map(|text| text.len() + size_of::<String>() + 16).sum::<usize>()
    }
}

impl PlayRequest {
    /// Whether the next step waits for somebody to say `next` or `go`.
    pub fn is_paused(&self) -> bool {
        self.allowed != usize::MAX
    }
}

impl ScenarioCatalog {
    /// A scenario by its name.
    pub fn get(&self, name: &str) -> Option<&ScenarioInfo> {
        self.scenarios.iter().find(|scenario| scenario.name == name)
    }

    /// Whether a scenario can harm an engine that others use.
    pub fn can_harm(&self, name: &str) -> bool {
        self.is_real && self.get(name).is_some_and(|scenario| scenario.dangerous)
    }
}

impl ScenarioState {
    /// The scenario that is to be played or is being played.
    pub fn under_way(&self) -> Option<&str> {
        self.play_request.as_ref().map(|play_request| play_request.scenario.as_str())
    }

    /// How many steps of the latest run have begun.
    pub fn begun(&self) -> usize {
        self.play.as_ref().map_or(0, |play| play.begun())
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
                self.play = Some(Arc::new(ScenarioRun {
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
                let play = self.play.take().filter(|play| play.scenario == *scenario && play.end.is_none());
                // A scenario that cannot be read finishes before it has started.
                let mut play = play.unwrap_or_else(|| {
                    Arc::new(ScenarioRun { scenario: scenario.clone(), ..ScenarioRun::default() })
                });
                let over = Arc::make_mut(&mut play);
                (over.delay, over.end) = (None, Some(end.clone()));
                self.play = Some(play);
                self.play_request = None;
            }
        }
    }

    fn delay(&mut self, why: Option<String>) {
        if let Some(play) = self.play.as_mut().filter(|play| play.delay != why) {
            Arc::make_mut(play).delay = why;
        }
    }

    fn change(&mut self, index: usize, change: impl FnOnce(&mut StepRun)) {
        if let Some(step) = self.play.as_mut().and_then(|play| Arc::make_mut(play).steps.get_mut(index)) {
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

    fn plan(line: &str) -> StepSpec {
        StepSpec { line: line.into(), say: None, expected: "success".into(), action: None }
    }

    #[test]
    fn each_step_turns_from_expected_to_held_or_not() {
        let mut state = ScenarioState::default();
        let states = |state: &ScenarioState| {
            let play = state.play.as_ref().expect("a play");
            play.steps.iter().map(|step| step.state).collect::<Vec<_>>()
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
            state.play.and_then(|play| play.end.clone()).map(|end| end.result),
            Some(ScenarioResult::Failed)
        );
    }

    #[test]
    fn an_event_is_read_back_from_its_line() {
        let end = End { result: ScenarioResult::Skipped, problems: vec!["the driver is down".into()] };
        let event = ScenarioEvent::Finished { scenario: "list".into(), end };
        let line = serde_json::to_string(&event).expect("it is JSON");
        assert_eq!(
            line,
            r#"{"event":"finished","scenario":"list","result":"skipped","problems":["the driver is down"]}"#
        );
        assert_eq!(serde_json::from_str::<ScenarioEvent>(&line).expect("it is read"), event);
    }
}
