//! The calls that a healthy plugin sees at each command: the rows that were watched on real daemons.

use voltergeist::engine::simulated::Profile;

use crate::plugin::Plugin;
use crate::{config, daemon, docker, given};

/// What was there before, what is typed, what the plugin sees.
type Row = (&'static [&'static str], &'static str, &'static [&'static str]);

const USED: &str = "docker volume create -d ghost warm-up";
const KNOWN: &str = "docker volume create -d ghost v";
const RUNNING: &str = "docker run -d --name c -v v:/data --volume-driver ghost busybox top";
const STOPPED: &str = "docker create --name c -v v:/data --volume-driver ghost busybox top";

const ROWS: &[Row] = &[
    (&[], "docker volume create -d ghost v", &["Activate", "Capabilities", "Get v", "Create v"]),
    (&[USED], "docker volume create -d ghost v", &["Get v", "Create v"]),
    (&[KNOWN], "docker volume create -d ghost v", &["Get v"]),
    (&[KNOWN], "docker volume create v", &["Get v"]),
    (&[KNOWN], "docker volume inspect v", &["Get v"]),
    (&[], "docker volume inspect dummy", &["Activate", "Get dummy"]),
    (&[KNOWN], "docker volume ls", &["List"]),
    (&[KNOWN], "docker volume ls -f driver=ghost", &["List"]),
    (&[KNOWN], "docker volume ls -f driver=local", &[]),
    (&[KNOWN], "docker volume rm v", &["Get v", "Get v", "Remove v"]),
    (&[STOPPED], "docker volume rm v", &["Get v"]),
    (&[KNOWN], "docker volume prune -f", &[]),
    (&[KNOWN], "docker create -v v:/data busybox", &["Get v"]),
    (&[KNOWN], "docker create -v v:/bin busybox", &["Get v", "Get v", "Mount v #1", "Get v", "Unmount v #1"]),
    (&[USED], "docker create -v v:/data --volume-driver ghost busybox", &["Get v", "Create v"]),
    (&[KNOWN], "docker create -v v:/tmp busybox", &["Get v", "Get v", "Mount v #1", "Get v", "Unmount v #1"]),
    (&[KNOWN], "docker create -v v:/bin:nocopy busybox", &["Get v"]),
    (&[KNOWN], "docker create -v v:/foo -v w:/foo busybox", &["Get v"]),
    (
        &[KNOWN],
        "docker run -w /foo/bar -v v:/foo busybox true",
        &[
            "Get v",
            "Get v",
            "Mount v #1",
            "Get v",
            "Unmount v #1",
            "Get v",
            "Mount v #2",
            "Get v",
            "Unmount v #2",
        ],
    ),
    (&[KNOWN, "docker volume inspect v", STOPPED], "docker create --volumes-from c busybox", &[]),
    (
        &[KNOWN, "docker volume inspect v", STOPPED],
        "docker run -d --volumes-from c busybox top",
        &["Get v", "Get v", "Mount v #1"],
    ),
    (&[KNOWN], "docker inspect nothing", &["Get nothing"]),
    (&[RUNNING], "docker exec c true", &[]),
    (&[RUNNING], "docker logs c", &[]),
    (&[RUNNING], "docker ps -a", &[]),
    (&[STOPPED], "docker start c", &["Get v", "Mount v #1"]),
    (&[RUNNING], "docker stop c", &["Get v", "Unmount v #1"]),
    (&[RUNNING], "docker kill c", &["Get v", "Unmount v #1"]),
    (
        &[USED],
        "docker run --rm -v /scratch --volume-driver ghost busybox true",
        &["Get ?", "Create ?", "Get ?", "Mount ? #1", "Get ?", "Unmount ? #1", "Get ?", "Get ?", "Remove ?"],
    ),
    (&[STOPPED], "docker rm c", &[]),
    (&[STOPPED], "docker rm -v c", &[]),
    (&[RUNNING], "docker rm -f c", &["Get v", "Unmount v #1"]),
    (&[RUNNING], "docker restart c", &["Get v", "Unmount v #1", "Get v", "Mount v #2"]),
    (&[STOPPED], "docker cp c:/data/x /tmp", &["Get v", "Mount v #1", "Get v", "Unmount v #1"]),
    (
        &[STOPPED],
        "docker cp /tmp/x c:/data",
        &["Get v", "Mount v #1", "Get v", "Unmount v #1", "Get v", "Mount v #2", "Get v", "Unmount v #2"],
    ),
    (&[RUNNING], "docker cp c:/data/x /tmp", &["Get v", "Mount v #1", "Get v", "Unmount v #1"]),
    (
        &[KNOWN],
        "docker run -d -v v:/a -v v:/b busybox top",
        &["Get v", "Get v", "Get v", "Mount v #1", "Get v", "Mount v #2"],
    ),
    (
        &[STOPPED],
        "docker run --volumes-from c busybox true",
        &["Get v", "Get v", "Mount v #1", "Get v", "Unmount v #1"],
    ),
    (&[KNOWN], "docker create -v elsewhere:/data busybox", &["Get elsewhere"]),
    (&[KNOWN], "systemctl restart docker", &["Activate", "Capabilities", "Get v"]),
    (
        &[RUNNING],
        "systemctl restart docker",
        &["Get v", "Unmount v #1", "Activate", "Capabilities", "Get v", "Get v"],
    ),
];

#[tokio::test]
async fn each_command_sends_what_a_real_daemon_sends() {
    for profile in [Profile::Docker20, Profile::Docker] {
        for (before, line, expected) in ROWS {
            let plugin = Plugin::unix();
            let daemon = daemon(&plugin, profile);
            given(&daemon, &plugin, before).await;
            docker(&daemon, line).await;
            assert_eq!(plugin.trace(), *expected, "{profile:?}: {before:?}, then {line}");
        }
    }
}

#[tokio::test]
async fn copying_from_a_running_container_mounts_its_id_again() {
    let plugin = Plugin::unix();
    let daemon = daemon(&plugin, Profile::Docker);
    for line in [RUNNING, "docker cp c:/data/x /tmp", "docker stop c"] {
        assert!(docker(&daemon, line).await.succeeded(), "{line}");
    }
    let mounts: Vec<_> = plugin.trace().into_iter().filter(|call| call.contains('#')).collect();
    assert_eq!(mounts, ["Mount v #1", "Mount v #1", "Unmount v #1", "Unmount v #1"]);
}

#[tokio::test]
async fn a_killed_daemon_keeps_the_mount_ids_and_forgets_what_is_mounted() {
    let plugin = Plugin::unix();
    let daemon = daemon(&plugin, Profile::Docker);
    let always = "docker run -d --name c --restart always -v v:/data --volume-driver ghost busybox top";
    for line in [always, "systemctl kill --signal=KILL docker", "docker stop c"] {
        assert!(docker(&daemon, line).await.succeeded(), "{line}");
    }
    let mounts: Vec<_> = plugin.trace().into_iter().filter(|call| call.contains('#')).collect();
    assert_eq!(mounts, ["Mount v #1", "Mount v #1", "Unmount v #1"]);
}

#[tokio::test]
async fn a_container_that_does_not_restart_after_a_crash_is_never_unmounted() {
    let plugin = Plugin::unix();
    let daemon = daemon(&plugin, Profile::Docker);
    for line in [RUNNING, "systemctl kill --signal=KILL docker", "docker rm c"] {
        assert!(docker(&daemon, line).await.succeeded(), "{line}");
    }
    assert!(!plugin.trace().iter().any(|call| call.starts_with("Unmount")));
}

#[tokio::test]
async fn a_request_has_the_bytes_that_go_sends() {
    for (profile, host) in [(Profile::Docker, "plugin.moby.localhost"), (Profile::Docker20, "")] {
        let plugin = Plugin::unix();
        let daemon = daemon(&plugin, profile);
        docker(&daemon, "docker volume create -d ghost -o tier=a&b v").await;
        docker(&daemon, "docker volume ls").await;
        let seen = plugin.seen();
        let agent = profile.as_str();
        let head = |path: &str, length: usize| {
            format!(
                "POST /{path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: voltergeist-simulated/{agent}\r\nContent-Length: {length}\r\nAccept: application/vnd.docker.plugins.v1.2+json\r\n\r\n"
            )
        };
        let sent: Vec<_> = seen.iter().map(|seen| (seen.head.clone(), seen.body.as_str())).collect();
        assert_eq!(
            sent,
            [
                (head("Plugin.Activate", 0), ""),
                (head("VolumeDriver.Capabilities", 3), "{}\n"),
                (head("VolumeDriver.Get", 13), "{\"Name\":\"v\"}\n"),
                (head("VolumeDriver.Create", 40), "{\"Name\":\"v\",\"Opts\":{\"tier\":\"a\\u0026b\"}}\n"),
                (head("VolumeDriver.List", 3), "{}\n"),
            ]
        );
        assert!(seen.iter().all(|seen| seen.connection == 1), "connections are kept");
    }
}

#[tokio::test]
async fn over_tcp_the_host_is_the_address_and_an_absent_map_of_options_is_null() {
    let plugin = Plugin::tcp().await;
    let daemon = daemon(&plugin, Profile::Docker20);
    docker(&daemon, "docker volume create -d ghost v").await;
    let create = plugin.seen().pop().expect("a Create");
    let host = plugin.address.trim_start_matches("tcp://");
    assert!(create.head.contains(&format!("Host: {host}\r\n")), "{}", create.head);
    assert!(create.head.contains("Accept-Encoding: gzip\r\n"), "{}", create.head);
    assert_eq!(create.body, "{\"Name\":\"v\",\"Opts\":null}\n");
}

#[tokio::test]
async fn one_seed_gives_the_same_mount_ids() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let plugin = Plugin::unix();
        let daemon = voltergeist::engine::simulated::start(config(&plugin));
        docker(&daemon, RUNNING).await;
        runs.push(plugin.seen().pop().expect("a Mount").body);
    }
    assert_eq!(runs[0], runs[1]);
}
