//! Wrong answers to `Remove`.

use std::time::Duration;

use crate::{fixture::Fixture, support::Test, tests};

pub fn tests() -> Vec<Test> {
    let mut tests = tests![
        a_remove_that_fails_keeps_the_volume_unless_forced,
        a_remove_that_fails_is_not_reported_by_rm_v,
        a_remove_that_was_done_and_reported_badly_shows_at_the_next_look,
        a_remove_that_was_not_done_shows_at_the_next_list,
        a_hanging_remove_blocks_the_list,
    ];
    tests.extend(tests![a_remove_is_given_up_after_a_minute].into_iter().map(Test::slow));
    tests
}

fn a_remove_that_fails_keeps_the_volume_unless_forced() {
    let fixture = Fixture::new();
    for (action, error) in [
        ("fail \"in use\"", "remove v: VolumeDriver.Remove: in use"),
        ("fail \"in use\" as inband", "remove v: in use"),
        ("garbage", "remove v: invalid character"),
    ] {
        fixture.create("v");
        fixture.arm(&format!("remove: {action}"), "docker-remove-fail");
        fixture.fails("volume rm v", error);
        assert_eq!(fixture.labels("v"), "map[team:ghosts]", "{action}");
        fixture.fails("volume rm --force v", error);
        assert_eq!(fixture.labels("v"), "map[]", "{action}");
        fixture.disarm();
        fixture.succeeds("volume rm v");
    }
}

fn a_remove_that_fails_is_not_reported_by_rm_v() {
    let fixture = Fixture::with_busybox();
    fixture.succeeds("create --name user -v /data --volume-driver poltergeist busybox true");
    fixture.arm("remove: fail \"in use\"", "docker-remove-fail");
    fixture.succeeds("rm -v user");
    assert_eq!(fixture.plugin.counters(["remove"]), [1]);
    assert_eq!(fixture.listed().lines().count(), 1, "the volume is kept");
    assert_eq!(fixture.succeeds("ps --all --quiet"), "", "the container is gone");
}

fn a_remove_that_was_done_and_reported_badly_shows_at_the_next_look() {
    let fixture = Fixture::new();
    for (action, error) in [("truncate", "unexpected EOF"), ("wrong-type", "cannot unmarshal array")] {
        fixture.create("v");
        fixture.arm(&format!("remove: {action}"), "docker-remove-malformed");
        fixture.fails("volume rm v", error);
        fixture.arm("list: fail \"boom\"", "docker-list-unexpected");
        assert_eq!(fixture.listed(), "v", "{action}");
        fixture.fails("volume inspect v", "no such volume");
        assert_eq!(fixture.listed(), "", "{action}");
    }
}

fn a_remove_that_was_not_done_shows_at_the_next_list() {
    let fixture = Fixture::new();
    for action in ["lie", "empty", "null"] {
        fixture.create("v");
        fixture.arm(&format!("remove: {action}"), "docker-remove-empty-reply");
        fixture.succeeds("volume rm v");
        assert_eq!(fixture.listed(), "v", "{action}");
        assert_eq!(fixture.labels("v"), "map[]", "{action}");
        fixture.disarm();
        fixture.succeeds("volume rm v");
    }
}

fn a_hanging_remove_blocks_the_list() {
    let fixture = Fixture::new();
    fixture.create("v");
    fixture.create("other");
    fixture.arm("remove: hang", "docker-remove-hang");
    let remove = fixture.daemon.start_docker("volume rm v");
    fixture.plugin.wait_until_waiting(1);
    let list = fixture.daemon.start_docker("volume ls --quiet");
    fixture.succeeds("volume inspect other");
    assert!(remove.is_running() && list.is_running());

    fixture.disarm();
    remove.finish().succeeds();
    assert!(list.finish().succeeds().contains("other"));
}

fn a_remove_is_given_up_after_a_minute() {
    let fixture = Fixture::new();
    fixture.create("v");
    fixture.arm("remove: hang", "docker-remove-hang");
    let remove = fixture.daemon.start_docker("volume rm v");
    fixture.plugin.wait_until_waiting(1);
    let list = fixture.daemon.start_docker("volume ls --quiet");
    let error = remove.finish_within(Duration::from_secs(90)).fails();
    assert!(error.contains("context deadline exceeded"), "{error}");
    assert_eq!(list.finish().succeeds(), "v");
    assert_eq!(fixture.plugin.calls("remove")[0]["outcome"], "cancelled");
}
