//! The hub: the state behind its lock.
//!
//! The server admits each call here ([`Hub::admit`]) and records its end ([`Hub::record`]); users give commands
//! ([`Hub::command`]); the console takes a [`Hub::snapshot`] when it draws, and is woken when there is something new
//! ([`Hub::subscribe`]). A slow reader loses nothing and delays nobody.
//!
//! Whatever happens becomes an entry, and [`State::apply`] is the only way the state changes. Locks, always in this
//! order: `volume_locks` serialise the changes of each volume with their way to the disk, and only what changes volumes
//! takes them; `locked` guards all else and is held for microseconds, never over I/O.

mod admit;
mod changes;
mod clock;
mod command_error;
mod commands;
mod connections;
mod held;
mod masks;
mod reconcile;
mod redacted_store;
#[cfg(test)]
mod replay_tests;
mod scenario;
mod snapshot;
#[cfg(test)]
mod tests;
mod volumes;

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, oneshot, watch},
    time::Instant,
};

pub use changes::{ChangeSender, Changes, NoMoreChanges};
pub use command_error::CommandFailed;
pub use commands::CommandOutput;
pub use connections::OpenConnection;
pub use held::{HeldCallGuard, Wakeup};
pub use snapshot::Snapshot;
use volumes::VolumeLocks;
pub use volumes::{InMemoryStore, VolumeStore};

pub use crate::domain::model::driver::{DriverInfo, DriverState, DriverStatus};
use crate::domain::{
    analysis::linter::Linter,
    model::{
        entry::{Entry, EntryKind, RuleDecision, Session},
        scenario::{PlayRequest, ScenarioCatalog},
        speed::{DemoSpeed, EngineSpeed},
    },
    redaction::Redaction,
    rules::RuleSet,
    state::{State, journal::Bounds},
};
use redacted_store::RedactedStore;

/// The state, and how to wake the calls that it holds.
struct Inner {
    state: State,
    /// The calls that wait in this process, by number. None once a call was released; it leaves when it goes on.
    waiters: BTreeMap<u64, Option<oneshot::Sender<Wakeup>>>,
    catalog: ScenarioCatalog,
    /// What the rules decided about the latest call, to be shared with the next.
    decisions: Option<Arc<[RuleDecision]>>,
    /// When a rule or an outage next ends or changes.
    deadline: Option<Timestamp>,
    /// How fast the clock is that rules and outages are meant in from now on.
    speed: EngineSpeed,
}

impl Inner {
    /// Appends an entry and applies it.
    fn push(&mut self, at: Timestamp, kind: EntryKind) -> Arc<Entry> {
        let entry = Arc::new(Entry::new(self.state.journal().next_seq(), at, kind));
        self.state.apply(&entry);
        entry
    }
}

/// The shared state of an instance.
pub struct Hub {
    store: Box<dyn VolumeStore>,
    volume_locks: VolumeLocks,
    locked: Mutex<Inner>,
    last_call: AtomicU64,
    changes: ChangeSender,
    desired_state: watch::Sender<DriverState>,
    observed_state: watch::Sender<Option<DriverState>>,
    play_requests: watch::Sender<Option<PlayRequest>>,
    speeds: watch::Sender<Option<DemoSpeed>>,
    /// Wakes the server when it is to create its socket file again.
    rebind: Notify,
    redaction: Redaction,
    /// Wakes [`Hub::run_deadlines`] when a command may have set a nearer deadline.
    rescheduled: Notify,
    started: (Timestamp, Instant),
    /// How far the clock has gone ahead of the time that has passed since the start.
    ahead_ms: AtomicI64,
}

#[cfg(test)]
impl Hub {
    /// A hub without volumes, which persists nothing.
    pub fn for_tests() -> Arc<Self> {
        Self::keeping(Bounds::default().entries)
    }

    /// The same, which keeps at most so many entries.
    pub fn keeping(entries: usize) -> Arc<Self> {
        let session = Session::new(7, crate::domain::model::volume::Volumes::default());
        Self::new(session, Box::new(InMemoryStore), Bounds { entries, ..Bounds::default() })
    }
}

impl Hub {
    /// A hub whose first entry is this one.
    pub fn new(session: Session, store: Box<dyn VolumeStore>, bounds: Bounds) -> Arc<Self> {
        Self::redacted(session, store, bounds, Redaction::default())
    }

    /// The same, without some values in its entries and in its state. The store gets them.
    pub fn redacted(
        session: Session,
        store: Box<dyn VolumeStore>,
        bounds: Bounds,
        redaction: Redaction,
    ) -> Arc<Self> {
        let started = (Timestamp::now(), Instant::now());
        let speed = session.speed;
        let store: Box<dyn VolumeStore> = if redaction.is_empty() {
            store
        } else {
            Box::new(RedactedStore::new(store, redaction.clone(), &session.volumes))
        };
        let mut session = EntryKind::Session(Box::new(session));
        redaction.entry(&mut session);
        let mut inner = Inner {
            state: State::new(bounds),
            waiters: BTreeMap::new(),
            catalog: ScenarioCatalog::default(),
            decisions: None,
            deadline: None,
            speed: EngineSpeed::REAL,
        };
        inner.push(started.0, session);
        // Rules of the last run may have expired since.
        inner.deadline = Some(started.0);
        inner.end_what_is_due(started.0);
        Arc::new(Self {
            store,
            volume_locks: VolumeLocks::default(),
            desired_state: watch::Sender::new(inner.state.driver_state()),
            locked: Mutex::new(inner),
            last_call: AtomicU64::new(0),
            changes: ChangeSender::default(),
            observed_state: watch::Sender::new(None),
            play_requests: watch::Sender::new(None),
            speeds: watch::Sender::new(speed),
            rebind: Notify::new(),
            redaction,
            rescheduled: Notify::new(),
            started,
            ahead_ms: AtomicI64::new(0),
        })
    }

    /// Records where engines find the driver.
    pub fn register(&self, driver: DriverInfo) {
        self.record(EntryKind::Registration(Box::new(driver)));
    }

    /// The number of a call that just arrived. It never restarts.
    pub fn next_call(&self) -> u64 {
        self.last_call.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The rules with all that they have counted.
    pub fn rules(&self) -> RuleSet {
        self.locked.lock().state.rules().clone()
    }

    /// Wakes a reader when something is new.
    pub fn subscribe(&self) -> Changes {
        self.changes.subscribe()
    }

    /// Appends an entry about what happened outside: the end of a call, an event of a scenario, a note. Returns its
    /// `seq`.
    pub fn record(&self, mut kind: EntryKind) -> u64 {
        self.redaction.entry(&mut kind);
        let is_scenario = matches!(kind, EntryKind::Scenario(_));
        let mut inner = self.locked.lock();
        if let EntryKind::Call(call) = &mut kind {
            call.lints.extend(Linter::at_end(call, inner.state.volumes()));
        }
        // With the lock, so that the entries are in the order of their times.
        let seq = inner.push(self.now(), kind).seq;
        if is_scenario {
            self.publish_desired_state(&mut inner);
        }
        drop(inner);
        self.changes.send();
        seq
    }

    /// The kept entries after a number, oldest first and at most `limit`, and the number of the oldest that is kept.
    pub fn entries_after(&self, seq: u64, limit: usize) -> (Vec<Arc<Entry>>, u64) {
        let inner = self.locked.lock();
        let journal = inner.state.journal();
        (journal.after(seq).take(limit).cloned().collect(), journal.first_seq())
    }

    /// The state without its entries, to continue a recording or a remote console from.
    pub fn checkpoint(&self) -> State {
        self.locked.lock().state.checkpoint()
    }

    /// The number of the oldest entry that is kept, and the number that the next one will have.
    pub fn kept(&self) -> Range<u64> {
        let inner = self.locked.lock();
        inner.state.journal().first_seq()..inner.state.journal().next_seq()
    }

    /// All kept entries. They are fetched in portions, so that no call waits for the lock meanwhile.
    pub fn all_entries(&self) -> Vec<Arc<Entry>> {
        const PORTION: usize = 4096;
        let mut entries: Vec<Arc<Entry>> = Vec::new();
        loop {
            let last = entries.last().map_or(0, |entry| entry.seq);
            let (portion, _) = self.entries_after(last, PORTION);
            let is_last = portion.len() < PORTION;
            entries.extend(portion);
            if is_last {
                return entries;
            }
        }
    }
}
