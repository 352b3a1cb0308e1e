//! Wrong answers to the handshake.

use std::time::Duration;

use crate::{
    stage::{DRIVER, Stage, arm},
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
    let mut stage = Stage::new();
    let actions = ["empty", "null", "fail \"boom\" as inband", "implements nothing", "implements AuthZ"];
    let plugins: Vec<_> = (0..actions.len())
        .map(|number| stage.another(&format!("ghost{number}"), Registration::Socket))
        .collect();
    for (plugin, action) in plugins.iter().zip(actions) {
        arm(plugin, &format!("activate: {action}"), "docker-activate-empty-reply");
    }
    for (number, plugin) in plugins.iter().enumerate() {
        let create = format!("volume create -d ghost{number} v{number}");
        stage.fails(&create, "does not implement the requested driver");
        plugin.command("disarm all");
        stage.fails(&create, "does not implement the requested driver");
        assert_eq!(plugin.counters(["activate"]), [1]);
    }

    stage.daemon.restart();
    stage.succeeds("volume create -d ghost0 v0");
}

fn an_activation_that_fails_is_repeated() {
    let stage = Stage::new();
    let actions = ["fail \"boom\"", "fail \"boom\" as json500", "garbage", "truncate", "wrong-type"];
    for (number, action) in actions.into_iter().enumerate() {
        let plugin = stage.another(&format!("ghost{number}"), Registration::Socket);
        arm(&plugin, &format!("activate: {action}"), "docker-activate-unexpected");
        let create = format!("volume create -d ghost{number} v{number}");
        stage.fails(&create, "error looking up volume plugin");
        plugin.command("disarm all");
        stage.succeeds(&create);
        assert_eq!(plugin.counters(["activate"]), [2]);
    }
}

fn a_hanging_activation_blocks_all_that_asks_every_driver() {
    let stage = Stage::new();
    stage.create("known");
    let silent = stage.another("silent", Registration::Socket);

    arm(&silent, "activate: hang", "docker-activate-hang");
    let blocked = ["volume ls", "system df", "volume prune --force", "volume inspect unknown"]
        .map(|line| stage.daemon.start_docker(line));
    silent.wait_until_waiting(1);
    stage.succeeds("ps");
    stage.succeeds("volume inspect known");
    assert!(blocked.iter().all(Running::is_running), "one did not wait for the activation");

    silent.command("release all");
    let [list, usage, prune, inspect] = blocked.map(Running::finish);
    assert!(list.succeeds().contains("known"));
    usage.succeeds();
    prune.succeeds();
    let _ = inspect.fails();
}

fn a_hanging_activation_keeps_a_daemon_from_starting() {
    let mut stage = Stage::new();
    stage.create("v");

    stage.arm("activate: hang", "docker-activate-hang");
    stage.daemon.kill_and_let_start();
    stage.plugin.wait_until_waiting(1);
    let started = ["Daemon has completed initialization"];
    assert_eq!(stage.daemon.logged(&started), 1, "that of its first life");
    stage.disarm();
    stage.daemon.wait_until_it_answers();
    assert_eq!(stage.daemon.logged(&started), 2);
    assert_eq!(stage.labels("v"), "map[team:ghosts]");
}

/// All other calls have one of at most 2 min.
fn a_late_activation_has_no_limit() {
    let stage = Stage::new();
    stage.arm("activate: delay 125s", "docker-activate-delayed");
    let create = stage.daemon.start_docker(&format!("volume create -d {DRIVER} v"));
    create.finish_within(Duration::from_secs(180)).succeeds();
}
