//! Each call × each action × each phase, on both transports: the bytes on the wire, and what the driver did.

use std::{
    fs,
    io::{ErrorKind, Read, Write},
    os::unix::net::UnixStream,
};

use jiff::Timestamp;
use rustix::net::sockopt::set_socket_send_buffer_size;
use serde_json::{Value, json};
use tokio::time::Instant;
use voltergeist::domain::{
    lang::command::Command,
    model::{
        entry::{Cause, Outcome},
        protocol::Operation,
        volume::Change,
    },
    rules::{Action, Phase},
};

use crate::fixture::{Fixture, Heard, kept_alive, request, within};

const JSON: &str = "application/vnd.docker.plugins.v1+json";
const TEXT: &str = "text/plain; charset=utf-8";
/// How often the volume is mounted when a call comes.
const MOUNTED: usize = 3;

/// Every action, with all of its forms.
const ACTIONS: [&str; 35] = [
    "pass",
    "fail \"boom\"",
    "fail \"boom\" as inband",
    "fail \"boom\" as json500",
    "fail \"boom\" as text500",
    "fail \"boom\" as http404",
    "fail \"boom\" as http400",
    "reply {\"Err\":\"boom\"}",
    "reply {\"Volume\":null} as json500",
    "reply \"boom\"",
    "empty",
    "null",
    "garbage",
    "truncate",
    "wrong-type",
    "two-bodies",
    "reset",
    "eof",
    "hang",
    "hold",
    "delay 5ms",
    "delay 1ms..5ms",
    "drip 20ms",
    "mountpoint empty",
    "mountpoint missing",
    "mountpoint relative",
    "mountpoint /etc",
    "rename other",
    "scope local",
    "implements NetworkDriver,VolumeDriver",
    "implements nothing",
    "bad-time",
    "null-entry",
    "stale",
    "lie",
];

/// What is expected of a call.
struct Expected {
    status: u16,
    media: &'static str,
    body: String,
    /// How much of the body comes; the rest is promised and does not.
    sent: usize,
    end: Result<(), ErrorKind>,
    outcome: Outcome,
}

impl Expected {
    fn answer(body: impl Into<String>) -> Self {
        let body = body.into();
        Self { status: 200, media: JSON, sent: body.len(), body, end: Ok(()), outcome: Outcome::Ok }
    }

    fn failed(self, status: u16, media: &'static str) -> Self {
        Self { status, media, outcome: Outcome::Error, ..self }
    }

    fn nothing(end: Result<(), ErrorKind>) -> Self {
        Self { status: 0, end, outcome: Outcome::Error, ..Self::answer("") }
    }
}

/// The original reply about the volume `v`.
fn original(operation: Operation, root: &str) -> Value {
    let mountpoint = format!("{root}/v");
    let volume = json!({
        "Name": "v",
        "Mountpoint": mountpoint,
        "CreatedAt": "2026-01-02T03:04:05Z",
        "Status": { "Hello": "world" },
    });
    match operation {
        Operation::Activate => json!({ "Implements": ["VolumeDriver"] }),
        Operation::Capabilities => json!({ "Capabilities": { "Scope": "global" } }),
        Operation::Get => json!({ "Volume": volume }),
        Operation::List => json!({ "Volumes": [volume] }),
        Operation::Path | Operation::Mount => json!({ "Mountpoint": mountpoint }),
        Operation::Create | Operation::Unmount | Operation::Remove => json!({}),
    }
}

/// The original reply with a part of each volume, or of the whole, replaced.
fn with(operation: Operation, root: &str, key: &str, part: &str) -> Expected {
    let mut answer = original(operation, root);
    let described = match operation {
        Operation::Get => &mut answer["Volume"],
        Operation::List => &mut answer["Volumes"][0],
        _ => &mut answer,
    };
    described[key] = part.into();
    Expected::answer(format!("{answer}\n"))
}

fn word(action: &str) -> &str {
    action.split(' ').next().unwrap_or_default()
}

fn expected(action: &str, operation: Operation, root: &str) -> Expected {
    let original = format!("{}\n", original(operation, root));
    let (word, rest) = action.split_once(' ').unwrap_or((action, ""));
    match (word, rest) {
        ("fail", "\"boom\" as inband") | ("reply", "{\"Err\":\"boom\"}") => {
            Expected::answer("{\"Err\":\"boom\"}\n").failed(200, JSON)
        }
        ("fail", "\"boom\" as json500") => Expected::answer("{\"Err\":\"boom\"}\n").failed(500, JSON),
        ("fail", "\"boom\" as http404") => Expected::answer("boom\n").failed(404, TEXT),
        ("fail", "\"boom\" as http400") => Expected::answer("boom\n").failed(400, TEXT),
        ("fail", _) => Expected::answer("boom\n").failed(500, TEXT),
        ("reply", "\"boom\"") => Expected::answer("boom").failed(200, JSON),
        ("reply", _) => Expected::answer("{\"Volume\":null}\n").failed(500, JSON),
        ("empty", _) => Expected::answer("{}\n"),
        ("null", _) => Expected::answer("null\n"),
        ("garbage", _) => {
            Expected::answer("<html><body><h1>502 Bad Gateway</h1></body></html>\n").failed(200, JSON)
        }
        ("truncate", _) => {
            let sent = original.len() / 2;
            Expected { sent, ..Expected::answer(original).failed(200, JSON) }
        }
        ("wrong-type", _) => Expected::answer(format!("[{}]\n", original.trim_end())).failed(200, JSON),
        ("two-bodies", _) => Expected::answer(original + "{\"Err\":\"this is a second body\"}\n"),
        ("reset", _) => Expected::nothing(Err(ErrorKind::ConnectionReset)),
        ("eof", _) => Expected::nothing(Ok(())),
        ("mountpoint", "empty") => with(operation, root, "Mountpoint", ""),
        ("mountpoint", "missing") => {
            with(operation, root, "Mountpoint", &format!("/nonexistent/voltergeist{root}/v"))
        }
        ("mountpoint", "relative") => with(operation, root, "Mountpoint", &format!("{root}/v")[1..]),
        ("mountpoint", path) => with(operation, root, "Mountpoint", path),
        ("rename", name) => with(operation, root, "Name", name),
        ("scope", scope) => Expected::answer(format!("{{\"Capabilities\":{{\"Scope\":\"{scope}\"}}}}\n")),
        ("implements", "nothing") => Expected::answer("{\"Implements\":[]}\n"),
        ("implements", _) => Expected::answer("{\"Implements\":[\"NetworkDriver\",\"VolumeDriver\"]}\n"),
        ("bad-time", _) => with(operation, root, "CreatedAt", "2026-01-02 03:04:05 +0000 UTC"),
        ("null-entry", _) => Expected::answer(original.replace("}]}", "},null]}")),
        ("stale", _) if operation == Operation::Get => {
            Expected::answer("{\"Err\":\"no such volume\"}\n").failed(200, JSON)
        }
        ("stale", _) if operation == Operation::List => Expected::answer("{\"Volumes\":[]}\n"),
        ("pass" | "hang" | "hold" | "delay" | "drip" | "stale" | "lie", _) => Expected::answer(original),
        _ => panic!("{action} is not expected"),
    }
}

/// Brings the volumes to where each case begins.
fn set_up(fixture: &Fixture, operation: Operation) {
    let at: Timestamp = "2026-01-02T03:04:05Z".parse().expect("a time");
    let change = |change: &Change| fixture.hub.change(change, Cause::Command).expect("the disk is writable");
    change(&Change::AllDeleted);
    if operation != Operation::Create {
        change(&Change::Created { name: "v".into(), options: [].into(), at });
        for _ in 0..MOUNTED {
            change(&Change::Mounted { name: "v".into(), id: "7f".into(), at });
        }
        fs::remove_file(fixture.mountpoint("v").join("mountID")).expect("a mount has written it");
    }
}

/// Asserts that the work was done so often.
fn assert_done(fixture: &Fixture, operation: Operation, times: usize, case: &str) {
    let snapshot = fixture.snapshot();
    let volume = snapshot.volumes.get(0);
    let mounts = volume.map_or(0, |volume| volume.open_mounts() as usize);
    let expected = match operation {
        Operation::Create => (times > 0, 0),
        Operation::Remove => (times == 0, if times == 0 { MOUNTED } else { 0 }),
        Operation::Mount => (true, MOUNTED + times),
        Operation::Unmount => (true, MOUNTED - times),
        _ => (true, MOUNTED),
    };
    assert_eq!((volume.is_some_and(|volume| volume.exists), mounts), expected, "{case}");
    let has_files = fixture.mountpoint("v").join("mountID").exists();
    assert_eq!(has_files, operation == Operation::Mount && times > 0, "{case}");
}

fn assert_heard(heard: &Heard, expected: &Expected, case: &str) {
    assert_eq!(heard.end, expected.end, "{case}: {heard:?}");
    if expected.status == 0 {
        assert_eq!(heard.text, "", "{case}");
        return;
    }
    assert_eq!(heard.status(), Some(expected.status), "{case}: {heard:?}");
    assert_eq!(heard.header("content-type"), Some(expected.media), "{case}");
    assert_eq!(heard.promised(), Some(expected.body.len()), "{case}");
    assert_eq!(heard.body(), &expected.body[..expected.sent], "{case}");
}

/// Checks one case: arms the rule, calls, and compares what came over the wire, what was done, and what was recorded.
async fn check(fixture: &Fixture, operation: Operation, action: &str, phase: Phase) {
    let said = if phase == Phase::Instead { String::new() } else { format!(" {}", phase.as_str()) };
    let rule = format!("{operation}: {action}{said}");
    set_up(fixture, operation);
    let root = fixture.mountpoint("").to_str().expect("a text").trim_end_matches('/').to_owned();
    let expected = expected(action, operation, &root);
    fixture.command(&format!("arm --yes {rule}")).await;

    let body = if operation == Operation::Activate { "" } else { r#"{"Name":"v","ID":"7f"}"# };
    let (early, late) = match phase {
        Phase::Instead => (0, 0),
        Phase::Before => (0, 1),
        Phase::After => (1, 1),
        Phase::Twice => (2, 2),
    };
    let waits = action == "hang" || action == "hold";
    let release = async {
        if waits {
            fixture.until("the call waits", |now| now.held.len() == 1).await;
            assert_done(fixture, operation, early, &rule);
            fixture.command("release").await;
        }
    };
    let (heard, ()) = tokio::join!(fixture.call(operation, body), release);
    assert_heard(&heard, &expected, &rule);
    assert_done(fixture, operation, late, &rule);

    let call = fixture.last_call();
    assert_eq!(call.operation, Some(operation), "{rule}");
    assert_eq!(call.outcome, expected.outcome, "{rule}");
    assert_eq!(call.status, (expected.status > 0).then_some(expected.status), "{rule}");
    assert_eq!(call.reply.text(), heard.body(), "{rule}");
    let fault = call.fault.map(|fault| fault.action.to_string());
    if action == "pass" && phase == Phase::After {
        assert_eq!(fault, None, "{rule}: nothing was done to it");
    } else {
        assert!(fault.as_ref().is_some_and(|fault| fault.starts_with(word(action))), "{rule}: {fault:?}");
    }
    let changes = match operation {
        Operation::Create | Operation::Mount | Operation::Unmount => late,
        Operation::Remove => late.min(1),
        _ => 0,
    };
    assert_eq!(call.changes.len(), changes, "{rule}");
    let waited = ["hang", "hold", "delay", "drip"].contains(&word(action));
    assert_eq!(call.held_seq.is_some(), waited, "{rule}");
    fixture.command("disarm all").await;
}

async fn check_all(fixture: Fixture) {
    let mut played = 0;
    for text in ACTIONS {
        for operation in Operation::ALL {
            let Ok(Command::Arm { rule, .. }) = format!("arm --yes {operation}: {text}").parse() else {
                continue;
            };
            let action: &Action = &rule.chain()[0].action;
            for phase in action.phases() {
                check(&fixture, operation, text, *phase).await;
                played += 1;
            }
        }
    }
    assert!(played > 500, "only {played} cases were played");
    let calls = Operation::ALL.map(|operation| fixture.snapshot().counters.operation(operation));
    assert_eq!(calls.iter().sum::<u64>(), played);
    fixture.end().await;
}

#[tokio::test]
async fn every_action_on_every_call_in_every_phase_is_exact_on_a_unix_socket() {
    check_all(Fixture::unix()).await;
}

#[tokio::test]
async fn every_action_on_every_call_in_every_phase_is_exact_on_tcp() {
    check_all(Fixture::tcp()).await;
}

#[tokio::test]
async fn a_reset_is_one_whatever_the_length_of_the_request_and_however_it_arrives() {
    for fixture in [Fixture::unix(), Fixture::tcp()] {
        fixture.command("arm create: reset").await;
        for length in [0, 1, 7000, 40_000, 900_000] {
            let body = format!("{{\"Name\":\"v\",\"Unknown\":\"{}\"}}", "x".repeat(length));
            let request = kept_alive(Operation::Create, &body);
            let mut caller = fixture.plugin.connect().await.expect("the server listens");
            let middle = request.len() - body.len() / 2;
            caller.say(&request[..middle]).await;
            tokio::task::yield_now().await;
            caller.say(&request[middle..]).await;
            let heard = caller.hear().await;
            assert_eq!((heard.text.as_str(), heard.end), ("", Err(ErrorKind::ConnectionReset)), "{length}");
        }
        fixture.end().await;
    }
}

#[tokio::test]
async fn calls_that_are_not_reset_are_answered_while_a_reset_is_armed() {
    for fixture in [Fixture::unix(), Fixture::tcp()] {
        let mut caller = fixture.plugin.connect().await.expect("the server listens");
        let create = kept_alive(Operation::Create, r#"{"Name":"v"}"#);
        caller.say(&create).await;
        assert_eq!(caller.hear_one().await.body(), "{}\n");
        fixture.command("arm mount: reset").await;
        for length in [1, 100, 20_000, 200_000] {
            let body = format!("{{\"Name\":\"v\",\"Unknown\":\"{}\"}}", "x".repeat(length));
            caller.say(&kept_alive(Operation::Create, &body)).await;
            assert_eq!(caller.hear_one().await.body(), "{}\n", "{length}");
        }
        // Several requests at once, as a client that pipelines sends them.
        caller.say(&create.repeat(20)).await;
        caller.hear_until(|text| text.matches("{}\n").count() == 20).await;
        fixture.command("disarm all").await;
        caller.say(&create).await;
        assert_eq!(caller.hear_one().await.body(), "{}\n");
        caller.say(&request(Operation::Create, r#"{"Name":"v"}"#)).await;
        assert_eq!(caller.hear().await.end, Ok(()), "the end is a clean one");
        fixture.end().await;
    }
}

#[tokio::test]
async fn a_caller_with_hardly_any_room_to_send_is_served_however_it_splits_its_requests() {
    let fixture = Fixture::unix();
    let address = fixture.hub.snapshot().driver.address.clone();
    let path = address.strip_prefix("unix://").expect("it is a Unix socket").to_owned();
    let long = format!("{{\"Unknown\":\"{}\"}}", "x".repeat(20_000));
    for (body, length) in [("{}", 1), ("{}", 30), (&*long, 300), (&*long, 1000), (&*long, 20_000)] {
        let path = path.clone();
        let request = kept_alive(Operation::List, body);
        let (done, answered) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let mut socket = UnixStream::connect(path).expect("the server listens");
            // The kernel makes it as small as it can be.
            set_socket_send_buffer_size(&socket, 1).expect("the buffer has a size");
            for _ in 0..3 {
                for part in request.as_bytes().chunks(length) {
                    socket.write_all(part).expect("there is room at last");
                }
                let mut reply = Vec::new();
                while !reply.ends_with(b"]}\n") {
                    let mut chunk = [0; 512];
                    let received = socket.read(&mut chunk).expect("the reply arrives");
                    reply.extend(&chunk[..received]);
                }
            }
            let _ = done.send(());
        });
        within(answered).await.expect("every call is answered");
    }
    fixture.end().await;
}

#[tokio::test]
async fn a_caller_that_leaves_is_noticed_while_a_reset_is_armed() {
    for fixture in [Fixture::unix(), Fixture::tcp()] {
        fixture.command("arm mount: reset").await;
        fixture.command("arm get: hang").await;
        let mut caller = fixture.plugin.connect().await.expect("the server listens");
        caller.say(&kept_alive(Operation::Get, r#"{"Name":"v"}"#)).await;
        fixture.until("the call waits", |now| now.held.len() == 1).await;
        drop(caller);
        fixture.until("the call has ended", |now| now.counters.outcome(Outcome::Cancelled) == 1).await;
        fixture.end().await;
    }
}

#[tokio::test]
async fn a_dripping_reply_takes_its_time_and_a_release_ends_it() {
    let fixture = Fixture::unix();
    fixture.command("arm list: drip 100ms").await;
    let started = Instant::now();
    let heard = fixture.call(Operation::List, "{}").await;
    assert!(heard.is_whole() && started.elapsed().as_millis() >= 100);
    fixture.command("disarm all").await;
    fixture.command("arm list: drip 1h").await;
    let mut caller = fixture.plugin.connect().await.expect("the server listens");
    caller.say(&request(Operation::List, "{}")).await;
    fixture.until("the call waits", |now| now.held.len() == 1).await;
    fixture.command("release all").await;
    assert!(caller.hear().await.is_whole());
    fixture.end().await;
}

#[tokio::test]
async fn a_delay_can_be_cut_short() {
    let fixture = Fixture::unix();
    fixture.command("arm list: delay 1h").await;
    let release = async {
        fixture.until("the call waits", |now| now.held.len() == 1).await;
        fixture.command("disarm all").await;
    };
    let (heard, ()) = within(async { tokio::join!(fixture.call(Operation::List, "{}"), release) }).await;
    assert_eq!(heard.body(), "{\"Volumes\":[]}\n");
    fixture.end().await;
}

#[tokio::test]
async fn a_lie_says_that_all_is_well_where_it_is_not() {
    let fixture = Fixture::unix();
    fixture.ask(Operation::Create, r#"{"Name":"v","Opts":{"invalidOption":"1"}}"#).await;
    fixture.command("arm any: lie").await;
    let answer = fixture.ask(Operation::Mount, r#"{"Name":"v","ID":"7f"}"#).await;
    assert_eq!(answer["Mountpoint"].as_str(), fixture.mountpoint("v").to_str());
    assert!(!fixture.mountpoint("v").join("mountID").exists());
    let answer = fixture.ask(Operation::Get, r#"{"Name":"nobody"}"#).await;
    let volume = &answer["Volume"];
    assert_eq!(
        (&volume["Name"], volume["Mountpoint"].as_str()),
        (&json!("nobody"), fixture.mountpoint("nobody").to_str())
    );
    assert!(volume["CreatedAt"].as_str().is_some_and(|at| at.parse::<Timestamp>().is_ok()), "{answer}");
    assert_eq!(fixture.ask(Operation::Remove, r#"{"Name":""}"#).await, json!({}));
    assert_eq!(fixture.snapshot().volumes.len(), 1);
    fixture.end().await;
}

#[tokio::test]
async fn a_stale_reply_is_the_one_before_the_last_change_that_made_a_difference() {
    let fixture = Fixture::unix();
    let names = async |fixture: &Fixture| -> Vec<String> {
        let answer = fixture.ask(Operation::List, "{}").await;
        let volumes = answer["Volumes"].as_array().expect("a list").clone();
        volumes.iter().map(|volume| volume["Name"].as_str().expect("a name").to_owned()).collect()
    };
    fixture.command("arm reads: stale").await;
    assert_eq!(names(&fixture).await, Vec::<String>::new(), "nothing has ever changed");
    fixture.ask(Operation::Create, r#"{"Name":"a"}"#).await;
    assert_eq!(names(&fixture).await, Vec::<String>::new());
    fixture.ask(Operation::Create, r#"{"Name":"b"}"#).await;
    assert_eq!(names(&fixture).await, ["a"]);
    fixture.ask(Operation::Mount, r#"{"Name":"b","ID":"7f"}"#).await;
    fixture.ask(Operation::Create, r#"{"Name":"hidden","Opts":{"ninja":"1"}}"#).await;
    assert_eq!(names(&fixture).await, ["a"], "neither a mount nor what is not listed makes a difference");
    assert_eq!(fixture.ask(Operation::Get, r#"{"Name":"a"}"#).await["Err"], "no such volume");
    fixture.command("forget a").await;
    assert_eq!(fixture.ask(Operation::Get, r#"{"Name":"a"}"#).await["Volume"]["Name"], "a");
    assert_eq!(names(&fixture).await, ["a", "b"]);
    fixture.command("wipe").await;
    assert_eq!(names(&fixture).await, ["b"]);
    fixture.end().await;
}
