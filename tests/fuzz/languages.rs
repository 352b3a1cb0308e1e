//! Rules, filters, expectations and commands.

use std::{fmt::Display, str::FromStr};

use bolero::check;
use voltergeist::domain::{
    lang::{command::Command, expectation::Expectation, filter::Filter},
    rules::{EXAMPLES, Rule},
};

use crate::{MAX_INPUT, edited};

const WORDS: [&str; 88] = [
    " ",
    " ",
    " ",
    " ",
    "\"",
    "\\",
    "*",
    "?",
    "[",
    "{",
    "}",
    ",",
    "=",
    ":",
    ": ",
    ";",
    "-",
    "..",
    "%",
    "1",
    "2",
    "30",
    "ms",
    "s",
    "m",
    "activate",
    "create",
    "get",
    "list",
    "path",
    "mount",
    "unmount",
    "remove",
    "capabilities",
    "any",
    "volume",
    "opt.",
    "id=",
    "by=docker",
    "peer=",
    "connection=",
    "known",
    "unknown",
    "mounted",
    "retry",
    "first-contact",
    " where ",
    " and ",
    "not ",
    "nth ",
    "first ",
    "every ",
    "after ",
    "per volume ",
    "per id ",
    "chance ",
    "fail ",
    "hang",
    "hold",
    "hold until 3",
    "delay ",
    "empty",
    "reset",
    "eof",
    "lie",
    "stale",
    "truncate",
    "drip ",
    "status 500",
    "reply ",
    "set ",
    "unset ",
    "pass",
    " then ",
    " for ",
    " times ",
    " once",
    " flap ",
    "before",
    "twice",
    "arm ",
    "disarm ",
    "as label",
    "down ",
    "refuse",
    "release ",
    "note ",
    "save ",
];

const COMMANDS: [&str; 22] = [
    "arm get where volume=db*: empty once as empty-get",
    "arm mount first 2 per volume: fail \"busy\"",
    "disarm fail-mounts",
    "disarm all",
    "release 7: empty",
    "release all",
    "move 3 before 1",
    "forget db1",
    "restore db1",
    "conjure db2 size=1",
    "unmount \"my volume\"",
    "down blackhole for 90s",
    "up",
    "crash keep",
    "note it begins",
    "save run.jsonl where volume:db1",
    "load x.rules",
    "play retry --step",
    "play next",
    "speed pause",
    "seed 18446744073709551615",
    "reset",
];

const FILTERS: [&str; 10] = [
    "db1",
    "-volume:db* operation:get,list",
    "by:docker status:5xx",
    "fault:hang outcome:held",
    "lint:leaked-mount",
    "duration>5ms",
    "duration<1s seq>100",
    "kind:command",
    "history:db1",
    "opt.size=1 mounted retry peer:dockerd",
];

const EXPECTATIONS: [&str; 10] = [
    "mount == unmount",
    "capabilities <= 1",
    "lint == 0",
    "0 < open-mounts",
    "sequence get create get mount",
    "sequence activate any where volume=db1 and -retry",
    "count(get where volume=db* and status=5xx) == 3",
    "get, NetworkDriver.GetCapabilities != 7",
    "p99.9(get) < 50ms",
    "max(reads where by=docker and opt.tier=gold) >= p50(mount)",
];

const EXPECTED: [&str; 40] = [
    " ",
    " ",
    " == ",
    " != ",
    "<",
    "<=",
    ">",
    ">=",
    "=",
    "(",
    ")",
    ",",
    "\"",
    "-",
    "!",
    "1",
    "30",
    "50ms",
    "2s",
    "get",
    "mount",
    "reads",
    "any",
    "count(",
    "max(",
    "p99(",
    "p50.5(",
    "p101(",
    "sequence ",
    " where ",
    " and ",
    "volume=",
    "volume:",
    "status=5xx",
    "opt.a=",
    "duration>5ms",
    "lint",
    "held-calls",
    "volumes",
    "*",
];

/// What was read is printed as a text that reads as the same.
fn is_read_back<T: FromStr<Err: Display> + Display + PartialEq + std::fmt::Debug>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        let printed = value.to_string();
        match printed.parse::<T>() {
            Ok(again) => assert_eq!(again, value, "{text:?} was printed as {printed:?}"),
            Err(error) => panic!("{text:?} was printed as {printed:?}: {error}"),
        }
    }
}

#[test]
fn a_rule_is_refused_in_one_of_its_columns_or_read_back() {
    check!().with_max_len(MAX_INPUT).for_each(|bytes: &[u8]| {
        let rule = edited(bytes, &EXAMPLES.map(|(example, _)| example), &WORDS);
        is_read_back::<Rule>(&rule);
        if let Err(error) = rule.parse::<Rule>() {
            assert!((1..=rule.chars().count() + 1).contains(&error.column), "{rule:?}: {error}");
        }
    });
}

#[test]
fn a_command_is_refused_or_read_back() {
    check!()
        .with_max_len(MAX_INPUT)
        .for_each(|bytes: &[u8]| is_read_back::<Command>(&edited(bytes, &COMMANDS, &WORDS)));
}

#[test]
fn a_filter_is_refused_or_read() {
    check!()
        .with_max_len(MAX_INPUT)
        .for_each(|bytes: &[u8]| drop(edited(bytes, &FILTERS, &WORDS).parse::<Filter>()));
}

#[test]
fn an_expectation_is_refused_in_one_of_its_columns_or_read_back() {
    check!().with_max_len(MAX_INPUT).for_each(|bytes: &[u8]| {
        let expectation = edited(bytes, &EXPECTATIONS, &EXPECTED);
        is_read_back::<Expectation>(&expectation);
        if let Err(error) = expectation.parse::<Expectation>() {
            assert!(
                (1..=expectation.chars().count() + 1).contains(&error.column),
                "{expectation:?}: {error}"
            );
        }
    });
}

#[test]
fn what_the_targets_begin_with_is_valid() {
    for expectation in EXPECTATIONS {
        let parsed = expectation.parse::<Expectation>();
        assert!(parsed.is_ok(), "{expectation}: {parsed:?}");
    }
    for command in COMMANDS {
        let parsed = command.parse::<Command>();
        assert!(parsed.is_ok(), "{command}: {parsed:?}");
    }
    for filter in FILTERS {
        let parsed = filter.parse::<Filter>();
        assert!(parsed.is_ok(), "{filter}: {parsed:?}");
    }
}
