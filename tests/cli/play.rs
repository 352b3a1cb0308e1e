//! `voltergeist play` on a simulated daemon: what it prints, how it ends, and what it leaves.

use std::{fs, process::Output};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{
    program::TestHome,
    support::{
        TIMEOUT,
        scenarios::{HELD, WAITS},
        wait_for,
    },
};

const BROKEN: &str = r#"
title = "A volume is not made"
description = "What is not so."

[[step]]
docker = "docker volume create -d {driver} mine"

[[step]]
docker = "docker volume inspect mine"
output_contains = "gold"

[[step]]
docker = "docker volume rm mine"
"#;

fn scenario(home: &TestHome, name: &str, text: &str) -> String {
    home.write(&format!("{name}.toml"), text).display().to_string()
}

#[test]
fn without_a_name_it_lists_all_scenarios() {
    let home = TestHome::new();
    home.write("config/voltergeist/scenarios/made.toml", HELD);
    let (status, list, _) = home.run(&["play"]);
    assert_eq!(status, Some(0));
    for shipped in
        fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/scenarios")).expect("the scenarios")
    {
        let name = shipped.expect("a scenario").path().file_stem().expect("a name").display().to_string();
        assert!(
            list.lines().any(|line| line.starts_with(&format!("{name} "))),
            "{name} is missing in\n{list}"
        );
    }
    assert!(list.contains("A volume is made  (your own)"), "{list}");
    assert!(
        list.lines().any(|line| line.starts_with("null-entry ") && line.ends_with("(dangerous)")),
        "{list}"
    );
    let (status, lines, _) = home.run(&["play", "--list", "--json"]);
    assert_eq!((status, lines.lines().count()), (Some(0), list.lines().count()));
    let made: Value = serde_json::from_str(lines.lines().last().expect("a line")).expect("it is JSON");
    assert_eq!((&made["name"], &made["steps"]), (&"made".into(), &1.into()));
}

#[test]
fn a_passed_scenario_prints_expected_and_actual_results() {
    let home = TestHome::new();
    home.write("config/voltergeist/scenarios/made.toml", HELD);
    let (status, said, _) = home.run(&["play", "made", "empty-retry"]);
    assert_eq!(status, Some(0), "{said}");
    for line in [
        "1/2 made: A volume is made",
        "  ✓ $ docker volume create -d voltergeist-play mine",
        "      expected  success, calls: get mine, create mine",
        "      actual    mine",
        "2/2 empty-retry: A retried request has an empty body",
        "passed 2/2",
    ] {
        assert!(said.lines().any(|said| said == line), "no {line:?} in\n{said}");
    }
    assert!(!said.contains('\x1b'), "what is no terminal gets no control sequence");
}

#[test]
fn a_failed_scenario_says_why_and_leaves_nothing() {
    let home = TestHome::new();
    let (broken, held) = (scenario(&home, "broken", BROKEN), scenario(&home, "made", HELD));
    let volumes = home.path("volumes").display().to_string();
    let (status, said, _) = home.run(&["play", "--root", &volumes, &broken, &held]);
    assert_eq!(status, Some(1), "{said}");
    for line in ["  ✗ $ docker volume inspect mine", "      output lacks \"gold\"", "passed 1/2, failed 1"]
    {
        assert!(said.lines().any(|said| said == line), "no {line:?} in\n{said}");
    }
    assert!(!said.contains("docker volume rm mine"), "nothing is run after a failed step:\n{said}");
    assert!(!home.path("volumes/mine").exists());
}

#[test]
fn json_is_one_line_per_scenario_and_nothing_else() {
    let home = TestHome::new();
    let (held, broken) = (scenario(&home, "made", HELD), scenario(&home, "broken", BROKEN));
    let (status, lines, words) = home.run(&["play", "--json", &held, &broken]);
    assert_eq!(status, Some(1));
    let reports: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    assert_eq!(reports.len(), 2);
    assert_eq!((&reports[0]["name"], &reports[0]["result"]), (&"made".into(), &"passed".into()));
    assert_eq!(reports[0]["steps"][0]["calls"], serde_json::json!(["get mine", "create mine"]));
    assert_eq!(reports[1]["result"], "failed");
    assert_eq!(reports[1]["steps"][1]["problems"], serde_json::json!(["output lacks \"gold\""]));
    assert!(words.contains("✓ made"), "{words}");
}

#[test]
fn an_invalid_file_or_name_is_an_error_before_anything_is_played() {
    let home = TestHome::new();
    let malformed =
        scenario(&home, "bad", "title = \"x\"\ndescription = \"y\"\n\n[[step]]\ndocker = \"docker fly\"\n");
    let misspelt = scenario(
        &home,
        "slip",
        "title = \"x\"\ndescription = \"y\"\n\n[[step]]\ndoker = \"docker volume ls\"\n",
    );
    for (arguments, expected) in [
        (&["made", &malformed][..], format!("{malformed}:5: docker: ")),
        (&["made", &misspelt][..], format!("{misspelt}:5: doker")),
        (
            &["made", "empty-rety"][..],
            "unknown scenario \"empty-rety\", did you mean \"empty-retry\"?".into(),
        ),
        (&["nowhere.toml"][..], "nowhere.toml: ".into()),
        (&["made", "null-entry", "--engine", "docker"][..], "--dangerous".into()),
        (&["made", "--all"][..], "cannot be used with".into()),
        (&["--engine", "podman"][..], "[possible values: simulated, docker]".into()),
    ] {
        home.write("config/voltergeist/scenarios/made.toml", HELD);
        let (status, said, error) = home.run(&[&["play"], arguments].concat());
        assert_eq!((status, said.as_str()), (Some(2), ""), "{arguments:?}: {error}");
        assert!(error.contains(&expected), "{arguments:?}: {error}");
    }
    home.write("config/voltergeist/scenarios/bad.toml", "title = 3\n");
    let (status, list, error) = home.run(&["play"]);
    assert_eq!(status, Some(2), "a list shows the good ones and the bad one");
    assert!(list.contains("empty-retry") && error.contains("bad.toml:1: title"), "{error}");
}

#[test]
fn without_docker_it_says_what_to_do() {
    let home = TestHome::new();
    let mut play = home.command(&["play", "list", "--engine", "docker"]);
    let socket = format!("unix://{}", home.path("no.sock").display());
    let Output { status, stderr, .. } = play.env("DOCKER_HOST", socket).output().expect("it runs");
    let said = String::from_utf8_lossy(&stderr);
    assert_eq!(status.code(), Some(1));
    assert!(said.contains("DOCKER_HOST") && said.contains("simulated"), "{said}");
}

#[test]
fn a_signal_in_the_middle_leaves_nothing_behind() {
    for (signal, status) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let home = TestHome::new();
        let waits = scenario(&home, "waits", WAITS);
        let record = home.path("record.jsonl");
        let place = |name: &str| home.path(name).display().to_string();
        let (volumes, socket) = (place("volumes"), format!("unix:{}", place("plugin.sock")));
        let mut play = home
            .command(&[
                "play",
                &waits,
                "--root",
                &volumes,
                "--listen",
                &socket,
                "--record",
                &place("record.jsonl"),
            ])
            .spawn()
            .expect("it starts");
        let is_armed =
            |line: &str| line.contains(r#""kind":"command""#) && line.contains("arm unmount: hang");
        let waiting = || fs::read_to_string(&record).ok().filter(|lines| lines.lines().any(is_armed));
        wait_for(TIMEOUT, waiting).expect("the scenario waits");
        assert!(home.path("volumes/mine").exists());
        kill_process(Pid::from_child(&play), signal).expect("it runs");
        let ended = wait_for(TIMEOUT, || play.try_wait().expect("it can be waited for")).expect("it ends");
        assert_eq!(ended.code(), Some(status));
        assert!(!home.path("volumes/mine").exists() && !home.path("plugin.sock").exists());
        let lines = fs::read_to_string(&record).expect("the recording");
        let unmounted = lines
            .lines()
            .any(|line| line.contains("\"operation\":\"unmount\"") && line.contains("\"outcome\":\"ok\""));
        assert!(unmounted, "the container was stopped in order:\n{lines}");
    }
}

/// It expects of all calls what is not so.
const UNMET: &str = r#"
title = "Nothing is mounted"
description = "What is not so."
expect = ["create == 1", "mount == 3"]

[[step]]
docker = "docker volume create -d {driver} mine"
expect = ["volumes == 1", "sequence get create where volume=mine"]
"#;

#[test]
fn expectations_of_all_calls_are_tested_at_the_end() {
    let home = TestHome::new();
    let (status, said, _) = home.run(&["play", &scenario(&home, "unmet", UNMET)]);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("\n    expected mount == 3, but mount is 0"), "{said}");
    assert!(!said.contains("expected create") && !said.contains("expected volumes"), "{said}");
}

#[test]
fn a_failure_is_annotated_at_the_line_of_its_step() {
    let home = TestHome::new();
    let broken = scenario(&home, "broken", BROKEN);
    let (status, said, _) = home.run(&["play", &broken, "--format", "github"]);
    assert_eq!(status, Some(1), "{said}");
    let annotation =
        format!("::error file={broken},line=8,title=scenario broken::$ docker volume inspect mine: ");
    assert!(said.lines().any(|line| line.starts_with(&annotation)), "{annotation}\n{said}");
}

#[test]
fn each_repetition_has_the_next_seed_and_a_table_says_which_have_failed() {
    let home = TestHome::new();
    let broken = scenario(&home, "broken", BROKEN);
    let made = scenario(&home, "made", HELD);
    let report = home.path("report.xml").display().to_string();
    let (status, said, _) =
        home.run(&["play", &made, &broken, "--repeat", "3", "--seed", "7", "--junit", &report]);
    assert_eq!(status, Some(1), "{said}");
    let row = |name: &str| {
        let row = said.lines().find(|line| line.starts_with(name) && line.contains("passed "));
        row.unwrap_or_else(|| panic!("no row of {name} in {said}"))
    };
    assert!(row("made").contains("passed       3") && row("made").ends_with("passed 3/3"), "{said}");
    assert!(row("broken").ends_with("passed 0/3, failed with seed 7, 8, 9"), "{said}");
    assert!(said.ends_with("passed 3/6, failed 3\n"), "{said}");
    let report = fs::read_to_string(report).expect("it is written");
    assert!(report.contains(r#"<testcase name="broken #3 (seed 9)""#), "{report}");
    assert!(report.contains(r#"tests="6""#) && report.contains(r#"failures="3""#), "{report}");
    let (_, lines, _) = home.run(&["play", &made, "--repeat", "2", "--seed", "7", "--json"]);
    let seeds = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")["seed"].clone());
    assert_eq!(seeds.collect::<Vec<_>>(), [7, 8]);
}
