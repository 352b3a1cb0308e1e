//! A rule with what it has counted: how far it has come, and what is left of it.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    action::{Action, Phase},
    draw::{DrawCounts, DrawSubject, Purpose},
    format,
    key::{CallKey, Count, KeyCounts},
    lifetime::Lifetime,
    rule::Rule,
    selector::RequestContext,
    trigger::Probability,
};
pub use crate::domain::model::entry::RuleState;
use crate::domain::model::{
    entry::{Condition, Decision, KeptRule, RuleText},
    fault::{AppliedFault, FaultSource},
    protocol::Operation,
    speed::EngineSpeed,
};

/// What is to be done to a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Injection {
    /// The rule and its action as text.
    pub fault: AppliedFault,
    /// The action. Random parts are drawn already: a delay's two ends are equal. Its durations are in real time.
    pub action: Action,
    /// When the driver's own work is done.
    pub phase: Phase,
}

/// A rule in the set, from its arming until it is disarmed or replaced. A snapshot has it without its counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrackedRule {
    /// Its number: 1 for the first ever armed.
    pub id: u32,
    /// The name by which it can be disarmed.
    pub label: Option<Arc<str>>,
    /// The rule, printed.
    pub text: Arc<str>,
    /// Whether it still acts.
    pub state: RuleState,
    /// How many calls it evaluated: those that its selectors match and that no rule before it took.
    pub evaluated: u64,
    /// How many it acted on. A `pass` does not count.
    pub fired: u64,
    /// What is left of it.
    pub remaining: Remaining,
    /// How many calls it holds. Only a snapshot has it.
    #[serde(skip)]
    pub held: usize,
    /// When it was armed.
    pub since: Timestamp,
    /// How fast the clock is that its durations are meant in.
    #[serde(default)]
    speed: EngineSpeed,
    rule: Arc<Rule>,
    /// What each step of its chain does, as text.
    action_texts: Arc<[Arc<str>]>,
    /// The operations that it is for, as bits.
    operations: u16,
    /// What each of its selectors says, as text.
    selector_texts: Arc<[Arc<str>]>,
    /// What it has counted. A snapshot goes without.
    counts: Counts,
}

/// What a rule has counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Counts {
    /// Over all calls.
    total: Count,
    /// By volume, mount ID or connection, if the rule counts these apart.
    keys: KeyCounts,
    /// What its draws depend on, if it draws.
    draws: Option<DrawCounts>,
}

/// What is left of a rule. None where there is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remaining {
    /// How many more calls it may take.
    pub fires: Option<u64>,
    /// When its time is over.
    pub until: Option<Timestamp>,
}

impl TrackedRule {
    /// A rule at the moment of its arming.
    pub(super) fn new(
        id: u32,
        label: Option<Arc<str>>,
        rule: Rule,
        until: Option<Timestamp>,
        since: Timestamp,
    ) -> Self {
        let is_range = |action: &Action| matches!(action, Action::Delay { from, to } if from < to);
        let draws = rule.trigger.chance.is_some() || rule.chain.iter().any(|step| is_range(&step.action));
        Self {
            id,
            label,
            text: rule.to_string().into(),
            state: RuleState::Armed,
            evaluated: 0,
            fired: 0,
            remaining: Remaining { fires: rule.limit(), until },
            held: 0,
            since,
            speed: EngineSpeed::REAL,
            action_texts: rule
                .chain
                .iter()
                .map(|step| format::applied(&step.action, step.phase).into())
                .collect(),
            operations: rule.operations().map(bit).fold(0, |bits, bit| bits | bit),
            selector_texts: rule.selectors.iter().map(|selector| selector.to_string().into()).collect(),
            rule: Arc::new(rule),
            counts: Counts { draws: draws.then(DrawCounts::default), ..Counts::default() },
        }
    }

    /// The same, with durations that are meant in the time of a clock.
    pub(super) fn in_time_of(self, speed: EngineSpeed) -> Self {
        Self { speed, ..self }
    }

    /// The rule as it survives a restart.
    pub(super) fn kept(&self) -> KeptRule {
        KeptRule {
            rule: self.as_text(),
            state: self.state,
            since: self.since,
            until: self.remaining.until,
            evaluated: self.evaluated,
            fired: self.fired,
            left: self.remaining.fires,
            counts: serde_json::to_value(&self.counts).unwrap_or_default(),
        }
    }

    /// A rule of the last run; `None` if its text is no rule.
    pub(super) fn restored(kept: &KeptRule) -> Option<Self> {
        let RuleText { id, label, text } = kept.rule.clone();
        let fresh = Self::new(id, label, text.parse().ok()?, kept.until, kept.since);
        Some(Self {
            state: kept.state,
            evaluated: kept.evaluated,
            fired: kept.fired,
            remaining: Remaining { fires: kept.left, until: kept.until },
            counts: serde_json::from_value(kept.counts.clone()).unwrap_or(fresh.counts.clone()),
            ..fresh
        })
    }

    /// The rule for a snapshot, which counts no calls.
    #[must_use]
    pub fn without_counts(&self) -> Self {
        Self {
            id: self.id,
            label: self.label.clone(),
            text: Arc::clone(&self.text),
            state: self.state,
            evaluated: self.evaluated,
            fired: self.fired,
            remaining: self.remaining,
            held: self.held,
            since: self.since,
            speed: self.speed,
            rule: Arc::clone(&self.rule),
            action_texts: Arc::clone(&self.action_texts),
            operations: self.operations,
            selector_texts: Arc::clone(&self.selector_texts),
            counts: Counts::default(),
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

    /// The rule as an entry has it.
    pub fn as_text(&self) -> RuleText {
        RuleText { id: self.id, label: self.label.clone(), text: Arc::clone(&self.text) }
    }

    /// The rule with its label, as after `arm`.
    pub fn with_label(&self) -> String {
        let label = self.label.as_ref().map_or_else(String::new, |label| format!(" as {label}"));
        format!("{}{label}", self.text)
    }

    /// Whether its time is not over, nor in a pause. Only then does it take calls and hold those that it has.
    pub fn is_in_force(&self, at: Timestamp) -> bool {
        self.state != RuleState::Expired
            && self.remaining.until.is_none_or(|until| at < until)
            && self.rule.lifetime.flap.is_none_or(|flap| flap.is_active(self.elapsed(at)))
    }

    /// When [`TrackedRule::is_in_force`] next changes, if ever.
    pub(super) fn next_turn(&self, at: Timestamp) -> Option<Timestamp> {
        let until = self.remaining.until.filter(|until| at < *until);
        let flap = self.rule.lifetime.flap.filter(|_| self.state != RuleState::Expired);
        let turn = flap.and_then(|flap| {
            let next = self.speed.real(flap.next_turn(self.elapsed(at)));
            self.since.checked_add(next).ok()
        });
        until.into_iter().chain(turn).min()
    }

    /// Whether it is still armed though its time is over.
    pub(super) fn is_overdue(&self, at: Timestamp) -> bool {
        self.state == RuleState::Armed && self.remaining.until.is_some_and(|until| until <= at)
    }

    /// Whether it can never act again.
    pub fn is_used_up(&self) -> bool {
        let is_over = || {
            self.rule.trigger.per.is_none() && !self.rule.trigger.can_hold_after(self.counts.total.counted)
        };
        self.state == RuleState::Armed && (self.remaining.fires == Some(0) || is_over())
    }

    fn elapsed(&self, at: Timestamp) -> Duration {
        self.speed.engine_time(Duration::try_from(at.duration_since(self.since)).unwrap_or_default())
    }

    /// Whether it is for calls like this one.
    pub(super) fn is_for(&self, context: &RequestContext<'_>) -> bool {
        match context.operation {
            Some(operation) => self.operations & bit(operation) != 0,
            None => self.rule.is_for(None, context.request_line),
        }
    }

    /// Why it does not evaluate a call of one of its operations; `None` if it does.
    pub(super) fn refusal(&self, context: &RequestContext<'_>, at: Timestamp) -> Option<Decision> {
        match self.state {
            RuleState::Spent => return Some(Decision::Spent),
            RuleState::Expired => return Some(Decision::Expired),
            RuleState::Armed if self.is_used_up() => return Some(Decision::Spent),
            RuleState::Armed => {}
        }
        let unmet = self.rule.selectors.iter().position(|selector| !selector.matches(context));
        match unmet {
            Some(index) => Some(Decision::NoMatch { selector: Arc::clone(&self.selector_texts[index]) }),
            None if self.is_in_force(at) => None,
            None if self.is_overdue(at) => Some(Decision::Expired),
            None => Some(Decision::Paused),
        }
    }

    /// Decides about a call. Nothing changes: see [`TrackedRule::count`].
    pub(super) fn evaluate(&self, seed: u64, context: &RequestContext<'_>) -> (Decision, Option<Injection>) {
        let key = context.key();
        let CallKey { asked, volume, .. } = key;
        let count = self.counts.draws.as_ref().map_or(0, |draws| draws.count(asked, volume));
        let subject = DrawSubject { seed, rule: &self.text, asked, volume, count };
        let trigger = self.rule.trigger;
        if let Some(chance) = trigger.chance {
            let drawn = subject.draw(Purpose::Probability, Probability::SIDES);
            if !chance.hits(drawn) {
                return (
                    Decision::Missed { drew: Probability::share_of(drawn), below: chance.share() },
                    None,
                );
            }
        }
        let Count { counted, taken } = self.counted(key);
        let not_due = |count, condition| (Decision::NotDue { count, condition }, None);
        if let Some(condition) = trigger.unmet(counted + 1) {
            return not_due(counted + 1, condition);
        }
        let Some(index) = self.rule.step(taken) else {
            return not_due(taken + 1, Condition::Steps(self.rule.chain_length().unwrap_or(taken)));
        };
        let step = &self.rule.chain[index];
        if step.is_nothing() {
            return (Decision::Passed, None);
        }
        let (action, text) = match step.action {
            Action::Delay { from, to } if from < to => {
                let delay = drawn_between(from, to, |sides| subject.draw(Purpose::Time, sides));
                let action = Action::Delay { from: delay, to: delay };
                let text = format::applied(&action, step.phase).into();
                (action, text)
            }
            _ => (step.action.clone(), Arc::clone(&self.action_texts[index])),
        };
        let source = FaultSource::Rule { id: self.id, label: self.label.clone() };
        let fault =
            AppliedFault { source, action: text, phase: step.phase, released: None, unaltered: false };
        (
            Decision::Fired,
            Some(Injection { fault, action: action.in_real_time(self.speed), phase: step.phase }),
        )
    }

    /// What it has counted of calls like this one.
    fn counted(&self, call: CallKey<'_>) -> Count {
        self.rule.trigger.per.map_or(self.counts.total, |per| self.counts.keys.get(per, call))
    }

    /// Counts a call that it has decided about.
    pub(super) fn count(&mut self, call: CallKey<'_>, decision: &Decision) {
        self.evaluated += 1;
        if let Some(draws) = &mut self.counts.draws {
            draws.add(call.asked, call.volume);
        }
        let Count { counted, taken } = self.counted(call);
        let count = Count {
            counted: counted + u64::from(!matches!(decision, Decision::Missed { .. })),
            taken: taken + u64::from(decision.is_taken()),
        };
        match self.rule.trigger.per {
            Some(per) => self.counts.keys.set(per, call, count),
            None => self.counts.total = count,
        }
        if decision.is_taken() {
            self.remaining.fires = self.remaining.fires.map(|fires| fires.saturating_sub(1));
        }
        self.fired += u64::from(*decision == Decision::Fired);
    }
}

/// The bit that stands for an operation.
const fn bit(operation: Operation) -> u16 {
    1 << operation as u16
}

/// A duration of whole milliseconds between two, both included.
fn drawn_between(from: Duration, to: Duration, draw: impl FnOnce(u64) -> u64) -> Duration {
    let span = u64::try_from(to.saturating_sub(from).as_millis()).unwrap_or(u64::MAX - 1);
    from + Duration::from_millis(draw(span.saturating_add(1)))
}
