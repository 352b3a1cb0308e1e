//! The list of calls: which entries it shows, which one is selected, and whether it follows the newest.
//!
//! It takes in each entry once and shares it with the journal, so that a frame costs what is new and what
//! is in view. The selection is an entry's number and never a row, so that it stays on its call while
//! others arrive.

use std::{collections::VecDeque, ops::Range, sync::Arc};

use crate::{
    console::model::window::{self, ListStep},
    domain::{
        lang::filter::Filter,
        model::entry::{Entry, EntryKind},
    },
};

/// The shown entries and the place in them.
#[derive(Clone, Debug)]
pub struct EntryList {
    rows: VecDeque<Arc<Entry>>,
    /// Which entries are shown.
    filter: Filter,
    /// The number of the first entry that was not looked at yet.
    next: u64,
    /// The number of the last entry that may be shown, while the list is frozen.
    frozen: Option<u64>,
    /// How many rows there were in all when it was frozen.
    frozen_rows: u64,
    /// The number of the selected entry; none while the newest is followed.
    selected: Option<u64>,
    /// The number of the first entry in view.
    top: u64,
}

/// The entries about one volume.
#[derive(Clone, Debug)]
pub struct VolumeHistory {
    /// The volume's name.
    pub name: String,
    /// Its entries.
    pub entries: EntryList,
}

impl Default for EntryList {
    fn default() -> Self {
        Self {
            rows: VecDeque::new(),
            filter: Filter::default(),
            next: 1,
            frozen: None,
            frozen_rows: 0,
            selected: None,
            top: 0,
        }
    }
}

impl EntryList {
    /// The number of the next entry to take in, unless the list is frozen and has all it may show.
    pub fn wants(&self) -> Option<u64> {
        self.frozen.is_none_or(|last| self.next <= last).then_some(self.next)
    }

    /// Takes in what is new, and drops what the journal has dropped. A paused list keeps what it has.
    pub fn take(&mut self, entries: &[Arc<Entry>], kept: &Range<u64>) {
        let next = self.next;
        for entry in entries.iter().skip_while(|entry| entry.seq < next) {
            if let Some(last) = self.frozen.filter(|last| entry.seq > *last) {
                // Whatever was left to take in is gone from the journal.
                self.next = last + 1;
                break;
            }
            self.next = entry.seq + 1;
            self.admit(entry);
        }
        if self.frozen.is_none() || kept.is_empty() {
            while self.rows.front().is_some_and(|entry| entry.seq < kept.start) {
                self.rows.pop_front();
            }
        }
    }

    fn admit(&mut self, entry: &Arc<Entry>) {
        if entry.is_redundant() {
            return;
        }
        // A completed call replaces its held entry.
        if let Some(waited) = entry.call().and_then(|call| call.held_seq) {
            if let Ok(row) = self.rows.binary_search_by_key(&waited, |entry| entry.seq) {
                self.rows.remove(row);
            }
            if self.selected == Some(waited) {
                self.selected = Some(entry.seq);
            }
        }
        if self.filter.matches(entry) {
            self.rows.push_back(Arc::clone(entry));
        }
    }

    /// Takes in all kept entries again. The selection stays.
    pub fn restart(&mut self) {
        self.rows.clear();
        self.next = 1;
    }

    /// Which entries are shown.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The number of the last entry that may be shown, while the list is frozen.
    pub fn frozen(&self) -> Option<u64> {
        self.frozen
    }

    /// Selects an entry, or follows the newest.
    pub fn select(&mut self, seq: Option<u64>) {
        self.selected = seq;
    }

    /// Changes the filter. All kept entries are read again.
    pub fn set_filter(&mut self, filter: Filter) {
        if filter != self.filter {
            self.filter = filter;
            self.restart();
        }
    }

    /// Whether only some entries are shown.
    pub fn is_filtered(&self) -> bool {
        !self.filter.is_empty()
    }

    /// What is shown, as a filter over the whole journal.
    pub fn shown(&self) -> Filter {
        match self.frozen {
            Some(last) => self.filter.clone().until(last),
            None => self.filter.clone(),
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether the newest entry is always in view.
    pub fn follows(&self) -> bool {
        self.selected.is_none()
    }

    /// How many entries are held back, if the list is frozen.
    pub fn held_back(&self, rows: u64) -> Option<u64> {
        self.frozen.map(|_| rows.saturating_sub(self.frozen_rows))
    }

    /// Whether the list is frozen.
    pub fn is_frozen(&self) -> bool {
        self.frozen.is_some()
    }

    /// Pauses the list after an entry, when there were so many rows in all, or resumes it.
    pub fn freeze(&mut self, last: Option<u64>, rows: u64) {
        (self.frozen, self.frozen_rows) = (last, rows);
    }

    fn row_of(&self, seq: u64) -> usize {
        self.rows.partition_point(|entry| entry.seq < seq).min(self.rows.len().saturating_sub(1))
    }

    fn selected_row(&self) -> usize {
        self.selected.map_or(self.rows.len().saturating_sub(1), |seq| self.row_of(seq))
    }

    /// The selected entry: the newest one while the list follows.
    pub fn selected(&self) -> Option<&Arc<Entry>> {
        self.rows.get(self.selected_row())
    }

    /// How many rows are newer than the selected one.
    pub fn newer(&self) -> usize {
        self.rows.len().saturating_sub(self.selected_row() + 1)
    }

    /// All rows, oldest first.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Entry>> + Clone {
        self.rows.iter()
    }

    /// The newest call, or the newest that a rule acted on, if there is one among the latest rows.
    pub fn newest_call(&self, with_fault: bool) -> Option<&Arc<Entry>> {
        self.rows.iter().rev().take(64).find(|entry| match &entry.kind {
            EntryKind::Call(call) => !with_fault || call.fault.is_some(),
            EntryKind::Held(_) => true,
            _ => false,
        })
    }

    /// The rows that `height` lines can show.
    pub fn visible(&self, height: usize) -> impl Iterator<Item = &Arc<Entry>> + Clone {
        self.rows.range(self.range(height))
    }

    fn range(&self, height: usize) -> Range<usize> {
        let top =
            if self.follows() { usize::MAX } else { self.rows.partition_point(|entry| entry.seq < self.top) };
        window::visible(self.rows.len(), Some(self.selected_row()), top, height)
    }

    /// Takes a step. Beyond the last row the list follows again.
    pub fn go(&mut self, step: ListStep, height: usize) {
        let row = self.selected_row();
        let beyond = matches!(step, ListStep::Down(_)) && row + 1 >= self.rows.len();
        if step == ListStep::Last || beyond || self.rows.is_empty() {
            self.selected = None;
            return;
        }
        // Where the view is now, so that only the selection moves while there is room for it.
        if let Some(top) = self.rows.get(self.range(height).start) {
            self.top = top.seq;
        }
        self.selected = self.rows.get(step.from(row, self.rows.len())).map(|entry| entry.seq);
        if let Some(top) = self.rows.get(self.range(height).start) {
            self.top = top.seq;
        }
    }

    /// Selects the entry in a line of the view.
    pub fn select_line(&mut self, line: usize, height: usize) {
        let range = self.range(height);
        if let Some(top) = self.rows.get(range.start) {
            self.top = top.seq;
        }
        if let Some(entry) = self.rows.get(range.start + line).filter(|_| range.start + line < range.end) {
            self.selected = Some(entry.seq);
        }
    }
}
