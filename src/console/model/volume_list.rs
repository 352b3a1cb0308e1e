//! The order of the volumes, and what the calls have said about them.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    console::{
        column::{Column, Sort},
        model::row_order::{SortValue, compare_values},
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
        let last = self.last;
        for entry in entries.iter().skip_while(|entry| entry.seq <= last) {
            self.last = entry.seq;
            if entry.node != snapshot.node {
                continue;
            }
            if entry.is_reset() {
                (self.volumes, self.scope) = Default::default();
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
        let value = |volume: &Volume| {
            let said = facts.and_then(|facts| facts.of(&volume.name));
            match sort.column {
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
        };
        let mut valued: Vec<_> = volumes.iter().map(|volume| value(volume)).enumerate().collect();
        valued.sort_by(|(_, one), (_, other)| compare_values(sort, one.as_ref(), other.as_ref()));
        self.rows = valued.into_iter().map(|(row, _)| row).collect();
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
    use super::*;
    use crate::domain::model::{protocol::Options, volume::Change};

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
