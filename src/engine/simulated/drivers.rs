//! The drivers: finding a plugin by name, activating it once, and keeping its adapter for the daemon's life.
//!
//! Moby `pkg/plugins/plugins.go` and `daemon/volume/drivers/extpoint.go`. A look-up of one name
//! waits 15 s for the plugin to appear; a scan for all names takes what is there.

use std::{collections::BTreeMap, os::unix::fs::FileTypeExt, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::join_all;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::{
    adapter::{Adapter, Described, Scope},
    client::{CallError, DaemonClient},
    error::{DaemonError, ErrorStatus},
    local::{LOCAL, LocalDriver},
    locks::Locks,
    profile::Profile,
    reply::Fields,
    transport::DriverAddress,
};
use crate::{
    domain::model::protocol::{Operation, Options},
    engine_api::Clock,
};

const GIVE_UP: Duration = Duration::from_secs(30);

/// A volume driver.
#[derive(Clone)]
pub(super) enum DaemonDriver {
    Local(Arc<LocalDriver>),
    Plugin(Arc<Adapter>),
}

impl DaemonDriver {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Local(_) => LOCAL,
            Self::Plugin(adapter) => &adapter.name,
        }
    }

    pub(super) async fn create(&self, name: &str, options: &Options) -> Result<(), CallError> {
        match self {
            Self::Local(local) => local.create(name),
            Self::Plugin(adapter) => adapter.create(name, options).await,
        }
    }

    pub(super) async fn get(&self, name: &str) -> Result<Described, CallError> {
        match self {
            Self::Local(local) => local.get(name).ok_or_else(|| CallError::Refused("no such volume".into())),
            Self::Plugin(adapter) => adapter.get(name).await,
        }
    }

    pub(super) async fn list(&self) -> Result<Vec<Described>, CallError> {
        match self {
            Self::Local(local) => Ok(local.list()),
            Self::Plugin(adapter) => adapter.list().await,
        }
    }

    pub(super) async fn remove(&self, name: &str) -> Result<(), CallError> {
        match self {
            Self::Local(local) => {
                local.remove(name);
                Ok(())
            }
            Self::Plugin(adapter) => adapter.remove(name).await,
        }
    }

    pub(super) async fn mount(&self, name: &str, id: &str) -> Result<String, CallError> {
        match self {
            Self::Local(local) => Ok(local.get(name).unwrap_or_default().mountpoint),
            Self::Plugin(adapter) => adapter.mount(name, id).await,
        }
    }

    pub(super) async fn unmount(&self, name: &str, id: &str) -> Result<(), CallError> {
        match self {
            Self::Local(_) => Ok(()),
            Self::Plugin(adapter) => adapter.unmount(name, id).await,
        }
    }

    pub(super) async fn scope(&self) -> Scope {
        match self {
            Self::Local(_) => Scope::Local,
            Self::Plugin(adapter) => adapter.scope().await,
        }
    }
}

/// A plugin that was found. What it implements is asked once; others wait meanwhile.
struct Plugin {
    client: DaemonClient,
    implements: tokio::sync::Mutex<Option<Vec<String>>>,
}

impl Plugin {
    /// Whether it says that it is a volume driver. There is no time limit.
    async fn is_volume_driver(&self) -> Result<bool, CallError> {
        let mut known = self.implements.lock().await;
        if known.is_none() {
            let value = self.client.call(Operation::Activate, Bytes::new(), None).await?;
            let list = Fields::of(value, "plugins.Manifest")
                .and_then(|mut manifest| manifest.list("Implements", "[]string"))
                .map_err(CallError::Refused)?;
            *known = Some(list.into_iter().filter_map(|item| item.as_str().map(str::to_owned)).collect());
        }
        Ok(known.iter().flatten().any(|interface| interface == "VolumeDriver"))
    }
}

/// All drivers of one daemon's life.
pub(super) struct Drivers {
    known: BTreeMap<String, DriverAddress>,
    profile: Profile,
    clock: Clock,
    plugins: Mutex<BTreeMap<String, Arc<Plugin>>>,
    adapters: Mutex<BTreeMap<String, DaemonDriver>>,
    locks: Locks,
}

impl Drivers {
    /// `known` are the plugins that have a socket or a spec file, by name.
    pub(super) fn new(
        known: BTreeMap<String, DriverAddress>,
        local: Arc<LocalDriver>,
        profile: Profile,
        clock: Clock,
    ) -> Self {
        let adapters = BTreeMap::from([(LOCAL.to_owned(), DaemonDriver::Local(local))]);
        Self {
            known,
            profile,
            clock,
            plugins: Mutex::default(),
            adapters: Mutex::new(adapters),
            locks: Locks::default(),
        }
    }

    /// The driver of a name: a plugin is looked for, activated and asked for its scope at its first use.
    pub(super) async fn find(&self, name: &str) -> Result<DaemonDriver, DaemonError> {
        let _one_at_a_time = self.locks.lock(name).await;
        let adapter = self.adapters.lock().get(name).cloned();
        if let Some(adapter) = adapter {
            return Ok(adapter);
        }
        let plugin = self
            .look_up(name)
            .await
            .map_err(|error| error.because(&format!("error looking up volume plugin {name}")))?;
        let driver = DaemonDriver::Plugin(Arc::new(Adapter::new(name.to_owned(), plugin.client.clone())));
        driver.scope().await;
        self.adapters.lock().insert(name.to_owned(), driver.clone());
        Ok(driver)
    }

    async fn look_up(&self, name: &str) -> Result<Arc<Plugin>, DaemonError> {
        let start = Instant::now();
        let mut pause = Duration::from_secs(1);
        let plugin = loop {
            if let Some(plugin) = self.located(name) {
                break plugin;
            }
            if pause + self.clock.since(start) >= GIVE_UP {
                return Err(DaemonError::new(ErrorStatus::NotFound, format!("plugin {name:?} not found")));
            }
            self.clock.sleep(pause).await;
            pause *= 2;
        };
        match self.activated(name, &plugin).await {
            Ok(true) => Ok(plugin),
            Ok(false) => {
                let message = "Plugin does not implement the requested driver";
                let detail = format!(": plugin={name:?}, requested implementation=\"VolumeDriver\"");
                let detail = if self.profile == Profile::Docker20 { "" } else { &detail };
                Err(DaemonError::new(ErrorStatus::Internal, format!("legacy plugin: {message}{detail}")))
            }
            Err(error) => Err(DaemonError::from(error).because("legacy plugin")),
        }
    }

    /// Every driver: those in use and those that a scan of the plugin directories finds.
    pub(super) async fn all(&self) -> Vec<DaemonDriver> {
        let scan = self.known.keys().filter_map(|name| Some((name, self.located(name)?)));
        let scan = scan.map(|(name, plugin)| async move {
            let found = self.activated(name, &plugin).await.unwrap_or(false);
            found.then(|| (name.clone(), plugin))
        });
        let found: Vec<_> = join_all(scan).await.into_iter().flatten().collect();
        let mut adapters = self.adapters.lock();
        for (name, plugin) in found {
            adapters
                .entry(name.clone())
                .or_insert_with(|| DaemonDriver::Plugin(Arc::new(Adapter::new(name, plugin.client.clone()))));
        }
        adapters.values().cloned().collect()
    }

    /// The plugin of a name, if it was met before or its socket is there.
    fn located(&self, name: &str) -> Option<Arc<Plugin>> {
        let mut plugins = self.plugins.lock();
        if let Some(plugin) = plugins.get(name) {
            return Some(Arc::clone(plugin));
        }
        let address = self.known.get(name).filter(|address| is_there(address))?;
        let client = DaemonClient::new(address.clone(), self.profile, self.clock);
        let plugin = Arc::new(Plugin { client, implements: tokio::sync::Mutex::default() });
        plugins.insert(name.to_owned(), Arc::clone(&plugin));
        Some(plugin)
    }

    /// A plugin that could not be activated is looked for again the next time.
    async fn activated(&self, name: &str, plugin: &Arc<Plugin>) -> Result<bool, CallError> {
        let activated = plugin.is_volume_driver().await;
        if activated.is_err() {
            self.plugins.lock().remove(name);
        }
        activated
    }
}

/// Whether a plugin can be found: its socket, or its spec file, which stays when the plugin goes.
fn is_there(address: &DriverAddress) -> bool {
    match address {
        DriverAddress::Unix(path) => path.metadata().is_ok_and(|file| file.file_type().is_socket()),
        DriverAddress::Tcp(_) => true,
    }
}
