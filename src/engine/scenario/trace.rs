//! The trace: the plugin calls of a card, written so that two engines can be compared.
//!
//! `mount ghost-data #1` is a Mount with the first mount ID that was seen; a volume whose name the
//! engine made up is `?`; a call that names no volume although it must is `create (no body)`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use jiff::Timestamp;

use crate::{
    domain::model::{
        entry::{Entry, EntryKind},
        protocol::Operation,
    },
    state::Hub,
};

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What was asked.
    pub operation: Operation,
    /// About which volume.
    pub volume: Option<String>,
    /// Which mount ID, by the order of their first appearance from 1.
    pub id: Option<usize>,
    /// When it came in.
    pub at: Timestamp,
}

impl Line {
    /// Whether the call is part of the daemon's getting to know the driver. A daemon that has met it does without.
    pub fn is_handshake(&self) -> bool {
        matches!(self.operation, Operation::Activate | Operation::Capabilities)
    }

    /// Whether it is a retry with an empty body.
    pub fn is_empty_retry(&self) -> bool {
        self.operation.requires_volume() && self.volume.is_none()
    }
}

impl fmt::Display for Line {
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

/// The calls since some moment, but for those about volumes that were there before.
pub struct Trace {
    hub: Arc<Hub>,
    after: u64,
    /// Volumes that others made, and may use meanwhile.
    foreign: BTreeSet<String>,
}

/// A call as it is found in the journal.
struct Found {
    operation: Operation,
    volume: Option<String>,
    id: Option<String>,
    at: Timestamp,
}

impl Trace {
    /// Begins now.
    pub fn begin(hub: &Arc<Hub>) -> Self {
        let after = hub.kept().end - 1;
        let foreign = hub.with_volumes(|volumes| volumes.iter().map(|volume| volume.name.clone()).collect());
        Self { hub: Arc::clone(hub), after, foreign }
    }

    /// All calls so far by their numbers, those that wait included.
    pub fn lines(&self) -> BTreeMap<u64, Line> {
        let (entries, _) = self.hub.entries_after(self.after, usize::MAX);
        let own = |(_, found): &(u64, Found)| {
            found.volume.as_ref().is_none_or(|volume| !self.foreign.contains(volume))
        };
        let found: BTreeMap<u64, Found> = entries.iter().filter_map(find).filter(own).collect();
        let mut ids: Vec<String> = Vec::new();
        let mut number = |id: String| {
            ids.iter().position(|known| *known == id).unwrap_or_else(|| {
                ids.push(id);
                ids.len() - 1
            }) + 1
        };
        found
            .into_iter()
            .map(|(call, Found { operation, volume, id, at })| {
                (call, Line { operation, volume: volume.map(normalised), id: id.map(&mut number), at })
            })
            .collect()
    }
}

fn normalised(volume: String) -> String {
    let made_up = volume.len() == 64 && volume.bytes().all(|byte| byte.is_ascii_hexdigit());
    if made_up { "?".into() } else { volume }
}

fn find(entry: &Arc<Entry>) -> Option<(u64, Found)> {
    let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
    match &entry.kind {
        EntryKind::Call(call) => {
            let at = entry.at.checked_sub(call.duration).unwrap_or(entry.at);
            let (volume, id) = (text(&call.volume), text(&call.mount_id));
            Some((call.call, Found { operation: call.operation?, volume, id, at }))
        }
        EntryKind::Held(waiting) => {
            let (volume, id) = (text(&waiting.volume), text(&waiting.mount_id));
            Some((waiting.call, Found { operation: waiting.operation, volume, id, at: entry.at }))
        }
        _ => None,
    }
}
