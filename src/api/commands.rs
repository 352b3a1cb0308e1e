//! `POST /v1/commands`: one command line.

use std::{error::Error, sync::Arc};

use axum::{
    Json,
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{ApiState, ClientPeer};
use crate::{domain::model::origin::Origin, export};

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
        Ok(Ok((command, output))) => match hub.unmet_after(&command).await {
            Some(unmet) => (StatusCode::CONFLICT, unmet + "\n").into_response(),
            None if as_json => Json(output).into_response(),
            None => (output.text + "\n").into_response(),
        },
        Ok(Err(error)) => (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
        Err(panic) => {
            let text = format!("the command panicked: {panic}\n");
            (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
        }
    }
}
