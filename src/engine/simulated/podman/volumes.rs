//! `podman volume …`

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Activated, Podman, PodmanVolume, named};
use crate::{
    domain::model::protocol::{Operation, Options},
    engine_api::{Pair, VolumeCommand},
};

impl Podman {
    pub(super) async fn volume(&self, command: &VolumeCommand) -> Result<String, String> {
        let process = &mut Activated::new();
        match command {
            VolumeCommand::Create { driver, options, labels, name } => {
                let map = |pairs: &[Pair]| {
                    pairs.iter().map(|pair| (pair.0.clone(), pair.1.clone())).collect::<Options>()
                };
                let name = name.clone().unwrap_or_else(|| self.rng.id());
                let _one_at_a_time = self.locks.lock(&name).await;
                if self.volumes.lock().contains_key(&name) {
                    return Err(format!("volume with name {name} already exists: volume already exists"));
                }
                let row = PodmanVolume {
                    driver: driver.clone(),
                    options: map(options),
                    labels: map(labels),
                    ..PodmanVolume::default()
                };
                self.client(driver, process).await.map_err(|why| {
                    format!("volume {name} uses volume plugin {driver} but it could not be retrieved: {why}")
                })?;
                let found = self.call(driver, process, Operation::Get, &name, named(&name)).await;
                if !found.is_ok_and(|body| has_volume(&body)) {
                    let body = if row.options.is_empty() {
                        named(&name)
                    } else {
                        json!({ "Name": name, "Opts": row.options }).to_string()
                    };
                    let created = self.call(driver, process, Operation::Create, &name, body).await;
                    created.map_err(|why| format!("creating volume {name:?} in plugin {driver}: {why}"))?;
                }
                self.volumes.lock().insert(name.clone(), row);
                Ok(name)
            }
            VolumeCommand::Inspect { name } => {
                let row = self.row(name).map_err(|_| format!("inspecting object: no such volume {name}"))?;
                let driver = &row.driver;
                let got = self.call(driver, process, Operation::Get, name, named(name)).await;
                let got = got.map_err(|why| {
                    format!("retrieving volume {name} information from plugin {driver}: {why}")
                })?;
                let parsed: Value = serde_json::from_slice(&got).unwrap_or_default();
                let inspected = json!([{
                    "Name": name,
                    "Driver": row.driver,
                    "Mountpoint": row.mountpoint,
                    "Labels": row.labels,
                    "Options": row.options,
                    "Status": parsed["Volume"]["Status"],
                    "MountCount": row.mount_count,
                }]);
                Ok(format!("{inspected:#}"))
            }
            VolumeCommand::Ls { driver } => {
                let rows = self.volumes.lock().clone();
                let wanted = |row: &PodmanVolume| driver.as_ref().is_none_or(|driver| *driver == row.driver);
                let mut lines = vec![format!("{:12}VOLUME NAME", "DRIVER")];
                for (name, row) in rows.iter().filter(|(_, row)| wanted(row)) {
                    self.call(&row.driver, process, Operation::Get, name, named(name)).await?;
                    lines.push(format!("{:12}{name}", row.driver));
                }
                Ok(lines.join("\n"))
            }
            VolumeCommand::Rm { force: _, name } => self.rm_volume(name, process).await,
            VolumeCommand::Prune { .. } => {
                let names: Vec<_> = self.volumes.lock().keys().cloned().collect();
                let mut removed = Vec::new();
                for name in names.into_iter().filter(|name| self.users(name).is_empty()) {
                    removed.extend(self.rm_volume(&name, process).await);
                }
                Ok(removed.join("\n"))
            }
        }
    }

    fn users(&self, volume: &str) -> BTreeSet<String> {
        let containers = self.containers.lock();
        let users = containers.values().filter(|user| user.mounts.iter().any(|(name, _)| name == volume));
        users.map(|user| user.id.clone()).collect()
    }

    pub(super) async fn rm_volume(&self, name: &str, process: &mut Activated) -> Result<String, String> {
        let _one_at_a_time = self.locks.lock(name).await;
        let PodmanVolume { driver, .. } = self.row(name)?;
        // The plugin of a volume is activated as soon as the volume is looked at.
        let _logged_below = self.client(&driver, process).await;
        let users: Vec<_> = self.users(name).into_iter().collect();
        if !users.is_empty() {
            let users = users.join(", ");
            return Err(format!(
                "volume {name} is being used by the following container(s): {users}: volume is being used"
            ));
        }
        let got = self.call(&driver, process, Operation::Get, name, named(name)).await;
        if let Err(why) = got {
            self.volumes.lock().remove(name);
            return Err(format!(
                "volume {name} could not be retrieved from plugin {driver}, but it has been removed from Podman: {why}"
            ));
        }
        let removed = self.call(&driver, process, Operation::Remove, name, named(name)).await;
        removed.map_err(|why| format!("volume {name} could not be removed from plugin {driver}: {why}"))?;
        self.volumes.lock().remove(name);
        Ok(name.to_owned())
    }
}

/// Whether a Get found something. A reply that cannot be read did not.
fn has_volume(body: &[u8]) -> bool {
    serde_json::from_slice::<Value>(body).is_ok_and(|parsed| parsed["Volume"].is_object())
}
