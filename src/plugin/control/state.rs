//! `GET /v1/state`: everything that is true now, in one document.

use axum::{Json, extract::State};
use serde_json::{Map, Value, json};

use super::Control;
use crate::{
    domain::{
        model::{
            entry::Outcome,
            lint::Lint,
            protocol::{Caller, Operation},
            volume::Volume,
        },
        rules::Armed,
    },
    plugin::disk::DiskStore,
};

/// Answers with the state.
pub async fn state(State(Control { hub, disk, .. }): State<Control>) -> Json<Value> {
    let snapshot = hub.snapshot();
    let counters = &snapshot.counters;
    Json(json!({
        "driver": {
            "name": snapshot.driver.name,
            "address": snapshot.driver.address,
            "status": snapshot.driver_state.status.to_string(),
            "registration": snapshot.driver.registration,
            "fix_command": snapshot.driver.fix_command,
        },
        "at": snapshot.at,
        "counters": counts(Operation::ALL.map(|call| (call.as_str(), counters.operation(call)))),
        "unknown_requests": counters.unknown_requests,
        "outcomes": counts(Outcome::ALL.map(|outcome| (outcome.as_str(), counters.outcome(outcome)))),
        "callers": counts(Caller::ALL.map(|caller| (caller.as_str(), counters.caller(caller)))),
        "lints": counts(Lint::ALL.map(|lint| (lint.as_str(), counters.lint(lint)))),
        "faults_injected": counters.faults_injected,
        "volumes": snapshot.volumes.iter().map(|volume| describe(volume, &disk)).collect::<Vec<_>>(),
        "faults": snapshot.faults.iter().map(Armed::status).collect::<Vec<_>>(),
        "held": snapshot.held,
        "scenario": snapshot.scenario.under_way(),
        "speed": snapshot.speed,
        "seed": snapshot.seed,
        "journal": { "first": snapshot.kept.start, "next": snapshot.kept.end },
    }))
}

fn counts(pairs: impl IntoIterator<Item = (&'static str, u64)>) -> Map<String, Value> {
    pairs.into_iter().map(|(word, count)| (word.to_owned(), count.into())).collect()
}

/// A volume, with each mount ID as often as it is mounted.
fn describe(volume: &Volume, disk: &DiskStore) -> Value {
    let mounts = volume.mounts.iter().flat_map(|(id, count)| std::iter::repeat_n(id, *count as usize));
    json!({
        "name": volume.name,
        "mountpoint": disk.mountpoint(&volume.name),
        "options": volume.options,
        "created": volume.created,
        "exists": volume.exists,
        "mounts": mounts.collect::<Vec<_>>(),
    })
}
