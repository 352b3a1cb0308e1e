//! Plugins and daemons that die, lose their memory, and come back.

use serde_json::json;

use crate::{
    stage::{DRIVER, Stage},
    support::Test,
    tests,
};

pub fn tests() -> Vec<Test> {
    tests![
        a_forgotten_volume_is_gone_for_the_daemon_too,
        volumes_and_open_mounts_survive_a_killed_plugin,
        mounts_of_a_killed_daemon_stay_open,
        a_crash_that_keeps_its_memory_goes_unnoticed,
        a_crash_that_loses_its_memory_leaves_the_daemon_with_references_to_nothing,
        a_call_in_flight_is_retried_after_a_crash,
    ]
}

fn a_forgotten_volume_is_gone_for_the_daemon_too() {
    let stage = Stage::new();
    stage.create("data");
    stage.plugin.command("forget data");
    stage.fails("volume inspect data", "no such volume");
    stage.plugin.command("restore data");
    stage.succeeds("volume inspect data");
}

fn volumes_and_open_mounts_survive_a_killed_plugin() {
    let mut stage = Stage::with_busybox();
    stage.succeeds(&format!("volume create -d {DRIVER} -o tier=gold data"));
    stage.run_for_long("user", "data");
    let before = stage.plugin.volume("data").expect("the volume is there");
    assert_eq!(stage.open_mounts("data"), 1);

    stage.plugin.kill_and_start_again();
    let after = stage.plugin.volume("data").expect("the volume is there again");
    for part in ["mountpoint", "options", "mounts"] {
        assert_eq!(after[part], before[part], "{part}");
    }

    stage.succeeds("kill user");
    assert_eq!(stage.open_mounts("data"), 0);
    stage.succeeds("rm user");
    stage.succeeds("volume rm data");
    assert!(stage.plugin.volume("data").is_none(), "removed by the daemon, kept by the plugin");
}

fn mounts_of_a_killed_daemon_stay_open() {
    let mut stage = Stage::with_busybox();
    stage.create("data");
    stage.run_for_long("user", "data");

    stage.daemon.kill_and_start_again();
    assert_eq!(stage.open_mounts("data"), 1);
    assert_eq!(stage.plugin.counters(["unmount"]), [0]);
}

fn a_crash_that_keeps_its_memory_goes_unnoticed() {
    let stage = Stage::with_busybox();
    stage.create("data");
    stage.run_for_long("user", "data");

    stage.plugin.command("crash keep");
    assert_eq!(stage.labels("data"), "map[team:ghosts]");
    stage.succeeds("restart user");
    stage.succeeds("rm --force user");
    assert_eq!(stage.open_mounts("data"), 0);
    assert_eq!(stage.plugin.counters(["activate", "mount", "unmount"]), [1, 2, 2]);
}

fn a_crash_that_loses_its_memory_leaves_the_daemon_with_references_to_nothing() {
    let stage = Stage::with_busybox();
    stage.create("data");
    stage.run_for_long("user", "data");

    stage.plugin.command("crash lose");
    assert_eq!(stage.listed(), "");
    for driver in [DRIVER, "local"] {
        stage.fails(
            &format!("volume create -d {driver} data"),
            "found references to volume 'data' in driver 'poltergeist' but the volume was not found in the driver",
        );
    }
    stage.plugin.command("conjure data");
    assert_eq!(stage.labels("data"), "map[team:ghosts]", "its own memory the daemon has not lost");
    stage.succeeds("stop user");
    let unmount = stage.plugin.calls("unmount").pop().expect("it was unmounted");
    assert_eq!(unmount["lints"], json!(["unmount-of-unknown-id"]));
}

fn a_call_in_flight_is_retried_after_a_crash() {
    let stage = Stage::new();
    stage.create("data");
    stage.plugin.command("arm list: hang once");
    let list = stage.daemon.start_docker("volume ls --quiet");
    stage.plugin.wait_until_waiting(1);
    stage.plugin.command("crash keep");
    assert_eq!(list.finish().succeeds(), "data");
    let bodies: Vec<_> = stage.plugin.calls("list").iter().map(|call| call["request"].clone()).collect();
    assert_eq!(bodies, ["{}\n", ""]);
}
