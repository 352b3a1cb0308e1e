//! `GET /v1/checkpoint`: the whole state, for a console that follows the entries from there.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::Serialize;

use super::ApiState;
use crate::domain::{
    model::{entry::FORMAT, scenario::ScenarioInfo},
    state,
};

#[derive(Serialize)]
struct CheckpointDocument<'c> {
    format: u32,
    version: &'static str,
    /// When this process began: numbers of entries are those of one process.
    started: Timestamp,
    at: Timestamp,
    /// The number of the oldest entry that is kept.
    first: u64,
    scenarios: &'c [ScenarioInfo],
    dangerous_is_real: bool,
    state: state::State,
}

/// Replies with the state after the newest entry.
pub async fn checkpoint(State(ApiState { hub, .. }): State<ApiState>) -> Response {
    let catalog = hub.catalog();
    Json(CheckpointDocument {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION"),
        started: hub.started(),
        at: hub.now(),
        first: hub.kept().start,
        scenarios: &catalog.scenarios,
        dangerous_is_real: catalog.is_real,
        state: hub.checkpoint(),
    })
    .into_response()
}
