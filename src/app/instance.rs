//! An instance: the volumes, the shared state and the plugin server.

use std::{
    hash::{BuildHasher, RandomState},
    io,
    path::PathBuf,
    sync::Arc,
};

use anyhow::Context;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{
    clock_watch,
    config::Config,
    kept_rules::{KeptRules, KeptRulesWriter},
    paths,
    server::{DriverChoice, Server, ServerConfig},
};
use crate::{
    domain::{
        model::{entry::Session, origin::Origin, speed::DemoSpeed, volume::Volumes},
        redaction::Redaction,
        state::journal::Bounds,
    },
    hub::{Hub, InMemoryStore, VolumeStore},
    net::token,
    plugin::{DiskStore, delete_directory},
};

/// Who finds an instance, and whether its volumes outlive it. The configuration can choose other places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceScope {
    /// Users and engines find it. Its volumes are kept.
    System,
    /// Users find it, engines do not. Its volumes are temporary.
    Demo,
    /// Engines find it, users do not. Its volumes are temporary.
    EngineOnly,
    /// Neither finds it. Its volumes are temporary.
    Isolated,
}

/// A running instance.
pub struct Instance {
    /// The shared state.
    pub hub: Arc<Hub>,
    /// Where its volumes are stored.
    pub root: PathBuf,
    /// The random seed.
    pub seed: u64,
    /// Stops the server, and the services that end with it.
    pub shutdown: CancellationToken,
    serving: JoinHandle<()>,
    keeping: Option<KeptRulesWriter>,
    temporary: Option<Temporary>,
}

/// A directory that is deleted in the end, but nothing that a user has mounted in it.
struct Temporary {
    path: PathBuf,
    disk: Option<DiskStore>,
}

impl Temporary {
    fn create() -> io::Result<Self> {
        Ok(Self { path: tempfile::tempdir()?.keep(), disk: None })
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let unmounted = self.disk.take().map_or(Ok(()), |disk| disk.unmount_all());
        if let Err(error) = unmounted.and_then(|()| delete_directory(&self.path)) {
            tracing::warn!(%error, "cannot delete the temporary directory {:?}", self.path);
        }
    }
}

impl Instance {
    /// Opens the volumes, binds the sockets and starts to serve. `prepare` runs before the first request.
    pub fn open(scope: InstanceScope, config: &Config, prepare: impl FnOnce(&Hub)) -> anyhow::Result<Self> {
        let temporary = (scope != InstanceScope::System).then(Temporary::create).transpose();
        let mut temporary = temporary.context("cannot create a temporary directory; set TMPDIR")?;
        let mut server = ServerConfig::new(&config.name);
        server.paths = paths::own();
        if let Some(directory) = &temporary {
            if scope != InstanceScope::Demo {
                server.paths.control = directory.path.join("control");
            }
            if scope != InstanceScope::EngineOnly {
                server.paths.sockets = directory.path.join("plugins");
                server.paths.specs = vec![directory.path.join("specs")];
            }
        }
        server.listen = config.listen.clone().unwrap_or(server.listen);
        server.control = config.control.clone().unwrap_or(server.control);
        server.save_directory.clone_from(&config.save_directory);
        server.token = config.token_file.as_deref().map(token::read).transpose()?;
        server.header_timeout = config.header_timeout;
        server.guard =
            config.takes_over.then(std::env::current_exe).transpose().context("cannot find this program")?;
        server.panic_on.clone_from(&config.panic_on);
        let default_root = || match &temporary {
            Some(directory) => Ok(directory.path.join("volumes")),
            None => paths::volumes(),
        };
        let root = config.root.clone().map_or_else(default_root, Ok)?;

        let (driver, store, volumes): (DriverChoice, Box<dyn VolumeStore>, _) =
            if let Some(upstream) = &config.upstream {
                let driver = if config.takes_over { DriverChoice::TakeOver } else { DriverChoice::Beside };
                (driver(upstream.clone()), Box::new(InMemoryStore), Volumes::default())
            } else {
                let sync = config.sync && scope == InstanceScope::System;
                let (disk, volumes) = DiskStore::open_with(&root, config.directories, sync)?;
                if let Some(temporary) = &mut temporary
                    && root.starts_with(&temporary.path)
                {
                    temporary.disk = Some(disk.clone());
                }
                (DriverChoice::Builtin(disk.clone()), Box::new(disk), volumes)
            };
        // A random seed is short, since people read it from the screen and type it again.
        let random = || RandomState::new().hash_one(root.as_path()) % 1_000_000;
        let kept = if config.keep_rules { KeptRules::read(&root)? } else { KeptRules::default() };
        let seed = config.seed.or(kept.seed).unwrap_or_else(random);
        let session = Session::new(seed, volumes)
            .with_default_expiry(config.expire)
            .with_rules(kept.rules.clone())
            .with_speed((scope == InstanceScope::Demo).then(DemoSpeed::default));
        let redaction = Redaction::new(config.redact.iter().cloned());
        let hub = Hub::redacted(session, store, Bounds::default(), redaction);
        let in_its_time = hub.in_time_of(config.speed);
        for command in &config.commands {
            if kept.has(command) {
                continue;
            }
            let run = hub.command(command, Origin::Settings);
            run.with_context(|| format!("cannot begin with {:?}", command.to_string()))?;
        }
        drop(in_its_time);
        let server = Server::bind(&hub, driver, server)?;
        prepare(&hub);
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn(server.run(shutdown.clone()));
        tokio::spawn({
            let hub = Arc::clone(&hub);
            async move { hub.run_deadlines().await }
        });
        tokio::spawn({
            let hub = Arc::clone(&hub);
            async move {
                if let Err(error) = clock_watch::follow(hub).await {
                    tracing::warn!(%error, "cannot notice when the clock is set");
                }
            }
        });
        let keeping = config.keep_rules.then(|| KeptRulesWriter::start(&hub, &root));
        Ok(Self { hub, root, seed, shutdown, serving, keeping, temporary })
    }

    /// Releases held calls, stops the server, and removes its sockets and its spec file.
    pub async fn close(self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        let served = self.serving.await.context("the server panicked");
        if let Some(keeping) = self.keeping {
            keeping.end().await.context("cannot keep the rules")?;
        }
        drop(self.temporary);
        served
    }
}
