//! What keys make of the screen. Keys are written as users write them; `type` stands for a typed text.

use std::time::Duration;

use crossterm::event::{MouseButton, MouseEventKind};
use proptest::prelude::*;
use voltergeist::{
    console::{
        input::bindings::KEY_BINDINGS,
        model::{Effect, Event, Pane},
    },
    domain::{
        lang::command::Outage,
        model::{
            entry::{
                Call, Condition, Decision, EntryKind, Outcome, RuleDecision, RuleEvent, RuleText, Share,
            },
            protocol::{Caller, Operation},
        },
        rules::{DryRun, EXAMPLES},
    },
};

use super::{
    fixture::{Fixture, TestConsole, call, fault},
    scenarios,
};

const SIZE: (u16, u16) = (120, 30);

pub fn console(fixture: &Fixture) -> TestConsole {
    TestConsole::new(fixture, SIZE, "default", false)
}

/// A fixture on which `count` volumes were asked for: v1, v2, …
pub fn asked(count: usize) -> Fixture {
    let mut fixture = Fixture::empty();
    for number in 1..=count {
        fixture.call(call(Operation::Get, &format!("v{number}")));
    }
    fixture
}

pub fn commands(effects: &[Effect]) -> Vec<String> {
    let line = |effect: &Effect| match effect {
        Effect::Run(command) => command.to_string(),
        Effect::Edit(edit) => format!("edit {} {:?}", edit.call, edit.text),
        other => format!("{other:?}"),
    };
    effects.iter().map(line).collect()
}

#[test]
fn each_key_that_acts_is_a_command() {
    let mut calm = Fixture::empty();
    calm.create("db1", &[]);
    calm.create("db2", &[]);
    let mut haunted = Fixture::busy();
    haunted.arm("arm mount: fail \"the volume is haunted\" as fail-mounts");
    haunted.arm("arm get: hang");
    haunted.down(Outage::Unlink, None);
    let waiting = Fixture::busy();
    for (fixture, keys, expected) in [
        (&calm, "m", vec!["arm mount: fail \"the volume is haunted\" as fail-mounts"]),
        (&calm, "e", vec!["arm get: empty as empty-get"]),
        (&calm, "x", vec!["forget db1"]),
        (&calm, "tab down x", vec!["forget db2"]),
        (&calm, "d", vec!["down refuse"]),
        (&calm, "D d", vec!["down unlink"]),
        (&calm, "D D D d", vec!["down reset"]),
        (&calm, "c", vec![]),
        (&calm, "r", vec![]),
        (&calm, "R", vec![]),
        (&calm, "R n", vec![]),
        (&calm, "R y", vec!["reset"]),
        (&calm, "q", vec!["Leave"]),
        (&calm, "ctrl-c", vec!["Interrupt"]),
        (&calm, "ctrl-z", vec![]),
        (&calm, "ctrl-z y", vec!["Suspend"]),
        (&calm, "tab tab enter", vec!["arm mount: fail \"the volume is haunted\" as fail-mounts"]),
        (&calm, "tab tab down down down enter", vec!["down refuse"]),
        (&haunted, "m", vec!["disarm fail-mounts"]),
        (&haunted, "e", vec!["disarm empty-get"]),
        (&haunted, "g g", vec![]),
        (&haunted, "x", vec!["restore cache"]),
        (&haunted, "d", vec!["up"]),
        (&haunted, "D", vec!["down unlink"]),
        (&haunted, "c", vec!["disarm all", "up"]),
        (&haunted, "r", vec!["release"]),
        (&waiting, "r", vec!["release 15"]),
        (&waiting, "v", vec!["edit 15 \"{}\\n\""]),
        (&haunted, "tab tab v", vec!["edit 15 \"{}\\n\""]),
        (&calm, "v", vec![]),
        (&calm, "f", vec![]),
        (&waiting, "f", vec![]),
        (&waiting, "f n o enter", vec!["release 15: fail \"no\""]),
        (&waiting, "f n o \" enter", vec!["release 15: fail \"no\""]),
        (&waiting, "f \\ \" n o \\ \" \" enter", vec!["release 15: fail \"\\\"no\\\"\""]),
        (&waiting, "f esc", vec![]),
        (&haunted, "q", vec![]),
        (&haunted, "q n", vec![]),
        (&haunted, "q y", vec!["Leave"]),
        (&haunted, "? ctrl-c", vec!["Interrupt"]),
        (&haunted, "tab tab end delete", vec!["disarm 5"]),
    ] {
        let effects = console(fixture).press(keys);
        assert_eq!(commands(&effects), expected, "{keys}");
    }
}

#[test]
fn clear_all_also_removes_a_spent_rule_and_releases_what_it_holds() {
    let mut fixture = Fixture::empty();
    fixture.arm("arm mount: hold once");
    fixture.hold(1, Operation::Mount, "db1");
    let rule = RuleText { id: 1, label: None, text: "mount: hold once".into() };
    fixture.push(EntryKind::Rule(Box::new(RuleEvent::Spent(rule))));
    let mut console = console(&fixture);
    assert!(console.screen().contains("1 CALL HELD") && console.screen().contains(" c clear all"));
    assert_eq!(commands(&console.press("c")), ["disarm all"]);
    fixture.disarm_all();
    console.look(&fixture);
    assert!(!console.screen().contains("CALL HELD"), "{}", console.screen());
    assert_eq!(commands(&console.press("c")), [""; 0]);
    assert!(console.screen().contains("nothing to clear"), "{}", console.screen());
}

#[test]
fn an_open_call_stays_open_while_newer_calls_arrive() {
    for open in ["G enter", "i", "z i", "tab enter shift-tab"] {
        let mut fixture = asked(40);
        fixture.create("db1", &[]);
        let mut console = console(&fixture);
        for key in open.split(' ') {
            console.press(key);
            console.look(&fixture);
        }
        let opened = console.app.rows().selected_row();
        fixture.call(call(Operation::Remove, "newer"));
        console.look(&fixture);
        assert_eq!(console.app.rows().selected_row(), opened, "{open}\n{}", console.screen());
        console.press("esc");
        assert!(console.app.rows().follows(), "{open}: closing it lets the list follow again");
    }
    let mut console = console(&asked(40));
    console.press("enter up esc");
    assert!(!console.app.rows().follows(), "another row was selected");
    console.press("enter G");
    assert!(console.app.rows().follows(), "the newest row was asked for");
}

#[test]
fn what_a_key_shows_is_on_the_screen() {
    let mut fixture = asked(40);
    fixture.create("db1", &[("tier", "gold")]);
    for (keys, shown, hidden) in [
        ("", "auto-scroll on", "newer below"),
        ("up", "auto-scroll off", "newer below"),
        ("up G", "auto-scroll on", "newer below"),
        ("up down down", "auto-scroll on", "newer below"),
        ("home", "newer below", "v40"),
        ("g", "newer below", "v40"),
        ("g G", "auto-scroll on", "newer below"),
        ("space", "PAUSED +0", "auto-scroll on"),
        ("space space", "auto-scroll on", "PAUSED"),
        ("space esc", "auto-scroll on", "PAUSED"),
        ("?", "toggle: fail every Mount", "  fault  "),
        ("? esc", "auto-scroll on", "toggle: fail every Mount"),
        ("enter", "Request", "  fault  "),
        ("enter esc", "auto-scroll on", "Request"),
        ("t", "theme light", ""),
        ("D", "outage type: unlink", ""),
        ("r", "no call is held", ""),
        ("v", "no call is held", ""),
        ("f", "no call is held", ""),
        ("y", "copied call 41 (create db1) as JSON", ""),
        ("Y", "copied a curl command that repeats call 41 (create db1)", ""),
        ("tab y", "copied volume db1 as JSON", ""),
        ("tab tab y", "copied the line that arms mounts fail", ""),
        ("tab tab down down y", "select a rule to copy its line", ""),
        ("s Y", "copied the sequence as text", ""),
        ("s w", ": save voltergeist-20260314-154107.txt", ""),
        ("w tab tab", "154107.md", ""),
        ("w", ": save voltergeist-20260314-154107.jsonl", ""),
        ("tab enter", "Volume history", "auto-scroll on"),
        ("tab enter esc", "auto-scroll on", "Volume history"),
        ("ctrl-z", "docker waits for replies", ""),
    ] {
        let mut console = console(&fixture);
        console.press(keys);
        let screen = console.screen();
        assert!(screen.contains(shown), "after {keys}: no {shown:?} in\n{screen}");
        assert!(hidden.is_empty() || !screen.contains(hidden), "after {keys}: {hidden:?} in\n{screen}");
    }
}

#[test]
fn the_help_finds_what_is_typed_and_goes_back_step_by_step() {
    let fixture = Fixture::empty();
    for (keys, typed, shown, hidden) in [
        ("? /", "curl", "as a curl command", "toggle: fail every Mount"),
        ("? /", "CURL", "Inspect", "to the next pane"),
        ("? /", "hold", "release a held call", "toggle: fail every Mount"),
        ("? /", "failing", "toggle: fail every Mount", "to the next pane"),
        ("? /", "nth of that", "no match", "to the next pane"),
        ("? / c u r l enter", "", "/ curl", "toggle: fail every Mount"),
        ("? / q j", "", "/ qj_", "toggle: fail every Mount"),
        ("? / q esc", "", "toggle: fail every Mount", "/ q"),
        ("? / q enter esc", "", "toggle: fail every Mount", "/ q"),
        ("? / q enter esc esc", "", "No calls yet", "Esc closes"),
        ("? / q backspace", "", "/ _", "No calls yet"),
        ("tab tab ?", "", "In this pane", ""),
        ("?", "", "Inject faults", "In this pane"),
    ] {
        let mut console = TestConsole::new(&fixture, (120, 60), "default", false);
        console.press(keys);
        console.type_text(typed, &fixture);
        let screen = console.screen();
        assert!(screen.contains(shown), "{keys} {typed}: no {shown:?} in\n{screen}");
        assert!(hidden.is_empty() || !screen.contains(hidden), "{keys} {typed}: {hidden:?} in\n{screen}");
    }
}

#[test]
fn a_view_that_has_no_room_says_so() {
    for (keys, size, expected) in [
        ("s", (40, 10), "the sequence needs 56 columns"),
        ("p", (80, 20), "the narration needs 24 rows"),
        ("s", (80, 24), ""),
        ("p", (80, 24), ""),
    ] {
        let mut console = TestConsole::new(&Fixture::busy(), size, "default", false);
        console.press(keys);
        let screen = console.screen();
        assert!(screen.contains(expected), "{keys}: {screen}");
        assert!(!expected.is_empty() || !screen.contains(" needs "), "{keys}: {screen}");
    }
}

#[test]
fn what_nothing_undoes_is_done_after_a_question_only() {
    let fixture = Fixture::busy();
    for line in ["reset", "crash lose", "arm list: null-entry"] {
        for (answer, expected) in [("n", 0), ("enter", 0), ("enter enter", 0), ("y", 1)] {
            let mut console = console(&fixture);
            console.press(":");
            console.type_text(line, &fixture);
            assert_eq!(console.press("enter"), [], "{line}");
            assert_eq!(console.press(answer).len(), expected, "{line} {answer}");
        }
    }
}

#[test]
fn everything_is_deleted_only_when_the_drivers_name_is_typed() {
    let fixture = Fixture::busy();
    for (typed, expected) in [("", 0), ("y", 0), ("voltergeis", 0), ("voltergeist", 1)] {
        let mut console = console(&fixture);
        console.press(":");
        console.type_text("wipe", &fixture);
        assert_eq!(console.press("enter"), []);
        console.type_text(typed, &fixture);
        assert_eq!(console.press("enter").len(), expected, "{typed}\n{}", console.screen());
    }
}

#[test]
fn what_is_refused_in_front_of_another_plugin_is_not_asked_for() {
    let mut fixture = Fixture::busy();
    fixture.register(|driver| driver.upstream = Some("rclone at unix:///run/rclone.sock".into()));
    for line in ["wipe", "crash lose"] {
        let mut console = console(&fixture);
        console.press(":");
        console.type_text(line, &fixture);
        assert_eq!(commands(&console.press("enter")), [line]);
    }
}

#[test]
fn a_release_takes_the_marked_call_or_else_the_oldest() {
    let mut fixture = Fixture::empty();
    for volume in ["one", "two", "three"] {
        fixture.wait(Operation::Get, volume, "hold");
    }
    for (keys, expected) in [
        ("r", "release 3"),
        ("up r", "release 2"),
        ("g r", "release 1"),
        ("tab r", "release"),
        ("up tab r", "release"),
    ] {
        assert_eq!(commands(&console(&fixture).press(keys)), [expected], "{keys}");
    }
    let mut console = console(&fixture);
    let marked = |console: &TestConsole| {
        let buffer = console.backend().buffer().clone();
        let style = console.app.theme.styles.selection;
        let rows = buffer.content.chunks(buffer.area.width.into());
        let marked =
            rows.map(|cells| cells.iter().filter(|cell| cell.modifier.contains(style.add_modifier)).count());
        marked.filter(|cells| *cells > 20).count()
    };
    assert_eq!(marked(&console), 1, "the newest call is marked while the list follows");
    assert!(console.screen().contains("r release selected"), "{}", console.screen());
    console.press("tab tab");
    assert_eq!(marked(&console), 1, "and a fault while the faults have the keys");
}

#[test]
fn a_released_call_keeps_its_row_and_its_time() {
    for keys in ["", "z", "g"] {
        let mut fixture = Fixture::empty();
        fixture.wait(Operation::Unmount, "held1", "hold");
        fixture.call(Call { caller: Caller::Other, ..call(Operation::Get, "later") });
        let mut console = console(&fixture);
        console.press(keys);
        console.look(&fixture);
        let row = |console: &TestConsole| {
            let screen = console.screen();
            let row = |volume: &str| {
                screen.lines().enumerate().find(|(_, line)| line.contains(volume)).expect("its row")
            };
            let ((held, line), (later, _)) = (row("held1"), row("later"));
            (later - held, line.trim_start_matches('┃').trim_start()[..8].to_owned())
        };
        let before = row(&console);
        fixture.pass(5_000);
        fixture.end_held(Call { duration: Duration::from_secs(5), ..call(Operation::Unmount, "held1") });
        console.look(&fixture);
        assert_eq!(row(&console), before, "{keys}\n{}", console.screen());
        assert!(!console.screen().contains("held 0:"), "{}", console.screen());
    }
}

#[test]
fn the_list_follows_again_after_a_reset() {
    let mut fixture = asked(40);
    for keys in ["up up up", "g"] {
        let mut console = console(&fixture);
        console.press(keys);
        fixture.command("reset", "counters and journal reset", Vec::new());
        console.look(&fixture);
        assert!(console.app.rows().follows(), "{keys}\n{}", console.screen());
        for number in 0..40 {
            fixture.call(call(Operation::Get, &format!("w{number}")));
        }
    }
}

#[test]
fn n_goes_from_match_to_match_with_and_without_the_filter() {
    let fixture = asked(30);
    let selected = |console: &TestConsole| {
        let call = console.app.selected().and_then(|entry| entry.call()).expect("a call");
        call.volume.clone().unwrap_or_default().into_string()
    };
    for (keys, expected) in [
        ("esc N", "v29"),
        ("esc N N", "v19"),
        ("esc N N n", "v29"),
        ("esc n", "v9"),
        ("esc g N", "v29"),
        ("N", "v19"),
        ("esc z N", "v29"),
        ("esc tab N", "v29"),
    ] {
        let mut console = console(&fixture);
        console.press("/");
        console.type_text("volume:*9", &fixture);
        console.press("enter");
        for key in keys.split(' ') {
            console.look(&fixture);
            console.press(key);
        }
        assert_eq!(selected(&console), expected, "{keys}\n{}", console.screen());
    }
    let mut console = console(&fixture);
    console.press("n");
    assert!(console.screen().contains("nothing to look for; / filters"), "{}", console.screen());
}

#[test]
fn an_open_call_follows_the_selection_and_turns_its_own_pages() {
    let fixture = Fixture::busy();
    let mut console = TestConsole::new(&fixture, (120, 21), "default", false);
    console.press("up up up enter");
    assert!(console.screen().contains("Call 13") && console.screen().contains("GET /metrics"));
    console.press("up");
    assert!(console.screen().contains("Call 12") && console.screen().contains("POST /VolumeDriver.Mount"));
    let before = console.screen();
    console.press("pagedown");
    assert!(console.screen() != before && console.screen().contains("Call 12"), "{}", console.screen());
    console.press("pageup");
    assert_eq!(console.screen(), before);
}

#[test]
fn an_edited_rule_takes_the_place_of_the_old_one() {
    let mut fixture = Fixture::empty();
    fixture.arm("arm get: empty");
    fixture.arm("arm get: hang as slow");
    for (keys, typed, expected) in [
        ("tab tab end up enter", " once", vec!["arm get: empty once", "disarm 1"]),
        ("tab tab end enter", "", vec!["arm get: hang as slow"]),
        ("tab tab end enter", "er", vec!["arm get: hang as slower", "disarm 2"]),
        ("tab tab end a", " as other", vec!["arm get: hang as other"]),
        ("tab tab a", " once", vec!["arm mount: fail \"the volume is haunted\" once"]),
    ] {
        let mut console = console(&fixture);
        console.press(keys);
        console.type_text(typed, &fixture);
        assert_eq!(commands(&console.press("enter")), expected, "{keys} {typed}");
    }
}

#[test]
fn an_open_call_tells_why_no_other_rule_acted() {
    let mut fixture = Fixture::empty();
    for rule in
        ["get: empty", "get: hang", "get where volume=x: eof", "get 50%: eof", "get nth 3: eof", "get: eof"]
    {
        fixture.arm(&format!("arm {rule}"));
    }
    let rule = RuleText { id: 6, label: None, text: "get: eof".into() };
    fixture.push(EntryKind::Rule(Box::new(RuleEvent::Disarmed(rule))));
    let decisions = [
        Decision::Fired,
        Decision::Skipped { by: 1 },
        Decision::NoMatch { selector: "volume=x".into() },
        Decision::Missed { drew: Share(701_234), below: Share(500_000) },
        Decision::NotDue { count: 1, condition: Condition::Nth(3) },
    ];
    let numbered = (1..).zip(decisions).map(|(id, decision)| RuleDecision { id, decision });
    fixture.call(Call {
        fault: Some(fault(1, None, "empty").into()),
        evaluation: Some(numbered.collect()),
        ..call(Operation::Get, "db1")
    });
    let mut console = TestConsole::new(&fixture, (120, 60), "default", false);
    console.press("enter");
    let screen = console.screen();
    for expected in [
        "rule 1: empty",
        "docker: takes it as",
        "rule 2 (get: hang): skipped: rule 1 acted first",
        "rule 3 (get where volume=x: eof): no match: volume=x",
        "rule 4 (get 50%: eof): drew 0.70, needed < 0.50",
        "rule 5 (get nth 3: eof): call 1 of 3",
        "rule 6 (get: eof): disarmed",
    ] {
        assert!(screen.contains(expected), "no {expected:?} in\n{screen}");
    }
}

#[test]
fn the_mouse_selects_what_is_under_it_and_the_wheel_scrolls_it() {
    let mut fixture = asked(40);
    fixture.create("db1", &[]);
    fixture.create("db2", &[]);
    let mut console = console(&fixture);
    console.click("v30");
    let selected =
        console.app.calls.selected().and_then(|entry| entry.call()).and_then(|call| call.volume.clone());
    assert_eq!(selected.as_deref(), Some("v30"));

    console.click("db2     ○");
    assert_eq!((console.app.focus, console.app.volume.0.as_deref()), (Pane::Volumes, Some("db2")));

    console.click("driver down");
    assert_eq!((console.app.focus, console.app.fault.row), (Pane::Faults, 3));

    console.mouse(MouseEventKind::ScrollUp, (5, 10), Duration::ZERO);
    assert_eq!(console.app.focus, Pane::Faults, "the wheel leaves the keys where they are");
    let selected =
        console.app.calls.selected().and_then(|entry| entry.call()).and_then(|call| call.volume.clone());
    assert_eq!(selected.as_deref(), Some("v27"));
    assert_eq!(console.press("M"), [Effect::Mouse(false)]);

    let mut narrow = TestConsole::new(&fixture, (40, 10), "default", false);
    narrow.click("Volumes 2");
    assert_eq!(narrow.app.focus, Pane::Volumes);
}

#[test]
fn the_selection_stays_on_its_call_while_others_arrive() {
    let mut fixture = asked(10);
    let mut console = console(&fixture);
    console.press("up up");
    let selected = |console: &TestConsole| console.app.calls.selected().and_then(|entry| entry.call_number());
    assert_eq!(selected(&console), Some(8));
    for number in 11..100 {
        fixture.call(call(Operation::Get, &format!("v{number}")));
    }
    console.look(&fixture);
    assert_eq!(selected(&console), Some(8));
    assert!(console.screen().contains("newer below"), "{}", console.screen());
}

#[test]
fn a_frozen_list_keeps_what_it_shows_and_counts_what_it_misses() {
    let mut fixture = asked(3);
    let mut console = console(&fixture);
    console.press("space");
    fixture.call(call(Operation::Remove, "later"));
    console.look(&fixture);
    let screen = console.screen();
    assert!(
        screen.contains("PAUSED +1") && screen.contains("remove 1") && !screen.contains("later"),
        "{screen}"
    );
    console.press("space");
    console.look(&fixture);
    assert!(console.screen().contains("later"));
}

#[test]
fn the_end_of_a_call_takes_the_place_of_its_waiting() {
    let mut fixture = Fixture::empty();
    fixture.wait(Operation::Unmount, "db1", "hold");
    let mut console = console(&fixture);
    console.press("up");
    assert!(console.screen().contains("held 0:00"));
    fixture.end_held(call(Operation::Unmount, "db1"));
    console.look(&fixture);
    assert!(!console.screen().contains("WAITS"), "{}", console.screen());
    assert_eq!(console.app.calls.selected().and_then(|entry| entry.call_number()), Some(1));
}

#[test]
fn a_filter_acts_while_it_is_typed_and_a_wrong_one_changes_nothing() {
    let fixture = Fixture::busy();
    let mut console = console(&fixture);
    console.press("/");
    console.type_text("op:mount", &fixture);
    let screen = console.screen();
    assert!(screen.contains("2 shown") && !screen.contains("create    cache"), "{screen}");
    console.type_text(",gte", &fixture);
    let screen = console.screen();
    assert!(
        screen.contains("unknown operation \"gte\", did you mean \"get\"?") && screen.contains("2 shown"),
        "{screen}"
    );
    console.press("esc");
    console.look(&fixture);
    assert!(console.screen().contains("create    cache"));

    console.press("/");
    console.type_text("vol:ca*", &fixture);
    console.press("enter");
    assert!(console.screen().contains("/vol:ca*  2 shown"), "{}", console.screen());
    console.press("esc");
    console.look(&fixture);
    assert!(!console.screen().contains("shown"));
}

#[test]
fn tab_completes_what_can_stand_next() {
    let fixture = Fixture::busy();
    for (typed, keys, expected) in [
        ("fo", "tab", "forget"),
        ("forget d", "tab", "forget db1"),
        ("restore ", "tab", "restore cache"),
        ("down b", "tab", "down blackhole"),
        ("down ", "shift-tab", "down reset"),
        ("down ", "tab tab", "down unlink"),
        ("crash ", "tab", "crash keep"),
        ("disarm em", "tab", "disarm empty-get"),
        ("release 1", "tab", "release 15"),
        ("release 15: re", "tab", "release 15: reply"),
        ("release: fail \"no\" aft", "tab", "release: fail \"no\" after"),
        ("theme col", "tab", "theme colour-blind"),
        ("arm unm", "tab", "arm unmount"),
        ("arm get: em", "tab", "arm get: empty"),
        ("arm get where vol", "tab", "arm get where volume="),
        ("arm get where volume=db", "tab", "arm get where volume=db1"),
        ("arm get where by=do", "tab", "arm get where by=docker"),
        ("arm get: empty on", "tab", "arm get: empty once"),
        ("clear", "tab", "clear-all"),
        ("quit", "tab", "quit"),
        ("quit", "tab tab", "quit-now"),
        ("quit-", "tab", "quit-now"),
        ("save", "tab tab", "save-shown"),
        ("arm get ", "tab", "arm get :"),
        ("arm get ", "tab tab tab", "arm get 50%"),
        ("arm get 5% n", "tab", "arm get 5% nth"),
        ("arm list: null", "tab tab", "arm list: null-entry"),
    ] {
        let mut console = console(&fixture);
        console.press(":");
        console.type_text(typed, &fixture);
        console.press(keys);
        let screen = console.screen();
        let line = screen.lines().find_map(|line| line.strip_prefix(" : ")).unwrap_or_default();
        assert_eq!(line, expected, "after {typed:?} {keys}");
    }
}

#[test]
fn what_can_stand_next_is_offered_with_its_meaning_and_the_number_of_what_is_not_shown() {
    let fixture = Fixture::busy();
    for (typed, keys, shown) in [
        ("arm ", "", "… 5 more"),
        ("arm ", "", "a container starts using a volume"),
        ("arm ", "shift-tab", "any method of another interface"),
        ("arm ", "tab", "… 5 more"),
        ("arm get ", "", "50%       random: N% of the calls"),
        ("arm get ", "", "after     N: all calls after the first N"),
        ("arm get: reset ", "", "after     the work comes first, then the fault"),
        ("arm get: ", "", "the original reply; later rules are skipped"),
        ("arm get where ", "", "volume=        =GLOB: volume name matches GLOB"),
    ] {
        let mut console = console(&fixture);
        console.press(":");
        console.type_text(typed, &fixture);
        console.press(keys);
        let screen = console.screen();
        assert!(screen.contains(shown), "{typed:?} {keys}: no {shown:?} in\n{screen}");
    }
    let mut console = console(&fixture);
    console.press(": q u i");
    assert!(!console.screen().contains(" more "), "{}", console.screen());
}

#[test]
fn a_typed_line_is_run_remembered_or_explained() {
    let fixture = Fixture::busy();
    let mut console = console(&fixture);
    console.press(":");
    console.type_text("forget db1", &fixture);
    assert_eq!(commands(&console.press("enter")), ["forget db1"]);
    console.press(": up");
    assert_eq!(commands(&console.press("enter")), ["forget db1"]);
    console.press(":");
    console.type_text("frget db1", &fixture);
    console.press("enter");
    assert!(console.screen().contains("did you mean \"forget\""), "{}", console.screen());
    console.press("esc :");
    console.type_text("pause", &fixture);
    console.press("enter");
    assert!(console.screen().contains("PAUSED"));
    console.press(":");
    console.type_text("theme mono", &fixture);
    console.press("enter");
    assert_eq!(console.app.theme.name, "mono");
}

#[test]
fn a_line_that_is_no_good_stays_until_it_is_corrected_or_left() {
    let fixture = Fixture::busy();
    for (key, line, wrong, corrected) in [
        (":", "frget db1", "did you mean \"forget\"", ": frget db1mg"),
        (":", "theme pink", "pink", ": theme pinkmg"),
        (":", "filter op:xyzzy", "unknown operation", ": filter op:xyzzymg"),
        ("/", "status:abc", "invalid status", "/ status:abcmg"),
    ] {
        let mut console = console(&fixture);
        console.press(key);
        console.type_text(line, &fixture);
        assert_eq!(console.press("enter m g"), [], "{line}");
        let screen = console.screen();
        assert!(screen.contains(corrected), "{screen}");
        console.press("backspace backspace enter");
        let screen = console.screen();
        assert!(screen.contains(wrong) && screen.contains(&format!("{key} {line}")), "{screen}");
        console.press("esc");
        assert!(!console.screen().contains(wrong), "{}", console.screen());
        assert_eq!(commands(&console.press("x")), ["restore cache"], "after {line} the keys act again");
    }
}

#[test]
fn no_name_of_an_action_is_called_wrong_while_it_is_typed() {
    let fixture = Fixture::busy();
    let names = KEY_BINDINGS.iter().map(|binding| binding.name);
    for line in names.chain(["theme", "theme mono", "filter", "filter op:get", "wipe"]) {
        let is_form = voltergeist::domain::lang::command::FORMS
            .iter()
            .any(|(word, form, _)| *word == line && !form.is_empty() && !form.starts_with('['));
        if is_form {
            continue;
        }
        let mut console = console(&fixture);
        console.press(":");
        console.type_text(line, &fixture);
        assert!(!console.screen().contains("column "), "{line}\n{}", console.screen());
        console.press("enter");
        assert!(!console.screen().contains(&format!(" : {line}\n")), "{line}\n{}", console.screen());
    }
    for (line, wrong) in [
        ("hepl", "column 1: unknown command \"hepl\", did you mean \"help\"?"),
        ("xyzzy", "column 1: unknown command \"xyzzy\"; Tab on an empty line lists them"),
        ("filter status:abc", "column 15: invalid status \"abc\""),
        ("pause  now", "column 8: unexpected \"now\"; pause takes no argument"),
    ] {
        let mut console = console(&fixture);
        console.press(":");
        console.type_text(line, &fixture);
        assert!(console.screen().contains(wrong), "{line}\n{}", console.screen());
    }
}

#[test]
fn a_command_that_is_refused_can_be_corrected_but_not_one_of_a_key() {
    let fixture = Fixture::busy();
    let refused = |line: &str| Event::CommandDone { line: line.into(), result: Err("there is none".into()) };
    let mut console = console(&fixture);
    console.press(":");
    console.type_text("forget none", &fixture);
    assert_eq!(commands(&console.press("enter")), ["forget none"]);
    console.update(refused("forget none"));
    let screen = console.screen();
    assert!(screen.contains(" : forget none") && screen.contains("there is none"), "{screen}");
    assert_eq!(
        commands(&console.press("backspace backspace backspace backspace d b 1 enter")),
        ["forget db1"]
    );

    console.press("x");
    console.update(refused("forget db1"));
    assert!(console.screen().contains("✗ there is none"), "{}", console.screen());
    console.press("?");
    assert!(console.screen().contains("voltergeist: help"), "{}", console.screen());
}

#[test]
fn an_audience_sees_each_key_with_what_it_did_and_never_with_what_an_earlier_one_did() {
    let fixture = Fixture::busy();
    let done = || Event::CommandDone { line: "release 15".into(), result: Ok("call 18 released".into()) };
    let caption = |console: &TestConsole| {
        let screen = console.screen();
        let mut lines = screen.lines().skip_while(|line| !line.contains("Narration"));
        lines.nth(1).expect("a caption").trim_matches(['┃', ' ', '·']).to_owned()
    };
    for (keys, expected) in [
        ("p", "[p] presenter mode: spacing"),
        ("y p", "[p] presenter mode: spacing"),
        ("p y", "[y] copied call 15 (unmount) as JSON"),
        ("p y s", "[s] sequence diagram of the calls"),
        ("p t", "[t] theme light"),
        ("p y B", "B is not bound; ? shows the keys"),
    ] {
        let mut console = TestConsole::new(&fixture, (120, 40), "default", false);
        console.press(keys);
        assert!(
            caption(&console).starts_with(expected),
            "{keys}: {}\n{}",
            caption(&console),
            console.screen()
        );
    }
    let mut console = TestConsole::new(&fixture, (120, 40), "default", false);
    console.press("p r");
    console.update(done());
    assert!(
        caption(&console)
            .starts_with("[r] release a held call: the selected one, else the oldest → call 18 released"),
        "{}",
        console.screen()
    );
    console.press("down");
    assert!(caption(&console).starts_with("[↓] down one row"), "{}", console.screen());
    console.press("p");
    assert!(console.screen().contains(": release 15  → call 18 released"), "{}", console.screen());
}

#[test]
fn an_audience_reads_a_fault_in_sentences_and_not_once_it_is_over() {
    let failed = |volume: &str, action: &str| Call {
        outcome: Outcome::Error,
        status: Some(500),
        error: Some("the volume is haunted".into()),
        fault: Some(fault(1, None, action).into()),
        ..call(Operation::Mount, volume)
    };
    let caption = |fixture: &Fixture| {
        let mut console = TestConsole::new(fixture, (200, 50), "default", false);
        console.press("p");
        let screen = console.screen();
        let lines = screen.lines().skip_while(|line| !line.contains("Narration"));
        lines.take(5).map(|line| line.trim_matches(['┃', ' ']).to_owned()).collect::<Vec<_>>().join(" ")
    };
    let mut fixture = Fixture::empty();
    fixture.arm("arm mount: fail \"the volume is haunted\" as ghost");
    fixture.call(failed("db1", "fail \"the volume is haunted\""));
    fixture.call(call(Operation::List, ""));
    let shown = caption(&fixture);
    assert!(
        shown.contains("docker mounts db1. voltergeist replies with the error \"the volume is haunted\". docker fails to start the container"),
        "{shown}"
    );
    fixture.pass(5_000);
    let shown = caption(&fixture);
    assert!(shown.contains("5 s ago: docker mounts db1."), "{shown}");
    fixture.disarm_all();
    let shown = caption(&fixture);
    assert!(!shown.contains("db1") && shown.contains("docker lists volumes"), "{shown}");

    let mut fixture = Fixture::empty();
    fixture.arm("arm mount: reset after");
    fixture.call(Call { status: None, error: Some("reset".into()), ..failed("db1", "reset after") });
    let shown = caption(&fixture);
    assert!(shown.contains("voltergeist does the work, then resets the connection."), "{shown}");
}

#[test]
fn an_old_error_is_gone_with_the_next_key_that_acts() {
    let fixture = Fixture::busy();
    for keys in ["/ d enter", "/ d", "t", "R", "space", ": p a u s e enter", "q"] {
        let mut console = console(&fixture);
        console
            .update(Event::CommandDone { line: "forget db1".into(), result: Err("the disk is full".into()) });
        assert!(console.screen().contains("✗ the disk is full"), "{}", console.screen());
        console.press(keys);
        assert!(!console.screen().contains("the disk is full"), "{keys}\n{}", console.screen());
    }
}

#[test]
fn earlier_lines_come_back_and_so_does_the_one_that_is_being_typed() {
    let fixture = Fixture::busy();
    let done = |line: &str| Event::CommandDone { line: line.into(), result: Ok("done".into()) };
    for (keys, expected) in [
        (": n o down", ": no"),
        (": n o up", ": disarm  fail-mounts"),
        (": n o up up up", ": disarm  fail-mounts"),
        (": n o up up down down", ": no"),
        (": n o up up down down down", ": no"),
        (": up x down", ": disarm  fail-mountsx"),
        (": up x up down", ": disarm  fail-mountsx"),
        ("/ d b up", "/ op:mount"),
        ("/ d b up up down", "/ db"),
    ] {
        let mut console = console(&fixture);
        console.press("x");
        console.update(done("forget cache"));
        console.press(":");
        console.type_text("disarm  fail-mounts", &fixture);
        console.press("enter");
        console.update(done("disarm fail-mounts"));
        console.press("r");
        console.update(done("release 15"));
        console.press(":");
        console.type_text("note left", &fixture);
        console.press("esc /");
        console.type_text("op:mount", &fixture);
        console.press("enter / ctrl-u enter");
        console.press(keys);
        let screen = console.screen();
        assert!(screen.lines().any(|line| line.trim() == expected), "{keys}\n{screen}");
    }
}

#[test]
fn a_filter_that_is_given_up_gives_way_to_the_one_before() {
    let fixture = Fixture::busy();
    let mut console = console(&fixture);
    console.press("/");
    console.type_text("vol:ca*", &fixture);
    console.press("enter /");
    console.press("ctrl-u");
    console.type_text("status", &fixture);
    assert!(console.screen().contains("/status  0 shown"), "{}", console.screen());
    console.type_text(":abc", &fixture);
    console.press("enter esc");
    console.look(&fixture);
    assert!(console.screen().contains("/vol:ca*  2 shown"), "{}", console.screen());
    console.press("/ ctrl-u backspace");
    console.look(&fixture);
    assert!(!console.screen().contains("shown"), "{}", console.screen());
}

#[test]
fn what_can_end_an_engine_asks_first() {
    let fixture = Fixture::empty();
    let mut console = console(&fixture);
    console.press(":");
    console.type_text("arm list: null-entry", &fixture);
    assert!(console.press("enter").iter().all(|effect| !matches!(effect, Effect::Run(_))));
    assert!(console.screen().contains("crashes a running dockerd"), "{}", console.screen());
    assert_eq!(commands(&console.press("y")), ["arm --yes list: null-entry"]);
}

#[test]
fn a_rule_that_is_typed_gets_a_dry_run() {
    let fixture = Fixture::busy();
    let mut console = console(&fixture);
    console.press(":");
    console.type_text("arm get: empt", &fixture);
    let Some(Effect::DryRun { number, .. }) = console.press("y").pop() else { panic!("no dry run") };
    assert!(console.screen().contains("would have hit …"), "{}", console.screen());
    let hits = DryRun { hits: vec![3.into(), 5.into()], calls: 16 };
    console.update(Event::DryRunDone { number, result: Ok(hits.clone()) });
    let screen = console.screen();
    assert!(screen.contains("would have hit 2 calls of the 16 so far"), "{screen}");
    assert_eq!(screen.matches('◆').count(), 2, "{screen}");
    // While the next result is to come, the last one stays.
    let Some(Effect::DryRun { number, .. }) = console.press("space").pop() else { panic!("no dry run") };
    assert!(console.screen().contains("would have hit 2 calls of the 16 so far"), "{}", console.screen());
    assert!(console.press("esc").is_empty());
    assert!(!console.screen().contains('◆'));
    console.update(Event::DryRunDone { number, result: Ok(hits) });
    assert!(!console.screen().contains('◆'), "the result for an older text is dropped");
    for (rule, expected) in [("db9", "14 so far; there is no volume db9 now"), ("db*", "14 so far ")] {
        console.press(":");
        console.type_text(&format!("arm get where volume={rule}: empty"), &fixture);
        assert!(console.screen().contains(expected), "{}", console.screen());
        console.press("esc");
    }
}

#[test]
fn a_pane_can_have_all_the_room_and_its_borders_can_be_moved() {
    let fixture = Fixture::busy();
    let width = |console: &TestConsole| {
        console.app.screen(&console.snapshot).expect("it is large enough").calls.map_or(0, |pane| pane.width)
    };
    let mut console = TestConsole::new(&fixture, (160, 45), "default", false);
    let before = width(&console);
    console.press("Z");
    assert_eq!(width(&console), 160);
    console.press("tab");
    assert!(console.screen().contains("Volumes 4") && width(&console) == 0, "{}", console.screen());
    console.press("esc");
    assert_eq!(width(&console), before);
    console.press("ctrl-left ctrl-left");
    assert!(width(&console) < before);
    console.press("ctrl-right ctrl-right ctrl-right ctrl-right");
    assert!(width(&console) > before);

    let x = width(&console);
    for (kind, x) in [
        (MouseEventKind::Down(MouseButton::Left), x),
        (MouseEventKind::Drag(MouseButton::Left), 80),
        (MouseEventKind::Up(MouseButton::Left), 80),
        (MouseEventKind::Drag(MouseButton::Left), 40),
    ] {
        console.mouse(kind, (x, 20), Duration::from_millis(20));
    }
    assert_eq!(width(&console), 80);
}

#[test]
fn hints_can_be_clicked_and_a_second_click_opens() {
    let fixture = asked(40);
    let mut console = console(&fixture);
    assert_eq!(
        commands(&console.click("fail mounts")),
        ["arm mount: fail \"the volume is haunted\" as fail-mounts"]
    );
    console.click("v30");
    assert!(!console.screen().contains("Request"));
    console.click("v30");
    assert!(console.screen().contains("Request"), "{}", console.screen());
    let mut console = self::console(&fixture);
    console.click("driver down");
    assert_eq!(commands(&console.click("driver down")), ["down refuse"]);
}

#[test]
fn the_rows_of_commands_can_be_hidden_and_repeated_presses_are_one() {
    let mut fixture = asked(3);
    fixture.command("note one", "one", Vec::new());
    for speed in ["speed 2", "speed 4", "speed 8"] {
        fixture.command(speed, "changed", Vec::new());
    }
    for keys in ["", "z"] {
        let mut console = console(&fixture);
        console.press(keys);
        console.look(&fixture);
        let screen = console.screen();
        assert!(screen.contains(": note one") && screen.contains(": speed 8"), "{screen}");
        assert!(!screen.contains(": speed 2") && !screen.contains(": speed 4"), "{screen}");
        console.press("C");
        console.look(&fixture);
        let screen = console.screen();
        assert!(!screen.contains(": note one") && screen.contains("v3"), "{screen}");
        console.press("w");
        assert!(
            console.screen().contains("where -kind:command -kind:engine_command"),
            "{}",
            console.screen()
        );
        console.press("esc C");
        console.look(&fixture);
        assert!(console.screen().contains(": note one"), "{}", console.screen());
    }
}

#[test]
fn a_message_goes_away_with_time_and_when_it_is_no_longer_true() {
    let mut fixture = Fixture::busy();
    let mut console = console(&fixture);
    console.press("D");
    assert!(console.screen().contains("outage type"));
    fixture.pass(9_000);
    console.look(&fixture);
    assert!(console.screen().contains("outage type") && console.app.is_ticking(&console.snapshot));
    fixture.pass(2_000);
    console.look(&fixture);
    assert!(!console.screen().contains("outage type"), "{}", console.screen());
    // A command of another client is shown, and one's own is not shown as such.
    fixture.command("note hello", "hello", Vec::new());
    console.look(&fixture);
    assert!(console.screen().contains(": note hello  → hello (typed)"), "{}", console.screen());
    console.press(": n o t e space m e enter");
    fixture.command("note me", "me", Vec::new());
    console.update(Event::CommandDone { line: "note me".into(), result: Ok("me".into()) });
    console.look(&fixture);
    assert!(console.screen().contains(": note me  → me\n"), "{}", console.screen());
}

#[test]
fn the_command_line_finds_what_is_meant() {
    let mut fixture = scenarios::offering();
    fixture.create("db1", &[]);
    for (typed, expected) in [
        ("psc", "play  "),
        ("mounts", "fail-mounts"),
        ("labelslost", "play labels-lost"),
        ("highcon", "theme high-contrast"),
        ("fgdb1", "forget db1"),
    ] {
        let mut console = console(&fixture);
        console.press(":");
        console.type_text(typed, &fixture);
        assert!(console.screen().contains(expected), "{typed}\n{}", console.screen());
    }
    let mut console = console(&fixture);
    console.press(":");
    console.type_text("highcon", &fixture);
    console.press("tab enter");
    assert_eq!(console.app.theme.name, "high-contrast");
}

#[test]
fn a_shell_command_is_typed_with_the_selected_volume_and_ended_by_a_key() {
    let mut fixture = Fixture::empty();
    fixture.create("db1", &[]);
    let mut console = console(&fixture);
    console.press("!");
    let screen = console.screen();
    assert!(screen.contains("docker run --rm -v db1:/data --volume-driver voltergeist"), "{screen}");
    console.type_text("docker volume ins", &fixture);
    console.press("tab");
    assert_eq!(console.press("enter"), [Effect::Shell("docker volume inspect db1".into())]);
    assert!(
        console.screen().contains("$ docker volume inspect db1 is running; X ends it"),
        "{}",
        console.screen()
    );
    // One at a time, and none is left behind without a word.
    assert_eq!(console.press("!"), []);
    assert!(console.screen().contains("is still running"), "{}", console.screen());
    console.press("q");
    assert!(console.screen().contains("quitting ends it"), "{}", console.screen());
    console.press("n");
    assert_eq!(console.press("X"), [Effect::EndShell]);
    let mut console = self::console(&fixture);
    console.press(":");
    console.type_text("! true", &fixture);
    assert_eq!(console.press("enter"), [Effect::Shell("true".into())]);
}

#[test]
fn enter_in_the_help_runs_the_line() {
    let fixture = Fixture::busy();
    for (wanted, expected) in [
        ("fail every Mount", vec!["arm mount: fail \"the volume is haunted\" as fail-mounts"]),
        ("next theme", vec![]),
        ("no such line", vec![]),
    ] {
        let mut console = self::console(&fixture);
        console.press("?");
        console.press("/");
        console.type_text(wanted, &fixture);
        console.press("enter");
        console.look(&fixture);
        assert_eq!(commands(&console.press("enter")), expected, "{wanted}");
        assert!(!console.screen().contains("voltergeist: help"), "{}", console.screen());
    }
}

#[test]
fn enter_in_the_help_begins_a_line_that_needs_more() {
    let fixture = Fixture::busy();
    let rule = EXAMPLES[0].0;
    for (wanted, line) in [("choose a theme", ": theme"), (rule, &*format!(": arm {rule}"))] {
        let mut console = self::console(&fixture);
        console.press("?");
        console.press("/");
        console.type_text(wanted, &fixture);
        console.press("enter");
        console.look(&fixture);
        console.press("enter");
        let screen = console.screen();
        assert!(
            screen.lines().any(|text| text.trim_start().starts_with(line)),
            "{line} is missing in\n{screen}"
        );
    }
}

#[test]
fn the_selected_line_of_the_help_stays_in_view() {
    let fixture = Fixture::busy();
    let mut console = self::console(&fixture);
    console.press("?");
    console.look(&fixture);
    let is_selected = |console: &TestConsole| {
        let reversed = console.app.theme.styles.selection.add_modifier;
        console.backend().buffer().content.iter().filter(|cell| cell.modifier.contains(reversed)).count() > 50
    };
    for key in ["down", "pagedown", "down", "pageup", "up", "g", "up"].into_iter().chain(["down"; 60]) {
        console.press(key);
        console.look(&fixture);
        assert!(is_selected(&console), "after {key}:\n{}", console.screen());
    }
}

#[test]
fn every_key_of_the_table_is_in_the_help() {
    let mut console = TestConsole::new(&Fixture::empty(), (120, 120), "default", false);
    console.press("?");
    let screen = console.screen();
    for binding in KEY_BINDINGS {
        let help = binding.help.split_whitespace().next().unwrap_or_default();
        let chord: voltergeist::console::input::keymap::Chord = binding.keys[0].parse().expect("a key");
        let line = |line: &str| line.contains(&chord.label(false)) && line.contains(help);
        assert!(screen.lines().any(line), "{} is missing in\n{screen}", binding.name);
    }
}

#[test]
fn the_help_teaches_rules_and_lints_and_an_open_call_says_what_is_odd() {
    use voltergeist::domain::model::lint::Lint;
    let mut console = TestConsole::new(&Fixture::empty(), (200, 160), "default", false);
    console.press("?");
    let screen = console.screen();
    for (rule, meaning) in EXAMPLES {
        assert!(screen.lines().any(|line| line.contains(rule) && line.contains(meaning)), "{rule}\n{screen}");
    }
    for lint in Lint::ALL {
        let begin = &lint.meaning()[..20];
        assert!(screen.lines().any(|line| line.contains(lint.as_str()) && line.contains(begin)), "{screen}");
    }
    let mut fixture = Fixture::empty();
    fixture.call(Call { lints: vec![Lint::ReusedMountId], ..call(Operation::Mount, "db1") });
    let mut console = TestConsole::new(&fixture, (120, 40), "default", false);
    console.press("enter");
    let screen = console.screen();
    assert!(
        screen.contains("lint: reused-mount-id") && screen.contains("a Mount with an ID whose"),
        "{screen}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_sequence_of_keys_breaks_the_console(
        keys in prop::collection::vec(
            prop_oneof![
                4 => prop::sample::select(KEY_BINDINGS.iter().flat_map(|binding| binding.keys).copied().collect::<Vec<_>>()),
                1 => prop::sample::select(vec!["a", "n", "o", "p", "e", "s", "-", "*", "\"", "ö", "y", "ctrl-w", "ctrl-a"]),
            ],
            1..60,
        ),
        size in (1_u16..140, 1_u16..50),
        begin in prop::sample::select([Fixture::busy as fn() -> Fixture, scenarios::offering, scenarios::playing, scenarios::failed].to_vec()),
    ) {
        let mut fixture = begin();
        let mut console = TestConsole::new(&fixture, size, "default", false);
        for (index, key) in keys.iter().enumerate() {
            console.press(key);
            if index % 7 == 0 {
                fixture.call(call(Operation::Get, "db1"));
                console.look(&fixture);
            }
        }
        console.screen();
    }
}

#[test]
fn a_space_of_several_bytes_in_a_typed_line_is_a_space() {
    let fixture = Fixture::busy();
    for space in ["\u{a0}", "\u{85}", "\u{3000}"] {
        for (line, completed) in [
            (format!(":forget{space}db"), "db1"),
            (format!(":arm get where{space}volume"), "volume="),
            (format!("/volume:db{space}op"), "operation:"),
        ] {
            let mut console = TestConsole::new(&fixture, SIZE, "mono", false);
            for c in line.chars() {
                console.update(Event::Key(crossterm::event::KeyCode::Char(c).into()));
            }
            console.press("left right tab");
            let (screen, begin) = (console.screen(), format!(" {} ", &line[..1]));
            let typed = screen.lines().find(|row| row.starts_with(&begin)).expect("the line is shown");
            assert!(typed.trim_end().ends_with(completed), "{line:?}\n{screen}");
        }
    }
}

#[test]
fn a_pasted_text_of_any_length_is_put_at_the_cursor() {
    let fixture = Fixture::busy();
    let mut console = TestConsole::new(&fixture, SIZE, "mono", false);
    console.press(": a b left");
    console.update(Event::Paste("é\né".repeat(40_000)));
    console.press("c end");
    assert!(console.screen().contains("éé éé écb"), "{}", console.screen());
    console.press("home");
    assert!(console.screen().contains(": aé éé éé"), "{}", console.screen());
}
