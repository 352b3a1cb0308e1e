//! The latest replies of the upstream, for the faults that send one instead of the real one.

use std::collections::HashMap;

use axum::http::StatusCode;
use bytes::Bytes;

use crate::{domain::model::protocol::Operation, plugin::http_reply::HttpReply};

/// The latest replies to each call about each volume, within a bound.
#[derive(Default)]
pub struct PastReplies {
    replies: HashMap<(Operation, Box<str>), Remembered>,
    bytes: usize,
}

/// The replies to one call about one volume.
struct Remembered {
    latest: HttpReply,
    /// The latest one that was another.
    before: Option<HttpReply>,
    /// The latest one without an error.
    success: Option<HttpReply>,
}

impl PastReplies {
    /// How many bytes of replies are kept. Beyond it all of them are dropped, and learnt again.
    const BYTES: usize = 4 * 1024 * 1024;

    /// Remembers a reply.
    pub fn push(
        &mut self,
        operation: Operation,
        name: &str,
        is_ok: bool,
        (status, body): (StatusCode, &Bytes),
    ) {
        // A copy, since the body is a part of the connection's read buffer.
        let reply = || HttpReply::json(status, Bytes::copy_from_slice(body));
        let key = (operation, Box::from(name));
        if let Some(known) = self.replies.get_mut(&key) {
            if known.latest.status == status && known.latest.body == *body {
                return;
            }
            let reply = reply();
            self.bytes += reply.body.len();
            known.before = Some(std::mem::replace(&mut known.latest, reply.clone()));
            if is_ok {
                known.success = Some(reply);
            }
        } else {
            let reply = reply();
            self.bytes += reply.body.len() + name.len() + size_of::<Remembered>();
            let success = is_ok.then(|| reply.clone());
            self.replies.insert(key, Remembered { latest: reply, before: None, success });
        }
        if self.bytes > Self::BYTES {
            *self = Self::default();
        }
    }

    /// The latest reply.
    pub fn latest(&self, operation: Operation, name: &str) -> Option<HttpReply> {
        self.get(operation, name).map(|known| known.latest.clone())
    }

    /// The reply before the latest one that was another.
    pub fn stale(&self, operation: Operation, name: &str) -> Option<HttpReply> {
        self.get(operation, name).and_then(|known| known.before.clone())
    }

    /// The latest reply without an error.
    pub fn success(&self, operation: Operation, name: &str) -> Option<HttpReply> {
        self.get(operation, name).and_then(|known| known.success.clone())
    }

    fn get(&self, operation: Operation, name: &str) -> Option<&Remembered> {
        self.replies.get(&(operation, Box::from(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_the_one_before_and_the_latest_success_are_remembered_within_a_bound() {
        let mut replies = PastReplies::default();
        let mut push = |body: String, is_ok: bool| {
            replies.push(Operation::Get, "v", is_ok, (StatusCode::OK, &body.into()));
        };
        push("first".into(), true);
        push("first".into(), true);
        push("second".into(), false);
        let bodies = |replies: &PastReplies| {
            [PastReplies::latest, PastReplies::stale, PastReplies::success]
                .map(|get| get(replies, Operation::Get, "v").map(|reply| reply.body))
        };
        assert_eq!(bodies(&replies), [Some("second".into()), Some("first".into()), Some("first".into())]);
        assert!(replies.latest(Operation::Mount, "v").is_none());
        for number in 0..5000 {
            replies.push(Operation::Get, "v", true, (StatusCode::OK, &format!("{number:1024}").into()));
            assert!(replies.bytes <= PastReplies::BYTES);
        }
    }
}
