//! A running instance as a source: its state is rebuilt here from its entries.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use hyper::StatusCode;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use super::{
    Source, dry_run_here, save_here,
    stream::{Attachment, StreamEvent},
};
use crate::{
    domain::{
        lang::command::Command,
        model::{
            entry::Entry,
            origin::Origin,
            scenario::ScenarioCatalog,
            source_status::{Connection, ConnectionState, SourceStatus},
        },
        rules::{DryRun, Rule},
        state::State,
    },
    hub::{ChangeSender, Changes, Snapshot},
    net::{Endpoint, client::ClientError},
};

/// How many entries before the newest a console has in its lists.
const HISTORY: u64 = 20_000;
/// How long after a lost connection the next one is tried: at first, and at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(3));
/// Without a heartbeat for so long, the connection counts as lost.
const SILENCE: Duration = Duration::from_secs(10);
/// How long the result of a command waits for the entries that it caused.
const ECHO: Duration = Duration::from_secs(2);

/// What is known of the instance.
struct Remote {
    state: State,
    catalog: ScenarioCatalog,
    connection: Connection,
    epoch: u64,
    /// Grows with each connection, and the number of the last entry that there was then.
    connected: (u64, u64),
    /// When the instance was started: another time is another process.
    started: Timestamp,
    /// The time of the instance, and when it was that here.
    clock: (Timestamp, Instant),
    /// The smallest difference between a time of the instance and ours, with the way of its message.
    offset: Option<SignedDuration>,
}

struct SharedRemote {
    endpoint: Endpoint,
    remote: Mutex<Remote>,
    changes: ChangeSender,
    /// How many entries before the newest are fetched.
    history: u64,
}

/// Follows an instance over its control API, and connects again when the connection is lost.
pub struct RemoteSource {
    shared: Arc<SharedRemote>,
    read_only: bool,
    following: JoinHandle<()>,
}

impl Drop for RemoteSource {
    fn drop(&mut self) {
        self.following.abort();
    }
}

impl RemoteSource {
    /// Connects to an instance, for a console. With `read_only`, no command is sent to it.
    pub async fn connect(endpoint: Endpoint, read_only: bool) -> Result<Arc<Self>, ClientError> {
        Self::open(endpoint, read_only, HISTORY).await
    }

    /// Connects to an instance to look at all entries that it keeps.
    pub async fn observe(endpoint: Endpoint) -> Result<Arc<Self>, ClientError> {
        Self::open(endpoint, true, u64::MAX).await
    }

    async fn open(endpoint: Endpoint, read_only: bool, history: u64) -> Result<Arc<Self>, ClientError> {
        let attachment = Attachment::open(&endpoint, None, history).await?;
        let state = attachment.state;
        let connection = Connection {
            name: endpoint.to_string().into(),
            state: ConnectionState::Connected,
            lag: None,
            missed: 0,
            read_only,
        };
        let remote = Remote {
            state,
            catalog: attachment.catalog,
            connection,
            epoch: 0,
            connected: (1, 0),
            started: attachment.started,
            clock: (attachment.at, Instant::now()),
            offset: None,
        };
        let shared = Arc::new(SharedRemote {
            endpoint,
            remote: Mutex::new(remote),
            changes: ChangeSender::default(),
            history,
        });
        let following = tokio::spawn(follow(Arc::clone(&shared)));
        Ok(Arc::new(Self { shared, read_only, following }))
    }

    /// What is new since an entry that was seen in some connection. None while what was missed is on its way.
    pub(super) fn new_entries(&self, seen: (u64, u64)) -> Option<NewEntries> {
        self.shared.new_entries(seen)
    }
}

/// Follows the instance for ever.
async fn follow(shared: Arc<SharedRemote>) {
    let mut pause = RETRY.0;
    loop {
        let seen = shared.last_seq();
        let problem = match shared.follow_once().await {
            Ok(()) => "it has ended".to_owned(),
            Err(error) => error.to_string(),
        };
        if shared.last_seq() != seen {
            pause = RETRY.0;
        }
        shared.set_state(ConnectionState::Lost(problem.into()));
        loop {
            sleep(pause).await;
            pause = (pause * 2).min(RETRY.1);
            match shared.attach_again().await {
                Ok(()) => break,
                Err(error) => shared.set_state(ConnectionState::Lost(error.to_string().into())),
            }
        }
    }
}

impl SharedRemote {
    fn notify(&self) {
        self.changes.send();
    }

    fn last_seq(&self) -> u64 {
        self.remote.lock().state.journal().next_seq() - 1
    }

    fn set_state(&self, state: ConnectionState) {
        let mut remote = self.remote.lock();
        if remote.connection.state != state {
            remote.connection.state = state;
            drop(remote);
            self.notify();
        }
    }

    /// Takes in what the stream says, until it ends.
    async fn follow_once(&self) -> Result<(), ClientError> {
        let mut stream = self.endpoint.client().await?.stream(self.last_seq()).await?;
        loop {
            let Ok(events) = timeout(SILENCE, stream.next()).await else {
                return Err(ClientError::Broken {
                    address: stream.address().clone(),
                    problem: "it has not answered for 10 s".into(),
                });
            };
            let Some(events) = events? else { return Ok(()) };
            if self.take(events) {
                // What comes after the gap does not follow from what is known.
                self.attach_again().await?;
                stream = self.endpoint.client().await?.stream(self.last_seq()).await?;
            }
        }
    }

    /// Takes in events. Returns whether there is a gap; what comes after it is left out.
    fn take(&self, events: Vec<StreamEvent>) -> bool {
        let mut remote = self.remote.lock();
        let mut is_gap = false;
        for event in events {
            match event {
                StreamEvent::Entry(entry) if !is_gap => remote.state.apply(&entry),
                StreamEvent::Entry(_) => {}
                StreamEvent::Missed => is_gap = true,
                StreamEvent::Heartbeat(at) => remote.heard(at),
            }
        }
        drop(remote);
        self.notify();
        is_gap
    }

    /// Gets the state again where it does not follow from what is known here.
    async fn attach_again(&self) -> Result<(), ClientError> {
        let (started, last) = {
            let remote = self.remote.lock();
            (remote.started, remote.state.journal().next_seq() - 1)
        };
        let attachment = Attachment::open(&self.endpoint, Some((started, last)), self.history).await?;
        let mut remote = self.remote.lock();
        if attachment.started == started {
            remote.connection.missed += attachment.first.saturating_sub(last + 1);
        }
        if !attachment.continues {
            remote.state = attachment.state;
            remote.epoch += 1;
            remote.started = attachment.started;
        }
        remote.connected = (remote.connected.0 + 1, attachment.last);
        remote.catalog = attachment.catalog;
        remote.offset = None;
        remote.clock = (attachment.at, Instant::now());
        remote.connection.state = ConnectionState::Connected;
        drop(remote);
        self.notify();
        Ok(())
    }

    /// The entries after a number that was seen in some connection; all of them if that was another one.
    fn new_entries(&self, (connection, seen): (u64, u64)) -> Option<NewEntries> {
        let remote = self.remote.lock();
        let (current, last) = remote.connected;
        let journal = remote.state.journal();
        // What was missed is still on its way.
        if journal.next_seq() <= last {
            return None;
        }
        let after = if connection == current { seen } else { 0 };
        let now = (remote.connection.state == ConnectionState::Connected).then(|| remote.now());
        Some(NewEntries { connection: current, entries: journal.after(after).cloned().collect(), now })
    }

    /// Waits until an entry is here.
    async fn wait_for(&self, seq: u64) {
        let mut changes = self.changes.subscribe();
        let wait = async { while self.last_seq() < seq && changes.changed().await.is_ok() {} };
        drop(timeout(ECHO, wait).await);
    }
}

/// What is new at an instance.
pub(super) struct NewEntries {
    /// The connection over which it was read: of another one than before, it is all that is kept.
    pub connection: u64,
    /// The entries.
    pub entries: Vec<Arc<Entry>>,
    /// The time there, if it is connected.
    pub now: Option<Timestamp>,
}

impl Remote {
    fn heard(&mut self, at: Timestamp) {
        let offset = Timestamp::now().duration_since(at);
        let least = self.offset.map_or(offset, |least| least.min(offset));
        self.offset = Some(least);
        self.connection.lag = Some(Duration::try_from(offset - least).unwrap_or_default());
        self.clock = (at, Instant::now());
    }

    fn now(&self) -> Timestamp {
        let (at, since) = self.clock;
        if self.connection.state != ConnectionState::Connected {
            return at;
        }
        let passed = SignedDuration::try_from(since.elapsed()).unwrap_or_default();
        at.checked_add(passed).unwrap_or(at)
    }
}

impl Source for RemoteSource {
    fn snapshot(&self) -> Snapshot {
        let remote = self.shared.remote.lock();
        let snapshot = Snapshot::of(&remote.state, remote.now(), remote.catalog.clone());
        let source = SourceStatus::Remote(remote.connection.clone());
        Snapshot { source, epoch: remote.epoch, ..snapshot }
    }

    fn entries_after(&self, seq: u64, limit: usize) -> Vec<Arc<Entry>> {
        self.shared.remote.lock().state.journal().after(seq).take(limit).cloned().collect()
    }

    fn changes(&self) -> Changes {
        self.shared.changes.subscribe()
    }

    fn run(&self, command: Command, _: Origin) -> BoxFuture<'static, Result<String, String>> {
        if let Command::Save { path, which } = command {
            return save_here(self, path, which, " on this machine");
        }
        if self.read_only {
            return Box::pin(async { Err("this console is read-only (--read-only)".to_owned()) });
        }
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            let client = shared.endpoint.client().await.map_err(|error| error.to_string())?;
            match client.command(&command).await {
                Ok(done) => {
                    shared.wait_for(done.seq).await;
                    Ok(done.text)
                }
                // It was run and is recorded, also where its aim is not reached.
                Err(ClientError::Refused { status: StatusCode::CONFLICT, text }) => Ok(text),
                Err(error) => Err(error.to_string()),
            }
        })
    }

    fn dry_run(&self, rule: Rule) -> BoxFuture<'static, Result<DryRun, String>> {
        let entries = self.entries_after(0, usize::MAX);
        dry_run_here(entries, self.shared.remote.lock().state.checkpoint(), rule)
    }
}
