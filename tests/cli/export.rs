//! `voltergeist export`: what a recording becomes, and a scenario that is played again.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use crate::program::TestHome;

/// Plays a scenario, and returns its recording.
fn record(home: &TestHome, scenario: &str) -> String {
    let path = home.path(&format!("{scenario}.jsonl")).display().to_string();
    let (status, said, _) = home.run(&["play", scenario, "--record", &path]);
    assert_eq!(status, Some(0), "{said}");
    path
}

fn export(home: &TestHome, recording: &str, name: &str, options: &[&str]) -> String {
    let out = home.path(name).display().to_string();
    let (status, _, error) = home.run(&[&["export", recording, &out], options].concat());
    assert_eq!(status, Some(0), "{name}: {error}");
    fs::read_to_string(&out).expect("it is written")
}

/// Makes a scenario of a recording, and plays it.
fn assert_plays_again(home: &TestHome, scenario: &str, recording: &str, steps: &str) {
    let name = format!("{scenario}-{steps}.toml");
    let text = export(home, recording, &name, &[]);
    let (status, said, error) = home.run(&["play", &home.path(&name).display().to_string()]);
    assert_eq!(status, Some(0), "{scenario} from its {steps}:\n{text}\n{said}\n{error}");
    assert!(text.contains("calls = ["), "{text}");
}

#[test]
fn a_play_becomes_a_scenario_that_passes() {
    let home = TestHome::new();
    for scenario in [
        "named-volume",
        "anonymous-volume",
        "volumes-from",
        "empty-retry",
        "labels-lost",
        "data-lost",
        "shadow-volume",
        "leaked-mount",
        "unmount-on-cp",
        "missing-mountpoint",
        "others-not-blocked",
        "short-outage",
        "daemon-restart",
        "live-restore",
        "capabilities",
        "late-plugin",
        "null-entry",
        "two-hosts",
    ] {
        assert_plays_again(&home, scenario, &record(&home, scenario), "commands");
    }
}

#[test]
fn the_second_play_of_a_scenario_becomes_a_scenario_that_passes() {
    let home = TestHome::new();
    let recording = home.path("twice.jsonl").display().to_string();
    let (status, said, _) = home.run(&["play", "named-volume", "--repeat", "2", "--record", &recording]);
    assert_eq!(status, Some(0), "{said}");
    assert_plays_again(&home, "named-volume", &recording, "repetition");
}

#[test]
fn the_calls_of_unknown_commands_become_a_scenario_that_passes() {
    let home = TestHome::new();
    for scenario in [
        "named-volume",
        "anonymous-volume",
        "list",
        "get",
        "labels-lost",
        "missing-mountpoint",
        "unmount-on-cp",
        "unmount-on-mount-fail",
        "out-of-band-delete",
        "five-tries",
        "others-not-blocked",
        "copy-up-not-unmounted",
        "data-lost",
        "get-empty-response",
        "killed-daemon",
        "mount-works-later",
        "null-entry",
        "remove-while-mounted",
        "reused-mount-id",
        "two-hosts",
        "unmount-on-failed-cp",
    ] {
        let recording = record(&home, scenario);
        let calls = home.path("calls.jsonl").display().to_string();
        fs::write(&calls, without_commands(&recording)).expect("it can be written");
        assert_plays_again(&home, scenario, &calls, "calls");
    }
}

/// A recording without what tells which docker commands were run, as of a real engine.
fn without_commands(recording: &str) -> String {
    let text = fs::read_to_string(recording).expect("it is readable");
    let is_kept = |line: &&str| {
        ["scenario", "checkpoint"].iter().all(|kind| !line.contains(&format!(r#""kind":"{kind}""#)))
    };
    let lines =
        text.lines().filter(is_kept).map(|line| match line.split_once(r#""origin":{"from":"scenario""#) {
            Some((before, after)) => format!(
                "{before}\"origin\":{{\"from\":\"line\"}}{}\n",
                after.split_once('}').expect("its end").1
            ),
            None => format!("{line}\n"),
        });
    lines.collect()
}

#[test]
fn an_http_archive_is_valid_by_its_schema() {
    let home = TestHome::new();
    let recording = record(&home, "empty-retry");
    let archive: Value =
        serde_json::from_str(&export(&home, &recording, "run.har", &[])).expect("it is JSON");
    let schema = include_str!("../schemas/har-1.2.json");
    let schema = serde_json::from_str(schema).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("it is a schema");
    let errors: Vec<_> = validator.iter_errors(&archive).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let entries = archive["log"]["entries"].as_array().expect("entries");
    let calls = fs::read_to_string(&recording).expect("readable").matches(r#""kind":"call""#).count();
    assert_eq!(entries.len(), calls);
    assert!(entries.iter().any(|entry| entry["response"]["status"] == 0), "a reply that was not sent");
}

#[test]
fn mitmproxy_reads_an_http_archive() {
    // Debian's version 8 cannot read archives.
    let version = Command::new("mitmdump").arg("--version").output();
    let version =
        version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let major =
        version.split_once("Mitmproxy: ").and_then(|(_, rest)| rest.split('.').next()?.parse::<u32>().ok());
    if major.is_none_or(|major| major < 11) {
        return eprintln!("ignored: there is no mitmdump of version 11 or later here");
    }
    let home = TestHome::new();
    export(&home, &record(&home, "named-volume"), "run.har", &[]);
    let output = Command::new("mitmdump")
        .args(["--no-server", "--rfile", &home.path("run.har").display().to_string()])
        .env("HOME", home.path("."))
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("POST http://"), "{output:?}");
    assert!(said.contains("/VolumeDriver.Mount"), "{said}");
}

#[test]
fn a_recording_becomes_what_the_console_saves() {
    let home = TestHome::new();
    let recording = record(&home, "named-volume");
    for (name, part) in [
        ("run.md", "## Operations"),
        ("run.mmd", "sequenceDiagram"),
        ("run.txt", "mount"),
        ("run.rules", "# Rules of voltergeist"),
        ("run.jsonl", r#""kind":"session""#),
    ] {
        assert!(export(&home, &recording, name, &[]).contains(part), "{name}");
    }
    let mounts = export(&home, &recording, "mounts.jsonl", &["--where", "operation=mount"]);
    assert_eq!(mounts.lines().count(), 1, "{mounts}");
    for (out, status, expected) in [
        ("run.md", 1, "exists; choose another name"),
        (
            "run.pcap",
            1,
            "unknown format; end the name in one of: .jsonl, .md, .mmd, .txt, .har, .toml, .rules",
        ),
    ] {
        let out = home.path(out).display().to_string();
        let (code, _, error) = home.run(&["export", &recording, &out]);
        assert_eq!(code, Some(status), "{error}");
        assert!(error.contains(expected), "{error}");
    }
    let (status, _, error) = home.run(&["export", &recording, "x.md", "--where", "op:mont"]);
    assert_eq!(status, Some(2));
    assert!(error.contains("column 4: unknown operation \"mont\", did you mean \"mount\"?"), "{error}");
    assert!(!Path::new("x.md").exists());
}
