//! The banner: what is armed or down, and which calls wait for it. It is there only as long as they are.

use std::time::Duration;

use jiff::Timestamp;
use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::{View, mark, put_right};
use crate::{
    console::{
        action::Action,
        app::faults::{outage_help, preset_of},
        text,
    },
    domain::{
        lang::command::Outage,
        model::{
            entry::{Entry, EntryKind},
            protocol::Caller,
        },
        rules::{Armed, PRESETS, RuleState, client_timeout, forecast_outage},
    },
    state::{DriverStatus, Snapshot},
};

/// One thing that the banner tells.
enum Alarm<'s> {
    Down(Outage, Option<Timestamp>),
    Held(usize),
    Armed(&'s Armed),
}

/// The rules that still act.
pub fn armed(snapshot: &Snapshot) -> impl Iterator<Item = &Armed> {
    snapshot.faults.iter().filter(|rule| rule.state == RuleState::Armed)
}

fn alarms(snapshot: &Snapshot) -> Vec<Alarm<'_>> {
    let down = match snapshot.driver_state.status {
        DriverStatus::Down { kind, until } => Some(Alarm::Down(kind, until)),
        DriverStatus::Up => None,
    };
    let waiting = (!snapshot.held.is_empty()).then_some(Alarm::Held(snapshot.held.len()));
    down.into_iter().chain(waiting).chain(armed(snapshot).map(Alarm::Armed)).collect()
}

/// How many rows it needs, if it may have `most`.
pub fn height(snapshot: &Snapshot, most: usize) -> u16 {
    alarms(snapshot).len().min(most) as u16
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
        let hint = if hidden > 0 && usize::from(row) + 1 == rows {
            format!("and {hidden} more  [{}] calms all ", view.key(Action::ClearAll))
        } else {
            hint
        };
        let line = Line::raw(format!(" {} {what}  {facts}", view.theme.glyphs.fault));
        let hint = Line::raw(hint);
        let taken = if hint.width() * 2 < area.width.into() { hint.width() as u16 + 1 } else { 0 };
        view.put_fitted(buffer, Rect { width: area.width - taken, ..area }, row, &line);
        put_right(buffer, area, row, line.width().min((area.width - taken).into()), &hint);
    }
}

/// What it is, what is known of it, and the key that ends it.
fn words(view: &View<'_>, alarm: &Alarm<'_>) -> (String, String, String) {
    let snapshot = view.snapshot;
    match alarm {
        Alarm::Down(kind, until) => {
            let left =
                until.map_or_else(String::new, |until| format!("up again in {}  ", left(snapshot.at, until)));
            let forecast = forecast_outage(*kind, snapshot.counters.usual_caller());
            // Where there is room for it, what the engine makes of it matters more than what it is.
            let what = match view.screen.banner.width {
                ..100 => outage_help(*kind).to_owned(),
                100..160 => format!("{kind}   {forecast}"),
                _ => format!("{}   {forecast}", outage_help(*kind)),
            };
            (
                "THE DRIVER IS DOWN".into(),
                format!("{left}{what}"),
                format!("[{}] brings it up ", view.key(Action::Outage)),
            )
        }
        Alarm::Held(count) => {
            let oldest = snapshot.held.first().map_or(Duration::ZERO, |entry| since(snapshot.at, entry.at));
            let what = if *count == 1 { "1 CALL WAITS".to_owned() } else { format!("{count} CALLS WAIT") };
            let mut facts = format!("the longest for {}", text::clock(oldest));
            if let Some((caller, left)) = snapshot.held.first().and_then(|entry| patience_left(entry, oldest))
            {
                facts.extend(["; ", caller.as_str(), " gives up in ", &text::clock(left)]);
            }
            (what, facts, format!("[{}] lets it go ", view.key(Action::Release)))
        }
        Alarm::Armed(armed) => {
            let fired = counts(snapshot, armed, true);
            let rule = text::clean(&armed.text);
            if let Some(index) = preset_of(armed.label.as_deref()) {
                let preset = &PRESETS[index];
                let facts = if view.screen.shape.has_frames() { format!("{fired}   {rule}") } else { fired };
                let hint = format!("[{}] disarms it ", view.key(Action::Preset(preset.label)));
                return (preset.title.to_uppercase(), facts, hint);
            }
            let label = armed.label.as_deref().map(text::clean).unwrap_or_default();
            (
                format!("RULE {} {label}", armed.id).trim_end().to_owned(),
                format!("{fired}   {rule}"),
                format!("[{}] calms all ", view.key(Action::ClearAll)),
            )
        }
    }
}

/// How much longer whoever made a waiting call will wait for its answer.
fn patience_left(entry: &Entry, waited: Duration) -> Option<(Caller, Duration)> {
    let EntryKind::Held(waiting) = &entry.kind else { return None };
    let limit = client_timeout(waiting.caller, waiting.operation)?;
    Some((waiting.caller, limit.saturating_sub(waited)))
}

/// How often a rule has fired, of how many calls where there is room, and what is left of it.
pub fn counts(snapshot: &Snapshot, rule: &Armed, is_roomy: bool) -> String {
    let mut counts = format!("fired {}", text::grouped(rule.fired));
    if is_roomy {
        counts.extend([" of ", &text::counted(rule.evaluated, "call")]);
    }
    if rule.held > 0 {
        counts.extend([", holds ", &text::grouped(rule.held as u64)]);
    }
    if let Some(fires) = rule.remaining.fires {
        counts.extend([", ", &text::grouped(fires), " left"]);
    }
    if let Some(until) = rule.remaining.until {
        counts.extend([", ", &left(snapshot.at, until), " left"]);
    }
    counts
}

fn left(now: Timestamp, until: Timestamp) -> String {
    // Rounded up, so that it never says 0:00 while it is not over.
    text::clock(since(until, now) + Duration::from_millis(999))
}

/// The time from one moment to a later one.
pub fn since(later: Timestamp, earlier: Timestamp) -> Duration {
    Duration::try_from(later.duration_since(earlier)).unwrap_or_default()
}
