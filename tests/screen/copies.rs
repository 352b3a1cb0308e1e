//! What can be taken along: copied, or saved by a command.

use std::process::{Command, Stdio};

use proptest::prelude::*;
use voltergeist::{
    console::model::Effect,
    domain::model::{
        entry::{Body, Call, Headers, Outcome},
        protocol::Operation,
    },
};

use super::{
    fixture::{Fixture, TestConsole, call, fault},
    keys::{commands, console},
};

#[test]
fn what_would_register_the_driver_can_be_copied_before_the_first_call_and_in_the_help() {
    let fix_command = "sudo ln -s here there";
    let copied = |fixture: &Fixture, keys: &str| match &console(fixture).press(keys)[..] {
        [Effect::Copy(text)] => text.clone(),
        other => panic!("{keys}: {other:?}"),
    };
    for mut fixture in [Fixture::empty(), Fixture::busy()] {
        fixture.register(|driver| driver.fix_command = Some(fix_command.into()));
        assert_eq!(copied(&fixture, "? y"), fix_command);
    }
    let mut fixture = Fixture::empty();
    assert!(copied(&fixture, "y").starts_with("docker run"));
    fixture.register(|driver| driver.fix_command = Some(fix_command.into()));
    assert_eq!(copied(&fixture, "y"), fix_command);
    assert!(copied(&fixture, "Y").starts_with("docker run"));
}

#[test]
fn what_was_copied_is_named_and_so_is_why_nothing_was() {
    for (keys, is_copied, expected) in [
        ("up y", true, "copied call 14 (unmount db1) as JSON"),
        ("up Y", true, "copied a curl command that repeats call 14 (unmount db1)"),
        ("y", true, "copied call 15 (unmount) as JSON"),
        ("Y", false, "call 15 (unmount) is held; its request can be copied when it has ended"),
        ("/ n o n e enter y", false, "nothing to copy: no entry matches the filter"),
        ("tab y", true, "copied volume cache as JSON"),
        ("tab Y", true, "copied a docker command that inspects cache"),
        ("tab tab y", true, "copied the line that arms mounts fail"),
        ("tab tab down down y", false, "select a rule to copy its line"),
        ("tab tab down down down y", true, "copied the line that arms the outage"),
    ] {
        let mut console = console(&Fixture::busy());
        let effects = console.press(keys);
        let copies = effects.iter().filter(|effect| matches!(effect, Effect::Copy(_))).count();
        assert_eq!(copies, usize::from(is_copied), "{keys}: {effects:?}");
        assert!(console.screen().contains(expected), "{keys}: no {expected:?} in\n{}", console.screen());
    }
    let mut console = console(&Fixture::empty());
    assert_eq!(console.press("tab y"), []);
    assert!(console.screen().contains("no volume to copy"), "{}", console.screen());
}

#[test]
fn what_is_shown_is_what_is_saved() {
    let mut fixture = Fixture::busy();
    for (keys, typed, expected) in [
        ("", "", ""),
        ("/", "op:mount -vol:cache", " where operation:mount -volume:cache"),
        ("space", "", " where seq<34"),
        ("tab down enter", "", " where history:db1"),
    ] {
        let mut console = console(&fixture);
        console.press(keys);
        if !typed.is_empty() {
            console.type_text(typed, &fixture);
            console.press("enter");
        }
        fixture.pass(1);
        let saved = format!("save voltergeist-20260314-154119.jsonl{expected}");
        assert_eq!(commands(&console.press("w enter")), [saved], "{keys} {typed}");
    }
}

#[test]
fn a_sequence_is_copied_as_mermaid() {
    let mut fixture = Fixture::empty();
    fixture.call(call(Operation::Get, "a;b"));
    fixture.call(Call {
        status: None,
        error: Some("reset".into()),
        outcome: Outcome::Error,
        fault: Some(fault(1, None, "reset after").into()),
        ..call(Operation::Mount, "db1")
    });
    fixture.command("disarm all", "1 rule disarmed", Vec::new());
    let mut console = console(&fixture);
    let expected = [
        "sequenceDiagram",
        "    participant docker",
        "    participant plugin as voltergeist",
        "    docker->>plugin: get a,b",
        "    plugin-->>docker: ok",
        "    docker->>plugin: mount db1",
        "    plugin--xdocker: ⚡ reset after ✗ no reply: reset",
        "    Note over plugin: disarm all",
        "",
    ]
    .join("\n");
    assert_eq!(console.press("s y"), [Effect::Copy(expected)]);
}

#[test]
fn a_sequence_is_copied_as_text_in_full() {
    let mut fixture = Fixture::busy();
    let long = "x".repeat(60);
    fixture.call(Call {
        error: Some(long.as_str().into()),
        outcome: Outcome::Error,
        ..call(Operation::Get, "db1")
    });
    let Some(Effect::Copy(drawn)) = console(&fixture).press("s Y").pop() else { panic!("nothing is copied") };
    assert!(drawn.contains(&long), "{drawn}");
    insta::assert_snapshot!("sequence_as_text", drawn);
    // On a screen that is wide enough it is the same, line for line.
    let request = drawn.lines().nth(1).expect("it has lines");
    let columns = request.chars().count() as u16 + 12;
    let mut wide = TestConsole::new(&fixture, (columns, 60), "default", false);
    wide.press("s");
    let screen = wide.screen();
    for line in drawn.lines().skip(1) {
        assert!(screen.contains(line), "{line}\n{screen}");
    }
}

#[test]
fn a_report_describes_the_run() {
    let fixture = Fixture::busy();
    let Some(Effect::Copy(report)) = console(&fixture).press("E").pop() else { panic!("nothing is copied") };
    insta::assert_snapshot!("report", report);
}

#[test]
fn a_call_is_copied_as_a_command_that_repeats_it() {
    let mut fixture = Fixture::empty();
    fixture.call(call(Operation::Get, "it's"));
    let mut console = console(&fixture);
    let expected = "curl -X POST -H 'user-agent: Go-http-client/1.1' \
                    -H 'accept: application/vnd.docker.plugins.v1.2+json' --data-raw \"{\\\"Name\\\":\\\"it's\\\"}\" \
                    --unix-socket /run/docker/plugins/voltergeist.sock http://localhost/VolumeDriver.Get";
    assert_eq!(console.press("Y"), [Effect::Copy(expected.to_owned())]);
}

fn copied_command(call: Call) -> String {
    let mut fixture = Fixture::empty();
    fixture.call(call);
    match &console(&fixture).press("Y")[..] {
        [Effect::Copy(command)] => command.clone(),
        other => panic!("{other:?}"),
    }
}

/// What bash gives to curl: its arguments, and its standard input.
fn run_in_bash(command: &str) -> (Vec<Vec<u8>>, Vec<u8>) {
    let script = format!("curl() {{ printf '%s\\0' $# \"$@\"; cat; }}\n{command}");
    let output =
        Command::new("bash").args(["-c", &script]).stdin(Stdio::null()).output().expect("bash starts");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}\n{command}");
    let (count, rest) =
        output.stdout.split_at(output.stdout.iter().position(|byte| *byte == 0).expect("a count"));
    let count: usize = String::from_utf8_lossy(count).parse().expect("the count is a number");
    let mut parts = rest[1..].splitn(count + 1, |byte| *byte == 0).map(<[u8]>::to_vec);
    (parts.by_ref().take(count).collect(), parts.next().expect("standard input"))
}

proptest! {
    #[test]
    fn a_copied_command_repeats_the_request_byte_for_byte(
        method in "[!#$%&'*+.^_`|~A-Za-z0-9-]{1,8}",
        path in "/[!-~\u{a0}-\u{2fff}]{0,20}",
        name in "[!#$%&'*+.^_`|~A-Za-z0-9-]{1,8}",
        value in "[\t -~\u{80}-\u{2fff}]{1,20}",
        body in proptest::collection::vec(prop_oneof![any::<u8>(), Just(0), Just(b'\'')], 0..40),
    ) {
        prop_assume!(!["content-length", "host", "connection", "transfer-encoding"].contains(&&*name));
        prop_assume!(!body.ends_with(b"\n"));
        let call = Call {
            request_line: Some(format!("{method} {path}").into()),
            headers: Headers([(name.as_str().into(), value.as_str().into())].into()),
            request: body.clone().into(),
            ..call(Operation::Get, "")
        };
        let (arguments, input) = run_in_bash(&copied_command(call));
        let after = |option: &str| {
            // The method comes first, and can look like an option.
            let method = arguments.iter().position(|argument| argument == b"-X").map_or(0, |at| at + 1);
            let skipped = if option == "-X" { 0 } else { method + 1 };
            let at = arguments[skipped..].iter().position(|argument| argument == option.as_bytes());
            at.map(|at| arguments[skipped + at + 1].clone())
        };
        prop_assert_eq!(after("-X"), Some(method.into_bytes()));
        prop_assert_eq!(after("-H"), Some(format!("{name}: {value}").into_bytes()));
        prop_assert_eq!(after("--data-binary").unwrap_or_else(|| b"@-".to_vec()), b"@-");
        prop_assert_eq!(after("--data-raw").unwrap_or(input), body);
        prop_assert_eq!(arguments.last(), Some(&format!("http://localhost{path}").into_bytes()));
    }
}

#[test]
fn a_command_with_half_a_body_says_so() {
    let body = Body { bytes: b"{\"Name\":\n"[..].into(), length: 20_000 };
    let command = copied_command(Call { request: body, ..call(Operation::Get, "") });
    assert!(command.starts_with("# the body is cut: the first 9 of 20000 bytes\ncurl -X POST"), "{command}");
    assert!(command.contains(r#"--data-raw $'{"Name":\n'"#), "{command}");
}

#[test]
fn a_copied_command_keeps_an_unusual_path_as_it_was() {
    let call = Call { request_line: Some("GET /a/../[1-3]".into()), ..call(Operation::Get, "") };
    let command = copied_command(call);
    assert!(command.contains(" --globoff --path-as-is "), "{command}");
}
