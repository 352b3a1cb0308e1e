//! Connections that end before an answer, and a driver that cannot be reached: `dockerd` tries five times in 15 s.

use serde_json::json;
use voltergeist::domain::{lang::command::Outage, model::protocol::Caller, rules::forecast_outage};

use crate::{
    fixture::{DRIVER, Fixture, arm},
    support::{Test, plugin::Registration},
    tests,
};

pub fn tests() -> Vec<Test> {
    tests![
        a_call_that_is_cut_off_is_tried_five_times_and_then_reported,
        a_driver_that_is_down_is_tried_five_times_and_then_reported,
        a_driver_that_does_not_answer_is_waited_for,
        a_short_outage_is_bridged_by_the_daemon,
        a_cut_after_the_work_makes_the_retry_fail_on_what_was_done,
    ]
}

fn a_call_that_is_cut_off_is_tried_five_times_and_then_reported() {
    let fixture = Fixture::new();
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
            let plugin = fixture.another(&format!("ghost{number}"), registration);
            arm(&plugin, &format!("create: {action}"), "docker-connection-lost");
            let create = fixture.daemon.start_docker(&format!("volume create -d ghost{number} v{number}"));
            (plugin, create, error)
        })
        .collect();
    for (plugin, create, error) in running {
        let output = create.finish().fails();
        assert!(output.contains("/VolumeDriver.Create\": ") && output.contains(error), "{output}");
        let bodies: Vec<_> = plugin.calls("create").iter().map(|call| call["request"] == "").collect();
        assert_eq!(bodies, [false, true, true, true, true]);
    }
    for pause in ["retrying in 1s", "retrying in 2s", "retrying in 4s", "retrying in 8s"] {
        assert_eq!(fixture.daemon.logged(&["VolumeDriver.Create", pause]), 4, "{pause}");
    }
}

/// This fact is foretold for an outage.
fn foretold(outage: Outage, fact: &str) {
    assert_eq!(forecast_outage(outage, Caller::Docker).fact.map(|fact| fact.id), Some(fact), "{outage}");
}

fn a_driver_that_is_down_is_tried_five_times_and_then_reported() {
    let fixture = Fixture::new();
    let running = [
        (Outage::Refuse, "connect: connection refused", "docker-down"),
        (Outage::Unlink, "connect: no such file or directory", "docker-down"),
        (Outage::Reset, "connection reset by peer", "docker-down-reset"),
    ]
    .map(|(outage, error, fact)| {
        foretold(outage, fact);
        let kind = outage.as_str();
        let plugin = fixture.another(kind, Registration::Socket);
        let volume = format!("of-{kind}");
        fixture.succeeds(&format!("volume create -d {kind} --label team=ghosts {volume}"));
        plugin.command(&format!("down {kind}"));
        let inspect = fixture.daemon.start_docker(&format!("volume inspect {volume}"));
        (plugin, volume, inspect, error)
    });
    for (plugin, volume, inspect, error) in running {
        let output = inspect.finish().fails();
        assert!(output.contains(error), "{output}");
        plugin.command("up");
        assert_eq!(fixture.labels(&volume), "map[team:ghosts]", "nothing is lost: {error}");
    }
}

fn a_driver_that_does_not_answer_is_waited_for() {
    let fixture = Fixture::new();
    fixture.create("v");

    foretold(Outage::Blackhole, "docker-down-blackhole");
    fixture.plugin.command("down blackhole");
    let list = fixture.daemon.start_docker("volume ls --quiet");
    fixture.succeeds("ps");
    assert!(list.is_running());
    fixture.plugin.command("up");
    assert_eq!(list.finish().succeeds(), "v");
}

fn a_short_outage_is_bridged_by_the_daemon() {
    let fixture = Fixture::new();
    fixture.create("before");

    fixture.plugin.command("down refuse");
    let create = fixture.daemon.start_docker(&format!("volume create -d {DRIVER} during"));
    fixture.daemon.wait_for_log(&["connection refused", "retrying"]);
    fixture.plugin.command("up");
    create.finish().succeeds();
    assert!(fixture.plugin.volume("before").is_some(), "lost while the driver was down");
    assert!(fixture.plugin.volume("during").is_some(), "not made after the driver came back");

    // Nobody brings it up this time.
    fixture.plugin.command("down unlink for 2s");
    fixture.succeeds(&format!("volume create -d {DRIVER} after"));
    assert!(fixture.plugin.volume("after").is_some());
}

fn a_cut_after_the_work_makes_the_retry_fail_on_what_was_done() {
    let fixture = Fixture::new();
    fixture.arm("create: reset after once", "docker-connection-lost-once");
    fixture.fails(&format!("volume create -d {DRIVER} v"), "the request names no volume");
    assert!(fixture.plugin.volume("v").is_some(), "the work of the first was done");
    let retry = fixture.plugin.calls("create").pop().expect("it was retried");
    assert_eq!(retry["lints"], json!(["nameless-request", "empty-body-retry"]));
}
