//! The volume plugin that engines call.
//!
//! ```text
//! engine ─▶ accept_loop   accepts connections, and follows outages with its listener and registration
//!             ▼
//!           connection    one task each: hyper, on a stream that can be cut (fault_stream)
//!             ▼
//!           recorder      the outermost service: every request becomes one call entry (call_guard, headers)
//!             ▼
//!           routes        axum: one route for each operation of the protocol; on TCP behind web_pages
//!             ├─▶ inject  what a rule does to a call
//!             ▼
//!           driver        the reply and the work, without fault code
//! ```

mod accept_loop;
mod bypass;
mod call_guard;
mod connection;
mod connection_control;
mod connection_threads;
mod driver;
mod fault_stream;
mod headers;
mod http_reply;
mod inject;
mod recorder;
mod registration;
mod request_body;
mod routes;
mod unread;
mod upstream_watch;
mod web_pages;

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

pub use driver::{BuiltinDriver, DiskError, DiskStore, Driver, UpstreamDriver, delete_directory};

use crate::{
    domain::model::{driver::Outage, entry::EntryKind},
    hub::{DriverInfo, Hub},
    net::{Address, BindError, Listener, Paths, TrustedHosts, takeover::Takeover},
};
use accept_loop::AcceptLoop;
use registration::SpecFile;

/// Where a plugin server listens.
pub enum ListenAt {
    /// At an address of its own.
    Address(Address),
    /// At the path of another plugin.
    Plugin(Takeover),
}

/// A plugin server that is bound to its socket. It answers as soon as it runs.
pub struct PluginServer(AcceptLoop);

impl PluginServer {
    /// Binds the socket, registers the driver, and reports its address to the hub. `driver` gets that address. The head of
    /// a request takes at most `head_timeout`.
    pub fn bind<D: Driver>(
        hub: &Arc<Hub>,
        name: &str,
        listen_at: ListenAt,
        paths: &Paths,
        head_timeout: Option<Duration>,
        driver: impl FnOnce(String) -> D,
    ) -> Result<Self, BindError> {
        let hosts = match &listen_at {
            ListenAt::Address(Address::Tcp(host_port)) => Some(TrustedHosts::new(host_port)),
            ListenAt::Address(Address::Unix(_)) | ListenAt::Plugin(_) => None,
        };
        let (mut listener, mut unwritable) = match listen_at {
            ListenAt::Address(ref address) => paths.plugin_listener(address, name)?,
            ListenAt::Plugin(takeover) => (Listener::take_over(takeover)?, None),
        };
        // A driver that starts in an outage must not be reached before.
        let outage = hub.desired_state().status.outage();
        let opened = match outage {
            Some(Outage::Unlink) => Ok(()),
            Some(Outage::Refuse) => listener.refuse(),
            _ => listener.open(),
        };
        opened.map_err(|error| BindError::Unusable { address: listener.address(), error })?;
        let address = listener.address();
        let spec = match (listener.is_tcp(), paths.specs.first()) {
            (true, Some(directory)) => {
                match SpecFile::create(directory, name, &address, outage != Some(Outage::Unlink)) {
                    Err(denied) if denied.is_denied() => {
                        unwritable = Some(directory);
                        None
                    }
                    spec => Some(spec?),
                }
            }
            _ => None,
        };
        let mut info = registration::driver_info(name, &address, unwritable, paths);
        if listener.at_path().is_some() {
            // Engines find it where they found the plugin.
            (info.registration, info.fix_command) = ("registered".to_owned(), None);
        }
        let driver = driver(address);
        let upstream = driver.forwarding().map(|forwarding| forwarding.upstream.to_string());
        hub.register(DriverInfo { upstream, ..info });
        if let Some(warning) = listener.exposure("the plugin") {
            hub.record(EntryKind::Note { text: warning });
        }
        let routes = routes::Routes::new(hub, driver, hosts, head_timeout);
        Ok(Self(AcceptLoop::new(Arc::clone(hub), routes, listener, spec)))
    }

    /// Serves until `shutdown` is cancelled or the command `quit` is run. Then it releases held calls and waits up to
    /// `drain` for calls in flight.
    pub async fn run(self, shutdown: CancellationToken, drain: Duration) {
        self.0.serve(shutdown, drain).await;
    }
}
