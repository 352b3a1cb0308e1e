//! Writes entries as JSON lines as they are recorded: `serve` to stdout, `--record` to a file.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::Arc,
    thread,
};

use anyhow::Context;
use rustix::{
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    io::Errno,
};
use tokio::{runtime::Handle, sync::oneshot};
use tokio_util::sync::CancellationToken;

use super::config::Config;
use crate::{
    domain::{lang::json, model::entry::EntryKind},
    hub::Hub,
};

/// How many entries are fetched at a time.
const BATCH: usize = 1024;

/// Writes every kept entry, from the first, until `shutdown`. Returns how many the journal dropped before they were
/// written.
async fn write_entries(hub: Arc<Hub>, mut out: impl Write, shutdown: CancellationToken) -> io::Result<u64> {
    let mut changes = hub.subscribe();
    let mut written = 0;
    let mut missed = 0;
    loop {
        // Checked before reading, so that what is recorded in between is still read.
        let ending = shutdown.is_cancelled();
        loop {
            let (entries, first) = hub.entries_after(written, BATCH);
            let lost = first.saturating_sub(written + 1);
            missed += lost;
            written += lost;
            let Some(newest) = entries.last() else { break };
            written = newest.seq;
            for entry in &entries {
                json::write_line(&mut out, entry)?;
            }
        }
        out.flush()?;
        if ending {
            return Ok(missed);
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            result = changes.changed() => if result.is_err() { return Ok(missed) },
        }
    }
}

/// Writes every kept entry, from the first, until `shutdown`, on a thread of its own, since a slow disk or reader blocks
/// it. Returns how many entries the journal dropped before they were written.
pub async fn follow(
    hub: Arc<Hub>,
    out: impl Write + Send + 'static,
    shutdown: CancellationToken,
) -> io::Result<u64> {
    let (sender, result) = oneshot::channel();
    let runtime = Handle::current();
    thread::spawn(move || drop(sender.send(runtime.block_on(write_entries(hub, out, shutdown)))));
    result.await.unwrap_or_else(|_| Err(io::Error::other("the writer panicked")))
}

/// Opens the file of a recording, which has the options of volumes in it, and so perhaps passwords.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).mode(0o600);
    // Opening a pipe that nobody reads would wait.
    let file = options.custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path);
    let file = file.map_err(|error| match error.raw_os_error() {
        Some(code) if code == Errno::NXIO.raw_os_error() => io::Error::other("nobody reads this pipe"),
        _ => error,
    })?;
    fcntl_setfl(&file, fcntl_getfl(&file)? - OFlags::NONBLOCK)?;
    Ok(file)
}

/// A file to which every entry is appended.
pub struct Recording(tokio::task::JoinHandle<anyhow::Result<()>>);

impl Recording {
    /// Starts to write every kept entry, from the first, until `shutdown`, if the configuration says so.
    pub fn start(
        config: &Config,
        hub: &Arc<Hub>,
        shutdown: &CancellationToken,
    ) -> anyhow::Result<Option<Self>> {
        config.record.as_deref().map(|path| Self::append_to(path, hub, shutdown)).transpose()
    }

    fn append_to(path: &Path, hub: &Arc<Hub>, shutdown: &CancellationToken) -> anyhow::Result<Self> {
        let shown = path.display().to_string();
        let file = open(path).with_context(|| format!("cannot record to {shown}; choose another file"))?;
        let written = follow(Arc::clone(hub), BufWriter::new(file), shutdown.clone());
        let hub = Arc::clone(hub);
        Ok(Self(tokio::spawn(async move {
            let written = written.await;
            if let Err(error) = &written {
                // Now, and not only at the end, when nothing can be recorded any more.
                hub.record(EntryKind::Note { text: format!("recording to {shown} stopped: {error}") });
            }
            let missed = written.with_context(|| format!("recording to {shown} stopped"))?;
            anyhow::ensure!(
                missed == 0,
                "the recording in {shown} lacks {missed} entries, because they left the journal before they were \
                 written (slow disk, or reset)"
            );
            Ok(())
        })))
    }

    /// Waits until everything is written.
    pub async fn finish(self) -> anyhow::Result<()> {
        self.0.await?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{
            model::{entry::Session, volume::Volumes},
            state::journal::Bounds,
        },
        hub::InMemoryStore,
    };

    fn hub(entries: usize) -> Arc<Hub> {
        let session = Session::new(0, Volumes::default());
        Hub::new(session, Box::new(InMemoryStore), Bounds { entries, ..Bounds::default() })
    }

    async fn written(hub: Arc<Hub>) -> (String, u64) {
        let shutdown = CancellationToken::new();
        shutdown.cancel();
        let mut out = Vec::new();
        let missed = write_entries(hub, &mut out, shutdown).await.expect("memory does not fail");
        (String::from_utf8(out).expect("JSON is UTF-8"), missed)
    }

    #[tokio::test]
    async fn entries_recorded_before_the_end_are_written() {
        let hub = hub(10);
        hub.record(EntryKind::Note { text: "one".into() });
        hub.record(EntryKind::Note { text: "two".into() });
        let (text, missed) = written(hub).await;
        let entries: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
        let kinds: Vec<_> = entries.iter().map(|entry| entry["kind"].as_str().expect("a kind")).collect();
        assert_eq!(kinds, ["session", "note", "note"]);
        let texts: Vec<_> = entries[1..].iter().map(|note| note["text"].as_str()).collect();
        assert_eq!(texts, [Some("one"), Some("two")]);
        assert_eq!(missed, 0);
    }

    #[tokio::test]
    async fn entries_that_the_journal_dropped_are_counted() {
        let hub = hub(3);
        for _ in 0..10 {
            hub.record(EntryKind::Note { text: "again".into() });
        }
        let (text, missed) = written(hub).await;
        // The session is an entry too.
        assert_eq!((text.lines().count(), missed), (3, 8));
    }

    #[tokio::test]
    async fn a_write_error_is_noted_at_once() {
        let hub = hub(10);
        let recording = Recording::append_to(Path::new("/dev/full"), &hub, &CancellationToken::new());
        hub.record(EntryKind::Note { text: "one".into() });
        recording.expect("it opens").finish().await.expect_err("the disk is full");
        let (entries, _) = hub.entries_after(0, 10);
        let is_noted = entries.iter().any(
            |entry| matches!(&entry.kind, EntryKind::Note { text } if text.starts_with("recording to /dev/full stopped")),
        );
        assert!(is_noted, "{entries:?}");
    }
}
