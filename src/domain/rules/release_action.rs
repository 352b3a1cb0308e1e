//! What a held call gets instead of its original reply.

use super::action::{Action, Phase};

/// What a held call gets when it is released: an action of the rule language that does not hold calls itself.
///
/// [`FromStr`](std::str::FromStr) and [`Display`](std::fmt::Display) are inverse to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseAction {
    /// The action.
    pub action: Action,
    /// When the driver's own work is done. What was done before the call was held is not done again.
    pub phase: Phase,
}
