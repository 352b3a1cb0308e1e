//! An answer that arrives byte by byte.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use hyper::Response;
use tokio::time::Instant;

use crate::{
    plugin::{
        call_guard::CallGuard,
        fault_stream::Disconnect,
        http_reply::{HttpReply, ReplyBody},
    },
    state::HeldCallGuard,
};

/// Sends the first byte at once and the last when the time is over; all that is left when the call is released.
///
/// The line's end travels with the byte before it: a JSON decoder stops reading at the closing bracket, and a caller
/// that then hangs up has had its answer.
pub fn dripping(
    answer: &HttpReply,
    over: Duration,
    ticket: HeldCallGuard,
    draft: CallGuard,
) -> Response<ReplyBody> {
    let drip = Drip {
        last: answer.body.trim_ascii_end().len().saturating_sub(1),
        answer: answer.clone(),
        sent: 0,
        started: Instant::now(),
        over,
        ticket,
        released: false,
        draft: Some(draft),
    };
    answer.streamed(stream::unfold(drip, Drip::next))
}

struct Drip {
    answer: HttpReply,
    /// The byte that is due at the end; what is behind it goes with it.
    last: usize,
    sent: usize,
    started: Instant,
    over: Duration,
    ticket: HeldCallGuard,
    released: bool,
    draft: Option<CallGuard>,
}

impl Drip {
    async fn next(mut self) -> Option<(Result<Bytes, Disconnect>, Self)> {
        let length = self.answer.body.len();
        if self.sent == length {
            return None;
        }
        if !self.released {
            tokio::select! {
                () = tokio::time::sleep_until(self.due(self.sent)) => {}
                wakeup = self.ticket.released() => {
                    self.released = true;
                    if let (Some(wakeup), Some(draft)) = (wakeup, &mut self.draft) {
                        draft.released(wakeup.release);
                    }
                }
            }
        }
        let now = Instant::now();
        let later = (self.sent + 1..=self.last).find(|byte| !self.released && self.due(*byte) > now);
        let end = later.unwrap_or(length);
        let drop = self.answer.body.slice(self.sent..end);
        self.sent = end;
        // Recorded before its last byte leaves, so that nobody can have the answer without the entry.
        if end == length
            && let Some(draft) = self.draft.take()
        {
            draft.answered(&self.answer, &self.answer.body);
        }
        Some((Ok(drop), self))
    }

    fn due(&self, byte: usize) -> Instant {
        self.started + self.over.mul_f64(byte as f64 / self.last.max(1) as f64)
    }
}
