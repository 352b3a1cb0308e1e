//! What happens to rules.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::model::{protocol::Operation, speed::EngineSpeed};

/// A rule changed its state, or rules evaluated a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
        /// How fast the clock is that its durations are meant in: that of a simulated engine while a scenario is played
        /// on it. Without it: real time.
        #[serde(default, skip_serializing_if = "EngineSpeed::is_real")]
        speed: EngineSpeed,
    },
    /// A command put it directly before another rule.
    Moved {
        /// The rule.
        #[serde(flatten)]
        rule: RuleText,
        /// The number of the other rule.
        before: u32,
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

/// Whether a rule acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum RuleState {
    /// It does.
    Armed,
    /// It has taken as many calls as it may. The calls that it holds stay held.
    Spent,
    /// Its time is over, and the calls that it held are released.
    Expired,
}

/// A rule of the last run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct KeptRule {
    /// The rule.
    #[serde(flatten)]
    pub rule: RuleText,
    /// Whether it acts.
    pub state: RuleState,
    /// When it was armed.
    #[cfg_attr(test, schemars(with = "String", extend("format" = "date-time")))]
    pub since: Timestamp,
    /// When its time is over.
    #[cfg_attr(test, schemars(with = "Option<String>", extend("format" = "date-time")))]
    pub until: Option<Timestamp>,
    /// How many calls it evaluated.
    pub evaluated: u64,
    /// How many it acted on.
    pub fired: u64,
    /// How many more calls it may take. None without a limit.
    pub left: Option<u64>,
    /// What it has counted: only for the program.
    pub counts: serde_json::Value,
}

impl KeptRule {
    /// About how many bytes of memory it holds.
    pub(super) fn size_estimate(&self) -> usize {
        size_of::<Self>() + self.rule.text.len() + self.counts.to_string().len() * 4
    }
}

/// A call and the armed rules that evaluated it, in their order, up to the first that takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Evaluation {
    /// The call's number.
    pub call: u64,
    /// What was asked, if the path is one of the protocol's.
    pub operation: Option<Operation>,
    /// The request's method and path, where they are not what the operation says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_line: Option<Box<str>>,
    /// The volume that the request names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<Box<str>>,
    /// The mount ID in the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mount_id: Option<Box<str>>,
    /// The number of the connection that it came on.
    #[serde(default)]
    pub connection: u64,
    /// What each rule decided.
    pub rules: Vec<RuleDecision>,
}

/// What a rule decided about a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RuleDecision {
    /// The rule's number.
    pub id: u32,
    /// Its decision.
    #[serde(flatten)]
    pub decision: Decision,
}

/// What a rule decided about a call of one of its operations, and why it did not act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// It had already acted on the last call that it could act on.
    Spent,
    /// Its time was over.
    Expired,
    /// It was in the inactive part of its `flap`.
    Paused,
    /// A selector did not match.
    NoMatch {
        /// The first selector that did not match.
        selector: Arc<str>,
    },
    /// An earlier rule took the call, so this one did not evaluate it.
    Skipped {
        /// The number of the earlier rule.
        by: u32,
    },
    /// Its probability did not hit the call.
    Missed {
        /// What was drawn, from 0 to 1.
        drew: Share,
        /// The draw had to be below this.
        below: Share,
    },
    /// Not one of the calls that its trigger selects, or its chain has no step left.
    NotDue {
        /// Which call it was of those that the rule counts, from 1.
        count: u64,
        /// The condition that was not true.
        condition: Condition,
    },
    /// It took the call and let it pass.
    Passed,
    /// It acted on the call.
    Fired,
}

impl Decision {
    /// Whether the rule evaluated the call, and so counts it.
    pub const fn is_evaluated(&self) -> bool {
        matches!(self, Self::Missed { .. } | Self::NotDue { .. } | Self::Passed | Self::Fired)
    }

    /// Whether the rule took the call, so that no later rule evaluates it.
    pub const fn is_taken(&self) -> bool {
        matches!(self, Self::Passed | Self::Fired)
    }
}

/// A condition that counts calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// The Nth call.
    Nth(u64),
    /// The first N calls.
    First(u64),
    /// Every Nth call.
    Every(u64),
    /// The calls after the first N.
    After(u64),
    /// The chain has a step for this many calls.
    Steps(u64),
}

/// A share from 0 to 1, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "f64"))]
#[serde(from = "f64", into = "f64")]
pub struct Share(pub u32);

impl From<Share> for f64 {
    fn from(share: Share) -> Self {
        Self::from(share.0) / 1e6
    }
}

impl From<f64> for Share {
    fn from(share: f64) -> Self {
        Self(format!("{:.0}", share * 1e6).parse().unwrap_or_default())
    }
}

impl RuleEvent {
    /// The rule whose state changed.
    pub const fn rule(&self) -> Option<&RuleText> {
        match self {
            Self::Armed { rule, .. }
            | Self::Moved { rule, .. }
            | Self::Disarmed(rule)
            | Self::Spent(rule)
            | Self::Expired(rule) => Some(rule),
            Self::Evaluated(_) => None,
        }
    }

    /// How many bytes of memory it holds beside its own size. The texts are shared with the rule.
    pub(super) fn size_estimate(&self) -> usize {
        match self {
            Self::Evaluated(evaluation) => {
                let Evaluation { request_line, volume, mount_id, rules, .. } = evaluation;
                let texts =
                    [request_line, volume, mount_id].into_iter().flatten().map(|text| text.len() + 16);
                texts.sum::<usize>() + size_of_val(&rules[..]) + 16
            }
            Self::Armed { rule, .. } => rule.text.len() + 16,
            _ => 0,
        }
    }
}
