//! Recordings of many entries, with checkpoints, gaps and several runs.

use std::{fs, path::PathBuf, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tempfile::TempDir;

use super::{EntryEncoder, LineHead, RecordingFile, reader::apply_line, runs::RecordedRun};
use crate::domain::{
    model::{
        entry::{Call, Entry, EntryKind, Session},
        protocol::{Caller, Operation},
        volume::Volumes,
    },
    state::{State, journal::Bounds},
};

fn at(seq: u64) -> Timestamp {
    let millis = i64::try_from(seq).expect("few entries") * 10;
    Timestamp::UNIX_EPOCH.checked_add(SignedDuration::from_millis(millis)).expect("a time")
}

/// An entry of a run: a session, and then calls with commands between them.
fn entry(seq: u64) -> Arc<Entry> {
    let kind = match seq {
        1 => EntryKind::Session(Box::new(Session::new(7, Volumes::default()))),
        _ if seq.is_multiple_of(100) => EntryKind::Note { text: "x".repeat(seq as usize % 3000) },
        _ => EntryKind::Call(Box::new(Call { number: seq, ..Call::ok(Operation::Get, Caller::Docker) })),
    };
    Arc::new(Entry::new(seq, at(seq), kind))
}

/// A file with runs of so many entries each, and the entries without which it goes on.
struct Fixture {
    _directory: TempDir,
    path: PathBuf,
    recording: RecordingFile,
}

fn write(runs: &[u64], gap: Option<&std::ops::Range<u64>>) -> Fixture {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("run.jsonl");
    let mut text = Vec::new();
    for entries in runs {
        let mut encoder = EntryEncoder::new(text.len() as u64);
        let mut state = State::new(Bounds::default());
        for seq in 1..=*entries {
            let entry = entry(seq);
            state.apply(&entry);
            match gap {
                Some(gap) if seq + 1 == gap.end => encoder.resume(&mut text, state.checkpoint(), entry.at),
                Some(gap) if gap.contains(&seq) => {}
                _ => encoder.write(&mut text, &entry),
            }
        }
    }
    fs::write(&path, text).expect("it is written");
    let recording = RecordingFile::open(&path).expect("it is a recording");
    Fixture { _directory: directory, path, recording }
}

/// The state after an entry, from all entries before it.
fn folded(seq: u64) -> State {
    let mut state = State::new(Bounds::default());
    (1..=seq).for_each(|seq| state.apply(&entry(seq)));
    state
}

fn state_at(recording: &RecordingFile, run: &RecordedRun, seq: u64) -> State {
    let offset = recording.offset_after_seq(run, seq).expect("it is readable");
    let mut state = recording.state_at(run, offset).expect("it is readable");
    recording.fill(run, &mut state, u64::MAX).expect("it is readable");
    state
}

#[test]
fn a_head_is_read_from_the_first_bytes_of_a_line() {
    let line = serde_json::to_string(&*entry(4711)).expect("it is JSON");
    let head = LineHead::parse(line.as_bytes()).expect("it has a head");
    assert_eq!((head.seq, head.at, head.kind), (4711, at(4711), "call"));
    for line in ["", "{", "{\"seq\":1}", "{\"seq\":,\"at\":\"x\",\"kind\":\"y\"}", "{\"at\":\"x\"}"] {
        assert_eq!(LineHead::parse(line.as_bytes()), None, "{line}");
    }
}

#[test]
fn the_state_at_any_entry_is_what_all_entries_before_it_add_up_to() {
    let fixture = write(&[10_000], None);
    let run = fixture.recording.runs()[0];
    let checkpoints = fs::read_to_string(&fixture.path).expect("it is text");
    assert!(checkpoints.matches("\"kind\":\"checkpoint\"").count() >= 2);
    for seq in [1, 2, 99, 100, 4095, 4096, 4097, 8192, 8193, 9999, 10_000] {
        assert!(state_at(&fixture.recording, &run, seq) == folded(seq), "at {seq}");
    }
}

#[test]
fn a_time_is_found_as_a_number_is() {
    let fixture = write(&[5000], None);
    let run = fixture.recording.runs()[0];
    for (time, seq) in [(at(1), 1), (at(4321), 4321), (at(9999), 5000)] {
        let found = fixture.recording.offset_after_time(&run, time).expect("it is readable");
        assert_eq!(found, fixture.recording.offset_after_seq(&run, seq).expect("it is readable"));
    }
    assert_eq!(
        fixture.recording.offset_after_time(&run, Timestamp::UNIX_EPOCH).expect("it is readable"),
        run.start
    );
}

#[test]
fn the_runs_of_a_file_are_found_from_its_end() {
    let fixture = write(&[3, 9000, 1, 5000], None);
    let runs: Vec<_> = fixture.recording.runs().iter().map(|run| run.last_seq).collect();
    assert_eq!(runs, [3, 9000, 1, 5000]);
    for (run, seq) in fixture.recording.runs().iter().zip([2, 8500, 1, 4999]) {
        assert!(state_at(&fixture.recording, run, seq) == folded(seq));
    }
}

#[test]
fn after_a_gap_the_state_is_right_and_the_journal_begins_there() {
    let fixture = write(&[9000], Some(&(3000..6001)));
    let run = fixture.recording.runs()[0];
    let before = state_at(&fixture.recording, &run, 2999);
    assert!(before == folded(2999));
    // Nothing between is known: what is shown is the state before it.
    assert_eq!(state_at(&fixture.recording, &run, 4000).journal().next_seq(), 3000);
    let after = state_at(&fixture.recording, &run, 8000);
    assert!(after.checkpoint() == folded(8000).checkpoint());
    assert_eq!(after.journal().first_seq(), 6001);
    // The same when the lines are read one after another.
    let mut read = before;
    let from = fixture.recording.offset_after_seq(&run, 2999).expect("it is readable");
    let to = fixture.recording.offset_after_seq(&run, 8000).expect("it is readable");
    let mut lines = fixture.recording.lines(from, to);
    while let Some(line) = lines.next_line().expect("it is readable") {
        apply_line(&mut read, line);
    }
    assert!(read == after);
}

#[test]
fn a_checkpoint_of_another_version_is_left_out() {
    let fixture = write(&[6000], None);
    let text = fs::read_to_string(&fixture.path).expect("it is text");
    fs::write(&fixture.path, text.replace("\"past_volumes\"", "\"other_volumes\"")).expect("it is written");
    let recording = RecordingFile::open(&fixture.path).expect("it is a recording");
    let run = recording.runs()[0];
    assert!(state_at(&recording, &run, 5000) == folded(5000));
}

#[test]
fn lines_that_are_added_are_found_and_a_half_one_is_not() {
    let mut fixture = write(&[10], None);
    let append = |text: &str| {
        let old = fs::read_to_string(&fixture.path).expect("it is text");
        fs::write(&fixture.path, old + text).expect("it is written");
    };
    let line = |seq| serde_json::to_string(&*entry(seq)).expect("it is JSON") + "\n";
    let (half, rest) = (&line(11)[..40], &line(11)[40..]);
    append(half);
    assert!(!fixture.recording.refresh().expect("it is readable"));
    append(rest);
    assert!(fixture.recording.refresh().expect("it is readable"));
    assert_eq!(fixture.recording.runs()[0].last_seq, 11);
    append(&(line(1) + &line(2)));
    assert!(fixture.recording.refresh().expect("it is readable"));
    assert_eq!(fixture.recording.runs().len(), 2);
    assert_eq!(fixture.recording.runs()[1].last_seq, 2);
    fs::write(&fixture.path, line(1)).expect("it is written");
    let error = fixture.recording.refresh().expect_err("it is shorter").to_string();
    assert!(error.contains("has become shorter"), "{error}");
}

#[test]
fn what_is_no_whole_recording_is_refused_with_the_reason() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("x");
    let line = |seq| serde_json::to_string(&*entry(seq)).expect("it is JSON") + "\n";
    let newer = line(1).replace("\"format\":1", "\"format\":2").replace(env!("CARGO_PKG_VERSION"), "9.9.9");
    for (text, expected) in [
        (String::new(), "is empty"),
        ("{\"a\":1}\n".to_owned(), "is not a recording of voltergeist"),
        ("binary\0\n".to_owned(), "is not a recording of voltergeist"),
        (newer, "recorded by voltergeist 9.9.9 in format 2"),
        (line(2), "begins with entry 2"),
        (line(1)[..60].to_owned(), "is empty"),
        (line(1) + "nonsense\n", "is damaged at byte"),
    ] {
        fs::write(&path, &text).expect("it is written");
        let error = RecordingFile::open(&path).expect_err(&text).to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    let error = RecordingFile::open(directory.path()).expect_err("a directory").to_string();
    assert!(error.contains("not a regular file"), "{error}");
    // A half last line is left out.
    fs::write(&path, line(1) + &line(2)[..50]).expect("it is written");
    assert_eq!(RecordingFile::open(&path).expect("it is a recording").runs()[0].last_seq, 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_entry_of_any_run_is_found(runs in prop::collection::vec(1_u64..300, 1..5), seq in 1_u64..300) {
        let fixture = write(&runs, None);
        prop_assert_eq!(fixture.recording.runs().iter().map(|run| run.last_seq).collect::<Vec<_>>(), runs);
        for run in fixture.recording.runs() {
            let state = state_at(&fixture.recording, run, seq);
            prop_assert!(state == folded(seq.min(run.last_seq)));
        }
    }
}

/// Made by the first version. Later versions must read it too.
#[test]
fn a_recording_of_format_1_is_read() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recordings/format1.jsonl");
    let recording = RecordingFile::open(path.as_ref()).expect("it is a recording");
    let run = recording.runs()[0];
    assert_eq!((recording.runs().len(), run.last_seq), (1, 410));
    let state = state_at(&recording, &run, 100);
    assert_eq!(state.held().map(|(_, held)| held.number).collect::<Vec<_>>(), [14]);
    assert_eq!(state.counters().operation(Operation::Get), 35);
    let rules: Vec<_> = state.rules().iter().map(|rule| (&*rule.text, rule.fired)).collect();
    assert_eq!(rules, [("mount nth 2: fail \"device busy\"", 1), ("get: hold once for 30s", 1)]);
    let state = state_at(&recording, &run, 410);
    assert_eq!(state.held().count(), 0);
    assert_eq!(state.journal().len(), 410);
    assert!(state.volumes().known("db9").is_some_and(|volume| !volume.exists));
}
