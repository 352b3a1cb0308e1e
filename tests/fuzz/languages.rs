//! Rules, filters, expectations and commands.

use std::{fmt::Display, str::FromStr};

use voltergeist::domain::{
    lang::{command::Command, expectation::Expectation, filter::Filter},
    rules::Rule,
};

use crate::{corpus::Corpus, fuzz};

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

/// A test of a text.
fn of_text(test: impl Fn(&str)) -> impl Fn(&[u8]) {
    move |bytes| test(&String::from_utf8_lossy(bytes))
}

#[test]
fn a_rule_is_refused_in_one_of_its_columns_or_read_back() {
    let test = of_text(|rule| {
        is_read_back::<Rule>(rule);
        if let Err(error) = rule.parse::<Rule>() {
            assert!((1..=rule.chars().count() + 1).contains(&error.column), "{rule:?}: {error}");
        }
    });
    fuzz!(Corpus::lines("rules.txt", &WORDS), test);
}

#[test]
fn a_command_is_refused_or_read_back() {
    fuzz!(Corpus::lines("commands.txt", &WORDS), of_text(is_read_back::<Command>));
}

#[test]
fn a_filter_is_refused_or_read() {
    fuzz!(Corpus::lines("filters.txt", &WORDS), of_text(|filter| drop(filter.parse::<Filter>())));
}

#[test]
fn an_expectation_is_refused_in_one_of_its_columns_or_read_back() {
    let test = of_text(|expectation| {
        is_read_back::<Expectation>(expectation);
        if let Err(error) = expectation.parse::<Expectation>() {
            assert!(
                (1..=expectation.chars().count() + 1).contains(&error.column),
                "{expectation:?}: {error}"
            );
        }
    });
    fuzz!(Corpus::lines("expectations.txt", &EXPECTED), test);
}

#[test]
fn the_corpora_are_valid() {
    fn check<T: FromStr<Err: Display>>(name: &str) {
        Corpus::lines(name, &WORDS).each(of_text(|text| {
            let problem = text.parse::<T>().err().map(|error| error.to_string());
            assert_eq!(problem, None, "{text}");
        }));
    }
    check::<Rule>("rules.txt");
    check::<Command>("commands.txt");
    check::<Filter>("filters.txt");
    check::<Expectation>("expectations.txt");
}
