//! Disks that fail: each failure is an error that says why, and the state says what is there.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use voltergeist::domain::model::protocol::Operation;

use crate::{
    client,
    endings::Program,
    fixture::{place, until},
    namespace::{enter, mount},
};

/// The real program on a small disk of its own.
struct OnDisk {
    place: std::sync::Arc<tempfile::TempDir>,
    program: Option<Program>,
}

impl OnDisk {
    async fn start(options: &[&str]) -> Self {
        let place = place();
        fs::create_dir(place.path().join("volumes")).expect("the place is writable");
        let disk = place.path().join("volumes").display().to_string();
        mount(&["-t", "tmpfs", "-o", "size=400k", "tmpfs", &disk]);
        let mut this = Self { place, program: None };
        this.restart(options).await;
        this
    }

    async fn restart(&mut self, options: &[&str]) {
        drop(self.program.take());
        let program = Command::new(env!("CARGO_BIN_EXE_voltergeist"));
        self.program = Some(Program::start_as(program, self.place.path(), options));
        // The control API is the last to listen.
        until("it listens", || UnixStream::connect(self.path("control.sock")).is_ok()).await;
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn remount(&self, options: &str) {
        mount(&["-o", &format!("remount,{options}"), &self.path("volumes").display().to_string()]);
    }

    /// The error of a call, or none.
    fn call(&self, operation: Operation, name: &str) -> Option<String> {
        let body = format!("{{\"Name\":\"{name}\",\"ID\":\"7f\"}}");
        let sent = client::request(&self.path("plugin.sock"), "POST", operation.path(), &body);
        let (status, answer) = sent.expect("it is answered");
        assert_eq!(status, 200, "{answer}");
        let answer: Value = serde_json::from_str(&answer).expect("it is JSON");
        answer["Err"].as_str().map(str::to_owned)
    }

    /// The names of the volumes, from the state and from List.
    fn volumes(&self) -> BTreeSet<String> {
        let names = |volumes: &Value, name: &str| -> BTreeSet<String> {
            let volumes = volumes.as_array().expect("a list").iter();
            volumes.map(|volume| volume[name].as_str().expect("a name").to_owned()).collect()
        };
        let get = |socket: &str, method: &str, path: &str| -> Value {
            let (_, body) = client::request(&self.path(socket), method, path, "{}").expect("it is answered");
            serde_json::from_str(&body).expect("it is JSON")
        };
        let state = names(&get("control.sock", "GET", "/v1/state")["volumes"], "name");
        let list = names(&get("plugin.sock", "POST", Operation::List.path())["Volumes"], "Name");
        assert_eq!(state, list);
        state
    }
}

fn is_empty(directory: &Path) -> bool {
    fs::read_dir(directory).expect("it is there").next().is_none()
}

#[tokio::test]
async fn a_full_disk_is_an_error_that_loses_nothing() {
    if !enter("failures::a_full_disk_is_an_error_that_loses_nothing") {
        return;
    }
    let mut disk = OnDisk::start(&[]).await;
    let (mut there, mut failures) = (BTreeSet::new(), 0);
    for number in 0..300 {
        let name = format!("v{number}");
        match disk.call(Operation::Create, &name) {
            None => drop(there.insert(name)),
            Some(error) => {
                assert!(error.contains("No space left on device") && error.contains(&name), "{error}");
                assert!(!disk.path("volumes").join(&name).exists(), "{name} is half there");
                failures += 1;
            }
        }
    }
    assert!(there.len() > 10 && failures > 10, "{} volumes, {failures} failures", there.len());
    assert_eq!(disk.volumes(), there);
    // A mount needs room for its record too.
    let full = there.first().expect("there is one").clone();
    let error = disk.call(Operation::Mount, &full).expect("the disk is full");
    assert!(error.contains("No space left on device"), "{error}");
    disk.restart(&[]).await;
    assert_eq!(disk.volumes(), there);
    for name in there.iter().skip(5).cloned().collect::<Vec<_>>() {
        assert_eq!(disk.call(Operation::Remove, &name), None, "a full disk has room to remove");
        there.remove(&name);
    }
    until("the removed data is deleted", || is_empty(&disk.path("volumes/.voltergeist/staging"))).await;
    assert_eq!(disk.call(Operation::Mount, &full), None);
    assert_eq!(disk.call(Operation::Create, "after"), None);
    there.insert("after".into());
    assert_eq!(disk.volumes(), there);
}

#[tokio::test]
async fn a_disk_that_becomes_read_only_is_an_error_until_it_is_writable_again() {
    if !enter("failures::a_disk_that_becomes_read_only_is_an_error_until_it_is_writable_again") {
        return;
    }
    let mut disk = OnDisk::start(&[]).await;
    assert_eq!(disk.call(Operation::Create, "a"), None);
    assert_eq!(disk.call(Operation::Mount, "a"), None);
    disk.remount("ro");
    for (operation, name) in [
        (Operation::Create, "b"),
        (Operation::Mount, "a"),
        (Operation::Unmount, "a"),
        (Operation::Remove, "a"),
    ] {
        let error = disk.call(operation, name).unwrap_or_else(|| panic!("{operation} works"));
        assert!(error.contains("Read-only file system") && error.contains(name), "{error}");
    }
    let (_, answer) =
        client::request(&disk.path("control.sock"), "POST", "/v1/commands", "wipe").expect("a reply");
    assert!(answer.contains("Read-only file system"), "{answer}");
    assert_eq!(disk.volumes(), BTreeSet::from(["a".to_owned()]));
    disk.remount("rw");
    assert_eq!(disk.call(Operation::Unmount, "a"), None);
    assert_eq!(disk.call(Operation::Create, "b"), None);
    disk.restart(&[]).await;
    assert_eq!(disk.volumes(), BTreeSet::from(["a".to_owned(), "b".to_owned()]));
}

#[tokio::test]
async fn a_root_that_is_removed_under_it_is_an_error_that_says_so() {
    let place = place();
    let program = Program::start(place.path());
    let socket = place.path().join("plugin.sock");
    until("it listens", || UnixStream::connect(&socket).is_ok()).await;
    let mut disk = OnDisk { place, program: Some(program) };
    assert_eq!(disk.call(Operation::Create, "a"), None);
    fs::remove_dir_all(disk.path("volumes")).expect("it is there");
    for operation in [Operation::Create, Operation::Mount] {
        let error = disk.call(operation, "b").unwrap_or_else(|| panic!("{operation} works"));
        assert!(error.ends_with("was removed; start voltergeist again"), "{error}");
    }
    assert_eq!(disk.volumes(), BTreeSet::from(["a".to_owned()]));
    disk.restart(&[]).await;
    assert_eq!(disk.volumes(), BTreeSet::new());
    assert_eq!(disk.call(Operation::Create, "b"), None);
}

#[tokio::test]
async fn a_recording_on_a_full_disk_does_not_hold_up_calls_and_is_whole_up_to_there() {
    if !enter("failures::a_recording_on_a_full_disk_does_not_hold_up_calls_and_is_whole_up_to_there") {
        return;
    }
    let place = place();
    let small = place.path().join("small");
    fs::create_dir(&small).expect("the place is writable");
    mount(&["-t", "tmpfs", "-o", "size=64k", "tmpfs", &small.display().to_string()]);
    let recording = small.join("run.jsonl");
    let program = Command::new(env!("CARGO_BIN_EXE_voltergeist"));
    let program = Program::start_as(program, place.path(), &["--record", &recording.display().to_string()]);
    let disk = OnDisk { place, program: Some(program) };
    until("it listens", || UnixStream::connect(disk.path("plugin.sock")).is_ok()).await;
    for number in 0..300 {
        assert_eq!(disk.call(Operation::Create, &format!("v{number}")), None);
    }
    assert_eq!(disk.volumes().len(), 300);
    let noted = || {
        let entries = client::request(&disk.path("control.sock"), "GET", "/v1/entries?limit=1000", "");
        entries.is_ok_and(|(_, entries)| entries.contains("No space left on device"))
    };
    until("it is noted", noted).await;
    let recorded = fs::read_to_string(&recording).expect("it is there");
    let whole = recorded.lines().filter(|line| serde_json::from_str::<Value>(line).is_ok()).count();
    assert!(whole > 10 && recorded.lines().count() - whole <= 1, "{whole} whole lines");
}
