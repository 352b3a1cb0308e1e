//! What happens to rules.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::model::protocol::Operation;

/// A rule changed its state, or rules evaluated a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RuleEvent {
    /// It acts from now on. A rule with the same label is replaced.
    Armed {
        /// The rule.
        #[serde(flatten)]
        rule: RuleText,
        /// When its time is over.
        #[cfg_attr(test, schemars(with = "Option<String>", extend("format" = "date-time")))]
        until: Option<Timestamp>,
    },
    /// A command ended it.
    Disarmed(RuleText),
    /// It has acted as often as it may.
    Spent(RuleText),
    /// Its time is over.
    Expired(RuleText),
    /// Rules evaluated a call.
    Evaluated(Evaluation),
}

/// A rule in its own language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RuleText {
    /// The rule's number.
    pub id: u32,
    /// The rule's label, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Arc<str>>,
    /// The rule.
    #[serde(rename = "rule")]
    pub text: Arc<str>,
}

/// A call and the armed rules whose selectors it matches, in their order, up to the first that takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Evaluation {
    /// The call's number.
    pub call: u64,
    /// What was asked.
    pub operation: Operation,
    /// The volume that the request names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<Box<str>>,
    /// What each rule decided.
    pub rules: Vec<RuleDecision>,
}

/// What a rule decided about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RuleDecision {
    /// The rule's number.
    pub id: u32,
    /// Its decision.
    pub decision: Decision,
}

/// What a rule decides about a call that its selectors match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Its probability did not hit the call.
    Missed,
    /// Not one of those that its trigger selects (nth, first, every, after), or its chain has no step left.
    NotDue,
    /// It took the call and let it pass.
    Passed,
    /// It acted on the call.
    Fired,
}

impl RuleEvent {
    /// The rule whose state changed.
    pub const fn rule(&self) -> Option<&RuleText> {
        match self {
            Self::Armed { rule, .. } | Self::Disarmed(rule) | Self::Spent(rule) | Self::Expired(rule) => {
                Some(rule)
            }
            Self::Evaluated(_) => None,
        }
    }

    /// How many bytes of memory it holds beside its own size. The texts are shared with the rule.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Evaluated(Evaluation { volume, rules, .. }) => {
                volume.as_ref().map_or(0, |volume| volume.len() + 16) + size_of_val(&rules[..]) + 16
            }
            Self::Armed { rule, .. } => rule.text.len() + 16,
            _ => 0,
        }
    }
}
