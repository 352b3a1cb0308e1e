//! `--record`: every entry as a line of a file, on a thread of its own.
//!
//! The file never lacks entries silently. Where the disk is so slow that the journal drops entries before they are
//! written, or full, writing goes on after the gap, with the state there and a `gap` entry with the number of
//! the missing entries, which the console shows too. Nobody waits for the disk.

use std::{
    fs::File,
    io::{self, Write as _},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::Context;
use futures_util::FutureExt;
use tokio::{
    runtime::Handle,
    sync::oneshot,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    config::Config,
    line_output::{BATCH, FLUSH_DELAY, LAST_LINES_TIMEOUT},
};
use crate::{
    domain::{
        model::entry::{EntryKind, Gap},
        text::counted,
    },
    hub::Hub,
    recording::{EntryEncoder, prepare_to_append},
};

/// How long after a failed write the next one is tried.
const RETRY: Duration = Duration::from_secs(1);

/// A file to which every entry is appended.
pub struct RecordingHandle {
    path: String,
    hub: Arc<Hub>,
    end: CancellationToken,
    /// The number of the last entry that was written.
    progress: Arc<AtomicU64>,
    /// How many entries are in gaps, at the end.
    missed: oneshot::Receiver<io::Result<u64>>,
}

impl RecordingHandle {
    /// Starts to write every kept entry, from the first, if the configuration says so.
    pub fn start(config: &Config, hub: &Arc<Hub>) -> anyhow::Result<Option<Self>> {
        config.record.as_deref().map(|path| Self::append_to(path, hub)).transpose()
    }

    fn append_to(path: &Path, hub: &Arc<Hub>) -> anyhow::Result<Self> {
        let (file, length) = prepare_to_append(path)?;
        let (path, progress) = (path.display().to_string(), Arc::default());
        let writer = RecordingWriter {
            hub: Arc::clone(hub),
            shown: path.clone(),
            file,
            length,
            lines: Vec::new(),
            encoder: EntryEncoder::new(length),
            problem: None,
            missed: 0,
            progress: Arc::clone(&progress),
        };
        let (sender, missed) = oneshot::channel();
        let (runtime, end) = (Handle::current(), CancellationToken::new());
        let ending = end.clone();
        thread::Builder::new()
            .name("recording".into())
            .spawn(move || drop(sender.send(runtime.block_on(writer.run(ending)))))
            .context("cannot start the thread that writes the recording")?;
        Ok(Self { path, hub: Arc::clone(hub), end, progress, missed })
    }

    /// Waits until everything that was recorded until now is written, but not long for a slow disk.
    pub async fn finish(self) -> anyhow::Result<()> {
        let Self { path, hub, end, progress, missed } = self;
        end.cancel();
        let Ok(missed) = timeout(LAST_LINES_TIMEOUT, missed).await else {
            let last = (hub.kept().end - 1).saturating_sub(progress.load(Ordering::Relaxed));
            anyhow::bail!("the last {} are missing in {path}: the disk is too slow", counted(last, "entry"));
        };
        let missed = missed
            .with_context(|| format!("the writer of {path} panicked"))?
            .with_context(|| format!("the end of the recording in {path} is missing"))?;
        anyhow::ensure!(
            missed == 0,
            "the recording in {path} lacks {}; its entries of the kind gap say where",
            counted(missed, "entry")
        );
        Ok(())
    }
}

struct RecordingWriter {
    hub: Arc<Hub>,
    shown: String,
    file: File,
    /// The length of the file up to the last line that was written whole.
    length: u64,
    /// What is to be written.
    lines: Vec<u8>,
    encoder: EntryEncoder,
    /// Why the last write failed.
    problem: Option<String>,
    /// How many entries are in gaps.
    missed: u64,
    progress: Arc<AtomicU64>,
}

impl RecordingWriter {
    /// Writes until `shutdown`. Returns how many entries are missing.
    async fn run(mut self, shutdown: CancellationToken) -> io::Result<u64> {
        let mut changes = self.hub.subscribe();
        loop {
            // Checked before reading, so that what is recorded in between is still read.
            let ending = shutdown.is_cancelled();
            let result = self.write_new();
            if ending {
                return result.map(|()| self.missed);
            }
            let retry = match result {
                Ok(()) => {
                    if self.problem.take().is_some() {
                        let text = format!("recording to {} goes on; nothing is missing", self.shown);
                        self.hub.record(EntryKind::Note { text });
                    }
                    None
                }
                Err(error) => {
                    self.note(&error);
                    Some(Instant::now() + RETRY)
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = sleep_until(retry.unwrap_or_else(Instant::now)), if retry.is_some() => {}
                result = sleep(FLUSH_DELAY).then(|()| changes.changed()), if retry.is_none() => {
                    if result.is_err() { return Ok(self.missed) }
                }
            }
        }
    }

    /// Writes all that is new.
    fn write_new(&mut self) -> io::Result<()> {
        loop {
            self.flush()?;
            let written = self.encoder.last_seq();
            let (entries, first) = self.hub.entries_after(written, BATCH);
            if first > written + 1 {
                self.record_gap(written);
                continue;
            }
            if entries.is_empty() {
                return Ok(());
            }
            for entry in &entries {
                self.encoder.write(&mut self.lines, entry);
            }
        }
    }

    /// Continues after entries that are no longer kept.
    fn record_gap(&mut self, written: u64) {
        let state = self.hub.checkpoint();
        let missed = state.journal().next_seq() - 1 - written;
        self.encoder.resume(&mut self.lines, state, self.hub.now());
        self.missed += missed;
        let reason = match self.problem.take() {
            Some(problem) => format!("the file could not be written ({problem})"),
            None => {
                "they left the journal before they were written, because the disk was too slow or by a reset"
                    .into()
            }
        };
        self.hub.record(EntryKind::Gap(Box::new(Gap { first: written + 1, missed, reason })));
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.lines.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.file.write_all(&self.lines) {
            // A half line would end the recording there. What is no file cannot be cut.
            drop(self.file.set_len(self.length));
            return Err(error);
        }
        self.length += self.lines.len() as u64;
        self.lines.clear();
        self.progress.store(self.encoder.last_seq(), Ordering::Relaxed);
        Ok(())
    }

    /// Says that writing fails, once.
    fn note(&mut self, error: &io::Error) {
        let problem = error.to_string();
        if self.problem.as_ref() != Some(&problem) {
            let text = format!("cannot record to {}: {problem}; trying again every second", self.shown);
            self.hub.record(EntryKind::Note { text });
            self.problem = Some(problem);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{
        domain::{model::origin::Origin, state::State},
        recording,
    };

    fn note(hub: &Hub, text: &str) {
        hub.record(EntryKind::Note { text: text.into() });
    }

    fn kinds(path: &Path) -> Vec<(u64, String)> {
        let text = fs::read_to_string(path).expect("the recording is there");
        let heads = text.lines().map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).expect("each line is JSON");
            (line["seq"].as_u64().expect("a number"), line["kind"].as_str().expect("a kind").to_owned())
        });
        heads.collect()
    }

    async fn recorded(path: &Path, hub: &Arc<Hub>) -> anyhow::Result<()> {
        RecordingHandle::append_to(path, hub)?.finish().await
    }

    #[tokio::test]
    async fn entries_recorded_before_the_end_are_written_and_a_new_run_is_appended() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("run.jsonl");
        for _ in 0..2 {
            let hub = Hub::keeping(10);
            note(&hub, "one");
            note(&hub, "two");
            recorded(&path, &hub).await.expect("it is written");
        }
        let run = ["session", "note", "note"].into_iter().zip(1..);
        let expected: Vec<_> = run.clone().chain(run).map(|(kind, seq)| (seq, kind.to_owned())).collect();
        assert_eq!(kinds(&path), expected);
        assert_eq!(recording::RecordingFile::open(&path).expect("it is a recording").runs().len(), 2);
    }

    #[tokio::test]
    async fn what_left_the_journal_before_it_was_written_is_a_gap() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("run.jsonl");
        let hub = Hub::keeping(3);
        for _ in 0..10 {
            note(&hub, "again");
        }
        let error = recorded(&path, &hub).await.expect_err("it is not complete").to_string();
        assert!(error.contains("lacks 11 entries"), "{error}");
        assert_eq!(kinds(&path), [(11, "checkpoint".to_owned()), (12, "gap".to_owned())]);
    }

    #[tokio::test]
    async fn a_file_that_is_not_a_recording_is_not_appended_to() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("notes.txt");
        fs::write(&path, "my notes\n").expect("it is written");
        let error = recorded(&path, &Hub::keeping(3)).await.expect_err("it is foreign").to_string();
        assert!(error.contains("is not a recording"), "{error}");
        assert_eq!(fs::read_to_string(&path).expect("it is there"), "my notes\n");
    }

    #[tokio::test]
    async fn a_half_line_of_a_killed_process_is_cut_off_before_the_next_run() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("run.jsonl");
        recorded(&path, &Hub::keeping(3)).await.expect("it is written");
        let whole = fs::read_to_string(&path).expect("it is there");
        fs::write(&path, format!("{whole}{{\"seq\":2,\"at")).expect("it is written");
        recorded(&path, &Hub::keeping(3)).await.expect("it is written");
        assert_eq!(kinds(&path).len(), 2);
    }

    #[tokio::test]
    async fn a_full_disk_is_noted_at_once_and_at_the_end() {
        let hub = Hub::keeping(10);
        let recording = RecordingHandle::append_to(Path::new("/dev/full"), &hub).expect("it opens");
        let mut changes = hub.subscribe();
        let noted = || {
            let (entries, _) = hub.entries_after(0, 10);
            entries.iter().any(
                |entry| matches!(&entry.kind, EntryKind::Note { text } if text.starts_with("cannot record to /dev/full")),
            )
        };
        let wait = async {
            while !noted() {
                changes.changed().await.expect("the hub is there");
            }
        };
        tokio::time::timeout(Duration::from_secs(5), wait).await.expect("it is noted");
        recording.finish().await.expect_err("the disk is full");
    }

    #[tokio::test]
    async fn after_a_gap_the_recording_has_the_state() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("run.jsonl");
        let hub = Hub::keeping(4);
        hub.command_line("conjure db1", Origin::Line).expect("a command");
        let shutdown = CancellationToken::new();
        // The first entries are written, and then the thread has no time.
        let mut writer = RecordingWriter {
            hub: Arc::clone(&hub),
            shown: String::new(),
            file: prepare_to_append(&path).expect("a new file").0,
            length: 0,
            lines: Vec::new(),
            encoder: EntryEncoder::new(0),
            problem: None,
            missed: 0,
            progress: Arc::default(),
        };
        writer.write_new().expect("it is written");
        hub.command_line("conjure db2", Origin::Line).expect("a command");
        for _ in 0..10 {
            note(&hub, "again");
        }
        shutdown.cancel();
        let missed = writer.run(shutdown).await.expect("it is written");
        assert_eq!(missed, 12);
        let recording = recording::RecordingFile::open(&path).expect("it is a recording");
        let run = recording.runs()[0];
        let state: State = recording.state_at(&run, run.end).expect("it is read");
        assert_eq!(state.volumes().iter().count(), 2);
        assert_eq!(state.checkpoint(), hub.checkpoint());
    }
}
