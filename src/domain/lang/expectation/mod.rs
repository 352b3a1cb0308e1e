//! Expectations: what must hold of calls and of the state, as `voltergeist check` and scenarios test it.
//!
//! ```text
//! EXPECTATION = VALUE ("==" | "!=" | "<" | "<=" | ">" | ">=") VALUE
//!             | "sequence" CALL {CALL} ["where" TERM {"and" TERM}]
//! VALUE       = NUMBER | DURATION | SELECTION | "count(" SELECTION ")" | "p"N"(" SELECTION ")" | "max(" SELECTION ")"
//!             | "lint" | "open-mounts" | "held-calls" | "volumes" | "open-connections"
//! SELECTION   = CALL {"," CALL} ["where" TERM {"and" TERM}]
//! ```
//!
//! A call is named as in a rule, and a term is one of a [filter](super::filter). `Display` prints a text that parses to the
//! same expectation.

mod format;
mod parse;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use parse::ExpectationError;

use super::filter::Filter;
use crate::domain::{model::entry::Entry, rules::Calls};

/// What must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// Two values compare like this.
    Comparison {
        /// The value on the left.
        left: Value,
        /// How it must compare.
        operator: Operator,
        /// The value on the right.
        right: Value,
    },
    /// Calls follow each other directly, among those about one volume.
    Sequence {
        /// The calls.
        calls: Vec<Calls>,
        /// Which calls are looked at.
        which: Filter,
    },
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number.
    Number(u64),
    /// A duration.
    Time(Duration),
    /// What is measured.
    Measure(Measure),
}

/// What is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measure {
    /// How many calls there were, those included that still wait.
    Count(Selection),
    /// The time within which a percentage of the calls ended.
    Time(Percentile, Selection),
    /// The number of protocol warnings.
    Lints,
    /// The number of open mounts.
    OpenMounts,
    /// The number of calls that a rule holds.
    HeldCalls,
    /// The number of volumes that exist.
    Volumes,
    /// The number of open connections of engines.
    OpenConnections,
}

/// Some of the calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// What was called.
    pub calls: Vec<Calls>,
    /// What else they have in common.
    pub which: Filter,
}

/// A percentile, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percentile(u16);

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Measure {
    /// Those that are a word.
    const WORDS: [(&str, Self); 5] = [
        ("lint", Self::Lints),
        ("open-mounts", Self::OpenMounts),
        ("held-calls", Self::HeldCalls),
        ("volumes", Self::Volumes),
        ("open-connections", Self::OpenConnections),
    ];
}

impl Selection {
    /// Whether it includes the call that an entry is about: its end, or that it is held.
    pub fn includes(&self, entry: &Entry) -> bool {
        includes(&self.calls, entry) && self.which.matches(entry)
    }
}

/// Whether an entry is about one of these calls.
pub fn includes(calls: &[Calls], entry: &Entry) -> bool {
    entry.head().is_some_and(|call| {
        calls.iter().any(|calls| calls.include(call.operation, call.request_line.unwrap_or_default()))
    })
}

impl Percentile {
    /// All calls.
    pub const ALL: Self = Self(1000);

    /// As a number from 0 to 1.
    pub fn quantile(self) -> f64 {
        f64::from(self.0) / 1e3
    }
}

impl Operator {
    /// All of them. An operator that begins with another comes before it.
    const ALL: [Self; 6] =
        [Self::Equal, Self::NotEqual, Self::AtMost, Self::AtLeast, Self::Less, Self::Greater];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        }
    }

    /// Whether it holds of two values.
    pub fn holds<T: Ord>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::Greater => left > right,
            Self::AtLeast => left >= right,
        }
    }
}
