//! The reply to List where there are many volumes: it is sent in parts and is in memory as a whole only if a rule applies to the call.

use std::convert::Infallible;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};

use super::DiskStore;
use crate::{
    domain::model::{
        entry,
        protocol::{Description, Reply},
        volume::{Volume, Volumes},
    },
    plugin::{call_guard::CallGuard, http_reply::HttpReply},
};

/// How many volumes a part has at most.
const PART: usize = 512;

/// Whether List shows a volume.
pub fn is_listed(volume: &Volume) -> bool {
    volume.exists && !volume.is_ninja()
}

/// The volumes at the moment of the call.
pub struct LongList {
    volumes: Volumes,
    disk: DiskStore,
}

impl LongList {
    /// A list of these volumes, if they are many.
    pub fn new(volumes: Volumes, disk: &DiskStore) -> Option<Self> {
        (volumes.len() > PART).then(|| Self { volumes, disk: disk.clone() })
    }

    /// The whole reply, for a fault that delays or alters it.
    pub fn collect(&self) -> HttpReply {
        let listed = self.volumes.iter().filter(|volume| is_listed(volume));
        Reply::Volumes(listed.map(|volume| self.describe(volume)).collect()).into()
    }

    /// Records the call, and returns a response that sends the reply in parts. Its length is sent first, so the parts are
    /// made twice.
    pub async fn stream(self, guard: CallGuard) -> Response {
        let (mut kept, mut length) = (Vec::new(), 0);
        let mut next = Some(Position::default());
        while let Some(position) = next {
            let (part, after) = self.part(position);
            length += part.len();
            let room = entry::Body::KEPT.saturating_sub(kept.len());
            kept.extend_from_slice(&part[..part.len().min(room)]);
            next = after;
            // Other calls of this thread need not wait for all of it.
            tokio::task::yield_now().await;
        }
        guard.record_body(StatusCode::OK, None, entry::Body { bytes: kept.into(), length });
        let parts = stream::unfold(Some(Position::default()), move |position| {
            let part = position.map(|position| self.part(position));
            std::future::ready(part)
        });
        let mut response = HttpReply::json(StatusCode::OK, Bytes::new()).into_response();
        *response.body_mut() = Body::from_stream(parts.map(Ok::<_, Infallible>));
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        response
    }

    fn describe(&self, volume: &Volume) -> Description {
        Description {
            name: volume.name.clone(),
            mountpoint: self.disk.mountpoint(&volume.name),
            created: volume.created,
        }
    }

    /// The part that begins here, and where the next one does.
    fn part(&self, Position { row, is_first }: Position) -> (Bytes, Option<Position>) {
        let end = (row + PART).min(self.volumes.len());
        let mut part = Vec::new();
        if row == 0 {
            part.extend_from_slice(b"{\"Volumes\":[");
        }
        let mut is_first = is_first;
        for volume in self.volumes.rows(row..end).filter(|volume| is_listed(volume)) {
            if !std::mem::take(&mut is_first) {
                part.push(b',');
            }
            serde_json::to_writer(&mut part, &self.describe(volume)).expect("a volume has only text keys");
        }
        if end < self.volumes.len() {
            return (part.into(), Some(Position { row: end, is_first }));
        }
        part.extend_from_slice(b"]}\n");
        (part.into(), None)
    }
}

/// A place in the list.
#[derive(Clone, Copy)]
struct Position {
    row: usize,
    /// Whether no volume was listed before.
    is_first: bool,
}

impl Default for Position {
    fn default() -> Self {
        Self { row: 0, is_first: true }
    }
}
