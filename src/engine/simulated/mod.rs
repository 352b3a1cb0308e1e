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
mod client;
mod commands;
mod config;
mod container;
mod daemon;
mod drivers;
mod error;
mod image;
mod local;
mod locks;
mod podman;
mod process;
mod profile;
mod reply;
mod store;
mod transport;

use std::{collections::BTreeSet, sync::Arc};

use futures_util::{
    FutureExt,
    future::{BoxFuture, join_all, ready},
};

use self::{
    commands::Work,
    daemon::{Daemon, Life},
};
pub use self::{
    config::DaemonConfig,
    profile::Profile,
    transport::{BadAddress, DriverAddress},
};
use super::print;
use crate::engine_api::{Abilities, CliResult, DockerCommand, Engine, Inventory};

/// An engine of the profile that the configuration names, which has just started for the first time.
pub fn start(config: DaemonConfig) -> Arc<dyn Engine> {
    if config.profile == Profile::Podman {
        Arc::new(podman::Podman::new(config))
    } else {
        Arc::new(Daemon::new(config))
    }
}

/// What a simulated engine can do.
pub fn abilities(profile: Profile) -> Abilities {
    Abilities {
        profile,
        restart: if profile == Profile::Podman { Err(podman::NO_DAEMON) } else { Ok(()) },
        services: Err(commands::NO_SWARM),
        plugins: Err(commands::NO_PLUGINS),
        live_restore: None,
    }
}

const CUT_OFF: &str = "error during connect: Post \"http://%2Fvar%2Frun%2Fdocker.sock\": EOF";

impl Daemon {
    async fn work(&self, command: &DockerCommand) -> CliResult {
        let life = Arc::clone(&self.life.lock());
        let work = Work { daemon: self, store: &life.store };
        let done = tokio::select! {
            biased;
            () = life.ended.cancelled() => return CliResult::failure(1, self.config.profile.unreachable()),
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

    /// Stops the containers in good order, if the daemon is alive and they do not outlive it, and starts it again.
    async fn restart(&self) -> CliResult {
        let life = Arc::clone(&self.life.lock());
        if !self.config.live_restore && !life.ended.is_cancelled() {
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
            container.state.lock().await.forget(self.config.live_restore);
        }
        let life = Life::begin(&self.config, &self.local, &self.records);
        life.store.restore().await;
        for container in &containers {
            let _only_logged =
                container.state.lock().await.find(&life.store, &container.id, self.config.profile).await;
        }
        let work = Work { daemon: self, store: &life.store };
        for container in containers.iter().filter(|container| container.restarts_with_daemon()) {
            let _only_logged = work.start(container).await;
        }
        *self.life.lock() = Arc::new(life);
        CliResult::default()
    }
}

impl Engine for Daemon {
    fn profile(&self) -> Profile {
        self.config.profile
    }

    fn abilities(&self) -> Abilities {
        Abilities { live_restore: Some(self.config.live_restore), ..abilities(self.config.profile) }
    }

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
        let volumes: BTreeSet<_> = self.records.lock().keys().cloned().chain(local).collect();
        // Nobody else creates any.
        ready(Ok(Inventory { containers, own: volumes.clone(), volumes })).boxed()
    }

    fn perform<'a>(&'a self, command: &'a DockerCommand) -> BoxFuture<'a, CliResult> {
        match command {
            DockerCommand::DaemonRestart => self.restart().boxed(),
            DockerCommand::DaemonKill => self.boot().boxed(),
            command => self.work(command).boxed(),
        }
    }
}
