//! `voltergeist check` on a running instance and on recordings: what it prints and writes, and its exit status.

use std::{fs, process::Command};

use serde_json::Value;

use crate::program::{Instance, TestHome};

/// Calls as docker sends them for a run that ends, and one mount that is not undone.
fn calls(instance: &Instance<'_>) {
    for (operation, body) in [
        ("Get", r#"{"Name":"db1"}"#),
        ("Create", r#"{"Name":"db1"}"#),
        ("Get", r#"{"Name":"db1"}"#),
        ("Mount", r#"{"Name":"db1","ID":"a"}"#),
        ("Unmount", r#"{"Name":"db1","ID":"a"}"#),
        ("Mount", r#"{"Name":"db1","ID":"b"}"#),
    ] {
        instance.call(&format!("/VolumeDriver.{operation}"), body);
    }
}

/// A recording of these calls.
fn recorded(home: &TestHome) -> String {
    let path = home.path("run.jsonl").display().to_string();
    let mut instance = home.start(&["serve", "--record", &path], &[]);
    calls(&instance);
    home.send("quit");
    instance.wait_for_end();
    path
}

#[test]
fn on_a_recording_it_says_what_was_found_and_in_which_calls() {
    let home = TestHome::new();
    let run = recorded(&home);
    let met =
        ["get == 2", "sequence get create get mount", "p99(get) < 10s", "capabilities <= 1", "lint == 0"];
    let (status, said, error) = home.run(&[&["check", &run], &met[..]].concat());
    assert_eq!((status, error.as_str()), (Some(0), ""), "{said}");
    assert_eq!(said.lines().filter(|line| line.starts_with('+')).count(), met.len(), "{said}");
    let (status, said, _) = home.run(&["check", &run, "mount == unmount", "open-mounts == 0", "list == 0"]);
    assert_eq!(status, Some(1), "{said}");
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines[..2], ["x mount == unmount", "    mount is 2, unmount is 1"], "{said}");
    assert!(
        lines[2].contains("#6  mount") && lines[2].contains("db1"),
        "the mount that is not undone: {said}"
    );
    assert_eq!(lines[3..5], ["x open-mounts == 0", "    open-mounts is 1: db1 1"], "{said}");
    assert_eq!(lines[5..], ["+ list == 0", "    list is 0"], "{said}");
}

#[test]
fn json_and_junit_have_the_same_results() {
    let home = TestHome::new();
    let run = recorded(&home);
    let report = home.path("report.xml").display().to_string();
    let (status, said, _) =
        home.run(&["check", &run, "mount == unmount", "get == 2", "--json", "--junit", &report]);
    assert_eq!(status, Some(1), "{said}");
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["expectation"], "mount == unmount");
    assert_eq!((&lines[0]["passed"], &lines[1]["passed"]), (&false.into(), &true.into()));
    assert_eq!(lines[0]["found"], "mount is 2, unmount is 1");
    assert_eq!(lines[0]["calls"][0]["call"], 6);
    let report = fs::read_to_string(report).expect("it is written");
    for part in [
        r#"tests="2""#,
        r#"failures="1""#,
        r#"<testcase name="get == 2""#,
        r#"<failure message="mount is 2, unmount is 1">"#,
        "#6  mount",
    ] {
        assert!(report.contains(part), "no {part} in\n{report}");
    }
}

#[test]
fn expectations_of_a_file_are_annotated_at_their_lines() {
    let home = TestHome::new();
    let run = recorded(&home);
    let file = home.write("expect.toml", "# Every mount ends.\nexpect = [\n    \"mount == unmount\",\n]\n");
    let file = file.display().to_string();
    let (status, said, _) = home.run(&["check", &run, "--file", &file, "--format", "github"]);
    assert_eq!(status, Some(1));
    let annotation = format!("::error file={file},line=3,title=mount == unmount::mount is 2, unmount is 1");
    assert!(said.lines().any(|line| line == annotation), "{said}");
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_is_no_failed_expectation() {
    let home = TestHome::new();
    let run = recorded(&home);
    let file = |text: &str| home.write("expect.toml", text).display().to_string();
    for (args, expected) in [
        (vec!["mont == 1".to_owned()], "column 1: found \"mont\", did you mean \"mount\"?"),
        (vec!["mount = 1".to_owned()], "mount = 1\n      ^"),
        (vec![], "the following required arguments were not provided:\n  <EXPECTATION>..."),
        (
            vec!["--file".to_owned(), file("expect = [\n\"get == \"]")],
            "expect.toml:2: column 8: unexpected end",
        ),
    ] {
        let args: Vec<&str> = ["check", &run].into_iter().chain(args.iter().map(String::as_str)).collect();
        let (status, _, error) = home.run(&args);
        assert_eq!(status, Some(2), "{args:?}: {error}");
        assert!(error.contains(expected), "{args:?}: {error}");
    }
    let (status, _, error) = home.run(&["check", &run, "--file", &file("expct = []")]);
    assert_eq!(status, Some(2));
    assert!(error.contains("expect.toml:1: unknown field `expct`"), "{error}");
    let (status, _, error) = home.run(&["check", "nobody", "get == 0"]);
    assert_eq!(status, Some(1));
    assert!(error.contains("\"nobody\" is no recording: no instance named \"nobody\" runs here"), "{error}");
}

#[test]
fn on_a_running_instance_it_waits_until_all_is_met() {
    let home = TestHome::new();
    let instance = home.start(&["serve"], &[]);
    let control = home.path("control.sock").display().to_string();
    let (status, said, error) = home.run(&["check", &control, "mount == 0", "volumes == 0"]);
    assert_eq!(status, Some(0), "{said}{error}");
    let check = |wait: &str| {
        let mut command =
            home.command(&["check", &control, "count(mount where volume=db1) == 2", "--wait", wait]);
        command.spawn().expect("it starts")
    };
    let waiting = check("60s");
    calls(&instance);
    let output = waiting.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    calls(&instance);
    let output = check("200ms").wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn it_waits_for_an_instance_that_is_not_there_yet() {
    let home = TestHome::new();
    let control = home.path("control.sock").display().to_string();
    let mut command = home.command(&["check", &control, "create == 1", "--wait", "60s"]);
    let waiting = command.spawn().expect("it starts");
    let instance = home.start(&["serve"], &[]);
    calls(&instance);
    let output = waiting.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn it_waits_for_a_recording_that_is_not_there_yet() {
    let home = TestHome::new();
    let run = home.path("run.jsonl").display().to_string();
    let mut command = home.command(&["check", &run, "get == 2", "mount == 2", "--wait", "60s"]);
    let waiting = command.spawn().expect("it starts");
    recorded(&home);
    let output = waiting.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_a_part_of_a_recording_does_not_have_is_not_known() {
    let home = TestHome::new();
    let run = recorded(&home);
    let part = home.path("part.jsonl").display().to_string();
    let (status, _, error) = home.run(&["export", &run, &part, "--where=-operation:get"]);
    assert_eq!(status, Some(0), "{error}");
    for expectation in ["get == 0", "mount == 2", "open-mounts == 1", "lint == 0"] {
        let (status, said, _) = home.run(&["check", &part, expectation]);
        assert_eq!(status, Some(1), "{expectation}: {said}");
        assert!(said.contains("is not known: the recording lacks 2 earlier entries"), "{said}");
    }
}

#[test]
fn a_name_cannot_write_a_line_of_its_own() {
    let home = TestHome::new();
    let path = home.path("run.jsonl").display().to_string();
    let mut instance = home.start(&["serve", "--record", &path], &[]);
    for operation in ["Create", "Mount"] {
        let body = r#"{"Name":"db\n::stop-commands::\u001b[2J","ID":"a"}"#;
        instance.call(&format!("/VolumeDriver.{operation}"), body);
    }
    home.send("quit");
    instance.wait_for_end();
    let (status, said, _) = home.run(&["check", &path, "open-mounts == 0", "--format", "github"]);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains(r#"open-mounts is 1: "db\n::stop-commands::\u001b[2J" 1"#), "{said}");
    assert!(said.lines().all(|line| !line.starts_with("::stop")), "{said}");
}

#[test]
fn the_report_is_valid_by_the_schema_of_junit() {
    let home = TestHome::new();
    let run = recorded(&home);
    let report = home.path("report.xml").display().to_string();
    home.run(&["check", &run, "mount == unmount", "get == 2", "--junit", &report]);
    validate(&report);
    home.run(&["play", "list", "null-entry", "--repeat", "2", "--junit", &report]);
    let written = validate(&report);
    assert!(written.contains(r#"<testcase name="list #2 (seed "#), "{written}");
}

/// Returns what is in a report, after it was validated where there is a tool for it.
fn validate(report: &str) -> String {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schemas/junit.xsd");
    match Command::new("xmllint").args(["--noout", "--schema", schema, report]).output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => eprintln!("not validated: xmllint (libxml2-utils) does not run here: {error}"),
    }
    fs::read_to_string(report).expect("it is written")
}

/// Runs a program of `docs/ci` on an instance; nothing if there is no interpreter for it here.
fn snippet(program: &str, args: &[&str]) -> Option<String> {
    if let Err(error) = Command::new(program).arg("version").output() {
        eprintln!("ignored: {program} does not run here: {error}");
        return None;
    }
    let home = TestHome::new();
    let _instance = home.start(&["serve"], &[]);
    let output = Command::new(program)
        .args(args)
        .arg(home.path("control.sock"))
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/ci"))
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).expect("its words are UTF-8"))
}

#[test]
fn the_github_job_can_read_what_root_has_written_when_it_uploads_it() {
    let job = include_str!("../../docs/ci/github.yml");
    let step = |text: &str| job.find(text).unwrap_or_else(|| panic!("no {text} in\n{job}"));
    let written = step("sudo --preserve-env=OUT docs/ci/job.sh").max(step("sudo voltergeist check"));
    let readable = step("run: sudo chown -R \"$(id -u):$(id -g)\" .");
    assert!(written < readable && readable < step("actions/upload-artifact"), "{job}");
}

const REFUSED: &str = "refused: column 5: found \"mont\", did you mean \"mount\"?";

#[test]
fn a_python_program_steers_an_instance() {
    let Some(said) = snippet("python3", &["control.py"]) else { return };
    let lines: Vec<_> = said.lines().collect();
    let armed = "armed rule 1: mount: fail \"device busy\" once";
    assert_eq!(lines[..3], [armed, "1 rule disarmed", "2 commands, 0 mounts"], "{said}");
    assert!(lines[3].starts_with(REFUSED), "{said}");
}

#[test]
fn a_go_program_steers_an_instance() {
    let Some(said) = snippet("go", &["run", "control.go"]) else { return };
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines.len(), 5, "{said}");
    assert_eq!(
        lines[2..4],
        ["command: arm mount: fail \"device busy\" once as busy", "command: disarm busy"]
    );
    assert!(lines[4].starts_with(REFUSED), "{said}");
}
