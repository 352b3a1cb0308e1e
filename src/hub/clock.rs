//! Time: rules expire, outages end.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures_util::future::OptionFuture;
use jiff::{SignedDuration, Timestamp};

use super::{Hub, Inner};
use crate::domain::{
    model::{
        driver::{DriverEvent, DriverReason, DriverStatus},
        entry::{EntryKind, RuleEvent},
        fault::ReleasedBy,
        speed::EngineSpeed,
    },
    rules::TrackedRule,
};

/// While it lives, rules and outages are meant in the time of an engine's clock.
#[must_use = "the clock is in use only while this lives"]
pub struct SpeedGuard {
    hub: Arc<Hub>,
    before: EngineSpeed,
}

impl Drop for SpeedGuard {
    fn drop(&mut self) {
        self.hub.locked.lock().speed = self.before;
    }
}

impl Inner {
    /// Ends rules and outages whose time is over. Returns whether it was time for anything.
    pub(super) fn end_what_is_due(&mut self, at: Timestamp) -> bool {
        if self.deadline.is_none_or(|deadline| at < deadline) {
            return false;
        }
        let expired: Vec<_> = self.state.rules().overdue(at).map(TrackedRule::as_text).collect();
        for rule in expired {
            self.push(at, EntryKind::Rule(Box::new(RuleEvent::Expired(rule))));
        }
        self.release_calls_of_inactive_rules(at);
        let driver = self.state.driver_state();
        if let DriverStatus::Down { until: Some(until), .. } = driver.status
            && until <= at
        {
            self.push_driver(at, DriverStatus::Up, driver.generation, DriverReason::OutageOver);
        }
        self.deadline = self.state.next_deadline(at);
        true
    }

    /// Releases the calls whose rule has ended or is in a pause, and returns how many they were.
    pub(super) fn release_calls_of_inactive_rules(&mut self, at: Timestamp) -> u64 {
        let held = self.state.held().filter(|(_, call)| !self.state.rule_in_force(call.fault.rule(), at));
        let calls: Vec<_> = held.map(|(_, call)| call.number).collect();
        let released = calls.into_iter().filter(|call| self.release(at, *call, ReleasedBy::RuleEnded, None));
        released.count() as u64
    }

    pub(super) fn push_driver(
        &mut self,
        at: Timestamp,
        status: DriverStatus,
        generation: u64,
        reason: DriverReason,
    ) {
        self.push(at, EntryKind::Driver(Box::new(DriverEvent { status, generation, reason })));
    }
}

impl Hub {
    /// From now on the durations of rules and outages are meant in the time of a clock, until the guard is dropped.
    pub fn in_time_of(self: &Arc<Self>, speed: EngineSpeed) -> SpeedGuard {
        let before = std::mem::replace(&mut self.locked.lock().speed, speed);
        SpeedGuard { hub: Arc::clone(self), before }
    }

    /// The time of the hub: it never goes back, and is paused when tokio's is.
    pub fn now(&self) -> Timestamp {
        let (start, instant) = self.started;
        let ahead = SignedDuration::from_millis(self.ahead_ms.load(Ordering::Relaxed));
        SignedDuration::try_from(instant.elapsed())
            .ok()
            .and_then(|passed| start.checked_add(passed + ahead).ok())
            .unwrap_or(start)
    }

    /// Follows a clock that was set, or that went on while the machine was suspended. A clock that was set back is not
    /// followed: entries are in the order of their times.
    pub fn follow_clock(&self, now: Timestamp) {
        let ahead = now.duration_since(self.now());
        if ahead < SignedDuration::from_secs(1) {
            return;
        }
        self.ahead_ms.fetch_add(i64::try_from(ahead.as_millis()).unwrap_or(0), Ordering::Relaxed);
        let text = format!("the clock went ahead by {ahead:#}: it was set, or the machine was suspended");
        self.record(EntryKind::Note { text });
        self.rescheduled.notify_one();
    }

    /// Ends rules and outages when their time is over. Runs until it is dropped.
    pub async fn run_deadlines(&self) {
        loop {
            let (now, ticked, next) = {
                let mut inner = self.locked.lock();
                let now = self.now();
                let ticked = inner.end_what_is_due(now);
                if ticked {
                    self.publish_desired_state(&mut inner);
                }
                (now, ticked, inner.deadline)
            };
            if ticked {
                self.changes.send();
            }
            let due = next.map(|next| {
                let left = Duration::try_from(next.duration_since(now)).unwrap_or_default();
                tokio::time::sleep(left.max(Duration::from_millis(1)))
            });
            tokio::select! {
                Some(()) = OptionFuture::from(due) => {}
                () = self.rescheduled.notified() => {}
            }
        }
    }
}
