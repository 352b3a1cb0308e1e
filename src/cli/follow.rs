//! Entries as JSON lines, as they come: `serve` on stdout, `--record` in a file.

use std::{
    fs::OpenOptions,
    io::{self, BufWriter, Write},
    path::Path,
    sync::Arc,
};

use anyhow::Context;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{domain::model::entry::EntryKind, state::Hub};

/// How many entries are taken from the hub at a time.
const BATCH: usize = 1024;

/// Writes every entry from now on until `shutdown`, then what has come meanwhile. Returns how many
/// were missed, because writing was so slow that the journal had let them go.
pub async fn follow(hub: Arc<Hub>, mut out: impl Write, shutdown: CancellationToken) -> io::Result<u64> {
    let mut changes = hub.changes();
    let mut seen = 0;
    let mut missed = 0;
    loop {
        // Asked before reading, so that what is recorded in between is still read.
        let ending = shutdown.is_cancelled();
        loop {
            let (entries, first) = hub.entries_after(seen, BATCH);
            let lost = first.saturating_sub(seen + 1);
            missed += lost;
            seen += lost;
            let Some(newest) = entries.last() else { break };
            seen = newest.seq;
            for entry in &entries {
                serde_json::to_writer(&mut out, entry)?;
                out.write_all(b"\n")?;
            }
        }
        out.flush()?;
        if ending {
            return Ok(missed);
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            woken = changes.changed() => if woken.is_err() { return Ok(missed) },
        }
    }
}

/// Appends every entry from now on to a file, until `shutdown`.
pub fn record(
    path: &Path,
    hub: &Arc<Hub>,
    shutdown: &CancellationToken,
) -> anyhow::Result<JoinHandle<anyhow::Result<()>>> {
    let shown = path.display().to_string();
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("cannot record to {shown}; choose another file"))?;
    let following = follow(Arc::clone(hub), BufWriter::new(file), shutdown.clone());
    let hub = Arc::clone(hub);
    Ok(tokio::spawn(async move {
        let report_observed = following.await;
        if let Err(error) = &report_observed {
            // At once, and not only at the end, when there is nothing left to record.
            hub.record(EntryKind::Note { text: format!("the recording in {shown} broke off: {error}") });
        }
        let missed = report_observed.with_context(|| format!("the recording in {shown} broke off"))?;
        anyhow::ensure!(
            missed == 0,
            "the recording in {shown} misses {missed} entries, because the disk was too slow"
        );
        Ok(())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::entry::Session;
    use crate::{
        domain::{model::volume::Volumes, state::journal::Bounds},
        state::InMemoryStore,
    };

    fn hub(entries: usize) -> Arc<Hub> {
        Hub::new(
            Session::new(0, Volumes::default()),
            Box::new(InMemoryStore),
            Bounds { entries, ..Bounds::default() },
        )
    }

    async fn report_observed(hub: Arc<Hub>) -> (String, u64) {
        let shutdown = CancellationToken::new();
        shutdown.cancel();
        let mut out = Vec::new();
        let missed = follow(hub, &mut out, shutdown).await.expect("memory does not fail");
        (String::from_utf8(out).expect("JSON is UTF-8"), missed)
    }

    #[tokio::test]
    async fn what_was_recorded_before_the_end_is_written() {
        let hub = hub(10);
        hub.record(EntryKind::Note { text: "one".into() });
        hub.record(EntryKind::Note { text: "two".into() });
        let (text, missed) = report_observed(hub).await;
        let entries: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
        let kinds: Vec<_> = entries.iter().map(|entry| entry["kind"].as_str().expect("a kind")).collect();
        assert_eq!(kinds, ["session", "note", "note"]);
        let texts: Vec<_> = entries[1..].iter().map(|note| note["text"].as_str()).collect();
        assert_eq!(texts, [Some("one"), Some("two")]);
        assert_eq!(missed, 0);
    }

    #[tokio::test]
    async fn entries_that_the_journal_let_go_are_counted_as_missed() {
        let hub = hub(3);
        for _ in 0..10 {
            hub.record(EntryKind::Note { text: "again".into() });
        }
        let (text, missed) = report_observed(hub).await;
        // The session is an entry too.
        assert_eq!((text.lines().count(), missed), (3, 8));
    }

    #[tokio::test]
    async fn a_recording_that_breaks_off_is_told_at_once() {
        let hub = hub(10);
        let recording = record(Path::new("/dev/full"), &hub, &CancellationToken::new()).expect("it opens");
        hub.record(EntryKind::Note { text: "one".into() });
        recording.await.expect("it does not panic").expect_err("the disk is full");
        let (entries, _) = hub.entries_after(0, 10);
        let told = entries.iter().any(
            |entry| matches!(&entry.kind, EntryKind::Note { text } if text.starts_with("the recording in /dev/full broke off")),
        );
        assert!(told, "{entries:?}");
    }
}
