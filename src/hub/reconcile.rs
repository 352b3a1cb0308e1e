//! What the server has to bring about, and how far it is.

use std::{io, time::Duration};

use tokio::sync::watch;

use super::{DriverState, Hub, Inner};
use crate::domain::{lang::command::Command, model::driver::DriverReason};

/// How long a command waits until it has taken effect on the sockets. Later failures are in the journal.
const APPLY_TIMEOUT: Duration = Duration::from_secs(2);

impl Hub {
    /// What the server has to bring about.
    pub fn desired_state(&self) -> DriverState {
        *self.desired_state.borrow()
    }

    /// The same, with a wake-up for each change of it and for nothing else.
    pub fn watch_desired_state(&self) -> watch::Receiver<DriverState> {
        self.desired_state.subscribe()
    }

    /// Reports what the server has brought about; `None` at its end.
    pub fn report_observed(&self, driver_state: Option<DriverState>) {
        self.observed_state.send_replace(driver_state);
    }

    /// Records that the socket and the registration cannot be brought into the wanted status, or that they were after
    /// all.
    pub fn report_bind(&self, address: &str, result: Result<(), &io::Error>) {
        let reason = match result {
            Ok(()) => DriverReason::Recovered,
            Err(error) => {
                DriverReason::CannotBind { address: address.into(), error: error.to_string().into() }
            }
        };
        let mut inner = self.locked.lock();
        let DriverState { status, generation, .. } = inner.state.driver_state();
        inner.push_driver(self.now(), status, generation, reason);
        drop(inner);
        self.changes.send();
    }

    /// Waits until the server, if there is one, has brought about what it has to: after `down` nobody can reach the driver, after `up` everybody can.
    pub async fn wait_until_applied(&self) {
        let settled = |seen: &Option<DriverState>| {
            let now = self.desired_state();
            now.quitting || seen.is_none_or(|seen| seen == now)
        };
        // The sender lives as long as the hub, so that there is always an end to wait for.
        drop(self.observed_state.subscribe().wait_for(settled).await);
    }

    /// Waits until the server has followed a command, and returns what is not as the command's result says.
    pub async fn unmet_after(&self, command: &Command) -> Option<String> {
        let what = match command {
            Command::Up => "the driver is not reachable",
            Command::Crash { .. } => "the driver restarted, but is not reachable",
            Command::Down { .. } => "the driver is down, but its socket is not as asked",
            _ => return None,
        };
        drop(tokio::time::timeout(APPLY_TIMEOUT, self.wait_until_applied()).await);
        self.bind_error().map(|error| format!("{what}: {error}; voltergeist keeps trying"))
    }

    /// Asks the server to bring the socket into its state again, as after a removal from outside, and lets
    /// [`Self::wait_until_applied`] wait for it.
    pub(super) fn request_rebind(&self) {
        self.observed_state.send_if_modified(|observed| {
            observed.as_mut().is_some_and(|observed| {
                observed.generation = u64::MAX;
                true
            })
        });
        self.rebind.notify_one();
    }

    /// Waits until the socket is to be brought into its state again.
    pub async fn rebind_requested(&self) {
        self.rebind.notified().await;
    }

    /// Why the driver cannot be brought into its status, if it cannot.
    pub fn bind_error(&self) -> Option<String> {
        self.locked.lock().state.bind_error().map(str::to_owned)
    }

    /// Passes on to the server, the scenario service and the demo what has changed for them, and sets the next deadline.
    /// Returns whether the server has something to do.
    pub(super) fn publish_desired_state(&self, inner: &mut Inner) -> bool {
        inner.deadline = inner.state.next_deadline(self.now());
        let state = &inner.state;
        let driver_state = state.driver_state();
        set(&self.play_requests, &state.scenario().play_request);
        set(&self.speeds, &state.speed());
        set(&self.desired_state, &driver_state)
    }
}

/// Sends a value if it is a new one, and returns whether it is.
fn set<T: PartialEq + Clone>(sender: &watch::Sender<T>, value: &T) -> bool {
    sender.send_if_modified(|now| {
        let changed = now != value;
        if changed {
            now.clone_from(value);
        }
        changed
    })
}
