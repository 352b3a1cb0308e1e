//! Containers: records only, each with its mounts. A mount keeps its ID as long as the daemon believes in it.
//!
//! Moby `daemon/volume/mounts/mounts.go`.

use std::{path::Path, sync::Arc};

use super::{
    error::DaemonError,
    profile::Profile,
    store::{Store, StoredVolume},
};
use crate::{engine::rng::Rng, engine_api::Run};

/// What the OCI bundle of a container has in it.
pub(super) const BUNDLE: [&str; 3] = ["config.json", "init.pid", "rootfs"];

/// A volume at a place in a container.
#[derive(Clone, Debug)]
pub(super) struct Mount {
    pub volume: String,
    pub driver: String,
    pub destination: String,
    /// Made for this container, and removed with it by `rm -v`.
    pub anonymous: bool,
    /// What the image has at the destination is copied into the volume when the container is created.
    pub copy_up: bool,
    /// Written down, so that it outlives the daemon.
    pub id: Option<String>,
    /// How often it is mounted. A daemon that dies forgets it.
    pub active: i32,
    /// Whether the daemon has the volume at hand. After a restart it must ask for it first.
    pub found: bool,
    /// Where the volume was when the container was created, if its driver had said so.
    pub source: String,
    /// Where the volume was when the daemon last took it to hand, if its driver had said so.
    pub known_path: String,
    /// Where the driver said the volume is when it mounted it.
    pub path: String,
}

impl Mount {
    pub(super) fn new(volume: &StoredVolume, destination: &str) -> Self {
        Self {
            volume: volume.name().to_owned(),
            driver: volume.driver.name().to_owned(),
            destination: destination.to_owned(),
            anonymous: false,
            copy_up: true,
            id: None,
            active: 0,
            found: true,
            source: volume.described.mountpoint.clone(),
            known_path: volume.described.mountpoint.clone(),
            path: String::new(),
        }
    }

    /// The mount of another container's volume. If that container knew where the volume is, the daemon asks nobody, and
    /// does not note who uses it, until this container starts.
    pub(super) async fn from(other: &Self, store: &Store, user: &str) -> Result<Self, DaemonError> {
        if other.source.is_empty() {
            let volume = store.get(&other.volume, &other.driver, Some(user)).await?;
            let mount = Self::new(&volume, &other.destination);
            return Ok(Self { source: String::new(), anonymous: other.anonymous, copy_up: false, ..mount });
        }
        let (id, path, known_path) = (None, String::new(), String::new());
        Ok(Self { copy_up: false, id, active: 0, found: false, known_path, path, ..other.clone() })
    }

    pub(super) fn is_local(&self) -> bool {
        self.driver == super::local::LOCAL
    }

    /// The source that `docker inspect` shows.
    pub(super) fn shown_source(&self) -> &str {
        if self.found { &self.known_path } else { &self.source }
    }

    /// Whether there is something to mount. An empty path means the container's bundle, and a relative one a file in it.
    pub(super) fn is_there(&self) -> bool {
        let path = Path::new(&self.path);
        let in_bundle = || BUNDLE.iter().any(|file| path.starts_with(file));
        self.is_local()
            || self.path.is_empty()
            || if path.is_absolute() { path.exists() } else { in_bundle() }
    }

    /// Asks for the volume if it is not at hand.
    pub(super) async fn find(&mut self, store: &Store, container: &str) -> Result<(), DaemonError> {
        if !self.found {
            let volume = store.get(&self.volume, &self.driver, Some(container)).await?;
            self.known_path = volume.described.mountpoint;
            self.found = true;
        }
        Ok(())
    }

    /// Get and Mount, with the ID that is still believed in, else with a new one.
    pub(super) async fn set_up(&mut self, store: &Store, rng: &Rng) -> Result<(), DaemonError> {
        let id = self.id.clone().unwrap_or_else(|| rng.id());
        let mounted = mount(store, &self.volume, &self.driver, &id).await;
        let context = || format!("error while mounting volume '{}'", self.source);
        self.path = mounted.map_err(|error| error.because(&context()))?;
        self.id = Some(id);
        self.active += 1;
        Ok(())
    }

    /// Get and Unmount. The ID goes with the last successful one.
    pub(super) async fn clean_up(&mut self, store: &Store, profile: Profile) -> Result<(), DaemonError> {
        let Some(id) = self.id.clone().filter(|_| self.found) else { return Ok(()) };
        // Newer daemons distrust a count of zero and send nothing.
        if self.active == 0 && profile == Profile::Docker {
            return Ok(());
        }
        unmount(store, &self.volume, &self.driver, &id).await?;
        self.active -= 1;
        if self.active == 0 {
            self.id = None;
        }
        Ok(())
    }
}

/// Asks for a volume, and mounts what the driver says it is.
pub(super) async fn mount(store: &Store, name: &str, driver: &str, id: &str) -> Result<String, DaemonError> {
    let volume = store.get(name, driver, None).await?;
    Ok(volume.driver.mount(volume.name(), id).await?)
}

/// Asks for a volume, and unmounts what the driver says it is.
pub(super) async fn unmount(store: &Store, name: &str, driver: &str, id: &str) -> Result<(), DaemonError> {
    let volume = store.get(name, driver, None).await?;
    Ok(volume.driver.unmount(volume.name(), id).await?)
}

/// A container, as the daemon has it on disk and in memory.
pub(super) struct Container {
    pub id: String,
    pub name: String,
    pub run: Run,
    /// Held while anything is done to it: `docker rm` waits for a hanging `docker start`.
    pub state: tokio::sync::Mutex<ContainerState>,
}

/// What changes in a container's life.
#[derive(Debug, Default)]
pub(super) struct ContainerState {
    pub running: bool,
    pub mounts: Vec<Mount>,
    /// Whether it has ever run.
    pub has_run: bool,
    /// How what ran in it ended, or 0.
    pub exit_code: u8,
    /// Why it could not start.
    pub error: String,
    /// What ran in it printed.
    pub output: String,
}

impl ContainerState {
    /// The word for it in `docker inspect`.
    pub(super) const fn status(&self) -> &'static str {
        match self {
            Self { running: true, .. } => "running",
            Self { has_run: true, .. } => "exited",
            _ => "created",
        }
    }
}

impl Container {
    pub(super) fn new(id: String, name: String, run: Run) -> Arc<Self> {
        Arc::new(Self { id, name, run, state: tokio::sync::Mutex::default() })
    }

    pub(super) fn restarts_with_daemon(&self) -> bool {
        self.run.restart.as_deref() == Some("always")
    }
}

impl ContainerState {
    /// Asks for every volume in turn, up to the first that fails. Newer daemons count the mounts of a container that runs,
    /// and ask once more for that.
    pub(super) async fn find(
        &mut self,
        store: &Store,
        container: &str,
        profile: Profile,
    ) -> Result<(), DaemonError> {
        for mount in &mut self.mounts {
            mount.find(store, container).await?;
            if self.running && profile == Profile::Docker {
                store.get(&mount.volume, &mount.driver, None).await?;
                mount.active += 1;
            }
        }
        Ok(())
    }

    /// Mounts every volume in turn, up to the first that fails.
    pub(super) async fn set_up(
        &mut self,
        store: &Store,
        rng: &Rng,
        container: &str,
    ) -> Result<(), DaemonError> {
        for mount in &mut self.mounts {
            mount.find(store, container).await?;
            mount.set_up(store, rng).await?;
        }
        Ok(())
    }

    /// Unmounts every volume. What fails is left as it is: the daemon only logs it.
    pub(super) async fn clean_up(&mut self, store: &Store, profile: Profile) {
        for mount in &mut self.mounts {
            let _logged = mount.clean_up(store, profile).await;
        }
    }

    /// What a daemon that starts knows: the IDs, and of what goes on at most which containers run.
    pub(super) fn forget(&mut self, live_restore: bool) {
        self.running &= live_restore;
        for mount in &mut self.mounts {
            mount.active = 0;
            mount.found = false;
        }
    }
}
