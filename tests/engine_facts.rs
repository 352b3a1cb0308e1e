//! What a real daemon makes of a plugin that misbehaves: the faults and the state of voltergeist, seen from the docker
//! command line.

mod support;

use std::process::ExitCode;

use serde_json::json;
use support::{
    PATIENCE,
    dockerd::Dockerd,
    plugin::{Plugin, Registration},
    sandbox::Sandbox,
    wait_for,
};

fn main() -> ExitCode {
    support::run(tests![
        a_failed_mount_fails_the_run_until_it_is_disarmed,
        a_forgotten_volume_is_gone_for_the_daemon_too,
        a_short_refusal_is_bridged_by_the_daemon,
        volumes_and_open_mounts_survive_a_killed_plugin,
        mounts_of_a_killed_daemon_stay_open,
        a_name_with_a_separator_is_refused_with_a_clear_error,
        a_null_among_the_listed_volumes_ends_the_daemon,
        a_mount_without_a_mountpoint_mounts_the_daemons_own_directory,
        one_get_answered_with_nothing_loses_the_labels,
        a_retried_request_has_an_empty_body,
        a_hanging_activation_blocks_the_list_until_it_is_released,
    ])
}

fn start() -> (Plugin, Dockerd) {
    let sandbox = Sandbox::new();
    let plugin = Plugin::start(&sandbox, "poltergeist", Registration::Socket);
    (plugin, Dockerd::start(&sandbox))
}

fn start_with_busybox() -> (Plugin, Dockerd) {
    let sandbox = Sandbox::new();
    let plugin = Plugin::start(&sandbox, "poltergeist", Registration::Socket);
    (plugin, Dockerd::start_with_busybox(&sandbox))
}

fn a_failed_mount_fails_the_run_until_it_is_disarmed() {
    let (plugin, daemon) = start_with_busybox();
    let run = "run --rm -v data:/data --volume-driver poltergeist busybox true";

    plugin.command(r#"arm mount: fail "no luck""#);
    let error = daemon.docker(run).fails();
    assert!(error.contains("no luck"), "{error}");
    assert_eq!(plugin.state()["faults"][0]["fired"], 1);

    plugin.command("disarm all");
    daemon.docker(run).succeeds();
    assert_eq!(plugin.counters(["mount", "unmount"]), [2, 1]);
}

fn a_forgotten_volume_is_gone_for_the_daemon_too() {
    let (plugin, daemon) = start();
    daemon.docker("volume create -d poltergeist data").succeeds();

    plugin.command("forget data");
    let error = daemon.docker("volume inspect data").fails();
    assert!(error.to_lowercase().contains("no such volume"), "{error}");

    plugin.command("restore data");
    daemon.docker("volume inspect data").succeeds();
}

fn a_short_refusal_is_bridged_by_the_daemon() {
    let (plugin, daemon) = start();
    daemon.docker("volume create -d poltergeist before").succeeds();

    plugin.command("down refuse");
    let create = daemon.start_docker("volume create -d poltergeist during");
    daemon.wait_for_log(&["connection refused", "retrying"]);
    plugin.command("up");
    create.finish().succeeds();
    assert!(plugin.volume("before").is_some(), "lost while the driver was down");
    assert!(plugin.volume("during").is_some(), "not made after the driver came back");
}

fn volumes_and_open_mounts_survive_a_killed_plugin() {
    let (mut plugin, daemon) = start_with_busybox();
    daemon.docker("volume create -d poltergeist -o tier=gold data").succeeds();
    daemon.docker("run -d --name user -v data:/data busybox top").succeeds();
    let before = plugin.volume("data").expect("the volume is there");
    assert_eq!(before["mounts"].as_array().map(Vec::len), Some(1), "{before}");

    plugin.kill_and_start_again();
    let after = plugin.volume("data").expect("the volume is there again");
    for part in ["mountpoint", "options", "mounts"] {
        assert_eq!(after[part], before[part], "{part}");
    }

    daemon.docker("kill user").succeeds();
    let idle = plugin.volume("data").expect("the volume is there still");
    assert_eq!(idle["mounts"].as_array().map(Vec::len), Some(0), "{idle}");
    daemon.docker("rm user").succeeds();
    daemon.docker("volume rm data").succeeds();
    assert!(plugin.volume("data").is_none(), "removed by the daemon, kept by the plugin");
}

fn mounts_of_a_killed_daemon_stay_open() {
    let (plugin, mut daemon) = start_with_busybox();
    // A container that outlives its test would make the daemon wait 10 s for it: top ignores SIGTERM.
    daemon
        .docker("run -d --stop-signal KILL --name user -v data:/data --volume-driver poltergeist busybox top")
        .succeeds();

    daemon.kill_and_start_again();
    let volume = plugin.volume("data").expect("the volume is there");
    assert_eq!(volume["mounts"].as_array().map(Vec::len), Some(1), "{volume}");
    assert_eq!(plugin.counters(["unmount"]), [0]);
}

fn a_name_with_a_separator_is_refused_with_a_clear_error() {
    let (plugin, daemon) = start();

    let error = daemon.docker("volume create -d poltergeist a/b").fails();
    assert!(error.contains("create a/b: a volume name must be one plain path component"), "{error}");
    assert_eq!(plugin.state()["volumes"], json!([]));
}

fn a_null_among_the_listed_volumes_ends_the_daemon() {
    let (plugin, mut daemon) = start();
    daemon.docker("volume create -d poltergeist data").succeeds();

    plugin.command("arm --yes list: null-entry");
    daemon.docker("volume ls").fails();
    daemon.wait_for_end();
    daemon.wait_for_log(&["nil pointer dereference"]);
}

fn a_mount_without_a_mountpoint_mounts_the_daemons_own_directory() {
    let (plugin, daemon) = start_with_busybox();
    daemon.docker("volume create -d poltergeist data").succeeds();

    plugin.command("arm mount: empty");
    let listed = daemon.docker("run --rm -v data:/data busybox ls /data").succeeds();
    assert!(listed.lines().any(|file| file == "config.json"), "{listed}");
}

fn one_get_answered_with_nothing_loses_the_labels() {
    let (plugin, daemon) = start();
    daemon.docker("volume create -d poltergeist --label team=ghosts data").succeeds();
    let labels = "volume inspect --format={{.Labels}} data";
    assert_eq!(daemon.docker(labels).succeeds(), "map[team:ghosts]");

    plugin.command("arm get: empty once");
    daemon.docker(labels).fails();
    assert_eq!(daemon.docker(labels).succeeds(), "map[]");
}

fn a_retried_request_has_an_empty_body() {
    let (plugin, daemon) = start();
    daemon.docker("volume create -d poltergeist data").succeeds();

    plugin.command("arm get: eof once");
    let error = daemon.docker("volume inspect data").fails();
    assert!(error.to_lowercase().contains("no such volume"), "{error}");
    let entries = plugin.entries();
    let gets: Vec<_> = entries.iter().filter(|entry| entry["operation"] == "get").collect();
    let [.., first, retry] = gets[..] else { panic!("{entries:?}") };
    assert_eq!(first["volume"], "data");
    assert_eq!(retry["body"], "");
    assert_eq!(retry["lints"], json!(["nameless-request", "empty-body-retry"]));
}

fn a_hanging_activation_blocks_the_list_until_it_is_released() {
    let (plugin, daemon) = start();

    plugin.command("arm activate: hang once");
    let list = daemon.start_docker("volume ls");
    wait_for(PATIENCE, || (plugin.state()["waiting"] != json!([])).then_some(())).expect("the call hangs");
    daemon.docker("ps").succeeds();
    assert!(list.is_running(), "the list did not wait for the activation");

    plugin.command("release all");
    list.finish().succeeds();
}
