//! How a call that a rule keeps waiting ends, if not naturally.

use std::str::FromStr;

use super::{
    action::{Action, Phase},
    parse,
    rule::RuleError,
};

/// What happens to a waiting call when it is let go: an action of the rule language that does not wait itself.
///
/// [`FromStr`] and [`Display`](std::fmt::Display) are inverse to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseAction {
    /// The action.
    pub action: Action,
    /// Where the driver's own work stands to it. What was done before the wait is not done again.
    pub phase: Phase,
}

impl FromStr for ReleaseAction {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        parse::release_action(text)
    }
}
