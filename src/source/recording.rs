//! A recording as a source: the state at any of its entries.

use std::{
    sync::{Arc, mpsc},
    thread,
};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::{
    Source, dry_run_here,
    player::{PlayerState, ReplayPlayer},
    save_here,
};
use crate::{
    domain::{
        lang::{command::Command, seek::Seek},
        model::{
            entry::Entry, origin::Origin, scenario::ScenarioCatalog, source_status::SourceStatus,
            speed::SpeedChange,
        },
        rules::{DryRun, Rule},
    },
    hub::{Changes, Snapshot},
    recording::{RecordingError, RecordingFile},
};

/// What can be asked of the player.
enum PlayerRequest {
    Seek(Seek, oneshot::Sender<Result<(), String>>),
    Speed(SpeedChange, oneshot::Sender<String>),
}

/// Plays a recording on a thread of its own, which reads the file.
pub struct RecordingSource {
    shown: Arc<Mutex<PlayerState>>,
    changes: Changes,
    requests: mpsc::Sender<PlayerRequest>,
}

impl RecordingSource {
    /// A source at the end of a recording. It reads a small part of it.
    pub fn open(recording: RecordingFile) -> Result<Arc<Self>, RecordingError> {
        let player = ReplayPlayer::open(recording)?;
        let (shown, changes) = (player.shown(), player.changes());
        let (requests, receiver) = mpsc::channel();
        thread::spawn(move || run_player(player, &receiver));
        Ok(Arc::new(Self { shown, changes, requests }))
    }
}

/// Does the player's work and what is asked of it, until nobody can ask any more.
fn run_player(mut player: ReplayPlayer, requests: &mpsc::Receiver<PlayerRequest>) {
    let mut asked: Option<oneshot::Sender<Result<(), String>>> = None;
    loop {
        let wait = player.tick();
        if asked.is_some()
            && let Some(found) = player.found()
            && let Some(asked) = asked.take()
        {
            drop(asked.send(found));
        }
        match requests.recv_timeout(wait) {
            Ok(PlayerRequest::Seek(seek, reply)) => {
                asked = None;
                match player.seek(&seek) {
                    Ok(()) => asked = Some(reply),
                    Err(problem) => drop(reply.send(Err(problem))),
                }
            }
            Ok(PlayerRequest::Speed(change, reply)) => drop(reply.send(player.speed(change))),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
        }
    }
}

impl Source for RecordingSource {
    fn snapshot(&self) -> Snapshot {
        let shown = self.shown.lock();
        let mut snapshot = Snapshot::of(&shown.state, shown.now(), ScenarioCatalog::default());
        // What was to be done then is not to be done now.
        snapshot.driver.fix_command = None;
        let source = SourceStatus::Recording(shown.timeline.clone());
        Snapshot { source, epoch: shown.epoch, ..snapshot }
    }

    fn entries_after(&self, seq: u64, limit: usize) -> Vec<Arc<Entry>> {
        self.shown.lock().state.journal().after(seq).take(limit).cloned().collect()
    }

    fn changes(&self) -> Changes {
        self.changes.clone()
    }

    fn run(&self, command: Command, _: Origin) -> BoxFuture<'static, Result<String, String>> {
        match command {
            Command::Speed(change) => {
                let (reply, result) = oneshot::channel();
                let sent = self.requests.send(PlayerRequest::Speed(change, reply));
                Box::pin(async move {
                    sent.map_err(|_| GONE)?;
                    result.await.map_err(|_| GONE.to_owned())
                })
            }
            Command::Save { path, which } => save_here(self, path, which, ""),
            command => {
                let command = command.to_string();
                let word = command.split(' ').next().unwrap_or_default();
                let problem = format!("a recording has no driver, and {word} needs one");
                Box::pin(async { Err(problem) })
            }
        }
    }

    fn dry_run(&self, rule: Rule) -> BoxFuture<'static, Result<DryRun, String>> {
        dry_run_here(self.entries_after(0, usize::MAX), self.shown.lock().state.checkpoint(), rule)
    }

    fn seek(&self, seek: Seek) -> BoxFuture<'static, Result<(), String>> {
        let (reply, result) = oneshot::channel();
        let sent = self.requests.send(PlayerRequest::Seek(seek, reply));
        Box::pin(async move {
            sent.map_err(|_| GONE)?;
            // A later request takes its place.
            result.await.unwrap_or(Ok(()))
        })
    }
}

/// The player's thread has panicked.
const GONE: &str = "the recording is no longer read; start voltergeist again";
