//! When a rule is spent, and when its time is over.

use std::time::Duration;

use jiff::Timestamp;

use super::rule_set::{action_texts, apply, arm, call, decide, second, set_of};
use crate::domain::{
    model::{entry::RuleEvent, protocol::Operation},
    rules::{RuleSet, RuleState, TrackedRule},
};

#[test]
fn what_is_left_of_a_rule_can_be_asked() {
    let left = |set: &RuleSet| {
        let rule = set.iter().next().expect("one is armed");
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
        let mut set = set_of(&[rule]);
        assert_eq!(left(&set), (RuleState::Armed, before.0, before.1), "{rule}");
        action_texts(&mut set, 2);
        assert_eq!(left(&set), after, "{rule}");
    }
}

#[test]
fn a_rule_is_said_to_be_spent_by_the_call_that_spends_it() {
    let mut set = set_of(&["mount: null until 2"]);
    let mount = call(Operation::Mount, "v");
    let spent: Vec<bool> = (1..4).map(|_| decide(&mut set, &mount, second(0)).1.is_some()).collect();
    assert_eq!(spent, [false, true, false]);
    assert_eq!(set.iter().map(|rule| rule.evaluated).collect::<Vec<_>>(), [2]);
}

#[test]
fn a_rule_ends_at_its_time_and_says_so_once() {
    let mut set = set_of(&["mount: hang for 10s", "mount: hang once for 20s", "mount: hang flap 30s 5s"]);
    let hold =
        |set: &RuleSet, at| -> Vec<bool> { set.iter().map(|rule| rule.is_in_force(second(at))).collect() };
    let mount = call(Operation::Mount, "v");
    decide(&mut set, &mount, second(9));
    decide(&mut set, &mount, second(11));
    let mut ended = Vec::new();
    let mut last = second(9);
    for at in [9, 10, 11, 20, 30, 34, 35, 36].map(second) {
        let next = set.next_turn(last);
        let overdue: Vec<_> = set.overdue(at).map(TrackedRule::as_text).collect();
        assert!(overdue.is_empty() || next.is_some_and(|next| next <= at), "{at}: {next:?}");
        for rule in overdue {
            ended.push((at.as_second(), rule.id));
            apply(&mut set, &RuleEvent::Expired(rule), at);
        }
        last = at;
    }
    // The second one was spent before its time was over.
    assert_eq!(ended, [(10, 1)]);
    assert_eq!(hold(&set, 19), [false, true, false]);
    assert_eq!(hold(&set, 20), [false, false, false]);
    assert_eq!(hold(&set, 34), [false, false, true]);
    assert_eq!(hold(&set, 36), [false, false, false]);
    assert_eq!(set.next_turn(second(36)), Some(second(65)));
    let states: Vec<_> = set.iter().map(|rule| rule.state).collect();
    assert_eq!(states, [RuleState::Expired, RuleState::Spent, RuleState::Armed]);
}

#[test]
fn a_rule_without_a_time_gets_the_default_one() {
    let mut set = RuleSet::new(0, Some(Duration::from_secs(5)));
    for rule in ["mount: null", "mount: null for 9s"] {
        arm(&mut set, rule, None, second(1));
    }
    let until: Vec<_> = set.iter().map(|rule| rule.remaining.until).collect();
    assert_eq!(until, [Some(second(6)), Some(second(10))]);
    assert_eq!(&*set.iter().next().expect("armed").text, "mount: null");
}
