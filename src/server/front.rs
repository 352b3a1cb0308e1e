//! The front of the plugin: it lets connections in, and follows what the hub says of being reachable.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{
    connection::{Connections, Manner},
    listen::Door,
    record::Recorder,
    registration::Spec,
};
use crate::{
    domain::{command::Outage, entry::Kind},
    hub::{Hub, Reachability, Standing},
};

/// How soon a door that could not be opened is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// The plugin's door, its registration, and all that came in.
pub struct Front {
    hub: Arc<Hub>,
    recorder: Arc<Recorder>,
    door: Door,
    spec: Option<Spec>,
    /// What has been followed so far.
    reachability: Reachability,
    connections: Connections,
    /// Those of the time before a blackhole, which their peers shall still believe in.
    frozen: Option<Connections>,
    /// Whether the door could not be brought to where it should be.
    stuck: bool,
}

impl Front {
    /// A front whose door is open.
    pub fn new(hub: Arc<Hub>, recorder: Arc<Recorder>, door: Door, spec: Option<Spec>) -> Self {
        let connections = Connections::new(Arc::clone(&recorder), Manner::Answer);
        let reachability = Reachability { standing: Standing::Up, ..hub.reachability() };
        hub.followed(Some(reachability));
        Self { hub, recorder, door, spec, reachability, connections, frozen: None, stuck: false }
    }

    /// Lets connections in until `shutdown` or the command `quit`, then ends them within `drain`.
    pub async fn serve(mut self, shutdown: CancellationToken, drain: Duration) {
        let mut orders = self.hub.orders();
        orders.mark_changed();
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                ordered = orders.changed() => {
                    let reachability = *orders.borrow_and_update();
                    if ordered.is_err() || reachability.quitting {
                        break;
                    }
                    self.follow(reachability).await;
                }
                () = tokio::time::sleep(RETRY), if self.stuck => self.turn(),
                socket = self.door.accept() => self.connections.begin(socket),
            }
        }
        self.end(drain).await;
    }

    async fn follow(&mut self, reachability: Reachability) {
        let before = std::mem::replace(&mut self.reachability, reachability);
        let turned = outage(before) != outage(reachability);
        if turned {
            self.turn();
        }
        if turned || before.life != reachability.life {
            if let Some(frozen) = self.frozen.take() {
                frozen.cut("the driver was a black hole").await;
            }
            let manner = match outage(reachability) {
                Some(Outage::Blackhole) => Manner::Swallow,
                Some(Outage::Reset) => Manner::Reset,
                _ => Manner::Answer,
            };
            let next = Connections::new(Arc::clone(&self.recorder), manner);
            let last = std::mem::replace(&mut self.connections, next);
            if before.life != reachability.life {
                last.cut("the driver crashed").await;
            } else if manner == Manner::Swallow {
                last.freeze();
                self.frozen = Some(last);
            } else {
                last.cut("the driver went down").await;
            }
        }
        self.hub.followed(Some(reachability));
    }

    /// Brings door and registration to where they should be.
    fn turn(&mut self) {
        let turned = match outage(self.reachability) {
            Some(Outage::Refuse) => self.door.refuse(),
            Some(Outage::Unlink) => self.door.unlink(),
            None | Some(Outage::Blackhole | Outage::Reset) => self.door.open(),
        };
        let turned = turned.and_then(|()| match &self.spec {
            Some(spec) if outage(self.reachability) == Some(Outage::Unlink) => {
                spec.remove();
                Ok(())
            }
            Some(spec) => spec.restore(),
            None => Ok(()),
        });
        let was_stuck = std::mem::replace(&mut self.stuck, turned.is_err());
        let standing = self.reachability.standing;
        match turned {
            Err(error) if !was_stuck => {
                let address = self.door.address();
                let standing =
                    format!("cannot be {standing} at {address}: {error}; it is tried again until it works");
                self.hub.record(Kind::Driver { standing });
            }
            Ok(()) if was_stuck => drop(self.hub.record(Kind::Driver { standing: standing.to_string() })),
            _ => {}
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
        hub.followed(None);
    }
}

fn outage(reachability: Reachability) -> Option<Outage> {
    match reachability.standing {
        Standing::Up => None,
        Standing::Down { kind, .. } => Some(kind),
    }
}
