//! The list of calls: which entries it shows, which one is selected, and whether it follows the newest.
//!
//! It takes in each entry once and shares it with the journal, so that a frame costs what is new and what
//! is in view. The selection is a place and never a row number, so that it stays on its call while others
//! arrive.

use std::{collections::VecDeque, ops::Range, sync::Arc};

use jiff::Timestamp;

use crate::{
    console::{
        column::Sort,
        model::{row_list::RowList, row_order::RowOrder, widths::Widths, window},
    },
    domain::{
        analysis::retries::began,
        lang::filter::Filter,
        model::entry::{Entry, EntryKind},
    },
};

/// The shown entries and the place in them.
#[derive(Clone, Debug, Default)]
pub struct EntryList {
    rows: VecDeque<Row>,
    /// Which entries are shown.
    filter: Filter,
    /// Whether the rows of commands are left out.
    hides_commands: bool,
    /// The number of the last entry that was looked at.
    last: u64,
    /// The number of the last entry that may be shown, while the list is paused.
    paused_at: Option<u64>,
    /// How many rows there were in all when it was paused.
    rows_when_paused: u64,
    /// The order of the rows, unless they stand as they began.
    order: Option<RowOrder>,
    /// The place of the selected row; none while the newest is followed, or the first of a sorted list.
    selected: Option<u64>,
    /// The place of the first row in view.
    top: u64,
    widths: Widths,
}

/// A row: an entry and its place. A call has one row from its hold to its end.
#[derive(Clone, Debug)]
pub struct Row {
    /// The number of the entry that the row began with.
    place: u64,
    /// When it began.
    pub began: Timestamp,
    /// The latest entry about it.
    pub entry: Arc<Entry>,
}

/// Whether a command repeats the one before, so that both are one row: changes of the demo's speed.
pub fn is_repeated(before: &Entry, entry: &Entry) -> bool {
    let is_speed = |entry: &Entry| match &entry.kind {
        EntryKind::Command(run) => run.command.starts_with("speed "),
        _ => false,
    };
    is_speed(before) && is_speed(entry)
}

/// The entries after the last one that was looked at, until that at which the list is paused. It counts as looked at
/// even if the journal has dropped it.
pub fn unseen<'e>(entries: &'e [Arc<Entry>], last: &mut u64, paused_at: Option<u64>) -> &'e [Arc<Entry>] {
    let place_after = |seq: u64| entries.partition_point(|entry| entry.seq <= seq);
    let start = place_after(*last);
    let end = paused_at.map_or(entries.len(), place_after).max(start);
    if let Some(newest) = entries[start..].last() {
        *last = paused_at.unwrap_or(u64::MAX).min(newest.seq);
    }
    &entries[start..end]
}

/// The entries about one volume.
#[derive(Clone, Debug)]
pub struct VolumeHistory {
    /// The volume's name.
    pub name: String,
    /// Its entries.
    pub entries: EntryList,
}

impl EntryList {
    /// The number of the next entry to take in, unless the list is paused and has all it may show.
    pub fn wants(&self) -> Option<u64> {
        self.paused_at.is_none_or(|last| self.last < last).then_some(self.last + 1)
    }

    /// Takes in what is new, and drops what the journal has dropped. A paused list keeps what it has.
    pub fn take(&mut self, entries: &[Arc<Entry>], kept: &Range<u64>) {
        for entry in unseen(entries, &mut self.last, self.paused_at) {
            self.take_one(entry, kept.start);
        }
        if self.paused_at.is_none() || kept.is_empty() {
            let is_gone = |row: &&Row| row.place < kept.start;
            while let Some(place) = self.rows.front().filter(is_gone).map(|row| row.place) {
                self.rows.pop_front();
                if let Some(order) = &mut self.order {
                    order.remove(place);
                }
            }
        }
        if let Some(order) = &mut self.order {
            order.settle();
        }
    }

    fn take_one(&mut self, entry: &Arc<Entry>, first: u64) {
        if entry.is_redundant() {
            return;
        }
        // That of one instance of several leaves the entries of others.
        if entry.is_journal_reset() && entry.node.is_none() {
            self.clear();
            self.widths = Widths::default();
            self.selected = self.selected.filter(|place| *place > entry.seq);
        }
        let is_shown = self.shows(entry);
        if is_shown {
            self.widths.add(entry);
        }
        // A call stays in the row in which it was held, unless the journal has dropped that.
        let held = entry.continues().filter(|held| *held >= first);
        let place = held.unwrap_or(entry.seq);
        let index = self.rows.partition_point(|row| row.place < place);
        // Many presses of one key are one row.
        if is_shown && let Some(last) = self.rows.back_mut().filter(|last| is_repeated(&last.entry, entry)) {
            last.entry = Arc::clone(entry);
            return;
        }
        match self.rows.get_mut(index).filter(|row| row.place == place) {
            Some(row) if is_shown => row.entry = Arc::clone(entry),
            Some(_) => drop(self.rows.remove(index)),
            None if is_shown => {
                self.rows.insert(index, Row { place, began: began(entry), entry: Arc::clone(entry) });
            }
            None => return,
        }
        match &mut self.order {
            Some(order) if is_shown => order.put(place, entry),
            Some(order) => order.remove(place),
            None => {}
        }
    }

    /// Whether an entry passes the filter and is not hidden.
    pub fn shows(&self, entry: &Entry) -> bool {
        let is_command = matches!(entry.kind, EntryKind::Command(_) | EntryKind::EngineCommand(_));
        !(self.hides_commands && is_command) && self.filter.matches(entry)
    }

    /// Whether the rows of commands are left out.
    pub fn hides_commands(&self) -> bool {
        self.hides_commands
    }

    /// Leaves the rows of commands out, or shows them again. All kept entries are read again.
    pub fn hide_commands(&mut self, hides: bool) {
        self.hides_commands = hides;
        self.restart();
    }

    /// Takes in all kept entries again. The selection stays.
    pub fn restart(&mut self) {
        self.clear();
        self.last = 0;
    }

    fn clear(&mut self) {
        self.rows.clear();
        if let Some(order) = &mut self.order {
            order.clear();
        }
    }

    /// Sorts the rows, or lets them stand as they began. The selection stays.
    pub fn sort_by(&mut self, sort: Option<Sort>) {
        self.order = sort.map(|sort| {
            let mut order = RowOrder::new(sort);
            for row in &self.rows {
                order.put(row.place, &row.entry);
            }
            order.settle();
            order
        });
    }

    /// How the rows are sorted, unless they stand as they began.
    pub fn sort(&self) -> Option<Sort> {
        self.order.as_ref().map(RowOrder::sort)
    }

    /// Which entries are shown.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The number of the last entry that may be shown, while the list is paused.
    pub fn paused_at(&self) -> Option<u64> {
        self.paused_at
    }

    /// Selects an entry, or follows the newest.
    pub fn select(&mut self, entry: Option<&Entry>) {
        self.selected = entry.map(|entry| entry.continues().unwrap_or(entry.seq));
    }

    /// The widths of what is shown.
    pub fn widths(&self) -> Widths {
        self.widths
    }

    /// Changes the filter. All kept entries are read again.
    pub fn set_filter(&mut self, filter: Filter) {
        if filter != self.filter {
            self.filter = filter;
            self.restart();
            self.widths = Widths::default();
        }
    }

    /// Whether only some entries are shown.
    pub fn is_filtered(&self) -> bool {
        !self.filter.is_empty()
    }

    /// What is shown, as a filter over the whole journal.
    pub fn shown(&self) -> Filter {
        let filter =
            if self.hides_commands { self.filter.clone().without_commands() } else { self.filter.clone() };
        match self.paused_at {
            Some(last) => filter.until(last),
            None => filter,
        }
    }

    /// How many rows have come since the list was paused, if it is.
    pub fn new_while_paused(&self, rows: u64) -> Option<u64> {
        self.paused_at.map(|_| rows.saturating_sub(self.rows_when_paused))
    }

    /// Whether the list is paused.
    pub fn is_paused(&self) -> bool {
        self.paused_at.is_some()
    }

    /// Pauses the list after an entry, when there were so many rows in all, or resumes it.
    pub fn pause(&mut self, last: Option<u64>, rows: u64) {
        (self.paused_at, self.rows_when_paused) = (last, rows);
    }

    fn row_of(&self, place: u64) -> usize {
        let index = self.rows.partition_point(|row| row.place < place);
        let Some(order) = &self.order else { return index.min(self.rows.len().saturating_sub(1)) };
        self.rows.get(index).filter(|row| row.place == place).map_or(0, |row| order.rank(place, &row.entry))
    }

    /// The row that stands in a line of the whole list.
    fn row(&self, line: usize) -> Option<&Row> {
        let Some(order) = &self.order else { return self.rows.get(line) };
        let place = order.place(line)?;
        self.rows.get(self.rows.partition_point(|row| row.place < place))
    }

    /// The selected entry: the newest one while the list follows.
    pub fn selected(&self) -> Option<&Arc<Entry>> {
        self.row(self.selected_row()).map(|row| &row.entry)
    }

    /// All rows, oldest first.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Entry>> + Clone {
        self.rows.iter().map(|row| &row.entry)
    }

    /// The newest call, or the newest that a rule acted on, if there is one among the latest rows.
    pub fn newest_call(&self, with_fault: bool) -> Option<&Arc<Entry>> {
        let latest = self.rows.iter().rev().take(64).map(|row| &row.entry);
        let calls = latest.filter(|entry| match &entry.kind {
            EntryKind::Call(call) => !with_fault || call.fault.is_some(),
            EntryKind::Held(_) => true,
            _ => false,
        });
        calls.max_by_key(|entry| entry.seq)
    }

    /// The entries of the rows that `height` lines can show.
    pub fn visible(&self, height: usize) -> impl Iterator<Item = &Arc<Entry>> + Clone {
        self.visible_rows(height).map(|row| &row.entry)
    }

    /// The rows that `height` lines can show.
    pub fn visible_rows(&self, height: usize) -> impl Iterator<Item = &Row> + Clone {
        self.range(height).filter_map(|line| self.row(line))
    }
}

impl RowList for EntryList {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn selection(&self) -> Option<usize> {
        self.selected.map(|place| self.row_of(place))
    }

    fn set_selection(&mut self, row: Option<usize>) {
        self.selected = row.and_then(|row| self.row(row)).map(|row| row.place);
    }

    fn top(&self) -> usize {
        self.row_of(self.top)
    }

    fn set_top(&mut self, row: usize) {
        self.top = self.row(row).map_or(self.top, |row| row.place);
    }

    fn find(&self, wanted: &Filter, forward: bool) -> Option<(usize, bool)> {
        window::seek(self.rows.len(), self.selected_row(), forward, |row| {
            self.row(row).is_some_and(|row| wanted.matches(&row.entry))
        })
    }

    fn is_sorted(&self) -> bool {
        self.order.is_some()
    }
}
