//! Volumes with real mounts under a real daemon: when the mount appears and goes, and what is left after a kill.

use crate::{
    fixture::{DRIVER, Fixture},
    support::Test,
    tests,
};

pub fn tests() -> Vec<Test> {
    tests![
        a_mount_is_there_from_the_first_mount_to_the_last_unmount,
        an_early_unmount_takes_the_mount_from_the_host_and_not_from_the_container,
        a_mount_that_a_killed_plugin_has_left_is_found_and_can_be_used,
    ]
}

fn fixture() -> Fixture {
    let fixture = Fixture::with_busybox();
    fixture.succeeds(&format!("volume create -d {DRIVER} -o mount=true data"));
    fixture
}

fn a_mount_is_there_from_the_first_mount_to_the_last_unmount() {
    let fixture = fixture();
    assert!(!fixture.is_mounted("data"));
    fixture.run_for_long("one", "data");
    fixture.run_for_long("two", "data");
    fixture.succeeds("exec one touch /data/mine");
    fixture.succeeds("cp one:/data/mine -");
    fixture.succeeds("stop one");
    assert!(fixture.is_mounted("data"), "the other container uses it");
    assert!(fixture.succeeds("exec two ls /data").contains("mine"));

    // The daemon has lost the references, and would remove it.
    fixture.plugin.command("arm get: empty once");
    fixture.fails("volume inspect data", "no such volume");
    fixture.fails("volume rm data", "is a mount point");
    assert!(fixture.succeeds("exec two ls /data").contains("mine"));

    fixture.succeeds("stop two");
    assert!(!fixture.is_mounted("data"));
    fixture.succeeds("rm one two");
    fixture.succeeds("volume rm data");
}

fn an_early_unmount_takes_the_mount_from_the_host_and_not_from_the_container() {
    let fixture = fixture();
    fixture.run_for_long("one", "data");
    fixture.succeeds("exec one touch /data/mine");
    fixture.plugin.command("unmount data");
    assert!(!fixture.is_mounted("data"));
    // The daemon mounts volumes privately: the container has a mount of its own.
    assert!(fixture.succeeds("exec one ls /data").contains("mine"));
    // What the daemon itself mounts again is there again.
    fixture.succeeds("cp one:/data/mine -");
    fixture.succeeds("stop one");
    assert!(!fixture.is_mounted("data"));
}

fn a_mount_that_a_killed_plugin_has_left_is_found_and_can_be_used() {
    let mut fixture = fixture();
    fixture.run_for_long("one", "data");
    fixture.plugin.kill_and_start_again();
    let notes: Vec<_> =
        fixture.plugin.entries().into_iter().filter(|entry| entry["kind"] == "note").collect();
    let says =
        |text: &str| notes.iter().any(|note| note["text"].as_str().is_some_and(|note| note.contains(text)));
    assert!(says("is still mounted at"), "{notes:?}");
    assert!(fixture.is_mounted("data"));
    fixture.succeeds("restart one");
    fixture.succeeds("stop one");
    assert!(!fixture.is_mounted("data"));
}
