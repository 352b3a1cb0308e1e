//! What a key acts on: what the user has selected and sees, never what has only come to its place.

use voltergeist::{
    console::input::{bindings::KEY_BINDINGS, keymap::Keymap},
    domain::{
        lang::command::Target,
        model::{entry::Call, lint::Lint, protocol::Operation, volume::Change},
    },
};

use super::{
    fixture::{Fixture, TestConsole, call},
    keys::{commands, console},
};

fn remove(fixture: &mut Fixture, name: &str) {
    let removed = Change::Removed { name: name.into() };
    fixture.call(Call { changes: vec![removed], ..call(Operation::Remove, name) });
}

#[test]
fn the_volume_that_is_forgotten_stays_the_same_when_others_come_and_go() {
    let mut fixture = Fixture::empty();
    fixture.create("db1", &[]);
    let mut console = console(&fixture);
    fixture.create("aaa", &[]);
    console.look(&fixture);
    assert_eq!(commands(&console.press("x")), ["forget db1"], "although another stands above it");
    remove(&mut fixture, "db1");
    console.look(&fixture);
    assert!(console.screen().contains("none selected"), "{}", console.screen());
    assert_eq!(commands(&console.press("x")), Vec::<String>::new());
    let said = "volume db1 is gone; x again forgets aaa";
    assert!(console.screen().contains(said), "{}", console.screen());
    assert_eq!(commands(&console.press("x")), ["forget aaa"]);
}

#[test]
fn a_volume_that_is_not_in_view_is_shown_before_it_is_forgotten() {
    let mut fixture = Fixture::empty();
    fixture.create("db1", &[]);
    for (size, keys) in [((40, 10), ""), ((120, 36), "Z"), ((80, 24), "p")] {
        let mut console = TestConsole::new(&fixture, size, "default", false);
        console.press(keys);
        assert_eq!(commands(&console.press("x")), Vec::<String>::new(), "{size:?} {keys}");
        assert!(console.screen().contains("▸ db1"), "{}", console.screen());
        assert_eq!(commands(&console.press("x")), ["forget db1"], "{size:?} {keys}");
    }
    // An open history shows which volume it is of.
    let mut console = TestConsole::new(&fixture, (40, 10), "default", false);
    assert_eq!(commands(&console.press("tab enter x")), ["forget db1"]);
}

#[test]
fn the_selected_rule_stays_the_same_when_others_end() {
    let mut fixture = Fixture::empty();
    for rule in ["get: empty", "list: null", "mount: hang"] {
        fixture.arm(&format!("arm {rule}"));
    }
    for (ended, keys, expected) in [
        (vec![], "delete", vec!["disarm 2"]),
        (vec![1], "delete", vec!["disarm 2"]),
        (vec![1], "K", vec![]),
        (vec![1], "J", vec!["move 3 before 2"]),
        (vec![3], "K", vec!["move 2 before 1"]),
        (vec![2], "delete", vec![]),
        (vec![2], "enter", vec![]),
        (vec![2], "delete delete", vec!["disarm 3"]),
        // The row of the outage is the last one then.
        (vec![1, 2, 3], "enter", vec![]),
    ] {
        let mut fixture = fixture.clone();
        let mut console = console(&fixture);
        console.press("tab tab end up");
        for id in &ended {
            fixture.disarm(&Target::Id(*id));
        }
        console.look(&fixture);
        assert_eq!(commands(&console.press(keys)), expected, "{ended:?} {keys}\n{}", console.screen());
    }
}

#[test]
fn keys_whose_effect_would_not_be_seen_do_nothing() {
    let mut fixture = Fixture::busy();
    fixture.arm("arm get: hang");
    let before = console(&fixture).screen();
    let keymap = Keymap::default();
    for binding in KEY_BINDINGS {
        let mut console = TestConsole::new(&fixture, (39, 9), "default", false);
        let key = keymap.keys(binding.action)[0].to_string();
        let effects = commands(&console.press(&key));
        let expected = match binding.name {
            "quit-now" => vec!["Interrupt"],
            "redraw" => vec!["Redraw"],
            "quit" => {
                assert_eq!(console.screen().trim_end(), "quit? y n");
                console.press("n");
                assert_eq!(commands(&console.press("q y")), ["Leave"]);
                continue;
            }
            _ => Vec::new(),
        };
        assert_eq!(effects, expected, "{key}");
        console.app.size = (120, 30);
        assert_eq!(console.screen(), before, "{key} has changed something");
    }
    // A line that was begun is kept as it was.
    let mut console = console(&fixture);
    console.press(": q");
    console.app.size = (39, 9);
    assert_eq!(commands(&console.press("q enter")), Vec::<String>::new());
    console.app.size = (120, 30);
    assert!(console.screen().contains(" : q\n"), "{}", console.screen());
}

/// Two calls with lints and others around them.
fn odd() -> Fixture {
    let mut fixture = Fixture::empty();
    for name in ["one", "two"] {
        fixture.call(call(Operation::Get, name));
        fixture.call(Call { lints: vec![Lint::MountOfUnknownVolume], ..call(Operation::Mount, name) });
        fixture.call(call(Operation::Get, name));
    }
    fixture
}

#[test]
fn a_key_a_click_and_the_palette_lead_to_the_lints() {
    let fixture = odd();
    let selected = |console: &TestConsole| console.app.selected().and_then(|entry| entry.call_number());
    for way in ["L", ": l i n t enter", "click"] {
        let mut console = console(&fixture);
        match way {
            "click" => drop(console.click("lints 2")),
            keys => drop(console.press(keys)),
        }
        assert_eq!(selected(&console), Some(5), "{way}: the latest\n{}", console.screen());
        assert!(console.screen().contains("mount-of-unknown-volume"), "{way}: what it is about");
        console.press("L");
        assert_eq!(selected(&console), Some(2), "{way}: the one before");
        console.press("L");
        assert_eq!(selected(&console), Some(5), "{way}: from the end again");
    }
    // The newest row stays selected when others come.
    let mut fixture = odd();
    fixture.call(Call { lints: vec![Lint::DuplicateCreate], ..call(Operation::Create, "one") });
    let mut console = console(&fixture);
    console.press("L");
    fixture.call(call(Operation::Get, "one"));
    console.look(&fixture);
    assert_eq!(selected(&console), Some(7), "{}", console.screen());
    let mut console = self::console(&Fixture::empty());
    console.press("L");
    assert!(console.screen().contains("no lint so far"), "{}", console.screen());
    assert!(!console.screen().contains("L lint"), "nothing to offer\n{}", console.screen());
}
