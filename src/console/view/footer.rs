//! The bottom: what the last command did, the line being typed, and what the keys do here.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::{Line, Span},
};

use super::{View, banner, put, put_right, typing};
use crate::console::{
    action::{Action, CONTROLS, Control, Place},
    app::{App, FaultRow, Mode, Pane, Status, faults},
    grouped_list::{GroupedList, Row},
    text,
};
use crate::state::DriverStatus;

/// Draws it, and says where the cursor is while a line is typed.
pub fn render(view: &View<'_>, buffer: &mut Buffer) -> Option<Position> {
    let (status, hints) = (view.screen.status, view.screen.hints);
    let shared = status.height == 0;
    let status = if shared { hints } else { status };
    if let Mode::Type(prompt) = &view.app.mode {
        if !shared {
            hint_line(view, hints, &typing_hints(), buffer);
        }
        return Some(typing::render(view, prompt, status, buffer));
    }
    // A long message gives way to the one key that leads to all others.
    let help = Line::from(pair(view, &view.key(Action::Help), "help"));
    let room = if shared { status.width.saturating_sub(help.width() as u16 + 1) } else { status.width };
    let is_told = view.screen.caption.height > 0;
    let said = if is_told { Vec::new() } else { said(view, room.into(), status.height) };
    if shared && said.is_empty() {
        hint_line(view, status, &hints_of(view), buffer);
        return None;
    }
    for (row, line) in (0..).zip(&said) {
        view.put_fitted(buffer, Rect { width: room, ..status }, row, line);
    }
    if shared {
        put_right(buffer, status, 0, 0, &help);
    } else {
        hint_line(view, hints, &hints_of(view), buffer);
    }
    None
}

/// From this height on what came of a command may have a second row.
const TALL: u16 = 24;

/// With less room beside the command, all of what came of it is in the second row.
const LEAST_TOLD: usize = 16;

/// How many rows what is said needs, and may have, on a terminal of this size.
pub fn height(app: &App, (width, height): (u16, u16)) -> u16 {
    let (before, told) = parts(app);
    let is_long = text::width(&before) + text::width(&told) > width.into();
    1 + u16::from(is_long && height >= TALL && !matches!(app.mode, Mode::Type(_)))
}

/// What the bottom line says: whom or what it is about, and what came of it.
fn parts(app: &App) -> (String, String) {
    match &app.status {
        Status::Quiet => Default::default(),
        Status::StyledText { line: None, text } => (String::new(), format!(" {}", text::clean(text))),
        Status::StyledText { line: Some(line), text } => {
            let arrow = app.theme.glyphs.arrow;
            (format!(" : {}", text::clean(line)), format!("  {arrow} {}", text::clean(text)))
        }
        Status::Failed { line, why } => (
            format!(" {} ", app.theme.glyphs.failed),
            format!("{}  : {}", text::clean(why), text::clean(line)),
        ),
    }
}

/// The same in so many rows of so many cells. Where there is no room for both, a command gives way to what came of it.
fn said(view: &View<'_>, width: usize, rows: u16) -> Vec<Line<'static>> {
    let styles = &view.theme.styles;
    let (before, told) = parts(view.app);
    let (first, rest) = match &view.app.status {
        Status::Quiet => return Vec::new(),
        Status::StyledText { .. } => (styles.command, styles.text),
        Status::Failed { .. } => (styles.bad, styles.bad),
    };
    let room = (width * usize::from(rows)).saturating_sub(text::width(&told)).clamp(width * 2 / 5, width);
    let before = view.fit(&before, room);
    let left = width.saturating_sub(text::width(&before));
    // The last row takes all that is left, and shows where it is cut.
    let head = match rows {
        0..=1 => told.clone(),
        _ if left < LEAST_TOLD => String::new(),
        _ => text::wrap(&told, left).swap_remove(0),
    };
    let tail = told.get(head.len()..).unwrap_or_default().trim_start().to_owned();
    let mut lines = vec![Line::from(vec![Span::styled(before, first), Span::styled(head, rest)])];
    if !tail.is_empty() {
        lines.push(Line::styled(format!("   {tail}"), rest));
    }
    lines
}

fn typing_hints() -> Vec<(String, &'static str)> {
    [("Enter", "run"), ("Tab", "complete"), ("Esc", "cancel"), ("Up", "earlier lines")]
        .map(|(key, hint)| (key.to_owned(), hint))
        .into()
}

/// Help is always there; then what can be done to a call that waits, what the focused pane offers, and the others.
fn hints_of(view: &View<'_>) -> Vec<(String, &'static str)> {
    if let Mode::Ask(_) = view.app.mode {
        return vec![("y".into(), "yes"), ("n".into(), "no")];
    }
    if let Mode::Pick(_) = view.app.mode {
        return vec![("Enter".into(), "play"), ("Esc".into(), "close")];
    }
    if let Mode::Help(_) = view.app.mode {
        return vec![(view.key(Action::Back), "close"), (view.key(Action::Down), "scroll")];
    }
    let here = view.app.focus.place();
    let hinted = |place: Place| {
        CONTROLS
            .iter()
            .filter(move |control| control.place == place && control.hint.is_some())
            .filter(|control| would_do_something(view, control.action))
    };
    let hint = |control: &Control| (view.key(control.action), hint_text(view, control));
    let (help, others): (Vec<_>, Vec<_>) = hinted(here)
        .chain(hinted(Place::Everywhere))
        .partition(|control| matches!(control.action, Action::Help | Action::Quit));
    let (ways_out, others): (Vec<_>, Vec<_>) = others.into_iter().partition(|control: &&Control| {
        matches!(control.action, Action::Release | Action::EditReply | Action::FailCall)
    });
    // The faults pane names its keys itself, where it is in view; the first of them leads the way here too.
    let (named, others): (Vec<_>, Vec<_>) = others.into_iter().partition(|control: &&Control| {
        let is_fault =
            matches!(control.action, Action::Preset("empty-get") | Action::Forget | Action::Outage);
        is_fault && view.screen.faults.is_some()
    });
    help.into_iter()
        .chain(ways_out)
        .chain(others)
        .chain(named)
        .map(hint)
        .filter(|(key, _)| !key.is_empty())
        .collect()
}

/// Whether a key that is hinted at would change anything now.
fn would_do_something(view: &View<'_>, action: Action) -> bool {
    let (app, snapshot) = (view.app, view.snapshot);
    match action {
        Action::Release | Action::EditReply | Action::FailCall => !snapshot.held.is_empty(),
        Action::Faster | Action::Slower => snapshot.speed.is_some(),
        Action::Forget => !snapshot.volumes.is_empty(),
        Action::ClearAll => {
            banner::armed(snapshot).next().is_some() || snapshot.driver_state.status != DriverStatus::Up
        }
        Action::Disarm => matches!(faults::rows(snapshot).get(app.fault.row), Some(FaultRow::Rule(_))),
        Action::Open => match app.focus {
            Pane::Calls => !app.calls.is_empty(),
            Pane::Volumes => !snapshot.volumes.is_empty(),
            Pane::Faults => true,
        },
        _ => true,
    }
}

/// What a key would do now.
fn hint_text(view: &View<'_>, control: &Control) -> &'static str {
    let armed = |label: &str| banner::armed(view.snapshot).any(|rule| rule.label.as_deref() == Some(label));
    let is_unfolded = match view.app.grouped_list.as_ref().and_then(GroupedList::selected) {
        Some(Row::Header(_, is_unfolded)) => Some(is_unfolded),
        _ => None,
    };
    match control.action {
        Action::Pause if view.app.calls.is_frozen() => "go on",
        Action::Preset("fail-mounts") if armed("fail-mounts") => "let mounts be",
        Action::Preset("empty-get") if armed("empty-get") => "let Get be",
        Action::Outage if view.snapshot.driver_state.status != DriverStatus::Up => "up",
        Action::Forget if view.app.selected_volume(view.snapshot).is_some_and(|volume| !volume.exists) => {
            "restore"
        }
        Action::Sequence if view.app.sequence => "list",
        Action::Group if view.app.grouped_list.is_some() => "list",
        Action::Open if view.app.focus == Pane::Calls && is_unfolded.is_some() => {
            if is_unfolded == Some(true) { "fold" } else { "unfold" }
        }
        Action::Open if view.app.detail.is_some() => "close",
        _ => control.hint.unwrap_or_default(),
    }
}

fn pair(view: &View<'_>, key: &str, hint: &str) -> Vec<Span<'static>> {
    vec![
        Span::styled(format!(" {key}"), view.theme.styles.key),
        Span::styled(format!(" {hint} "), view.theme.styles.quiet),
    ]
}

/// As many hints as there is room for.
fn hint_line(view: &View<'_>, area: Rect, hints: &[(String, &'static str)], buffer: &mut Buffer) {
    let mut left = usize::from(area.width);
    let mut spans = Vec::new();
    for (key, hint) in hints {
        let pair = pair(view, key, hint);
        let width: usize = pair.iter().map(Span::width).sum();
        if width > left {
            break;
        }
        left -= width;
        spans.extend(pair);
    }
    put(buffer, area, 0, &Line::from(spans));
}
