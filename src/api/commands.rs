//! `POST /v1/commands`: one command line.

use std::{error::Error, sync::Arc};

use axum::{
    Json,
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::{ApiState, ClientPeer};
use crate::{domain::model::origin::Origin, export, hub::CommandOutput};

/// The reply in JSON.
#[derive(Serialize)]
struct CommandDone {
    /// What it did, for people.
    result: String,
    /// The number of its entry; 0 where it left none.
    seq: u64,
    /// The calls that a rule would have hit, after `arm --dry-run`.
    calls: Vec<u64>,
}

/// Runs the command and replies with its result: in words, or as JSON if the client accepts only that.
pub async fn command(
    State(ApiState { hub, files, .. }): State<ApiState>,
    ConnectInfo(ClientPeer { peer, .. }): ConnectInfo<ClientPeer>,
    headers: HeaderMap,
    line: String,
) -> Response {
    let as_json = headers.get(header::ACCEPT).is_some_and(|accept| accept == "application/json");
    let run = {
        let hub = Arc::clone(&hub);
        move || -> Result<_, Box<dyn Error + Send + Sync>> {
            let command = files.confine(line.trim().parse()?)?;
            let output = export::run_command(&hub, &command, Origin::Api { peer })?;
            Ok((command, output))
        }
    };
    match tokio::task::spawn_blocking(run).await {
        Ok(Ok((command, output))) => {
            if let Some(unmet) = hub.unmet_after(&command).await {
                return (StatusCode::CONFLICT, unmet + "\n").into_response();
            }
            let CommandOutput { text, seq, hits } = output;
            if as_json {
                return Json(CommandDone { result: text, seq, calls: hits }).into_response();
            }
            text + "\n"
        }
        Ok(Err(error)) => return (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
        Err(panic) => {
            let text = format!("the command panicked: {panic}\n");
            return (StatusCode::INTERNAL_SERVER_ERROR, text).into_response();
        }
    }
    .into_response()
}
