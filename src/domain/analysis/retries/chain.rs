//! A call and the further attempts at it, on the timetable of their engine.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{ATTEMPT_TOLERANCE, NextAttempt, after, began, between, is_lost};
use crate::domain::model::{
    entry::{Call, Entry},
    protocol::{Caller, Operation},
};

/// No pause may end later than this after the first attempt began.
const LIMIT: Duration = Duration::from_secs(30);

/// An attempt by its number, from 1, and when it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScheduledAttempt {
    pub number: u32,
    pub at: Timestamp,
}

impl ScheduledAttempt {
    /// The attempt after one that ended without a reply at `ended`, unless the engine gives up.
    pub(super) fn next(number: u32, ended: Timestamp, first: Timestamp) -> Option<Self> {
        let pause = Duration::from_secs(1 << number.saturating_sub(1).min(4));
        (between(first, ended) + pause < LIMIT).then(|| Self { number: number + 1, at: after(ended, pause) })
    }

    /// All attempts from here on, if each ends at once.
    fn onwards(self, first: Timestamp) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self), move |slot| Self::next(slot.number, slot.at, first))
    }
}

/// One attempt that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The number of its entry.
    pub seq: u64,
    /// The number of its call.
    pub call: u64,
    /// Which attempt it is, from 1.
    pub number: u32,
    /// When it arrived.
    pub began: Timestamp,
    /// When it ended, if it has.
    pub ended: Option<Timestamp>,
    /// Whether it ended without a reply.
    pub lost: bool,
}

impl Attempt {
    pub(super) fn of(entry: &Entry, call: &Call, number: u32) -> Self {
        Self {
            seq: entry.seq,
            call: call.number,
            number,
            began: began(entry),
            ended: Some(entry.at),
            lost: is_lost(call),
        }
    }
}

/// The pause of an engine before a further attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// From the end of the attempt before until this one.
    pub lasted: Duration,
    /// Which attempt this is, from 1.
    pub number: u32,
    /// How many there are if each ends at once, as far as that is known.
    pub of: Option<u32>,
}

/// A call and the further attempts at it.
#[derive(Clone, Debug)]
pub struct RetryChain {
    /// The instance, where there are several.
    pub(super) node: Option<Arc<str>>,
    pub(super) caller: Caller,
    pub(super) operation: Operation,
    /// The volume that the first attempt named.
    pub(super) volume: Option<Box<str>>,
    pub(super) attempts: Vec<Attempt>,
    /// Whether the first attempt that arrived is known to be the first.
    pub(super) is_counted: bool,
    /// Whether an attempt may belong to another call that was cut off at the same time.
    pub is_mixed: bool,
}

impl RetryChain {
    /// The volume that all attempts are about, as far as that is certain. A retry does not name it.
    pub fn volume(&self) -> Option<&str> {
        self.volume.as_deref().filter(|_| !self.is_mixed)
    }

    /// The attempts that arrived. There is at least one.
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// The pause before an attempt, by the number of its entry; none before the first.
    pub fn pause_before(&self, seq: u64) -> Option<Pause> {
        let (before, this) =
            self.attempts.iter().zip(self.attempts.iter().skip(1)).find(|(_, this)| this.seq == seq)?;
        let lasted = between(before.ended?, this.began);
        Some(Pause { lasted, number: this.number, of: self.of(*before) })
    }

    pub(super) fn first(&self) -> Timestamp {
        self.attempts[0].began
    }

    pub(super) fn last(&self) -> Attempt {
        self.attempts[self.attempts.len() - 1]
    }

    /// The attempt that is due after those that arrived.
    pub(super) fn next(&self) -> Option<ScheduledAttempt> {
        let last = self.last();
        let ended = last.ended.filter(|_| last.lost)?;
        ScheduledAttempt::next(last.number, ended, self.first())
    }

    /// The attempt that comes at a time: one whose earlier attempts may have been refused.
    pub(super) fn slot_at(&self, at: Timestamp) -> Option<ScheduledAttempt> {
        let off = |slot: &ScheduledAttempt| between(slot.at, at).max(between(at, slot.at));
        self.next()?.onwards(self.first()).min_by_key(off)
    }

    /// What the engine does after an attempt.
    pub(super) fn next_attempt(&self, attempt: usize, now: Timestamp) -> NextAttempt {
        let this = self.attempts[attempt];
        let Some(ended) = this.ended.filter(|_| this.lost) else { return NextAttempt::Answered };
        if let Some(by) = self.attempts.get(attempt + 1) {
            return NextAttempt::Retried { by: *by, after: between(ended, by.began), of: self.of(this) };
        }
        if !self.is_counted {
            return if between(ended, now) < LIMIT {
                NextAttempt::RetriesSometime
            } else {
                NextAttempt::Gone
            };
        }
        let Some(next) = self.next() else {
            return NextAttempt::GaveUp { attempts: this.number, after: between(self.first(), ended) };
        };
        let slots: Vec<ScheduledAttempt> = next.onwards(self.first()).collect();
        let last = slots[slots.len() - 1];
        match slots.iter().find(|slot| now <= after(slot.at, ATTEMPT_TOLERANCE)) {
            Some(slot) => NextAttempt::Retries {
                missing: slot.number - next.number,
                due: between(now, slot.at),
                attempt: slot.number,
                of: last.number,
                gives_up: between(now, last.at),
            },
            None => NextAttempt::Gone,
        }
    }

    /// How many attempts there will be after one that ended without a reply, if each ends at once.
    fn of(&self, attempt: Attempt) -> Option<u32> {
        let next = ScheduledAttempt::next(attempt.number, attempt.ended?, self.first())
            .filter(|_| self.is_counted)?;
        next.onwards(self.first()).last().map(|slot| slot.number)
    }
}
