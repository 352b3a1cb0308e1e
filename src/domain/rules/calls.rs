//! Which calls a rule matches: operations and groups of them.

use crate::domain::model::protocol::Operation;

/// An operation or a group of operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// One operation.
    One(Operation),
    /// `reads`: the operations that change nothing.
    Reads,
    /// `writes`: the operations that change a volume.
    Writes,
    /// `any`: all nine. No other group contains `activate`.
    Any,
}

impl Calls {
    /// The groups.
    pub const GROUPS: [Self; 3] = [Self::Reads, Self::Writes, Self::Any];

    /// The operations.
    pub fn operations(self) -> &'static [Operation] {
        use Operation::{Capabilities, Create, Get, List, Mount, Path, Remove, Unmount};
        match self {
            Self::One(operation) => &Operation::ALL[operation as usize..=operation as usize],
            Self::Reads => &[Get, List, Path, Capabilities],
            Self::Writes => &[Create, Mount, Unmount, Remove],
            Self::Any => &Operation::ALL,
        }
    }

    /// The keyword.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::One(operation) => operation.as_str(),
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::Any => "any",
        }
    }

    /// All operations and groups.
    pub fn all() -> impl Iterator<Item = Self> {
        Operation::ALL.into_iter().map(Self::One).chain(Self::GROUPS)
    }
}
