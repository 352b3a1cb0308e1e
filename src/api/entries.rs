//! `GET /v1/entries` and `GET /v1/entries/stream`: the kept entries, and new ones as they are recorded.

use std::{convert::Infallible, sync::Arc, time::Duration, vec};

use axum::{
    body::Body,
    extract::{FromRequestParts, Query, State},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::stream;
use serde::Deserialize;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::ApiState;
use crate::{
    domain::{lang::json, model::entry::Entry},
    hub::{Changes, Hub},
};

/// How many entries are read from the journal at a time.
const BATCH: usize = 256;

/// How often a stream with heartbeats says the time.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long a reader waits at least between two looks at the journal.
const PAUSE: Duration = Duration::from_millis(10);

/// The query: which entries to return.
#[derive(Deserialize)]
pub struct Range {
    /// Only those with a greater number.
    after: Option<u64>,
    /// At most this many.
    limit: Option<usize>,
    /// Whether the stream says the time every second.
    #[serde(default)]
    heartbeat: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Range {
    type Rejection = (StatusCode, String);

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let Query(range) = Query::from_request_parts(parts, state).await.map_err(|error| {
            let query = parts.uri.query().unwrap_or_default();
            let why = std::error::Error::source(&error).map_or_else(String::new, |why| format!(" ({why})"));
            let text = format!(
                "cannot read {query:?}{why}; after and limit are whole numbers, as in after=120&limit=50\n"
            );
            (StatusCode::BAD_REQUEST, text)
        })?;
        Ok(range)
    }
}

/// Replies with the kept entries as JSON lines, up to the newest one at the time of the request.
pub async fn entries(State(ApiState { hub, .. }): State<ApiState>, range: Range) -> Response {
    let end = hub.kept().end;
    let start = (range.after.unwrap_or(0), range.limit.unwrap_or(usize::MAX));
    let batches = stream::unfold(start, move |(after, limit)| {
        let (entries, _) = hub.entries_after(after, limit.min(BATCH));
        let entries: Vec<_> = entries.into_iter().filter(|entry| entry.seq < end).collect();
        let next = entries.last().map(|last| {
            let lines = entries.iter().fold(Vec::new(), |mut lines, entry| {
                lines.extend(json(entry).as_bytes());
                lines.push(b'\n');
                lines
            });
            (Ok::<_, Infallible>(lines), (last.seq, limit - entries.len()))
        });
        std::future::ready(next)
    });
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(batches)).into_response()
}

/// Replies with server-sent events: the entries after the last one that the reader has seen, then new ones.
pub async fn stream(
    State(ApiState { hub, shutdown, .. }): State<ApiState>,
    range: Range,
    headers: HeaderMap,
) -> Response {
    let resumed = match headers.get("last-event-id").map(|id| id.to_str().map(str::parse)) {
        None => range.after,
        Some(Ok(Ok(id))) => Some(id),
        Some(_) => {
            let text =
                "Last-Event-ID is not the number of an entry; leave it out to start at the oldest entry\n";
            return (StatusCode::BAD_REQUEST, text).into_response();
        }
    };
    let changes = hub.subscribe();
    let kept = hub.kept();
    let reader = Reader {
        changes,
        // A number that is not used yet comes from an earlier process, whose entries are not here.
        seen: resumed.filter(|seen| *seen < kept.end).unwrap_or(kept.start - 1),
        read: None,
        batch: Vec::new().into_iter(),
        heartbeat: range.heartbeat.then(|| Instant::now() + HEARTBEAT),
        hub,
        shutdown,
    };
    let events = stream::unfold(reader, async |mut reader| {
        let event = reader.next().await?;
        Some((Ok::<_, Infallible>(event), reader))
    });
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

/// A reader of the stream. A slow reader misses entries; the journal never waits for it.
struct Reader {
    hub: Arc<Hub>,
    changes: Changes,
    shutdown: CancellationToken,
    /// The number of the last entry that was sent to it or that it missed.
    seen: u64,
    /// When the next heartbeat is due.
    heartbeat: Option<Instant>,
    /// When the journal was read last.
    read: Option<Instant>,
    batch: vec::IntoIter<Arc<Entry>>,
}

impl Reader {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(due) = self.heartbeat.filter(|due| *due <= Instant::now()) {
                self.heartbeat = Some(due.max(Instant::now() - HEARTBEAT) + HEARTBEAT);
                return Some(Event::default().event("heartbeat").data(self.hub.now().to_string()));
            }
            if let Some(entry) = self.batch.next() {
                self.seen = entry.seq;
                return Some(Event::default().id(entry.seq.to_string()).data(json(&entry)));
            }
            let (entries, first) = self.hub.entries_after(self.seen, BATCH);
            self.read = Some(Instant::now());
            let missed = first.saturating_sub(self.seen.saturating_add(1));
            self.batch = entries.into_iter();
            if missed > 0 {
                self.seen += missed;
                return Some(
                    Event::default().event("missed").id(self.seen.to_string()).data(missed.to_string()),
                );
            }
            if self.batch.len() == 0 {
                let heartbeat = self.heartbeat.unwrap_or_else(Instant::now);
                tokio::select! {
                    () = self.shutdown.cancelled() => return None,
                    () = sleep_until(heartbeat), if self.heartbeat.is_some() => {}
                    changed = self.changes.changed() => changed.ok()?,
                }
                // Under load, a reader takes many entries at once, instead of the lock for each.
                if let Some(read) = self.read {
                    sleep_until(read + PAUSE).await;
                }
            }
        }
    }
}

fn json(entry: &Entry) -> String {
    json::line(entry).expect("an entry has only text keys")
}
