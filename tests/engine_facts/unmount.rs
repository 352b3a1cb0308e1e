//! Wrong answers to `Unmount`.

use std::time::Duration;

use crate::{fixture::Fixture, support::Test, tests};

pub fn tests() -> Vec<Test> {
    let mut tests =
        tests![a_container_stops_whatever_unmount_says, a_hanging_unmount_blocks_its_container_alone,];
    tests.extend(tests![an_unmount_is_given_up_after_a_minute].into_iter().map(Test::slow));
    tests
}

fn a_container_stops_whatever_unmount_says() {
    let fixture = Fixture::with_busybox();
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
        fixture.create("data");
        fixture.run_for_long("user", "data");
        fixture.arm(&format!("unmount: {action}"), fact);
        fixture.succeeds("stop user");
        assert_eq!(fixture.open_mounts("data"), usize::from(still_open), "{action}");
        fixture.disarm();
        fixture.succeeds("start user");

        let mounts = fixture.plugin.calls("mount");
        let [.., first, second] = &mounts[..] else { panic!("{mounts:?}") };
        assert_eq!(first["mount_id"] == second["mount_id"], same_id, "{action}");
        fixture.succeeds("rm --force user");
        fixture.succeeds("volume rm data");
    }
    fixture.daemon.wait_for_log(&["Failed to umount volumes", "VolumeDriver.Unmount: boom"]);
}

fn a_hanging_unmount_blocks_its_container_alone() {
    let fixture = Fixture::with_busybox();
    fixture.create("data");
    fixture.run_for_long("user", "data");
    fixture.arm("unmount: hang", "docker-unmount-hang");
    let stop = fixture.daemon.start_docker("stop user");
    fixture.plugin.wait_until_waiting(1);
    let inspect = fixture.daemon.start_docker("inspect user");
    let remove = fixture.daemon.start_docker("rm --force user");
    for line in ["ps", "volume inspect data", "volume ls"] {
        fixture.succeeds(line);
    }
    assert!(stop.is_running() && inspect.is_running() && remove.is_running());

    fixture.disarm();
    stop.finish().succeeds();
    remove.finish().succeeds();
    assert_eq!(fixture.open_mounts("data"), 0);
}

fn an_unmount_is_given_up_after_a_minute() {
    let fixture = Fixture::with_busybox();
    fixture.create("data");
    fixture.run_for_long("user", "data");
    fixture.arm("unmount: hang", "docker-unmount-hang");
    fixture.daemon.start_docker("stop user").finish_within(Duration::from_secs(90)).succeeds();
    assert_eq!(fixture.plugin.calls("unmount")[0]["outcome"], "cancelled");
    assert_eq!(fixture.open_mounts("data"), 1);
    fixture.disarm();
}
