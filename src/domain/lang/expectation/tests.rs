use proptest::prelude::*;

use super::*;

/// What is read, and how it is printed where that is another text.
const VALID: [(&str, &str); 17] = [
    ("mount == unmount", ""),
    ("capabilities<=1", "capabilities <= 1"),
    ("lint == 0", ""),
    ("open-mounts == 0", ""),
    ("0 < held-calls", ""),
    ("volumes != open-connections", ""),
    ("sequence get create get mount", ""),
    (
        "sequence  get reads mount where vol=db1 and -retry",
        "sequence get reads mount where volume=db1 and -retry",
    ),
    ("count(get where volume=db* and status=5xx) == 3", "count(get where volume:db* and status:5xx) == 3"),
    ("get where volume=db1 == 3", "count(get where volume=db1) == 3"),
    ("get,list >= 1", "get, list >= 1"),
    ("count( VolumeDriver.Get ) == 1", "get == 1"),
    ("NetworkDriver.GetCapabilities == 0", ""),
    ("p99(get) < 50ms", ""),
    ("p99.9(any where duration>5ms)>=2000ms", "p99.9(any where duration>5ms) >= 2s"),
    (
        "max(writes where by=docker and opt.tier=gold) < p50(mount)",
        "max(writes where by:docker and opt.tier:gold) < p50(mount)",
    ),
    ("count(mount where volume=\"a (b)\" and -known) > 0", ""),
];

#[test]
fn a_printed_expectation_is_the_expectation_again() {
    for (text, printed) in VALID {
        let parsed: Expectation = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        let again = parsed.to_string();
        assert_eq!(again, if printed.is_empty() { text } else { printed });
        assert_eq!(again.parse(), Ok(parsed), "{again}");
    }
}

#[test]
fn an_error_has_a_column_and_says_what_was_expected() {
    for (text, expected) in [
        ("", "column 1: unexpected end, expected a number, a duration, an operation, count(…)"),
        ("mont == 1", "column 1: found \"mont\", did you mean \"mount\"?; expected a number"),
        ("lints == 0", "column 1: found \"lints\", did you mean \"lint\"?"),
        ("sequense get", "column 1: found \"sequense\", did you mean \"sequence\"?"),
        ("mount = unmount", "column 7: found \"=\", expected a comparison: == != <= >= < >"),
        ("mount", "column 6: unexpected end, expected a comparison"),
        ("mount == ", "column 10: unexpected end, expected a number"),
        ("mount == unmuont", "column 10: found \"unmuont\", did you mean \"unmount\"?"),
        ("mount == 1 2", "column 12: found \"2\", expected the end"),
        ("1 == 1", "column 1: nothing is measured on either side"),
        ("mount < 50ms", "column 9: mount is a number, and 50ms is a duration"),
        ("p99(get) < 50", "column 12: p99(get) is a duration; compare it with another, such as 50ms"),
        ("mount == 5x", "column 10: found \"5x\", expected a whole number, or a duration"),
        ("p99 < 50ms", "column 5: found \"<\", expected \"(\" and calls"),
        ("p101(get) < 1s", "column 1: found \"p101\""),
        ("count(get where) == 1", "column 16: unexpected end, expected a term such as volume=db*"),
        (
            "count(get were volume=a) == 1",
            "column 11: found \"were\", did you mean \"where\"?; expected \")\"",
        ),
        (
            "count(get where volum=a) == 1",
            "column 17: found \"volum=a\", did you mean \"volume\"?; expected a term",
        ),
        ("count(get where db1) == 1", "column 17: found \"db1\", expected a term"),
        ("count(get where volume==db1) == 0", "column 24: write one ="),
        ("count(get where status=9) == 1", "column 24: invalid status \"9\""),
        ("count(get where by=me and retry) == 1", "column 20: unknown caller \"me\""),
        ("sequence", "column 9: unexpected end, expected an operation: activate"),
        ("sequence get craete", "column 14: found \"craete\", did you mean \"create\"?"),
    ] {
        let error = text.parse::<Expectation>().expect_err(text).to_string();
        assert!(error.starts_with(expected), "{text}: {error}");
    }
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(VALID.map(|(text, _)| text.to_owned()).to_vec()),
        "(mount|get, list|count\\(|p99\\(|max\\(|sequence|where|and|volume=|volume:|opt\\.a=|fault=|==|<|\\)|5ms|7|lint)",
        "[ -~]{0,6}",
    ]
}

proptest! {
    #[test]
    fn every_expectation_is_read_as_it_was_printed(words in prop::collection::vec(word(), 0..6)) {
        if let Ok(expectation) = words.join(" ").parse::<Expectation>() {
            let printed = expectation.to_string();
            prop_assert_eq!(printed.parse(), Ok(expectation), "{}", printed);
        }
    }

    #[test]
    fn any_name_of_a_volume_can_be_asked_for(name in "[^*?\\[{}\\\\]+") {
        let name = crate::domain::lang::lexer::quote(&name);
        let text = format!("count(get where volume={name}) == 1");
        let expectation: Expectation = text.parse().expect("an expectation");
        prop_assert_eq!(expectation.to_string().parse(), Ok(expectation.clone()), "{}", expectation);
    }
}
