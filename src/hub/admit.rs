//! Admission: the rules decide about each call that arrives.

use std::sync::Arc;

use super::{Hub, Inner};
use crate::domain::{
    model::{
        entry::{EntryKind, Evaluation, RuleDecision, RuleEvent},
        lint::Lint,
        peer::Peer,
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
    /// The number of the connection.
    pub connection: u64,
    /// Who connected, if the system says.
    pub peer: Option<&'r Peer>,
    /// Whether it is the first call of its peer.
    pub first_contact: bool,
    /// Whether there was no body at all.
    pub empty_body: bool,
}

/// What the hub decides about a call.
#[derive(Clone, Debug)]
pub struct Admission {
    /// What is to be done to it.
    pub injection: Option<Injection>,
    /// What each rule for its operation decided, if there is one.
    pub evaluation: Option<Arc<[RuleDecision]>>,
    /// Its lints so far.
    pub lints: Vec<Lint>,
    /// Whether the driver knows its volume.
    pub known: bool,
    /// Whether its volume has an open mount.
    pub mounted: bool,
    /// Whether the mount ID is mounted on it.
    pub id_mounted: bool,
}

impl Hub {
    /// Decides what is to be done to a call.
    pub fn admit(&self, arrival: &IncomingCall<'_>) -> Admission {
        let IncomingCall { call, operation, request, caller, connection, .. } = *arrival;
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
            connection,
            peer: arrival.peer,
            first_contact: arrival.first_contact,
            known: record.is_some_and(|volume| volume.exists),
            mounted: record.is_some_and(|volume| volume.is_mounted()),
            retry: arrival.empty_body && caller.sends_body_for(operation),
        };
        let RequestContext { known, mounted, .. } = context;
        let id_mounted = record.is_some_and(|volume| volume.mounts.contains_key(&request.id));
        let lints = state.linter().on_arrival(&context, record.map(Arc::as_ref));
        let (rules, injection) = state.rules().decide(&context, at);
        let evaluated: Vec<_> = rules.iter().filter(|rule| rule.decision.is_evaluated()).cloned().collect();
        if let Some(last) = evaluated.last().map(|decision| decision.id) {
            let non_empty = |text: &str| (!text.is_empty()).then(|| text.into());
            let evaluation = Evaluation {
                call,
                operation,
                volume: non_empty(&request.name),
                mount_id: non_empty(&request.id),
                connection,
                rules: evaluated,
            };
            inner.push(at, EntryKind::Rule(RuleEvent::Evaluated(Box::new(evaluation))));
            // Only the last rule can have taken the call.
            let last = inner.state.rules().get(last).filter(|rule| rule.is_used_up());
            if let Some(spent) = last.map(TrackedRule::as_text) {
                inner.push(at, EntryKind::Rule(RuleEvent::Spent(spent)));
            }
        }
        let evaluation = inner.share(rules);
        Admission { injection, evaluation, lints, known, mounted, id_mounted }
    }
}

impl Inner {
    /// The decisions about a call, shared with the call before it if they are the same.
    fn share(&mut self, rules: Vec<RuleDecision>) -> Option<Arc<[RuleDecision]>> {
        if rules.is_empty() {
            return None;
        }
        if self.decisions.as_deref() != Some(&*rules) {
            self.decisions = Some(rules.into());
        }
        self.decisions.clone()
    }
}
