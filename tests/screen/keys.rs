//! What keys make of the screen. Keys are written as users write them; `type` stands for a typed text.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use proptest::prelude::*;
use voltergeist::{
    console::{
        input::bindings::KEY_BINDINGS,
        model::{Effect, Event, Pane},
    },
    domain::{
        lang::command::Outage,
        model::{
            entry::{Call, Outcome},
            protocol::Operation,
        },
        rules::DryRun,
    },
};

use super::{
    scenarios,
    stage::{Seat, Stage, call, fault},
};

const SIZE: (u16, u16) = (120, 30);

pub fn seat(stage: &Stage) -> Seat {
    Seat::new(stage, SIZE, "default", false)
}

/// A stage on which `count` volumes were asked for: v1, v2, …
fn asked(count: usize) -> Stage {
    let mut stage = Stage::empty();
    for number in 1..=count {
        stage.call(call(Operation::Get, &format!("v{number}")));
    }
    stage
}

pub fn commands(effects: &[Effect]) -> Vec<String> {
    let line = |effect: &Effect| match effect {
        Effect::Run(command) => command.to_string(),
        Effect::Edit(draft) => format!("edit {} {:?}", draft.call, draft.text),
        other => format!("{other:?}"),
    };
    effects.iter().map(line).collect()
}

#[test]
fn each_key_that_acts_is_a_command() {
    let mut calm = Stage::empty();
    calm.create("db1", &[]);
    calm.create("db2", &[]);
    let mut haunted = Stage::busy();
    haunted.arm("arm mount: fail \"the volume is haunted\" as fail-mounts");
    haunted.arm("arm get: hang");
    haunted.down(Outage::Unlink, None);
    let waiting = Stage::busy();
    for (stage, keys, expected) in [
        (&calm, "m", vec!["arm mount: fail \"the volume is haunted\" as fail-mounts"]),
        (&calm, "g", vec!["arm get: empty as empty-get"]),
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
        (&haunted, "g", vec!["disarm empty-get"]),
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
        let effects = seat(stage).press(keys);
        assert_eq!(commands(&effects), expected, "{keys}");
    }
}

#[test]
fn what_a_key_shows_is_on_the_screen() {
    let mut stage = asked(40);
    stage.create("db1", &[("tier", "gold")]);
    for (keys, shown, hidden) in [
        ("", "auto-scroll on", "newer below"),
        ("up", "1 newer below", "auto-scroll on"),
        ("up G", "auto-scroll on", "newer below"),
        ("up down down", "auto-scroll on", "newer below"),
        ("home", "40 newer below", "v40"),
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
        ("y", "copied the call as JSON", ""),
        ("Y", "copied a curl command", ""),
        ("s Y", "copied the sequence as text", ""),
        ("s e", ": save voltergeist-20260314-154107.txt", ""),
        ("e tab tab", "154107.md", ""),
        ("e", ": save voltergeist-20260314-154107.jsonl", ""),
        ("tab enter", "Volume history", "auto-scroll on"),
        ("tab enter esc", "auto-scroll on", "Volume history"),
        ("ctrl-z", "docker waits for replies", ""),
    ] {
        let mut seat = seat(&stage);
        seat.press(keys);
        let screen = seat.screen();
        assert!(screen.contains(shown), "after {keys}: no {shown:?} in\n{screen}");
        assert!(hidden.is_empty() || !screen.contains(hidden), "after {keys}: {hidden:?} in\n{screen}");
    }
}

#[test]
fn the_help_finds_what_is_typed_and_goes_back_step_by_step() {
    let stage = Stage::empty();
    for (keys, typed, shown, hidden) in [
        ("? /", "curl", "as a curl command", "toggle: fail every Mount"),
        ("? /", "CURL", "Inspect", "to the next pane"),
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
        let mut seat = Seat::new(&stage, (120, 60), "default", false);
        seat.press(keys);
        seat.type_text(typed, &stage);
        let screen = seat.screen();
        assert!(screen.contains(shown), "{keys} {typed}: no {shown:?} in\n{screen}");
        assert!(hidden.is_empty() || !screen.contains(hidden), "{keys} {typed}: {hidden:?} in\n{screen}");
    }
}

#[test]
fn a_view_that_has_no_room_says_so() {
    for (keys, size, told) in [
        ("s", (40, 10), "the sequence needs 56 columns"),
        ("p", (80, 20), "the narration needs 24 rows"),
        ("s", (80, 24), ""),
        ("p", (80, 24), ""),
    ] {
        let mut seat = Seat::new(&Stage::busy(), size, "default", false);
        seat.press(keys);
        let screen = seat.screen();
        assert!(screen.contains(told), "{keys}: {screen}");
        assert!(!told.is_empty() || !screen.contains(" needs "), "{keys}: {screen}");
    }
}

#[test]
fn what_nothing_undoes_is_done_after_a_question_only() {
    let stage = Stage::busy();
    for line in ["wipe", "reset", "crash lose", "arm list: null-entry"] {
        for (answer, expected) in [("n", 0), ("y", 1)] {
            let mut seat = seat(&stage);
            seat.press(":");
            seat.type_text(line, &stage);
            assert_eq!(seat.press("enter"), [], "{line}");
            assert_eq!(seat.press(answer).len(), expected, "{line} {answer}");
        }
    }
}

#[test]
fn an_open_call_follows_the_selection_and_turns_its_own_pages() {
    let stage = Stage::busy();
    let mut seat = Seat::new(&stage, (120, 21), "default", false);
    seat.press("up up up enter");
    assert!(seat.screen().contains("Call 13") && seat.screen().contains("GET /metrics"));
    seat.press("up");
    assert!(seat.screen().contains("Call 12") && seat.screen().contains("POST /VolumeDriver.Mount"));
    let before = seat.screen();
    seat.press("pagedown");
    assert!(seat.screen() != before && seat.screen().contains("Call 12"), "{}", seat.screen());
    seat.press("pageup");
    assert_eq!(seat.screen(), before);
}

#[test]
fn an_edited_rule_takes_the_place_of_the_old_one() {
    let mut stage = Stage::empty();
    stage.arm("arm get: empty");
    stage.arm("arm get: hang as slow");
    for (keys, typed, expected) in [
        ("tab tab end up enter", " once", vec!["arm get: empty once", "disarm 1"]),
        ("tab tab end enter", "", vec!["arm get: hang as slow"]),
        ("tab tab end enter", "er", vec!["arm get: hang as slower", "disarm 2"]),
        ("tab tab end n", " as other", vec!["arm get: hang as other"]),
        ("tab tab n", " once", vec!["arm mount: fail \"the volume is haunted\" once"]),
    ] {
        let mut seat = seat(&stage);
        seat.press(keys);
        seat.type_text(typed, &stage);
        assert_eq!(commands(&seat.press("enter")), expected, "{keys} {typed}");
    }
}

#[test]
fn an_open_call_tells_why_no_other_rule_acted() {
    let mut stage = Stage::empty();
    stage.arm("arm get: empty");
    stage.arm("arm get: hang");
    stage.arm("arm mount: hang");
    stage.call(Call { fault: Some(fault(1, None, "empty")), ..call(Operation::Get, "db1") });
    let mut seat = Seat::new(&stage, (120, 50), "default", false);
    seat.press("enter");
    let screen = seat.screen();
    for told in
        ["rule 1: empty", "docker: takes it as", "rule 2: skipped: rule 1 matched first", "rule 3: no match"]
    {
        assert!(screen.contains(told), "no {told:?} in\n{screen}");
    }
}

#[test]
fn the_mouse_selects_what_is_under_it_and_the_wheel_scrolls_it() {
    let mut stage = asked(40);
    stage.create("db1", &[]);
    stage.create("db2", &[]);
    let mouse = |kind, column, row| {
        let modifiers = crossterm::event::KeyModifiers::NONE;
        Event::Mouse(MouseEvent { kind, column, row, modifiers })
    };
    let click = MouseEventKind::Down(MouseButton::Left);
    let mut seat = seat(&stage);
    let find = |seat: &Seat, text: &str| {
        let screen = seat.screen();
        let (row, line) = screen.lines().enumerate().find(|(_, line)| line.contains(text)).expect(text);
        let column = line[..line.find(text).expect(text)].chars().count();
        (u16::try_from(column).expect("on the screen"), u16::try_from(row).expect("on the screen"))
    };

    let (column, row) = find(&seat, "v30");
    seat.update(mouse(click, column, row));
    let selected =
        seat.app.calls.selected().and_then(|entry| entry.call()).and_then(|call| call.volume.clone());
    assert_eq!(selected.as_deref(), Some("v30"));

    let (column, row) = find(&seat, "db2 ");
    seat.update(mouse(click, column, row));
    assert_eq!((seat.app.focus, seat.app.volume.0.as_deref()), (Pane::Volumes, Some("db2")));

    let (column, row) = find(&seat, "driver down");
    seat.update(mouse(click, column, row));
    assert_eq!((seat.app.focus, seat.app.fault.row), (Pane::Faults, 3));

    seat.update(mouse(MouseEventKind::ScrollUp, 5, 10));
    assert_eq!(seat.app.focus, Pane::Faults, "the wheel leaves the keys where they are");
    assert!(seat.screen().contains("15 newer below"), "{}", seat.screen());
    assert_eq!(seat.press("M"), [Effect::Mouse(false)]);

    let mut narrow = Seat::new(&stage, (40, 10), "default", false);
    let (column, row) = find(&narrow, "Volumes 2");
    narrow.update(mouse(click, column, row));
    assert_eq!(narrow.app.focus, Pane::Volumes);
}

#[test]
fn the_selection_stays_on_its_call_while_others_arrive() {
    let mut stage = asked(10);
    let mut seat = seat(&stage);
    seat.press("up up");
    let selected = |seat: &Seat| seat.app.calls.selected().and_then(|entry| entry.call_number());
    assert_eq!(selected(&seat), Some(8));
    for number in 11..100 {
        stage.call(call(Operation::Get, &format!("v{number}")));
    }
    seat.look(&stage);
    assert_eq!(selected(&seat), Some(8));
    assert!(seat.screen().contains("91 newer below"), "{}", seat.screen());
}

#[test]
fn a_frozen_list_keeps_what_it_shows_and_counts_what_it_misses() {
    let mut stage = asked(3);
    let mut seat = seat(&stage);
    seat.press("space");
    stage.call(call(Operation::Remove, "later"));
    seat.look(&stage);
    let screen = seat.screen();
    assert!(
        screen.contains("PAUSED +1") && screen.contains("remove 1") && !screen.contains("later"),
        "{screen}"
    );
    seat.press("space");
    seat.look(&stage);
    assert!(seat.screen().contains("later"));
}

#[test]
fn the_end_of_a_call_takes_the_place_of_its_waiting() {
    let mut stage = Stage::empty();
    stage.wait(Operation::Unmount, "db1", "hold");
    let mut seat = seat(&stage);
    seat.press("up");
    assert!(seat.screen().contains("held 0:00"));
    stage.end_held(call(Operation::Unmount, "db1"));
    seat.look(&stage);
    assert!(!seat.screen().contains("WAITS"), "{}", seat.screen());
    assert_eq!(seat.app.calls.selected().and_then(|entry| entry.call_number()), Some(1));
}

#[test]
fn a_filter_acts_while_it_is_typed_and_a_wrong_one_changes_nothing() {
    let stage = Stage::busy();
    let mut seat = seat(&stage);
    seat.press("/");
    seat.type_text("op:mount", &stage);
    let screen = seat.screen();
    assert!(screen.contains("2 shown") && !screen.contains("create    cache"), "{screen}");
    seat.type_text(",gte", &stage);
    let screen = seat.screen();
    assert!(
        screen.contains("unknown operation \"gte\", did you mean \"get\"?") && screen.contains("2 shown"),
        "{screen}"
    );
    seat.press("esc");
    seat.look(&stage);
    assert!(seat.screen().contains("create    cache"));

    seat.press("/");
    seat.type_text("vol:ca*", &stage);
    seat.press("enter");
    assert!(seat.screen().contains("/vol:ca*  2 shown"), "{}", seat.screen());
    seat.press("esc");
    seat.look(&stage);
    assert!(!seat.screen().contains("shown"));
}

#[test]
fn tab_completes_what_can_stand_next() {
    let stage = Stage::busy();
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
        let mut seat = seat(&stage);
        seat.press(":");
        seat.type_text(typed, &stage);
        seat.press(keys);
        let screen = seat.screen();
        let line = screen.lines().find_map(|line| line.strip_prefix(" : ")).unwrap_or_default();
        assert_eq!(line, expected, "after {typed:?} {keys}");
    }
}

#[test]
fn what_can_stand_next_is_offered_with_its_meaning_and_the_number_of_what_is_not_shown() {
    let stage = Stage::busy();
    for (typed, keys, shown) in [
        ("arm ", "", "… 4 more"),
        ("arm ", "", "mount         a container starts using a volume"),
        ("arm ", "shift-tab", "any           all nine"),
        ("arm ", "shift-tab", "… 4 more"),
        ("arm get ", "", "50%       random: N% of the calls"),
        ("arm get ", "", "after     N: all calls after the first N"),
        ("arm get: reset ", "", "after     the work comes first, then the fault"),
        ("arm get: ", "", "the original reply; later rules are skipped"),
        ("arm get where ", "", "volume=    =GLOB: volume name matches GLOB"),
    ] {
        let mut seat = seat(&stage);
        seat.press(":");
        seat.type_text(typed, &stage);
        seat.press(keys);
        let screen = seat.screen();
        assert!(screen.contains(shown), "{typed:?} {keys}: no {shown:?} in\n{screen}");
    }
    let mut seat = seat(&stage);
    seat.press(": q u i");
    assert!(!seat.screen().contains(" more "), "{}", seat.screen());
}

#[test]
fn a_typed_line_is_run_remembered_or_explained() {
    let stage = Stage::busy();
    let mut seat = seat(&stage);
    seat.press(":");
    seat.type_text("forget db1", &stage);
    assert_eq!(commands(&seat.press("enter")), ["forget db1"]);
    seat.press(": up");
    assert_eq!(commands(&seat.press("enter")), ["forget db1"]);
    seat.press(":");
    seat.type_text("frget db1", &stage);
    seat.press("enter");
    assert!(seat.screen().contains("did you mean \"forget\""), "{}", seat.screen());
    seat.press("esc :");
    seat.type_text("pause", &stage);
    seat.press("enter");
    assert!(seat.screen().contains("PAUSED"));
    seat.press(":");
    seat.type_text("theme mono", &stage);
    seat.press("enter");
    assert_eq!(seat.app.theme.name, "mono");
}

#[test]
fn a_line_that_is_no_good_stays_until_it_is_mended_or_left() {
    let stage = Stage::busy();
    for (key, line, wrong, mended) in [
        (":", "frget db1", "did you mean \"forget\"", ": frget db1mg"),
        (":", "theme pink", "pink", ": theme pinkmg"),
        (":", "filter op:xyzzy", "unknown operation", ": filter op:xyzzymg"),
        ("/", "status:abc", "invalid status", "/ status:abcmg"),
    ] {
        let mut seat = seat(&stage);
        seat.press(key);
        seat.type_text(line, &stage);
        assert_eq!(seat.press("enter m g"), [], "{line}");
        let screen = seat.screen();
        assert!(screen.contains(mended), "{screen}");
        seat.press("backspace backspace enter");
        let screen = seat.screen();
        assert!(screen.contains(wrong) && screen.contains(&format!("{key} {line}")), "{screen}");
        seat.press("esc");
        assert!(!seat.screen().contains(wrong), "{}", seat.screen());
        assert_eq!(commands(&seat.press("x")), ["restore cache"], "after {line} the keys act again");
    }
}

#[test]
fn no_name_of_an_action_is_called_wrong_while_it_is_typed() {
    let stage = Stage::busy();
    let names = KEY_BINDINGS.iter().map(|binding| binding.name);
    for line in names.chain(["theme", "theme mono", "filter", "filter op:get", "wipe"]) {
        let is_form = voltergeist::domain::lang::command::FORMS
            .iter()
            .any(|(word, form, _)| *word == line && !form.is_empty() && !form.starts_with('['));
        if is_form {
            continue;
        }
        let mut seat = seat(&stage);
        seat.press(":");
        seat.type_text(line, &stage);
        assert!(!seat.screen().contains("column "), "{line}\n{}", seat.screen());
        seat.press("enter");
        assert!(!seat.screen().contains(&format!(" : {line}\n")), "{line}\n{}", seat.screen());
    }
    for (line, wrong) in [
        ("hepl", "column 1: unknown command \"hepl\", did you mean \"help\"?"),
        ("xyzzy", "column 1: unknown command \"xyzzy\"; Tab on an empty line lists them"),
        ("filter status:abc", "column 15: invalid status \"abc\""),
        ("pause  now", "column 8: unexpected \"now\"; pause takes no argument"),
    ] {
        let mut seat = seat(&stage);
        seat.press(":");
        seat.type_text(line, &stage);
        assert!(seat.screen().contains(wrong), "{line}\n{}", seat.screen());
    }
}

#[test]
fn a_command_that_is_refused_can_be_mended_but_not_one_of_a_key() {
    let stage = Stage::busy();
    let refused = |line: &str| Event::CommandDone { line: line.into(), result: Err("there is none".into()) };
    let mut seat = seat(&stage);
    seat.press(":");
    seat.type_text("forget none", &stage);
    assert_eq!(commands(&seat.press("enter")), ["forget none"]);
    seat.update(refused("forget none"));
    let screen = seat.screen();
    assert!(screen.contains(" : forget none") && screen.contains("there is none"), "{screen}");
    assert_eq!(commands(&seat.press("backspace backspace backspace backspace d b 1 enter")), ["forget db1"]);

    seat.press("x");
    seat.update(refused("forget db1"));
    assert!(seat.screen().contains("✗ there is none"), "{}", seat.screen());
    seat.press("?");
    assert!(seat.screen().contains("voltergeist: help"), "{}", seat.screen());
}

#[test]
fn a_room_sees_each_key_with_what_it_did_and_never_with_what_an_earlier_one_did() {
    let stage = Stage::busy();
    let done = || Event::CommandDone { line: "release 15".into(), result: Ok("call 18 released".into()) };
    let caption = |seat: &Seat| {
        let screen = seat.screen();
        let mut lines = screen.lines().skip_while(|line| !line.contains("Narration"));
        lines.nth(1).expect("a caption").trim_matches(['┃', ' ']).to_owned()
    };
    for (keys, expected) in [
        ("p", "[p] presenter mode: spacing"),
        ("y p", "[p] presenter mode: spacing"),
        ("p y", "[y] copied the call as JSON"),
        ("p y s", "[s] toggle: sequence diagram of the calls"),
        ("p t", "[t] theme light"),
        ("p y Z", "Z is not bound; ? shows the keys"),
    ] {
        let mut seat = Seat::new(&stage, (120, 40), "default", false);
        seat.press(keys);
        assert!(caption(&seat).starts_with(expected), "{keys}: {}\n{}", caption(&seat), seat.screen());
    }
    let mut seat = Seat::new(&stage, (120, 40), "default", false);
    seat.press("p r");
    seat.update(done());
    assert!(caption(&seat).starts_with("[r] : release 15 → call 18 released"), "{}", seat.screen());
    seat.press("down");
    assert!(caption(&seat).starts_with("[↓] down one row"), "{}", seat.screen());
    seat.press("p");
    assert!(seat.screen().contains(": release 15  → call 18 released"), "{}", seat.screen());
}

#[test]
fn a_room_is_told_a_fault_in_sentences_and_not_once_it_is_over() {
    let failed = |volume: &str, action: &str| Call {
        outcome: Outcome::Error,
        status: Some(500),
        error: Some("the volume is haunted".into()),
        fault: Some(fault(1, None, action)),
        ..call(Operation::Mount, volume)
    };
    let caption = |stage: &Stage| {
        let mut seat = Seat::new(stage, (200, 50), "default", false);
        seat.press("p");
        let screen = seat.screen();
        let lines = screen.lines().skip_while(|line| !line.contains("Narration"));
        lines.take(5).map(|line| line.trim_matches(['┃', ' ']).to_owned()).collect::<Vec<_>>().join(" ")
    };
    let mut stage = Stage::empty();
    stage.arm("arm mount: fail \"the volume is haunted\" as ghost");
    stage.call(failed("db1", "fail \"the volume is haunted\""));
    stage.call(call(Operation::List, ""));
    let told = caption(&stage);
    assert!(
        told.contains("docker mounts db1. voltergeist replies with the error \"the volume is haunted\". docker fails to start the container"),
        "{told}"
    );
    stage.pass(5_000);
    let told = caption(&stage);
    assert!(told.contains("5 s ago: docker mounts db1."), "{told}");
    stage.disarm_all();
    let told = caption(&stage);
    assert!(!told.contains("db1") && told.contains("docker lists volumes"), "{told}");

    let mut stage = Stage::empty();
    stage.arm("arm mount: reset after");
    stage.call(Call { status: None, error: Some("reset".into()), ..failed("db1", "reset after") });
    let told = caption(&stage);
    assert!(told.contains("voltergeist does the work, then resets the connection."), "{told}");
}

#[test]
fn an_old_error_is_gone_with_the_next_key_that_acts() {
    let stage = Stage::busy();
    for keys in ["/ d enter", "/ d", "t", "R", "space", ": p a u s e enter", "q"] {
        let mut seat = seat(&stage);
        seat.update(Event::CommandDone { line: "forget db1".into(), result: Err("the disk is full".into()) });
        assert!(seat.screen().contains("✗ the disk is full"), "{}", seat.screen());
        seat.press(keys);
        assert!(!seat.screen().contains("the disk is full"), "{keys}\n{}", seat.screen());
    }
}

#[test]
fn earlier_lines_come_back_and_so_does_the_one_that_is_being_typed() {
    let stage = Stage::busy();
    let done = |line: &str| Event::CommandDone { line: line.into(), result: Ok("done".into()) };
    for (keys, expected) in [
        (": n o down", ": no"),
        (": n o up", ": release 15"),
        (": n o up up", ": disarm  fail-mounts"),
        (": n o up up up up", ": forget cache"),
        (": n o up up down", ": release 15"),
        (": n o up up down down", ": no"),
        (": n o up up down down down", ": no"),
        (": up x down", ": release 15x"),
        (": up x up down", ": release 15x"),
        ("/ d b up", "/ op:mount"),
        ("/ d b up up down", "/ db"),
    ] {
        let mut seat = seat(&stage);
        seat.press("x");
        seat.update(done("forget cache"));
        seat.press(":");
        seat.type_text("disarm  fail-mounts", &stage);
        seat.press("enter");
        seat.update(done("disarm fail-mounts"));
        seat.press("r");
        seat.update(done("release 15"));
        seat.press(":");
        seat.type_text("note left", &stage);
        seat.press("esc /");
        seat.type_text("op:mount", &stage);
        seat.press("enter / ctrl-u enter");
        seat.press(keys);
        let screen = seat.screen();
        assert!(screen.lines().any(|line| line.trim() == expected), "{keys}\n{screen}");
    }
}

#[test]
fn a_filter_that_is_given_up_gives_way_to_the_one_before() {
    let stage = Stage::busy();
    let mut seat = seat(&stage);
    seat.press("/");
    seat.type_text("vol:ca*", &stage);
    seat.press("enter /");
    seat.press("ctrl-u");
    seat.type_text("status", &stage);
    assert!(seat.screen().contains("/status  0 shown"), "{}", seat.screen());
    seat.type_text(":abc", &stage);
    seat.press("enter esc");
    seat.look(&stage);
    assert!(seat.screen().contains("/vol:ca*  2 shown"), "{}", seat.screen());
    seat.press("/ ctrl-u backspace");
    seat.look(&stage);
    assert!(!seat.screen().contains("shown"), "{}", seat.screen());
}

#[test]
fn what_can_end_an_engine_asks_first() {
    let stage = Stage::empty();
    let mut seat = seat(&stage);
    seat.press(":");
    seat.type_text("arm list: null-entry", &stage);
    assert!(seat.press("enter").iter().all(|effect| !matches!(effect, Effect::Run(_))));
    assert!(seat.screen().contains("crashes a running dockerd"), "{}", seat.screen());
    assert_eq!(commands(&seat.press("y")), ["arm --yes list: null-entry"]);
}

#[test]
fn a_rule_that_is_typed_gets_a_dry_run() {
    let stage = Stage::busy();
    let mut seat = seat(&stage);
    seat.press(":");
    seat.type_text("arm get: empt", &stage);
    let Some(Effect::DryRun { generation, .. }) = seat.press("y").pop() else { panic!("no dry run") };
    assert!(seat.screen().contains("would have hit …"), "{}", seat.screen());
    let hits = DryRun { hits: vec![3, 5], calls: 16 };
    seat.update(Event::DryRunDone { generation, result: Ok(hits.clone()) });
    let screen = seat.screen();
    assert!(screen.contains("would have hit 2 calls of the 16 so far"), "{screen}");
    assert_eq!(screen.matches('◆').count(), 2, "{screen}");
    // While the next result is to come, the last one stays.
    let Some(Effect::DryRun { generation, .. }) = seat.press("space").pop() else { panic!("no dry run") };
    assert!(seat.screen().contains("would have hit 2 calls of the 16 so far"), "{}", seat.screen());
    assert!(seat.press("esc").is_empty());
    assert!(!seat.screen().contains('◆'));
    seat.update(Event::DryRunDone { generation, result: Ok(hits) });
    assert!(!seat.screen().contains('◆'), "the result for an older text is dropped");
    for (rule, told) in [("db9", "13 so far; there is no volume db9 now"), ("db*", "13 so far ")] {
        seat.press(":");
        seat.type_text(&format!("arm get where volume={rule}: empty"), &stage);
        assert!(seat.screen().contains(told), "{}", seat.screen());
        seat.press("esc");
    }
}

#[test]
fn every_key_of_the_table_is_in_the_help() {
    let mut seat = Seat::new(&Stage::empty(), (120, 120), "default", false);
    seat.press("?");
    let screen = seat.screen();
    for binding in KEY_BINDINGS {
        let help = binding.help.split_whitespace().next().unwrap_or_default();
        let chord: voltergeist::console::input::keymap::Chord = binding.keys[0].parse().expect("a key");
        let line = |line: &str| line.contains(&chord.label(false)) && line.contains(help);
        assert!(screen.lines().any(line), "{} is missing in\n{screen}", binding.name);
    }
}

#[test]
fn the_help_teaches_rules_and_lints_and_an_open_call_says_what_is_odd() {
    use voltergeist::domain::{model::lint::Lint, rules::EXAMPLES};
    let mut seat = Seat::new(&Stage::empty(), (200, 160), "default", false);
    seat.press("?");
    let screen = seat.screen();
    for (rule, meaning) in EXAMPLES {
        assert!(screen.lines().any(|line| line.contains(rule) && line.contains(meaning)), "{rule}\n{screen}");
    }
    for lint in Lint::ALL {
        let begin = &lint.meaning()[..20];
        assert!(screen.lines().any(|line| line.contains(lint.as_str()) && line.contains(begin)), "{screen}");
    }
    let mut stage = Stage::empty();
    stage.call(Call { lints: vec![Lint::ReusedMountId], ..call(Operation::Mount, "db1") });
    let mut seat = Seat::new(&stage, (120, 40), "default", false);
    seat.press("enter");
    let screen = seat.screen();
    assert!(
        screen.contains("lint: reused-mount-id") && screen.contains("a Mount with an ID that is"),
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
        begin in prop::sample::select([Stage::busy as fn() -> Stage, scenarios::offering, scenarios::playing, scenarios::failed].to_vec()),
    ) {
        let mut stage = begin();
        let mut seat = Seat::new(&stage, size, "default", false);
        for (index, key) in keys.iter().enumerate() {
            seat.press(key);
            if index % 7 == 0 {
                stage.call(call(Operation::Get, "db1"));
                seat.look(&stage);
            }
        }
        seat.screen();
    }
}
