//! The control API: what the console shows and does, for scripts. `docs/control.md` is its reference.

mod entries;
mod metrics;
mod state;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tokio_util::sync::CancellationToken;

use super::disk::DiskStore;
use crate::state::Hub;

/// What every request may need.
#[derive(Clone)]
struct Control {
    hub: Arc<Hub>,
    disk: DiskStore,
    /// Ends streams.
    release_action: CancellationToken,
}

/// All of its requests. Streams end when `release_action` is cancelled.
pub fn router(hub: Arc<Hub>, disk: DiskStore, release_action: CancellationToken) -> Router {
    Router::new()
        .route("/v1/state", get(state::state))
        .route("/v1/entries", get(entries::entries))
        .route("/v1/entries/stream", get(entries::stream))
        .route("/v1/commands", post(command))
        .route("/metrics", get(metrics::metrics))
        .fallback((StatusCode::NOT_FOUND, "there is nothing here; docs/control.md lists all requests\n"))
        .layer(middleware::from_fn(refuse_browsers))
        .with_state(Control { hub, disk, release_action })
}

/// A web page can send a command to a TCP port of the machine on which it is looked at. Its browser says so.
async fn refuse_browsers(request: Request, next: Next) -> Response {
    if request.headers().contains_key(header::ORIGIN) {
        return (StatusCode::FORBIDDEN, "requests from web pages are refused; use curl\n").into_response();
    }
    next.run(request).await
}

/// How long a command waits for the server to follow it. What takes longer is in the journal.
const SETTLING: Duration = Duration::from_secs(2);

async fn command(State(Control { hub, .. }): State<Control>, line: String) -> (StatusCode, String) {
    let obedient = Arc::clone(&hub);
    match tokio::task::spawn_blocking(move || obedient.command_line(&line)).await {
        Ok(Ok(effect)) => {
            drop(tokio::time::timeout(SETTLING, hub.wait_until_applied()).await);
            (StatusCode::OK, effect.text + "\n")
        }
        Ok(Err(error)) => (StatusCode::BAD_REQUEST, format!("{error}\n")),
        Err(panic) => (StatusCode::INTERNAL_SERVER_ERROR, format!("the command panicked: {panic}\n")),
    }
}
