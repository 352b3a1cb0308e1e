//! Wrong answers to `Get`, the call before all others: what fails in it is forgotten.

use std::time::Duration;

use serde_json::json;

use crate::{stage::Stage, support::Test, tests};

pub fn tests() -> Vec<Test> {
    let mut tests = tests![
        a_get_that_fails_loses_what_the_daemon_knew,
        a_volume_that_a_get_denied_can_be_removed_while_it_is_used,
        a_volume_that_a_get_denied_is_replaced_by_an_empty_local_one,
        a_get_is_believed,
        a_get_that_is_cut_off_loses_nothing,
        a_retried_get_has_an_empty_body_and_its_refusal_is_believed,
        a_hanging_get_blocks_the_list,
    ];
    tests.extend(tests![a_get_is_given_up_after_a_minute_and_loses_nothing].into_iter().map(Test::slow));
    tests
}

fn a_get_that_fails_loses_what_the_daemon_knew() {
    let stage = Stage::new();
    for action in [
        "fail \"boom\"",
        "fail \"boom\" as inband",
        "fail \"boom\" as json500",
        "fail \"boom\" as http404",
        "empty",
        "null",
        "garbage",
        "truncate",
        "wrong-type",
        "bad-time",
    ] {
        stage.create("data");
        assert_eq!(stage.labels("data"), "map[team:ghosts]");
        stage.arm(&format!("get: {action} once"), "docker-get-unexpected");
        stage.fails("volume inspect data", "no such volume");
        assert_eq!(stage.labels("data"), "map[]", "{action}");
        stage.succeeds("volume rm data");
    }
}

fn a_volume_that_a_get_denied_can_be_removed_while_it_is_used() {
    let stage = Stage::with_busybox();
    stage.create("data");
    stage.run_for_long("user", "data");
    stage.fails("volume rm data", "volume is in use");

    stage.arm("get: fail \"boom\" once", "docker-get-unexpected");
    stage.fails("volume inspect data", "no such volume");
    stage.succeeds("volume rm data");
    stage.succeeds("stop user");
    assert_eq!(stage.plugin.counters(["mount", "unmount"]), [1, 0]);
}

fn a_volume_that_a_get_denied_is_replaced_by_an_empty_local_one() {
    let stage = Stage::with_busybox();
    stage.create("data");
    let driver = "volume inspect --format={{.Driver}} data";
    assert_eq!(stage.succeeds(driver), "poltergeist");

    stage.arm("get: fail \"boom\"", "docker-get-unexpected");
    assert_eq!(stage.succeeds("run --rm -v data:/data busybox ls /data"), "");
    stage.disarm();
    assert_eq!(stage.succeeds(driver), "local");
    assert_eq!(stage.listed(), "", "the plugin's volume is hidden by the other");
    assert!(stage.plugin.volume("data").is_some());
}

fn a_get_is_believed() {
    let stage = Stage::with_busybox();
    let inspect = "volume inspect --format={{.Name}}:{{.Mountpoint}} data";
    stage.create("data");

    stage.arm("get: rename impostor", "docker-get-rename");
    assert!(stage.succeeds(inspect).starts_with("impostor:"));
    for (action, shown) in [("/etc", "data:/etc"), ("empty", "data:"), ("relative", "data:tmp/")] {
        stage.arm(&format!("get: mountpoint {action}"), "docker-get-mountpoint");
        assert!(stage.succeeds(inspect).starts_with(shown), "{action}");
        let files = stage.succeeds("run --rm -v data:/data busybox ls /data");
        assert!(files.contains("mountID"), "{action}: {files}");
    }

    stage.disarm();
    stage.succeeds("volume rm data");
    stage.arm("get: stale", "docker-stale");
    stage.succeeds(inspect);
    stage.disarm();
    stage.create("data");
    stage.arm("get: stale", "docker-stale");
    stage.fails(inspect, "no such volume");

    stage.arm("get: lie", "docker-get-lie");
    stage.plugin.command("reset");
    stage.create("ghost");
    assert_eq!(stage.plugin.counters(["get", "create"]), [1, 0]);
}

fn a_get_that_is_cut_off_loses_nothing() {
    let stage = Stage::new();
    stage.create("data");
    stage.arm("get: eof", "docker-get-connection-lost");
    stage.fails("volume inspect data", "error while checking if volume \"data\" exists in driver");
    stage.disarm();
    assert_eq!(stage.labels("data"), "map[team:ghosts]");
}

fn a_retried_get_has_an_empty_body_and_its_refusal_is_believed() {
    let stage = Stage::new();
    stage.create("data");

    stage.arm("get: eof once", "docker-get-connection-lost");
    stage.fails("volume inspect data", "no such volume");
    let gets = stage.plugin.calls("get");
    let [.., first, retry] = &gets[..] else { panic!("{gets:?}") };
    assert_eq!(first["volume"], "data");
    assert_eq!(retry["request"], "");
    assert_eq!(retry["lints"], json!(["nameless-request", "empty-body-retry"]));
    assert_eq!(stage.labels("data"), "map[]");
}

fn a_hanging_get_blocks_the_list() {
    let stage = Stage::new();
    stage.create("data");
    stage.create("other");
    stage.arm("get where volume=data: hang", "docker-get-hang");
    let inspect = stage.daemon.start_docker("volume inspect data");
    stage.plugin.wait_until_waiting(1);
    let list = stage.daemon.start_docker("volume ls");
    stage.succeeds("volume inspect other");
    assert!(inspect.is_running() && list.is_running());

    stage.plugin.command("release");
    inspect.finish().succeeds();
    list.finish().succeeds();
}

fn a_get_is_given_up_after_a_minute_and_loses_nothing() {
    let stage = Stage::new();
    stage.create("data");
    stage.arm("get: hang", "docker-get-hang");
    let inspect = stage.daemon.start_docker("volume inspect data");
    let error = inspect.finish_within(Duration::from_secs(90)).fails();
    assert!(error.contains("context deadline exceeded"), "{error}");
    stage.disarm();
    assert_eq!(stage.labels("data"), "map[team:ghosts]");
}
