//! The control API: the same process for users.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::disk::Disk;
use crate::hub::{Hub, Window};

/// All of its requests.
pub fn router(hub: Arc<Hub>, disk: Disk, _ending: CancellationToken) -> Router {
    Router::new().route("/v1/state", get(state)).route("/v1/commands", post(command)).with_state((hub, disk))
}

async fn state(State((hub, disk)): State<(Arc<Hub>, Disk)>) -> Json<Value> {
    let snapshot = hub.glance(&Window { volumes: 0..usize::MAX, ..Window::default() });
    let volumes: Vec<Value> = snapshot
        .volumes
        .iter()
        .map(|volume| {
            let mounts =
                volume.mounts.iter().flat_map(|(id, count)| std::iter::repeat_n(id, *count as usize));
            json!({
                "name": volume.name,
                "mountpoint": disk.mountpoint(&volume.name),
                "options": volume.options,
                "created": volume.created,
                "known": volume.known,
                "mounts": mounts.collect::<Vec<_>>(),
            })
        })
        .collect();
    Json(json!({
        "driver": {
            "name": snapshot.driver.name,
            "address": snapshot.driver.address,
            "status": snapshot.reachability.standing.to_string(),
            "registration": snapshot.driver.registration,
            "remedy": snapshot.driver.remedy,
        },
        "counters": snapshot.tally.counters,
        "volumes": volumes,
        "faults": snapshot.faults,
        "seed": snapshot.seed,
        "waiting": snapshot.waiting,
    }))
}

async fn command(State((hub, _)): State<(Arc<Hub>, Disk)>, line: String) -> (StatusCode, String) {
    match tokio::task::spawn_blocking(move || hub.command_line(&line)).await {
        Ok(Ok(effect)) => (StatusCode::OK, effect.text + "\n"),
        Ok(Err(error)) => (StatusCode::BAD_REQUEST, format!("{error}\n")),
        Err(panic) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{panic}\n")),
    }
}
