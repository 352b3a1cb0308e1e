//! The bottom: what the last command did, the line being typed, and what the keys do here.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::{Line, Span},
};

use super::{View, banner, put, put_right, typing};
use crate::console::{
    action::{Action, CONTROLS, Control, Place},
    app::{FaultRow, Mode, Pane, Status, faults},
    folding::{Folding, Row},
    text,
};
use crate::hub::Standing;

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
    let said = if view.screen.caption.height > 0 { Line::default() } else { said(view, room.into()) };
    if shared && said.width() == 0 {
        hint_line(view, status, &hints_of(view), buffer);
        return None;
    }
    view.put_fitted(buffer, Rect { width: room, ..status }, 0, &said);
    if shared {
        put_right(buffer, status, 0, 0, &help);
    } else {
        hint_line(view, hints, &hints_of(view), buffer);
    }
    None
}

/// What the bottom line says in so many cells.
fn said(view: &View<'_>, width: usize) -> Line<'static> {
    let styles = &view.theme.styles;
    let arrow = view.theme.glyphs.arrow;
    match &view.app.status {
        Status::Quiet => Line::default(),
        Status::Said { line: None, text } => Line::raw(format!(" {}", text::clean(text))),
        Status::Said { line: Some(line), text } => {
            // Where there is no room for both, the command gives way to what came of it.
            let came = format!("  {arrow} {}", text::clean(text));
            let room = width.saturating_sub(text::width(&came)).max(width * 2 / 5);
            Line::from(vec![
                Span::styled(view.fit(&format!(" : {}", text::clean(line)), room), styles.command),
                Span::styled(came, styles.text),
            ])
        }
        Status::Failed { line, why } => Line::from(vec![
            Span::styled(format!(" {} ", view.theme.glyphs.failed), styles.bad),
            Span::styled(format!("{}  ", text::clean(why)), styles.bad),
            Span::styled(format!(": {}", text::clean(line)), styles.quiet),
        ]),
    }
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
    let (app, seen) = (view.app, view.seen);
    match action {
        Action::Release | Action::EditReply | Action::FailCall => !seen.waiting.is_empty(),
        Action::Faster | Action::Slower => seen.pace.is_some(),
        Action::Forget => !seen.volumes.is_empty(),
        Action::CalmAll => banner::armed(seen).next().is_some() || seen.reachability.standing != Standing::Up,
        Action::Disarm => matches!(faults::rows(seen).get(app.fault.row), Some(FaultRow::Rule(_))),
        Action::Open => match app.focus {
            Pane::Calls => !app.calls.is_empty(),
            Pane::Volumes => !seen.volumes.is_empty(),
            Pane::Faults => true,
        },
        _ => true,
    }
}

/// What a key would do now.
fn hint_text(view: &View<'_>, control: &Control) -> &'static str {
    let armed = |label: &str| banner::armed(view.seen).any(|rule| rule.label.as_deref() == Some(label));
    let is_unfolded = match view.app.folding.as_ref().and_then(Folding::selected) {
        Some(Row::Header(_, is_unfolded)) => Some(is_unfolded),
        _ => None,
    };
    match control.action {
        Action::Pause if view.app.calls.is_frozen() => "go on",
        Action::Preset("fail-mounts") if armed("fail-mounts") => "let mounts be",
        Action::Preset("empty-get") if armed("empty-get") => "let Get be",
        Action::Outage if view.seen.reachability.standing != Standing::Up => "up",
        Action::Forget if view.app.selected_volume(view.seen).is_some_and(|volume| !volume.known) => {
            "restore"
        }
        Action::Sequence if view.app.sequence => "list",
        Action::Episodes if view.app.folding.is_some() => "list",
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
