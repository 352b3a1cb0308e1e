//! Whole screens beside those of `views`: a middle size, plain ASCII, and every size and theme that could break one.

use std::path::Path;

use voltergeist::{
    console::{model::Event, theme::Theme},
    domain::{
        lang::command::Outage,
        model::{entry::Call, protocol::Operation},
    },
    export,
};

use super::fixture::{Fixture, TestConsole, call, fault};

const SIZES: [(u16, u16); 3] = [(200, 50), (80, 24), (40, 10)];

fn named(name: &str, (width, height): (u16, u16)) -> String {
    format!("{name}@{width}x{height}")
}

#[test]
fn presented_on_a_projector() {
    let mut fixture = Fixture::busy();
    fixture.call(Call {
        fault: Some(fault(1, Some("empty-get"), "empty").into()),
        ..call(Operation::Get, "db1")
    });
    let mut console = TestConsole::new(&fixture, (120, 40), "default", false);
    console.press("p s m");
    let line = "arm mount: fail \"the volume is haunted\" as fail-mounts".to_owned();
    console.update(Event::CommandDone { line, result: Ok("armed rule 2".into()) });
    insta::assert_snapshot!(named("present_sequence", (120, 40)), console.screen());
}

#[test]
fn plain_ascii() {
    for size in SIZES {
        let console = TestConsole::new(&Fixture::busy(), size, "mono", true);
        let screen = console.screen();
        // The wide name is the user's own, and is shown as it is.
        let foreign = |c: &char| !c.is_ascii() && !"öß東京".contains(*c);
        assert_eq!(screen.chars().find(foreign), None, "{screen}");
        insta::assert_snapshot!(named("ascii", size), screen);
    }
}

#[test]
fn no_size_from_1x1_and_no_theme_breaks_a_frame() {
    let mut fixture = Fixture::busy();
    fixture.down(Outage::Refuse, None);
    fixture.arm("arm any: hang");
    fixture.register(|driver| driver.fix_command = Some("echo".into()));
    let draw = |keys: &str, sizes: &mut dyn Iterator<Item = (u16, u16)>| {
        let mut console = TestConsole::new(&fixture, (120, 40), "default", false);
        for key in keys.split_whitespace() {
            console.press(key);
            console.look(&fixture);
        }
        for (width, height) in sizes {
            console.update(Event::Resize(width, height));
            console.screen();
        }
    };
    let small = (1..=50).flat_map(|width| (1..=20).map(move |height| (width, height)));
    let wide = (51..=130).flat_map(|width| [9, 16, 24, 50].map(|height| (width, height)));
    let high = (21..=52).flat_map(|height| [39, 80, 120, 200].map(|width| (width, height)));
    draw("", &mut small.chain(wide).chain(high));
    // Around the sizes at which the shape changes.
    let widths = [1, 2, 39, 40, 41, 79, 80, 119, 120, 180, 250];
    let heights = [1, 2, 9, 10, 11, 12, 15, 16, 19, 20, 24, 70];
    let around = || widths.into_iter().flat_map(|width| heights.map(|height| (width, height)));
    for keys in [
        "?",
        "tab",
        "tab tab",
        "up enter",
        "tab enter",
        "q",
        ": a",
        "/ o",
        "s",
        "p",
        "p s up enter",
        "P",
        "z",
        "z up enter",
        "z up i",
    ] {
        draw(keys, &mut around());
    }
    for theme in Theme::names() {
        TestConsole::new(&fixture, (120, 40), theme, false).screen();
    }
}

#[test]
fn a_terminal_that_is_too_small_shows_what_it_needs_in_the_words_that_fit() {
    for (size, expected) in [
        ((39, 9), "terminal too small (need 40×10)"),
        ((30, 8), "too small (need 40×10)"),
        ((12, 3), "need 40×10"),
        ((5, 1), "40×10"),
    ] {
        assert_eq!(TestConsole::new(&Fixture::busy(), size, "default", false).screen().trim_end(), expected);
    }
}

#[test]
fn what_came_of_a_long_command_is_read_before_the_command() {
    let mut console = TestConsole::new(&Fixture::busy(), (80, 24), "default", false);
    let line = format!("save /tmp/{}.jsonl where op:mount", "long".repeat(9));
    let text = "3 of 20 entries saved to /tmp/run.jsonl".to_owned();
    console.update(Event::CommandDone { line, result: Ok(text.clone()) });
    assert!(console.screen().contains(&text), "{}", console.screen());
    console.update(Event::Resize(40, 10));
    let screen = console.screen();
    assert!(screen.ends_with("…   ? help") || screen.ends_with("…  ? help"), "{screen}");
}

#[test]
fn what_is_said_after_quitting() {
    let mut fixture = Fixture::busy();
    let quiet = export::summary(&Fixture::empty().snapshot(), None);
    fixture.arm("arm mount: fail \"busy\"");
    let busy = export::summary(&fixture.snapshot(), Some(Path::new("/var/log/run.jsonl")));
    insta::assert_snapshot!("after_quitting", format!("{quiet}--\n{busy}"));
}
