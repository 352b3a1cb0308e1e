//! `voltergeist play --engine docker` on a private dockerd: a card holds there as it does on the simulated one, and
//! nothing of it stays.

mod support;

use std::{fs, process::ExitCode, time::Duration};

use support::{
    PATIENCE, docker,
    dockerd::Dockerd,
    sandbox::{Process, Sandbox},
    wait_for,
};

fn main() -> ExitCode {
    support::run(tests![cards_hold_on_a_real_daemon, an_interrupt_leaves_nothing_on_it])
}

/// It has made a volume, a container and a rule when it begins to wait.
const WAITS: &str = r#"
title = "It waits"
shows = "Nothing."

[[step]]
docker = "docker run -d --name mine-box -v mine:/data --volume-driver {driver} busybox top"

[[step]]
command = "arm unmount: hang"

[[step]]
docker = "docker stop mine-box"
"#;

fn play(sandbox: &Sandbox, args: &[&str]) -> Process {
    // The daemon is found by its variable, which the sandbox's programs get through `env`.
    let host = format!("DOCKER_HOST={}", docker::host(sandbox));
    let program = env!("CARGO_BIN_EXE_voltergeist");
    let words = [&[host.as_str(), program, "play", "--engine", "docker"], args].concat();
    sandbox.spawn("play", "env", &words)
}

/// Whatever is on the daemon that a card could have made.
fn left(daemon: &Dockerd) -> String {
    let containers = daemon.docker("ps --all --quiet").succeeds();
    containers + &daemon.docker("volume ls --quiet").succeeds()
}

fn cards_hold_on_a_real_daemon() {
    let sandbox = Sandbox::new();
    let daemon = Dockerd::start(&sandbox);
    let mut played = play(&sandbox, &["empty-retry", "engine-directory-mounted", "--json"]);
    let end = played.wait(PATIENCE * 2).expect("the cards end");
    let log = played.log();
    assert_eq!(end.code(), Some(0), "{log}");
    assert!(
        log.contains(r#""name":"engine-directory-mounted""#) && log.contains(r#""verdict":"held""#),
        "{log}"
    );
    assert_eq!(fs::read_dir(sandbox.path("run/plugins")).expect("the plugins' folder").count(), 0);
    // A driver that is gone keeps the daemon looking for it. It is back for this.
    let again = play(&sandbox, &["list"]).wait(PATIENCE).expect("the card ends");
    assert_eq!(again.code(), Some(0));
    assert_eq!(left(&daemon), "");
}

fn an_interrupt_leaves_nothing_on_it() {
    let sandbox = Sandbox::new();
    let daemon = Dockerd::start(&sandbox);
    let card = sandbox.path("waits.toml");
    fs::write(&card, WAITS).expect("the card can be written");
    let mut played = play(&sandbox, &[&card.display().to_string()]);
    wait_for(PATIENCE, || played.log().contains("arm unmount: hang").then_some(())).expect("the card hangs");
    let end = played.terminate(Duration::from_secs(40));
    assert_eq!(end.code(), Some(143), "{}", played.log());
    assert!(played.log().contains("stopped"), "{}", played.log());
    assert_eq!(fs::read_dir(sandbox.path("run/plugins")).expect("the plugins' folder").count(), 0);
    assert_eq!(left(&daemon), "");
}
