//! Which columns the calls and the volumes have, and by which one they are sorted.

use std::{sync::Arc, time::Duration};

use voltergeist::{
    console::{
        column::Column,
        memory::{Memory, SourceKind},
    },
    domain::model::{
        entry::{Call, ConnectionEvent, EntryKind},
        peer::Peer,
        protocol::Operation,
        speed::DemoSpeed,
    },
};

use super::fixture::{Fixture, TestConsole, call};

/// Calls on several connections, each slower than the one before, but for the last.
fn calls() -> Fixture {
    let mut fixture = Fixture::empty();
    for (connection, (volume, millis)) in
        [("b", 20), ("a", 30), ("d", 400), ("c", 10)].into_iter().enumerate()
    {
        let connection = connection as u64 + 11;
        let peer = Arc::new(Peer::Process { pid: 1234, uid: 0, user: None, name: Some("dockerd".into()) });
        let opened = ConnectionEvent::Opened { connection, peer: Some(Arc::clone(&peer)), first: true };
        fixture.push(EntryKind::Connection(opened));
        fixture.call(Call {
            connection,
            peer: Some(peer),
            duration: Duration::from_millis(millis),
            reply: vec![b' '; millis as usize].into(),
            ..call(Operation::Get, volume)
        });
    }
    fixture
}

#[test]
fn the_picker_says_for_which_columns_there_is_no_room() {
    let fixture = calls();
    for (size, keys, shown, hidden) in [
        ((200, 50), "o", "[ ] status", "no room now"),
        ((80, 24), "o", "no room now  the program that sent it", "no room now  the length"),
        // All together need more than each of them.
        (
            (80, 24),
            "o down down space down space down down down space down space",
            "[x] bytes         no room now",
            "[x] status        no room now",
        ),
    ] {
        let mut console = TestConsole::new(&fixture, size, "default", false);
        console.press(keys);
        let screen = console.screen();
        assert!(screen.contains(shown) && !screen.contains(hidden), "{size:?} {keys}\n{screen}");
    }
}

/// The volumes of the calls in the order of the screen.
fn order(console: &TestConsole) -> String {
    let rows = console.app.calls.visible(100);
    rows.filter_map(|entry| entry.call().and_then(|call| call.volume.as_deref())).collect()
}

/// The order of the volumes on the screen.
fn volumes(console: &TestConsole) -> Vec<String> {
    let volumes = console.app.volumes_in(0..100, &console.snapshot);
    volumes.iter().map(|volume| volume.name.clone()).collect()
}

fn console(fixture: &Fixture) -> TestConsole {
    TestConsole::new(fixture, (160, 40), "default", false)
}

#[test]
fn a_column_is_chosen_and_sorted_by_in_its_picker() {
    let fixture = calls();
    let mut console = console(&fixture);
    assert!(!console.screen().contains("conn"), "{}", console.screen());
    console.press("o");
    let screen = console.screen();
    assert!(screen.contains("Columns of the calls") && screen.contains("[ ] connection"), "{screen}");
    console.press("down down down space");
    assert!(console.screen().contains("[x] connection"), "{}", console.screen());
    console.press("down down down down down down down enter");
    assert!(console.screen().contains("[x] took       ↓"), "{}", console.screen());
    console.press("esc");
    let screen = console.screen();
    assert!(screen.contains("conn") && screen.contains("took↓") && screen.contains("by took ↓"), "{screen}");
    assert_eq!(order(&console), "dabc", "the slowest is the first");
    console.press("o down down down down down down down down down down enter esc");
    assert_eq!(order(&console), "cbad");
    console.press("o end space esc");
    assert!(!console.screen().contains("10 ms"), "{}", console.screen());
    assert_eq!(order(&console), "badc", "what is not shown does not sort");
    assert!(console.screen().contains("auto-scroll on"), "{}", console.screen());
}

#[test]
fn a_sorted_list_keeps_its_order_and_its_selection_while_calls_come() {
    let mut fixture = calls();
    let mut console = console(&fixture);
    console.press(":");
    console.type_text("sort took", &fixture);
    console.press("enter");
    let selected = |console: &TestConsole| {
        console.app.selected().and_then(|entry| entry.call()).and_then(|call| call.volume.clone())
    };
    assert_eq!(selected(&console).as_deref(), Some("d"), "the first of the order is selected");
    console.press("down");
    assert_eq!(selected(&console).as_deref(), Some("a"));
    fixture.call(Call { duration: Duration::from_secs(2), ..call(Operation::Get, "e") });
    fixture.wait(Operation::Mount, "h", "hold");
    console.look(&fixture);
    assert_eq!(order(&console), "edabc", "a call that has not ended has no time yet, and comes last");
    assert_eq!(selected(&console).as_deref(), Some("a"));
    fixture.end_held(Call { duration: Duration::from_secs(1), ..call(Operation::Mount, "h") });
    console.look(&fixture);
    assert_eq!(order(&console), "ehdabc");
    console.press("g");
    assert_eq!(selected(&console).as_deref(), Some("e"));
    fixture.call(Call { duration: Duration::from_secs(3), ..call(Operation::Get, "f") });
    console.look(&fixture);
    assert_eq!(selected(&console).as_deref(), Some("f"), "at the top the order is followed");
    console.press("/");
    console.type_text("op:get", &fixture);
    console.press("enter");
    console.look(&fixture);
    assert_eq!(order(&console), "fedabc");
    fixture.command("reset", "counters and journal reset", Vec::new());
    fixture.call(Call { duration: Duration::from_millis(5), ..call(Operation::Get, "x") });
    fixture.call(Call { duration: Duration::from_millis(9), ..call(Operation::Get, "y") });
    console.look(&fixture);
    assert_eq!(order(&console), "yx");
    console.press(":");
    console.type_text("sort", &fixture);
    console.press("enter");
    assert_eq!(order(&console), "xy");
}

#[test]
fn every_column_of_the_calls_sorts_and_reverses() {
    let fixture = Fixture::busy();
    for column in Column::of(voltergeist::console::model::Pane::Calls) {
        let mut console = console(&fixture);
        let mut sorted = |direction: &str| {
            console.press(":");
            console.type_text(&format!("sort {}{direction}", column.name()), &fixture);
            console.press("enter");
            console.app.calls.visible(100).map(|entry| entry.seq).collect::<Vec<_>>()
        };
        let (one, other) = (sorted(""), sorted(" reverse"));
        assert_eq!(one.len(), other.len());
        // All calls are of one connection and without a peer; and those without a value are last in either direction.
        let is_same = matches!(column, Column::Connection | Column::Peer);
        assert_eq!(one == other, is_same, "{}", column.name());
    }
}

#[test]
fn a_sequence_and_groups_are_in_the_order_of_time() {
    let fixture = calls();
    let mut console = console(&fixture);
    console.press(":");
    console.type_text("sort volume reverse", &fixture);
    console.press("enter");
    assert_eq!(order(&console), "dcba");
    console.press("s");
    assert_eq!(order(&console), "badc");
    console.press("s");
    assert_eq!(order(&console), "dcba");
    console.press("z");
    console.look(&fixture);
    let screen = console.screen();
    assert!(screen.contains("auto-scroll on") && !screen.contains("volume↓"), "{screen}");
}

#[test]
fn volumes_show_what_the_calls_have_said_of_them() {
    let mut fixture = Fixture::empty();
    for name in ["one", "two", "three"] {
        fixture.create(name, &[]);
    }
    fixture.call(Call {
        reply: br#"{"Mountpoint":"/srv/two","Err":""}"#.to_vec().into(),
        ..call(Operation::Mount, "two")
    });
    fixture.pass(60_000);
    fixture.call(Call {
        reply: br#"{"Volumes":[{"Name":"three","Mountpoint":"/srv/three"}]}"#.to_vec().into(),
        ..call(Operation::List, "")
    });
    fixture.call(Call {
        reply: br#"{"Capabilities":{"Scope":"global"}}"#.to_vec().into(),
        ..call(Operation::Capabilities, "")
    });
    fixture.call(call(Operation::Get, "one"));
    let mut console = console(&fixture);
    for line in ["sort mountpoint", "sort scope", "sort last-used"] {
        console.press(":");
        console.type_text(line, &fixture);
        console.press("enter");
        console.look(&fixture);
        if line == "sort mountpoint" {
            assert_eq!(volumes(&console), ["three", "two", "one"], "one has none that is known");
        }
    }
    assert_eq!(volumes(&console), ["one", "two", "three"], "the latest is the first");
    console.press("Z");
    console.press("tab");
    let screen = console.screen();
    let row = |name: &str| {
        let row = screen.lines().find(|line| line.contains(&format!(" {name} ")));
        row.unwrap_or_default().split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ")
    };
    assert!(row("two").contains("not mounted /srv/two global 15:41:07"), "{screen}");
    assert!(row("three").contains("not mounted /srv/three global 15:41:07"), "{screen}");
    assert!(row("one").contains("not mounted global 15:42:07"), "{screen}");
    assert!(screen.contains("last-used↓"), "{screen}");
    // A key acts on the volume of the row, not on that of the name's place.
    console.press("g down");
    let effects = console.press("x");
    assert_eq!(super::keys::commands(&effects), ["forget two"]);
}

#[test]
fn the_choice_is_kept_for_the_next_run_on_the_same_kind_of_source() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("console.json");
    let fixture = calls();
    let mut demo = calls();
    demo.demo(DemoSpeed { times: 1.0, paused: false });
    let next = |fixture: &Fixture| {
        let mut after = console(fixture);
        Memory::read(&path).restore(&mut after.app, SourceKind::of(&after.snapshot));
        after.look(fixture);
        after
    };
    let end = |console: &TestConsole| {
        Memory::write(&console.app, SourceKind::of(&console.snapshot), &path).expect("it can be written");
    };
    let mut before = console(&fixture);
    before.press("o down down down space end enter esc");
    end(&before);
    let after = next(&fixture);
    assert_eq!(after.app.columns, before.app.columns);
    assert_eq!(order(&after), "dabc");
    assert!(after.screen().contains("conn"), "{}", after.screen());
    let mut other = next(&demo);
    assert_eq!(order(&other), "badc", "the demo has its own order\n{}", other.screen());
    other.press("o end enter enter esc");
    let reversed = order(&other);
    end(&other);
    assert_eq!(order(&next(&fixture)), "dabc");
    assert_eq!(order(&next(&demo)), reversed);
}

#[test]
fn what_no_column_is_called_is_an_error_with_the_names() {
    let fixture = calls();
    for (line, expected) in [
        ("sort tok", "column 6: unknown column \"tok\", did you mean \"took\"?"),
        ("sort zzzzzz", "there are time, caller"),
        ("sort took up", "column 11: expected \"reverse\""),
    ] {
        let mut console = console(&fixture);
        console.press(":");
        console.type_text(line, &fixture);
        console.press("enter");
        assert!(console.screen().contains(expected), "{}", console.screen());
    }
}

#[test]
fn chosen_columns_give_way_to_how_a_call_ended() {
    let fixture = Fixture::busy();
    for (size, is_shown) in [((200, 50), true), ((120, 36), true), ((80, 24), true), ((40, 10), false)] {
        let mut console = TestConsole::new(&fixture, size, "default", false);
        console.press("o");
        let screen = console.screen();
        assert!(screen.contains("Space toggle"), "{screen}");
        console.press("down down down space down down down space esc");
        let screen = console.screen();
        assert!(screen.contains("held 0:12"), "{screen}");
        assert_eq!(screen.contains("conn"), is_shown, "{size:?}\n{screen}");
    }
}
