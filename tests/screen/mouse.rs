//! Clicks on column headers, and double clicks.

use std::time::Duration;

use voltergeist::{
    console::{
        column::{Column, Sort},
        model::Pane,
    },
    domain::model::{entry::Call, protocol::Operation},
};

use super::{
    fixture::{Fixture, TestConsole, call},
    groups,
    keys::commands,
};

fn console(fixture: &Fixture) -> TestConsole {
    TestConsole::new(fixture, (160, 40), "default", false)
}

#[test]
fn a_click_on_a_head_sorts_and_another_reverses() {
    let mut fixture = Fixture::empty();
    for (volume, millis) in [("b", 20), ("a", 30), ("c", 10)] {
        fixture.create(volume, &[]);
        fixture.call(Call { duration: Duration::from_millis(millis), ..call(Operation::Get, volume) });
    }
    let mut console = console(&fixture);
    let slowest = |console: &TestConsole| {
        let first = console.app.calls.visible(100).next().cloned();
        first.and_then(|entry| entry.call().map(|call| call.duration.as_millis())).expect("there is one")
    };
    console.click("took");
    assert_eq!(slowest(&console), 30);
    assert!(console.screen().contains("took↓"), "{}", console.screen());
    console.click("took↓");
    assert_eq!(slowest(&console), 0);
    console.click("time ");
    assert!(console.screen().contains("auto-scroll on"), "{}", console.screen());

    // The heads of the volumes are beside those of the calls.
    console.click("state ");
    let sort = console.app.columns.sort(Pane::Volumes);
    assert_eq!(sort, Sort { column: Column::State, descending: false }, "{}", console.screen());
    console.click("name ");
    console.click("name ");
    assert_eq!(console.app.volume_at(0, &console.snapshot).map(|volume| &*volume.name), Some("c"));
}

#[test]
fn the_second_click_of_two_does_not_undo_the_first() {
    let fixture = Fixture::busy();
    let opened = |console: &TestConsole| console.screen().contains("Request");
    let mut console = TestConsole::new(&fixture, (120, 36), "default", false);
    let [first, second] = console.double_click("mount     cache");
    assert_eq!((first, second), (Vec::new(), Vec::new()));
    assert!(opened(&console), "on a row that was not selected\n{}", console.screen());
    console.press("esc");
    console.double_click("mount     cache");
    assert!(opened(&console), "on a selected row\n{}", console.screen());
    console.double_click("mount     cache");
    assert!(opened(&console), "on a row that is open\n{}", console.screen());

    let mut console = self::console(&fixture);
    console.click("driver down");
    let effects = console.double_click("driver down");
    assert_eq!(effects.map(|effects| commands(&effects)).concat(), ["down refuse"], "once, not twice");
    let effects = console.double_click("Get answers empty  ARMED");
    assert_eq!(effects.map(|effects| commands(&effects)).concat(), ["disarm empty-get"]);
}

#[test]
fn a_double_click_expands_a_group_and_leaves_it_so() {
    let fixture = groups::commands();
    let mut console = console(&fixture);
    console.press("z");
    console.look(&fixture);
    let collapsed = console.screen().matches('▸').count();
    for _ in 0..2 {
        console.double_click("▸ create");
        assert!(console.screen().matches('▾').count() == 1, "{}", console.screen());
        console.click("▾ create");
        assert_eq!(console.screen().matches('▸').count(), collapsed, "{}", console.screen());
    }
}
