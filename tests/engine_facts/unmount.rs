//! Wrong answers to `Unmount`.

use std::time::Duration;

use crate::{stage::Stage, support::Test, tests};

pub fn tests() -> Vec<Test> {
    let mut tests =
        tests![a_container_stops_whatever_unmount_says, a_hanging_unmount_blocks_its_container_alone,];
    tests.extend(tests![an_unmount_is_given_up_after_a_minute].into_iter().map(Test::slow));
    tests
}

fn a_container_stops_whatever_unmount_says() {
    let stage = Stage::with_busybox();
    for (action, fact, still_open, same_id) in [
        ("fail \"boom\"", "docker-unmount-unexpected", true, true),
        ("fail \"boom\" as inband", "docker-unmount-unexpected", true, true),
        ("garbage", "docker-unmount-unexpected", true, true),
        // The work of an altered answer is done.
        ("truncate", "docker-unmount-unexpected", false, true),
        ("empty", "docker-unmount-empty-reply", true, false),
        ("null", "docker-unmount-empty-reply", true, false),
        ("lie", "docker-unmount-empty-reply", true, false),
    ] {
        stage.create("data");
        stage.run_for_long("user", "data");
        stage.arm(&format!("unmount: {action}"), fact);
        stage.succeeds("stop user");
        assert_eq!(stage.open_mounts("data"), usize::from(still_open), "{action}");
        stage.disarm();
        stage.succeeds("start user");

        let mounts = stage.plugin.calls("mount");
        let [.., first, second] = &mounts[..] else { panic!("{mounts:?}") };
        assert_eq!(first["mount_id"] == second["mount_id"], same_id, "{action}");
        stage.succeeds("rm --force user");
        stage.succeeds("volume rm data");
    }
    stage.daemon.wait_for_log(&["Failed to umount volumes", "VolumeDriver.Unmount: boom"]);
}

fn a_hanging_unmount_blocks_its_container_alone() {
    let stage = Stage::with_busybox();
    stage.create("data");
    stage.run_for_long("user", "data");
    stage.arm("unmount: hang", "docker-unmount-hang");
    let stop = stage.daemon.start_docker("stop user");
    stage.plugin.wait_until_waiting(1);
    let inspect = stage.daemon.start_docker("inspect user");
    let remove = stage.daemon.start_docker("rm --force user");
    for line in ["ps", "volume inspect data", "volume ls"] {
        stage.succeeds(line);
    }
    assert!(stop.is_running() && inspect.is_running() && remove.is_running());

    stage.disarm();
    stop.finish().succeeds();
    remove.finish().succeeds();
    assert_eq!(stage.open_mounts("data"), 0);
}

fn an_unmount_is_given_up_after_a_minute() {
    let stage = Stage::with_busybox();
    stage.create("data");
    stage.run_for_long("user", "data");
    stage.arm("unmount: hang", "docker-unmount-hang");
    stage.daemon.start_docker("stop user").finish_within(Duration::from_secs(90)).succeeds();
    assert_eq!(stage.plugin.calls("unmount")[0]["outcome"], "cancelled");
    stage.disarm();
}
