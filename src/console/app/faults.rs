//! The faults as the console offers them: the four with a key, and whatever else is armed.

use std::sync::Arc;

use super::{App, Effect, Status};
use crate::{
    console::{action::Action, prompt::Purpose, text},
    domain::{
        lang::command::{Command, Outage, Target},
        model::volume::Volume,
        rules::{PRESETS, RuleState, forecast, forecast_outage},
    },
    state::{DriverStatus, Snapshot},
};

/// A row of the faults pane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultRow {
    /// A preset, by its place in the list.
    Preset(usize),
    /// The selected volume can be forgotten.
    Forget,
    /// The driver can be taken down.
    Outage,
    /// An armed rule, by its number.
    Rule(u32),
}

/// The rows of the faults pane.
pub fn rows(snapshot: &Snapshot) -> Vec<FaultRow> {
    let own = snapshot.faults.iter().filter(|rule| preset_of(rule.label.as_deref()).is_none());
    (0..PRESETS.len())
        .map(FaultRow::Preset)
        .chain([FaultRow::Forget, FaultRow::Outage])
        .chain(own.map(|rule| FaultRow::Rule(rule.id)))
        .collect()
}

/// Whether any rule still acts.
pub fn is_armed(snapshot: &Snapshot) -> bool {
    snapshot.faults.iter().any(|rule| rule.state == RuleState::Armed)
}

/// The place of the preset that is armed under a label.
pub fn preset_of(label: Option<&str>) -> Option<usize> {
    PRESETS.iter().position(|preset| Some(preset.label) == label)
}

/// The command that arms a preset, or disarms it if it is armed.
pub fn toggle(label: &str, snapshot: &Snapshot) -> Option<Command> {
    if snapshot
        .faults
        .iter()
        .any(|rule| rule.label.as_deref() == Some(label) && rule.state == RuleState::Armed)
    {
        return Some(Command::Disarm(Target::Label(label.to_owned())));
    }
    let preset = PRESETS.iter().find(|preset| preset.label == label)?;
    let rule = preset.rule.parse().ok()?;
    Some(Command::Arm { rule, label: Some(label.to_owned()), dry_run: false, confirmed: false })
}

/// A kind of outage in words.
pub const fn outage_help(outage: Outage) -> &'static str {
    match outage {
        Outage::Refuse => "refuse (the socket is there, nobody listens)",
        Outage::Unlink => "unlink (the socket file and the registration are gone)",
        Outage::Blackhole => "blackhole (it connects and never answers)",
        Outage::Reset => "reset (every connection is reset)",
    }
}

/// What the engine that calls will make of the rule that a line arms, or of the outage that it begins.
pub fn forecast_of(line: &str, snapshot: &Snapshot) -> Option<String> {
    let caller = snapshot.counters.usual_caller();
    match line.parse() {
        Ok(Command::Arm { rule, .. }) => Some(forecast(&rule, caller).to_string()),
        Ok(Command::Down { kind, .. }) => Some(forecast_outage(kind, caller).to_string()),
        _ => None,
    }
}

impl App {
    /// Forgets the selected volume, or restores it.
    pub(super) fn forget(&mut self, volume: Option<&Arc<Volume>>) -> Option<Effect> {
        match volume {
            Some(volume) if volume.exists => Some(Command::Forget(volume.name.clone()).into()),
            Some(volume) => Some(Command::Restore(volume.name.clone()).into()),
            None => {
                self.status = Status::say("there is no volume to forget yet");
                None
            }
        }
    }

    /// Takes the driver down, or brings it up.
    pub(super) fn turn(&self, snapshot: &Snapshot) -> Effect {
        match snapshot.driver_state.status {
            DriverStatus::Up => Command::Down { kind: self.outage, lasting: None }.into(),
            DriverStatus::Down { .. } => Command::Up.into(),
        }
    }

    /// Chooses the next kind of outage; a driver that is down changes at once.
    pub(super) fn next_outage(&mut self, key: &str, snapshot: &Snapshot) -> Option<Effect> {
        self.outage = Outage::ALL[(self.outage as usize + 1) % Outage::ALL.len()];
        if let DriverStatus::Down { .. } = snapshot.driver_state.status {
            return Some(Command::Down { kind: self.outage, lasting: None }.into());
        }
        self.status = Status::say(format!("{key} will take the driver down: {}", outage_help(self.outage)));
        None
    }

    /// Ends everything that is armed or down.
    pub(super) fn calm(&mut self, snapshot: &Snapshot) -> Vec<Effect> {
        let mut effects = Vec::new();
        if is_armed(snapshot) {
            effects.push(Command::Disarm(Target::All).into());
        }
        if snapshot.driver_state.status != DriverStatus::Up {
            effects.push(Command::Up.into());
        }
        if effects.is_empty() {
            let forgotten = snapshot.volumes.iter().filter(|volume| !volume.exists).count() as u64;
            self.status = Status::say(match forgotten {
                0 => "all is calm: no rule is armed, and the driver is up".to_owned(),
                some => format!(
                    "no rule is armed, and the driver is up; {} forgotten: {} restores the selected one",
                    text::counted(some, "volume"),
                    self.keymap.key(Action::Forget, self.theme.glyphs.ascii)
                ),
            });
        }
        effects
    }

    /// Puts a rule into the line; what comes of it takes the rule's place.
    pub(super) fn edit(&mut self, id: u32, snapshot: &Snapshot) {
        if let Some(rule) = snapshot.faults.iter().find(|rule| rule.id == id) {
            let label = rule.label.as_ref().map_or_else(String::new, |label| format!(" as {label}"));
            self.begin(Purpose::Command, &format!("arm {}{label}", rule.text), snapshot);
            self.edited = Some(id);
        }
    }

    /// Begins a new rule like the selected one.
    pub(super) fn new_rule(&mut self, snapshot: &Snapshot) {
        let like = match rows(snapshot).get(self.fault.row) {
            Some(FaultRow::Preset(index)) => PRESETS[*index].rule.to_owned(),
            Some(FaultRow::Rule(id)) => snapshot
                .faults
                .iter()
                .find(|rule| rule.id == *id)
                .map_or_else(String::new, |rule| rule.text.to_string()),
            _ => String::new(),
        };
        self.begin(Purpose::Command, &format!("arm {like}"), snapshot);
    }
}
