//! The order of the volumes, and what the calls have said about them.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    console::{
        column::{Column, Sort},
        model::{
            list::unseen,
            row_order::{SortValue, compare_values},
        },
    },
    domain::model::{
        entry::Entry,
        protocol::Operation,
        volume::{Volume, Volumes},
    },
    hub::Snapshot,
};

/// What the calls have said about one volume.
#[derive(Clone, Debug, Default)]
pub struct VolumeFacts {
    /// When the latest call about it ended.
    pub last_used: Option<Timestamp>,
    /// Its path in the latest reply that had one.
    pub mountpoint: Option<String>,
}

/// What the kept calls have said about volumes. It is read from them only while a column shows it.
#[derive(Clone, Debug, Default)]
pub struct CallFacts {
    /// The number of the last entry that was read.
    last: u64,
    /// The volumes about which something was read since this entry.
    fresh: (u64, BTreeSet<String>),
    volumes: BTreeMap<String, VolumeFacts>,
    /// The scope in the latest reply to Capabilities.
    pub scope: Option<String>,
}

impl CallFacts {
    /// The number of the next entry to take in.
    pub const fn wants(&self) -> u64 {
        self.last + 1
    }

    /// Takes in what is new: where there are several instances, that of the chosen one.
    pub fn take(&mut self, entries: &[Arc<Entry>], snapshot: &Snapshot) {
        let volumes = &snapshot.volumes;
        self.fresh = (self.last, BTreeSet::new());
        for entry in unseen(entries, &mut self.last, None) {
            if entry.node != snapshot.node {
                continue;
            }
            if entry.is_journal_reset() {
                (self.volumes, self.scope) = Default::default();
                // It is about all.
                self.fresh.0 = u64::MAX;
            }
            self.read(entry);
        }
        // Removed volumes are forgotten before they are many.
        if self.volumes.len() > 2 * volumes.len() + 100 {
            self.volumes.retain(|name, _| volumes.known(name).is_some());
        }
    }

    fn read(&mut self, entry: &Entry) {
        let Some(call) = entry.call() else { return };
        if let Some(volume) = &call.volume {
            self.of_mut(volume).last_used = Some(entry.at);
        }
        let says =
            [Operation::Get, Operation::Mount, Operation::Path, Operation::List, Operation::Capabilities];
        if !call.operation.is_some_and(|operation| says.contains(&operation)) {
            return;
        }
        let reply: Value = serde_json::from_slice(&call.reply.bytes).unwrap_or_default();
        if let Some(scope) = reply["Capabilities"]["Scope"].as_str() {
            self.scope = Some(scope.to_owned());
        }
        let own = [&reply["Mountpoint"], &reply["Volume"]["Mountpoint"]].into_iter().find_map(Value::as_str);
        if let (Some(volume), Some(path)) = (&call.volume, own) {
            self.of_mut(volume).mountpoint = Some(path.to_owned());
        }
        for listed in reply["Volumes"].as_array().into_iter().flatten() {
            if let (Some(name), Some(path)) = (listed["Name"].as_str(), listed["Mountpoint"].as_str()) {
                self.of_mut(name).mountpoint = Some(path.to_owned());
            }
        }
    }

    fn of_mut(&mut self, volume: &str) -> &mut VolumeFacts {
        self.fresh.1.insert(volume.to_owned());
        if !self.volumes.contains_key(volume) {
            self.volumes.insert(volume.to_owned(), VolumeFacts::default());
        }
        self.volumes.get_mut(volume).expect("it was put there if it was missing")
    }

    /// What is known of a volume.
    pub fn of(&self, volume: &str) -> Option<&VolumeFacts> {
        self.volumes.get(volume)
    }
}

/// The order of the volumes, unless it is that of their names.
#[derive(Clone, Debug, Default)]
pub struct VolumeOrder {
    /// The rows of the volumes among all, sorted by name.
    rows: Vec<usize>,
    /// What it was made of.
    of: Option<(Volumes, Sort, u64)>,
}

/// What an order is made of.
struct Ranking<'f> {
    sort: Sort,
    facts: Option<&'f CallFacts>,
}

impl Ranking<'_> {
    fn value(&self, volume: &Volume) -> Option<SortValue> {
        let said = self.facts.and_then(|facts| facts.of(&volume.name));
        match self.sort.column {
            Column::State => {
                let mounts = u64::from(volume.open_mounts());
                Some(SortValue::Number(if volume.exists { mounts + 1 } else { 0 }))
            }
            Column::LastUsed => {
                let used = said.and_then(|said| said.last_used)?;
                Some(SortValue::Number(used.as_microsecond().unsigned_abs()))
            }
            Column::Mountpoint => Some(SortValue::Text(said?.mountpoint.as_deref()?.into())),
            Column::Options => {
                Some(SortValue::Text(options(volume).into())).filter(|_| !volume.options.is_empty())
            }
            // All have the same scope.
            Column::Scope => None,
            _ => Some(SortValue::Text(volume.name.as_str().into())),
        }
    }

    /// All rows in their order.
    fn all(&self, volumes: &Volumes) -> Vec<usize> {
        let mut valued: Vec<_> = volumes.iter().map(|volume| self.value(volume)).enumerate().collect();
        valued.sort_by(|(_, one), (_, other)| compare_values(self.sort, one.as_ref(), other.as_ref()));
        valued.into_iter().map(|(row, _)| row).collect()
    }

    /// Puts a row where it belongs among those that are there.
    fn insert(&self, rows: &mut Vec<usize>, row: usize, volumes: &Volumes) {
        let value_of = |row: usize| volumes.get(row).and_then(|volume| self.value(volume));
        let value = value_of(row);
        let is_before = |other: &usize| {
            let compared = compare_values(self.sort, value_of(*other).as_ref(), value.as_ref());
            compared.then(other.cmp(&row)) == Ordering::Less
        };
        rows.insert(rows.partition_point(is_before), row);
    }
}

/// With more changes than these, everything is sorted again.
const MAX_CHANGES: usize = 64;

/// The rows that were taken out of the earlier volumes, and those that were put into the later ones: both for one that is
/// another than before.
#[derive(Debug, Default)]
struct RowChanges {
    removed: BTreeSet<usize>,
    added: BTreeSet<usize>,
}

impl RowChanges {
    /// None if there are many. To compare the pointers of all volumes takes much less than to sort them.
    fn between(earlier: &Volumes, later: &Volumes, altered: &BTreeSet<String>) -> Option<Self> {
        let mut changes = Self::default();
        let (mut old, mut new) = (earlier.iter().enumerate().peekable(), later.iter().enumerate().peekable());
        loop {
            let order = match (old.peek(), new.peek()) {
                (None, None) => break,
                (Some((_, one)), Some((_, other))) if Arc::ptr_eq(one, other) => {
                    old.next();
                    new.next();
                    continue;
                }
                (Some((_, one)), Some((_, other))) => one.name.cmp(&other.name),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
            };
            changes.removed.extend(if order.is_le() { old.next().map(|(row, _)| row) } else { None });
            changes.added.extend(if order.is_ge() { new.next().map(|(row, _)| row) } else { None });
            if changes.removed.len() + changes.added.len() > MAX_CHANGES {
                return None;
            }
        }
        if altered.len() > MAX_CHANGES {
            return None;
        }
        let rows_in = |volumes: &Volumes| {
            let known = altered.iter().filter(|name| volumes.known(name).is_some());
            known.map(|name| volumes.row(name)).collect::<Vec<_>>()
        };
        changes.removed.extend(rows_in(earlier));
        changes.added.extend(rows_in(later));
        Some(changes)
    }

    /// Follows them in an order of the earlier volumes.
    fn follow(&self, rows: &mut Vec<usize>, volumes: &Volumes, ranking: &Ranking<'_>) {
        rows.retain(|row| !self.removed.contains(row));
        if self.removed != self.added {
            // The others have moved.
            let mut places = (0..volumes.len()).filter(|row| !self.added.contains(row));
            let count = rows.len() + self.removed.len();
            let kept = |row: usize| if self.removed.contains(&row) { None } else { places.next() };
            let places: Vec<_> = (0..count).map(kept).collect();
            for row in rows.iter_mut() {
                *row = places[*row].unwrap_or(*row);
            }
        }
        for row in &self.added {
            ranking.insert(rows, *row, volumes);
        }
    }
}

impl VolumeOrder {
    /// Follows the volumes and what the calls say about them.
    pub(super) fn follow(&mut self, volumes: &Volumes, sort: Sort, facts: Option<&CallFacts>) {
        if sort.is_usual() {
            *self = Self::default();
            return;
        }
        let facts = facts.filter(|_| matches!(sort.column, Column::LastUsed | Column::Mountpoint));
        let read = facts.map_or(0, |facts| facts.last);
        let is_same = |(of, by, at): &(Volumes, Sort, u64)| of.ptr_eq(volumes) && *by == sort && *at == read;
        if self.of.as_ref().is_some_and(is_same) {
            return;
        }
        let ranking = Ranking { sort, facts };
        let none = BTreeSet::new();
        let changes = self.of.as_ref().filter(|(_, by, _)| *by == sort).and_then(|(of, _, at)| {
            let altered = match facts {
                Some(facts) if *at != read => (facts.fresh.0 == *at).then_some(&facts.fresh.1)?,
                _ => &none,
            };
            RowChanges::between(of, volumes, altered)
        });
        match changes {
            Some(changes) => changes.follow(&mut self.rows, volumes, &ranking),
            None => self.rows = ranking.all(volumes),
        }
        self.of = Some((volumes.clone(), sort, read));
    }

    /// Which of the volumes, sorted by name, stands in a row.
    pub(super) fn volume_in(&self, row: usize) -> Option<usize> {
        if self.of.is_some() { self.rows.get(row).copied() } else { Some(row) }
    }

    /// The row in which one of the volumes stands, sorted by name.
    pub(super) fn row_of(&self, volume: usize) -> usize {
        if self.of.is_none() {
            return volume;
        }
        self.rows.iter().position(|other| *other == volume).unwrap_or(0)
    }
}

/// The options of a volume in a line.
pub fn options(volume: &Volume) -> String {
    let one = |(key, value): (&String, &String)| {
        if value.is_empty() { key.clone() } else { format!("{key}={value}") }
    };
    let own = volume.options.iter().filter(|(key, _)| !matches!(key.as_str(), "ninja" | "invalidOption"));
    own.map(one).collect::<Vec<_>>().join("  ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::model::{protocol::Options, volume::Change};

    /// Volumes, and what was said about them, after some changes more.
    fn changed(volumes: &mut Volumes, facts: &mut CallFacts, changes: &[(u8, String)]) {
        facts.fresh = (facts.last, BTreeSet::new());
        for (kind, name) in changes {
            let (name, at) = (name.clone(), Timestamp::UNIX_EPOCH);
            facts.last += 1;
            match kind {
                0 => {
                    let options = [(name.clone(), kind.to_string())].into_iter().collect();
                    volumes.apply(&Change::Created { name, options, at });
                }
                1 => volumes.apply(&Change::Removed { name }),
                2 => volumes.apply(&Change::Forgotten { name }),
                3 => volumes.apply(&Change::Mounted { name, id: "7f".into(), at }),
                4 => facts.of_mut(&name).mountpoint = Some(facts.last.to_string()),
                _ => {
                    let used = i64::try_from(facts.last).expect("few");
                    facts.of_mut(&name).last_used = Timestamp::from_second(used).ok();
                }
            }
        }
    }

    proptest! {
        #[test]
        fn an_order_that_follows_changes_is_that_of_a_new_sort(
            batches in prop::collection::vec(prop::collection::vec((0_u8..7, "[a-d][a-h]?"), 0..12), 1..8),
            descending in any::<bool>(),
        ) {
            for column in [Column::State, Column::Options, Column::Scope, Column::LastUsed, Column::Mountpoint] {
                let (mut volumes, mut facts) = (Volumes::default(), CallFacts::default());
                let (sort, mut order) = (Sort::by(column, descending), VolumeOrder::default());
                for (number, batch) in batches.iter().enumerate() {
                    changed(&mut volumes, &mut facts, batch);
                    // Now and then it is not shown, and so it does not follow.
                    if number % 3 == 1 {
                        continue;
                    }
                    order.follow(&volumes, sort, Some(&facts));
                    let mut new = VolumeOrder::default();
                    new.follow(&volumes, sort, Some(&facts));
                    prop_assert_eq!(&order.rows, &new.rows, "{:?}", column);
                }
            }
        }
    }

    #[test]
    fn only_an_order_by_what_calls_say_follows_each_call() {
        let mut volumes = Volumes::default();
        // So many that a clone shares its records.
        for number in 0..1000 {
            let (name, at) = (format!("db{number}"), Timestamp::UNIX_EPOCH);
            volumes.apply(&Change::Created { name, options: Options::new(), at });
        }
        for (column, follows) in [
            (Column::State, false),
            (Column::Options, false),
            (Column::Scope, false),
            (Column::LastUsed, true),
            (Column::Mountpoint, true),
        ] {
            let sort = Sort::by(column, false);
            let mut order = VolumeOrder::default();
            let mut made_at = |last| {
                order.follow(&volumes, sort, Some(&CallFacts { last, ..CallFacts::default() }));
                order.of.as_ref().map(|(_, _, at)| *at)
            };
            assert_eq!(made_at(1) != made_at(2), follows, "{column:?}");
        }
    }
}
