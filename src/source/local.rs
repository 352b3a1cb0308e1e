//! The source in this process.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::task::spawn_blocking;

use super::Source;
use crate::{
    domain::{
        lang::command::Command,
        model::{
            entry::{Entry, EntryKind, ShellEvent},
            origin::Origin,
        },
        rules::{DryRun, Rule},
    },
    export,
    hub::{Changes, Hub, Snapshot},
};

/// Reads and changes a [`Hub`]. Commands and dry runs are done on a thread for blocking work, because a command
/// may wait for the disk and a dry run goes through the whole journal.
pub struct LocalSource(Arc<Hub>);

impl LocalSource {
    /// A source over a hub.
    pub fn new(hub: Arc<Hub>) -> Arc<Self> {
        Arc::new(Self(hub))
    }

    fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Hub) -> Result<T, String> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, String>> {
        let hub = Arc::clone(&self.0);
        Box::pin(async move {
            spawn_blocking(move || work(&hub)).await.unwrap_or_else(|error| Err(error.to_string()))
        })
    }
}

impl Source for LocalSource {
    fn snapshot(&self) -> Snapshot {
        self.0.snapshot()
    }

    fn entries_after(&self, seq: u64, limit: usize) -> Vec<Arc<Entry>> {
        self.0.entries_after(seq, limit).0
    }

    fn changes(&self) -> Changes {
        self.0.subscribe()
    }

    fn run(&self, command: Command, origin: Origin) -> BoxFuture<'static, Result<String, String>> {
        let hub = Arc::clone(&self.0);
        let asked = command.clone();
        let run = self.blocking(move |hub| {
            let output = export::run_command(hub, &command, origin);
            output.map(|output| output.text).map_err(|error| error.to_string())
        });
        Box::pin(async move {
            let text = run.await?;
            // It was run and is recorded, also where its aim is not reached.
            Ok(hub.unmet_after(&asked).await.unwrap_or(text))
        })
    }

    fn dry_run(&self, rule: Rule) -> BoxFuture<'static, Result<DryRun, String>> {
        self.blocking(move |hub| Ok(hub.dry_run(&rule)))
    }

    fn shell(&self, event: ShellEvent) -> Option<u64> {
        Some(self.0.record(EntryKind::Shell(event)))
    }

    fn note(&self, text: String) {
        self.0.record(EntryKind::Note { text });
    }
}
