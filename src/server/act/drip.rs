//! An answer that arrives byte by byte.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use hyper::Response;
use tokio::time::Instant;

use crate::{
    hub::Ticket,
    server::{
        answer::{Answer, AnswerBody},
        draft::Draft,
        wire::Cut,
    },
};

/// Sends the first byte at once and the last when the time is over; all that is left when the call is released.
pub fn dripping(answer: &Answer, over: Duration, ticket: Ticket, draft: Draft) -> Response<AnswerBody> {
    let drip = Drip {
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
    answer: Answer,
    sent: usize,
    started: Instant,
    over: Duration,
    ticket: Ticket,
    released: bool,
    draft: Option<Draft>,
}

impl Drip {
    async fn next(mut self) -> Option<(Result<Bytes, Cut>, Self)> {
        let length = self.answer.body.len();
        if self.sent == length {
            return None;
        }
        if !self.released {
            tokio::select! {
                () = tokio::time::sleep_until(self.due(self.sent)) => {}
                () = self.ticket.released() => self.released = true,
            }
        }
        let now = Instant::now();
        let later = (self.sent + 1..length).find(|byte| !self.released && self.due(*byte) > now);
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
        let last = self.answer.body.len().saturating_sub(1).max(1);
        self.started + self.over.mul_f64(byte as f64 / last as f64)
    }
}
