//! The bottom: what the last command did, the line being typed, and what the keys do here.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::{Line, Span},
};

use crate::{
    console::{
        input::{
            action::{KeyAction, KeyBinding, KeyScope},
            bindings::KEY_BINDINGS,
        },
        layout::pane::Pane,
        model::{
            fault_list::{self, FaultRow},
            grouped_list::{GroupedList, GroupedRow},
            mode::{Mode, StatusLine},
            obstacle::obstacle,
            prompt::{Prompt, PromptKind},
        },
        view::{
            canvas::{View, put, put_right},
            column_picker,
            picker::picker_hints,
            question::answers,
            typing,
        },
    },
    domain::{
        model::source_status::{PlaybackState, Timeline},
        text,
    },
    hub::DriverStatus,
};

/// Draws it, and says where the cursor is while a line is typed.
pub fn render(view: &View<'_>, buffer: &mut Buffer) -> Option<Position> {
    let (status, hints) = (view.screen.status, view.screen.hints);
    let shared = status.height == 0;
    let status = if shared { hints } else { status };
    if let Mode::Type(prompt) = &view.app.mode {
        if !shared {
            hint_line(view, hints, &typing_hints(prompt), buffer);
        }
        return Some(typing::render(view, prompt, status, buffer));
    }
    // A long message gives way to the one key that leads to all others.
    let help = Line::from_iter(view.hint(&view.key(KeyAction::Help), "help"));
    let room = if shared { status.width.saturating_sub(help.width() as u16 + 1) } else { status.width };
    let is_narrated = view.screen.narration.height > 0;
    let said = if is_narrated { Vec::new() } else { said(view, room.into(), status.height) };
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

/// With less room beside the command, the whole result is in the second row.
const MIN_RESULT_WIDTH: usize = 16;

/// The status in rows. If both do not fit, the command is cut before its result.
fn said(view: &View<'_>, width: usize, rows: u16) -> Vec<Line<'static>> {
    let styles = &view.theme.styles;
    let status = view.app.shown_status(view.snapshot.at);
    let (before, result) = status.parts(view.theme.glyphs);
    let (first, rest) = match status {
        StatusLine::Empty => return Vec::new(),
        StatusLine::Message { .. } => (styles.command, styles.text),
        StatusLine::Error { .. } => (styles.bad, styles.bad),
    };
    let room = (width * usize::from(rows)).saturating_sub(text::width(&result)).clamp(width * 2 / 5, width);
    let before = view.fit(&before, room);
    let left = width.saturating_sub(text::width(&before));
    // The last row takes all that is left, and shows where it is cut.
    let head = match rows {
        0..=1 => result.clone(),
        _ if left < MIN_RESULT_WIDTH => String::new(),
        _ => text::wrap(&result, left).swap_remove(0),
    };
    let tail = result.get(head.len()..).unwrap_or_default().trim_start().to_owned();
    let mut lines = vec![Line::from(vec![Span::styled(before, first), Span::styled(head, rest)])];
    if !tail.is_empty() {
        lines.push(Line::styled(format!("   {tail}"), rest));
    }
    lines
}

/// A key, what it does, and its action if a click can do the same.
type Hint = (String, &'static str, Option<KeyAction>);

fn typing_hints(prompt: &Prompt) -> Vec<Hint> {
    let enter = if prompt.kind == PromptKind::Filter { "keep" } else { "run" };
    let tab = (!prompt.completion.candidates.is_empty()).then_some(("Tab", "complete"));
    let hints = [("Enter", enter)].into_iter().chain(tab).chain([("Esc", "cancel"), ("Up", "history")]);
    hints.map(|(key, hint)| (key.to_owned(), hint, None)).collect()
}

/// Help first, then the keys for held calls, those of the focused pane, and the others.
fn hints_of(view: &View<'_>) -> Vec<Hint> {
    if let Mode::Ask(question) = &view.app.mode {
        return answers(question).iter().map(|(key, answer)| ((*key).to_owned(), *answer, None)).collect();
    }
    if let Mode::Pick(picker) = &view.app.mode {
        return picker_hints(view, picker).into_iter().map(|(key, does)| (key.into(), does, None)).collect();
    }
    if let Mode::Columns(_) = view.app.mode {
        return column_picker::hints(view).into_iter().map(|(key, does)| (key, does, None)).collect();
    }
    if let Mode::Help(_) = view.app.mode {
        let hint = |action, hint| (view.key(action), hint, Some(action));
        return vec![
            hint(KeyAction::Back, "close"),
            hint(KeyAction::Down, "scroll"),
            hint(KeyAction::Open, "run"),
        ];
    }
    let here = view.app.focus.into();
    let hinted = |scope: KeyScope| {
        KEY_BINDINGS
            .iter()
            .filter(move |binding| binding.scope == scope && binding.hint.is_some())
            .filter(|binding| would_do_something(view, binding.action))
    };
    let hint =
        |binding: &KeyBinding| (view.key(binding.action), hint_text(view, binding), Some(binding.action));
    let (help, others): (Vec<_>, Vec<_>) = hinted(here)
        .chain(hinted(KeyScope::Everywhere))
        .partition(|binding| matches!(binding.action, KeyAction::Help | KeyAction::Quit));
    let (ways_out, others): (Vec<_>, Vec<_>) = others.into_iter().partition(|binding: &&KeyBinding| {
        matches!(binding.action, KeyAction::Release | KeyAction::EditReply | KeyAction::FailCall)
    });
    // The faults pane names its keys itself, where it is in view; the first of them leads the way here too.
    let (named, others): (Vec<_>, Vec<_>) = others.into_iter().partition(|binding: &&KeyBinding| {
        let is_fault =
            matches!(binding.action, KeyAction::Preset("empty-get") | KeyAction::Forget | KeyAction::Outage);
        is_fault && view.screen.faults.is_some()
    });
    help.into_iter()
        .chain(ways_out)
        .chain(others)
        .chain(named)
        .map(hint)
        .filter(|(key, ..)| !key.is_empty())
        .collect()
}

/// Whether a key that is hinted at would change anything now.
fn would_do_something(view: &View<'_>, action: KeyAction) -> bool {
    let (app, snapshot) = (view.app, view.snapshot);
    if obstacle(action, snapshot).is_some() {
        return false;
    }
    match action {
        KeyAction::Lint => snapshot.counters.lints() > 0,
        KeyAction::Scenarios => !snapshot.catalog.scenarios.is_empty(),
        KeyAction::Release | KeyAction::EditReply | KeyAction::FailCall => !snapshot.held.is_empty(),
        KeyAction::Faster | KeyAction::Slower => {
            snapshot.speed.is_some() || snapshot.source.timeline().is_some()
        }
        KeyAction::Forget => !snapshot.volumes.is_empty(),
        KeyAction::ClearAll => {
            fault_list::has_rules(snapshot) || snapshot.driver_state.status != DriverStatus::Up
        }
        KeyAction::RuleUp | KeyAction::RuleDown => {
            app.moved_rule(action == KeyAction::RuleUp, snapshot).is_some()
        }
        KeyAction::Disarm => matches!(fault_list::rows(snapshot).get(app.fault.row), Some(FaultRow::Rule(_))),
        KeyAction::Open => match app.focus {
            Pane::Calls => !app.rows().is_empty(),
            Pane::Volumes => !snapshot.volumes.is_empty(),
            Pane::Faults => fault_action(view).is_none_or(|action| would_do_something(view, action)),
        },
        _ => true,
    }
}

/// The action that the selected row of the faults stands for. A rule is edited.
fn fault_action(view: &View<'_>) -> Option<KeyAction> {
    fault_list::rows(view.snapshot).get(view.app.fault.row)?.action()
}

/// What a key would do now.
fn hint_text(view: &View<'_>, binding: &KeyBinding) -> &'static str {
    let armed =
        |label: &str| fault_list::armed(view.snapshot).any(|rule| rule.label.as_deref() == Some(label));
    let is_expanded = match view.app.grouped_list.as_ref().and_then(GroupedList::selected) {
        Some(GroupedRow::Header(_, is_expanded)) => Some(is_expanded),
        _ => None,
    };
    match binding.action {
        KeyAction::Release if view.snapshot.held.len() > 1 => {
            if view.app.selected_held(view.snapshot).is_some() {
                "release selected"
            } else {
                "release oldest"
            }
        }
        KeyAction::Pause if view.snapshot.source.timeline().is_some_and(is_paused) => "play",
        KeyAction::Pause if view.app.calls.is_paused() => "resume",
        KeyAction::Preset("fail-mounts") if armed("fail-mounts") => "stop failing mounts",
        KeyAction::Preset("empty-get") if armed("empty-get") => "stop empty Get",
        KeyAction::Outage if view.snapshot.driver_state.status != DriverStatus::Up => "up",
        KeyAction::Forget if !view.app.can_forget(view.snapshot) => "select volume",
        KeyAction::Forget if view.app.selected_volume(view.snapshot).is_some_and(|volume| !volume.exists) => {
            "restore"
        }
        KeyAction::Sequence if view.app.sequence => "list",
        KeyAction::Group if view.app.grouped_list.as_ref().is_some_and(GroupedList::is_expanded) => {
            "collapse"
        }
        KeyAction::Group if view.app.grouped_list.is_some() => "list",
        KeyAction::Open if view.app.focus == Pane::Faults => match fault_action(view) {
            Some(KeyAction::Preset(label)) if armed(label) => "disarm",
            Some(KeyAction::Preset(_)) => "arm",
            // Beside Enter, `down` and `up` would read as movements.
            Some(KeyAction::Outage) if view.snapshot.driver_state.status == DriverStatus::Up => "take down",
            Some(KeyAction::Outage) => "bring up",
            Some(action) => hint_text(view, action.binding()),
            None => "edit",
        },
        KeyAction::Open if view.app.focus == Pane::Calls && is_expanded.is_some() => {
            if is_expanded == Some(true) { "collapse" } else { "expand" }
        }
        KeyAction::Open if view.app.detail.is_some() => "close",
        _ => binding.hint.unwrap_or_default(),
    }
}

fn is_paused(timeline: &Timeline) -> bool {
    timeline.playback.state == PlaybackState::Paused
}

/// What the hint at a place on the screen does.
pub fn action_at(view: &View<'_>, at: Position) -> Option<KeyAction> {
    let area = view.screen.hints;
    let is_shared = view.screen.status.height == 0 && view.screen.narration.height == 0;
    if !area.contains(at) || !matches!(view.app.mode, Mode::Browse) || is_shared {
        return None;
    }
    let mut right = usize::from(area.x);
    hints_of(view).into_iter().find_map(|(key, hint, action)| {
        right += view.hint(&key, hint).iter().map(Span::width).sum::<usize>();
        (usize::from(at.x) < right).then_some(action)
    })?
}

/// As many hints as there is room for.
fn hint_line(view: &View<'_>, area: Rect, hints: &[Hint], buffer: &mut Buffer) {
    let mut left = usize::from(area.width);
    let mut spans = Vec::new();
    for (key, hint, _) in hints {
        let pair = view.hint(key, hint);
        let width: usize = pair.iter().map(Span::width).sum();
        if width > left {
            break;
        }
        left -= width;
        spans.extend(pair);
    }
    put(buffer, area, 0, &Line::from(spans));
}
