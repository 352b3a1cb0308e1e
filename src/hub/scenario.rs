//! Scenarios and the speed of the demo, between users and the player.
//!
//! `play`, `pause`, `next` and `stop` are commands as all others are; the player follows the [`PlayRequest`], as the
//! server follows the desired status of the driver. What it does comes back as entries.

use tokio::sync::watch;

use super::{CommandFailed, Hub, Inner};
use crate::domain::{
    lang::{
        command::{Command, ScenarioControl},
        suggest::did_you_mean,
    },
    model::{
        scenario::{PlayRequest, ScenarioCatalog, ScenarioRun},
        speed::{DemoSpeed, SpeedChange},
    },
    rules::RuleState,
};

impl Hub {
    /// Says which scenarios can be played here. A player has to follow [`Hub::play_requests`].
    pub fn set_catalog(&self, catalog: ScenarioCatalog) {
        self.locked.lock().catalog = catalog;
        self.changes.send();
    }

    /// What the player has to do; none while nothing is to be played.
    pub fn play_requests(&self) -> watch::Receiver<Option<PlayRequest>> {
        self.play_requests.subscribe()
    }

    /// The speed of the demo; none where there is no demo.
    pub fn speeds(&self) -> watch::Receiver<Option<DemoSpeed>> {
        self.speeds.subscribe()
    }
}

/// What commands do to scenarios, in words, or why they cannot.
impl Inner {
    pub(super) fn quit_result(&self) -> String {
        match &self.state.scenario().play_request {
            Some(play_request) if !self.state.quits_after_scenario() => {
                format!("quitting after the cleanup of {}; quit again to skip it", play_request.scenario)
            }
            _ => "quitting".into(),
        }
    }

    pub(super) fn speed_result(&self, change: SpeedChange) -> Result<String, CommandFailed> {
        let speed = self.state.speed().ok_or(CommandFailed::NoDemo)?.changed(change);
        Ok(if speed.paused {
            "demo paused; calls in flight finish".into()
        } else if let Some(scenario) = self.state.scenario().under_way() {
            format!("demo speed {speed} after {scenario} has finished")
        } else {
            format!("demo speed {speed}")
        })
    }

    pub(super) fn play_result(
        &self,
        name: &str,
        stepwise: bool,
        dangerous: bool,
    ) -> Result<String, CommandFailed> {
        let catalog = &self.catalog;
        if catalog.scenarios.is_empty() {
            return Err(CommandFailed::NoScenarios);
        }
        let scenario = catalog.get(name);
        if let Some(problem) = scenario.and_then(|scenario| scenario.problem.clone()) {
            return Err(CommandFailed::InvalidScenario(problem));
        }
        if scenario.is_none() {
            let names = catalog.scenarios.iter().map(|scenario| scenario.name.as_str());
            return Err(CommandFailed::UnknownScenario {
                name: name.to_owned(),
                meant: did_you_mean(name, names),
            });
        }
        if let Some(scenario) = self.state.scenario().under_way() {
            return Err(CommandFailed::Busy(scenario.to_owned()));
        }
        if self.state.rules().iter().any(|rule| rule.state == RuleState::Armed) {
            return Err(CommandFailed::RulesArmed);
        }
        if catalog.can_harm(name) && !dangerous {
            let confirmed = Command::Play { scenario: name.to_owned(), stepwise, dangerous: true };
            return Err(CommandFailed::Dangerous(confirmed.to_string()));
        }
        let steps = if stepwise { "; each step waits for `play next`" } else { "" };
        Ok(format!("{name} started{steps}"))
    }

    pub(super) fn control_result(&self, control: ScenarioControl) -> Result<String, CommandFailed> {
        let scenario = self.state.scenario();
        let play_request = scenario.play_request.as_ref().ok_or(CommandFailed::NothingPlayed)?;
        let run = scenario.latest_run.as_deref();
        // Some steps begin without permission, and the one after the last is the clean-up.
        let are_all_allowed = |run: &ScenarioRun| {
            let last = run.steps.len() + usize::from(run.steps_ended());
            play_request.is_paused() && play_request.allowed.max(run.begun()) >= last
        };
        let text = match control {
            ScenarioControl::Next if run.is_some_and(are_all_allowed) => {
                return Err(CommandFailed::NoStepLeft);
            }
            ScenarioControl::Next if run.is_some_and(ScenarioRun::waits_for_cleanup) => {
                "removing what the scenario created"
            }
            ScenarioControl::Pause => "paused; `play next` runs one step, `play continue` the rest",
            ScenarioControl::Next => "one more step",
            ScenarioControl::Continue => "continuing",
            ScenarioControl::Stop => "stopping and cleaning up",
        };
        Ok(text.into())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        domain::{
            model::{
                entry::{EntryKind, Session},
                scenario::{End, ScenarioEvent, ScenarioInfo, ScenarioResult, StepSpec},
                volume::Volumes,
            },
            state::journal::Bounds,
        },
        hub::{
            InMemoryStore,
            tests::{refused, run},
        },
    };

    /// A hub with a scenario service, on an engine that a dangerous scenario can harm or not.
    fn hub_with_player(is_real: bool) -> Arc<Hub> {
        let scenario =
            |name: &str, dangerous| ScenarioInfo { name: name.into(), dangerous, ..ScenarioInfo::default() };
        let hub = Hub::for_tests();
        let scenarios = [scenario("list", false), scenario("null-entry", true)].into();
        hub.set_catalog(ScenarioCatalog { scenarios, is_real });
        hub
    }

    fn note(hub: &Hub, event: ScenarioEvent) {
        hub.record(EntryKind::Scenario(Box::new(event)));
    }

    fn begin(hub: &Hub, steps: usize) {
        let plan = StepSpec {
            line: "$ docker volume ls".into(),
            say: None,
            expected: "success".into(),
            action: None,
        };
        let (scenario, title, engine) = ("list".to_owned(), String::new(), String::new());
        note(
            hub,
            ScenarioEvent::Started { scenario, title, engine, needs: Vec::new(), steps: vec![plan; steps] },
        );
    }

    fn end(hub: &Hub) {
        let end = End { result: ScenarioResult::Stopped, problems: Vec::new() };
        note(hub, ScenarioEvent::Finished { scenario: "list".into(), end });
    }

    fn play_request(hub: &Hub) -> PlayRequest {
        hub.play_requests().borrow().clone().expect("a scenario is requested")
    }

    #[test]
    fn what_cannot_be_played_now_is_refused_with_the_way_out() {
        assert_eq!(
            refused(&Hub::for_tests(), "play list"),
            "this instance plays no scenarios; use voltergeist play"
        );
        let real = hub_with_player(true);
        for (line, why) in [
            ("play lsit", "unknown scenario \"lsit\", did you mean \"list\"?; Tab after play lists them"),
            (
                "play null-entry --step",
                "this scenario can harm the engine or its containers; to play it anyway: play null-entry --step --dangerous",
            ),
            ("play next", "no scenario is running; start one with play SCENARIO"),
            ("play stop", "no scenario is running; start one with play SCENARIO"),
        ] {
            assert_eq!(refused(&real, line), why);
        }
        run(&real, "arm get: empty");
        assert!(refused(&real, "play list").contains("run disarm all first"));
        run(&real, "disarm all");
        assert_eq!(real.play_requests().borrow().clone(), None, "nothing was begun");

        run(&real, "play list");
        for line in ["play list", "play null-entry --dangerous", "reset"] {
            assert_eq!(refused(&real, line), "list is running; wait for its end, or run play stop");
        }
        end(&real);
        run(&real, "play null-entry --dangerous");
        run(&hub_with_player(false), "play null-entry");
    }

    #[test]
    fn the_service_learns_how_many_steps_may_begin() {
        let hub = hub_with_player(false);
        run(&hub, "play list --step");
        begin(&hub, 4);
        let mut index = 0;
        let mut step = || {
            note(&hub, ScenarioEvent::StepStarted { index, line: String::new() });
            index += 1;
        };
        let allowed = |line: &str| {
            run(&hub, line);
            (play_request(&hub).allowed, play_request(&hub).is_paused())
        };
        assert_eq!(play_request(&hub).allowed, 0);
        assert_eq!(allowed("play next"), (1, true));
        step();
        assert_eq!(allowed("play next"), (2, true));
        assert_eq!(allowed("play next"), (3, true), "two presses are two steps");
        assert_eq!(allowed("play continue"), (usize::MAX, false));
        step();
        step();
        assert_eq!(allowed("play pause"), (3, true), "those that have begun come to their end");
        assert_eq!(allowed("play next"), (4, true));
        assert!(!play_request(&hub).stopped);
        run(&hub, "play stop");
        assert!(play_request(&hub).stopped);
    }

    #[test]
    fn each_press_is_a_step_or_is_refused_and_none_cleans_up_before_the_last_step_has_ended() {
        let ended = |index, problems: &[&str]| ScenarioEvent::StepFinished {
            index,
            line: String::new(),
            exit: None,
            seen: String::new(),
            problems: problems.iter().map(|&problem| problem.into()).collect(),
        };
        let started = |index| ScenarioEvent::StepStarted { index, line: String::new() };
        for fails in [false, true] {
            let hub = hub_with_player(false);
            let allowed = || play_request(&hub).allowed;
            run(&hub, "play list --step");
            for _ in 0..5 {
                run(&hub, "play next");
            }
            begin(&hub, 3);
            assert_eq!(allowed(), 3, "before the number of steps was known");
            let no_step =
                "no step is left; when the last one has ended, one more removes what the scenario created";
            assert_eq!(refused(&hub, "play next"), no_step);
            note(&hub, started(0));
            note(&hub, ended(0, if fails { &["it failed"] } else { &[] }));
            for index in if fails { 0..0 } else { 1..3 } {
                assert_eq!(refused(&hub, "play next"), no_step);
                note(&hub, started(index));
                note(&hub, ended(index, &[]));
            }
            assert_eq!(allowed(), 3, "the clean-up waits");
            assert_eq!(run(&hub, "play next"), "removing what the scenario created");
            assert_eq!(allowed(), 4);
            assert_eq!(refused(&hub, "play next"), no_step);
        }
    }

    #[test]
    fn a_scenario_that_cannot_be_read_is_refused_with_the_place_of_its_error() {
        let hub = Hub::for_tests();
        let problem = Some("mine.toml:3: step: unknown key".to_owned());
        let broken = ScenarioInfo { name: "mine".into(), problem, ..ScenarioInfo::default() };
        hub.set_catalog(ScenarioCatalog { scenarios: [broken].into(), is_real: false });
        assert_eq!(refused(&hub, "play mine"), "mine.toml:3: step: unknown key");
        assert_eq!(hub.play_requests().borrow().clone(), None);
    }

    #[test]
    fn quit_waits_until_what_the_scenario_created_is_removed() {
        let hub = hub_with_player(false);
        run(&hub, "play list");
        run(&hub, "quit");
        assert!(play_request(&hub).stopped && !hub.desired_state().quitting);
        end(&hub);
        assert!(hub.desired_state().quitting);

        let impatient = hub_with_player(false);
        run(&impatient, "play list");
        run(&impatient, "quit");
        run(&impatient, "quit");
        assert!(impatient.desired_state().quitting);
    }

    #[test]
    fn only_a_demo_has_a_pace() {
        let hub = Hub::for_tests();
        for line in ["speed 2", "speed pause", "speed continue"] {
            assert!(refused(&hub, line).starts_with("only `voltergeist demo` has a speed"), "{line}");
        }
        let session = Session::new(7, Volumes::default()).with_speed(Some(DemoSpeed::default()));
        let hub = Hub::new(session, Box::new(InMemoryStore), Bounds::default());
        let mut speeds = hub.speeds();
        for (line, effect, times, paused) in [
            ("speed 4", "demo speed 4x", 4.0, false),
            ("speed pause", "demo paused; calls in flight finish", 4.0, true),
            ("speed continue", "demo speed 4x", 4.0, false),
        ] {
            assert_eq!(run(&hub, line), effect);
            assert_eq!(*speeds.borrow_and_update(), Some(DemoSpeed { times, paused }));
            assert_eq!(hub.snapshot().speed, Some(DemoSpeed { times, paused }));
        }
    }
}
