use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::domain::model::{
    entry::{CommandRun, RuleEvent, RuleText},
    lint::Lint,
    volume::Change,
};

fn call() -> Call {
    Call {
        volume: Some("db1".into()),
        mount_id: Some("7f3a".into()),
        fault: Some(AppliedFault::of_rule(3, Some("slow"), "delay 200ms")),
        outcome: Outcome::Error,
        status: Some(503),
        error: Some("Device busy".into()),
        duration: Duration::from_millis(201),
        lints: vec![Lint::LeakedMount],
        ..Call::ok(Operation::Mount, Caller::Docker)
    }
}

fn entry(kind: EntryKind) -> Entry {
    Entry { seq: 1, at: Timestamp::UNIX_EPOCH, kind }
}

#[test]
fn each_term_asks_about_its_part() {
    let call = entry(EntryKind::Call(Box::new(call())));
    for (filter, expected) in [
        ("", true),
        ("db", true),
        ("busy", true),
        ("nothing", false),
        ("\"device busy\"", true),
        ("op:mount", true),
        ("op:get,mount", true),
        ("op:writes", true),
        ("op:unmount", false),
        ("vol:db", true),
        ("vol:db*", true),
        ("vol:*b", false),
        ("id:7f", true),
        ("id:f3", false),
        ("by:docker", true),
        ("by:podman", false),
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
        ("took>100ms", true),
        ("took<100ms", false),
        ("seq>0 seq<2", true),
        ("seq<1", false),
        ("life:db1", true),
        ("vol:\"db1\"", true),
        ("-db", false),
        ("!op:get", true),
        ("op:mount -fault:*", false),
        ("op:mount status:5xx took>0.2s vol:db* -by:podman", true),
    ] {
        let parsed: Filter = filter.parse().unwrap_or_else(|error| panic!("{filter}: {error}"));
        assert_eq!(parsed.matches(&call), expected, "{filter}");
    }
}

#[test]
fn a_word_finds_whatever_a_row_shows() {
    let ended =
        |change: Call| entry(EntryKind::Call(Box::new(Call { fault: None, mount_id: None, ..change })));
    let rule = RuleText { id: 3, label: None, text: "get: hang".into() };
    for (shown, words) in [
        (ended(call()), &["error", "503", "busy", "leaked"][..]),
        (ended(Call { error: None, status: None, ..call() }), &["error", "\"no answer\""]),
        (ended(Call { outcome: Outcome::Ok, error: None, status: Some(200), ..call() }), &["ok"]),
        (ended(Call { outcome: Outcome::Cancelled, ..call() }), &["cancelled", "gave"]),
        (ended(Call { outcome: Outcome::Panicked, ..call() }), &["PANICKED"]),
        (entry(EntryKind::Rule(RuleEvent::Spent(rule))), &["spent", "hang", "\"rule 3\""]),
    ] {
        for word in words {
            assert!(word.parse::<Filter>().expect(word).matches(&shown), "{word}: {shown:?}");
        }
        assert!(!"impossible".parse::<Filter>().expect("a word").matches(&shown));
    }
}

#[test]
fn what_asks_about_a_call_holds_for_no_other_entry() {
    let command = entry(EntryKind::Command(CommandRun {
        command: "forget db1".into(),
        result: "gone".into(),
        changes: Vec::new(),
    }));
    for (filter, expected) in
        [("db1", true), ("kind:command", true), ("op:any", false), ("-op:any", true), ("vol:*", false)]
    {
        assert_eq!(filter.parse::<Filter>().expect(filter).matches(&command), expected, "{filter}");
    }
}

#[test]
fn a_wrong_filter_is_told_where_and_what() {
    for (filter, expected) in [
        ("op:mont", "column 4: \"mont\" is no call, did you mean \"mount\"?"),
        ("op:mnt", "column 4: \"mnt\" is no call, did you mean \"mount\"?"),
        ("-op:get,größe,x", "column 9: \"größe\" is no call"),
        ("-vold:db", "column 2: \"vold\" is no key"),
        ("db  status:9", "column 12: \"9\" is no status"),
        ("vold:db", "column 1: \"vold\" is no key, did you mean \"vol:\"?"),
        ("vol:", "column 5: after vol: there is nothing"),
        ("vol:[", "column 5: "),
        ("took:5s", "column 6: took is compared"),
        ("seq:5", "column 5: seq is compared"),
        ("seq>x", "column 5: \"x\" is no number"),
        ("vol: \"db\"", "column 5: after vol: there is nothing"),
        ("vol:\"db", "column 1: the quoted text"),
        ("took>5", "column 6: \"5\" is no duration"),
        ("-by:me", "column 5: \"me\" is no caller"),
        ("\"open", "column 1: the quoted text"),
        ("a=b outcome:eror", "column 13: \"eror\" is no outcome, did you mean \"error\"?"),
    ] {
        let error = filter.parse::<Filter>().expect_err(filter).to_string();
        assert!(error.starts_with(expected), "{filter}: {error}");
    }
}

#[test]
fn a_life_is_told_by_what_changes_it() {
    let ended = |call: Call| entry(EntryKind::Call(Box::new(call)));
    let asked = Call { operation: Some(Operation::Get), fault: None, ..call() };
    let command = |changes| {
        entry(EntryKind::Command(CommandRun { command: String::new(), result: String::new(), changes }))
    };
    let forgotten = |name: &str| command(vec![Change::Forgotten { name: name.into() }]);
    let life = Filter::life_of("db1");
    for (told, expected) in [
        (ended(call()), true),
        (ended(asked.clone()), false),
        (ended(Call { fault: call().fault, ..asked }), true),
        (ended(Call { volume: Some("db12".into()), ..call() }), false),
        (forgotten("db1"), true),
        (forgotten("db2"), false),
        (command(vec![Change::AllDeleted]), true),
        (command(Vec::new()), false),
    ] {
        assert_eq!(life.matches(&told), expected, "{told:?}");
    }
}

#[test]
fn a_printed_filter_is_the_filter_again() {
    for (filter, printed) in [
        ("", ""),
        ("db  -busy !op:get,mount", "db -busy -op:get,mount"),
        ("op:reads", "op:get,list,path,capabilities"),
        ("\"device busy\" \"op:mount\" \"-x\" -\"\"", ""),
        ("vol:db* vol:\"two words\" id:7f by:podman fault:* lint:leaked", ""),
        (
            "status:5XX outcome:held outcome:error kind:note",
            "status:5xx outcome:held outcome:error kind:note",
        ),
        ("took>0.2s took<2m seq>3 seq<9 life:größe", "took>200ms took<2m seq>3 seq<9 life:größe"),
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
        terms in prop::collection::vec(("-?", "(vol:|id:|fault:|lint:|life:|op:|took>|seq<|)", "[ -~]{0,6}|\"[a-z -]{0,6}\"|get|5s|7"), 0..4),
        life in any::<String>(),
    ) {
        let text: Vec<String> = terms.into_iter().map(|(sign, key, value)| sign + &key + &value).collect();
        if let Ok(filter) = text.join(" ").parse::<Filter>() {
            prop_assert_eq!(filter.to_string().parse(), Ok(filter.clone()), "{}", filter);
        }
        if !life.is_empty() {
            let filter = Filter::life_of(&life).until(3);
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
