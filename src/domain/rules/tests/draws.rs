//! Random draws: repeated by the seed, and shifted by nothing else.

use super::rule_set::{action_texts, arm, call, decide, second, set_of};
use crate::domain::{
    model::protocol::Operation,
    rules::{Action, Phase, RuleSet},
};

#[test]
fn a_run_is_repeated_by_its_seed_and_arming_another_rule_shifts_no_draw() {
    let rule = "mount 50%: delay 0s..9s";
    let alone = action_texts(&mut set_of(&[rule]), 50);
    assert_eq!(action_texts(&mut set_of(&[rule]), 50), alone);

    let among_others = action_texts(&mut set_of(&["get: null", rule, "mount 50%: null"]), 50);
    let own: Vec<_> =
        among_others.iter().map(|fault| if fault == "null" { "-" } else { fault.as_str() }).collect();
    assert_eq!(own, alone);
    assert!(among_others.iter().any(|fault| fault == "null"));

    let mut reseeded = set_of(&[rule]);
    reseeded.reseed(8);
    assert_ne!(action_texts(&mut reseeded, 50), alone);
}

#[test]
fn a_drawn_delay_is_within_its_range_and_recorded() {
    let mut set = set_of(&["mount: delay 200ms..203ms"]);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..100 {
        let (injection, _) = decide(&mut set, &call(Operation::Mount, "v"), second(0));
        let injection = injection.expect("it always acts");
        let Action::Delay { from, to } = injection.action else { panic!("{injection:?}") };
        assert_eq!((from, injection.phase), (to, Phase::Before));
        assert_eq!(*injection.fault.action, format!("delay {}ms", from.as_millis()));
        seen.insert(from.as_millis());
    }
    assert_eq!(seen, (200..=203).collect());
}

#[test]
fn unrelated_traffic_shifts_no_draw() {
    let rule = "mount 50%: delay 0s..9s";
    let mount = call(Operation::Mount, "v");
    let run = |noise: &dyn Fn(&mut RuleSet, usize)| {
        let mut set = set_of(&["get 50%: null", rule]);
        let faults = (0..50).map(|number| {
            noise(&mut set, number);
            decide(&mut set, &mount, second(1)).0.map(|injection| injection.fault.action)
        });
        faults.collect::<Vec<_>>()
    };
    let alone = run(&|_, _| ());
    let other_calls = run(&|set, number| {
        for volume in ["w", "x", "v2"].into_iter().take(number % 4) {
            decide(set, &call(Operation::Mount, volume), second(1));
            decide(set, &call(Operation::Get, "v"), second(1));
        }
    });
    let other_rules = run(&|set, number| {
        if number == 20 {
            arm(set, "unmount 10%: null", None, second(1));
        }
        decide(set, &call(Operation::Unmount, "v"), second(1));
    });
    assert_eq!(other_calls, alone);
    assert_eq!(other_rules, alone);
    assert!(alone.iter().any(Option::is_some) && alone.iter().any(Option::is_none));
}
