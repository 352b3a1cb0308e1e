//! Which calls a rule is about: one operation, or a group of them.

use crate::domain::model::protocol::Operation;

/// One word in a rule's list of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// One of the nine.
    One(Operation),
    /// `reads`: the calls that only ask.
    Reads,
    /// `writes`: the calls that change a volume.
    Writes,
    /// `any`: all nine. The handshake `activate` is in no other group.
    Any,
}

impl Calls {
    /// The groups.
    pub const GROUPS: [Self; 3] = [Self::Reads, Self::Writes, Self::Any];

    /// The calls behind the word.
    pub fn operations(self) -> &'static [Operation] {
        use Operation::{Capabilities, Create, Get, List, Mount, Path, Remove, Unmount};
        match self {
            Self::One(operation) => &Operation::ALL[operation as usize..=operation as usize],
            Self::Reads => &[Get, List, Path, Capabilities],
            Self::Writes => &[Create, Mount, Unmount, Remove],
            Self::Any => &Operation::ALL,
        }
    }

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::One(operation) => operation.as_str(),
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::Any => "any",
        }
    }

    /// All words.
    pub fn all() -> impl Iterator<Item = Self> {
        Operation::ALL.into_iter().map(Self::One).chain(Self::GROUPS)
    }
}
