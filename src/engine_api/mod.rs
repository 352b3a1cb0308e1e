//! What a container engine can be asked, whichever engine it is.
//!
//! An [`Engine`] runs [`DockerCommand`]s and answers each with the [`CliResult`] that the docker command line
//! would print. The implementations are in `engine`; scenarios use only this interface, so that neither
//! module imports the other.

mod abilities;
mod cli_result;
mod clock;
mod docker_command;
mod docker_line;
mod docker_subcommand;
mod profile;

use std::collections::BTreeSet;

use futures_util::future::BoxFuture;

pub use abilities::Abilities;
pub use cli_result::CliResult;
pub use clock::Clock;
pub use docker_command::{BadLine, DockerCommand, Run};
pub use docker_subcommand::{Pair, PluginCommand, ServiceCommand, ServiceMount, VolumeCommand};
pub use profile::Profile;

/// What is on an engine, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// All containers, running or not.
    pub containers: BTreeSet<String>,
    /// All volumes.
    pub volumes: BTreeSet<String>,
    /// Those volumes that were created through this interface, anonymous ones included.
    pub own: BTreeSet<String>,
}

/// A container engine that runs docker commands.
pub trait Engine: Send + Sync {
    /// Which engine it is.
    fn profile(&self) -> Profile;

    /// Runs one command and waits until the command line would return.
    ///
    /// Commands may run concurrently; the engine orders them as a daemon does. Dropping the future stops waiting,
    /// but not the command.
    fn perform<'a>(&'a self, command: &'a DockerCommand) -> BoxFuture<'a, CliResult>;

    /// What it can do.
    fn abilities(&self) -> Abilities;

    /// Lists containers and volumes. The error says why the engine cannot be asked.
    fn inventory(&self) -> BoxFuture<'_, Result<Inventory, String>>;

    /// Removes the remaining containers that were created through this engine, with their anonymous volumes.
    fn sweep(&self) -> BoxFuture<'_, ()>;
}
