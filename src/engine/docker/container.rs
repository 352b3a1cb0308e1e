//! Containers on a real daemon: small ones, without a network, that end at once on a signal.

use bollard::{
    body_full,
    errors::Error,
    models::{ContainerCreateBody, HostConfig, RestartPolicy, RestartPolicyNameEnum},
    query_parameters::{
        AttachContainerOptions, ContainerArchiveInfoOptions, CreateContainerOptions,
        DownloadFromContainerOptions, KillContainerOptions, RemoveContainerOptions, RestartContainerOptions,
        StartContainerOptions, StopContainerOptions, UploadToContainerOptions, WaitContainerOptions,
    },
};
use futures_util::{StreamExt, TryStreamExt};

use super::{RealDocker, complaint, daemon_error, exec::Texts, gone_is_fine};
use crate::{
    engine::print,
    engine_api::{CliResult, Run},
};

/// A tar archive with nothing in it.
const EMPTY_ARCHIVE: [u8; 1024] = [0; 1024];

impl RealDocker {
    /// Makes a container and returns its ID.
    pub(super) async fn create(&self, run: &Run) -> Result<String, Error> {
        let (named, anonymous): (Vec<_>, Vec<_>) =
            run.volumes.iter().cloned().partition(|volume| volume.contains(':'));
        let restart = (run.restart.as_deref() == Some("always")).then_some(RestartPolicyNameEnum::ALWAYS);
        let host = HostConfig {
            binds: Some(named),
            volume_driver: run.volume_driver.clone(),
            volumes_from: run.volumes_from.clone().map(|other| vec![other]),
            network_mode: Some("none".into()),
            restart_policy: restart.map(|name| RestartPolicy { name: Some(name), maximum_retry_count: None }),
            ..HostConfig::default()
        };
        let body = ContainerCreateBody {
            image: Some(self.image.name.clone()),
            cmd: (!run.command.is_empty()).then(|| run.command.clone()),
            volumes: Some(anonymous),
            working_dir: run.workdir.clone(),
            labels: Some(self.labels()),
            attach_stdout: Some(!run.detach),
            attach_stderr: Some(!run.detach),
            // A shell's child would let ten seconds pass before it is killed.
            stop_signal: Some("SIGKILL".into()),
            host_config: Some(host),
            ..ContainerCreateBody::default()
        };
        let options = CreateContainerOptions { name: run.name.clone(), ..CreateContainerOptions::default() };
        let id = self.docker.create_container(Some(options), body).await?.id;
        self.note_anonymous_volumes(run, &id).await?;
        Ok(id)
    }

    /// Remembers the volumes whose names the daemon has made up: it removes them with their container only if asked to.
    async fn note_anonymous_volumes(&self, run: &Run, id: &str) -> Result<(), Error> {
        if run.volumes.iter().any(|volume| !volume.contains(':')) {
            let mounts = self.docker.inspect_container(id, None).await?.mounts.unwrap_or_default();
            let made_up = mounts.into_iter().filter(|mount| {
                mount.destination.as_ref().is_some_and(|destination| run.volumes.contains(destination))
            });
            self.anonymous.lock().extend(made_up.filter_map(|mount| mount.name));
        }
        Ok(())
    }

    pub(super) async fn run(&self, run: &Run) -> CliResult {
        let failed = |error: Error| match daemon_error(&error) {
            Some((_, message)) => print::run_failure(message, self.run_ending()),
            None => complaint(&error),
        };
        let id = match self.create(run).await {
            Ok(id) => id,
            Err(error) => return failed(error),
        };
        let ran = self.run_created(&id, run.detach).await;
        // `--rm` is done from here: a daemon that removes the container itself takes its exit code with it.
        if run.rm {
            let removed = self.docker.remove_container(&id, Some(removal(false, true))).await;
            if let (Ok(_), Err(error)) = (&ran, gone_is_fine(removed)) {
                return failed(error);
            }
        }
        ran.unwrap_or_else(failed)
    }

    async fn run_created(&self, id: &str, detach: bool) -> Result<CliResult, Error> {
        if detach {
            self.docker.start_container(id, None::<StartContainerOptions>).await?;
            return Ok(CliResult::success(id));
        }
        let options = AttachContainerOptions {
            stream: true,
            stdout: true,
            stderr: true,
            ..AttachContainerOptions::default()
        };
        let attached = self.docker.attach_container(id, Some(options)).await?;
        self.docker.start_container(id, None::<StartContainerOptions>).await?;
        let texts = Texts::of(attached.output).await?;
        Ok(texts.result(self.exit_code(id).await?))
    }

    async fn exit_code(&self, id: &str) -> Result<u8, Error> {
        let options = WaitContainerOptions { condition: "not-running".into() };
        let code = match self.docker.wait_container(id, Some(options)).next().await {
            Some(Ok(end)) => end.status_code,
            Some(Err(Error::DockerContainerWaitError { code, .. })) => code,
            Some(Err(error)) => return Err(error),
            None => 0,
        };
        Ok(u8::try_from(code).unwrap_or(u8::MAX))
    }

    pub(super) async fn start(&self, name: &str) -> Result<CliResult, Error> {
        self.docker.start_container(name, None::<StartContainerOptions>).await?;
        Ok(CliResult::success(name))
    }

    pub(super) async fn restart(&self, name: &str) -> Result<CliResult, Error> {
        self.docker.restart_container(name, None::<RestartContainerOptions>).await?;
        Ok(CliResult::success(name))
    }

    pub(super) async fn stop(&self, name: &str) -> Result<CliResult, Error> {
        self.docker.stop_container(name, None::<StopContainerOptions>).await?;
        Ok(CliResult::success(name))
    }

    pub(super) async fn kill(&self, name: &str) -> Result<CliResult, Error> {
        self.docker.kill_container(name, None::<KillContainerOptions>).await?;
        self.exit_code(name).await?;
        Ok(CliResult::success(name))
    }

    pub(super) async fn rm(&self, name: &str, force: bool, volumes: bool) -> Result<CliResult, Error> {
        self.docker.remove_container(name, Some(removal(force, volumes))).await?;
        Ok(CliResult::success(name))
    }

    pub(super) async fn inspect(&self, name: &str) -> Result<CliResult, Error> {
        let container = self.docker.inspect_container(name, None).await?;
        Ok(print::inspected(&serde_json::to_value(container)?))
    }

    /// What is copied out is thrown away, and nothing is copied in: it is the mounts that count.
    pub(super) async fn cp(&self, source: &str, destination: &str) -> Result<CliResult, Error> {
        let out = source.split_once(':');
        let Some((name, path)) = out.or_else(|| destination.split_once(':')) else {
            return Ok(CliResult::failure(1, "one of the two places must be CONTAINER:PATH"));
        };
        let path = path.to_owned();
        if out.is_some() {
            let options = DownloadFromContainerOptions { path };
            let mut archive = Box::pin(self.docker.download_from_container(name, Some(options)));
            while archive.try_next().await?.is_some() {}
        } else {
            let options = ContainerArchiveInfoOptions { path: path.clone() };
            self.docker.get_container_archive_info(name, Some(options)).await?;
            let options = UploadToContainerOptions { path, ..UploadToContainerOptions::default() };
            let archive = body_full(EMPTY_ARCHIVE.to_vec().into());
            self.docker.upload_to_container(name, Some(options), archive).await?;
        }
        Ok(CliResult::default())
    }
}

fn removal(force: bool, volumes: bool) -> RemoveContainerOptions {
    RemoveContainerOptions { v: volumes, force, link: false }
}
