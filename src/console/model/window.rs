//! Windows over long lists: which rows are on the screen, and where the selected one is.
//!
//! Only the rows in view are ever made into text: a hundred thousand rows cost as much as fifty.

use std::ops::Range;

/// The rows in view: `height` of them from `top` on, moved as little as needed to hold the selected one and
/// to leave no gap at the end.
pub fn visible(len: usize, selected: Option<usize>, top: usize, height: usize) -> Range<usize> {
    let mut top = top.min(len.saturating_sub(height));
    if let Some(selected) = selected.map(|selected| selected.min(len.saturating_sub(1))) {
        top = top.clamp((selected + 1).saturating_sub(height).min(selected), selected);
    }
    top..(top + height).min(len)
}

/// The next row after the selected one, or before it, that is wanted, and whether the search began again at the other
/// end.
pub fn seek(
    len: usize,
    selected: usize,
    forward: bool,
    is_wanted: impl Fn(usize) -> bool,
) -> Option<(usize, bool)> {
    let is_wanted = |row: &usize| is_wanted(*row);
    let (before, after) = (selected.min(len), (selected + 1).min(len));
    if forward {
        let here = (after..len).find(is_wanted).map(|row| (row, false));
        here.or_else(|| (0..after).find(is_wanted).map(|row| (row, true)))
    } else {
        let here = (0..before).rev().find(is_wanted).map(|row| (row, false));
        here.or_else(|| (before..len).rev().find(is_wanted).map(|row| (row, true)))
    }
}

/// A step in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListStep {
    /// So many rows up.
    Up(usize),
    /// So many rows down.
    Down(usize),
    /// To the first row.
    First,
    /// To the last row.
    Last,
}

impl ListStep {
    /// Where it leads from a row, in a list of `len` rows.
    pub fn from(self, row: usize, len: usize) -> usize {
        let last = len.saturating_sub(1);
        match self {
            Self::Up(rows) => row.saturating_sub(rows),
            Self::Down(rows) => row.saturating_add(rows),
            Self::First => 0,
            Self::Last => last,
        }
        .min(last)
    }
}

/// A place in a short list: the selected row and the first one in view.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cursor {
    /// The selected row.
    pub row: usize,
    /// The first row in view, unless the selected one is elsewhere.
    pub top: usize,
}

impl Cursor {
    /// Takes a step in a list of `len` rows, of which `height` are in view.
    pub fn go(&mut self, step: ListStep, len: usize, height: usize) {
        self.row = step.from(self.row.min(len.saturating_sub(1)), len);
        self.top = visible(len, Some(self.row), self.top, height).start;
    }

    /// The rows in view.
    pub fn visible(&self, len: usize, height: usize) -> Range<usize> {
        visible(len, Some(self.row), self.top, height)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_search_goes_on_at_the_other_end() {
        let even = |row: usize| row.is_multiple_of(2);
        for (len, selected, forward, found) in [
            (5, 0, true, Some((2, false))),
            (5, 4, true, Some((0, true))),
            (5, 0, false, Some((4, true))),
            (5, 3, false, Some((2, false))),
            (1, 0, true, Some((0, true))),
            (0, 0, true, None),
        ] {
            assert_eq!(seek(len, selected, forward, even), found, "{len} {selected} {forward}");
        }
        assert_eq!(seek(9, 3, true, |_| false), None);
    }

    proptest! {
        #[test]
        fn the_selected_row_is_in_view_and_no_row_is_wasted(
            len in 0_usize..100, selected in prop::option::of(0_usize..120), top in 0_usize..120, height in 1_usize..30,
        ) {
            let rows = visible(len, selected, top, height);
            prop_assert!(rows.end <= len);
            prop_assert_eq!(rows.len(), len.min(height));
            if let Some(selected) = selected.filter(|selected| *selected < len) {
                prop_assert!(rows.contains(&selected));
            }
        }

        #[test]
        fn no_step_leaves_the_list(row in 0_usize..50, len in 0_usize..50, by in 0_usize..80) {
            for step in [ListStep::Up(by), ListStep::Down(by), ListStep::First, ListStep::Last] {
                prop_assert!(step.from(row, len) < len.max(1));
            }
        }
    }
}
