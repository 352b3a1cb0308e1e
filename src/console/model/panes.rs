//! Where one is: the focused pane, the selected row in each, and what is open beside it.

use std::time::Instant;

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use crate::{
    console::{
        input::action::KeyAction,
        layout::{
            pane::{Pane, PaneRoom},
            screen::Screen,
        },
        model::{
            app::{App, WhenClosed},
            click::Click,
            event::Effect,
            fault_list::{self, FaultRow},
            grouped_list::GroupedList,
            list::{EntryList, VolumeHistory},
            mode::{Mode, StatusLine},
            row_list::RowList as _,
            sequence::SequenceLines,
            window::{Cursor, ListStep},
        },
    },
    domain::{lang::filter::Filter, text},
    hub::Snapshot,
};

/// How many rows the wheel moves.
const WHEEL: usize = 3;

impl App {
    /// Takes a step in the focused pane.
    pub(super) fn step(&mut self, step: ListStep, snapshot: &Snapshot) {
        let Some(screen) = self.screen(snapshot) else { return };
        let height = screen.rows(self.focus);
        match self.focus {
            Pane::Calls => self.rows_mut().go(step, height),
            Pane::Volumes => {
                if snapshot.is_all() {
                    self.volume.1 = step.from(self.volume.1, snapshot.volume_lines());
                    return;
                }
                let mut cursor = Cursor { row: self.volume_row(snapshot), top: self.volume.1 };
                cursor.go(step, snapshot.volumes.len(), height);
                self.volume =
                    (self.volume_at(cursor.row, snapshot).map(|volume| volume.name.clone()), cursor.top);
            }
            Pane::Faults => self.fault.go(step, fault_list::rows(snapshot).len(), height),
        }
        self.detail = self.detail.map(|_| self.opening());
        self.follow_history(snapshot);
    }

    /// Goes to the next or previous entry that matches the latest filter.
    pub(super) fn go_to_match(&mut self, forward: bool, snapshot: &Snapshot) {
        if self.latest_filter.is_empty() {
            let key = self.key_label(KeyAction::Filter);
            self.say(format!("nothing to look for; {key} filters"));
            return;
        }
        self.focus(Pane::Calls, snapshot);
        let Some(screen) = self.screen(snapshot) else { return };
        let height = screen.rows(Pane::Calls);
        let wanted = self.latest_filter.clone();
        match self.rows_mut().seek(&wanted, forward, height) {
            None => self.say("no match"),
            Some(true) if forward => self.say("search continued at the first row"),
            Some(true) => self.say("search continued at the last row"),
            Some(false) => {}
        }
    }

    /// Goes to the latest call with a lint, or from one with a lint to the one before, and shows what is wrong.
    pub(super) fn go_to_lint(&mut self, snapshot: &Snapshot) {
        let counted = snapshot.counters.lints();
        if counted == 0 {
            self.say("no lint so far: no call has broken the protocol");
            return;
        }
        let lint: Filter = "lint:*".parse().expect("a filter");
        self.focus(Pane::Calls, snapshot);
        let Some(screen) = self.screen(snapshot) else { return };
        let height = screen.rows(Pane::Calls);
        let is_new = self.detail.is_none();
        let is_there =
            is_new && self.rows().follows() && self.selected().is_some_and(|entry| lint.matches(entry));
        let found = if is_there {
            self.rows_mut().stay(height);
            Some(false)
        } else {
            self.rows_mut().seek(&lint, false, height)
        };
        let counted = text::counted(counted, "lint");
        match found {
            None => {
                let why =
                    if self.calls.is_filtered() { "do not match the filter" } else { "are no longer kept" };
                self.say(format!("{counted}, but their calls {why}"));
                return;
            }
            Some(true) => {
                self.say(format!("search continued at the last row; {counted}"));
            }
            Some(false) => {}
        }
        self.detail = Some(0);
        self.follow_history(snapshot);
    }

    /// Moves the border between panes that are side by side, or above each other.
    pub(super) fn move_border(&mut self, is_vertical: bool, forward: bool, snapshot: &Snapshot) {
        let moved =
            self.screen(snapshot).is_some_and(|screen| self.borders.step(is_vertical, forward, &screen));
        if !moved {
            self.say("no border to move here");
        }
    }

    /// Turns a page: of what is open beside the focused pane, or of the pane itself.
    pub(super) fn page(&mut self, down: bool, snapshot: &Snapshot) {
        let Some(screen) = self.screen(snapshot) else { return };
        let Some(top) = self.detail.filter(|_| screen.detail.is_some()) else {
            let rows = screen.rows(self.focus).saturating_sub(1).max(1);
            return self.step(if down { ListStep::Down(rows) } else { ListStep::Up(rows) }, snapshot);
        };
        let last = self.scroll_limits.detail;
        let rows = usize::from(screen.detail_inner().height.saturating_sub(1).max(1));
        let top = top.min(last);
        self.detail = Some(if down { (top + rows).min(last) } else { top.saturating_sub(rows) });
    }

    /// Gives the keys to another pane.
    pub(super) fn focus(&mut self, pane: Pane, snapshot: &Snapshot) {
        self.focus = pane;
        self.detail = self.detail.map(|_| self.opening());
        self.stay_on_open_call(snapshot);
        self.follow_history(snapshot);
    }

    /// Opens what is selected or closes it, or does what it offers.
    pub(super) fn open(&mut self, snapshot: &Snapshot) -> Option<Effect> {
        if self.expand(snapshot) {
            return None;
        }
        if self.focus != Pane::Faults {
            self.inspect(snapshot);
            return None;
        }
        let rows = fault_list::rows(snapshot);
        let row = rows.get(self.fault.row)?;
        if let FaultRow::Rule(id) = *row {
            self.edit(id, snapshot);
        }
        self.act(row.action()?, snapshot).pop()
    }

    /// Expands the selected group, or collapses it. False if no group is selected.
    fn expand(&mut self, snapshot: &Snapshot) -> bool {
        let Some(screen) = self.screen(snapshot).filter(|_| self.focus == Pane::Calls) else { return false };
        let is_group = self.grouped_list.as_mut().is_some_and(|list| list.toggle(screen.rows(Pane::Calls)));
        if is_group {
            self.detail = self.detail.map(|_| self.opening());
        }
        is_group
    }

    /// How far the details are scrolled at first. A volume's history starts at its end and follows it.
    fn opening(&self) -> usize {
        if self.focus == Pane::Volumes { usize::MAX } else { 0 }
    }

    /// Opens what is selected, or closes it.
    pub(super) fn inspect(&mut self, snapshot: &Snapshot) {
        if self.focus != Pane::Faults {
            if self.detail.is_some() {
                self.close_detail();
            } else {
                self.detail = Some(self.opening());
                self.stay_on_open_call(snapshot);
            }
            self.follow_history(snapshot);
        }
    }

    /// Keeps the open call open while newer ones arrive. The list follows these again when it is closed.
    fn stay_on_open_call(&mut self, snapshot: &Snapshot) {
        let is_open = self.focus == Pane::Calls && self.detail.is_some();
        if !is_open || !self.rows().follows() || self.rows().is_empty() {
            return;
        }
        if let Some(screen) = self.screen(snapshot) {
            self.rows_mut().stay(screen.rows(Pane::Calls));
            self.when_closed = WhenClosed::Follows;
        }
    }

    fn close_detail(&mut self) {
        self.detail = None;
        if self.when_closed == WhenClosed::Follows {
            self.rows_mut().set_selection(None);
        }
    }

    /// Groups the calls; collapses the expanded groups; shows the calls as a list again.
    pub(super) fn toggle_groups(&mut self) {
        self.sequence = false;
        match &mut self.grouped_list {
            None => self.grouped_list = Some(GroupedList::of(&self.calls)),
            Some(grouped_list) => {
                if grouped_list.collapse_all() {
                    return;
                }
                let selected = grouped_list.selected().filter(|_| !grouped_list.follows());
                self.calls.select(selected.map(|row| &**row.entry()));
                self.grouped_list = None;
            }
        }
    }

    /// Goes back one step: closes details, resumes the list, clears the filter.
    pub(super) fn back(&mut self, snapshot: &Snapshot) {
        if self.detail.is_some() {
            self.close_detail();
            self.follow_history(snapshot);
        } else if self.room == PaneRoom::Zoomed {
            self.room = PaneRoom::Shared;
        } else if self.shows_run(snapshot) && snapshot.scenario.play_request.is_none() {
            self.closed_run.clone_from(&snapshot.scenario.latest_run);
        } else if self.marks.clear_together() {
            self.status = StatusLine::Empty;
        } else if self.calls.is_paused() {
            self.calls.pause(None, 0);
        } else if self.calls.is_filtered() {
            self.unfilter();
        } else {
            self.status = StatusLine::Empty;
        }
    }

    /// Keeps the open history that of the selected volume.
    pub(super) fn follow_history(&mut self, snapshot: &Snapshot) {
        let is_open = self.focus == Pane::Volumes && self.detail.is_some();
        let name = self.selected_volume(snapshot).filter(|_| is_open).map(|volume| volume.name.clone());
        let filter = |name: &str| match &snapshot.node {
            Some(node) => Filter::history_of(name).of_node(node),
            None => Filter::history_of(name),
        };
        match (name, &self.history) {
            (Some(name), Some(history)) if *history.entries.filter() == filter(&name) => {}
            (Some(name), _) => {
                let mut entries = EntryList::default();
                entries.set_filter(filter(&name));
                self.history = Some(VolumeHistory { name, entries });
            }
            (None, _) => self.history = None,
        }
    }

    /// Selects what was clicked on, or scrolls what is under the wheel.
    pub(super) fn mouse(&mut self, mouse: MouseEvent, when: Instant, snapshot: &Snapshot) -> Option<Effect> {
        let screen = self.screen(snapshot).filter(|_| matches!(self.mode, Mode::Browse))?;
        let at = Position::new(mouse.column, mouse.row);
        if matches!(mouse.kind, MouseEventKind::Down(_))
            && self.opened_by_click.take().is_some_and(|opened| opened.is_same_gesture(at, when))
        {
            return None;
        }
        if screen.detail.is_some_and(|area| area.contains(at)) {
            let last = self.scroll_limits.detail;
            self.detail = self.detail.map(|top| match mouse.kind {
                MouseEventKind::ScrollUp => top.min(last).saturating_sub(WHEEL),
                MouseEventKind::ScrollDown => (top + WHEEL).min(last),
                _ => top,
            });
            return None;
        }
        match (mouse.kind, self.dragged) {
            (MouseEventKind::Down(MouseButton::Left), _) => self.dragged = screen.border_at(at),
            (MouseEventKind::Drag(MouseButton::Left), Some(border)) => {
                self.borders.drag(border, at, &screen);
                return None;
            }
            (MouseEventKind::Up(MouseButton::Left), _) => self.dragged = None,
            _ => {}
        }
        let pane = screen.pane_at(at)?;
        let step = match mouse.kind {
            MouseEventKind::ScrollUp => ListStep::Up(WHEEL),
            MouseEventKind::ScrollDown => ListStep::Down(WHEEL),
            MouseEventKind::Down(MouseButton::Left) => {
                return self.click(pane, &screen, Click { at, when }, snapshot);
            }
            _ => return None,
        };
        // The wheel leaves the keys where they are.
        let focus = std::mem::replace(&mut self.focus, pane);
        self.step(step, snapshot);
        self.focus = focus;
        None
    }

    /// Selects what was clicked on. A click on what is selected already opens it, which may have an effect.
    fn click(&mut self, pane: Pane, screen: &Screen, click: Click, snapshot: &Snapshot) -> Option<Effect> {
        let Click { at, .. } = click;
        let list = screen.list(pane);
        let before = self.selection(snapshot).filter(|_| self.focus == pane);
        self.focus = pane;
        if !list.contains(at) {
            self.follow_history(snapshot);
            return None;
        }
        let line = usize::from(at.y - list.y);
        match pane {
            Pane::Calls => {
                let height = screen.rows(pane);
                let line = if screen.is_sequence {
                    SequenceLines::of(&self.calls, &self.retries, screen).row_at(line)?
                } else {
                    line / usize::from(screen.entry_lines)
                };
                self.rows_mut().select_line(line, height);
            }
            Pane::Volumes => {
                let cursor = Cursor { row: self.volume_row(snapshot), top: self.volume.1 };
                let top = cursor.visible(snapshot.volumes.len(), list.height.into()).start;
                if let Some(name) = self.volume_at(top + line, snapshot).map(|volume| volume.name.clone()) {
                    self.volume = (Some(name), top);
                }
            }
            Pane::Faults => {
                let rows = fault_list::rows(snapshot).len();
                let height = usize::from(list.height);
                let width = usize::from(list.width);
                let (row, top) = if let Some(most) = fault_list::rule_lines(snapshot, width, height) {
                    (fault_list::row_in_line(snapshot, width, most, line), 0)
                } else {
                    let top = self.fault.visible(rows, height).start;
                    (top + line, top)
                };
                self.fault = Cursor { row: row.min(rows.saturating_sub(1)), top };
            }
        }
        self.follow_history(snapshot);
        if before.is_none() || before != self.selection(snapshot) {
            return None;
        }
        self.opened_by_click = Some(click);
        let is_open = self.focus != Pane::Faults && self.detail.is_some();
        if is_open {
            self.expand(snapshot);
            return None;
        }
        self.open(snapshot)
    }

    /// What is selected in the focused pane: the number of an entry, a volume's or a fault's row.
    fn selection(&self, snapshot: &Snapshot) -> Option<u64> {
        match self.focus {
            Pane::Calls => self.selected().filter(|_| !self.rows().follows()).map(|entry| entry.seq),
            Pane::Volumes => Some(self.volume_row(snapshot) as u64),
            Pane::Faults => Some(self.fault.row as u64),
        }
    }
}
