//! What is read from the control API of an instance: its state, its kept entries, and the stream of new ones.

use std::sync::Arc;

use bytes::Buf as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use jiff::Timestamp;
use serde::Deserialize;

use crate::{
    domain::{
        lang::command::Command,
        model::{
            entry::{Entry, FORMAT},
            scenario::{ScenarioCatalog, ScenarioInfo},
        },
        state::State,
    },
    hub::CommandOutput,
    net::{
        Address, Endpoint,
        client::{Client, ClientError},
    },
};

/// `GET /v1/checkpoint`
#[derive(Deserialize)]
struct ReceivedCheckpoint {
    format: u32,
    version: String,
    started: Timestamp,
    at: Timestamp,
    first: u64,
    scenarios: Vec<ScenarioInfo>,
    dangerous_is_real: bool,
    state: serde_json::Value,
}

/// The state of an instance at one moment.
pub struct Attachment {
    /// When it was started.
    pub started: Timestamp,
    /// Its time.
    pub at: Timestamp,
    /// The number of the oldest entry that it keeps.
    pub first: u64,
    /// The scenarios that it can play.
    pub catalog: ScenarioCatalog,
    /// The number of the last entry of the state.
    pub last: u64,
    /// Whether what is known already goes on without a gap. `state` is then of no use.
    pub continues: bool,
    /// The state, with the last entries.
    pub state: State,
}

impl Attachment {
    /// Gets the state, with at most `history` entries. `known` is when the process was started and its last entry that is
    /// known here.
    pub async fn open(
        endpoint: &Endpoint,
        known: Option<(Timestamp, u64)>,
        history: u64,
    ) -> Result<Self, ClientError> {
        let client = endpoint.client().await?;
        let document = client.get("/v1/checkpoint").await?;
        let document: ReceivedCheckpoint = serde_json::from_slice(&document).map_err(|error| {
            client.broken(format_args!(
                "its state cannot be read ({error}); use the same version here and there"
            ))
        })?;
        let ReceivedCheckpoint { format, version, started, at, first, scenarios, dangerous_is_real, state } =
            document;
        let other_version = || {
            let own = env!("CARGO_PKG_VERSION");
            client.broken(format_args!(
                "it is voltergeist {version}, and this is {own}; use the same version here and there"
            ))
        };
        if format != FORMAT {
            return Err(other_version());
        }
        let mut state: State = serde_json::from_value(state).map_err(|_| other_version())?;
        let last = state.journal().next_seq() - 1;
        let continues =
            known.is_some_and(|(known, seen)| known == started && seen <= last && seen + 1 >= first);
        if !continues {
            let after = last.saturating_sub(history).max(first.saturating_sub(1));
            let lines = client.get(&format!("/v1/entries?after={after}")).await?;
            let mut entries = Vec::new();
            for line in lines.chunk().split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let entry = Entry::from_json(line).map_err(|error| client.broken(error))?;
                if entry.seq <= last {
                    entries.push(Arc::new(entry));
                }
            }
            state.prepend(&entries);
        }
        let catalog = ScenarioCatalog { scenarios: scenarios.into(), is_real: dangerous_is_real };
        Ok(Self { started, at, first, catalog, last, continues, state })
    }
}

/// One event of the stream.
#[derive(Debug)]
pub enum StreamEvent {
    /// An entry.
    Entry(Arc<Entry>),
    /// Entries are gone.
    Missed,
    /// The time of the instance.
    Heartbeat(Timestamp),
}

/// The stream of an instance's entries.
pub struct EntryStream {
    address: Address,
    body: Incoming,
    buffer: Vec<u8>,
}

impl Client {
    /// Opens the stream of entries after a number.
    pub(super) async fn stream(&self, after: u64) -> Result<EntryStream, ClientError> {
        let body = self.open(&format!("/v1/entries/stream?after={after}&heartbeat=true")).await?;
        Ok(EntryStream { address: self.address().clone(), body, buffer: Vec::new() })
    }

    /// Runs a command.
    pub(super) async fn command(&self, command: &Command) -> Result<CommandOutput, ClientError> {
        let reply = self.post("/v1/commands", command.to_string(), "application/json").await?;
        serde_json::from_slice(&reply).map_err(|error| self.broken(error))
    }
}

impl EntryStream {
    /// Where it comes from.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The next events. None at the end of the stream.
    pub async fn next(&mut self) -> Result<Option<Vec<StreamEvent>>, ClientError> {
        let broken = |problem: String| ClientError::Broken { address: self.address.clone(), problem };
        loop {
            let frame = match self.body.frame().await {
                None => return Ok(None),
                Some(frame) => frame.map_err(|error| broken(error.to_string()))?,
            };
            let Ok(data) = frame.into_data() else { continue };
            self.buffer.extend_from_slice(&data);
            let Some(end) = self.buffer.windows(2).rposition(|pair| pair == b"\n\n") else { continue };
            let rest = self.buffer.split_off(end + 2);
            let whole = std::mem::replace(&mut self.buffer, rest);
            return parse(&whole).map(Some).map_err(broken);
        }
    }
}

/// Reads whole events.
fn parse(text: &[u8]) -> Result<Vec<StreamEvent>, String> {
    let mut events = Vec::new();
    let mut kind: &[u8] = b"";
    for line in text.split(|byte| *byte == b'\n') {
        if line.is_empty() {
            kind = b"";
        } else if let Some(name) = line.strip_prefix(b"event: ") {
            kind = name;
        } else if let Some(data) = line.strip_prefix(b"data: ") {
            match kind {
                b"" => {
                    let entry = Entry::from_json(data).map_err(|error| error.to_string())?;
                    events.push(StreamEvent::Entry(Arc::new(entry)));
                }
                b"missed" => events.push(StreamEvent::Missed),
                b"heartbeat" => {
                    let at = std::str::from_utf8(data).ok().and_then(|at| at.parse().ok());
                    let at = at.ok_or_else(|| "a heartbeat has no time".to_owned())?;
                    events.push(StreamEvent::Heartbeat(at));
                }
                // From a later version.
                _ => {}
            }
        }
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_events_of_a_stream_are_read() {
        let text = "id: 2\ndata: {\"seq\":2,\"at\":\"2026-01-02T03:04:05Z\",\"kind\":\"note\",\"text\":\"x\"}\n\n\
                    : keep-alive\n\nevent: missed\nid: 40\ndata: 28\n\nevent: other\ndata: x\n\n\
                    event: heartbeat\ndata: 2026-01-02T03:04:06Z\n\n";
        let events = parse(text.as_bytes()).expect("it is a stream");
        let shown: Vec<_> = events
            .iter()
            .map(|event| match event {
                StreamEvent::Entry(entry) => format!("entry {}", entry.seq),
                StreamEvent::Missed => "missed".to_owned(),
                StreamEvent::Heartbeat(at) => format!("at {at}"),
            })
            .collect();
        assert_eq!(shown, ["entry 2", "missed", "at 2026-01-02T03:04:06Z"]);
    }
}
