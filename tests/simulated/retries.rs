//! What happens below HTTP: retries and their slots, empty bodies, deadlines, and finding a plugin at all.

use std::time::Duration;

use tokio::net::UnixListener;
use voltergeist::engine::simulated::{self, DaemonConfig, Profile};

use crate::plugin::{Act, Plugin};
use crate::{SPEED, config, daemon, docker, given};

const USED: &str = "docker volume create -d ghost warm-up";
const KNOWN: &str = "docker volume create -d ghost v";

#[tokio::test]
async fn a_request_that_was_sent_is_retried_with_an_empty_body() {
    let plugin = Plugin::unix();
    let daemon = daemon(&plugin, Profile::Docker);
    given(&daemon, &plugin, &[USED]).await;
    plugin.script("Create", [Act::Lose]);
    let outcome = docker(&daemon, KNOWN).await;
    let bodies: Vec<_> = plugin.seen().into_iter().map(|seen| (seen.method, seen.body)).collect();
    assert_eq!(
        bodies,
        [
            ("Get".into(), "{\"Name\":\"v\"}\n".to_owned()),
            ("Create".to_owned(), "{\"Name\":\"v\",\"Opts\":null}\n".into()),
            ("Create".into(), String::new()),
        ]
    );
    assert_eq!(outcome.stderr, "Error response from daemon: create v: no name");
    assert!(plugin.knows("v"), "the plugin has the volume that is missing for the user");
}

#[tokio::test]
async fn a_plugin_that_closes_each_connection_is_tried_five_times_in_15_seconds() {
    for (profile, host) in [(Profile::Docker, "plugin.moby.localhost"), (Profile::Docker20, "")] {
        let plugin = Plugin::unix();
        let daemon = daemon(&plugin, profile);
        given(&daemon, &plugin, &[KNOWN]).await;
        plugin.script("Get", vec![Act::Lose; 9]);
        let outcome = docker(&daemon, "docker volume inspect v").await;
        let seen = plugin.seen();
        assert_eq!(seen.len(), 5);
        let first = seen[0].at;
        for (seen, slot) in seen.iter().zip([0.0, 1.0, 3.0, 7.0, 15.0]) {
            let came = (seen.at - first).as_secs_f64() * SPEED;
            assert!(came >= slot, "a try came after {came} s, before {slot} s");
        }
        let escaped = plugin.address.trim_start_matches("unix://").replace('/', "%2F");
        let host = if host.is_empty() { &escaped } else { host };
        assert_eq!(
            outcome.stderr,
            format!(
                "Error response from daemon: get v: error while checking if volume \"v\" exists in driver \"ghost\": Post \"http://{host}/VolumeDriver.Get\": EOF"
            )
        );
    }
}

#[tokio::test]
async fn an_http_reply_is_never_retried() {
    for status in [404, 500, 503] {
        let plugin = Plugin::unix();
        let daemon = daemon(&plugin, Profile::Docker);
        given(&daemon, &plugin, &[USED]).await;
        plugin.script("Create", [Act::Reply(status, "boom\n".into())]);
        let outcome = docker(&daemon, KNOWN).await;
        assert_eq!(outcome.stderr, "Error response from daemon: create v: VolumeDriver.Create: boom");
        assert_eq!(plugin.trace(), ["Get v", "Create v"]);
    }
}

#[tokio::test]
async fn a_restarted_plugin_is_found_again_without_a_word() {
    let plugin = Plugin::unix();
    let daemon = daemon(&plugin, Profile::Docker);
    // The plugin closes the connection after its reply, as one that is restarted does.
    plugin.script("Create", [Act::Close("{}".into())]);
    given(&daemon, &plugin, &[KNOWN]).await;
    assert!(docker(&daemon, "docker volume inspect v").await.succeeded());
    let seen = plugin.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].connection, 2);
    assert_eq!(seen[0].body, "{\"Name\":\"v\"}\n");
}

#[tokio::test]
async fn a_hanging_remove_is_given_up_after_a_minute_and_a_hanging_mount_after_two() {
    for (method, minutes, line, expected) in [
        ("Remove", 1.0, "docker volume rm v", "remove v: "),
        ("Mount", 2.0, "docker run -v v:/data busybox", "error while mounting volume ''"),
    ] {
        let plugin = Plugin::unix();
        let daemon = daemon(&plugin, Profile::Docker);
        given(&daemon, &plugin, &[KNOWN]).await;
        plugin.script(method, [Act::Hang]);
        let start = tokio::time::Instant::now();
        let outcome = docker(&daemon, line).await;
        assert!(start.elapsed().as_secs_f64() * SPEED >= minutes * 60.0);
        assert!(outcome.stderr.contains(expected), "{outcome:?}");
        assert!(outcome.stderr.contains("context deadline exceeded"), "{outcome:?}");
        let tries = plugin.trace().iter().filter(|call| call.starts_with(method)).count();
        assert_eq!(tries, 1);
    }
}

#[tokio::test]
async fn a_hanging_activate_blocks_what_scans_and_leaves_known_volumes_alone() {
    let (healthy, stuck) = (Plugin::unix(), Plugin::unix());
    let mut config = config(&healthy);
    config
        .plugins
        .extend(crate::config(&stuck).plugins.into_values().map(|address| ("stuck".into(), address)));
    let daemon = simulated::start(config);
    assert!(docker(&daemon, KNOWN).await.succeeded());
    stuck.script("Activate", [Act::Hang]);
    let scan = docker(&daemon, "docker volume ls");
    // The longest deadline that the daemon has is two minutes.
    let longer_than_any_deadline = Duration::from_secs_f64(130.0 / SPEED);
    tokio::select! {
        outcome = scan => panic!("the scan came to an end: {outcome:?}"),
        () = tokio::time::sleep(longer_than_any_deadline) => {}
    }
    assert!(docker(&daemon, "docker volume inspect v").await.succeeded());
}

#[tokio::test]
async fn a_plugin_that_appears_within_15_seconds_is_found() {
    let plugin = Plugin::unix();
    let late = plugin.folder.path().join("late.sock");
    let config =
        DaemonConfig::new("ghost", format!("unix://{}", late.display()).parse().expect("an address"));
    let daemon = simulated::start(DaemonConfig { clock: crate::config(&plugin).clock, ..config });
    let create = docker(&daemon, KNOWN);
    let appear = async {
        tokio::time::sleep(Duration::from_secs_f64(2.0 / SPEED)).await;
        plugin.listen(UnixListener::bind(&late).expect("a socket in a fresh folder"));
    };
    let (outcome, ()) = tokio::join!(create, appear);
    assert!(outcome.succeeded(), "{outcome:?}");
}

#[tokio::test]
async fn a_plugin_that_is_nowhere_is_not_found_after_15_seconds() {
    let plugin = Plugin::unix();
    let daemon = daemon(&plugin, Profile::Docker);
    let outcome = docker(&daemon, "docker volume create -d nobody v").await;
    assert_eq!(
        outcome.stderr,
        "Error response from daemon: create v: error looking up volume plugin nobody: plugin \"nobody\" not found"
    );
}

#[tokio::test]
async fn a_missing_and_a_refusing_socket_are_distinguished() {
    let plugin = Plugin::unix();
    let daemon = daemon(&plugin, Profile::Docker);
    given(&daemon, &plugin, &[KNOWN]).await;
    let path = plugin.address.trim_start_matches("unix://").to_owned();
    plugin.stop().await;
    let dial = |why: &str| {
        format!(
            "Error response from daemon: get v: error while checking if volume \"v\" exists in driver \"ghost\": Post \"http://plugin.moby.localhost/VolumeDriver.Get\": dial unix {path}: connect: {why}"
        )
    };
    let refused = docker(&daemon, "docker volume inspect v").await;
    assert_eq!(refused.stderr, dial("connection refused"));
    std::fs::remove_file(&path).expect("the socket's file");
    let missing = docker(&daemon, "docker volume inspect v").await;
    assert_eq!(missing.stderr, dial("no such file or directory"));
}

#[tokio::test]
async fn capabilities_are_asked_for_again_until_they_are_given() {
    let plugin = Plugin::unix();
    let daemon = daemon(&plugin, Profile::Docker);
    plugin.script("Capabilities", vec![Act::Reply(500, "not now".into()); 2]);
    let first = docker(&daemon, KNOWN).await;
    assert!(first.succeeded(), "{first:?}");
    assert_eq!(
        plugin.trace(),
        ["Activate", "Capabilities", "Get v", "Create v", "Capabilities"],
        "once to validate the driver and once for the new volume's scope"
    );
    docker(&daemon, "docker volume inspect v").await;
    docker(&daemon, "docker volume inspect v").await;
    assert_eq!(plugin.trace(), ["Get v", "Capabilities", "Get v"]);
}
