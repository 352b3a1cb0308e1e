//! Connections of engines.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::model::peer::Peer;

/// A connection was accepted or closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ConnectionEvent {
    /// It was accepted.
    Opened {
        /// Its number, from 1.
        connection: u64,
        /// Who connected, if the system says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        peer: Option<Arc<Peer>>,
        /// Whether this peer had not connected before.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        first: bool,
    },
    /// It ended.
    Closed {
        /// Its number.
        connection: u64,
    },
}
