//! Rules that survive a restart: a file in the root, written while the instance runs.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    domain::{
        lang::command::Command,
        model::entry::{EntryKind, KeptRule},
    },
    hub::Hub,
};

/// How often the file is written at most. A kill loses no more than what was counted in this time.
const INTERVAL: Duration = Duration::from_millis(500);

/// The driver's own directory in the root.
const PRIVATE: &str = ".voltergeist";

/// The rules of the last run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KeptRules {
    /// The seed, so that draws go on as they would have.
    pub seed: Option<u64>,
    /// The rules in their order.
    pub rules: Vec<KeptRule>,
}

impl KeptRules {
    /// Reads the file of a root, if there is one.
    pub fn read(root: &Path) -> anyhow::Result<Self> {
        let path = path(root);
        match fs::read(&path) {
            Ok(json) => serde_json::from_slice(&json).with_context(|| {
                format!("{} is damaged; remove it, or leave out --keep-rules", path.display())
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Whether a command arms one of these rules.
    pub fn has(&self, command: &Command) -> bool {
        let Command::Arm { rule, label, .. } = command else { return false };
        let text = rule.to_string();
        self.rules
            .iter()
            .any(|kept| *kept.rule.text == *text && kept.rule.label.as_deref() == label.as_deref())
    }

    fn of(hub: &Hub) -> Self {
        let rules = hub.rules();
        Self { seed: Some(rules.seed()), rules: rules.kept() }
    }

    fn write(&self, root: &Path) -> io::Result<()> {
        let path = path(root);
        // In front of another plugin nothing else has made it.
        DirBuilder::new().recursive(true).mode(0o700).create(root.join(PRIVATE))?;
        let unfinished = path.with_extension("unfinished");
        let mut file =
            OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&unfinished)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        // Half a file after a loss of power would prevent the next start.
        file.sync_all()?;
        fs::rename(unfinished, path)
    }
}

fn path(root: &Path) -> PathBuf {
    root.join(PRIVATE).join("rules.json")
}

/// Writes the rules whenever they have changed, and for a last time at the end.
pub struct KeptRulesWriter {
    end: CancellationToken,
    writing: JoinHandle<()>,
}

impl KeptRulesWriter {
    /// Begins to write.
    pub fn start(hub: &Arc<Hub>, root: &Path) -> Self {
        let end = CancellationToken::new();
        let writing = tokio::spawn(write_changes(Arc::clone(hub), root.to_owned(), end.clone()));
        Self { end, writing }
    }

    /// Writes what the last calls have changed.
    pub async fn end(self) -> Result<(), JoinError> {
        self.end.cancel();
        self.writing.await
    }
}

async fn write_changes(hub: Arc<Hub>, root: PathBuf, end: CancellationToken) {
    let mut changes = hub.subscribe();
    let mut written = KeptRules::default();
    let mut is_failing = false;
    let mut is_last = false;
    while !is_last {
        tokio::select! {
            () = end.cancelled() => is_last = true,
            news = changes.changed() => {
                is_last = news.is_err();
                drop(tokio::time::timeout(INTERVAL, end.cancelled()).await);
            }
        }
        changes.mark_unchanged();
        let rules = KeptRules::of(&hub);
        if rules == written {
            continue;
        }
        let (root, copy) = (root.clone(), rules.clone());
        let result = tokio::task::spawn_blocking(move || copy.write(&root)).await;
        let result = result.unwrap_or_else(|panic| Err(io::Error::other(panic)));
        match result {
            Ok(()) => (written, is_failing) = (rules, false),
            Err(error) if !is_failing => {
                is_failing = true;
                hub.record(EntryKind::Note { text: format!("cannot keep the rules: {error}") });
            }
            Err(_) => {}
        }
    }
}
