//! Wrong answers to `Mount`: what a container gets instead of its volume.

use std::time::Duration;

use crate::{fixture::Fixture, support::Test, tests};

pub fn tests() -> Vec<Test> {
    let mut tests = tests![
        a_mount_without_a_mountpoint_mounts_the_daemons_own_directory,
        the_daemon_mounts_what_the_plugin_replies,
        a_container_whose_mount_fails_does_not_start,
        a_container_whose_volume_is_not_there_does_not_start_and_is_unmounted,
        a_failed_mount_fails_the_run_until_it_is_disarmed,
        a_hanging_mount_blocks_its_container_alone,
    ];
    tests.extend(tests![a_mount_is_given_up_after_two_minutes_and_leaks].into_iter().map(Test::slow));
    tests
}

const LIST: &str = "run --rm -v data:/data busybox ls /data";

fn a_mount_without_a_mountpoint_mounts_the_daemons_own_directory() {
    let fixture = Fixture::with_busybox();
    fixture.create("data");
    for action in ["empty", "null", "mountpoint empty"] {
        fixture.arm(&format!("mount: {action}"), "docker-mount-empty-reply");
        let files = fixture.succeeds(LIST);
        assert!(["config.json", "rootfs"].iter().all(|file| files.contains(file)), "{action}: {files}");
    }
    fixture.succeeds("run --rm -v data:/data busybox touch /data/mine");
}

fn the_daemon_mounts_what_the_plugin_replies() {
    let fixture = Fixture::with_busybox();
    fixture.create("data");

    fixture.arm("mount: mountpoint /etc", "docker-mount-path");
    let files = fixture.succeeds(LIST);
    assert!(files.contains("passwd") && files.contains("group"), "{files}");
    fixture.arm("mount: mountpoint /", "docker-mount-path");
    let files = fixture.succeeds(LIST);
    assert!(files.contains("root") && files.contains("etc"), "{files}");

    fixture.arm("mount: lie", "docker-mount-lie");
    fixture.succeeds(LIST);
    assert_eq!(fixture.open_mounts("data"), 0);

    for action in ["two-bodies", "drip 1s"] {
        let fact = if action == "two-bodies" { "docker-two-bodies" } else { "docker-delayed" };
        fixture.arm(&format!("mount: {action}"), fact);
        assert!(fixture.succeeds(LIST).contains("mountID"), "{action}");
    }
}

fn a_container_whose_mount_fails_does_not_start() {
    let fixture = Fixture::with_busybox();
    fixture.create("data");
    for action in ["fail \"boom\"", "fail \"boom\" as inband", "fail \"boom\" as json500"] {
        fixture.arm(&format!("mount: {action}"), "docker-mount-fail");
        let error = fixture.daemon.docker(LIST).fails();
        assert!(error.contains("error while mounting volume") && error.contains("boom"), "{action}: {error}");
    }
    fixture.arm("mount: garbage", "docker-garbage");
    fixture.fails(LIST, "error while mounting volume");
    assert_eq!(fixture.open_mounts("data"), 0);
    for (action, fact) in [("truncate", "docker-truncate"), ("wrong-type", "docker-wrong-type")] {
        fixture.arm(&format!("mount: {action}"), fact);
        fixture.fails(LIST, "error while mounting volume");
    }
    assert_eq!(fixture.open_mounts("data"), 2, "the work of an altered answer is done");
    assert_eq!(fixture.plugin.counters(["mount", "unmount"]), [6, 0]);
}

fn a_container_whose_volume_is_not_there_does_not_start_and_is_unmounted() {
    let fixture = Fixture::with_busybox();
    fixture.create("data");
    for (action, fact) in [("missing", "docker-mount-missing"), ("relative", "docker-mount-relative")] {
        fixture.arm(&format!("mount: mountpoint {action}"), fact);
        let outcome = fixture.daemon.docker(LIST);
        assert_eq!(outcome.code(), Some(127), "{action}");
        let error = outcome.fails();
        assert!(error.contains("no such file or directory"), "{action}: {error}");
        // Below the directory of the container, if the path is a relative one.
        assert_eq!(error.contains("io.containerd.runtime"), action == "relative", "{error}");
    }
    assert_eq!(fixture.plugin.counters(["mount", "unmount"]), [2, 2]);
}

fn a_failed_mount_fails_the_run_until_it_is_disarmed() {
    let fixture = Fixture::with_busybox();
    let run = "run --rm -v data:/data --volume-driver poltergeist busybox true";

    fixture.arm("mount: fail \"no luck\"", "docker-mount-fail");
    fixture.fails(run, "no luck");
    assert_eq!(fixture.plugin.state()["faults"][0]["fired"], 1);

    fixture.disarm();
    fixture.succeeds(run);
    assert_eq!(fixture.plugin.counters(["mount", "unmount"]), [2, 1]);
}

fn a_hanging_mount_blocks_its_container_alone() {
    let fixture = Fixture::with_busybox();
    fixture.create("data");
    fixture.succeeds("create --name user -v data:/data busybox true");
    fixture.arm("mount: hang", "docker-mount-hang");
    let start = fixture.daemon.start_docker("start user");
    fixture.plugin.wait_until_waiting(1);
    let inspect = fixture.daemon.start_docker("inspect user");
    for line in ["ps", "volume inspect data", "volume ls"] {
        fixture.succeeds(line);
    }
    assert!(start.is_running() && inspect.is_running());

    fixture.disarm();
    start.finish().succeeds();
    inspect.finish().succeeds();
}

fn a_mount_is_given_up_after_two_minutes_and_leaks() {
    let fixture = Fixture::with_busybox();
    fixture.create("data");
    fixture.arm("mount: hang after", "docker-mount-hang");
    let error = fixture.daemon.start_docker(LIST).finish_within(Duration::from_secs(180)).fails();
    assert!(error.contains("context deadline exceeded"), "{error}");
    assert_eq!(fixture.plugin.counters(["mount", "unmount"]), [1, 0]);
    assert_eq!(fixture.open_mounts("data"), 1);
}
