//! Choosing the columns of a pane, and sorting its rows by one.

use crossterm::event::{KeyCode, KeyEvent};

use crate::console::{
    column::{Column, Sort},
    input::action::KeyAction,
    layout::{
        pane::Pane,
        picker::{self, ColumnsArea},
    },
    model::{
        app::App,
        mode::Mode,
        picker::ColumnPicker,
        window::{Cursor, ListStep},
    },
};

impl App {
    /// Opens the picker for the focused pane. The faults have no columns.
    pub(super) fn pick_columns(&mut self) {
        let pane = if self.focus == Pane::Volumes { Pane::Volumes } else { Pane::Calls };
        self.mode = Mode::Columns(ColumnPicker { pane, cursor: Cursor::default() });
    }

    /// Handles a key in the picker.
    pub(super) fn columns_key(&mut self, key: KeyEvent, action: Option<KeyAction>) {
        let Mode::Columns(picker) = &mut self.mode else { return };
        let columns: Vec<Column> = Column::of(picker.pane).collect();
        let ColumnsArea { rows, .. } = picker::columns(self.size, columns.len());
        let selected = columns[picker.cursor.row];
        let mut go = |step| picker.cursor.go(step, columns.len(), rows.into());
        match (key.code, action) {
            (KeyCode::Char(' '), _) => {
                self.columns.toggle(selected);
                self.follow_columns();
            }
            (KeyCode::Enter, _) => self.sort_by(self.columns.next_sort(selected)),
            (_, Some(KeyAction::Up)) => go(ListStep::Up(1)),
            (_, Some(KeyAction::Down)) => go(ListStep::Down(1)),
            (_, Some(KeyAction::First)) => go(ListStep::First),
            (_, Some(KeyAction::Last)) => go(ListStep::Last),
            (_, Some(KeyAction::Back | KeyAction::Columns | KeyAction::Quit)) => self.mode = Mode::Browse,
            _ => {}
        }
    }

    /// Sorts the rows of a column's pane.
    pub(super) fn sort_by(&mut self, sort: Sort) {
        self.columns.sort_by(sort);
        self.follow_columns();
        self.say(self.sorted(sort));
    }

    /// Puts the rows of both panes in their usual order again.
    pub(super) fn unsort(&mut self) {
        self.columns.unsort(Pane::Calls);
        self.columns.unsort(Pane::Volumes);
        self.follow_columns();
        self.say("calls in the order of time, volumes in that of their names");
    }

    fn sorted(&self, sort: Sort) -> String {
        let what = if sort.column.pane() == Pane::Volumes { "volumes" } else { "calls" };
        let direction = if sort.descending { "descending" } else { "ascending" };
        let name = sort.column.name();
        if sort.column.pane() == Pane::Calls && (self.sequence || self.grouped_list.is_some()) {
            return format!("calls will be sorted by {name}, {direction}, when they are a list again");
        }
        format!("{what} sorted by {name}, {direction}")
    }

    /// Makes what is shown follow the choice of columns. A sequence has the order of time.
    pub fn follow_columns(&mut self) {
        let sort = self.columns.sort(Pane::Calls);
        self.calls.sort_by((!self.sequence && !sort.is_usual()).then_some(sort));
        let reads_calls = [Column::Mountpoint, Column::Scope, Column::LastUsed]
            .into_iter()
            .any(|column| self.columns.shows(column));
        self.call_facts = reads_calls.then(|| self.call_facts.take().unwrap_or_default());
    }
}
