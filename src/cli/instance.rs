//! One plugin at work: its volumes, its hub and its server, from the start to the orderly end.

use std::{
    hash::{BuildHasher, RandomState},
    path::PathBuf,
    sync::Arc,
};

use anyhow::Context;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{places, settings::Settings};
use crate::{
    domain::{
        model::{entry::Session, speed::DemoSpeed},
        state::journal::Bounds,
    },
    plugin::{DiskStore, Server, ServerConfig},
    state::Hub,
};

/// Where an instance has what the settings give no place to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceScope {
    /// Where users and engines look for it. Its volumes last.
    System,
    /// Users find it, and no engine of this machine does. Its volumes go with it.
    Demo,
    /// Engines find it, and no users. Its volumes go with it.
    EngineOnly,
    /// Neither finds it. Its volumes go with it.
    Isolated,
}

/// A running instance.
pub struct Instance {
    /// What it knows.
    pub hub: Arc<Hub>,
    /// Where its volumes are.
    pub root: PathBuf,
    /// What chance is drawn from.
    pub seed: u64,
    /// Ends the server and what runs with it.
    pub shutdown: CancellationToken,
    serving: JoinHandle<()>,
    _own: Option<TempDir>,
}

impl Instance {
    /// Opens the volumes, binds the sockets and begins to serve. `before` is done before anybody can ask for anything.
    pub fn open(
        home: InstanceScope,
        name: &str,
        settings: &Settings,
        before: impl FnOnce(&Hub),
    ) -> anyhow::Result<Self> {
        let own = (home != InstanceScope::System).then(tempfile::tempdir).transpose();
        let own = own.context("there is no place for temporary files; set TMPDIR")?;
        let mut plan = ServerConfig::new(name);
        plan.places = places::own();
        if let Some(own) = &own {
            if home != InstanceScope::Demo {
                plan.places.control = own.path().join("control");
            }
            if home != InstanceScope::EngineOnly {
                plan.places.sockets = own.path().join("plugins");
                plan.places.specs = vec![own.path().join("specs")];
            }
        }
        plan.listen = settings.listen.clone().unwrap_or(plan.listen);
        plan.control = settings.control.clone().unwrap_or(plan.control);
        plan.panic_on = std::env::var("VOLTERGEIST_PANIC_ON").ok();
        let at_home = || match &own {
            Some(own) => Ok(own.path().join("volumes")),
            None => places::volumes(),
        };
        let root = settings.root.clone().map_or_else(at_home, Ok)?;

        let (disk, volumes) = DiskStore::open(&root)?;
        // A drawn seed is short, since people read it off the screen and type it again.
        let seed = settings.seed.unwrap_or_else(|| RandomState::new().hash_one(root.as_path()) % 1_000_000);
        let session = Session::new(seed, volumes)
            .with_default_expiry(settings.expire)
            .with_speed((home == InstanceScope::Demo).then(DemoSpeed::default));
        let hub = Hub::new(session, Box::new(disk.clone()), Bounds::default());
        let server = Server::bind(&hub, disk, plan)?;
        before(&hub);
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn(server.run(shutdown.clone()));
        tokio::spawn({
            let hub = Arc::clone(&hub);
            async move { hub.keep_time().await }
        });
        Ok(Self { hub, root, seed, shutdown, serving, _own: own })
    }

    /// Ends it in order: what waits is let go, and neither socket nor spec stays.
    pub async fn close(self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        self.serving.await.context("the server did not end in order")
    }
}
