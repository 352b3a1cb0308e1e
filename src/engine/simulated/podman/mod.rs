//! The simulated podman: no daemon, a database of volumes, and mounts that it counts itself.
//!
//! As watched on podman 4.3.1 and read in libpod. The plugin hears of a mount only when the first
//! container starts and of an unmount only when the last one ends, under one ID for all; and a
//! status of 200 is success, whatever `Err` says.

mod client;
mod containers;
mod volumes;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures_util::{
    FutureExt,
    future::{BoxFuture, ready},
};
use parking_lot::Mutex;
use serde_json::json;

use self::client::PodmanClient;
use super::{DaemonConfig, abilities, commands, local::LOCAL, locks::Locks};
use crate::{
    domain::model::protocol::{Operation, Options},
    engine::rng::Rng,
    engine_api::{Abilities, CliResult, DockerCommand, Engine, Inventory, Profile, Run},
};

/// The SHA-256 of `placeholder\n`: libpod's one mount ID.
const MOUNT_ID: &str = "2f73349cfc4630255319c6c8dfc1b46a8996ace9d14d8e07563b165915918ec2";

pub(super) const NO_DAEMON: &str = "podman has no daemon";

/// A volume in the database.
#[derive(Clone, Debug, Default)]
struct PodmanVolume {
    driver: String,
    options: Options,
    labels: Options,
    mountpoint: String,
    mount_count: u32,
}

/// A container in the database.
#[derive(Clone, Debug)]
struct PodmanContainer {
    id: String,
    run: Run,
    /// Volume and destination.
    mounts: Vec<(String, String)>,
    running: bool,
}

/// A simulated podman.
pub(super) struct Podman {
    config: DaemonConfig,
    rng: Rng,
    volumes: Mutex<BTreeMap<String, PodmanVolume>>,
    containers: Mutex<BTreeMap<String, PodmanContainer>>,
    locks: Locks,
}

/// The plugins that one podman process has activated.
type Activated = BTreeMap<String, Result<PodmanClient, String>>;

fn named(volume: &str) -> String {
    json!({ "Name": volume }).to_string()
}

fn with_id(volume: &str) -> String {
    // A map would put the ID first; podman does not.
    format!("{{\"Name\":{},\"ID\":\"{MOUNT_ID}\"}}", json!(volume))
}

impl Podman {
    pub(super) fn new(config: DaemonConfig) -> Self {
        Self {
            rng: Rng::new(config.seed),
            config,
            volumes: Mutex::default(),
            containers: Mutex::default(),
            locks: Locks::default(),
        }
    }

    async fn work(&self, command: &DockerCommand) -> CliResult {
        let done = match command {
            DockerCommand::Volume(command) => self.volume(command).await,
            DockerCommand::Create(run) => {
                self.create(run, &mut Activated::new()).await.map(|container| container.id)
            }
            DockerCommand::Run(run) => self.run(run).await,
            DockerCommand::Start { name } => self.start(name).await.map(|()| name.clone()),
            // What is mounted stays so while a container restarts.
            DockerCommand::Restart { name } => self.look(name).await,
            DockerCommand::Stop { name } | DockerCommand::Kill { name } => {
                self.end(name).await.map(|()| name.clone())
            }
            DockerCommand::Rm { force, volumes, name } => self.rm(name, *force, *volumes).await,
            DockerCommand::Inspect { name } => self.inspect(name),
            DockerCommand::Ps { all } => Ok(self.ps(*all)),
            DockerCommand::Exec { name, .. } => self.look_into(name, true),
            DockerCommand::Logs { name } => self.look_into(name, false),
            DockerCommand::Plugin(_) => Err(commands::NO_PLUGINS.into()),
            DockerCommand::Service(_) => Err(commands::NO_SWARM.into()),
            DockerCommand::Cp { source, destination } => self.cp(source, destination).await,
            DockerCommand::DaemonRestart | DockerCommand::DaemonKill => Err(NO_DAEMON.into()),
        };
        done.map_or_else(|why| CliResult::failure(125, format!("Error: {why}")), CliResult::success)
    }

    /// The client of a volume's plugin in this process; none if the volume is local.
    async fn client<'a>(
        &self,
        driver: &str,
        activated: &'a mut Activated,
    ) -> Result<Option<&'a PodmanClient>, String> {
        if driver == LOCAL {
            return Ok(None);
        }
        if !activated.contains_key(driver) {
            let client = match self.config.plugins.get(driver) {
                Some(address) => PodmanClient::connect(driver, address, self.config.clock).await,
                None => {
                    Err(format!("no volume plugin with name {driver} available: required plugin missing"))
                }
            };
            activated.insert(driver.to_owned(), client);
        }
        activated[driver].as_ref().map(Some).map_err(Clone::clone)
    }

    async fn call(
        &self,
        driver: &str,
        activated: &mut Activated,
        operation: Operation,
        volume: &str,
        body: String,
    ) -> Result<Bytes, String> {
        match self.client(driver, activated).await? {
            Some(client) => client.call(operation, volume, body).await,
            None => Ok(Bytes::new()),
        }
    }

    fn row(&self, name: &str) -> Result<PodmanVolume, String> {
        let row = self.volumes.lock().get(name).cloned();
        row.ok_or_else(|| format!("no volume with name {name:?} found: no such volume"))
    }
}

impl Engine for Podman {
    fn profile(&self) -> Profile {
        Profile::Podman
    }

    fn abilities(&self) -> Abilities {
        abilities(Profile::Podman)
    }

    fn sweep(&self) -> BoxFuture<'_, ()> {
        async {
            let names: Vec<_> = self.containers.lock().keys().cloned().collect();
            for name in names {
                self.work(&DockerCommand::Rm { force: true, volumes: true, name }).await;
            }
        }
        .boxed()
    }

    fn inventory(&self) -> BoxFuture<'_, Result<Inventory, String>> {
        let containers = self.containers.lock().keys().cloned().collect();
        let volumes: BTreeSet<_> = self.volumes.lock().keys().cloned().collect();
        // Nobody else creates any.
        ready(Ok(Inventory { containers, own: volumes.clone(), volumes })).boxed()
    }

    fn perform<'a>(&'a self, command: &'a DockerCommand) -> BoxFuture<'a, CliResult> {
        self.work(command).boxed()
    }
}
