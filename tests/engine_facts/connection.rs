//! Connections that end before an answer, and a driver that cannot be reached: `dockerd` tries five times in 15 s.

use serde_json::json;
use voltergeist::domain::{lang::command::Outage, model::protocol::Caller, rules::forecast_outage};

use crate::{
    stage::{DRIVER, Stage, arm},
    support::{Test, plugin::Registration},
    tests,
};

pub fn tests() -> Vec<Test> {
    tests![
        a_call_that_is_cut_off_is_tried_five_times_and_then_told,
        a_driver_that_is_down_is_tried_five_times_and_then_told,
        a_driver_that_does_not_answer_is_waited_for,
        a_short_outage_is_bridged_by_the_daemon,
        a_cut_after_the_work_makes_the_retry_fail_on_what_was_done,
    ]
}

fn a_call_that_is_cut_off_is_tried_five_times_and_then_told() {
    let stage = Stage::new();
    let cases = [
        ("eof", Registration::Socket, "EOF"),
        ("reset", Registration::Socket, "connection reset by peer"),
        ("eof", Registration::Spec, "EOF"),
        ("reset", Registration::Spec, "connection reset by peer"),
    ];
    let running: Vec<_> = cases
        .into_iter()
        .enumerate()
        .map(|(number, (action, registration, error))| {
            let plugin = stage.another(&format!("ghost{number}"), registration);
            arm(&plugin, &format!("create: {action}"), "docker-connection-lost");
            let create = stage.daemon.start_docker(&format!("volume create -d ghost{number} v{number}"));
            (plugin, create, error)
        })
        .collect();
    for (plugin, create, error) in running {
        let told = create.finish().fails();
        assert!(told.contains("/VolumeDriver.Create\": ") && told.contains(error), "{told}");
        let bodies: Vec<_> = plugin.calls("create").iter().map(|call| call["request"] == "").collect();
        assert_eq!(bodies, [false, true, true, true, true]);
    }
    for pause in ["retrying in 1s", "retrying in 2s", "retrying in 4s", "retrying in 8s"] {
        assert_eq!(stage.daemon.logged(&["VolumeDriver.Create", pause]), 4, "{pause}");
    }
}

/// This fact is foretold for an outage.
fn foretold(outage: Outage, fact: &str) {
    assert_eq!(forecast_outage(outage, Caller::Docker).fact.map(|fact| fact.id), Some(fact), "{outage}");
}

fn a_driver_that_is_down_is_tried_five_times_and_then_told() {
    let stage = Stage::new();
    let running = [
        (Outage::Refuse, "connect: connection refused", "docker-down"),
        (Outage::Unlink, "connect: no such file or directory", "docker-down"),
        (Outage::Reset, "connection reset by peer", "docker-down-reset"),
    ]
    .map(|(outage, error, fact)| {
        foretold(outage, fact);
        let kind = outage.as_str();
        let plugin = stage.another(kind, Registration::Socket);
        let volume = format!("of-{kind}");
        stage.succeeds(&format!("volume create -d {kind} --label team=ghosts {volume}"));
        plugin.command(&format!("down {kind}"));
        let inspect = stage.daemon.start_docker(&format!("volume inspect {volume}"));
        (plugin, volume, inspect, error)
    });
    for (plugin, volume, inspect, error) in running {
        let told = inspect.finish().fails();
        assert!(told.contains(error), "{told}");
        plugin.command("up");
        assert_eq!(stage.labels(&volume), "map[team:ghosts]", "nothing is lost: {error}");
    }
}

fn a_driver_that_does_not_answer_is_waited_for() {
    let stage = Stage::new();
    stage.create("v");

    foretold(Outage::Blackhole, "docker-down-blackhole");
    stage.plugin.command("down blackhole");
    let list = stage.daemon.start_docker("volume ls --quiet");
    stage.succeeds("ps");
    assert!(list.is_running());
    stage.plugin.command("up");
    assert_eq!(list.finish().succeeds(), "v");
}

fn a_short_outage_is_bridged_by_the_daemon() {
    let stage = Stage::new();
    stage.create("before");

    stage.plugin.command("down refuse");
    let create = stage.daemon.start_docker(&format!("volume create -d {DRIVER} during"));
    stage.daemon.wait_for_log(&["connection refused", "retrying"]);
    stage.plugin.command("up");
    create.finish().succeeds();
    assert!(stage.plugin.volume("before").is_some(), "lost while the driver was down");
    assert!(stage.plugin.volume("during").is_some(), "not made after the driver came back");

    // Nobody brings it up this time.
    stage.plugin.command("down unlink for 2s");
    stage.succeeds(&format!("volume create -d {DRIVER} after"));
    assert!(stage.plugin.volume("after").is_some());
}

fn a_cut_after_the_work_makes_the_retry_fail_on_what_was_done() {
    let stage = Stage::new();
    stage.arm("create: reset after once", "docker-connection-lost-once");
    stage.fails(&format!("volume create -d {DRIVER} v"), "the request names no volume");
    assert!(stage.plugin.volume("v").is_some(), "the work of the first was done");
    let retry = stage.plugin.calls("create").pop().expect("it was retried");
    assert_eq!(retry["lints"], json!(["nameless-request", "empty-body-retry"]));
}
