//! The scenario picker: the scenarios that match, and the description of the selected one.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::{Line, Span},
    widgets::Block,
};

use crate::{
    console::{
        layout::picker,
        model::picker::Picker,
        view::canvas::{View, mark, put},
    },
    domain::{model::scenario::ScenarioInfo, text},
};

/// What the keys do in it. A scenario that cannot be read cannot be played.
pub fn picker_hints(view: &View<'_>, state: &Picker) -> Vec<(&'static str, &'static str)> {
    const MODES: [&str; 2] = ["play", "step through"];
    let [enter, tab] = if state.stepwise { [MODES[1], MODES[0]] } else { MODES };
    let selected = state.selected(view.snapshot);
    let play = selected.filter(|scenario| scenario.problem.is_none()).map(|_| ("Enter", enter));
    let other = selected.map(|_| ("Tab", tab));
    play.into_iter().chain(other).chain([("Esc", "close")]).collect()
}

/// Draws it over everything else, and says where the cursor is.
pub fn render(view: &View<'_>, state: &Picker, buffer: &mut Buffer) -> Position {
    let styles = &view.theme.styles;
    let area = picker::area(buffer.area);
    let catalog = state.catalog(view.snapshot);
    let of = view.snapshot.catalog.scenarios.len();
    let count = Line::from(format!(" {} of {of} ", catalog.len())).right_aligned();
    let inner = view.popup(area, Block::bordered().title(" Scenarios ").title(count), buffer);
    let width = usize::from(inner.width);
    let filter = text::clean(state.filter.value()).into_owned();
    put(
        buffer,
        inner,
        0,
        &Line::from(vec![
            Span::styled(" / ", styles.key),
            Span::raw(view.fit(&filter, width.saturating_sub(4))),
        ]),
    );
    let list = Rect { y: inner.y + 1, height: picker::rows(buffer.area), ..inner };
    let selected = state.cursor.row.min(catalog.len().saturating_sub(1));
    let names = catalog.iter().map(|scenario| text::width(&scenario.name)).max().unwrap_or(0).min(width / 2);
    let shown = state.cursor.visible(catalog.len(), list.height.into());
    let below = catalog.len() - shown.end;
    if below > 0 {
        // On the frame, where it covers no scenario.
        let more = Line::from(format!(" {below} more below "));
        let left = area.right().saturating_sub(more.width() as u16 + 2);
        buffer.set_line(left, area.bottom().saturating_sub(1), &more, more.width() as u16);
    }
    for (row, index) in shown.enumerate() {
        let scenario = catalog[index];
        let title = match scenario.problem {
            Some(_) => Span::styled(format!("{} cannot be run", view.theme.glyphs.failed), styles.bad),
            None => Span::raw(text::clean(&scenario.title).into_owned()),
        };
        let name = format!(" {}  ", view.pad(&text::clean(&scenario.name), names));
        let mut spans = if scenario.obstacle.is_none() {
            vec![Span::styled(name, styles.bold), title]
        } else {
            // Before the title, which may be cut.
            let mark = Span::styled("not on this engine  ", styles.warning);
            vec![Span::styled(name, styles.dim), mark, title.style(styles.dim)]
        };
        for (holds, word) in
            [(scenario.dangerous, "dangerous"), (scenario.slow, "slow"), (scenario.own, "your own")]
        {
            spans.extend(holds.then(|| Span::styled(format!("  {word}"), styles.warning)));
        }
        view.put_fitted(buffer, list, row as u16, &Line::from(spans));
        if index == selected {
            mark(buffer, list, row as u16, styles.selection);
        }
    }
    let description = match catalog.get(selected) {
        None => "No match.".to_owned(),
        Some(ScenarioInfo { problem: Some(problem), .. }) => problem.clone(),
        Some(ScenarioInfo { obstacle: Some(obstacle), description, .. }) => {
            format!("Not on this engine: {obstacle}. {description}")
        }
        Some(ScenarioInfo { description, dangerous: true, .. }) if view.snapshot.catalog.is_real => {
            format!("Can harm the engine; asks first. {description}")
        }
        // The title may be cut in its row.
        Some(scenario) => format!("{}. {}", scenario.title.trim_end_matches('.'), scenario.description),
    };
    let below =
        Rect { y: list.bottom(), height: (inner.bottom() - list.bottom()).saturating_sub(1), ..inner };
    let description = description.split_whitespace().collect::<Vec<_>>().join(" ");
    for (row, line) in text::wrap(&text::clean(&description), width.saturating_sub(2)).iter().enumerate() {
        put(buffer, below, row as u16 + 1, &Line::raw(format!(" {line}")));
    }
    let hints = picker_hints(view, state).into_iter().flat_map(|(key, does)| view.hint(key, does));
    put(buffer, inner, inner.height.saturating_sub(1), &hints.collect::<Line<'_>>());
    let cursor = 3 + text::width(&filter).min(width.saturating_sub(4));
    Position::new(inner.x + cursor as u16, inner.y)
}
