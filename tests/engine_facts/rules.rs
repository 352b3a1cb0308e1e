//! How long a rule has a hold on a real daemon, and that a run can be had again.

use serde_json::Value;

use crate::{
    fixture::{DRIVER, Fixture},
    support::{TIMEOUT, Test, docker::Running, wait_for},
    tests,
};

pub fn tests() -> Vec<Test> {
    tests![
        a_held_call_goes_on_when_it_is_released,
        a_held_get_is_believed_whatever_it_is_answered,
        a_held_mount_that_is_failed_starts_no_container,
        disarming_all_frees_every_command_that_hangs,
        a_rule_whose_time_is_over_frees_what_it_holds,
        a_flapping_rule_frees_what_it_holds_when_all_is_well,
        a_flapping_connection_is_bridged_by_the_daemon,
        the_same_commands_under_the_same_seed_meet_the_same_faults,
    ]
}

fn create(volume: &str) -> String {
    format!("volume create -d {DRIVER} {volume}")
}

fn a_held_call_goes_on_when_it_is_released() {
    let fixture = Fixture::new();
    fixture.arm("create: hold", "docker-create-hang");
    let running = ["a", "b"].map(|volume| fixture.daemon.start_docker(&create(volume)));
    fixture.plugin.wait_until_waiting(2);
    fixture.plugin.command("release");
    // It waits no more some time before its volume is there.
    let made = || fixture.plugin.state()["volumes"].as_array().map_or(0, Vec::len);
    wait_for(TIMEOUT, || (made() > 0).then_some(())).expect("the released call goes on");
    fixture.plugin.wait_until_waiting(1);
    assert_eq!(made(), 1);
    fixture.plugin.command("release");
    for command in running {
        command.finish().succeeds();
    }
    fixture.disarm();
    assert_eq!(fixture.listed(), "a\nb");
}

fn a_held_get_is_believed_whatever_it_is_answered() {
    let fixture = Fixture::new();
    fixture.create("data");
    fixture.arm("get: hold", "docker-get-hang");
    let inspect = || fixture.daemon.start_docker("volume inspect --format={{.Mountpoint}},{{.Labels}} data");
    let held = inspect();
    fixture.plugin.wait_until_waiting(1);
    fixture.plugin.command(
        "release: reply {\n  \"Volume\": {\n    \"Name\": \"data\",\n    \"Mountpoint\": \"/elsewhere\"\n  }\n} after",
    );
    assert_eq!(held.finish().succeeds(), "/elsewhere,map[team:ghosts]");
    let held = inspect();
    fixture.plugin.wait_until_waiting(1);
    fixture.plugin.command("release: reply {\"Err\":\"gone\"}");
    let error = held.finish().fails();
    assert!(error.contains("no such volume"), "{error}");
    fixture.disarm();
    assert_eq!(fixture.labels("data"), "map[]", "what it believed cost the labels");
}

fn a_held_mount_that_is_failed_starts_no_container() {
    let fixture = Fixture::with_busybox();
    fixture.create("data");
    fixture.arm("mount: hold", "docker-mount-hang");
    let run = fixture.daemon.start_docker("run --rm -v data:/data busybox true");
    fixture.plugin.wait_until_waiting(1);
    fixture.plugin.command("release: fail \"not today\"");
    let error = run.finish().fails();
    assert!(error.contains("error while mounting volume") && error.contains("not today"), "{error}");
    assert_eq!(fixture.open_mounts("data"), 0);
    assert_eq!(fixture.plugin.calls("unmount").len(), 0);
}

fn disarming_all_frees_every_command_that_hangs() {
    let fixture = Fixture::new();
    fixture.create("v");
    fixture.plugin.command("arm create: hang");
    fixture.plugin.command("arm get where volume=v: hang");
    let running = [&create("a"), "volume inspect v"].map(|line| fixture.daemon.start_docker(line));
    fixture.plugin.wait_until_waiting(2);
    assert!(running.iter().all(Running::is_running));
    fixture.disarm();
    for command in running {
        command.finish().succeeds();
    }
}

fn a_rule_whose_time_is_over_frees_what_it_holds() {
    let fixture = Fixture::new();
    fixture.arm("create: hang for 2s", "docker-create-hang");
    fixture.succeeds(&create("v"));
    let call = fixture.plugin.calls("create").pop().expect("it was called");
    assert!(call["held_seq"].is_u64(), "{call}");
    assert_eq!(fixture.plugin.state()["faults"][0]["state"], "expired");
}

/// Makes volumes until the rule has fired.
fn create_until_fired(fixture: &Fixture) {
    let mut number = 0;
    wait_for(TIMEOUT, || {
        number += 1;
        fixture.succeeds(&create(&format!("v{number}")));
        (fixture.plugin.state()["faults"][0]["fired"] != 0).then_some(())
    })
    .expect("the rule fires sooner or later");
}

fn a_flapping_rule_frees_what_it_holds_when_all_is_well() {
    let fixture = Fixture::new();
    fixture.arm("create: hang flap 1s 2s", "docker-create-hang");
    create_until_fired(&fixture);
    let held = fixture.plugin.calls("create").pop().expect("it was called");
    assert_eq!(held["outcome"], "ok", "{held}");
}

fn a_flapping_connection_is_bridged_by_the_daemon() {
    let fixture = Fixture::new();
    fixture.create("v");
    fixture.arm("list: eof flap 4s 2s", "docker-connection-lost");
    wait_for(TIMEOUT, || {
        assert_eq!(fixture.listed(), "v");
        (fixture.plugin.state()["faults"][0]["fired"] != 0).then_some(())
    })
    .expect("the rule fires sooner or later");
}

/// What became of each call, and of each command.
fn run_with(seed: u64) -> (Vec<[Value; 3]>, Vec<String>) {
    let fixture = Fixture::new();
    fixture.plugin.command(&format!("seed {seed}"));
    fixture.plugin.command("arm get 30%: delay 1ms..900ms");
    fixture.plugin.command("arm any 30%: fail \"static\"");
    let mut printed = Vec::new();
    for number in 0..4 {
        for line in [
            &create(&format!("v{number}")),
            "volume ls --quiet",
            &format!("volume inspect --format={{{{.Name}}}} v{number}"),
            &format!("volume rm v{number}"),
        ] {
            printed.push(fixture.daemon.docker(line).all_output());
        }
    }
    let calls = fixture.plugin.entries().into_iter().filter(|entry| entry["kind"] == "call");
    let marks = calls.map(|call| ["operation", "volume", "fault"].map(|part| call[part].clone()));
    (marks.collect(), printed)
}

fn the_same_commands_under_the_same_seed_meet_the_same_faults() {
    let (marks, printed) = run_with(7);
    let fired = marks.iter().filter(|[_, _, fault]| !fault.is_null()).count();
    assert!(fired > 3 && fired < marks.len(), "{marks:?}");
    let (again, printed_again) = run_with(7);
    assert_eq!(again, marks);
    assert_eq!(printed_again, printed);
    assert_ne!(run_with(8).0, marks);
}
