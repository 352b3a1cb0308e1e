//! What the status line and the narration still say, and what they say no longer.

use voltergeist::{
    console::model::Event,
    domain::model::{
        entry::{Call, CommandRun, EntryKind, Outcome},
        lint::Lint,
        origin::Origin,
        protocol::Operation,
    },
};

use super::{
    fixture::{Fixture, TestConsole, call},
    keys::commands,
};

/// Presses a key that stands for a command, which succeeds.
fn run(console: &mut TestConsole, key: &str, text: &str) {
    let effects = console.press(key);
    let [line] = &commands(&effects)[..] else { panic!("{key}: {effects:?}") };
    console.update(Event::CommandDone { line: line.clone(), result: Ok(text.to_owned()) });
}

#[test]
fn a_line_that_is_given_up_brings_no_old_message_back() {
    let fixture = Fixture::busy();
    for keys in [
        ": esc",
        ": n o t e esc",
        ": backspace",
        "/ esc",
        "! esc",
        "w esc",
        "# esc",
        "f esc",
        "tab tab i esc",
    ] {
        let mut console = TestConsole::new(&fixture, (120, 36), "default", false);
        run(&mut console, "r", "call 15 released");
        assert!(console.screen().contains("call 15 released"), "{}", console.screen());
        console.press(keys);
        let screen = console.screen();
        assert!(!screen.contains("call 15 released"), "{keys}\n{screen}");
    }
}

#[test]
fn what_a_key_says_ends_with_the_next_key_and_the_result_of_a_command_does_not() {
    let fixture = Fixture::busy();
    for (size, key, next, said) in [
        // These say nothing when they switch a view off.
        ((40, 10), "s", "s", "the sequence needs 56 columns"),
        ((40, 10), "p", "p", "the narration needs 24 rows"),
        ((120, 20), "p", "p", "the narration needs 24 rows"),
        ((40, 10), "s", "z", "the sequence needs 56 columns"),
        ((120, 36), "y", "down", "copied call 15"),
        ((120, 36), "n", "tab", "nothing to look for"),
        ((120, 36), "B", "down", "B is not bound"),
        ((120, 36), "C", "enter", "commands are hidden"),
    ] {
        let mut console = TestConsole::new(&fixture, size, "default", false);
        console.press(key);
        assert!(console.screen().contains(said), "{size:?} {key}\n{}", console.screen());
        console.press(next);
        assert!(!console.screen().contains(said), "{size:?} {key} {next}\n{}", console.screen());
    }
    let mut console = TestConsole::new(&fixture, (120, 36), "default", false);
    console.press("y");
    run(&mut console, "r", "call 15 released");
    console.press("down up tab");
    assert!(console.screen().contains("call 15 released"), "{}", console.screen());
}

#[test]
fn a_click_on_a_hint_is_as_good_as_its_key() {
    let fixture = Fixture::busy();
    let mut console = TestConsole::new(&fixture, (200, 20), "default", false);
    for is_on in [true, false] {
        console.click("p present");
        let screen = console.screen();
        assert_eq!(screen.contains("the narration needs 24 rows"), is_on, "{screen}");
    }
    let mut console = TestConsole::new(&fixture, (200, 36), "default", false);
    console.press("p r");
    console.click("m fail mounts");
    assert!(console.screen().contains("[m] fail every Mount"), "{}", console.screen());
    assert_eq!(console.app.last_key_origin(), Origin::Key { key: "m".into() });
}

#[test]
fn the_narration_ends_what_it_has_said() {
    let mut fixture = Fixture::empty();
    fixture.create("db1", &[]);
    let mut console = TestConsole::new(&fixture, (120, 36), "default", false);
    let says = |console: &TestConsole, text: &str| console.screen().contains(text);
    console.press("p");
    run(&mut console, "m", "armed rule 1");
    assert!(says(&console, "· [m] fail every Mount → armed"), "{}", console.screen());
    assert!(says(&console, "· docker creates db1 → done"), "{}", console.screen());
    // What another client does is not what the key did.
    let other = EntryKind::Command(Box::new(CommandRun {
        command: "note hello".into(),
        result: "noted".into(),
        origin: Box::new(Origin::Line),
        changes: Vec::new(),
    }));
    fixture.push(other);
    console.look(&fixture);
    assert!(says(&console, "· : note hello → noted"), "{}", console.screen());
    assert!(!says(&console, "[m] fail every Mount"), "{}", console.screen());
    console.press("down");
    assert!(says(&console, "· [↓] down one row"), "{}", console.screen());
    // After its time nothing of a key is left, and a call is no longer as if it were now.
    fixture.pass(11_000);
    console.look(&fixture);
    assert!(!says(&console, "[↓]"), "{}", console.screen());
    assert!(says(&console, "· Press a key; ? shows them all."), "{}", console.screen());
    assert!(says(&console, "· 11 s ago: docker creates db1 → done"), "{}", console.screen());
    assert!(console.app.is_ticking(&console.snapshot), "the time that passes is drawn");
    fixture.pass(50_000);
    console.look(&fixture);
    assert!(!says(&console, "docker creates"), "{}", console.screen());
    // A held call is narrated for as long as it waits.
    fixture.wait(Operation::Mount, "db1", "hold");
    fixture.pass(90_000);
    console.look(&fixture);
    assert!(says(&console, "· docker mounts db1 and waits for the reply."), "{}", console.screen());
}

#[test]
fn each_remark_of_the_narration_begins_with_a_sign_and_goes_on_below_its_text() {
    let fixture = Fixture::busy();
    for (ascii, sign) in [(false, "┃ · "), (true, "# - ")] {
        let mut console = TestConsole::new(&fixture, (80, 36), "default", ascii);
        console.press("p");
        run(&mut console, "m", "armed rule 4");
        let screen = console.screen();
        let lines = screen.lines().skip_while(|line| !line.contains("Narration")).skip(1);
        let said: Vec<_> = lines.take_while(|line| !line.contains("help")).collect();
        assert_eq!(said.iter().filter(|line| line.starts_with(sign)).count(), 2, "{screen}");
        let border: String = sign.chars().take(1).collect();
        let goes_on = said[1].strip_prefix(&format!("{border}   ")).expect("it is indented");
        assert!(!goes_on.starts_with(' '), "{screen}");
    }
}

#[test]
fn a_lint_that_is_gone_to_is_in_view() {
    let mut fixture = Fixture::empty();
    fixture.create("db1", &[]);
    fixture.call(Call {
        outcome: Outcome::Error,
        status: Some(500),
        error: Some(
            "an error message of many words, as drivers have them, so that it takes several rows".into(),
        ),
        lints: vec![Lint::MountOfUnknownVolume],
        ..call(Operation::Mount, "cache")
    });
    for _ in 0..30 {
        fixture.call(call(Operation::Get, "db1"));
    }
    fixture.wait(Operation::Unmount, "db1", "hold");
    for size in [(40, 10), (80, 24), (120, 36), (200, 50)] {
        for keys in ["L", "z L"] {
            let mut console = TestConsole::new(&fixture, size, "default", false);
            for key in keys.split(' ') {
                console.press(key);
                console.look(&fixture);
            }
            let screen = console.screen();
            let lint = screen.lines().find(|line| line.contains("lint: ")).unwrap_or_default();
            assert!(lint.contains("mount-of-unknown-volume"), "{size:?} {keys}\n{screen}");
            assert!(screen.contains("a Mount of a volume that does not"), "{size:?} {keys}\n{screen}");
        }
    }
}

#[test]
fn no_count_of_the_faults_is_cut() {
    let mut fixture = Fixture::empty();
    fixture.create("db1", &[]);
    fixture.arm("arm get: empty for 120s as empty-get");
    fixture.arm("arm unmount first 20: hold for 45s as a-label-of-many-letters");
    for _ in 0..3 {
        fixture.wait(Operation::Path, "db1", "hold");
    }
    for (width, height) in (40..=130).flat_map(|width| [(width, 10), (width, 24), (width, 36)]) {
        let mut console = TestConsole::new(&fixture, (width, height), "default", false);
        console.press("tab tab");
        let screen = console.screen();
        let counts = screen.lines().filter_map(|line| {
            let at =
                ["ARMED  ", "spent  "].iter().find_map(|word| line.find(word).map(|at| at + word.len()))?;
            let rest = &line[at..];
            Some(rest.split("│").next().unwrap_or_default().split('┃').next().unwrap_or_default().trim_end())
        });
        let mut rows = 0;
        for counts in counts {
            // The text of the rule may follow, after a gap.
            let counts = counts.split("  ").next().unwrap_or_default();
            assert!(
                !counts.contains('…') && counts.starts_with("fired "),
                "{width}×{height}: {counts:?}\n{screen}"
            );
            rows += 1;
        }
        assert!(rows > 0 || height == 10, "{width}×{height}\n{screen}");
    }
}
