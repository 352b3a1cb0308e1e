//! The banner: the outage, held calls and armed rules. It is shown only while there are any.

use std::time::Duration;

use jiff::Timestamp;
use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use crate::{
    console::{
        input::action::KeyAction,
        model::{
            fault_list::{self, outage_help, preset_of},
            obstacle::obstacle,
        },
        view::canvas::{View, mark, put_right},
    },
    domain::{
        lang::command::Outage,
        model::{
            entry::{Entry, EntryKind},
            protocol::Caller,
        },
        rules::{PRESETS, RuleState, TrackedRule, client_timeout, forecast_outage},
        text,
    },
    hub::{DriverStatus, Snapshot},
};

/// One line of the banner.
enum Alarm<'s> {
    Down(Outage, Option<Timestamp>),
    Held(usize),
    TrackedRule(&'s TrackedRule),
}

fn alarms(snapshot: &Snapshot) -> Vec<Alarm<'_>> {
    let down = match snapshot.driver_state.status {
        DriverStatus::Down { kind, until } => Some(Alarm::Down(kind, until)),
        DriverStatus::Up => None,
    };
    let held = (!snapshot.held.is_empty()).then_some(Alarm::Held(snapshot.held.len()));
    down.into_iter().chain(held).chain(fault_list::armed(snapshot).map(Alarm::TrackedRule)).collect()
}

/// Draws it.
pub fn render(view: &View<'_>, buffer: &mut Buffer) {
    let area = view.screen.banner;
    let alarms = alarms(view.snapshot);
    let rows = usize::from(area.height);
    let hidden = alarms.len().saturating_sub(rows);
    if rows == 1 && hidden > 0 {
        // Each by its name at least.
        mark(buffer, area, 0, view.theme.styles.armed);
        let names: Vec<_> = alarms.iter().map(|alarm| words(view, alarm).0).collect();
        let line = format!(" {} {}", view.theme.glyphs.fault, names.join(", "));
        return view.put_fitted(buffer, area, 0, &Line::raw(line));
    }
    for (row, alarm) in alarms.iter().take(rows).enumerate() {
        let row = row as u16;
        mark(buffer, area, row, view.theme.styles.armed);
        let (what, facts, hint) = words(view, alarm);
        let hint = match hint {
            _ if hidden > 0 && usize::from(row) + 1 == rows => {
                format!("and {hidden} more  {}", key_hint(view, KeyAction::ClearAll, "clear all"))
            }
            Some((action, does)) => key_hint(view, action, does),
            None => String::new(),
        };
        let line = Line::raw(format!(" {} {what}  {facts}", view.theme.glyphs.fault));
        let hint = Line::raw(hint);
        let taken = if hint.width() * 2 < area.width.into() { hint.width() as u16 + 1 } else { 0 };
        view.put_fitted(buffer, Rect { width: area.width - taken, ..area }, row, &line);
        put_right(buffer, area, row, line.width().min((area.width - taken).into()), &hint);
    }
}

/// A key and what it does, where it can do that.
fn key_hint(view: &View<'_>, action: KeyAction, does: &str) -> String {
    match obstacle(action, view.snapshot) {
        None => format!("[{}] {does} ", view.key(action)),
        Some(_) => String::new(),
    }
}

/// What it is, what is known of it, and what ends it.
fn words(view: &View<'_>, alarm: &Alarm<'_>) -> (String, String, Option<(KeyAction, &'static str)>) {
    let snapshot = view.snapshot;
    match alarm {
        Alarm::Down(kind, until) => {
            let left =
                until.map_or_else(String::new, |until| format!("up again in {}  ", left(snapshot.at, until)));
            let unanswered = match (kind, snapshot.open_connections()) {
                (_, 0) => String::new(),
                (Outage::Blackhole, open) => format!("no reply to {}  ", text::counted(open, "connection")),
                _ => String::new(),
            };
            let forecast = forecast_outage(*kind, snapshot.counters.usual_caller());
            // In a wide banner, the engine's reaction matters more than the meaning of the outage type.
            let what = match view.screen.banner.width {
                ..100 => outage_help(*kind).to_owned(),
                100..160 => format!("{kind}   {forecast}"),
                _ => format!("{}   {forecast}", outage_help(*kind)),
            };
            ("DRIVER DOWN".into(), format!("{left}{unanswered}{what}"), Some((KeyAction::Outage, "bring up")))
        }
        Alarm::Held(count) => {
            let oldest = snapshot.held.first().map_or(Duration::ZERO, |entry| since(snapshot.at, entry.at));
            let what = if *count == 1 { "1 CALL HELD".to_owned() } else { format!("{count} CALLS HELD") };
            let mut facts = format!("oldest {}", text::clock(oldest));
            if let Some((caller, left)) =
                snapshot.held.first().and_then(|entry| time_to_timeout(entry, oldest))
            {
                facts.extend(["; ", caller.as_str(), " times out in ", &text::clock_left(left)]);
            }
            (what, facts, Some((KeyAction::Release, "release")))
        }
        Alarm::TrackedRule(armed) => {
            let fired = RuleCounts::of(snapshot, armed).fitted(usize::MAX);
            let rule = text::clean(&armed.text);
            if let Some(index) = preset_of(armed.label.as_deref()) {
                let preset = &PRESETS[index];
                let facts = if view.screen.shape.has_frames() { format!("{fired}   {rule}") } else { fired };
                let hint = (KeyAction::Preset(preset.label), "disarm");
                return (preset.title.to_uppercase(), facts, Some(hint));
            }
            let label = armed.label.as_deref().map(text::clean).unwrap_or_default();
            (
                format!("RULE {} {label}", armed.id).trim_end().to_owned(),
                format!("{fired}   {rule}"),
                Some((KeyAction::ClearAll, "clear all")),
            )
        }
    }
}

/// How long until the client of a held call times out.
fn time_to_timeout(entry: &Entry, waited: Duration) -> Option<(Caller, Duration)> {
    let EntryKind::Held(held) = &entry.kind else { return None };
    let limit = client_timeout(held.caller, held.operation)?;
    Some((held.caller, limit.saturating_sub(waited)))
}

/// How often a rule has fired, and what remains of it.
pub struct RuleCounts {
    fired: String,
    /// Of how many calls, where there is room for it.
    of: String,
    rest: Vec<String>,
}

impl RuleCounts {
    /// Those of a rule.
    pub fn of(snapshot: &Snapshot, rule: &TrackedRule) -> Self {
        let fires = rule.remaining.fires.filter(|_| rule.state == RuleState::Armed);
        let held = (rule.held > 0).then(|| format!(", holds {}", text::grouped(rule.held as u64)));
        let fires = fires.map(|fires| format!(", {} left", text::grouped(fires)));
        let time = rule.remaining.until.map(|until| format!(", {} left", left(snapshot.at, until)));
        Self {
            fired: format!("fired {}", text::grouped(rule.fired)),
            of: format!(" of {}", text::counted(rule.evaluated, "call")),
            rest: [held, fires, time].into_iter().flatten().collect(),
        }
    }

    /// The cells that they need.
    pub fn width(&self) -> usize {
        self.rest.iter().map(|part| text::width(part)).sum::<usize>() + text::width(&self.fired)
    }

    /// As many of them as fit a width. The others are left out, since half a number is a wrong one.
    pub fn fitted(&self, width: usize) -> String {
        let mut counts = self.fired.clone();
        if self.width() + text::width(&self.of) <= width {
            counts.push_str(&self.of);
        }
        for part in &self.rest {
            if text::width(&counts) + text::width(part) <= width {
                counts.push_str(part);
            }
        }
        counts
    }
}

/// How long it is until then.
pub fn left(now: Timestamp, until: Timestamp) -> String {
    text::clock_left(since(until, now))
}

/// The time from one moment to a later one.
pub fn since(later: Timestamp, earlier: Timestamp) -> Duration {
    Duration::try_from(later.duration_since(earlier)).unwrap_or_default()
}
