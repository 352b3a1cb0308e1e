//! An armed rule: how far it has come, and what is left of it.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::Serialize;

use super::{
    action::{Action, Phase},
    draw::{Purpose, draw},
    format,
    lifetime::Lifetime,
    rule::Rule,
    selector::RequestContext,
    trigger::Probability,
};
use crate::domain::model::entry::AppliedFault;

/// What is to be done to a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Injection {
    /// Which rule, and its action in words.
    pub fault: AppliedFault,
    /// The action. What chance has a part in is drawn already: a delay's two ends are equal.
    pub action: Action,
    /// Where the driver's own work stands to it.
    pub phase: Phase,
}

/// A rule in the book, from its arming until it is disarmed or replaced.
#[derive(Clone, Debug, Serialize)]
pub struct Armed {
    /// Its number: 1 for the first ever armed.
    pub id: u32,
    /// The name by which it can be disarmed.
    pub label: Option<Arc<str>>,
    /// The rule, printed.
    #[serde(rename = "rule")]
    pub text: Arc<str>,
    /// Whether it still acts.
    pub state: RuleState,
    /// How many calls it was held against: those that it is about and that no rule before it took.
    pub evaluated: u64,
    /// How many it did something to. A `pass` is nothing.
    pub fired: u64,
    /// What is left of it.
    pub remaining: Remaining,
    /// How many calls it keeps waiting. The hub counts them.
    pub held: usize,
    /// When it was armed.
    pub since: Timestamp,
    #[serde(skip)]
    rule: Arc<Rule>,
    /// What the steps of its chain do, in words.
    #[serde(skip)]
    action_texts: Arc<[Arc<str>]>,
    /// How many calls its chance has hit: what its trigger counts.
    #[serde(skip)]
    counted: u64,
    /// How many calls it took, those included that it let pass: what its chain and its lifetime count.
    #[serde(skip)]
    taken: u64,
}

/// Whether a rule acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleState {
    /// It does.
    Armed,
    /// It has taken as many calls as it may. What it holds stays held.
    Spent,
    /// Its time is over, and it has let go what it held.
    Expired,
}

/// What is left of a rule. Nothing is said where there is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Remaining {
    /// How many calls more it may take.
    pub fires: Option<u64>,
    /// When its time is over.
    pub until: Option<Timestamp>,
}

impl Armed {
    /// A rule at the moment of its arming. It lasts as long as it says, or else as long as `lasting`.
    pub(super) fn new(
        id: u32,
        label: Option<&str>,
        rule: Rule,
        lasting: Option<Duration>,
        since: Timestamp,
    ) -> Self {
        let lasting = rule.lifetime.lasting.or(lasting);
        Self {
            id,
            label: label.map(Arc::from),
            text: rule.to_string().into(),
            state: RuleState::Armed,
            evaluated: 0,
            fired: 0,
            remaining: Remaining {
                fires: rule.limit(),
                until: lasting.and_then(|lasting| since.checked_add(lasting).ok()),
            },
            held: 0,
            since,
            action_texts: rule
                .chain
                .iter()
                .map(|step| format::applied(&step.action, step.phase).into())
                .collect(),
            rule: Arc::new(rule),
            counted: 0,
            taken: 0,
        }
    }

    /// A rule whose time never runs out. Its draws are those of the rule as it is written.
    pub(super) fn without_expiry(mut rule: Rule) -> Self {
        let text = rule.to_string().into();
        rule.lifetime = Lifetime { fires: rule.lifetime.fires, ..Lifetime::default() };
        Self { text, ..Self::new(0, None, rule, None, Timestamp::UNIX_EPOCH) }
    }

    /// The rule.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Whether its time is not over, nor in a pause. Only then does it take calls and keep those that it holds.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.state != RuleState::Expired
            && self.remaining.until.is_none_or(|until| at < until)
            && self.rule.lifetime.flap.is_none_or(|flap| flap.is_down(self.elapsed(at)))
    }

    /// When [`Armed::holds`] next changes, if ever.
    pub(super) fn next_turn(&self, at: Timestamp) -> Option<Timestamp> {
        let until = self.remaining.until.filter(|until| at < *until);
        let flap = self.rule.lifetime.flap.filter(|_| self.state != RuleState::Expired);
        let turn = flap.and_then(|flap| self.since.checked_add(flap.next_turn(self.elapsed(at))).ok());
        until.into_iter().chain(turn).min()
    }

    fn elapsed(&self, at: Timestamp) -> Duration {
        Duration::try_from(at.duration_since(self.since)).unwrap_or_default()
    }

    /// Whether it takes calls like this one, whatever its trigger says.
    pub(super) fn matches(&self, facts: &RequestContext<'_>, at: Timestamp) -> bool {
        self.state == RuleState::Armed && self.rule.matches(facts) && self.holds(at)
    }

    /// Asks the trigger about call number `call`, and takes the call if it says so.
    pub(super) fn ask(&mut self, seed: u64, call: u64) -> Option<Decision> {
        self.evaluated += 1;
        let trigger = self.rule.trigger;
        let chance = |chance: Probability| {
            chance.hits(draw(seed, &self.text, call, Purpose::Probability, Probability::SIDES))
        };
        if !trigger.chance.is_none_or(chance) {
            return None;
        }
        self.counted += 1;
        if !trigger.holds(self.counted) {
            return None;
        }
        let index = self.rule.step(self.taken)?;
        self.taken += 1;
        if let Some(fires) = &mut self.remaining.fires {
            *fires = fires.saturating_sub(1);
            if *fires == 0 {
                self.state = RuleState::Spent;
            }
        }
        let step = &self.rule.chain[index];
        if step.is_nothing() {
            return Some(Decision::Passed);
        }
        self.fired += 1;
        let (action, words) = match step.action {
            Action::Delay { from, to } if from < to => {
                let delay =
                    drawn_between(from, to, |sides| draw(seed, &self.text, call, Purpose::Time, sides));
                let action = Action::Delay { from: delay, to: delay };
                let words = format::applied(&action, step.phase).into();
                (action, words)
            }
            _ => (step.action.clone(), Arc::clone(&self.action_texts[index])),
        };
        let fault = AppliedFault { id: self.id, label: self.label.clone(), action: words };
        Some(Decision::Acted(Injection { fault, action, phase: step.phase }))
    }
}

/// What became of a call that a rule took.
pub(super) enum Decision {
    /// It gets its natural answer, and no later rule is asked.
    Passed,
    /// Something is to be done to it.
    Acted(Injection),
}

/// A duration of whole milliseconds between two, both included.
fn drawn_between(from: Duration, to: Duration, draw: impl FnOnce(u64) -> u64) -> Duration {
    let span = u64::try_from(to.saturating_sub(from).as_millis()).unwrap_or(u64::MAX - 1);
    from + Duration::from_millis(draw(span.saturating_add(1)))
}
