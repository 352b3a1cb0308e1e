//! Wrong answers to `Create`, on which all are tried that mean the same on every call.

use std::time::Duration;

use serde_json::json;

use crate::{
    fixture::{DRIVER, Fixture},
    support::Test,
    tests,
};

pub fn tests() -> Vec<Test> {
    let mut tests = tests![
        an_error_reaches_the_user_as_its_shape_lets_it,
        a_reply_that_cannot_be_read_is_an_error,
        a_reply_that_says_nothing_else_is_success,
        a_volume_that_was_not_made_is_known_until_the_next_look,
        a_hanging_create_blocks_its_name_and_no_other,
        a_name_with_a_separator_is_a_volume_like_any_other,
    ];
    tests.extend(tests![a_create_is_given_up_after_two_minutes].into_iter().map(Test::slow));
    tests
}

const CREATE: &str = "volume create -d poltergeist v";

fn an_error_reaches_the_user_as_its_shape_lets_it() {
    let fixture = Fixture::new();

    fixture.arm("create: fail \"boom\" as inband", "docker-fail-inband");
    fixture.fails(CREATE, "create v: boom");
    for form in ["text500", "json500", "http404", "http400"] {
        fixture.arm(&format!("create: fail \"boom\" as {form}"), "docker-fail");
        fixture.fails(CREATE, "create v: VolumeDriver.Create: boom");
    }
    assert_eq!(fixture.plugin.counters(["create"]), [5]);
}

fn a_reply_that_cannot_be_read_is_an_error() {
    let fixture = Fixture::new();
    for (action, fact, error) in [
        ("garbage", "docker-garbage", "create v: invalid character '<' looking for beginning of value"),
        ("wrong-type", "docker-wrong-type", "create v: json: cannot unmarshal array"),
        ("truncate", "docker-truncate", "create v: unexpected EOF"),
    ] {
        fixture.arm(&format!("create: {action}"), fact);
        fixture.fails(CREATE, error);
        // The work of an altered answer was done: undo it behind the daemon's back.
        fixture.plugin.command("wipe");
    }
    assert_eq!(fixture.plugin.counters(["create"]), [3]);
}

fn a_reply_that_says_nothing_else_is_success() {
    let fixture = Fixture::new();
    for (action, fact) in [
        ("pass", "docker-pass"),
        ("two-bodies", "docker-two-bodies"),
        ("empty", "docker-empty-reply"),
        ("null", "docker-empty-reply"),
        ("delay 1s", "docker-delayed"),
        ("drip 1s", "docker-delayed"),
    ] {
        fixture.arm(&format!("create: {action}"), fact);
        fixture.succeeds(CREATE);
        let call = fixture.plugin.calls("create").pop().expect("it was called");
        assert_eq!(call["outcome"], "ok", "{action}: {call}");
        fixture.disarm();
        fixture.plugin.command("wipe");
    }
}

fn a_volume_that_was_not_made_is_known_until_the_next_look() {
    let fixture = Fixture::new();
    fixture.arm("create: lie", "docker-create-lie");
    fixture.create("ghost");
    fixture.arm("list: fail \"boom\"", "docker-list-unexpected");
    assert_eq!(fixture.listed(), "ghost");
    fixture.fails("volume inspect ghost", "no such volume");
    assert_eq!(fixture.listed(), "");
}

fn a_hanging_create_blocks_its_name_and_no_other() {
    let fixture = Fixture::new();
    fixture.arm("create where volume=v: hang", "docker-create-hang");
    let first = fixture.daemon.start_docker(CREATE);
    fixture.plugin.wait_until_waiting(1);
    let second = fixture.daemon.start_docker(CREATE);
    fixture.create("other");
    assert_eq!(fixture.listed(), "other");
    assert!(first.is_running() && second.is_running());

    fixture.disarm();
    first.finish().succeeds();
    second.finish().succeeds();
    assert_eq!(fixture.plugin.counters(["create"]), [2], "the second found it made");
}

fn a_name_with_a_separator_is_a_volume_like_any_other() {
    let fixture = Fixture::new();
    fixture.succeeds(&format!("volume create -d {DRIVER} a/b"));
    assert_eq!(fixture.plugin.state()["volumes"][0]["name"], "a/b");
    fixture.succeeds("volume rm a/b");
    assert_eq!(fixture.plugin.state()["volumes"], json!([]));
}

fn a_create_is_given_up_after_two_minutes() {
    let fixture = Fixture::new();
    fixture.arm("create: hang", "docker-create-hang");
    let error = fixture.daemon.start_docker(CREATE).finish_within(Duration::from_secs(180)).fails();
    assert!(error.contains("context deadline exceeded"), "{error}");
    let calls = fixture.plugin.calls("create");
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert_eq!(calls[0]["outcome"], "cancelled");
}
