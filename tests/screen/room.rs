//! What matters most is read in full where there is room for it.

use std::sync::Arc;

use voltergeist::{
    console::model::Event,
    domain::{
        lang::command::Outage,
        model::{
            entry::{AppliedFault, Call, ConnectionEvent, EngineCommand, EntryKind, Outcome},
            peer::Peer,
            protocol::Operation,
        },
        state::journal::Bounds,
    },
};

use super::{
    fixture::{Fixture, TestConsole, call, fault},
    keys::asked,
};

/// A busy fixture with a mount that fails and a call that a reset met, at a size with two panes side by side.
fn console_with_failures() -> (Fixture, TestConsole) {
    let mut fixture = Fixture::busy();
    let failed = |fault: AppliedFault, status, error: &str| Call {
        fault: Some(fault.into()),
        outcome: Outcome::Error,
        status,
        error: Some(error.into()),
        ..call(Operation::Mount, "db1")
    };
    let fail = fault(1, None, "fail \"the volume is haunted\"");
    fixture.call(failed(fail, Some(500), "the volume is haunted"));
    fixture.call(failed(
        AppliedFault::of_outage(Outage::Reset),
        None,
        "the connection was reset: the driver is down",
    ));
    let console = TestConsole::new(&fixture, (120, 36), "default", false);
    (fixture, console)
}

#[test]
fn the_details_of_a_fault_with_nothing_to_alter_promise_no_reaction() {
    let mut fixture = Fixture::empty();
    let applied = fault(1, None, "mountpoint /etc");
    for unaltered in [true, false] {
        let fault = Some(AppliedFault { unaltered, ..applied.clone() }.into());
        fixture.call(Call { fault, ..call(Operation::Get, "db1") });
        let mut console = TestConsole::new(&fixture, (120, 36), "default", false);
        console.press("enter");
        let screen = console.screen();
        assert_eq!(screen.contains("it changed nothing in this reply"), unaltered, "{screen}");
        assert_eq!(screen.contains("docker: "), !unaltered, "{screen}");
    }
}

#[test]
fn calls_show_who_sent_them_where_there_are_several() {
    let mut fixture = Fixture::empty();
    let peers = [("dockerd", 1234), ("curl", 7)];
    for ((name, pid), connection) in peers.into_iter().zip(1..) {
        call_of(&mut fixture, (name, pid), connection, "db1");
    }
    for (size, shown) in [
        ((200, 50), ["dockerd[1234]", "curl[7]"]),
        ((120, 36), ["  dockerd  ", "  curl  "]),
        ((80, 24), ["  dockerd  ", "  curl  "]),
    ] {
        let screen = TestConsole::new(&fixture, size, "default", false).screen();
        for peer in shown {
            assert!(screen.contains(peer), "{peer} at {size:?}:\n{screen}");
        }
    }
    let screen = TestConsole::new(&fixture, (40, 10), "default", false).screen();
    assert!(!screen.contains("dockerd"), "{screen}");
}

fn call_by(fixture: &mut Fixture, name: &str, pid: u32, connection: u64) {
    call_of(fixture, (name, pid), connection, "postgres-data-1");
}

fn call_of(fixture: &mut Fixture, (name, pid): (&str, u32), connection: u64, volume: &str) {
    let peer = Arc::new(Peer::Process { pid, uid: 0, user: None, name: Some(name.into()) });
    let opened = ConnectionEvent::Opened { connection, peer: Some(Arc::clone(&peer)), first: true };
    fixture.push(EntryKind::Connection(opened));
    fixture.call(Call { peer: Some(peer), connection, ..call(Operation::Get, volume) });
}

#[test]
fn names_have_the_room_that_callers_do_not_need() {
    let mut fixture = Fixture::empty();
    // Voltergeist looks whether its own socket answers.
    let own = Arc::new(Peer::Process { pid: 1, uid: 0, user: None, name: Some("voltergeist".into()) });
    let opened = ConnectionEvent::Opened { connection: 1, peer: Some(own), first: true };
    fixture.push(EntryKind::Connection(opened));
    call_by(&mut fixture, "dockerd", 4083, 2);
    let screen = TestConsole::new(&fixture, (120, 36), "default", false).screen();
    assert!(screen.contains("get       postgres-data-1  ok"), "{screen}");
    assert!(!screen.contains("caller"), "there is only one\n{screen}");
    call_by(&mut fixture, "dockerd", 511, 3);
    let screen = TestConsole::new(&fixture, (120, 36), "default", false).screen();
    assert!(screen.contains("get       postgres-data-1  ok"), "a long name comes first\n{screen}");
    let mut fixture = Fixture::empty();
    for (pid, connection) in [(4083, 1), (511, 2)] {
        call_of(&mut fixture, ("dockerd", pid), connection, "db1");
    }
    let screen = TestConsole::new(&fixture, (120, 36), "default", false).screen();
    assert!(screen.contains("[4083]  get       db1     ok"), "{screen}");
}

#[test]
fn how_a_call_ended_can_be_read_beside_the_other_panes() {
    let (_, console) = console_with_failures();
    let screen = console.screen();
    for shown in
        ["⚡ hold held 0:12, times out in 0:", "✗ 500 the volume is haunt", "⚡ down reset ✗ no reply"]
    {
        assert!(screen.contains(shown), "no {shown:?} in\n{screen}");
    }
}

#[test]
fn an_open_call_shows_the_outage_that_met_it() {
    let (fixture, mut console) = console_with_failures();
    console.press("enter");
    console.look(&fixture);
    let screen = console.screen();
    assert!(screen.contains("⚡ the driver was down: down reset"), "{screen}");
    assert!(screen.contains("docker: retries after 1, 2, 4 and 8 s"), "{screen}");
    assert!(!screen.contains("no rule fired"), "{screen}");
}

#[test]
fn what_came_of_a_command_has_two_rows_where_it_needs_them_and_the_screen_has_them() {
    let line = "arm mount: fail \"the volume is haunted\" as fail-mounts";
    let last = "it sends no Unmount for this mount";
    for (size, is_whole) in [((120, 36), true), ((120, 23), false)] {
        let fixture = Fixture::busy();
        let mut console = TestConsole::new(&fixture, size, "default", false);
        console.update(Event::CommandDone { line: line.into(), result: Ok(String::new()) });
        console.look(&fixture);
        let screen = console.screen();
        assert!(screen.contains(&format!(" : {}", &line[..30])), "{screen}");
        assert_eq!(screen.contains(last), is_whole, "at {size:?}\n{screen}");
    }
}

#[test]
fn an_outage_says_what_the_engine_does_meanwhile() {
    let mut fixture = Fixture::busy();
    fixture.down(Outage::Refuse, None);
    let mut console = TestConsole::new(&fixture, (200, 50), "default", false);
    console.update(Event::CommandDone {
        line: "down refuse".into(),
        result: Ok("the driver is down: refuse".into()),
    });
    console.look(&fixture);
    let screen = console.screen();
    let foretold = "docker: tries again after 1, 2, 4 and 8 s, then fails";
    assert_eq!(screen.matches(foretold).count(), 2, "in the band and on the bottom line\n{screen}");
}

#[test]
fn a_list_that_was_reset_counts_what_came_since() {
    let mut fixture = Fixture::busy();
    fixture.again(None, Bounds { entries: 20, ..Bounds::default() });
    let calls = |fixture: &mut Fixture, times: u32| {
        (0..times).for_each(|_| drop(fixture.call(call(Operation::Get, "db1"))));
    };
    calls(&mut fixture, 25);
    let title = |fixture: &Fixture| TestConsole::new(fixture, (200, 50), "default", false).screen();
    let before = fixture.entries().last().map_or(0, |entry| entry.seq);
    assert!(title(&fixture).contains(&format!("20 kept of {before}")), "{}", title(&fixture));
    fixture.command("reset", "counters and journal reset", Vec::new());
    calls(&mut fixture, 2);
    assert!(!title(&fixture).contains("kept of"), "{}", title(&fixture));
    calls(&mut fixture, 20);
    // The command is an entry too.
    assert!(title(&fixture).contains("20 kept of 23"), "{}", title(&fixture));
}

#[test]
fn what_was_typed_at_docker_is_ascii_where_all_is() {
    let mut fixture = Fixture::empty();
    fixture.push(EntryKind::EngineCommand(Box::new(EngineCommand {
        command: "docker volume ls".into(),
        result: "fine".into(),
        ok: true,
    })));
    let mut console = TestConsole::new(&fixture, (80, 24), "default", true);
    console.press("enter");
    console.look(&fixture);
    assert!(console.screen().contains("$ docker volume ls  -> fine"), "{}", console.screen());
    assert!(console.screen().is_ascii(), "{}", console.screen());
}

#[test]
fn a_narrow_list_names_the_key_that_follows_where_nothing_is_newer() {
    let fixture = Fixture::busy();
    let mut console = TestConsole::new(&fixture, (40, 10), "default", false);
    console.press("up down");
    console.look(&fixture);
    let screen = console.screen();
    assert!(!screen.contains("0 newer"), "{screen}");
    console.press("home");
    console.look(&fixture);
    assert!(console.screen().contains("newer"), "{}", console.screen());
}

/// What the pane of the faults says, in one line.
fn faults(console: &TestConsole) -> String {
    let screen = console.screen();
    let lines = screen.lines().skip_while(|line| !line.contains(" Faults ")).skip(1);
    let pane = lines.filter_map(|line| line.split('│').nth(1));
    pane.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_rule_is_whole_where_rows_are_free_and_an_outage_shows_what_is_left_of_it() {
    let rule = "mount where volume=db*: fail \"the array is degraded, and what was on it is being read from another one\"";
    let mut fixture = Fixture::busy();
    fixture.arm(&format!("arm {rule}"));
    fixture.down(Outage::Refuse, Some(3));
    fixture.pass(1_200);
    let mut console = TestConsole::new(&fixture, (160, 45), "default", false);
    let shown = faults(&console);
    assert!(shown.contains(rule), "{shown}\n{}", console.screen());
    assert!(shown.contains("DOWN refuse, 0:02 left"), "{shown}\n{}", console.screen());
    // Each of its lines is the rule's.
    console.click("being read from");
    console.press("y");
    assert!(console.screen().contains("copied the line that arms rule 4"), "{}", console.screen());
}

#[test]
fn an_audience_sees_ten_calls_on_a_small_screen_and_a_large_one_gives_them_the_room() {
    let fixture = asked(40);
    for (size, least) in [((80, 24), 10), ((120, 36), 10), ((200, 50), 15)] {
        let mut console = TestConsole::new(&fixture, size, "default", false);
        console.press("p");
        let screen = console.screen();
        assert!(screen.contains("docker looks"), "{screen}");
        assert!(screen.matches("15:41:07").count() >= least, "at {size:?}\n{screen}");
        let calls = console.app.screen(&console.snapshot).and_then(|screen| screen.calls);
        let width = calls.expect("the calls are shown").width;
        assert!(size.0 < 200 || width >= 150, "{width} of 200 columns\n{screen}");
    }
}
