//! The calls of a scenario.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::Value;

use crate::{
    domain::{
        analysis::traced_calls::{TracedCall, trace},
        model::{
            entry::Entry,
            protocol::Operation,
            volume::{Change, Volumes},
        },
    },
    hub::Hub,
};

/// The calls since a moment, without those about volumes that existed before.
pub struct Trace {
    hub: Arc<Hub>,
    after: u64,
    /// Volumes that existed before, and that others may use meanwhile.
    foreign: BTreeSet<String>,
}

impl Trace {
    /// Starts now.
    pub fn start(hub: &Arc<Hub>) -> Self {
        let after = hub.kept().end - 1;
        let foreign = hub.volumes().iter().map(|volume| volume.name.clone()).collect();
        Self { hub: Arc::clone(hub), after, foreign }
    }

    /// The entries so far.
    pub fn entries(&self) -> impl Iterator<Item = Arc<Entry>> {
        let (entries, _) = self.hub.entries_after(self.after, usize::MAX);
        let is_foreign =
            |entry: &Arc<Entry>| entry.about().0.is_some_and(|volume| self.foreign.contains(volume));
        entries.into_iter().filter(move |entry| !is_foreign(entry))
    }

    /// The volumes that did not exist before.
    pub fn volumes(&self) -> Volumes {
        let mut volumes = self.hub.volumes();
        for name in &self.foreign {
            volumes.apply(&Change::Removed { name: name.clone() });
        }
        volumes
    }

    /// All calls so far by their numbers, including held ones.
    pub fn calls(&self) -> BTreeMap<u64, TracedCall> {
        trace(&self.entries().collect::<Vec<_>>())
    }

    /// The names of volumes that the driver gave to another one in its reply to a Get. An engine believes them.
    pub fn wrong_names(&self) -> BTreeSet<String> {
        let (entries, _) = self.hub.entries_after(self.after, usize::MAX);
        let gets = entries.iter().filter_map(|entry| entry.call());
        let gets = gets.filter(|call| call.operation == Some(Operation::Get));
        let names = gets.filter_map(|call| {
            let reply: Value = serde_json::from_slice(&call.reply.bytes).ok()?;
            let name = reply["Volume"]["Name"].as_str()?;
            (call.volume.as_deref() != Some(name)).then(|| name.to_owned())
        });
        names.filter(|name| !self.foreign.contains(name)).collect()
    }
}
