//! The names of the panes, where only one of them is on the screen.

use ratatui::{
    buffer::Buffer,
    text::{Line, Span},
};

use crate::console::{
    layout::pane::Pane,
    view::{
        calls,
        canvas::{View, put, put_right},
    },
};

/// The names of the panes in one line, where only one of them is on the screen.
pub fn render(view: &View<'_>, buffer: &mut Buffer) {
    if view.screen.tabs.height == 0 {
        return;
    }
    let styles = &view.theme.styles;
    let mut spans = Vec::new();
    for (pane, title) in Pane::ALL.into_iter().zip(&view.screen.titles) {
        let (title, style) = if view.app.focus == pane {
            (format!("[{title}]"), styles.focus)
        } else {
            (format!(" {title} "), styles.dim)
        };
        spans.push(Span::styled(title, style));
    }
    let line = Line::from(spans);
    let taken = line.width();
    put(buffer, view.screen.tabs, 0, &line);
    if view.app.focus == Pane::Calls {
        let long = [true, false].map(|has_keys| calls::state(view, has_keys));
        let forms = long.into_iter().chain([calls::short_state(view)]).map(Line::from);
        let room = usize::from(view.screen.tabs.width).saturating_sub(taken + 2);
        if let Some(state) = forms.into_iter().find(|state: &Line<'_>| state.width() <= room) {
            put_right(buffer, view.screen.tabs, 0, taken + 1, &state);
        }
    }
}
