//! The plugin server and the control API of one instance.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::takeover_guard::TakeoverGuard;
use crate::{
    api::{Access, ControlListener, ControlServer, MountpointOf},
    domain::model::{entry::EntryKind, protocol::check_driver_name},
    hub::{DriverInfo, Hub},
    net::Upstream,
    net::takeover::Takeover,
    net::{Address, BindError, Listener, Paths},
    plugin::{BuiltinDriver, DiskStore, ListenAt, PluginServer, UpstreamDriver},
};

/// How long the head of a request may take, unless another time is chosen. Engines send theirs at once.
pub const DEFAULT_HEADER_TIMEOUT: Duration = Duration::from_secs(60);

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
    /// How long the head of a request may take; without it any time.
    pub header_timeout: Option<Duration>,
    /// How long calls in flight may take at shutdown.
    pub drain: Duration,
    /// The program of the process that gives a plugin's place back if this one is killed.
    pub guard: Option<PathBuf>,
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
            header_timeout: Some(DEFAULT_HEADER_TIMEOUT),
            drain: Duration::from_secs(3),
            guard: None,
            panic_on: None,
        }
    }
}

/// What answers the calls.
pub enum DriverChoice {
    /// Directories on disk.
    Builtin(DiskStore),
    /// Another plugin, beside which the server listens.
    Beside(Upstream),
    /// Another plugin, whose socket's place the server takes.
    TakeOver(Upstream),
}

impl From<DiskStore> for DriverChoice {
    fn from(disk: DiskStore) -> Self {
        Self::Builtin(disk)
    }
}

/// Both servers, bound to their sockets. They answer as soon as they run.
pub struct Server {
    plugin: PluginServer,
    control: ControlServer,
    drain: Duration,
    guard: Option<TakeoverGuard>,
}

/// Binds a server that forwards to an upstream.
fn forward(
    hub: &Arc<Hub>,
    name: &str,
    listen_at: ListenAt,
    paths: &Paths,
    header_timeout: Option<Duration>,
    upstream: Upstream,
) -> Result<(PluginServer, MountpointOf), BindError> {
    let driver = UpstreamDriver::new(Arc::clone(hub), upstream);
    let plugin = PluginServer::bind(hub, name, listen_at, paths, header_timeout, |_| driver.clone())?;
    Ok((plugin, Arc::new(move |name| driver.mountpoint(name))))
}

/// Says what it means that engines know the same plugin by two names.
fn note_two_names(hub: &Hub, plugin: &str) {
    let DriverInfo { name, address, .. } = hub.driver();
    let mut text = format!(
        "engines know {plugin:?} by the name {name:?} too: the names of volumes are unique across drivers, so what one \
         of the two has cannot be created with the other"
    );
    if let Some(path) = address.strip_prefix("unix://") {
        let line = format!("{name} = {path:?}");
        text.extend(["; for podman, the line in containers.conf under [engine.volume_plugins] is ", &line]);
    }
    hub.record(EntryKind::Note { text });
}

impl Server {
    /// Binds both sockets, registers the driver, and reports its address to the hub.
    pub fn bind(
        hub: &Arc<Hub>,
        driver: impl Into<DriverChoice>,
        config: ServerConfig,
    ) -> Result<Self, BindError> {
        let ServerConfig {
            name,
            listen,
            control,
            save_directory,
            paths,
            token,
            header_timeout,
            drain,
            guard,
            panic_on,
        } = config;
        let mut started_guard = None;
        check_driver_name(&name).map_err(|bad| BindError::Name { name: name.clone(), bad })?;
        let (plugin, mountpoint): (_, MountpointOf) = match driver.into() {
            DriverChoice::Builtin(disk) => {
                for note in disk.notes() {
                    hub.record(EntryKind::Note { text: note.clone() });
                }
                let (hub, store) = (Arc::clone(hub), disk.clone());
                let driver = |address| BuiltinDriver::new(Arc::clone(&hub), store, address, panic_on);
                let plugin = PluginServer::bind(
                    &hub,
                    &name,
                    ListenAt::Address(listen),
                    &paths,
                    header_timeout,
                    driver,
                )?;
                (plugin, Arc::new(move |name| disk.mountpoint(name)))
            }
            DriverChoice::Beside(upstream) => {
                let plugin = upstream.name.plugin();
                let bound = forward(hub, &name, ListenAt::Address(listen), &paths, header_timeout, upstream)?;
                if let Some(plugin) = plugin {
                    note_two_names(hub, &plugin);
                }
                bound
            }
            DriverChoice::TakeOver(upstream) => {
                let socket = upstream.socket().ok_or(BindError::NoSocket)?;
                let takeover = Takeover::prepare(socket)?;
                let (path, aside) = (takeover.path().to_owned(), takeover.upstream().to_owned());
                let unusable = |error| BindError::Unusable {
                    address: format!("the guard of {}", path.display()),
                    error,
                };
                let guard = guard.map(|program| TakeoverGuard::start(&program, &path));
                started_guard = guard.transpose().map_err(unusable)?;
                let address = Address::Unix(Some(aside));
                let upstream = Upstream { address, ..upstream };
                forward(hub, &name, ListenAt::Plugin(takeover), &paths, header_timeout, upstream)?
            }
        };
        let (control, access) = control_listener(hub, &control, &name, token, &paths)?;
        let control = ControlServer::new(
            Arc::clone(hub),
            mountpoint,
            ControlListener::new(control, header_timeout),
            access,
            save_directory,
        );
        Ok(Self { plugin, control, drain, guard: started_guard })
    }

    /// The address of the control API.
    pub fn control_address(&self) -> String {
        self.control.address()
    }

    /// Serves until `shutdown` is cancelled or the command `quit` is run. Then it releases held calls, waits for
    /// calls in flight, and removes sockets and spec file.
    pub async fn run(self, shutdown: CancellationToken) {
        let Self { plugin, control, drain, guard } = self;
        let control_shutdown = control.shutdown();
        let mut control = tokio::spawn(control.run());
        plugin.run(shutdown, drain).await;
        drop(guard);
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
