//! The calls as a sequence diagram between engine and plugin, live, for a room to follow.

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::{View, mark, put, row};
use crate::{
    console::app::{Mode, Pane},
    domain::{diagram::Drawing, entry::Entry, telling::Said},
};

pub use crate::domain::diagram::{LEAST, LINES};

/// Draws the calls in view.
pub fn render(view: &View<'_>, list: Rect, lines: u16, buffer: &mut Buffer) {
    let selected = view.app.calls.selected().map(|entry| entry.seq);
    let marked =
        view.app.focus == Pane::Calls && !view.app.calls.follows() && matches!(view.app.mode, Mode::Browse);
    let styled =
        |said: Vec<Said>| -> Line<'_> { said.into_iter().map(|said| row::span(view, said)).collect() };
    let waited = |entry: &Entry| view.seen.waited(entry);
    let drawing = Drawing::new(view.theme.glyphs.signs, &view.app.zone, &waited, list.width.into());
    for (index, entry) in view.app.calls.visible(usize::from(list.height / lines)).enumerate() {
        let top = index as u16 * lines;
        for (offset, line) in drawing.entry(entry).into_iter().enumerate() {
            put(buffer, list, top + offset as u16, &styled(line));
            if marked && selected == Some(entry.seq) {
                mark(buffer, list, top + offset as u16, view.theme.styles.selection);
            }
        }
        for row in LINES..lines {
            put(buffer, list, top + row, &styled(drawing.gap()));
        }
    }
}

/// Who stands at which line.
pub fn heading(view: &View<'_>, width: u16) -> Line<'static> {
    let drawing = Drawing::new(view.theme.glyphs.signs, &view.app.zone, &|_| None, width.into());
    let heading = drawing.heading(view.seen.tally.usual_caller(), &view.seen.driver.name);
    Line::styled(heading, view.theme.styles.strong)
}
