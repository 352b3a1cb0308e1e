//! Marks on calls: places with a letter, and calls that are copied together.
//!
//! They are kept as long as their entries are: over filters, groups and pauses, but not over a reset, and not longer
//! than the journal keeps the entry. The next run counts its entries from 1
//! again, so they end with the program.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::model::entry::Entry;

/// The marks, by the numbers of entries. A call that was held keeps the number that it had then.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    letters: BTreeMap<char, u64>,
    together: BTreeSet<u64>,
    /// Whether the next key names a mark.
    pub(super) is_pending: bool,
}

/// The number by which an entry is marked.
pub(super) fn place(entry: &Entry) -> u64 {
    entry.continues().unwrap_or(entry.seq)
}

impl Marks {
    /// What stands before the row of an entry, if it is marked.
    pub fn symbol(&self, entry: &Entry) -> Option<char> {
        let place = place(entry);
        let letter = self.letters.iter().find(|(_, marked)| **marked == place).map(|(letter, _)| *letter);
        letter.or_else(|| self.together.contains(&place).then_some('+'))
    }

    /// Whether an entry is copied together with others.
    pub(super) fn is_together(&self, entry: &Entry) -> bool {
        self.together.contains(&place(entry))
    }

    /// Whether there are such entries. They are marked no longer then.
    pub(super) fn clear_together(&mut self) -> bool {
        !std::mem::take(&mut self.together).is_empty()
    }

    /// Takes an entry to those that are copied together, or from them. Returns how many there are.
    pub(super) fn toggle(&mut self, place: u64) -> u64 {
        if !self.together.remove(&place) {
            self.together.insert(place);
        }
        self.together.len() as u64
    }

    /// How many entries are copied together, shown or not.
    pub(super) fn together(&self) -> u64 {
        self.together.len() as u64
    }

    /// Takes the marks from entries that the journal has dropped.
    pub(super) fn drop_before(&mut self, seq: u64) {
        self.letters.retain(|_, place| *place >= seq);
        self.together = self.together.split_off(&seq);
    }

    /// Gives an entry a letter.
    pub(super) fn set(&mut self, letter: char, place: u64) {
        self.letters.insert(letter, place);
    }

    /// The entry with a letter.
    pub(super) fn get(&self, letter: char) -> Option<u64> {
        self.letters.get(&letter).copied()
    }
}
