//! Whole screens, at every size and in every theme.

use ratatui::style::Color;
use voltergeist::{
    console::{app::Event, theme::Theme},
    domain::{command::Outage, entry::Call, protocol::Operation},
};

use super::stage::{Seat, Stage, call, deed};

const SIZES: [(u16, u16); 3] = [(200, 50), (80, 24), (40, 10)];

fn named(name: &str, (width, height): (u16, u16)) -> String {
    format!("{name}@{width}x{height}")
}

#[test]
fn a_busy_afternoon() {
    for size in SIZES {
        let mut seat = Seat::new(&Stage::busy(), size, "default", false);
        insta::assert_snapshot!(named("busy", size), seat.screen());
        seat.press("tab");
        insta::assert_snapshot!(named("busy_volumes", size), seat.screen());
        seat.press("tab");
        insta::assert_snapshot!(named("busy_faults", size), seat.screen());
    }
}

#[test]
fn the_first_minute() {
    let mut stage = Stage::empty();
    for size in SIZES {
        insta::assert_snapshot!(
            named("first_minute", size),
            Seat::new(&stage, size, "default", false).screen()
        );
    }
    stage.driver.registration = "not registered: no rights for /run/docker/plugins".into();
    stage.driver.remedy = Some(
        "echo unix:///run/user/1000/voltergeist.sock | sudo tee /etc/docker/plugins/voltergeist.spec".into(),
    );
    for size in SIZES {
        insta::assert_snapshot!(
            named("not_registered", size),
            Seat::new(&stage, size, "default", false).screen()
        );
    }
}

#[test]
fn an_outage_cannot_be_overlooked() {
    let mut stage = Stage::busy();
    stage.arm("arm mount: fail \"the volume is haunted\" as fail-mounts");
    stage.arm("arm any: hang");
    stage.down(Outage::Blackhole, Some(41));
    for size in SIZES {
        insta::assert_snapshot!(named("outage", size), Seat::new(&stage, size, "default", false).screen());
    }
}

#[test]
fn the_help_and_a_question() {
    for size in SIZES {
        let mut seat = Seat::new(&Stage::busy(), size, "default", false);
        seat.press("?");
        insta::assert_snapshot!(named("help", size), seat.screen());
        seat.press("esc q");
        insta::assert_snapshot!(named("quit", size), seat.screen());
    }
}

#[test]
fn one_call_in_full() {
    for size in SIZES {
        let mut seat = Seat::new(&Stage::busy(), size, "default", false);
        seat.press("up up up enter");
        insta::assert_snapshot!(named("one_call", size), seat.screen());
    }
}

#[test]
fn the_calls_as_a_sequence() {
    for size in SIZES {
        let mut seat = Seat::new(&Stage::busy(), size, "default", false);
        seat.press("s");
        insta::assert_snapshot!(named("sequence", size), seat.screen());
    }
}

#[test]
fn shown_to_a_room() {
    let mut stage = Stage::busy();
    for size in [(200, 50), (120, 40), (80, 24), (40, 10)] {
        let mut seat = Seat::new(&stage, size, "default", false);
        seat.press("p");
        insta::assert_snapshot!(named("present", size), seat.screen());
    }
    stage.call(Call { fault: Some(deed(1, Some("empty-get"), "empty")), ..call(Operation::Get, "db1") });
    let mut seat = Seat::new(&stage, (120, 40), "default", false);
    seat.press("p s m");
    let line = "arm mount: fail \"the volume is haunted\" as fail-mounts".to_owned();
    seat.update(Event::Done { line, result: Ok("armed rule 2".into()) });
    insta::assert_snapshot!(named("present_sequence", (120, 40)), seat.screen());
}

#[test]
fn the_life_of_a_volume() {
    let stage = Stage::busy();
    for size in SIZES {
        let mut seat = Seat::new(&stage, size, "default", false);
        seat.press("tab down enter");
        seat.look(&stage);
        insta::assert_snapshot!(named("life", size), seat.screen());
    }
}

#[test]
fn plain_ascii() {
    for size in SIZES {
        let seat = Seat::new(&Stage::busy(), size, "mono", true);
        let screen = seat.screen();
        // The wide name is the user's own, and is shown as it is.
        let foreign = |c: &char| !c.is_ascii() && !"öß東京".contains(*c);
        assert_eq!(screen.chars().find(foreign), None, "{screen}");
        insta::assert_snapshot!(named("ascii", size), screen);
    }
}

#[test]
fn without_colour_no_cell_has_one() {
    for keys in ["", "?", "tab", "tab tab", "enter", "q", ":"] {
        let mut seat = Seat::new(&Stage::busy(), (120, 30), "mono", false);
        seat.press(keys);
        let backend = seat.backend();
        let buffer = backend.buffer();
        assert!(
            buffer.content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset),
            "after {keys:?}"
        );
    }
}

#[test]
fn no_size_and_no_theme_breaks_a_frame() {
    let mut stage = Stage::busy();
    stage.down(Outage::Refuse, None);
    stage.arm("arm any: hang");
    stage.driver.remedy = Some("echo".into());
    let draw = |keys: &str, width: u16, height: u16| {
        let mut seat = Seat::new(&stage, (width, height), "default", false);
        seat.press(keys);
        seat.screen();
    };
    for width in (1..=60).chain([79, 80, 95, 96, 119, 120, 121, 250]) {
        for height in (1..=24).chain([50, 70]) {
            draw("", width, height);
        }
    }
    // Around the sizes at which the shape changes.
    for keys in ["?", "tab", "tab tab", "up enter", "tab enter", "q", ": a", "/ o", "s", "p", "p s up enter"]
    {
        for width in [1, 2, 39, 40, 41, 79, 80, 119, 120, 250] {
            for height in [1, 2, 9, 10, 11, 12, 15, 16, 19, 20, 70] {
                draw(keys, width, height);
            }
        }
    }
    for theme in Theme::names() {
        Seat::new(&stage, (120, 40), theme, false).screen();
    }
}

#[test]
fn no_control_character_reaches_a_cell() {
    for size in SIZES {
        for keys in ["", "tab", "up enter"] {
            let mut seat = Seat::new(&Stage::busy(), size, "default", false);
            seat.press(keys);
            let backend = seat.backend();
            let unsafe_cell =
                backend.buffer().content.iter().find(|cell| cell.symbol().contains(char::is_control));
            assert_eq!(unsafe_cell, None);
        }
    }
}

#[test]
fn a_line_that_is_typed() {
    let stage = Stage::busy();
    for size in SIZES {
        let mut seat = Seat::new(&stage, size, "default", false);
        seat.press(":");
        seat.type_text("arm get: ", &stage);
        seat.press("tab tab");
        insta::assert_snapshot!(named("typing_a_rule", size), seat.screen());
        seat.press("esc /");
        seat.type_text("op:mount,", &stage);
        insta::assert_snapshot!(named("typing_a_filter", size), seat.screen());
    }
}
