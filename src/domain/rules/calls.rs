//! Which calls a rule matches: operations, groups of them, and methods of other interfaces.

use std::{str::FromStr, sync::Arc};

use crate::domain::{
    lang::suggest::did_you_mean,
    model::protocol::{Operation, is_method, method_in},
};

/// An operation, a group of operations or a method of another interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Calls {
    /// One operation.
    One(Operation),
    /// `reads`: the operations that change nothing.
    Reads,
    /// `writes`: the operations that change a volume.
    Writes,
    /// `any`: all nine. No other group contains `activate`.
    Any,
    /// A method of another interface, such as `NetworkDriver.GetCapabilities`.
    Method(Arc<str>),
}

impl Calls {
    /// The keywords, and an example of a method.
    pub const WORDS: [&str; 13] = [
        "activate",
        "capabilities",
        "create",
        "get",
        "list",
        "path",
        "mount",
        "unmount",
        "remove",
        "reads",
        "writes",
        "any",
        "NetworkDriver.GetCapabilities",
    ];

    /// The question about the keyword or the method that was probably meant; empty if none is near.
    pub fn did_you_mean(word: &str) -> String {
        did_you_mean(word, Self::WORDS.into_iter().chain(Operation::ALL.map(Operation::method)))
    }

    /// The operations.
    pub fn operations(&self) -> &'static [Operation] {
        use Operation::{Capabilities, Create, Get, List, Mount, Path, Remove, Unmount};
        match self {
            Self::One(operation) => &Operation::ALL[*operation as usize..=*operation as usize],
            Self::Reads => &[Get, List, Path, Capabilities],
            Self::Writes => &[Create, Mount, Unmount, Remove],
            Self::Any => &Operation::ALL,
            Self::Method(_) => &[],
        }
    }

    /// The keyword or the method.
    pub fn as_str(&self) -> &str {
        match self {
            Self::One(operation) => operation.as_str(),
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::Any => "any",
            Self::Method(method) => method,
        }
    }

    /// Whether a request is one of them. `request_line` is that of a request that is no operation.
    pub fn include(&self, operation: Option<Operation>, request_line: &str) -> bool {
        match (self, operation) {
            (Self::Method(method), None) => method_in(request_line) == Some(method),
            (calls, Some(operation)) => calls.operations().contains(&operation),
            _ => false,
        }
    }

    /// Whether something applies to any of them; `None` stands for the method of another interface.
    pub fn any(&self, applies_to: impl Fn(Option<Operation>) -> bool) -> bool {
        match self {
            Self::Method(_) => applies_to(None),
            calls => calls.operations().iter().any(|operation| applies_to(Some(*operation))),
        }
    }
}

impl FromStr for Calls {
    type Err = ();

    /// Parses a keyword or an `Interface.Method`; one of the nine operations also by its method.
    fn from_str(text: &str) -> Result<Self, ()> {
        let is_named = |operation: &Operation| operation.as_str() == text || operation.method() == text;
        let operation = Operation::ALL.into_iter().find(is_named).map(Self::One);
        let group = [Self::Reads, Self::Writes, Self::Any].into_iter().find(|group| group.as_str() == text);
        // The methods of these interfaces are known, so another one is a typing error.
        let is_other = is_method(text) && !text.starts_with("VolumeDriver.") && !text.starts_with("Plugin.");
        operation.or(group).or_else(|| is_other.then(|| Self::Method(text.into()))).ok_or(())
    }
}
