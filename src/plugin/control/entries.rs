//! `GET /v1/entries` and `GET /v1/entries/stream`: the journal, as far as it is kept, and as it grows.

use std::{convert::Infallible, sync::Arc, vec};

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
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Control;
use crate::{domain::model::entry::Entry, state::Hub};

/// How many entries are taken from the hub at a time.
const BATCH: usize = 256;

/// Which entries are asked for.
#[derive(Deserialize)]
pub struct Range {
    /// Only those with a greater number.
    after: Option<u64>,
    /// At most so many.
    limit: Option<usize>,
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

/// Answers with the kept entries as JSON lines, up to the newest at the time of the request.
pub async fn entries(State(Control { hub, .. }): State<Control>, range: Range) -> Response {
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

/// Answers with server-sent events: the entries after the one that the reader has seen last, and all that come.
pub async fn stream(
    State(Control { hub, release_action, .. }): State<Control>,
    range: Range,
    headers: HeaderMap,
) -> Response {
    let resumed = match headers.get("last-event-id").map(|id| id.to_str().map(str::parse)) {
        None => range.after,
        Some(Ok(Ok(id))) => Some(id),
        Some(_) => {
            let text = "Last-Event-ID is no entry's number; leave it out to begin at the oldest entry\n";
            return (StatusCode::BAD_REQUEST, text).into_response();
        }
    };
    let changes = hub.changes();
    let kept = hub.kept();
    let reader = Reader {
        changes,
        // A number that is still to come was given by an earlier life, none of whose entries are here.
        seen: resumed.filter(|seen| *seen < kept.end).unwrap_or(kept.start - 1),
        batch: Vec::new().into_iter(),
        hub,
        release_action,
    };
    let events = stream::unfold(reader, async |mut reader| {
        let event = reader.next().await?;
        Some((Ok::<_, Infallible>(event), reader))
    });
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

/// A reader of the stream. The journal goes on without it, however slow it is.
struct Reader {
    hub: Arc<Hub>,
    changes: watch::Receiver<u64>,
    release_action: CancellationToken,
    /// The number of the last entry that it was sent, or that it missed.
    seen: u64,
    batch: vec::IntoIter<Arc<Entry>>,
}

impl Reader {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(entry) = self.batch.next() {
                self.seen = entry.seq;
                return Some(Event::default().id(entry.seq.to_string()).data(json(&entry)));
            }
            let (entries, first) = self.hub.entries_after(self.seen, BATCH);
            let missed = first.saturating_sub(self.seen.saturating_add(1));
            self.batch = entries.into_iter();
            if missed > 0 {
                self.seen += missed;
                return Some(
                    Event::default().event("missed").id(self.seen.to_string()).data(missed.to_string()),
                );
            }
            if self.batch.len() == 0 {
                tokio::select! {
                    () = self.release_action.cancelled() => return None,
                    changed = self.changes.changed() => changed.ok()?,
                }
            }
        }
    }
}

fn json(entry: &Entry) -> String {
    serde_json::to_string(entry).expect("an entry has only text keys")
}
