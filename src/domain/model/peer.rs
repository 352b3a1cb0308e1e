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

/// How much of peers is needed to tell them apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PeerForm {
    /// `dockerd[1234]`.
    #[default]
    Whole,
    /// `dockerd`: each program is there once.
    Name,
    /// `[1234]`: all are the same program.
    Number,
}

impl PeerForm {
    /// The shortest form in which the peers differ.
    pub fn shortest<'p>(peers: impl Iterator<Item = &'p Peer> + Clone) -> Self {
        let mut names = Vec::new();
        for peer in peers {
            match peer {
                Peer::Process { name: Some(name), .. } => names.push(name),
                _ => return Self::Whole,
            }
        }
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        match names.len() {
            1 => Self::Number,
            different if different == all => Self::Name,
            _ => Self::Whole,
        }
    }

    /// A peer in this form.
    pub fn of(self, peer: &Peer) -> String {
        match (self, peer) {
            (Self::Name, Peer::Process { name: Some(name), .. }) => name.to_string(),
            (Self::Number, Peer::Process { pid, .. }) => format!("[{pid}]"),
            _ => peer.to_string(),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_have_the_shortest_form_in_which_they_differ() {
        let process = |name: &str, pid| Peer::Process { pid, uid: 0, user: None, name: Some(name.into()) };
        let (one, two, podman) = (process("dockerd", 4083), process("dockerd", 512), process("podman", 7));
        for (peers, form, expected) in [
            (vec![&one, &two], PeerForm::Number, "[4083]"),
            (vec![&one, &podman], PeerForm::Name, "dockerd"),
            (vec![&one, &two, &podman], PeerForm::Whole, "dockerd[4083]"),
            (vec![&one, &Peer::Address("10.0.0.1".into())], PeerForm::Whole, "dockerd[4083]"),
        ] {
            let shortest = PeerForm::shortest(peers.into_iter());
            assert_eq!((shortest, shortest.of(&one).as_str()), (form, expected));
        }
    }
}
