//! The server: the volume plugin that engines call, and the control API that users call.
//!
//! ```text
//! registration  claims a place where engines look, and leaves it clean
//! listen        addresses and sockets ──▶ connection  one task for each ──▶ wire  can be cut
//!                                             │
//! record  each request: admitted, acted out, an entry
//!    ├─▶ act     what a rule does to it, on the wire
//!    └─▶ plugin  the driver's own work, without fault code ──▶ disk
//! control the same process for users: state, entries, commands, metrics
//! ```

mod address;
mod connection;
mod control;
mod disk;
mod listen;
mod plugin;
mod record;
mod wire;

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use address::{Address, AddressError};
pub use disk::{Disk, DiskError};
pub use listen::BindError;

/// Where engines reach the plugin.
pub type Listen = Address;
/// Where users reach the control API.
pub type ControlAddress = Address;

use crate::hub::{Driver, Hub};
use listen::Listener;

/// What a server is to be.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The name after `--volume-driver`.
    pub name: String,
    /// Where engines reach it.
    pub listen: Listen,
    /// Where users reach it.
    pub control: ControlAddress,
    /// The directories of this machine.
    pub places: Places,
    /// How long calls in flight may take at the end.
    pub drain: Duration,
    /// A volume whose calls make the handler panic: an aid for testing what a panic does.
    pub panic_on: Option<String>,
}

impl Plan {
    /// A server in the default places.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            listen: Address::Unix(None),
            control: Address::Unix(None),
            places: Places::default(),
            drain: Duration::from_secs(3),
            panic_on: None,
        }
    }
}

/// The directories of this machine that matter to a plugin.
#[derive(Clone, Debug)]
pub struct Places {
    /// Where engines look for sockets.
    pub sockets: PathBuf,
    /// Where engines look for specs, first to last. Ours is written to the first.
    pub specs: Vec<PathBuf>,
    /// Where control sockets are.
    pub control: PathBuf,
    /// Where a user without rights may have sockets.
    pub runtime: PathBuf,
}

impl Default for Places {
    fn default() -> Self {
        let user = rustix::process::geteuid().as_raw();
        Self {
            sockets: "/run/docker/plugins".into(),
            specs: vec!["/etc/docker/plugins".into(), "/usr/lib/docker/plugins".into()],
            control: "/run/voltergeist".into(),
            runtime: format!("/tmp/voltergeist-{user}").into(),
        }
    }
}

/// A server that is bound, and answers once it runs.
pub struct Server {
    hub: Arc<Hub>,
    plugin: Arc<record::Recorder>,
    listener: Listener,
    control: Listener,
    control_router: axum::Router,
    drain: Duration,
}

impl Server {
    /// Binds both sockets, registers the driver, and introduces it to the hub.
    pub fn bind(hub: &Arc<Hub>, disk: Disk, plan: Plan) -> Result<Self, BindError> {
        let listener = Listener::bind(&plan.listen, &plan.places.sockets, &plan.name, "")?;
        let control = Listener::bind(&plan.control, &plan.places.control, &plan.name, "")?;
        let address = listener.address();
        hub.introduce(Driver {
            name: plan.name.clone(),
            address: address.clone(),
            registration: "registered".into(),
            remedy: None,
        });
        Ok(Self {
            hub: Arc::clone(hub),
            control_router: control::router(Arc::clone(hub), disk.clone()),
            plugin: Arc::new(record::Recorder::new(
                Arc::clone(hub),
                plugin::Plugin::new(Arc::clone(hub), disk, address, plan.panic_on),
            )),
            listener,
            control,
            drain: plan.drain,
        })
    }

    /// Serves until it is cancelled or a command says `quit`, then lets go what waits and cleans up.
    pub async fn run(self, shutdown: CancellationToken) {
        let stop = CancellationToken::new();
        let connections = TaskTracker::new();
        let control = tokio::spawn({
            let stop = stop.clone();
            let (listener, router) = (self.control, self.control_router);
            async move {
                let _ = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
            }
        });
        let mut changes = self.hub.changes();
        let mut listener = self.listener;
        loop {
            tokio::select! {
                socket = listener.next() => {
                    connections.spawn(connection::serve(socket, Arc::clone(&self.plugin), stop.clone()));
                }
                () = shutdown.cancelled() => break,
                _ = changes.changed() => {
                    if self.hub.reachability().quitting {
                        break;
                    }
                }
            }
        }
        drop(listener);
        stop.cancel();
        self.hub.release_all();
        connections.close();
        let _ = tokio::time::timeout(self.drain, async {
            connections.wait().await;
            let _ = control.await;
        })
        .await;
    }
}
