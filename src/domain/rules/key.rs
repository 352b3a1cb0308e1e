//! What a rule counts by: one count over all calls, or one for each volume, mount ID or connection.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::draw::fnv1a;
use crate::domain::model::{
    entry::{CallHead, Evaluation},
    protocol::{Operation, method_in},
};

/// What calls are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Per {
    /// Each volume by itself.
    Volume,
    /// Each mount ID by itself.
    Id,
    /// Each connection by itself.
    Connection,
}

/// What of a call its counts depend on.
#[derive(Clone, Copy, Debug)]
pub struct CallKey<'c> {
    /// The operation, or the method of another interface.
    pub asked: &'c str,
    /// The volume that the request names, or empty.
    pub volume: &'c str,
    /// The mount ID in the request, or empty.
    pub id: &'c str,
    /// The number of the connection.
    pub connection: u64,
}

impl<'c> CallKey<'c> {
    /// That of an evaluated call.
    pub fn of(evaluation: &'c Evaluation) -> Self {
        Self {
            asked: asked(evaluation.operation, evaluation.request_line.as_deref()),
            volume: evaluation.volume.as_deref().unwrap_or_default(),
            id: evaluation.mount_id.as_deref().unwrap_or_default(),
            connection: evaluation.connection,
        }
    }

    /// That of a call.
    pub fn of_call(call: CallHead<'c>) -> Self {
        Self {
            asked: asked(call.operation, call.request_line),
            volume: call.volume.unwrap_or_default(),
            id: call.mount_id.unwrap_or_default(),
            connection: call.connection,
        }
    }
}

/// What a request is counted as.
pub(super) fn asked(operation: Option<Operation>, request_line: Option<&str>) -> &str {
    match operation {
        Some(operation) => operation.as_str(),
        // Without a query, of which there can be any number.
        None => request_line.and_then(method_in).unwrap_or_default(),
    }
}

impl Per {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Volume, Self::Id, Self::Connection];

    /// The word after `per`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether calls of an operation have it.
    pub fn applies_to(self, operation: Option<Operation>) -> bool {
        match self {
            Self::Volume => operation.is_some_and(Operation::requires_volume),
            Self::Id => matches!(operation, Some(Operation::Mount | Operation::Unmount)),
            Self::Connection => true,
        }
    }

    /// By which number a call is counted. Names are hashed, so that a long one takes no more memory.
    pub fn key(self, call: CallKey<'_>) -> u64 {
        match self {
            Self::Volume => fnv1a(call.volume.bytes()),
            Self::Id => fnv1a(call.id.bytes()),
            Self::Connection => call.connection,
        }
    }
}

/// How far a rule has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Count {
    /// How many calls its probability has hit: what its trigger counts.
    pub counted: u64,
    /// How many calls it took, those included that it let pass: what its chain counts.
    pub taken: u64,
}

/// The counts of a rule with `per`. The one that was not used for longest makes room for a new one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeyCounts {
    /// Each count, and when it was last used.
    counts: BTreeMap<u64, (Count, u64)>,
    /// The keys in the order of their last use.
    by_use: BTreeMap<u64, u64>,
    uses: u64,
}

impl KeyCounts {
    /// How many counts are kept.
    const MAX: usize = 4096;

    /// The count of a call.
    pub fn get(&self, per: Per, call: CallKey<'_>) -> Count {
        self.counts.get(&per.key(call)).map(|(count, _)| *count).unwrap_or_default()
    }

    /// Sets the count of a call.
    pub fn set(&mut self, per: Per, call: CallKey<'_>, count: Count) {
        let key = per.key(call);
        self.uses += 1;
        if let Some((_, before)) = self.counts.insert(key, (count, self.uses)) {
            self.by_use.remove(&before);
        }
        self.by_use.insert(self.uses, key);
        if self.counts.len() > Self::MAX
            && let Some((_, oldest)) = self.by_use.pop_first()
        {
            self.counts.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(volume: &str, connection: u64) -> CallKey<'_> {
        CallKey { asked: "mount", volume, id: "7f", connection }
    }

    #[test]
    fn the_memory_for_counts_is_bounded_and_the_latest_are_kept() {
        let mut counts = KeyCounts::default();
        let once = Count { counted: 1, taken: 0 };
        for number in 0..3 * KeyCounts::MAX as u64 {
            counts.set(Per::Connection, mount("v", number), once);
            counts.set(Per::Connection, mount("v", 7), once);
        }
        assert_eq!((counts.counts.len(), counts.by_use.len()), (KeyCounts::MAX, KeyCounts::MAX));
        let kept = |number| counts.get(Per::Connection, mount("v", number)) == once;
        assert!(kept(7) && kept(3 * KeyCounts::MAX as u64 - 1) && !kept(0) && !kept(KeyCounts::MAX as u64));
    }

    #[test]
    fn a_count_is_that_of_the_volume_of_the_id_or_of_the_connection() {
        for (per, same) in
            [(Per::Volume, mount("v", 2)), (Per::Id, mount("w", 2)), (Per::Connection, mount("w", 1))]
        {
            let mut counts = KeyCounts::default();
            counts.set(per, mount("v", 1), Count { counted: 3, taken: 2 });
            assert_eq!(counts.get(per, same).counted, 3, "{per:?}");
        }
        let mut counts = KeyCounts::default();
        counts.set(Per::Volume, mount("v", 1), Count { counted: 3, taken: 2 });
        assert_eq!(counts.get(Per::Volume, mount("w", 1)), Count::default());
    }
}
