//! How calls and the server end: given up, panicked, crashed, shut down.

use std::{
    fs, io,
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Duration,
};

use voltergeist::{
    domain::model::{
        entry::Outcome,
        protocol::Operation,
        volume::{Change, Volume},
    },
    hub::VolumeStore,
    plugin::DiskStore,
};

use crate::fixture::{Fixture, Peer, kept_alive, request, until, within};

#[tokio::test]
async fn a_call_that_is_given_up_while_it_waits_is_abandoned() {
    for fixture in [Fixture::unix(), Fixture::tcp()] {
        fixture.command("arm mount: hang after").await;
        let mut caller = fixture.plugin.connect().await.expect("the server listens");
        caller.say(&kept_alive(Operation::Mount, r#"{"Name":"v","ID":"7f"}"#)).await;
        fixture.until("the call waits", |now| now.held.len() == 1).await;
        drop(caller);
        fixture.until("it has ended", |now| now.counters.outcome(Outcome::Cancelled) == 1).await;
        let call = fixture.last_call();
        assert_eq!((call.status, call.changes.len(), call.number), (None, 1, 1));
        assert!(call.held_seq.is_some() && call.fault.is_some());
        let now = fixture.snapshot();
        assert_eq!((now.held.len(), now.counters.operation(Operation::Mount)), (0, 1));
        fixture.end().await;
    }
}

#[tokio::test]
async fn a_caller_that_leaves_at_the_closing_bracket_of_a_dripping_reply_was_answered() {
    let fixture = Fixture::unix();
    fixture.command("arm mount: drip 300ms").await;
    let mut caller = fixture.plugin.connect().await.expect("the server listens");
    caller.say(&kept_alive(Operation::Mount, r#"{"Name":"v","ID":"7f"}"#)).await;
    caller.hear_until(|text| text.contains('}')).await;
    drop(caller);
    assert_eq!((fixture.last_call().outcome, fixture.last_call().error), (Outcome::Ok, None));
    fixture.end().await;
}

#[tokio::test]
async fn a_caller_that_leaves_in_the_middle_of_its_request_is_counted() {
    let fixture = Fixture::unix();
    let request = kept_alive(Operation::Create, r#"{"Name":"v"}"#);
    let mut caller = fixture.plugin.connect().await.expect("the server listens");
    caller.say(&request[..request.len() - 3]).await;
    drop(caller);
    fixture.until("it has ended", |now| now.counters.outcome(Outcome::Cancelled) == 1).await;
    assert_eq!(fixture.snapshot().counters.operation(Operation::Create), 1);
    assert!(fixture.snapshot().volumes.is_empty());
    fixture.end().await;
}

#[tokio::test]
async fn a_caller_that_leaves_at_once_is_counted() {
    let fixture = Fixture::unix();
    for _ in 0..100 {
        let mut caller = fixture.plugin.connect().await.expect("the server listens");
        caller.say(&kept_alive(Operation::Get, r#"{"Name":"v"}"#)).await;
    }
    fixture.until("all are counted", |now| now.counters.operation(Operation::Get) == 100).await;
    fixture.end().await;
}

#[tokio::test]
async fn a_handler_that_panics_is_a_reply_and_an_entry_and_no_end() {
    let fixture = Fixture::with(|plan| plan.panic_on = Some("boo".into()));
    let mut caller = fixture.plugin.connect().await.expect("the server listens");
    caller.say(&kept_alive(Operation::Create, r#"{"Name":"boo"}"#)).await;
    let heard = caller.hear_one().await;
    assert_eq!(
        (heard.status(), heard.body()),
        (Some(500), "the handler panicked; the reason is on voltergeist's screen or on stderr\n")
    );
    let call = fixture.last_call();
    assert_eq!((call.outcome, call.volume.as_deref()), (Outcome::Panicked, Some("boo")));
    caller.say(&kept_alive(Operation::Create, r#"{"Name":"v"}"#)).await;
    assert_eq!(caller.hear_one().await.body(), "{}\n", "the same connection goes on");
    fixture.end().await;
}

#[tokio::test]
async fn a_crash_cuts_every_connection_and_the_driver_is_back_at_once() {
    for fixture in [Fixture::unix(), Fixture::tcp()] {
        fixture.ask(Operation::Create, r#"{"Name":"v"}"#).await;
        fixture.command("arm get: hang").await;
        let mut idle = fixture.plugin.connect().await.expect("the server listens");
        idle.say(&kept_alive(Operation::List, "{}")).await;
        idle.hear_one().await;
        let mut waiting = fixture.plugin.connect().await.expect("the server listens");
        waiting.say(&kept_alive(Operation::Get, r#"{"Name":"v"}"#)).await;
        fixture.until("the call waits", |now| now.held.len() == 1).await;
        fixture.command("crash keep").await;
        for mut caller in [idle, waiting] {
            let heard = caller.hear().await;
            assert_eq!((heard.text.as_str(), heard.end), ("", Ok(())));
        }
        let call = fixture.last_call();
        assert_eq!((call.outcome, call.error.as_deref()), (Outcome::Error, Some("the driver crashed")));
        fixture.command("disarm all").await;
        assert_eq!(fixture.ask(Operation::Get, r#"{"Name":"v"}"#).await["Volume"]["Name"], "v");
        fixture.command("crash lose").await;
        assert_eq!(fixture.ask(Operation::Get, r#"{"Name":"v"}"#).await["Err"], "no such volume");
        fixture.end().await;
    }
}

#[tokio::test]
async fn an_orderly_end_releases_calls_and_leaves_nothing_behind() {
    for fixture in [Fixture::unix(), Fixture::tcp()] {
        fixture.command("arm mount: hold").await;
        fixture.command("arm list: drip 1h").await;
        let mut held = fixture.plugin.connect().await.expect("the server listens");
        held.say(&kept_alive(Operation::Mount, r#"{"Name":"v","ID":"7f"}"#)).await;
        let mut dripping = fixture.plugin.connect().await.expect("the server listens");
        dripping.say(&kept_alive(Operation::List, "{}")).await;
        let mut idle = fixture.plugin.connect().await.expect("the server listens");
        idle.say(&kept_alive(Operation::Get, r#"{"Name":"v"}"#)).await;
        idle.hear_one().await;
        fixture.until("both wait", |now| now.held.len() == 2).await;
        let hub = fixture.hub.clone();
        let place = fixture.end().await;
        let answer = held.hear().await;
        assert!(answer.is_whole() && answer.body().contains("/volumes/v"), "{answer:?}");
        assert_eq!(dripping.hear().await.body(), "{\"Volumes\":[]}\n");
        assert_eq!(idle.hear().await.text, "");
        for folder in ["plugins", "etc", "control", "runtime"] {
            let left = fs::read_dir(place.path().join(folder)).map_or(0, Iterator::count);
            assert_eq!(left, 0, "{folder}");
        }
        assert!(hub.volumes().known("v").is_some_and(|volume| volume.is_mounted()));
    }
}

#[tokio::test]
async fn a_caller_that_never_ends_cannot_hold_up_the_end() {
    let fixture = Fixture::with(|plan| plan.drain = Duration::from_millis(50));
    let mut caller = fixture.plugin.connect().await.expect("the server listens");
    let request = kept_alive(Operation::Create, r#"{"Name":"v"}"#);
    caller.say(&request[..request.len() - 3]).await;
    // The head has arrived, and so the call has begun.
    let mut follower = fixture.control.connect().await.expect("the control API listens");
    follower.say("GET /v1/entries/stream HTTP/1.1\r\nHost: x\r\n\r\n").await;
    fixture.ask(Operation::List, "{}").await;
    let hub = fixture.hub.clone();
    within(fixture.end()).await;
    assert_eq!(caller.hear().await.text, "");
    let (entries, _) = hub.entries_after(0, usize::MAX);
    let call = entries.iter().rev().find_map(|entry| entry.call()).expect("it is an entry");
    assert_eq!((call.outcome, call.error.as_deref()), (Outcome::Error, Some("voltergeist ended")));
}

#[tokio::test]
async fn the_command_quit_is_answered_and_ends_the_server() {
    let fixture = Fixture::unix();
    let quit = "POST /v1/commands HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\nquit";
    let heard = fixture.control.exchange(quit).await;
    assert_eq!((heard.status(), heard.body()), (Some(200), "quitting\n"));
    let place = fixture.ended().await;
    assert!(!place.path().join("plugins/ghost.sock").exists());
}

#[tokio::test]
async fn a_server_that_is_dropped_leaves_nothing_behind_either() {
    let fixture = Fixture::unix();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let place = fixture.end().await;
    std::thread::spawn({
        let place = place.clone();
        move || {
            let fixture = runtime.block_on(async {
                let fixture = Fixture::at(place, |_| {}).expect("the place is free");
                fixture.plugin.exchange(&request(Operation::List, "{}")).await;
                fixture
            });
            drop(runtime);
            drop(fixture);
        }
    })
    .join()
    .expect("it does not panic");
    assert_eq!(fs::read_dir(place.path().join("plugins")).expect("it was made").count(), 0);
}

/// The real program, which is killed when this is dropped.
pub struct Program(std::process::Child);

impl Program {
    pub fn start(place: &Path) -> Self {
        Self::start_as(Command::new(env!("CARGO_BIN_EXE_voltergeist")), place, &[])
    }

    /// Starts it by another command, whose last argument is the program.
    pub fn start_as(mut command: Command, place: &Path, options: &[&str]) -> Self {
        command.arg("serve").arg("--root").arg(place.join("volumes"));
        command.arg("--listen").arg(format!("unix:{}", place.join("plugin.sock").display()));
        command.arg("--control").arg(format!("unix:{}", place.join("control.sock").display()));
        Self(command.args(options).stdout(Stdio::null()).spawn().expect("the program starts"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.0.kill().expect("it can be killed");
        self.0.wait().expect("it ends");
    }
}

#[tokio::test]
async fn a_killed_server_is_replaced_by_the_next_and_nothing_is_lost() {
    let place = tempfile::tempdir().expect("a place for the test");
    let peer = Peer::Unix(place.path().join("plugin.sock"));
    let is_alive = || std::os::unix::net::UnixStream::connect(place.path().join("plugin.sock")).is_ok();
    for life in 1..=3 {
        let program = Program::start(place.path());
        until("it listens", is_alive).await;
        let create = format!(r#"{{"Name":"v{life}","Opts":{{"life":"{life}"}}}}"#);
        peer.exchange(&request(Operation::Create, &create)).await;
        let mount = format!(r#"{{"Name":"v{life}","ID":"{life}"}}"#);
        peer.exchange(&request(Operation::Mount, &mount)).await;
        drop(program);
        assert!(place.path().join("plugin.sock").exists(), "a kill leaves the socket's file");
    }
    let (_, volumes) = DiskStore::open(&place.path().join("volumes")).expect("the root opens");
    let lives: Vec<_> =
        volumes.iter().map(|volume| (volume.options["life"].as_str(), volume.open_mounts())).collect();
    assert_eq!(lives, [("1", 1), ("2", 1), ("3", 1)]);
}

/// A disk that answers no write until the test allows it.
struct StuckStore {
    answers: Mutex<mpsc::Receiver<()>>,
    is_asked: Arc<AtomicBool>,
}

impl StuckStore {
    fn new() -> (mpsc::Sender<()>, Arc<AtomicBool>, Box<Self>) {
        let (answer, answers) = mpsc::channel();
        let is_asked = Arc::new(AtomicBool::new(false));
        (answer, Arc::clone(&is_asked), Box::new(Self { answers: Mutex::new(answers), is_asked }))
    }
}

impl VolumeStore for StuckStore {
    fn persist(&self, _: &Change, _: Option<&Volume>) -> io::Result<()> {
        self.is_asked.store(true, Ordering::Relaxed);
        self.answers.lock().expect("no test panics here").recv().map_err(io::Error::other)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_about_other_volumes_are_answered_while_the_disk_does_not_answer() {
    let (answer, is_asked, store) = StuckStore::new();
    let fixture = Fixture::with_store(store, |_| {});
    // On connections that were there before, so that some share a thread with the one that waits.
    let mut callers = Vec::new();
    for _ in 0..8 {
        let mut caller = fixture.plugin.connect().await.expect("the server listens");
        caller.say(&kept_alive(Operation::List, "{}")).await;
        caller.hear_one().await;
        callers.push(caller);
    }
    let mut waiting = fixture.plugin.connect().await.expect("the server listens");
    waiting.say(&kept_alive(Operation::Create, r#"{"Name":"v"}"#)).await;
    until("the disk is asked", || is_asked.load(Ordering::Relaxed)).await;
    for caller in &mut callers {
        caller.say(&kept_alive(Operation::List, "{}")).await;
        assert_eq!(within(caller.hear_one()).await.status(), Some(200));
    }
    answer.send(()).expect("the disk waits");
    assert_eq!(within(waiting.hear_one()).await.status(), Some(200));
    within(fixture.end()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_does_not_answer_cannot_hold_up_the_end() {
    let (answer, _, store) = StuckStore::new();
    let fixture = Fixture::with_store(store, |plan| plan.drain = Duration::from_millis(50));
    let mut caller = fixture.plugin.connect().await.expect("the server listens");
    caller.say(&kept_alive(Operation::Create, r#"{"Name":"v"}"#)).await;
    fixture.ask(Operation::List, "{}").await;
    let place = within(fixture.end()).await;
    assert!(!place.path().join("plugins/ghost.sock").exists());
    drop(answer);
}
