//! The plugin server and the control API of one instance.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{
    api::{Access, ControlServer},
    domain::model::{entry::EntryKind, protocol::check_driver_name},
    hub::Hub,
    net::{Address, BindError, Listener, Paths},
    plugin::{BuiltinDriver, DiskStore, PluginServer},
};

/// How the servers of an instance are set up.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// The driver's name, as after `--volume-driver`.
    pub name: String,
    /// The address for engines.
    pub listen: Address,
    /// The address of the control API.
    pub control: Address,
    /// Where commands over a TCP control address may save files.
    pub save_directory: Option<PathBuf>,
    /// The directories for sockets and spec files.
    pub paths: Paths,
    /// The token that a TCP control port wants.
    pub token: Option<String>,
    /// How long calls in flight may take at shutdown.
    pub drain: Duration,
    /// Calls about this volume panic, for testing how a panic is handled.
    pub panic_on: Option<String>,
}

impl ServerConfig {
    /// The default addresses and directories.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            listen: Address::Unix(None),
            control: Address::Unix(None),
            save_directory: None,
            token: None,
            paths: Paths::default(),
            drain: Duration::from_secs(3),
            panic_on: None,
        }
    }
}

/// Both servers, bound to their sockets. They answer as soon as they run.
pub struct Server {
    plugin: PluginServer,
    control: ControlServer,
    drain: Duration,
}

impl Server {
    /// Binds both sockets, registers the driver, and reports its address to the hub.
    pub fn bind(hub: &Arc<Hub>, disk: DiskStore, config: ServerConfig) -> Result<Self, BindError> {
        let ServerConfig { name, listen, control, save_directory, token, paths, drain, panic_on } = config;
        check_driver_name(&name).map_err(|bad| BindError::Name { name: name.clone(), bad })?;
        for note in disk.notes() {
            hub.record(EntryKind::Note { text: note.clone() });
        }
        let driver = {
            let (hub, disk) = (Arc::clone(hub), disk.clone());
            move |address| BuiltinDriver::new(hub, disk, address, panic_on)
        };
        let plugin = PluginServer::bind(hub, &name, &listen, &paths, driver)?;
        let (control, access) = control_listener(hub, &control, &name, token, &paths)?;
        let mountpoint = Arc::new(move |name: &str| disk.mountpoint(name));
        let control = ControlServer::new(Arc::clone(hub), mountpoint, control, access, save_directory);
        Ok(Self { plugin, control, drain })
    }

    /// The address of the control API.
    pub fn control_address(&self) -> String {
        self.control.address()
    }

    /// Serves until `shutdown` is cancelled or the command `quit` is run. Then it releases held calls, waits for
    /// calls in flight, and removes sockets and spec file.
    pub async fn run(self, shutdown: CancellationToken) {
        let Self { plugin, control, drain } = self;
        let control_shutdown = control.shutdown();
        let mut control = tokio::spawn(control.run());
        plugin.run(shutdown, drain).await;
        control_shutdown.cancel();
        if tokio::time::timeout(drain, &mut control).await.is_err() {
            control.abort();
        }
    }
}

/// The listener of the control API, and who may use it. A TCP port that other machines reach must have a token.
fn control_listener(
    hub: &Hub,
    control: &Address,
    name: &str,
    token: Option<String>,
    paths: &Paths,
) -> Result<(Listener, Access), BindError> {
    let listener = paths.control_listener(control, name)?;
    let Address::Tcp(host_port) = control else { return Ok((listener, Access::by_file())) };
    if token.is_none() {
        if !listener.is_loopback() {
            return Err(BindError::NoToken(control.to_string()));
        }
        let text = format!(
            "every program on this machine can use the control API at {}; give it a token with --token-file FILE",
            listener.address()
        );
        hub.record(EntryKind::Note { text });
    }
    Ok((listener, Access::by_token(token, host_port)))
}
