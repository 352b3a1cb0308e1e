//! The state that the entries add up to.
//!
//! [`State::apply`] is the only way it changes. The live hub decides, appends an entry and applies it; a recording and
//! the tests of the screen apply the same entries and get the same state.

pub mod connections;
pub mod counters;
pub mod durations;
pub mod journal;
mod scenario;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::{
    connections::Connections,
    counters::Counters,
    journal::{Bounds, Journal},
};
use crate::domain::{
    analysis::linter::Linter,
    lang::command::Command,
    model::{
        driver::{DriverEvent, DriverInfo, DriverReason, DriverState, DriverStatus},
        entry::{Entry, EntryKind, HeldCall, RuleEvent, Session},
        past_volumes::PastVolumes,
        scenario::ScenarioState,
        speed::DemoSpeed,
        volume::{Change, Volumes},
    },
    rules::RuleSet,
};

/// Everything that a screen or the control API can show.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    journal: Journal,
    counters: Counters,
    volumes: Volumes,
    past_volumes: PastVolumes,
    rules: RuleSet,
    linter: Linter,
    connections: Connections,
    driver: DriverInfo,
    desired: DriverState,
    /// Why the driver cannot be brought into its status, if it cannot.
    bind_error: Option<Arc<str>>,
    /// The `held` entries of the calls that a rule holds now, by the number of the call.
    held: BTreeMap<u64, Arc<Entry>>,
    scenario: ScenarioState,
    /// Whether a `quit` waits for the end of a scenario.
    quits_after_scenario: bool,
    speed: Option<DemoSpeed>,
    /// The greatest number of a call.
    last_call: u64,
}

impl State {
    /// The state before the first entry.
    pub fn new(bounds: Bounds) -> Self {
        Self { journal: Journal::new(bounds), ..Self::default() }
    }

    /// Applies the next entry.
    pub fn apply(&mut self, entry: &Arc<Entry>) {
        match &entry.kind {
            EntryKind::Session(session) => self.start(session),
            EntryKind::Registration(info) => self.driver.clone_from(info),
            EntryKind::Call(call) => {
                self.held.remove(&call.number);
                self.linter.apply(call);
                self.connections.called(call.peer.as_ref());
                self.last_call = self.last_call.max(call.number);
            }
            EntryKind::Held(held) => {
                self.held.insert(held.number, Arc::clone(entry));
                self.connections.called(held.peer.as_ref());
                self.last_call = self.last_call.max(held.number);
            }
            EntryKind::Released(released) => drop(self.held.remove(&released.call)),
            EntryKind::Connection(event) => self.connections.apply(event),
            EntryKind::Volume(volume) => self.change(&volume.change),
            EntryKind::Rule(event) => self.apply_rule_event(event, entry.at),
            EntryKind::Driver(event) => self.apply_driver_event(event),
            EntryKind::Command(run) => {
                // The line was printed by a command. Only a damaged recording has another one.
                if let Ok(command) = run.command.parse() {
                    self.apply_command(&command);
                }
            }
            EntryKind::Scenario(event) => self.apply_scenario_event(event),
            EntryKind::EngineCommand(_)
            | EntryKind::Shell(_)
            | EntryKind::Note { .. }
            | EntryKind::Gap(_)
            | EntryKind::Unknown => {}
        }
        self.counters.count(entry);
        self.journal.push(entry);
    }

    /// Begins again: a recording can have the sessions of several runs.
    fn start(&mut self, session: &Session) {
        *self = Self::new(self.journal.bounds());
        let default_expiry = session.default_expiry_ms.map(Duration::from_millis);
        self.rules = RuleSet::new(session.seed, default_expiry).with_kept(&session.rules);
        self.volumes.clone_from(&session.volumes);
        self.speed = session.speed;
    }

    fn change(&mut self, change: &Change) {
        self.past_volumes.push(&self.volumes, change);
        self.volumes.apply(change);
    }

    fn apply_rule_event(&mut self, event: &RuleEvent, at: Timestamp) {
        let Self { rules, held, .. } = self;
        rules.apply(event, at, |id| held_calls(held).any(|(_, call)| call.fault.rule() == Some(id)));
    }

    fn apply_driver_event(&mut self, event: &DriverEvent) {
        self.desired.status = event.status;
        self.desired.generation = event.generation;
        self.bind_error = match &event.reason {
            DriverReason::CannotBind { error, .. } => Some(Arc::clone(error)),
            _ => None,
        };
    }

    /// What a command changes that has no entry of its own.
    fn apply_command(&mut self, command: &Command) {
        match command {
            Command::Seed(seed) => self.rules.reseed(*seed),
            Command::Speed(change) => self.speed = self.speed.map(|speed| speed.changed(*change)),
            Command::Reset => {
                self.journal.clear();
                self.counters = Counters::default();
            }
            Command::Play { scenario, stepwise, dangerous } => self.play(scenario, *stepwise, *dangerous),
            Command::ControlScenario(control) => self.control_scenario(*control),
            Command::Quit => self.quit(),
            _ => {}
        }
    }

    /// The latest entries.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Puts entries before those of the journal: see [`Journal::prepend`].
    pub fn prepend(&mut self, entries: &[Arc<Entry>]) {
        self.journal.prepend(entries);
    }

    /// The same without the journal's entries, as in a checkpoint of a recording. It is quick: what is large is shared.
    #[must_use]
    pub fn checkpoint(&self) -> Self {
        Self {
            journal: self.journal.without_entries(),
            counters: self.counters.clone(),
            volumes: self.volumes.clone(),
            past_volumes: self.past_volumes.clone(),
            rules: self.rules.clone(),
            linter: self.linter.clone(),
            connections: self.connections.clone(),
            driver: self.driver.clone(),
            desired: self.desired,
            bind_error: self.bind_error.clone(),
            held: self.held.clone(),
            scenario: self.scenario.clone(),
            quits_after_scenario: self.quits_after_scenario,
            speed: self.speed,
            last_call: self.last_call,
        }
    }

    /// All counters.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The volumes.
    pub fn volumes(&self) -> &Volumes {
        &self.volumes
    }

    /// What the volumes were before.
    pub fn past_volumes(&self) -> &PastVolumes {
        &self.past_volumes
    }

    /// The rules.
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// What the linter has learnt.
    pub fn linter(&self) -> &Linter {
        &self.linter
    }

    /// The connections of engines.
    pub fn connections(&self) -> &Connections {
        &self.connections
    }

    /// Where engines find the driver.
    pub fn driver(&self) -> &DriverInfo {
        &self.driver
    }

    /// What the server has to bring about.
    pub fn driver_state(&self) -> DriverState {
        self.desired
    }

    /// Why the driver cannot be brought into its status, if it cannot.
    pub fn bind_error(&self) -> Option<&str> {
        self.bind_error.as_deref()
    }

    /// The greatest number of a call.
    pub fn last_call(&self) -> u64 {
        self.last_call
    }

    /// The calls that a rule holds, with their `held` entries, in the order of their numbers.
    pub fn held(&self) -> impl Iterator<Item = (&Arc<Entry>, &HeldCall)> {
        held_calls(&self.held)
    }

    /// Whether a rule may hold calls: it has not ended, and is in no pause.
    pub fn rule_in_force(&self, rule: Option<u32>, at: Timestamp) -> bool {
        rule.and_then(|id| self.rules.get(id)).is_some_and(|rule| rule.is_in_force(at))
    }

    /// A held call by its number.
    pub fn held_call(&self, call: u64) -> Option<&HeldCall> {
        match &self.held.get(&call)?.kind {
            EntryKind::Held(held) => Some(held),
            _ => None,
        }
    }

    /// What is played.
    pub fn scenario(&self) -> &ScenarioState {
        &self.scenario
    }

    /// Whether a `quit` waits for the end of a scenario.
    pub fn quits_after_scenario(&self) -> bool {
        self.quits_after_scenario
    }

    /// The speed of the demo, if this is one.
    pub fn speed(&self) -> Option<DemoSpeed> {
        self.speed
    }

    /// When an outage ends, a rule expires, or a pause of a rule begins or ends.
    pub fn next_deadline(&self, at: Timestamp) -> Option<Timestamp> {
        let outage = match self.desired.status {
            DriverStatus::Down { until, .. } => until,
            DriverStatus::Up => None,
        };
        self.rules.next_turn(at).into_iter().chain(outage).min()
    }
}

fn held_calls(held: &BTreeMap<u64, Arc<Entry>>) -> impl Iterator<Item = (&Arc<Entry>, &HeldCall)> {
    held.values().filter_map(|entry| match &entry.kind {
        EntryKind::Held(call) => Some((entry, &**call)),
        _ => None,
    })
}
