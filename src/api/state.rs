//! `GET /v1/state`: the state at one moment, in one document.

use std::{collections::BTreeMap, iter, sync::Arc};

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::Serialize;

use super::ApiState;
use crate::{
    domain::{
        model::{
            entry::{Entry, Outcome},
            lint::Lint,
            peer::Peer,
            protocol::{Caller, Operation, Options},
            speed::DemoSpeed,
            volume::{Mask, Volume},
        },
        rules::{Remaining, RuleState, TrackedRule},
        state::connections::PeerConnections,
    },
    hub::Snapshot,
};

/// Replies with the state.
pub async fn state(State(ApiState { hub, mountpoint, .. }): State<ApiState>) -> Response {
    let snapshot = hub.snapshot();
    Json(StateDocument::new(&snapshot, &*mountpoint)).into_response()
}

#[derive(Serialize)]
struct StateDocument<'s> {
    at: Timestamp,
    driver: DriverDocument<'s>,
    counters: BTreeMap<&'static str, u64>,
    unknown_requests: u64,
    outcomes: BTreeMap<&'static str, u64>,
    callers: BTreeMap<&'static str, u64>,
    lints: BTreeMap<&'static str, u64>,
    faults_injected: u64,
    volumes: Vec<VolumeDocument<'s>>,
    faults: Vec<RuleDocument<'s>>,
    held: &'s [Arc<Entry>],
    /// How many connections of engines are open.
    connections: u64,
    /// The same by peer, the most first.
    peers: Vec<PeerDocument<'s>>,
    /// The scenario that is playing.
    scenario: Option<&'s str>,
    /// The names of the scenarios that can be played here.
    scenarios: Vec<&'s str>,
    /// The speed of the demo's workload, if this is a demo.
    speed: Option<DemoSpeed>,
    seed: u64,
    journal: JournalDocument,
}

#[derive(Serialize)]
struct PeerDocument<'s> {
    /// `dockerd[1234]`, or an address; `unknown` where the system does not say.
    peer: String,
    /// The parts of it.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    details: Option<&'s Peer>,
    /// How many of its connections are open.
    connections: u64,
}

#[derive(Serialize)]
struct DriverDocument<'s> {
    name: &'s str,
    address: &'s str,
    status: String,
    registration: &'s str,
    fix_command: Option<&'s str>,
    /// The plugin that calls are forwarded to.
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream: Option<&'s str>,
}

#[derive(Serialize)]
struct VolumeDocument<'s> {
    name: &'s str,
    mountpoint: String,
    options: &'s Options,
    created: Timestamp,
    exists: bool,
    /// Each mount ID as often as it is mounted.
    mounts: Vec<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mask: Option<Mask>,
}

#[derive(Serialize)]
struct RuleDocument<'s> {
    id: u32,
    label: Option<&'s str>,
    rule: &'s str,
    state: RuleState,
    evaluated: u64,
    fired: u64,
    remaining: Remaining,
    /// How many calls it holds.
    held: usize,
    since: Timestamp,
}

/// The numbers of the oldest kept entry and of the next one.
#[derive(Serialize)]
struct JournalDocument {
    first: u64,
    next: u64,
}

impl<'s> StateDocument<'s> {
    fn new(snapshot: &'s Snapshot, mountpoint: &dyn Fn(&str) -> String) -> Self {
        let counters = &snapshot.counters;
        Self {
            at: snapshot.at,
            driver: DriverDocument {
                name: &snapshot.driver.name,
                address: &snapshot.driver.address,
                status: snapshot.driver_state.status.to_string(),
                registration: &snapshot.driver.registration,
                fix_command: snapshot.driver.fix_command.as_deref(),
                upstream: snapshot.driver.upstream.as_deref(),
            },
            counters: Operation::ALL.map(|call| (call.as_str(), counters.operation(call))).into(),
            unknown_requests: counters.unknown_requests,
            outcomes: Outcome::ALL.map(|outcome| (outcome.as_str(), counters.outcome(outcome))).into(),
            callers: Caller::ALL.map(|caller| (caller.as_str(), counters.caller(caller))).into(),
            lints: Lint::ALL.map(|lint| (lint.as_str(), counters.lint(lint))).into(),
            faults_injected: counters.faults_injected,
            volumes: snapshot.volumes.iter().map(|volume| volume_document(volume, mountpoint)).collect(),
            faults: snapshot.rules.iter().map(rule_document).collect(),
            held: &snapshot.held,
            connections: snapshot.open_connections(),
            peers: snapshot.connections.iter().map(peer_document).collect(),
            scenario: snapshot.scenario.under_way(),
            scenarios: snapshot.catalog.scenarios.iter().map(|scenario| &*scenario.name).collect(),
            speed: snapshot.speed,
            seed: snapshot.seed,
            journal: JournalDocument { first: snapshot.kept.start, next: snapshot.kept.end },
        }
    }
}

fn peer_document(connections: &PeerConnections) -> PeerDocument<'_> {
    PeerDocument {
        peer: connections.peer.as_ref().map_or_else(|| "unknown".to_owned(), ToString::to_string),
        details: connections.peer.as_deref(),
        connections: connections.open,
    }
}

fn volume_document<'s>(volume: &'s Volume, mountpoint: &dyn Fn(&str) -> String) -> VolumeDocument<'s> {
    let mounts = volume.mounts.iter().flat_map(|(id, count)| iter::repeat_n(&**id, *count as usize));
    VolumeDocument {
        name: &volume.name,
        mountpoint: mountpoint(&volume.name),
        options: &volume.options,
        created: volume.created,
        exists: volume.exists,
        mounts: mounts.collect(),
        mask: volume.mask,
    }
}

fn rule_document(rule: &TrackedRule) -> RuleDocument<'_> {
    RuleDocument {
        id: rule.id,
        label: rule.label.as_deref(),
        rule: &rule.text,
        state: rule.state,
        evaluated: rule.evaluated,
        fired: rule.fired,
        remaining: rule.remaining,
        held: rule.held,
        since: rule.since,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::{
        model::entry::{KeptRule, RuleText},
        rules::RuleSet,
    };

    #[test]
    fn a_rule_is_plain_json() {
        let text = "mount: null until 3 for 1m";
        let kept = KeptRule {
            rule: RuleText { id: 1, label: None, text: text.into() },
            state: RuleState::Armed,
            since: Timestamp::UNIX_EPOCH,
            until: Timestamp::from_second(60).ok(),
            evaluated: 1,
            fired: 1,
            left: Some(2),
            counts: Value::Null,
        };
        let set = RuleSet::new(7, None).with_kept(&[kept]);
        let json =
            serde_json::to_value(set.iter().map(rule_document).collect::<Vec<_>>()).expect("it serialises");
        let expected = json!([{
            "id": 1, "label": null, "rule": text, "state": "armed", "evaluated": 1, "fired": 1,
            "remaining": { "fires": 2, "until": "1970-01-01T00:01:00Z" }, "held": 0, "since": "1970-01-01T00:00:00Z",
        }]);
        assert_eq!(json, expected);
    }
}
