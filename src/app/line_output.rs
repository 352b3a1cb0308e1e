//! Entries as lines on stdout, as they are recorded: JSON for programs, or text for people.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use futures_util::FutureExt;
use tokio::{
    runtime::Handle,
    sync::oneshot,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    domain::{lang::json, model::entry::Entry, text::symbols::Symbols},
    export,
    hub::Hub,
};

/// How an entry is written.
#[derive(Clone, Debug)]
pub enum LineFormat {
    /// A line of JSON, for programs.
    Json,
    /// A line of text, for people, if the entry is of use to them.
    Text {
        /// The symbols.
        symbols: &'static Symbols,
        /// The zone of the times.
        zone: jiff::tz::TimeZone,
    },
}

impl LineFormat {
    fn write(&self, out: &mut impl Write, entry: &Entry) -> io::Result<()> {
        match self {
            Self::Json => json::write_line(out, entry),
            Self::Text { symbols, zone } => match export::text_line(entry, symbols, zone) {
                Some(line) => writeln!(out, "{line}"),
                None => Ok(()),
            },
        }
    }
}

/// How many entries are fetched at a time.
pub(super) const BATCH: usize = 1024;
/// How long entries are gathered before they are written together: to be woken for each would slow the server.
pub(super) const FLUSH_DELAY: Duration = Duration::from_millis(10);

/// How long a slow disk or reader may take for the last lines.
pub(super) const LAST_LINES_TIMEOUT: Duration = Duration::from_secs(2);

/// Writes every kept entry, from the first, until `end`. Returns how many the journal dropped before they were written.
/// `progress` is the number of the last entry that was written.
async fn write_entries(
    hub: Arc<Hub>,
    (mut out, format): (impl Write, LineFormat),
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
                format.write(&mut out, entry)?;
            }
            out.flush()?;
            progress.store(written, Ordering::Relaxed);
        }
        if ending {
            return Ok(missed);
        }
        tokio::select! {
            () = end.cancelled() => {}
            result = sleep(FLUSH_DELAY).then(|()| changes.changed()) => {
                if result.is_err() { return Ok(missed) }
            }
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
    pub fn start(
        hub: &Arc<Hub>,
        (out, format): (impl Write + Send + 'static, LineFormat),
        end: &CancellationToken,
    ) -> Self {
        let (sender, result) = oneshot::channel();
        let progress = Arc::new(AtomicU64::new(0));
        let written = write_entries(Arc::clone(hub), (out, format), end.clone(), Arc::clone(&progress));
        let runtime = Handle::current();
        thread::spawn(move || drop(sender.send(runtime.block_on(written))));
        Self { hub: Arc::clone(hub), progress, result }
    }

    /// Waits until nothing more is written. Returns how many entries the journal dropped before they were written.
    pub async fn ended(&mut self) -> io::Result<u64> {
        (&mut self.result).await.unwrap_or_else(|_| Err(io::Error::other("the writer panicked")))
    }

    /// The same at the end, when nobody waits longer for a slow disk or reader. What is not written then is missed.
    pub async fn finish(&mut self) -> io::Result<u64> {
        match timeout(LAST_LINES_TIMEOUT, self.ended()).await {
            Ok(missed) => missed,
            Err(_) => Ok(self.unwritten()),
        }
    }

    /// How many of the latest entries were not written.
    pub fn unwritten(&self) -> u64 {
        (self.hub.kept().end - 1).saturating_sub(self.progress.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::entry::EntryKind;

    #[tokio::test]
    async fn entries_that_the_journal_dropped_are_counted() {
        let hub = Hub::keeping(3);
        for _ in 0..10 {
            hub.record(EntryKind::Note { text: "again".into() });
        }
        let shutdown = CancellationToken::new();
        shutdown.cancel();
        let mut out = Vec::new();
        let missed = write_entries(hub, (&mut out, LineFormat::Json), shutdown, Arc::default())
            .await
            .expect("memory does not fail");
        let text = String::from_utf8(out).expect("JSON is UTF-8");
        // The session is an entry too.
        assert_eq!((text.lines().count(), missed), (3, 8));
    }
}
