//! Which calls of real daemons are marked with a lint, and which are not.

use std::{collections::BTreeSet, fs};

use serde_json::{Value, json};

use crate::{
    fixture::{DRIVER, Fixture},
    support::{TIMEOUT, Test, dockerd::Dockerd, managed, sandbox::Sandbox, wait_for},
    tests,
};

pub fn tests() -> Vec<Test> {
    tests![
        the_life_of_a_managed_plugin_has_no_lints,
        swarm_tries_a_mount_again_with_new_ids_and_each_that_was_done_is_marked,
    ]
}

/// The daemon asks a managed plugin for its capabilities before each Get, and never activates it.
fn the_life_of_a_managed_plugin_has_no_lints() {
    let sandbox = Sandbox::new();
    let daemon = Dockerd::start_with_busybox(&sandbox);
    managed::install(&sandbox, &daemon, &["--record", "/data/run.jsonl"]);
    for line in [
        "volume create -d managed data",
        "volume inspect data",
        "volume ls",
        "run --detach --stop-signal KILL --name user -v data:/data busybox top",
        "cp user:/data/test -",
        "rm --force user",
        "volume rm data",
    ] {
        daemon.docker(line).succeeds();
    }
    let plugins = fs::read_dir(sandbox.path("data/plugins")).expect("the daemon has plugins");
    let recording = plugins
        .map(|plugin| plugin.expect("an entry").path().join("propagated-mount/run.jsonl"))
        .find(|recording| recording.exists())
        .expect("the plugin records");
    let calls = wait_for(TIMEOUT, || {
        let text = fs::read_to_string(&recording).ok()?;
        let entries = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let calls: Vec<_> = entries.filter(|entry| entry["kind"] == "call").collect();
        calls.iter().any(|call| call["operation"] == "remove").then_some(calls)
    })
    .expect("the last call is recorded");
    let is = |operation: &str| calls.iter().filter(|call| call["operation"] == operation).count();
    assert!(is("capabilities") > 5 && is("activate") == 0, "{calls:#?}");
    let odd: Vec<_> = calls.iter().filter(|call| call["lints"].is_array()).collect();
    assert!(odd.is_empty(), "{odd:#?}");
}

fn swarm_tries_a_mount_again_with_new_ids_and_each_that_was_done_is_marked() {
    let fixture = Fixture::with_busybox();
    fixture.succeeds("swarm init --advertise-addr 127.0.0.1");
    // A node is known to have a driver only once it has used it.
    assert_eq!(fixture.listed(), "");
    fixture.plugin.command("arm mount: fail \"busy\" after");
    fixture.succeeds(&format!(
        "service create --detach --no-resolve-image --name web --mount \
         type=volume,source=data,target=/data,volume-driver={DRIVER} busybox:latest top"
    ));
    // The node reports its drivers only now and then.
    let mounts = wait_for(TIMEOUT * 2, || {
        let mounts = fixture.plugin.calls("mount");
        (mounts.len() >= 3).then_some(mounts)
    })
    .expect("Swarm tries again about every 5 s");
    let ids: BTreeSet<_> = mounts.iter().map(|call| call["mount_id"].to_string()).collect();
    assert_eq!(ids.len(), mounts.len(), "each try has an ID of its own");
    assert!(mounts.iter().all(|call| call["lints"] == json!(["leaked-mount"])), "{mounts:#?}");
    assert!(fixture.open_mounts("data") >= mounts.len(), "each stays open");
    fixture.succeeds("service rm web");
}
