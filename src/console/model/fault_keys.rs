//! What the keys do to the faults.

use crate::{
    console::{
        input::action::KeyAction,
        layout::pane::Pane,
        model::{
            app::App,
            event::Effect,
            fault_list::{FaultRow, has_rules, outage_help, rows},
            prompt::PromptKind,
        },
    },
    domain::{
        lang::command::{Command, Outage, Target},
        rules::PRESETS,
        text,
    },
    hub::{DriverStatus, Snapshot},
};

impl App {
    /// Forgets the selected volume, or restores it. It must be in view as the selected one: what has only come to its
    /// row is shown first.
    pub(super) fn forget(&mut self, snapshot: &Snapshot) -> Option<Effect> {
        if snapshot.is_all() {
            self.choose_one_first();
            return None;
        }
        let Some(volume) = self.selected_volume(snapshot) else {
            self.say("no volume to forget");
            return None;
        };
        if self.can_forget(snapshot) {
            let name = volume.name.clone();
            return Some(if volume.exists { Command::Forget(name) } else { Command::Restore(name) }.into());
        }
        let key = self.key_label(KeyAction::Forget);
        let name = text::clean(&volume.name).into_owned();
        let does = if volume.exists { "forgets" } else { "restores" };
        let before = self.volume.0.replace(volume.name.clone()).filter(|before| *before != volume.name);
        let gone = before.map_or_else(String::new, |gone| format!("volume {} is gone; ", text::clean(&gone)));
        if self.screen(snapshot).is_some_and(|screen| screen.volumes.is_none()) {
            self.focus(Pane::Volumes, snapshot);
        }
        self.say(format!("{gone}{key} again {does} {name}"));
        None
    }

    /// Whether the volume that would be forgotten is the selected one and in view as such.
    pub fn can_forget(&self, snapshot: &Snapshot) -> bool {
        let is_open = self.focus == Pane::Volumes && self.detail.is_some();
        let is_in_view = is_open || self.screen(snapshot).is_some_and(|screen| screen.volumes.is_some());
        is_in_view && self.chosen_volume(snapshot).is_some()
    }

    /// Keeps the selected fault selected while rules come and go.
    pub(super) fn follow_fault(&mut self, snapshot: &Snapshot) {
        let rows = rows(snapshot);
        let row = rows.iter().position(|row| *row == self.chosen_fault);
        self.fault.row = row.unwrap_or(self.fault.row).min(rows.len() - 1);
    }

    /// Remembers what a key or a click has selected.
    pub(super) fn choose_fault(&mut self, snapshot: &Snapshot) {
        if let Some(row) = rows(snapshot).get(self.fault.row) {
            self.chosen_fault = row.clone();
        }
    }

    /// Whether the selected rule is gone. What has come to its row is selected then, and a key acts on it when it is
    /// pressed again.
    pub(super) fn is_fault_gone(&mut self, snapshot: &Snapshot) -> bool {
        if rows(snapshot).contains(&self.chosen_fault) {
            return false;
        }
        let gone = match self.chosen_fault {
            FaultRow::Rule(id) => format!("rule {id} is gone"),
            _ => "it is gone".to_owned(),
        };
        self.say(format!("{gone}; another row is selected now"));
        self.choose_fault(snapshot);
        true
    }

    /// Takes the driver down, or brings it up.
    pub(super) fn toggle_outage(&self, snapshot: &Snapshot) -> Effect {
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
        self.say(format!("outage type: {}; {key} takes the driver down", outage_help(self.outage)));
        None
    }

    /// Ends everything that is armed, held or down, and removes the rules that have ended.
    pub(super) fn clear_all(&mut self, snapshot: &Snapshot) -> Vec<Effect> {
        let mut effects = Vec::new();
        if has_rules(snapshot) {
            effects.push(Command::Disarm(Target::All).into());
        }
        if snapshot.driver_state.status != DriverStatus::Up {
            effects.push(Command::Up.into());
        }
        if effects.is_empty() {
            let forgotten = snapshot.volumes.forgotten();
            self.say(match forgotten {
                0 => "nothing to clear".to_owned(),
                some => format!(
                    "nothing to clear; {} forgotten: {} restores the selected one",
                    text::counted(some, "volume"),
                    self.key_label(KeyAction::Forget)
                ),
            });
        }
        effects
    }

    /// Puts a rule into the command line; the edited rule replaces it.
    pub(super) fn edit(&mut self, id: u32, snapshot: &Snapshot) {
        if let Some(rule) = snapshot.rules.iter().find(|rule| rule.id == id) {
            self.begin(PromptKind::Command, &format!("arm {}", rule.with_label()), snapshot);
            self.edited = Some(id);
        }
    }

    /// Moves the selected rule past the one above or below it, and the selection with it.
    pub(super) fn move_rule(&mut self, up: bool, snapshot: &Snapshot) -> Option<Effect> {
        let row = self.fault.row;
        let Some((rule, before)) = self.moved_rule(up, snapshot) else {
            let has_rule = matches!(rows(snapshot).get(row), Some(FaultRow::Rule(_)));
            self.say(if has_rule { "no other rule to move it past" } else { "no rule selected" });
            return None;
        };
        Some(Command::Move { rule: Target::Id(rule), before: Target::Id(before) }.into())
    }

    /// The rule that stands before another one once the selected rule is moved, if it can be.
    pub fn moved_rule(&self, up: bool, snapshot: &Snapshot) -> Option<(u32, u32)> {
        let rows = rows(snapshot);
        let at = |row: usize| match rows.get(row) {
            Some(FaultRow::Rule(id)) => Some(*id),
            _ => None,
        };
        let row = self.fault.row;
        let other = at(if up { row.checked_sub(1)? } else { row + 1 })?;
        let selected = at(row)?;
        Some(if up { (selected, other) } else { (other, selected) })
    }

    /// Begins a new rule like the selected one.
    pub(super) fn new_rule(&mut self, snapshot: &Snapshot) {
        let like = match rows(snapshot).get(self.fault.row) {
            Some(FaultRow::Preset(index)) => PRESETS[*index].rule.to_owned(),
            Some(FaultRow::Rule(id)) => snapshot
                .rules
                .iter()
                .find(|rule| rule.id == *id)
                .map_or_else(String::new, |rule| rule.text.to_string()),
            _ => String::new(),
        };
        self.begin(PromptKind::Command, &format!("arm {like}"), snapshot);
    }
}
