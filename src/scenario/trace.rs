//! The calls of a scenario, in a form that is the same on different engines.
//!
//! `mount ghost-data #1` is a Mount with the first mount ID; a volume whose name the engine generated is `?`; a call
//! without the required volume is `create (no body)`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    domain::model::{
        entry::{Entry, EntryKind},
        protocol::Operation,
    },
    hub::Hub,
};

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedCall {
    /// The operation.
    pub operation: Operation,
    /// The volume.
    pub volume: Option<String>,
    /// The mount ID, numbered from 1 in the order of appearance.
    pub id: Option<usize>,
    /// When it arrived.
    pub at: Timestamp,
}

impl TracedCall {
    /// Whether the call is part of the handshake, which a daemon sends only once.
    pub fn is_handshake(&self) -> bool {
        matches!(self.operation, Operation::Activate | Operation::Capabilities)
    }

    /// Whether it is a retry with an empty body.
    pub fn is_empty_retry(&self) -> bool {
        self.operation.requires_volume() && self.volume.is_none()
    }
}

impl fmt::Display for TracedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.operation.as_str())?;
        match &self.volume {
            Some(volume) => write!(f, " {volume}")?,
            None if self.is_empty_retry() => write!(f, " (no body)")?,
            None => {}
        }
        self.id.map_or(Ok(()), |id| write!(f, " #{id}"))
    }
}

/// The calls since a moment, without those about volumes that existed before.
pub struct Trace {
    hub: Arc<Hub>,
    after: u64,
    /// Volumes that existed before, and that others may use meanwhile.
    foreign: BTreeSet<String>,
}

/// A call of the journal.
struct JournalCall {
    operation: Operation,
    volume: Option<String>,
    id: Option<String>,
    at: Timestamp,
}

impl Trace {
    /// Starts now.
    pub fn start(hub: &Arc<Hub>) -> Self {
        let after = hub.kept().end - 1;
        let foreign = hub.volumes().iter().map(|volume| volume.name.clone()).collect();
        Self { hub: Arc::clone(hub), after, foreign }
    }

    /// All calls so far by their numbers, including held ones.
    pub fn calls(&self) -> BTreeMap<u64, TracedCall> {
        let (entries, _) = self.hub.entries_after(self.after, usize::MAX);
        let own = |(_, found): &(u64, JournalCall)| {
            found.volume.as_ref().is_none_or(|volume| !self.foreign.contains(volume))
        };
        let found: BTreeMap<u64, JournalCall> = entries.iter().filter_map(journal_call).filter(own).collect();
        let mut ids: Vec<String> = Vec::new();
        let mut number = |id: String| {
            ids.iter().position(|known| *known == id).unwrap_or_else(|| {
                ids.push(id);
                ids.len() - 1
            }) + 1
        };
        found
            .into_iter()
            .map(|(call, JournalCall { operation, volume, id, at })| {
                (call, TracedCall { operation, volume: volume.map(normalised), id: id.map(&mut number), at })
            })
            .collect()
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

fn normalised(volume: String) -> String {
    let is_generated = volume.len() == 64 && volume.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_generated { "?".into() } else { volume }
}

fn journal_call(entry: &Arc<Entry>) -> Option<(u64, JournalCall)> {
    let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
    match &entry.kind {
        EntryKind::Call(call) => {
            let at = entry.at.checked_sub(call.duration).unwrap_or(entry.at);
            let (volume, id) = (text(&call.volume), text(&call.mount_id));
            Some((call.number, JournalCall { operation: call.operation?, volume, id, at }))
        }
        EntryKind::Held(held) => {
            let (volume, id) = (text(&held.volume), text(&held.mount_id));
            Some((held.number, JournalCall { operation: held.operation?, volume, id, at: entry.at }))
        }
        _ => None,
    }
}
