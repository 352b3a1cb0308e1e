//! Whether an expectation is met.

use std::sync::Arc;

use crate::domain::model::entry::Entry;

/// Whether an expectation is met.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Whether it is met.
    pub passed: bool,
    /// What was found.
    pub found: String,
    /// The calls that show it, oldest first: those that are one too many, or the slowest; else the latest.
    pub calls: Vec<Arc<Entry>>,
}
