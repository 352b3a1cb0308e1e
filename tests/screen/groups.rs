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

use super::stage::{Seat, Stage, call, fault};

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
        fault: Some(fault(1, None, "reset")),
        reply: Body::default(),
        lints: if volume.is_empty() { vec![Lint::NamelessRequest, Lint::EmptyBodyRetry] } else { Vec::new() },
        ..call(operation, volume)
    }
}

fn unmount(stage: &mut Stage, volume: &str, id: &str) {
    let unmounted = Change::Unmounted { name: volume.into(), id: id.into() };
    stage.call(Call {
        mount_id: Some(id.into()),
        changes: vec![unmounted],
        ..call(Operation::Unmount, volume)
    });
}

/// A few commands, the last of which docker tries again and again; beside it one that waits.
pub fn commands() -> Stage {
    let mut stage = Stage::empty();
    let id = "7f3a9c0d5e1b".repeat(5);
    stage.call(call(Operation::Activate, ""));
    stage.call(call(Operation::Capabilities, ""));
    stage.call(absent("db1"));
    stage.create("db1", &[("tier", "gold")]);
    stage.pass(4000);
    stage.call(call(Operation::List, ""));
    stage.pass(3000);
    stage.call(call(Operation::Get, "db1"));
    stage.pass(310);
    stage.call(call(Operation::Get, "db1"));
    stage.mount("db1", &id);
    stage.pass(5000);
    stage.call(call(Operation::Get, "db1"));
    unmount(&mut stage, "db1", &id);
    stage.pass(3000);
    stage.arm("arm mount: reset");
    stage.pass(2000);
    stage.call(call(Operation::Get, "db1"));
    stage.call(cut(Operation::Mount, "db1"));
    stage.pass(500);
    stage.call(call(Operation::Get, "cache"));
    stage.wait(Operation::Unmount, "cache", "hold");
    stage.pass(496);
    stage.call(cut(Operation::Mount, ""));
    stage.pass(2000);
    stage.call(cut(Operation::Mount, ""));
    stage.pass(1200);
    stage
}

fn seat(stage: &Stage, keys: &str) -> Seat {
    let mut seat = Seat::new(stage, (200, 40), "default", false);
    for key in keys.split_whitespace() {
        seat.press(key);
        seat.look(stage);
    }
    seat
}

#[test]
fn keys_fold_and_unfold() {
    let stage = commands();
    for (keys, shown, hidden) in [
        ("z", "▸ create  db1", "  activate"),
        ("z home enter", "▾ create  db1", ""),
        ("z home enter", "  capabilities", ""),
        ("z home", "Enter expand", "Enter open"),
        ("z home enter", "Enter collapse", "z group"),
        ("z home enter", "z list", "Enter expand"),
        ("z home enter enter", "▸ create  db1", "  activate"),
        ("z home enter z", "▸ create  db1", "  activate"),
        ("z z", "┏ Calls ━", "▸ create"),
        ("z home enter down down enter", "Request", ""),
        ("z home i", "create: volume create, or docker create", "Request"),
        ("z home i esc", "newer below", "volume create, or"),
        ("z home i down", "ls: volume ls, of this driver or of all", ""),
        ("z up i", "docker retries in 3 s, attempt 4 of 5; gives up in", ""),
        ("z up i", "retry after 2.0 s", ""),
        ("z s", "├── create db1", "▸ create"),
        ("s z", "▸ create  db1", "├── create db1"),
        ("z space", "PAUSED +0", "auto-scroll on"),
        ("z", "auto-scroll on", "newer below"),
        ("z up up up", "3 newer below", "auto-scroll on"),
        ("z home G", "auto-scroll on", "newer below"),
        ("z home enter home z z", "13 newer below", ""),
    ] {
        let screen = seat(&stage, keys).screen();
        assert!(screen.contains(shown), "after {keys}: no {shown:?} in\n{screen}");
        assert!(hidden.is_empty() || !screen.contains(hidden), "after {keys}: {hidden:?} in\n{screen}");
    }
}

#[test]
fn each_command_has_a_row_with_its_time_and_what_came_of_it() {
    let stage = commands();
    let screen = seat(&stage, "z").screen();
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
            "stop or exit cache 2 calls ⚡ held 0:03, times out in 0:56 3.7 s",
        ]
    );
}

#[test]
fn an_error_gives_way_to_the_time_that_its_retries_took() {
    let mut stage = Stage::empty();
    let reason = "the connection was closed before a single byte of the answer had been sent by the driver";
    for (pause, volume) in [(0, "v1"), (1000, ""), (2000, ""), (4000, ""), (8000, "")] {
        stage.pass(pause);
        stage.call(Call { error: Some(reason.into()), ..cut(Operation::Get, volume) });
    }
    stage.pass(20_000);
    for (size, shown) in [
        ((200, 50), &["▸ any command  v1", "5 calls", "✗ no reply: the conn", "…  retries 15"][..]),
        ((120, 40), &["▸ any command  v1", "✗ no re", "…  retries 15"]),
    ] {
        let mut seat = Seat::new(&stage, size, "default", false);
        seat.press("z");
        seat.look(&stage);
        let screen = seat.screen();
        let row = screen.lines().find(|line| line.contains('▸')).unwrap_or_default();
        assert!(shown.iter().all(|part| row.contains(part)), "at {size:?}:\n{screen}");
    }
}

#[test]
fn a_filter_leaves_unfolded_what_is_unfolded() {
    let stage = commands();
    let mut seat = seat(&stage, "z home enter down down");
    let selected = seat.app.selected().map(|entry| entry.seq);
    seat.press("/");
    seat.type_text("vol:db1", &stage);
    seat.press("enter");
    seat.look(&stage);
    assert!(seat.screen().contains("▾ create  db1"), "{}", seat.screen());
    assert_eq!(seat.app.selected().map(|entry| entry.seq), selected);
    seat.press("esc");
    seat.look(&stage);
    assert!(seat.screen().contains("▾ create  db1"), "{}", seat.screen());
    assert_eq!(seat.app.selected().map(|entry| entry.seq), selected);
}

#[test]
fn the_selection_stays_on_its_call_while_episodes_grow() {
    let mut stage = commands();
    let mut seat = seat(&stage, "z up enter down down down");
    let selected = |seat: &Seat| seat.app.selected().and_then(|entry| entry.call_number());
    assert_eq!(selected(&seat), Some(15));
    stage.pass(2797);
    stage.call(cut(Operation::Mount, ""));
    for number in 0..50 {
        stage.call(call(Operation::Get, &format!("v{number}")));
    }
    seat.look(&stage);
    assert_eq!(selected(&seat), Some(15));
    seat.press("up up up");
    assert_eq!(selected(&seat), Some(17), "the header stands for the call that says how it went");
    seat.press("enter z");
    assert_eq!(seat.app.calls.selected().and_then(|entry| entry.call_number()), Some(17), "as a list again");
}

#[test]
fn a_filter_shows_the_episodes_that_have_a_match() {
    let stage = commands();
    let mut seat = seat(&stage, "z /");
    seat.type_text("op:create,unmount", &stage);
    seat.press("enter");
    let screen = seat.screen();
    assert!(screen.contains("▸ create  db1") && screen.contains("3 shown"), "{screen}");
    assert!(screen.contains("▸ stop or exit  cache") && !screen.contains("▸ ls"), "{screen}");
    seat.press("home enter");
    assert!(seat.screen().contains("  capabilities"), "its other calls are there too\n{}", seat.screen());
    seat.press("esc");
    seat.look(&stage);
    assert!(seat.screen().contains("▸ ls"), "{}", seat.screen());
}

#[test]
fn a_paused_list_of_episodes_stands_still() {
    let mut stage = commands();
    let mut seat = seat(&stage, "z space");
    let before = seat.screen().matches('▸').count();
    stage.pass(3000);
    stage.call(call(Operation::List, ""));
    stage.end_held(Call { duration: Duration::from_secs(9), ..call(Operation::Unmount, "cache") });
    seat.look(&stage);
    assert!(seat.screen().contains("PAUSED +2"), "{}", seat.screen());
    assert_eq!(seat.screen().matches('▸').count(), before);
    seat.press("space");
    seat.look(&stage);
    assert_eq!(seat.screen().matches('▸').count(), before + 1);
    assert!(!seat.screen().contains("held 0:"), "{}", seat.screen());
}

#[test]
fn a_countdown_runs_while_nothing_arrives() {
    let mut stage = commands();
    let mut seat = seat(&stage, "p");
    for (millis, expected) in [
        (0, "It retries in 3 s, attempt 4 of 5; gives up in 0:11."),
        (1000, "It retries in 2 s, attempt 4 of 5; gives up in 0:10."),
        (3100, "It retries in 7 s, attempt 5 of 5 (attempt 4 has not arrived); gives up in 0:07."),
        (9000, "docker has given up by now: no further attempt has arrived."),
    ] {
        stage.pass(millis);
        seat.look(&stage);
        let caption: Vec<String> =
            seat.screen().lines().map(|line| line.trim_matches(['┃', ' ']).to_owned()).collect();
        let caption = caption.join(" ");
        if millis < 5000 {
            assert!(caption.contains(expected), "after {millis} ms: no {expected:?} in\n{}", seat.screen());
            assert!(seat.app.is_ticking(&seat.snapshot));
        }
    }
    let mut seat = self::seat(&stage, "/");
    seat.type_text("op:mount", &stage);
    seat.press("enter");
    seat.look(&stage);
    seat.press("enter");
    let screen = seat.screen();
    assert!(screen.contains("docker has given up by now: no further attempt has"), "{screen}");
}
