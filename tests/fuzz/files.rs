//! Scenario files and recordings.

use std::fs;

use bolero::check;
use voltergeist::{recording::RecordingFile, scenario::Scenario};

use crate::{MAX_INPUT, edited};

const SCENARIOS: [&str; 3] = [
    include_str!("../../assets/scenarios/anonymous-volume.toml"),
    include_str!("../../assets/scenarios/another-name.toml"),
    include_str!("../../assets/scenarios/bad-time.toml"),
];

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

#[test]
fn a_scenario_file_is_refused_or_read() {
    check!().with_max_len(MAX_INPUT).for_each(|bytes: &[u8]| {
        drop(Scenario::parse("fuzz", "fuzz.toml", &edited(bytes, &SCENARIOS, &TOML)));
    });
}

/// A sample recording with some of its bytes replaced, lines repeated and its end cut off, as the input says.
fn damaged(bytes: &[u8]) -> Vec<u8> {
    let mut file = include_bytes!("../recordings/format1.jsonl").to_vec();
    for change in bytes.chunks_exact(4) {
        let [kind, high, low, byte] = *change else { continue };
        let place = usize::from(high) << 8 | usize::from(low);
        let place = place * file.len() / (1 << 16);
        match kind % 4 {
            0 => file[place] = byte,
            1 => drop(file.splice(place..(place + usize::from(byte)).min(file.len()), [])),
            2 => {
                let end = (place + usize::from(byte) * 8).min(file.len());
                file.extend_from_within(place..end);
            }
            _ => file.truncate(place.max(1)),
        }
        if file.is_empty() {
            break;
        }
    }
    file
}

#[test]
fn a_damaged_recording_is_refused_or_read() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("run.jsonl");
    check!().with_max_len(MAX_INPUT).for_each(|bytes: &[u8]| {
        fs::write(&path, damaged(bytes)).expect("it is written");
        let Ok(recording) = RecordingFile::open(&path) else { return };
        for run in recording.runs() {
            let Ok(mut state) = recording.state_at(run, run.end) else { continue };
            drop(recording.fill(run, &mut state, 100));
            let middle = state.journal().next_seq() / 2;
            drop(recording.behind_seq(run, middle).and_then(|offset| recording.state_at(run, offset)));
        }
    });
}
