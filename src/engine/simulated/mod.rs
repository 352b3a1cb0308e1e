//! The simulated engines: their plugin clients and volume stores, without containers that really run.
//!
//! The daemon speaks HTTP to the plugin's real socket and sends what a `dockerd` would send, in its
//! order, with its retries, deadlines and slips, so that the plugin and its user need no Docker. Its
//! models are moby's `pkg/plugins` and `daemon/volume`; each file names the part that it follows.
//! `podman` is another engine with another way of life, and has only the transport in common.
//!
//! ```text
//! commands ─▶ store ─▶ drivers ─▶ adapter ─▶ client ─▶ transport ─▶ the plugin
//!     └─▶ container     └─▶ local
//! ```

mod adapter;
mod answer;
mod client;
mod commands;
mod container;
mod drivers;
mod error;
mod local;
mod locks;
mod podman;
mod process;
mod profile;
mod store;
mod transport;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use futures_util::{
    FutureExt,
    future::{BoxFuture, join_all, ready},
};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use self::{
    commands::Work,
    container::Container,
    drivers::Drivers,
    local::LocalDriver,
    store::{Records, Store},
};
pub use self::{
    profile::Profile,
    transport::{Address, BadAddress},
};
use super::{print, rng::Rng};
use crate::engine_api::{CliResult, Clock, DockerCommand, Engine, Inventory};

/// What a simulated daemon is made of.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which daemon it is.
    pub profile: Profile,
    /// The plugins that it can find, by name.
    pub plugins: BTreeMap<String, Address>,
    /// How fast its time passes.
    pub clock: Clock,
    /// What its random IDs are drawn from.
    pub seed: u64,
    /// Where the plugin keeps its volumes. Simulated containers read and write there and nowhere else.
    pub files: Option<PathBuf>,
    /// The directories of its one image. A volume mounted over one of them is first filled from it.
    pub image_directories: Vec<String>,
}

impl Config {
    /// A daemon of today in real time, with one plugin.
    pub fn new(plugin: &str, address: Address) -> Self {
        Self {
            profile: Profile::default(),
            plugins: BTreeMap::from([(plugin.to_owned(), address)]),
            clock: Clock::REAL,
            seed: 0,
            files: None,
            image_directories: vec!["/bin".into()],
        }
    }
}

/// An engine of the profile that the configuration names, which has just started for the first time.
pub fn start(config: Config) -> Arc<dyn Engine> {
    if config.profile == Profile::Podman {
        Arc::new(podman::Podman::new(config))
    } else {
        Arc::new(Daemon::new(config))
    }
}

/// A simulated daemon: its disk, and its present life.
struct Daemon {
    config: Config,
    chance: Rng,
    local: Arc<LocalDriver>,
    records: Records,
    containers: Mutex<BTreeMap<String, Arc<Container>>>,
    life: Mutex<Arc<Life>>,
}

/// What a daemon has in its memory, from its start to its end.
struct Life {
    store: Store,
    ended: CancellationToken,
}

const UNREACHABLE: &str =
    "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?";
const CUT_OFF: &str = "error during connect: Post \"http://%2Fvar%2Frun%2Fdocker.sock\": EOF";

impl Daemon {
    /// A daemon that has just started for the first time.
    fn new(config: Config) -> Self {
        let local = Arc::new(LocalDriver::new());
        let records = Records::default();
        let life = Life::begin(&config, &local, &records);
        Self {
            chance: Rng::new(config.seed),
            local,
            records,
            containers: Mutex::default(),
            life: Mutex::new(Arc::new(life)),
            config,
        }
    }

    fn profile(&self) -> Profile {
        self.config.profile
    }

    async fn work(&self, command: &DockerCommand) -> CliResult {
        let life = Arc::clone(&self.life.lock());
        let work = Work { daemon: self, store: &life.store };
        let done = tokio::select! {
            biased;
            () = life.ended.cancelled() => return CliResult::failure(1, UNREACHABLE),
            done = work.perform(command) => done,
        };
        match done {
            Ok(outcome) => outcome,
            Err(error) if error.fatal => {
                life.ended.cancel();
                CliResult::failure(1, CUT_OFF)
            }
            Err(error) => print::failure(&error.text),
        }
    }

    /// Stops the containers in good order, if the daemon is alive, and starts it again.
    async fn restart(&self) -> CliResult {
        let life = Arc::clone(&self.life.lock());
        if !life.ended.is_cancelled() {
            let work = Work { daemon: self, store: &life.store };
            let containers = self.all_containers();
            join_all(containers.iter().map(|container| async move {
                work.end(&mut *container.state.lock().await).await;
            }))
            .await;
        }
        self.boot().await
    }

    /// The end of one life and the start of the next: whatever went on is cut off, and the disk is read.
    async fn boot(&self) -> CliResult {
        self.life.lock().ended.cancel();
        let containers = self.all_containers();
        for container in &containers {
            container.state.lock().await.forget();
        }
        let life = Life::begin(&self.config, &self.local, &self.records);
        life.store.restore().await;
        for container in &containers {
            for mount in &mut container.state.lock().await.mounts {
                if mount.find(&life.store, &container.id).await.is_err() {
                    break;
                }
            }
        }
        let work = Work { daemon: self, store: &life.store };
        for container in containers.iter().filter(|container| container.restarts_with_daemon()) {
            let _only_logged = work.start(container).await;
        }
        *self.life.lock() = Arc::new(life);
        CliResult::default()
    }

    fn all_containers(&self) -> Vec<Arc<Container>> {
        self.containers.lock().values().cloned().collect()
    }
}

impl Life {
    fn begin(config: &Config, local: &Arc<LocalDriver>, records: &Records) -> Self {
        let drivers = Drivers::new(config.plugins.clone(), Arc::clone(local), config.profile, config.clock);
        Self { store: Store::new(drivers, Arc::clone(records)), ended: CancellationToken::new() }
    }
}

impl Engine for Daemon {
    fn sweep(&self) -> BoxFuture<'_, ()> {
        async {
            for container in self.all_containers() {
                let name = container.name.clone();
                self.work(&DockerCommand::Rm { force: true, volumes: true, name }).await;
            }
        }
        .boxed()
    }

    fn inventory(&self) -> BoxFuture<'_, Result<Inventory, String>> {
        let containers = self.containers.lock().keys().cloned().collect();
        let local = self.local.list().into_iter().map(|volume| volume.name);
        let volumes = self.records.lock().keys().cloned().chain(local).collect();
        ready(Ok(Inventory { containers, volumes, ..Inventory::default() })).boxed()
    }

    fn perform<'a>(&'a self, command: &'a DockerCommand) -> BoxFuture<'a, CliResult> {
        match command {
            DockerCommand::DaemonRestart => self.restart().boxed(),
            DockerCommand::DaemonKill => self.boot().boxed(),
            command => self.work(command).boxed(),
        }
    }
}
