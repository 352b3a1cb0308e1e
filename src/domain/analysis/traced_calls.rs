//! Calls in a form that is the same on different engines and in each run.
//!
//! `mount ghost-data #1` is a Mount with the first mount ID; a volume whose name the engine generated is `?`; a call
//! without the required volume is `create (no body)`.

use std::{collections::BTreeMap, fmt, sync::Arc};

use jiff::Timestamp;

use super::retries::began;
use crate::domain::model::{
    entry::{Entry, EntryKind},
    protocol::Operation,
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

/// The calls in some entries by their numbers, held ones included.
pub fn trace<'e>(entries: impl IntoIterator<Item = &'e Arc<Entry>>) -> BTreeMap<u64, TracedCall> {
    let found: BTreeMap<u64, &Arc<Entry>> =
        entries.into_iter().filter_map(|entry| Some((entry.call_number()?, entry))).collect();
    let mut ids: Vec<&str> = Vec::new();
    let mut number = |id| {
        ids.iter().position(|known| *known == id).unwrap_or_else(|| {
            ids.push(id);
            ids.len() - 1
        }) + 1
    };
    let mut calls = BTreeMap::new();
    for (call, entry) in found {
        let Some(operation) = entry.head().and_then(|call| call.operation) else { continue };
        let (volume, id) = entry.about();
        let at = if matches!(entry.kind, EntryKind::Call(_)) { began(entry) } else { entry.at };
        let volume = volume.map(|volume| if is_generated(volume) { "?" } else { volume }.to_owned());
        calls.insert(call, TracedCall { operation, volume, id: id.map(&mut number), at });
    }
    calls
}

/// Whether an engine made a volume's name up.
pub fn is_generated(volume: &str) -> bool {
    volume.len() == 64 && volume.bytes().all(|byte| byte.is_ascii_hexdigit())
}
