//! The playbill: the scenario cards on offer, and the one that is played, as the journal tells of it.
//!
//! What a card is and how it is played is the engine's business. Here is only what a spectator sees:
//! the steps with what is expected of each, and what came of those that are over.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A card on offer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// Its name, as in `play NAME`.
    pub name: String,
    /// One line that tells what happens.
    pub title: String,
    /// What it shows.
    pub shows: String,
    /// It can harm a real engine, or whatever else runs on it.
    pub dangerous: bool,
    /// It takes long.
    pub slow: bool,
    /// It is the user's, and not a shipped one.
    pub own: bool,
    /// Why it cannot be played: what is wrong in its file, and where.
    pub problem: Option<String>,
}

/// What is on offer, and what is played.
#[derive(Clone, Debug, Default)]
pub struct Playbill {
    /// The cards, in their order.
    pub offers: Arc<[Offer]>,
    /// Whether a dangerous card could harm something that is not made for it.
    pub is_real: bool,
    /// The latest play.
    pub play: Option<Arc<Play>>,
    /// What the player has to follow; none while no card is asked for that is not over.
    pub cue: Option<Cue>,
}

/// What the player of a card has to follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cue {
    /// The card.
    pub card: String,
    /// Whether it may do harm.
    pub dangerous: bool,
    /// How many of its steps may begin.
    pub allowed: usize,
    /// Whether it shall come to its end.
    pub stopped: bool,
}

/// A card as it is played.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Play {
    /// The card's name.
    pub card: String,
    /// Its title.
    pub title: String,
    /// What it is played on, in words.
    pub engine: String,
    /// Its steps, in order.
    pub scenes: Vec<Scene>,
    /// Why nothing happens now, where the engine lets all wait.
    pub delay: Option<String>,
    /// How it ended, if it has.
    pub end: Option<End>,
}

/// One step as it is seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scene {
    /// What is announced.
    pub plan: Plan,
    /// How far it is.
    pub state: SceneState,
    /// The line that says most of what was seen.
    pub seen: String,
    /// What did not come as expected.
    pub problems: Vec<String>,
}

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SceneState {
    /// It is still to come.
    Ahead,
    /// It is being played.
    Running,
    /// It came as expected.
    Held,
    /// It did not.
    Broken,
}

/// What is announced of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What is done: `$ docker …` or `: arm …`, ready to be typed, or a wait.
    pub line: String,
    /// A remark for the audience.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub say: Option<String>,
    /// What must come of it, in words.
    pub expected: String,
}

/// How a play ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Whether all came as expected.
    pub verdict: Verdict,
    /// What did not, over all steps, or why it was not played.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

/// Whether the prediction came true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// All that was expected was seen.
    Held,
    /// Something else was seen.
    Failed,
    /// It was not played.
    Skipped,
    /// Somebody ended it before its end.
    Stopped,
}

impl Verdict {
    /// It in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Held => "all of it held",
            Self::Failed => "it did not hold",
            Self::Skipped => "it was not played",
            Self::Stopped => "it was stopped",
        }
    }
}

/// What is noted of a play.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum PlayEvent {
    /// A card is played.
    Begun {
        /// Its name.
        card: String,
        /// Its title.
        title: String,
        /// What it is played on, in words.
        engine: String,
        /// Its steps.
        steps: Vec<Plan>,
    },
    /// A step begins.
    Step {
        /// Its place, from 0.
        index: usize,
        /// What is done.
        line: String,
    },
    /// A step is over.
    Seen {
        /// Its place, from 0.
        index: usize,
        /// What was done.
        line: String,
        /// The line that says most of what was seen.
        seen: String,
        /// What did not come as expected; nothing if it held.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        problems: Vec<String>,
    },
    /// The engine lets all wait.
    Delayed {
        /// Why, as far as can be told.
        why: String,
    },
    /// The play is over.
    Ended {
        /// The card's name.
        card: String,
        /// How.
        #[serde(flatten)]
        end: End,
    },
}

impl PlayEvent {
    /// All that it says.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Self::Begun { card, title, engine, steps } => {
                let steps = steps.iter().flat_map(|Plan { line, say, expected }| {
                    say.iter().chain([line, expected]).filter(|text| !text.is_empty())
                });
                [card, title, engine].into_iter().chain(steps).map(String::as_str).collect()
            }
            Self::Step { line: text, .. } | Self::Delayed { why: text } => vec![text],
            Self::Seen { line, seen, problems, .. } => {
                [line, seen].into_iter().chain(problems).map(String::as_str).collect()
            }
            Self::Ended { card, end } => [card.as_str(), end.verdict.words()]
                .into_iter()
                .chain(end.problems.iter().map(String::as_str))
                .collect(),
        }
    }

    /// About how many bytes of memory it holds.
    pub fn weight(&self) -> usize {
        size_of::<Self>()
            + self.texts().into_iter().map(|text| text.len() + size_of::<String>() + 16).sum::<usize>()
    }
}

impl Cue {
    /// Whether the next step waits for somebody to say `next` or `go`.
    pub fn is_paused(&self) -> bool {
        self.allowed != usize::MAX
    }
}

impl Playbill {
    /// The card that is asked for and not over.
    pub fn under_way(&self) -> Option<&str> {
        self.cue.as_ref().map(|cue| cue.card.as_str())
    }

    /// A card on offer.
    pub fn offer(&self, name: &str) -> Option<&Offer> {
        self.offers.iter().find(|offer| offer.name == name)
    }

    /// Whether a card can harm something that is not made for it.
    pub fn can_harm(&self, name: &str) -> bool {
        self.is_real && self.offer(name).is_some_and(|offer| offer.dangerous)
    }

    /// Follows what the journal notes.
    pub fn apply(&mut self, event: &PlayEvent) {
        match event {
            PlayEvent::Begun { card, title, engine, steps } => {
                let scene = |plan: &Plan| Scene {
                    plan: plan.clone(),
                    state: SceneState::Ahead,
                    seen: String::new(),
                    problems: Vec::new(),
                };
                self.play = Some(Arc::new(Play {
                    card: card.clone(),
                    title: title.clone(),
                    engine: engine.clone(),
                    scenes: steps.iter().map(scene).collect(),
                    delay: None,
                    end: None,
                }));
            }
            PlayEvent::Step { index, .. } => {
                self.delay(None);
                self.change(*index, |scene| scene.state = SceneState::Running);
            }
            PlayEvent::Delayed { why } => self.delay(Some(why.clone())),
            PlayEvent::Seen { index, seen, problems, .. } => self.change(*index, |scene| {
                scene.state = if problems.is_empty() { SceneState::Held } else { SceneState::Broken };
                scene.seen.clone_from(seen);
                scene.problems.clone_from(problems);
            }),
            PlayEvent::Ended { card, end } => {
                let play = self.play.take().filter(|play| play.card == *card && play.end.is_none());
                // One that cannot be read ends before anything is announced.
                let mut play =
                    play.unwrap_or_else(|| Arc::new(Play { card: card.clone(), ..Play::default() }));
                let over = Arc::make_mut(&mut play);
                (over.delay, over.end) = (None, Some(end.clone()));
                self.play = Some(play);
                self.cue = None;
            }
        }
    }

    fn delay(&mut self, why: Option<String>) {
        if let Some(play) = self.play.as_mut().filter(|play| play.delay != why) {
            Arc::make_mut(play).delay = why;
        }
    }

    fn change(&mut self, index: usize, change: impl FnOnce(&mut Scene)) {
        if let Some(scene) = self.play.as_mut().and_then(|play| Arc::make_mut(play).scenes.get_mut(index)) {
            change(scene);
        }
    }
}

impl Play {
    /// How many steps have begun.
    pub fn begun(&self) -> usize {
        self.scenes.iter().filter(|scene| scene.state != SceneState::Ahead).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(line: &str) -> Plan {
        Plan { line: line.into(), say: None, expected: "success".into() }
    }

    #[test]
    fn each_step_turns_from_expected_to_held_or_not() {
        let mut bill = Playbill::default();
        let states = |bill: &Playbill| {
            let play = bill.play.as_ref().expect("a play");
            play.scenes.iter().map(|scene| scene.state).collect::<Vec<_>>()
        };
        let seen = |index, problems: &[&str]| PlayEvent::Seen {
            index,
            line: String::new(),
            seen: "seen".into(),
            problems: problems.iter().map(|&problem| problem.into()).collect(),
        };
        let (card, title, engine) = ("c".to_owned(), String::new(), String::new());
        let steps = vec![plan("$ docker volume ls"), plan(": up")];
        bill.apply(&PlayEvent::Begun { card: card.clone(), title, engine, steps });
        assert_eq!(states(&bill), [SceneState::Ahead, SceneState::Ahead]);
        bill.apply(&PlayEvent::Step { index: 0, line: String::new() });
        assert_eq!(states(&bill), [SceneState::Running, SceneState::Ahead]);
        bill.apply(&seen(0, &[]));
        bill.apply(&seen(1, &["it failed"]));
        assert_eq!(states(&bill), [SceneState::Held, SceneState::Broken]);
        // A step that was never announced changes nothing.
        bill.apply(&seen(7, &[]));
        bill.apply(&PlayEvent::Ended { card, end: End { verdict: Verdict::Failed, problems: Vec::new() } });
        assert_eq!(bill.play.and_then(|play| play.end.clone()).map(|end| end.verdict), Some(Verdict::Failed));
    }

    #[test]
    fn an_event_is_read_back_from_its_line() {
        let end = End { verdict: Verdict::Skipped, problems: vec!["the driver is down".into()] };
        let event = PlayEvent::Ended { card: "list".into(), end };
        let line = serde_json::to_string(&event).expect("it is JSON");
        assert_eq!(
            line,
            r#"{"event":"ended","card":"list","verdict":"skipped","problems":["the driver is down"]}"#
        );
        assert_eq!(serde_json::from_str::<PlayEvent>(&line).expect("it is read"), event);
    }
}
