//! Where a console gets its state from: this process ([`LocalSource`]), another one ([`RemoteSource`]), several others
//! ([`MergedSource`]) or a recording ([`RecordingSource`]).

mod local;
mod merged;
mod player;
mod recording;
mod remote;
mod stream;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::task::spawn_blocking;

pub use local::LocalSource;
pub use merged::MergedSource;
pub use recording::RecordingSource;
pub use remote::RemoteSource;

use crate::{
    domain::{
        lang::{command::Command, filter::Filter, seek::Seek},
        model::{
            entry::{Entry, ShellEvent},
            origin::Origin,
            source_status::NodeChoice,
        },
        rules::{DryRun, Rule, dry_run},
        state::State,
    },
    export,
    hub::{Changes, Snapshot},
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
    fn changes(&self) -> Changes;

    /// Runs a command that came from a key or the `:` line, and returns its result as text, or why it failed.
    fn run(&self, command: Command, origin: Origin) -> BoxFuture<'static, Result<String, String>>;

    /// Finds the recorded calls that a rule would have matched.
    fn dry_run(&self, rule: Rule) -> BoxFuture<'static, Result<DryRun, String>>;

    /// Records what a command in the user's shell does, and returns the number of the entry. None where the console is
    /// not on the machine of the driver: nothing is run there.
    fn shell(&self, _event: ShellEvent) -> Option<u64> {
        None
    }

    /// Adds a note to the journal. Without a journal in this process, logs it.
    fn note(&self, text: String) {
        tracing::warn!("{text}");
    }

    /// Goes to a place in a recording.
    fn seek(&self, _: Seek) -> BoxFuture<'static, Result<(), String>> {
        Box::pin(async { Err("only a recording has a timeline: voltergeist replay FILE".to_owned()) })
    }

    /// Chooses which of several instances is shown and gets the commands, and returns in words which.
    fn choose_node(&self, _: &NodeChoice) -> Result<String, String> {
        Err("only one instance is shown; several are: voltergeist attach NAME NAME".to_owned())
    }
}

/// Finds the calls that a rule would have matched, among the entries that a console has.
fn dry_run_here(
    entries: Vec<Arc<Entry>>,
    state: State,
    rule: Rule,
) -> BoxFuture<'static, Result<DryRun, String>> {
    let work = move || {
        let entries = entries.iter().map(AsRef::as_ref);
        dry_run(&rule, state.rules().seed(), state.volumes(), entries)
    };
    Box::pin(async { spawn_blocking(work).await.map_err(|error| error.to_string()) })
}

/// Writes what a console has to a file on its machine.
fn save_here(
    source: &dyn Source,
    path: String,
    which: Filter,
    machine: &'static str,
) -> BoxFuture<'static, Result<String, String>> {
    let (entries, snapshot) = (source.entries_after(0, usize::MAX), source.snapshot());
    let save = move || {
        export::save(&path, &which, &entries, &snapshot)
            .map(|saved| format!("{saved} saved to {path}{machine}"))
            .map_err(|error| error.to_string())
    };
    Box::pin(async { spawn_blocking(save).await.unwrap_or_else(|error| Err(error.to_string())) })
}
