//! The way in: each call is numbered, judged and, if a rule says so, kept waiting.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{sync::oneshot, time::timeout};

use super::{HeldCallState, Hub};
use crate::domain::{
    analysis::linter::Lint,
    model::{
        entry::{EntryKind, HeldCall, RuleLifecycle},
        protocol::{Caller, Operation, Request},
    },
    rules::{Injection, ReleaseAction, RequestContext},
};

/// A call as it arrives.
#[derive(Clone, Copy, Debug)]
pub struct IncomingCall<'r> {
    /// What is asked.
    pub operation: Operation,
    /// The body, read.
    pub request: &'r Request,
    /// Who asks.
    pub caller: Caller,
    /// Whether there was no body at all.
    pub empty_body: bool,
}

/// What the hub says to an arrival.
#[derive(Clone, Debug)]
pub struct Admission {
    /// The call's number.
    pub number: u64,
    /// When it was admitted.
    pub at: Timestamp,
    /// What is to be done to it.
    pub injection: Option<Injection>,
    /// What is odd about it already.
    pub lints: Vec<Lint>,
    /// Whether its volume has an open mount.
    pub mounted: bool,
}

impl Hub {
    /// Numbers a call and decides what is to be done to it. `None` stands for a request that is not in the protocol.
    pub fn admit(&self, arrival: Option<&IncomingCall<'_>>) -> Admission {
        let at = self.now();
        let mut state = self.state.lock();
        state.admitted += 1;
        let number = state.admitted;
        let Some(arrival) = arrival else {
            return Admission { number, at, injection: None, lints: Vec::new(), mounted: false };
        };
        let state = &mut *state;
        if state.tick(at) {
            self.order(state);
        }
        let record = state.volumes.record(&arrival.request.name);
        let facts = RequestContext {
            operation: arrival.operation,
            volume: &arrival.request.name,
            id: &arrival.request.id,
            options: record
                .filter(|_| arrival.operation != Operation::Create)
                .map_or(&arrival.request.options, |volume| &volume.options),
            caller: arrival.caller,
            mounted: record.is_some_and(|volume| volume.is_mounted()),
            retry: arrival.empty_body && arrival.caller.sends_body_for(arrival.operation),
        };
        let mounted = facts.mounted;
        let lints = state.linter.arrived(&facts, record.map(Arc::as_ref));
        let (injection, spent) = state.rules.decide(&facts, number, at);
        if let Some(rule) = &spent {
            state.end_rule(at, rule, RuleLifecycle::Spent);
        }
        Admission { number, at, injection, lints, mounted }
    }

    /// Notes that a call waits, and gives it a ticket to wait with.
    pub fn wait(self: &Arc<Self>, waiting: HeldCall) -> HeldCallGuard {
        let at = self.now();
        let rule = waiting.fault.id;
        let mut state = self.state.lock();
        let entry = state.push(at, EntryKind::Held(waiting));
        let seq = entry.seq;
        let (release, released) = oneshot::channel();
        let mut waiter = HeldCallState { entry, rule, release: Some(release) };
        // A rule that ended since it was asked can no longer let the call go.
        if !state.rules.iter().any(|armed| armed.id == rule && armed.holds(at)) {
            waiter.release_held(None);
        }
        state.waiting.insert(seq, waiter);
        self.order(&state);
        drop(state);
        self.wake();
        HeldCallGuard { hub: Arc::clone(self), seq, released }
    }
}

/// A waiting call's place. Dropping it gives the place up.
pub struct HeldCallGuard {
    hub: Arc<Hub>,
    /// The sequence number of the entry that says the call waits.
    pub seq: u64,
    released: oneshot::Receiver<Option<ReleaseAction>>,
}

impl HeldCallGuard {
    /// Waits until a command, or the end of the rule, lets the call go, and returns how it ends if not naturally.
    /// Ask again only if the wait was given up.
    pub async fn released(&mut self) -> Option<ReleaseAction> {
        (&mut self.released).await.ok().flatten()
    }

    /// The same, but at most for a time. Behind it the call goes by itself, and no command can reach it any more.
    pub async fn released_within(&mut self, limit: Duration) -> Option<ReleaseAction> {
        if let Ok(release_action) = timeout(limit, self.released()).await {
            return release_action;
        }
        self.released.close();
        // It may have been told in the last moment.
        self.released.try_recv().ok().flatten()
    }
}

impl Drop for HeldCallGuard {
    fn drop(&mut self) {
        let mut state = self.hub.state.lock();
        state.waiting.remove(&self.seq);
        self.hub.order(&state);
        drop(state);
        self.hub.wake();
    }
}
