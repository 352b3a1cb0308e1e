//! Times and counts as people read them.

use std::time::Duration;

use voltergeist::domain::model::{entry::Call, protocol::Operation};

use super::fixture::{Fixture, TestConsole, call};

#[test]
fn a_time_of_day_keeps_its_seconds_at_every_width() {
    let fixture = Fixture::busy();
    let mut times = 0;
    for width in 40..=200 {
        let screen = TestConsole::new(&fixture, (width, 30), "default", false).screen();
        for (at, _) in screen.match_indices("15:4") {
            assert_eq!(screen.get(at + 5..at + 8), Some(":07"), "{width} columns\n{screen}");
            times += 1;
        }
    }
    assert!(times > 1000, "{times}");
}

#[test]
fn the_time_that_is_left_is_the_same_wherever_it_stands() {
    let mut fixture = Fixture::busy();
    for _ in 0..8 {
        fixture.pass(137);
        let mut console = TestConsole::new(&fixture, (200, 50), "default", false);
        console.press("p");
        let screen = console.screen();
        let time_after = |words: &str| {
            let (_, rest) = screen.split_once(words).unwrap_or_else(|| panic!("no {words:?} in\n{screen}"));
            rest[..4].to_owned()
        };
        let in_banner = time_after("docker times out in ");
        assert_eq!(time_after(", times out in "), in_banner, "the call's row\n{screen}");
        assert_eq!(time_after("It gives up in "), in_banner, "the narration\n{screen}");
    }
}

#[test]
fn a_count_has_its_noun_in_the_right_number_and_no_time_is_zero() {
    let mut fixture = Fixture::empty();
    fixture.create("db1", &[]);
    for (id, expected) in [("one", " 1 open mount "), ("two", " 2 open mounts ")] {
        fixture.mount("db1", id);
        let screen = TestConsole::new(&fixture, (120, 30), "default", false).screen();
        assert!(screen.contains(expected), "no {expected:?} in\n{screen}");
    }
    for nanos in [0, 400, 4_900] {
        fixture.call(Call { duration: Duration::from_nanos(nanos), ..call(Operation::Get, "db1") });
    }
    let screen = TestConsole::new(&fixture, (120, 30), "default", false).screen();
    assert_eq!(screen.matches(" <0.01 ms┃").count(), 3, "{screen}");
    assert!(!screen.contains(" 0.0 ms") && !screen.contains(" 0.00 ms"), "{screen}");
}
