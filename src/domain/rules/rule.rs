//! A rule: which calls, when, what, for how long.
//!
//! [`FromStr`](std::str::FromStr) and [`Display`](std::fmt::Display) are inverse: a printed rule parses to the same rule.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    action::{Action, Phase},
    calls::Calls,
    key::Per,
    lifetime::Lifetime,
    selector::{Pattern, RequestContext, Selector},
    trigger::Trigger,
};
use crate::domain::model::protocol::Operation;

/// One rule of the language. Its serialised form is its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rule {
    pub(super) calls: Vec<Calls>,
    pub(super) selectors: Vec<Selector>,
    pub(super) trigger: Trigger,
    /// At least one step. Only the last can lack a number.
    pub(super) chain: Vec<ChainStep>,
    pub(super) lifetime: Lifetime,
}

/// One step of a chain: an action for a number of calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainStep {
    /// For how many calls; `None` for all further calls.
    pub times: Option<u64>,
    /// What it does.
    pub action: Action,
    /// When the driver's own work is done.
    pub phase: Phase,
}

/// Why a rule cannot be parsed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {problem}")]
pub struct RuleError {
    /// The column, from 1, in characters.
    pub column: usize,
    /// What was found and what was expected, with the nearest keyword.
    pub problem: String,
    /// The words that are possible in that column, for completion.
    pub expected: Vec<String>,
}

impl RuleError {
    /// The same error in a line where the rule starts `offset` characters later.
    #[must_use]
    pub fn shifted(self, offset: usize) -> Self {
        Self { column: self.column + offset, ..self }
    }
}

impl Rule {
    /// The operations that it matches: those that it names and that its selectors and actions apply to.
    pub fn operations(&self) -> impl Iterator<Item = Operation> {
        Operation::ALL.into_iter().filter(|operation| self.is_for(Some(*operation), None))
    }

    /// Whether a request is one of the calls that it names, and its selectors and actions apply to it.
    /// `request_line` is that of a request that is no operation.
    pub fn is_for(&self, operation: Option<Operation>, request_line: Option<&str>) -> bool {
        self.calls.iter().any(|calls| calls.include(operation, request_line.unwrap_or_default()))
            && self.applies_to(operation)
    }

    /// Whether its selectors and actions apply to an operation; `None` stands for the method of another interface.
    pub(super) fn applies_to(&self, operation: Option<Operation>) -> bool {
        self.selectors.iter().all(|selector| selector.applies_to(operation))
            && self.chain.iter().all(|step| step.action.applies_to(operation))
            && self.trigger.per.is_none_or(|per| per.applies_to(operation))
    }

    /// Whether its calls and selectors match a request, regardless of the trigger.
    pub fn matches(&self, request: &RequestContext<'_>) -> bool {
        self.is_for(request.operation, request.request_line)
            && self.selectors.iter().all(|selector| selector.matches(request))
    }

    /// The patterns for the volume's name.
    pub fn volume_patterns(&self) -> impl Iterator<Item = &Pattern> {
        self.selectors.iter().filter_map(|selector| match selector {
            Selector::Volume(pattern) => Some(pattern),
            _ => None,
        })
    }

    /// Whether it counts calls of several volumes together, although it could count those of each.
    pub fn counts_volumes_together(&self) -> bool {
        let is_one = |pattern: &Pattern| !pattern.text().contains(['*', '?', '[', '{', '\\']);
        let can_count_each =
            self.calls.iter().any(|calls| calls.any(|operation| Per::Volume.applies_to(operation)));
        let is_counted = self.trigger.counts() || self.chain.len() > 1;
        is_counted && self.trigger.per.is_none() && can_count_each && !self.volume_patterns().any(is_one)
    }

    /// When it ends and releases the calls that it holds, if it holds any.
    pub fn holds_for(&self) -> Option<Duration> {
        self.lifetime.lasting.filter(|_| self.chain.iter().any(|step| step.action.holds()))
    }

    /// What it counts by, if not over all calls.
    pub fn per(&self) -> Option<Per> {
        self.trigger.per
    }

    /// The steps of its chain; one if it has no `then`.
    pub fn chain(&self) -> &[ChainStep] {
        &self.chain
    }

    /// For how many calls its chain has steps, if that is limited.
    pub(super) fn chain_length(&self) -> Option<u64> {
        self.chain.iter().try_fold(0_u64, |sum, step| Some(sum.saturating_add(step.times?)))
    }

    /// On how many calls it can act, if its chain or its lifetime limits that.
    pub fn limit(&self) -> Option<u64> {
        let chain = self.chain_length().filter(|_| self.trigger.per.is_none());
        self.lifetime.fires.into_iter().chain(chain).min()
    }

    /// How many calls a barrier waits for, and how many it can hold, if those are fewer.
    pub(super) fn closed_barrier(&self) -> Option<(u64, u64)> {
        self.chain.iter().find_map(|step| {
            let Action::Barrier { calls, .. } = step.action else { return None };
            let Trigger { nth, first, .. } = self.trigger;
            let limits = [self.lifetime.fires, step.times, first, nth.map(|_| 1)];
            let most = limits.into_iter().flatten().min()?;
            (most < calls).then_some((calls, most))
        })
    }

    /// Whether it can act only once, so that a retry of the call does not match it.
    pub fn acts_once(&self) -> bool {
        self.limit() == Some(1)
            || self.trigger.per.is_none() && (self.trigger.nth.is_some() || self.trigger.first == Some(1))
    }

    /// The step for the next call after some.
    pub(super) fn step(&self, acted: u64) -> Option<usize> {
        let mut left = acted;
        self.chain.iter().position(|step| match step.times {
            Some(times) if left >= times => {
                left -= times;
                false
            }
            _ => true,
        })
    }

    /// Whether it can crash a real engine, so that it needs `--yes`.
    pub fn is_dangerous(&self) -> bool {
        self.chain.iter().any(|step| step.action.is_dangerous())
    }
}

impl ChainStep {
    /// Whether it leaves a call as it is.
    pub fn is_nothing(&self) -> bool {
        self.action == Action::Pass && self.phase == Phase::After
    }
}

impl TryFrom<String> for Rule {
    type Error = RuleError;

    fn try_from(text: String) -> Result<Self, RuleError> {
        text.parse()
    }
}

impl From<Rule> for String {
    fn from(rule: Rule) -> Self {
        rule.to_string()
    }
}
