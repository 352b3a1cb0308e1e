//! The forecast against a real daemon: what `assets/forecast.md` says that dockerd does, it does.
//!
//! Each check arms a rule, makes sure that a certain fact is what is foretold for it, and then looks.

mod support;

use std::{env, process::ExitCode, rc::Rc};

use serde_json::json;
use support::{
    PATIENCE,
    dockerd::Dockerd,
    plugin::{Plugin, Registration},
    sandbox::Sandbox,
    wait_for,
};
use voltergeist::domain::{
    fault::{FACTS, Rule, forecast},
    protocol::Caller,
};

fn main() -> ExitCode {
    let mut tests = tests![
        an_error_reaches_the_user_as_its_shape_lets_it,
        an_answer_that_cannot_be_read_is_an_error_and_one_with_nothing_in_it_a_success,
        a_broken_connection_is_tried_five_times,
        a_get_that_fails_loses_what_the_daemon_knew,
        the_list_is_believed,
        a_lie_is_believed_until_the_next_look,
        a_remove_that_fails_keeps_the_volume_unless_forced,
        a_scope_is_asked_for_until_it_is_told,
        an_activation_that_cannot_be_read_is_repeated_and_one_without_a_driver_kept,
        the_daemon_mounts_what_it_is_told,
        a_container_whose_mount_fails_does_not_start,
        a_container_stops_whatever_unmount_says,
    ];
    // A minute each: only where somebody asks for them.
    if env::var_os("VOLTERGEIST_SLOW_TESTS").is_some() {
        tests.extend(tests![a_hanging_remove_is_given_up]);
    }
    support::run(tests)
}

struct Stage {
    plugin: Plugin,
    daemon: Dockerd,
}

impl Stage {
    fn new(start: impl FnOnce(&Rc<Sandbox>) -> Dockerd) -> Self {
        let sandbox = Sandbox::new();
        let plugin = Plugin::start(&sandbox, "poltergeist", Registration::Socket);
        Self { plugin, daemon: start(&sandbox) }
    }

    /// Arms a rule alone, for which this fact is foretold, as it was seen on this daemon.
    fn arm(&self, rule: &str, fact: &str) {
        let parsed: Rule = rule.parse().unwrap_or_else(|error| panic!("{rule}: {error}"));
        let foretold = forecast(&parsed, Caller::Docker).fact.map(|fact| fact.id);
        assert_eq!(foretold, Some(fact), "{rule}");
        let fact = FACTS.iter().find(|known| known.id == fact).expect("it was just foretold");
        assert!(fact.seen_on.contains(&"dockerd 20.10.24"), "{fact:?}");
        self.plugin.command("disarm all");
        self.plugin.command(&format!("arm {rule}"));
    }

    fn succeeds(&self, line: &str) -> String {
        self.daemon.docker(line).succeeds()
    }

    fn fails(&self, line: &str, with: &str) {
        let error = self.daemon.docker(line).fails();
        assert!(error.contains(with), "{line}: {error}");
    }

    fn disarm(&self) {
        self.plugin.command("disarm all");
    }

    fn create(&self, volume: &str) {
        self.succeeds(&format!("volume create -d poltergeist --label team=ghosts {volume}"));
    }

    fn labels(&self, volume: &str) -> String {
        self.succeeds(&format!("volume inspect --format={{{{.Labels}}}} {volume}"))
    }

    fn listed(&self) -> String {
        self.succeeds("volume ls --quiet --filter driver=poltergeist")
    }

    /// The entries of the calls of one operation.
    fn calls(&self, operation: &str) -> Vec<serde_json::Value> {
        self.plugin.entries().into_iter().filter(|entry| entry["operation"] == operation).collect()
    }
}

fn an_error_reaches_the_user_as_its_shape_lets_it() {
    let stage = Stage::new(Dockerd::start);
    let create = "volume create -d poltergeist v";

    stage.arm("create: fail \"boom\" as inband", "docker-fail-inband");
    stage.fails(create, "create v: boom");
    for shape in ["text500", "json500", "http404", "http400"] {
        stage.arm(&format!("create: fail \"boom\" as {shape}"), "docker-fail");
        stage.fails(create, "create v: VolumeDriver.Create: boom");
    }
    assert_eq!(stage.plugin.counters(["create"]), [5]);
}

fn an_answer_that_cannot_be_read_is_an_error_and_one_with_nothing_in_it_a_success() {
    let stage = Stage::new(Dockerd::start);
    let create = "volume create -d poltergeist v";

    for (action, fact, error) in [
        ("garbage", "docker-garbage", "invalid character '<' looking for beginning of value"),
        ("wrong-type", "docker-wrong-type", "json: cannot unmarshal array"),
        ("truncate", "docker-truncate", "unexpected EOF"),
    ] {
        stage.arm(&format!("create: {action}"), fact);
        stage.fails(create, error);
        // The work of an altered answer was done: undo it behind the daemon's back.
        stage.plugin.command("wipe");
    }
    assert_eq!(stage.plugin.counters(["create"]), [3]);
    for (action, fact) in [
        ("two-bodies", "docker-two-bodies"),
        ("empty", "docker-hollow"),
        ("null", "docker-hollow"),
        ("delay 1s", "docker-late"),
        ("pass", "docker-pass"),
    ] {
        stage.arm(&format!("create: {action}"), fact);
        stage.succeeds(create);
        stage.disarm();
        stage.plugin.command("wipe");
    }
}

fn a_broken_connection_is_tried_five_times() {
    let stage = Stage::new(Dockerd::start);

    stage.arm("create: eof", "docker-cut");
    stage.fails("volume create -d poltergeist v", "EOF");
    let bodies: Vec<_> = stage.calls("create").iter().map(|call| call["body"] == "").collect();
    assert_eq!(bodies, [false, true, true, true, true]);
}

fn a_get_that_fails_loses_what_the_daemon_knew() {
    let stage = Stage::new(Dockerd::start);
    let wrong = [
        "fail \"boom\"",
        "fail \"boom\" as inband",
        "empty",
        "null",
        "garbage",
        "truncate",
        "wrong-type",
        "bad-time",
    ];
    for (number, action) in wrong.into_iter().enumerate() {
        let volume = format!("v{number}");
        stage.create(&volume);
        assert_eq!(stage.labels(&volume), "map[team:ghosts]");
        stage.arm(&format!("get: {action}"), "docker-get-wrong");
        stage.fails(&format!("volume inspect {volume}"), "no such volume");
        stage.disarm();
        assert_eq!(stage.labels(&volume), "map[]", "{action}");
    }

    stage.arm("get: rename impostor", "docker-get-rename");
    assert_eq!(stage.succeeds("volume inspect --format={{.Name}} v0"), "impostor");
}

fn the_list_is_believed() {
    let stage = Stage::new(Dockerd::start);
    stage.create("v");
    assert_eq!(stage.listed(), "v");

    for action in ["empty", "null"] {
        stage.arm(&format!("list: {action}"), "docker-list-hollow");
        assert_eq!(stage.listed(), "", "{action}");
    }
    stage.arm("list: rename impostor", "docker-list-rename");
    assert_eq!(stage.listed(), "impostor");
    for action in ["fail \"boom\"", "garbage", "bad-time"] {
        stage.arm(&format!("list: {action}"), "docker-list-wrong");
        assert_eq!(stage.listed(), "v", "{action}");
    }
}

fn a_lie_is_believed_until_the_next_look() {
    let stage = Stage::new(Dockerd::start);

    stage.arm("create: lie", "docker-create-lie");
    stage.create("ghost");
    stage.disarm();
    stage.fails("volume inspect ghost", "no such volume");

    for action in ["lie", "empty"] {
        stage.create("v");
        stage.arm(&format!("remove: {action}"), "docker-remove-hollow");
        stage.succeeds("volume rm v");
        assert_eq!(stage.listed(), "v", "{action}");
        stage.disarm();
    }
}

fn a_remove_that_fails_keeps_the_volume_unless_forced() {
    let stage = Stage::new(Dockerd::start);
    for (number, action) in
        ["fail \"in use\"", "fail \"in use\" as inband", "garbage"].into_iter().enumerate()
    {
        // What is altered is the answer of a remove that was done, so the volume is there again only if it was not.
        let volume = format!("v{number}");
        stage.create(&volume);
        stage.arm(&format!("remove: {action}"), "docker-remove-fail");
        let error = if number == 2 { "invalid character" } else { "in use" };
        stage.fails(&format!("volume rm {volume}"), error);
        assert_eq!(stage.labels(&volume), "map[team:ghosts]");
        stage.fails(&format!("volume rm --force {volume}"), error);
        assert_eq!(stage.labels(&volume), "map[]");
    }
}

fn a_scope_is_asked_for_until_it_is_told() {
    for (action, fact, asked) in [
        ("scope galactic", "docker-capabilities-scope", 1),
        ("empty", "docker-capabilities-hollow", 1),
        ("fail \"boom\"", "docker-capabilities-wrong", 3),
        ("garbage", "docker-capabilities-wrong", 3),
    ] {
        let stage = Stage::new(Dockerd::start);
        stage.arm(&format!("capabilities: {action}"), fact);
        stage.create("v");
        for _ in 0..2 {
            assert_eq!(stage.succeeds("volume inspect --format={{.Scope}} v"), "local", "{action}");
        }
        let [capabilities] = stage.plugin.counters(["capabilities"]);
        assert!(
            if asked == 1 { capabilities == 1 } else { capabilities >= asked },
            "{action}: {capabilities}"
        );
    }
}

fn an_activation_that_cannot_be_read_is_repeated_and_one_without_a_driver_kept() {
    for action in ["fail \"boom\"", "garbage", "truncate"] {
        let stage = Stage::new(Dockerd::start);
        stage.arm(&format!("activate: {action}"), "docker-activate-wrong");
        let _ = stage.daemon.docker("volume create -d poltergeist v").fails();
        stage.disarm();
        stage.create("v");
    }
    for action in ["empty", "null", "fail \"boom\" as inband", "implements nothing", "implements AuthZ"] {
        let stage = Stage::new(Dockerd::start);
        stage.arm(&format!("activate: {action}"), "docker-activate-hollow");
        stage.fails("volume create -d poltergeist v", "does not implement the requested driver");
        stage.disarm();
        stage.fails("volume create -d poltergeist v", "does not implement the requested driver");
        assert_eq!(stage.plugin.counters(["activate"]), [1], "{action}");
    }
}

fn the_daemon_mounts_what_it_is_told() {
    let stage = Stage::new(Dockerd::start_with_busybox);
    stage.create("haunted");
    let list = "run --rm -v haunted:/data busybox ls /data";

    for action in ["empty", "null", "mountpoint empty"] {
        stage.arm(&format!("mount: {action}"), "docker-mount-hollow");
        let files = stage.succeeds(list);
        assert!(files.contains("config.json"), "{action}: {files}");
    }
    stage.arm("mount: mountpoint /etc", "docker-mount-path");
    let files = stage.succeeds(list);
    assert!(files.contains("passwd") && files.contains("group"), "{files}");

    stage.arm("get: mountpoint /etc", "docker-get-mountpoint");
    assert_eq!(stage.succeeds("volume inspect --format={{.Mountpoint}} haunted"), "/etc");
    assert!(stage.succeeds(list).contains("mountID"));

    stage.arm("mount: lie", "docker-mount-lie");
    let _ = stage.daemon.docker(list).succeeds();
    assert!(stage.plugin.volume("haunted").is_some_and(|volume| volume["mounts"] == json!([])));
}

fn a_container_whose_mount_fails_does_not_start() {
    let stage = Stage::new(Dockerd::start_with_busybox);
    stage.create("haunted");
    let run = "run --rm -v haunted:/data busybox true";

    for action in ["fail \"boom\"", "fail \"boom\" as inband", "fail \"boom\" as json500"] {
        stage.arm(&format!("mount: {action}"), "docker-mount-fail");
        stage.fails(run, "error while mounting volume");
    }
    assert_eq!(stage.plugin.counters(["mount", "unmount"]), [3, 0]);

    stage.arm("mount: mountpoint missing", "docker-mount-missing");
    stage.fails(run, "no such file or directory");
    assert_eq!(stage.plugin.counters(["mount", "unmount"]), [4, 1]);

    stage.arm("mount: mountpoint relative", "docker-mount-relative");
    stage.fails(run, "no such file or directory");
}

fn a_container_stops_whatever_unmount_says() {
    let stage = Stage::new(Dockerd::start_with_busybox);
    for (action, fact, same_id) in [
        ("fail \"boom\"", "docker-unmount-wrong", true),
        ("empty", "docker-unmount-hollow", false),
        ("lie", "docker-unmount-hollow", false),
    ] {
        stage.create("haunted");
        stage.succeeds("run --detach --name busy -v haunted:/data busybox sleep 1000");
        stage.arm(&format!("unmount: {action}"), fact);
        stage.succeeds("stop --time 0 busy");
        stage.disarm();
        stage.succeeds("start busy");

        let mounts = stage.calls("mount");
        let [.., first, second] = &mounts[..] else { panic!("{mounts:?}") };
        assert_eq!(first["id"] == second["id"], same_id, "{action}");
        let volume = stage.plugin.volume("haunted").expect("it is there");
        let open = volume["mounts"].as_array().expect("the open mounts");
        assert!(open.contains(&first["id"]) && open.len() == 2, "{action}: {volume}");
        stage.succeeds("rm --force busy");
        stage.succeeds("volume rm haunted");
    }
}

fn a_hanging_remove_is_given_up() {
    let stage = Stage::new(Dockerd::start);
    stage.create("v");
    stage.arm("remove: hang", "docker-remove-hang");
    let remove = stage.daemon.start_docker("volume rm v");
    wait_for(PATIENCE, || (stage.plugin.state()["waiting"] != json!([])).then_some(()))
        .expect("the call hangs");
    let list = stage.daemon.start_docker("volume ls");
    wait_for(3 * PATIENCE, || (!remove.is_running()).then_some(())).expect("the daemon gives up");
    let error = remove.finish().fails();
    assert!(error.contains("context deadline exceeded"), "{error}");
    let _ = list.finish().succeeds();
    let removes = stage.calls("remove");
    assert_eq!(removes.last().map(|call| &call["outcome"]), Some(&json!("abandoned")));
}
