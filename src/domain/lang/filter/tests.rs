use jiff::Timestamp;
use proptest::prelude::*;
use strum::VariantNames as _;

use super::*;
use crate::domain::model::{
    entry::{CommandRun, Gap, RuleEvent, RuleText},
    lint::Lint,
    volume::Change,
};

fn call() -> Call {
    Call {
        volume: Some("db1".into()),
        mount_id: Some("7f3a".into()),
        mounted: true,
        fault: Some(AppliedFault::of_rule(3, Some("slow"), "delay 200ms").into()),
        outcome: Outcome::Error,
        status: Some(503),
        error: Some("Device busy".into()),
        duration: Duration::from_millis(201),
        lints: vec![Lint::LeakedMount],
        ..Call::ok(Operation::Mount, Caller::Docker)
    }
}

fn entry(kind: EntryKind) -> Entry {
    Entry::new(1, Timestamp::UNIX_EPOCH, kind)
}

#[test]
fn every_kind_of_entry_can_be_filtered_for() {
    for kind in EntryKind::VARIANTS {
        let filter: Filter = format!("kind:{kind}").parse().expect(kind);
        assert_eq!(filter.to_string(), format!("kind:{kind}"));
        assert_eq!(filter.matches(&entry(EntryKind::Unknown)), *kind == "unknown", "{kind}");
        let gap = Gap { first: 2, missed: 1, reason: "a full disk".to_owned() };
        assert_eq!(filter.matches(&entry(EntryKind::Gap(gap.into()))), *kind == "gap", "{kind}");
    }
}

#[test]
fn a_word_for_an_outcome_leads_to_the_term() {
    for (filter, expected) in [
        ("failed", ", did you mean outcome:error?"),
        ("db1 Failure", ", did you mean outcome:error?"),
        ("cancel", ", did you mean outcome:cancelled?"),
        ("outcome:error", ""),
        ("fa", ""),
        ("db1", ""),
    ] {
        assert_eq!(filter.parse::<Filter>().expect(filter).did_you_mean(), expected, "{filter}");
    }
}

#[test]
fn each_term_tests_its_property() {
    let call = entry(EntryKind::Call(Box::new(call())));
    for (filter, expected) in [
        ("", true),
        ("db", true),
        ("busy", true),
        ("nothing", false),
        ("\"device busy\"", true),
        ("operation:mount", true),
        ("op:mount", true),
        ("operation:get,mount", true),
        ("op:writes", true),
        ("op:unmount", false),
        ("volume:db", true),
        ("vol:db", true),
        ("volume:db*", true),
        ("volume:*b", false),
        ("volume=db1", true),
        ("volume=db", false),
        ("vol=db*", true),
        ("volume=\"db1\"", true),
        ("operation=mount status=5xx id=7f by=docker", true),
        ("fault=slow lint=leaked-mount", true),
        ("lint=leaked", false),
        ("tier=gold", false),
        ("id:7f", true),
        ("id:f3", false),
        ("by:docker", true),
        ("by:podman", false),
        ("mounted", true),
        ("unmounted", false),
        ("\"mounted\"", false),
        ("retry", false),
        ("-retry", true),
        ("opt.tier", false),
        ("fault:*", true),
        ("fault:slow", true),
        ("fault:delay*", true),
        ("fault:3", true),
        ("fault:hang", false),
        ("status:5xx", true),
        ("status:503", true),
        ("status:4xx", false),
        ("outcome:error", true),
        ("outcome:held", false),
        ("lint:*", true),
        ("lint:leaked", true),
        ("lint:path*", false),
        ("kind:call", true),
        ("duration>100ms", true),
        ("took>100ms", true),
        ("duration<100ms", false),
        ("seq>0 seq<2", true),
        ("seq<1", false),
        ("history:db1", true),
        ("life:db1", true),
        ("volume:\"db1\"", true),
        ("-db", false),
        ("!op:get", true),
        ("op:mount -fault:*", false),
        ("op:mount status:5xx duration>0.2s volume:db* -by:podman", true),
    ] {
        let parsed: Filter = filter.parse().unwrap_or_else(|error| panic!("{filter}: {error}"));
        assert_eq!(parsed.matches(&call), expected, "{filter}");
    }
}

#[test]
fn a_word_finds_all_that_a_row_shows() {
    let ended =
        |change: Call| entry(EntryKind::Call(Box::new(Call { fault: None, mount_id: None, ..change })));
    let rule = RuleText { id: 3, label: None, text: "get: hang".into() };
    for (shown, words) in [
        (ended(call()), &["error", "503", "busy", "leaked"][..]),
        (ended(Call { error: None, status: None, ..call() }), &["error", "\"no reply\""]),
        (ended(Call { outcome: Outcome::Ok, error: None, status: Some(200), ..call() }), &["ok"]),
        (ended(Call { outcome: Outcome::Cancelled, ..call() }), &["cancelled", "disconnected"]),
        (ended(Call { outcome: Outcome::Panicked, ..call() }), &["PANICKED"]),
        (entry(EntryKind::Rule(Box::new(RuleEvent::Spent(rule)))), &["spent", "hang", "\"rule 3\""]),
    ] {
        for word in words {
            assert!(word.parse::<Filter>().expect(word).matches(&shown), "{word}: {shown:?}");
        }
        assert!(!"impossible".parse::<Filter>().expect("a word").matches(&shown));
    }
}

#[test]
fn a_term_about_calls_matches_no_other_entry() {
    let command = entry(EntryKind::Command(Box::new(CommandRun {
        command: "forget db1".into(),
        result: "gone".into(),
        origin: Box::default(),
        changes: Vec::new(),
    })));
    for (filter, expected) in [
        ("db1", true),
        ("kind:command", true),
        ("op:any", false),
        ("-op:any", true),
        ("volume:*", false),
        ("unmounted", false),
    ] {
        assert_eq!(filter.parse::<Filter>().expect(filter).matches(&command), expected, "{filter}");
    }
}

#[test]
fn an_error_has_a_column_and_says_what_was_expected() {
    for (filter, expected) in [
        (
            "op:mont",
            "column 4: unknown operation \"mont\", did you mean \"mount\"?; expected one of: activate",
        ),
        ("op:mnt", "column 4: unknown operation \"mnt\", did you mean \"mount\"?"),
        (
            "op:VolumeDriver.Gett",
            "column 4: unknown operation \"VolumeDriver.Gett\", did you mean \"VolumeDriver.Get\"?",
        ),
        ("-op:get,größe,x", "column 9: unknown operation \"größe\"; expected"),
        ("-vold:db", "column 2: unknown term \"vold\""),
        ("db  status:9", "column 12: invalid status \"9\"; examples: 500 5xx"),
        (
            "volum:db",
            "column 1: unknown term \"volum\", did you mean \"volume:\"?; terms: operation: volume:",
        ),
        ("volume:", "column 8: missing value after volume:"),
        ("vol:", "column 5: missing value after volume:"),
        ("vol:[", "column 5: invalid pattern \"[\": unclosed"),
        ("took:5s", "column 6: compare with < or >"),
        ("duration=5s", "column 10: compare with < or >"),
        ("seq:5", "column 5: compare with < or >"),
        ("seq>x", "column 5: invalid number \"x\""),
        ("volume==db1", "column 8: write one =; a value that begins with = is quoted"),
        ("volume==\"db1\"", "column 8: write one ="),
        ("-vol:=db1", "column 6: write one ="),
        ("db opt.tier==gold", "column 13: write one ="),
        ("status==500", "column 8: write one ="),
        ("vol: \"db\"", "column 5: missing value after volume:"),
        ("vol:\"db", "column 1: invalid quoted text"),
        ("took>5", "column 6: invalid duration \"5\""),
        ("duration>5", "column 10: invalid duration \"5\"; examples: 200ms 15s 2m"),
        ("volume>5", "column 1: unknown term \"volume\""),
        ("-by:me", "column 5: unknown caller \"me\"; expected one of: docker"),
        ("\"open", "column 1: invalid quoted text"),
        (
            "a=b outcome:hedl",
            "column 13: unknown outcome \"hedl\", did you mean \"held\"?; expected one of: ",
        ),
        ("kind:comand", "column 6: unknown kind of entry \"comand\", did you mean \"command\"?"),
        ("opt.", "column 1: expected an option key"),
        ("opt.a\"b:c", "column 9: expected an option key"),
        ("opt.tier:[", "column 10: invalid pattern"),
    ] {
        let error = filter.parse::<Filter>().expect_err(filter).to_string();
        assert!(error.starts_with(expected), "{filter}: {error}");
    }
}

#[test]
fn the_history_of_a_volume_is_what_changed_it() {
    let ended = |call: Call| entry(EntryKind::Call(Box::new(call)));
    let asked = Call { operation: Some(Operation::Get), fault: None, ..call() };
    let command = |changes| {
        entry(EntryKind::Command(Box::new(CommandRun {
            command: String::new(),
            result: String::new(),
            origin: Box::default(),
            changes,
        })))
    };
    let forgotten = |name: &str| command(vec![Change::Forgotten { name: name.into() }]);
    let history = Filter::history_of("db1");
    for (entry, expected) in [
        (ended(call()), true),
        (ended(asked.clone()), false),
        (ended(Call { fault: call().fault, ..asked }), true),
        (ended(Call { volume: Some("db12".into()), ..call() }), false),
        (forgotten("db1"), true),
        (forgotten("db2"), false),
        (command(vec![Change::AllDeleted]), true),
        (command(Vec::new()), false),
    ] {
        assert_eq!(history.matches(&entry), expected, "{entry:?}");
    }
}

#[test]
fn a_printed_filter_is_the_filter_again() {
    for (filter, printed) in [
        ("", ""),
        ("db  -busy !op:get,mount", "db -busy -operation:get,mount"),
        ("op:reads,VolumeDriver.Mount", "operation:reads,mount"),
        ("op:NetworkDriver.GetCapabilities", "operation:NetworkDriver.GetCapabilities"),
        ("\"device busy\" \"op:mount\" \"-x\" -\"\" \"mounted\" \"opt.x\"", ""),
        ("volume:db* volume:\"two words\" id:7f by:podman fault:* lint:leaked", ""),
        ("vol:db mounted -unmounted retry opt.tier", "volume:db mounted -unmounted retry opt.tier"),
        ("volume=\"=db\" opt.a=\"==\" a==b", "volume=\"=db\" opt.a:\"==\" a==b"),
        ("opt.tier:gold opt.a=\"b two words\"", "opt.tier:gold opt.a:\"b two words\""),
        (
            "volume=db peer=dockerd vol=db* a=b \"volume=x\" \"a(b)\"",
            "volume=db peer=dockerd volume:db* a=b \"volume=x\" \"a(b)\"",
        ),
        (
            "status:5XX outcome:held outcome:error kind:note",
            "status:5xx outcome:held outcome:error kind:note",
        ),
        ("took>0.2s took<2m seq>3 seq<9 life:größe", "duration>200ms duration<2m seq>3 seq<9 history:größe"),
    ] {
        let parsed: Filter = filter.parse().unwrap_or_else(|error| panic!("{filter}: {error}"));
        let again = parsed.to_string();
        assert_eq!(again, if printed.is_empty() { filter } else { printed });
        assert_eq!(again.parse(), Ok(parsed), "{again}");
    }
}

proptest! {
    #[test]
    fn every_filter_is_read_as_it_was_printed(
        terms in prop::collection::vec(("-?", "(vol:|volume:|volume=|opt.|opt.a:|id:|fault:|fault=|lint:|history:|op:|took>|seq<|)", "[ -~]{0,6}|\"[a-z -]{0,6}\"|get|5s|7|mounted"), 0..4),
        volume in any::<String>(),
    ) {
        let text: Vec<String> = terms.into_iter().map(|(sign, key, value)| sign + &key + &value).collect();
        if let Ok(filter) = text.join(" ").parse::<Filter>() {
            prop_assert_eq!(filter.to_string().parse(), Ok(filter.clone()), "{}", filter);
        }
        if !volume.is_empty() {
            let filter = Filter::history_of(&volume).until(3);
            prop_assert_eq!(filter.to_string().parse(), Ok(filter.clone()), "{}", filter);
        }
    }

    #[test]
    fn no_text_breaks_the_reader(text in ".{0,40}") {
        if let Ok(filter) = text.parse::<Filter>() {
            filter.matches(&entry(EntryKind::Call(Box::new(call()))));
        }
    }
}

#[test]
fn an_option_is_that_of_a_create_request() {
    let create = |body: &str| {
        entry(EntryKind::Call(Box::new(Call {
            request: body.as_bytes().to_vec().into(),
            ..Call::ok(Operation::Create, Caller::Docker)
        })))
    };
    let gold = create(r#"{"Name":"a","Opts":{"tier":"gold"}}"#);
    for (filter, expected) in [
        ("opt.tier", true),
        ("opt.tier:gold", true),
        ("opt.tier:g*", true),
        ("opt.tier:gol", false),
        ("opt.size", false),
    ] {
        assert_eq!(filter.parse::<Filter>().expect(filter).matches(&gold), expected, "{filter}");
    }
    let retry = create("");
    assert!("retry unmounted -opt.tier".parse::<Filter>().expect("a filter").matches(&retry));
    assert!(!"retry".parse::<Filter>().expect("a filter").matches(&gold));
}
