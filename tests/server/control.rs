//! The control API, as `docs/control.md` promises it to scripts.

use std::time::Duration;

use serde_json::{Value, json};
use voltergeist::domain::model::protocol::Operation;

use crate::{
    fixture::{Fixture, Heard, http, tcp},
    schema::assert_is_entry,
};

const CLOSE: &str = "Connection: close\r\n";

async fn get(fixture: &Fixture, path: &str) -> Heard {
    fixture.control.exchange(&http("GET", path, CLOSE, "")).await
}

async fn post(fixture: &Fixture, line: &str) -> Heard {
    fixture.control.exchange(&http("POST", "/v1/commands", CLOSE, line)).await
}

fn lines(heard: &Heard) -> Vec<Value> {
    let body = heard.body();
    // The answer has no length of its own, since it is made as it is read.
    let chunks = body.split("\r\n").filter(|chunk| chunk.starts_with('{'));
    let lines = chunks.flat_map(str::lines);
    lines
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .inspect(assert_is_entry)
        .collect()
}

#[tokio::test]
async fn the_state_contains_all_that_the_console_shows() {
    let fixture = Fixture::unix();
    fixture.ask(Operation::Create, r#"{"Name":"db1","Opts":{"tier":"gold"}}"#).await;
    for id in ["7f", "7f", "8a"] {
        fixture.ask(Operation::Mount, &format!(r#"{{"Name":"db1","ID":"{id}"}}"#)).await;
    }
    fixture.call(Operation::Get, r#"{"Name":"unknown"}"#).await;
    fixture.call(Operation::Mount, r#"{"Name":"unknown","ID":"7f"}"#).await;
    fixture.command("conjure ghost").await;
    fixture.command("forget ghost").await;
    fixture.command("arm get where volume=db*: hold as bp").await;
    fixture.command("seed 42").await;
    let mut held = fixture.plugin.connect().await.expect("the server listens");
    held.say(&http("POST", Operation::Get.path(), "", r#"{"Name":"db1"}"#)).await;
    fixture.until("the call waits", |now| now.held.len() == 1).await;

    let heard = get(&fixture, "/v1/state").await;
    assert_eq!(heard.header("content-type"), Some("application/json"));
    let state = heard.json();
    let driver = fixture.hub.driver();
    assert_eq!(
        state["driver"],
        json!({"name": "ghost", "address": driver.address, "status": "up", "registration": "registered", "fix_command": null})
    );
    assert_eq!(
        state["counters"],
        json!({"activate": 0, "capabilities": 0, "create": 1, "get": 2, "list": 0, "path": 0, "mount": 4, "unmount": 0, "remove": 0})
    );
    assert_eq!(state["outcomes"], json!({"ok": 5, "error": 1, "cancelled": 0, "panicked": 0}));
    assert_eq!(state["callers"]["other"], 7);
    assert_eq!(state["lints"]["mount-of-unknown-volume"], 1);
    let volume = &state["volumes"][0];
    assert_eq!(volume["mountpoint"].as_str(), fixture.mountpoint("db1").to_str());
    assert_eq!(
        (&volume["name"], &volume["options"], &volume["mounts"], &volume["exists"]),
        (&json!("db1"), &json!({"tier": "gold"}), &json!(["7f", "7f", "8a"]), &json!(true))
    );
    assert_eq!(
        (&state["volumes"][1]["name"], &state["volumes"][1]["exists"]),
        (&json!("ghost"), &json!(false))
    );
    let fault = &state["faults"][0];
    assert_eq!(fault["rule"], "get where volume=db*: hold");
    assert_eq!(
        (&fault["id"], &fault["label"], &fault["evaluated"], &fault["fired"], &fault["held"]),
        (&json!(1), &json!("bp"), &json!(1), &json!(1), &json!(1))
    );
    assert_eq!((&state["seed"], &state["held"][0]["volume"]), (&json!(42), &json!("db1")));
    fixture.command("down refuse").await;
    assert_eq!(get(&fixture, "/v1/state").await.json()["driver"]["status"], "down refuse");
    fixture.end().await;
}

#[tokio::test]
async fn a_command_is_answered_with_its_effect_or_with_what_is_wrong_and_where() {
    let fixture = Fixture::unix();
    for (line, status, text) in [
        ("conjure v tier=gold", 200, "created \"v\"\n"),
        ("arm get: empty as ghost\n", 200, "armed rule 1: get: empty\n"),
        ("arm --dry-run get: null", 200, "would have hit 0 of 0 calls"),
        ("arm get: emty", 400, "column 10: found \"emty\""),
        ("dwon refuse", 400, "column 1: unknown command \"dwon\", did you mean \"down\"?"),
        ("", 400, "column 1: unknown command \"\""),
        ("forget nobody", 400, "unknown volume \"nobody\""),
        ("down refuse", 200, "the driver is down: refuse\n"),
    ] {
        let heard = post(&fixture, line).await;
        assert_eq!(heard.status(), Some(status), "{line}");
        assert!(heard.body().starts_with(text) && heard.body().ends_with('\n'), "{line}: {heard:?}");
        assert_eq!(heard.header("content-type"), Some("text/plain; charset=utf-8"), "{line}");
    }
    assert!(fixture.plugin.connect().await.is_err(), "what is answered is done");
    fixture.end().await;
}

#[tokio::test]
async fn entries_are_json_lines_after_a_number_and_within_a_limit() {
    let fixture = Fixture::unix();
    // The first two are the session and the registration.
    for number in 3..=600 {
        fixture.command(&format!("note {number}")).await;
    }
    for (filter, first, last) in [
        ("", 1, 600),
        ("?after=0", 1, 600),
        ("?after=590", 591, 600),
        ("?after=10&limit=300", 11, 310),
        ("?limit=1", 1, 1),
    ] {
        let heard = get(&fixture, &format!("/v1/entries{filter}")).await;
        assert_eq!(heard.header("content-type"), Some("application/x-ndjson"));
        let seqs: Vec<_> =
            lines(&heard).iter().map(|entry| entry["seq"].as_u64().expect("a number")).collect();
        assert_eq!(seqs, (first..=last).collect::<Vec<_>>(), "{filter}");
    }
    assert!(lines(&get(&fixture, "/v1/entries?after=600").await).is_empty());
    assert!(lines(&get(&fixture, "/v1/entries?limit=0").await).is_empty());
    assert!(lines(&get(&fixture, &format!("/v1/entries?after={}", u64::MAX)).await).is_empty());
    for (path, wrong) in [("/v1/entries?after=x", "after=x"), ("/v1/entries/stream?limit=abc", "limit=abc")] {
        let heard = get(&fixture, path).await;
        assert_eq!(heard.status(), Some(400), "{path}");
        for problem in [wrong, "invalid digit", "after and limit are whole numbers, as in after=120&limit=50"]
        {
            assert!(heard.text.contains(problem), "{path}: no {problem:?} in {}", heard.text);
        }
    }
    fixture.end().await;
}

#[tokio::test]
async fn a_stream_begins_where_the_reader_was_and_goes_on_as_entries_come() {
    let fixture = Fixture::unix();
    fixture.command("note 3").await;
    for (path, headers, first) in [
        ("/v1/entries/stream", "", 1),
        ("/v1/entries/stream?after=2", "", 3),
        ("/v1/entries/stream?after=1", "Last-Event-ID: 2\r\n", 3),
    ] {
        let mut reader = fixture.control.connect().await.expect("the control API listens");
        reader.say(&http("GET", path, headers, "")).await;
        let text = reader.hear_until(|text| text.contains("id: 3\n")).await;
        assert!(text.contains("content-type: text/event-stream"), "{text}");
        assert_eq!(text.matches("\nid: ").count() + text.matches("\nevent: ").count(), 4 - first, "{text}");
        assert!(text.contains("data: {\"seq\":3,"), "{text}");
    }
    let mut reader = fixture.control.connect().await.expect("the control API listens");
    reader.say(&http("GET", "/v1/entries/stream?after=3", "", "")).await;
    reader.hear_until(|text| text.contains("\r\n\r\n")).await;
    fixture.command("note now").await;
    reader.hear_until(|text| text.contains("\"command\":\"note now\"")).await;
    let request = http("GET", "/v1/entries/stream", &format!("Last-Event-ID: x\r\n{CLOSE}"), "");
    assert_eq!(fixture.control.exchange(&request).await.status(), Some(400));
    fixture.end().await;
}

#[tokio::test]
async fn a_reader_of_an_earlier_session_starts_over() {
    let fixture = Fixture::unix();
    fixture.command("note 3").await;
    for seen in [4, u64::MAX] {
        let mut reader = fixture.control.connect().await.expect("the control API listens");
        reader.say(&http("GET", "/v1/entries/stream", &format!("Last-Event-ID: {seen}\r\n"), "")).await;
        reader.hear_until(|text| text.contains("id: 1\n")).await;
    }
    let heard = get(&fixture, &format!("/v1/entries?after={}", u64::MAX)).await;
    assert_eq!((heard.status(), lines(&heard).len()), (Some(200), 0));
    fixture.end().await;
}

#[tokio::test]
async fn a_reader_that_fell_behind_learns_how_many_it_missed() {
    let fixture = Fixture::unix();
    for number in 3..=9 {
        fixture.command(&format!("note {number}")).await;
    }
    fixture.command("reset").await;
    let mut reader = fixture.control.connect().await.expect("the control API listens");
    reader.say(&http("GET", "/v1/entries/stream", "Last-Event-ID: 4\r\n", "")).await;
    let text = reader.hear_until(|text| text.contains("id: 10\n")).await;
    assert!(text.contains("event: missed\n"), "{text}");
    let missed =
        text.lines().skip_while(|line| *line != "event: missed").find(|line| line.starts_with("data: "));
    assert_eq!(missed, Some("data: 5"), "{text}");
    let mut reader = fixture.control.connect().await.expect("the control API listens");
    reader.say(&http("GET", "/v1/entries/stream", "", "")).await;
    let text = reader.hear_until(|text| text.contains("id: 10\n")).await;
    assert!(!text.contains("missed"), "one that has seen nothing has missed nothing: {text}");
    fixture.end().await;
}

#[tokio::test]
async fn metrics_are_prometheus_text() {
    let fixture = Fixture::unix();
    fixture.ask(Operation::List, "{}").await;
    let heard = get(&fixture, "/metrics").await;
    assert_eq!(heard.header("content-type"), Some("text/plain; version=0.0.4"));
    assert!(
        heard
            .body()
            .contains("\nvoltergeist_requests_total{operation=\"list\",caller=\"other\",outcome=\"ok\"} 1\n"),
        "{heard:?}"
    );
    fixture.end().await;
}

#[tokio::test]
async fn a_web_page_cannot_command() {
    let fixture = Fixture::with(|plan| plan.control = tcp());
    let headers = format!("Origin: http://example.org\r\n{CLOSE}");
    let heard = fixture.control.exchange(&http("POST", "/v1/commands", &headers, "conjure v")).await;
    assert_eq!(heard.status(), Some(403));
    assert!(fixture.snapshot().volumes.is_empty());
    assert_eq!(
        post(&fixture, "conjure v").await.status(),
        Some(200),
        "without a browser it is served on TCP too"
    );
    fixture.end().await;
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let fixture = Fixture::unix();
    assert_eq!(get(&fixture, "/v2/state").await.status(), Some(404));
    assert_eq!(get(&fixture, "/v1/commands").await.status(), Some(405));
    fixture.end().await;
}

#[tokio::test]
async fn the_control_api_answers_while_the_driver_is_stuck() {
    let fixture = Fixture::with(|plan| plan.drain = Duration::from_millis(50));
    fixture.command("arm any: hang").await;
    for _ in 0..50 {
        let mut caller = fixture.plugin.connect().await.expect("the server listens");
        caller.say(&http("POST", Operation::List.path(), "", "{}")).await;
        // It stays, and waits for ever.
        std::mem::forget(caller);
    }
    fixture.until("all wait", |now| now.held.len() == 50).await;
    assert_eq!(get(&fixture, "/v1/state").await.json()["counters"]["list"], 50);
    assert_eq!(post(&fixture, "disarm all").await.body(), "1 rule disarmed, 50 held calls released\n");
    fixture.until("none waits", |now| now.held.is_empty()).await;
    fixture.end().await;
}
