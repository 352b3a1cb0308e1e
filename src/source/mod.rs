//! Where a console gets its state from: this process ([`LocalSource`]), another one ([`RemoteSource`]) or a
//! recording ([`RecordingSource`]).

mod local;
mod player;
mod recording;
mod remote;
mod stream;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::watch;

pub use local::LocalSource;
pub use recording::RecordingSource;
pub use remote::RemoteSource;

use crate::{
    domain::{
        lang::{command::Command, seek::Seek},
        model::{
            entry::{Entry, ShellEvent},
            origin::Origin,
        },
        rules::{DryRun, Rule},
    },
    hub::Snapshot,
};

/// The state that a console shows, and the way to change it.
///
/// The reads answer at once, from memory. What may wait for a disk or a network is a future, and polling it
/// never blocks.
pub trait Source: Send + Sync {
    /// The state at this moment, with all volumes.
    fn snapshot(&self) -> Snapshot;

    /// The kept entries after a number, oldest first and at most `limit`.
    fn entries_after(&self, seq: u64, limit: usize) -> Vec<Arc<Entry>>;

    /// Changes its value whenever there is something new to read.
    fn changes(&self) -> watch::Receiver<u64>;

    /// Runs a command that came from a key or the `:` line, and returns its result as text, or why it failed.
    fn run(&self, command: Command, origin: Origin) -> BoxFuture<'static, Result<String, String>>;

    /// Finds the recorded calls that a rule would have matched.
    fn dry_run(&self, rule: Rule) -> BoxFuture<'static, Result<DryRun, String>>;

    /// Records what a command in the user's shell does, and returns the number of the entry. None where the console is
    /// not on the machine of the driver: nothing is run there.
    fn shell(&self, _event: ShellEvent) -> Option<u64> {
        None
    }

    /// Adds a note to the journal.
    fn note(&self, text: String);

    /// Goes to a place in a recording.
    fn seek(&self, _: Seek) -> BoxFuture<'static, Result<(), String>> {
        Box::pin(async { Err("only a recording has a timeline: voltergeist replay FILE".to_owned()) })
    }
}
