//! Volumes on disk: what survives, what is set aside, and what nothing leads out of.

use std::{
    fs,
    os::unix::fs::{FileTypeExt as _, symlink},
    path::Path,
    sync::Arc,
};

use jiff::Timestamp;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::json;
use tempfile::TempDir;
use voltergeist::{
    domain::{
        model::{
            entry::{Cause, EntryKind, Session},
            origin::Origin,
            protocol::Operation,
            volume::{Change, Volumes},
        },
        state::journal::Bounds,
    },
    hub::Hub,
    plugin::{DiskError, DiskStore},
};

use crate::fixture::{Fixture, place, until};

fn open(root: &Path) -> (Arc<Hub>, DiskStore) {
    let (disk, volumes) = DiskStore::open(root).expect("the root opens");
    (Hub::new(Session::new(0, volumes), Box::new(disk.clone()), Bounds::default()), disk)
}

/// Waits until the ends of all connections are recorded.
async fn closed(fixture: &Fixture) {
    fixture.until("all connections are closed", |now| now.connections.is_empty()).await;
}

fn all(hub: &Hub) -> Volumes {
    hub.volumes()
}

#[tokio::test]
async fn volumes_options_and_mounts_survive_a_restart() {
    let fixture = Fixture::unix();
    fixture.ask(Operation::Create, r#"{"Name":"a","Opts":{"tier":"gold"}}"#).await;
    fixture.ask(Operation::Create, r#"{"Name":"b"}"#).await;
    for _ in 0..2 {
        fixture.ask(Operation::Mount, r#"{"Name":"a","ID":"7f"}"#).await;
    }
    fixture.ask(Operation::Mount, r#"{"Name":"unknown","ID":"8a"}"#).await;
    fixture.command("forget b").await;
    let before = all(&fixture.hub);
    let place = fixture.end().await;
    let fixture = Fixture::at(place, |_| {}).expect("the place is free");
    assert_eq!(all(&fixture.hub), before);
    assert_eq!(before.len(), 3);
    assert!(fixture.mountpoint("a").join("mountID").exists());
    fixture.end().await;
}

#[test]
fn each_change_lasts_as_soon_as_it_is_made() {
    let place = TempDir::new().expect("a place for the test");
    let created =
        |name: &str| Change::Created { name: name.into(), options: [].into(), at: Timestamp::UNIX_EPOCH };
    for (changes, left) in [
        (vec![created("a"), created("b")], vec!["a", "b"]),
        (vec![Change::Removed { name: String::from("a") }], vec!["b"]),
        (
            vec![Change::Mounted {
                name: String::from("c"),
                id: String::from("7f"),
                at: Timestamp::UNIX_EPOCH,
            }],
            vec!["b", "c"],
        ),
        (vec![Change::Unmounted { name: String::from("c"), id: String::from("7f") }], vec!["b", "c"]),
        (vec![Change::Forgotten { name: String::from("b") }], vec!["b", "c"]),
        (vec![Change::Restored { name: String::from("b") }], vec!["b", "c"]),
        (vec![Change::StateLost, created("d")], vec!["d"]),
        (vec![Change::AllDeleted], vec![]),
    ] {
        // What a kill would leave: the process has no say at the end.
        let (hub, disk) = open(place.path());
        for change in &changes {
            hub.change(change, Cause::Command).expect("the disk is writable");
        }
        let after = all(&hub);
        drop((hub, disk));
        let (hub, disk) = open(place.path());
        assert_eq!(all(&hub), after, "{changes:?}");
        let names: Vec<_> = after.iter().map(|volume| volume.name.clone()).collect();
        assert_eq!(names, left, "{changes:?}");
        drop((hub, disk));
    }
}

#[tokio::test]
async fn losing_and_forgetting_keep_the_files_and_wiping_does_not() {
    let fixture = Fixture::unix();
    let file = fixture.mountpoint("a").join("mountID");
    for line in ["forget a", "crash lose", "wipe"] {
        fixture.ask(Operation::Create, r#"{"Name":"a"}"#).await;
        fixture.ask(Operation::Mount, r#"{"Name":"a","ID":"7f"}"#).await;
        fixture.command(line).await;
        assert_eq!(file.exists(), line != "wipe", "{line}");
    }
    fixture.end().await;
}

#[tokio::test]
async fn wiping_takes_the_files_of_lost_volumes_too_and_nothing_that_was_never_a_volume() {
    let fixture = Fixture::unix();
    let (lost, again, foreign) =
        (fixture.mountpoint("lost"), fixture.mountpoint("again"), fixture.mountpoint("foreign"));
    fs::create_dir_all(&foreign).expect("the place is writable");
    for name in ["lost", "again"] {
        fixture.ask(Operation::Mount, &json!({ "Name": name, "ID": "7f" }).to_string()).await;
    }
    fixture.command("crash lose").await;
    let place = fixture.end().await;
    let fixture = Fixture::at(place, |_| {}).expect("the place is free");
    assert!(
        all(&fixture.hub).is_empty() && lost.exists(),
        "the driver knows of nothing, and the files are kept"
    );
    fixture.ask(Operation::Create, r#"{"Name":"again"}"#).await;
    fixture.ask(Operation::Remove, r#"{"Name":"again"}"#).await;
    assert!(!again.exists() && lost.exists());
    fixture.command("wipe").await;
    assert!(!lost.exists() && foreign.exists());
    fixture.end().await;
}

#[tokio::test]
async fn a_damaged_record_is_reported_and_set_aside_and_the_others_are_there() {
    let place = place();
    let root = place.path().join("volumes");
    let (hub, disk) = open(&root);
    hub.command_line("conjure good", Origin::Line).expect("the disk is writable");
    drop((hub, disk));
    let records = root.join(".voltergeist/records");
    fs::write(records.join("broken"), "{\"name\":\"bro").expect("the place is writable");
    fs::copy(records.join("good"), records.join("copied")).expect("the place is writable");
    fs::create_dir(records.join("a directory")).expect("the place is writable");
    let fixture = Fixture::at(place, |_| {}).expect("damage is not fatal");
    let listed = fixture.ask(Operation::List, "{}").await;
    assert_eq!(listed["Volumes"].as_array().map(Vec::len), Some(1));
    let notes = fixture.notes();
    assert_eq!(notes.len(), 3, "{notes:?}");
    for name in ["broken", "copied", "a directory"] {
        let note = notes.iter().find(|note| note.contains(&format!("{name:?}"))).expect("it is reported");
        let aside = note.rsplit(' ').next().expect("it says where");
        assert!(Path::new(aside).exists() && !records.join(name).exists(), "{note}");
    }
    fixture.ask(Operation::Create, r#"{"Name":"broken"}"#).await;
    fixture.end().await;
}

#[tokio::test]
async fn no_symlink_that_a_container_leaves_leads_out() {
    let fixture = Fixture::unix();
    let outside = fixture.place.path().join("outside");
    fs::create_dir(&outside).expect("the place is writable");
    let victim = outside.join("victim");
    fs::write(&victim, "precious").expect("the place is writable");
    let volume = fixture.mountpoint("v");
    let body = r#"{"Name":"v","ID":"7f"}"#;
    fixture.ask(Operation::Create, body).await;
    fixture.ask(Operation::Mount, body).await;

    // A file that leads out.
    fs::remove_file(volume.join("mountID")).expect("it is there");
    symlink(&victim, volume.join("mountID")).expect("a container may link");
    symlink(&outside, volume.join("escape")).expect("a container may link");
    fixture.ask(Operation::Mount, body).await;
    fixture.ask(Operation::Remove, body).await;
    until("the volume's data is deleted", || trash(&fixture) == 0).await;

    // The volume itself leads out.
    fixture.ask(Operation::Create, body).await;
    fs::remove_dir(&volume).expect("it is empty");
    symlink(&outside, &volume).expect("root may link");
    for operation in [Operation::Create, Operation::Mount] {
        let answer = fixture.ask(operation, body).await;
        assert!(answer["Err"].is_string(), "{operation}: {answer}");
    }
    assert_eq!(fixture.ask(Operation::Remove, body).await, json!({}));
    until("the link is deleted", || trash(&fixture) == 0).await;
    assert!(!volume.is_symlink());
    assert_eq!(fs::read_to_string(&victim).expect("it is there"), "precious");
    assert_eq!(fs::read_dir(&outside).expect("it is there").count(), 1);
    fixture.end().await;
}

#[tokio::test]
async fn no_pipe_that_a_container_leaves_holds_up_a_mount() {
    let fixture = Fixture::unix();
    let body = r#"{"Name":"v","ID":"7f"}"#;
    fixture.ask(Operation::Mount, body).await;
    let file = fixture.mountpoint("v").join("mountID");
    fs::remove_file(&file).expect("it is there");
    mknodat(CWD, &file, FileType::Fifo, Mode::RWXU, 0).expect("a container may make a pipe");
    fixture.ask(Operation::Mount, body).await;
    assert!(
        fs::metadata(&file).is_ok_and(|metadata| metadata.file_type().is_fifo()),
        "it is the container's"
    );
    fixture.end().await;
}

#[tokio::test]
async fn a_mount_that_the_disk_refuses_is_none() {
    let fixture = Fixture::unix();
    // A file cannot replace a directory.
    fs::create_dir(fixture.private("records/v")).expect("the place is writable");
    for operation in [Operation::Create, Operation::Mount] {
        let answer = fixture.ask(operation, r#"{"Name":"v","ID":"7f"}"#).await;
        let expected = format!("cannot {operation} \"v\": ");
        assert!(answer["Err"].as_str().is_some_and(|why| why.starts_with(&expected)), "{answer}");
        assert!(
            fixture.snapshot().volumes.is_empty() && !fixture.mountpoint("v").exists(),
            "nothing is left"
        );
    }
    until("nothing is left to be deleted", || trash(&fixture) == 0).await;
    fixture.end().await;
}

/// How much is still to be deleted.
fn trash(fixture: &Fixture) -> usize {
    let names = fs::read_dir(fixture.private("staging")).expect("it is there");
    let names = names.map(|entry| entry.expect("it is readable").file_name());
    names.filter(|name| name.to_string_lossy().starts_with("trash")).count()
}

#[tokio::test]
async fn what_was_not_deleted_in_time_is_deleted_at_the_next_start() {
    let place = place();
    let left = place.path().join("volumes/.voltergeist/staging/trash-1/deep");
    fs::create_dir_all(&left).expect("the place is writable");
    let fixture = Fixture::at(place, |_| {}).expect("the place is free");
    until("it is deleted", || trash(&fixture) == 0).await;
    fixture.end().await;
}

#[test]
fn a_root_belongs_to_one_process() {
    let place = TempDir::new().expect("a place for the test");
    let first = DiskStore::open(place.path()).expect("the root opens");
    assert!(matches!(DiskStore::open(place.path()), Err(DiskError::InUse(_))));
    drop(first);
    assert!(DiskStore::open(place.path()).is_ok());
    let file = place.path().join("file");
    fs::write(&file, "").expect("the place is writable");
    let error = DiskStore::open(&file).err().expect("a file is no root").to_string();
    assert!(error.ends_with("make it writable, or choose another root"), "{error}");
}

#[tokio::test]
async fn a_saved_journal_reads_back_as_it_was() {
    let fixture = Fixture::unix();
    fixture.ask(Operation::Create, r#"{"Name":"a"}"#).await;
    closed(&fixture).await;
    fixture.command("note look here").await;
    let file = fixture.place.path().join("a b.jsonl");
    fixture.command(&format!("save \"{}\"", file.display())).await;
    let saved = fs::read_to_string(&file).expect("it is written");
    // All but the command that saved them.
    let (mut entries, _) = fixture.hub.entries_after(0, usize::MAX);
    entries.pop();
    let read: Vec<voltergeist::domain::model::entry::Entry> =
        saved.lines().map(|line| serde_json::from_str(line).expect("each line is an entry")).collect();
    assert_eq!(read.iter().collect::<Vec<_>>(), entries.iter().map(Arc::as_ref).collect::<Vec<_>>());
    assert!(matches!(&read[6].kind, EntryKind::Command(command) if command.command == "note look here"));
    let again =
        voltergeist::export::run_line(&fixture.hub, &format!("save \"{}\"", file.display()), Origin::Line);
    assert!(again.is_err_and(|error| error.to_string().ends_with("exists; choose another name")));
    assert_eq!(
        fs::read_to_string(&file).expect("it is still there"),
        saved,
        "what is there is left as it is"
    );
    fixture.end().await;
}

#[tokio::test]
async fn the_end_of_a_name_says_what_is_saved() {
    let fixture = Fixture::unix();
    fixture.ask(Operation::Create, r#"{"Name":"a"}"#).await;
    closed(&fixture).await;
    for (name, expected, first) in [
        ("run.jsonl", "1 of 6 entries saved to ", r#"{"seq":5,"#),
        ("run.md", "a report of the run with 1 of 7 entries saved to ", "# voltergeist, 2"),
        ("run.mmd", "a sequence of 1 of 8 entries as Mermaid saved to ", "sequenceDiagram\n"),
        ("run.txt", "a sequence of 1 of 9 entries as text saved to ", " UTC"),
    ] {
        let file = fixture.place.path().join(name);
        let effect = voltergeist::export::run_line(
            &fixture.hub,
            &format!("save {} where op:create", file.display()),
            Origin::Line,
        );
        let effect = effect.expect("it is saved").text;
        assert!(effect.starts_with(expected), "{effect}");
        let saved = fs::read_to_string(&file).expect("it is written");
        assert!(saved.starts_with(first), "{name}: {saved}");
        assert!(saved.contains("create"), "{name}: {saved}");
        assert_eq!(
            saved.contains("Only what matches the filter `operation:create`"),
            name == "run.md",
            "{saved}"
        );
    }
    fixture.end().await;
}

#[tokio::test]
async fn what_passes_a_filter_is_saved_alone() {
    let fixture = Fixture::unix();
    fixture.ask(Operation::Create, r#"{"Name":"a"}"#).await;
    fixture.ask(Operation::Get, r#"{"Name":"a"}"#).await;
    closed(&fixture).await;
    let file = fixture.place.path().join("gets.jsonl");
    let effect = voltergeist::export::run_line(
        &fixture.hub,
        &format!("save {} where op:get", file.display()),
        Origin::Line,
    );
    assert_eq!(effect.expect("it is saved").text, format!("1 of 9 entries saved to {}", file.display()));
    let saved = fs::read_to_string(&file).expect("it is written");
    assert_eq!(saved.lines().count(), 1);
    assert!(saved.contains(r#""operation":"get""#), "{saved}");
    fixture.end().await;
}
