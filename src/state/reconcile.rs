//! What the server follows: it is told when the driver shall be unreachable, and says when it is.

use std::sync::atomic::Ordering;

use tokio::sync::watch;

use super::{DriverState, DriverStatus, Hub, State};
use crate::domain::lang::command::Outage;

impl Hub {
    /// What the server has to follow.
    pub fn driver_state(&self) -> DriverState {
        *self.desired_state.borrow()
    }

    /// The same, with a wake-up for each change of it and for nothing else.
    pub fn desired_state(&self) -> watch::Receiver<DriverState> {
        self.desired_state.subscribe()
    }

    /// Says how far the server has followed; `None` at its end.
    pub fn report_observed(&self, driver_state: Option<DriverState>) {
        self.report_observed.send_replace(driver_state);
    }

    /// Waits until the server, if there is one, has followed: after `down` nobody can reach the driver, after `up` everybody can.
    pub async fn wait_until_applied(&self) {
        let settled = |seen: &Option<DriverState>| {
            let now = self.driver_state();
            now.quitting || seen.is_none_or(|seen| seen == now)
        };
        // The sender lives as long as the hub, so that there is always an end to wait for.
        drop(self.report_observed.subscribe().wait_for(settled).await);
    }

    /// Whether a call may be met with a reset. Cheap, since it is asked for each read of a connection.
    pub fn may_reset(&self) -> bool {
        self.may_reset.load(Ordering::Relaxed)
    }

    /// Tells the server what has changed for it.
    pub(super) fn order(&self, state: &State) {
        let down = matches!(state.reachable.status, DriverStatus::Down { kind: Outage::Reset, .. });
        // A call that waits may be let go to a reset, even if its rule is spent.
        let may_reset = down || state.rules.may_reset() || !state.waiting.is_empty();
        self.may_reset.store(may_reset, Ordering::Relaxed);
        self.desired_state.send_if_modified(|desired_state| {
            let changed = *desired_state != state.reachable;
            *desired_state = state.reachable;
            changed
        });
    }
}
