//! The sequence on the screen: what stands in which line, and what is selected there.

use std::time::Duration;

use crossterm::event::{MouseButton, MouseEventKind};
use voltergeist::{
    console::model::Effect,
    domain::model::{entry::Call, protocol::Operation},
};

use super::{
    fixture::{Fixture, TestConsole, call, fault},
    groups::commands,
};

/// A call that is held while others come, and released by a command.
fn held() -> Fixture {
    let mut fixture = Fixture::empty();
    fixture.call(call(Operation::Get, "db1"));
    fixture.wait(Operation::Mount, "db1", "hold");
    fixture.pass(2000);
    fixture.call(call(Operation::Get, "cache"));
    fixture.pass(3000);
    fixture.command("release 2", "1 call released", Vec::new());
    fixture.end_held(Call {
        fault: Some(fault(1, None, "hold").into()),
        duration: Duration::from_millis(5003),
        ..call(Operation::Mount, "db1")
    });
    fixture
}

fn sequence(fixture: &Fixture, size: (u16, u16)) -> TestConsole {
    let mut console = TestConsole::new(fixture, size, "default", false);
    console.press("s");
    console
}

fn line_of(screen: &str, words: &str) -> usize {
    let line = screen.lines().position(|line| line.contains(words));
    line.unwrap_or_else(|| panic!("no {words:?} in\n{screen}"))
}

#[test]
fn a_held_call_keeps_its_place_and_ends_below_its_release() {
    let screen = sequence(&held(), (120, 40)).screen();
    let lines = ["├── get db1", "├── mount db1", "├── get cache", ": release 2", "mount db1: answered {}"];
    let lines = lines.map(|words| line_of(&screen, words));
    assert!(lines.is_sorted(), "{lines:?} in\n{screen}");
}

#[test]
fn each_further_attempt_has_a_pause_above_it_and_the_volume_of_the_first() {
    let screen = sequence(&commands(), (120, 60)).screen();
    for pause in ["1 s, docker tries again (attempt 2 of 5)", "2 s, docker tries again (attempt 3 of 5)"] {
        let line = line_of(&screen, &format!("┊ {pause}"));
        let below = screen.lines().nth(line + 1).unwrap_or_default();
        assert!(below.contains("├── mount db1"), "{pause} in\n{screen}");
    }
}

#[test]
fn what_is_selected_is_in_view_with_its_end_whatever_pauses_there_are() {
    let fixture = commands();
    for height in 24..50 {
        let mut console = sequence(&fixture, (120, height));
        for _ in 0..fixture.entries().len() {
            let Some(selected) = console.app.selected().cloned() else { panic!("nothing is selected") };
            let ended = selected.at.strftime("%H:%M:%S%.3f").to_string();
            assert!(console.screen().contains(&ended), "{ended} of {height} rows in\n{}", console.screen());
            console.press("up");
        }
    }
}

#[test]
fn a_click_on_either_end_of_a_call_selects_it() {
    let fixture = held();
    for words in ["├── mount db1", "mount db1: answered {}"] {
        let mut console = sequence(&fixture, (120, 40));
        console.press("up up");
        let row = line_of(&console.screen(), words) as u16;
        console.mouse(MouseEventKind::Down(MouseButton::Left), (30, row), Duration::ZERO);
        assert_eq!(console.app.selected().and_then(|entry| entry.call_number()), Some(2), "{words}");
    }
}

#[test]
fn what_is_copied_as_text_is_what_the_screen_shows() {
    for fixture in [held(), commands()] {
        let mut console = sequence(&fixture, (200, 70));
        let Some(Effect::Copy(drawn)) = console.press("Y").pop() else { panic!("nothing is copied") };
        let words = |line: &str| {
            line.split(|c: char| "─│┃├┤◀▶┊ ".contains(c))
                .filter(|word| !word.is_empty())
                .collect::<Vec<_>>()
                .join(" ")
        };
        let screen: Vec<String> = console.screen().lines().map(words).collect();
        for line in drawn.lines().skip(1).map(words) {
            assert!(screen.iter().any(|shown| shown.starts_with(&line)), "{line}\n{}", console.screen());
        }
    }
}
