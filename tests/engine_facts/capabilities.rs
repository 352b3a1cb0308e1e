//! Wrong answers about the scope.

use std::time::Duration;

use crate::{
    fixture::{DRIVER, Fixture, arm},
    support::{Test, plugin::Registration},
    tests,
};

pub fn tests() -> Vec<Test> {
    let mut tests = tests![
        a_scope_that_was_reported_is_kept,
        a_scope_that_was_not_reported_is_asked_for_again,
        a_cut_connection_costs_fifteen_seconds_for_each_volume,
    ];
    tests.extend(tests![a_scope_that_does_not_come_is_local_after_a_minute].into_iter().map(Test::slow));
    tests
}

fn a_scope_that_was_reported_is_kept() {
    let fixture = Fixture::new();
    for (number, (action, fact, scope)) in [
        ("scope global", "docker-capabilities-scope", "global"),
        ("scope galactic", "docker-capabilities-scope", "local"),
        ("scope \"\"", "docker-capabilities-scope", "local"),
        ("empty", "docker-capabilities-empty-reply", "local"),
        ("null", "docker-capabilities-empty-reply", "local"),
    ]
    .into_iter()
    .enumerate()
    {
        let plugin = fixture.another(&format!("ghost{number}"), Registration::Socket);
        arm(&plugin, &format!("capabilities: {action}"), fact);
        fixture.succeeds(&format!("volume create -d ghost{number} v{number}"));
        plugin.command("disarm all");
        for _ in 0..2 {
            let output = fixture.succeeds(&format!("volume inspect --format={{{{.Scope}}}} v{number}"));
            assert_eq!(output, scope, "{action}");
        }
        assert_eq!(plugin.counters(["capabilities"]), [1], "{action}");
    }
    fixture.daemon.wait_for_log(&["invalid scope", "ghost1"]);
    assert_eq!(fixture.daemon.logged(&["invalid scope", "ghost2"]), 0, "an empty scope is none to warn of");
}

fn a_scope_that_was_not_reported_is_asked_for_again() {
    let fixture = Fixture::new();
    fixture.arm("capabilities: fail \"boom\"", "docker-capabilities-unexpected");
    for volume in ["v0", "v1", "v2"] {
        fixture.create(volume);
    }
    for action in ["fail \"boom\"", "fail \"boom\" as inband", "garbage", "truncate", "wrong-type"] {
        fixture.arm(&format!("capabilities: {action}"), "docker-capabilities-unexpected");
        fixture.plugin.command("reset");
        assert_eq!(fixture.listed(), "v0\nv1\nv2");
        assert_eq!(fixture.plugin.counters(["list", "capabilities"]), [1, 3], "{action}");
        assert_eq!(fixture.succeeds("volume inspect --format={{.Scope}} v0"), "local", "{action}");
    }
}

fn a_cut_connection_costs_fifteen_seconds_for_each_volume() {
    let fixture = Fixture::new();
    fixture.arm("capabilities: fail \"boom\"", "docker-capabilities-unexpected");
    fixture.create("v0");
    fixture.create("v1");

    fixture.arm("capabilities: eof", "docker-capabilities-connection-lost");
    fixture.plugin.command("reset");
    assert_eq!(fixture.listed(), "v0\nv1");
    // Five tries each, which take 15 s.
    assert_eq!(fixture.plugin.counters(["list", "capabilities"]), [1, 10]);
}

fn a_scope_that_does_not_come_is_local_after_a_minute() {
    let fixture = Fixture::new();
    fixture.arm("capabilities: hang", "docker-capabilities-hang");
    let create = fixture.daemon.start_docker(&format!("volume create -d {DRIVER} v"));
    create.finish_within(Duration::from_secs(200)).succeeds();
    let waited = fixture.plugin.calls("capabilities");
    assert_eq!(waited.len(), 2, "a minute each");
    assert!(waited.iter().all(|call| call["outcome"] == "cancelled"), "{waited:?}");

    fixture.disarm();
    fixture.succeeds("volume inspect v");
    assert_eq!(fixture.plugin.calls("capabilities").len(), waited.len() + 1);
}
