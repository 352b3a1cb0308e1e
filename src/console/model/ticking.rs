//! What changes by the passing of time alone: the bottom line, and countdowns.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    console::{
        layout::SPARK,
        model::{
            app::{App, TICK},
            mode::{LastKey, StatusLine},
        },
    },
    domain::{analysis::retries::between, model::source_status::PlaybackState, rules::RuleState},
    hub::{DriverStatus, Snapshot},
};

/// How long the narration shows a key.
const KEY_SHOWN: Duration = Duration::from_secs(10);

/// How long the narration is about a call after its end.
pub const CALL_SHOWN: Duration = Duration::from_secs(60);

impl App {
    /// The bottom line, until it is too old.
    pub fn shown_status(&self, at: Timestamp) -> &StatusLine {
        if self.status_expires().is_some_and(|expires| expires > at) {
            &self.status
        } else {
            &StatusLine::Empty
        }
    }

    /// The last key, until it is as old as a result that is no longer shown.
    pub fn shown_key(&self, at: Timestamp) -> Option<&LastKey> {
        self.last_key.as_ref().filter(|key| between(key.at, at) < KEY_SHOWN)
    }

    fn status_expires(&self) -> Option<Timestamp> {
        self.status_since.checked_add(self.status.lasts()).ok()
    }

    /// Whether something on the screen changes by the mere passing of time, so that a slow tick must draw it.
    pub fn is_ticking(&self, snapshot: &Snapshot) -> bool {
        // Recorded time passes only while it is played.
        if let Some(timeline) = snapshot.source.timeline()
            && timeline.playback.state != PlaybackState::Playing
        {
            return false;
        }
        let comes_up = matches!(snapshot.driver_state.status, DriverStatus::Down { until: Some(_), .. });
        let runs_out = snapshot
            .rules
            .iter()
            .any(|rule| rule.state == RuleState::Armed && rule.remaining.until.is_some());
        let is_busy = snapshot.counters.rate(snapshot.at).iter().rev().take(SPARK).any(|count| *count > 0);
        // Until the tick after its end.
        let has_status = self.status != StatusLine::Empty
            && self.status_expires().is_some_and(|expires| between(expires, snapshot.at) < TICK);
        let is_narrated = |since: Timestamp, limit| between(since, snapshot.at) < limit + TICK;
        let narrates = self.presenting
            && (self.last_key.as_ref().is_some_and(|key| is_narrated(key.at, KEY_SHOWN))
                || self.calls.newest_call(false).is_some_and(|call| is_narrated(call.at, CALL_SHOWN)));
        has_status
            || narrates
            || comes_up
            || runs_out
            || is_busy
            || !snapshot.held.is_empty()
            || self.retries.is_due(snapshot.at)
    }
}
