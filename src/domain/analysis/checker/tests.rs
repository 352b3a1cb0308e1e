use jiff::Timestamp;

use super::*;
use Operation::{Activate, Capabilities, Create, Get, List, Mount, Unmount};

use crate::domain::{
    model::{
        entry::{Call, Cause, CommandRun, HeldCall, Outcome, Session, VolumeChange},
        fault::AppliedFault,
        lint::Lint,
        protocol::{Caller, Operation},
        volume::Change,
    },
    state::{State, journal::Bounds},
};

/// A run of which the calls are given, and its state.
struct Run {
    state: State,
    entries: Vec<Arc<Entry>>,
}

impl Run {
    fn new() -> Self {
        let mut run = Self { state: State::new(Bounds::default()), entries: Vec::new() };
        run.record(EntryKind::Session(Box::new(Session::new(7, Volumes::default()))));
        run
    }

    fn record(&mut self, kind: EntryKind) {
        let seq = self.state.journal().next_seq();
        let entry = Arc::new(Entry::new(seq, Timestamp::UNIX_EPOCH, kind));
        self.state.apply(&entry);
        self.entries.push(entry);
    }

    fn call(&mut self, number: u64, operation: Operation, volume: &str, id: &str) {
        self.add(Call {
            mount_id: Some(id.into()).filter(|_| !id.is_empty()),
            ..called(number, operation, volume)
        });
    }

    fn add(&mut self, call: Call) {
        self.record(EntryKind::Call(Box::new(call)));
    }

    fn hold(&mut self, number: u64, operation: Operation, volume: &str) {
        let fault = AppliedFault::of_rule(1, None, "hold");
        let held = HeldCall::of(&called(number, operation, volume), fault);
        self.record(EntryKind::Held(Box::new(held)));
    }

    fn command(&mut self, command: &str) {
        self.record(EntryKind::Command(Box::new(CommandRun {
            command: command.into(),
            result: String::new(),
            origin: Box::default(),
            changes: Vec::new(),
        })));
    }

    fn verdict(&self, expectation: &str) -> Verdict {
        self.verdict_from(expectation, 0)
    }

    /// With the entries from an index on.
    fn verdict_from(&self, expectation: &str, first: usize) -> Verdict {
        let expectation = expectation.parse().unwrap_or_else(|error| panic!("{expectation}: {error}"));
        let mut checker = Checker::new(&[expectation], Some(0));
        self.entries[first..].iter().for_each(|entry| checker.push(entry));
        let totals = Totals {
            counters: self.state.counters(),
            volumes: self.state.volumes(),
            held: self.state.held().count() as u64,
            connections: self.state.connections().open() as u64,
            missing: Missing::default(),
        };
        checker.verdicts(totals).remove(0)
    }
}

fn called(number: u64, operation: Operation, volume: &str) -> Call {
    let volume = Some(volume.into()).filter(|_| !volume.is_empty());
    Call { number, volume, ..Call::ok(operation, Caller::Docker) }
}

/// Two volumes: db1 is run and stopped, db2 is mounted twice and unmounted once.
fn sample() -> Run {
    let mut run = Run::new();
    for (number, operation, volume, id) in [
        (1, Activate, "", ""),
        (2, Capabilities, "", ""),
        (3, Get, "db1", ""),
        (4, Create, "db1", ""),
        (5, Get, "db2", ""),
        (6, Get, "db1", ""),
        (7, Mount, "db1", "a"),
        (8, Mount, "db2", "b"),
        (9, Unmount, "db1", "a"),
        (10, List, "", ""),
    ] {
        run.call(number, operation, volume, id);
    }
    let slow = Duration::from_millis(80);
    run.add(Call { status: Some(503), outcome: Outcome::Error, duration: slow, ..called(11, Get, "db3") });
    run.add(Call { lints: vec![Lint::LeakedMount], ..called(12, Mount, "db2") });
    run.record(EntryKind::Volume(Box::new(VolumeChange {
        cause: Cause::Call(8),
        change: Change::Mounted { name: "db2".into(), id: "b".into(), at: Timestamp::UNIX_EPOCH },
    })));
    run.hold(13, Get, "db1");
    run
}

#[test]
fn an_expectation_is_met_or_not_and_says_what_was_found_in_which_calls() {
    let run = sample();
    for (expectation, passed, found, calls) in [
        ("capabilities <= 1", true, "capabilities is 1", &[2][..]),
        ("mount == unmount", false, "mount is 3, unmount is 1", &[8, 12]),
        ("unmount < mount", true, "unmount is 1, mount is 3", &[7, 8, 9, 12]),
        ("get == 5", true, "get is 5", &[3, 5, 6, 11, 13]),
        ("count(get where volume=db*) == 5", true, "count(get where volume:db*) is 5", &[3, 5, 6, 11, 13]),
        ("count(get where volume=db1 and -outcome=held) == 2", true, "is 2", &[3, 6]),
        ("count(get where status=5xx) == 0", false, "count(get where status:5xx) is 1", &[11]),
        ("lint == 0", false, "lint is 1", &[12]),
        ("held-calls == 0", false, "held-calls is 1", &[13]),
        ("open-mounts == 0", false, "open-mounts is 1: db2 1", &[]),
        ("open-connections == 0", true, "open-connections is 0", &[]),
        ("volumes == 0", true, "volumes is 0", &[]),
        ("max(get) < 50ms", false, "max(get) is 80 ms", &[3, 5, 6, 11]),
        ("p50(get) < 50ms", true, "p50(get) is 0 ms", &[3, 5, 6, 11]),
        ("p99(remove) < 1s", false, "p99(remove) is not known: no such call has ended", &[]),
        ("sequence get create get mount", true, "found get create get mount", &[3, 4, 6, 7]),
        ("sequence get create mount", false, "found get create, then get instead of mount", &[3, 4, 6]),
        ("sequence activate capabilities get create", true, "found", &[1, 2, 3, 4]),
        (
            "sequence mount unmount where volume=db2",
            false,
            "found mount, then mount instead of unmount",
            &[8, 12],
        ),
        ("sequence unmount list", true, "found unmount list", &[9, 10]),
        ("sequence path", false, "no path", &[]),
    ] {
        let verdict = run.verdict(expectation);
        let numbers: Vec<_> = verdict.calls.iter().filter_map(|entry| entry.call_number()).collect();
        assert_eq!((verdict.passed, &*numbers), (passed, calls), "{expectation}: {}", verdict.found);
        assert!(verdict.found.contains(found), "{expectation}: {}", verdict.found);
    }
}

#[test]
fn a_time_is_compared_and_printed_to_the_microsecond() {
    let run = |slowest: u64| {
        let mut run = Run::new();
        for (number, micros) in [50_000, 50_000, slowest].into_iter().enumerate() {
            let duration = Duration::from_micros(micros);
            run.add(Call { duration, ..called(number as u64 + 1, Get, "db1") });
        }
        run
    };
    for (slowest, expectation, passed, found) in [
        (50_000, "max(get) <= 50ms", true, "max(get) is 50 ms"),
        (50_000, "max(get) == 50ms", true, "max(get) is 50 ms"),
        (50_000, "p99(get) <= 50ms", true, "p99(get) is 50 ms"),
        (50_000, "p50(get) == max(get)", true, "p50(get) is 50 ms, max(get) is 50 ms"),
        (50_040, "max(get) <= 50ms", false, "max(get) is 50.04 ms"),
        (50_040, "p50(get) == 50ms", true, "p50(get) is 50 ms"),
        (9_000_000, "p99(get) == 9s", true, "p99(get) is 9 s"),
        (9_000_001, "max(get) == 9s", false, "max(get) is 9.000001 s"),
    ] {
        let verdict = run(slowest).verdict(expectation);
        assert_eq!((verdict.passed, &*verdict.found), (passed, found), "{slowest} µs: {expectation}");
    }
}

#[test]
fn calls_are_in_the_order_of_their_arrival_however_they_end() {
    let mut run = Run::new();
    run.call(1, Get, "db1", "");
    run.call(3, Mount, "db1", "a");
    assert!(run.verdict("sequence get mount").passed, "nothing is known of the call between");
    run.call(2, Create, "db1", "");
    assert!(run.verdict("sequence get create mount").passed);
    assert!(!run.verdict("sequence get mount").passed);
}

#[test]
fn a_held_call_that_ends_after_very_many_others_is_looked_at_once() {
    let mut run = Run::new();
    run.hold(1, Mount, "db1");
    (2..12_000).for_each(|number| run.call(number, Get, "db2", ""));
    run.call(1, Mount, "db1", "a");
    assert!(run.verdict("sequence mount where volume=db1").passed);
    let verdict = run.verdict("sequence mount mount where volume=db1");
    assert!(!verdict.passed, "{}", verdict.found);
}

#[test]
fn what_is_no_longer_kept_is_counted_and_not_guessed() {
    let run = sample();
    for (expectation, passed, found) in [
        ("get == 5", true, "get is 5"),
        ("lint == 1", true, "lint is 1"),
        ("count(get where volume=db1) == 2", false, "not known: 4 earlier entries are no longer kept"),
        ("max(get) < 1s", false, "not known: 4 earlier entries"),
        ("sequence get create", false, "not known: 4 earlier entries"),
        ("sequence mount unmount", true, "found mount unmount"),
    ] {
        let verdict = run.verdict_from(expectation, 4);
        assert_eq!(verdict.passed, passed, "{expectation}: {}", verdict.found);
        assert!(verdict.found.contains(found), "{expectation}: {}", verdict.found);
    }
}

#[test]
fn a_name_that_could_be_taken_for_something_else_is_quoted() {
    for (name, found) in [
        ("db1", "open-mounts is 1: db1 1"),
        ("two words", "open-mounts is 1: \"two words\" 1"),
        ("db, x", "open-mounts is 1: \"db, x\" 1"),
        ("\n::stop-commands::\x1b[2J", "open-mounts is 1: \"\\n::stop-commands::\\u001b[2J\" 1"),
        ("a\u{202e}b", "open-mounts is 1: \"a<U+202E>b\" 1"),
    ] {
        let mut run = Run::new();
        run.record(EntryKind::Volume(Box::new(VolumeChange {
            cause: Cause::Call(1),
            change: Change::Mounted { name: name.into(), id: "a".into(), at: Timestamp::UNIX_EPOCH },
        })));
        assert_eq!(run.verdict("open-mounts == 0").found, found);
    }
}

#[test]
fn totals_are_not_known_while_entries_are_missing_in_them() {
    let run = sample();
    let session = &run.entries[0];
    let [entry, later] = [&run.entries[3], &run.entries[9]];
    let reset = |seq| {
        let mut run = Run::new();
        run.command("reset");
        Entry { seq, ..Entry::clone(&run.entries[1]) }
    };
    for (entries, counters, state) in [
        (vec![(session, 1)], 0, 0),
        (vec![(session, 1), (entry, 4)], 0, 0),
        (vec![(session, 1), (entry, 2)], 2, 2),
        (vec![(session, 1), (entry, 2), (later, 5)], 7, 7),
        (vec![(session, 1), (entry, 2), (&Arc::new(reset(5)), 5)], 0, 2),
        (vec![(session, 1), (entry, 2), (session, 5)], 0, 0),
    ] {
        let mut missing = Missing::default();
        for (entry, next) in entries {
            missing.push(entry, next);
        }
        assert_eq!((missing.counters, missing.state), (counters, state));
    }
}

#[test]
fn a_reset_and_another_run_begin_again() {
    let mut run = sample();
    run.command("reset");
    run.call(14, Get, "db1", "");
    for expectation in ["get == 1", "count(get where volume=db1) == 1", "lint == 0"] {
        assert!(run.verdict(expectation).passed, "{expectation}");
    }
    assert!(!run.verdict("sequence get create").passed);
}
