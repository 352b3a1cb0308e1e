//! What the server follows: it is told when the driver shall be unreachable, and says when it is.

use std::sync::atomic::Ordering;

use tokio::sync::watch;

use super::{Hub, Reachability, Standing, State};
use crate::domain::command::Outage;

impl Hub {
    /// What the server has to follow.
    pub fn reachability(&self) -> Reachability {
        *self.orders.borrow()
    }

    /// The same, with a wake-up for each change of it and for nothing else.
    pub fn orders(&self) -> watch::Receiver<Reachability> {
        self.orders.subscribe()
    }

    /// Says how far the server has followed; `None` at its end.
    pub fn followed(&self, reachability: Option<Reachability>) {
        self.followed.send_replace(reachability);
    }

    /// Waits until the server, if there is one, has followed: after `down` nobody can reach the driver, after `up` everybody can.
    pub async fn settle(&self) {
        let settled = |seen: &Option<Reachability>| {
            let now = self.reachability();
            now.quitting || seen.is_none_or(|seen| seen == now)
        };
        // The sender lives as long as the hub, so that there is always an end to wait for.
        drop(self.followed.subscribe().wait_for(settled).await);
    }

    /// Whether a call may be met with a reset. Cheap, since it is asked for each read of a connection.
    pub fn may_reset(&self) -> bool {
        self.may_reset.load(Ordering::Relaxed)
    }

    /// Tells the server what has changed for it.
    pub(super) fn order(&self, state: &State) {
        let down = matches!(state.reachability.standing, Standing::Down { kind: Outage::Reset, .. });
        // A call that waits may be let go to a reset, even if its rule is spent.
        let may_reset = down || state.rules.may_reset() || !state.waiting.is_empty();
        self.may_reset.store(may_reset, Ordering::Relaxed);
        self.orders.send_if_modified(|orders| {
            let changed = *orders != state.reachability;
            *orders = state.reachability;
            changed
        });
    }
}
