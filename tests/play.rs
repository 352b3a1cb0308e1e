//! Scenarios on a private dockerd, played by `voltergeist play --engine docker` and by an instance on a command: a scenario
//! holds there as it does on the simulated one, and nothing of it stays.

mod support;

use std::{fs, path::PathBuf, process::ExitCode, time::Duration};

use serde_json::Value;
use support::{
    TIMEOUT, docker,
    dockerd::Dockerd,
    http,
    sandbox::{Process, Sandbox},
    wait_for,
};

fn main() -> ExitCode {
    support::run(tests![
        cards_hold_on_a_real_daemon,
        what_needs_a_restart_that_cannot_be_done_is_skipped_beforehand,
        what_the_daemon_made_up_a_name_for_is_removed_and_what_cannot_be_is_named,
        an_interrupt_leaves_nothing_on_it,
        an_instance_plays_a_scenario_on_the_daemon_that_it_serves,
        the_end_of_an_instance_leaves_nothing_of_its_scenario_on_the_daemon,
    ])
}

/// It has made a volume, a container and a rule when it begins to wait.
const WAITS: &str = r#"
title = "It waits"
description = "Nothing."

[[step]]
docker = "docker run -d --name mine-box -v mine:/data --volume-driver {driver} busybox top"

[[step]]
command = "arm unmount: hang"

[[step]]
docker = "docker stop mine-box"
"#;

fn play(sandbox: &Sandbox, args: &[&str]) -> Process {
    voltergeist(sandbox, &[&["play", "--engine", "docker"], args].concat())
}

fn voltergeist(sandbox: &Sandbox, args: &[&str]) -> Process {
    // The daemon is found by its variable, which the sandbox's programs get through `env`, and users' scenarios too.
    let host = format!("DOCKER_HOST={}", docker::host(sandbox));
    let config = format!("XDG_CONFIG_HOME={}", sandbox.path("config").display());
    let program = env!("CARGO_BIN_EXE_voltergeist");
    let words = [&[host.as_str(), &config, program], args].concat();
    sandbox.spawn("voltergeist", "env", &words)
}

/// An instance where daemons look for it, that has the scenario [`WAITS`] too.
fn serve(sandbox: &Sandbox) -> Process {
    let scenarios = sandbox.path("config/voltergeist/scenarios");
    fs::create_dir_all(&scenarios).expect("the scenarios' folder");
    fs::write(scenarios.join("waits.toml"), WAITS).expect("the scenario can be written");
    let root = sandbox.path("volumes").display().to_string();
    let address = format!("unix://{}", control(sandbox).display());
    let args = ["serve", "--name", "poltergeist", "--root", &root, "--control", &address];
    let mut instance = voltergeist(sandbox, &args);
    wait_for(TIMEOUT, || {
        instance.assert_running();
        http::request(&control(sandbox), "GET", "/v1/state", "").ok()
    })
    .expect("the control socket answers");
    instance
}

fn control(sandbox: &Sandbox) -> PathBuf {
    sandbox.path("control.sock")
}

fn send(sandbox: &Sandbox, line: &str) -> (u16, String) {
    http::request(&control(sandbox), "POST", "/v1/commands", line).expect("an answer")
}

/// Waits until the journal has an event of a scenario.
fn wait_for_event(sandbox: &Sandbox, is_meant: impl Fn(&Value) -> bool) -> Vec<Value> {
    wait_for(TIMEOUT * 2, || {
        let (_, body) = http::request(&control(sandbox), "GET", "/v1/entries", "").ok()?;
        let entries: Vec<Value> =
            body.lines().map(|line| serde_json::from_str(line).expect("an entry is JSON")).collect();
        entries.iter().any(|entry| entry["kind"] == "scenario" && is_meant(entry)).then_some(entries)
    })
    .expect("the journal has it")
}

/// Whatever is on the daemon that a scenario could have made.
fn left(daemon: &Dockerd) -> String {
    let containers = daemon.docker("ps --all --quiet").succeeds();
    containers + &daemon.docker("volume ls --quiet").succeeds()
}

fn cards_hold_on_a_real_daemon() {
    let sandbox = Sandbox::new();
    let daemon = Dockerd::start(&sandbox);
    let mut played = play(&sandbox, &["empty-retry", "engine-directory-mounted", "--json"]);
    let end = played.wait(TIMEOUT * 2).expect("the scenarios end");
    let log = played.log();
    assert_eq!(end.code(), Some(0), "{log}");
    assert!(
        log.contains(r#""name":"engine-directory-mounted""#) && log.contains(r#""result":"passed""#),
        "{log}"
    );
    assert_eq!(fs::read_dir(sandbox.path("run/plugins")).expect("the plugins' folder").count(), 0);
    // A driver that is gone keeps the daemon looking for it. It is back for this.
    let again = play(&sandbox, &["list"]).wait(TIMEOUT).expect("the scenario ends");
    assert_eq!(again.code(), Some(0));
    assert_eq!(left(&daemon), "");
}

fn what_needs_a_restart_that_cannot_be_done_is_skipped_beforehand() {
    let sandbox = Sandbox::new();
    let daemon = Dockerd::start(&sandbox);
    let mut played = play(&sandbox, &["--dangerous", "null-entry", "capabilities", "list"]);
    let end = played.wait(TIMEOUT * 2).expect("the scenarios end");
    let log = played.log();
    assert_eq!(end.code(), Some(1), "{log}");
    assert!(log.contains("passed 1/3, skipped 2"), "{log}");
    assert!(log.contains("the daemon that DOCKER_HOST names cannot be restarted from here"), "{log}");
    daemon.docker("version").succeeds();
}

/// Its anonymous volume stays when its container is removed.
const ANONYMOUS: &str = r#"
title = "An anonymous volume stays"
description = "Nothing."

[[step]]
docker = "docker run --name mine-box -v /foo --volume-driver {driver} busybox true"

[[step]]
docker = "docker rm mine-box"

[[step]]
docker = "docker run --name mine-box -v /foo busybox true"

[[step]]
docker = "docker rm mine-box"
"#;

fn what_the_daemon_made_up_a_name_for_is_removed_and_what_cannot_be_is_named() {
    let sandbox = Sandbox::new();
    let daemon = Dockerd::start(&sandbox);
    let scenario = sandbox.path("anonymous.toml");
    fs::write(&scenario, ANONYMOUS).expect("the scenario can be written");
    let mut played = play(&sandbox, &[&scenario.display().to_string(), "nameless-get", "another-name"]);
    let end = played.wait(TIMEOUT * 2).expect("the scenarios end");
    let log = played.log();
    assert_eq!(end.code(), Some(0), "{log}");
    assert_eq!(log.matches("left: the engine keeps a volume with an empty name").count(), 1, "{log}");
    assert_eq!(daemon.docker("images --quiet").succeeds(), "", "the image was made for the run");
    // The driver is gone, and the daemon lists what it remembers of it.
    let volumes = daemon.docker("volume ls --format={{.Driver}}:{{.Name}}").succeeds();
    assert_eq!(volumes, "voltergeist-play:", "nothing but what was named");
}

fn an_interrupt_leaves_nothing_on_it() {
    let sandbox = Sandbox::new();
    let daemon = Dockerd::start(&sandbox);
    let scenario = sandbox.path("waits.toml");
    fs::write(&scenario, WAITS).expect("the scenario can be written");
    let mut played = play(&sandbox, &[&scenario.display().to_string()]);
    wait_for(TIMEOUT, || played.log().contains("arm unmount: hang").then_some(()))
        .expect("the scenario hangs");
    let end = played.terminate(Duration::from_secs(40));
    assert_eq!(end.code(), Some(143), "{}", played.log());
    assert!(played.log().contains("stopped"), "{}", played.log());
    assert_eq!(fs::read_dir(sandbox.path("run/plugins")).expect("the plugins' folder").count(), 0);
    assert_eq!(left(&daemon), "");
}

fn an_instance_plays_a_scenario_on_the_daemon_that_it_serves() {
    let sandbox = Sandbox::new();
    let daemon = Dockerd::start(&sandbox);
    let mut instance = serve(&sandbox);
    daemon.docker("volume create -d poltergeist kept").succeeds();
    assert_eq!(send(&sandbox, "play labels-lost").0, 200);
    let entries = wait_for_event(&sandbox, |event| event["event"] == "finished");
    let events = |event: &str| {
        let found = |entry: &&Value| entry["kind"] == "scenario" && entry["event"] == event;
        entries.iter().filter(found).collect::<Vec<_>>()
    };
    assert_eq!(events("finished")[0]["result"], "passed", "{:#?}", events("step_finished"));
    assert_eq!(events("started")[0]["engine"], "docker");
    let typed = &events("step_started")[0]["line"];
    assert_eq!(
        *typed, "$ docker volume create -d poltergeist --label team=ghosts -o tier=gold ghost-data",
        "what can be typed at the same daemon"
    );
    let by_docker = |entry: &&Value| entry["caller"] == "docker" && entry["volume"] == "ghost-data";
    assert!(entries.iter().any(|entry| by_docker(&entry) && entry["operation"] == "create"));
    let (status, why) = send(&sandbox, "play null-entry");
    assert_eq!(status, 400);
    assert!(why.contains("to play it anyway: play null-entry --dangerous"), "{why}");
    assert_eq!(left(&daemon), "kept", "what the scenario did not make is there still");
    instance.terminate(TIMEOUT);
}

fn the_end_of_an_instance_leaves_nothing_of_its_scenario_on_the_daemon() {
    let sandbox = Sandbox::new();
    let daemon = Dockerd::start(&sandbox);
    let mut instance = serve(&sandbox);
    send(&sandbox, "play waits");
    wait_for_event(&sandbox, |event| event["event"] == "step_started" && event["index"] == 2);
    assert_ne!(left(&daemon), "", "the scenario has made something");
    let end = instance.terminate(Duration::from_secs(40));
    assert_eq!(end.code(), Some(143), "{}", instance.log());
    assert!(instance.log().contains(r#""result":"stopped""#), "{}", instance.log());
    assert_eq!(left(&daemon), "");
}
