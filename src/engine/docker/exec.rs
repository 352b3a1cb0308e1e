//! `docker ps`, `exec` and `logs` on a real daemon.

use bollard::{
    container::LogOutput,
    errors::Error,
    exec::{StartExecOptions, StartExecResults},
    models::ExecConfig,
    query_parameters::{ListContainersOptions, LogsOptions},
};
use futures_util::{Stream, TryStreamExt};

use super::RealDocker;
use crate::{engine::print, engine_api::CliResult};

/// Standard output and standard error, apart.
#[derive(Default)]
pub(super) struct Texts {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Texts {
    pub(super) async fn of(output: impl Stream<Item = Result<LogOutput, Error>>) -> Result<Self, Error> {
        let add = async |mut texts: Self, output| {
            match output {
                LogOutput::StdErr { message } => texts.stderr.extend_from_slice(&message),
                other => texts.stdout.extend_from_slice(&other.into_bytes()),
            }
            Ok(texts)
        };
        output.try_fold(Self::default(), add).await
    }

    pub(super) fn result(self, code: u8) -> CliResult {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim_end().to_owned();
        CliResult { code, stdout: text(self.stdout), stderr: text(self.stderr) }
    }
}

impl RealDocker {
    /// Only what was made here: the machine's other containers do not concern a scenario.
    pub(super) async fn ps(&self, all: bool) -> Result<CliResult, Error> {
        let options =
            ListContainersOptions { all, filters: Some(self.own()), ..ListContainersOptions::default() };
        let containers = self.docker.list_containers(Some(options)).await?;
        let mut rows: Vec<_> = containers
            .into_iter()
            .map(|container| {
                let name = container.names.unwrap_or_default().concat();
                (name.trim_start_matches('/').to_owned(), container.status.unwrap_or_default())
            })
            .collect();
        rows.sort();
        Ok(CliResult::success(print::container_table(&rows)))
    }

    pub(super) async fn exec(&self, name: &str, command: &[String]) -> Result<CliResult, Error> {
        let config = ExecConfig {
            cmd: Some(command.to_vec()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..ExecConfig::default()
        };
        let id = self.docker.create_exec(name, config).await?.id;
        let started = self.docker.start_exec(&id, None::<StartExecOptions>).await?;
        let texts = match started {
            StartExecResults::Attached { output, .. } => Texts::of(output).await?,
            StartExecResults::Detached => Texts::default(),
        };
        let code = self.docker.inspect_exec(&id).await?.exit_code.unwrap_or_default();
        Ok(texts.result(u8::try_from(code).unwrap_or(u8::MAX)))
    }

    pub(super) async fn logs(&self, name: &str) -> Result<CliResult, Error> {
        let options = LogsOptions { stdout: true, stderr: true, ..LogsOptions::default() };
        Ok(Texts::of(self.docker.logs(name, Some(options))).await?.result(0))
    }
}
