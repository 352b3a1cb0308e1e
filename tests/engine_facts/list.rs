//! Wrong answers to `List`.

use std::time::Duration;

use crate::{
    stage::{DRIVER, Stage},
    support::Test,
    tests,
};

pub fn tests() -> Vec<Test> {
    let mut tests = tests![
        a_null_among_the_listed_volumes_ends_the_daemon,
        the_list_is_believed,
        a_list_that_fails_is_replaced_by_what_the_daemon_remembers,
        a_hanging_list_blocks_nothing_else,
    ];
    tests.extend(tests![a_list_is_given_up_after_a_minute].into_iter().map(Test::slow));
    tests
}

fn a_null_among_the_listed_volumes_ends_the_daemon() {
    let mut stage = Stage::new();
    stage.create("v");
    stage.arm("list: null-entry", "docker-list-null-entry");
    let _ = stage.daemon.docker("volume ls").fails();
    stage.daemon.wait_for_end();
    stage.daemon.wait_for_log(&["nil pointer dereference"]);
    stage.daemon.wait_for_log(&["volumeDriverAdapter", "List"]);
}

fn the_list_is_believed() {
    let stage = Stage::new();
    stage.create("v");
    assert_eq!(stage.listed(), "v");

    for action in ["empty", "null"] {
        stage.arm(&format!("list: {action}"), "docker-list-empty-reply");
        assert_eq!(stage.listed(), "", "{action}");
    }
    stage.arm("list: rename impostor", "docker-list-rename");
    assert_eq!(stage.listed(), "impostor");
    stage.arm("list: mountpoint /etc", "docker-get-mountpoint");
    assert_eq!(stage.succeeds("volume ls --filter driver=poltergeist --format {{.Mountpoint}}"), "/etc");
    stage.arm("list: stale", "docker-stale");
    assert_eq!(stage.listed(), "", "of before the volume was made");
}

fn a_list_that_fails_is_replaced_by_what_the_daemon_remembers() {
    let stage = Stage::new();
    stage.create("v");
    for (action, warning) in [
        ("fail \"boom\"", "list poltergeist: VolumeDriver.List: boom"),
        ("fail \"boom\" as inband", "list poltergeist: boom"),
        ("garbage", "list poltergeist: invalid character"),
        ("truncate", "list poltergeist: unexpected EOF"),
        ("wrong-type", "list poltergeist: json: cannot unmarshal array"),
        ("bad-time", "list poltergeist: parsing time"),
    ] {
        stage.arm(&format!("list: {action}"), "docker-list-unexpected");
        let told = stage.daemon.docker("volume ls --quiet").all_output();
        assert_eq!(told.trim(), "v", "{action}");
        let answer = stage.daemon.api("/volumes");
        let told = answer["Warnings"][0].as_str().unwrap_or_default();
        assert!(told.starts_with(warning), "{action}: {answer}");
    }
}

fn a_hanging_list_blocks_nothing_else() {
    let stage = Stage::new();
    stage.create("v");
    stage.arm("list: hang once", "docker-list-hang");
    let list = stage.daemon.start_docker("volume ls --quiet");
    stage.plugin.wait_until_waiting(1);
    stage.succeeds(&format!("volume create -d {DRIVER} other"));
    stage.succeeds("volume inspect v");
    stage.listed();
    stage.succeeds("volume rm other");
    assert!(list.is_running());

    stage.disarm();
    assert_eq!(list.finish().succeeds(), "v");
}

fn a_list_is_given_up_after_a_minute() {
    let stage = Stage::new();
    stage.create("v");
    stage.arm("list: hang", "docker-list-hang");
    let list = stage.daemon.start_docker("volume ls --quiet");
    assert_eq!(list.finish_within(Duration::from_secs(90)).succeeds(), "v");
    assert_eq!(stage.plugin.calls("list")[0]["outcome"], "cancelled");
}
