//! The rule set: the armed rules in their order, and the decision which of them acts on a call.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    key::CallKey,
    rule::Rule,
    selector::RequestContext,
    tracked_rule::{Injection, RuleState, TrackedRule},
};
use crate::domain::{
    lang::command::Target,
    model::{
        entry::{Decision, KeptRule, RuleDecision, RuleEvent, RuleText},
        speed::EngineSpeed,
    },
};

/// The rules in the order of their arming. The first that takes a call decides about it.
///
/// A rule that is spent or expired stays in the set, so that people can see it, until it is disarmed or another one is
/// armed with its label. Deciding changes nothing: [`RuleSet::apply`] does, from the entries.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleSet {
    rules: Vec<TrackedRule>,
    seed: u64,
    last_id: u32,
    default_expiry: Option<Duration>,
    /// The latest rules that were disarmed, the last one at the end.
    disarmed: VecDeque<DisarmedRule>,
}

/// A rule that was disarmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisarmedRule {
    /// The rule.
    pub rule: RuleText,
    /// When it was disarmed.
    pub at: Timestamp,
}

impl RuleSet {
    /// How many rules that have ended are kept.
    const MAX_ENDED: usize = 64;
    /// How many disarmed rules are remembered.
    const MAX_DISARMED: usize = 16;

    /// An empty set. A rule that does not say how long it lasts expires after `default_expiry`, if there is one.
    pub fn new(seed: u64, default_expiry: Option<Duration>) -> Self {
        Self { seed, default_expiry, ..Self::default() }
    }

    /// The same set with the rules of the last run.
    #[must_use]
    pub fn with_kept(mut self, rules: &[KeptRule]) -> Self {
        self.rules = rules.iter().filter_map(TrackedRule::restored).collect();
        self.last_id = rules.iter().map(|kept| kept.rule.id).max().unwrap_or(0);
        self
    }

    /// The rules as they survive a restart.
    pub fn kept(&self) -> Vec<KeptRule> {
        self.rules.iter().map(TrackedRule::kept).collect()
    }

    /// The seed of all draws.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Draws from another seed from now on.
    pub fn reseed(&mut self, seed: u64) {
        self.seed = seed;
    }

    /// The entry that arms a rule whose durations are meant in the time of a clock.
    pub fn arming(&self, rule: &Rule, label: Option<&str>, at: Timestamp, speed: EngineSpeed) -> RuleEvent {
        let lasting = rule.lifetime.lasting.or(self.default_expiry);
        let text =
            RuleText { id: self.last_id + 1, label: label.map(Arc::from), text: rule.to_string().into() };
        let until = lasting.and_then(|lasting| at.checked_add(speed.real(lasting)).ok());
        RuleEvent::Armed { rule: text, until, speed }
    }

    /// The rules that a target means.
    pub fn targets<'s>(&'s self, target: &'s Target) -> impl Iterator<Item = &'s TrackedRule> {
        self.rules.iter().filter(move |rule| match target {
            Target::All => true,
            Target::Id(id) => rule.id == *id,
            Target::Label(label) => rule.label.as_deref() == Some(label),
        })
    }

    /// Decides about a call: what each rule for such calls decided, in their order, and what is to be done.
    pub fn decide(
        &self,
        context: &RequestContext<'_>,
        at: Timestamp,
    ) -> (Vec<RuleDecision>, Option<Injection>) {
        let mut decisions = Vec::with_capacity(self.rules.len());
        let (mut taken_by, mut injection) = (None, None);
        for rule in self.rules.iter().filter(|rule| rule.is_for(context)) {
            let decision = match (rule.refusal(context, at), taken_by) {
                (Some(refusal), _) => refusal,
                (None, Some(by)) => Decision::Skipped { by },
                (None, None) => {
                    let decision;
                    (decision, injection) = rule.evaluate(self.seed, context);
                    taken_by = decision.is_taken().then_some(rule.id);
                    decision
                }
            };
            decisions.push(RuleDecision { id: rule.id, decision });
        }
        (decisions, injection)
    }

    /// Applies an entry about rules. `holds_call` says whether a rule holds a call.
    pub fn apply(&mut self, event: &RuleEvent, at: Timestamp, holds_call: impl Fn(u32) -> bool) {
        match event {
            RuleEvent::Armed { rule, until, speed } => {
                self.forget_ended(holds_call);
                self.arm(rule, *until, at, *speed);
            }
            RuleEvent::Disarmed(rule) => {
                self.rules.retain(|other| other.id != rule.id);
                self.disarmed.push_back(DisarmedRule { rule: rule.clone(), at });
                if self.disarmed.len() > Self::MAX_DISARMED {
                    self.disarmed.pop_front();
                }
            }
            RuleEvent::Moved { rule, before } => self.move_before(rule.id, *before),
            RuleEvent::Spent(rule) => self.set_state(rule.id, RuleState::Spent),
            RuleEvent::Expired(rule) => self.set_state(rule.id, RuleState::Expired),
            RuleEvent::Evaluated(evaluation) => {
                for RuleDecision { id, decision } in &evaluation.rules {
                    if let Some(rule) = self.get_mut(*id) {
                        rule.count(CallKey::of(evaluation), decision);
                    }
                }
            }
        }
    }

    /// Arms a rule after the others, or in the place of the one with the same label.
    fn arm(&mut self, rule: &RuleText, until: Option<Timestamp>, at: Timestamp, speed: EngineSpeed) {
        self.last_id = self.last_id.max(rule.id);
        // The text was printed by a rule. Only a damaged recording has another one.
        let Ok(parsed) = rule.text.parse() else { return };
        let armed = TrackedRule::new(rule.id, rule.label.clone(), parsed, until, at).in_time_of(speed);
        let same_label = |other: &TrackedRule| other.label.is_some() && other.label == armed.label;
        match self.rules.iter().position(same_label) {
            Some(index) => self.rules[index] = armed,
            None => self.rules.push(armed),
        }
    }

    fn move_before(&mut self, id: u32, before: u32) {
        let place = |rules: &[TrackedRule], id| rules.iter().position(|rule| rule.id == id);
        let Some(from) = place(&self.rules, id).filter(|_| id != before) else { return };
        let moved = self.rules.remove(from);
        let to = place(&self.rules, before).unwrap_or(from);
        self.rules.insert(to, moved);
    }

    /// Forgets the oldest of the rules that have ended, except for some of them and those that hold a call, so that a
    /// script can arm rules for ever.
    fn forget_ended(&mut self, holds_call: impl Fn(u32) -> bool) {
        let ended = |rule: &TrackedRule| rule.state != RuleState::Armed;
        let count = self.rules.iter().filter(|rule| ended(rule)).count();
        let mut surplus = count.saturating_sub(Self::MAX_ENDED);
        self.rules.retain(|rule| {
            let goes = surplus > 0 && ended(rule) && !holds_call(rule.id);
            surplus -= usize::from(goes);
            !goes
        });
    }

    fn get_mut(&mut self, id: u32) -> Option<&mut TrackedRule> {
        self.rules.iter_mut().find(|rule| rule.id == id)
    }

    fn set_state(&mut self, id: u32, state: RuleState) {
        if let Some(rule) = self.get_mut(id) {
            rule.state = state;
        }
    }

    /// A rule by its number.
    pub fn get(&self, id: u32) -> Option<&TrackedRule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// The armed rules whose time is over.
    pub fn overdue(&self, at: Timestamp) -> impl Iterator<Item = &TrackedRule> {
        self.rules.iter().filter(move |rule| rule.is_overdue(at))
    }

    /// When a rule next expires, or begins or ends a pause.
    pub fn next_turn(&self, at: Timestamp) -> Option<Timestamp> {
        self.rules.iter().filter_map(|rule| rule.next_turn(at)).min()
    }

    /// The latest rules that were disarmed, oldest first.
    pub fn disarmed(&self) -> impl DoubleEndedIterator<Item = &DisarmedRule> {
        self.disarmed.iter()
    }

    /// The rules in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &TrackedRule> {
        self.rules.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}
