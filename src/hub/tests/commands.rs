//! What commands do, and which are refused.

use super::*;

#[test]
fn a_dry_run_marks_the_calls_and_arms_nothing() {
    let hub = Hub::for_tests();
    let gets = [
        call(&hub, Operation::Get, "db1"),
        call(&hub, Operation::Get, "cache"),
        call(&hub, Operation::List, ""),
    ];
    let output =
        hub.command_line("arm --dry-run get where volume=db*: empty", Origin::Line).expect("a dry run");
    assert_eq!(
        (output.text.as_str(), output.seq),
        (
            "would have hit 1 of 3 calls: 1; docker: takes it as \"no such volume\", and forgets its labels, options and references for good",
            0
        )
    );
    assert_eq!(output.hits, [gets[0]]);
    assert_eq!(
        run(&hub, "arm --dry-run list: hang"),
        "would have hit 1 of 3 calls: 3; docker: waits 1 min, then shows the volumes that it remembers; nothing else waits"
    );
    for _ in 0..25 {
        call(&hub, Operation::Get, "x");
    }
    let text = run(&hub, "arm --dry-run get: null");
    assert!(
        text.starts_with("would have hit 27 of 28 calls: 1, 2, 4, ") && text.contains(", 21, …; docker: "),
        "{text}"
    );
    assert!(hub.snapshot().rules.is_empty());
    assert_eq!(hub.snapshot().kept, 1..30);
}

#[test]
fn a_rule_that_ends_an_engine_is_armed_only_when_that_is_meant() {
    let hub = Hub::for_tests();
    let error = refused(&hub, "arm list: null-entry as bomb");
    assert!(error.ends_with("to do it anyway: arm --yes list: null-entry as bomb"), "{error}");
    for action in [
        "reply \"{\\\"Volumes\\\":[null]}\"",
        "set Volumes=[null]",
        "set Volumes.*=null",
        "wrong-type then set Volumes.0=null",
    ] {
        let line = format!("arm list: {action}");
        let error = refused(&hub, &line);
        assert!(error.contains("to do it anyway: arm --yes"), "{line}: {error}");
    }
    assert!(hub.snapshot().rules.is_empty());
    run(&hub, "arm --dry-run list: null-entry");
    assert_eq!(run(&hub, "arm list: null-entry as bomb --yes"), "armed rule 1: list: null-entry");
}

#[test]
fn a_command_that_is_impossible_changes_nothing_and_says_why() {
    let hub = Hub::for_tests();
    run(&hub, "conjure v");
    for (line, expected) in [
        ("forget w", "unknown volume \"w\""),
        ("restore v", "volume \"v\" is not forgotten"),
        ("restore w", "unknown volume \"w\""),
        ("unmount w", "unknown volume \"w\""),
        ("unmount v", "volume \"v\" is not mounted; nothing to unmount"),
        ("conjure v", "volume \"v\" already exists"),
        ("conjure u mode=rwx", "the option mode cannot be \"rwx\""),
        ("disarm 5", "no rule \"5\" is armed"),
        ("disarm x", "no rule \"x\" is armed"),
        ("release 5", "call 5 is not held"),
        ("up", "the driver is up already"),
        ("arm mount: nul", "column 12: found \"nul\""),
        ("  sed 5", "column 1: unknown command \"sed\", did you mean \"seed\"?"),
    ] {
        let before = hub.snapshot();
        let error = refused(&hub, line);
        assert!(error.starts_with(expected), "{line}: {error}");
        let after = hub.snapshot();
        assert_eq!((after.kept, after.volumes), (before.kept, before.volumes), "{line}");
    }
}

#[test]
fn each_command_says_plainly_what_it_did() {
    let hub = Hub::for_tests();
    for (line, expected) in [
        ("conjure v tier=gold", "created \"v\""),
        ("forget v", "forgot \"v\"; its files are kept"),
        ("restore v", "restored \"v\""),
        ("arm mount: null", "armed rule 1: mount: null"),
        ("disarm all", "1 rule disarmed"),
        ("disarm all", "0 rules disarmed"),
        ("release", "0 calls released"),
        ("release all", "0 calls released"),
        ("seed 9", "random seed: 9"),
        ("down refuse", "the driver is down: refuse"),
        ("down blackhole for 90s", "the driver is down: blackhole for 90s"),
        ("up", "the driver is up"),
        ("crash keep", "the driver restarted; volumes kept"),
        ("crash lose", "the driver restarted; all volumes lost"),
        ("wipe", "deleted all volumes and their files"),
        ("note look here", "look here"),
        ("reset", "counters and journal reset"),
        ("quit", "quitting"),
    ] {
        assert_eq!(run(&hub, line), expected, "{line}");
    }
    assert_eq!(hub.snapshot().seed, 9);
    assert!(matches!(hub.command_line("forget v", Origin::Line), Err(CommandFailed::NoVolume(_))));
}

#[test]
fn unmount_closes_the_mounts_of_a_volume_and_is_refused_when_there_are_none() {
    let hub = Hub::for_tests();
    run(&hub, "conjure v");
    let mounted = Change::Mounted { name: "v".into(), id: "7f".into(), at: hub.now() };
    hub.change(&mounted, Cause::Command).expect("it is recorded");
    assert_eq!(run(&hub, "unmount v"), "unmounted \"v\"");
    assert_eq!(hub.snapshot().volumes.open_mounts(), 0);
    assert_eq!(refused(&hub, "unmount v"), "volume \"v\" is not mounted; nothing to unmount");
}

#[test]
fn what_a_command_did_is_an_entry_with_the_line_that_can_be_typed_again() {
    let hub = Hub::for_tests();
    let output = hub.command_line(" conjure   v ", Origin::Line).expect("it can be made");
    let (entries, _) = hub.entries_after(0, usize::MAX);
    let [_, EntryKind::Volume(volume), EntryKind::Command(run)] = [0, 1, 2].map(|index| &entries[index].kind)
    else {
        panic!("{entries:?}")
    };
    assert_eq!((entries[2].seq, run.command.as_str()), (output.seq, "conjure v"));
    assert!(matches!(run.changes[..], [Change::Created { .. }]));
    assert_eq!((volume.cause, &volume.change), (Cause::Command, &run.changes[0]));
}

#[test]
fn a_dry_run_says_that_no_volume_is_named_as_the_rule_wants() {
    let hub = Hub::for_tests();
    let output = |line| run(&hub, line);
    output("conjure db1");
    assert!(output("arm --dry-run get where volume=db9: empty").contains("; there is no volume db9 now; "));
    for line in ["arm --dry-run get where volume=db*: empty", "arm --dry-run get: empty"] {
        assert!(!output(line).contains("there is no volume"), "{line}");
    }
}

/// A store that does not answer until it may.
struct StuckStore {
    waiting: std::sync::mpsc::Sender<()>,
    answers: parking_lot::Mutex<std::sync::mpsc::Receiver<()>>,
}

impl crate::hub::VolumeStore for StuckStore {
    fn persist(&self, _: &Change, _: Option<&crate::domain::model::volume::Volume>) -> std::io::Result<()> {
        let _ = self.waiting.send(());
        self.answers.lock().recv().map_err(std::io::Error::other)
    }
}

#[test]
fn only_what_changes_volumes_waits_for_the_disk() {
    let (go, stuck) = std::sync::mpsc::channel();
    let session = Session::new(7, Volumes::default());
    let (waiting, waits) = std::sync::mpsc::channel();
    let store = StuckStore { waiting, answers: stuck.into() };
    let hub = Hub::new(session, Box::new(store), Bounds::default());
    let conjured = std::thread::spawn({
        let hub = Arc::clone(&hub);
        move || run(&hub, "conjure v")
    });
    waits.recv().expect("the command reaches the disk");
    for line in [
        "arm get: null as x",
        "disarm x",
        "release all",
        "seed 4",
        "down refuse",
        "up",
        "crash keep",
        "note x",
        "reset",
    ] {
        run(&hub, line);
    }
    call(&hub, Operation::Get, "v");
    assert!(hub.snapshot().volumes.is_empty() && hub.past().0.is_empty());
    assert!(!conjured.is_finished(), "the disk has not answered yet");
    go.send(()).expect("the store waits");
    assert_eq!(conjured.join().expect("it does not panic"), "created \"v\"");
    assert_eq!(hub.snapshot().volumes.len(), 1);
}
