//! What the next run of the console still knows.

use voltergeist::console::memory::{Memory, SourceKind};

use super::{
    fixture::{Fixture, TestConsole},
    keys::console,
};

/// The console of the next run.
fn next(before: &TestConsole, fixture: &Fixture) -> TestConsole {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("console.json");
    Memory::write(&before.app, SourceKind::of(&before.snapshot), &path).expect("it can be written");
    let mut after = console(fixture);
    Memory::read(&path).restore(&mut after.app, SourceKind::of(&after.snapshot));
    after.look(fixture);
    after
}

#[test]
fn typed_lines_come_back_in_the_next_run_apart_from_those_of_keys() {
    let fixture = Fixture::busy();
    let mut before = console(&fixture);
    for (keys, line) in [(":", "note typed"), ("/", "op:mount"), ("!", "true")] {
        before.press(keys);
        before.press("ctrl-u");
        before.type_text(line, &fixture);
        before.press("enter");
    }
    before.press("m x");
    for (keys, expected) in [
        (": up", " : note typed"),
        (": up up up", " : note typed"),
        ("/ up", " / op:mount"),
        ("! ctrl-u up", " $ true"),
    ] {
        let mut after = next(&before, &fixture);
        after.press(keys);
        let screen = after.screen();
        assert!(screen.lines().any(|line| line == expected), "{keys}: no {expected:?} in\n{screen}");
    }
}

#[test]
fn a_moved_border_stays_where_it_is_in_the_next_run() {
    let fixture = Fixture::busy();
    let width = |console: &TestConsole| {
        console.app.screen(&console.snapshot).and_then(|screen| screen.calls).map(|pane| pane.width)
    };
    let mut before = console(&fixture);
    let first = width(&before);
    before.press("ctrl-left ctrl-left");
    assert!(width(&before) < first);
    assert_eq!(width(&next(&before, &fixture)), width(&before));
}

#[test]
fn a_completed_word_has_a_space_behind_it_and_what_is_not_shown_is_counted_down() {
    let fixture = Fixture::busy();
    let mut typed = console(&fixture);
    typed.press(": f o r g tab d");
    assert!(typed.screen().contains(" : forget d\n"), "{}", typed.screen());
    let mut console = console(&fixture);
    console.press(":");
    console.type_text("arm ", &fixture);
    let mut counts = Vec::new();
    for _ in 0..20 {
        let screen = console.screen();
        let more = screen
            .lines()
            .find_map(|line| line.split_once("… ")?.1.split_once(" more")?.0.parse::<usize>().ok());
        let Some(more) = more else { break };
        counts.push(more);
        console.press("tab");
    }
    assert_eq!(counts.last(), Some(&1), "{counts:?}");
    assert!(counts.is_sorted_by(|before, after| before >= after), "{counts:?}");
    assert!(!console.screen().contains(" more\n"), "{}", console.screen());
}
