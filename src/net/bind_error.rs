//! Why a socket cannot be bound.

use std::{io, path::PathBuf};

use crate::domain::model::protocol::BadDriverName;

/// Why a listener or a spec file cannot be created.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum BindError {
    #[error("{name:?} is not a valid driver name: {bad}")]
    Name { name: String, bad: BadDriverName },
    #[error("{0} belongs to a running plugin; stop it, or choose another --name or --listen")]
    InUse(String),
    #[error(
        "the control socket {0} is in use by another voltergeist or program; stop it, or choose another --control"
    )]
    ControlInUse(String),
    #[error("{0:?} exists and is not a socket; move it away, or choose another address")]
    NotASocket(PathBuf),
    #[error("{0:?} belongs to another user or is writable by others; remove it, or choose another address")]
    NotPrivate(PathBuf),
    #[error("another voltergeist is in front of {0:?}; stop it first")]
    TakenOver(PathBuf),
    #[error("nobody listens on {0:?}; start the plugin first")]
    DeadUpstream(PathBuf),
    #[error(
        "the upstream has no socket whose place can be taken: an engine remembers the address of a TCP plugin until it \
         restarts; give --name OTHER to serve beside it under another name"
    )]
    NoSocket,
    #[error(
        "{0} can be reached from other machines, so it needs a token: give one with --token-file FILE, or choose 127.0.0.1"
    )]
    NoToken(String),
    #[error("cannot listen on {address}: {error}; choose another address")]
    Unusable { address: String, error: io::Error },
}

impl BindError {
    /// Whether only permissions are missing.
    pub fn is_denied(&self) -> bool {
        use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        matches!(self, Self::Unusable { error, .. } if matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem))
    }
}
