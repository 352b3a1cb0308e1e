//! What the daemon does at each command of the docker command line, and how that prints its reply.

mod container;
mod copy;
mod lifecycle;
mod volume;

use super::{daemon::Daemon, error::DaemonError, store::Store};
use crate::engine_api::{CliResult, DockerCommand};

pub(super) const NO_PLUGINS: &str = "a simulated engine runs no plugins of its own";
pub(super) const NO_SWARM: &str = "a simulated engine is in no swarm";

/// One command at work on a living daemon.
#[derive(Clone, Copy)]
pub(super) struct Work<'d> {
    pub daemon: &'d Daemon,
    pub store: &'d Store,
}

impl Work<'_> {
    /// An error here is one of the daemon's API, as most commands print it.
    pub(super) async fn perform(self, command: &DockerCommand) -> Result<CliResult, DaemonError> {
        match command {
            DockerCommand::Volume(command) => self.volume(command).await,
            DockerCommand::Create(run) => self.create(run).await.map(|made| CliResult::success(&*made.id)),
            DockerCommand::Run(run) => Ok(self.run(run).await),
            DockerCommand::Start { name } => Ok(self.start_named(name).await),
            DockerCommand::Restart { name } => self.restart(name).await,
            DockerCommand::Stop { name } => self.stop(name).await,
            DockerCommand::Kill { name } => self.kill(name).await,
            DockerCommand::Rm { force, volumes, name } => self.rm(name, *force, *volumes).await,
            DockerCommand::Inspect { name } => self.inspect_container(name).await,
            DockerCommand::Ps { all } => Ok(self.ps(*all).await),
            DockerCommand::Exec { name, command } => self.exec_named(name, command).await,
            DockerCommand::Logs { name } => Ok(self.logs(name).await),
            DockerCommand::Plugin(_) => Ok(CliResult::failure(1, NO_PLUGINS)),
            DockerCommand::Service(_) => Ok(CliResult::failure(1, NO_SWARM)),
            DockerCommand::Cp { source, destination } => self.cp(source, destination).await,
            DockerCommand::DaemonRestart | DockerCommand::DaemonKill => {
                unreachable!("the daemon's own life is no work of the daemon")
            }
        }
    }
}
