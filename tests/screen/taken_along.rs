//! What can be taken along: copied, or saved by a command.

use voltergeist::{
    console::app::Effect,
    domain::{
        entry::{Call, Outcome},
        protocol::Operation,
    },
};

use super::{
    keys::{commands, seat},
    stage::{Seat, Stage, call, deed},
};

#[test]
fn what_would_register_the_driver_can_be_copied_before_the_first_call_and_in_the_help() {
    let remedy = "sudo ln -s here there";
    let copied = |stage: &Stage, keys: &str| match &seat(stage).press(keys)[..] {
        [Effect::Copy(text)] => text.clone(),
        other => panic!("{keys}: {other:?}"),
    };
    for mut stage in [Stage::empty(), Stage::busy()] {
        stage.driver.remedy = Some(remedy.into());
        assert_eq!(copied(&stage, "? y"), remedy);
    }
    let mut stage = Stage::empty();
    assert!(copied(&stage, "y").starts_with("docker run"));
    stage.driver.remedy = Some(remedy.into());
    assert_eq!(copied(&stage, "y"), remedy);
    assert!(copied(&stage, "Y").starts_with("docker run"));
}

#[test]
fn what_is_shown_is_what_is_saved() {
    let mut stage = Stage::busy();
    for (keys, typed, expected) in [
        ("", "", ""),
        ("/", "op:mount -vol:cache", " where op:mount -vol:cache"),
        ("space", "", " where seq<19"),
        ("tab down enter", "", " where life:db1"),
    ] {
        let mut seat = seat(&stage);
        seat.press(keys);
        if !typed.is_empty() {
            seat.type_text(typed, &stage);
            seat.press("enter");
        }
        stage.pass(1);
        let saved = format!("save voltergeist-20260314-154119.jsonl{expected}");
        assert_eq!(commands(&seat.press("e enter")), [saved], "{keys} {typed}");
    }
}

#[test]
fn a_sequence_is_copied_as_mermaid() {
    let mut stage = Stage::empty();
    stage.call(call(Operation::Get, "a;b"));
    stage.call(Call {
        status: None,
        error: Some("reset".into()),
        outcome: Outcome::Failed,
        fault: Some(deed(1, None, "reset after")),
        ..call(Operation::Mount, "db1")
    });
    stage.command("disarm all", "1 rule disarmed", Vec::new());
    let mut seat = seat(&stage);
    let expected = [
        "sequenceDiagram",
        "    participant docker",
        "    participant plugin as voltergeist",
        "    docker->>plugin: get a,b",
        "    plugin-->>docker: ok",
        "    docker->>plugin: mount db1",
        "    plugin--xdocker: ⚡ reset after ✗ no answer: reset",
        "    Note over plugin: disarm all",
        "",
    ]
    .join("\n");
    assert_eq!(seat.press("s y"), [Effect::Copy(expected)]);
}

#[test]
fn a_sequence_is_copied_as_text_in_full() {
    let mut stage = Stage::busy();
    let long = "x".repeat(60);
    stage.call(Call {
        error: Some(long.as_str().into()),
        outcome: Outcome::Failed,
        ..call(Operation::Get, "db1")
    });
    let Some(Effect::Copy(drawn)) = seat(&stage).press("s Y").pop() else { panic!("nothing is copied") };
    assert!(drawn.contains(&long), "{drawn}");
    insta::assert_snapshot!("sequence_as_text", drawn);
    // On a screen that is wide enough it is the same, line for line.
    let request = drawn.lines().nth(1).expect("it has lines");
    let columns = request.chars().count() as u16 + 12;
    let mut wide = Seat::new(&stage, (columns, 60), "default", false);
    wide.press("s");
    let screen = wide.screen();
    for line in drawn.lines().skip(1) {
        assert!(screen.contains(line), "{line}\n{screen}");
    }
}

#[test]
fn a_report_tells_the_run() {
    let stage = Stage::busy();
    let Some(Effect::Copy(report)) = seat(&stage).press("E").pop() else { panic!("nothing is copied") };
    insta::assert_snapshot!("report", report);
}

#[test]
fn a_call_is_copied_as_a_command_that_repeats_it() {
    let mut stage = Stage::empty();
    stage.call(call(Operation::Get, "it's"));
    let mut seat = seat(&stage);
    let expected = "curl -X POST -H 'user-agent: Go-http-client/1.1' \
                    -H 'accept: application/vnd.docker.plugins.v1.2+json' --data-raw '{\"Name\":\"it'\\''s\"}' \
                    --unix-socket /run/docker/plugins/voltergeist.sock http://localhost/VolumeDriver.Get";
    assert_eq!(seat.press("Y"), [Effect::Copy(expected.to_owned())]);
}
