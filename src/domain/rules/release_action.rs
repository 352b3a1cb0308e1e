//! What a held call gets instead of its original reply.

use std::str::FromStr;

use super::{
    action::{Action, Phase},
    parse,
    rule::RuleError,
};

/// What a held call gets when it is released: an action of the rule language that does not hold calls itself.
///
/// [`FromStr`] and [`Display`](std::fmt::Display) are inverse to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseAction {
    /// The action.
    pub action: Action,
    /// When the driver's own work is done. What was done before the call was held is not done again.
    pub phase: Phase,
}

impl FromStr for ReleaseAction {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        parse::release_action(text)
    }
}
