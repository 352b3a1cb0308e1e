//! Containers under podman: who uses a volume is counted, and only the first and the last use reach its plugin.

use std::path::Path;

use serde_json::{Value, json};

use super::{Activated, MOUNT_ID, Podman, PodmanContainer, PodmanVolume, with_id};
use crate::{
    domain::model::protocol::Operation,
    engine::{print, simulated::local::LOCAL},
    engine_api::Run,
};

impl Podman {
    /// A container. A volume that the database does not have is a new local one: there is no `--volume-driver`.
    pub(super) async fn create(&self, run: &Run, process: &mut Activated) -> Result<PodmanContainer, String> {
        let id = self.rng.id();
        let name = run.name.clone().unwrap_or_else(|| format!("nameless_{}", &id[..12]));
        if let Some(other) = self.containers.lock().get(&name) {
            let id = &other.id;
            return Err(format!(
                "creating container storage: the container name {name:?} is already in use by {id}"
            ));
        }
        let mut mounts = Vec::new();
        if let Some(other) = &run.volumes_from {
            mounts.extend(self.container(other)?.mounts);
        }
        for volume in &run.volumes {
            let anonymous = || (self.rng.id(), volume.clone());
            let split = volume.split_once(':').map(|(name, place)| (name.to_owned(), place.to_owned()));
            mounts.push(split.unwrap_or_else(anonymous));
        }
        for (volume, _) in &mounts {
            let driver = {
                let mut volumes = self.volumes.lock();
                let new = || PodmanVolume { driver: LOCAL.into(), ..PodmanVolume::default() };
                volumes.entry(volume.clone()).or_insert_with(new).driver.clone()
            };
            self.client(&driver, process).await?;
        }
        let container = PodmanContainer {
            id,
            run: Run { name: Some(name.clone()), ..run.clone() },
            mounts,
            running: false,
        };
        self.containers.lock().insert(name, container.clone());
        Ok(container)
    }

    fn container(&self, name: &str) -> Result<PodmanContainer, String> {
        let found = self.containers.lock().get(name).cloned();
        found.ok_or_else(|| format!("no container with name or ID {name:?} found: no such container"))
    }

    pub(super) async fn run(&self, run: &Run) -> Result<String, String> {
        let process = &mut Activated::new();
        let container = self.create(run, process).await?;
        let name = container.run.name.clone().unwrap_or_default();
        let started = self.mount_all(&container, process).await;
        if started.is_err() && run.rm {
            self.containers.lock().remove(&name);
        }
        started?;
        let lasting = ["top", "tail", "sleep"];
        if run.detach && run.command.iter().any(|word| lasting.contains(&word.as_str())) {
            self.set_running(&name, true);
            return Ok(container.id);
        }
        self.unmount_all(&container).await?;
        if run.rm {
            self.containers.lock().remove(&name);
        }
        Ok(if run.detach { container.id } else { String::new() })
    }

    fn set_running(&self, name: &str, running: bool) {
        if let Some(container) = self.containers.lock().get_mut(name) {
            container.running = running;
        }
    }

    pub(super) async fn start(&self, name: &str) -> Result<(), String> {
        let container = self.container(name)?;
        if !container.running {
            self.mount_all(&container, &mut Activated::new()).await?;
            self.set_running(name, true);
        }
        Ok(())
    }

    /// Activates what a command about a container looks at, and calls nothing.
    pub(super) async fn look(&self, name: &str) -> Result<String, String> {
        let process = &mut Activated::new();
        for (volume, _) in &self.container(name)?.mounts {
            self.client(&self.row(volume)?.driver, process).await?;
        }
        Ok(name.to_owned())
    }

    pub(super) async fn end(&self, name: &str) -> Result<(), String> {
        let container = self.container(name)?;
        if container.running {
            self.set_running(name, false);
            self.unmount_all(&container).await?;
        }
        Ok(())
    }

    /// Counts the mounts up. Only the first of a volume reaches its plugin.
    async fn mount_all(&self, container: &PodmanContainer, process: &mut Activated) -> Result<(), String> {
        for (volume, destination) in &container.mounts {
            let _one_at_a_time = self.locks.lock(volume).await;
            let mut row = self.row(volume)?;
            self.client(&row.driver, process).await?;
            if row.mount_count == 0 {
                let id = &container.id;
                let mounted =
                    self.call(&row.driver, process, Operation::Mount, volume, with_id(volume)).await;
                let body =
                    mounted.map_err(|why| format!("mounting volume {volume} for container {id}: {why}"))?;
                let parsed: Value = serde_json::from_slice(&body).unwrap_or_default();
                parsed["Mountpoint"].as_str().unwrap_or_default().clone_into(&mut row.mountpoint);
            }
            row.mount_count += 1;
            let path = row.mountpoint.clone();
            let local = row.driver == LOCAL;
            self.volumes.lock().insert(volume.clone(), row);
            if !local && !Path::new(&path).exists() {
                return Err(format!(
                    "runc: runc create failed: unable to start container process: error during container init: error mounting {path:?} to rootfs at {destination:?}: no such file or directory"
                ));
            }
        }
        Ok(())
    }

    /// Counts the mounts down. Only the last of a volume reaches its plugin.
    async fn unmount_all(&self, container: &PodmanContainer) -> Result<(), String> {
        let process = &mut Activated::new();
        for (volume, _) in &container.mounts {
            let _one_at_a_time = self.locks.lock(volume).await;
            let mut row = self.row(volume)?;
            let _logged_below = self.client(&row.driver, process).await;
            if row.mount_count == 1 {
                self.call(&row.driver, process, Operation::Unmount, volume, with_id(volume)).await.map_err(
                    |why| format!("unmounting volume {volume} for container {}: {why}", container.id),
                )?;
            }
            row.mount_count = row.mount_count.saturating_sub(1);
            self.volumes.lock().insert(volume.clone(), row);
        }
        Ok(())
    }

    /// `podman ps`
    pub(super) fn ps(&self, all: bool) -> String {
        let containers = self.containers.lock();
        let shown = containers.iter().filter(|(_, container)| all || container.running);
        let rows = shown.map(|(name, container)| {
            (
                name.clone(),
                if container.running { "Up 1 second" } else { "Exited (0) 1 second ago" }.to_owned(),
            )
        });
        print::container_table(&rows.collect::<Vec<_>>())
    }

    /// `podman exec` and `logs`: nothing really runs in these containers, and nothing is printed.
    pub(super) fn look_into(&self, name: &str, must_run: bool) -> Result<String, String> {
        if must_run && !self.container(name)?.running {
            return Err(
                "can only create exec sessions on running containers: container state improper".into()
            );
        }
        self.container(name).map(|_| String::new())
    }

    pub(super) fn inspect(&self, name: &str) -> Result<String, String> {
        let container = self.container(name)?;
        let mounts = container.mounts.iter().map(|(volume, destination)| {
            let row = self.row(volume)?;
            Ok(json!({ "Destination": destination, "Driver": row.driver, "Name": volume, "Type": "volume" }))
        });
        let mounts = mounts.collect::<Result<Vec<_>, String>>()?;
        Ok(format!(
            "{:#}",
            json!([{
                "Id": container.id,
                "Mounts": mounts,
                "Name": name,
                "State": { "Running": container.running },
            }])
        ))
    }

    pub(super) async fn rm(&self, name: &str, force: bool, volumes: bool) -> Result<String, String> {
        let container = self.container(name)?;
        if container.running && !force {
            return Err(format!(
                "cannot remove container {} as it is running - running or paused containers cannot be removed without force: container state improper",
                container.id
            ));
        }
        self.end(name).await?;
        self.containers.lock().remove(name);
        let anonymous = container.mounts.iter().filter(|(volume, _)| volume.len() == MOUNT_ID.len());
        for (volume, _) in anonymous.filter(|_| volumes) {
            self.rm_volume(volume, &mut Activated::new()).await?;
        }
        Ok(name.to_owned())
    }

    /// A running container's files are reached through the container; a stopped one's volumes are mounted for it.
    pub(super) async fn cp(&self, source: &str, destination: &str) -> Result<String, String> {
        let place = [source, destination].into_iter().find_map(|place| place.split_once(':'));
        let (name, _) = place.ok_or("one of the two places must be CONTAINER:PATH")?;
        let container = self.container(name)?;
        if !container.running {
            self.mount_all(&container, &mut Activated::new()).await?;
            self.unmount_all(&container).await?;
        }
        Ok(String::new())
    }
}
