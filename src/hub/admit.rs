//! Admission: the rules decide about each call that arrives.

use std::sync::Arc;

use super::{Hub, Inner};
use crate::domain::{
    model::{
        entry::{Call, EntryKind, Evaluation, RuleDecision, RuleEvent},
        protocol::{Operation, Request},
    },
    rules::{Injection, RequestContext, TrackedRule},
};

impl Hub {
    /// Decides what is to be done to a call, and completes what its entry says of its arrival.
    pub fn admit(&self, call: &mut Call, request: &Request) -> Option<Injection> {
        let mut inner = self.locked.lock();
        let at = self.now();
        let mut has_changed = inner.end_what_is_due(at);
        if has_changed {
            self.publish_desired_state(&mut inner);
        }
        let state = &inner.state;
        let record = state.volumes().known(&request.name);
        call.known = record.is_some_and(|volume| volume.exists);
        call.mounted = record.is_some_and(|volume| volume.is_mounted());
        call.id_mounted = record.is_some_and(|volume| volume.mounts.contains_key(&request.id));
        let options = record
            .filter(|_| call.operation != Some(Operation::Create))
            .map_or(&request.options, |volume| &volume.options);
        let context = RequestContext::of(call, options);
        let lints = state.linter().on_arrival(&context, record.map(Arc::as_ref));
        let (rules, injection) = state.rules().decide(&context, at);
        let evaluated: Vec<_> = rules.iter().filter(|rule| rule.decision.is_evaluated()).cloned().collect();
        if let Some(last) = evaluated.last().map(|decision| decision.id) {
            let evaluation = Evaluation {
                call: call.number,
                operation: call.operation,
                request_line: call.request_line.clone(),
                volume: call.volume.clone(),
                mount_id: call.mount_id.clone(),
                connection: call.connection,
                rules: evaluated,
            };
            inner.push(at, EntryKind::Rule(Box::new(RuleEvent::Evaluated(evaluation))));
            has_changed = true;
            // Only the last rule can have taken the call.
            let last = inner.state.rules().get(last).filter(|rule| rule.is_used_up());
            if let Some(spent) = last.map(TrackedRule::as_text) {
                inner.push(at, EntryKind::Rule(Box::new(RuleEvent::Spent(spent))));
            }
        }
        (call.lints, call.evaluation) = (lints, inner.share(rules));
        drop(inner);
        // The end of the call may be far away.
        if has_changed {
            self.changes.send();
        }
        injection
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
