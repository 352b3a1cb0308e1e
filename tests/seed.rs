//! The external volume driver suite of moby's `integration-cli`, against voltergeist: the same scenarios under the
//! same names, with the same counts and outputs.
//!
//! Each has a sandbox with a daemon of its own, since a daemon remembers every driver that it has met. As there, the
//! plugin listens on TCP and is found by its `.spec` file.

mod support;

use std::{fs, path::Path, process::ExitCode};

use serde_json::{Value, json};
use support::{
    dockerd::Dockerd,
    plugin::{Plugin, Registration},
    sandbox::Sandbox,
};

const DRIVER: &str = "test-external-volume-driver";

fn main() -> ExitCode {
    support::run(tests![
        volume_cli_create_option_conflict,
        external_volume_driver_named,
        external_volume_driver_unnamed,
        external_volume_driver_volumes_from,
        external_volume_driver_delete_container,
        external_volume_driver_lookup_not_blocked,
        external_volume_driver_retry_not_immediately_exists,
        external_volume_driver_bind_external_volume,
        external_volume_driver_list,
        external_volume_driver_get,
        external_volume_driver_with_daemon_restart,
        external_volume_driver_get_empty_response,
        external_volume_driver_path_calls,
        external_volume_driver_mount_id,
        external_volume_driver_capabilities,
        external_volume_driver_out_of_band_delete,
        external_volume_driver_unmount_on_mount_fail,
        external_volume_driver_unmount_on_cp,
    ])
}

fn start() -> (Plugin, Dockerd) {
    let sandbox = Sandbox::new();
    let plugin = Plugin::start(&sandbox, DRIVER, Registration::Spec);
    (plugin, Dockerd::start(&sandbox))
}

fn start_with_busybox() -> (Plugin, Dockerd) {
    let sandbox = Sandbox::new();
    let plugin = Plugin::start(&sandbox, DRIVER, Registration::Spec);
    (plugin, Dockerd::start_with_busybox(&sandbox))
}

/// What a healthy daemon sends is no protocol warning.
fn assert_no_lints(plugin: &Plugin) {
    let odd = |call: &Value| call["lints"].as_array().is_some_and(|lints| !lints.is_empty());
    let odd: Vec<_> = plugin.entries().into_iter().filter(odd).collect();
    assert!(odd.is_empty(), "{odd:#?}");
}

/// The counts of the calls that make and unmake a volume and its mounts.
fn life(plugin: &Plugin) -> [u64; 5] {
    plugin.counters(["activate", "create", "remove", "mount", "unmount"])
}

/// What `docker inspect` or `docker volume inspect` says about one thing.
fn inspect(daemon: &Dockerd, command: &str) -> Value {
    let text = daemon.docker(command).succeeds();
    let mut things: Vec<Value> = serde_json::from_str(&text).expect("inspect prints JSON");
    assert_eq!(things.len(), 1, "{text}");
    things.remove(0)
}

fn volume_cli_create_option_conflict() {
    let (plugin, daemon) = start();
    daemon.docker("volume create test").succeeds();

    let refusal = daemon.docker(&format!("volume create test --driver {DRIVER}")).fails();
    assert!(refusal.contains("must be unique"), "{refusal}");

    let driver = daemon.docker("volume inspect --format={{.Driver}} test").succeeds();
    daemon.docker(&format!("volume create test --driver {driver}")).succeeds();
    assert_no_lints(&plugin);
}

fn external_volume_driver_named() {
    let (plugin, daemon) = start_with_busybox();

    let printed = daemon
        .docker(&format!(
            "run --rm --name test-data -v external-volume-test:/tmp/external-volume-test \
             --volume-driver {DRIVER} busybox:latest cat /tmp/external-volume-test/test"
        ))
        .succeeds();
    assert!(printed.contains(&plugin.address()), "{printed}");
    let volume = plugin.volume("external-volume-test").expect("the volume is there");
    let directory = Path::new(volume["mountpoint"].as_str().expect("it has a mountpoint")).to_owned();
    assert!(directory.exists(), "{} is not there", directory.display());

    daemon.docker("volume rm external-volume-test").succeeds();
    assert!(!directory.exists(), "{} is still there", directory.display());
    assert_eq!(life(&plugin), [1, 1, 1, 1, 1]);
    assert_no_lints(&plugin);
}

fn external_volume_driver_unnamed() {
    let (plugin, daemon) = start_with_busybox();

    let printed = daemon
        .docker(&format!(
            "run --rm --name test-data -v /tmp/external-volume-test --volume-driver {DRIVER} \
             busybox:latest cat /tmp/external-volume-test/test"
        ))
        .succeeds();
    assert!(printed.contains(&plugin.address()), "{printed}");
    assert_eq!(life(&plugin), [1, 1, 1, 1, 1]);
    assert_no_lints(&plugin);
}

fn external_volume_driver_volumes_from() {
    let (plugin, daemon) = start_with_busybox();

    daemon
        .docker(&format!("run --name vol-test1 -v /foo --volume-driver {DRIVER} busybox:latest"))
        .succeeds();
    daemon.docker("run --rm --volumes-from vol-test1 --name vol-test2 busybox ls /tmp").succeeds();
    daemon.docker("rm -fv vol-test1").succeeds();
    assert_eq!(life(&plugin), [1, 1, 1, 2, 2]);
    assert_no_lints(&plugin);
}

fn external_volume_driver_delete_container() {
    let (plugin, daemon) = start_with_busybox();

    daemon
        .docker(&format!("run --name vol-test1 -v /foo --volume-driver {DRIVER} busybox:latest"))
        .succeeds();
    daemon.docker("rm -fv vol-test1").succeeds();
    assert_eq!(life(&plugin), [1, 1, 1, 1, 1]);
    assert_no_lints(&plugin);
}

/// A request to a driver that is down does not block other requests.
fn external_volume_driver_lookup_not_blocked() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.specs().join("down-driver.spec"), "tcp://127.0.0.7:9999").expect("the spec file");
    let daemon = Dockerd::start(&sandbox);

    let stuck = daemon.start_docker("volume create -d down-driver");
    daemon.wait_for_log(&["127.0.0.7:9999", "retrying"]);
    daemon.docker("volume create").succeeds();
    assert!(stuck.is_running(), "the request to the driver that is down ended too soon to show it");
}

fn external_volume_driver_retry_not_immediately_exists() {
    let sandbox = Sandbox::new();
    let daemon = Dockerd::start_with_busybox(&sandbox);
    let driver = "test-external-volume-driver-retry";

    let run = daemon.start_docker(&format!(
        "run --rm --name test-data-retry -v external-volume-test:/tmp/external-volume-test \
         --volume-driver {driver} busybox:latest"
    ));
    daemon.wait_for_log(&[driver, "retrying"]);
    let plugin = Plugin::start(&sandbox, driver, Registration::Spec);
    run.finish().succeeds();

    daemon.docker("volume rm external-volume-test").succeeds();
    assert_eq!(life(&plugin), [1, 1, 1, 1, 1]);
}

fn external_volume_driver_bind_external_volume() {
    let (plugin, daemon) = start_with_busybox();

    daemon.docker(&format!("volume create -d {DRIVER} foo")).succeeds();
    // A container that outlives its test would make the daemon wait 10 s for it: top ignores SIGTERM.
    daemon.docker("run -d --stop-signal KILL --name testing -v foo:/bar busybox top").succeeds();
    let mounts = &inspect(&daemon, "inspect testing")["Mounts"];
    assert_eq!(mounts.as_array().map(Vec::len), Some(1), "{mounts}");
    assert_eq!(mounts[0]["Name"], "foo");
    assert_eq!(mounts[0]["Driver"], DRIVER);
    assert_no_lints(&plugin);
}

fn external_volume_driver_list() {
    let (plugin, daemon) = start();

    daemon.docker(&format!("volume create -d {DRIVER} abc3")).succeeds();
    let listed = daemon.docker("volume ls").succeeds();
    let lines: Vec<_> = listed.lines().collect();
    assert_eq!(lines.len(), 2, "{listed}");
    assert_eq!(lines[1].split_whitespace().collect::<Vec<_>>(), [DRIVER, "abc3"]);
    assert_eq!(plugin.counters(["list"]), [1]);
    assert_no_lints(&plugin);
}

fn external_volume_driver_get() {
    let (plugin, daemon) = start();

    assert_no_such_volume(&daemon, "dummy");
    assert_eq!(plugin.counters(["get"]), [1]);

    daemon.docker(&format!("volume create test -d {DRIVER}")).succeeds();
    assert_eq!(inspect(&daemon, "volume inspect test")["Status"], json!({"Hello": "world"}));
    assert_no_lints(&plugin);
}

fn external_volume_driver_with_daemon_restart() {
    let (plugin, mut daemon) = start_with_busybox();

    daemon.docker(&format!("volume create -d {DRIVER} abc1")).succeeds();
    daemon.restart();
    daemon.docker("run --name=test -v abc1:/foo busybox true").succeeds();
    let mounts = &inspect(&daemon, "inspect test")["Mounts"];
    assert_eq!(mounts.as_array().map(Vec::len), Some(1), "{mounts}");
    assert_eq!(mounts[0]["Driver"], DRIVER);
    assert_no_lints(&plugin);
}

/// A `Get` answered with neither a volume nor an error once made the daemon panic.
fn external_volume_driver_get_empty_response() {
    let (plugin, daemon) = start();

    daemon.docker(&format!("volume create -d {DRIVER} abc2 --opt ninja=1")).succeeds();
    assert_no_such_volume(&daemon, "abc2");
    assert_no_lints(&plugin);
}

/// Listing volumes uses the paths that are known, instead of one call of `Path` for each volume.
fn external_volume_driver_path_calls() {
    let (plugin, daemon) = start();
    assert_eq!(plugin.counters(["path"]), [0]);

    daemon.docker(&format!("volume create test --driver={DRIVER}")).succeeds();
    assert_eq!(plugin.counters(["path"]), [0]);

    daemon.docker("volume ls").succeeds();
    assert_eq!(plugin.counters(["path"]), [0]);
    assert_no_lints(&plugin);
}

fn external_volume_driver_mount_id() {
    let (plugin, daemon) = start_with_busybox();

    let printed = daemon
        .docker(&format!(
            "run --rm -v external-volume-test:/tmp/external-volume-test --volume-driver {DRIVER} \
             busybox:latest cat /tmp/external-volume-test/mountID"
        ))
        .succeeds();
    assert_eq!(printed.len(), 64, "{printed:?} is not a mount's ID");
    assert_no_lints(&plugin);
}

/// The daemon asks for the capabilities, and only once.
fn external_volume_driver_capabilities() {
    let (plugin, daemon) = start();
    assert_eq!(plugin.counters(["capabilities"]), [0]);

    for volume in ["test0", "test1", "test2"] {
        daemon.docker(&format!("volume create -d {DRIVER} {volume}")).succeeds();
        assert_eq!(plugin.counters(["capabilities"]), [1]);
        let scope = daemon.docker(&format!("volume inspect --format={{{{.Scope}}}} {volume}")).succeeds();
        assert_eq!(scope, "global");
    }
    assert_no_lints(&plugin);
}

fn external_volume_driver_out_of_band_delete() {
    let (plugin, daemon) = start();
    daemon.docker(&format!("volume create -d {DRIVER} --name test")).succeeds();

    let refusal = daemon.docker("volume create -d local --name test").fails();
    assert!(refusal.contains("must be unique"), "{refusal}");

    plugin.command("forget test");
    daemon.docker(&format!("volume create -d {DRIVER} --opt foo=bar --name test")).succeeds();
    let volume = inspect(&daemon, "volume inspect test");
    assert_eq!(volume["Driver"], DRIVER);
    assert_eq!(volume["Options"], json!({"foo": "bar"}));

    plugin.command("forget test");
    daemon.docker("volume create -d local --name test").succeeds();
    let volume = inspect(&daemon, "volume inspect test");
    assert_eq!(volume["Driver"], "local");
    assert!(volume["Options"].as_object().is_none_or(serde_json::Map::is_empty), "{volume}");
    assert_no_lints(&plugin);
}

fn external_volume_driver_unmount_on_mount_fail() {
    let (plugin, daemon) = start_with_busybox();
    daemon.docker(&format!("volume create -d {DRIVER} --opt=invalidOption=1 --name=testumount")).succeeds();

    for workdir in ["", "-w /foo"] {
        let error = daemon.docker(&format!("run {workdir} -v testumount:/foo busybox true")).fails();
        assert!(error.contains("invalid argument"), "{error}");
        assert_eq!(plugin.counters(["unmount"]), [0]);
    }
    assert_eq!(plugin.counters(["mount"]), [2]);
    assert_no_lints(&plugin);
}

fn external_volume_driver_unmount_on_cp() {
    let (plugin, daemon) = start_with_busybox();
    daemon.docker(&format!("volume create -d {DRIVER} --name=test")).succeeds();

    daemon.docker("run -d --name=test -v test:/foo busybox top").succeeds();
    daemon.docker("exec test touch /test").succeeds();
    assert_eq!(plugin.counters(["mount"]), [1]);

    daemon.docker("cp test:/test -").succeeds();
    assert_eq!(plugin.counters(["mount", "unmount"]), [2, 1]);

    daemon.docker("kill test").succeeds();
    assert_eq!(plugin.counters(["unmount"]), [2]);
    assert_no_lints(&plugin);
}

/// The wording around it differs between docker's releases.
fn assert_no_such_volume(daemon: &Dockerd, volume: &str) {
    let error = daemon.docker(&format!("volume inspect {volume}")).fails();
    assert!(error.to_lowercase().contains("no such volume"), "{error}");
}
