//! Wrong answers to `Remove`.

use std::time::Duration;

use crate::{stage::Stage, support::Test, tests};

pub fn tests() -> Vec<Test> {
    let mut tests = tests![
        a_remove_that_fails_keeps_the_volume_unless_forced,
        a_remove_that_was_done_and_told_badly_shows_at_the_next_look,
        a_remove_that_was_not_done_shows_at_the_next_list,
        a_hanging_remove_blocks_the_list,
    ];
    tests.extend(tests![a_remove_is_given_up_after_a_minute].into_iter().map(Test::slow));
    tests
}

fn a_remove_that_fails_keeps_the_volume_unless_forced() {
    let stage = Stage::new();
    for (action, error) in [
        ("fail \"in use\"", "remove v: VolumeDriver.Remove: in use"),
        ("fail \"in use\" as inband", "remove v: in use"),
        ("garbage", "remove v: invalid character"),
    ] {
        stage.create("v");
        stage.arm(&format!("remove: {action}"), "docker-remove-fail");
        stage.fails("volume rm v", error);
        assert_eq!(stage.labels("v"), "map[team:ghosts]", "{action}");
        stage.fails("volume rm --force v", error);
        assert_eq!(stage.labels("v"), "map[]", "{action}");
        stage.disarm();
        stage.succeeds("volume rm v");
    }
}

fn a_remove_that_was_done_and_told_badly_shows_at_the_next_look() {
    let stage = Stage::new();
    for (action, error) in [("truncate", "unexpected EOF"), ("wrong-type", "cannot unmarshal array")] {
        stage.create("v");
        stage.arm(&format!("remove: {action}"), "docker-remove-malformed");
        stage.fails("volume rm v", error);
        stage.arm("list: fail \"boom\"", "docker-list-unexpected");
        assert_eq!(stage.listed(), "v", "{action}");
        stage.fails("volume inspect v", "no such volume");
        assert_eq!(stage.listed(), "", "{action}");
    }
}

fn a_remove_that_was_not_done_shows_at_the_next_list() {
    let stage = Stage::new();
    for action in ["lie", "empty", "null"] {
        stage.create("v");
        stage.arm(&format!("remove: {action}"), "docker-remove-empty-reply");
        stage.succeeds("volume rm v");
        assert_eq!(stage.listed(), "v", "{action}");
        assert_eq!(stage.labels("v"), "map[]", "{action}");
        stage.disarm();
        stage.succeeds("volume rm v");
    }
}

fn a_hanging_remove_blocks_the_list() {
    let stage = Stage::new();
    stage.create("v");
    stage.create("other");
    stage.arm("remove: hang", "docker-remove-hang");
    let remove = stage.daemon.start_docker("volume rm v");
    stage.plugin.wait_until_waiting(1);
    let list = stage.daemon.start_docker("volume ls --quiet");
    stage.succeeds("volume inspect other");
    assert!(remove.is_running() && list.is_running());

    stage.disarm();
    remove.finish().succeeds();
    assert!(list.finish().succeeds().contains("other"));
}

fn a_remove_is_given_up_after_a_minute() {
    let stage = Stage::new();
    stage.create("v");
    stage.arm("remove: hang", "docker-remove-hang");
    let remove = stage.daemon.start_docker("volume rm v");
    stage.plugin.wait_until_waiting(1);
    let list = stage.daemon.start_docker("volume ls --quiet");
    let error = remove.finish_within(Duration::from_secs(90)).fails();
    assert!(error.contains("context deadline exceeded"), "{error}");
    assert_eq!(list.finish().succeeds(), "v");
    assert_eq!(stage.plugin.calls("remove")[0]["outcome"], "cancelled");
}
