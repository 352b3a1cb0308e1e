//! The rule language: what a rule is, read and printed.

use std::{fmt, str::FromStr};

use super::action::{Action, ErrorShape, Phase};
use crate::domain::protocol::Operation;

/// One rule: which calls, when, what, for how long.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub(super) calls: Vec<Operation>,
    pub(super) action: Action,
    pub(super) phase: Phase,
}

/// Why a text is no rule: where, what was found, what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {problem}")]
pub struct RuleError {
    /// Where, from 1, in characters.
    pub column: usize,
    /// What was found and what was expected, with the nearest known word.
    pub problem: String,
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
        let (rule, label) = match text.rsplit_once(" as ") {
            Some((rule, label)) => (rule, Some(label.trim().to_owned())),
            None => (text, None),
        };
        Ok((rule.parse()?, label))
    }

    /// Whether it may meet a call with a reset.
    pub fn may_reset(&self) -> bool {
        self.action == Action::Reset
    }
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let wrong = |problem: &str| RuleError { column: 1, problem: problem.into() };
        let (calls, action) =
            text.split_once(':').ok_or_else(|| wrong("expected calls, a colon and an action"))?;
        let calls = match calls.trim() {
            "any" => Operation::ALL.to_vec(),
            word => vec![word.parse().map_err(|()| wrong("no such call"))?],
        };
        let (action, phase) = match action.trim() {
            "empty" => (Action::Empty, Phase::Instead),
            "hang" => (Action::Hang, Phase::Before),
            "hold" => (Action::Hold, Phase::Before),
            "reset" => (Action::Reset, Phase::Instead),
            action => {
                let message = action.strip_prefix("fail ").ok_or_else(|| wrong("no such action"))?;
                let message = message.trim().trim_matches('"').to_owned();
                (Action::Fail { message, shape: ErrorShape::Text500 }, Phase::Instead)
            }
        };
        Ok(Self { calls, action, phase })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calls: Vec<_> = self.calls.iter().map(|call| call.word()).collect();
        let calls =
            if self.calls.len() == Operation::ALL.len() { "any".to_owned() } else { calls.join(", ") };
        write!(f, "{calls}: {}", self.action)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("empty"),
            Self::Hang => f.write_str("hang"),
            Self::Hold => f.write_str("hold"),
            Self::Reset => f.write_str("reset"),
            Self::Fail { message, .. } => write!(f, "fail {message:?}"),
            other => write!(f, "{other:?}"),
        }
    }
}
