//! `docker create` and `docker rm`: how a container gets and releases its volumes.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use serde_json::json;

use super::Work;
use crate::{
    domain::model::protocol::Options,
    engine::{
        print,
        simulated::{
            container::{self, Container, ContainerState, Mount},
            error::{DaemonError, ErrorStatus},
            image,
            process::Process,
            profile::Profile,
        },
    },
    engine_api::{CliResult, Run},
};

impl Work<'_> {
    /// A container of a name, or the error that there is none.
    pub(super) fn container(self, name: &str) -> Result<Arc<Container>, DaemonError> {
        let found = self.daemon.containers.lock().get(name).cloned();
        found.ok_or_else(|| DaemonError::new(ErrorStatus::NotFound, format!("No such container: {name}")))
    }

    /// Makes a container: its volumes are created or looked up, and filled from the image.
    pub(super) async fn create(self, run: &Run) -> Result<Arc<Container>, DaemonError> {
        let id = self.daemon.rng.id();
        let name = run.name.clone().unwrap_or_else(|| format!("nameless_{}", &id[..12]));
        let container = Container::new(id, name.clone(), run.clone());
        {
            let mut containers = self.daemon.containers.lock();
            if let Some(other) = containers.get(&name) {
                return Err(DaemonError::new(
                    ErrorStatus::Conflict,
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
            Ok(()) => self.copy_up(&container, &mut state).await,
            failed => failed,
        };
        if let Err(error) = created {
            self.release_held(&container, &mut state, true).await;
            return Err(error);
        }
        drop(state);
        Ok(container)
    }

    /// The mounts of a new container: those of another one, then named volumes, then anonymous ones. A later one takes the
    /// place of an earlier one at the same destination.
    async fn register(self, container: &Container, state: &mut ContainerState) -> Result<(), DaemonError> {
        let run = &container.run;
        if let Some(other) = &run.volumes_from {
            let others = self.container(other)?.state.lock().await.mounts.clone();
            for other in &others {
                let mount = Mount::from(other, self.store, &container.id).await?;
                self.put(container, state, mount).await;
            }
        }
        let driver = run.volume_driver.as_deref().unwrap_or_default();
        let (named, anonymous): (Vec<_>, Vec<_>) =
            run.volumes.iter().partition(|volume| volume.contains(':'));
        let mut taken = BTreeSet::new();
        for (name, rest) in named.iter().filter_map(|volume| volume.split_once(':')) {
            let (destination, mode) = rest.split_once(':').unwrap_or((rest, ""));
            if !taken.insert(destination) {
                let text = format!("Duplicate mount point: {destination}");
                return Err(DaemonError::new(ErrorStatus::Invalid, text));
            }
            if name.starts_with('/') {
                // A directory of the host is no business of any volume driver.
                continue;
            }
            let user = Some(&*container.id);
            let volume = self.store.create(name, driver, &Options::new(), &Options::new(), user).await?;
            let copy_up = !mode.split(',').any(|word| word == "nocopy");
            self.put(container, state, Mount { copy_up, ..Mount::new(&volume, destination) }).await;
        }
        for destination in anonymous {
            if state.mounts.iter().all(|mount| mount.destination != *destination) {
                let user = Some(&*container.id);
                let volume = self.anonymous(driver, &Options::new(), Options::new(), user).await?;
                state.mounts.push(Mount { anonymous: true, ..Mount::new(&volume, destination) });
            }
        }
        Ok(())
    }

    /// Adds a mount. The one that was at its destination is no longer used.
    async fn put(self, container: &Container, state: &mut ContainerState, mount: Mount) {
        let before = state.mounts.iter().position(|before| before.destination == mount.destination);
        if let Some(before) = before.map(|index| state.mounts.remove(index)).filter(|before| before.found) {
            self.store.release(&before.volume, &container.id).await;
        }
        state.mounts.push(mount);
    }

    /// Mounts each volume that the image has something for, and copies it there.
    async fn copy_up(self, container: &Container, state: &mut ContainerState) -> Result<(), DaemonError> {
        let profile = self.daemon.config.profile;
        let workdir = container.run.workdir.as_deref();
        let meant =
            |mount: &&mut Mount| mount.copy_up && mount.found && image::has(&mount.destination, workdir);
        for mount in state.mounts.iter_mut().filter(meant) {
            // 20.10 mounts it under an ID of its own, newer ones as the container will: with the ID that is kept if the
            // volume cannot be unmounted.
            let id = if profile == Profile::Docker20 {
                let id = self.daemon.rng.id();
                mount.path = container::mount(self.store, &mount.volume, &mount.driver, &id).await?;
                Some(id)
            } else {
                match mount.set_up(self.store, &self.daemon.rng).await {
                    Err(error) if error.status == ErrorStatus::NotFound => continue,
                    mounted => mounted.map_err(|error| error.because("failed to populate volume"))?,
                }
                None
            };
            let copied = self.copy_image(mount);
            let _logged = match id {
                Some(id) => container::unmount(self.store, &mount.volume, &mount.driver, &id).await,
                None => mount.clean_up(self.store, profile).await,
            };
            copied?;
        }
        Ok(())
    }

    /// Copies what the image has into an empty volume. A path where no volume may be is left alone.
    fn copy_image(self, mount: &Mount) -> Result<(), DaemonError> {
        let failed =
            |why: &str| DaemonError::new(ErrorStatus::Internal, format!("open {}: {why}", mount.path));
        if !mount.is_local() && !Path::new(&mount.path).is_dir() {
            return Err(failed("no such file or directory"));
        }
        let mounts = std::slice::from_ref(mount);
        let directory = Process { mounts, files: &self.files() }.directory(mount);
        directory.map_or(Ok(()), |directory| {
            image::copy(&mount.destination, &directory).map_err(|error| failed(&error.to_string()))
        })
    }

    pub(super) async fn inspect_container(self, name: &str) -> Result<CliResult, DaemonError> {
        let container = match self.container(name) {
            // The command line asks for a volume of the name then.
            Err(error) => {
                let volume = self.inspect(name).await?;
                let message = self.daemon.config.profile.not_found("object", name, &error.text);
                return Ok(if volume.succeeded() { volume } else { CliResult { stderr: message, ..volume } });
            }
            Ok(container) => container,
        };
        let state = container.state.lock().await;
        let mounts = state.mounts.iter().map(|mount| {
            json!({
                "Destination": mount.destination,
                "Driver": mount.driver,
                "Name": mount.volume,
                "Source": mount.shown_source(),
                "Type": "volume",
            })
        });
        let mounts: Vec<_> = mounts.collect();
        let inspected = json!({
            "Id": container.id,
            "Mounts": mounts,
            "Name": format!("/{name}"),
            "State": {
                "Error": state.error,
                "ExitCode": state.exit_code,
                "Running": state.running,
                "Status": state.status(),
            },
        });
        Ok(print::inspected(&inspected))
    }

    /// `docker ps`
    pub(super) async fn ps(self, all: bool) -> CliResult {
        let mut rows = Vec::new();
        for container in self.daemon.all_containers() {
            let state = container.state.lock().await;
            let status = match state.status() {
                "running" => "Up 1 second".to_owned(),
                "exited" => format!("Exited ({}) 1 second ago", state.exit_code),
                _ => "Created".to_owned(),
            };
            if all || state.running {
                rows.push((container.name.clone(), status));
            }
        }
        CliResult::success(print::container_table(&rows))
    }

    pub(super) async fn rm(self, name: &str, force: bool, volumes: bool) -> Result<CliResult, DaemonError> {
        let container = self.container(name)?;
        let mut state = container.state.lock().await;
        if state.running && !force {
            let text = match self.daemon.config.profile {
                Profile::Docker => format!(
                    "cannot remove container {name:?}: container is running: stop the container before removing or force remove"
                ),
                Profile::Docker20 | Profile::Podman => format!(
                    "You cannot remove a running container {}. Stop the container before attempting removal or force remove",
                    container.id
                ),
            };
            return Err(DaemonError::new(ErrorStatus::Conflict, text));
        }
        self.end(&mut state).await;
        self.release_held(&container, &mut state, volumes).await;
        Ok(CliResult::success(name))
    }

    /// Ends a container's use of its volumes, and the container. Its anonymous volumes go with it if they shall; that one
    /// of them could not be removed is only logged.
    pub(super) async fn release_held(self, container: &Container, state: &mut ContainerState, volumes: bool) {
        for mount in state.mounts.iter().filter(|mount| mount.found) {
            self.store.release(&mount.volume, &container.id).await;
            if volumes && mount.anonymous {
                let _logged = self.remove_volume(&mount.volume, false).await;
            }
        }
        let mut containers = self.daemon.containers.lock();
        if containers.get(&container.name).is_some_and(|named| named.id == container.id) {
            containers.remove(&container.name);
        }
    }
}
