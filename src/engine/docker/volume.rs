//! `docker volume …` on a real daemon.

use bollard::{
    errors::Error,
    models::VolumeCreateRequest,
    query_parameters::{ListVolumesOptions, PruneVolumesOptions, RemoveVolumeOptions},
};
use serde_json::Value;

use super::RealDocker;
use crate::{
    engine::print,
    engine_api::{CliResult, Pair, VolumeCommand},
};

impl RealDocker {
    pub(super) async fn volume(&self, command: &VolumeCommand) -> Result<CliResult, Error> {
        match command {
            VolumeCommand::Create { driver, options, labels, name } => {
                let pair = |Pair(key, value): &Pair| (key.clone(), value.clone());
                let request = VolumeCreateRequest {
                    name: name.clone(),
                    driver: Some(driver.clone()),
                    // As the command line does: a plugin gets `null` then.
                    driver_opts: (!options.is_empty()).then(|| options.iter().map(pair).collect()),
                    labels: Some(labels.iter().map(pair).chain(self.labels()).collect()),
                    cluster_volume_spec: None,
                };
                Ok(CliResult::success(self.docker.create_volume(request).await?.name))
            }
            VolumeCommand::Inspect { name } => Ok(print::inspected(&self.described(name).await?)),
            VolumeCommand::Ls { driver } => {
                let filters = driver.iter().map(|driver| ("driver".to_owned(), vec![driver.clone()]));
                let options = ListVolumesOptions { filters: Some(filters.collect()) };
                let volumes = self.docker.list_volumes(Some(options)).await?.volumes.unwrap_or_default();
                let mut rows: Vec<_> =
                    volumes.into_iter().map(|volume| (volume.driver, volume.name)).collect();
                rows.sort_by(|one, other| one.1.cmp(&other.1));
                Ok(CliResult::success(print::volume_table(&rows)))
            }
            VolumeCommand::Rm { force, name } => {
                self.docker.remove_volume(name, Some(RemoveVolumeOptions { force: *force })).await?;
                Ok(CliResult::success(name))
            }
            // Only what was made here: the machine's own unused volumes do not concern a scenario.
            VolumeCommand::Prune { .. } => {
                let options = PruneVolumesOptions { filters: Some(self.own()) };
                let pruned = self.docker.prune_volumes(Some(options)).await?;
                Ok(CliResult::success(pruned.volumes_deleted.unwrap_or_default().join("\n")))
            }
        }
    }

    /// A volume as the API describes it. bollard takes its status for a map of empty maps, which the
    /// status of a plugin's volume is not; then the answer is found in the complaint.
    async fn described(&self, name: &str) -> Result<Value, Error> {
        match self.docker.inspect_volume(name).await {
            Ok(volume) => Ok(serde_json::to_value(volume)?),
            Err(Error::JsonDataError { contents, .. }) => Ok(serde_json::from_str(&contents)?),
            Err(error) => Err(error),
        }
    }
}
