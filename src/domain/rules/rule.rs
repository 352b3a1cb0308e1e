//! A rule: which calls, when, what, for how long.
//!
//! [`FromStr`] and [`Display`](std::fmt::Display) are inverse to each other: what is printed reads back as the same rule.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{
    action::{Action, Phase},
    calls::Calls,
    lifetime::Lifetime,
    parse,
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
    /// At least one step. Only the last can go without a number.
    pub(super) chain: Vec<Step>,
    pub(super) lifetime: Lifetime,
}

/// One step of a chain: an action, and on how many calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// On so many; without a number on all that come.
    pub times: Option<u64>,
    /// What happens to them.
    pub action: Action,
    /// Where the driver's own work stands to it.
    pub phase: Phase,
}

/// Why a text is no rule: where, what was found, what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {problem}")]
pub struct RuleError {
    /// Where, from 1, in characters.
    pub column: usize,
    /// What was found and what was expected, with the nearest known word.
    pub problem: String,
    /// The words that could have stood there, for completion.
    pub expected: Vec<String>,
}

impl RuleError {
    /// The same error in a line in which the rule begins `offset` characters later.
    #[must_use]
    pub fn shifted(self, offset: usize) -> Self {
        Self { column: self.column + offset, ..self }
    }
}

impl Rule {
    /// Reads `RULE [as LABEL]`.
    pub fn parse_labelled(text: &str) -> Result<(Self, Option<String>), RuleError> {
        parse::labelled(text)
    }

    /// The calls that it acts on: those that it names, as far as its selectors and actions fit them.
    pub fn operations(&self) -> impl Iterator<Item = Operation> {
        Operation::ALL.into_iter().filter(|operation| self.is_about(*operation))
    }

    pub(super) fn is_about(&self, operation: Operation) -> bool {
        self.calls.iter().any(|calls| calls.operations().contains(&operation))
            && self.selectors.iter().all(|selector| selector.fits(operation))
            && self.chain.iter().all(|step| step.action.fits(operation))
    }

    /// Whether it is about a call, whatever its trigger says.
    pub fn matches(&self, facts: &RequestContext<'_>) -> bool {
        self.is_about(facts.operation) && self.selectors.iter().all(|selector| selector.holds(facts))
    }

    /// The patterns that a volume's name must fit.
    pub fn volume_patterns(&self) -> impl Iterator<Item = &Pattern> {
        self.selectors.iter().filter_map(|selector| match selector {
            Selector::Volume(pattern) => Some(pattern),
            _ => None,
        })
    }

    /// The steps of its chain; a rule without `then` has one.
    pub fn chain(&self) -> &[Step] {
        &self.chain
    }

    /// How many calls its chain and its lifetime let it act on, if they set a limit.
    pub fn limit(&self) -> Option<u64> {
        let chain = self.chain.iter().try_fold(0_u64, |sum, step| Some(sum.saturating_add(step.times?)));
        self.lifetime.fires.into_iter().chain(chain).min()
    }

    /// Whether it has acted for good once it has acted, so that a retry of the call does not meet it.
    pub fn acts_once(&self) -> bool {
        self.limit() == Some(1) || self.trigger.nth.is_some() || self.trigger.first == Some(1)
    }

    /// Which step is due after so many calls were acted on.
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

    /// Whether it may meet a call with a reset. A call that waits may be let go to one.
    pub fn may_reset(&self) -> bool {
        self.chain.iter().any(|step| step.action == Action::Reset || step.action.waits())
    }

    /// Whether it can end a real engine, so that arming it asks first.
    pub fn is_dangerous(&self) -> bool {
        self.chain.iter().any(|step| step.action.is_dangerous())
    }
}

impl Step {
    /// Whether it leaves a call as it would have been.
    pub fn is_nothing(&self) -> bool {
        self.action == Action::Pass && self.phase == Phase::After
    }
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        parse::rule(text)
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
