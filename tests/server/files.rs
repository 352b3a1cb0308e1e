//! The files of volumes: many callers at once, what belongs to a container, and who can read what.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use serde_json::json;
use voltergeist::domain::model::protocol::Operation;

use crate::fixture::{Fixture, kept_alive, until};

const V: &str = r#"{"Name":"v","ID":"7f"}"#;

/// Sends calls on one connection and asserts that each goes well.
async fn repeat(fixture: &Fixture, times: usize, calls: &[(Operation, String)]) {
    let mut caller = fixture.plugin.connect().await.expect("the server listens");
    for (operation, body) in calls.iter().cycle().take(times * calls.len()) {
        caller.say(&kept_alive(*operation, body)).await;
        let heard = caller.hear_one().await;
        assert!(heard.json().get("Err").is_none(), "{operation} {body}: {heard:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_mounts_of_one_volume_all_go_well() {
    let fixture = Arc::new(Fixture::unix());
    fixture.ask(Operation::Create, r#"{"Name":"v"}"#).await;
    let clients = (0..4).map(|client| {
        let fixture = Arc::clone(&fixture);
        tokio::spawn(async move {
            let body = json!({"Name": "v", "ID": format!("{client}")}).to_string();
            repeat(&fixture, 250, &[(Operation::Mount, body.clone()), (Operation::Unmount, body)]).await;
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.expect("every mount goes well");
    }
    assert_eq!(fixture.snapshot().volumes.open_mounts(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn directories_and_records_agree_however_mounts_and_removes_race() {
    let fixture = Arc::new(Fixture::unix());
    let clients = [
        [Operation::Create, Operation::Remove],
        [Operation::Mount, Operation::Unmount],
        [Operation::Mount, Operation::Remove],
        [Operation::Create, Operation::Mount],
    ];
    let clients = clients.map(|operations| {
        let fixture = Arc::clone(&fixture);
        tokio::spawn(async move {
            let calls = (0..3).flat_map(|volume| {
                let body = json!({"Name": format!("v{volume}"), "ID": "7f"}).to_string();
                operations.map(|operation| (operation, body.clone()))
            });
            repeat(&fixture, 150, &calls.collect::<Vec<_>>()).await;
        })
    });
    for client in clients {
        client.await.expect("every call goes well");
    }
    let known = fixture.hub.volumes().iter().map(|volume| volume.name.clone()).collect::<Vec<_>>();
    let names = |directory: &Path| {
        let entries = fs::read_dir(directory).expect("it is there");
        let names =
            entries.map(|entry| entry.expect("it is readable").file_name().into_string().expect("UTF-8"));
        let mut names: Vec<_> = names.filter(|name| name != ".voltergeist").collect();
        names.sort();
        names
    };
    assert_eq!(names(&fixture.place.path().join("volumes")), known);
    assert_eq!(names(&fixture.private("records")), known);
    until("the rest is deleted", || names(&fixture.private("staging")).is_empty()).await;
}

#[tokio::test]
async fn the_files_of_a_container_are_left_as_they_are() {
    let fixture = Fixture::unix();
    let volume = fixture.mountpoint("v");
    fixture.ask(Operation::Create, r#"{"Name":"v"}"#).await;
    fs::create_dir(volume.join("test")).expect("a container may make a directory");
    fs::write(volume.join("mountID"), "mine").expect("a container may write");
    fixture.ask(Operation::Mount, V).await;
    assert!(volume.join("test").is_dir());
    assert_eq!(fs::read_to_string(volume.join("mountID")).expect("it is there"), "mine");
    fs::remove_dir(volume.join("test")).expect("it is empty");
    fs::remove_file(volume.join("mountID")).expect("it is there");
    for id in ["7f", "8a"] {
        fixture.ask(Operation::Mount, &json!({"Name": "v", "ID": id}).to_string()).await;
        assert_eq!(fs::read_to_string(volume.join("mountID")).expect("it is written"), id);
    }
    // A container that writes to a file makes it its own.
    fs::write(volume.join("mountID"), "mine").expect("a container may write");
    fixture.ask(Operation::Mount, V).await;
    assert_eq!(fs::read_to_string(volume.join("mountID")).expect("it is there"), "mine");
    fixture.end().await;
}

#[tokio::test]
async fn a_plain_volume_is_empty_until_a_container_writes() {
    let fixture = Fixture::unix();
    fixture.ask(Operation::Create, r#"{"Name":"v","Opts":{"plain":""}}"#).await;
    fixture.ask(Operation::Mount, V).await;
    assert_eq!(fs::read_dir(fixture.mountpoint("v")).expect("it is made").count(), 0);
    fixture.end().await;
}

#[tokio::test]
async fn owner_and_mode_are_those_of_the_options() {
    let fixture = Fixture::unix();
    let permissions = |name: &str| {
        let metadata = fs::metadata(fixture.mountpoint(name)).expect("it is made");
        (metadata.uid(), metadata.gid(), metadata.permissions().mode() & 0o7777)
    };
    let own = fs::metadata(fixture.place.path()).expect("it is there");
    fixture.ask(Operation::Create, r#"{"Name":"a","Opts":{"mode":"1770"}}"#).await;
    assert_eq!(permissions("a"), (own.uid(), own.gid(), 0o1770));
    fixture.ask(Operation::Create, r#"{"Name":"b"}"#).await;
    assert_eq!(permissions("b"), (own.uid(), own.gid(), 0o755));
    if rustix::process::geteuid().is_root() {
        fixture.ask(Operation::Create, r#"{"Name":"c","Opts":{"uid":1234,"gid":"99"}}"#).await;
        assert_eq!(permissions("c"), (1234, 99, 0o755));
    }
    fixture.end().await;
}

#[tokio::test]
async fn a_link_to_the_records_is_no_volume() {
    let fixture = Fixture::unix();
    fixture.ask(Operation::Create, r#"{"Name":"test","Opts":{"password":"secret"}}"#).await;
    let record = fixture.private("records/test");
    let before = fs::read_to_string(&record).expect("it is there");
    for target in [fixture.private("records"), ".voltergeist/records".into(), ".voltergeist".into()] {
        symlink(&target, fixture.mountpoint("v")).expect("the place is writable");
        for operation in [Operation::Create, Operation::Mount] {
            let answer = fixture.ask(operation, V).await;
            assert!(answer["Err"].is_string(), "{operation}: {answer}");
        }
        assert_eq!(fs::read_to_string(&record).expect("it is there"), before);
        assert!(!fixture.private("records/mountID").exists() && !fixture.private("mountID").exists());
        fs::remove_file(fixture.mountpoint("v")).expect("the link is there");
    }
    fixture.end().await;
}

#[tokio::test]
async fn nobody_else_can_read_or_change_what_the_program_writes_whatever_the_umask_is() {
    let place = tempfile::tempdir().expect("a place for the test");
    let at = |name: &str| place.path().join(name);
    let script = format!(
        "umask 000; exec {} serve --root {root}/volumes --record {root}/record.jsonl \
         --listen unix:{root}/plugin.sock --control unix:{root}/control.sock",
        env!("CARGO_BIN_EXE_voltergeist"),
        root = place.path().display()
    );
    let mut program = Command::new("sh");
    program.args(["-c", &script]).env("XDG_RUNTIME_DIR", place.path()).stdout(Stdio::null());
    let mut program = program.spawn().expect("the program starts");
    let control = crate::fixture::Peer::Unix(at("control.sock"));
    until("it listens", || std::os::unix::net::UnixStream::connect(at("control.sock")).is_ok()).await;
    for line in ["conjure v password=secret".to_owned(), format!("save {}", at("saved.md").display())] {
        let request = crate::fixture::http("POST", "/v1/commands", "Connection: close\r\n", &line);
        assert_eq!(control.exchange(&request).await.status(), Some(200), "{line}");
    }
    let mode = |path: &Path| fs::symlink_metadata(path).expect("it is there").permissions().mode() & 0o7777;
    for (name, expected) in [
        ("record.jsonl", 0o600),
        ("saved.md", 0o600),
        ("plugin.sock", 0o660),
        ("control.sock", 0o600),
        (".control.sock.lock", 0o600),
        ("volumes", 0o711),
        ("volumes/v", 0o755),
        ("volumes/.voltergeist", 0o700),
        ("volumes/.voltergeist/lock", 0o600),
        ("volumes/.voltergeist/records", 0o700),
        ("volumes/.voltergeist/records/v", 0o600),
    ] {
        let mode = mode(&at(name));
        assert_eq!(mode, expected, "{name}: {mode:o}");
    }
    program.kill().expect("it can be ended");
    program.wait().expect("it ends");
}
