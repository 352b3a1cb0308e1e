//! The program in a real terminal: it starts, takes keys, lasts through panics and resizes, and leaves the
//! terminal as it found it, however it ends.

mod support;

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, test_kill_process};
use support::{
    TIMEOUT, http,
    pty::{Terminal, UnreadTerminal},
    scenarios::WAITS,
    wait_for,
};
use tempfile::TempDir;
use voltergeist::{
    domain::model::{
        entry::{Entry, EntryKind, Session},
        volume::Volumes,
    },
    recording::EntryEncoder,
};

fn console(env: &[(&str, &str)]) -> (TempDir, Terminal) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut terminal = Terminal::start(120, 40, directory.path(), &["--name", "haunt"], env);
    terminal.wait_for_text("haunt");
    terminal.wait_until("the alternate screen", vt100::Screen::alternate_screen);
    (directory, terminal)
}

fn call(directory: &TempDir, path: &str, body: &str) -> (u16, String) {
    http::request(&directory.path().join("plugin.sock"), "POST", path, body).expect("the plugin answers")
}

#[test]
fn a_request_appears_on_the_screen_and_a_key_makes_the_next_one_fail() {
    let (directory, mut terminal) = console(&[]);
    call(&directory, "/VolumeDriver.Create", r#"{"Name":"db1"}"#);
    terminal.wait_for_text("db1");
    terminal.press("m");
    terminal.wait_for_text("fail-mounts");
    let (status, body) = call(&directory, "/VolumeDriver.Mount", r#"{"Name":"db1","ID":"7f3a"}"#);
    assert_eq!((status, body.trim()), (500, "the volume is haunted"));
    terminal.press("m");
    terminal.wait_for_text("disarm fail-mounts");
    assert_eq!(call(&directory, "/VolumeDriver.Mount", r#"{"Name":"db1","ID":"7f3a"}"#).0, 200);
}

#[test]
fn a_handler_that_panics_leaves_the_screen_whole() {
    let (directory, mut terminal) = console(&[("VOLTERGEIST_PANIC_ON", "cursed")]);
    assert_eq!(call(&directory, "/VolumeDriver.Get", r#"{"Name":"cursed"}"#).0, 500);
    terminal.wait_for_text("cursed");
    terminal.wait_for_text("panic");
    terminal.press("?");
    terminal.wait_for_text("quit");
    terminal.press("?");
    terminal.wait_until("the whole screen again", |screen| {
        let text = screen.contents();
        let frame = text.lines().next().is_some_and(|line| line.starts_with(" voltergeist"))
            && !text.contains("backtrace");
        frame && screen.alternate_screen() && text.lines().last().is_some_and(|line| line.contains("? help"))
    });
    terminal.signal(Signal::TERM);
    terminal.wait_for_end();
    terminal.assert_restored();
}

#[test]
fn a_resize_is_followed_at_once() {
    let (_directory, mut terminal) = console(&[]);
    for (columns, rows) in [(40, 10), (200, 50), (80, 24)] {
        terminal.resize(columns, rows);
        terminal.wait_until("a screen that fills the window", move |screen| {
            let text = screen.contents();
            text.lines().count() == usize::from(rows) && text.contains("help")
        });
    }
    terminal.resize(39, 9);
    terminal.wait_for_text("too small");
}

#[test]
fn sigterm_and_sighup_end_it_in_order() {
    for (signal, status) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        let (directory, mut terminal) = console(&[]);
        terminal.signal(signal);
        assert_eq!(terminal.wait_for_end().exit_code(), status);
        terminal.assert_restored();
        for socket in ["plugin.sock", "control.sock"] {
            assert!(!directory.path().join(socket).exists(), "{socket} was left behind");
        }
    }
}

#[test]
fn q_ends_it_and_says_what_there_was() {
    let (directory, mut terminal) = console(&[]);
    call(&directory, "/VolumeDriver.Create", r#"{"Name":"db1"}"#);
    terminal.wait_for_text("db1");
    terminal.press("q");
    assert!(terminal.wait_for_end().success());
    terminal.assert_restored();
    terminal.wait_for_text("1 call: create 1");
    terminal.wait_for_text("not recorded; use --record FILE");
}

#[test]
fn ctrl_c_ends_it_as_the_signal_does_and_the_recording_is_named() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let recording = place.path().join("run.jsonl").display().to_string();
    let (directory, mut terminal) = console(&[("VOLTERGEIST_RECORD", &recording)]);
    call(&directory, "/VolumeDriver.Create", r#"{"Name":"db1"}"#);
    terminal.wait_for_text("db1");
    terminal.press("\x03");
    assert_eq!(terminal.wait_for_end().exit_code(), 130);
    terminal.assert_restored();
    terminal.wait_for_text("recorded in ");
    let recorded = std::fs::read_to_string(&recording).expect("the recording is there");
    assert!(recorded.contains(r#""operation":"create""#), "{recorded}");
}

#[test]
fn the_mouse_is_taken_unless_a_setting_or_a_key_leaves_it_to_the_terminal() {
    for (setting, taken) in [(None, true), (Some("true"), true), (Some("false"), false)] {
        let env: Vec<_> = setting.map(|setting| ("VOLTERGEIST_MOUSE", setting)).into_iter().collect();
        let (_directory, mut terminal) = console(&env);
        let is_taken =
            |screen: &vt100::Screen| screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None;
        terminal.wait_for_text("No calls yet");
        terminal.wait_until(&format!("the mouse with {setting:?}"), |screen| is_taken(screen) == taken);
        terminal.press("M");
        terminal.wait_until("the other way round", |screen| is_taken(screen) != taken);
        terminal.press("q");
        terminal.wait_for_end();
        terminal.wait_until("the terminal's own mouse", |screen| !is_taken(screen));
    }
}

#[test]
fn what_the_terminal_is_asked_for_is_taken_back_at_the_end() {
    let (_directory, mut terminal) = console(&[]);
    terminal.press("q");
    assert_eq!(terminal.wait_for_end().exit_code(), 0);
    terminal.assert_restored();
    let output = terminal.output();
    let (begin, end) = output.split_once("\x1b[?1049l").expect("the normal screen comes back");
    for (what, asked, given_back) in [
        ("bracketed paste", "\x1b[?2004h", "\x1b[?2004l"),
        ("focus events", "\x1b[?1004h", "\x1b[?1004l"),
        ("the kitty keyboard protocol", "\x1b[>1u", "\x1b[<1u"),
        ("the title on the stack", "\x1b[22;2t", "\x1b[23;2t"),
        ("the mouse", "\x1b[?1000h", "\x1b[?1000l"),
    ] {
        assert_eq!(output.matches(asked).count(), 1, "{what} is asked for");
        assert_eq!(output.matches(given_back).count(), 1, "{what} is given back");
        assert!(begin.contains(asked), "{what} is asked for first");
    }
    assert!(end.contains("\x1b[?25h"), "the cursor is shown again");
}

#[test]
fn a_frame_is_one_update_and_the_title_names_what_is_armed() {
    let (_directory, mut terminal) = console(&[]);
    terminal.press("m");
    terminal.wait_for_output("voltergeist haunt · 1 rule armed");
    terminal.press("\x03");
    terminal.wait_for_end();
    let output = terminal.output();
    let mut updates = output.split("\x1b[?2026h");
    assert!(!updates.next().expect("there is a beginning").contains("haunt"), "nothing is drawn before");
    let mut frames = 0;
    for update in updates {
        let (frame, after) = update.split_once("\x1b[?2026l").expect("each update has an end");
        frames += usize::from(!frame.is_empty());
        // Only the title and the end are outside.
        assert!(!after.contains("\x1b[1;1H"), "cells are drawn outside an update: {after:?}");
    }
    assert!(frames >= 2, "{frames} frames");
}

#[test]
fn a_paste_is_typed_as_one_line_and_never_as_keys() {
    let (_directory, mut terminal) = console(&[]);
    terminal.press("\x1b[200~m\x1b[201~");
    terminal.press(":\x1b[200~note one\ntwo\x1b[201~\r");
    terminal.wait_for_text(": note one two");
    assert!(!terminal.text().contains("arm mount"), "{}", terminal.text());
}

#[test]
fn a_held_call_rings_unless_the_window_has_the_keys() {
    let (directory, mut terminal) = console(&[("VOLTERGEIST_NOTIFY", "osc9")]);
    let calls = |directory: &TempDir| {
        let socket = directory.path().join("plugin.sock");
        thread::spawn(move || http::request(&socket, "POST", "/VolumeDriver.List", "{}"))
    };
    terminal.press(":arm list: hold\r");
    terminal.wait_for_text("1 armed");
    // The window has the keys.
    terminal.press("\x1b[I");
    let first = calls(&directory);
    terminal.wait_for_text("1 CALL HELD");
    assert!(!terminal.output().contains("\x1b]9;"));
    terminal.press("r");
    first.join().expect("it does not panic").expect("it is answered");
    // Without the keys it is once what is typed after that has been run.
    terminal.press("\x1b[O:note away\r");
    terminal.wait_for_text(": note away");
    let second = calls(&directory);
    terminal.wait_for_output("\x1b]9;call 2 is held: list\x1b\\");
    terminal.press("r");
    second.join().expect("it does not panic").expect("it is answered");
}

#[test]
fn without_colours_none_are_written() {
    let (_directory, mut terminal) = console(&[("TERM", "dumb"), ("VOLTERGEIST_THEME", "high-contrast")]);
    terminal.press("m");
    terminal.wait_for_text("fail-mounts");
    terminal.press("\x03");
    terminal.wait_for_end();
    for colour in ["\x1b[38;5;", "\x1b[38;2;", "\x1b[48;5;", "\x1b[48;2;"] {
        assert!(!terminal.output().contains(colour), "{colour:?}");
    }
}

#[test]
fn a_colour_that_the_terminal_does_not_have_is_the_nearest_of_256() {
    for (colorterm, expected, other) in [
        ("", "\x1b[38;5;74;", "\x1b[38;2;86;180;233;"),
        ("truecolor", "\x1b[38;2;86;180;233;", "\x1b[38;5;74;"),
    ] {
        let (_directory, mut terminal) =
            console(&[("COLORTERM", colorterm), ("VOLTERGEIST_THEME", "colour-blind")]);
        terminal.wait_for_output(expected);
        terminal.press("\x03");
        terminal.wait_for_end();
        assert!(!terminal.output().contains(other), "COLORTERM={colorterm}");
    }
}

#[test]
fn a_held_call_does_not_block_the_end() {
    let (directory, mut terminal) = console(&[]);
    http::request(&directory.path().join("control.sock"), "POST", "/v1/commands", "arm get: hold")
        .expect("it is armed");
    let socket = directory.path().join("plugin.sock");
    let held =
        thread::spawn(move || http::request(&socket, "POST", "/VolumeDriver.Get", r#"{"Name":"db1"}"#));
    terminal.wait_for_text("db1");
    terminal.signal(Signal::INT);
    assert_eq!(terminal.wait_for_end().exit_code(), 130);
    terminal.assert_restored();
    let (status, body) = held.join().expect("the caller lives").expect("the held call is answered");
    assert_eq!((status, body.trim()), (200, r#"{"Err":"no such volume"}"#));
}

#[test]
fn a_second_instance_leaves_the_first_alone_and_says_why() {
    let (directory, _terminal) = console(&[]);
    let mut second = Terminal::start(120, 40, directory.path(), &["--name", "haunt"], &[]);
    assert_eq!(second.wait_for_end().exit_code(), 1);
    second.wait_for_text("another");
    assert_eq!(call(&directory, "/Plugin.Activate", "").0, 200);
}

#[test]
fn ctrl_z_asks_first_then_gives_the_terminal_back_until_it_goes_on() {
    let (_directory, mut terminal) = console(&[]);
    terminal.wait_for_text("No calls yet");
    terminal.press("\x1a");
    terminal.wait_for_text("docker waits for replies");
    terminal.press("n");
    terminal.wait_until("no question", |screen| !screen.contents().contains("docker waits"));
    terminal.press("\x1ay");
    terminal.assert_restored();
    terminal.signal(Signal::CONT);
    terminal.wait_until("the console again", vt100::Screen::alternate_screen);
    terminal.wait_for_text("No calls yet");
    terminal.press("?");
    terminal.wait_for_text("toggle: fail every Mount");
    terminal.press("\x0c\x1b");
    // Only then: an Esc that is read together with the next key is taken for Alt.
    terminal.wait_until("no help", |screen| !screen.contents().contains("toggle: fail every Mount"));
    terminal.press("q");
    assert!(terminal.wait_for_end().success());
    terminal.assert_restored();
}

/// A demo with a scenario of the user's own.
fn demo() -> (TempDir, Terminal) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let scenarios = directory.path().join("voltergeist/scenarios");
    std::fs::create_dir_all(&scenarios).expect("the scenarios' folder");
    std::fs::write(scenarios.join("waits.toml"), WAITS).expect("the scenario can be written");
    let mut terminal = Terminal::start(160, 40, directory.path(), &["demo"], &[]);
    terminal.wait_for_text("demo 1x");
    (directory, terminal)
}

#[test]
fn a_scenario_is_played_in_the_demo_whose_speed_is_changed_afterwards() {
    let (_directory, mut terminal) = demo();
    terminal.press("P");
    terminal.wait_for_text(" Scenarios ");
    terminal.press("labels-l");
    let shipped = std::fs::read_dir("assets/scenarios").expect("they are shipped").count();
    terminal.wait_for_text(&format!("1 of {}", shipped + 1));
    terminal.press("\r");
    terminal.wait_for_text("demo paused");
    terminal.wait_for_text("passed");
    terminal.press("+");
    terminal.wait_for_text("demo 2x");
    terminal.press(",");
    terminal.wait_for_text("demo paused");
    terminal.press("-");
    terminal.wait_for_text("the demo is already paused");
    terminal.press(":speed 4\r");
    terminal.wait_for_text("demo 4x");
}

/// A way to leave: its name, what is done, and the exit status.
type Way = (&'static str, fn(&mut Terminal), u32);

#[test]
fn quitting_during_a_scenario_leaves_nothing_of_it() {
    let quit = |terminal: &mut Terminal| {
        terminal.press("q");
        terminal.wait_for_text("waits is running");
        terminal.press("y");
    };
    let ways: [Way; 3] = [
        ("q", quit, 0),
        ("Ctrl-C", |terminal| terminal.press("\x03"), 130),
        ("SIGTERM", |terminal| terminal.signal(Signal::TERM), 143),
    ];
    for (way, leave, status) in ways {
        let (directory, mut terminal) = demo();
        terminal.press(":play waits\r");
        terminal.wait_for_text("step 3/3");
        assert!(directory.path().join("volumes/mine").exists(), "the scenario has made its volume");
        leave(&mut terminal);
        assert_eq!(terminal.wait_for_end().exit_code(), status, "{way}");
        terminal.assert_restored();
        assert!(!directory.path().join("volumes/mine").exists(), "{way}");
        terminal.wait_for_text("removing what scenario \"waits\" created");
    }
}

/// An editor that asks at the terminal what error to write.
const ASKING: &str =
    r#"sh -c 'printf "WRITE: "; read line; printf "{\"Err\": \"%s\"}" "$line" > "$1"' editor"#;

/// A console with that editor, and a Get that it holds, already in the editor.
fn editing(editor: &str) -> (TempDir, Terminal, thread::JoinHandle<(u16, String)>) {
    let (directory, mut terminal) = console(&[("EDITOR", editor), ("VISUAL", "")]);
    http::request(&directory.path().join("control.sock"), "POST", "/v1/commands", "arm get: hold once")
        .expect("it is armed");
    let socket = directory.path().join("plugin.sock");
    let held = thread::spawn(move || {
        http::request(&socket, "POST", "/VolumeDriver.Get", r#"{"Name":"db1"}"#).expect("it is answered")
    });
    terminal.wait_for_text("1 CALL HELD");
    terminal.press("v");
    terminal.wait_for_text("WRITE: ");
    terminal.assert_restored();
    (directory, terminal, held)
}

#[test]
fn a_held_reply_goes_to_the_editor_and_back_while_other_calls_are_answered() {
    let (directory, mut terminal, held) = editing(ASKING);
    assert_eq!(call(&directory, "/VolumeDriver.Create", r#"{"Name":"meanwhile"}"#).0, 200);
    terminal.resize(100, 30);
    // Neither is the console's, nor does the editor stay stopped.
    terminal.press("q\x1a");
    terminal.press("typed\n");
    terminal.wait_until("the console in its new size", |screen| {
        let text = screen.contents();
        screen.alternate_screen() && text.lines().count() == 30 && text.contains(" released")
    });
    let (status, body) = held.join().expect("the caller lives");
    assert_eq!((status, body.as_str()), (200, "{\"Err\":\"typed\"}\n"));
    terminal.wait_for_text("meanwhile");
    terminal.press("?");
    terminal.wait_for_text("toggle: fail every Mount");
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.wait_for_end().exit_code(), 143);
    terminal.assert_restored();
}

#[test]
fn ctrl_c_ends_the_editor_and_not_the_console_and_the_call_waits_on() {
    let (_directory, mut terminal, held) = editing(ASKING);
    terminal.press("\x03");
    terminal.wait_for_text("so nothing is sent");
    terminal.wait_for_text("1 CALL HELD");
    terminal.press("r");
    let (status, body) = held.join().expect("the caller lives");
    assert_eq!((status, body.trim()), (200, r#"{"Err":"no such volume"}"#));
}

#[test]
fn an_editor_that_leaves_the_terminal_in_disorder_does_no_harm() {
    let (_directory, mut terminal, held) =
        editing("sh -c 'printf \"WRITE: \"; read line; stty raw -echo; exit 3' editor");
    terminal.press("\n");
    terminal.wait_for_text("the editor ended with status 3, so nothing is sent");
    terminal.press("f");
    terminal.wait_for_text(": fail \"");
    terminal.press("gone\"\r");
    assert_eq!(held.join().expect("the caller lives"), (500, "gone\n".to_owned()));
    terminal.press("q");
    assert!(terminal.wait_for_end().success());
    terminal.assert_restored();
}

#[test]
fn sigterm_ends_the_console_with_its_editor() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let pid = place.path().join("pid");
    let stubborn = format!(
        "sh -c 'trap \"\" TERM; echo $$ > {}; {}' editor",
        pid.display(),
        "printf \"WRITE: \"; read line"
    );
    for editor in [stubborn.as_str(), ASKING] {
        let (directory, mut terminal, held) = editing(editor);
        terminal.signal(Signal::TERM);
        assert_eq!(terminal.wait_for_end().exit_code(), 143);
        terminal.assert_restored();
        assert_eq!(held.join().expect("the caller lives").0, 200, "a held call is released at the end");
        assert!(!directory.path().join("plugin.sock").exists());
    }
    let pid: i32 = fs::read_to_string(pid).expect("it ran").trim().parse().expect("a number");
    let gone = wait_for(TIMEOUT, || test_kill_process(Pid::from_raw(pid)?).is_err().then_some(()));
    assert!(gone.is_some(), "the editor lives on");
}

#[test]
fn a_window_that_is_closed_ends_the_program_in_order() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let record = directory.path().join("record.jsonl");
    let mut terminal =
        UnreadTerminal::start(directory.path(), &["demo", "--record", &record.display().to_string()]);
    let control = directory.path().join("control.sock");
    http::request(&control, "POST", "/v1/commands", "arm get where volume=mine: hold")
        .expect("it is answered");
    let caller = thread::spawn({
        let socket = directory.path().join("plugin.sock");
        move || http::request(&socket, "POST", "/VolumeDriver.Get", r#"{"Name":"mine"}"#)
    });
    let is_held = || {
        let (_, state) = http::request(&control, "GET", "/v1/state", "").ok()?;
        let state: serde_json::Value = serde_json::from_str(&state).ok()?;
        (state["held"][0]["volume"] == "mine").then_some(())
    };
    assert!(wait_for(TIMEOUT, is_held).is_some(), "the call is not held");
    terminal.close();
    assert_eq!(terminal.wait_for_end(), 129);
    assert_eq!(caller.join().expect("it does not panic").expect("it is answered").0, 200);
    let recorded = fs::read_to_string(record).expect("it is written");
    let ended = recorded.lines().any(|line| line.contains(r#""kind":"call""#) && line.contains(r#""mine""#));
    assert!(ended, "{recorded}");
}

#[test]
fn a_terminal_that_nobody_reads_does_not_hold_up_the_end() {
    for (signal, expected) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut terminal = UnreadTerminal::start(directory.path(), &["demo"]);
        terminal.signal(signal);
        assert_eq!(terminal.wait_for_end(), expected);
        assert!(!directory.path().join("plugin.sock").exists());
    }
}

#[test]
fn keys_work_after_long_pastes_and_mouse_events_between_resizes() {
    let (_directory, mut terminal) = console(&[]);
    let paste = format!("\x1b[200~{}\x1b[201~", "x".repeat(5000));
    let drags = "\x1b[<32;40;20M".repeat(100);
    for round in 0..15 {
        for part in [&paste, &drags] {
            let (first, second) = part.split_at(part.len() / 2);
            terminal.press(first);
            terminal.resize(120 - round, 40);
            terminal.press(second);
            terminal.resize(120, 40);
        }
    }
    // Esc as the kitty protocol has it, since a plain one before a key would be Alt.
    terminal.press("\x1b[27u\x1b[27u?");
    terminal.wait_for_text("voltergeist: help");
    terminal.press("\x03");
    assert_eq!(terminal.wait_for_end().exit_code(), 130);
    terminal.assert_restored();
}

#[test]
fn ctrl_c_ends_it_after_any_beginning_of_a_sequence() {
    let begun = [
        "\x1b",
        "\x1b[",
        "\x1b]",
        "\x1bP",
        "\x1bO",
        "\x1b[<35;1",
        "\x1b[M",
        "\x1b[200~half of it",
        "\u{e9}\x1b[1;",
    ];
    for begin in begun {
        let (_directory, mut terminal) = console(&[]);
        terminal.press(begin);
        terminal.press("\x03");
        assert_eq!(terminal.wait_for_end().exit_code(), 130, "{begin:?}");
        terminal.assert_restored();
    }
}

#[test]
fn the_next_key_works_after_a_sequence_that_is_cut_off() {
    let (_directory, mut terminal) = console(&[]);
    for begin in ["\x1b]11;rgb:00", "\x1b[<35;1", "\x1b[200~half of it"] {
        terminal.press(begin);
        // What comes before the rest is given up is taken as a part of it.
        let opened = wait_for(TIMEOUT, || {
            terminal.press("?");
            wait_for(Duration::from_secs(3), || terminal.text().contains("voltergeist: help").then_some(()))
        });
        assert!(opened.is_some(), "{begin:?}");
        terminal.press("\x1b");
        terminal.wait_until("no help", |screen| !screen.contents().contains("voltergeist: help"));
    }
}

#[test]
fn an_attached_console_follows_commands_and_connects_again() {
    let (directory, mut first) = console(&[]);
    let elsewhere = tempfile::tempdir().expect("a temporary directory");
    let socket = directory.path().join("control.sock").display().to_string();
    let mut attached = Terminal::start(120, 40, elsewhere.path(), &["attach", &socket], &[]);
    attached.wait_for_text("connected");
    call(&directory, "/VolumeDriver.Create", r#"{"Name":"db1"}"#);
    attached.wait_for_text("db1");
    attached.press("m");
    first.wait_for_text("fail-mounts");
    attached.wait_for_text("fail-mounts");
    assert_eq!(call(&directory, "/VolumeDriver.Mount", r#"{"Name":"db1","ID":"7f3a"}"#).0, 500);
    first.signal(Signal::TERM);
    first.wait_for_end();
    attached.wait_for_text("connecting");
    let mut second = Terminal::start(120, 40, directory.path(), &["--name", "haunt"], &[]);
    second.wait_for_text("haunt");
    attached.wait_until("the connection", |screen| {
        let text = screen.contents();
        text.contains("connected") && !text.contains("fail-mounts  fired")
    });
    call(&directory, "/VolumeDriver.Create", r#"{"Name":"db2"}"#);
    attached.wait_for_text("db2");
    attached.press("q");
    assert!(attached.wait_for_end().success());
    attached.assert_restored();
}

#[test]
fn several_instances_are_one_console() {
    let names = ["a", "b", "c"];
    let places = names.map(|_| tempfile::tempdir().expect("a temporary directory"));
    let consoles: Vec<_> = names
        .iter()
        .zip(&places)
        .map(|(name, place)| {
            let mut console = Terminal::start(120, 40, place.path(), &["--name", name], &[]);
            console.wait_for_text("not registered");
            console
        })
        .collect();
    // The sockets have the same name, so the instances are shown by theirs.
    let sockets: Vec<_> =
        places.iter().map(|place| place.path().join("control.sock").display().to_string()).collect();
    let elsewhere = tempfile::tempdir().expect("a temporary directory");
    let args: Vec<&str> = std::iter::once("attach").chain(sockets.iter().map(String::as_str)).collect();
    let mut attached = Terminal::start(160, 40, elsewhere.path(), &args, &[]);
    attached.wait_for_text("▸a ● connected");
    for (name, place) in ["one", "two", "three"].into_iter().zip(&places) {
        call(place, "/VolumeDriver.Create", &format!(r#"{{"Name":"{name}"}}"#));
        attached.wait_for_text(name);
    }
    // A key is for the chosen node, or for all of them.
    attached.press("@");
    attached.wait_for_text("▸b ● connected");
    attached.press("m");
    attached.wait_for_text("disarm");
    let mount = |place| call(place, "/VolumeDriver.Mount", r#"{"Name":"two","ID":"7f3a"}"#);
    assert_eq!(mount(&places[1]), (500, "the volume is haunted\n".into()));
    assert_ne!(mount(&places[0]).1, "the volume is haunted\n");
    attached.press("A");
    attached.wait_for_text("▸all");
    attached.press(":arm mount: fail \"everywhere\" as everyone\r");
    attached.wait_for_text("a, c: armed");
    assert_eq!(mount(&places[0]), (500, "everywhere\n".into()));
    assert_eq!(mount(&places[2]), (500, "everywhere\n".into()));
    // One that ends does not keep the others.
    consoles[2].signal(Signal::TERM);
    attached.wait_for_text("connecting");
    call(&places[0], "/VolumeDriver.Create", r#"{"Name":"four"}"#);
    attached.wait_for_text("four");
    attached.press("q");
    assert!(attached.wait_for_end().success());
    attached.assert_restored();
}

/// Calls one after another, until it is dropped.
struct Calls {
    end: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<u64>>,
}

impl Calls {
    fn start(directory: &TempDir) -> Self {
        let end = Arc::new(AtomicBool::new(false));
        let (socket, stop) = (directory.path().join("plugin.sock"), Arc::clone(&end));
        let thread = thread::spawn(move || {
            let mut answered = 0;
            while !stop.load(Ordering::Relaxed) {
                let called = http::request(&socket, "POST", "/VolumeDriver.List", "{}");
                answered += u64::from(called.is_ok());
            }
            answered
        });
        Self { end, thread: Some(thread) }
    }

    /// Ends them, and says how many were answered.
    fn finish(mut self) -> u64 {
        self.end.store(true, Ordering::Relaxed);
        let thread = self.thread.take().expect("it runs");
        thread.join().expect("it does not panic")
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
    }
}

/// The number after a counter's name.
fn counter(text: &str, name: &str) -> Option<u64> {
    let (_, after) = text.split_once(&format!(" {name} "))?;
    let digits: String =
        after.chars().take_while(|c| c.is_ascii_digit() || *c == ' ').filter(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[test]
fn under_load_it_connects_again_after_a_kill_and_misses_nothing_that_it_does_not_report() {
    let (directory, mut first) = console(&[]);
    let elsewhere = tempfile::tempdir().expect("a temporary directory");
    let socket = directory.path().join("control.sock").display().to_string();
    let load = Calls::start(&directory);
    let mut attached = Terminal::start(120, 40, elsewhere.path(), &["attach", &socket], &[]);
    attached.wait_for_text("connected");
    attached.wait_until("calls", |screen| counter(&screen.contents(), "list").is_some_and(|list| list > 50));
    first.signal(Signal::KILL);
    first.wait_for_end();
    attached.wait_for_text("connecting");
    let before = load.finish();
    let seen = counter(&attached.text(), "list").expect("it is shown");
    // Of its last moment a killed process has sent nothing more.
    assert!((51..=before + 1).contains(&seen), "{seen} of {before}:\n{}", attached.text());

    let load = Calls::start(&directory);
    let mut second = Terminal::start(120, 40, directory.path(), &["--name", "haunt"], &[]);
    second.wait_for_text("not registered");
    attached.wait_until("the new process", |screen| {
        let text = screen.contents();
        text.contains("connected") && counter(&text, "list").is_some_and(|list| list > 0)
    });
    let answered = load.finish();
    attached.wait_until("all calls", |screen| {
        let text = screen.contents();
        text.contains("missed") || counter(&text, "list").is_some_and(|list| list >= answered)
    });
    attached.press("q");
    assert!(attached.wait_for_end().success());
    attached.assert_restored();
}

/// Stands in for `ssh`: it runs the script here, and forwards a socket by a link to it.
const SSH: &str = r#"#!/bin/sh
case "$*" in
*" -L "*)
    while [ "$1" != -L ]; do shift; done
    ln -s "${2#*:}" "${2%%:*}"
    exec sleep 600
    ;;
*)
    eval "script=\${$#}"
    exec sh -c "$script"
    ;;
esac
"#;

#[test]
fn another_machine_is_reached_by_the_users_own_ssh() {
    let (directory, _first) = console(&[]);
    let elsewhere = tempfile::tempdir().expect("a temporary directory");
    let ssh = elsewhere.path().join("ssh");
    fs::write(&ssh, SSH).expect("it is written");
    fs::set_permissions(&ssh, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let run = elsewhere.path().join("voltergeist");
    fs::create_dir(&run).expect("it is new");
    symlink(directory.path().join("control.sock"), run.join("haunt-there.control.sock")).expect("it is new");
    let path = format!("{}:{}", elsewhere.path().display(), std::env::var("PATH").unwrap_or_default());
    let runtime = elsewhere.path().display().to_string();
    let env = [("PATH", path.as_str()), ("XDG_RUNTIME_DIR", runtime.as_str())];
    let address = "ssh://me@host/haunt-there";
    let mut attached = Terminal::start(120, 40, elsewhere.path(), &["attach", address], &env);
    attached.wait_for_text("connected");
    attached.wait_for_text(address);
    call(&directory, "/VolumeDriver.Create", r#"{"Name":"db1"}"#);
    attached.wait_for_text("db1");
    attached.press("q");
    assert!(attached.wait_for_end().success());
}

#[test]
fn a_large_recording_is_opened_and_searched_with_keys() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let path = place.path().join("run.jsonl");
    let mut encoder = EntryEncoder::new(0);
    let mut text = Vec::new();
    for seq in 1..=30_000_u64 {
        let kind = match seq {
            1 => EntryKind::Session(Box::new(Session::new(7, Volumes::default()))),
            20_000 => EntryKind::Note { text: "in the middle".into() },
            _ => EntryKind::Note { text: format!("note {seq}") },
        };
        let at =
            jiff::Timestamp::from_second(1_700_000_000 + i64::try_from(seq).expect("few")).expect("a time");
        encoder.write(&mut text, &Arc::new(Entry::new(seq, at, kind)));
    }
    fs::write(&path, text).expect("it is written");
    let file = path.display().to_string();
    let mut replay = Terminal::start(160, 40, place.path(), &["replay", &file], &[]);
    replay.wait_for_text("30 000 of 30 000");
    replay.wait_for_text("note 30000");
    replay.press(":seek 20000\r");
    replay.wait_for_text("20 000 of 30 000");
    replay.wait_for_text("in the middle");
    replay.press("<");
    replay.wait_for_text("19 999 of 30 000");
    replay.press("]");
    replay.wait_for_text("no later failure");
    replay.press("m");
    replay.wait_for_text("a recording has no driver");
    replay.press(":seek start\r");
    replay.wait_for_text(" 1 of 30 000");
    replay.press("q");
    assert!(replay.wait_for_end().success());
    replay.assert_restored();
}
