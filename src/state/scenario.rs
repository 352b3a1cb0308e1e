//! The stage: scenario cards and the demo's pace, between whoever directs and whoever plays.
//!
//! `play`, `pause`, `next` and `stop` are commands as all others are; the player follows their [`RunRequest`] as
//! the server follows its orders. What it plays comes back as entries of the journal.

use tokio::sync::watch;

use super::{CommandFailed, Hub, State};
use crate::domain::{
    lang::{
        command::{Command, ScenarioControl},
        suggest::did_you_mean,
    },
    model::{
        scenario::{RunRequest, ScenarioEvent, ScenarioInfo},
        speed::{DemoSpeed, SpeedChange},
    },
    rules::RuleState,
};

impl Hub {
    /// Offers cards to be played. Whoever does plays them, as [`Hub::run_requests`] say. `is_real` says that a dangerous
    /// card could harm something that is not made for it.
    pub fn offer(&self, catalog: Vec<ScenarioInfo>, is_real: bool) {
        let mut state = self.state.lock();
        state.scenarios.catalog = catalog.into();
        state.scenarios.is_real = is_real;
        drop(state);
        self.wake();
    }

    /// What the player has to follow; none while nothing is to be played.
    pub fn run_requests(&self) -> watch::Receiver<Option<RunRequest>> {
        self.run_requests.subscribe()
    }

    /// Lets the pace be changed. Whoever does follows [`Hub::speeds`].
    pub fn set_speed(&self, speed: DemoSpeed) {
        self.state.lock().speed = Some(speed);
        self.speeds.send_replace(Some(speed));
        self.wake();
    }

    /// How fast the demo's life shall go; none where there is no demo.
    pub fn speeds(&self) -> watch::Receiver<Option<DemoSpeed>> {
        self.speeds.subscribe()
    }

    /// Tells the player and the demo what has changed for them.
    pub(super) fn run_request(&self, state: &State) {
        let set = |now: &mut Option<RunRequest>| {
            let changed = *now != state.scenarios.run_request;
            now.clone_from(&state.scenarios.run_request);
            changed
        };
        self.run_requests.send_if_modified(set);
        self.speeds.send_if_modified(|now| {
            let changed = *now != state.speed;
            *now = state.speed;
            changed
        });
    }
}

impl State {
    /// Follows what is played.
    pub(super) fn played(&mut self, event: &ScenarioEvent) {
        self.scenarios.apply(event);
        if let ScenarioEvent::Finished { .. } = event {
            self.reachable.quitting |= self.quits_after_play;
        }
    }

    /// Puts the end off until what is played is over, since what it has made can be removed only while the driver answers.
    pub(super) fn quit(&mut self) -> String {
        match &mut self.scenarios.run_request {
            // Whoever says it twice cannot wait.
            Some(run_request) if !self.quits_after_play => {
                run_request.stopped = true;
                self.quits_after_play = true;
                format!(
                    "goodbye, when what {} has made is removed; quit again cannot wait for that",
                    run_request.scenario
                )
            }
            _ => {
                self.reachable.quitting = true;
                "goodbye".into()
            }
        }
    }

    pub(super) fn set_speed(&mut self, change: SpeedChange) -> Result<String, CommandFailed> {
        let speed = self.speed.as_mut().ok_or(CommandFailed::NoDemo)?;
        *speed = speed.changed(change);
        Ok(if speed.paused {
            "the demo stands still; what is under way goes on".into()
        } else if let Some(scenario) = self.scenarios.under_way() {
            format!("the demo lives at {speed} its usual pace, when {scenario} is over")
        } else {
            format!("the demo lives at {speed} its usual pace")
        })
    }

    pub(super) fn play(
        &mut self,
        scenario: &str,
        stepwise: bool,
        dangerous: bool,
    ) -> Result<String, CommandFailed> {
        self.may_play(scenario, stepwise, dangerous)?;
        let allowed = if stepwise { 0 } else { usize::MAX };
        let run_request = RunRequest { scenario: scenario.to_owned(), dangerous, allowed, stopped: false };
        (self.scenarios.run_request, self.scenarios.play) = (Some(run_request), None);
        let steps = if stepwise { "; each step waits for play next" } else { "" };
        Ok(format!("{scenario} is played{steps}"))
    }

    pub(super) fn direct(&mut self, direction: ScenarioControl) -> Result<String, CommandFailed> {
        let begun = self.scenarios.play.as_ref().map_or(0, |play| play.begun());
        let run_request = self.scenarios.run_request.as_mut().ok_or(CommandFailed::NothingPlayed)?;
        let text = match direction {
            ScenarioControl::Pause => {
                run_request.allowed = begun;
                "no step begins until play next or play continue"
            }
            ScenarioControl::Next => {
                run_request.allowed =
                    if run_request.is_paused() { run_request.allowed.max(begun) } else { begun } + 1;
                "one more step"
            }
            ScenarioControl::Continue => {
                run_request.allowed = usize::MAX;
                "it goes on"
            }
            ScenarioControl::Stop => {
                run_request.stopped = true;
                "it ends, and what it has made is removed"
            }
        };
        Ok(text.into())
    }

    /// Whether a card can be played now.
    fn may_play(&self, name: &str, stepwise: bool, dangerous: bool) -> Result<(), CommandFailed> {
        let bill = &self.scenarios;
        if bill.catalog.is_empty() {
            return Err(CommandFailed::NoPlayer);
        }
        let Some(offer) = bill.offer(name) else {
            let names = bill.catalog.iter().map(|offer| offer.name.as_str());
            return Err(CommandFailed::NoCard { name: name.to_owned(), meant: did_you_mean(name, names) });
        };
        if let Some(scenario) = bill.under_way() {
            return Err(CommandFailed::Busy(scenario.to_owned()));
        }
        if self.rules.iter().any(|rule| rule.state == RuleState::Armed) {
            return Err(CommandFailed::RulesArmed);
        }
        if offer.dangerous && bill.is_real && !dangerous {
            let meant = Command::Play { scenario: name.to_owned(), stepwise, dangerous: true };
            return Err(CommandFailed::Dangerous(meant.to_string()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        domain::{
            model::{
                entry::EntryKind,
                scenario::{End, ScenarioResult, StepSpec},
                volume::Volumes,
            },
            state::journal::Bounds,
        },
        state::{InMemoryStore, Window},
    };

    fn hub() -> Arc<Hub> {
        Hub::new(7, Volumes::default(), Box::new(InMemoryStore), Bounds::default())
    }

    /// A hub with somebody who plays, on an engine that a dangerous card can harm or not.
    fn stage(is_real: bool) -> Arc<Hub> {
        let offer =
            |name: &str, dangerous| ScenarioInfo { name: name.into(), dangerous, ..ScenarioInfo::default() };
        let hub = hub();
        hub.offer(vec![offer("list", false), offer("null-entry", true)], is_real);
        hub
    }

    fn run(hub: &Hub, line: &str) -> String {
        hub.command_line(line).unwrap_or_else(|error| panic!("{line}: {error}")).text
    }

    fn refused(hub: &Hub, line: &str) -> String {
        hub.command_line(line).expect_err(line).to_string()
    }

    fn note(hub: &Hub, event: ScenarioEvent) {
        hub.record(EntryKind::Scenario(Box::new(event)));
    }

    fn begin(hub: &Hub, steps: usize) {
        let plan = StepSpec { line: "$ docker volume ls".into(), say: None, expected: "success".into() };
        let (scenario, title, engine) = ("list".to_owned(), String::new(), String::new());
        note(hub, ScenarioEvent::Started { scenario, title, engine, steps: vec![plan; steps] });
    }

    fn end(hub: &Hub) {
        let end = End { result: ScenarioResult::Stopped, problems: Vec::new() };
        note(hub, ScenarioEvent::Finished { scenario: "list".into(), end });
    }

    fn run_request(hub: &Hub) -> RunRequest {
        hub.run_requests().borrow().clone().expect("a card is to be played")
    }

    #[test]
    fn what_cannot_be_played_now_is_refused_with_the_way_out() {
        assert_eq!(refused(&hub(), "play list"), "no cards are played here; voltergeist play plays them");
        let real = stage(true);
        for (line, why) in [
            (
                "play lsit",
                "there is no card \"lsit\", did you mean \"list\"?; play with Tab completes their names",
            ),
            (
                "play null-entry --step",
                "only as `play null-entry --step --dangerous`: this card can harm the engine, or what else runs on it",
            ),
            ("play next", "no card is being played; play CARD begins one"),
            ("play stop", "no card is being played; play CARD begins one"),
        ] {
            assert_eq!(refused(&real, line), why);
        }
        run(&real, "arm get: empty");
        assert!(refused(&real, "play list").contains("disarm all, then play"));
        run(&real, "disarm all");
        assert_eq!(real.run_requests().borrow().clone(), None, "nothing was begun");

        run(&real, "play list");
        for line in ["play list", "play null-entry --dangerous", "reset"] {
            assert_eq!(refused(&real, line), "list is being played; wait for its end, or play stop");
        }
        end(&real);
        run(&real, "play null-entry --dangerous");
        run(&stage(false), "play null-entry");
    }

    #[test]
    fn the_player_is_told_how_many_steps_may_begin() {
        let hub = stage(false);
        run(&hub, "play list --step");
        begin(&hub, 4);
        let mut index = 0;
        let mut step = || {
            note(&hub, ScenarioEvent::StepStarted { index, line: String::new() });
            index += 1;
        };
        let allowed = |line: &str| {
            run(&hub, line);
            (run_request(&hub).allowed, run_request(&hub).is_paused())
        };
        assert_eq!(run_request(&hub).allowed, 0);
        assert_eq!(allowed("play next"), (1, true));
        step();
        assert_eq!(allowed("play next"), (2, true));
        assert_eq!(allowed("play next"), (3, true), "two presses are two steps");
        assert_eq!(allowed("play continue"), (usize::MAX, false));
        step();
        step();
        assert_eq!(allowed("play pause"), (3, true), "those that have begun come to their end");
        assert_eq!(allowed("play next"), (4, true));
        assert!(!run_request(&hub).stopped);
        run(&hub, "play stop");
        assert!(run_request(&hub).stopped);
    }

    #[test]
    fn quit_waits_until_what_the_card_has_made_is_removed() {
        let hub = stage(false);
        run(&hub, "play list");
        run(&hub, "quit");
        assert!(run_request(&hub).stopped && !hub.driver_state().quitting);
        end(&hub);
        assert!(hub.driver_state().quitting);

        let impatient = stage(false);
        run(&impatient, "play list");
        run(&impatient, "quit");
        run(&impatient, "quit");
        assert!(impatient.driver_state().quitting);
    }

    #[test]
    fn only_a_demo_has_a_pace() {
        let hub = hub();
        for line in ["speed 2", "speed pause", "speed continue"] {
            assert!(refused(&hub, line).starts_with("there is nothing to pace here"), "{line}");
        }
        hub.set_speed(DemoSpeed::default());
        let mut speeds = hub.speeds();
        for (line, told, times, paused) in [
            ("speed 4", "the demo lives at 4x its usual pace", 4.0, false),
            ("speed pause", "the demo stands still; what is under way goes on", 4.0, true),
            ("speed continue", "the demo lives at 4x its usual pace", 4.0, false),
        ] {
            assert_eq!(run(&hub, line), told);
            assert_eq!(*speeds.borrow_and_update(), Some(DemoSpeed { times, paused }));
            assert_eq!(hub.snapshot(&Window::default()).speed, Some(DemoSpeed { times, paused }));
        }
    }
}
