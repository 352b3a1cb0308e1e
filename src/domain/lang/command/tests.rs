//! Commands as a whole: read, printed, refused.

use proptest::prelude::*;

use super::{Command, Outage, ReleaseTarget, Target};
use crate::domain::rules::{Action, ErrorShape, ReleaseAction};

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
            "save a.jsonl where op:mount,get -vol:\"two words\"",
        ),
        ("play empty-retry", ""),
        ("play null-entry --dangerous --step", "play null-entry --step --dangerous"),
        ("play pause", ""),
        ("play \"pause\"", ""),
        ("play \"--step\" --step", ""),
        ("play next", ""),
        ("play go", ""),
        ("play stop", ""),
        ("pace 2", ""),
        ("pace 0.25", ""),
        ("pace pause", ""),
        ("pace go", ""),
        ("  quit  ", "quit"),
    ] {
        let command: Command = line.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(command.to_string(), if printed.is_empty() { line } else { printed });
        assert_eq!(command.to_string().parse(), Ok(command), "{line}");
    }
}

#[test]
fn a_wrong_line_is_told_where_and_what() {
    for (line, expected) in [
        ("", "column 1: \"\" is no command; one of: arm"),
        ("dwon refuse", "column 1: \"dwon\" is no command, did you mean \"down\"?"),
        ("disarm", "column 7: what to disarm is missing"),
        ("release me", "column 9: \"me\" is neither a number nor \"all\""),
        ("release 4 5", "column 11: \"5\" is too much; the form is: release [--yes] [CALL|all] [: ACTION]"),
        ("release 4:", "column 11: the rule ends here, expected what is to happen: pass"),
        ("release 4: hold", "column 12: \"hold\" would keep it waiting; expected how it is to end"),
        (
            "release 4: fial \"no\"",
            "column 12: found \"fial\", did you mean \"fail\"?; expected what is to happen:",
        ),
        ("release 4: fail no", "column 17: found \"no\", expected the message in double quotes"),
        ("release 4: empty once", "column 18: found \"once\", expected before, after, twice or the end"),
        ("release 4: truncate before", "column 21: \"truncate\" sends what comes of the work"),
        (
            "release 4: reply",
            "column 17: the rule ends here, expected the body: JSON that begins with { or [, or a text",
        ),
        ("release 4: reply null", "column 18: found \"null\", expected the body: JSON that begins"),
        (
            "release 4: reply {\"ü\":}",
            "column 23: this is no JSON: expected value; any other text stands in double",
        ),
        ("release 4: reply {\"a\":1", "column 24: this is no JSON: EOF while parsing an object"),
        ("down", "column 5: the kind is missing; the form is: down refuse|"),
        ("down sideways", "column 6: \"sideways\" is no kind of outage;"),
        ("down rest", "column 6: \"rest\" is no kind of outage, did you mean \"reset\"?"),
        ("down refuse until 3", "column 13: expected \"for\", found \"until\""),
        ("down refuse for ever", "column 17: \"ever\" is no duration"),
        ("up now", "column 4: \"now\" is too much; the form is: up"),
        ("seed x", "column 6: \"x\" is no whole number"),
        ("forget", "column 7: the volume's name is missing"),
        ("forget \"open", "column 8: the quoted text does not end well"),
        ("forget two words", "column 12: \"words\" is too much"),
        ("conjure v size", "column 11: \"size\" is no k=v"),
        ("crash", "column 6: keep or lose is missing"),
        ("crash hard", "column 7: expected keep or lose, found \"hard\""),
        ("play", "column 5: the card is missing; the form is: play CARD"),
        ("play list twice", "column 11: expected --step or --dangerous, found \"twice\""),
        ("play stop now", "column 11: \"now\" is too much"),
        ("pace", "column 5: how fast is missing"),
        ("pace slow", "column 6: \"slow\" is neither pause nor go nor a number from 0.1 to 50"),
        ("pace 0", "column 6: \"0\" is neither"),
        ("pace NaN", "column 6: \"NaN\" is neither"),
        ("note  ", "column 7: the text is missing"),
        ("save", "column 5: the path is missing; the form is: save PATH [where FILTER]"),
        ("save \"\"", "column 6: the path is missing"),
        ("save a b", "column 8: expected \"where\", found \"b\"; a path with spaces stands in double quotes"),
        ("save a where", "column 13: the filter is missing"),
        ("save a where op:get op:mont", "column 24: \"mont\" is no call, did you mean \"mount\"?"),
        ("arm", "column 4: the rule is missing"),
        ("arm --yes", "column 10: the rule is missing"),
        (
            "arm --dryrun mount: null",
            "column 5: \"--dryrun\" is no flag, did you mean \"--dry-run\"?; the form is: arm",
        ),
        (
            "arm --yes --quiet mount: null",
            "column 11: \"--quiet\" is no flag; the form is: arm [--dry-run] [--yes] RULE",
        ),
        ("arm größe: null --dry_run", "column 17: \"--dry_run\" is no flag, did you mean \"--dry-run\"?"),
        ("arm mount: null --now --yes", "column 17: found \"--now\", expected"),
        ("arm  --yes größe: null", "column 12: found \"größe\", expected a call"),
        ("arm mount: null --now", "column 17: found \"--now\", expected"),
    ] {
        let error = line.parse::<Command>().expect_err(line).to_string();
        assert!(error.starts_with(expected), "{line}: {error}");
    }
}

/// How a call may be let go: with any text, and with any document however it is laid out.
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
    let shape = || prop::sample::select(&ErrorShape::ALL);
    let action = prop_oneof![
        (body.clone(), shape()).prop_map(|(body, shape)| Action::Reply { body, shape }),
        (body, shape()).prop_map(|(text, shape)| Action::reply(&text, shape)),
        (any::<String>(), shape()).prop_map(|(message, shape)| Action::Fail { message, shape }),
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
        (text(), prop_oneof![Just(String::new()), "[a-z]{1,4} -vol:[a-z*]{1,3}"])
            .prop_map(|(path, filter)| { Command::Save { path, which: filter.parse().expect("it is one") } }),
        (prop::sample::select(&Outage::ALL), 0_u64..1_000_000).prop_map(|(kind, millis)| Command::Down {
            kind,
            lasting: Some(std::time::Duration::from_millis(millis)),
        }),
    ]
}

proptest! {
    #[test]
    fn every_command_is_read_as_it_was_printed(command in command()) {
        let printed = command.to_string();
        prop_assert_eq!(printed.parse(), Ok(command), "{}", printed);
    }

    #[test]
    fn no_line_makes_the_reader_panic(line in "(arm|disarm|conjure|down|forget|save)? ?.{0,20}") {
        let _ = line.parse::<Command>();
    }
}
