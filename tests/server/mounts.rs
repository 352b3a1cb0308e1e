//! What is mounted in a volume is never deleted, and the mounts of the driver itself.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rustix::fs::{Mode, OFlags};
use serde_json::{Value, json};
use voltergeist::{
    domain::model::{origin::Origin, protocol::Operation},
    plugin::delete_directory,
};

use crate::{
    fixture::{Fixture, place, until},
    namespace::{enter, mount, umount},
};

const V: &str = r#"{"Name":"v","ID":"7f"}"#;

/// A directory outside of all volumes with a file in it.
fn outside(fixture: &Fixture) -> (PathBuf, PathBuf) {
    let outside = fixture.place.path().join("outside");
    fs::create_dir(&outside).expect("the place is writable");
    let file = outside.join("precious");
    fs::write(&file, "precious").expect("the place is writable");
    (outside, file)
}

fn bind(source: &Path, target: &Path) {
    if source.is_dir() {
        fs::create_dir_all(target).expect("the place is writable");
    } else {
        fs::write(target, "").expect("the place is writable");
    }
    mount(&["--bind", &source.display().to_string(), &target.display().to_string()]);
}

fn error(answer: &Value) -> &str {
    answer["Err"].as_str().unwrap_or_default()
}

fn trash(fixture: &Fixture) -> usize {
    fs::read_dir(fixture.private("staging")).expect("it is there").count()
}

#[tokio::test]
async fn a_remove_deletes_nothing_that_is_mounted_in_the_volume() {
    if !enter("mounts::a_remove_deletes_nothing_that_is_mounted_in_the_volume") {
        return;
    }
    let fixture = Fixture::unix();
    let (outside, file) = outside(&fixture);
    let volume = fixture.mountpoint("v");
    for (source, target) in [
        (&outside, volume.join("host")),
        (&outside, volume.join("deep/er/host")),
        (&outside, volume.clone()),
        (&file, volume.join("file")),
    ] {
        fixture.ask(Operation::Create, V).await;
        fs::create_dir_all(target.parent().expect("it has one")).expect("the place is writable");
        bind(source, &target);
        let answer = fixture.ask(Operation::Remove, V).await;
        let expected = format!(
            "cannot remove \"v\": {target:?} is a mount point; nothing was deleted; unmount it first"
        );
        assert_eq!(error(&answer), expected);
        assert_eq!(fixture.ask(Operation::Get, V).await["Volume"]["Name"], "v", "it is still there");
        umount(&target);
        assert_eq!(fixture.ask(Operation::Remove, V).await, json!({}));
        until("the rest is deleted", || trash(&fixture) == 0).await;
        assert_eq!(fs::read_to_string(&file).expect("it was not deleted"), "precious");
    }
    fixture.end().await;
}

#[tokio::test]
async fn what_is_mounted_below_what_is_deleted_already_is_left() {
    if !enter("mounts::what_is_mounted_below_what_is_deleted_already_is_left") {
        return;
    }
    let fixture = Fixture::unix();
    let (outside, file) = outside(&fixture);
    let place = fixture.end().await;
    let staging = place.path().join("volumes/.voltergeist/staging");
    bind(&outside, &staging.join("trash-1/host"));
    bind(&outside, &staging.join("trash-2"));
    bind(&file, &staging.join("trash-3"));
    fs::write(staging.join("trash-1/other"), "").expect("the place is writable");
    let fixture = Fixture::at(place, |_| {}).expect("the place is free");
    until("the rest is deleted", || !staging.join("trash-1/other").exists()).await;
    let _place = fixture.end().await;
    for mounted in ["trash-1/host/precious", "trash-2/precious", "trash-3"] {
        assert_eq!(fs::read_to_string(staging.join(mounted)).expect("it was not deleted"), "precious");
    }
}

#[tokio::test]
async fn a_wipe_keeps_what_is_mounted_and_says_what_is_gone() {
    if !enter("mounts::a_wipe_keeps_what_is_mounted_and_says_what_is_gone") {
        return;
    }
    let fixture = Fixture::unix();
    let (outside, file) = outside(&fixture);
    for name in ["a", "b", "c"] {
        fixture.ask(Operation::Create, &json!({ "Name": name }).to_string()).await;
    }
    bind(&outside, &fixture.mountpoint("b").join("host"));
    let wiped = voltergeist::export::run_line(&fixture.hub, "wipe", Origin::Line)
        .expect_err("something is mounted")
        .to_string();
    assert!(wiped.starts_with("deleted 2 of 3 volumes; \"b\" is left: "), "{wiped}");
    let listed = fixture.ask(Operation::List, "{}").await;
    assert_eq!(listed["Volumes"].as_array().map(Vec::len), Some(1));
    assert!(file.exists() && !fixture.mountpoint("a").exists() && fixture.mountpoint("b").exists());
    umount(&fixture.mountpoint("b").join("host"));
    fixture.command("wipe").await;
    assert!(!fixture.mountpoint("b").exists() && file.exists());
    fixture.end().await;
}

#[test]
fn a_temporary_directory_is_deleted_without_what_is_mounted_in_it() {
    if !enter("mounts::a_temporary_directory_is_deleted_without_what_is_mounted_in_it") {
        return;
    }
    let place = place();
    let outside = place.path().join("outside");
    let temporary = place.path().join("temporary");
    fs::create_dir_all(temporary.join("a/b")).expect("the place is writable");
    fs::create_dir(&outside).expect("the place is writable");
    fs::write(outside.join("precious"), "precious").expect("the place is writable");
    bind(&outside, &temporary.join("volumes/v/host"));
    assert!(delete_directory(&temporary).is_err());
    assert!(outside.join("precious").exists() && !temporary.join("a").exists());
}

#[tokio::test]
async fn a_tree_of_any_depth_is_deleted() {
    let fixture = Fixture::unix();
    fixture.ask(Operation::Create, V).await;
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut deepest = rustix::fs::open(fixture.mountpoint("v"), flags, Mode::empty()).expect("it is there");
    for _ in 0..5000 {
        rustix::fs::mkdirat(&deepest, "d", Mode::RWXU).expect("a container may make directories");
        deepest = rustix::fs::openat(&deepest, "d", flags, Mode::empty()).expect("it is there");
    }
    drop(deepest);
    fixture.ask(Operation::Remove, V).await;
    until("all of it is deleted", || trash(&fixture) == 0).await;
    fixture.end().await;
}

#[tokio::test]
async fn a_volume_with_the_option_mount_has_its_files_only_while_it_is_mounted() {
    if !enter("mounts::a_volume_with_the_option_mount_has_its_files_only_while_it_is_mounted") {
        return;
    }
    let fixture = Fixture::unix();
    let volume = fixture.mountpoint("v");
    let options = json!({"mount": "", "plain": "true", "uid": "1234", "gid": "5", "mode": "0750"});
    fixture.ask(Operation::Create, &json!({"Name": "v", "Opts": options}).to_string()).await;
    assert!(volume.is_dir(), "the mountpoint is there");
    for id in ["1", "2"] {
        fixture.ask(Operation::Mount, &json!({"Name": "v", "ID": id}).to_string()).await;
        let metadata = fs::metadata(&volume).expect("it is there");
        assert_eq!(
            (metadata.uid(), metadata.gid(), metadata.permissions().mode() & 0o7777),
            (1234, 5, 0o750)
        );
    }
    assert_eq!(fs::read_dir(&volume).expect("it is readable").count(), 0, "plain: nothing is written");
    fs::write(volume.join("file"), "data").expect("it is writable");
    let refused = fixture.ask(Operation::Remove, V).await;
    assert!(error(&refused).contains("is a mount point"), "{refused}");
    fixture.ask(Operation::Unmount, r#"{"Name":"v","ID":"1"}"#).await;
    assert!(volume.join("file").exists(), "it is still mounted once");
    fixture.ask(Operation::Unmount, r#"{"Name":"v","ID":"2"}"#).await;
    assert!(!volume.join("file").exists() && volume.is_dir());
    fixture.ask(Operation::Mount, V).await;
    assert_eq!(fs::read_to_string(volume.join("file")).expect("it is kept"), "data");

    // The process ends, and the mount stays.
    let place = fixture.end().await;
    let fixture = Fixture::at(place, |_| {}).expect("the place is free");
    assert_eq!(
        fixture.notes(),
        [format!("volume \"v\" is still mounted at {volume:?} by an earlier process")]
    );
    assert!(volume.join("file").exists());
    let place = fixture.end().await;
    umount(&volume);
    let fixture = Fixture::at(place, |_| {}).expect("the place is free");
    assert!(fixture.notes()[0].contains("is not mounted at"), "{:?}", fixture.notes());
    fixture.ask(Operation::Mount, V).await;
    assert!(volume.join("file").exists(), "it is mounted again");
    fixture.command("unmount v").await;
    assert!(!volume.join("file").exists(), "a command unmounts it too");
    assert_eq!(fixture.ask(Operation::Remove, V).await, json!({}));
    assert!(!volume.exists() && fs::read_dir(fixture.private("data")).expect("it is there").count() == 0);
    fixture.end().await;
}

#[tokio::test]
async fn a_volume_that_is_in_use_cannot_be_unmounted_and_stays_mounted() {
    if !enter("mounts::a_volume_that_is_in_use_cannot_be_unmounted_and_stays_mounted") {
        return;
    }
    let fixture = Fixture::unix();
    fixture.ask(Operation::Create, r#"{"Name":"v","Opts":{"mount":"true"}}"#).await;
    fixture.ask(Operation::Mount, V).await;
    let used = fs::File::open(fixture.mountpoint("v").join("mountID")).expect("it is written");
    let answer = fixture.ask(Operation::Unmount, V).await;
    assert!(error(&answer).contains("busy"), "{answer}");
    assert_eq!(fixture.snapshot().volumes.open_mounts(), 1);
    drop(used);
    assert_eq!(fixture.ask(Operation::Unmount, V).await, json!({}));
    assert_eq!(fixture.snapshot().volumes.open_mounts(), 0);
    fixture.end().await;
}
