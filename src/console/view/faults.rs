//! The faults: the four that have a key, and the armed rules beside them.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    console::{
        input::action::KeyAction,
        layout::pane::Pane,
        model::{
            fault_list::{self, FaultRow, outage_help},
            mode::Mode,
        },
        view::{
            banner,
            canvas::{View, mark},
        },
    },
    domain::{
        rules::{PRESETS, RuleState, TrackedRule},
        text,
    },
    hub::DriverStatus,
};

/// From this width on there is room for all counts.
const ROOMY: u16 = 48;

/// Draws the pane.
pub fn render(view: &View<'_>, area: Rect, buffer: &mut Buffer) {
    let armed = fault_list::armed(view.snapshot).count();
    let state = match armed {
        0 => Span::styled("none armed", view.theme.styles.dim),
        _ => Span::styled(format!("{armed} armed"), view.theme.styles.fault),
    };
    let seed = Span::styled(
        format!("seed {} {} ", view.snapshot.seed, view.theme.glyphs.dot),
        view.theme.styles.dim,
    );
    let inner = view.pane(Pane::Faults, "Faults", &[seed, state], area, buffer);
    let rows = fault_list::rows(view.snapshot);
    let shown = view.app.fault.visible(rows.len(), inner.height.into());
    let selected = view.app.fault.row.min(rows.len().saturating_sub(1));
    for (line, row) in shown.enumerate() {
        view.put_fitted(buffer, inner, line as u16, &row_of(view, &rows[row], inner.width >= ROOMY));
        if row == selected && view.app.focus == Pane::Faults && matches!(view.app.mode, Mode::Browse) {
            mark(buffer, inner, line as u16, view.theme.styles.selection);
        }
    }
}

fn row_of(view: &View<'_>, row: &FaultRow, is_roomy: bool) -> Line<'static> {
    let (styles, snapshot) = (&view.theme.styles, view.snapshot);
    let (action, title, state) = match row {
        FaultRow::Preset(index) => {
            let preset = &PRESETS[*index];
            let armed = snapshot.rules.iter().find(|armed| armed.label.as_deref() == Some(preset.label));
            (
                Some(KeyAction::Preset(preset.label)),
                preset.title.to_owned(),
                armed.map_or_else(|| off(view), |armed| on(view, armed, is_roomy)),
            )
        }
        FaultRow::Forget => {
            let volume = view.app.selected_volume(snapshot);
            let state = match volume {
                None => Span::styled("no volume yet", styles.dim),
                Some(volume) if volume.exists => {
                    Span::styled(format!("would forget {}", text::clean(&volume.name)), styles.dim)
                }
                Some(volume) => {
                    Span::styled(format!("{} is FORGOTTEN", text::clean(&volume.name)), styles.fault)
                }
            };
            (Some(KeyAction::Forget), "volume forgotten".to_owned(), vec![state])
        }
        FaultRow::Outage => {
            let state = match snapshot.driver_state.status {
                DriverStatus::Up => {
                    let kinds = Span::styled(format!(" [{}]", view.key(KeyAction::OutageKind)), styles.key);
                    vec![Span::styled(format!("up; would {}", view.app.outage), styles.dim), kinds]
                }
                DriverStatus::Down { kind, .. } => {
                    vec![Span::styled(format!("DOWN {}", outage_help(kind)), styles.fault)]
                }
            };
            (Some(KeyAction::Outage), "driver down".to_owned(), state)
        }
        FaultRow::Rule(id) => {
            let Some(armed) = snapshot.rules.iter().find(|armed| armed.id == *id) else {
                return Line::default();
            };
            let name = armed
                .label
                .as_ref()
                .map_or_else(|| format!("rule {id}"), |label| format!("{id} {}", text::clean(label)));
            let mut state = on(view, armed, is_roomy);
            state.push(Span::raw(format!("  {}", text::clean(&armed.text))));
            (None, name, state)
        }
    };
    let key = action.map_or_else(|| "    ".to_owned(), |action| format!("[{}] ", view.key(action)));
    // In little room the state matters more: a longer name shifts only its own row.
    let room = if is_roomy { 18 } else { (text::width(&title) + 2).clamp(13, 18) };
    let mut spans = vec![Span::styled(format!(" {key}"), styles.key), Span::raw(view.pad(&title, room))];
    spans.extend(state);
    Line::from(spans)
}

fn off(view: &View<'_>) -> Vec<Span<'static>> {
    vec![Span::styled("off", view.theme.styles.dim)]
}

fn on(view: &View<'_>, rule: &TrackedRule, is_roomy: bool) -> Vec<Span<'static>> {
    let styles = &view.theme.styles;
    let (word, style) = match rule.state {
        RuleState::Armed => ("ARMED", styles.fault),
        RuleState::Spent => ("spent", styles.dim),
        RuleState::Expired => ("expired", styles.dim),
    };
    vec![
        Span::styled(format!("{word:5}"), style),
        Span::raw(format!("  {}", banner::counts(view.snapshot, rule, is_roomy))),
    ]
}
