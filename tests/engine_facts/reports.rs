//! What plugin developers and operators have reported, reproduced with rules on real engines.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{
    fixture::{DRIVER, Fixture},
    support::{TIMEOUT, Test, dockerd::Dockerd, managed, sandbox::Sandbox, wait_for},
    tests,
};

pub fn tests() -> Vec<Test> {
    let mut tests = tests![
        the_first_mounts_of_each_volume_fail,
        parallel_mounts_of_one_volume_meet_at_a_barrier,
        connections_that_the_daemon_leaks_are_seen,
        a_driver_that_lists_a_network_driver_is_asked_for_its_capabilities,
        rules_of_a_managed_plugin_survive_that_it_is_disabled,
    ];
    tests.extend(tests![a_driver_that_is_late_at_boot_is_found].into_iter().map(Test::slow));
    tests
}

fn the_first_mounts_of_each_volume_fail() {
    let fixture = Fixture::with_busybox();
    for volume in ["one", "two"] {
        fixture.create(volume);
    }
    fixture.plugin.command("arm mount first 2 per volume: fail \"device busy\"");
    let run = |volume: &str| format!("run --rm -v {volume}:/data busybox true");
    for volume in ["one", "two", "one", "two"] {
        fixture.fails(&run(volume), "device busy");
    }
    for volume in ["one", "two"] {
        fixture.succeeds(&run(volume));
    }
    assert_eq!(fixture.plugin.state()["faults"][0]["state"], "armed", "another volume may come");
}

fn parallel_mounts_of_one_volume_meet_at_a_barrier() {
    let fixture = Fixture::with_busybox();
    fixture.create("data");
    fixture.plugin.command("arm mount per volume: hold until 4 within 30s");
    let run = |_| fixture.daemon.start_docker("run --rm -v data:/data busybox true");
    for command in [1, 2, 3, 4].map(run) {
        command.finish().succeeds();
    }
    let releases = fixture.plugin.entries().into_iter().filter(|entry| entry["kind"] == "released");
    assert_eq!(releases.filter(|entry| entry["by"] == "barrier").count(), 4);
    assert_eq!(fixture.open_mounts("data"), 0);
}

fn connections_that_the_daemon_leaks_are_seen() {
    const TIMES: u64 = 50;
    let fixture = Fixture::new();
    fixture.plugin.command("arm activate: fail \"no\"");
    for _ in 0..TIMES {
        fixture.succeeds("volume ls");
    }
    let state = fixture.plugin.state();
    let peer = &state["peers"][0];
    assert_eq!(peer["process"]["name"], "dockerd", "{state}");
    assert_eq!(peer["connections"], TIMES, "{state}");
    let metric = format!("open_connections{{peer={}}} {TIMES}", peer["peer"]);
    let metrics = fixture.plugin.get("/metrics");
    assert!(metrics.contains(&metric), "{metric} is not in {metrics}");
}

fn a_driver_that_lists_a_network_driver_is_asked_for_its_capabilities() {
    let fixture = Fixture::new();
    fixture.plugin.command("arm activate: implements VolumeDriver,NetworkDriver");
    fixture.plugin.command("arm NetworkDriver.GetCapabilities: reply {\"Scope\":\"local\"}");
    fixture.succeeds(&format!("volume create -d {DRIVER} data"));
    let is_asked = |entry: &Value| entry["request_line"] == "POST /NetworkDriver.GetCapabilities";
    let asked =
        || fixture.plugin.entries().into_iter().find(|entry| entry["kind"] == "call" && is_asked(entry));
    let call = wait_for(TIMEOUT, asked).expect("the daemon asks for the network driver's capabilities");
    assert_eq!((&call["status"], &call["fault"]["source"]["rule"]["id"]), (&200.into(), &2.into()), "{call}");
}

fn rules_of_a_managed_plugin_survive_that_it_is_disabled() {
    let sandbox = Sandbox::new();
    let daemon = Dockerd::start(&sandbox);
    managed::install(&sandbox, &daemon, &["--keep-rules", "--arm", "create first 2: fail \"no\" as two"]);
    let create = |volume: &str| daemon.docker(&format!("volume create -d managed {volume}"));
    let refused = |volume: &str| {
        let error = create(volume).fails();
        assert!(error.contains("no"), "{error}");
    };
    refused("one");
    daemon.docker("plugin disable managed").succeeds();
    daemon.docker("plugin enable managed").succeeds();
    refused("one");
    create("one").succeeds();
}

/// The daemon gives up looking for a driver after 15 s, but it looks again whenever it needs one.
fn a_driver_that_is_late_at_boot_is_found() {
    const LATE: Duration = Duration::from_secs(50);
    let mut fixture = Fixture::with_busybox();
    fixture.create("data");
    fixture.succeeds("create --name guest --restart always -v data:/data busybox top");
    fixture.plugin.kill();
    let started = Instant::now();
    fixture.plugin.start_again_with("VOLTERGEIST_LISTEN_AFTER=50s");
    fixture.daemon.restart();
    fixture.fails("start guest", "plugin");
    wait_for(LATE + TIMEOUT, || {
        fixture.daemon.docker("start guest").all_output().trim().eq("guest").then_some(())
    })
    .expect("the daemon finds the driver");
    assert!(started.elapsed() >= LATE, "it was found before it listened");
    assert_eq!(fixture.open_mounts("data"), 1);
    fixture.succeeds("rm --force guest");
}
