//! What footer, banner, help and panes offer is what the keys do.

use std::sync::Arc;

use jiff::Timestamp;
use voltergeist::{
    console::{
        input::{action::KeyAction, bindings::KEY_BINDINGS, complete, keymap::Keymap},
        model::Effect,
        themes::Themes,
    },
    domain::{
        lang::command::Outage,
        model::{
            source_status::{Connection, ConnectionState, Playback, PlaybackState, SourceStatus, Timeline},
            volume::Change,
        },
    },
    hub::Snapshot,
};

use super::{
    fixture::{Fixture, TestConsole},
    keys::{commands, console},
};

/// The bottom line of a console.
fn footer(console: &TestConsole) -> String {
    console.screen().lines().last().unwrap_or_default().to_owned()
}

#[test]
fn enter_is_offered_as_what_it_does_to_the_selected_fault() {
    let mut calm = Fixture::empty();
    calm.create("db1", &[]);
    let mut armed = calm.clone();
    armed.arm("arm mount: fail \"the volume is haunted\" as fail-mounts");
    armed.arm("arm get: hang");
    armed.command("forget db1", "forgot", vec![Change::Forgotten { name: "db1".into() }]);
    armed.down(Outage::Refuse, None);
    for (fixture, row, offered, does) in [
        (&calm, 0, "Enter arm ", vec!["arm mount: fail \"the volume is haunted\" as fail-mounts"]),
        (&calm, 1, "Enter arm ", vec!["arm get: empty as empty-get"]),
        (&calm, 2, "Enter forget ", vec!["forget db1"]),
        (&calm, 3, "Enter take down ", vec!["down refuse"]),
        (&armed, 0, "Enter disarm ", vec!["disarm fail-mounts"]),
        (&armed, 1, "Enter arm ", vec!["arm get: empty as empty-get"]),
        (&armed, 2, "Enter restore ", vec!["restore db1"]),
        (&armed, 3, "Enter bring up ", vec!["up"]),
        (&armed, 4, "Enter edit ", vec![]),
    ] {
        let mut console = TestConsole::new(fixture, (200, 50), "default", false);
        console.press("tab tab");
        (0..row).for_each(|_| drop(console.press("down")));
        let hints = footer(&console);
        assert!(hints.contains(offered), "row {row}: no {offered:?} in {hints}");
        assert_eq!(commands(&console.press("enter")), does, "row {row}");
        assert_eq!(footer(&console).contains("Enter run"), row == 4, "the rule is edited");
    }
}

#[test]
fn the_footer_offers_to_forget_only_the_volume_that_is_in_view() {
    let mut fixture = Fixture::empty();
    fixture.create("db1", &[]);
    let mut console = TestConsole::new(&fixture, (200, 50), "default", false);
    console.press("Z");
    assert!(footer(&console).contains("x select volume"), "{}", footer(&console));
    console.press("x");
    assert!(footer(&console).contains("x forget"), "{}", footer(&console));
}

fn read_only() -> SourceStatus {
    SourceStatus::Remote(Connection {
        name: "far".into(),
        state: ConnectionState::Connected,
        lag: None,
        missed: 0,
        read_only: true,
    })
}

fn recording() -> SourceStatus {
    SourceStatus::Recording(Timeline {
        name: Arc::from("run.jsonl"),
        run: (1, 1),
        seq: 5,
        last_seq: 9,
        span: (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH),
        playback: Playback { speed: 1.0, state: PlaybackState::Paused },
        is_searching: false,
        problem: None,
    })
}

/// A console on something that takes no commands.
fn console_on(source: &SourceStatus, fixture: &Fixture) -> TestConsole {
    let mut console = TestConsole::new(fixture, (200, 50), "default", false);
    console.snapshot.source = source.clone();
    console
}

#[test]
fn where_no_command_can_be_sent_no_key_offers_one_or_asks_for_one() {
    let mut fixture = Fixture::busy();
    fixture.arm("arm mount: fail \"the volume is haunted\" as fail-mounts");
    fixture.down(Outage::Refuse, None);
    let keymap = Keymap::default();
    for (source, why) in
        [(read_only(), "this console is read-only"), (recording(), "a recording has no driver")]
    {
        for focus in ["", "tab", "tab tab"] {
            let mut console = console_on(&source, &fixture);
            console.press(focus);
            let screen = console.screen();
            for offer in
                ["m stop", "m fail", "[m]", "[d]", "[r]", "[c]", "[D]", "x restore", "! shell", "c clear"]
            {
                assert!(!screen.contains(offer), "{why}, {focus}: {offer} in\n{screen}");
            }
        }
        for binding in KEY_BINDINGS {
            let mut console = console_on(&source, &fixture);
            console.press("tab tab");
            let effects = console.press(&keymap.keys(binding.action)[0].to_string());
            let sends = effects.iter().filter(|effect| match effect {
                Effect::Run(command) => !command.to_string().starts_with("speed "),
                Effect::Edit(_) | Effect::Shell(_) => true,
                _ => false,
            });
            assert_eq!(sends.count(), 0, "{why}: {}", binding.name);
        }
        let mut console = console_on(&source, &fixture);
        for key in ["m", "x", "d", "r", "v", "f", "c", "R", ";", "X"] {
            console.press(key);
            assert!(console.screen().contains(why), "{key}\n{}", console.screen());
        }
        console.press("?");
        assert!(console.screen().contains(&format!("(not here: {why})")), "{}", console.screen());
    }
}

#[test]
fn a_recording_offers_the_keys_that_play_it() {
    let fixture = Fixture::busy();
    let mut console = console_on(&recording(), &fixture);
    assert!(footer(&console).contains("Space play"), "{}", footer(&console));
    assert!(footer(&console).contains("+ faster"), "{}", footer(&console));
    assert_eq!(commands(&console.press("space")), ["speed continue"]);
}

#[test]
fn a_recording_without_calls_names_only_the_keys_that_lead_to_some() {
    for (run, seq, expected) in [
        ((1, 1), 5, "No calls up to here: press . for the next entry, or ] for the next failed call."),
        ((1, 1), 9, "No calls up to here."),
        ((1, 2), 9, "No calls in run 1 up to here: press . for the next entry"),
        ((2, 2), 9, "No calls in run 2 up to here: press [ for the failed calls of earlier runs"),
    ] {
        let SourceStatus::Recording(timeline) = recording() else { panic!("it is a recording") };
        let source = SourceStatus::Recording(Timeline { run, seq, ..timeline });
        let console = console_on(&source, &Fixture::empty());
        let screen = console.screen();
        assert!(screen.contains(expected), "{run:?} {seq}\n{screen}");
        assert!(seq < 9 || run.0 < run.1 || !screen.contains("press . "), "{screen}");
    }
}

#[test]
fn a_recording_offers_no_command_that_needs_a_driver() {
    let snapshot = Snapshot { source: recording(), ..Fixture::busy().snapshot() };
    let words = |line: &str| {
        let completion = complete::command(line, &Themes::shipped(false), &snapshot);
        completion.candidates.into_iter().map(|candidate| candidate.word).collect::<Vec<_>>()
    };
    let offered = words("");
    for word in ["seek", "save", "speed", "theme", "next-failure"] {
        assert!(offered.iter().any(|other| other == word), "{word} is not among {offered:?}");
    }
    for word in ["arm", "disarm", "down", "wipe", "play", "clear-all", "scenarios"] {
        assert!(!offered.iter().any(|other| other == word), "{word} is among {offered:?}");
    }
    assert!(words("frgt").is_empty(), "a search finds none either: {:?}", words("frgt"));
}

#[test]
fn a_line_offers_tab_only_where_something_can_be_completed() {
    let fixture = Fixture::empty();
    for (keys, offered, hidden) in [
        (":", "Tab complete", "Enter keep"),
        (": a r m space m o u n t : h a n g", "Enter run", "Tab complete"),
        ("/", "Enter keep", "Enter run"),
    ] {
        let mut console = console(&fixture);
        console.press(keys);
        let hints = footer(&console);
        assert!(hints.contains(offered) && !hints.contains(hidden), "{keys}: {hints}");
    }
}

#[test]
fn every_hint_is_of_a_key_that_works() {
    let fixture = Fixture::busy();
    for focus in ["", "tab", "tab tab"] {
        for binding in KEY_BINDINGS.iter().filter(|binding| binding.hint.is_some()) {
            let mut console = TestConsole::new(&fixture, (250, 50), "default", false);
            console.press(focus);
            let key = Keymap::default().key(binding.action, false);
            if footer(&console).contains(&format!(" {key} ")) && binding.action != KeyAction::Quit {
                let before = console.screen();
                let effects = console.press(&Keymap::default().keys(binding.action)[0].to_string());
                let has_changed = console.screen() != before || !effects.is_empty();
                assert!(has_changed, "{focus}: {} does nothing", binding.name);
                let refused = ["does nothing here", "no rule selected", "no volume", "is not bound"];
                let screen = console.screen();
                assert!(!refused.iter().any(|why| screen.contains(why)), "{}\n{screen}", binding.name);
            }
        }
    }
}
