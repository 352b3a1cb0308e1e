//! A reply that is sent byte by byte.

use std::time::Duration;

use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use tokio::time::Instant;

use crate::{
    hub::HeldCallGuard,
    plugin::{call_guard::CallGuard, connection_control::Disconnect, http_reply::HttpReply},
};

/// Sends the first byte at once and the last at the end of the time; the rest at once when the call is released.
///
/// The final newline is sent with the byte before it: a JSON decoder stops reading at the closing bracket, and a client
/// that then disconnects has the complete reply.
pub fn dripping(reply: &HttpReply, over: Duration, held: HeldCallGuard, guard: CallGuard) -> Response {
    let drip = Drip {
        last: reply.body.trim_ascii_end().len().saturating_sub(1),
        reply: reply.clone(),
        sent: 0,
        started: Instant::now(),
        over,
        held,
        released: false,
        guard: Some(guard),
    };
    reply.streamed(stream::unfold(drip, Drip::next))
}

struct Drip {
    reply: HttpReply,
    /// The byte that is due at the end; the bytes after it are sent with it.
    last: usize,
    sent: usize,
    started: Instant,
    over: Duration,
    held: HeldCallGuard,
    released: bool,
    guard: Option<CallGuard>,
}

impl Drip {
    async fn next(mut self) -> Option<(Result<Bytes, Disconnect>, Self)> {
        let length = self.reply.body.len();
        if self.sent == length {
            return None;
        }
        if !self.released {
            tokio::select! {
                () = tokio::time::sleep_until(self.due(self.sent)) => {}
                wakeup = self.held.wait() => {
                    self.released = true;
                    if let (Some(wakeup), Some(guard)) = (wakeup, &mut self.guard) {
                        guard.note_release(wakeup.release);
                    }
                }
            }
        }
        let now = Instant::now();
        let later = (self.sent + 1..=self.last).find(|byte| !self.released && self.due(*byte) > now);
        let end = later.unwrap_or(length);
        let bytes = self.reply.body.slice(self.sent..end);
        self.sent = end;
        // Recorded before the last byte is sent, so that a client that has the reply finds the entry.
        if end == length
            && let Some(guard) = self.guard.take()
        {
            guard.record_reply(&self.reply, &self.reply.body);
        }
        Some((Ok(bytes), self))
    }

    fn due(&self, byte: usize) -> Instant {
        self.started + self.over.mul_f64(byte as f64 / self.last.max(1) as f64)
    }
}
