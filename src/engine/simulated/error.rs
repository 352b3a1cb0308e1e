//! What the daemon's API says when it cannot.

use super::client::CallError;

/// Which HTTP status of the engine's API an error has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ErrorStatus {
    /// 400
    Invalid,
    /// 404
    NotFound,
    /// 409
    Conflict,
    /// 500
    Internal,
}

/// An error of the engine's API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub(super) struct DaemonError {
    pub status: ErrorStatus,
    pub text: String,
    /// Whether the daemon died of it: there is no API left to say so.
    pub fatal: bool,
}

impl DaemonError {
    pub(super) fn new(status: ErrorStatus, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), fatal: false }
    }

    pub(super) fn no_such_volume() -> Self {
        Self::new(ErrorStatus::NotFound, "no such volume")
    }

    /// The same error as part of something greater: `CONTEXT: …`.
    pub(super) fn because(self, context: &str) -> Self {
        Self { text: format!("{context}: {}", self.text), ..self }
    }
}

impl From<CallError> for DaemonError {
    fn from(error: CallError) -> Self {
        Self { fatal: error == CallError::Fatal, ..Self::new(ErrorStatus::Internal, error.to_string()) }
    }
}
