//! Whole commands: parsed, printed, rejected.

use proptest::prelude::*;

use super::{Command, Outage, ReleaseTarget, Target};
use crate::domain::rules::{Action, ErrorForm, ReleaseAction, escape};

#[test]
fn a_printed_command_is_the_command_again() {
    for (line, printed) in [
        ("arm get: empty as ghost", ""),
        ("arm --dry-run mount: fail \"no\"", ""),
        ("arm --yes list: null-entry", ""),
        ("arm list: null-entry as x --yes --dry-run", "arm --dry-run --yes list: null-entry as x"),
        ("arm  get:  fail \"a --yes\"", "arm get: fail \"a --yes\""),
        ("disarm 3", ""),
        ("disarm ghost", ""),
        ("disarm all", ""),
        ("release", ""),
        ("release 12", ""),
        ("release all", ""),
        ("release 41: fail \"no\"", ""),
        ("release 41: empty after", ""),
        ("release:reset", "release: reset"),
        ("release all : fail \"no\" as json500", "release all: fail \"no\" as json500"),
        ("release --yes 41: null-entry", ""),
        ("release 41: reply {\"Err\":\"…\"}", ""),
        (
            "release 41: reply {\n  \"Volume\": { \"Name\": \"a b\" },\n  \"x\": 1\n} as json500 after",
            "release 41: reply {\"Volume\":{\"Name\":\"a b\"},\"x\":1} as json500 after",
        ),
        ("release 41: reply \"half of {\\\"Vol\" before", ""),
        ("release 41: reply \"{}\"", ""),
        ("release 41: reply \"{}\\n\"", "release 41: reply {}"),
        ("seed 7", ""),
        ("forget db1", ""),
        ("forget a:b,c=\"d\"", ""),
        ("forget \"two words\"", ""),
        ("restore \"\\\"quoted\\\"\"", ""),
        ("conjure cache", ""),
        ("conjure cache size=5 tier=gold", ""),
        (
            "conjure \"my cache\" \"a=b\"=\"two words\" empty= x=y=z",
            "conjure \"my cache\" \"a=b\"=\"two words\" empty=\"\" x=y=z",
        ),
        ("wipe", ""),
        ("unmount db1", ""),
        ("down refuse", ""),
        ("down blackhole for 15s", ""),
        ("up", ""),
        ("crash keep", ""),
        ("crash lose", ""),
        ("reset", ""),
        ("note look  here", ""),
        ("save /tmp/a.jsonl", ""),
        ("save \"/tmp/a b.jsonl\"", ""),
        (
            "save a.jsonl where  op:mount,get -vol:\"two words\"",
            "save a.jsonl where operation:mount,get -volume:\"two words\"",
        ),
        ("play empty-retry", ""),
        ("play null-entry --dangerous --step", "play null-entry --step --dangerous"),
        ("play pause", ""),
        ("play \"pause\"", ""),
        ("play \"--step\" --step", ""),
        ("play next", ""),
        ("play continue", ""),
        ("play stop", ""),
        ("speed 2", ""),
        ("speed 0.25", ""),
        ("speed pause", ""),
        ("speed continue", ""),
        ("  quit  ", "quit"),
    ] {
        let command: Command = line.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(command.to_string(), if printed.is_empty() { line } else { printed });
        assert_eq!(command.to_string().parse(), Ok(command), "{line}");
    }
}

#[test]
fn an_error_has_a_column_and_the_usage() {
    for (line, expected) in [
        ("", "column 1: unknown command \"\"; commands: arm"),
        (
            "mount: fail once",
            "column 1: unknown command \"mount\"; rules begin with arm: arm mount: fail once",
        ),
        ("get,list first 2: empty", "column 1: unknown command \"get,list\"; rules begin with arm"),
        ("fail mount", "column 1: unknown command \"fail\"; rules begin with arm"),
        ("hold mount", "column 1: unknown command \"hold\"; rules begin with arm"),
        ("status", "column 1: unknown command \"status\"; GET /v1/state of the control API has the state"),
        ("mont: fail", "column 1: unknown command \"mont\"; rules begin with arm"),
        ("dwon refuse", "column 1: unknown command \"dwon\", did you mean \"down\"?; commands: arm"),
        ("disarm", "column 7: missing label, ID or \"all\"; usage: disarm LABEL|ID|all"),
        (
            "release me",
            "column 9: found \"me\", expected a call number or \"all\"; usage: release [--yes] [CALL|all]",
        ),
        ("release 4 5", "column 11: unexpected \"5\"; usage: release [--yes] [CALL|all] [: ACTION]"),
        ("release 4:", "column 11: unexpected end, expected an action: pass"),
        ("release 4: hold", "column 12: \"hold\" holds calls itself; expected another action"),
        ("release 4: fial \"no\"", "column 12: found \"fial\", did you mean \"fail\"?; expected an action:"),
        ("release 4: fail no", "column 17: found \"no\", expected a message in double quotes"),
        ("release 4: empty once", "column 18: found \"once\", expected before, after, twice or the end"),
        ("release 4: truncate before", "column 21: \"truncate\" sends the result of the driver's work"),
        (
            "release 4: reply",
            "column 17: unexpected end, expected a body: JSON that starts with { or [, or a text",
        ),
        ("release 4: reply null", "column 18: found \"null\", expected a body: JSON that starts"),
        ("release 4: reply {\"ü\":}", "column 23: invalid JSON: expected value; quote a text"),
        ("release 4: reply {\"a\":1", "column 24: invalid JSON: EOF while parsing an object"),
        ("down", "column 5: missing outage type; usage: down refuse|"),
        ("down sideways", "column 6: found \"sideways\", expected an outage type; usage: down refuse|"),
        ("down rest", "column 6: found \"rest\", did you mean \"reset\"?; expected an outage type"),
        ("down refuse until 3", "column 13: found \"until\", expected \"for\""),
        ("down refuse for ever", "column 17: invalid duration \"ever\"; examples: 200ms 15s 2m"),
        ("up now", "column 4: unexpected \"now\"; usage: up"),
        ("seed x", "column 6: invalid number \"x\""),
        ("forget", "column 7: missing volume name; usage: forget VOL"),
        ("forget \"open", "column 8: invalid quoted text"),
        ("forget two words", "column 12: unexpected \"words\""),
        ("conjure v size", "column 11: found \"size\", expected k=v"),
        ("crash", "column 6: missing keep or lose"),
        ("crash hard", "column 7: found \"hard\", expected keep or lose; usage: crash keep|lose"),
        ("crash loose", "column 7: found \"loose\", did you mean \"lose\"?; expected keep or lose"),
        ("play", "column 5: missing scenario; usage: play SCENARIO"),
        ("play list twice", "column 11: found \"twice\", expected --step or --dangerous"),
        (
            "play list --stp",
            "column 11: found \"--stp\", did you mean \"--step\"?; expected --step or --dangerous",
        ),
        ("play stop now", "column 11: unexpected \"now\""),
        ("speed", "column 6: missing speed; usage: speed N|pause|continue"),
        ("speed slow", "column 7: found \"slow\", expected pause, continue or a number from 0.1 to 64"),
        ("speed 0", "column 7: found \"0\", expected pause, continue or a number from 0.1 to 64"),
        ("speed NaN", "column 7: found \"NaN\", expected pause, continue or a number from 0.1 to 64"),
        ("note  ", "column 7: missing text"),
        ("save", "column 5: missing path; usage: save PATH [where FILTER]"),
        ("save \"\"", "column 6: missing path"),
        ("save a b", "column 8: found \"b\", expected \"where\"; quote a path with spaces"),
        ("save a where", "column 13: missing filter"),
        ("save a where op:get op:mont", "column 24: unknown operation \"mont\", did you mean \"mount\"?"),
        ("arm", "column 4: missing rule"),
        ("arm --yes", "column 10: missing rule"),
        (
            "arm --dryrun mount: null",
            "column 5: unknown flag \"--dryrun\", did you mean \"--dry-run\"?; usage: arm",
        ),
        (
            "arm --yes --quiet mount: null",
            "column 11: unknown flag \"--quiet\"; usage: arm [--dry-run] [--yes] RULE",
        ),
        ("arm größe: null --dry_run", "column 17: unknown flag \"--dry_run\", did you mean \"--dry-run\"?"),
        ("arm mount: null --now --yes", "column 17: found \"--now\", expected"),
        ("arm  --yes größe: null", "column 12: found \"größe\", expected an operation"),
        ("arm mount: null --now", "column 17: found \"--now\", expected"),
    ] {
        let error = line.parse::<Command>().expect_err(line).to_string();
        assert!(error.starts_with(expected), "{line}: {error}");
    }
}

/// A release action with any text, or with any document in any layout.
fn release_action() -> impl Strategy<Value = ReleaseAction> {
    let body = prop_oneof![
        any::<String>(),
        "[ -~]{0,9}\n?",
        prop::sample::select(vec![
            "{}\n",
            "{ }\n",
            "{}",
            "[1, 2]\n",
            "{\"Err\": \"a\\nb\"}",
            "null\n",
            "\"x\"\n",
            ""
        ])
        .prop_map(str::to_owned),
    ];
    let placeholders = ["{volume}", "[{original}]", "{\"A\":\"{opt.x}{{y\"}\n", "{{{id}"].map(str::to_owned);
    let template =
        prop_oneof![prop::sample::select(placeholders.to_vec()), body.clone().prop_map(|text| escape(&text))];
    let form = || prop::sample::select(&ErrorForm::ALL);
    let action = prop_oneof![
        (template, form()).prop_map(|(body, form)| Action::Reply { body, form }),
        (body, form()).prop_map(|(text, form)| Action::reply(&text, form)),
        (any::<String>(), form()).prop_map(|(message, form)| Action::Fail { message, form }),
        prop::sample::select(vec![
            Action::Pass,
            Action::Empty,
            Action::Reset,
            Action::NullEntry,
            Action::Lie
        ]),
    ];
    (action, any::<prop::sample::Index>())
        .prop_map(|(action, phase)| ReleaseAction { phase: *phase.get(action.phases()), action })
}

fn command() -> impl Strategy<Value = Command> {
    let name = || prop_oneof!["[a-z]{1,5}", any::<String>()];
    let options = prop::collection::btree_map(name(), name(), 0..3);
    let text = || "[^\\s]([ -~]{0,9}[^\\s])?";
    let released = prop_oneof![
        Just(ReleaseTarget::Oldest),
        Just(ReleaseTarget::All),
        any::<u64>().prop_map(ReleaseTarget::Call)
    ];
    prop_oneof![
        any::<u32>().prop_map(|id| Command::Disarm(Target::Id(id))),
        "[a-z]{1,2}".prop_map(|label| Command::Disarm(Target::Label(label))),
        (released, prop::option::of(release_action()), any::<bool>()).prop_map(
            |(which, release_action, confirmed)| Command::Release { which, release_action, confirmed }
        ),
        any::<u64>().prop_map(Command::Seed),
        name().prop_map(Command::Forget),
        name().prop_map(Command::Restore),
        name().prop_map(Command::Unmount),
        (name(), options).prop_map(|(name, options)| Command::Conjure { name, options }),
        text().prop_map(Command::Note),
        (text(), prop_oneof![Just(String::new()), "[a-z]{1,4} -volume:[a-z*]{1,3}"])
            .prop_map(|(path, filter)| { Command::Save { path, which: filter.parse().expect("it is one") } }),
        (prop::sample::select(&Outage::ALL), 0_u64..1_000_000).prop_map(|(kind, millis)| Command::Down {
            kind,
            lasting: Some(std::time::Duration::from_millis(millis)),
        }),
    ]
}

proptest! {
    #[test]
    fn every_printed_command_parses_to_the_same_command(command in command()) {
        let printed = command.to_string();
        prop_assert_eq!(printed.parse(), Ok(command), "{}", printed);
    }

    #[test]
    fn no_line_makes_the_parser_panic(line in "(arm|disarm|conjure|down|forget|save)? ?.{0,20}") {
        let _ = line.parse::<Command>();
    }
}
