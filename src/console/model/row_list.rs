//! What the list of calls and the grouped list have in common: a selected row, and the rows in view.

use std::ops::Range;

use crate::{
    console::model::window::{self, ListStep},
    domain::lang::filter::Filter,
};

/// Rows of which one is selected and some are in view. The list follows its newest row, or the first one if it is sorted,
/// until another is selected.
pub trait RowList {
    /// How many rows there are.
    fn len(&self) -> usize;

    /// The selected row; none while the list follows.
    fn selection(&self) -> Option<usize>;

    /// Selects a row, or follows again.
    fn set_selection(&mut self, row: Option<usize>);

    /// The first row in view, unless the list follows.
    fn top(&self) -> usize;

    /// Puts a row at the top of the view.
    fn set_top(&mut self, row: usize);

    /// The next or the previous row that passes a filter, and whether the search began again at the other end.
    fn find(&self, wanted: &Filter, forward: bool) -> Option<(usize, bool)>;

    /// Whether the first row is followed, and not the last.
    fn is_sorted(&self) -> bool {
        false
    }

    /// Whether there is nothing to show.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the newest row is always in view.
    fn follows(&self) -> bool {
        self.selection().is_none()
    }

    /// The selected row: the followed one while the list follows.
    fn selected_row(&self) -> usize {
        let followed = if self.is_sorted() { 0 } else { self.len().saturating_sub(1) };
        self.selection().unwrap_or(followed)
    }

    /// The rows that `height` lines can show.
    fn range(&self, height: usize) -> Range<usize> {
        let top = match (self.follows(), self.is_sorted()) {
            (true, true) => 0,
            (true, false) => usize::MAX,
            (false, _) => self.top(),
        };
        window::visible(self.len(), Some(self.selected_row()), top, height)
    }

    /// How many rows are below the `height` lines in view.
    fn below(&self, height: usize) -> usize {
        self.len() - self.range(height).end
    }

    /// Keeps the view where it is, so that only the selection moves while there is room for it.
    fn keep_view(&mut self, height: usize) {
        self.set_top(self.range(height).start);
    }

    /// Selects a row. The view moves only as far as that needs.
    fn go_to(&mut self, row: usize, height: usize) {
        self.keep_view(height);
        self.set_selection(Some(row));
        self.keep_view(height);
    }

    /// Takes a step. Beyond the last row the list follows again, and a sorted one before the first.
    fn go(&mut self, step: ListStep, height: usize) {
        let (row, len) = (self.selected_row(), self.len());
        let is_end = match step {
            ListStep::First => self.is_sorted(),
            ListStep::Up(_) => self.is_sorted() && row == 0,
            ListStep::Down(_) => !self.is_sorted() && row + 1 >= len,
            ListStep::Last => !self.is_sorted(),
        };
        if is_end || len == 0 {
            self.set_selection(None);
        } else {
            self.go_to(step.from(row, len), height);
        }
    }

    /// Keeps the selected row selected: the list no longer follows.
    fn stay(&mut self, height: usize) {
        self.go_to(self.selected_row(), height);
    }

    /// Selects the next or the previous row that passes a filter, and says whether the search began again at the other
    /// end.
    fn seek(&mut self, wanted: &Filter, forward: bool, height: usize) -> Option<bool> {
        let (row, wrapped) = self.find(wanted, forward)?;
        self.go_to(row, height);
        Some(wrapped)
    }

    /// Selects the row in a line of the view.
    fn select_line(&mut self, line: usize, height: usize) {
        let range = self.range(height);
        self.keep_view(height);
        if range.start + line < range.end {
            self.set_selection(Some(range.start + line));
        }
    }
}
