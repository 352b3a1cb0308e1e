//! One frame: the state and a picture of the hub in, cells out. Nothing here can change either.
//!
//! ```text
//! header     who it is, how engines find it, how busy it is
//! counters   the nine calls, and what was odd
//! banner     only while something is armed or down: it cannot be overlooked
//! ┌ calls ───────────┐┌ volumes ┐
//! │ (or one of them) ││         │     side by side, stacked or one at a time: see `layout`
//! │                  │└─────────┘
//! │                  │┌ faults ─┐
//! └──────────────────┘└─────────┘
//! status     the last command and what came of it, or the line being typed
//! hints      what the keys do here
//! ```

pub mod banner;
pub mod calls;
pub mod caption;
pub mod detail;
pub mod faults;
pub mod footer;
pub mod groups;
pub mod header;
pub mod help;
pub mod layout;
pub mod play;
pub mod question;
pub mod row;
pub mod scenarios;
pub mod sequence;
pub mod typing;
pub mod volumes;
pub mod welcome;

use ratatui::{
    Frame,
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::{Block, Widget},
};

use self::layout::Screen;
use super::{
    app::{App, Mode, Pane},
    text,
    theme::Theme,
};
use crate::state::Snapshot;

/// How many of the latest seconds the sparkline shows.
pub const SPARK: usize = 16;

/// Draws everything.
pub fn render(frame: &mut Frame<'_>, app: &App, snapshot: &Snapshot, theme: &Theme) {
    let area = frame.area();
    frame.buffer_mut().set_style(area, theme.styles.text);
    let Some(screen) = Screen::of_area(area, app, snapshot) else {
        let (columns, rows) = layout::LEAST;
        let least = format!("{columns}{}{rows}", if theme.glyphs.ascii { 'x' } else { '×' });
        let told = ["terminal too small (need #)", "too small (need #)", "need #", "#"]
            .map(|told| told.replace('#', &least));
        let line = told.iter().find(|line| text::width(line) <= area.width.into()).unwrap_or(&least);
        Line::raw(line).render(area, frame.buffer_mut());
        return;
    };
    let view = View { app, snapshot, theme, screen: &screen };
    let buffer = frame.buffer_mut();
    header::render(&view, buffer);
    banner::render(&view, buffer);
    layout::render_tabs(&view, buffer);
    if let Some(area) = screen.calls {
        calls::render(&view, area, buffer);
    }
    if let Some(area) = screen.detail {
        detail::render(&view, area, buffer);
    }
    if let Some(area) = screen.volumes {
        volumes::render(&view, area, buffer);
    }
    if let Some(area) = screen.faults {
        faults::render(&view, area, buffer);
    }
    if let Some(area) = screen.play {
        play::render(&view, area, buffer);
    }
    caption::render(&view, buffer);
    let mut cursor = footer::render(&view, buffer);
    match &app.mode {
        Mode::Help(reading) => help::render(&view, reading, buffer),
        Mode::Ask(question) => question::render(&view, question, buffer),
        Mode::Pick(picker) => cursor = Some(scenarios::render(&view, picker, buffer)),
        Mode::Browse | Mode::Type(_) => {}
    }
    if let Some(cursor) = cursor {
        frame.set_cursor_position(cursor);
    }
}

/// All that a view can look at.
pub struct View<'v> {
    /// The console's state.
    pub app: &'v App,
    /// The picture of the hub.
    pub snapshot: &'v Snapshot,
    /// Styles and signs.
    pub theme: &'v Theme,
    /// Where everything is.
    pub screen: &'v Screen,
}

impl View<'_> {
    /// A pane's frame with its title at the left and its state at the right; returns what is inside. Where
    /// panes share the screen one at a time the tabs are the title, and there is no frame.
    fn pane(&self, pane: Pane, title: &str, state: &[Span<'_>], area: Rect, buffer: &mut Buffer) -> Rect {
        let focused = self.app.focus == pane && matches!(self.app.mode, Mode::Browse);
        self.frame(focused, title, state, area, buffer)
    }

    fn frame(&self, focused: bool, title: &str, state: &[Span<'_>], area: Rect, buffer: &mut Buffer) -> Rect {
        if !self.screen.shape.has_frames() {
            return area;
        }
        let (glyphs, styles) = (self.theme.glyphs, &self.theme.styles);
        let (set, style) =
            if focused { (glyphs.focus, styles.focus) } else { (glyphs.border, styles.border) };
        let title_style = if focused { styles.focus } else { styles.strong };
        let mut block = Block::bordered()
            .border_set(set)
            .border_style(style)
            // What a title says has a style of its own, whatever that of the border beneath it.
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

    /// Writes a line into one row of an area, with a mark where there is no room for all of it.
    fn put_fitted(&self, buffer: &mut Buffer, area: Rect, row: u16, line: &Line<'_>) {
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
    fn key(&self, action: super::action::Action) -> String {
        self.app.keymap.key(action, self.theme.glyphs.ascii)
    }

    /// A text cut to a width, with the theme's sign for what is missing.
    fn fit(&self, text: &str, width: usize) -> String {
        text::fit(text, width, self.theme.glyphs.ellipsis).into_owned()
    }

    /// A text cut or filled to a width.
    fn pad(&self, text: &str, width: usize) -> String {
        text::pad(text, width, self.theme.glyphs.ellipsis)
    }
}

/// Writes a line into one row of an area.
fn put(buffer: &mut Buffer, area: Rect, row: u16, line: &Line<'_>) {
    if row < area.height {
        buffer.set_line(area.x, area.y + row, line, area.width);
    }
}

/// Writes a line at the right of a row, if it fits beside what takes `taken` cells there; says how much is left.
fn put_right(buffer: &mut Buffer, area: Rect, row: u16, taken: usize, line: &Line<'_>) {
    let width = line.width();
    if row < area.height && taken + width < usize::from(area.width) {
        let x = area.right() - width as u16;
        buffer.set_line(x, area.y + row, line, width as u16);
    }
}

/// Marks a whole row.
fn mark(buffer: &mut Buffer, area: Rect, row: u16, style: Style) {
    if row < area.height {
        buffer.set_style(Rect { y: area.y + row, height: 1, ..area }, style);
    }
}
