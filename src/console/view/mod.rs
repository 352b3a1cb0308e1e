//! One frame: the console's state and a snapshot in, cells out. Nothing here changes either.
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
//! status     the last command and its result, or the line being typed
//! hints      what the keys do here
//! ```

pub mod banner;
pub mod calls;
mod canvas;
pub mod column_picker;
mod columns;
mod connections;
pub mod detail;
pub mod empty_state;
pub mod faults;
pub mod footer;
pub mod groups;
pub mod header;
pub mod help;
pub mod narrated_step;
mod narration;
mod nodes;
pub mod picker;
pub mod question;
pub mod row;
pub mod scenario;
pub mod sequence;
mod tabs;
mod timeline;
pub mod typing;
pub mod volumes;

use crossterm::event::{MouseButton, MouseEventKind};
use ratatui::{Frame, layout::Position, text::Line, widgets::Widget};

use crate::{
    console::{
        layout::screen::MIN_SIZE,
        model::{
            app::{App, ScrollLimits},
            click::Clicked,
            event::Event,
            mode::{Mode, Question},
        },
        theme::Theme,
        view::canvas::View,
    },
    domain::{model::source_status::SourceStatus, text},
    hub::Snapshot,
};

/// Draws everything.
pub fn render(frame: &mut Frame<'_>, app: &App, snapshot: &Snapshot, theme: &Theme) {
    let area = frame.area();
    frame.buffer_mut().set_style(area, theme.styles.text);
    let Some(screen) = app.screen_in(area, snapshot) else {
        let (columns, rows) = MIN_SIZE;
        let least = format!("{columns}{}{rows}", if theme.glyphs.ascii { 'x' } else { '×' });
        let texts = ["terminal too small (need #)", "too small (need #)", "need #", "#"]
            .map(|text| text.replace('#', &least));
        let line = texts.iter().find(|line| text::width(line) <= area.width.into()).unwrap_or(&least);
        // The only question that is answered there.
        if let Mode::Ask(Question::Leave) = &app.mode {
            Line::raw("quit? y n").render(area, frame.buffer_mut());
        } else {
            Line::raw(line).render(area, frame.buffer_mut());
        }
        return;
    };
    let view = View { app, snapshot, theme, screen: &screen };
    let buffer = frame.buffer_mut();
    header::render(&view, buffer);
    if snapshot.source == SourceStatus::Nodes {
        connections::render(&view, screen.header, buffer);
    }
    banner::render(&view, buffer);
    tabs::render(&view, buffer);
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
    if let Some(area) = screen.scenario {
        scenario::render(&view, area, buffer);
    }
    narration::render(&view, buffer);
    let mut cursor = footer::render(&view, buffer);
    match &app.mode {
        Mode::Help(reading) => help::render(&view, reading, buffer),
        Mode::Ask(question) => question::render(&view, question, buffer),
        Mode::Columns(picker) => column_picker::render(&view, picker, buffer),
        Mode::Pick(picker) => cursor = Some(picker::render(&view, picker, buffer)),
        Mode::Browse | Mode::Type(_) => {}
    }
    if let Some(cursor) = cursor {
        frame.set_cursor_position(cursor);
    }
}

/// Notes in the app what only the views know about the event that comes next: how far it can scroll, and what is under
/// the mouse.
pub fn prepare(app: &mut App, event: &Event, snapshot: &Snapshot) {
    app.scroll_limits = scroll_limits(app, snapshot);
    app.help_rows = help::rows(app, snapshot);
    app.clicked = match (event, app.screen(snapshot)) {
        (Event::Mouse(mouse, _), Some(screen))
            if matches!(mouse.kind, MouseEventKind::Down(MouseButton::Left)) =>
        {
            let view = View { app, snapshot, theme: &app.theme, screen: &screen };
            clicked(&view, Position::new(mouse.column, mouse.row))
        }
        _ => None,
    };
}

/// The hint or a column header at a place on the screen.
fn clicked(view: &View<'_>, at: Position) -> Option<Clicked> {
    let counter = || header::action_at(view, at).filter(|_| matches!(view.app.mode, Mode::Browse));
    let hint = footer::action_at(view, at).or_else(counter).map(Clicked::Hint);
    let head = || calls::column_at(view, at).or_else(|| volumes::column_at(view, at)).map(Clicked::Head);
    hint.or_else(|| head().filter(|_| matches!(view.app.mode, Mode::Browse)))
}

/// How far the open help and the open detail can be scrolled. Only these know how many lines they have.
fn scroll_limits(app: &App, snapshot: &Snapshot) -> ScrollLimits {
    let detail = match app.screen(snapshot) {
        Some(screen) if screen.detail.is_some() => detail::last_top(app, snapshot, &screen),
        _ => 0,
    };
    ScrollLimits { help: help::last_top(app, snapshot), detail }
}
