//! The same run on three sources: its own process, a console that is attached to it, and its recording.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use jiff::Timestamp;
use proptest::{prelude::*, test_runner::TestCaseError};
use ratatui::{Terminal, backend::TestBackend, buffer::Buffer};
use tempfile::TempDir;
use voltergeist::{
    console::{
        input::keymap::{Chord, Keymap},
        model::{App, Event},
        theme::Theme,
        view,
    },
    domain::{
        lang::seek::{Direction, Seek},
        model::{
            entry::{EntryKind, Outcome},
            origin::Origin,
            protocol::Operation,
            source_status::{PlaybackState, SourceStatus},
        },
    },
    hub::{Hub, Snapshot},
    net::{Address, Endpoint, Paths},
    recording::{EntryEncoder, RecordingFile},
    source::{LocalSource, RecordingSource, RemoteSource, Source},
};

use super::{fixture::call, instance::TestInstance};

/// Something that happens in a run.
#[derive(Clone, Debug)]
enum Step {
    Call(Operation, &'static str, Outcome),
    Command(&'static str),
    Note,
}

const COMMANDS: &[&str] = &[
    "arm mount: fail \"no\" as bp",
    "arm get 50%: empty",
    "disarm all",
    "conjure db1 tier=gold",
    "forget db1",
    "restore db1",
    "wipe",
    "down refuse",
    "up",
    "seed 4",
    "reset",
];

fn step() -> impl Strategy<Value = Step> {
    let volumes = prop::sample::select(&["db1", "db2", ""][..]);
    let call = (prop::sample::select(&Operation::ALL[..]), volumes, prop::sample::select(&Outcome::ALL[..]));
    prop_oneof![
        6 => call.prop_map(|(operation, volume, outcome)| Step::Call(operation, volume, outcome)),
        3 => prop::sample::select(COMMANDS).prop_map(Step::Command),
        1 => Just(Step::Note),
    ]
}

fn take(hub: &Hub, step: &Step) {
    match step {
        Step::Call(operation, volume, outcome) => {
            let number = hub.next_call();
            let error = (*outcome == Outcome::Error).then(|| "no".into());
            let ended = voltergeist::domain::model::entry::Call {
                number,
                outcome: *outcome,
                error,
                ..call(*operation, volume)
            };
            hub.record(EntryKind::Call(Box::new(ended)));
        }
        // Some are refused, as `restore` of what is not forgotten.
        Step::Command(line) => drop(hub.command_line(line, Origin::Line)),
        Step::Note => drop(hub.record(EntryKind::Note { text: "look here".into() })),
    }
}

/// The screen of a new console on a source at some time, after some keys.
fn screen(source: &dyn Source, at: Timestamp, size: (u16, u16), keys: &str) -> Buffer {
    screen_of(source, &Snapshot { at, ..source.snapshot() }, size, keys)
}

fn screen_of(source: &dyn Source, snapshot: &Snapshot, size: (u16, u16), keys: &str) -> Buffer {
    let theme = Theme::named("default", false).expect("it is shipped");
    let mut app = App::new(size, theme, Keymap::default(), jiff::tz::TimeZone::UTC);
    let entries = source.entries_after(0, usize::MAX);
    app.update(Event::Entries(entries, snapshot.kept.clone()), snapshot);
    for key in keys.split_whitespace() {
        let chord: Chord = key.parse().expect("a key");
        app.update(Event::Key(chord.event()), snapshot);
        let entries = source.entries_after(app.wants() - 1, usize::MAX);
        app.update(Event::Entries(entries, snapshot.kept.clone()), snapshot);
    }
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).expect("a test backend");
    terminal.draw(|frame| view::render(frame, &app, snapshot, &app.theme)).expect("a test backend");
    terminal.backend().buffer().clone()
}

/// What stands on the screen of a new console on a source, after some keys.
pub fn text(source: &dyn Source, size: (u16, u16), keys: &str) -> String {
    let at = source.snapshot().at;
    let buffer = screen(source, at, size, keys);
    let row = |y| (0..size.0).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..size.1).map(row).collect::<Vec<_>>().join("\n")
}

const SIZES: [(u16, u16); 3] = [(120, 36), (80, 24), (40, 10)];
/// The list, the groups, the sequence, the presenter, the details of a call and of a volume, and the faults.
const VIEWS: [&str; 7] = ["", "z", "s", "p", "up enter", "tab enter", "tab tab down"];

/// All that these screens show of the state. Where it comes from, and so which keys can do something, is left out.
fn screens(source: &dyn Source, at: Timestamp) -> Vec<Buffer> {
    let mut screens = Vec::new();
    let mut snapshot = Snapshot { at, source: SourceStatus::Local, ..source.snapshot() };
    snapshot.driver.fix_command = None;
    for size in SIZES {
        for keys in VIEWS {
            let mut buffer = screen_of(source, &snapshot, size, keys);
            for x in 0..size.0 {
                buffer[(x, 0)].reset();
            }
            screens.push(buffer);
        }
    }
    screens
}

/// A run, and what its own console showed after some of its entries.
struct Run {
    _directory: TempDir,
    recording: PathBuf,
    shown: Vec<(u64, Timestamp, Vec<Buffer>)>,
    instance: TestInstance,
    control: PathBuf,
}

async fn run(steps: &[Step]) -> Run {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let volumes = directory.path().join("volumes");
    let control = volumes.with_extension("control");
    let paths = Paths {
        sockets: directory.path().join("plugins"),
        control: directory.path().join("run"),
        specs: vec![directory.path().join("specs")],
        ..Paths::default()
    };
    let listen = Address::Unix(Some(directory.path().join("plugin.sock")));
    let instance = TestInstance::start("ghost", &volumes, listen, paths);
    let source = LocalSource::new(Arc::clone(&instance.hub));
    let mut encoder = EntryEncoder::new(0);
    let mut text = Vec::new();
    let mut shown = Vec::new();
    // As the writer of a recording does: what a reset clears is written before it.
    let mut write = |hub: &Hub| {
        let (entries, _) = hub.entries_after(encoder.last_seq(), usize::MAX);
        for entry in &entries {
            encoder.write(&mut text, entry);
        }
        entries
    };
    write(&instance.hub);
    for (index, step) in steps.iter().enumerate() {
        take(&instance.hub, step);
        instance.hub.wait_until_applied().await;
        let entries = write(&instance.hub);
        if (index % 7 == 0 || index + 1 == steps.len())
            && let Some(last) = entries.last()
        {
            shown.push((last.seq, last.at, screens(&*source, last.at)));
        }
    }
    let recording = directory.path().join("run.jsonl");
    fs::write(&recording, text).expect("it is written");
    Run { _directory: directory, recording, shown, instance, control }
}

async fn compare(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let run = run(&steps).await;
    let recording = RecordingFile::open(&run.recording).expect("it is a recording");
    let replay = RecordingSource::open(recording).expect("it is readable");
    // Backwards, so that going back is tried too.
    for (seq, at, expected) in run.shown.iter().rev() {
        replay.seek(Seek::Entry(*seq)).await.expect("it is there");
        prop_assert_eq!(replay.snapshot().at, *at);
        assert_same(expected, &screens(&*replay, *at), &format!("replay at {seq}"))?;
    }
    let control = run.control.display().to_string();
    let endpoint = Endpoint::find(&control, &Paths::default(), None).expect("a path");
    let attached = RemoteSource::connect(endpoint, false).await.expect("it answers");
    let kept = run.instance.hub.snapshot().kept;
    let mut changes = attached.changes();
    while attached.snapshot().kept != kept {
        changes.changed().await.expect("the source is there");
    }
    let (own, at) = (LocalSource::new(Arc::clone(&run.instance.hub)), run.instance.hub.now());
    assert_same(&screens(&*own, at), &screens(&*attached, at), "attached")?;
    drop(attached);
    run.instance.end().await;
    Ok(())
}

fn assert_same(expected: &[Buffer], found: &[Buffer], what: &str) -> Result<(), TestCaseError> {
    for (index, (expected, found)) in expected.iter().zip(found).enumerate() {
        let view = VIEWS[index % VIEWS.len()];
        prop_assert_eq!(expected, found, "{}, {:?}", what, view);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn the_screens_of_all_sources_are_equal(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(compare(steps))?;
    }
}

/// A recording of these steps, opened.
async fn replay(steps: &[Step]) -> (Run, Arc<RecordingSource>) {
    let run = run(steps).await;
    let recording = RecordingFile::open(&run.recording).expect("it is a recording");
    (run, RecordingSource::open(recording).expect("it is readable"))
}

fn steps() -> Vec<Step> {
    let get = |outcome| Step::Call(Operation::Get, "db1", outcome);
    vec![
        get(Outcome::Ok),
        get(Outcome::Error),
        Step::Command("conjure db1 tier=gold"),
        get(Outcome::Ok),
        get(Outcome::Cancelled),
        Step::Command("forget db1"),
        get(Outcome::Ok),
    ]
}

/// What the last entry is that is shown.
fn last(source: &dyn Source) -> String {
    let entries = source.entries_after(0, usize::MAX);
    match &entries.last().expect("there are entries").kind {
        EntryKind::Call(call) => format!("{} {}", call.number, call.outcome.as_str()),
        EntryKind::Command(run) => run.command.clone(),
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn a_recording_is_searched_both_ways() {
    let (run, source) = replay(&steps()).await;
    let (back, forward) = (Direction::Back, Direction::Forward);
    for (seek, expected) in [
        (Seek::Failure(back), "4 cancelled"),
        (Seek::Failure(back), "2 error"),
        (Seek::Command(forward), "conjure db1 tier=gold"),
        (Seek::Command(forward), "forget db1"),
        (Seek::Step(back), "4 cancelled"),
        (Seek::Step(back), "3 ok"),
        (Seek::Step(forward), "4 cancelled"),
        (Seek::Step(forward), "forget db1"),
        (Seek::Command(back), "conjure db1 tier=gold"),
        (Seek::End, "5 ok"),
    ] {
        source.seek(seek.clone()).await.unwrap_or_else(|error| panic!("{seek:?}: {error}"));
        assert_eq!(last(&*source), expected, "{seek:?}");
    }
    assert_eq!(source.seek(Seek::Failure(forward)).await, Err("no later failure".into()));
    source.seek(Seek::Start).await.expect("it is there");
    assert_eq!(source.seek(Seek::Failure(back)).await, Err("no earlier failure".into()));
    let error = source.seek(Seek::Entry(10_000)).await.expect_err("there are not so many");
    assert!(error.starts_with("the run has the entries 1 to "), "{error}");
    run.instance.end().await;
}

#[tokio::test]
async fn a_recording_is_played_and_followed_and_has_no_driver() {
    let (run, source) = replay(&steps()).await;
    let state = || match source.snapshot().source.timeline() {
        Some(timeline) => timeline.playback.state,
        None => panic!("a recording has a timeline"),
    };
    assert_eq!(state(), PlaybackState::Following);
    source.seek(Seek::Start).await.expect("it is there");
    assert_eq!(state(), PlaybackState::Paused);
    for (line, expected) in
        [("speed 64", Ok("playing at 64x")), ("wipe", Err("a recording has no driver, and wipe needs one"))]
    {
        let result = source.run(line.parse().expect("a command"), Origin::Line).await;
        assert_eq!(result.as_deref().map_err(String::as_str), expected, "{line}");
    }
    let mut changes = source.changes();
    let wait = async {
        while state() != PlaybackState::Following {
            changes.changed().await.expect("the source is there");
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("it comes to its end");
    assert_eq!(last(&*source), "5 ok");

    // What is added is shown.
    let seq = source.snapshot().kept.end;
    let mut text = fs::read(&run.recording).expect("it is there");
    let at = "2030-01-02T03:04:05Z";
    text.extend(format!("{{\"seq\":{seq},\"at\":\"{at}\",\"kind\":\"note\",\"text\":\"more\"}}\n").bytes());
    fs::write(&run.recording, text).expect("it is written");
    let wait = async {
        while source.snapshot().kept.end == seq {
            changes.changed().await.expect("the source is there");
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("it is followed");
    run.instance.end().await;
}
