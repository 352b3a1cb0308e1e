//! The sequence on the screen: what stands in which line, and what is selected there.

use std::time::Duration;

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use voltergeist::{
    console::model::{Effect, Event},
    domain::model::{entry::Call, protocol::Operation},
};

use super::{
    groups::commands,
    stage::{Seat, Stage, call, fault},
};

/// A call that is held while others come, and let go by a command.
fn held() -> Stage {
    let mut stage = Stage::empty();
    stage.call(call(Operation::Get, "db1"));
    stage.wait(Operation::Mount, "db1", "hold");
    stage.pass(2000);
    stage.call(call(Operation::Get, "cache"));
    stage.pass(3000);
    stage.command("release 2", "1 call released", Vec::new());
    stage.end_held(Call {
        fault: Some(fault(1, None, "hold")),
        duration: Duration::from_millis(5003),
        ..call(Operation::Mount, "db1")
    });
    stage
}

fn sequence(stage: &Stage, size: (u16, u16)) -> Seat {
    let mut seat = Seat::new(stage, size, "default", false);
    seat.press("s");
    seat
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
    let stage = commands();
    for height in 24..50 {
        let mut seat = sequence(&stage, (120, height));
        for _ in 0..stage.entries().len() {
            let Some(selected) = seat.app.selected().cloned() else { panic!("nothing is selected") };
            let ended = selected.at.strftime("%H:%M:%S%.3f").to_string();
            assert!(seat.screen().contains(&ended), "{ended} of {height} rows in\n{}", seat.screen());
            seat.press("up");
        }
    }
}

#[test]
fn a_click_on_either_end_of_a_call_selects_it() {
    let stage = held();
    for words in ["├── mount db1", "mount db1: answered {}"] {
        let mut seat = sequence(&stage, (120, 40));
        seat.press("up up");
        let row = line_of(&seat.screen(), words) as u16;
        let kind = MouseEventKind::Down(MouseButton::Left);
        seat.update(Event::Mouse(MouseEvent { kind, column: 30, row, modifiers: KeyModifiers::NONE }));
        assert_eq!(seat.app.selected().and_then(|entry| entry.call_number()), Some(2), "{words}");
    }
}

#[test]
fn what_is_copied_as_text_is_what_the_screen_shows() {
    for stage in [held(), commands()] {
        let mut seat = sequence(&stage, (200, 70));
        let Some(Effect::Copy(drawn)) = seat.press("Y").pop() else { panic!("nothing is copied") };
        let words = |line: &str| {
            line.split(|c: char| "─│┃├┤◀▶┊ ".contains(c))
                .filter(|word| !word.is_empty())
                .collect::<Vec<_>>()
                .join(" ")
        };
        let screen: Vec<String> = seat.screen().lines().map(words).collect();
        for line in drawn.lines().skip(1).map(words) {
            assert!(screen.iter().any(|shown| shown.starts_with(&line)), "{line}\n{}", seat.screen());
        }
    }
}
