//! The rulebook: the armed rules in their order, and the decision which of them acts on a call.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    armed::{Armed, Decision, Injection, RuleState},
    rule::Rule,
    selector::RequestContext,
};
use crate::domain::lang::command::Target;

/// The rules in the order of their arming. The first that takes a call decides about it.
///
/// A rule that is spent or whose time is over stays in the book, so that it can be seen what became
/// of it, until it is disarmed or another is armed under its label.
#[derive(Debug, Default)]
pub struct RuleSet {
    rules: Vec<Armed>,
    seed: u64,
    last: u32,
    lasting: Option<Duration>,
    /// Up to when [`RuleSet::expire`] has looked.
    looked: Timestamp,
}

impl RuleSet {
    /// An empty book that draws from a seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// The seed of all draws.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Draws from another seed from now on.
    pub fn reseed(&mut self, seed: u64) {
        self.seed = seed;
    }

    /// How long a rule lasts that does not say so. `None`: until it is disarmed.
    pub fn set_default_expiry(&mut self, lasting: Option<Duration>) {
        self.lasting = lasting;
    }

    /// Arms a rule behind the others, or in the place of the one under the same label, which is returned.
    pub fn arm(&mut self, rule: Rule, label: Option<&str>, at: Timestamp) -> (&Armed, Option<Armed>) {
        self.last += 1;
        let armed = Armed::new(self.last, label, rule, self.lasting, at);
        let place =
            label.and_then(|label| self.rules.iter().position(|armed| armed.label.as_deref() == Some(label)));
        if let Some(index) = place {
            let replaced = std::mem::replace(&mut self.rules[index], armed);
            (&self.rules[index], Some(replaced))
        } else {
            self.rules.push(armed);
            (self.rules.last().expect("a rule was just pushed"), None)
        }
    }

    /// Forgets the oldest of the rules that have ended, but for a number of them and for those that `holds` a call, so
    /// that a script can arm for ever.
    pub fn forget_ended(&mut self, holds: impl Fn(u32) -> bool) {
        const KEPT: usize = 64;
        let ended = |armed: &Armed| armed.state != RuleState::Armed;
        let mut many = self.rules.iter().filter(|armed| ended(armed)).count().saturating_sub(KEPT);
        self.rules.retain(|armed| {
            let goes = many > 0 && ended(armed) && !holds(armed.id);
            many -= usize::from(goes);
            !goes
        });
    }

    /// Takes rules out of the book and returns them.
    pub fn disarm(&mut self, target: &Target) -> Vec<Armed> {
        self.rules
            .extract_if(.., |armed| match target {
                Target::All => true,
                Target::Id(id) => armed.id == *id,
                Target::Label(label) => armed.label.as_deref() == Some(label),
            })
            .collect()
    }

    /// Ends the rules whose time is over. Returns those, and the ones that are in a pause from now
    /// on or were spent before: all that must let go what they hold.
    pub fn expire(&mut self, at: Timestamp) -> Vec<Armed> {
        let looked = std::mem::replace(&mut self.looked, at);
        let mut over = Vec::new();
        for armed in &mut self.rules {
            if armed.next_turn(looked).is_none_or(|turn| at < turn) || armed.holds(at) {
                continue;
            }
            if armed.state == RuleState::Armed && armed.remaining.until.is_some_and(|until| until <= at) {
                armed.state = RuleState::Expired;
            }
            over.push(armed.clone());
        }
        over
    }

    /// When [`RuleSet::expire`] will next have something to do.
    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.rules.iter().filter_map(|armed| armed.next_turn(self.looked)).min()
    }

    /// Decides about call number `number`. The rule that is spent by it, if one is, is returned.
    pub fn decide(
        &mut self,
        facts: &RequestContext<'_>,
        number: u64,
        at: Timestamp,
    ) -> (Option<Injection>, Option<Armed>) {
        for armed in self.rules.iter_mut().filter(|armed| armed.matches(facts, at)) {
            let Some(taken) = armed.ask(self.seed, number) else { continue };
            let injection = match taken {
                Decision::Acted(injection) => Some(injection),
                Decision::Passed => None,
            };
            return (injection, (armed.state == RuleState::Spent).then(|| armed.clone()));
        }
        (None, None)
    }

    /// The rules in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Armed> {
        self.rules.iter()
    }

    /// Whether any of them may meet a call with a reset.
    pub fn may_reset(&self) -> bool {
        self.rules.iter().any(|armed| armed.state == RuleState::Armed && armed.rule().may_reset())
    }

    /// Whether the book is empty.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}
