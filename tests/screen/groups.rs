//! The calls folded into the commands that caused them, and what keys do there.

use std::time::Duration;

use voltergeist::domain::{
    model::lint::Lint,
    model::{
        entry::{Body, Call, Outcome},
        protocol::Operation,
        volume::Change,
    },
};

use super::fixture::{Fixture, TestConsole, call, fault};

fn absent(volume: &str) -> Call {
    Call {
        outcome: Outcome::Error,
        error: Some("no such volume".into()),
        reply: b"{\"Err\":\"no such volume\"}\n".to_vec().into(),
        ..call(Operation::Get, volume)
    }
}

/// A call that is cut off. Without a volume it is a retry.
fn cut(operation: Operation, volume: &str) -> Call {
    Call {
        request: if volume.is_empty() { Body::default() } else { call(operation, volume).request },
        outcome: Outcome::Error,
        status: None,
        error: Some("the connection was reset".into()),
        fault: Some(fault(1, None, "reset").into()),
        reply: Body::default(),
        lints: if volume.is_empty() { vec![Lint::NamelessRequest, Lint::EmptyBodyRetry] } else { Vec::new() },
        ..call(operation, volume)
    }
}

fn unmount(fixture: &mut Fixture, volume: &str, id: &str) {
    let unmounted = Change::Unmounted { name: volume.into(), id: id.into() };
    fixture.call(Call {
        mount_id: Some(id.into()),
        changes: vec![unmounted],
        ..call(Operation::Unmount, volume)
    });
}

/// A few commands, the last of which docker tries again and again; beside it one that waits.
pub fn commands() -> Fixture {
    let mut fixture = Fixture::empty();
    let id = "7f3a9c0d5e1b".repeat(5);
    fixture.call(call(Operation::Activate, ""));
    fixture.call(call(Operation::Capabilities, ""));
    fixture.call(absent("db1"));
    fixture.create("db1", &[("tier", "gold")]);
    fixture.pass(4000);
    fixture.call(call(Operation::List, ""));
    fixture.pass(3000);
    fixture.call(call(Operation::Get, "db1"));
    fixture.pass(310);
    fixture.call(call(Operation::Get, "db1"));
    fixture.mount("db1", &id);
    fixture.pass(5000);
    fixture.call(call(Operation::Get, "db1"));
    unmount(&mut fixture, "db1", &id);
    fixture.pass(3000);
    fixture.arm("arm mount: reset");
    fixture.pass(2000);
    fixture.call(call(Operation::Get, "db1"));
    fixture.call(cut(Operation::Mount, "db1"));
    fixture.pass(500);
    fixture.call(call(Operation::Get, "cache"));
    fixture.wait(Operation::Unmount, "cache", "hold");
    fixture.pass(496);
    fixture.call(cut(Operation::Mount, ""));
    fixture.pass(2000);
    fixture.call(cut(Operation::Mount, ""));
    fixture.pass(1200);
    fixture
}

fn console(fixture: &Fixture, keys: &str) -> TestConsole {
    let mut console = TestConsole::new(fixture, (200, 40), "default", false);
    for key in keys.split_whitespace() {
        console.press(key);
        console.look(fixture);
    }
    console
}

#[test]
fn keys_fold_and_unfold() {
    let fixture = commands();
    for (keys, shown, hidden) in [
        ("z", "▸ create  db1", "  activate"),
        ("z home enter", "▾ create  db1", ""),
        ("z home enter", "  capabilities", ""),
        ("z home", "Enter expand", "Enter open"),
        ("z home enter", "Enter collapse", "z group"),
        ("z home enter", "z collapse", "Enter expand"),
        ("z home", "z list", "z collapse"),
        ("z home enter enter", "▸ create  db1", "  activate"),
        ("z home enter z", "▸ create  db1", "  activate"),
        ("z z", "┏ Calls ━", "▸ create"),
        ("z home enter down down enter", "Request", ""),
        ("z home i", "create: volume create, or docker create", "Request"),
        ("z home i esc", "auto-scroll off", "volume create, or"),
        ("z home i down", "ls: volume ls, of this driver or of all", ""),
        ("z up i", "docker retries in 3 s, attempt 4 of 5; gives up in", ""),
        ("z up i", "retry after 2.0 s", ""),
        ("z s", "├── create db1", "▸ create"),
        ("s z", "▸ create  db1", "├── create db1"),
        ("z space", "PAUSED +0", "auto-scroll on"),
        ("z", "auto-scroll on", "newer below"),
        ("z up up up", "auto-scroll off", "newer below"),
        ("z home G", "auto-scroll on", "newer below"),
        ("z home enter home z z", "auto-scroll off", ""),
    ] {
        let screen = console(&fixture, keys).screen();
        assert!(screen.contains(shown), "after {keys}: no {shown:?} in\n{screen}");
        assert!(hidden.is_empty() || !screen.contains(hidden), "after {keys}: {hidden:?} in\n{screen}");
    }
}

#[test]
fn an_expanded_group_brings_its_calls_into_view() {
    let fixture = commands();
    for (size, first, last) in [((80, 24), "▾ create", "create  "), ((120, 30), "▾ stop or exit", "held")]
    {
        let mut console = TestConsole::new(&fixture, size, "default", false);
        console.press("z");
        console.look(&fixture);
        console.press(if first == "▾ create" { "g enter" } else { "G enter" });
        let screen = console.screen();
        assert!(screen.contains(first) && screen.contains(last), "{size:?}\n{screen}");
    }
    let mut console = TestConsole::new(&fixture, (80, 20), "default", false);
    console.press("z");
    console.look(&fixture);
    console.press("G enter");
    let screen = console.screen();
    assert!(screen.contains("▾ stop or exit  cache") && screen.contains("  unmount"), "{screen}");
}

#[test]
fn each_command_has_a_row_with_its_time_and_its_result() {
    let fixture = commands();
    let screen = console(&fixture, "z").screen();
    let rows: Vec<String> = screen
        .lines()
        .filter_map(|line| line.split_once('▸').filter(|(time, _)| time.contains(':')))
        .map(|(_, row)| {
            row.split('┃').next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
        })
        .take(6)
        .collect();
    assert_eq!(
        rows,
        [
            "create db1 4 calls ok plugin 1.0 ms + engine 2.3 ms 3.2 ms",
            "ls 1 call ok plugin 0.2 ms 0.2 ms",
            "run or start db1 3 calls ok plugin 0.7 ms + engine 312 ms 312 ms",
            "stop or exit db1 2 calls ok plugin 0.5 ms + engine 0.8 ms 1.2 ms",
            "start db1 4 calls ⚡ retries in 3 s, attempt 4 of 5; gives up in 0:11 3.0 s",
            "stop or exit cache 2 calls ⚡ held 0:03, times out in 0:57 3.7 s",
        ]
    );
}

#[test]
fn an_error_gives_way_to_the_time_that_its_retries_took() {
    let mut fixture = Fixture::empty();
    let reason = "the connection was closed before a single byte of the answer had been sent by the driver";
    for (pause, volume) in [(0, "v1"), (1000, ""), (2000, ""), (4000, ""), (8000, "")] {
        fixture.pass(pause);
        fixture.call(Call { error: Some(reason.into()), ..cut(Operation::Get, volume) });
    }
    fixture.pass(20_000);
    for (size, shown) in [
        ((200, 50), &["▸ any command  v1", "5 calls", "✗ no reply: the conn", "…  retries 15"][..]),
        ((120, 40), &["▸ any command  v1", "✗ no re", "…  retries 15"]),
    ] {
        let mut console = TestConsole::new(&fixture, size, "default", false);
        console.press("z");
        console.look(&fixture);
        let screen = console.screen();
        let row = screen.lines().find(|line| line.contains('▸')).unwrap_or_default();
        assert!(shown.iter().all(|part| row.contains(part)), "at {size:?}:\n{screen}");
    }
}

#[test]
fn a_filter_leaves_unfolded_what_is_unfolded() {
    let fixture = commands();
    let mut console = console(&fixture, "z home enter down down");
    let selected = console.app.selected().map(|entry| entry.seq);
    console.press("/");
    console.type_text("vol:db1", &fixture);
    console.press("enter");
    console.look(&fixture);
    assert!(console.screen().contains("▾ create  db1"), "{}", console.screen());
    assert_eq!(console.app.selected().map(|entry| entry.seq), selected);
    console.press("esc");
    console.look(&fixture);
    assert!(console.screen().contains("▾ create  db1"), "{}", console.screen());
    assert_eq!(console.app.selected().map(|entry| entry.seq), selected);
}

#[test]
fn the_selection_stays_on_its_call_while_groups_grow() {
    let mut fixture = commands();
    let mut console = console(&fixture, "z up enter down down down");
    let selected = |console: &TestConsole| console.app.selected().and_then(|entry| entry.call_number());
    assert_eq!(selected(&console), Some(15));
    fixture.pass(2797);
    fixture.call(cut(Operation::Mount, ""));
    for number in 0..50 {
        fixture.call(call(Operation::Get, &format!("v{number}")));
    }
    console.look(&fixture);
    assert_eq!(selected(&console), Some(15));
    console.press("up up up");
    assert_eq!(selected(&console), Some(17), "the header stands for the call that says how it went");
    console.press("enter z");
    assert_eq!(
        console.app.calls.selected().and_then(|entry| entry.call_number()),
        Some(17),
        "as a list again"
    );
}

#[test]
fn a_filter_shows_the_groups_that_have_a_match() {
    let fixture = commands();
    let mut console = console(&fixture, "z /");
    console.type_text("op:create,unmount", &fixture);
    console.press("enter");
    let screen = console.screen();
    assert!(screen.contains("▸ create  db1") && screen.contains("3 shown"), "{screen}");
    assert!(screen.contains("▸ stop or exit  cache") && !screen.contains("▸ ls"), "{screen}");
    console.press("home enter");
    assert!(
        console.screen().contains("  capabilities"),
        "its other calls are there too\n{}",
        console.screen()
    );
    console.press("esc");
    console.look(&fixture);
    assert!(console.screen().contains("▸ ls"), "{}", console.screen());
}

#[test]
fn a_paused_list_of_groups_stands_still() {
    let mut fixture = commands();
    let mut console = console(&fixture, "z space");
    let before = console.screen().matches('▸').count();
    fixture.pass(3000);
    fixture.call(call(Operation::List, ""));
    fixture.end_held(Call { duration: Duration::from_secs(9), ..call(Operation::Unmount, "cache") });
    console.look(&fixture);
    assert!(console.screen().contains("PAUSED +2"), "{}", console.screen());
    assert_eq!(console.screen().matches('▸').count(), before);
    console.press("space");
    console.look(&fixture);
    assert_eq!(console.screen().matches('▸').count(), before + 1);
    assert!(!console.screen().contains("held 0:"), "{}", console.screen());
}

#[test]
fn a_countdown_runs_while_nothing_arrives() {
    let mut fixture = commands();
    let mut console = console(&fixture, "p");
    for (millis, expected) in [
        (0, "It retries in 3 s, attempt 4 of 5; gives up in 0:11."),
        (1000, "It retries in 2 s, attempt 4 of 5; gives up in 0:10."),
        (3100, "It retries in 7 s, attempt 5 of 5 (attempt 4 has not arrived); gives up in 0:07."),
        (9000, "docker has given up by now: no further attempt has arrived."),
    ] {
        fixture.pass(millis);
        console.look(&fixture);
        let caption: Vec<String> =
            console.screen().lines().map(|line| line.trim_matches(['┃', ' ']).to_owned()).collect();
        let caption = caption.join(" ");
        if millis < 5000 {
            assert!(
                caption.contains(expected),
                "after {millis} ms: no {expected:?} in\n{}",
                console.screen()
            );
            assert!(console.app.is_ticking(&console.snapshot));
        }
    }
    let mut console = self::console(&fixture, "/");
    console.type_text("op:mount", &fixture);
    console.press("enter");
    console.look(&fixture);
    console.press("enter");
    let screen = console.screen();
    assert!(screen.contains("docker has given up by now: no further attempt has"), "{screen}");
}
