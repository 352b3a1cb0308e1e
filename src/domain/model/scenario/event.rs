//! What happens in the run of a scenario.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

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

#[cfg(test)]
mod tests {
    use super::*;

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
