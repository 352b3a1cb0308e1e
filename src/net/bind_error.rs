//! Why a socket cannot be bound.

use std::{io, path::PathBuf};

use crate::domain::model::protocol::BadDriverName;

/// Why a listener or a spec file cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The driver's name is not a valid file name.
    #[error("{name:?} is not a valid driver name: {bad}")]
    Name {
        /// The name.
        name: String,
        /// Why not.
        bad: BadDriverName,
    },
    /// Another process uses it.
    #[error("{0} belongs to a running plugin; stop it, or choose another --name, --listen or --control")]
    InUse(String),
    /// The path is taken by something other than a socket.
    #[error("{0:?} exists and is not a socket; move it away, or choose another address")]
    NotASocket(PathBuf),
    /// The directory for sockets is writable by other users.
    #[error("{0:?} belongs to another user or is writable by others; remove it, or choose another address")]
    NotPrivate(PathBuf),
    /// Another process forwards to the plugin.
    #[error("another voltergeist is in front of {0:?}; stop it first")]
    TakenOver(PathBuf),
    /// Nobody listens on the socket of the upstream.
    #[error("nobody listens on {0:?}; start the plugin first")]
    DeadUpstream(PathBuf),
    /// The upstream listens on a TCP port, which cannot be taken.
    #[error(
        "the upstream has no socket whose place can be taken: an engine remembers the address of a TCP plugin until it \
         restarts; give --name OTHER to serve beside it under another name"
    )]
    NoSocket,
    /// Anybody who reaches the port could use it.
    #[error(
        "{0} can be reached from other machines, so it needs a token: give one with --token-file FILE, or choose 127.0.0.1"
    )]
    NoToken(String),
    /// The operating system refused.
    #[error("cannot listen on {address}: {error}; choose another address")]
    Unusable {
        /// The address or path.
        address: String,
        /// The error of the operating system.
        error: io::Error,
    },
}

impl BindError {
    /// Whether only permissions are missing.
    pub fn is_denied(&self) -> bool {
        use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        matches!(self, Self::Unusable { error, .. } if matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem))
    }
}
