//! What the hub says of a call when it arrives and when it ends.

use super::*;

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
            EntryKind::Rule(event) if matches!(**event, RuleEvent::Armed { .. }) => "armed",
            EntryKind::Rule(event) if matches!(**event, RuleEvent::Evaluated(_)) => "evaluated",
            EntryKind::Rule(event) if matches!(**event, RuleEvent::Spent(_)) => "spent",
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
    assert!(!changes.has_changed(), "no rule is about List");
    admit(&hub, Operation::Get, "v");
    assert!(changes.has_changed());
}
