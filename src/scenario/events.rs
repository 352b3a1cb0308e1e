//! What happens in a run, as entries of the journal.

use super::{
    context::Progress,
    file::{Scenario, ScenarioAction, Step},
    report::Report,
};
use crate::{
    domain::model::scenario::{End, ScenarioEvent, StepAction, StepKey, StepSpec},
    hub::DriverInfo,
};

impl Scenario {
    /// It begins on an engine, which is given in words.
    pub fn started(&self, driver: &DriverInfo, engine: String) -> ScenarioEvent {
        ScenarioEvent::Started {
            scenario: self.name.clone(),
            title: self.title.clone(),
            engine,
            needs: self.needs(),
            steps: self.steps.iter().map(|step| step.spec(driver)).collect(),
        }
    }

    fn needs(&self) -> Vec<String> {
        let fresh = self.fresh_engine.then(|| "fresh_engine = true".to_owned());
        fresh.into_iter().chain(self.live_restore.map(|set| format!("live_restore = {set}"))).collect()
    }
}

impl Step {
    fn spec(&self, driver: &DriverInfo) -> StepSpec {
        StepSpec {
            line: self.shown(&driver.name, &driver.address),
            say: self.say.clone(),
            expected: self.expected(),
            action: Some(self.action()),
        }
    }

    fn action(&self) -> StepAction {
        let (key, background) = match &self.action {
            ScenarioAction::Docker { background } => (StepKey::Docker, background.clone()),
            ScenarioAction::Command => (StepKey::Command, None),
            ScenarioAction::Sleep(_) => (StepKey::Sleep, None),
            ScenarioAction::WaitFor(_) => (StepKey::WaitFor, None),
            ScenarioAction::StillRunning(_) => (StepKey::StillRunning, None),
        };
        StepAction { key, text: self.line.clone(), background }
    }
}

impl Progress<'_> {
    /// It as an event.
    pub fn event(self) -> ScenarioEvent {
        match self {
            Self::StepStarted { index, line } => ScenarioEvent::StepStarted { index, line: line.to_owned() },
            Self::StepFinished { index, report } => ScenarioEvent::StepFinished {
                index,
                line: report.line.clone(),
                seen: report.summary.clone(),
                exit: report.exit,
                problems: report.problems.clone(),
            },
            Self::Delayed { reason } => ScenarioEvent::Delayed { why: reason.to_owned() },
        }
    }
}

impl Report {
    /// How it ended.
    pub fn end(&self) -> End {
        let left = self.left.iter().map(|left| format!("left: {left}"));
        End { result: self.result, problems: self.problems.iter().cloned().chain(left).collect() }
    }
}
