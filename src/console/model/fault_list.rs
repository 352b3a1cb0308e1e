//! The faults as the console offers them: the two presets, `forget` and the outage, and the other armed rules.

use crate::{
    domain::{
        lang::command::{Command, Outage, Target},
        rules::{PRESETS, RuleState, TrackedRule, forecast, forecast_outage},
    },
    hub::Snapshot,
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
    // Of several instances, each has its own rules, with its own numbers.
    let own = if snapshot.is_all() { &[] } else { &snapshot.rules[..] };
    let own = own.iter().filter(|rule| preset_of(rule.label.as_deref()).is_none());
    (0..PRESETS.len())
        .map(FaultRow::Preset)
        .chain([FaultRow::Forget, FaultRow::Outage])
        .chain(own.map(|rule| FaultRow::Rule(rule.id)))
        .collect()
}

/// How many lines the pane needs: a rule's own text has a line below its state.
pub fn lines(snapshot: &Snapshot) -> usize {
    let nodes = if snapshot.is_all() { &snapshot.nodes[..] } else { &[] };
    let overview: usize = nodes.iter().map(|node| 1 + node.rules.len()).sum();
    rows(snapshot).iter().map(lines_of).sum::<usize>() + overview
}

fn lines_of(row: &FaultRow) -> usize {
    if matches!(row, FaultRow::Rule(_)) { 2 } else { 1 }
}

/// Whether so many lines are enough for each rule to have a line for its text.
pub fn is_spread(snapshot: &Snapshot, height: usize) -> bool {
    lines(snapshot) <= height
}

/// The row in a line of the pane, where each rule has two.
pub fn row_in_line(snapshot: &Snapshot, line: usize) -> usize {
    let rows = rows(snapshot);
    let ends = rows.iter().scan(0, |end, row| {
        *end += lines_of(row);
        Some(*end)
    });
    ends.take_while(|end| *end <= line).count()
}

/// The rules that still act.
pub fn armed(snapshot: &Snapshot) -> impl Iterator<Item = &TrackedRule> {
    snapshot.rules.iter().filter(|rule| rule.state == RuleState::Armed)
}

/// Whether any rule still acts.
pub fn is_armed(snapshot: &Snapshot) -> bool {
    armed(snapshot).next().is_some()
}

/// The place of the preset that is armed under a label.
pub fn preset_of(label: Option<&str>) -> Option<usize> {
    PRESETS.iter().position(|preset| Some(preset.label) == label)
}

/// The command that arms a preset, or disarms it if it is armed.
pub fn toggle_command(label: &str, snapshot: &Snapshot) -> Option<Command> {
    if snapshot
        .rules
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
