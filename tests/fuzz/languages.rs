//! Rules, filters and commands.

use std::{fmt::Display, str::FromStr};

use bolero::check;
use voltergeist::domain::{
    lang::{command::Command, filter::Filter},
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
fn what_the_targets_begin_with_is_valid() {
    for command in COMMANDS {
        let parsed = command.parse::<Command>();
        assert!(parsed.is_ok(), "{command}: {parsed:?}");
    }
    for filter in FILTERS {
        let parsed = filter.parse::<Filter>();
        assert!(parsed.is_ok(), "{filter}: {parsed:?}");
    }
}
