//! The past of the volumes: what was true before the latest changes, for answers that are stale.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use super::volume::{Change, Volume, Volumes};

/// Undoes the latest changes, one by one. Opening and ending mounts is left out, since no answer tells of it.
#[derive(Debug, Default)]
pub struct Past(VecDeque<Records>);

/// The records that one change replaced, as they were before it.
type Records = BTreeMap<String, Option<Arc<Volume>>>;

impl Past {
    /// How many changes can be undone.
    const KEPT: usize = 1024;

    /// Remembers what a change is about to replace.
    pub fn remember(&mut self, volumes: &Volumes, change: &Change) {
        let before = match change {
            Change::Mounted { .. } | Change::Unmounted { .. } | Change::Detached { .. } => return,
            Change::Created { name, .. }
            | Change::Removed { name }
            | Change::Forgotten { name }
            | Change::Restored { name } => [(name.clone(), volumes.record(name).cloned())].into(),
            Change::Wiped | Change::Lost => {
                volumes.iter().map(|volume| (volume.name.clone(), Some(Arc::clone(volume)))).collect()
            }
        };
        if self.0.len() == Self::KEPT {
            self.0.pop_front();
        }
        self.0.push_back(before);
    }

    /// The volumes as they were before the latest change, before the one before it, and so on.
    pub fn before(&self, volumes: &Volumes) -> impl Iterator<Item = Volumes> {
        self.0.iter().rev().scan(volumes.clone(), |volumes, records| {
            for (name, record) in records {
                volumes.put(name, record.clone());
            }
            Some(volumes.clone())
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::protocol::Options;

    fn change() -> impl Strategy<Value = Change> {
        let named = |kind: usize, name: String| match kind {
            0 => Change::Created { name, options: Options::new(), at: Timestamp::UNIX_EPOCH },
            1 => Change::Removed { name },
            2 => Change::Forgotten { name },
            3 => Change::Restored { name },
            4 => Change::Wiped,
            _ => Change::Lost,
        };
        (0_usize..6, "[ab]").prop_map(move |(kind, name)| named(kind, name))
    }

    proptest! {
        #[test]
        fn the_past_leads_back_through_every_state(changes in prop::collection::vec(change(), 0..30)) {
            let (mut volumes, mut past, mut states) = (Volumes::default(), Past::default(), Vec::new());
            for change in &changes {
                states.push(volumes.clone());
                past.remember(&volumes, change);
                volumes.apply(change);
            }
            states.reverse();
            prop_assert_eq!(past.before(&volumes).collect::<Vec<_>>(), states);
        }
    }
}
