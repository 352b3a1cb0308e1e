//! What all views draw with: the state they show, frames around panes, and lines cut to a width.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::{Block, Clear, Widget},
};

use crate::{
    console::{
        input::action::KeyAction,
        layout::{pane::Pane, screen::Screen},
        model::{app::App, mode::Mode},
        theme::Theme,
    },
    domain::text,
    hub::Snapshot,
};

/// All that a view can look at.
pub struct View<'v> {
    /// The console's state.
    pub app: &'v App,
    /// The state to show.
    pub snapshot: &'v Snapshot,
    /// Styles and symbols.
    pub theme: &'v Theme,
    /// Where everything is.
    pub screen: &'v Screen,
}

impl View<'_> {
    /// A pane's frame with its title at the left and its state at the right; returns what is inside. Where
    /// panes share the screen one at a time the tabs are the title, and there is no frame.
    pub(super) fn pane(
        &self,
        pane: Pane,
        title: &str,
        state: &[Span<'_>],
        area: Rect,
        buffer: &mut Buffer,
    ) -> Rect {
        let focused = self.app.focus == pane && matches!(self.app.mode, Mode::Browse);
        self.frame(focused, title, state, area, buffer)
    }

    pub(super) fn frame(
        &self,
        focused: bool,
        title: &str,
        state: &[Span<'_>],
        area: Rect,
        buffer: &mut Buffer,
    ) -> Rect {
        if !self.screen.shape.has_frames() {
            return area;
        }
        let (glyphs, styles) = (self.theme.glyphs, &self.theme.styles);
        let (set, style) =
            if focused { (glyphs.focus, styles.focus) } else { (glyphs.border, styles.border) };
        let title_style = if focused { styles.focus } else { styles.bold };
        let mut block = Block::bordered()
            .border_set(set)
            .border_style(style)
            // A title does not inherit the style of the border.
            .title_style(Style::reset().patch(styles.text))
            .title(Line::styled(format!(" {title} "), title_style));
        let taken = text::width(title) + 6;
        let state: Line<'_> = state.iter().cloned().collect();
        if state.width() > 0 && taken + state.width() <= usize::from(area.width) {
            let padded = [vec![Span::raw(" ")], state.spans, vec![Span::raw(" ")]].concat();
            block = block.title(Line::from(padded).right_aligned());
        }
        let inner = block.inner(area);
        block.render(area, buffer);
        inner
    }

    /// A box over everything else, with the borders of what has the keys; returns what is inside.
    pub(super) fn popup(&self, area: Rect, block: Block<'_>, buffer: &mut Buffer) -> Rect {
        let styles = &self.theme.styles;
        Clear.render(area, buffer);
        buffer.set_style(area, styles.text);
        let block = block.border_set(self.theme.glyphs.focus).border_style(styles.focus);
        let inner = block.inner(area);
        block.render(area, buffer);
        inner
    }

    /// Writes a line into one row of an area, with an ellipsis if it is too long.
    pub(super) fn put_fitted(&self, buffer: &mut Buffer, area: Rect, row: u16, line: &Line<'_>) {
        let width = usize::from(area.width);
        if line.width() <= width {
            return put(buffer, area, row, line);
        }
        let ellipsis = self.theme.glyphs.ellipsis;
        let mut left = width.saturating_sub(text::width(ellipsis));
        let mut fitted = Line::default().style(line.style);
        for span in &line.spans {
            let shown = text::fit(&span.content, left, "");
            left -= text::width(&shown);
            let is_cut = shown.len() < span.content.len();
            fitted.push_span(Span::styled(shown, span.style));
            if is_cut || left == 0 {
                fitted.push_span(Span::styled(ellipsis, span.style));
                break;
            }
        }
        put(buffer, area, row, &fitted);
    }

    /// A key as it is written in hints.
    pub(super) fn key(&self, action: KeyAction) -> String {
        self.app.keymap.key(action, self.theme.glyphs.ascii)
    }

    /// A key and what it does.
    pub(super) fn hint(&self, key: &str, does: &str) -> [Span<'static>; 2] {
        let styles = &self.theme.styles;
        [Span::styled(format!(" {key}"), styles.key), Span::styled(format!(" {does} "), styles.dim)]
    }

    /// A text cut to a width, with the theme's ellipsis.
    pub(super) fn fit(&self, text: &str, width: usize) -> String {
        text::fit(text, width, self.theme.glyphs.ellipsis).into_owned()
    }

    /// A text cut or filled to a width.
    pub(super) fn pad(&self, text: &str, width: usize) -> String {
        text::pad(text, width, self.theme.glyphs.ellipsis)
    }
}

/// Writes a line into one row of an area.
pub(super) fn put(buffer: &mut Buffer, area: Rect, row: u16, line: &Line<'_>) {
    if row < area.height {
        buffer.set_line(area.x, area.y + row, line, area.width);
    }
}

/// Writes a line at the right of a row, if it fits beside the `taken` cells at the left.
pub(super) fn put_right(buffer: &mut Buffer, area: Rect, row: u16, taken: usize, line: &Line<'_>) {
    let width = line.width();
    if row < area.height && taken + width < usize::from(area.width) {
        let x = area.right() - width as u16;
        buffer.set_line(x, area.y + row, line, width as u16);
    }
}

/// Marks a whole row.
pub(super) fn mark(buffer: &mut Buffer, area: Rect, row: u16, style: Style) {
    if row < area.height {
        buffer.set_style(Rect { y: area.y + row, height: 1, ..area }, style);
    }
}
