//! Plugins and daemons that die, lose their memory, and come back.

use serde_json::json;

use crate::{
    fixture::{DRIVER, Fixture},
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
    let fixture = Fixture::new();
    fixture.create("data");
    fixture.plugin.command("forget data");
    fixture.fails("volume inspect data", "no such volume");
    fixture.plugin.command("restore data");
    fixture.succeeds("volume inspect data");
}

fn volumes_and_open_mounts_survive_a_killed_plugin() {
    let mut fixture = Fixture::with_busybox();
    fixture.succeeds(&format!("volume create -d {DRIVER} -o tier=gold data"));
    fixture.run_for_long("user", "data");
    let before = fixture.plugin.volume("data").expect("the volume is there");
    assert_eq!(fixture.open_mounts("data"), 1);

    fixture.plugin.kill_and_start_again();
    let after = fixture.plugin.volume("data").expect("the volume is there again");
    for part in ["mountpoint", "options", "mounts"] {
        assert_eq!(after[part], before[part], "{part}");
    }

    fixture.succeeds("kill user");
    assert_eq!(fixture.open_mounts("data"), 0);
    fixture.succeeds("rm user");
    fixture.succeeds("volume rm data");
    assert!(fixture.plugin.volume("data").is_none(), "removed by the daemon, kept by the plugin");
}

fn mounts_of_a_killed_daemon_stay_open() {
    let mut fixture = Fixture::with_busybox();
    fixture.create("data");
    fixture.run_for_long("user", "data");

    fixture.daemon.kill_and_start_again();
    assert_eq!(fixture.open_mounts("data"), 1);
    assert_eq!(fixture.plugin.counters(["unmount"]), [0]);
}

fn a_crash_that_keeps_its_memory_goes_unnoticed() {
    let fixture = Fixture::with_busybox();
    fixture.create("data");
    fixture.run_for_long("user", "data");

    fixture.plugin.command("crash keep");
    assert_eq!(fixture.labels("data"), "map[team:ghosts]");
    fixture.succeeds("restart user");
    fixture.succeeds("rm --force user");
    assert_eq!(fixture.open_mounts("data"), 0);
    assert_eq!(fixture.plugin.counters(["activate", "mount", "unmount"]), [1, 2, 2]);
}

fn a_crash_that_loses_its_memory_leaves_the_daemon_with_references_to_nothing() {
    let fixture = Fixture::with_busybox();
    fixture.create("data");
    fixture.run_for_long("user", "data");

    fixture.plugin.command("crash lose");
    assert_eq!(fixture.listed(), "");
    for driver in [DRIVER, "local"] {
        fixture.fails(
            &format!("volume create -d {driver} data"),
            "found references to volume 'data' in driver 'poltergeist' but the volume was not found in the driver",
        );
    }
    fixture.plugin.command("conjure data");
    assert_eq!(fixture.labels("data"), "map[team:ghosts]", "its own memory the daemon has not lost");
    fixture.succeeds("stop user");
    let unmount = fixture.plugin.calls("unmount").pop().expect("it was unmounted");
    assert_eq!(unmount["lints"], json!(["unmount-of-unknown-id"]));
}

fn a_call_in_flight_is_retried_after_a_crash() {
    let fixture = Fixture::new();
    fixture.create("data");
    fixture.plugin.command("arm list: hang once");
    let list = fixture.daemon.start_docker("volume ls --quiet");
    fixture.plugin.wait_until_waiting(1);
    fixture.plugin.command("crash keep");
    assert_eq!(list.finish().succeeds(), "data");
    let bodies: Vec<_> = fixture.plugin.calls("list").iter().map(|call| call["request"].clone()).collect();
    assert_eq!(bodies, ["{}\n", ""]);
}
