//! How commands and events change what is played.

use super::State;
use crate::domain::{
    lang::command::ScenarioControl,
    model::scenario::{PlayRequest, ScenarioEvent, ScenarioRun},
};

impl State {
    pub(super) fn apply_scenario_event(&mut self, event: &ScenarioEvent) {
        self.scenario.apply(event);
        // More steps than there are may have been allowed before their number was known.
        if let (ScenarioEvent::Started { steps, .. }, Some(play_request)) =
            (event, &mut self.scenario.play_request)
            && play_request.is_paused()
        {
            play_request.allowed = play_request.allowed.min(steps.len());
        }
        if let ScenarioEvent::Finished { .. } = event {
            self.desired.quitting |= self.quits_after_scenario;
        }
    }

    pub(super) fn play(&mut self, scenario: &str, stepwise: bool, dangerous: bool) {
        let allowed = if stepwise { 0 } else { usize::MAX };
        let play_request = PlayRequest { scenario: scenario.to_owned(), dangerous, allowed, stopped: false };
        (self.scenario.play_request, self.scenario.latest_run) = (Some(play_request), None);
    }

    pub(super) fn control_scenario(&mut self, control: ScenarioControl) {
        let begun = self.scenario.begun();
        let run = self.scenario.latest_run.as_deref();
        let steps = run.map_or(usize::MAX - 1, |run| run.steps.len());
        let have_ended = run.is_some_and(ScenarioRun::steps_ended);
        let Some(play_request) = &mut self.scenario.play_request else { return };
        let allowed = if play_request.is_paused() { play_request.allowed.max(begun) } else { begun };
        match control {
            ScenarioControl::Pause => play_request.allowed = begun,
            // One more than there are steps lets the clean-up begin, and only after they have ended.
            ScenarioControl::Next if have_ended => play_request.allowed = allowed.max(steps) + 1,
            ScenarioControl::Next => play_request.allowed = (allowed + 1).min(steps),
            ScenarioControl::Continue => play_request.allowed = usize::MAX,
            ScenarioControl::Stop => play_request.stopped = true,
        }
    }

    /// The first `quit` waits for the end of a scenario, since what it made can be removed only while the driver
    /// answers. The second one does not wait.
    pub(super) fn quit(&mut self) {
        match &mut self.scenario.play_request {
            Some(play_request) if !self.quits_after_scenario => {
                play_request.stopped = true;
                self.quits_after_scenario = true;
            }
            _ => self.desired.quitting = true,
        }
    }
}
