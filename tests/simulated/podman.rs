//! The profile of podman: the calls that were watched on podman 4.3.1, and its words.

use voltergeist::{domain::model::scenario::ScenarioResult, engine::simulated::Profile};

use crate::{
    daemon, docker,
    faults::FaultyDriver,
    given,
    player::{played, scenario},
    plugin::{Act, Plugin},
};

const KNOWN: &str = "docker volume create -d ghost v";
const RUNNING: &str = "docker run -d --name c -v v:/data busybox top";
const SECOND: &str = "docker run -d --name c2 -v v:/data busybox top";

#[tokio::test]
async fn each_command_activates_again_and_only_the_first_and_last_mount_reach_the_plugin() {
    let rows: &[(&[&str], &str, &[&str])] = &[
        (&[], KNOWN, &["Activate", "Get v", "Create v"]),
        (&[KNOWN], KNOWN, &[]),
        (&[KNOWN], "docker volume inspect v", &["Activate", "Get v"]),
        (&[KNOWN], "docker volume ls", &["Activate", "Get v"]),
        (
            &[KNOWN],
            "docker run --rm -v v:/data busybox true",
            &["Activate", "Mount v #1", "Activate", "Unmount v #1"],
        ),
        (&[KNOWN], RUNNING, &["Activate", "Mount v #1"]),
        (&[KNOWN, RUNNING], SECOND, &["Activate"]),
        (&[KNOWN, RUNNING], "docker volume rm v", &["Activate"]),
        (&[KNOWN, RUNNING], "docker cp c:/data/x /tmp", &[]),
        (&[KNOWN, RUNNING, SECOND], "docker stop c", &["Activate"]),
        (&[KNOWN, RUNNING], "docker restart c", &["Activate"]),
        (&[KNOWN, RUNNING], "docker rm -f c", &["Activate", "Unmount v #1"]),
        (&[KNOWN], "docker create --name c -v v:/data busybox true", &["Activate"]),
        (&[KNOWN], "docker volume rm v", &["Activate", "Get v", "Remove v"]),
        (&[], "docker run --rm -v new:/data busybox true", &[]),
    ];
    for (before, line, expected) in rows {
        let plugin = Plugin::unix();
        let podman = daemon(&plugin, Profile::Podman);
        given(&podman, &plugin, before).await;
        docker(&podman, line).await;
        assert_eq!(plugin.trace(), *expected, "{before:?}, then {line}");
    }
}

#[tokio::test]
async fn a_request_has_the_bytes_that_podman_sends() {
    let plugin = Plugin::unix();
    let podman = daemon(&plugin, Profile::Podman);
    docker(&podman, "docker volume create -d ghost -o tier=gold v").await;
    docker(&podman, RUNNING).await;
    let sent: Vec<_> = plugin.seen().into_iter().map(|seen| (seen.head, seen.body)).collect();
    let (head, body) = &sent[2];
    assert_eq!(body, "{\"Name\":\"v\",\"Opts\":{\"tier\":\"gold\"}}");
    assert_eq!(
        head,
        "POST /VolumeDriver.Create HTTP/1.1\r\nHost: plugin\r\nUser-Agent: voltergeist-simulated/podman\r\nContent-Length: 35\r\nContent-Type: application/vnd.docker.plugins.v1.1+json\r\n\r\n"
    );
    assert_eq!(
        sent[4].1,
        "{\"Name\":\"v\",\"ID\":\"2f73349cfc4630255319c6c8dfc1b46a8996ace9d14d8e07563b165915918ec2\"}"
    );
}

#[tokio::test]
async fn an_err_with_status_200_is_success() {
    let plugin = Plugin::unix();
    let podman = daemon(&plugin, Profile::Podman);
    plugin.script("Create", [Act::Reply(200, "{\"Err\":\"boom\"}".into())]);
    let outcome = docker(&podman, KNOWN).await;
    assert!(outcome.succeeded(), "{outcome:?}");
}

#[tokio::test]
async fn an_error_is_reported_in_podmans_words_and_never_tried_again() {
    for (act, expected) in [
        (
            Act::Reply(500, "{\"Err\":\"boom\"}".into()),
            "on /VolumeDriver.Remove on volume v in volume plugin ghost: boom",
        ),
        (Act::Reply(500, "boom".into()), "unmarshalling JSON response from volume plugin ghost: "),
        (Act::Reply(500, "{}".into()), "volume plugin ghost: empty error from plugin"),
        (
            Act::Lose,
            "sending request to volume plugin ghost endpoint /VolumeDriver.Remove: Post \"http://plugin/VolumeDriver.Remove\": EOF",
        ),
        (Act::Hang, "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"),
    ] {
        let plugin = Plugin::unix();
        let podman = daemon(&plugin, Profile::Podman);
        given(&podman, &plugin, &[KNOWN]).await;
        plugin.script("Remove", [act.clone()]);
        let outcome = docker(&podman, "docker volume rm v").await;
        assert!(
            outcome.stderr.starts_with("Error: volume v could not be removed from plugin ghost: ")
                && outcome.stderr.contains(expected),
            "{act:?}: {outcome:?}"
        );
        assert_eq!(plugin.trace(), ["Activate", "Get v", "Remove v"]);
    }
}

#[tokio::test]
async fn a_scenario_for_dockerd_is_skipped_on_podman() {
    let haunted = FaultyDriver::new();
    let podman = haunted.engine(Profile::Podman);
    let report = played(&haunted, &podman, &scenario("[[step]]\ndocker = \"docker volume ls\"")).await;
    assert_eq!(report.result, ScenarioResult::Skipped);
    assert_eq!(report.problems, ["it plays only on dockerd, and this engine is podman"]);
    haunted.end().await;
}

#[tokio::test]
async fn a_get_that_fails_takes_the_volume_out_of_the_database() {
    let plugin = Plugin::unix();
    let podman = daemon(&plugin, Profile::Podman);
    given(&podman, &plugin, &[KNOWN]).await;
    plugin.script("Get", [Act::Reply(500, "{\"Err\":\"boom\"}".into())]);
    assert!(!docker(&podman, "docker volume rm v").await.succeeded());
    let outcome = docker(&podman, "docker volume inspect v").await;
    assert_eq!(outcome.stderr, "Error: inspecting object: no such volume v");
}
