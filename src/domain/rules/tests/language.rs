//! Whole rules: parsed, printed, rejected.

use proptest::prelude::*;

use crate::domain::{
    model::protocol::{Caller, Operation},
    rules::{
        Action, Calls, ChainStep, ErrorForm, FieldPath, Flap, Lifetime, Mountpoint, Pattern, Per,
        Probability, Rule, Selector, Trigger, template,
    },
};

#[test]
fn a_rule_prints_as_it_was_written() {
    for text in [
        "mount: fail \"invalid argument\"",
        "get where volume=db*: empty",
        "mount first 2: fail \"device busy\" as json500",
        "mount nth 3: reset after",
        "any 20%: delay 200ms..800ms for 2m",
        "get where mounted: empty once",
        "create, remove where opt.tier=gold: lie",
        "list every 5: stale",
        "mount: 2x fail \"busy\" then 1x hang then pass",
        "unmount: hang for 30s",
        "mount: mountpoint missing",
        "get: hold",
        "mount, unmount where id=7f and by=docker and retry: eof",
        "reads where opt.tier and unmounted: drip 5s twice",
        "get where volume=\"two words\" and opt.\"a=b\"=\"x:y\": rename \"then\"",
        "activate: implements NetworkDriver,\"a,b\"",
        "activate: implements nothing",
        "activate: implements \"nothing\"",
        "mount 0.5% first 9 every 3 after 2: mountpoint \"empty\" twice until 2 flap 10s 5s for 1m",
        "writes: pass twice",
        "NetworkDriver.GetCapabilities, get: fail \"no\"",
        "IpamDriver.RequestPool where peer=dockerd: delay 5s",
        "mount: hold until 4",
        "mount per volume: hold until 4 within 30s after for 1m",
        "mount: hold before until 4",
        "get: set Volume.Status.x=1",
        "get: set Volume.\"a.b\"={\"at\":\"{volume}\"} twice once",
        "list: 2x unset Volumes.*.Mountpoint then pass",
        "get where known and peer=dockerd and connection=3 and first-contact: reply \"{{x} {original}\"",
        "mount 50% first 2 per volume: fail \"busy\"",
        "mount, unmount per id: 2x null then pass",
        "any every 3 per connection: eof",
        "path: mountpoint /mnt/x after",
        "get: reply {\"Err\":\"\"} twice once",
        "get: 2x reply \"<html>\" as http404 then reply [{\"a\":[1,2]}] as json500",
    ] {
        let rule: Rule = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(rule.to_string(), text.replace("/mnt/x after", "/mnt/x"));
    }
}

#[test]
fn equal_rules_print_in_one_form() {
    for (text, printed) in [
        ("  mount :fail  \"x\"as text500 ", "mount: fail \"x\""),
        ("mount after 2 first 4 50%: null", "mount 50% first 4 after 2: null"),
        ("mount 50% where mounted: null", "mount where mounted 50%: null"),
        ("mount: null until 1", "mount: null once"),
        ("VolumeDriver.Get, Plugin.Activate: null", "get, activate: null"),
        ("get: set Volume.Name=other", "get: set Volume.Name=\"other\""),
        ("mount per volume first 2: null", "mount first 2 per volume: null"),
        ("mount: fail", "mount: fail \"the volume is haunted\""),
        ("mount: 2x fail then pass", "mount: 2x fail \"the volume is haunted\" then pass"),
        ("mount: fail as json500 once", "mount: fail \"the volume is haunted\" as json500 once"),
        ("mount: fail \"x\" then pass", "mount: 1x fail \"x\" then pass"),
        ("mount: null for 60s once", "mount: null once for 1m"),
        ("mount: delay 1s..1s", "mount: delay 1s"),
        ("mount 20.50%: hang before", "mount 20.5%: hang"),
        ("get where volume=\"db*\": rename \"x\"", "get where volume=db*: rename x"),
        ("get where vol=db*: empty", "get where volume=db*: empty"),
    ] {
        let rule: Rule = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(rule.to_string(), printed);
    }
}

#[test]
fn an_error_has_a_column_what_was_found_and_what_was_expected() {
    let wrong = [
        "",
        "mout: null",
        "größe, mount: null",
        "mount null",
        "mount fisrt 2: null",
        "mount volume=db* nth 2: null",
        "mount db* nth 2: null",
        "mount nth 2 opt.tier=gold: null",
        "mount where volume=db* mounted: null",
        "mount first: null",
        "mount first 0: null",
        "mount first 2 first 3: null",
        "mount first 2 after 2: null",
        "mount 101%: null",
        "mount 20% 30%: null",
        "mount where volme=x: null",
        "mount where volume: null",
        "mount where volume= x: null",
        "mount where volume=[: null",
        "mount where by=dokcer: null",
        "mount where opt: null",
        "mount where mounted, retry: null",
        "list where volume=x: null",
        "get where id=7f: null",
        "mount: emtpy",
        "mount:",
        "mount: fail busy",
        "mount: fail no space left once",
        "mount: fail \"busy",
        "mount: fail \"busy\" as jsn500",
        "mount: fail \"busy\" as label",
        "mount: fail \"busy\" after as json500",
        "mount: reply no",
        "mount: reply {\"a\" 1} once",
        "mount: delay 5",
        "mount: delay 2s..1s",
        "mount: drip",
        "mount: mountpoint missin",
        "mount: scope global",
        "writes: null-entry",
        "any where id=7f: bad-time",
        "get: rename",
        "get: rename once",
        "get: truncate before",
        "mount: null after twice",
        "mount: null once then pass",
        "mount: null onec",
        "mount: null once until 2",
        "mount: null until",
        "mount: null for ever",
        "mount: null for 0s",
        "mount: null once x",
        "mount: 0x null",
        "NetworkDriver.: null",
        "networkdriver.getcapabilities: null",
        "VolumeDriver.Gett: null",
        "NetworkDriver.GetCapabilities where volume=x: null",
        "NetworkDriver.GetCapabilities per id first 1: null",
        "NetworkDriver.GetCapabilities: lie",
        "mount: hold until 1",
        "mount: hold until 4 within",
        "mount first 2 per volume: hold until 4",
        "mount: 2x null then 3x hold until 4",
        "mount: hold until 4 once",
        "get: set Volume.Name",
        "get: set =1",
        "get: set Volume.Name={\"a\":}",
        "get: reply {\"Name\":\"{volum}\"}",
        "get: reply \"{volume\"",
        "get: unset",
        "get where connection=x: null",
        "list where known: null",
        "mount first 2 per: null",
        "mount first 2 per volme: null",
        "mount first 2 per id per id: null",
        "list first 2 per volume: null",
        "get first 2 per id: null",
        "mount per volume: null once",
        "mount: null then",
        "activate: implements a,",
    ];
    let report = wrong.map(|text| format!("{text}\n  {}", text.parse::<Rule>().expect_err(text)));
    insta::assert_snapshot!(report.join("\n"));
}

#[test]
fn what_is_natural_but_wrong_is_answered_with_the_right_form() {
    for (text, expected) in [
        ("get: hold 5s", "column 11: found \"5s\"; delay 5s holds each call for 5s; expected before, after"),
        ("get: hang once 5s", "column 16: found \"5s\", expected another limit or the end"),
        ("get: hold first 2", "column 11: triggers such as first 2 go before the colon: mount first 2: fail"),
        ("mount: fail first 2", "column 13: triggers such as first 2 go before the colon"),
        ("mount: delay 2s every 3", "column 17: triggers such as every 3 go before the colon"),
        ("mount: fail after 2", "column 19: triggers such as after 2 go before the colon"),
        ("mount: fail 50%", "column 13: triggers such as 50% go before the colon"),
        (
            "mount: empty once per volume",
            "column 19: triggers such as first 2 per volume go before the colon",
        ),
        ("mount: fail where volume=db1", "column 13: conditions go before the colon: mount where volume=db1"),
        (
            "mount where volume:db*: fail",
            "column 19: found \":\", expected \"=\": a rule compares the whole value, as in volume=db*",
        ),
        ("mount where volume: fail", "column 19: found \":\", expected \"=\" and a name pattern"),
        (
            "create where opt.tier:gold: fail",
            "column 22: found \":\", expected \"=\": a rule compares the whole value, as in opt.tier=gold",
        ),
        ("mount volume:db*: fail", "column 7: found \"volume\", did you mean \"where volume=db*\"?"),
    ] {
        let error = text.parse::<Rule>().expect_err(text).to_string();
        assert!(error.starts_with(expected), "{text}: {error}");
    }
    for compact in ["create where opt.tier:empty", "create where opt.tier:2x null", "mount where known:null"]
    {
        assert!(compact.parse::<Rule>().is_ok(), "{compact}");
    }
}

#[test]
fn a_label_follows_the_rule() {
    let labelled = |text: &str| Rule::parse_labelled(text).map(|(rule, label)| (rule.to_string(), label));
    for (text, rule, label) in [
        ("get: empty", "get: empty", None),
        ("get: empty as ghost", "get: empty", Some("ghost")),
        ("get: fail \"as x\" as json500", "get: fail \"as x\" as json500", None),
        ("get: fail \"x\" as json500 once as a.b-c_1", "get: fail \"x\" as json500 once", Some("a.b-c_1")),
    ] {
        assert_eq!(labelled(text), Ok((rule.into(), label.map(str::to_owned))), "{text}");
    }
    for (text, column) in [
        ("get: empty as", 14),
        ("get: empty as all", 15),
        ("get: empty as 5", 15),
        ("get: empty as two words", 19),
        ("get: empty as json500", 15),
        ("get: fail \"x\" as jsn500", 18),
        ("get: empty as \"x\"", 15),
    ] {
        assert_eq!(labelled(text).expect_err(text).column, column, "{text}");
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,6}",
        "[ -~]{0,8}",
        any::<String>(),
        Just("once".to_owned()),
        Just("nothing".to_owned())
    ]
}

fn pattern() -> impl Strategy<Value = Pattern> {
    text().prop_filter_map("no pattern", |text| Pattern::new(&text).ok())
}

fn selector() -> impl Strategy<Value = Selector> {
    prop_oneof![
        pattern().prop_map(Selector::Volume),
        (text(), prop::option::of(pattern())).prop_map(|(key, value)| Selector::Option(key, value)),
        text().prop_map(Selector::Id),
        prop::sample::select(&Caller::ALL).prop_map(Selector::By),
        pattern().prop_map(Selector::Peer),
        any::<u64>().prop_map(Selector::Connection),
        prop::sample::select(&Selector::FLAGS),
    ]
}

fn trigger() -> impl Strategy<Value = Trigger> {
    let count = || prop::option::of(1_u64..20);
    let chance = (0_u32..=100, 0_u32..10_000).prop_filter_map("more than always", |(whole, decimals)| {
        Probability::parse(&format!("{whole}.{decimals:04}"))
    });
    let per = prop::option::of(prop::sample::select(&Per::ALL));
    (prop::option::of(chance), count(), count(), count(), count(), per)
        .prop_map(|(chance, nth, first, every, after, per)| Trigger { chance, nth, first, every, after, per })
        .prop_filter("never acts", |trigger| trigger.can_hold_after(0))
}

fn millis() -> impl Strategy<Value = std::time::Duration> {
    (1_u64..10_000_000).prop_map(std::time::Duration::from_millis)
}

fn path() -> impl Strategy<Value = FieldPath> {
    let key = text().prop_filter("an empty key", |key| !key.is_empty());
    prop::collection::vec(key, 1..3).prop_map(FieldPath)
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        text().prop_map(|text| template::escape(&text).into()),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Into::into),
            prop::collection::btree_map("[a-z]{1,4}", inner, 0..3)
                .prop_map(|fields| fields.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

fn action() -> impl Strategy<Value = Action> {
    let mountpoint = prop_oneof![
        prop::sample::select(&Mountpoint::NAMED),
        text().prop_map(Mountpoint::Path),
        text().prop_map(|path| Mountpoint::Path(format!("/{path}"))),
    ];
    prop_oneof![
        prop::sample::select(&Action::PLAIN),
        (text(), prop::sample::select(&ErrorForm::ALL))
            .prop_map(|(message, form)| Action::Fail { message, form }),
        (millis(), millis()).prop_map(|(a, b)| Action::Delay { from: a.min(b), to: a.max(b) }),
        (text(), prop::sample::select(&ErrorForm::ALL)).prop_map(|(text, form)| Action::reply(&text, form)),
        millis().prop_map(|over| Action::Drip { over }),
        (2_u64..9, prop::option::of(millis())).prop_map(|(calls, within)| Action::Barrier { calls, within }),
        (path(), json()).prop_map(|(path, value)| Action::Set { path, value: value.to_string() }),
        path().prop_map(Action::Unset),
        mountpoint.prop_map(Action::Mountpoint),
        text().prop_map(Action::Rename),
        text().prop_map(Action::Scope),
        prop::collection::vec(text(), 0..3).prop_map(Action::Implements),
    ]
}

fn step() -> impl Strategy<Value = ChainStep> {
    (prop::option::of(1_u64..9), action(), any::<prop::sample::Index>())
        .prop_map(|(times, action, phase)| ChainStep { times, phase: *phase.get(action.phases()), action })
}

fn lifetime() -> impl Strategy<Value = Lifetime> {
    let flap = (millis(), millis()).prop_map(|(up, down)| Flap { up, down });
    (prop::option::of(1_u64..9), prop::option::of(flap), prop::option::of(millis()))
        .prop_map(|(fires, flap, lasting)| Lifetime { fires, flap, lasting })
}

/// Some calls, if there are any to which something applies.
fn calls(applies_to: &dyn Fn(Option<Operation>) -> bool) -> impl Strategy<Value = Vec<Calls>> + use<> {
    let words = Calls::WORDS.into_iter().chain(["IpamDriver.RequestPool"]);
    let words: Vec<Calls> = words.map(|word| word.parse().expect(word)).collect();
    let fitting: Vec<_> = words.iter().filter(|calls| calls.any(applies_to)).cloned().collect();
    prop::collection::vec(prop::sample::select(if fitting.is_empty() { words } else { fitting }), 1..4)
}

/// Whether all that a rule says applies to the calls that it names, and can happen.
fn fits(rule: &Rule) -> bool {
    let is_counted = rule.trigger.counts()
        || rule.chain.len() > 1
        || rule.chain[0].times.is_some()
        || matches!(rule.chain[0].action, Action::Barrier { .. });
    rule.calls.iter().all(|calls| calls.any(|operation| rule.applies_to(operation)))
        && (is_counted || rule.trigger.per.is_none())
        && rule.closed_barrier().is_none()
}

prop_compose! {
    /// Any rule that can be said.
    fn rule()(
        selectors in prop::collection::vec(selector(), 0..3),
        trigger in trigger(),
        mut chain in prop::collection::vec(step(), 1..4),
        lifetime in lifetime(),
    )(
        calls in {
            calls(&|operation| selectors.iter().all(|selector| selector.applies_to(operation))
                && chain.iter().all(|step| step.action.applies_to(operation))
                && trigger.per.is_none_or(|per| per.applies_to(operation)))
        },
        rest in Just({
            let last = chain.len() - 1;
            for step in &mut chain[..last] {
                step.times.get_or_insert(1);
            }
            (selectors, trigger, chain, lifetime)
        }),
    ) -> Rule {
        let (selectors, trigger, chain, lifetime) = rest;
        Rule { calls, selectors, trigger, chain, lifetime }
    }
}

proptest! {
    #[test]
    fn a_printed_rule_parses_to_the_same_rule(rule in rule().prop_filter("no call fits", fits)) {
        let printed = rule.to_string();
        prop_assert_eq!(printed.parse(), Ok(rule), "{}", printed);
    }

    #[test]
    fn a_label_never_becomes_part_of_the_rule(rule in rule().prop_filter("no call fits", fits)) {
        let printed = format!("{rule} as ghost");
        prop_assert_eq!(Rule::parse_labelled(&printed), Ok((rule, Some("ghost".to_owned()))), "{}", printed);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        let _ = Rule::parse_labelled(&text);
    }

    #[test]
    fn no_damaged_rule_makes_the_parser_panic(rule in rule(), cut in any::<prop::sample::Index>(), put in ".{0,3}") {
        let mut text: Vec<char> = rule.to_string().chars().collect();
        let cut = cut.index(text.len());
        text.splice(cut..=cut, put.chars());
        let text: String = text.into_iter().collect();
        if let Err(error) = text.parse::<Rule>() {
            prop_assert!(error.column >= 1 && error.column <= text.chars().count() + 1, "{}: {}", text, error);
        }
    }
}
