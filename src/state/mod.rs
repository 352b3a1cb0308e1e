//! The hub: the one shared, locked place, between whoever calls and whoever looks.
//!
//! The server asks it about each call ([`Hub::admit`]) and tells it the end ([`Hub::record`]); users
//! give it commands ([`Hub::command`]); the console pulls a picture when it likes ([`Hub::snapshot`])
//! and is woken when there is something new ([`Hub::changes`]). It is a store with a wake-up and not
//! a queue, so a slow reader loses nothing and stops nobody.
//!
//! Two locks, always in this order: `store` serialises changes of the volumes with their way to the
//! disk; `state` guards all else and is held for microseconds, never over I/O.

mod admit;
mod commands;
mod reconcile;
mod scenario;
mod snapshot;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, atomic::AtomicBool},
};

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::{
    sync::{Notify, oneshot, watch},
    time::Instant,
};

pub use admit::{Admission, HeldCallGuard, IncomingCall};
pub use commands::{CommandFailed, CommandOutput};
pub use snapshot::{Snapshot, Window};

use crate::domain::{
    analysis::linter::Linter,
    lang::command::Outage,
    model::{
        entry::{Entry, EntryKind, RuleEvent, RuleLifecycle},
        scenario::{RunRequest, ScenarioState},
        speed::DemoSpeed,
        undo_log::UndoLog,
        volume::{Change, Volume, Volumes},
    },
    rules::{Armed, ReleaseAction, RuleSet, RuleState},
    state::{
        counters::Tally,
        journal::{Bounds, Journal},
    },
};

/// Where changes of the volumes are made to last.
pub trait VolumeStore: Send {
    /// Makes a change last. `after` is the volume's record as the change leaves it, if it leaves one.
    fn keep(&mut self, change: &Change, after: Option<&Volume>) -> io::Result<()>;
}

/// A store that keeps nothing: for tests, and for whoever only looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct InMemoryStore;

impl VolumeStore for InMemoryStore {
    fn keep(&mut self, _: &Change, _: Option<&Volume>) -> io::Result<()> {
        Ok(())
    }
}

/// The driver as engines can reach it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Driver {
    /// The name after `--volume-driver`.
    pub name: String,
    /// Its address: `unix:///…` or `tcp://…`.
    pub address: String,
    /// How engines find it, in words: `registered`, or why not.
    pub registration: String,
    /// The one command that would register it, if it is not.
    pub fix_command: Option<String>,
}

/// Whether the driver can be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DriverStatus {
    /// It listens and answers.
    #[default]
    Up,
    /// It cannot be reached.
    Down {
        /// In which way.
        kind: Outage,
        /// When it comes up by itself.
        until: Option<Timestamp>,
    },
}

impl std::fmt::Display for DriverStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Up => f.write_str("up"),
            Self::Down { kind, .. } => write!(f, "down {kind}"),
        }
    }
}

/// What the server has to follow: see [`Hub::desired_state`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DriverState {
    /// Whether the driver can be reached.
    pub status: DriverStatus,
    /// Grows with each `crash`: connections of an earlier life are cut.
    pub life: u64,
    /// Whether somebody gave the command `quit`.
    pub quitting: bool,
}

struct State {
    journal: Journal,
    tally: Tally,
    volumes: Volumes,
    undo_log: UndoLog,
    rules: RuleSet,
    linter: Linter,
    driver: Driver,
    reachable: DriverState,
    /// How many calls were admitted since the start or the last `reset`.
    admitted: u64,
    scenarios: ScenarioState,
    /// Whether a `quit` waits for the end of a play.
    quits_after_play: bool,
    speed: Option<DemoSpeed>,
    /// The calls that wait, by the sequence number of the entry that said so.
    waiting: BTreeMap<u64, HeldCallState>,
}

struct HeldCallState {
    entry: Arc<Entry>,
    rule: u32,
    /// How the call is told that it may go, and how it ends if not naturally. None once it was told.
    release: Option<oneshot::Sender<Option<ReleaseAction>>>,
}

impl HeldCallState {
    /// Lets the call go, unless it goes already.
    fn release_held(&mut self, release_action: Option<&ReleaseAction>) -> bool {
        self.release.take().is_some_and(|release| release.send(release_action.cloned()).is_ok())
    }
}

impl State {
    fn push(&mut self, at: Timestamp, kind: EntryKind) -> Arc<Entry> {
        let entry = self.journal.push(at, kind);
        self.tally.count(&entry);
        if let EntryKind::Scenario(event) = &entry.kind {
            self.played(event);
        }
        entry
    }

    /// Notes the end of a rule and lets go what it holds, unless it was merely spent. One that had ended
    /// before it was disarmed is not noted again.
    fn end_rule(&mut self, at: Timestamp, rule: &Armed, event: RuleLifecycle) {
        if event != RuleLifecycle::Disarmed || rule.state == RuleState::Armed {
            self.push(at, EntryKind::Fault(fault_event(rule, event)));
        }
        if event != RuleLifecycle::Spent {
            self.release_held(|waiter| waiter.rule == rule.id);
        }
    }

    /// The calls that wait and were not let go yet, the longest first.
    fn held(&self) -> impl Iterator<Item = &HeldCallState> {
        let is_held =
            |waiter: &&HeldCallState| waiter.release.as_ref().is_some_and(|release| !release.is_closed());
        self.waiting.values().filter(is_held)
    }

    /// Lets calls go to their natural answer.
    fn release_held(&mut self, which: impl Fn(&HeldCallState) -> bool) -> usize {
        let waiters = self.waiting.values_mut().filter(|waiter| which(waiter));
        waiters.filter_map(|waiter| waiter.release_held(None).then_some(())).count()
    }

    /// Ends what has run out of time.
    fn tick(&mut self, at: Timestamp) -> bool {
        let over = self.rules.expire(at);
        for rule in &over {
            if rule.state == RuleState::Expired {
                self.end_rule(at, rule, RuleLifecycle::Expired);
            } else {
                self.release_held(|waiter| waiter.rule == rule.id);
            }
        }
        let up =
            matches!(self.reachable.status, DriverStatus::Down { until: Some(until), .. } if until <= at);
        if up {
            self.reachable.status = DriverStatus::Up;
            self.push(at, EntryKind::Driver { status: "up: the outage is over".into() });
        }
        up || !over.is_empty()
    }

    fn next_deadline(&self) -> Option<Timestamp> {
        let outage = match self.reachable.status {
            DriverStatus::Down { until, .. } => until,
            DriverStatus::Up => None,
        };
        self.rules.next_expiry().into_iter().chain(outage).min()
    }
}

fn fault_event(rule: &Armed, event: RuleLifecycle) -> RuleEvent {
    RuleEvent { id: rule.id, label: rule.label.clone(), rule: Arc::clone(&rule.text), event }
}

/// The one shared, locked place.
pub struct Hub {
    store: Mutex<Box<dyn VolumeStore>>,
    state: Mutex<State>,
    version: watch::Sender<u64>,
    desired_state: watch::Sender<DriverState>,
    report_observed: watch::Sender<Option<DriverState>>,
    run_requests: watch::Sender<Option<RunRequest>>,
    speeds: watch::Sender<Option<DemoSpeed>>,
    may_reset: AtomicBool,
    /// Wakes [`Hub::keep_time`] when a command may have set a nearer deadline.
    rescheduled: Notify,
    started: (Timestamp, Instant),
}

impl Hub {
    /// A hub that starts with some volumes and draws chance from a seed.
    pub fn new(seed: u64, volumes: Volumes, store: Box<dyn VolumeStore>, bounds: Bounds) -> Arc<Self> {
        let driver_state = DriverState { status: DriverStatus::Up, life: 0, quitting: false };
        let state = State {
            journal: Journal::new(bounds),
            tally: Tally::default(),
            volumes,
            undo_log: UndoLog::default(),
            rules: RuleSet::new(seed),
            linter: Linter::default(),
            driver: Driver::default(),
            reachable: driver_state,
            admitted: 0,
            scenarios: ScenarioState::default(),
            quits_after_play: false,
            speed: None,
            waiting: BTreeMap::new(),
        };
        Arc::new(Self {
            store: Mutex::new(store),
            state: Mutex::new(state),
            version: watch::Sender::new(0),
            desired_state: watch::Sender::new(driver_state),
            report_observed: watch::Sender::new(None),
            run_requests: watch::Sender::new(None),
            speeds: watch::Sender::new(None),
            may_reset: AtomicBool::new(false),
            rescheduled: Notify::new(),
            started: (Timestamp::now(), Instant::now()),
        })
    }

    /// The time of the hub: it never goes back, and stands still where tokio's does.
    pub fn now(&self) -> Timestamp {
        let (start, instant) = self.started;
        SignedDuration::try_from(instant.elapsed())
            .ok()
            .and_then(|passed| start.checked_add(passed).ok())
            .unwrap_or(start)
    }

    /// Sets how long a rule lasts that does not say so. `None`: until it is disarmed.
    pub fn set_default_expiry(&self, lasting: Option<std::time::Duration>) {
        self.state.lock().rules.set_default_expiry(lasting);
    }

    /// Says how engines can reach the driver.
    pub fn set_driver_info(&self, driver: Driver) {
        self.state.lock().driver = driver;
        self.wake();
    }

    /// Wakes a reader when something is new. A reader that was away finds one wake-up for all it missed.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    fn wake(&self) {
        self.version.send_modify(|version| *version += 1);
    }

    /// Appends an entry about what has happened, and returns its number.
    pub fn record(&self, mut kind: EntryKind) -> u64 {
        let at = self.now();
        let mut state = self.state.lock();
        if let EntryKind::Call(call) = &mut kind {
            state.linter.ended(call);
        }
        let is_play = matches!(kind, EntryKind::Scenario(_));
        let seq = state.push(at, kind).seq;
        if is_play {
            self.order(&state);
            self.run_request(&state);
        }
        drop(state);
        self.wake();
        seq
    }

    /// Makes one change of the volumes last, then acts on it.
    pub fn change(&self, change: &Change) -> io::Result<()> {
        let mut store = self.store.lock();
        self.change_with(&mut **store, change)?;
        drop(store);
        self.wake();
        Ok(())
    }

    fn change_with(&self, store: &mut dyn VolumeStore, change: &Change) -> io::Result<()> {
        let record = change.name().and_then(|name| self.state.lock().volumes.record(name).cloned());
        let mut preview: Volumes = record.as_deref().cloned().into_iter().collect();
        preview.apply(change);
        store.keep(change, preview.iter().next().map(Arc::as_ref))?;
        let mut state = self.state.lock();
        let State { volumes, undo_log, .. } = &mut *state;
        undo_log.remember(volumes, change);
        volumes.apply(change);
        Ok(())
    }

    /// Looks at the volumes under the lock. Be short.
    pub fn with_volumes<T>(&self, look: impl FnOnce(&Volumes) -> T) -> T {
        look(&self.state.lock().volumes)
    }

    /// Looks at the volumes and at what they were before, under the lock. Be short.
    pub fn with_past<T>(&self, look: impl FnOnce(&Volumes, &UndoLog) -> T) -> T {
        let state = self.state.lock();
        look(&state.volumes, &state.undo_log)
    }

    /// The kept entries after a number, oldest first and at most `limit`, and the number of the oldest that is kept.
    pub fn entries_after(&self, seq: u64, limit: usize) -> (Vec<Arc<Entry>>, u64) {
        let state = self.state.lock();
        (state.journal.after(seq).take(limit).cloned().collect(), state.journal.first())
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

    /// Lets every waiting call go: the end is near, and none may block it.
    pub fn release_all(&self) -> usize {
        self.state.lock().release_held(|_| true)
    }

    /// Ends rules and outages when their time is over. Runs until it is dropped.
    pub async fn keep_time(&self) {
        loop {
            let now = self.now();
            let (ticked, next) = {
                let mut state = self.state.lock();
                let ticked = state.tick(now);
                self.order(&state);
                (ticked, state.next_deadline())
            };
            if ticked {
                self.wake();
            }
            let due = async {
                match next {
                    Some(next) => {
                        let left =
                            std::time::Duration::try_from(next.duration_since(now)).unwrap_or_default();
                        tokio::time::sleep(left.max(std::time::Duration::from_millis(1))).await;
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => {}
                () = self.rescheduled.notified() => {}
            }
        }
    }
}
