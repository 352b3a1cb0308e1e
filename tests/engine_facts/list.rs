//! Wrong answers to `List`.

use std::time::Duration;

use crate::{
    fixture::{DRIVER, Fixture},
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
    let mut fixture = Fixture::new();
    fixture.create("v");
    fixture.arm("list: null-entry", "docker-list-null-entry");
    let _ = fixture.daemon.docker("volume ls").fails();
    fixture.daemon.wait_for_end();
    fixture.daemon.wait_for_log(&["nil pointer dereference"]);
    fixture.daemon.wait_for_log(&["volumeDriverAdapter", "List"]);
}

fn the_list_is_believed() {
    let fixture = Fixture::new();
    fixture.create("v");
    assert_eq!(fixture.listed(), "v");

    for action in ["empty", "null"] {
        fixture.arm(&format!("list: {action}"), "docker-list-empty-reply");
        assert_eq!(fixture.listed(), "", "{action}");
    }
    fixture.arm("list: rename impostor", "docker-list-rename");
    assert_eq!(fixture.listed(), "impostor");
    fixture.arm("list: mountpoint /etc", "docker-get-mountpoint");
    assert_eq!(fixture.succeeds("volume ls --filter driver=poltergeist --format {{.Mountpoint}}"), "/etc");
    fixture.arm("list: stale", "docker-stale");
    assert_eq!(fixture.listed(), "", "of before the volume was made");
}

fn a_list_that_fails_is_replaced_by_what_the_daemon_remembers() {
    let fixture = Fixture::new();
    fixture.create("v");
    for (action, warning) in [
        ("fail \"boom\"", "list poltergeist: VolumeDriver.List: boom"),
        ("fail \"boom\" as inband", "list poltergeist: boom"),
        ("garbage", "list poltergeist: invalid character"),
        ("truncate", "list poltergeist: unexpected EOF"),
        ("wrong-type", "list poltergeist: json: cannot unmarshal array"),
        ("bad-time", "list poltergeist: parsing time"),
    ] {
        fixture.arm(&format!("list: {action}"), "docker-list-unexpected");
        let output = fixture.daemon.docker("volume ls --quiet").all_output();
        assert_eq!(output.trim(), "v", "{action}");
        let answer = fixture.daemon.api("/volumes");
        let output = answer["Warnings"][0].as_str().unwrap_or_default();
        assert!(output.starts_with(warning), "{action}: {answer}");
    }
}

fn a_hanging_list_blocks_nothing_else() {
    let fixture = Fixture::new();
    fixture.create("v");
    fixture.arm("list: hang once", "docker-list-hang");
    let list = fixture.daemon.start_docker("volume ls --quiet");
    fixture.plugin.wait_until_waiting(1);
    fixture.succeeds(&format!("volume create -d {DRIVER} other"));
    fixture.succeeds("volume inspect v");
    fixture.listed();
    fixture.succeeds("volume rm other");
    assert!(list.is_running());

    fixture.disarm();
    assert_eq!(list.finish().succeeds(), "v");
}

fn a_list_is_given_up_after_a_minute() {
    let fixture = Fixture::new();
    fixture.create("v");
    fixture.arm("list: hang", "docker-list-hang");
    let list = fixture.daemon.start_docker("volume ls --quiet");
    assert_eq!(list.finish_within(Duration::from_secs(90)).succeeds(), "v");
    assert_eq!(fixture.plugin.calls("list")[0]["outcome"], "cancelled");
}
