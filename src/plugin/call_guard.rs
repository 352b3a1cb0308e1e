//! An entry in the making: a call gets into the journal whatever becomes of it.
//!
//! An engine that gives up drops the handler's future, and a handler that panics unwinds it: code after
//! an `.await` never runs then. So the draft is what records, and it does so at the latest when it is dropped.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{fault_stream::ConnectionControl, http_reply::HttpReply};
use crate::{
    domain::model::{
        entry::{Body, Call, EntryKind, HeldCall, OriginalReply, Outcome},
        fault::Release,
        protocol::Operation,
    },
    state::{HeldCallGuard, Hub},
};

/// A call whose end is not known yet.
pub struct CallGuard {
    hub: Arc<Hub>,
    line: Arc<ConnectionControl>,
    started: Instant,
    call: Option<Box<Call>>,
}

impl CallGuard {
    /// Begins with what is known from the request's head.
    pub fn new(hub: Arc<Hub>, line: Arc<ConnectionControl>, call: Call) -> Self {
        Self { hub, line, started: Instant::now(), call: Some(Box::new(call)) }
    }

    /// What is known so far.
    pub fn call(&mut self) -> &mut Call {
        self.call.as_mut().expect("a draft holds its call until it is consumed")
    }

    /// The line of the connection on which the call came.
    pub fn line(&self) -> &Arc<ConnectionControl> {
        &self.line
    }

    /// Notes that the call begins to wait because the rule says so that acts on it. Without a natural answer that can
    /// still be another one, it can only be let go.
    pub fn wait(&mut self, operation: Operation, natural: Option<&HttpReply>) -> HeldCallGuard {
        let hub = Arc::clone(&self.hub);
        let call = self.call();
        let waiting = HeldCall {
            call: call.call,
            operation,
            caller: call.caller,
            connection: call.connection,
            volume: call.volume.clone(),
            mount_id: call.mount_id.clone(),
            retry: call.request.length == 0 && call.caller.sends_body_for(operation),
            fault: call.fault.clone().expect("only a rule makes a call wait"),
            original: natural.map(|answer| OriginalReply {
                status: answer.status.as_u16(),
                body: Body::new(&answer.body),
            }),
        };
        let ticket = hub.hold(waiting);
        call.held_seq = Some(ticket.seq);
        ticket
    }

    /// Notes how a held call was released before its own time.
    pub fn released(&mut self, release: Release) {
        if let Some(fault) = &mut self.call().fault {
            fault.released = Some(release);
        }
    }

    /// The caller gets an answer, or as much of it as is sent.
    pub fn answered(mut self, answer: &HttpReply, sent: &Bytes) {
        let call = self.call();
        call.status = Some(answer.status.as_u16());
        call.error.clone_from(&answer.error);
        call.reply = Body::new(sent);
        let outcome = if answer.error.is_some() { Outcome::Error } else { Outcome::Ok };
        self.record(outcome);
    }

    /// The caller gets no answer.
    pub fn unanswered(mut self, why: &str) {
        self.call().error = Some(why.into());
        self.record(Outcome::Error);
    }

    fn record(&mut self, outcome: Outcome) {
        let Some(mut call) = self.call.take() else { return };
        // As exact as the journal writes it, so that a recording is the journal again.
        call.duration =
            Duration::from_micros(self.started.elapsed().as_micros().try_into().unwrap_or(u64::MAX));
        call.outcome = outcome;
        self.hub.record(EntryKind::Call(call));
    }
}

impl Drop for CallGuard {
    fn drop(&mut self) {
        if self.call.is_none() {
            return;
        }
        let (outcome, why) = if std::thread::panicking() {
            (Outcome::Panicked, "the handler panicked")
        } else if let Some(why) = self.line.ended() {
            (Outcome::Error, why)
        } else {
            (Outcome::Cancelled, "the caller gave up")
        };
        self.call().error = Some(why.into());
        self.record(outcome);
    }
}
