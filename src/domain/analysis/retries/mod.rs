//! Retries: which calls are further attempts at one that got no reply, and what its engine does next.
//!
//! `dockerd` tries again what ended below HTTP (moby `pkg/plugins/client.go`): after pauses of 1, 2, 4 and 8 s, as
//! long as a pause would end within 30 s of the first attempt. Any reply is final, whatever its status. A retry
//! has an **empty body**, so it names no volume: it is distinguished from others by its kind and its time. Podman
//! never tries again.
//!
//! [`Retries`] is built from the entries, one after another. Only what arrived is known: an attempt that was refused is seen by nobody.

mod chain;
mod next_attempt;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use crate::domain::{
    model::{
        entry::{Call, Entry, EntryKind, HeldCall, Outcome, ShellEvent},
        protocol::{Caller, Operation},
    },
    rules::client_timeout,
};

use chain::ScheduledAttempt;
pub use chain::{Attempt, Pause, RetryChain};
pub use next_attempt::NextAttempt;

/// How late an attempt may come on a busy machine before it is said to be missing.
const ATTEMPT_TOLERANCE: Duration = Duration::from_secs(1);
/// How long after an outage a first attempt may be a later one, whose earlier attempts were refused.
const UNKNOWN_ATTEMPTS_WINDOW: Duration = Duration::from_secs(30);
/// How many chains are remembered.
const KEPT: usize = 1024;
/// No chain lasts longer: the longest pauses, and the longest time limit of an attempt.
const LASTS: Duration = Duration::from_secs(30 + 120);

/// From one time to a later one; nothing if it is not later.
pub fn between(earlier: Timestamp, later: Timestamp) -> Duration {
    Duration::try_from(later.duration_since(earlier)).unwrap_or_default()
}

/// A time so much later.
fn after(time: Timestamp, passed: Duration) -> Timestamp {
    SignedDuration::try_from(passed).ok().and_then(|passed| time.checked_add(passed).ok()).unwrap_or(time)
}

/// When a call arrived.
pub fn began(entry: &Entry) -> Timestamp {
    let took = match &entry.kind {
        EntryKind::Call(call) => Some(call.duration),
        EntryKind::Shell(ShellEvent::Finished(result)) => Some(result.duration),
        _ => None,
    };
    let took = took.and_then(|took| SignedDuration::try_from(took).ok());
    took.and_then(|took| entry.at.checked_sub(took).ok()).unwrap_or(entry.at)
}

/// Whether a call ended without a reply, though its caller still waited for one.
fn is_lost(call: &Call) -> bool {
    call.status.is_none() && call.outcome == Outcome::Error
}

const fn retries(caller: Caller) -> bool {
    matches!(caller, Caller::Docker | Caller::Simulated)
}

/// The instance that an entry is of, where there are several.
type Node = Option<Arc<str>>;

/// What an entry is a further attempt at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreviousAttempt {
    /// The number of the entry of the attempt before.
    pub seq: u64,
    /// When that ended.
    pub ended: Timestamp,
    /// Whether it may belong to another call as well.
    pub is_mixed: bool,
}

/// The chains of attempts in a journal.
#[derive(Clone, Debug, Default)]
pub struct Retries {
    chains: VecDeque<RetryChain>,
    /// The number of the last entry that was taken in.
    last: u64,
    /// Since when, or until when, attempts may have been refused, by instance.
    refused: HashMap<Node, Timestamp>,
}

impl Retries {
    /// The number of the next entry to take in.
    pub const fn wants(&self) -> u64 {
        self.last + 1
    }

    /// Takes in the next entry. If it is a further attempt at an earlier call, says at which. An entry that was
    /// taken in already is left out.
    pub fn push(&mut self, entry: &Entry) -> Option<PreviousAttempt> {
        if entry.seq <= self.last {
            return None;
        }
        self.last = entry.seq;
        match &entry.kind {
            EntryKind::Call(call) => self.call(entry, call),
            EntryKind::Held(held) => self.held(entry, held),
            EntryKind::Driver(event) => {
                match event.is_reachable() {
                    Some(true) => self.reachable(entry),
                    Some(false) => drop(self.refused.insert(entry.node.clone(), Timestamp::MAX)),
                    None => {}
                }
                None
            }
            _ => None,
        }
    }

    fn reachable(&mut self, entry: &Entry) {
        if let Some(refused) = self.refused.get_mut(&entry.node).filter(|since| **since == Timestamp::MAX) {
            *refused = after(entry.at, UNKNOWN_ATTEMPTS_WINDOW);
        }
    }

    fn call(&mut self, entry: &Entry, call: &Call) -> Option<PreviousAttempt> {
        let operation = call.operation.filter(|_| retries(call.caller))?;
        if let Some(waited) = call.held_seq
            && let Some((chain, index)) = self.find(waited)
        {
            let number = self.chains[chain].attempts[index].number;
            self.chains[chain].attempts[index] = Attempt::of(entry, call, number);
            return None;
        }
        // The handshake has no body in any case.
        let is_retry = call.request.length == 0
            && (operation == Operation::Activate || call.caller.sends_body_for(operation));
        let continued =
            if is_retry { self.choose(&entry.node, call.caller, operation, began(entry)) } else { None };
        if let Some((index, slot, previous)) = continued {
            let chain = &mut self.chains[index];
            chain.attempts.push(Attempt::of(entry, call, slot.number));
            chain.is_mixed |= previous.is_mixed;
            return Some(previous);
        }
        if is_lost(call) {
            let is_later = is_retry && operation != Operation::Activate;
            let is_counted =
                !is_later && self.refused.get(&entry.node).is_none_or(|until| *until < began(entry));
            if self.chains.len() == KEPT {
                self.chains.pop_front();
            }
            self.chains.push_back(RetryChain {
                node: entry.node.clone(),
                caller: call.caller,
                operation,
                volume: call.volume.clone(),
                attempts: vec![Attempt::of(entry, call, 1)],
                is_counted,
                is_mixed: false,
            });
        }
        None
    }

    fn held(&mut self, entry: &Entry, held: &HeldCall) -> Option<PreviousAttempt> {
        let HeldCall { caller, operation, number: call, retry, .. } = *held;
        let may_be_one = |operation: &Operation| retry || *operation == Operation::Activate;
        let operation = operation.filter(may_be_one).filter(|_| retries(caller))?;
        let (index, slot, previous) = self.choose(&entry.node, caller, operation, entry.at)?;
        let attempt =
            Attempt { seq: entry.seq, call, number: slot.number, began: entry.at, ended: None, lost: false };
        let chain = &mut self.chains[index];
        chain.attempts.push(attempt);
        chain.is_mixed |= previous.is_mixed;
        Some(previous)
    }

    /// The chain that an attempt without a name goes on with: the one that is due next to its time.
    fn choose(
        &self,
        node: &Node,
        caller: Caller,
        operation: Operation,
        at: Timestamp,
    ) -> Option<(usize, ScheduledAttempt, PreviousAttempt)> {
        let off = |slot: &ScheduledAttempt| between(slot.at, at).max(between(at, slot.at));
        let due: Vec<_> = self
            .chains
            .iter()
            .enumerate()
            .rev()
            .take_while(|(_, chain)| between(chain.first(), at) < LASTS)
            .filter(|(_, chain)| {
                chain.node == *node && chain.caller == caller && chain.operation == operation
            })
            .filter(|(_, chain)| {
                chain.last().ended.is_some_and(|ended| ended <= after(at, ATTEMPT_TOLERANCE / 10))
            })
            .filter_map(|(index, chain)| Some((index, chain.slot_at(at)?)))
            .collect();
        let (index, slot) = due.iter().rev().min_by_key(|(_, slot)| off(slot)).copied()?;
        let is_mixed = due.iter().any(|(other, near)| {
            *other != index
                && between(near.at, slot.at).max(between(slot.at, near.at)) < ATTEMPT_TOLERANCE / 4
        });
        let last = self.chains[index].last();
        Some((index, slot, PreviousAttempt { seq: last.seq, ended: last.ended?, is_mixed }))
    }

    fn find(&self, seq: u64) -> Option<(usize, usize)> {
        self.chains.iter().enumerate().rev().find_map(|(index, chain)| {
            Some((index, chain.attempts.iter().position(|attempt| attempt.seq == seq)?))
        })
    }

    /// The chain that an entry is an attempt of.
    pub fn chain(&self, seq: u64) -> Option<&RetryChain> {
        self.find(seq).map(|(chain, _)| &self.chains[chain])
    }

    /// What the caller of an entry does after it. Nothing is said of a call that went well, nor of callers that
    /// nothing is known about.
    pub fn next_attempt(&self, entry: &Entry, now: Timestamp) -> Option<NextAttempt> {
        let call = match &entry.kind {
            EntryKind::Held(held) if held.caller == Caller::Other => return None,
            EntryKind::Held(held) => {
                let limit = client_timeout(held.caller, held.operation);
                return Some(NextAttempt::Waits(
                    limit.map(|limit| limit.saturating_sub(between(entry.at, now))),
                ));
            }
            EntryKind::Call(call) if call.caller != Caller::Other => call,
            _ => return None,
        };
        if let Some((chain, attempt)) = self.find(entry.seq) {
            return Some(self.chains[chain].next_attempt(attempt, now))
                .filter(|next| *next != NextAttempt::Answered);
        }
        match call.outcome {
            Outcome::Ok => None,
            Outcome::Cancelled => {
                let limit = client_timeout(call.caller, call.operation);
                let limit = limit.filter(|limit| call.duration + ATTEMPT_TOLERANCE >= *limit);
                Some(limit.map_or(NextAttempt::Left, NextAttempt::TimedOut))
            }
            _ if call.status.is_some() && retries(call.caller) => Some(NextAttempt::Final),
            // Its chain is forgotten, or it is podman.
            _ => (!retries(call.caller)).then_some(NextAttempt::Fails),
        }
    }

    /// Whether any engine has an attempt to come.
    pub fn is_due(&self, now: Timestamp) -> bool {
        let recent = self.chains.iter().rev().take_while(|chain| between(chain.first(), now) < LASTS);
        recent.filter(|chain| chain.last().lost).any(|chain| {
            matches!(chain.next_attempt(chain.attempts.len() - 1, now), NextAttempt::Retries { .. })
        })
    }

    /// Drops what the journal has dropped.
    pub fn drop_before(&mut self, seq: u64) {
        while self.chains.front().is_some_and(|chain| chain.attempts[0].seq < seq) {
            self.chains.pop_front();
        }
    }
}
