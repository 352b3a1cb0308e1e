//! Scenario files, config files and recordings.

use std::fs;

use voltergeist::{
    cli::config::{self, ConfigError},
    recording::RecordingFile,
    scenario::Scenario,
};

use crate::{corpus::Corpus, fuzz};

const TOML: [&str; 32] = [
    "\n",
    " = ",
    "\"",
    "'",
    "[",
    "]",
    "[[step]]\n",
    "{ ",
    " }",
    ", ",
    "#",
    "true",
    "1",
    "title = \"x\"\n",
    "dangerous = true\n",
    "call_counts = { get = 1 }\n",
    "docker = \"docker volume ls\"\n",
    "docker = \"docker run -d --name b -v db1:/d busybox top\"\n",
    "command = \"arm get: empty as x\"\n",
    "command = \"disarm x\"\n",
    "calls = [\"get ?\"]\n",
    "docker volume rm ",
    "docker ",
    "{driver}",
    "mount ",
    "#1",
    "?",
    "\\",
    "\t",
    "{address}",
    "\"\"\"",
    "exit = 1\n",
];

const SETTINGS: [&str; 28] = [
    "\n",
    " = ",
    "\"",
    "'",
    "\"\"\"",
    "[",
    "]",
    "[keys]\n",
    "[[keys]]\n",
    "{ ",
    " }",
    ", ",
    "#",
    "true",
    "-1",
    "0x7f",
    "1979-05-27T07:32:00Z",
    "name = \"x\"\n",
    "listen-after = \"50s\"\n",
    "start-down = \"refuse\"\n",
    "keys.quit = \"q\"\n",
    "pause = [\"q\", \"ctrl-c\"]\n",
    "arm = [\"get: empty\"]\n",
    "18446744073709551616",
    "\\u0000",
    "\\",
    "\u{9b}",
    "\u{1f600}",
];

const JSON: [&str; 40] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\n",
    "null",
    "true",
    "-1",
    "0",
    "18446744073709551615",
    "1e999",
    "\\u0000",
    "\\ud800",
    "\"seq\":1,",
    "\"seq\":18446744073709551615,",
    "\"at\":\"-009999-01-01T00:00:00Z\",",
    "\"at\":\"9999-12-31T23:59:59Z\",",
    "\"kind\":\"call\",",
    "\"kind\":\"checkpoint\",",
    "\"kind\":\"gap\",",
    "\"kind\":\"session\",",
    "\"kind\":\"volume\",",
    "\"call\":1,",
    "\"call\":18446744073709551615,",
    "\"operation\":\"mount\",",
    "\"volume\":\"db1\",",
    "\"mount_id\":\"7f\",",
    "\"duration_us\":18446744073709551615,",
    "\"first\":0,",
    "\"missed\":18446744073709551615,",
    "\"run\":9,",
    "\"state\":{}",
    "\"rule\":4294967295,",
    "\"mounts\":{\"a\":4294967295},",
    "\"outcome\":\"cancelled\",",
    "\"status\":\"down\",",
    "\"generation\":18446744073709551615,",
];

#[test]
fn a_scenario_file_is_refused_or_read() {
    fuzz!(Corpus::files("scenarios", &TOML), |bytes: &[u8]| {
        drop(Scenario::parse("fuzz", "fuzz.toml", &String::from_utf8_lossy(bytes)));
    });
}

#[test]
fn a_config_file_is_refused_at_one_of_its_lines_or_read() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("config.toml");
    fuzz!(Corpus::files("configs", &SETTINGS), |bytes: &[u8]| {
        fs::write(&path, bytes).expect("it is written");
        if let Err(ConfigError::Wrong { line, .. }) = config::read(Some(&path)) {
            let lines = bytes.split(|byte| *byte == b'\n').count();
            assert!((1..=lines).contains(&line), "line {line} of {lines}");
        }
    });
}

#[test]
fn a_damaged_recording_is_refused_or_read() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("run.jsonl");
    fuzz!(Corpus::files("recordings", &JSON), |bytes: &[u8]| {
        fs::write(&path, bytes).expect("it is written");
        let Ok(recording) = RecordingFile::open(&path) else { return };
        for run in recording.runs() {
            let Ok(mut state) = recording.state_at(run, run.end) else { continue };
            drop(recording.fill(run, &mut state, 100));
            let middle = state.journal().next_seq() / 2;
            drop(recording.offset_after_seq(run, middle).and_then(|offset| recording.state_at(run, offset)));
        }
    });
}
