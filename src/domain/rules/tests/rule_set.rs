//! The rulebook: which rule acts on which call, and what is left of it then.

use std::{sync::LazyLock, time::Duration};

use jiff::Timestamp;

use crate::domain::{
    lang::command::Target,
    model::{
        entry::{Evaluation, RuleEvent},
        protocol::{Caller, Operation, Options},
        speed::EngineSpeed,
    },
    rules::{Action, Injection, Phase, RequestContext, Rule, RuleSet, RuleState, TrackedRule},
    text::decision,
};

static NO_OPTIONS: LazyLock<Options> = LazyLock::new(Options::new);

fn call(operation: Operation, volume: &str) -> RequestContext<'_> {
    RequestContext { volume, ..RequestContext::new(operation, Caller::Docker, &NO_OPTIONS) }
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a second of this century")
}

fn apply(set: &mut RuleSet, event: &RuleEvent, at: Timestamp) {
    set.apply(event, at, |_| false);
}

fn arm(set: &mut RuleSet, rule: &str, label: Option<&str>, at: Timestamp) {
    let event = set.arming(&rule.parse().expect(rule), label, at, EngineSpeed::REAL);
    apply(set, &event, at);
}

fn book(rules: &[&str]) -> RuleSet {
    let mut book = RuleSet::new(7, None);
    for rule in rules {
        arm(&mut book, rule, None, second(0));
    }
    book
}

/// What a call meets, and the rule that is spent by it, as the hub has it.
fn meet(set: &mut RuleSet, facts: &RequestContext<'_>, at: Timestamp) -> (Option<Injection>, Option<u32>) {
    let (rules, injection) = set.decide(facts, at);
    let evaluation = Evaluation {
        call: 1,
        operation: facts.operation,
        request_line: facts.request_line.map(Box::from),
        volume: Some(facts.volume.into()),
        mount_id: Some(facts.id.into()),
        connection: facts.connection,
        rules: rules.into_iter().filter(|rule| rule.decision.is_evaluated()).collect(),
    };
    let last = evaluation.rules.last().map(|decision| decision.id);
    apply(set, &RuleEvent::Evaluated(Box::new(evaluation)), at);
    let used_up = last.and_then(|id| set.get(id)).filter(|rule| rule.is_used_up());
    let spent = used_up.map(TrackedRule::as_text);
    if let Some(rule) = &spent {
        apply(set, &RuleEvent::Spent(rule.clone()), at);
    }
    (injection, spent.map(|rule| rule.id))
}

/// What happens to `count` mounts, one in each second.
fn action_texts(book: &mut RuleSet, count: u64) -> Vec<String> {
    let mount = call(Operation::Mount, "v");
    (1..=count)
        .map(|number| {
            let at = second(number.cast_signed());
            let (injection, _) = meet(book, &mount, at);
            injection.map_or_else(|| "-".to_owned(), |injection| injection.fault.action.to_string())
        })
        .collect()
}

#[test]
fn a_rule_acts_when_it_says() {
    for (rule, expected) in [
        ("mount: null", "null null null null null null null"),
        ("get: null", "- - - - - - -"),
        ("mount first 2: null", "null null - - - - -"),
        ("mount nth 3: null", "- - null - - - -"),
        ("mount every 2: null", "- null - null - null -"),
        ("mount after 4: null", "- - - - null null null"),
        ("mount every 2 after 3: null", "- - - null - null -"),
        ("mount 0%: null", "- - - - - - -"),
        ("mount 100%: null", "null null null null null null null"),
        ("mount: null once", "null - - - - - -"),
        ("mount every 2: null until 2", "- null - null - - -"),
        ("mount: 2x null then 1x hang then pass", "null null hang - - - -"),
        ("mount: null then hang", "null hang hang hang hang hang hang"),
        ("mount: 2x null then 1x reset after", "null null reset after - - - -"),
        ("mount: 2x pass then null", "- - null null null null null"),
        ("mount every 2: null then hang then pass twice", "- null - hang - pass twice -"),
        ("mount: null for 3s", "null null - - - - -"),
        ("mount: null flap 2s 3s", "- null null null - - null"),
        ("mount: null flap 2s 3s until 4 for 7s", "- null null null - - -"),
    ] {
        assert_eq!(action_texts(&mut book(&[rule]), 7).join(" "), expected, "{rule}");
    }
}

#[test]
fn a_rule_with_per_counts_each_volume_id_or_connection_by_itself() {
    let calls =
        [("v", "7f", 1), ("w", "7f", 1), ("v", "8a", 1), ("v", "8a", 2), ("w", "8a", 2), ("w", "7f", 3)];
    for (rule, expected) in [
        ("mount first 1 per volume: null", "null null - - - -"),
        ("mount nth 2 per volume: null", "- - null - null -"),
        ("mount first 1 per id: null", "null - null - - -"),
        ("mount first 1 per connection: null", "null - - null - null"),
        ("mount per volume: null then 2x hang", "null null hang hang hang hang"),
        ("mount per volume: null then eof then pass", "null null eof - eof -"),
        ("mount first 2 per volume: null until 3", "null null null - - -"),
    ] {
        let mut set = book(&[rule]);
        let met = calls.map(|(volume, id, connection)| {
            let context = RequestContext { id, connection, ..call(Operation::Mount, volume) };
            let (injection, _) = meet(&mut set, &context, second(1));
            injection.map_or_else(|| "-".to_owned(), |injection| injection.fault.action.to_string())
        });
        assert_eq!(met.join(" "), expected, "{rule}");
    }
}

#[test]
fn a_rule_that_can_never_act_again_is_spent_at_once() {
    for (rule, spent_by) in [
        ("mount first 2: null", Some(2)),
        ("mount nth 3: null", Some(3)),
        ("mount every 2 first 5: null", Some(4)),
        ("mount first 4 after 2: pass", Some(4)),
        ("mount first 9: null then eof", None),
        ("mount: null then eof", None),
        ("mount: 2x null then 1x eof", Some(3)),
        ("mount every 2: null", None),
        ("mount 50%: null", None),
        ("mount first 1 per volume: null", None),
        ("mount per volume: null then 1x eof", None),
        ("mount first 3 per volume: null once", Some(1)),
    ] {
        let mut set = book(&[rule]);
        let mount = call(Operation::Mount, "v");
        let spent = (1..=7).find(|_| meet(&mut set, &mount, second(1)).1.is_some());
        assert_eq!(spent, spent_by, "{rule}");
    }
}

#[test]
fn a_rule_that_did_not_act_says_why() {
    let mut set = book(&[
        "mount where volume=x: null",
        "mount: null for 2s",
        "mount: null flap 1h 1h",
        "mount nth 3: null",
        "mount per volume: null then 1x null",
        "mount 50%: null",
        "mount: pass once",
        "mount: null once",
        "mount: eof",
        "get: null",
    ]);
    let mount = call(Operation::Mount, "v");
    meet(&mut set, &mount, second(1));
    meet(&mut set, &mount, second(1));
    let expired = set.get(2).map(TrackedRule::as_text).expect("it is listed");
    for (at, is_past) in [(1, false), (3, false), (3, true)] {
        if is_past {
            apply(&mut set, &RuleEvent::Expired(expired.clone()), second(at));
        }
        let (rules, _) = set.decide(&mount, second(at));
        let said = rules.iter().map(|rule| format!("{}: {}", rule.id, decision(&rule.decision)));
        let said = said.collect::<Vec<_>>().join("\n");
        let first = if at == 1 { "2: acted" } else { "2: expired" };
        assert!(said.contains(first), "{said}");
        if at == 3 {
            insta::assert_snapshot!("why_a_rule_did_not_act", said);
        }
    }
}

#[test]
fn the_first_rule_that_takes_a_call_decides() {
    for (rules, expected) in [
        (["mount: null", "mount: hang"], "null null null"),
        (["mount nth 2: null", "mount: hang"], "hang null hang"),
        (["mount nth 2: pass", "mount: hang"], "hang - hang"),
        (["mount: null once", "mount: hang"], "null hang hang"),
    ] {
        assert_eq!(action_texts(&mut book(&rules), 3).join(" "), expected, "{rules:?}");
    }
}

#[test]
fn evaluated_and_fired_are_counted_apart() {
    let mut book = book(&["mount first 2: null", "any nth 2: pass", "mount every 2: hang", "get: null"]);
    action_texts(&mut book, 7);
    let counts: Vec<_> = book.iter().map(|rule| (rule.evaluated, rule.fired)).collect();
    assert_eq!(counts, [(2, 2), (2, 0), (4, 2), (0, 0)]);
}

#[test]
fn selectors_choose_among_calls() {
    let gold: Options = [("tier".to_owned(), "gold".to_owned())].into();
    let plain = call(Operation::Mount, "db1");
    let facts = [
        plain,
        RequestContext { volume: "cache", ..plain },
        RequestContext { options: &gold, ..plain },
        RequestContext { id: "7f3a", caller: Caller::Podman, ..plain },
        RequestContext { mounted: true, caller: Caller::Simulated, ..plain },
        RequestContext { retry: true, volume: "", caller: Caller::Other, ..plain },
    ];
    for (selectors, expected) in [
        ("volume=db*", "yn yyyn"),
        ("volume=\"\"", "nn nnny"),
        ("opt.tier", "nn ynnn"),
        ("opt.tier=g*", "nn ynnn"),
        ("opt.tier=silver", "nn nnnn"),
        ("id=7f", "nn nynn"),
        ("by=docker", "yy ynyn"),
        ("by=podman", "nn nynn"),
        ("by=simulated", "nn nnyn"),
        ("by=other", "nn nnny"),
        ("mounted", "nn nnyn"),
        ("unmounted", "yy yyny"),
        ("retry", "nn nnny"),
        ("volume=db* and unmounted and by=docker", "yn ynnn"),
    ] {
        let rule: Rule = format!("mount where {selectors}: null").parse().expect(selectors);
        let hits: String = facts.iter().map(|facts| if rule.matches(facts) { 'y' } else { 'n' }).collect();
        assert_eq!(hits, expected.replace(' ', ""), "{selectors}");
    }
}

#[test]
fn a_group_means_the_calls_that_the_rest_of_the_rule_fits() {
    let words = |rule: &str| {
        let rule: Rule = rule.parse().expect(rule);
        rule.operations().map(Operation::as_str).collect::<Vec<_>>().join(" ")
    };
    for (rule, expected) in [
        ("any: null", "activate capabilities create get list path mount unmount remove"),
        ("reads: null", "capabilities get list path"),
        ("writes: null", "create mount unmount remove"),
        ("any: mountpoint empty", "get list path mount"),
        ("any where mounted: null", "create get path mount unmount remove"),
        ("any: scope x then null", "capabilities"),
        ("reads, mount where volume=v: mountpoint empty", "get path mount"),
    ] {
        assert_eq!(words(rule), expected, "{rule}");
    }
}

#[test]
fn a_run_is_repeated_by_its_seed_and_arming_another_rule_shifts_no_draw() {
    let rule = "mount 50%: delay 0s..9s";
    let alone = action_texts(&mut book(&[rule]), 50);
    assert_eq!(action_texts(&mut book(&[rule]), 50), alone);

    let among_others = action_texts(&mut book(&["get: null", rule, "mount 50%: null"]), 50);
    let own: Vec<_> =
        among_others.iter().map(|fault| if fault == "null" { "-" } else { fault.as_str() }).collect();
    assert_eq!(own, alone);
    assert!(among_others.iter().any(|fault| fault == "null"));

    let mut reseeded = book(&[rule]);
    reseeded.reseed(8);
    assert_ne!(action_texts(&mut reseeded, 50), alone);
}

#[test]
fn a_drawn_delay_is_within_its_range_and_recorded() {
    let mut book = book(&["mount: delay 200ms..203ms"]);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..100 {
        let (injection, _) = meet(&mut book, &call(Operation::Mount, "v"), second(0));
        let injection = injection.expect("it always acts");
        let Action::Delay { from, to } = injection.action else { panic!("{injection:?}") };
        assert_eq!((from, injection.phase), (to, Phase::Before));
        assert_eq!(*injection.fault.action, format!("delay {}ms", from.as_millis()));
        seen.insert(from.as_millis());
    }
    assert_eq!(seen, (200..=203).collect());
}

#[test]
fn what_is_left_of_a_rule_can_be_asked() {
    let left = |book: &RuleSet| {
        let rule = book.iter().next().expect("one is armed");
        (rule.state, rule.remaining.fires, rule.remaining.until.map(Timestamp::as_second))
    };
    for (rule, before, after) in [
        ("mount: null", (None, None), (RuleState::Armed, None, None)),
        ("mount: null once", (Some(1), None), (RuleState::Spent, Some(0), None)),
        ("mount: null until 3 for 1m", (Some(3), Some(60)), (RuleState::Armed, Some(1), Some(60))),
        ("mount: 2x null then 2x hang", (Some(4), None), (RuleState::Armed, Some(2), None)),
        ("mount: 2x null then 2x hang until 2", (Some(2), None), (RuleState::Spent, Some(0), None)),
        ("mount: null then pass", (None, None), (RuleState::Armed, None, None)),
    ] {
        let mut book = book(&[rule]);
        assert_eq!(left(&book), (RuleState::Armed, before.0, before.1), "{rule}");
        action_texts(&mut book, 2);
        assert_eq!(left(&book), after, "{rule}");
    }
}

#[test]
fn a_rule_is_said_to_be_spent_by_the_call_that_spends_it() {
    let mut book = book(&["mount: null until 2"]);
    let mount = call(Operation::Mount, "v");
    let spent: Vec<bool> = (1..4).map(|_| meet(&mut book, &mount, second(0)).1.is_some()).collect();
    assert_eq!(spent, [false, true, false]);
    assert_eq!(book.iter().map(|rule| rule.evaluated).collect::<Vec<_>>(), [2]);
}

#[test]
fn a_rule_ends_at_its_time_and_says_so_once() {
    let mut book = book(&["mount: hang for 10s", "mount: hang once for 20s", "mount: hang flap 30s 5s"]);
    let hold = |book: &RuleSet, at| -> Vec<bool> {
        book.iter().map(|rule| rule.is_in_force(second(at))).collect()
    };
    let mount = call(Operation::Mount, "v");
    meet(&mut book, &mount, second(9));
    meet(&mut book, &mount, second(11));
    let mut ended = Vec::new();
    let mut last = second(9);
    for at in [9, 10, 11, 20, 30, 34, 35, 36].map(second) {
        let next = book.next_turn(last);
        let overdue: Vec<_> = book.overdue(at).map(TrackedRule::as_text).collect();
        assert!(overdue.is_empty() || next.is_some_and(|next| next <= at), "{at}: {next:?}");
        for rule in overdue {
            ended.push((at.as_second(), rule.id));
            apply(&mut book, &RuleEvent::Expired(rule), at);
        }
        last = at;
    }
    // The second one was spent before its time was over.
    assert_eq!(ended, [(10, 1)]);
    assert_eq!(hold(&book, 19), [false, true, false]);
    assert_eq!(hold(&book, 20), [false, false, false]);
    assert_eq!(hold(&book, 34), [false, false, true]);
    assert_eq!(hold(&book, 36), [false, false, false]);
    assert_eq!(book.next_turn(second(36)), Some(second(65)));
    let states: Vec<_> = book.iter().map(|rule| rule.state).collect();
    assert_eq!(states, [RuleState::Expired, RuleState::Spent, RuleState::Armed]);
}

#[test]
fn a_rule_without_a_time_gets_the_default_one() {
    let mut book = RuleSet::new(0, Some(Duration::from_secs(5)));
    for rule in ["mount: null", "mount: null for 9s"] {
        arm(&mut book, rule, None, second(1));
    }
    let until: Vec<_> = book.iter().map(|rule| rule.remaining.until).collect();
    assert_eq!(until, [Some(second(6)), Some(second(10))]);
    assert_eq!(&*book.iter().next().expect("armed").text, "mount: null");
}

#[test]
fn a_rule_under_the_same_label_takes_the_place_of_the_first() {
    let mut book = RuleSet::new(0, None);
    for (rule, label) in [("mount: null", "a"), ("mount: hang", "b"), ("mount: eof", "a")] {
        arm(&mut book, rule, Some(label), second(0));
    }
    let rules: Vec<_> = book.iter().map(|rule| (rule.id, rule.text.to_string())).collect();
    assert_eq!(rules, [(3, "mount: eof".to_owned()), (2, "mount: hang".to_owned())]);
    for (target, expected) in [(Target::Label("a".into()), 1), (Target::Id(1), 0), (Target::All, 1)] {
        let disarmed: Vec<_> = book.targets(&target).map(TrackedRule::as_text).collect();
        assert_eq!(disarmed.len(), expected, "{target:?}");
        for rule in disarmed {
            apply(&mut book, &RuleEvent::Disarmed(rule), second(0));
        }
    }
    assert!(book.is_empty());
}

#[test]
fn the_status_of_a_rule_is_plain_json() {
    let mut book = book(&["mount: null until 3 for 1m"]);
    action_texts(&mut book, 1);
    let json = serde_json::to_value(book.iter().map(TrackedRule::status).collect::<Vec<_>>())
        .expect("it serialises");
    let expected = serde_json::json!([{
        "id": 1, "label": null, "rule": "mount: null until 3 for 1m", "state": "armed", "evaluated": 1, "fired": 1,
        "remaining": { "fires": 2, "until": "1970-01-01T00:01:00Z" }, "held": 0, "since": "1970-01-01T00:00:00Z",
    }]);
    assert_eq!(json, expected);
}

#[test]
fn unrelated_traffic_shifts_no_draw() {
    let rule = "mount 50%: delay 0s..9s";
    let mount = call(Operation::Mount, "v");
    let run = |noise: &dyn Fn(&mut RuleSet, usize)| {
        let mut set = book(&["get 50%: null", rule]);
        let faults = (0..50).map(|number| {
            noise(&mut set, number);
            meet(&mut set, &mount, second(1)).0.map(|injection| injection.fault.action)
        });
        faults.collect::<Vec<_>>()
    };
    let alone = run(&|_, _| ());
    let other_calls = run(&|set, number| {
        for volume in ["w", "x", "v2"].into_iter().take(number % 4) {
            meet(set, &call(Operation::Mount, volume), second(1));
            meet(set, &call(Operation::Get, "v"), second(1));
        }
    });
    let other_rules = run(&|set, number| {
        if number == 20 {
            arm(set, "unmount 10%: null", None, second(1));
        }
        meet(set, &call(Operation::Unmount, "v"), second(1));
    });
    assert_eq!(other_calls, alone);
    assert_eq!(other_rules, alone);
    assert!(alone.iter().any(Option::is_some) && alone.iter().any(Option::is_none));
}

#[test]
fn a_set_is_read_back_from_json() {
    let mut set = book(&["any 20%: delay 1s..2s until 9 for 1m", "mount: 2x hang after then pass"]);
    arm(&mut set, "get nth 3: fail \"no\" as http404", Some("x"), second(4));
    for volume in ["v", "w", "v"] {
        meet(&mut set, &call(Operation::Get, volume), second(5));
        meet(&mut set, &call(Operation::Mount, volume), second(5));
    }
    let json = serde_json::to_string(&set).expect("it is JSON");
    assert_eq!(serde_json::from_str::<RuleSet>(&json).expect("it is read"), set);
}
