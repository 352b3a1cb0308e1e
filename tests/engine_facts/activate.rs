//! Wrong answers to the handshake.

use std::time::Duration;

use crate::{
    fixture::{DRIVER, Fixture, arm},
    support::{Test, docker::Running, plugin::Registration},
    tests,
};

pub fn tests() -> Vec<Test> {
    let mut tests = tests![
        an_activation_without_a_driver_is_kept_until_the_daemon_restarts,
        an_activation_that_fails_is_repeated,
        a_hanging_activation_blocks_all_that_asks_every_driver,
        a_hanging_activation_keeps_a_daemon_from_starting,
    ];
    tests.extend(tests![a_late_activation_has_no_limit].into_iter().map(Test::slow));
    tests
}

fn an_activation_without_a_driver_is_kept_until_the_daemon_restarts() {
    let mut fixture = Fixture::new();
    let actions = ["empty", "null", "fail \"boom\" as inband", "implements nothing", "implements AuthZ"];
    let plugins: Vec<_> = (0..actions.len())
        .map(|number| fixture.another(&format!("ghost{number}"), Registration::Socket))
        .collect();
    for (plugin, action) in plugins.iter().zip(actions) {
        arm(plugin, &format!("activate: {action}"), "docker-activate-empty-reply");
    }
    for (number, plugin) in plugins.iter().enumerate() {
        let create = format!("volume create -d ghost{number} v{number}");
        fixture.fails(&create, "does not implement the requested driver");
        plugin.command("disarm all");
        fixture.fails(&create, "does not implement the requested driver");
        assert_eq!(plugin.counters(["activate"]), [1]);
    }

    fixture.daemon.restart();
    fixture.succeeds("volume create -d ghost0 v0");
}

fn an_activation_that_fails_is_repeated() {
    let fixture = Fixture::new();
    let actions = ["fail \"boom\"", "fail \"boom\" as json500", "garbage", "truncate", "wrong-type"];
    for (number, action) in actions.into_iter().enumerate() {
        let plugin = fixture.another(&format!("ghost{number}"), Registration::Socket);
        arm(&plugin, &format!("activate: {action}"), "docker-activate-unexpected");
        let create = format!("volume create -d ghost{number} v{number}");
        fixture.fails(&create, "error looking up volume plugin");
        plugin.command("disarm all");
        fixture.succeeds(&create);
        assert_eq!(plugin.counters(["activate"]), [2]);
    }
}

fn a_hanging_activation_blocks_all_that_asks_every_driver() {
    let fixture = Fixture::new();
    fixture.create("known");
    let silent = fixture.another("silent", Registration::Socket);

    arm(&silent, "activate: hang", "docker-activate-hang");
    let blocked = ["volume ls", "system df", "volume prune --force", "volume inspect unknown"]
        .map(|line| fixture.daemon.start_docker(line));
    silent.wait_until_waiting(1);
    fixture.succeeds("ps");
    fixture.succeeds("volume inspect known");
    assert!(blocked.iter().all(Running::is_running), "one did not wait for the activation");

    silent.command("release all");
    let [list, usage, prune, inspect] = blocked.map(Running::finish);
    assert!(list.succeeds().contains("known"));
    usage.succeeds();
    prune.succeeds();
    let _ = inspect.fails();
}

fn a_hanging_activation_keeps_a_daemon_from_starting() {
    let mut fixture = Fixture::new();
    fixture.create("v");

    fixture.arm("activate: hang", "docker-activate-hang");
    fixture.daemon.kill_and_let_start();
    fixture.plugin.wait_until_waiting(1);
    let started = ["Daemon has completed initialization"];
    assert_eq!(fixture.daemon.logged(&started), 1, "that of its first life");
    fixture.disarm();
    fixture.daemon.wait_until_it_answers();
    assert_eq!(fixture.daemon.logged(&started), 2);
    assert_eq!(fixture.labels("v"), "map[team:ghosts]");
}

/// All other calls have one of at most 2 min.
fn a_late_activation_has_no_limit() {
    let fixture = Fixture::new();
    fixture.arm("activate: delay 125s", "docker-activate-delayed");
    let create = fixture.daemon.start_docker(&format!("volume create -d {DRIVER} v"));
    create.finish_within(Duration::from_secs(180)).succeeds();
}
