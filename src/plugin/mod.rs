//! The server: the volume plugin that engines call, and the control API that users call.
//!
//! ```text
//! engine ─▶ front       lets connections in, and follows outages with its door (listen, claim, registration)
//!             ▼
//!           connection  one task for each, on a wire that can be cut (socket, wire)
//!             ▼
//!           record      each request: read, admitted, answered, an entry (draft, answer, headers)
//!             ├─▶ act     what a rule does to it
//!             └─▶ plugin  the driver's own answers and work, without fault code ─▶ disk
//!
//! user ───▶ control     state, entries, commands, metrics
//! ```

mod accept_loop;
mod address;
mod call_guard;
mod connection;
mod control;
mod disk;
mod driver;
mod fault_stream;
mod headers;
mod http_reply;
mod inject;
mod listener;
mod lock_file;
mod paths;
mod recorder;
mod registration;
mod socket;

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

pub use address::{Address, AddressError};
pub use disk::{DiskError, DiskStore};
pub use listener::BindError;
pub use paths::Paths;

use crate::{
    domain::model::{entry::EntryKind, protocol::check_name},
    state::Hub,
};
use accept_loop::AcceptLoop;
use listener::Listener;
use registration::Spec;

/// Where engines reach the plugin.
pub type Listen = Address;
/// Where users reach the control API.
pub type ControlAddress = Address;

/// What a server is to be.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// The name after `--volume-driver`.
    pub name: String,
    /// Where engines reach it.
    pub listen: Listen,
    /// Where users reach it.
    pub control: ControlAddress,
    /// The directories of this machine.
    pub places: Paths,
    /// How long calls in flight may take at the end.
    pub drain: Duration,
    /// A volume whose calls make the handler panic: an aid for testing what a panic does.
    pub panic_on: Option<String>,
}

impl ServerConfig {
    /// A server in the default places.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            listen: Address::Unix(None),
            control: Address::Unix(None),
            places: Paths::default(),
            drain: Duration::from_secs(3),
            panic_on: None,
        }
    }
}

/// A server that is bound, and answers once it runs.
pub struct Server {
    front: AcceptLoop,
    control: Listener,
    router: axum::Router,
    /// Ends the streams of the control API.
    release_action: CancellationToken,
    drain: Duration,
}

impl Server {
    /// Binds both sockets, registers the driver, and introduces it to the hub.
    pub fn bind(hub: &Arc<Hub>, disk: DiskStore, plan: ServerConfig) -> Result<Self, BindError> {
        let ServerConfig { name, listen, control, places, drain, panic_on } = plan;
        check_name(&name).map_err(|bad| BindError::Name { name: name.clone(), bad })?;
        let (door, mut reason) = places.plugin_door(&listen, &name)?;
        let address = door.address();
        let spec = match (&listen, places.specs.first()) {
            (Address::Tcp(_), Some(directory)) => match Spec::write(directory, &name, &address) {
                Err(denied) if denied.is_denied() => {
                    reason = Some(registration::no_right(directory));
                    None
                }
                spec => Some(spec?),
            },
            _ => None,
        };
        let control = places.control_door(&control, &name)?;
        hub.register(registration::set_driver_info(&name, &address, reason.as_deref(), &places));
        for damage in disk.damage() {
            hub.record(EntryKind::Note { text: damage.clone() });
        }
        let plugin = driver::Plugin::new(Arc::clone(hub), disk.clone(), address, panic_on);
        let recorder = Arc::new(recorder::Recorder::new(Arc::clone(hub), plugin));
        let release_action = CancellationToken::new();
        Ok(Self {
            front: AcceptLoop::new(Arc::clone(hub), recorder, door, spec),
            control,
            router: control::router(Arc::clone(hub), disk, release_action.clone()),
            release_action,
            drain,
        })
    }

    /// Where the control API can be reached.
    pub fn control_address(&self) -> String {
        self.control.address()
    }

    /// Serves until it is cancelled or a command says `quit`. Then it lets go what waits, gives calls in flight
    /// their time, and leaves neither socket nor spec behind.
    pub async fn run(self, shutdown: CancellationToken) {
        let Self { front, control, router, release_action, drain } = self;
        let ended = release_action.clone().cancelled_owned();
        let mut controlled = tokio::spawn(async move {
            if let Err(error) = axum::serve(control, router).with_graceful_shutdown(ended).await {
                tracing::warn!(%error, "the control API ended early");
            }
        });
        front.serve(shutdown, drain).await;
        release_action.cancel();
        if tokio::time::timeout(drain, &mut controlled).await.is_err() {
            controlled.abort();
        }
    }
}
