//! A call that has not ended yet.
//!
//! When a client disconnects, the handler's future is dropped, and a panic unwinds it: code after an `.await` does not
//! run then. So the guard records the call, at the latest when it is dropped.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use bytes::Bytes;

use super::{
    connection_control::{ConnectionControl, Disconnect},
    http_reply::HttpReply,
};
use crate::{
    domain::model::{
        entry::{Body, Call, EntryKind, HeldCall, OriginalReply, Outcome},
        fault::Release,
    },
    hub::{HeldCallGuard, Hub},
};

/// Records a call exactly once, however it ends.
pub struct CallGuard {
    hub: Arc<Hub>,
    control: Arc<ConnectionControl>,
    started: Instant,
    call: Option<Box<Call>>,
}

impl CallGuard {
    /// Starts with what is in the request's head.
    pub fn new(hub: Arc<Hub>, control: Arc<ConnectionControl>, call: Call) -> Self {
        Self { hub, control, started: Instant::now(), call: Some(Box::new(call)) }
    }

    /// The call as it is known so far.
    pub fn call(&mut self) -> &mut Call {
        self.call.as_mut().expect("the guard holds the call until it is recorded")
    }

    /// The hub in which it is recorded.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// The connection on which the request came.
    pub fn control(&self) -> &Arc<ConnectionControl> {
        &self.control
    }

    /// Marks the call as held by the rule that applies to it. Without an original reply it can only be released, not
    /// released with another reply.
    pub fn record_held(&mut self, barrier: Option<u64>, original: Option<&HttpReply>) -> HeldCallGuard {
        let hub = Arc::clone(&self.hub);
        let call = self.call();
        let fault = call.fault.as_deref().cloned().expect("only a rule holds a call");
        let held = HeldCall {
            barrier,
            original: original
                .map(|reply| OriginalReply { status: reply.status.as_u16(), body: Body::new(&reply.body) }),
            ..HeldCall::of(call, fault)
        };
        let held = hub.record_held(held);
        if call.held_seq.replace(held.seq).is_none() {
            self.control.begin_hold();
        }
        held
    }

    /// Notes how a held call was released before its own time.
    pub fn note_release(&mut self, release: Release) {
        if let Some(fault) = &mut self.call().fault {
            fault.released = Some(release);
        }
    }

    /// Records the reply and returns the response that sends it.
    pub fn reply(self, reply: HttpReply) -> Response {
        self.record_reply(&reply, &reply.body);
        reply.into_response()
    }

    /// Records the reply, of which only `sent` is sent.
    pub fn record_reply(self, reply: &HttpReply, sent: &Bytes) {
        self.record_body(reply.status, reply.error.clone(), Body::new(sent));
    }

    /// Records a reply whose body is known only in part.
    pub fn record_body(mut self, status: StatusCode, error: Option<Box<str>>, body: Body) {
        let call = self.call();
        call.status = Some(status.as_u16());
        call.reply = body;
        let outcome = if error.is_some() { Outcome::Error } else { Outcome::Ok };
        call.error = error;
        self.record(outcome);
    }

    /// Records that the connection ends without a reply, and returns the response that ends it.
    pub fn disconnect(mut self, disconnect: Disconnect, reason: &str) -> Response {
        self.call().error = Some(reason.into());
        self.record(Outcome::Error);
        disconnect.into_response()
    }

    fn record(&mut self, outcome: Outcome) {
        let Some(mut call) = self.call.take() else { return };
        // In whole microseconds, as the journal is written, so that a recording reads back equal.
        call.duration =
            Duration::from_micros(self.started.elapsed().as_micros().try_into().unwrap_or(u64::MAX));
        call.outcome = outcome;
        if call.held_seq.is_some() {
            self.control.end_hold();
        }
        if let Some(upstream) = &mut call.upstream
            && upstream.reply.as_ref() == Some(&call.reply)
        {
            upstream.reply = None;
        }
        self.hub.record(EntryKind::Call(call));
    }
}

impl Drop for CallGuard {
    fn drop(&mut self) {
        if self.call.is_none() {
            return;
        }
        let (outcome, reason) = if std::thread::panicking() {
            (Outcome::Panicked, "the handler panicked")
        } else if let Some(reason) = self.control.closed_by_server() {
            (Outcome::Error, reason)
        } else {
            (Outcome::Cancelled, "the caller gave up")
        };
        self.call().error = Some(reason.into());
        self.record(outcome);
    }
}
