//! Volumes with real mounts under a real daemon: when the mount appears and goes, and what is left after a kill.

use crate::{
    fixture::{DRIVER, Fixture},
    support::{Test, dockerd::Dockerd, managed, sandbox::Sandbox},
    tests,
};

pub fn tests() -> Vec<Test> {
    tests![
        a_mount_is_there_from_the_first_mount_to_the_last_unmount,
        an_early_unmount_takes_the_mount_from_the_host_and_not_from_the_container,
        a_mount_that_a_killed_plugin_has_left_is_found_and_can_be_used,
        a_container_keeps_its_mount_when_the_plugin_is_disabled_by_force,
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

fn a_container_keeps_its_mount_when_the_plugin_is_disabled_by_force() {
    let sandbox = Sandbox::new();
    let daemon = Dockerd::start_with_busybox(&sandbox);
    managed::install(&sandbox, &daemon, &["--mount"]);
    let succeeds = |line: &str| daemon.docker(line).succeeds();
    let mounts = || {
        let mounts = sandbox.command("cat").arg("/proc/self/mounts").output().expect("cat starts").stdout;
        String::from_utf8_lossy(&mounts).lines().filter(|line| line.contains("propagated-mount/")).count()
    };
    succeeds("run --detach --stop-signal KILL --name user -v data:/data --volume-driver managed busybox top");
    succeeds("exec user touch /data/mine");
    assert!(mounts() > 0);
    succeeds("plugin disable --force managed");
    assert_eq!(mounts(), 0, "the daemon takes all mounts of a plugin away");
    assert!(succeeds("exec user ls /data").contains("mine"), "the container has a mount of its own");
    succeeds("plugin enable managed");
    assert_eq!(mounts(), 0);
    succeeds("restart user");
    assert!(succeeds("exec user ls /data").contains("mine"));
    assert!(mounts() > 0);
    succeeds("stop user");
    assert_eq!(mounts(), 0);
}
