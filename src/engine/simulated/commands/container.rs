//! `docker create` and `docker rm`: how a container gets and releases its volumes.

use std::{path::Path, sync::Arc};

use serde_json::json;

use super::Work;
use crate::{
    domain::model::protocol::Options,
    engine::{
        print,
        simulated::{
            container::{self, Container, Mount, State},
            error::{DaemonError, Status},
            profile::Profile,
        },
    },
    engine_api::{CliResult, Run},
};

impl Work<'_> {
    /// A container of a name, or the error that there is none.
    pub(super) fn container(self, name: &str) -> Result<Arc<Container>, DaemonError> {
        let found = self.daemon.containers.lock().get(name).cloned();
        found.ok_or_else(|| DaemonError::new(Status::NotFound, format!("No such container: {name}")))
    }

    /// Makes a container: its volumes are created or looked up, and filled from the image.
    pub(super) async fn create(self, run: &Run) -> Result<Arc<Container>, DaemonError> {
        let id = self.daemon.chance.id();
        let name = run.name.clone().unwrap_or_else(|| format!("nameless_{}", &id[..12]));
        let container = Container::new(id, name.clone(), run.clone());
        {
            let mut containers = self.daemon.containers.lock();
            if let Some(other) = containers.get(&name) {
                return Err(DaemonError::new(
                    Status::Conflict,
                    format!(
                        "Conflict. The container name \"/{name}\" is already in use by container \"{}\". You have to remove (or rename) that container to be able to reuse that name.",
                        other.id
                    ),
                ));
            }
            containers.insert(name.clone(), Arc::clone(&container));
        }
        let mut state = container.state.lock().await;
        let created = match self.register(&container, &mut state).await {
            Ok(()) => self.copy_up(&state).await,
            failed => failed,
        };
        if let Err(error) = created {
            let _reported_already = self.release_held(&container, &mut state, true).await;
            return Err(error);
        }
        drop(state);
        Ok(container)
    }

    /// The mounts of a new container: those of another one, then named volumes, then anonymous ones.
    async fn register(self, container: &Container, state: &mut State) -> Result<(), DaemonError> {
        let run = &container.run;
        let user = Some(&*container.id);
        if let Some(other) = &run.volumes_from {
            let others = self.container(other)?.state.lock().await.mounts.clone();
            for Mount { volume, driver, destination, anonymous, .. } in others {
                let volume = self.store.get(&volume, &driver, user).await?;
                let mount = Mount { anonymous, copy_up: false, ..Mount::new(&volume, &destination) };
                state.mounts.push(mount);
            }
        }
        let driver = run.volume_driver.as_deref().unwrap_or_default();
        let (named, anonymous): (Vec<_>, Vec<_>) =
            run.volumes.iter().partition(|volume| volume.contains(':'));
        for (name, rest) in named.iter().filter_map(|volume| volume.split_once(':')) {
            let destination = rest.split(':').next().unwrap_or_default();
            if name.starts_with('/') {
                // A directory of the host is no business of any volume driver.
                continue;
            }
            let volume = self.store.create(name, driver, &Options::new(), &Options::new(), user).await?;
            state.mounts.retain(|mount| mount.destination != destination);
            state.mounts.push(Mount::new(&volume, destination));
        }
        for destination in anonymous {
            if state.mounts.iter().all(|mount| mount.destination != *destination) {
                let volume = self.anonymous(driver, &Options::new(), Options::new(), user).await?;
                state.mounts.push(Mount { anonymous: true, ..Mount::new(&volume, destination) });
            }
        }
        Ok(())
    }

    /// Mounts each volume that the image has something for, under an ID of its own, and copies it there.
    async fn copy_up(self, state: &State) -> Result<(), DaemonError> {
        for mount in state.mounts.iter().filter(|mount| mount.copy_up) {
            if !self.daemon.config.image_directories.contains(&mount.destination) {
                continue;
            }
            let id = self.daemon.chance.id();
            let path = container::mount(self.store, &mount.volume, &mount.driver, &id).await?;
            let there = mount.is_local() || Path::new(&path).is_dir();
            let _logged = container::unmount(self.store, &mount.volume, &mount.driver, &id).await;
            if !there {
                let text = format!("open {path}: no such file or directory");
                return Err(DaemonError::new(Status::Internal, text));
            }
        }
        Ok(())
    }

    pub(super) async fn inspect_container(self, name: &str) -> Result<CliResult, DaemonError> {
        let container = match self.container(name) {
            Err(error) => {
                let message = self.daemon.profile().not_found("object", name, &error.text);
                return Ok(CliResult { code: 1, stdout: "[]".into(), stderr: message });
            }
            Ok(container) => container,
        };
        let state = container.state.lock().await;
        let mounts = state.mounts.iter().map(|mount| {
            json!({
                "Destination": mount.destination,
                "Driver": mount.driver,
                "Name": mount.volume,
                "Source": mount.path,
                "Type": "volume",
            })
        });
        let mounts: Vec<_> = mounts.collect();
        let inspected = json!({ "Id": container.id, "Mounts": mounts, "Name": format!("/{name}") });
        Ok(print::inspected(&inspected))
    }

    pub(super) async fn rm(self, name: &str, force: bool, volumes: bool) -> Result<CliResult, DaemonError> {
        let container = self.container(name)?;
        let mut state = container.state.lock().await;
        if state.running && !force {
            let text = match self.daemon.profile() {
                Profile::Docker => format!(
                    "cannot remove container {name:?}: container is running: stop the container before removing or force remove"
                ),
                Profile::Docker20 | Profile::Podman => format!(
                    "You cannot remove a running container {}. Stop the container before attempting removal or force remove",
                    container.id
                ),
            };
            return Err(DaemonError::new(Status::Conflict, text));
        }
        self.end(&mut state).await;
        self.release_held(&container, &mut state, volumes).await?;
        Ok(CliResult::success(name))
    }

    /// Ends a container's use of its volumes, and the container. Its anonymous volumes go with it if they shall.
    pub(super) async fn release_held(
        self,
        container: &Container,
        state: &mut State,
        volumes: bool,
    ) -> Result<(), DaemonError> {
        let mut failures = Vec::new();
        for mount in state.mounts.iter().filter(|mount| mount.found) {
            self.store.release(&mount.volume, &container.id).await;
            if volumes && mount.anonymous {
                match self.remove_volume(&mount.volume, false).await {
                    Err(error) if error.status != Status::Conflict => failures.push(error.text),
                    _ => {}
                }
            }
        }
        if !failures.is_empty() {
            let text = format!("Error removing volumes:\n{}", failures.join("\n"));
            return Err(DaemonError::new(Status::Internal, text));
        }
        let mut containers = self.daemon.containers.lock();
        if containers.get(&container.name).is_some_and(|named| named.id == container.id) {
            containers.remove(&container.name);
        }
        Ok(())
    }
}
