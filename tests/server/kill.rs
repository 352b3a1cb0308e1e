//! Kills of the real program at any moment: what it has answered is true in its next life.

use std::{
    collections::BTreeMap,
    env,
    path::Path,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use serde_json::json;
use voltergeist::{
    domain::model::{entry::Outcome, protocol::Operation},
    plugin::DiskStore,
    recording::RecordingFile,
};

use crate::{client, endings::Program, fixture::until};

/// What a client knows of a volume: whether it exists and how often it is mounted. None while a call is in flight.
type Known = BTreeMap<String, Option<(bool, u32)>>;

/// Calls until the program is gone, and keeps what was answered. The client is independent of the program's own code.
fn call_until_killed(place: &Path, client: usize, life: usize, known: &mut Known, answered: &AtomicUsize) {
    const CALLS: [Operation; 6] = [
        Operation::Create,
        Operation::Mount,
        Operation::Mount,
        Operation::Unmount,
        Operation::Unmount,
        Operation::Remove,
    ];
    for number in 0.. {
        let name = format!("c{client}-{}", number % 7);
        for operation in &CALLS[..CALLS.len() - usize::from(number % 3 == 0)] {
            let (exists, mounts) = known.get(&name).copied().flatten().unwrap_or((false, 0));
            let body = json!({"Name": name, "ID": "7f", "Opts": {"life": life.to_string()}}).to_string();
            known.insert(name.clone(), None);
            let sent = client::request(&place.join("plugin.sock"), "POST", operation.path(), &body);
            let Ok((200, answer)) = sent else { return };
            assert!(!answer.contains("Err"), "{operation} {name}: {answer}");
            let after = match operation {
                Operation::Create => (true, mounts),
                Operation::Mount => (exists, mounts + 1),
                Operation::Unmount => (exists, mounts.saturating_sub(1)),
                _ => (false, 0),
            };
            known.insert(name.clone(), Some(after));
            answered.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[tokio::test]
async fn what_was_answered_survives_a_kill_at_any_moment() {
    const CLIENTS: usize = 4;
    let lives = env::var("VOLTERGEIST_KILLS").map_or(10, |lives| lives.parse().expect("a number of kills"));
    let place = tempfile::tempdir().expect("a place for the test");
    let mut clients: Vec<Known> = vec![Known::new(); CLIENTS];
    let recording = place.path().join("run.jsonl");
    let mut answered_in_all = 0;
    for life in 0..lives {
        let program = Command::new(env!("CARGO_BIN_EXE_voltergeist"));
        let program =
            Program::start_as(program, place.path(), &["--record", &recording.display().to_string()]);
        let socket = place.path().join("plugin.sock");
        until("it listens", || std::os::unix::net::UnixStream::connect(&socket).is_ok()).await;
        let answered = AtomicUsize::new(0);
        thread::scope(|scope| {
            for (client, known) in clients.iter_mut().enumerate() {
                let (place, answered) = (place.path(), &answered);
                scope.spawn(move || call_until_killed(place, client, life, known, answered));
            }
            let enough = 40 + 37 * (life % 10);
            while answered.load(Ordering::Relaxed) < enough {
                thread::yield_now();
            }
            drop(program);
        });
        let answered = answered.into_inner();
        answered_in_all += answered;
        assert_recorded(&recording, life + 1, answered, CLIENTS);
        let (disk, volumes) = DiskStore::open(&place.path().join("volumes")).expect("the root opens");
        assert!(disk.notes().is_empty(), "{:?}", disk.notes());
        for known in &mut clients {
            for (name, state) in known {
                let volume = volumes.known(name);
                let found = volume.map_or((false, 0), |volume| (volume.exists, volume.open_mounts()));
                // A call without an answer was done or not.
                assert_eq!(state.unwrap_or(found), found, "{name} in life {life}");
                *state = Some(found);
            }
        }
    }
    eprintln!("{lives} kills, {answered_in_all} answered calls, none lost");
}

/// The recording has a run for each life, and in the last one nothing but calls that were made. A kill may lose what was
/// not written yet, and at most the last line is cut off.
fn assert_recorded(path: &Path, lives: usize, answered: usize, clients: usize) {
    let recording = RecordingFile::open(path).expect("it can be read");
    assert_eq!(recording.runs().len(), lives);
    let outcomes = [Outcome::Ok, Outcome::Error, Outcome::Cancelled, Outcome::Panicked];
    let recorded = |run| {
        let state = recording.state_at(run, run.end).expect("its entries can be applied");
        outcomes.map(|outcome| state.counters().outcome(outcome)).iter().sum::<u64>()
    };
    let of_last = recording.runs().last().map(recorded).expect("there is one");
    assert!(of_last <= (answered + clients) as u64, "{of_last} calls, {answered} answered");
    assert!(recording.runs().iter().map(recorded).sum::<u64>() > 0, "no call was recorded");
}
