//! Marks on calls: set, found again, copied together, and how long they are kept.

use voltergeist::{
    console::model::Effect,
    domain::{model::protocol::Operation, state::journal::Bounds},
};

use super::{
    fixture::{Fixture, TestConsole, call},
    keys::{asked, console},
};

#[test]
fn a_mark_is_set_on_a_call_and_found_again() {
    let fixture = asked(30);
    let mut console = console(&fixture);
    console.press("up up ' A G");
    assert_eq!(
        console.app.selected().map(|entry| entry.seq),
        fixture.entries().last().map(|entry| entry.seq)
    );
    console.press("' a");
    let expected = fixture.entries()[fixture.entries().len() - 3].seq;
    assert_eq!(console.app.selected().map(|entry| entry.seq), Some(expected), "{}", console.screen());
    assert!(console.screen().lines().any(|line| line.contains("\u{2503}a") && line.contains("v28")));
    console.press("' b");
    assert!(console.screen().contains("there is no mark b"), "{}", console.screen());
    console.press("z ' a");
    console.look(&fixture);
    assert_eq!(console.app.selected().and_then(|entry| entry.call_number()), Some(28));
}

#[test]
fn several_marked_calls_are_copied_together() {
    let fixture = asked(5);
    let mut console = console(&fixture);
    for (keys, expected) in [
        ("up ' '", "1 entry marked; y and Y copy it"),
        ("' '", "no entry is marked any more"),
        ("' ' up ' '", "2 entries marked; y and Y copy them"),
    ] {
        console.press(keys);
        assert!(console.screen().contains(expected), "{keys}: no {expected:?} in\n{}", console.screen());
    }
    let effects = console.press("y");
    let [Effect::Copy(text)] = &effects[..] else { panic!("{effects:?}") };
    let volumes: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect();
    assert_eq!(volumes.iter().map(|entry| entry["volume"].clone()).collect::<Vec<_>>(), ["v3", "v4"]);
    assert!(console.screen().contains("copied 2 marked entries as JSON lines"), "{}", console.screen());
    console.press("esc");
    let effects = console.press("y");
    assert!(matches!(&effects[..], [Effect::Copy(text)] if text.lines().count() == 1), "{effects:?}");
}

/// A console on thirty calls, with mark a on one and two others marked together.
fn marked(fixture: &Fixture) -> TestConsole {
    let mut console = console(fixture);
    console.press("up up ' A up ' ' up ' ' G");
    console
}

/// Where mark a leads to, or what is said instead.
fn found(console: &mut TestConsole, fixture: &Fixture) -> Result<u64, String> {
    console.press("G ' a");
    console.look(fixture);
    let screen = console.screen();
    match screen.lines().find(|line| line.contains("mark a")) {
        Some(line) => Err(line.trim().to_owned()),
        None => Ok(console.app.selected().and_then(|entry| entry.call_number()).expect("a call is selected")),
    }
}

#[test]
fn marks_are_kept_over_filters_pauses_groups_and_sorting() {
    let mut fixture = asked(30);
    let mut console = marked(&fixture);
    console.press("/");
    console.type_text("volume:v1*", &fixture);
    console.press("enter");
    console.look(&fixture);
    assert_eq!(
        found(&mut console, &fixture),
        Err("the call with mark a does not match the filter; Esc clears it".into())
    );
    let effects = console.press("y");
    assert_eq!(effects, [], "{}", console.screen());
    assert!(console.screen().contains("none of the marked entries is shown"), "{}", console.screen());
    console.press("/");
    console.press("ctrl-u");
    console.type_text("volume:v26", &fixture);
    console.press("enter");
    console.look(&fixture);
    assert!(matches!(&console.press("y")[..], [Effect::Copy(text)] if text.lines().count() == 1));
    assert!(console.screen().contains("copied 1 of 2 marked entries"), "{}", console.screen());
    console.press("/ ctrl-u enter");
    console.look(&fixture);
    assert_eq!(found(&mut console, &fixture), Ok(28));
    for keys in ["space", "space", "z", "z z", "s", "s"] {
        console.press(keys);
        console.look(&fixture);
        assert_eq!(found(&mut console, &fixture), Ok(28), "after {keys:?}");
    }
    console.press(":");
    console.type_text("sort volume", &fixture);
    console.press("enter");
    fixture.call(call(Operation::Get, "new"));
    console.look(&fixture);
    assert_eq!(found(&mut console, &fixture), Ok(28));
    assert!(matches!(&console.press("y")[..], [Effect::Copy(text)] if text.lines().count() == 2));
}

#[test]
fn marks_end_with_their_entries() {
    let mut fixture = asked(30);
    let mut console = marked(&fixture);
    fixture.command("reset", "counters and journal reset", Vec::new());
    fixture.call(call(Operation::Get, "after"));
    console.look(&fixture);
    assert!(found(&mut console, &fixture).is_err_and(|said| said.starts_with("there is no mark a")));
    assert!(matches!(&console.press("y")[..], [Effect::Copy(text)] if text.lines().count() == 1));

    let mut fixture = asked(30);
    fixture.again(None, Bounds { entries: 40, ..Bounds::default() });
    let mut console = marked(&fixture);
    console.press("space");
    (0..40).for_each(|_| drop(fixture.call(call(Operation::Get, "more"))));
    console.look(&fixture);
    assert_eq!(found(&mut console, &fixture), Ok(28), "a paused list shows it still");
    console.press("space");
    console.look(&fixture);
    assert!(found(&mut console, &fixture).is_err_and(|said| said.starts_with("there is no mark a")));
}
