//! The engine: what sits at the other end of the plugin's socket.
//!
//! An [`Engine`] is given [`DockerCommand`]s, the ones that a person would type, and answers each with
//! the [`Outcome`] that the docker command line would print. What the plugin sees of it are the calls
//! that the engine makes on the way. [`docker`] is a real daemon, [`simulated`] an engine that needs none; [`demo`] is a
//! life led on it; a [`scenario`] plays on any.

mod chance;
mod clock;
pub mod demo;
pub mod docker;
mod docker_command;
mod outcome;
mod print;
pub mod scenario;
pub mod simulated;

use std::collections::BTreeSet;

use futures_util::future::BoxFuture;

pub use clock::Clock;
pub use docker_command::{BadLine, DockerCommand, Pair, Run, VolumeCommand};
pub use outcome::Outcome;

/// What is on an engine, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// All containers, running or not.
    pub containers: BTreeSet<String>,
    /// The volumes that the engine knows of.
    pub volumes: BTreeSet<String>,
    /// Those of the volumes that carry the mark of what was made from here.
    pub own: BTreeSet<String>,
}

/// A container engine, in the words of the docker command line.
pub trait Engine: Send + Sync {
    /// Does what one command says and waits until the command line would return.
    ///
    /// Commands may run side by side; the engine orders them as a daemon does. Dropping the future
    /// gives up waiting for it.
    fn perform<'a>(&'a self, command: &'a DockerCommand) -> BoxFuture<'a, Outcome>;

    /// What is there. Says why not if the engine cannot be asked.
    fn inventory(&self) -> BoxFuture<'_, Result<Inventory, String>>;

    /// Removes the containers that were made through this engine and are still there, with their anonymous volumes.
    fn sweep(&self) -> BoxFuture<'_, ()>;
}
