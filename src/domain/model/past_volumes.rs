//! The past of the volumes, for stale replies: what was true before the latest changes.

use std::{collections::BTreeMap, sync::Arc};

use imbl::Vector;
use serde::{Deserialize, Serialize};

use super::volume::{Change, Volume, Volumes};

/// Undoes the latest changes, one by one. Opening and ending mounts is left out, since no reply shows it.
///
/// A clone shares them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastVolumes {
    changes: Vector<Arc<Records>>,
    bytes: usize,
}

/// The records that one change replaced, as they were before it.
type Records = BTreeMap<String, Option<Arc<Volume>>>;

impl PastVolumes {
    /// How many changes can be undone, as long as what they replaced holds no more than so many bytes.
    const KEPT: usize = 1024;
    const BYTES: usize = 4 * 1024 * 1024;

    /// Remembers what a change is about to replace.
    pub fn push(&mut self, volumes: &Volumes, change: &Change) {
        let before = match change {
            Change::Mounted { .. } | Change::Unmounted { .. } | Change::MountsCleared { .. } => return,
            Change::Created { name, .. }
            | Change::Removed { name }
            | Change::Forgotten { name }
            | Change::Restored { name }
            | Change::Masked { name, .. }
            | Change::Unmasked { name } => [(name.clone(), volumes.known(name).cloned())].into(),
            Change::AllDeleted | Change::StateLost => {
                volumes.iter().map(|volume| (volume.name.clone(), Some(Arc::clone(volume)))).collect()
            }
        };
        self.bytes += size_estimate(&before);
        self.changes.push_back(Arc::new(before));
        while self.changes.len() > 1 && (self.changes.len() > Self::KEPT || self.bytes > Self::BYTES) {
            self.bytes -= self.changes.pop_front().as_deref().map_or(0, size_estimate);
        }
    }

    /// The volumes as they were before the latest change, before the one before it, and so on.
    pub fn before(&self, volumes: &Volumes) -> impl Iterator<Item = Volumes> {
        self.changes.iter().rev().scan(volumes.clone(), |volumes, records| {
            for (name, record) in &**records {
                volumes.put(name, record.clone());
            }
            Some(volumes.clone())
        })
    }
}

fn size_estimate(records: &Records) -> usize {
    records
        .iter()
        .map(|(name, record)| name.len() + 64 + record.as_ref().map_or(0, |record| record.size_estimate()))
        .sum()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::model::protocol::Options;

    fn change() -> impl Strategy<Value = Change> {
        let named = |kind: usize, name: String| match kind {
            0 => Change::Created { name, options: Options::new(), at: Timestamp::UNIX_EPOCH },
            1 => Change::Removed { name },
            2 => Change::Forgotten { name },
            3 => Change::Restored { name },
            4 => Change::AllDeleted,
            _ => Change::StateLost,
        };
        (0_usize..6, "[ab]").prop_map(move |(kind, name)| named(kind, name))
    }

    #[test]
    fn the_past_is_bounded_whatever_the_options() {
        let (mut volumes, mut past_volumes) = (Volumes::default(), PastVolumes::default());
        for number in 0..100 {
            let options = [("k".to_owned(), "x".repeat(1024 * 1024))].into();
            let change = Change::Created { name: "v".into(), options, at: Timestamp::UNIX_EPOCH };
            past_volumes.push(&volumes, &change);
            volumes.apply(&change);
            assert!(past_volumes.bytes <= PastVolumes::BYTES, "after {number} changes");
        }
        assert!(past_volumes.before(&volumes).count() >= 3);
    }

    proptest! {
        #[test]
        fn the_past_leads_back_through_every_state(changes in prop::collection::vec(change(), 0..30)) {
            let (mut volumes, mut past_volumes, mut states) = (Volumes::default(), PastVolumes::default(), Vec::new());
            for change in &changes {
                states.push(volumes.clone());
                past_volumes.push(&volumes, change);
                volumes.apply(change);
            }
            states.reverse();
            prop_assert_eq!(past_volumes.before(&volumes).collect::<Vec<_>>(), states);
        }
    }
}
