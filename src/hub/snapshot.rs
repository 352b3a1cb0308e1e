//! A snapshot: all that a screen or the control API can show, taken under one short lock.

use std::{ops::Range, sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{DriverInfo, DriverState, DriverStatus, Hub};
use crate::domain::{
    model::{
        entry::Entry,
        peer::Peer,
        scenario::{ScenarioCatalog, ScenarioState},
        source_status::SourceStatus,
        speed::DemoSpeed,
        volume::Volumes,
    },
    rules::{DisarmedRule, TrackedRule},
    state::{State, connections::PeerConnections, counters::Counters},
};

/// The state at one moment. It shares entries and volumes instead of copying them.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// When it was taken.
    pub at: Timestamp,
    /// Where engines find the driver.
    pub driver: DriverInfo,
    /// Whether they can reach it.
    pub driver_state: DriverState,
    /// All counters.
    pub counters: Counters,
    /// The number of the oldest kept entry, and the number that the next one will have.
    pub kept: Range<u64>,
    /// How many entries a list shows, of all that there ever were.
    pub rows: u64,
    /// How many entries there was no room for, since the start or the latest reset.
    pub dropped: u64,
    /// All volumes, forgotten ones included.
    pub volumes: Volumes,
    /// The rules.
    pub rules: Vec<TrackedRule>,
    /// The latest rules that were disarmed, oldest first.
    pub disarmed: Vec<DisarmedRule>,
    /// The `held` entries of the calls that a rule holds, the oldest first.
    pub held: Vec<Arc<Entry>>,
    /// How many connections are open, by peer.
    pub connections: Vec<PeerConnections>,
    /// The latest peers that have sent a call, in the order of their first.
    pub peers: Vec<Arc<Peer>>,
    /// The scenarios that can be played here.
    pub catalog: ScenarioCatalog,
    /// What is played.
    pub scenario: ScenarioState,
    /// The speed of the demo, if this is one.
    pub speed: Option<DemoSpeed>,
    /// The seed of all draws.
    pub seed: u64,
    /// Where the state comes from.
    pub source: SourceStatus,
    /// The instance, where a console shows several; none for all of them together.
    pub node: Option<Arc<str>>,
    /// All instances, where a console shows several.
    pub nodes: Vec<Self>,
    /// Another number than before means that earlier entries are others now, so that a list has to begin again.
    pub epoch: u64,
}

impl Snapshot {
    /// What a state shows at some time.
    pub fn of(state: &State, at: Timestamp, catalog: ScenarioCatalog) -> Self {
        let journal = state.journal();
        let mut held: Vec<_> = state.held().map(|(entry, _)| Arc::clone(entry)).collect();
        held.sort_by_key(|entry| entry.seq);
        let mut rules: Vec<_> = state.rules().iter().map(TrackedRule::without_counts).collect();
        for (_, call) in state.held() {
            if let Some(rule) = rules.iter_mut().find(|rule| call.fault.rule() == Some(rule.id)) {
                rule.held += 1;
            }
        }
        Self {
            at,
            driver: state.driver().clone(),
            driver_state: state.driver_state(),
            counters: state.counters().clone(),
            kept: journal.first_seq()..journal.next_seq(),
            rows: journal.listed(),
            dropped: journal.dropped(),
            volumes: state.volumes().clone(),
            rules,
            disarmed: state.rules().disarmed().cloned().collect(),
            held,
            connections: state.connections().by_peer(),
            peers: state.connections().callers().cloned().collect(),
            catalog,
            scenario: state.scenario().clone(),
            speed: state.speed(),
            seed: state.rules().seed(),
            source: SourceStatus::Local,
            node: None,
            nodes: Vec::new(),
            epoch: 0,
        }
    }

    /// How many connections of engines are open.
    pub fn open_connections(&self) -> u64 {
        self.connections.iter().map(|peer| peer.open).sum()
    }

    /// Several instances together: what can be summed is, what belongs to one is left out.
    pub fn of_all(nodes: &[Self]) -> Option<Self> {
        let mut all = nodes.first()?.clone();
        all.node = None;
        all.driver.fix_command = None;
        all.volumes = Volumes::default();
        all.disarmed = Vec::new();
        all.scenario = ScenarioState::default();
        (all.speed, all.seed) = (None, 0);
        for node in &nodes[1..] {
            all.at = all.at.max(node.at);
            if all.driver_state.status == DriverStatus::Up {
                all.driver_state = node.driver_state;
            }
            all.counters.add(&node.counters);
            all.rules.extend(node.rules.iter().cloned());
            all.held.extend(node.held.iter().cloned());
            all.connections.extend(node.connections.iter().cloned());
            all.peers.extend(node.peers.iter().cloned());
        }
        Some(all)
    }

    /// Whether it is of several instances together.
    pub fn is_all(&self) -> bool {
        self.node.is_none() && !self.nodes.is_empty()
    }

    /// How many volumes there are.
    pub fn volume_count(&self) -> usize {
        let nodes: usize =
            if self.is_all() { self.nodes.iter().map(|node| node.volumes.len()).sum() } else { 0 };
        nodes + self.volumes.len()
    }

    /// How many lines the volumes take: of several instances, each has a heading.
    pub fn volume_lines(&self) -> usize {
        let headings = if self.is_all() { self.nodes.len() } else { 0 };
        headings + self.volume_count()
    }

    /// The state of the instance that an entry is of.
    pub fn of_entry(&self, entry: &Entry) -> &Self {
        self.nodes.iter().find(|node| node.node == entry.node).unwrap_or(self)
    }

    /// How long a call has been held, if it still is.
    pub fn waited(&self, entry: &Entry) -> Option<Duration> {
        let waits = self.held.iter().any(|other| other.seq == entry.seq);
        waits.then(|| Duration::try_from(self.at.duration_since(entry.at)).unwrap_or_default())
    }
}

impl Hub {
    /// Takes a snapshot.
    pub fn snapshot(&self) -> Snapshot {
        let inner = self.locked.lock();
        Snapshot::of(&inner.state, self.now(), inner.catalog.clone())
    }

    /// When this process began to record.
    pub fn started(&self) -> Timestamp {
        self.started.0
    }

    /// The scenarios that can be played here.
    pub fn catalog(&self) -> ScenarioCatalog {
        self.locked.lock().catalog.clone()
    }

    /// Where engines find the driver.
    pub fn driver(&self) -> DriverInfo {
        self.locked.lock().state.driver().clone()
    }

    /// The scenario that is to be played or is being played.
    pub fn scenario_under_way(&self) -> Option<String> {
        self.locked.lock().state.scenario().under_way().map(str::to_owned)
    }
}
