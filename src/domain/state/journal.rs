//! The journal: a ring of the latest entries, bounded by their number and by their bytes.

use std::{collections::VecDeque, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::domain::model::entry::Entry;

/// How much a journal keeps.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// At most so many entries.
    pub entries: usize,
    /// At most so many bytes, by [`Entry::size_estimate`].
    pub bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { entries: 100_000, bytes: 64 * 1024 * 1024 }
    }
}

/// The latest entries. Sequence numbers have no gaps, so that an entry is found by subtraction.
///
/// Serialised, it has its place in the numbering but no entries: those are in the recording.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Journal {
    #[serde(skip)]
    ring: VecDeque<Arc<Entry>>,
    /// The size of each entry in the ring, kept here so that removing one does not read it.
    #[serde(skip)]
    sizes: VecDeque<usize>,
    #[serde(skip)]
    bytes: usize,
    /// The number of the first entry since the journal was cleared.
    first_since_clear: u64,
    /// The number of the latest entry.
    last_seq: u64,
    /// How many entries were not redundant, since the start; `reset` does not change it.
    listed: u64,
    #[serde(skip)]
    bounds: Bounds,
}

/// What is kept, without how much memory it takes here: equal entries may share it or not.
impl PartialEq for Journal {
    fn eq(&self, other: &Self) -> bool {
        (self.first_since_clear, self.last_seq, self.listed, &self.ring)
            == (other.first_since_clear, other.last_seq, other.listed, &other.ring)
    }
}

impl Journal {
    /// An empty journal.
    pub fn new(bounds: Bounds) -> Self {
        Self { first_since_clear: 1, bounds, ..Self::default() }
    }

    /// How much it keeps.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Appends the next entry and removes the oldest where a bound is passed. The newest always stays.
    ///
    /// What came before a gap is dropped, so that the numbers stay without one.
    pub fn push(&mut self, entry: &Arc<Entry>) {
        if entry.seq != self.next_seq() {
            self.empty();
        }
        self.last_seq = entry.seq;
        self.listed += u64::from(!entry.is_redundant());
        let size = entry.size_estimate();
        self.bytes += size;
        self.sizes.push_back(size);
        self.ring.push_back(Arc::clone(entry));
        while self.ring.len() > 1 && (self.ring.len() > self.bounds.entries || self.bytes > self.bounds.bytes)
        {
            self.ring.pop_front();
            self.bytes -= self.sizes.pop_front().unwrap_or_default();
        }
    }

    /// Puts entries before those that are kept, as far as they end where these begin, there is room for them, and the
    /// journal was not cleared in between. A state that was read from a checkpoint has none.
    pub fn prepend(&mut self, entries: &[Arc<Entry>]) {
        for entry in entries.iter().rev() {
            let size = entry.size_estimate();
            let is_next = entry.seq + 1 == self.first_seq() && entry.seq >= self.first_since_clear;
            let has_room = self.ring.len() < self.bounds.entries && self.bytes + size <= self.bounds.bytes;
            if !is_next || !has_room {
                break;
            }
            self.bytes += size;
            self.sizes.push_front(size);
            self.ring.push_front(Arc::clone(entry));
        }
    }

    /// How many entries before those that are kept could be kept too.
    pub fn missing(&self) -> u64 {
        let room = self.bounds.entries.saturating_sub(self.ring.len()) as u64;
        if self.bytes >= self.bounds.bytes { 0 } else { room.min(self.dropped()) }
    }

    /// The same place in the numbering, without entries.
    #[must_use]
    pub fn without_entries(&self) -> Self {
        Self { ring: VecDeque::new(), sizes: VecDeque::new(), bytes: 0, ..*self }
    }

    /// Removes all entries. The numbering goes on, so that a reader's place stays valid.
    pub fn clear(&mut self) {
        self.empty();
        self.first_since_clear = self.next_seq();
    }

    fn empty(&mut self) {
        self.ring.clear();
        self.sizes.clear();
        self.bytes = 0;
    }

    /// How many entries there was no room for, since the journal was cleared.
    pub fn dropped(&self) -> u64 {
        self.first_seq() - self.first_since_clear
    }

    /// How many entries were not redundant, since the start; `reset` does not change it.
    pub fn listed(&self) -> u64 {
        self.listed
    }

    /// The number of the oldest entry that is kept; that of the next one if none is.
    pub fn first_seq(&self) -> u64 {
        self.next_seq() - self.ring.len() as u64
    }

    /// The number that the next entry will have.
    pub fn next_seq(&self) -> u64 {
        self.last_seq + 1
    }

    /// The entry with a number, if it is still kept.
    pub fn get(&self, seq: u64) -> Option<&Arc<Entry>> {
        let index = seq.checked_sub(self.first_seq())?;
        self.ring.get(usize::try_from(index).ok()?)
    }

    /// The kept entries with a number greater than `seq`, oldest first.
    pub fn after(&self, seq: u64) -> impl DoubleEndedIterator<Item = &Arc<Entry>> + ExactSizeIterator {
        let skipped = seq.saturating_add(1).saturating_sub(self.first_seq());
        self.ring.range(usize::try_from(skipped).unwrap_or(usize::MAX).min(self.ring.len())..)
    }

    /// How many entries are kept.
    pub fn len(&self) -> usize {
        self.ring.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    /// How many bytes the kept entries hold, by [`Entry::size_estimate`].
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::model::entry::EntryKind;

    fn push(journal: &mut Journal, length: usize) {
        let kind = EntryKind::Note { text: "x".repeat(length) };
        journal.push(&Arc::new(Entry::new(journal.next_seq(), Timestamp::UNIX_EPOCH, kind)));
    }

    proptest! {
        #[test]
        fn a_journal_keeps_the_newest_within_both_bounds(
            lengths in prop::collection::vec(0_usize..4000, 1..200),
            entries in 1_usize..50,
            bytes in 1_usize..50_000,
        ) {
            let mut journal = Journal::new(Bounds { entries, bytes });
            for length in &lengths {
                push(&mut journal, *length);
                prop_assert!(journal.len() <= entries);
                prop_assert!(journal.bytes() <= bytes || journal.len() == 1);
            }
            let kept: Vec<u64> = journal.after(0).map(|entry| entry.seq).collect();
            let expected: Vec<u64> = (journal.first_seq()..=lengths.len() as u64).collect();
            prop_assert_eq!(&kept, &expected);
            let size: usize = journal.after(0).map(|entry| entry.size_estimate()).sum();
            prop_assert_eq!(size, journal.bytes());
        }

        #[test]
        fn an_entry_is_found_by_its_number(count in 1_u64..100, entries in 1_usize..50, seq in 0_u64..120) {
            let mut journal = Journal::new(Bounds { entries, bytes: usize::MAX });
            for _ in 0..count {
                push(&mut journal, 1);
            }
            prop_assert_eq!(journal.get(seq).map(|entry| entry.seq), (seq >= journal.first_seq() && seq <= count).then_some(seq));
            prop_assert_eq!(journal.after(seq).next().map(|entry| entry.seq), (seq < count).then_some((seq + 1).max(journal.first_seq())));
        }
    }

    #[test]
    fn the_greatest_of_all_numbers_is_after_every_entry() {
        let mut journal = Journal::new(Bounds::default());
        push(&mut journal, 1);
        assert_eq!(journal.after(u64::MAX).count(), 0);
    }

    #[test]
    fn a_cleared_journal_goes_on_counting() {
        let mut journal = Journal::new(Bounds::default());
        push(&mut journal, 1);
        journal.clear();
        assert_eq!((journal.len(), journal.bytes(), journal.first_seq()), (0, 0, 2));
        push(&mut journal, 1);
        assert_eq!(journal.after(0).next().map(|entry| entry.seq), Some(2));
    }
}
