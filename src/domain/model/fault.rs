//! What a rule or an outage did to a call.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::driver::Outage;

/// What was done to a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AppliedFault {
    /// The rule or the outage.
    pub source: FaultSource,
    /// What it did, in the rule language, or the command that began the outage. All calls of a rule share it.
    pub action: Arc<str>,
    /// Whether the driver's own work was done, and when.
    pub phase: Phase,
    /// How the call was released before its own time, if a rule held it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<Release>,
    /// Whether it was to alter a part of the reply that this reply does not have.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unaltered: bool,
}

/// Where a fault comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FaultSource {
    /// A rule.
    Rule {
        /// The rule's number.
        id: u32,
        /// The rule's label, if it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        label: Option<Arc<str>>,
    },
    /// An outage that answers requests.
    Outage(Outage),
}

/// When the driver's own work is done, compared with the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Phase {
    /// The work is not done.
    Instead,
    /// The fault comes first; the work is done all the same.
    Before,
    /// The work is done first, then the fault.
    After,
    /// The work is done two times, then the fault.
    Twice,
}

/// How a held call was released before its own time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Release {
    /// By what.
    pub by: ReleasedBy,
    /// The action that replaced the original reply, in the rule language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Arc<str>>,
}

/// What released a held call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReleasedBy {
    /// The command `release`.
    Command,
    /// A barrier: as many calls waited as it waits for.
    Barrier,
    /// The end or a pause of the rule that held it.
    RuleEnded,
    /// The end of the program.
    Shutdown,
}

impl AppliedFault {
    /// What an outage does to the requests that reach it.
    pub fn of_outage(kind: Outage) -> Self {
        Self {
            source: FaultSource::Outage(kind),
            action: kind.command().into(),
            phase: Phase::Instead,
            released: None,
            unaltered: false,
        }
    }

    /// What a rule does, for tests.
    #[cfg(test)]
    pub fn of_rule(id: u32, label: Option<&str>, action: &str) -> Self {
        let source = FaultSource::Rule { id, label: label.map(Arc::from) };
        Self { source, action: action.into(), phase: Phase::Instead, released: None, unaltered: false }
    }

    /// The outage, if it is one.
    pub const fn outage(&self) -> Option<Outage> {
        match self.source {
            FaultSource::Outage(kind) => Some(kind),
            FaultSource::Rule { .. } => None,
        }
    }

    /// The number of the rule, if it is one.
    pub const fn rule(&self) -> Option<u32> {
        match self.source {
            FaultSource::Rule { id, .. } => Some(id),
            FaultSource::Outage(_) => None,
        }
    }

    /// The label of the rule, if it has one.
    pub fn label(&self) -> Option<&str> {
        match &self.source {
            FaultSource::Rule { label, .. } => label.as_deref(),
            FaultSource::Outage(_) => None,
        }
    }

    /// The action that replaced the original reply, if the call was released with one.
    pub fn release_action(&self) -> Option<&str> {
        self.released.as_ref()?.action.as_deref()
    }

    /// How many bytes of memory it holds. The text of the action is shared with its rule.
    pub(super) fn size_estimate(&self) -> usize {
        let own = if Arc::strong_count(&self.action) > 1 { 0 } else { self.action.len() + 16 };
        own + self.release_action().map_or(0, |action| action.len() + 16)
    }
}

/// `hold`, or `hold then fail "no"` if the call was released with another action.
impl fmt::Display for AppliedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.action)?;
        match self.release_action() {
            Some(action) => write!(f, " then {action}"),
            None => Ok(()),
        }
    }
}
