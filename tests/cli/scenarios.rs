//! Scenarios that a running instance plays on a command: what its journal says, what it refuses, how it ends
//! meanwhile, and what it leaves.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    program::{Instance, TestHome},
    support::{
        TIMEOUT, http,
        scenarios::{HELD, WAITS},
        wait_for,
    },
};

const BROKEN: &str = r#"
title = "A volume is not made"
description = "What is not so."

[[step]]
docker = "docker run -d --name mine-box -v mine:/data --volume-driver {driver} busybox top"

[[step]]
docker = "docker volume inspect mine"
output_contains = "gold"

[[step]]
docker = "docker volume rm mine"
"#;

fn home(scenarios: &[(&str, &str)]) -> TestHome {
    let home = TestHome::new();
    for (name, text) in scenarios {
        home.write(&format!("config/voltergeist/scenarios/{name}.toml"), text);
    }
    home
}

/// What the journal says of scenarios.
fn events(home: &TestHome) -> Vec<Value> {
    let (_, body) =
        http::request(&home.path("control.sock"), "GET", "/v1/entries", "").expect("the journal is sent");
    let entries = body.lines().map(|line| serde_json::from_str::<Value>(line).expect("each line is JSON"));
    entries.filter(|entry| entry["kind"] == "scenario").collect()
}

fn wait_for_events(home: &TestHome, event: &str, times: usize) -> Vec<Value> {
    let found = wait_for(TIMEOUT, || {
        let events: Vec<Value> = events(home).into_iter().filter(|entry| entry["event"] == event).collect();
        (events.len() == times).then_some(events)
    });
    found.unwrap_or_else(|| panic!("not {times} times {event}: {:#?}", events(home)))
}

fn send(home: &TestHome, line: &str) -> String {
    let (status, said, error) = home.send(line);
    assert_eq!(status, Some(0), "{line}: {error}");
    said.trim().to_owned()
}

fn refused(home: &TestHome, line: &str) -> String {
    let (status, _, error) = home.send(line);
    assert_eq!(status, Some(1), "{line} was not refused");
    error
}

/// Nothing of a scenario is in the driver.
fn assert_clear(instance: &Instance<'_>) {
    let state = instance.state();
    assert_eq!((&state["volumes"], &state["faults"]), (&json!([]), &json!([])));
}

#[test]
fn the_journal_has_each_step_and_whether_it_held() {
    let home = home(&[("made", HELD)]);
    let instance = home.start(&["serve"], &[]);
    assert_eq!(send(&home, "play made"), "made started");
    wait_for_events(&home, "finished", 1);
    let fields =
        |event: &Value, keys: &[&str]| keys.iter().map(|key| event[*key].clone()).collect::<Vec<_>>();
    let events = events(&home);
    let line = "$ docker volume create -d voltergeist mine";
    assert_eq!(events.len(), 4, "{events:#?}");
    assert_eq!(fields(&events[0], &["event", "scenario", "title"]), ["started", "made", "A volume is made"]);
    let expected = "success, calls: get mine, create mine";
    let action = json!({ "key": "docker", "text": "docker volume create -d {driver} mine" });
    assert_eq!(
        events[0]["steps"],
        json!([{ "line": line, "say": "Look.", "expected": expected, "action": action }])
    );
    assert!(
        events[0]["engine"].as_str().is_some_and(|engine| engine.contains("docker does not find the driver"))
    );
    assert_eq!(
        fields(&events[1], &["event", "index", "line"]),
        [json!("step_started"), json!(0), json!(line)]
    );
    assert_eq!(
        fields(&events[2], &["event", "seen", "problems"]),
        [json!("step_finished"), json!("mine"), Value::Null]
    );
    assert_eq!(fields(&events[3], &["event", "scenario", "result"]), ["finished", "made", "passed"]);
    assert_clear(&instance);
}

#[test]
fn a_step_that_does_not_hold_says_what_was_expected_and_seen_and_ends_the_scenario() {
    let home = home(&[("broken", BROKEN)]);
    let instance = home.start(&["serve"], &[]);
    send(&home, "play broken");
    let ended = wait_for_events(&home, "finished", 1);
    assert_eq!(ended[0]["result"], "failed");
    let seen = wait_for_events(&home, "step_finished", 2);
    assert_eq!(seen[1]["problems"], json!(["output lacks \"gold\""]));
    assert!(seen[1]["seen"].as_str().is_some_and(|seen| !seen.is_empty()));
    assert_clear(&instance);
}

#[test]
fn a_scenario_that_is_played_refuses_another_and_ends_on_a_command() {
    let home = home(&[("waits", WAITS), ("made", HELD)]);
    let instance = home.start(&["serve"], &[]);
    send(&home, "play waits");
    wait_for_events(&home, "step_started", 3);
    let busy = refused(&home, "play made");
    assert!(busy.contains("waits is running; wait for its end, or run play stop"), "{busy}");
    send(&home, "play stop");
    assert_eq!(wait_for_events(&home, "finished", 1)[0]["result"], "stopped");
    assert_clear(&instance);
    send(&home, "play made");
    assert_eq!(wait_for_events(&home, "finished", 2)[1]["result"], "passed");
}

#[test]
fn each_step_waits_to_be_asked_for() {
    let home = home(&[("broken", BROKEN)]);
    let instance = home.start(&["serve"], &[]);
    send(&home, "play broken --step");
    wait_for_events(&home, "started", 1);
    for step in 1..=2 {
        send(&home, "play next");
        wait_for_events(&home, "step_finished", step);
    }
    // What the scenario created stays until it is asked for.
    let waits = wait_for_events(&home, "delayed", 1);
    assert!(waits[0]["why"].as_str().is_some_and(|why| why.contains("removes what")), "{waits:?}");
    assert_ne!(instance.state()["volumes"], json!([]));
    send(&home, "play next");
    wait_for_events(&home, "finished", 1);
    assert_clear(&instance);
    let error = refused(&home, "play next");
    assert!(error.contains("no scenario is running"), "{error}");
}

#[test]
fn a_malformed_scenario_is_reported_by_file_line_and_key_when_it_is_played() {
    let home = home(&[(
        "bad",
        "title = \"t\"\ndescription = \"s\"\n[[step]]\ndocker = \"docker volume creat x\"\n",
    )]);
    let _instance = home.start(&["serve"], &[]);
    let problem = refused(&home, "play bad");
    assert!(problem.contains("scenarios/bad.toml:4: docker: unrecognized subcommand 'creat'"), "{problem}");
    assert!(events(&home).is_empty());
    // What is written meanwhile is found.
    home.write("config/voltergeist/scenarios/bad.toml", HELD);
    wait_for(TIMEOUT, || (home.send("play bad").0 == Some(0)).then_some(())).expect("it can be played now");
    assert_eq!(wait_for_events(&home, "finished", 1)[0]["result"], "passed");
}

#[test]
fn a_dangerous_scenario_is_refused_with_the_way_out() {
    let home = home(&[]);
    let _instance = home.start(&["serve"], &[]);
    let error = refused(&home, "play null-entry");
    assert!(error.contains("to play it anyway: play null-entry --dangerous"), "{error}");
    assert!(events(&home).is_empty());
}

#[test]
fn a_scenario_that_has_become_dangerous_is_not_played() {
    let home = home(&[("mine", HELD)]);
    let _instance = home.start(&["serve"], &[]);
    home.write("config/voltergeist/scenarios/mine.toml", &format!("dangerous = true\n{HELD}"));
    send(&home, "play mine");
    let ended = &wait_for_events(&home, "finished", 1)[0];
    assert_eq!(ended["result"], "skipped");
    assert!(
        ended["problems"][0].as_str().is_some_and(|why| why.contains("play mine --dangerous")),
        "{ended}"
    );
}

#[test]
fn volumes_that_were_there_before_are_not_touched() {
    let home = home(&[("made", HELD)]);
    let instance = home.start(&["serve"], &[]);
    instance.call("/VolumeDriver.Create", r#"{"Name":"mine"}"#);
    let before = instance.state()["volumes"].clone();
    send(&home, "play made");
    let ended = &wait_for_events(&home, "finished", 1)[0];
    assert_eq!(ended["result"], "skipped");
    assert!(ended["problems"][0].as_str().is_some_and(|why| why.contains("volume \"mine\" already exists")));
    assert_eq!(instance.state()["volumes"], before);
}

#[test]
fn the_end_of_the_program_waits_until_what_a_scenario_has_made_is_removed() {
    for (end, status) in [(None, 0), (Some(Signal::TERM), 143), (Some(Signal::INT), 130)] {
        let home = home(&[("waits", WAITS)]);
        let mut instance = home.start(&["serve"], &[]);
        send(&home, "play waits");
        wait_for_events(&home, "step_started", 3);
        match end {
            Some(signal) => instance.signal(signal),
            None => drop(send(&home, "quit")),
        }
        assert_eq!(instance.wait_for_end().code(), Some(status));
        let lines = instance.lines();
        let ended =
            lines.iter().find(|line| line["event"] == "finished").expect("the scenario's end is written");
        assert_eq!(ended["result"], "stopped");
        let unmounted = lines.iter().any(|line| line["operation"] == "unmount" && line["outcome"] == "ok");
        assert!(unmounted, "the container was stopped in order: {lines:#?}");
        assert!(!home.path("volumes/mine").exists());
    }
}

#[test]
fn the_demo_does_not_disturb_a_scenario_and_lives_on_after_it() {
    let exact = "title = \"t\"\ndescription = \"s\"\ncalls = [\"get mine\", \"create mine\", \"list\"]\n[[step]]\ndocker = \"docker \
                 volume create -d {driver} mine\"\n[[step]]\nsleep = \"5s\"\n[[step]]\ndocker = \"docker volume ls\"\n";
    let home = home(&[("exact", exact)]);
    let instance = home.start(&["demo"], &[]);
    send(&home, "speed 50");
    let calls = || instance.state()["counters"]["get"].as_u64().unwrap_or(0);
    wait_for(TIMEOUT, || (calls() > 20).then_some(())).expect("the demo lives");
    for times in 1..=3 {
        send(&home, "play exact");
        let ended = wait_for_events(&home, "finished", times).pop().expect("it has ended");
        assert_eq!(ended["result"], "passed", "{ended}");
        let before = calls();
        wait_for(TIMEOUT, || (calls() > before).then_some(())).expect("the demo lives on");
    }
}

#[test]
fn outside_a_demo_there_is_no_speed_to_change() {
    let home = home(&[]);
    let _instance = home.start(&["serve"], &[]);
    let error = refused(&home, "speed 2");
    assert!(error.contains("only `voltergeist demo` has a speed"), "{error}");
}
