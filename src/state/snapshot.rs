//! The way out: a picture of all that a screen can show, taken under one short lock.

use std::{ops::Range, sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{Driver, DriverState, Hub, State};
use crate::domain::{
    model::{entry::Entry, scenario::ScenarioState, speed::DemoSpeed, volume::Volume},
    rules::Armed,
    state::counters::Tally,
};

/// Which part of the journal and of the volumes a reader wants to see.
#[derive(Clone, Debug, Default)]
pub struct Window {
    /// The number of the last entry in view; the newest if there is none.
    pub end: Option<u64>,
    /// How many entries fit.
    pub rows: usize,
    /// Which volumes are in view, by their place in the order of names.
    pub volumes: Range<usize>,
}

/// A picture of the hub. It shares entries and volumes instead of copying them.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// When it was taken.
    pub at: Timestamp,
    /// How engines can reach the driver.
    pub driver: Driver,
    /// Whether they can.
    pub driver_state: DriverState,
    /// All counters.
    pub tally: Tally,
    /// The entries in view, oldest first.
    pub entries: Vec<Arc<Entry>>,
    /// The number of the oldest kept entry, and the number that the next one will have.
    pub kept: Range<u64>,
    /// How many entries there was no room for, since the start or the latest reset.
    pub dropped: u64,
    /// The volumes in view.
    pub volumes: Vec<Arc<Volume>>,
    /// How many volumes there are, forgotten ones included.
    pub volume_count: usize,
    /// How many mounts are open in all.
    pub open_mounts: u64,
    /// The armed rules.
    pub faults: Vec<Armed>,
    /// The entries of the calls that wait, the longest first.
    pub waiting: Vec<Arc<Entry>>,
    /// The scenario cards on offer, and the one that is played.
    pub scenarios: ScenarioState,
    /// How fast the demo's life goes, if this is one.
    pub speed: Option<DemoSpeed>,
    /// What chance is drawn from.
    pub seed: u64,
}

impl Snapshot {
    /// How long a call has waited, if it waits still.
    pub fn waited(&self, entry: &Entry) -> Option<Duration> {
        let waits = self.waiting.iter().any(|other| other.seq == entry.seq);
        waits.then(|| Duration::try_from(self.at.duration_since(entry.at)).unwrap_or_default())
    }
}

impl State {
    fn with_held(&self, armed: &Armed) -> Armed {
        let mut armed = armed.clone();
        armed.held = self.held().filter(|waiter| waiter.rule == armed.id).count();
        armed
    }
}

impl Hub {
    /// Takes a picture.
    pub fn snapshot(&self, window: &Window) -> Snapshot {
        let at = self.now();
        let state = self.state.lock();
        let journal = &state.journal;
        let end = window.end.unwrap_or(u64::MAX - 1);
        let mut entries: Vec<_> = journal.back_from(end).take(window.rows).cloned().collect();
        entries.reverse();
        let Range { start, end } = window.volumes.clone();
        Snapshot {
            at,
            driver: state.driver.clone(),
            driver_state: state.reachable,
            tally: state.tally.clone(),
            entries,
            kept: journal.first()..journal.next(),
            dropped: journal.dropped(),
            volumes: state.volumes.iter().skip(start).take(end.saturating_sub(start)).cloned().collect(),
            volume_count: state.volumes.len(),
            open_mounts: state.volumes.iter().map(|volume| u64::from(volume.open_mounts())).sum(),
            faults: state.rules.iter().map(|armed| state.with_held(armed)).collect(),
            waiting: state.held().map(|waiter| Arc::clone(&waiter.entry)).collect(),
            scenarios: state.scenarios.clone(),
            speed: state.speed,
            seed: state.rules.seed(),
        }
    }
}
