//! `POST /v1/commands`: one command line.

use std::{error::Error, sync::Arc, time::Duration};

use axum::{extract::State, http::StatusCode};

use super::ApiState;
use crate::export;

/// How long a reply waits until the command has taken effect on the sockets. Later failures are in the journal.
const APPLY_TIMEOUT: Duration = Duration::from_secs(2);

/// Runs the command and replies with its result.
pub async fn command(
    State(ApiState { hub, files, .. }): State<ApiState>,
    line: String,
) -> (StatusCode, String) {
    let is_up = line.trim() == "up";
    let run = {
        let hub = Arc::clone(&hub);
        move || -> Result<_, Box<dyn Error + Send + Sync>> {
            let command = files.confine(line.trim().parse()?)?;
            Ok(export::run_command(&hub, &command)?)
        }
    };
    match tokio::task::spawn_blocking(run).await {
        Ok(Ok(output)) => {
            drop(tokio::time::timeout(APPLY_TIMEOUT, hub.wait_until_applied()).await);
            match hub.bind_error().filter(|_| is_up) {
                Some(error) => {
                    let text = format!("the driver is not reachable: {error}; it is tried until it works\n");
                    (StatusCode::CONFLICT, text)
                }
                None => (StatusCode::OK, output.text + "\n"),
            }
        }
        Ok(Err(error)) => (StatusCode::BAD_REQUEST, format!("{error}\n")),
        Err(panic) => (StatusCode::INTERNAL_SERVER_ERROR, format!("the command panicked: {panic}\n")),
    }
}
