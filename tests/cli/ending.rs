//! How it ends, its exit status, and its last lines.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    os::unix::{fs::MetadataExt as _, net::UnixListener, process::ExitStatusExt as _},
    process::Child,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    program::TestHome,
    support::{TIMEOUT, http, wait_for},
};

#[test]
fn a_wrong_option_is_2() {
    for args in [
        &["--thme", "light"][..],
        &["--theme", "neon"],
        &["--seed", "many"],
        &["--expire", "0s"],
        &["--listen", "nowhere"],
        &["command"],
        &["haunt"],
    ] {
        let (status, stdout, stderr) = TestHome::new().run(args);
        assert_eq!((status, stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(stderr.starts_with("error: ") && stderr.contains("--help"), "{stderr}");
    }
}

#[test]
fn what_cannot_be_done_is_1() {
    let home = TestHome::new();
    let file = home.write("file", "").display().to_string();
    for args in [
        &["serve", "--root", &file][..],
        &["serve", "--record", "/nowhere/calls.jsonl", "--listen", "unix:/nowhere/p"],
    ] {
        let (status, _, stderr) = home.run(args);
        assert_eq!(status, Some(1), "{stderr}");
        assert!(stderr.starts_with("voltergeist: "), "{stderr}");
    }
}

#[test]
fn a_signal_is_128_and_its_number_and_leaves_nothing_behind() {
    for (signal, expected) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let home = TestHome::new();
        let mut instance = home.start(&["serve"], &[]);
        instance.signal(signal);
        assert_eq!(instance.wait_for_end().code(), Some(expected));
        assert!(!home.path("plugin.sock").exists() && !home.path("control.sock").exists());
    }
}

#[test]
fn the_place_of_a_socket_outside_the_plugin_directories_is_restored_by_its_path() {
    let home = TestHome::new();
    let path = home.write("plugins/p.sock", "");
    std::fs::remove_file(&path).expect("it is there");
    let _plugin = UnixListener::bind(&path).expect("it can be bound");
    let socket = path.display().to_string();
    let upstream = format!("unix:{socket}");
    let control = format!("unix:{}", home.path("control.sock").display());
    let file = || std::fs::metadata(&path).expect("a socket is there").ino();
    let own = file();
    for restored in [&socket, &home.path("plugins").display().to_string()] {
        let mut child = home
            .command(&["serve", "--name", "p", "--upstream", &upstream, "--control", &control])
            .spawn()
            .expect("it starts");
        assert!(wait_for(TIMEOUT, || (file() != own).then_some(())).is_some(), "the place is not taken");
        kill_with_children(&mut child);
        assert_ne!(file(), own, "somebody has restored it");
        let said = format!("{socket}: restored\n");
        assert_eq!(home.run(&["restore", restored]), (Some(0), said, String::new()));
        assert_eq!(file(), own);
    }
    let nothing = format!("{socket}: nothing to restore\n");
    assert_eq!(home.run(&["restore", &socket]), (Some(0), nothing, String::new()));
    let missing = home.path("plugins/q.sock").display().to_string();
    let (status, _, error) = home.run(&["restore", &missing]);
    let expected = format!("voltergeist: there is no socket {missing}; voltergeist plugins lists sockets\n");
    assert_eq!((status, error), (Some(1), expected));
}

/// Kills the processes that it has started, and then it.
fn kill_with_children(child: &mut Child) {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", child.id())).expect("it runs");
    for task in tasks.flatten() {
        let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for id in children.split_whitespace() {
            let id = Pid::from_raw(id.parse().expect("a process ID")).expect("a process ID");
            kill_process(id, Signal::KILL).expect("it can be killed");
        }
    }
    child.kill().expect("it can be killed");
    child.wait().expect("it can be waited for");
}

#[test]
fn quit_is_0_and_the_last_line_is_written() {
    let home = TestHome::new();
    let mut instance = home.start(&["serve"], &[]);
    assert_eq!(home.send("quit").0, Some(0));
    assert_eq!(instance.wait_for_end().code(), Some(0));
    assert_eq!(instance.lines().last().map(|line| line["command"] == "quit"), Some(true));
}

#[test]
fn text_is_a_line_for_people_and_the_log_file_has_start_and_end() {
    let home = TestHome::new();
    let log = home.path("voltergeist.log").display().to_string();
    let options = ["serve", "--format", "text", "--time-zone", "UTC", "--log-file", &log];
    let mut instance = home.start(&options, &[("RUST_LOG", "debug"), ("LC_ALL", "C.UTF-8")]);
    instance.call("/VolumeDriver.Create", r#"{"Name": "data", "Opts": {}}"#);
    let (status, ..) = home.send("arm get: empty as none");
    assert_eq!(status, Some(0));
    instance.call("/VolumeDriver.Get", r#"{"Name": "data"}"#);
    instance.signal(Signal::TERM);
    instance.wait_for_end();
    let mut text = String::new();
    let mut stdout = instance.child.stdout.take().expect("stdout is a pipe");
    stdout.read_to_string(&mut text).expect("its words are UTF-8");
    for expected in ["create       data             ok", ": arm get: empty as none", "⚡ empty by none"] {
        assert!(text.contains(expected), "{expected} is missing: {text}");
    }
    let log = std::fs::read_to_string(log).expect("there is a log file");
    let lines: Vec<&str> = log.lines().collect();
    assert!(lines.first().is_some_and(|line| line.contains("INFO") && line.contains("started")), "{log}");
    assert!(lines.last().is_some_and(|line| line.contains("ending signal=143")), "{log}");
}

#[test]
fn a_wrong_log_is_an_error_before_anything_is_done() {
    let home = TestHome::new();
    let log = home.path("voltergeist.log").display().to_string();
    let (status, _, stderr) = home.run(&["serve", "--log-file", &log, "--log-level", "loud"]);
    assert_eq!(status, Some(2), "{stderr}");
    let (status, _, stderr) = home.run(&["serve", "--log-file", "/nowhere/voltergeist.log"]);
    assert_eq!(status, Some(1), "{stderr}");
    assert!(stderr.contains("cannot open the log file"), "{stderr}");
}

#[test]
fn without_a_terminal_it_serves_lines() {
    let home = TestHome::new();
    let mut instance = home.start(&[], &[]);
    instance.call("/VolumeDriver.Create", r#"{"Name":"db1"}"#);
    instance.signal(Signal::TERM);
    instance.wait_for_end();
    let lines = instance.lines();
    let call = lines.iter().find(|line| line["kind"] == "call").expect("the call is written");
    assert_eq!((&call["operation"], &call["volume"]), (&"create".into(), &"db1".into()));
}

#[test]
fn it_ends_well_when_nobody_reads_its_lines_any_more() {
    let home = TestHome::new();
    let mut instance = home.start(&["serve"], &[]);
    let mut stdout = BufReader::new(instance.child.stdout.take().expect("stdout is a pipe"));
    home.send("note seen");
    let mut line = String::new();
    while !line.contains("seen") {
        line.clear();
        assert_ne!(stdout.read_line(&mut line).expect("a line"), 0, "the note is written");
    }
    drop(stdout);
    let status = instance.wait_for_end();
    assert_eq!((status.code(), status.signal()), (Some(0), None));
    assert!(!home.path("plugin.sock").exists());
}

#[test]
fn a_reader_that_stops_reading_does_not_hold_up_the_end() {
    let home = TestHome::new();
    let mut instance = home.start(&["serve"], &[]);
    // More than a pipe holds.
    for _ in 0..100 {
        instance.call("/VolumeDriver.Create", &format!(r#"{{"Name":"{}"}}"#, "x".repeat(4000)));
    }
    instance.signal(Signal::TERM);
    assert_eq!(instance.wait_for_end().code(), Some(143));
}

#[test]
fn a_command_says_its_result() {
    let home = TestHome::new();
    let _instance = home.start(&["serve"], &[]);
    let (status, stdout, _) = home.send("arm get: empty");
    assert_eq!((status, stdout.as_str()), (Some(0), "armed rule 1: get: empty\n"));
}

#[test]
fn a_wrong_line_is_1_and_reported_with_its_column() {
    let home = TestHome::new();
    let _instance = home.start(&["serve"], &[]);
    let (status, stdout, stderr) = home.send("arm mount first 0: fail");
    assert_eq!((status, stdout.as_str()), (Some(1), ""));
    assert_eq!(
        stderr,
        "voltergeist: column 17: found \"0\", expected a whole number greater than 0\n\
         arm mount first 0: fail\n                ^\n"
    );
}

#[test]
fn a_command_without_an_instance_says_what_to_do() {
    let (status, stdout, stderr) = TestHome::new().run(&["command", "--control", "unix:/nowhere.sock", "up"]);
    assert_eq!((status, stdout.as_str()), (Some(1), ""));
    insta::assert_snapshot!(stderr);
}

#[test]
fn calls_that_end_while_it_ends_are_written() {
    let home = TestHome::new();
    let record = home.path("record.jsonl");
    let mut instance = home.start(&["serve", "--record", &record.display().to_string()], &[]);
    assert_eq!(home.send("arm get: hold").0, Some(0));
    let caller = std::thread::spawn({
        let socket = home.path("plugin.sock");
        move || http::request(&socket, "POST", "/VolumeDriver.Get", "{\"Name\":\"v\"}")
    });
    let held = wait_for(TIMEOUT, || (instance.state()["held"][0]["volume"] == "v").then_some(()));
    assert!(held.is_some(), "the call is not held");
    instance.signal(Signal::TERM);
    assert_eq!(instance.wait_for_end().code(), Some(143));
    assert_eq!(caller.join().expect("it does not panic").expect("it is answered").0, 200);
    let recorded = std::fs::read_to_string(record).expect("it is written");
    let recorded =
        recorded.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    for lines in [instance.lines(), recorded] {
        let is_the_call = |line: &serde_json::Value| line["kind"] == "call" && line["operation"] == "get";
        assert!(lines.iter().any(is_the_call), "{lines:?}");
    }
}

#[test]
fn lines_that_nobody_reads_are_counted_at_the_end() {
    let home = TestHome::new();
    let mut instance = home.start(&["serve"], &[]);
    let note = format!("note {}", "x".repeat(20_000));
    for _ in 0..10 {
        assert_eq!(home.send(&note).0, Some(0));
    }
    instance.signal(Signal::TERM);
    assert_eq!(instance.wait_for_end().code(), Some(143));
    let mut said = String::new();
    instance.child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("it is text");
    assert!(said.contains("entries were not written, because stdout was read too slowly"), "{said}");
}

#[test]
fn lines_that_a_reader_leaves_behind_are_counted() {
    let home = TestHome::new();
    let mut instance = home.start(&["serve"], &[]);
    let note = format!("note {}", "x".repeat(20_000));
    for _ in 0..10 {
        assert_eq!(home.send(&note).0, Some(0));
    }
    drop(instance.child.stdout.take());
    assert_eq!(instance.wait_for_end().code(), Some(0));
    let mut said = String::new();
    instance.child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("it is text");
    let unwritten = said.split_once("stdout was closed; not written: at most ").map(|(_, rest)| rest);
    // A pipe holds three of them.
    let unwritten = unwritten.and_then(|rest| rest.split(' ').next()?.parse::<u64>().ok());
    assert!(unwritten.is_some_and(|unwritten| unwritten >= 7), "{said}");
}
