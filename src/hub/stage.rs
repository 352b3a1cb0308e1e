//! The stage: scenario cards and the demo's pace, between whoever directs and whoever plays.
//!
//! `play`, `pause`, `next` and `stop` are commands as all others are; the player follows their [`Cue`] as
//! the server follows its orders. What it plays comes back as entries of the journal.

use tokio::sync::watch;

use super::{CommandFailed, Hub, State};
use crate::domain::{
    command::{Command, Direction},
    fault::RuleState,
    pace::{Pace, PaceChange},
    playbill::{Cue, Offer, PlayEvent},
    suggest::did_you_mean,
};

impl Hub {
    /// Offers cards to be played. Whoever does plays them, as [`Hub::cues`] say. `is_real` says that a dangerous
    /// card could harm something that is not made for it.
    pub fn offer(&self, offers: Vec<Offer>, is_real: bool) {
        let mut state = self.state.lock();
        state.playbill.offers = offers.into();
        state.playbill.is_real = is_real;
        drop(state);
        self.wake();
    }

    /// What the player has to follow; none while nothing is to be played.
    pub fn cues(&self) -> watch::Receiver<Option<Cue>> {
        self.cues.subscribe()
    }

    /// Lets the pace be changed. Whoever does follows [`Hub::paces`].
    pub fn set_pace(&self, pace: Pace) {
        self.state.lock().pace = Some(pace);
        self.paces.send_replace(Some(pace));
        self.wake();
    }

    /// How fast the demo's life shall go; none where there is no demo.
    pub fn paces(&self) -> watch::Receiver<Option<Pace>> {
        self.paces.subscribe()
    }

    /// Tells the player and the demo what has changed for them.
    pub(super) fn cue(&self, state: &State) {
        let set = |now: &mut Option<Cue>| {
            let changed = *now != state.playbill.cue;
            now.clone_from(&state.playbill.cue);
            changed
        };
        self.cues.send_if_modified(set);
        self.paces.send_if_modified(|now| {
            let changed = *now != state.pace;
            *now = state.pace;
            changed
        });
    }
}

impl State {
    /// Follows what is played.
    pub(super) fn played(&mut self, event: &PlayEvent) {
        self.playbill.apply(event);
        if let PlayEvent::Ended { .. } = event {
            self.reachability.quitting |= self.quits_after_play;
        }
    }

    /// Puts the end off until what is played is over, since what it has made can be removed only while the driver answers.
    pub(super) fn quit(&mut self) -> String {
        match &mut self.playbill.cue {
            // Whoever says it twice cannot wait.
            Some(cue) if !self.quits_after_play => {
                cue.stopped = true;
                self.quits_after_play = true;
                format!(
                    "goodbye, when what {} has made is removed; quit again cannot wait for that",
                    cue.card
                )
            }
            _ => {
                self.reachability.quitting = true;
                "goodbye".into()
            }
        }
    }

    pub(super) fn set_pace(&mut self, change: PaceChange) -> Result<String, CommandFailed> {
        let pace = self.pace.as_mut().ok_or(CommandFailed::NoDemo)?;
        *pace = pace.changed(change);
        Ok(if pace.paused {
            "the demo stands still; what is under way goes on".into()
        } else if let Some(card) = self.playbill.under_way() {
            format!("the demo lives at {pace} its usual pace, when {card} is over")
        } else {
            format!("the demo lives at {pace} its usual pace")
        })
    }

    pub(super) fn play(
        &mut self,
        card: &str,
        stepwise: bool,
        dangerous: bool,
    ) -> Result<String, CommandFailed> {
        self.may_play(card, stepwise, dangerous)?;
        let allowed = if stepwise { 0 } else { usize::MAX };
        let cue = Cue { card: card.to_owned(), dangerous, allowed, stopped: false };
        (self.playbill.cue, self.playbill.play) = (Some(cue), None);
        let steps = if stepwise { "; each step waits for play next" } else { "" };
        Ok(format!("{card} is played{steps}"))
    }

    pub(super) fn direct(&mut self, direction: Direction) -> Result<String, CommandFailed> {
        let begun = self.playbill.play.as_ref().map_or(0, |play| play.begun());
        let cue = self.playbill.cue.as_mut().ok_or(CommandFailed::NothingPlayed)?;
        let text = match direction {
            Direction::Pause => {
                cue.allowed = begun;
                "no step begins until play next, or play go"
            }
            Direction::Next => {
                cue.allowed = if cue.is_paused() { cue.allowed.max(begun) } else { begun } + 1;
                "one more step"
            }
            Direction::Go => {
                cue.allowed = usize::MAX;
                "it goes on"
            }
            Direction::Stop => {
                cue.stopped = true;
                "it ends, and what it has made is removed"
            }
        };
        Ok(text.into())
    }

    /// Whether a card can be played now.
    fn may_play(&self, name: &str, stepwise: bool, dangerous: bool) -> Result<(), CommandFailed> {
        let bill = &self.playbill;
        if bill.offers.is_empty() {
            return Err(CommandFailed::NoPlayer);
        }
        let Some(offer) = bill.offer(name) else {
            let names = bill.offers.iter().map(|offer| offer.name.as_str());
            return Err(CommandFailed::NoCard { name: name.to_owned(), meant: did_you_mean(name, names) });
        };
        if let Some(card) = bill.under_way() {
            return Err(CommandFailed::Busy(card.to_owned()));
        }
        if self.rules.iter().any(|rule| rule.state == RuleState::Armed) {
            return Err(CommandFailed::Haunted);
        }
        if offer.dangerous && bill.is_real && !dangerous {
            let meant = Command::Play { card: name.to_owned(), stepwise, dangerous: true };
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
            entry::Kind,
            journal::Bounds,
            playbill::{End, Plan, Verdict},
            volume::Volumes,
        },
        hub::{NoStore, Window},
    };

    fn hub() -> Arc<Hub> {
        Hub::new(7, Volumes::default(), Box::new(NoStore), Bounds::default())
    }

    /// A hub with somebody who plays, on an engine that a dangerous card can harm or not.
    fn stage(is_real: bool) -> Arc<Hub> {
        let offer = |name: &str, dangerous| Offer { name: name.into(), dangerous, ..Offer::default() };
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

    fn note(hub: &Hub, event: PlayEvent) {
        hub.record(Kind::Play(Box::new(event)));
    }

    fn begin(hub: &Hub, steps: usize) {
        let plan = Plan { line: "$ docker volume ls".into(), say: None, expected: "success".into() };
        let (card, title, engine) = ("list".to_owned(), String::new(), String::new());
        note(hub, PlayEvent::Begun { card, title, engine, steps: vec![plan; steps] });
    }

    fn end(hub: &Hub) {
        let end = End { verdict: Verdict::Stopped, problems: Vec::new() };
        note(hub, PlayEvent::Ended { card: "list".into(), end });
    }

    fn cue(hub: &Hub) -> Cue {
        hub.cues().borrow().clone().expect("a card is to be played")
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
        assert_eq!(real.cues().borrow().clone(), None, "nothing was begun");

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
            note(&hub, PlayEvent::Step { index, line: String::new() });
            index += 1;
        };
        let allowed = |line: &str| {
            run(&hub, line);
            (cue(&hub).allowed, cue(&hub).is_paused())
        };
        assert_eq!(cue(&hub).allowed, 0);
        assert_eq!(allowed("play next"), (1, true));
        step();
        assert_eq!(allowed("play next"), (2, true));
        assert_eq!(allowed("play next"), (3, true), "two presses are two steps");
        assert_eq!(allowed("play go"), (usize::MAX, false));
        step();
        step();
        assert_eq!(allowed("play pause"), (3, true), "those that have begun come to their end");
        assert_eq!(allowed("play next"), (4, true));
        assert!(!cue(&hub).stopped);
        run(&hub, "play stop");
        assert!(cue(&hub).stopped);
    }

    #[test]
    fn quit_waits_until_what_the_card_has_made_is_removed() {
        let hub = stage(false);
        run(&hub, "play list");
        run(&hub, "quit");
        assert!(cue(&hub).stopped && !hub.reachability().quitting);
        end(&hub);
        assert!(hub.reachability().quitting);

        let impatient = stage(false);
        run(&impatient, "play list");
        run(&impatient, "quit");
        run(&impatient, "quit");
        assert!(impatient.reachability().quitting);
    }

    #[test]
    fn only_a_demo_has_a_pace() {
        let hub = hub();
        for line in ["pace 2", "pace pause", "pace go"] {
            assert!(refused(&hub, line).starts_with("there is nothing to pace here"), "{line}");
        }
        hub.set_pace(Pace::default());
        let mut paces = hub.paces();
        for (line, told, times, paused) in [
            ("pace 4", "the demo lives at 4x its usual pace", 4.0, false),
            ("pace pause", "the demo stands still; what is under way goes on", 4.0, true),
            ("pace go", "the demo lives at 4x its usual pace", 4.0, false),
        ] {
            assert_eq!(run(&hub, line), told);
            assert_eq!(*paces.borrow_and_update(), Some(Pace { times, paused }));
            assert_eq!(hub.glance(&Window::default()).pace, Some(Pace { times, paused }));
        }
    }
}
