//! The front of the plugin: it lets connections in, and follows what the hub says of being reachable.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{
    connection::{AcceptMode, Connections},
    listener::Listener,
    recorder::Recorder,
    registration::Spec,
};
use crate::{
    domain::model::driver::Outage,
    state::{DriverState, DriverStatus, Hub},
};

/// How soon a door that could not be opened is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// The plugin's door, its registration, and all that came in.
pub struct AcceptLoop {
    hub: Arc<Hub>,
    recorder: Arc<Recorder>,
    door: Listener,
    spec: Option<Spec>,
    /// What has been followed so far.
    driver_state: DriverState,
    connections: Connections,
    /// Those of the time before a blackhole, which their peers shall still believe in.
    frozen: Option<Connections>,
    /// Whether the door could not be brought to where it should be.
    stuck: bool,
}

impl AcceptLoop {
    /// A front whose door is open.
    pub fn new(hub: Arc<Hub>, recorder: Arc<Recorder>, door: Listener, spec: Option<Spec>) -> Self {
        let connections = Connections::new(Arc::clone(&recorder), AcceptMode::HttpReply);
        let driver_state = DriverState { status: DriverStatus::Up, ..hub.driver_state() };
        hub.report_observed(Some(driver_state));
        Self { hub, recorder, door, spec, driver_state, connections, frozen: None, stuck: false }
    }

    /// Lets connections in until `shutdown` or the command `quit`, then ends them within `drain`.
    pub async fn serve(mut self, shutdown: CancellationToken, drain: Duration) {
        let mut desired_state = self.hub.desired_state();
        desired_state.mark_changed();
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                ordered = desired_state.changed() => {
                    let driver_state = *desired_state.borrow_and_update();
                    if ordered.is_err() || driver_state.quitting {
                        break;
                    }
                    self.follow(driver_state).await;
                }
                () = tokio::time::sleep(RETRY), if self.stuck => self.turn(),
                socket = self.door.accept() => self.connections.begin(socket),
            }
        }
        self.end(drain).await;
    }

    async fn follow(&mut self, driver_state: DriverState) {
        let before = std::mem::replace(&mut self.driver_state, driver_state);
        let turned = outage(before) != outage(driver_state);
        if turned {
            self.turn();
        }
        if turned || before.generation != driver_state.generation {
            if let Some(frozen) = self.frozen.take() {
                frozen.cut("the driver was a black hole").await;
            }
            let manner = match outage(driver_state) {
                Some(Outage::Blackhole) => AcceptMode::Swallow,
                Some(Outage::Reset) => AcceptMode::Reset,
                _ => AcceptMode::HttpReply,
            };
            let next = Connections::new(Arc::clone(&self.recorder), manner);
            let last = std::mem::replace(&mut self.connections, next);
            if before.generation != driver_state.generation {
                last.cut("the driver crashed").await;
            } else if manner == AcceptMode::Swallow {
                last.freeze();
                self.frozen = Some(last);
            } else {
                last.cut("the driver went down").await;
            }
        }
        self.hub.report_observed(Some(driver_state));
    }

    /// Brings door and registration to where they should be.
    fn turn(&mut self) {
        let turned = match outage(self.driver_state) {
            Some(Outage::Refuse) => self.door.refuse(),
            Some(Outage::Unlink) => self.door.unlink(),
            None | Some(Outage::Blackhole | Outage::Reset) => self.door.open(),
        };
        let turned = turned.and_then(|()| match &self.spec {
            Some(spec) if outage(self.driver_state) == Some(Outage::Unlink) => {
                spec.remove();
                Ok(())
            }
            Some(spec) => spec.restore(),
            None => Ok(()),
        });
        let was_stuck = std::mem::replace(&mut self.stuck, turned.is_err());
        if turned.is_err() != was_stuck {
            self.hub.report_bind(&self.door.address(), turned.as_ref().copied());
        }
    }

    async fn end(self, drain: Duration) {
        let Self { hub, door, spec, connections, frozen, .. } = self;
        drop((door, spec));
        if let Some(frozen) = frozen {
            frozen.cut("voltergeist ended").await;
        }
        connections.finish();
        let mut changes = hub.changes();
        let released = async {
            loop {
                hub.release_all();
                // Another call may have begun to wait meanwhile.
                drop(changes.changed().await);
            }
        };
        tokio::select! {
            () = connections.gone() => {}
            () = released => {}
            () = tokio::time::sleep(drain) => {
                // A call that waits for a disk that does not answer cannot be cut.
                drop(tokio::time::timeout(drain, connections.cut("voltergeist ended")).await);
            }
        }
        hub.report_observed(None);
    }
}

fn outage(driver_state: DriverState) -> Option<Outage> {
    driver_state.status.outage()
}
