//! Calls that a rule holds, and their release.

use super::*;

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
async fn disarming_counts_the_rules_that_were_armed_and_says_what_else_it_ended() {
    let hub = Hub::for_tests();
    run(&hub, "arm mount: hold once as bp");
    let guard = held(&hub);
    assert_eq!(run(&hub, "disarm bp"), "1 spent rule removed, 1 held call released");
    drop(guard);
    for line in ["arm mount: null once", "arm get: null for 1s", "arm list: null"] {
        run(&hub, line);
    }
    admit(&hub, Operation::Mount, "v");
    advance(Duration::from_secs(2)).await;
    admit(&hub, Operation::Get, "v");
    assert_eq!(run(&hub, "disarm all"), "1 rule disarmed, 1 spent rule removed, 1 expired rule removed");
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
async fn a_rule_that_ended_before_the_call_was_held_cannot_hold_it() {
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
async fn a_rule_releases_what_it_holds_when_its_time_is_over() {
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
    assert_eq!(run(&hub, "disarm short"), "1 expired rule removed");
    assert_eq!(events(&hub), ["armed", "expired", "disarmed"]);
}

fn events(hub: &Hub) -> Vec<&'static str> {
    let (entries, _) = hub.entries_after(0, usize::MAX);
    let events = entries.iter().filter_map(|entry| match &entry.kind {
        EntryKind::Rule(event) if matches!(**event, RuleEvent::Armed { .. }) => Some("armed"),
        EntryKind::Rule(event) if matches!(**event, RuleEvent::Disarmed(_)) => Some("disarmed"),
        EntryKind::Rule(event) if matches!(**event, RuleEvent::Spent(_)) => Some("spent"),
        EntryKind::Rule(event) if matches!(**event, RuleEvent::Expired(_)) => Some("expired"),
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
