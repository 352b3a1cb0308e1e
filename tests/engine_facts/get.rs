//! Wrong answers to `Get`, the call before all others: what fails in it is forgotten.

use std::time::Duration;

use serde_json::json;

use crate::{fixture::Fixture, support::Test, tests};

pub fn tests() -> Vec<Test> {
    let mut tests = tests![
        a_get_that_fails_loses_what_the_daemon_knew,
        a_volume_that_a_get_denied_can_be_removed_while_it_is_used,
        a_volume_that_a_get_denied_is_replaced_by_an_empty_local_one,
        a_get_is_believed,
        a_driver_that_claims_every_name_gets_anonymous_volumes_and_those_of_a_build,
        a_get_that_is_cut_off_loses_nothing,
        a_retried_get_has_an_empty_body_and_its_refusal_is_believed,
        a_hanging_get_blocks_the_list,
    ];
    tests.extend(tests![a_get_is_given_up_after_a_minute_and_loses_nothing].into_iter().map(Test::slow));
    tests
}

fn a_get_that_fails_loses_what_the_daemon_knew() {
    let fixture = Fixture::new();
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
        fixture.create("data");
        assert_eq!(fixture.labels("data"), "map[team:ghosts]");
        fixture.arm(&format!("get: {action} once"), "docker-get-unexpected");
        fixture.fails("volume inspect data", "no such volume");
        assert_eq!(fixture.labels("data"), "map[]", "{action}");
        fixture.succeeds("volume rm data");
    }
}

fn a_volume_that_a_get_denied_can_be_removed_while_it_is_used() {
    let fixture = Fixture::with_busybox();
    fixture.create("data");
    fixture.run_for_long("user", "data");
    fixture.fails("volume rm data", "volume is in use");

    fixture.arm("get: fail \"boom\" once", "docker-get-unexpected");
    fixture.fails("volume inspect data", "no such volume");
    fixture.succeeds("volume rm data");
    fixture.succeeds("stop user");
    assert_eq!(fixture.plugin.counters(["mount", "unmount"]), [1, 0]);
}

fn a_volume_that_a_get_denied_is_replaced_by_an_empty_local_one() {
    let fixture = Fixture::with_busybox();
    fixture.create("data");
    let driver = "volume inspect --format={{.Driver}} data";
    assert_eq!(fixture.succeeds(driver), "poltergeist");

    fixture.arm("get: fail \"boom\"", "docker-get-unexpected");
    assert_eq!(fixture.succeeds("run --rm -v data:/data busybox ls /data"), "");
    fixture.disarm();
    assert_eq!(fixture.succeeds(driver), "local");
    assert_eq!(fixture.listed(), "", "the plugin's volume is hidden by the other");
    assert!(fixture.plugin.volume("data").is_some());
}

fn a_get_is_believed() {
    let fixture = Fixture::with_busybox();
    let inspect = "volume inspect --format={{.Name}}:{{.Mountpoint}} data";
    fixture.create("data");

    fixture.arm("get: rename impostor", "docker-get-rename");
    assert!(fixture.succeeds(inspect).starts_with("impostor:"));
    for (action, shown) in [("/etc", "data:/etc"), ("empty", "data:"), ("relative", "data:tmp/")] {
        fixture.arm(&format!("get: mountpoint {action}"), "docker-get-mountpoint");
        assert!(fixture.succeeds(inspect).starts_with(shown), "{action}");
        let files = fixture.succeeds("run --rm -v data:/data busybox ls /data");
        assert!(files.contains("mountID"), "{action}: {files}");
    }

    fixture.disarm();
    fixture.succeeds("volume rm data");
    fixture.arm("get: stale", "docker-stale");
    fixture.succeeds(inspect);
    fixture.disarm();
    fixture.create("data");
    fixture.arm("get: stale", "docker-stale");
    fixture.fails(inspect, "no such volume");

    fixture.arm("get: lie", "docker-get-lie");
    fixture.plugin.command("reset");
    fixture.create("ghost");
    assert_eq!(fixture.plugin.counters(["get", "create"]), [1, 0]);
    fixture.succeeds("create --name user -v nobodys:/data busybox true");
    let driver = fixture.succeeds("volume inspect --format={{.Driver}} nobodys");
    assert_eq!(driver, "poltergeist", "a name without a driver lands on it");
}

fn a_driver_that_claims_every_name_gets_anonymous_volumes_and_those_of_a_build() {
    let fixture = Fixture::with_busybox();
    // The daemon asks the drivers that it knows.
    fixture.listed();
    fixture.arm("get: lie", "docker-get-lie");
    let mounts = |what: &str| {
        let counters = fixture.plugin.counters(["create", "mount", "unmount"]);
        fixture.plugin.command("reset");
        assert_eq!(counters[0], 0, "{what}");
        assert_eq!(counters[1], counters[2], "{what}");
        counters[1]
    };
    fixture.succeeds("run --rm -v /anonymous busybox true");
    assert_eq!(mounts("an anonymous volume"), 1);
    let output = fixture.build("with-volume", "FROM busybox\nVOLUME /built\nRUN ls /built\n");
    assert!(mounts("a build") >= 1, "{output}");
    assert!(output.contains("mountID"), "the driver's files are in it: {output}");
    fixture.disarm();
}

fn a_get_that_is_cut_off_loses_nothing() {
    let fixture = Fixture::new();
    fixture.create("data");
    fixture.arm("get: eof", "docker-get-connection-lost");
    fixture.fails("volume inspect data", "error while checking if volume \"data\" exists in driver");
    fixture.disarm();
    assert_eq!(fixture.labels("data"), "map[team:ghosts]");
}

fn a_retried_get_has_an_empty_body_and_its_refusal_is_believed() {
    let fixture = Fixture::new();
    fixture.create("data");

    fixture.arm("get: eof once", "docker-get-connection-lost");
    fixture.fails("volume inspect data", "no such volume");
    let gets = fixture.plugin.calls("get");
    let [.., first, retry] = &gets[..] else { panic!("{gets:?}") };
    assert_eq!(first["volume"], "data");
    assert_eq!(retry["request"], "");
    assert_eq!(retry["lints"], json!(["nameless-request", "empty-body-retry"]));
    assert_eq!(fixture.labels("data"), "map[]");
}

fn a_hanging_get_blocks_the_list() {
    let fixture = Fixture::new();
    fixture.create("data");
    fixture.create("other");
    fixture.arm("get where volume=data: hang", "docker-get-hang");
    let inspect = fixture.daemon.start_docker("volume inspect data");
    fixture.plugin.wait_until_waiting(1);
    let list = fixture.daemon.start_docker("volume ls");
    fixture.succeeds("volume inspect other");
    assert!(inspect.is_running() && list.is_running());

    fixture.plugin.command("release");
    inspect.finish().succeeds();
    list.finish().succeeds();
}

fn a_get_is_given_up_after_a_minute_and_loses_nothing() {
    let fixture = Fixture::new();
    fixture.create("data");
    fixture.arm("get: hang", "docker-get-hang");
    let inspect = fixture.daemon.start_docker("volume inspect data");
    let error = inspect.finish_within(Duration::from_secs(90)).fails();
    assert!(error.contains("context deadline exceeded"), "{error}");
    fixture.disarm();
    assert_eq!(fixture.labels("data"), "map[team:ghosts]");
}
