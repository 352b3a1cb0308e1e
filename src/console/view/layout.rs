//! Where everything is: three shapes, chosen by the size of the terminal.
//!
//! * wide, from 120 columns: the calls at the left, volumes over faults at the right
//! * medium, from 80 columns and 20 rows: the calls over volumes and faults
//! * narrow, down to 40×10: one pane at a time, without frames, under a line of tabs

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
};

use super::{View, banner, header, put};
use crate::{
    console::app::{App, Pane},
    hub::Snapshot,
};

/// The smallest terminal with a console in it, in columns and rows.
pub const LEAST: (u16, u16) = (40, 10);

/// The three shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// All panes, side by side.
    Wide,
    /// All panes, the calls above.
    Medium,
    /// One pane at a time.
    Narrow,
}

impl Shape {
    const fn of(area: Rect) -> Self {
        match (area.width, area.height) {
            (120.., 16..) => Self::Wide,
            (80.., 20..) => Self::Medium,
            _ => Self::Narrow,
        }
    }

    /// Whether panes have a frame around them.
    pub const fn has_frames(self) -> bool {
        !matches!(self, Self::Narrow)
    }
}

/// The places of one frame. A pane that is not on the screen has none.
#[derive(Clone, Debug)]
pub struct Screen {
    /// Which shape it is.
    pub shape: Shape,
    /// Name, address and load.
    pub header: Rect,
    /// The nine counters.
    pub counters: Rect,
    /// What is armed.
    pub banner: Rect,
    /// The tabs, where one pane is shown at a time.
    pub tabs: Rect,
    /// The calls.
    pub calls: Option<Rect>,
    /// The volumes.
    pub volumes: Option<Rect>,
    /// The faults.
    pub faults: Option<Rect>,
    /// The bottom line, if it has one of its own.
    pub status: Rect,
    /// The hints.
    pub hints: Rect,
}

impl Screen {
    /// The places on the app's terminal, if it is large enough.
    pub fn of(app: &App, seen: &Snapshot) -> Option<Self> {
        Self::of_area(Rect::new(0, 0, app.size.0, app.size.1), app, seen)
    }

    /// The places in an area, if it is large enough.
    pub fn of_area(area: Rect, app: &App, seen: &Snapshot) -> Option<Self> {
        if area.width < LEAST.0 || area.height < LEAST.1 {
            return None;
        }
        let shape = Shape::of(area);
        let roomy = area.height >= 16;
        let most_counters = if shape == Shape::Narrow && !roomy { 2 } else { 3 };
        let counters = header::counter_lines(seen, area.width.into(), most_counters, app.theme.glyphs).len();
        let heights = [
            header::height(seen, roomy),
            counters as u16,
            banner::height(seen, if roomy { 3 } else { 1 }),
            u16::from(shape == Shape::Narrow),
        ];
        let status = u16::from(area.height >= 12);
        let [header, counters, banner, tabs, body, status, hints] = Layout::vertical([
            Constraint::Length(heights[0]),
            Constraint::Length(heights[1]),
            Constraint::Length(heights[2]),
            Constraint::Length(heights[3]),
            Constraint::Fill(1),
            Constraint::Length(status),
            Constraint::Length(1),
        ])
        .areas(area);
        let mut screen = Self {
            shape,
            header,
            counters,
            banner,
            tabs,
            calls: None,
            volumes: None,
            faults: None,
            status,
            hints,
        };
        let faults = app.fault_rows(seen).len() as u16 + 2;
        match shape {
            Shape::Wide => {
                let [left, right] =
                    Layout::horizontal([Constraint::Fill(5), Constraint::Fill(3)]).areas(body);
                let lower = faults.min(right.height / 2);
                let [upper, lower] =
                    Layout::vertical([Constraint::Fill(1), Constraint::Length(lower)]).areas(right);
                (screen.calls, screen.volumes, screen.faults) = (Some(left), Some(upper), Some(lower));
            }
            Shape::Medium => {
                let lower = faults.min(body.height / 2).max(5);
                let [upper, lower] =
                    Layout::vertical([Constraint::Fill(1), Constraint::Length(lower)]).areas(body);
                let [left, right] = Layout::horizontal([Constraint::Fill(1); 2]).areas(lower);
                (screen.calls, screen.volumes, screen.faults) = (Some(upper), Some(left), Some(right));
            }
            Shape::Narrow => match app.focus {
                Pane::Calls => screen.calls = Some(body),
                Pane::Volumes => screen.volumes = Some(body),
                Pane::Faults => screen.faults = Some(body),
            },
        }
        Some(screen)
    }

    /// How many rows a pane can show.
    pub fn rows(&self, pane: Pane) -> usize {
        self.inner(pane).height.into()
    }

    /// What is inside a pane's frame.
    pub fn inner(&self, pane: Pane) -> Rect {
        let area = match pane {
            Pane::Calls => self.calls,
            Pane::Volumes => self.volumes,
            Pane::Faults => self.faults,
        }
        .unwrap_or_default();
        if self.shape.has_frames() {
            Rect {
                x: area.x + 1,
                y: area.y + 1,
                width: area.width.saturating_sub(2),
                height: area.height.saturating_sub(2),
            }
        } else {
            area
        }
    }
}

/// The names of the panes in one line, where only one of them is on the screen.
pub fn render_tabs(view: &View<'_>, buffer: &mut Buffer) {
    if view.screen.tabs.height == 0 {
        return;
    }
    let styles = &view.theme.styles;
    let mut spans = Vec::new();
    for pane in Pane::ALL {
        let title = match pane {
            Pane::Calls if view.app.inspector.is_some() => "Call".to_owned(),
            Pane::Calls => "Calls".to_owned(),
            Pane::Volumes => format!("Volumes {}", view.seen.volume_count),
            Pane::Faults => format!("Faults {}", banner::armed(view.seen).count()),
        };
        let (title, style) = if view.app.focus == pane {
            (format!("[{title}]"), styles.focus)
        } else {
            (format!(" {title} "), styles.quiet)
        };
        spans.push(Span::styled(title, style));
    }
    let line = Line::from(spans);
    let taken = line.width();
    put(buffer, view.screen.tabs, 0, &line);
    if view.app.focus == Pane::Calls {
        let state = super::calls::state(view);
        super::put_right(buffer, view.screen.tabs, 0, taken + 1, &state.into());
    }
}
