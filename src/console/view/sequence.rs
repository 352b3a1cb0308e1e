//! The calls as a sequence diagram between engine and plugin, live, for a room to follow.

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::{View, layout::Screen, mark, put, row};
use crate::{
    console::app::{App, Mode, Pane},
    domain::{
        model::entry::Entry,
        text::{
            describe::StyledText,
            sequence::{Drawing, Step, steps},
        },
    },
};

pub use crate::domain::text::sequence::{LEAST, LINES};

/// What stands in which line.
pub struct Lines<'a> {
    /// The numbers of the entries in view.
    rows: Vec<u64>,
    steps: Vec<Step<'a>>,
    /// Of which step a line is, by its place, and which of its lines. Behind its own there may be empty ones.
    places: Vec<(usize, usize)>,
}

impl<'a> Lines<'a> {
    /// Those of the entries in view. A pause takes lines too: there are as many as fit, with the selected entry's end.
    pub fn of(app: &'a App, screen: &Screen) -> Self {
        let height = screen.rows(Pane::Calls);
        let steps = steps(app.calls.visible(height), &app.retries);
        let space = usize::from(screen.entry_lines.saturating_sub(LINES));
        let mut places = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            let taken = step.lines() + if step.is_last() { space } else { 0 };
            places.extend((0..taken).map(|line| (index, line)));
        }
        let selected = app.calls.selected().map(|entry| entry.seq);
        let end = places.iter().rposition(|(step, _)| Some(steps[*step].entry.seq) == selected);
        let above = (end.unwrap_or(0) + 1).saturating_sub(screen.list(Pane::Calls).height.into());
        places.drain(..above);
        Self { rows: app.calls.visible(height).map(|entry| entry.seq).collect(), steps, places }
    }

    /// Which of the entries in view stands in a line.
    pub fn row_at(&self, line: usize) -> Option<usize> {
        let seq = self.steps[self.places.get(line)?.0].entry.seq;
        self.rows.iter().position(|row| *row == seq)
    }
}

/// Draws the calls in view.
pub fn render(view: &View<'_>, list: Rect, buffer: &mut Buffer) {
    let selected = view.app.calls.selected().map(|entry| entry.seq);
    let marked =
        view.app.focus == Pane::Calls && !view.app.calls.follows() && matches!(view.app.mode, Mode::Browse);
    let waited = |entry: &Entry| view.snapshot.waited(entry);
    let drawing = Drawing::new(view.theme.glyphs.symbols, &view.app.zone, &waited, list.width.into());
    let Lines { steps, places, .. } = Lines::of(view.app, view.screen);
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

/// Who stands at which line.
pub fn heading(view: &View<'_>, width: u16) -> Line<'static> {
    let drawing = Drawing::new(view.theme.glyphs.symbols, &view.app.zone, &|_| None, width.into());
    let heading = drawing.heading(view.snapshot.counters.usual_caller(), &view.snapshot.driver.name);
    Line::styled(heading, view.theme.styles.strong)
}
