//! What matters most is read in full where there is room for it.

use voltergeist::{
    console::model::Event,
    domain::{
        lang::command::Outage,
        model::{
            entry::{AppliedFault, Call, EngineCommand, EntryKind, Outcome},
            protocol::Operation,
        },
        state::journal::Bounds,
    },
};

use super::stage::{Seat, Stage, call, fault};

/// A busy stage with a mount that fails and a call that a reset met, at a size with two panes side by side.
fn haunted_seat() -> (Stage, Seat) {
    let mut stage = Stage::busy();
    let failed = |fault: AppliedFault, status, error: &str| Call {
        fault: Some(fault),
        outcome: Outcome::Error,
        status,
        error: Some(error.into()),
        ..call(Operation::Mount, "db1")
    };
    let fail = fault(1, None, "fail \"the volume is haunted\"");
    stage.call(failed(fail, Some(500), "the volume is haunted"));
    stage.call(failed(
        AppliedFault::of_outage(Outage::Reset),
        None,
        "the connection was reset: the driver is down",
    ));
    let seat = Seat::new(&stage, (120, 36), "default", false);
    (stage, seat)
}

#[test]
fn how_a_call_ended_can_be_read_beside_the_other_panes() {
    let (_, seat) = haunted_seat();
    let screen = seat.screen();
    for shown in
        ["⚡ hold held 0:12, times out in 0:", "✗ 500 the volume is haunt", "⚡ down reset ✗ no reply"]
    {
        assert!(screen.contains(shown), "no {shown:?} in\n{screen}");
    }
}

#[test]
fn an_open_call_tells_the_outage_that_met_it() {
    let (stage, mut seat) = haunted_seat();
    seat.press("enter");
    seat.look(&stage);
    let screen = seat.screen();
    assert!(screen.contains("⚡ the driver was down: down reset"), "{screen}");
    assert!(screen.contains("docker: retries after 1, 2, 4 and 8 s"), "{screen}");
    assert!(!screen.contains("no rule fired"), "{screen}");
}

#[test]
fn what_came_of_a_command_has_two_rows_where_it_needs_them_and_the_screen_has_them() {
    let line = "arm mount: fail \"the volume is haunted\" as fail-mounts";
    let last = "it sends no Unmount for this mount";
    for (size, is_whole) in [((120, 36), true), ((120, 23), false)] {
        let stage = Stage::busy();
        let mut seat = Seat::new(&stage, size, "default", false);
        seat.update(Event::CommandDone { line: line.into(), result: Ok(String::new()) });
        seat.look(&stage);
        let screen = seat.screen();
        assert!(screen.contains(&format!(" : {}", &line[..30])), "{screen}");
        assert_eq!(screen.contains(last), is_whole, "at {size:?}\n{screen}");
    }
}

#[test]
fn an_outage_says_what_the_engine_does_meanwhile() {
    let mut stage = Stage::busy();
    stage.down(Outage::Refuse, None);
    let mut seat = Seat::new(&stage, (200, 50), "default", false);
    seat.update(Event::CommandDone {
        line: "down refuse".into(),
        result: Ok("the driver is down: refuse".into()),
    });
    seat.look(&stage);
    let screen = seat.screen();
    let foretold = "docker: tries again after 1, 2, 4 and 8 s, then fails";
    assert_eq!(screen.matches(foretold).count(), 2, "in the band and on the bottom line\n{screen}");
}

#[test]
fn a_list_that_was_reset_counts_what_came_since() {
    let mut stage = Stage::busy();
    stage.again(None, Bounds { entries: 20, ..Bounds::default() });
    let calls = |stage: &mut Stage, times: u32| {
        (0..times).for_each(|_| drop(stage.call(call(Operation::Get, "db1"))));
    };
    calls(&mut stage, 25);
    let title = |stage: &Stage| Seat::new(stage, (200, 50), "default", false).screen();
    let before = stage.entries().last().map_or(0, |entry| entry.seq);
    assert!(title(&stage).contains(&format!("20 kept of {before}")), "{}", title(&stage));
    stage.command("reset", "counters and journal reset", Vec::new());
    calls(&mut stage, 2);
    assert!(!title(&stage).contains("kept of"), "{}", title(&stage));
    calls(&mut stage, 20);
    // The command is an entry too.
    assert!(title(&stage).contains("20 kept of 23"), "{}", title(&stage));
}

#[test]
fn what_was_typed_at_docker_is_ascii_where_all_is() {
    let mut stage = Stage::empty();
    stage.push(EntryKind::EngineCommand(EngineCommand {
        command: "docker volume ls".into(),
        result: "fine".into(),
        ok: true,
    }));
    let mut seat = Seat::new(&stage, (80, 24), "default", true);
    seat.press("enter");
    seat.look(&stage);
    assert!(seat.screen().contains("$ docker volume ls  -> fine"), "{}", seat.screen());
    assert!(seat.screen().is_ascii(), "{}", seat.screen());
}

#[test]
fn a_narrow_list_names_the_key_that_follows_where_nothing_is_newer() {
    let stage = Stage::busy();
    let mut seat = Seat::new(&stage, (40, 10), "default", false);
    seat.press("up down");
    seat.look(&stage);
    let screen = seat.screen();
    assert!(!screen.contains("0 newer"), "{screen}");
    seat.press("home");
    seat.look(&stage);
    assert!(seat.screen().contains("newer"), "{}", seat.screen());
}
