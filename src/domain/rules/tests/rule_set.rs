//! The rule set: which rule acts on which call.

use std::sync::LazyLock;

use jiff::Timestamp;

use crate::domain::{
    lang::command::Target,
    model::{
        entry::{Evaluation, RuleEvent},
        protocol::{Caller, Operation, Options},
        speed::EngineSpeed,
    },
    rules::{Injection, RequestContext, Rule, RuleSet, TrackedRule},
    text::decision,
};

static NO_OPTIONS: LazyLock<Options> = LazyLock::new(Options::new);

pub(super) fn call(operation: Operation, volume: &str) -> RequestContext<'_> {
    RequestContext { volume, ..RequestContext::new(operation, Caller::Docker, &NO_OPTIONS) }
}

pub(super) fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a second of this century")
}

pub(super) fn apply(set: &mut RuleSet, event: &RuleEvent, at: Timestamp) {
    set.apply(event, at, |_| false);
}

pub(super) fn arm(set: &mut RuleSet, rule: &str, label: Option<&str>, at: Timestamp) {
    let event = set.arming(&rule.parse().expect(rule), label, at, EngineSpeed::REAL);
    apply(set, &event, at);
}

pub(super) fn set_of(rules: &[&str]) -> RuleSet {
    let mut set = RuleSet::new(7, None);
    for rule in rules {
        arm(&mut set, rule, None, second(0));
    }
    set
}

/// What the rules do to a call, and the rule that is spent by it, as the hub has it.
pub(super) fn decide(
    set: &mut RuleSet,
    context: &RequestContext<'_>,
    at: Timestamp,
) -> (Option<Injection>, Option<u32>) {
    let (rules, injection) = set.decide(context, at);
    let evaluation = Evaluation {
        call: 1,
        operation: context.operation,
        request_line: context.request_line.map(Box::from),
        volume: Some(context.volume.into()),
        mount_id: Some(context.id.into()),
        connection: context.connection,
        rules: rules.into_iter().filter(|rule| rule.decision.is_evaluated()).collect(),
    };
    let last = evaluation.rules.last().map(|decision| decision.id);
    apply(set, &RuleEvent::Evaluated(evaluation), at);
    let used_up = last.and_then(|id| set.get(id)).filter(|rule| rule.is_used_up());
    let spent = used_up.map(TrackedRule::as_text);
    if let Some(rule) = &spent {
        apply(set, &RuleEvent::Spent(rule.clone()), at);
    }
    (injection, spent.map(|rule| rule.id))
}

/// What happens to `count` mounts, one in each second.
pub(super) fn action_texts(set: &mut RuleSet, count: u64) -> Vec<String> {
    let mount = call(Operation::Mount, "v");
    (1..=count)
        .map(|number| {
            let at = second(number.cast_signed());
            let (injection, _) = decide(set, &mount, at);
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
        assert_eq!(action_texts(&mut set_of(&[rule]), 7).join(" "), expected, "{rule}");
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
        let mut set = set_of(&[rule]);
        let done = calls.map(|(volume, id, connection)| {
            let context = RequestContext { id, connection, ..call(Operation::Mount, volume) };
            let (injection, _) = decide(&mut set, &context, second(1));
            injection.map_or_else(|| "-".to_owned(), |injection| injection.fault.action.to_string())
        });
        assert_eq!(done.join(" "), expected, "{rule}");
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
        let mut set = set_of(&[rule]);
        let mount = call(Operation::Mount, "v");
        let spent = (1..=7).find(|_| decide(&mut set, &mount, second(1)).1.is_some());
        assert_eq!(spent, spent_by, "{rule}");
    }
}

#[test]
fn a_rule_that_did_not_act_says_why() {
    let mut set = set_of(&[
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
    decide(&mut set, &mount, second(1));
    decide(&mut set, &mount, second(1));
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
        assert_eq!(action_texts(&mut set_of(&rules), 3).join(" "), expected, "{rules:?}");
    }
}

#[test]
fn evaluated_and_fired_are_counted_apart() {
    let mut set = set_of(&["mount first 2: null", "any nth 2: pass", "mount every 2: hang", "get: null"]);
    action_texts(&mut set, 7);
    let counts: Vec<_> = set.iter().map(|rule| (rule.evaluated, rule.fired)).collect();
    assert_eq!(counts, [(2, 2), (2, 0), (4, 2), (0, 0)]);
}

#[test]
fn selectors_choose_among_calls() {
    let gold: Options = [("tier".to_owned(), "gold".to_owned())].into();
    let plain = call(Operation::Mount, "db1");
    let contexts = [
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
        let hits: String =
            contexts.iter().map(|context| if rule.matches(context) { 'y' } else { 'n' }).collect();
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
fn a_rule_under_the_same_label_takes_the_place_of_the_first() {
    let mut set = RuleSet::new(0, None);
    for (rule, label) in [("mount: null", "a"), ("mount: hang", "b"), ("mount: eof", "a")] {
        arm(&mut set, rule, Some(label), second(0));
    }
    let rules: Vec<_> = set.iter().map(|rule| (rule.id, rule.text.to_string())).collect();
    assert_eq!(rules, [(3, "mount: eof".to_owned()), (2, "mount: hang".to_owned())]);
    for (target, expected) in [(Target::Label("a".into()), 1), (Target::Id(1), 0), (Target::All, 1)] {
        let disarmed: Vec<_> = set.targets(&target).map(TrackedRule::as_text).collect();
        assert_eq!(disarmed.len(), expected, "{target:?}");
        for rule in disarmed {
            apply(&mut set, &RuleEvent::Disarmed(rule), second(0));
        }
    }
    assert!(set.is_empty());
}

#[test]
fn a_set_is_read_back_from_json() {
    let mut set = set_of(&["any 20%: delay 1s..2s until 9 for 1m", "mount: 2x hang after then pass"]);
    arm(&mut set, "get nth 3: fail \"no\" as http404", Some("x"), second(4));
    for volume in ["v", "w", "v"] {
        decide(&mut set, &call(Operation::Get, volume), second(5));
        decide(&mut set, &call(Operation::Mount, volume), second(5));
    }
    let json = serde_json::to_string(&set).expect("it is JSON");
    assert_eq!(serde_json::from_str::<RuleSet>(&json).expect("it is read"), set);
}
