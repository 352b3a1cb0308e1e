//! What is looked at: a running instance that is followed, or a recording that is read, also while it grows.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{anyhow, bail};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::{
    app::plugin_list,
    cli::settings::Settings,
    domain::{
        analysis::checker::{Checker, Missing, Totals, Verdict},
        lang::expectation::Expectation,
        model::source_status::{ConnectionState, SourceStatus},
        state::{State, journal::Bounds},
    },
    hub::Changes,
    net::{Endpoint, EndpointError},
    recording::{Line, RecordingError, RecordingFile, apply_line},
    source::{RemoteSource, Source as _},
};

/// How long after something new it is looked at again, so that more comes together.
const PAUSE: Duration = Duration::from_millis(20);
/// How often it is tried again to reach an instance, and to find more in a file.
const POLL: Duration = Duration::from_millis(100);

/// How long an instance may take to send its state, even if the deadline comes before.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What is looked at.
pub enum CheckTarget {
    Instance(Box<CheckedInstance>),
    Recording(Box<Recording>),
}

/// A running instance.
pub struct CheckedInstance {
    source: Arc<RemoteSource>,
    changes: Changes,
    expectations: Vec<Expectation>,
    checker: Checker,
    /// The last entry that was looked at, and the epoch that it is of.
    seen: u64,
    epoch: Option<u64>,
}

/// A file.
pub struct Recording {
    file: RecordingFile,
    checker: Checker,
    state: State,
    /// How far it is read.
    offset: u64,
    missing: Missing,
}

impl CheckTarget {
    /// The file or the instance that a word means. It is waited for until the deadline.
    pub async fn open(
        word: &str,
        expectations: Vec<Expectation>,
        settings: &Settings,
        deadline: Instant,
    ) -> anyhow::Result<Self> {
        let path = Path::new(word);
        let mut token = None;
        loop {
            let error = if path.is_file() {
                match RecordingFile::open(path) {
                    Ok(file) => return Ok(Self::Recording(Box::new(Recording::new(file, &expectations)))),
                    // Its first line is still to come.
                    Err(error @ RecordingError::Empty(_)) => error.into(),
                    Err(error) => return Err(error.into()),
                }
            } else {
                if token.is_none() {
                    token = Some(settings.token()?);
                }
                match plugin_list::find_instance(word, token.clone().flatten()).await {
                    Ok(endpoint) => match observe(endpoint, deadline).await {
                        Ok(source) => {
                            return Ok(Self::Instance(Box::new(CheckedInstance::new(source, expectations))));
                        }
                        Err(error) => error,
                    },
                    Err(EndpointError::Wrong(problem)) => bail!(problem),
                    Err(error) => anyhow::Error::from(error).context(format!("{word:?} is no recording")),
                }
            };
            if Instant::now() >= deadline {
                return Err(error);
            }
            sleep(POLL).await;
        }
    }

    /// Whether each expectation is met now.
    pub fn verdicts(&mut self) -> anyhow::Result<Vec<Verdict>> {
        match self {
            Self::Instance(instance) => Ok(instance.verdicts()),
            Self::Recording(recording) => recording.verdicts(),
        }
    }

    /// Waits until there is something new, or says that there was not until the deadline.
    pub async fn changed(&mut self, deadline: Instant) -> bool {
        if Instant::now() >= deadline {
            return false;
        }
        match self {
            Self::Instance(instance) => {
                // At the deadline it is looked at once more.
                drop(timeout_at(deadline, instance.changes.changed()).await);
                sleep_until((Instant::now() + PAUSE).min(deadline)).await;
            }
            Self::Recording(_) => sleep_until((Instant::now() + POLL).min(deadline)).await,
        }
        true
    }

    /// An instance that has gone is not known any more.
    pub fn check_connection(&self) -> anyhow::Result<()> {
        if let Self::Instance(instance) = self
            && let SourceStatus::Remote(connection) = instance.source.snapshot().source
            && let ConnectionState::Lost(problem) = connection.state
        {
            bail!("the connection to {} is lost: {problem}", connection.name);
        }
        Ok(())
    }
}

/// Gets the state of an instance. One that accepts a connection and never answers is no reason to wait for ever.
async fn observe(endpoint: Endpoint, deadline: Instant) -> anyhow::Result<Arc<RemoteSource>> {
    // People may have to enter a password for ssh.
    endpoint.client().await?;
    let name = endpoint.to_string();
    let started = Instant::now();
    match timeout_at(deadline.max(started + TIMEOUT), RemoteSource::observe(endpoint)).await {
        Ok(source) => Ok(source?),
        Err(_) => Err(anyhow!(
            "{name} accepts connections but has not answered for {} s; see whether it is a running voltergeist, or \
             start it again",
            started.elapsed().as_secs()
        )),
    }
}

impl CheckedInstance {
    fn new(source: Arc<RemoteSource>, expectations: Vec<Expectation>) -> Self {
        let (changes, checker) = (source.changes(), Checker::new(&expectations, Some(0)));
        Self { source, changes, expectations, checker, seen: 0, epoch: None }
    }

    fn verdicts(&mut self) -> Vec<Verdict> {
        self.changes.mark_unchanged();
        let snapshot = self.source.snapshot();
        if self.epoch != Some(snapshot.epoch) {
            // Those before a reset are not missed.
            let before = snapshot.kept.start.saturating_sub(snapshot.dropped + 1);
            self.checker = Checker::new(&self.expectations, Some(before));
            (self.seen, self.epoch) = (before, Some(snapshot.epoch));
        }
        // More may have come since the snapshot.
        let entries = self.source.entries_after(self.seen, usize::MAX).into_iter();
        for entry in entries.take_while(|entry| entry.seq < snapshot.kept.end) {
            self.checker.push(&entry);
            self.seen = entry.seq;
        }
        self.checker.verdicts(Totals {
            counters: &snapshot.counters,
            volumes: &snapshot.volumes,
            held: snapshot.held.len() as u64,
            connections: snapshot.open_connections(),
            missing: Missing::default(),
        })
    }
}

impl Recording {
    fn new(file: RecordingFile, expectations: &[Expectation]) -> Self {
        let offset = file.runs().last().map_or(0, |run| run.start);
        // The entries themselves are not looked at again.
        let state = State::new(Bounds { entries: 1, bytes: 0 });
        let checker = Checker::new(expectations, Some(0));
        Self { file, checker, state, offset, missing: Missing::default() }
    }

    fn verdicts(&mut self) -> anyhow::Result<Vec<Verdict>> {
        self.file.refresh()?;
        let last = self.file.runs().last().map_or(0, |run| run.start);
        // Another run begins again, which its first entry does.
        let mut lines = self.file.lines(self.offset.max(last), self.file.end());
        while let Some(line) = lines.next_line()? {
            let next = self.state.journal().next_seq();
            match &line {
                Line::Entry(entry) => {
                    self.missing.push(entry, next);
                    self.checker.push(entry);
                }
                // It has what the entries before it add up to.
                Line::Checkpoint(checkpoint, _) if checkpoint.journal().next_seq() > next => {
                    self.missing = Missing::default();
                }
                Line::Checkpoint(..) | Line::ForeignCheckpoint => {}
            }
            apply_line(&mut self.state, line);
        }
        self.offset = lines.offset();
        Ok(self.checker.verdicts(Totals {
            counters: self.state.counters(),
            volumes: self.state.volumes(),
            held: self.state.held().count() as u64,
            connections: self.state.connections().open() as u64,
            missing: self.missing,
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_instance_that_never_answers_is_not_waited_for_without_end() {
        let directory = tempfile::tempdir().expect("a directory");
        let socket = directory.path().join("control.sock");
        let _silent = UnixListener::bind(&socket).expect("a socket");
        for (wait, seconds) in [(1, 10), (30, 30)] {
            let word = format!("unix:{}", socket.display());
            let endpoint = plugin_list::find_instance(&word, None).await.expect("an endpoint");
            let deadline = Instant::now() + Duration::from_secs(wait);
            let error = observe(endpoint, deadline).await.err().expect("it does not answer").to_string();
            assert!(error.contains(&format!("has not answered for {seconds} s")), "{error}");
        }
    }
}
