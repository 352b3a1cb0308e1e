//! The hub as a whole: calls come in, commands come in, and both meet.

use std::{sync::Arc, time::Duration};

use tokio::time::{advance, timeout};

use super::{CommandFailed, HeldCallGuard, Hub, InMemoryStore};
use crate::domain::{
    model::{
        entry::{Call, Cause, EntryKind, HeldCall, OriginalReply, RuleEvent, Session},
        lint::Lint,
        origin::Origin,
        protocol::{Caller, Operation, Request},
        volume::{Change, Volumes},
    },
    rules::{Injection, RuleState},
    state::journal::Bounds,
};

pub(super) fn run(hub: &Hub, line: &str) -> String {
    hub.command_line(line, Origin::Line).unwrap_or_else(|error| panic!("{line}: {error}")).text
}

/// Why a command is refused.
pub(super) fn refused(hub: &Hub, line: &str) -> String {
    hub.command_line(line, Origin::Line).expect_err(line).to_string()
}

fn request(volume: &str) -> Request {
    Request { name: volume.into(), ..Request::default() }
}

fn arrival(hub: &Hub, operation: Operation, request: &Request) -> (Call, Option<Injection>) {
    let volume = (!request.name.is_empty()).then(|| request.name.as_str().into());
    let mut call = Call { number: hub.next_call(), volume, ..Call::ok(operation, Caller::Docker) };
    let injection = hub.admit(&mut call, request);
    (call, injection)
}

fn admit(hub: &Hub, operation: Operation, volume: &str) -> Option<Injection> {
    arrival(hub, operation, &request(volume)).1
}

fn lints(hub: &Hub, operation: Operation, volume: &str) -> Vec<Lint> {
    arrival(hub, operation, &request(volume)).0.lints
}

/// A call that comes and ends, as the server records it. Returns its number.
fn call(hub: &Hub, operation: Operation, volume: &str) -> u64 {
    let (mut call, injection) = arrival(hub, operation, &request(volume));
    call.fault = injection.map(|injection| injection.fault);
    let number = call.number;
    hub.record(EntryKind::Call(Box::new(call)));
    number
}

fn hold(hub: &Arc<Hub>, call: u64, injection: Injection) -> HeldCallGuard {
    hub.record_held(HeldCall {
        number: call,
        original: Some(OriginalReply { status: 200, body: b"{}\n".to_vec().into() }),
        ..HeldCall::of(&Call::ok(Operation::Mount, Caller::Docker), injection.fault)
    })
}

/// A call that the first armed rule holds.
fn held(hub: &Arc<Hub>) -> HeldCallGuard {
    let (call, injection) = arrival(hub, Operation::Mount, &request("v"));
    hold(hub, call.number, injection.expect("a rule acts"))
}

/// A held call goes on and ends, as the server records it.
fn end(hub: &Hub, guard: HeldCallGuard) {
    let (call, held_seq) = (guard.call, Some(guard.seq));
    drop(guard);
    let call = Call { number: call, held_seq, ..Call::ok(Operation::Mount, Caller::Docker) };
    hub.record(EntryKind::Call(Box::new(call)));
}

async fn is_free(guard: &mut HeldCallGuard) -> bool {
    timeout(Duration::from_millis(1), guard.wait()).await.is_ok()
}

#[tokio::test(start_paused = true)]
async fn a_held_call_waits_for_its_release_even_if_its_rule_is_spent() {
    for release in ["release", "release all", "release 3", "disarm all", "disarm 1", "disarm bp"] {
        let hub = Hub::for_tests();
        run(&hub, "arm mount: hold once as bp");
        let mut guard = held(&hub);
        assert_eq!(hub.snapshot().rules[0].state, RuleState::Spent);
        assert_eq!(hub.snapshot().rules[0].held, 1);
        assert!(!is_free(&mut guard).await);
        run(&hub, &release.replace('3', &guard.call.to_string()));
        assert!(is_free(&mut guard).await, "{release}");
        drop(guard);
        assert_eq!(hub.snapshot().held.len(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_delay_that_is_over_can_no_longer_be_released() {
    let hub = Hub::for_tests();
    run(&hub, "arm mount: delay 10s");
    let mut guard = held(&hub);
    assert_eq!(guard.wait_at_most(Duration::from_secs(10)).await, None);
    let error = refused(&hub, "release: fail \"no\"");
    assert!(error.starts_with("no call"), "{error}");
    let mut guard = held(&hub);
    run(&hub, "release: fail \"no\"");
    let release_action =
        guard.wait_at_most(Duration::from_secs(10)).await.and_then(|wakeup| Some(wakeup.action?.to_string()));
    assert_eq!(release_action.as_deref(), Some("fail \"no\""));
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_ended_before_the_call_began_to_wait_cannot_hold_it() {
    for end in ["disarm all", "arm get: null as bp"] {
        let hub = Hub::for_tests();
        run(&hub, "arm mount: hang as bp");
        let (call, injection) = arrival(&hub, Operation::Mount, &request("v"));
        run(&hub, end);
        assert!(is_free(&mut hold(&hub, call.number, injection.expect("it acts"))).await, "{end}");
    }
    let hub = Hub::for_tests();
    run(&hub, "arm mount: hang for 1s");
    let (call, injection) = arrival(&hub, Operation::Mount, &request("v"));
    advance(Duration::from_secs(2)).await;
    assert!(is_free(&mut hold(&hub, call.number, injection.expect("it acts"))).await);
}

#[tokio::test(start_paused = true)]
async fn a_rule_lets_go_what_it_holds_when_its_time_is_over() {
    for rule in
        ["mount: hang for 10s", "mount: hang once for 10s", "mount: hang flap 1ms 9999ms", "mount: hang"]
    {
        let expiry = (rule == "mount: hang").then_some(Duration::from_secs(10));
        let session = Session::new(7, Volumes::default()).with_default_expiry(expiry);
        let hub = Hub::new(session, Box::new(InMemoryStore), Bounds::default());
        let clock = tokio::spawn({
            let hub = Arc::clone(&hub);
            async move { hub.run_deadlines().await }
        });
        run(&hub, &format!("arm {rule}"));
        advance(Duration::from_millis(5)).await;
        let mut guard = held(&hub);
        assert!(timeout(Duration::from_secs(9), guard.wait()).await.is_err(), "{rule}");
        assert!(timeout(Duration::from_secs(2), guard.wait()).await.is_ok(), "{rule}");
        clock.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn an_expired_rule_is_reported_once_and_stays_visible() {
    let hub = Hub::for_tests();
    run(&hub, "arm mount: null for 1s as short");
    advance(Duration::from_secs(2)).await;
    assert!(admit(&hub, Operation::Mount, "v").is_none());
    admit(&hub, Operation::Mount, "v");
    assert_eq!(events(&hub), ["armed", "expired"]);
    assert_eq!(hub.snapshot().rules[0].state, RuleState::Expired);
    assert_eq!(run(&hub, "disarm short"), "1 rule disarmed");
    assert_eq!(events(&hub), ["armed", "expired", "disarmed"]);
}

fn events(hub: &Hub) -> Vec<&'static str> {
    let (entries, _) = hub.entries_after(0, usize::MAX);
    let events = entries.iter().filter_map(|entry| match &entry.kind {
        EntryKind::Rule(RuleEvent::Armed { .. }) => Some("armed"),
        EntryKind::Rule(RuleEvent::Disarmed(_)) => Some("disarmed"),
        EntryKind::Rule(RuleEvent::Spent(_)) => Some("spent"),
        EntryKind::Rule(RuleEvent::Expired(_)) => Some("expired"),
        _ => None,
    });
    events.collect()
}

#[tokio::test(start_paused = true)]
async fn a_rule_under_the_same_label_replaces_the_first() {
    let hub = Hub::for_tests();
    assert_eq!(run(&hub, "arm mount: hang as x"), "armed rule 1: mount: hang");
    let mut guard = held(&hub);
    assert_eq!(run(&hub, "arm mount: null as x"), "armed rule 2: mount: null");
    assert!(is_free(&mut guard).await);
    assert_eq!(events(&hub), ["armed", "armed", "disarmed"]);
    assert_eq!(hub.snapshot().rules.len(), 1);
}

#[test]
fn ended_rules_are_forgotten_one_day_but_not_while_they_hold_a_call() {
    let hub = Hub::for_tests();
    run(&hub, "arm mount: hold once");
    let guard = held(&hub);
    for _ in 0..100 {
        run(&hub, "arm get: null once");
        admit(&hub, Operation::Get, "v");
    }
    let ids: Vec<_> = hub.snapshot().rules.iter().map(|rule| rule.id).collect();
    assert_eq!((ids.len(), ids[0], ids[64]), (65, 1, 101));
    end(&hub, guard);
    run(&hub, "arm get: null");
    assert_eq!(hub.snapshot().rules[0].id, 38);
}

#[test]
fn a_dry_run_marks_the_calls_and_arms_nothing() {
    let hub = Hub::for_tests();
    let gets = [
        call(&hub, Operation::Get, "db1"),
        call(&hub, Operation::Get, "cache"),
        call(&hub, Operation::List, ""),
    ];
    let effect =
        hub.command_line("arm --dry-run get where volume=db*: empty", Origin::Line).expect("a dry run");
    assert_eq!(
        (effect.text.as_str(), effect.seq),
        (
            "would have hit 1 of 3 calls: 1; docker: takes it as \"no such volume\", and forgets its labels, options and references for good",
            0
        )
    );
    assert_eq!(effect.hits, [gets[0]]);
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
        ("unmount v", "unmounted \"v\""),
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
fn what_a_command_did_is_an_entry_with_the_line_that_can_be_typed_again() {
    let hub = Hub::for_tests();
    let effect = hub.command_line(" conjure   v ", Origin::Line).expect("it can be made");
    let (entries, _) = hub.entries_after(0, usize::MAX);
    let [_, EntryKind::Volume(volume), EntryKind::Command(run)] = [0, 1, 2].map(|index| &entries[index].kind)
    else {
        panic!("{entries:?}")
    };
    assert_eq!((entries[2].seq, run.command.as_str()), (effect.seq, "conjure v"));
    assert!(matches!(run.changes[..], [Change::Created { .. }]));
    assert_eq!((volume.cause, &volume.change), (Cause::Command, &run.changes[0]));
}

#[test]
fn calls_are_marked_with_lints_as_they_come_and_as_they_end() {
    let hub = Hub::for_tests();
    run(&hub, "conjure v");
    assert_eq!(lints(&hub, Operation::Create, "v"), [Lint::DuplicateCreate]);
    assert_eq!(lints(&hub, Operation::Mount, "w"), [Lint::MountOfUnknownVolume]);
    call(&hub, Operation::Activate, "");
    call(&hub, Operation::Capabilities, "");
    assert_eq!(lints(&hub, Operation::Capabilities, ""), [Lint::RepeatedCapabilities]);
    call(&hub, Operation::Create, "v");
    let (entries, _) = hub.entries_after(0, usize::MAX);
    let last = entries.iter().rev().find_map(|entry| entry.call()).expect("a call");
    assert_eq!(last.lints, [Lint::DuplicateCreate]);
    assert_eq!(hub.snapshot().counters.lint(Lint::DuplicateCreate), 1);
}

#[test]
fn a_rule_sees_the_options_of_the_request_where_it_creates_and_of_the_volume_elsewhere() {
    let hub = Hub::for_tests();
    run(&hub, "conjure v tier=gold");
    run(&hub, "arm any where opt.tier=gold: null");
    let options = [("tier".to_owned(), "gold".to_owned())].into();
    let create = Request { name: "w".into(), options, ..Request::default() };
    assert!(arrival(&hub, Operation::Create, &create).1.is_some());
    assert!(admit(&hub, Operation::Get, "v").is_some());
    assert!(admit(&hub, Operation::Create, "v").is_none());
    assert!(admit(&hub, Operation::Get, "w").is_none());
}

#[test]
fn an_empty_body_is_a_retry_where_the_caller_owes_one() {
    for (caller, operation, expected) in [
        (Caller::Docker, Operation::Mount, true),
        (Caller::Docker, Operation::List, true),
        (Caller::Simulated, Operation::Capabilities, true),
        (Caller::Docker, Operation::Activate, false),
        (Caller::Podman, Operation::List, false),
        (Caller::Podman, Operation::Mount, true),
        (Caller::Other, Operation::List, false),
    ] {
        let hub = Hub::for_tests();
        run(&hub, "arm any where retry: null");
        let mut call = Call { request: Vec::new().into(), ..Call::ok(operation, caller) };
        let injection = hub.admit(&mut call, &Request::default());
        assert_eq!(injection.is_some(), expected, "{caller} {operation}");
        assert_eq!(call.lints.contains(&Lint::EmptyBodyRetry), expected, "{caller} {operation}");
    }
}

#[test]
fn a_dry_run_says_that_no_volume_is_named_as_the_rule_wants() {
    let hub = Hub::for_tests();
    let effect = |line| run(&hub, line);
    effect("conjure db1");
    assert!(effect("arm --dry-run get where volume=db9: empty").contains("; there is no volume db9 now; "));
    for line in ["arm --dry-run get where volume=db*: empty", "arm --dry-run get: empty"] {
        assert!(!effect(line).contains("there is no volume"), "{line}");
    }
}

/// A store that does not answer until it may.
struct StuckStore {
    waiting: std::sync::mpsc::Sender<()>,
    answers: parking_lot::Mutex<std::sync::mpsc::Receiver<()>>,
}

impl super::VolumeStore for StuckStore {
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

#[test]
fn a_rule_is_counted_only_by_the_calls_that_it_evaluates() {
    let hub = Hub::for_tests();
    run(&hub, "arm mount: null once");
    call(&hub, Operation::Get, "v");
    call(&hub, Operation::Mount, "v");
    let (entries, _) = hub.entries_after(0, usize::MAX);
    let kinds: Vec<_> = entries
        .iter()
        .map(|entry| match &entry.kind {
            EntryKind::Session(_) => "session",
            EntryKind::Rule(RuleEvent::Armed { .. }) => "armed",
            EntryKind::Rule(RuleEvent::Evaluated(_)) => "evaluated",
            EntryKind::Rule(RuleEvent::Spent(_)) => "spent",
            EntryKind::Command(_) => "command",
            EntryKind::Call(_) => "call",
            _ => "other",
        })
        .collect();
    assert_eq!(kinds, ["session", "armed", "command", "call", "evaluated", "spent", "call"]);
}

#[test]
fn a_clock_that_is_set_ahead_is_followed_and_one_that_is_set_back_is_not() {
    let hub = Hub::for_tests();
    let before = hub.now();
    hub.follow_clock(before - jiff::SignedDuration::from_hours(1));
    assert!(hub.now() >= before);
    hub.follow_clock(before + jiff::SignedDuration::from_hours(8));
    let ahead = hub.now().duration_since(before);
    assert!((8 * 3600 - 1..8 * 3600 + 60).contains(&ahead.as_secs()), "{ahead:?}");
    let notes = hub.all_entries();
    let is_note = |entry: &Arc<crate::domain::model::entry::Entry>| matches!(&entry.kind, EntryKind::Note { text } if text.starts_with("the clock went ahead by"));
    assert_eq!(notes.iter().filter(|entry| is_note(entry)).count(), 1);
}

#[test]
fn readers_learn_of_a_matching_rule_before_the_call_ends() {
    let hub = Hub::for_tests();
    run(&hub, "arm get nth 2: empty");
    let mut changes = hub.subscribe();
    changes.mark_unchanged();
    admit(&hub, Operation::List, "");
    assert!(!changes.has_changed().expect("the hub is there"), "no rule is about List");
    admit(&hub, Operation::Get, "v");
    assert!(changes.has_changed().expect("the hub is there"));
}
