//! Where everything is: three shapes, chosen by the size of the terminal.
//!
//! * wide, from 120 columns: the calls at the left, volumes over faults at the right
//! * medium, from 80 columns and 20 rows: the calls over volumes and faults
//! * narrow, down to 40×10: one pane at a time, without frames, under a line of tabs

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Margin, Position, Rect},
    text::{Line, Span},
};

use super::{View, banner, caption, footer, header, put, sequence};
use crate::{
    console::{
        app::{App, Pane, faults},
        text,
    },
    state::Snapshot,
};

/// The smallest terminal with a console in it, in columns and rows.
pub const LEAST: (u16, u16) = (40, 10);

/// From this width on an open call stands between the other panes.
const THREE_COLUMNS: u16 = 180;

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
    /// What is open: a call, or a volume's life.
    pub detail: Option<Rect>,
    /// The scenario card that is played, or was the latest.
    pub play: Option<Rect>,
    /// What happens, in words.
    pub caption: Rect,
    /// How many lines an entry of the calls takes.
    pub entry_lines: u16,
    /// Whether the calls are drawn as a sequence diagram.
    pub is_sequence: bool,
    /// The names of the tabs.
    pub titles: [String; 3],
    /// The bottom line, if it has one of its own.
    pub status: Rect,
    /// The hints.
    pub hints: Rect,
}

impl Screen {
    /// The places on the app's terminal, if it is large enough.
    pub fn of(app: &App, snapshot: &Snapshot) -> Option<Self> {
        Self::of_area(Rect::new(0, 0, app.size.0, app.size.1), app, snapshot)
    }

    /// The places in an area, if it is large enough.
    pub fn of_area(area: Rect, app: &App, snapshot: &Snapshot) -> Option<Self> {
        if area.width < LEAST.0 || area.height < LEAST.1 {
            return None;
        }
        let shape = Shape::of(area);
        let roomy = area.height >= 16;
        let most_counters = if shape == Shape::Narrow && !roomy { 2 } else { 3 };
        let counters =
            header::counter_lines(snapshot, area.width.into(), most_counters, app.theme.glyphs).len();
        let heights = [
            header::height(snapshot, roomy),
            counters as u16,
            banner::height(snapshot, if roomy { 3 } else { 1 }),
            u16::from(shape == Shape::Narrow),
        ];
        // The caption says what the bottom line would.
        let caption = if app.presenting && area.height >= caption::LEAST { caption::HEIGHT } else { 0 };
        let status = if area.height >= 12 && caption == 0 {
            footer::height(app, (area.width, area.height))
        } else {
            0
        };
        let [header, counters, banner, tabs, body, caption, status, hints] = Layout::vertical([
            Constraint::Length(heights[0]),
            Constraint::Length(heights[1]),
            Constraint::Length(heights[2]),
            Constraint::Length(heights[3]),
            Constraint::Fill(1),
            Constraint::Length(caption),
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
            detail: None,
            play: None,
            caption,
            entry_lines: 1,
            is_sequence: false,
            titles: [
                if app.detail.is_some() && app.focus == Pane::Calls { "Call" } else { "Calls" }.to_owned(),
                format!("Volumes {}", snapshot.volumes.len()),
                format!("Faults {}", banner::armed(snapshot).count()),
            ],
            status,
            hints,
        };
        let is_spaced = app.presenting && area.height >= 30;
        screen.place(body, app.focus, app.detail.is_some(), faults::rows(snapshot).len() as u16 + 2);
        if app.shows_play(snapshot) {
            screen.make_room_for_play(app.focus);
        }
        screen.is_sequence = app.sequence && screen.list(Pane::Calls).width >= sequence::LEAST;
        screen.entry_lines = if screen.is_sequence { sequence::LINES } else { 1 } + u16::from(is_spaced);
        Some(screen)
    }

    /// Gives each pane its place. What is open stands beside the list that it belongs to, or in the place of
    /// what matters least meanwhile.
    fn place(&mut self, body: Rect, focus: Pane, is_open: bool, faults: u16) {
        let halves = Layout::horizontal([Constraint::Fill(1); 2]);
        let call = is_open && focus == Pane::Calls;
        let life = is_open && focus == Pane::Volumes;
        match self.shape {
            Shape::Wide if call && body.width < THREE_COLUMNS => {
                let [left, right] = halves.areas(body);
                (self.calls, self.detail) = (Some(left), Some(right));
            }
            Shape::Wide => {
                let [left, right] =
                    Layout::horizontal([Constraint::Fill(5), Constraint::Fill(3)]).areas(body);
                let lower = faults.min(right.height / 2);
                let [upper, lower] =
                    Layout::vertical([Constraint::Fill(1), Constraint::Length(lower)]).areas(right);
                (self.volumes, self.faults) = (Some(upper), Some(lower));
                if call {
                    let [list, detail] = halves.areas(left);
                    (self.calls, self.detail) = (Some(list), Some(detail));
                } else {
                    *(if life { &mut self.detail } else { &mut self.calls }) = Some(left);
                }
            }
            Shape::Medium if call => {
                let [upper, lower] = Layout::vertical([Constraint::Fill(2), Constraint::Fill(3)]).areas(body);
                (self.calls, self.detail) = (Some(upper), Some(lower));
            }
            Shape::Medium => {
                let lower = faults.min(body.height / 2).max(5);
                let [upper, lower] =
                    Layout::vertical([Constraint::Fill(1), Constraint::Length(lower)]).areas(body);
                let [left, right] = halves.areas(lower);
                (self.volumes, self.faults) = (Some(left), Some(right));
                *(if life { &mut self.detail } else { &mut self.calls }) = Some(upper);
            }
            Shape::Narrow if call || life => self.detail = Some(body),
            Shape::Narrow => match focus {
                Pane::Calls => self.calls = Some(body),
                Pane::Volumes => self.volumes = Some(body),
                Pane::Faults => self.faults = Some(body),
            },
        }
    }

    /// Gives what is played a place at the side, or that of what matters least meanwhile.
    fn make_room_for_play(&mut self, focus: Pane) {
        /// The least that a play beside the volumes can be shown in, and what is left for those.
        const ROOMY: u16 = 24;
        const VOLUMES: u16 = 8;
        let rows = |area: Rect, constraints: [Constraint; 2]| Layout::vertical(constraints).areas(area);
        match self.shape {
            Shape::Wide => match self.volumes {
                Some(area) if area.height >= ROOMY => {
                    let [volumes, play] = rows(area, [Constraint::Length(VOLUMES), Constraint::Fill(1)]);
                    (self.volumes, self.play) = (Some(volumes), Some(play));
                }
                Some(area) if focus == Pane::Volumes => {
                    let [volumes, play] = rows(area, [Constraint::Fill(1); 2]);
                    (self.volumes, self.play) = (Some(volumes), Some(play));
                }
                area => (self.volumes, self.play) = (None, area),
            },
            Shape::Medium => match focus {
                Pane::Calls => {
                    // An open call has their place already, and keeps it.
                    let panes = [self.calls, self.volumes, self.faults];
                    if let [Some(calls), Some(volumes), Some(faults)] = panes {
                        let body = calls.union(volumes).union(faults);
                        let [calls, play] = rows(body, [Constraint::Fill(1); 2]);
                        (self.calls, self.volumes, self.faults, self.play) =
                            (Some(calls), None, None, Some(play));
                    }
                }
                Pane::Volumes => (self.faults, self.play) = (None, self.faults),
                Pane::Faults => (self.volumes, self.play) = (None, self.volumes),
            },
            Shape::Narrow => {
                const STRIP: u16 = 4;
                let body = [self.calls, self.volumes, self.faults].into_iter().flatten().next();
                if let Some(body) = body.filter(|body| body.height > 1) {
                    let strip = STRIP.min(body.height - 1).min(body.height.div_ceil(2).max(2));
                    let [upper, play] = rows(body, [Constraint::Fill(1), Constraint::Length(strip)]);
                    for pane in [&mut self.calls, &mut self.volumes, &mut self.faults].into_iter().flatten() {
                        *pane = upper;
                    }
                    self.play = Some(play);
                }
            }
        }
    }

    const fn area(&self, pane: Pane) -> Option<Rect> {
        match pane {
            Pane::Calls => self.calls,
            Pane::Volumes => self.volumes,
            Pane::Faults => self.faults,
        }
    }

    /// How many rows a pane's list can show.
    pub fn rows(&self, pane: Pane) -> usize {
        let lines = if pane == Pane::Calls { self.entry_lines } else { 1 };
        (self.list(pane).height / lines).into()
    }

    /// Where a pane's rows are: within its frame, and below the heads of its columns.
    pub fn list(&self, pane: Pane) -> Rect {
        let inner = self.inner(self.area(pane));
        let heads = u16::from(pane == Pane::Calls && self.shape.has_frames()).min(inner.height);
        Rect { y: inner.y + heads, height: inner.height - heads, ..inner }
    }

    /// What is inside the frame of what is open.
    pub fn detail_inner(&self) -> Rect {
        self.inner(self.detail)
    }

    fn inner(&self, area: Option<Rect>) -> Rect {
        let area = area.unwrap_or_default();
        if self.shape.has_frames() { area.inner(Margin::new(1, 1)) } else { area }
    }

    /// The pane at a place on the screen.
    pub fn pane_at(&self, at: Position) -> Option<Pane> {
        if self.tabs.contains(at) {
            let mut right = self.tabs.x;
            return Pane::ALL.into_iter().zip(self.titles.iter()).find_map(|(pane, title)| {
                right += text::width(title) as u16 + 2;
                (at.x < right).then_some(pane)
            });
        }
        Pane::ALL.into_iter().find(|pane| self.area(*pane).is_some_and(|area| area.contains(at)))
    }
}

/// The names of the panes in one line, where only one of them is on the screen.
pub fn render_tabs(view: &View<'_>, buffer: &mut Buffer) {
    if view.screen.tabs.height == 0 {
        return;
    }
    let styles = &view.theme.styles;
    let mut spans = Vec::new();
    for (pane, title) in Pane::ALL.into_iter().zip(&view.screen.titles) {
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
        let long = [true, false].map(|has_keys| super::calls::state(view, has_keys));
        let forms = long.into_iter().chain([super::calls::short_state(view)]).map(Line::from);
        let room = usize::from(view.screen.tabs.width).saturating_sub(taken + 2);
        if let Some(state) = forms.into_iter().find(|state: &Line<'_>| state.width() <= room) {
            super::put_right(buffer, view.screen.tabs, 0, taken + 1, &state);
        }
    }
}
