//! What the daemon makes of a plugin's replies: its words, and what it forgets.

use voltergeist::engine::simulated::Profile;

use crate::plugin::{Act, Plugin};
use crate::{daemon, docker, given};

const USED: &str = "docker volume create -d ghost warm-up";
const KNOWN: &str = "docker volume create -d ghost v";

fn reply(text: &str) -> Act {
    Act::Reply(200, text.into())
}

#[tokio::test]
async fn a_wrong_reply_to_create_is_reported_in_the_daemons_words() {
    for (act, expected) in [
        (Act::Reply(500, "{\"Err\":\"boom\"}".into()), "VolumeDriver.Create: boom"),
        (Act::Reply(500, String::new()), "VolumeDriver.Create:"),
        (Act::Reply(201, "{}".into()), "VolumeDriver.Create: {}"),
        (reply("{\"Err\":\"boom\"}"), "boom"),
        (reply("{\"err\":\"boom\"}"), "boom"),
        (
            reply("[]"),
            "json: cannot unmarshal array into Go value of type drivers.volumeDriverProxyCreateResponse",
        ),
        (reply(""), "EOF"),
        (reply("{\"Err\":"), "unexpected EOF"),
        (Act::Disconnect("{\"Err\":\"".into()), "unexpected EOF"),
        (reply("<html>"), "invalid character '<' looking for beginning of value"),
        (reply("{\"Err\":5}"), "json: cannot unmarshal number into Go struct field .Err of type string"),
    ] {
        let plugin = Plugin::unix();
        let daemon = daemon(&plugin, Profile::Docker);
        given(&daemon, &plugin, &[USED]).await;
        plugin.script("Create", [act.clone()]);
        let outcome = docker(&daemon, KNOWN).await;
        assert_eq!(outcome.stderr, format!("Error response from daemon: create v: {expected}"), "{act:?}");
        assert_eq!(outcome.code, 1);
    }
}

#[tokio::test]
async fn an_odd_reply_that_docker_accepts_is_success() {
    for act in [
        reply("{}"),
        reply("null"),
        reply("{} rubbish"),
        reply("{\"ERR\":null}"),
        Act::Disconnect("{}".into()),
    ] {
        let plugin = Plugin::unix();
        let daemon = daemon(&plugin, Profile::Docker);
        given(&daemon, &plugin, &[USED]).await;
        plugin.script("Create", [act.clone()]);
        let outcome = docker(&daemon, KNOWN).await;
        assert!(outcome.succeeded(), "{act:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn any_reply_to_get_that_is_no_volume_purges_labels_and_options_for_good() {
    for act in [
        reply("{}"),
        reply("null"),
        reply("{\"Err\":\"busy\"}"),
        Act::Reply(500, "boom".into()),
        reply("rubbish"),
        Act::Disconnect("{\"Volume\":".into()),
        reply("{\"Volume\":{\"Name\":\"v\",\"CreatedAt\":\"yesterday\"}}"),
    ] {
        for (profile, expected) in [
            (Profile::Docker, "Error response from daemon: get v: no such volume"),
            (Profile::Docker20, "Error: No such volume: v"),
        ] {
            let plugin = Plugin::unix();
            let daemon = daemon(&plugin, profile);
            given(&daemon, &plugin, &["docker volume create -d ghost -o a=b --label team=x v"]).await;
            let before = docker(&daemon, "docker volume inspect v").await.stdout;
            assert!(before.contains("\"team\": \"x\"") && before.contains("\"a\": \"b\""), "{before}");
            plugin.script("Get", [act.clone()]);
            assert_eq!(docker(&daemon, "docker volume inspect v").await.stderr, expected, "{act:?}");
            let after = docker(&daemon, "docker volume inspect v").await.stdout;
            assert!(after.contains("\"Labels\": null") && after.contains("\"Options\": null"), "{after}");
        }
    }
}

#[tokio::test]
async fn a_plugin_that_cannot_be_asked_loses_nothing() {
    let plugin = Plugin::unix();
    let daemon = daemon(&plugin, Profile::Docker);
    given(&daemon, &plugin, &["docker volume create -d ghost --label team=x v"]).await;
    plugin.script("Get", vec![Act::Lose; 5]);
    assert!(!docker(&daemon, "docker volume inspect v").await.succeeded());
    assert!(docker(&daemon, "docker volume inspect v").await.stdout.contains("\"team\": \"x\""));
}

#[tokio::test]
async fn one_wrong_get_lets_a_volume_be_removed_under_its_container_and_never_unmounted() {
    let plugin = Plugin::unix();
    let daemon = daemon(&plugin, Profile::Docker);
    let run = "docker run -d --name c -v v:/data --volume-driver ghost busybox top";
    given(&daemon, &plugin, &[run]).await;
    plugin.script("Get", [reply("{}")]);
    docker(&daemon, "docker volume inspect v").await;
    assert!(docker(&daemon, "docker volume rm v").await.succeeded());
    assert!(docker(&daemon, "docker stop c").await.succeeded());
    let trace = plugin.trace();
    assert!(trace.contains(&"Remove v".to_owned()) && !trace.iter().any(|call| call.starts_with("Unmount")));
}

#[tokio::test]
async fn a_name_belongs_to_one_driver() {
    let plugin = Plugin::unix();
    let daemon = daemon(&plugin, Profile::Docker);
    given(&daemon, &plugin, &["docker volume create mine", "docker volume create -d ghost data"]).await;
    let refusal =
        |text: &str| format!("Error response from daemon: create {text}: volume name must be unique");
    assert_eq!(
        docker(&daemon, "docker volume create -d ghost mine").await.stderr,
        refusal("mine: driver 'local' already has volume 'mine'")
    );
    assert_eq!(
        docker(&daemon, "docker volume create -d local data").await.stderr,
        refusal("data: driver 'ghost' already has volume 'data'")
    );
    plugin.forget("data");
    assert!(docker(&daemon, "docker volume create -d local data").await.succeeded());
}

#[tokio::test]
async fn a_forgotten_volume_that_a_container_uses_cannot_be_created_again() {
    let plugin = Plugin::unix();
    let daemon = daemon(&plugin, Profile::Docker);
    given(&daemon, &plugin, &["docker create --name c -v v:/data --volume-driver ghost busybox"]).await;
    plugin.forget("v");
    let outcome = docker(&daemon, KNOWN).await;
    assert!(outcome.stderr.contains("found references to volume 'v' in driver 'ghost'"), "{outcome:?}");
    assert!(outcome.stderr.ends_with("volume name must be unique"), "{outcome:?}");
}

#[tokio::test]
async fn a_shadow_local_volume_takes_the_place_of_the_plugins() {
    let plugin = Plugin::unix();
    let daemon = daemon(&plugin, Profile::Docker);
    given(&daemon, &plugin, &["docker volume create -d ghost data"]).await;
    plugin.script("Get", vec![reply("{}"); 2]);
    assert!(docker(&daemon, "docker run -v data:/data busybox true").await.succeeded());
    assert!(docker(&daemon, "docker volume inspect data").await.stdout.contains("\"Driver\": \"local\""));
    let listed = docker(&daemon, "docker volume ls").await.stdout;
    assert_eq!(listed.lines().skip(1).collect::<Vec<_>>(), ["local     data"]);
    assert!(plugin.knows("data"));
}

#[tokio::test]
async fn a_failed_mount_is_not_unmounted_and_the_others_are() {
    let plugin = Plugin::unix();
    let daemon = daemon(&plugin, Profile::Docker);
    given(&daemon, &plugin, &["docker volume create -d ghost a", "docker volume create -d ghost b"]).await;
    plugin.script("Mount", [Act::OriginalReply, reply("{\"Err\":\"boom\"}")]);
    let outcome = docker(&daemon, "docker run --name c -v a:/a -v b:/b busybox true").await;
    assert_eq!(
        outcome.stderr,
        "docker: Error response from daemon: error while mounting volume '': boom\n\nRun 'docker run --help' for more information"
    );
    assert_eq!(outcome.code, 125);
    assert_eq!(
        plugin.trace(),
        ["Get a", "Get b", "Get a", "Mount a #1", "Get b", "Mount b #2", "Get a", "Unmount a #1"]
    );
    assert!(docker(&daemon, "docker start c").await.succeeded(), "the container is still there");
}

#[tokio::test]
async fn a_failed_unmount_is_not_reported_and_its_id_is_mounted_again() {
    let plugin = Plugin::unix();
    let daemon = daemon(&plugin, Profile::Docker);
    given(&daemon, &plugin, &["docker create --name c -v v:/data --volume-driver ghost busybox top"]).await;
    plugin.script("Unmount", [Act::Reply(500, "boom".into())]);
    for line in ["docker start c", "docker stop c", "docker start c"] {
        assert!(docker(&daemon, line).await.succeeded(), "{line}");
    }
    assert_eq!(plugin.trace(), ["Get v", "Mount v #1", "Get v", "Unmount v #1", "Get v", "Mount v #1"]);
}

#[tokio::test]
async fn an_empty_mountpoint_starts_the_container_and_a_missing_one_does_not() {
    for (mountpoint, code) in [("", 0), ("relative", 127), ("/no/such/dir", 127)] {
        let plugin = Plugin::unix();
        let daemon = daemon(&plugin, Profile::Docker);
        given(&daemon, &plugin, &[KNOWN]).await;
        plugin.script("Mount", [reply(&format!("{{\"Mountpoint\":\"{mountpoint}\"}}"))]);
        let outcome = docker(&daemon, "docker run -v v:/data busybox true").await;
        assert_eq!(outcome.code, code, "{mountpoint:?}: {outcome:?}");
        assert_eq!(
            plugin.trace(),
            ["Get v", "Get v", "Mount v #1", "Get v", "Unmount v #1"],
            "{mountpoint:?}"
        );
    }
}

#[tokio::test]
async fn a_removal_with_rm_v_that_fails_is_only_logged() {
    for profile in [Profile::Docker20, Profile::Docker] {
        let plugin = Plugin::unix();
        let daemon = daemon(&plugin, profile);
        given(&daemon, &plugin, &["docker create --name c -v /foo --volume-driver ghost busybox"]).await;
        plugin.script("Remove", [Act::Reply(500, "busy".into())]);
        assert!(docker(&daemon, "docker rm -v c").await.succeeded());
        assert_eq!(plugin.trace(), ["Get ?", "Get ?", "Remove ?"]);
        assert_eq!(docker(&daemon, "docker ps -a").await.stdout.lines().count(), 1, "the container is gone");
    }
}

#[tokio::test]
async fn volumes_of_another_container_with_a_known_place_have_no_reference_until_the_start() {
    for profile in [Profile::Docker20, Profile::Docker] {
        let plugin = Plugin::unix();
        let daemon = daemon(&plugin, profile);
        let lines = [
            KNOWN,
            "docker volume inspect v",
            "docker create --name one -v v:/data busybox top",
            "docker create --name two --volumes-from one busybox top",
            "docker rm one",
        ];
        given(&daemon, &plugin, &lines).await;
        assert!(docker(&daemon, "docker volume rm v").await.succeeded());
        let outcome = docker(&daemon, "docker start two").await;
        assert!(outcome.stderr.contains("get v: no such volume"), "{outcome:?}");
        assert_eq!(plugin.trace(), ["Get v", "Get v", "Remove v", "Get v"]);
    }
}

#[tokio::test]
async fn a_volume_in_the_place_of_another_containers_releases_that_one() {
    let plugin = Plugin::unix();
    let daemon = daemon(&plugin, Profile::Docker);
    let lines = [
        KNOWN,
        "docker volume create -d ghost w",
        "docker create --name one -v v:/foo busybox",
        "docker create --name two --volumes-from one -v w:/foo busybox",
        "docker rm one",
    ];
    given(&daemon, &plugin, &lines).await;
    assert!(docker(&daemon, "docker volume rm v").await.succeeded());
    assert!(!docker(&daemon, "docker volume rm w").await.succeeded());
}

#[tokio::test]
async fn a_failed_copy_up_is_reported_as_each_daemon_does() {
    for (profile, unmount_fails, mount_fails) in [
        (
            Profile::Docker20,
            &["Get v", "Get v", "Mount v #1", "Get v", "Unmount v #1", "Get v", "Mount v #2"],
            "Error response from daemon: VolumeDriver.Mount: busy",
        ),
        (
            Profile::Docker,
            &["Get v", "Get v", "Mount v #1", "Get v", "Unmount v #1", "Get v", "Mount v #1"],
            "Error response from daemon: failed to populate volume: error while mounting volume '': VolumeDriver.Mount: busy",
        ),
    ] {
        let plugin = Plugin::unix();
        let daemon = daemon(&plugin, profile);
        given(&daemon, &plugin, &[KNOWN]).await;
        plugin.script("Mount", [Act::Reply(500, "busy".into())]);
        let outcome = docker(&daemon, "docker create --name c -v v:/tmp busybox top").await;
        assert_eq!(outcome.stderr, mount_fails);
        plugin.trace();
        plugin.script("Unmount", [Act::Reply(500, "busy".into())]);
        for line in ["docker create --name c -v v:/tmp busybox top", "docker start c"] {
            assert!(docker(&daemon, line).await.succeeded(), "{line}");
        }
        assert_eq!(plugin.trace(), *unmount_fails, "{profile}");
    }
}

#[tokio::test]
async fn a_copy_from_a_mountpoint_that_is_missing_or_empty_fails() {
    for mountpoint in ["", "/no/such/dir"] {
        let plugin = Plugin::unix();
        let daemon = daemon(&plugin, Profile::Docker);
        given(&daemon, &plugin, &["docker run -d --name c -v v:/data --volume-driver ghost busybox top"])
            .await;
        plugin.script("Mount", [reply(&format!("{{\"Mountpoint\":\"{mountpoint}\"}}"))]);
        let outcome = docker(&daemon, "docker cp c:/data/x /tmp").await;
        assert_eq!(
            outcome.stderr,
            "Error response from daemon: Could not find the file /data/x in container c"
        );
        assert_eq!(plugin.trace(), ["Get v", "Mount v #1", "Get v", "Unmount v #1"], "{mountpoint:?}");
    }
}

#[tokio::test]
async fn errors_about_containers_have_each_daemons_words() {
    for (profile, line, expected) in [
        (
            Profile::Docker20,
            "docker kill c",
            "Error response from daemon: Cannot kill container: c: No such container: c",
        ),
        (
            Profile::Docker,
            "docker kill c",
            "Error response from daemon: cannot kill container: c: No such container: c",
        ),
        (
            Profile::Docker20,
            "docker start c",
            "Error response from daemon: No such container: c\nError: failed to start containers: c",
        ),
        (
            Profile::Docker,
            "docker start c",
            "Error response from daemon: No such container: c\nfailed to start containers: c",
        ),
        (Profile::Docker20, "docker inspect c", "Error: No such object: c"),
        (Profile::Docker, "docker inspect c", "error: no such object: c"),
        (
            Profile::Docker,
            "docker run -v v:/foo -v w:/foo --volume-driver ghost busybox",
            "docker: Error response from daemon: Duplicate mount point: /foo\n\nRun 'docker run --help' for more information",
        ),
    ] {
        let plugin = Plugin::unix();
        let daemon = daemon(&plugin, profile);
        assert_eq!(docker(&daemon, line).await.stderr, expected, "{profile}");
    }
}

#[tokio::test]
async fn a_container_shows_where_its_volume_was_when_it_was_created() {
    let plugin = Plugin::unix();
    let daemon = daemon(&plugin, Profile::Docker);
    for (before, container, known) in [(KNOWN, "fresh", false), ("docker volume inspect v", "later", true)] {
        docker(&daemon, before).await;
        docker(&daemon, &format!("docker run -d --name {container} -v v:/data busybox top")).await;
        let inspected = docker(&daemon, &format!("docker inspect {container}")).await.stdout;
        assert_eq!(!inspected.contains("\"Source\": \"\""), known, "{inspected}");
        assert!(inspected.contains("\"Status\": \"running\""), "{inspected}");
    }
}

#[tokio::test]
async fn a_null_among_the_listed_volumes_ends_the_daemon() {
    let plugin = Plugin::unix();
    let daemon = daemon(&plugin, Profile::Docker);
    given(&daemon, &plugin, &[KNOWN]).await;
    plugin.script("List", [reply("{\"Volumes\":[null]}")]);
    assert!(docker(&daemon, "docker volume ls").await.stderr.ends_with("EOF"));
    let outcome = docker(&daemon, "docker volume inspect v").await;
    assert!(outcome.stderr.starts_with("failed to connect to the docker API"), "{outcome:?}");
    assert!(docker(&daemon, "systemctl restart docker").await.succeeded());
    assert!(docker(&daemon, "docker volume inspect v").await.succeeded());
}

#[tokio::test]
async fn a_driver_that_cannot_list_has_what_the_daemon_remembers() {
    let plugin = Plugin::unix();
    let daemon = daemon(&plugin, Profile::Docker);
    given(&daemon, &plugin, &[KNOWN]).await;
    plugin.script("List", [Act::Reply(500, "boom".into()), reply("{}")]);
    assert!(docker(&daemon, "docker volume ls").await.stdout.ends_with(" v"));
    assert!(docker(&daemon, "docker volume ls").await.stdout.ends_with("VOLUME NAME"));
}

#[tokio::test]
async fn a_plugin_that_is_no_volume_driver_stays_one_until_the_daemon_restarts() {
    for (profile, detail) in [
        (Profile::Docker, ": plugin=\"ghost\", requested implementation=\"VolumeDriver\""),
        (Profile::Docker20, ""),
    ] {
        let plugin = Plugin::unix();
        let daemon = daemon(&plugin, profile);
        plugin.script("Activate", [reply("{\"Implements\":[\"volumedriver\"]}")]);
        for _ in 0..2 {
            assert_eq!(
                docker(&daemon, KNOWN).await.stderr,
                format!(
                    "Error response from daemon: create v: error looking up volume plugin ghost: legacy plugin: Plugin does not implement the requested driver{detail}"
                )
            );
        }
        assert_eq!(plugin.trace(), ["Activate"]);
        docker(&daemon, "systemctl restart docker").await;
        assert!(docker(&daemon, KNOWN).await.succeeded());
    }
}

#[tokio::test]
async fn a_forced_removal_reports_the_error_and_forgets_the_volume() {
    let plugin = Plugin::unix();
    let daemon = daemon(&plugin, Profile::Docker);
    given(&daemon, &plugin, &["docker volume create -d ghost --label team=x v"]).await;
    plugin.script("Remove", [Act::Reply(500, "boom".into())]);
    let outcome = docker(&daemon, "docker volume rm -f v").await;
    assert_eq!(outcome.stderr, "Error response from daemon: remove v: VolumeDriver.Remove: boom");
    assert!(docker(&daemon, "docker volume inspect v").await.stdout.contains("\"Labels\": null"));
}

#[tokio::test]
async fn a_hung_call_holds_up_its_own_volume_and_no_other() {
    let plugin = Plugin::unix();
    let daemon = daemon(&plugin, Profile::Docker);
    given(&daemon, &plugin, &[KNOWN, "docker volume create -d ghost other"]).await;
    plugin.script("Remove", [Act::Hang]);
    let hung = docker(&daemon, "docker volume rm v");
    let others = async {
        while !plugin.seen().iter().any(|seen| seen.method == "Remove") {
            tokio::task::yield_now().await;
        }
        docker(&daemon, "docker volume inspect other").await
    };
    tokio::select! {
        outcome = hung => panic!("the hung removal ended first: {outcome:?}"),
        outcome = others => assert!(outcome.succeeded(), "{outcome:?}"),
    }
}
