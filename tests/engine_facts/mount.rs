//! Wrong answers to `Mount`: what a container gets instead of its volume.

use std::time::Duration;

use crate::{stage::Stage, support::Test, tests};

pub fn tests() -> Vec<Test> {
    let mut tests = tests![
        a_mount_without_a_mountpoint_mounts_the_daemons_own_directory,
        the_daemon_mounts_what_it_is_told,
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
    let stage = Stage::with_busybox();
    stage.create("data");
    for action in ["empty", "null", "mountpoint empty"] {
        stage.arm(&format!("mount: {action}"), "docker-mount-empty-reply");
        let files = stage.succeeds(LIST);
        assert!(["config.json", "rootfs"].iter().all(|file| files.contains(file)), "{action}: {files}");
    }
    stage.succeeds("run --rm -v data:/data busybox touch /data/mine");
}

fn the_daemon_mounts_what_it_is_told() {
    let stage = Stage::with_busybox();
    stage.create("data");

    stage.arm("mount: mountpoint /etc", "docker-mount-path");
    let files = stage.succeeds(LIST);
    assert!(files.contains("passwd") && files.contains("group"), "{files}");
    stage.arm("mount: mountpoint /", "docker-mount-path");
    let files = stage.succeeds(LIST);
    assert!(files.contains("root") && files.contains("etc"), "{files}");

    stage.arm("mount: lie", "docker-mount-lie");
    stage.succeeds(LIST);
    assert_eq!(stage.open_mounts("data"), 0);

    for action in ["two-bodies", "drip 1s"] {
        let fact = if action == "two-bodies" { "docker-two-bodies" } else { "docker-delayed" };
        stage.arm(&format!("mount: {action}"), fact);
        assert!(stage.succeeds(LIST).contains("mountID"), "{action}");
    }
}

fn a_container_whose_mount_fails_does_not_start() {
    let stage = Stage::with_busybox();
    stage.create("data");
    for action in ["fail \"boom\"", "fail \"boom\" as inband", "fail \"boom\" as json500"] {
        stage.arm(&format!("mount: {action}"), "docker-mount-fail");
        let error = stage.daemon.docker(LIST).fails();
        assert!(error.contains("error while mounting volume") && error.contains("boom"), "{action}: {error}");
    }
    stage.arm("mount: garbage", "docker-garbage");
    stage.fails(LIST, "error while mounting volume");
    assert_eq!(stage.open_mounts("data"), 0);
    for (action, fact) in [("truncate", "docker-truncate"), ("wrong-type", "docker-wrong-type")] {
        stage.arm(&format!("mount: {action}"), fact);
        stage.fails(LIST, "error while mounting volume");
    }
    assert_eq!(stage.open_mounts("data"), 2, "the work of an altered answer is done");
    assert_eq!(stage.plugin.counters(["mount", "unmount"]), [6, 0]);
}

fn a_container_whose_volume_is_not_there_does_not_start_and_is_unmounted() {
    let stage = Stage::with_busybox();
    stage.create("data");
    for (action, fact) in [("missing", "docker-mount-missing"), ("relative", "docker-mount-relative")] {
        stage.arm(&format!("mount: mountpoint {action}"), fact);
        let outcome = stage.daemon.docker(LIST);
        assert_eq!(outcome.code(), Some(127), "{action}");
        let error = outcome.fails();
        assert!(error.contains("no such file or directory"), "{action}: {error}");
        // Below the directory of the container, if the path is a relative one.
        assert_eq!(error.contains("io.containerd.runtime"), action == "relative", "{error}");
    }
    assert_eq!(stage.plugin.counters(["mount", "unmount"]), [2, 2]);
}

fn a_failed_mount_fails_the_run_until_it_is_disarmed() {
    let stage = Stage::with_busybox();
    let run = "run --rm -v data:/data --volume-driver poltergeist busybox true";

    stage.arm("mount: fail \"no luck\"", "docker-mount-fail");
    stage.fails(run, "no luck");
    assert_eq!(stage.plugin.state()["faults"][0]["fired"], 1);

    stage.disarm();
    stage.succeeds(run);
    assert_eq!(stage.plugin.counters(["mount", "unmount"]), [2, 1]);
}

fn a_hanging_mount_blocks_its_container_alone() {
    let stage = Stage::with_busybox();
    stage.create("data");
    stage.succeeds("create --name user -v data:/data busybox true");
    stage.arm("mount: hang", "docker-mount-hang");
    let start = stage.daemon.start_docker("start user");
    stage.plugin.wait_until_waiting(1);
    let inspect = stage.daemon.start_docker("inspect user");
    for line in ["ps", "volume inspect data", "volume ls"] {
        stage.succeeds(line);
    }
    assert!(start.is_running() && inspect.is_running());

    stage.disarm();
    start.finish().succeeds();
    inspect.finish().succeeds();
}

fn a_mount_is_given_up_after_two_minutes_and_leaks() {
    let stage = Stage::with_busybox();
    stage.create("data");
    stage.arm("mount: hang after", "docker-mount-hang");
    let error = stage.daemon.start_docker(LIST).finish_within(Duration::from_secs(180)).fails();
    assert!(error.contains("context deadline exceeded"), "{error}");
    assert_eq!(stage.plugin.counters(["mount", "unmount"]), [1, 0]);
    assert_eq!(stage.open_mounts("data"), 1);
}
