//! The console stays responsive while a disk does not answer and while a dry run takes its time.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
};

use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::sync::Semaphore;
use voltergeist::{
    console::ExitReason,
    domain::{
        lang::command::Command,
        model::{
            entry::{Entry, EntryKind, Session},
            origin::Origin,
            protocol::Operation,
            volume::{Change, Volume, Volumes},
        },
        rules::{DryRun, Rule},
        state::journal::Bounds,
    },
    hub::{Changes, Hub, InMemoryStore, Snapshot, VolumeStore},
    source::{LocalSource, Source},
};

use super::{fixture::call, live::Live};

/// A disk that answers a write only when the test allows it.
struct StuckStore(Mutex<mpsc::Receiver<()>>);

impl VolumeStore for StuckStore {
    fn persist(&self, _: &Change, _: Option<&Volume>) -> io::Result<()> {
        self.0.lock().expect("no test panics here").recv().map_err(|_| io::ErrorKind::TimedOut.into())
    }
}

fn on_stuck_disk() -> (Live, mpsc::Sender<()>) {
    let (answer, answers) = mpsc::channel();
    let hub = Hub::new(
        Session::new(7, Volumes::default()),
        Box::new(StuckStore(Mutex::new(answers))),
        Bounds::default(),
    );
    (Live::start_on(hub, false), answer)
}

#[tokio::test]
async fn keys_work_while_a_command_waits_for_the_disk() {
    let (mut live, answer) = on_stuck_disk();
    live.press(": c o n j u r e space d b 1 enter");
    live.shows("conjure db1 is still running").await;
    live.press("?");
    live.shows("voltergeist: help").await;
    live.press("esc");
    // Commands keep their order.
    live.press("m : n o t e space h i enter");
    live.shows("conjure db1 is still running; 2 more commands wait").await;
    answer.send(()).expect("the disk is waiting");
    live.shows("MOUNTS FAIL").await;
    live.shows(": note hi").await;
    let (entries, _) = live.hub.entries_after(0, 9);
    let lines = entries.iter().filter_map(|entry| match &entry.kind {
        EntryKind::Command(command) => Some(command.command.as_str()),
        _ => None,
    });
    let lines: Vec<_> = lines.collect();
    assert_eq!(lines[0], "conjure db1");
    assert_eq!(lines[2], "note hi");
}

#[tokio::test]
async fn the_console_ends_while_a_command_waits_for_the_disk() {
    for (keys, reason) in [("ctrl-c", ExitReason::Interrupted), ("q", ExitReason::Quit)] {
        let (mut live, _answer) = on_stuck_disk();
        live.press(": c o n j u r e space d b 1 enter");
        live.shows("conjure db1 is still running").await;
        live.press(keys);
        assert_eq!(live.release_action().await, reason);
    }
    let (mut live, _answer) = on_stuck_disk();
    live.press(": c o n j u r e space d b 1 enter");
    live.shows("conjure db1 is still running").await;
    live.shutdown.cancel();
    assert_eq!(live.release_action().await, ExitReason::Shutdown);
}

/// A source whose dry runs wait for a permit, and which counts them.
struct SlowDryRuns {
    hub: Arc<LocalSource>,
    permits: Arc<Semaphore>,
    started: AtomicUsize,
    running: Arc<AtomicUsize>,
}

impl Source for SlowDryRuns {
    fn snapshot(&self) -> Snapshot {
        self.hub.snapshot()
    }

    fn entries_after(&self, seq: u64, limit: usize) -> Vec<Arc<Entry>> {
        self.hub.entries_after(seq, limit)
    }

    fn changes(&self) -> Changes {
        self.hub.changes()
    }

    fn run(&self, command: Command, origin: Origin) -> BoxFuture<'static, Result<String, String>> {
        self.hub.run(command, origin)
    }

    fn dry_run(&self, rule: Rule) -> BoxFuture<'static, Result<DryRun, String>> {
        self.started.fetch_add(1, Ordering::SeqCst);
        let others = self.running.fetch_add(1, Ordering::SeqCst);
        assert_eq!(others, 0, "two dry runs at the same time");
        let (result, permits, running) =
            (self.hub.dry_run(rule), Arc::clone(&self.permits), Arc::clone(&self.running));
        async move {
            permits.acquire().await.expect("it stays open").forget();
            let result = result.await;
            running.fetch_sub(1, Ordering::SeqCst);
            result
        }
        .boxed()
    }

    fn note(&self, text: String) {
        self.hub.note(text);
    }
}

#[tokio::test]
async fn no_key_waits_for_a_dry_run_over_a_hundred_thousand_entries() {
    let bounds = Bounds { entries: 100_000, bytes: usize::MAX };
    let hub = Hub::new(Session::new(7, Volumes::default()), Box::new(InMemoryStore), bounds);
    for _ in 0..100_000 {
        hub.record(EntryKind::Call(Box::new(call(Operation::Get, "db1"))));
    }
    let source = Arc::new(SlowDryRuns {
        hub: LocalSource::new(Arc::clone(&hub)),
        permits: Arc::new(Semaphore::new(0)),
        started: AtomicUsize::new(0),
        running: Arc::default(),
    });
    let mut live = Live::start_source(hub, Arc::clone(&source) as Arc<dyn Source>);
    live.shows("get 100 000").await;
    live.press(": a r m space g e t : space n u l l");
    live.shows(" : arm get: null").await;
    // Each key has its frame, although no dry run has ended.
    for (key, text) in
        [("space", ""), ("o", "null o"), ("n", "null on"), ("c", "null onc"), ("e", "null once")]
    {
        live.press(key);
        live.shows(text).await;
    }
    live.shows("would have hit …").await;
    assert_eq!(source.started.load(Ordering::SeqCst), 1);
    source.permits.add_permits(2);
    live.shows("would have hit 1 call of the 100 000 so far").await;
    assert_eq!(source.started.load(Ordering::SeqCst), 2, "only the first text and the last are tried");
}
