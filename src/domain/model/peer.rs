//! The other end of a connection: a process of this machine, or an address.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who connects.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Peer {
    /// A process that connects to a Unix socket, as the kernel names it.
    Process {
        /// Its number; 0 if it is in a PID namespace that cannot be seen from here.
        pid: u32,
        /// The number of its user.
        uid: u32,
        /// The name of its user, if there is one in `/etc/passwd`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<Box<str>>,
        /// Its name, if it can be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<Box<str>>,
    },
    /// The address that connects to a TCP port. Its port is left out, since each connection has another one.
    Address(Box<str>),
}

impl Peer {
    /// Whether a test is true for a text by which it is known: a process by its name, its number and both, an address
    /// by itself.
    pub fn is_known_as(&self, test: impl Fn(&str) -> bool) -> bool {
        let by_part = match self {
            Self::Process { pid, name, .. } => name.as_deref().is_some_and(&test) || test(&pid.to_string()),
            Self::Address(_) => false,
        };
        by_part || test(&self.to_string())
    }
}

/// `dockerd[1234]`, or an address.
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process { pid, name, .. } => write!(f, "{}[{pid}]", name.as_deref().unwrap_or("unknown")),
            Self::Address(address) => write!(f, "{address}"),
        }
    }
}
