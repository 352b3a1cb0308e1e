//! A real docker daemon, asked through its Engine API as the docker command line asks it.
//!
//! Whatever is made here carries a label, so that nothing else is ever removed.

mod abilities;
mod container;
mod exec;
mod image;
mod plugins;
mod supervisor;
mod swarm;
mod volume;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use bollard::{
    Docker,
    errors::Error,
    query_parameters::{ListContainersOptions, ListVolumesOptions, RemoveContainerOptions},
};
use futures_util::{FutureExt, future::BoxFuture};
use parking_lot::Mutex;

use self::image::Image;
use super::print;
use crate::engine_api::{Abilities, CliResult, DockerCommand, Engine, Inventory, Profile};
pub use abilities::abilities;
pub use plugins::{ManagedPlugin, managed_plugins};
pub use supervisor::{Supervisor, Systemd};

/// The label of what was made for a scenario. Its value identifies the run.
const LABEL: &str = "voltergeist.scenario";
/// Longer than a daemon takes over the slowest plugin.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(600);

/// Why a daemon cannot be played on.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// It does not answer.
    #[error("there is no docker daemon: {0}; start it, or set DOCKER_HOST, or play on the simulated one")]
    Unreachable(Error),
    /// It has no image, and none can be made.
    #[error("there is no busybox for the containers: {0}; docker pull busybox, or install busybox-static")]
    NoImage(String),
}

/// A real docker daemon.
pub struct RealDocker {
    docker: Docker,
    image: Image,
    /// The anonymous volumes of its containers. They have no label.
    anonymous: Mutex<BTreeSet<String>>,
    /// Identifies this run among others on the same daemon.
    run_id: String,
    supervisor: Result<Arc<dyn Supervisor>, &'static str>,
    abilities: Abilities,
}

impl RealDocker {
    /// Connects to a daemon, found as docker finds it unless its host is given, and makes sure of an image.
    ///
    /// Instead of a supervisor there can be the reason why the daemon cannot be restarted.
    pub async fn connect(
        host: Option<&str>,
        supervisor: Result<Arc<dyn Supervisor>, &'static str>,
    ) -> Result<Self, ConnectError> {
        let docker = host.map_or_else(Docker::connect_with_defaults, Docker::connect_with_host);
        let docker = docker.map_err(ConnectError::Unreachable)?.with_timeout(COMMAND_TIMEOUT);
        let docker = docker.negotiate_version().await.map_err(ConnectError::Unreachable)?;
        let restart = supervisor.as_ref().map(|_| ()).map_err(|obstacle| *obstacle);
        let abilities = abilities::ask(&docker, restart).await.map_err(ConnectError::Unreachable)?;
        let image = image::find(&docker).await.map_err(ConnectError::NoImage)?;
        Ok(Self {
            docker,
            image,
            anonymous: Mutex::default(),
            run_id: std::process::id().to_string(),
            supervisor,
            abilities,
        })
    }

    /// What the command line puts after the error of a `docker run`: until docker 28 a full stop.
    fn run_ending(&self) -> &'static str {
        if abilities::api_version(&self.docker) < (1, 48) { "." } else { "" }
    }

    fn labels(&self) -> HashMap<String, String> {
        HashMap::from([(LABEL.into(), self.run_id.clone())])
    }

    /// Chooses what was made by this run.
    fn own(&self) -> HashMap<String, Vec<String>> {
        HashMap::from([("label".into(), vec![format!("{LABEL}={}", self.run_id)])])
    }

    async fn work(&self, command: &DockerCommand) -> CliResult {
        let done = match command {
            DockerCommand::Volume(command) => self.volume(command).await,
            DockerCommand::Run(run) => return self.run(run).await,
            DockerCommand::Create(run) => self.create(run).await.map(CliResult::success),
            DockerCommand::Start { name } => self.start(name).await,
            DockerCommand::Restart { name } => self.restart(name).await,
            DockerCommand::Stop { name } => self.stop(name).await,
            DockerCommand::Kill { name } => self.kill(name).await,
            DockerCommand::Rm { force, volumes, name } => self.rm(name, *force, *volumes).await,
            DockerCommand::Inspect { name } => self.inspect(name).await,
            DockerCommand::Ps { all } => self.ps(*all).await,
            DockerCommand::Exec { name, command } => self.exec(name, command).await,
            DockerCommand::Logs { name } => self.logs(name).await,
            DockerCommand::Plugin(command) => self.plugin(command).await,
            DockerCommand::Service(command) => self.service(command).await,
            DockerCommand::Cp { source, destination } => self.cp(source, destination).await,
            DockerCommand::DaemonRestart | DockerCommand::DaemonKill => {
                return self.supervise(command).await;
            }
        };
        done.unwrap_or_else(|error| complaint(&error))
    }

    async fn supervise(&self, command: &DockerCommand) -> CliResult {
        let supervisor = match &self.supervisor {
            Ok(supervisor) => supervisor,
            Err(obstacle) => return CliResult::failure(1, *obstacle),
        };
        let done = match command {
            DockerCommand::DaemonKill => supervisor.kill().await,
            _ => supervisor.restart().await,
        };
        if let Err(why) = done {
            return CliResult::failure(1, why);
        }
        let back = async {
            while self.docker.ping().await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        match tokio::time::timeout(COMMAND_TIMEOUT, back).await {
            Ok(()) => CliResult::default(),
            Err(_) => CliResult::failure(1, "the daemon did not come back"),
        }
    }

    /// Removes the image if it was made for this run. Otherwise says what stays that was not there before.
    pub async fn remove_image(&self) -> Option<String> {
        self.image.remove(&self.docker).await
    }

    async fn remove_containers(&self) -> Result<(), Error> {
        let options = ListContainersOptions {
            all: true,
            filters: Some(self.own()),
            ..ListContainersOptions::default()
        };
        for container in self.docker.list_containers(Some(options)).await? {
            let options = RemoveContainerOptions { v: true, force: true, link: false };
            let removed =
                self.docker.remove_container(&container.id.unwrap_or_default(), Some(options)).await;
            gone_is_fine(removed)?;
        }
        Ok(())
    }
}

/// The text and the status of the daemon's answer, if it gave one.
fn daemon_error(error: &Error) -> Option<(u16, &str)> {
    match error {
        Error::DockerResponseServerError { status_code, message } => Some((*status_code, message)),
        _ => None,
    }
}

fn gone_is_fine(done: Result<(), Error>) -> Result<(), Error> {
    match done {
        Err(error) if daemon_error(&error).is_some_and(|(status, _)| status == 404) => Ok(()),
        done => done,
    }
}

fn complaint(error: &Error) -> CliResult {
    match daemon_error(error) {
        Some((_, message)) => print::failure(message),
        None => CliResult::failure(1, unreachable_text(error)),
    }
}

/// What the command line says of a daemon that does not answer, or ceases to.
fn unreachable_text(error: &Error) -> String {
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(cause) = source {
        let refused = cause.downcast_ref::<std::io::Error>().is_some_and(|cause| {
            matches!(cause.kind(), std::io::ErrorKind::ConnectionRefused | std::io::ErrorKind::NotFound)
        });
        if refused {
            return "Cannot connect to the Docker daemon. Is the docker daemon running?".into();
        }
        source = cause.source();
    }
    format!("error during connect: {error}")
}

impl Engine for RealDocker {
    fn profile(&self) -> Profile {
        self.abilities.profile
    }

    fn perform<'a>(&'a self, command: &'a DockerCommand) -> BoxFuture<'a, CliResult> {
        self.work(command).boxed()
    }

    fn inventory(&self) -> BoxFuture<'_, Result<Inventory, String>> {
        async {
            let all = ListContainersOptions { all: true, ..ListContainersOptions::default() };
            let containers = self.docker.list_containers(Some(all)).await?;
            let volumes = self.docker.list_volumes(None::<ListVolumesOptions>).await?;
            let names = containers.into_iter().flat_map(|container| container.names.unwrap_or_default());
            let volumes = volumes.volumes.unwrap_or_default();
            let anonymous = self.anonymous.lock().clone();
            let own = volumes.iter().filter(|volume| {
                volume.labels.get(LABEL) == Some(&self.run_id) || anonymous.contains(&volume.name)
            });
            Ok(Inventory {
                containers: names.map(|name| name.trim_start_matches('/').to_owned()).collect(),
                own: own.map(|volume| volume.name.clone()).collect(),
                volumes: volumes.into_iter().map(|volume| volume.name).collect(),
            })
        }
        .map(|done: Result<_, Error>| done.map_err(|error| complaint(&error).stderr))
        .boxed()
    }

    fn abilities(&self) -> Abilities {
        self.abilities.clone()
    }

    fn sweep(&self) -> BoxFuture<'_, ()> {
        // What cannot be removed now is found by the next inventory.
        async {
            let _ = self.remove_services().await;
            let _ = self.remove_containers().await;
        }
        .boxed()
    }
}
