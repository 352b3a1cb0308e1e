//! The calls as a live sequence diagram between engine and plugin.

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use crate::{
    console::{
        layout::pane::Pane,
        model::{mode::Mode, sequence::SequenceLines},
        view::{
            canvas::{View, mark, put},
            row,
        },
    },
    domain::{
        model::entry::Entry,
        text::{describe::StyledText, sequence::Drawing},
    },
};

/// Draws the calls in view.
pub fn render(view: &View<'_>, list: Rect, buffer: &mut Buffer) {
    let selected = view.app.calls.selected().map(|entry| entry.seq);
    let marked = view.app.focus == Pane::Calls && matches!(view.app.mode, Mode::Browse);
    let waited = |entry: &Entry| view.snapshot.waited(entry);
    let drawing = Drawing::new(view.theme.glyphs.symbols, &view.app.zone, &waited, list.width.into());
    let SequenceLines { steps, places, .. } =
        SequenceLines::of(&view.app.calls, &view.app.retries, view.screen);
    for (top, (step, line)) in places.into_iter().take(list.height.into()).enumerate() {
        let (top, step) = (top as u16, &steps[step]);
        let said = drawing.step(step).into_iter().nth(line);
        let is_marked = marked && said.is_some() && selected == Some(step.entry.seq);
        put(buffer, list, top, &styled(view, said.unwrap_or_else(|| drawing.gap())));
        if is_marked {
            mark(buffer, list, top, view.theme.styles.selection);
        }
    }
}

fn styled<'l>(view: &View<'_>, said: Vec<StyledText>) -> Line<'l> {
    said.into_iter().map(|said| row::span(view, said)).collect()
}

/// The names above the two lines.
pub fn heading(view: &View<'_>, width: u16) -> Line<'static> {
    let drawing = Drawing::new(view.theme.glyphs.symbols, &view.app.zone, &|_| None, width.into());
    let name = if view.snapshot.nodes.is_empty() { &view.snapshot.driver.name } else { "all nodes" };
    let heading = drawing.heading(view.snapshot.counters.usual_caller(), name);
    Line::styled(heading, view.theme.styles.bold)
}
