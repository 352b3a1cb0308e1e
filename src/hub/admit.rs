//! Admission: the rules decide about each call that arrives.

use std::sync::Arc;

use super::Hub;
use crate::domain::{
    model::{
        entry::{EntryKind, Evaluation, RuleEvent},
        lint::Lint,
        protocol::{Caller, Operation, Request},
    },
    rules::{Injection, RequestContext, TrackedRule},
};

/// A call as it arrives.
#[derive(Clone, Copy, Debug)]
pub struct IncomingCall<'r> {
    /// Its number: see [`Hub::next_call`].
    pub call: u64,
    /// What is asked.
    pub operation: Operation,
    /// The body, parsed.
    pub request: &'r Request,
    /// Who asks.
    pub caller: Caller,
    /// Whether there was no body at all.
    pub empty_body: bool,
}

/// What the hub decides about a call.
#[derive(Clone, Debug)]
pub struct Admission {
    /// What is to be done to it.
    pub injection: Option<Injection>,
    /// Its lints so far.
    pub lints: Vec<Lint>,
    /// Whether its volume has an open mount.
    pub mounted: bool,
}

impl Hub {
    /// Decides what is to be done to a call.
    pub fn admit(&self, arrival: &IncomingCall<'_>) -> Admission {
        let IncomingCall { call, operation, request, caller, .. } = *arrival;
        let mut inner = self.locked.lock();
        let at = self.now();
        if inner.end_what_is_due(at) {
            self.publish_targets(&mut inner);
        }
        let state = &inner.state;
        let record = state.volumes().known(&request.name);
        let context = RequestContext {
            operation,
            volume: &request.name,
            id: &request.id,
            options: record
                .filter(|_| operation != Operation::Create)
                .map_or(&request.options, |volume| &volume.options),
            caller,
            mounted: record.is_some_and(|volume| volume.is_mounted()),
            retry: arrival.empty_body && caller.sends_body_for(operation),
        };
        let mounted = context.mounted;
        let lints = state.linter().on_arrival(&context, record.map(Arc::as_ref));
        let (rules, injection) = state.rules().decide(&context, at);
        if let Some(last) = rules.last().map(|decision| decision.id) {
            let volume = (!request.name.is_empty()).then(|| request.name.as_str().into());
            let evaluation = Evaluation { call, operation, volume, rules };
            inner.push(at, EntryKind::Rule(RuleEvent::Evaluated(evaluation)));
            // Only the last rule can have taken the call.
            let last = inner.state.rules().get(last).filter(|rule| rule.is_used_up());
            if let Some(spent) = last.map(TrackedRule::as_text) {
                inner.push(at, EntryKind::Rule(RuleEvent::Spent(spent)));
            }
        }
        Admission { injection, lints, mounted }
    }
}
