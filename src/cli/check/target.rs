//! What is looked at: a running instance that is followed, or a recording that is read, also while it grows.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::bail;
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until, timeout_at},
};

use crate::{
    app::paths,
    cli::settings::Settings,
    domain::{
        analysis::checker::{Checker, Totals, Verdict},
        lang::expectation::Expectation,
        model::source_status::{ConnectionState, SourceStatus},
        state::{State, journal::Bounds},
    },
    net::{Endpoint, EndpointError},
    recording::{Line, RecordingFile, apply},
    source::{RemoteSource, Source as _},
};

/// How long after something new it is looked at again, so that more comes together.
const PAUSE: Duration = Duration::from_millis(20);
/// How often it is tried again to reach an instance, and to find more in a file.
const POLL: Duration = Duration::from_millis(100);

/// What is looked at.
pub enum Target {
    Instance(Box<Instance>),
    Recording(Box<Recording>),
}

/// A running instance.
pub struct Instance {
    source: Arc<RemoteSource>,
    changes: watch::Receiver<u64>,
    expectations: Vec<Expectation>,
    checker: Checker,
    /// The last entry that was looked at, and the generation that it is of.
    seen: u64,
    generation: Option<u64>,
}

/// A file.
pub struct Recording {
    file: RecordingFile,
    checker: Checker,
    state: State,
    /// How far it is read.
    offset: u64,
}

impl Target {
    /// The file or the instance that a word means. It is waited for until the deadline.
    pub async fn open(
        word: &str,
        expectations: Vec<Expectation>,
        settings: &Settings,
        deadline: Instant,
    ) -> anyhow::Result<Self> {
        let path = Path::new(word);
        if path.is_file() {
            let file = RecordingFile::open(path)?;
            let offset = file.runs().last().map_or(0, |run| run.start);
            // The entries themselves are not looked at again.
            let state = State::new(Bounds { entries: 1, bytes: 0 });
            let checker = Checker::new(&expectations, Some(0));
            return Ok(Self::Recording(Box::new(Recording { file, checker, state, offset })));
        }
        let token = settings.token()?;
        let source = loop {
            let error = match Endpoint::find(word, &paths::own(), token.clone()) {
                Ok(endpoint) => match RemoteSource::observe(endpoint).await {
                    Ok(source) => break source,
                    Err(error) => error.into(),
                },
                Err(EndpointError::Wrong(problem)) => bail!(problem),
                Err(error) => anyhow::Error::from(error).context(format!("{word:?} is no recording")),
            };
            if Instant::now() >= deadline {
                return Err(error);
            }
            sleep(POLL).await;
        };
        let (changes, checker) = (source.changes(), Checker::new(&expectations, Some(0)));
        let instance = Instance { source, changes, expectations, checker, seen: 0, generation: None };
        Ok(Self::Instance(Box::new(instance)))
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

impl Instance {
    fn verdicts(&mut self) -> Vec<Verdict> {
        self.changes.borrow_and_update();
        let snapshot = self.source.snapshot();
        if self.generation != Some(snapshot.generation) {
            // Those before a reset are not missed.
            let before = snapshot.kept.start.saturating_sub(snapshot.dropped + 1);
            self.checker = Checker::new(&self.expectations, Some(before));
            (self.seen, self.generation) = (before, Some(snapshot.generation));
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
            connections: snapshot.connections.iter().map(|peer| peer.open).sum(),
        })
    }
}

impl Recording {
    fn verdicts(&mut self) -> anyhow::Result<Vec<Verdict>> {
        self.file.refresh()?;
        let last = self.file.runs().last().map_or(0, |run| run.start);
        // Another run begins again, which its first entry does.
        let mut lines = self.file.lines(self.offset.max(last), self.file.end());
        while let Some(line) = lines.next_line()? {
            if let Line::Entry(entry) = &line {
                self.checker.push(entry);
            }
            apply(&mut self.state, line);
        }
        self.offset = lines.offset();
        Ok(self.checker.verdicts(Totals {
            counters: self.state.counters(),
            volumes: self.state.volumes(),
            held: self.state.held().count() as u64,
            connections: self.state.connections().open() as u64,
        }))
    }
}
