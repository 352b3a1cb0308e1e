//! Writes entries as JSON lines as they are recorded: `serve` to stdout, `--record` to a file.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::Context;
use rustix::{
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    io::Errno,
};
use tokio::{runtime::Handle, sync::oneshot, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

use super::config::Config;
use crate::{
    domain::{lang::json, model::entry::EntryKind},
    hub::Hub,
};

/// How many entries are fetched at a time.
const BATCH: usize = 1024;

/// How long a slow disk or reader may take for the last lines.
const LAST_LINES_TIMEOUT: Duration = Duration::from_secs(2);

/// Writes every kept entry, from the first, until `end`. Returns how many the journal dropped before they were written.
/// `progress` is the number of the last entry that was written.
async fn write_entries(
    hub: Arc<Hub>,
    mut out: impl Write,
    end: CancellationToken,
    progress: Arc<AtomicU64>,
) -> io::Result<u64> {
    let mut changes = hub.subscribe();
    let mut written = 0;
    let mut missed = 0;
    loop {
        // Checked before reading, so that what is recorded in between is still read.
        let ending = end.is_cancelled();
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
            out.flush()?;
            progress.store(written, Ordering::Relaxed);
        }
        if ending {
            return Ok(missed);
        }
        tokio::select! {
            () = end.cancelled() => {}
            result = changes.changed() => if result.is_err() { return Ok(missed) },
        }
    }
}

/// Writes entries on a thread of its own, since a slow disk or reader blocks it.
pub struct Writer {
    hub: Arc<Hub>,
    progress: Arc<AtomicU64>,
    result: oneshot::Receiver<io::Result<u64>>,
}

impl Writer {
    /// Starts to write every kept entry, from the first, until `end`.
    pub fn start(hub: &Arc<Hub>, out: impl Write + Send + 'static, end: &CancellationToken) -> Self {
        let (sender, result) = oneshot::channel();
        let progress = Arc::new(AtomicU64::new(0));
        let written = write_entries(Arc::clone(hub), out, end.clone(), Arc::clone(&progress));
        let runtime = Handle::current();
        thread::spawn(move || drop(sender.send(runtime.block_on(written))));
        Self { hub: Arc::clone(hub), progress, result }
    }

    /// Waits until nothing more is written. Returns how many entries the journal dropped before they were written.
    pub async fn ended(&mut self) -> io::Result<u64> {
        (&mut self.result).await.unwrap_or_else(|_| Err(io::Error::other("the writer panicked")))
    }

    /// The same at the end, when nobody waits longer for a slow disk or reader. What is not written then is missed.
    pub async fn finish(mut self) -> io::Result<u64> {
        match timeout(LAST_LINES_TIMEOUT, self.ended()).await {
            Ok(missed) => missed,
            Err(_) => Ok((self.hub.kept().end - 1).saturating_sub(self.progress.load(Ordering::Relaxed))),
        }
    }
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
pub struct Recording {
    path: String,
    end: CancellationToken,
    written: JoinHandle<io::Result<u64>>,
}

impl Recording {
    /// Starts to write every kept entry, from the first, if the configuration says so.
    pub fn start(config: &Config, hub: &Arc<Hub>) -> anyhow::Result<Option<Self>> {
        config.record.as_deref().map(|path| Self::append_to(path, hub)).transpose()
    }

    fn append_to(path: &Path, hub: &Arc<Hub>) -> anyhow::Result<Self> {
        let shown = path.display().to_string();
        let file = open(path).with_context(|| format!("cannot record to {shown}; choose another file"))?;
        let end = CancellationToken::new();
        let mut writer = Writer::start(hub, BufWriter::new(file), &end);
        let (hub, path, ending) = (Arc::clone(hub), shown.clone(), end.clone());
        let written = tokio::spawn(async move {
            let written = tokio::select! {
                written = writer.ended() => written,
                () = ending.cancelled() => writer.finish().await,
            };
            if let Err(error) = &written {
                // Now, and not only at the end, when nothing can be recorded any more.
                hub.record(EntryKind::Note { text: format!("recording to {shown} stopped: {error}") });
            }
            written
        });
        Ok(Self { path, end, written })
    }

    /// Waits until everything that was recorded until now is written.
    pub async fn finish(self) -> anyhow::Result<()> {
        let Self { path, end, written } = self;
        end.cancel();
        let missed = written.await?.with_context(|| format!("recording to {path} stopped"))?;
        anyhow::ensure!(
            missed == 0,
            "the recording in {path} lacks {missed} entries, because they left the journal before they were written \
             (slow disk, or reset)"
        );
        Ok(())
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
        let missed =
            write_entries(hub, &mut out, shutdown, Arc::default()).await.expect("memory does not fail");
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
        let recording = Recording::append_to(Path::new("/dev/full"), &hub);
        hub.record(EntryKind::Note { text: "one".into() });
        recording.expect("it opens").finish().await.expect_err("the disk is full");
        let (entries, _) = hub.entries_after(0, 10);
        let is_noted = entries.iter().any(
            |entry| matches!(&entry.kind, EntryKind::Note { text } if text.starts_with("recording to /dev/full stopped")),
        );
        assert!(is_noted, "{entries:?}");
    }
}
