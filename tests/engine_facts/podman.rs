//! What podman makes of wrong answers: no daemon, no second try, and a handshake for each command.

use std::{fs, rc::Rc, time::Duration};

use serde_json::json;

use crate::{
    fixture::arm,
    support::{
        TIMEOUT, Test,
        docker::{Outcome, Running},
        plugin::{Plugin, Registration},
        podman::Podman,
        sandbox::Sandbox,
        wait_for,
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
        podman_waits_for_a_hanging_activate_for_each_volume,
        podman_forgets_a_volume_whose_get_fails,
        podman_activates_again_after_a_failure,
        podman_mounts_what_the_plugin_replies,
        podman_counts_a_mount_whose_unmount_fails_for_ever,
        podman_reloads_what_the_driver_lists,
        podman_deadlocks_when_two_containers_are_created_with_volumes_in_opposite_order,
    ]
    .into_iter()
    .map(Test::with_podman)
    .collect()
}

struct Fixture {
    podman: Podman,
    plugin: Plugin,
    sandbox: Rc<Sandbox>,
}

impl Fixture {
    fn new() -> Self {
        let sandbox: Rc<Sandbox> = Sandbox::new();
        let plugin = Plugin::start(&sandbox, "ghost", Registration::Socket);
        let socket = plugin.address();
        let socket = socket.strip_prefix("unix://").expect("podman knows sockets only");
        Self { podman: Podman::new(&sandbox, "ghost", socket.as_ref()), plugin, sandbox }
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
    let fixture = Fixture::new();
    fixture.arm("create: pass", "podman-pass");
    fixture.create("data");
    let create = fixture.plugin.calls("create").pop().expect("it was called");
    assert_eq!((&create["caller"], &create["request"]), (&json!("podman"), &json!("{\"Name\":\"data\"}")));
    assert_eq!(fixture.calls(), ["activate", "get", "create"]);

    fixture.arm("capabilities, path: hang", "podman-never");
    fixture.succeeds("volume inspect data");
    assert_eq!(fixture.calls(), ["activate", "get"]);
    assert!(fixture.files("data").succeeds().contains("mountID"));
    let calls = fixture.calls();
    assert!(calls.iter().filter(|call| *call == "activate").count() > 1, "one for each process: {calls:?}");
    assert!(!calls.iter().any(|call| call == "capabilities" || call == "path"), "{calls:?}");
    assert_eq!(calls.iter().filter(|call| call.ends_with("mount")).collect::<Vec<_>>(), ["mount", "unmount"]);
    fixture.succeeds("volume rm data");
    assert_eq!(fixture.calls(), ["activate", "get", "remove"]);
}

fn podman_takes_an_error_in_a_good_answer_as_success() {
    let fixture = Fixture::new();
    for operation in ["create", "get", "remove"] {
        fixture.arm(&format!("{operation}: fail \"boom\" as inband"), "podman-fail-inband");
        fixture.create("data");
        fixture.succeeds("volume inspect data");
        fixture.succeeds("volume rm data");
        assert_eq!(fixture.volumes(), "", "{operation}");
    }
}

fn podman_fails_with_the_message_if_it_comes_as_json() {
    let fixture = Fixture::new();
    let create = "volume create --driver ghost data";
    fixture.arm("create: fail \"boom\" as json500", "podman-fail-json");
    fixture.fails(create, "on /VolumeDriver.Create on volume data in volume plugin ghost: boom");
    for form in ["text500", "http404", "http400"] {
        fixture.arm(&format!("create: fail \"boom\" as {form}"), "podman-fail-text");
        fixture.fails(create, "unmarshalling JSON response from volume plugin ghost");
    }
    fixture.disarm();
    fixture.create("data");
    fixture.arm("remove: fail \"boom\" as json500", "podman-fail-json");
    fixture.fails("volume rm data", "boom");
    assert_eq!(fixture.volumes(), "data");
}

fn podman_does_not_read_what_it_does_not_need() {
    let fixture = Fixture::new();
    for action in ["empty", "null", "garbage", "truncate", "wrong-type", "two-bodies", "lie"] {
        fixture.arm(&format!("create, remove: {action}"), "podman-unread");
        fixture.create("data");
        fixture.succeeds("volume rm data");
    }
    fixture.disarm();
    fixture.create("data");
    for action in ["garbage", "truncate", "wrong-type", "two-bodies"] {
        fixture.arm(&format!("mount: {action}"), "podman-malformed");
        let error = fixture.files("data").fails();
        assert!(error.contains("mounting volume data"), "{action}: {error}");
    }
}

fn podman_does_not_retry() {
    let fixture = Fixture::new();
    for (number, (action, error)) in
        [("eof", "EOF"), ("reset", "connection reset by peer")].into_iter().enumerate()
    {
        fixture.arm(&format!("create: {action}"), "podman-connection-lost");
        fixture.fails("volume create --driver ghost data", error);
        assert_eq!(fixture.plugin.counters(["create"]), [number as u64 + 1]);
    }
}

fn podman_gives_up_after_five_seconds() {
    let fixture = Fixture::new();
    fixture.arm("create: delay 2s", "podman-delayed");
    fixture.create("data");
    fixture.arm("create: delay 6s", "podman-hang");
    fixture.fails("volume create --driver ghost late", "context deadline exceeded");
    fixture.arm("create: hang", "podman-hang");
    fixture.fails("volume create --driver ghost late", "context deadline exceeded");
    assert_eq!(fixture.plugin.counters(["create"]), [3]);
}

fn podman_waits_for_a_hanging_activate_for_each_volume() {
    let fixture = Fixture::new();
    fixture.create("one");
    fixture.create("two");
    fixture.arm("activate: hang", "podman-activate-hang");
    fixture.plugin.command("reset");
    let _may_fail = fixture.podman.podman("volume ls").all_output();
    assert_eq!(fixture.plugin.counters(["activate"]), [2]);
}

fn podman_forgets_a_volume_whose_get_fails() {
    let fixture = Fixture::new();
    for action in ["fail \"boom\"", "fail \"boom\" as json500", "garbage", "truncate", "two-bodies", "eof"] {
        fixture.create("data");
        fixture.arm(&format!("get: {action}"), "podman-get-fail");
        fixture.fails("volume inspect data", "plugin ghost");
        fixture.fails("volume ls", "plugin ghost");
        fixture.fails("volume rm data", "it has been removed from Podman");
        fixture.create("other");
        assert_eq!(fixture.calls().last().map(String::as_str), Some("create"), "taken as absent: {action}");
        fixture.disarm();
        assert_eq!(fixture.volumes(), "other", "{action}");
        fixture.succeeds("volume rm other");
        fixture.plugin.command("wipe");
    }
    for action in ["bad-time", "rename impostor", "mountpoint /etc"] {
        fixture.create("data");
        let fact = if action == "bad-time" { "podman-get-bad-time" } else { "podman-get-unread" };
        fixture.arm(&format!("get: {action}"), fact);
        assert_eq!(
            fixture.succeeds("volume inspect --format {{.Name}}:{{.Mountpoint}} data"),
            "data:",
            "{action}"
        );
        fixture.succeeds("volume rm data");
    }
}

fn podman_activates_again_after_a_failure() {
    let fixture = Fixture::new();
    for (action, fact, error) in [
        ("fail \"boom\"", "podman-activate-status", "target does not appear to be a valid plugin"),
        ("fail \"boom\" as json500", "podman-activate-status", "target does not appear to be a valid plugin"),
        ("empty", "podman-activate-empty-reply", "does not implement volume plugin"),
        ("fail \"boom\" as inband", "podman-activate-empty-reply", "does not implement volume plugin"),
        ("implements NetworkDriver", "podman-activate-empty-reply", "does not implement volume plugin"),
        ("garbage", "podman-malformed", "unmarshalling plugin ghost activation response"),
    ] {
        fixture.arm(&format!("activate: {action}"), fact);
        fixture.fails("volume create --driver ghost data", error);
        fixture.disarm();
        fixture.create("data");
        fixture.succeeds("volume rm data");
    }
}

fn podman_mounts_what_the_plugin_replies() {
    let fixture = Fixture::new();
    fixture.create("data");
    for action in ["empty", "null", "mountpoint empty"] {
        fixture.arm(&format!("mount: {action}"), "podman-mount-empty-reply");
        let files = fixture.files("data").succeeds();
        assert!(files.contains("config.json") && files.contains("secrets"), "{action}: {files}");
    }
    fixture.arm("mount: fail \"boom\" as inband", "podman-mount-inband");
    assert!(fixture.files("data").succeeds().contains("config.json"));

    fixture.arm("mount: mountpoint /etc", "podman-mount-mountpoint");
    let files = fixture.files("data").succeeds();
    assert!(files.contains("passwd"), "{files}");
    fixture.arm("mount: lie", "podman-mount-mountpoint");
    fixture.files("data").succeeds();
    for action in ["missing", "relative"] {
        fixture.arm(&format!("mount: mountpoint {action}"), "podman-mount-mountpoint");
        let outcome = fixture.files("data");
        assert_eq!(outcome.code(), Some(127), "{action}");
        assert!(outcome.fails().contains("no such file or directory"), "{action}");
    }
}

fn podman_counts_a_mount_whose_unmount_fails_for_ever() {
    let fixture = Fixture::new();
    for (number, action) in ["fail \"boom\"", "fail \"boom\" as json500", "eof"].into_iter().enumerate() {
        let volume = format!("data{number}");
        fixture.create(&volume);
        fixture.arm(&format!("unmount: {action}"), "podman-unmount-fail");
        fixture.files(&volume).succeeds();
        fixture.disarm();
        assert_eq!(fixture.succeeds(&format!("volume inspect --format {{{{.MountCount}}}} {volume}")), "1");
        fixture.calls();
        fixture.files(&volume).succeeds();
        assert!(!fixture.calls().iter().any(|call| call.ends_with("mount")), "{action}");
    }
}

fn podman_reloads_what_the_driver_lists() {
    let fixture = Fixture::new();
    fixture.create("data");
    fixture.arm("list: rename impostor", "podman-list-rename");
    fixture.succeeds("volume reload");
    assert_eq!(fixture.volumes(), "impostor");
    fixture.arm("list: bad-time", "podman-get-bad-time");
    fixture.succeeds("volume reload");
    assert_eq!(fixture.volumes(), "data");
    fixture.arm("list: null-entry", "podman-list-null-entry");
    fixture.fails("volume reload", "nil pointer dereference");
    assert_eq!(fixture.volumes(), "data");
    fixture.arm("list: empty", "podman-list-empty-reply");
    fixture.succeeds("volume reload");
    assert_eq!(fixture.volumes(), "");
    for action in ["fail \"boom\"", "garbage", "two-bodies", "eof"] {
        fixture.disarm();
        fixture.succeeds("volume reload");
        assert_eq!(fixture.volumes(), "data");
        fixture.arm(&format!("list: {action}"), "podman-list-fail");
        fixture.fails("volume reload", "failed to read volumes from plugin \"ghost\"");
        assert_eq!(fixture.volumes(), "", "{action}");
    }
}

/// How many podman commands of this test wait for the lock of a volume.
fn waiting_for_locks(sandbox: &Sandbox) -> usize {
    let locks = fs::read_to_string("/proc/locks").expect("the kernel lists locks");
    let place = sandbox.path("podman.root").display().to_string();
    let is_ours = |pid: &str| {
        fs::read(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains(&place))
    };
    let waiting = locks.lines().filter(|line| line.contains("-> POSIX"));
    waiting.filter_map(|line| line.split_whitespace().nth(5)).filter(|pid| is_ours(pid)).count()
}

/// Seen in reports: `podman create` takes the locks of all its volumes in the order in which they are named. Two held
/// mounts keep both locks until two creates wait for them. Which of the creates then gets which lock is left to chance.
fn podman_deadlocks_when_two_containers_are_created_with_volumes_in_opposite_order() {
    let fixture = Fixture::new();
    fixture.podman.wait_for_plugin(60);
    for volume in ["one", "two"] {
        fixture.create(volume);
    }
    assert!((1..=5).any(|round| creates_deadlock(&fixture, round)), "they always end");
}

fn creates_deadlock(fixture: &Fixture, round: usize) -> bool {
    let create = |name: &str, volumes: &str| {
        let limits = "--ulimit nofile=1024:1024 --ulimit nproc=1024:1024";
        format!("create --name {name}{round} --network none {limits} {volumes} busybox true")
    };
    fixture.succeeds(&create("a", "-v one:/a"));
    fixture.succeeds(&create("b", "-v two:/a"));
    fixture.plugin.command("arm mount: hold");
    let starts = ["start a", "start b"].map(|line| fixture.podman.start_podman(&format!("{line}{round}")));
    fixture.plugin.wait_until_waiting(2);
    let creates = [create("c", "-v one:/a -v two:/b"), create("d", "-v two:/a -v one:/b")];
    let creates = creates.map(|line| fixture.podman.start_podman(&line));
    wait_for(TIMEOUT, || (waiting_for_locks(&fixture.sandbox) == 2).then_some(()))
        .expect("each create waits for the lock of its first volume");
    fixture.disarm();
    // A start takes the lock of its volume once more, so that it hangs too where they deadlock.
    let all_ended = || !starts.iter().chain(&creates).any(Running::is_running);
    wait_for(Duration::from_secs(10), || all_ended().then_some(())).is_none()
}
