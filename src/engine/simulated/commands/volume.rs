//! `docker volume …`

use serde_json::json;

use super::Work;
use crate::{
    domain::model::protocol::Options,
    engine::{
        print,
        simulated::{
            error::{DaemonError, ErrorStatus},
            local::LOCAL,
            profile::Profile,
            store::StoredVolume,
        },
    },
    engine_api::{CliResult, Pair, VolumeCommand},
};

/// The label that a volume gets when the daemon makes up its name.
const ANONYMOUS: &str = "com.docker.volume.anonymous";

fn map(pairs: &[Pair]) -> Options {
    pairs.iter().map(|Pair(key, value)| (key.clone(), value.clone())).collect()
}

impl Work<'_> {
    pub(super) async fn volume(self, command: &VolumeCommand) -> Result<CliResult, DaemonError> {
        match command {
            VolumeCommand::Create { driver, options, labels, name } => {
                let volume = match name {
                    Some(name) => self.store.create(name, driver, &map(options), &map(labels), None).await?,
                    None => self.anonymous(driver, &map(options), map(labels), None).await?,
                };
                Ok(CliResult::success(volume.name()))
            }
            VolumeCommand::Inspect { name } => self.inspect(name).await,
            VolumeCommand::Ls { driver } => self.ls(driver.as_deref()).await,
            VolumeCommand::Rm { force, name } => self.rm_volume(name, *force).await,
            VolumeCommand::Prune { .. } => self.prune().await,
        }
    }

    /// A volume whose name the daemon makes up.
    pub(super) async fn anonymous(
        self,
        driver: &str,
        options: &Options,
        mut labels: Options,
        user: Option<&str>,
    ) -> Result<StoredVolume, DaemonError> {
        let name = self.daemon.rng.id();
        // 20.10 made the name up before the driver was chosen, and so asked every driver for it.
        let driver = match self.daemon.config.profile {
            Profile::Docker20 => driver,
            _ if driver.is_empty() => LOCAL,
            _ => driver,
        };
        if self.daemon.config.profile != Profile::Docker20 {
            labels.insert(ANONYMOUS.into(), String::new());
        }
        self.store.create(&name, driver, options, &labels, user).await
    }

    pub(super) async fn inspect(self, name: &str) -> Result<CliResult, DaemonError> {
        let volume = match self.store.get(name, "", None).await {
            Err(error) if error.status == ErrorStatus::NotFound => {
                let message = self.daemon.config.profile.not_found("volume", name, &error.text);
                return Ok(CliResult { code: 1, stdout: "[]".into(), stderr: message });
            }
            other => other?,
        };
        let or_null = |map: &Options| if map.is_empty() { json!(null) } else { json!(map) };
        let mut printed = json!({
            "CreatedAt": volume.described.created,
            "Driver": volume.driver.name(),
            "Labels": or_null(&volume.labels),
            "Mountpoint": volume.described.mountpoint,
            "Name": volume.name(),
            "Options": or_null(&volume.options),
            "Scope": volume.scope.as_str(),
        });
        if let Some(status) = &volume.described.status {
            printed["Status"] = status.clone();
        }
        Ok(print::inspected(&printed))
    }

    async fn ls(self, driver: Option<&str>) -> Result<CliResult, DaemonError> {
        let volumes = self.store.list(driver).await?;
        let rows = volumes.iter().map(|volume| (volume.driver.name().to_owned(), volume.name().to_owned()));
        Ok(CliResult::success(print::volume_table(&rows.collect::<Vec<_>>())))
    }

    async fn rm_volume(self, name: &str, force: bool) -> Result<CliResult, DaemonError> {
        match self.remove_volume(name, force).await {
            Err(error) if error.status == ErrorStatus::NotFound => {
                Ok(CliResult::failure(1, self.daemon.config.profile.not_found("volume", name, &error.text)))
            }
            removed => removed.map(|()| CliResult::success(name)),
        }
    }

    /// Get, then Get and Remove: the second look is the store's own. A volume that is gone by then was removed.
    pub(super) async fn remove_volume(self, name: &str, force: bool) -> Result<(), DaemonError> {
        let gone = |error: &DaemonError| error.text.ends_with("no such volume");
        let volume = match self.store.get(name, "", None).await {
            Err(error) if force && gone(&error) => return Ok(()),
            other => other?,
        };
        match self.store.remove(&volume, force).await {
            Err(error) if gone(&error) => Ok(()),
            removed => removed,
        }
    }

    /// Only volumes of the driver `local`, and of these only unused ones; newer daemons only anonymous ones.
    async fn prune(self) -> Result<CliResult, DaemonError> {
        let mut deleted = Vec::new();
        for volume in self.store.list(Some(LOCAL)).await? {
            let unused = self.store.users(volume.name()).is_empty() && volume.options.is_empty();
            let meant =
                self.daemon.config.profile == Profile::Docker20 || volume.labels.contains_key(ANONYMOUS);
            if unused && meant && self.store.remove(&volume, false).await.is_ok() {
                deleted.push(volume.name().to_owned());
            }
        }
        let reclaimed = "Total reclaimed space: 0B".to_owned();
        if deleted.is_empty() {
            return Ok(CliResult::success(reclaimed));
        }
        Ok(CliResult::success(format!("Deleted Volumes:\n{}\n\n{reclaimed}", deleted.join("\n"))))
    }
}
