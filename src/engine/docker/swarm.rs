//! `docker service …` and `docker plugin …` on a real daemon.

use std::collections::HashMap;

use bollard::{
    errors::Error,
    models::{
        Mount, MountType, MountVolumeOptions, MountVolumeOptionsDriverConfig, Plugin, ServiceSpec, TaskSpec,
        TaskSpecContainerSpec,
    },
    query_parameters::{
        DisablePluginOptions, EnablePluginOptions, ListPluginsOptions, ListServicesOptions, ListTasksOptions,
    },
};

use super::RealDocker;
use crate::{
    engine::print,
    engine_api::{CliResult, PluginCommand, ServiceCommand, ServiceMount},
};

/// The docker command's default, in seconds, for a plugin to answer once it is enabled. The API has none.
const ENABLE_TIMEOUT: i32 = 30;

impl RealDocker {
    /// As with `--detach`: nobody waits for the tasks.
    pub(super) async fn service(&self, command: &ServiceCommand) -> Result<CliResult, Error> {
        match command {
            ServiceCommand::Create { name, mounts, command, .. } => {
                let container = TaskSpecContainerSpec {
                    image: Some(self.image.name.clone()),
                    command: (!command.is_empty()).then(|| command.clone()),
                    mounts: Some(mounts.iter().map(|mount| self.mount(mount)).collect()),
                    labels: Some(self.labels()),
                    stop_signal: Some("SIGKILL".into()),
                    ..TaskSpecContainerSpec::default()
                };
                let spec = ServiceSpec {
                    name: Some(name.clone()),
                    labels: Some(self.labels()),
                    task_template: Some(TaskSpec { container_spec: Some(container), ..TaskSpec::default() }),
                    ..ServiceSpec::default()
                };
                let created = self.docker.create_service(spec, None).await?;
                Ok(CliResult::success(created.id.unwrap_or_default()))
            }
            ServiceCommand::Ls => {
                let services = self.own_services().await?;
                let rows: Vec<_> = services.into_iter().map(|name| (name, String::new())).collect();
                Ok(CliResult::success(print::container_table(&rows)))
            }
            ServiceCommand::Ps { name } => {
                let filters = HashMap::from([("service".to_owned(), vec![name.clone()])]);
                let tasks = self.docker.list_tasks(Some(ListTasksOptions { filters: Some(filters) })).await?;
                let rows = tasks.into_iter().map(|task| {
                    let status = task.status.unwrap_or_default();
                    let state = status.state.map(|state| state.to_string()).unwrap_or_default();
                    (
                        name.clone(),
                        format!("{state} {}", status.err.unwrap_or_default()).trim_end().to_owned(),
                    )
                });
                Ok(CliResult::success(print::container_table(&rows.collect::<Vec<_>>())))
            }
            ServiceCommand::Rm { name } => {
                self.docker.delete_service(name).await?;
                Ok(CliResult::success(name))
            }
        }
    }

    fn mount(&self, mount: &ServiceMount) -> Mount {
        let driver = mount.driver.clone().map(|name| MountVolumeOptionsDriverConfig {
            name: Some(name),
            ..MountVolumeOptionsDriverConfig::default()
        });
        Mount {
            source: Some(mount.source.clone()),
            target: Some(mount.target.clone()),
            typ: Some(MountType::VOLUME),
            volume_options: Some(MountVolumeOptions {
                driver_config: driver,
                labels: Some(self.labels()),
                ..MountVolumeOptions::default()
            }),
            ..Mount::default()
        }
    }

    async fn own_services(&self) -> Result<Vec<String>, Error> {
        let options = ListServicesOptions { filters: Some(self.own()), ..ListServicesOptions::default() };
        let services = self.docker.list_services(Some(options)).await?;
        Ok(services.into_iter().filter_map(|service| service.spec?.name).collect())
    }

    /// Removes the services that were created here. Their containers end a little later.
    pub(super) async fn remove_services(&self) -> Result<(), Error> {
        if self.abilities.services.is_ok() {
            for name in self.own_services().await? {
                self.docker.delete_service(&name).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn plugin(&self, command: &PluginCommand) -> Result<CliResult, Error> {
        match command {
            PluginCommand::Ls => {
                let plugins = self.docker.list_plugins(None::<ListPluginsOptions>).await?;
                let row = |plugin: Plugin| {
                    (plugin.name, if plugin.enabled { "enabled" } else { "disabled" }.to_owned())
                };
                let rows: Vec<_> = plugins.into_iter().map(row).collect();
                Ok(CliResult::success(print::container_table(&rows)))
            }
            PluginCommand::Disable { force, name } => {
                let options = DisablePluginOptions { force: Some(*force) };
                self.docker.disable_plugin(name, Some(options)).await?;
                Ok(CliResult::success(name))
            }
            PluginCommand::Enable { name } => {
                let options = EnablePluginOptions { timeout: ENABLE_TIMEOUT };
                self.docker.enable_plugin(name, Some(options)).await?;
                Ok(CliResult::success(name))
            }
        }
    }
}
