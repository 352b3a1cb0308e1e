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
            fault_list::{self, FaultRow, RULE_INDENT},
            mode::Mode,
            obstacle::obstacle,
        },
        view::{
            banner::{self, RuleCounts},
            canvas::{View, mark},
            nodes,
        },
    },
    domain::{
        rules::{PRESETS, RuleState, TrackedRule},
        text,
    },
    hub::{DriverStatus, Snapshot},
};

/// From this width on there is room for long titles.
const ROOMY: u16 = 48;

/// With less room beside the state of a rule, its text is left out.
const MIN_RULE_WIDTH: usize = 6;

/// The width of a row's key with the gaps beside it.
const KEY_WIDTH: usize = 5;

/// Draws the pane.
pub fn render(view: &View<'_>, area: Rect, buffer: &mut Buffer) {
    let armed = fault_list::armed(view.snapshot).count();
    let state = match armed {
        0 => Span::styled("none armed", view.theme.styles.dim),
        _ => Span::styled(format!("{armed} armed"), view.theme.styles.fault),
    };
    let seed = format!("seed {} {} ", view.snapshot.seed, view.theme.glyphs.dot);
    // Of several instances, each has its own.
    let seed = if view.snapshot.is_all() { String::new() } else { seed };
    let seed = Span::styled(seed, view.theme.styles.dim);
    let inner = view.pane(Pane::Faults, "Faults", &[nodes::chosen(view), seed, state], area, buffer);
    let rows = fault_list::rows(view.snapshot);
    let height = usize::from(inner.height);
    let width = usize::from(inner.width);
    let rule_lines = fault_list::rule_lines(view.snapshot, width, height);
    let shown = match rule_lines {
        Some(_) => 0..rows.len(),
        None => view.app.fault.visible(rows.len(), height),
    };
    let selected = view.app.fault.row.min(rows.len().saturating_sub(1));
    let is_roomy = inner.width >= ROOMY;
    // In little room the state matters more than a long name.
    let titles = rows.iter().map(|row| text::width(&title(view, row)) + 2).max().unwrap_or(0);
    let titles = if is_roomy { titles.clamp(18, 26) } else { titles.clamp(13, 18) };
    let mut line = 0;
    for row in shown {
        let has_keys = view.app.focus == Pane::Faults && matches!(view.app.mode, Mode::Browse);
        let (first, rule) = row_of(view, &rows[row], titles, width);
        let mut lines = vec![first];
        match (rule, rule_lines) {
            (Some(rule), Some(most)) => {
                let texts = fault_list::rule_text(&rule, width, most);
                lines.extend(texts.into_iter().map(|text| Line::raw(format!("{:RULE_INDENT$}{text}", ""))));
            }
            (Some(rule), None) if lines[0].width() + MIN_RULE_WIDTH <= width => {
                lines[0].push_span(Span::raw(format!("  {rule}")));
            }
            _ => {}
        }
        for text in lines {
            view.put_fitted(buffer, inner, line, &text);
            if row == selected && has_keys {
                mark(buffer, inner, line, view.theme.styles.selection);
            }
            line += 1;
        }
    }
    if view.snapshot.is_all() {
        for overview in overview(view, height.saturating_sub(line.into())) {
            view.put_fitted(buffer, inner, line, &overview);
            line += 1;
        }
    }
}

/// The rules of all instances, each under its name, its seed and what is armed there.
fn overview(view: &View<'_>, height: usize) -> Vec<Line<'static>> {
    let styles = &view.theme.styles;
    let mut lines = Vec::new();
    for node in &view.snapshot.nodes {
        lines.push(Line::from(vec![
            Span::styled(format!(" {}", nodes::name(node)), styles.bold),
            Span::styled(format!("  seed {}  driver {}", node.seed, node.driver_state.status), styles.dim),
        ]));
        lines.extend(node.rules.iter().map(|rule| overview_line(view, node, rule)));
    }
    if lines.len() > height {
        let hidden = lines.len() + 1 - height;
        lines.truncate(height.saturating_sub(1));
        let key = view.key(KeyAction::NextNode);
        lines.push(Line::styled(format!(" and {hidden} more; {key} shows one node"), styles.dim));
        lines.truncate(height);
    }
    lines
}

/// A rule of one of several instances.
fn overview_line(view: &View<'_>, node: &Snapshot, rule: &TrackedRule) -> Line<'static> {
    let label = rule.label.as_deref().map_or_else(String::new, |label| format!(" {}", text::clean(label)));
    let mut spans = vec![Span::raw(format!("   {}{label}  ", rule.id))];
    let counts = RuleCounts::of(node, rule);
    spans.extend(on(view, rule, &counts, counts.width()));
    spans.push(Span::raw(format!("  {}", text::clean(&rule.text))));
    Line::from(spans)
}

fn title(view: &View<'_>, row: &FaultRow) -> String {
    match row {
        FaultRow::Preset(index) => PRESETS[*index].title.to_owned(),
        FaultRow::Forget => "volume forgotten".to_owned(),
        FaultRow::Outage => "driver down".to_owned(),
        FaultRow::Rule(id) => {
            let label =
                view.snapshot.rules.iter().find(|rule| rule.id == *id).and_then(|rule| rule.label.as_ref());
            label.map_or_else(|| format!("rule {id}"), |label| format!("{id} {}", text::clean(label)))
        }
    }
}

/// A row's key, title and state, and the text of a rule.
fn row_of(view: &View<'_>, row: &FaultRow, titles: usize, width: usize) -> (Line<'static>, Option<String>) {
    let (styles, snapshot) = (&view.theme.styles, view.snapshot);
    let title = title(view, row);
    // Where there is no room for the whole state, the title takes no more than it needs.
    let titles_beside = |state: usize| {
        if KEY_WIDTH + titles + state > width { titles.min(text::width(&title) + 2) } else { titles }
    };
    let on = |rule: &TrackedRule| {
        let counts = RuleCounts::of(snapshot, rule);
        let word = text::width(state_word(rule)) + 2;
        let taken = KEY_WIDTH + titles_beside(word + counts.width()) + word;
        on(view, rule, &counts, width.saturating_sub(taken))
    };
    let mut rule = None;
    let state = match row {
        FaultRow::Preset(index) => {
            let preset = &PRESETS[*index];
            let tracked = snapshot.rules.iter().find(|rule| rule.label.as_deref() == Some(preset.label));
            let is_armed = |node: &Snapshot| {
                fault_list::armed(node).any(|rule| rule.label.as_deref() == Some(preset.label))
            };
            if snapshot.is_all() {
                nodes::state(view, "ARMED", "off", is_armed)
            } else {
                tracked.map_or_else(|| off(view), on)
            }
        }
        FaultRow::Forget if snapshot.is_all() => {
            vec![Span::styled("of one node only", styles.dim)]
        }
        FaultRow::Forget => {
            let volume = view.app.selected_volume(snapshot);
            let state = match volume {
                None => Span::styled("no volume yet", styles.dim),
                // The key selects one first.
                Some(_) if view.app.chosen_volume(snapshot).is_none() => {
                    Span::styled("none selected", styles.dim)
                }
                Some(volume) if volume.exists && obstacle(KeyAction::Forget, snapshot).is_some() => {
                    let forgotten = match snapshot.volumes.forgotten() {
                        0 => "none".to_owned(),
                        some => text::counted(some, "volume"),
                    };
                    Span::styled(forgotten, styles.dim)
                }
                Some(volume) if volume.exists => {
                    Span::styled(format!("would forget {}", text::clean(&volume.name)), styles.dim)
                }
                Some(volume) => {
                    Span::styled(format!("{} is FORGOTTEN", text::clean(&volume.name)), styles.fault)
                }
            };
            vec![state]
        }
        FaultRow::Outage if snapshot.is_all() => {
            let is_down = |node: &Snapshot| node.driver_state.status != DriverStatus::Up;
            nodes::state(view, "DOWN", "up", is_down)
        }
        FaultRow::Outage => match snapshot.driver_state.status {
            DriverStatus::Up => {
                let kinds = Span::styled(format!(" [{}]", view.key(KeyAction::OutageKind)), styles.key);
                match obstacle(KeyAction::Outage, snapshot) {
                    None => {
                        vec![Span::styled(format!("up; would {}", view.app.outage), styles.dim), kinds]
                    }
                    Some(_) => vec![Span::styled("up", styles.dim)],
                }
            }
            DriverStatus::Down { kind, until } => {
                let left = until.map(|until| format!(", {} left", banner::left(snapshot.at, until)));
                let state = format!("DOWN {kind}{}", left.unwrap_or_default());
                vec![Span::styled(state, styles.fault)]
            }
        },
        FaultRow::Rule(id) => {
            let Some(tracked) = snapshot.rules.iter().find(|rule| rule.id == *id) else {
                return (Line::default(), None);
            };
            rule = Some(text::clean(&tracked.text).into_owned());
            on(tracked)
        }
    };
    let action = row.action().filter(|action| obstacle(*action, snapshot).is_none());
    let key = action.map_or_else(|| "    ".to_owned(), |action| format!("[{}] ", view.key(action)));
    let titles = titles_beside(state.iter().map(Span::width).sum());
    let mut spans = vec![Span::styled(format!(" {key}"), styles.key), Span::raw(view.pad(&title, titles))];
    spans.extend(state);
    (Line::from(spans), rule)
}

fn off(view: &View<'_>) -> Vec<Span<'static>> {
    vec![Span::styled("off", view.theme.styles.dim)]
}

/// The state of a rule.
const fn state_word(rule: &TrackedRule) -> &'static str {
    match rule.state {
        RuleState::Armed => "ARMED",
        RuleState::Spent => "spent",
        RuleState::Expired => "expired",
    }
}

fn on(view: &View<'_>, rule: &TrackedRule, counts: &RuleCounts, room: usize) -> Vec<Span<'static>> {
    let styles = &view.theme.styles;
    let style = if rule.state == RuleState::Armed { styles.fault } else { styles.dim };
    vec![Span::styled(state_word(rule), style), Span::raw(format!("  {}", counts.fitted(room)))]
}
