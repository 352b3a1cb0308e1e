//! The faults as the console offers them: the two presets, `forget` and the outage, and the other armed rules.

use crate::{
    console::input::action::KeyAction,
    domain::{
        lang::command::{Command, Outage, Target},
        rules::{PRESETS, RuleState, TrackedRule, forecast, forecast_outage},
        text,
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
    /// Another rule, by its number.
    Rule(u32),
}

impl FaultRow {
    /// What its key does. A rule has none.
    pub fn action(&self) -> Option<KeyAction> {
        match self {
            Self::Preset(index) => Some(KeyAction::Preset(PRESETS[*index].label)),
            Self::Forget => Some(KeyAction::Forget),
            Self::Outage => Some(KeyAction::Outage),
            Self::Rule(_) => None,
        }
    }
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

/// How many lines the text of a rule has at most.
const MAX_RULE_LINES: usize = 4;

/// How far the text of a rule is indented.
pub const RULE_INDENT: usize = 6;

/// How many lines a pane of a width needs for the rules to be whole: their texts stand below their states.
pub fn lines(snapshot: &Snapshot, width: usize) -> usize {
    lines_with(snapshot, width, MAX_RULE_LINES)
}

fn lines_with(snapshot: &Snapshot, width: usize, most: usize) -> usize {
    let nodes = if snapshot.is_all() { &snapshot.nodes[..] } else { &[] };
    let overview: usize = nodes.iter().map(|node| 1 + node.rules.len()).sum();
    rows(snapshot).iter().map(|row| lines_of(row, snapshot, width, most)).sum::<usize>() + overview
}

fn lines_of(row: &FaultRow, snapshot: &Snapshot, width: usize, most: usize) -> usize {
    let rule = snapshot.rules.iter().find(|rule| *row == FaultRow::Rule(rule.id));
    1 + rule.map_or(0, |rule| rule_text(&rule.text, width, most).len())
}

/// The text of a rule in at most so many lines, of which the last may be too long.
pub fn rule_text(rule: &str, width: usize, most: usize) -> Vec<String> {
    let mut lines = text::wrap(&text::clean(rule), width.saturating_sub(RULE_INDENT));
    if lines.len() > most {
        let rest = lines.split_off(most - 1).join(" ");
        lines.push(rest);
    }
    lines
}

/// How many lines the text of each rule may have in a pane of a size, if there is room for them below the states.
pub fn rule_lines(snapshot: &Snapshot, width: usize, height: usize) -> Option<usize> {
    [MAX_RULE_LINES, 1].into_iter().find(|most| lines_with(snapshot, width, *most) <= height)
}

/// The row in a line of a pane where the texts of the rules have so many lines at most.
pub fn row_in_line(snapshot: &Snapshot, width: usize, most: usize, line: usize) -> usize {
    let rows = rows(snapshot);
    let ends = rows.iter().scan(0, |end, row| {
        *end += lines_of(row, snapshot, width, most);
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

/// Whether there is any rule to disarm. One that is spent still holds its calls.
pub fn has_rules(snapshot: &Snapshot) -> bool {
    !snapshot.rules.is_empty()
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
