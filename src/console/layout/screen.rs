//! Where everything is: three shapes, chosen by the size of the terminal.
//!
//! * wide, from 120 columns: the calls at the left, volumes over faults at the right
//! * medium, from 80 columns and 20 rows: the calls over volumes and faults
//! * narrow, down to 40×10: one pane at a time, without frames, under a line of tabs

use ratatui::layout::{Constraint, Layout, Margin, Position, Rect};

use crate::{
    console::{
        layout::{
            borders::{Border, Borders},
            counters::counter_lines,
            pane::{Pane, PaneRoom},
        },
        model::fault_list,
    },
    domain::text::{self, sequence},
    hub::Snapshot,
};

/// The smallest terminal with a console in it, in columns and rows.
pub const MIN_SIZE: (u16, u16) = (40, 10);

/// From this width on an open call stands between the other panes.
const THREE_COLUMNS: u16 = 180;

/// From this height on a long status has a second row.
const MIN_TWO_LINE_HEIGHT: u16 = 24;

/// The height of the narration, where there is room and where there is little.
const NARRATION_HEIGHTS: [u16; 2] = [7, 5];

/// From this height on the presenter mode has space between the calls, and other panes beside them.
const SPACED_HEIGHT: u16 = 30;

/// The width of the panes beside the calls in presenter mode.
const PRESENTER_SIDE: u16 = 46;

/// From this height on there is room for the narration.
pub const MIN_NARRATION_HEIGHT: u16 = 24;

/// What the places depend on, beside the size.
#[derive(Clone, Copy, Debug)]
pub struct LayoutInput<'s> {
    /// The counters, the volumes and the registration.
    pub snapshot: &'s Snapshot,
    /// The pane that has the keys.
    pub focus: Pane,
    /// The pane whose selected row is open in detail.
    pub open: Option<Pane>,
    /// How many lines the banner would like.
    pub alarms: usize,
    /// How many rules are armed.
    pub armed: usize,
    /// How many lines the volumes need.
    pub volume_lines: usize,
    /// How wide the text of the bottom line is.
    pub status_width: usize,
    /// Whether a scenario is shown.
    pub shows_run: bool,
    /// Whether the calls are to be a sequence diagram.
    pub sequence: bool,
    /// Whether the presenter mode is on.
    pub presenting: bool,
    /// How the panes share the room.
    pub room: PaneRoom,
    /// Where the user has moved the borders.
    pub borders: Borders,
}

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
    /// What all panes share.
    pub body: Rect,
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
    /// The details of a call, a group or a volume.
    pub detail: Option<Rect>,
    /// The running or latest scenario.
    pub scenario: Option<Rect>,
    /// What happens, in words.
    pub narration: Rect,
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
    /// The places in an area, if it is large enough.
    pub fn new(area: Rect, input: &LayoutInput<'_>) -> Option<Self> {
        if area.width < MIN_SIZE.0 || area.height < MIN_SIZE.1 {
            return None;
        }
        let shape = Shape::of(area);
        let roomy = area.height >= 16;
        let max_counters = if shape == Shape::Narrow && !roomy { 2 } else { 3 };
        let counters = counter_lines(input.snapshot, area.width.into(), max_counters, "").len();
        let is_spaced = input.presenting && area.height >= SPACED_HEIGHT;
        // For an audience, the calls matter most.
        let max_alarms = if roomy && (!input.presenting || is_spaced) { 3 } else { 1 };
        // The narration replaces the status line.
        let narration = match area.height {
            MIN_NARRATION_HEIGHT.. if input.presenting => NARRATION_HEIGHTS[usize::from(!is_spaced)],
            _ => 0,
        };
        let is_long = input.status_width > area.width.into() && area.height >= MIN_TWO_LINE_HEIGHT;
        let status = if area.height >= 12 && narration == 0 { 1 + u16::from(is_long) } else { 0 };
        let [header, counters, banner, tabs, body, narration, status, hints] = Layout::vertical([
            Constraint::Length(1 + u16::from(roomy && input.snapshot.driver.fix_command.is_some())),
            Constraint::Length(counters as u16),
            Constraint::Length(input.alarms.min(max_alarms) as u16),
            Constraint::Length(u16::from(shape == Shape::Narrow)),
            Constraint::Fill(1),
            Constraint::Length(narration),
            Constraint::Length(status),
            Constraint::Length(1),
        ])
        .areas(area);
        let mut screen = Self {
            shape,
            body,
            header,
            counters,
            banner,
            tabs,
            calls: None,
            volumes: None,
            faults: None,
            detail: None,
            scenario: None,
            narration,
            entry_lines: 1,
            is_sequence: false,
            titles: [
                if input.open == Some(Pane::Calls) { "Call" } else { "Calls" }.to_owned(),
                format!("Volumes {}", input.snapshot.volume_count()),
                format!("Faults {}", input.armed),
            ],
            status,
            hints,
        };
        screen.place(body, input);
        if input.shows_run {
            screen.make_room_for_scenario(input.focus);
        }
        screen.is_sequence = input.sequence && screen.list(Pane::Calls).width >= sequence::LEAST;
        screen.entry_lines = if screen.is_sequence { sequence::LINES } else { 1 } + u16::from(is_spaced);
        Some(screen)
    }

    /// Gives each pane its place. What is open stands beside the list that it belongs to, or in the place of
    /// what matters least meanwhile.
    fn place(&mut self, body: Rect, input: &LayoutInput<'_>) {
        let LayoutInput { focus, borders, .. } = *input;
        let call = input.open.is_some() && focus == Pane::Calls;
        let history = input.open.is_some() && focus == Pane::Volumes;
        if input.room == PaneRoom::Zoomed || !self.shape.has_frames() {
            let place = match focus {
                _ if call || history => &mut self.detail,
                Pane::Calls => &mut self.calls,
                Pane::Volumes => &mut self.volumes,
                Pane::Faults => &mut self.faults,
            };
            *place = Some(body);
            return;
        }
        let halves = Layout::horizontal([Constraint::Fill(1); 2]);
        // With its frame.
        let faults = |width: u16| {
            let inner = usize::from(width.saturating_sub(2));
            fault_list::lines(input.snapshot, inner).min(usize::from(u16::MAX / 2)) as u16 + 2
        };
        let volumes = (input.volume_lines.min(usize::from(u16::MAX / 2)) as u16 + 3).max(4);
        match self.shape {
            Shape::Wide if call && body.width < THREE_COLUMNS => {
                let [left, right] = halves.areas(body);
                (self.calls, self.detail) = (Some(left), Some(right));
            }
            Shape::Wide => {
                let side = body.width * 3 / 8;
                let side = if input.presenting { side.min(PRESENTER_SIDE) } else { side };
                let side = borders.size(Border::Side, body.width, side);
                let [left, right] =
                    Layout::horizontal([Constraint::Fill(1), Constraint::Length(side)]).areas(body);
                // Each has what it needs, and half of the room at least for that.
                let half = right.height / 2;
                let faults = faults(side);
                let lower = faults.min(right.height - volumes.min(half)).max(faults.min(half));
                let lower = borders.size(Border::Faults, right.height, lower);
                let [upper, lower] =
                    Layout::vertical([Constraint::Fill(1), Constraint::Length(lower)]).areas(right);
                (self.volumes, self.faults) = (Some(upper), Some(lower));
                if call {
                    let [list, detail] = halves.areas(left);
                    (self.calls, self.detail) = (Some(list), Some(detail));
                } else {
                    *(if history { &mut self.detail } else { &mut self.calls }) = Some(left);
                }
            }
            Shape::Medium if call => {
                let [upper, lower] = Layout::vertical([Constraint::Fill(2), Constraint::Fill(3)]).areas(body);
                (self.calls, self.detail) = (Some(upper), Some(lower));
            }
            Shape::Medium if input.presenting && focus == Pane::Calls && body.height < SPACED_HEIGHT => {
                self.calls = Some(body);
            }
            Shape::Medium => {
                let split = borders.size(Border::Split, body.width, body.width / 2);
                let lower = faults(body.width - split).max(volumes).min(body.height / 2).max(5);
                let lower = borders.size(Border::Lower, body.height, lower);
                let [upper, lower] =
                    Layout::vertical([Constraint::Fill(1), Constraint::Length(lower)]).areas(body);
                let [left, right] =
                    Layout::horizontal([Constraint::Length(split), Constraint::Fill(1)]).areas(lower);
                (self.volumes, self.faults) = (Some(left), Some(right));
                *(if history { &mut self.detail } else { &mut self.calls }) = Some(upper);
            }
            Shape::Narrow => {}
        }
    }

    /// Places the scenario at the side, or over the pane that matters least.
    fn make_room_for_scenario(&mut self, focus: Pane) {
        /// The smallest height for a scenario below the volumes, and the height of those.
        const ROOMY: u16 = 24;
        const VOLUMES: u16 = 8;
        let rows = |area: Rect, constraints: [Constraint; 2]| Layout::vertical(constraints).areas(area);
        match self.shape {
            Shape::Wide => match self.volumes {
                Some(area) if area.height >= ROOMY => {
                    let [volumes, scenario] = rows(area, [Constraint::Length(VOLUMES), Constraint::Fill(1)]);
                    (self.volumes, self.scenario) = (Some(volumes), Some(scenario));
                }
                Some(area) if focus == Pane::Volumes => {
                    let [volumes, scenario] = rows(area, [Constraint::Fill(1); 2]);
                    (self.volumes, self.scenario) = (Some(volumes), Some(scenario));
                }
                area => (self.volumes, self.scenario) = (None, area),
            },
            Shape::Medium => match focus {
                Pane::Calls => {
                    // An open call has their place already, and keeps it.
                    let panes = [self.calls, self.volumes, self.faults];
                    if let [Some(calls), Some(volumes), Some(faults)] = panes {
                        let body = calls.union(volumes).union(faults);
                        let [calls, scenario] = rows(body, [Constraint::Fill(1); 2]);
                        (self.calls, self.volumes, self.faults, self.scenario) =
                            (Some(calls), None, None, Some(scenario));
                    }
                }
                Pane::Volumes => (self.faults, self.scenario) = (None, self.faults),
                Pane::Faults => (self.volumes, self.scenario) = (None, self.volumes),
            },
            Shape::Narrow => {
                const COMPACT: u16 = 4;
                let body = [self.calls, self.volumes, self.faults].into_iter().flatten().next();
                if let Some(body) = body.filter(|body| body.height > 1) {
                    let height = COMPACT.min(body.height - 1).min(body.height.div_ceil(2).max(2));
                    let [upper, scenario] = rows(body, [Constraint::Fill(1), Constraint::Length(height)]);
                    for pane in [&mut self.calls, &mut self.volumes, &mut self.faults].into_iter().flatten() {
                        *pane = upper;
                    }
                    self.scenario = Some(scenario);
                }
            }
        }
    }

    /// Where a pane is.
    pub const fn area(&self, pane: Pane) -> Option<Rect> {
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
        let has_heads = pane != Pane::Faults && self.shape.has_frames();
        let heads = u16::from(has_heads).min(inner.height);
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
