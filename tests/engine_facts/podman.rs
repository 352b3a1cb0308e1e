//! What podman makes of wrong answers: no daemon, no second try, and a handshake for each command.

use std::rc::Rc;

use serde_json::json;

use crate::{
    stage::arm,
    support::{
        Test,
        docker::Outcome,
        plugin::{Plugin, Registration},
        podman::Podman,
        sandbox::Sandbox,
    },
    tests,
};

pub fn tests() -> Vec<Test> {
    tests![
        podman_is_recognised_and_activates_for_each_command,
        podman_takes_an_error_in_a_good_answer_as_success,
        podman_fails_with_the_message_if_it_comes_as_json,
        podman_does_not_read_what_it_does_not_need,
        podman_does_not_retry,
        podman_gives_up_after_five_seconds,
        podman_forgets_a_volume_whose_get_fails,
        podman_activates_again_after_a_failure,
        podman_mounts_what_it_is_told,
        podman_counts_a_mount_whose_unmount_fails_for_ever,
        podman_reloads_what_the_driver_lists,
    ]
    .into_iter()
    .map(Test::with_podman)
    .collect()
}

struct Stage {
    podman: Podman,
    plugin: Plugin,
}

impl Stage {
    fn new() -> Self {
        let sandbox: Rc<Sandbox> = Sandbox::new();
        let plugin = Plugin::start(&sandbox, "ghost", Registration::Socket);
        let socket = plugin.address();
        let socket = socket.strip_prefix("unix://").expect("podman knows sockets only");
        Self { podman: Podman::new(&sandbox, "ghost", socket.as_ref()), plugin }
    }

    fn arm(&self, rule: &str, fact: &str) {
        arm(&self.plugin, rule, fact);
    }

    fn disarm(&self) {
        self.plugin.command("disarm all");
    }

    fn succeeds(&self, line: &str) -> String {
        self.podman.podman(line).succeeds()
    }

    fn fails(&self, line: &str, with: &str) {
        let error = self.podman.podman(line).fails();
        assert!(error.contains(with), "{line}: {error}");
    }

    fn create(&self, volume: &str) {
        self.succeeds(&format!("volume create --driver ghost {volume}"));
    }

    fn volumes(&self) -> String {
        self.succeeds("volume ls --quiet")
    }

    /// What a container sees in place of its volume.
    fn files(&self, volume: &str) -> Outcome {
        self.podman.run_with(volume, "ls /data")
    }

    /// The operations that were called since the last time.
    fn calls(&self) -> Vec<String> {
        let ended = self.plugin.entries().into_iter().filter(|entry| entry["kind"] == "call");
        let operations = ended.map(|call| call["operation"].as_str().unwrap_or("?").to_owned()).collect();
        self.plugin.command("reset");
        operations
    }
}

fn podman_is_recognised_and_activates_for_each_command() {
    let stage = Stage::new();
    stage.arm("create: pass", "podman-pass");
    stage.create("data");
    let create = stage.plugin.calls("create").pop().expect("it was called");
    assert_eq!((&create["caller"], &create["request"]), (&json!("podman"), &json!("{\"Name\":\"data\"}")));
    assert_eq!(stage.calls(), ["activate", "get", "create"]);

    stage.arm("capabilities, path: hang", "podman-never");
    stage.succeeds("volume inspect data");
    assert_eq!(stage.calls(), ["activate", "get"]);
    assert!(stage.files("data").succeeds().contains("mountID"));
    let calls = stage.calls();
    assert!(calls.iter().filter(|call| *call == "activate").count() > 1, "one for each process: {calls:?}");
    assert!(!calls.iter().any(|call| call == "capabilities" || call == "path"), "{calls:?}");
    assert_eq!(calls.iter().filter(|call| call.ends_with("mount")).collect::<Vec<_>>(), ["mount", "unmount"]);
    stage.succeeds("volume rm data");
    assert_eq!(stage.calls(), ["activate", "get", "remove"]);
}

fn podman_takes_an_error_in_a_good_answer_as_success() {
    let stage = Stage::new();
    for operation in ["create", "get", "remove"] {
        stage.arm(&format!("{operation}: fail \"boom\" as inband"), "podman-fail-inband");
        stage.create("data");
        stage.succeeds("volume inspect data");
        stage.succeeds("volume rm data");
        assert_eq!(stage.volumes(), "", "{operation}");
    }
}

fn podman_fails_with_the_message_if_it_comes_as_json() {
    let stage = Stage::new();
    let create = "volume create --driver ghost data";
    stage.arm("create: fail \"boom\" as json500", "podman-fail-json");
    stage.fails(create, "on /VolumeDriver.Create on volume data in volume plugin ghost: boom");
    for shape in ["text500", "http404", "http400"] {
        stage.arm(&format!("create: fail \"boom\" as {shape}"), "podman-fail-text");
        stage.fails(create, "unmarshalling JSON response from volume plugin ghost");
    }
    stage.disarm();
    stage.create("data");
    stage.arm("remove: fail \"boom\" as json500", "podman-fail-json");
    stage.fails("volume rm data", "boom");
    assert_eq!(stage.volumes(), "data");
}

fn podman_does_not_read_what_it_does_not_need() {
    let stage = Stage::new();
    for action in ["empty", "null", "garbage", "truncate", "wrong-type", "two-bodies", "lie"] {
        stage.arm(&format!("create, remove: {action}"), "podman-unread");
        stage.create("data");
        stage.succeeds("volume rm data");
    }
    stage.disarm();
    stage.create("data");
    for action in ["garbage", "truncate", "wrong-type", "two-bodies"] {
        stage.arm(&format!("mount: {action}"), "podman-malformed");
        let error = stage.files("data").fails();
        assert!(error.contains("mounting volume data"), "{action}: {error}");
    }
}

fn podman_does_not_retry() {
    let stage = Stage::new();
    for (number, (action, error)) in
        [("eof", "EOF"), ("reset", "connection reset by peer")].into_iter().enumerate()
    {
        stage.arm(&format!("create: {action}"), "podman-connection-lost");
        stage.fails("volume create --driver ghost data", error);
        assert_eq!(stage.plugin.counters(["create"]), [number as u64 + 1]);
    }
}

fn podman_gives_up_after_five_seconds() {
    let stage = Stage::new();
    stage.arm("create: delay 2s", "podman-delayed");
    stage.create("data");
    stage.arm("create: delay 6s", "podman-hang");
    stage.fails("volume create --driver ghost late", "context deadline exceeded");
    stage.arm("create: hang", "podman-hang");
    stage.fails("volume create --driver ghost late", "context deadline exceeded");
    assert_eq!(stage.plugin.counters(["create"]), [3]);
}

fn podman_forgets_a_volume_whose_get_fails() {
    let stage = Stage::new();
    for action in ["fail \"boom\"", "fail \"boom\" as json500", "garbage", "truncate", "two-bodies", "eof"] {
        stage.create("data");
        stage.arm(&format!("get: {action}"), "podman-get-fail");
        stage.fails("volume inspect data", "plugin ghost");
        stage.fails("volume ls", "plugin ghost");
        stage.fails("volume rm data", "it has been removed from Podman");
        stage.create("other");
        assert_eq!(stage.calls().last().map(String::as_str), Some("create"), "taken as absent: {action}");
        stage.disarm();
        assert_eq!(stage.volumes(), "other", "{action}");
        stage.succeeds("volume rm other");
        stage.plugin.command("wipe");
    }
    for action in ["bad-time", "rename impostor", "mountpoint /etc"] {
        stage.create("data");
        let fact = if action == "bad-time" { "podman-get-bad-time" } else { "podman-get-unread" };
        stage.arm(&format!("get: {action}"), fact);
        assert_eq!(
            stage.succeeds("volume inspect --format {{.Name}}:{{.Mountpoint}} data"),
            "data:",
            "{action}"
        );
        stage.succeeds("volume rm data");
    }
}

fn podman_activates_again_after_a_failure() {
    let stage = Stage::new();
    for (action, fact, error) in [
        ("fail \"boom\"", "podman-activate-status", "target does not appear to be a valid plugin"),
        ("fail \"boom\" as json500", "podman-activate-status", "target does not appear to be a valid plugin"),
        ("empty", "podman-activate-empty-reply", "does not implement volume plugin"),
        ("fail \"boom\" as inband", "podman-activate-empty-reply", "does not implement volume plugin"),
        ("implements NetworkDriver", "podman-activate-empty-reply", "does not implement volume plugin"),
        ("garbage", "podman-malformed", "unmarshalling plugin ghost activation response"),
    ] {
        stage.arm(&format!("activate: {action}"), fact);
        stage.fails("volume create --driver ghost data", error);
        stage.disarm();
        stage.create("data");
        stage.succeeds("volume rm data");
    }
}

fn podman_mounts_what_it_is_told() {
    let stage = Stage::new();
    stage.create("data");
    for action in ["empty", "null", "mountpoint empty"] {
        stage.arm(&format!("mount: {action}"), "podman-mount-empty-reply");
        let files = stage.files("data").succeeds();
        assert!(files.contains("config.json") && files.contains("secrets"), "{action}: {files}");
    }
    stage.arm("mount: fail \"boom\" as inband", "podman-mount-inband");
    assert!(stage.files("data").succeeds().contains("config.json"));

    stage.arm("mount: mountpoint /etc", "podman-mount-mountpoint");
    let files = stage.files("data").succeeds();
    assert!(files.contains("passwd"), "{files}");
    stage.arm("mount: lie", "podman-mount-mountpoint");
    stage.files("data").succeeds();
    for action in ["missing", "relative"] {
        stage.arm(&format!("mount: mountpoint {action}"), "podman-mount-mountpoint");
        let outcome = stage.files("data");
        assert_eq!(outcome.code(), Some(127), "{action}");
        assert!(outcome.fails().contains("no such file or directory"), "{action}");
    }
}

fn podman_counts_a_mount_whose_unmount_fails_for_ever() {
    let stage = Stage::new();
    for (number, action) in ["fail \"boom\"", "fail \"boom\" as json500", "eof"].into_iter().enumerate() {
        let volume = format!("data{number}");
        stage.create(&volume);
        stage.arm(&format!("unmount: {action}"), "podman-unmount-fail");
        stage.files(&volume).succeeds();
        stage.disarm();
        assert_eq!(stage.succeeds(&format!("volume inspect --format {{{{.MountCount}}}} {volume}")), "1");
        stage.calls();
        stage.files(&volume).succeeds();
        assert!(!stage.calls().iter().any(|call| call.ends_with("mount")), "{action}");
    }
}

fn podman_reloads_what_the_driver_lists() {
    let stage = Stage::new();
    stage.create("data");
    stage.arm("list: rename impostor", "podman-list-rename");
    stage.succeeds("volume reload");
    assert_eq!(stage.volumes(), "impostor");
    stage.arm("list: bad-time", "podman-get-bad-time");
    stage.succeeds("volume reload");
    assert_eq!(stage.volumes(), "data");
    stage.arm("list: null-entry", "podman-list-null-entry");
    stage.fails("volume reload", "nil pointer dereference");
    assert_eq!(stage.volumes(), "data");
    stage.arm("list: empty", "podman-list-empty-reply");
    stage.succeeds("volume reload");
    assert_eq!(stage.volumes(), "");
    for action in ["fail \"boom\"", "garbage", "two-bodies", "eof"] {
        stage.disarm();
        stage.succeeds("volume reload");
        assert_eq!(stage.volumes(), "data");
        stage.arm(&format!("list: {action}"), "podman-list-fail");
        stage.fails("volume reload", "failed to read volumes from plugin \"ghost\"");
        assert_eq!(stage.volumes(), "", "{action}");
    }
}
