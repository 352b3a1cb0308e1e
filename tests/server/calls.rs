//! The nine calls without any fault.

use std::fs;

use serde_json::json;
use voltergeist::domain::model::{entry::Outcome, protocol::Operation};

use crate::fixture::{Fixture, http, request};

#[tokio::test]
async fn all_nine_calls_answer_as_the_protocol_says() {
    for fixture in [Fixture::unix(), Fixture::tcp()] {
        let mountpoint = fixture.mountpoint("db1");
        let place = mountpoint.to_str().expect("a text");
        let created = fixture.ask(Operation::Create, r#"{"Name":"db1","Opts":{"tier":"gold"}}"#).await;
        assert_eq!(created, json!({}));
        let created = fixture.snapshot().volumes[0].created;
        let volume = json!({
            "Name": "db1",
            "Mountpoint": place,
            "CreatedAt": format!("{created:.0}"),
            "Status": {"Hello": "world"},
        });
        for (operation, body, expected) in [
            (Operation::Activate, "", json!({"Implements": ["VolumeDriver"]})),
            (Operation::Capabilities, "{}\n", json!({"Capabilities": {"Scope": "global"}})),
            (Operation::Get, r#"{"Name":"db1"}"#, json!({"Volume": volume})),
            (Operation::Get, r#"{"Name":"unknown"}"#, json!({"Err": "no such volume"})),
            (Operation::List, "", json!({"Volumes": [volume]})),
            (Operation::Path, r#"{"Name":"db1"}"#, json!({"Mountpoint": place})),
            (Operation::Mount, r#"{"Name":"db1","ID":"7f"}"#, json!({"Mountpoint": place})),
            (Operation::Unmount, r#"{"Name":"db1","ID":"7f"}"#, json!({})),
            (Operation::Remove, r#"{"Name":"db1"}"#, json!({})),
            (Operation::Remove, r#"{"Name":"db1"}"#, json!({})),
            (Operation::List, "{}", json!({"Volumes": []})),
        ] {
            let heard = fixture.call(operation, body).await;
            assert_eq!(heard.status(), Some(200), "{operation}");
            assert_eq!(heard.header("content-type"), Some("application/vnd.docker.plugins.v1+json"));
            assert!(heard.is_whole() && heard.body().ends_with('\n'), "{heard:?}");
            assert_eq!(heard.json(), expected, "{operation} {body}");
        }
        fixture.end().await;
    }
}

#[tokio::test]
async fn a_mount_leaves_the_address_and_its_id_in_the_volume_and_a_remove_takes_all_away() {
    let fixture = Fixture::unix();
    let volume = fixture.mountpoint("db1");
    fixture.ask(Operation::Create, r#"{"Name":"db1"}"#).await;
    assert!(!volume.exists(), "only a mount makes the directory");
    fixture.ask(Operation::Mount, r#"{"Name":"db1","ID":"7f"}"#).await;
    assert_eq!(
        fs::read_to_string(volume.join("test")).expect("it is written"),
        fixture.snapshot().driver.address
    );
    assert_eq!(fs::read_to_string(volume.join("mountID")).expect("it is written"), "7f");
    fs::create_dir(volume.join("deep")).expect("a container may write");
    fs::write(volume.join("deep/data"), "data").expect("a container may write");
    fixture.ask(Operation::Remove, r#"{"Name":"db1"}"#).await;
    assert!(!volume.exists());
    fixture.end().await;
}

#[tokio::test]
async fn the_options_of_the_test_suite_work_as_there() {
    let fixture = Fixture::unix();
    fixture.ask(Operation::Create, r#"{"Name":"shy","Opts":{"ninja":"1"}}"#).await;
    fixture.ask(Operation::Create, r#"{"Name":"bad","Opts":{"invalidOption":"1"}}"#).await;
    assert_eq!(fixture.ask(Operation::Get, r#"{"Name":"shy"}"#).await, json!({}));
    let listed = fixture.ask(Operation::List, "{}").await;
    assert_eq!(listed["Volumes"].as_array().expect("a list").len(), 1);
    assert_eq!(listed["Volumes"][0]["Name"], "bad");
    let heard = fixture.call(Operation::Mount, r#"{"Name":"bad","ID":"7f"}"#).await;
    assert_eq!((heard.status(), heard.body()), (Some(500), "invalid argument\n"));
    assert_eq!(heard.header("content-type"), Some("text/plain; charset=utf-8"));
    assert!(!fixture.mountpoint("bad").exists());
    fixture.end().await;
}

#[tokio::test]
async fn a_mount_of_an_unknown_volume_works_and_does_not_make_it_known() {
    let fixture = Fixture::unix();
    let mounted = fixture.ask(Operation::Mount, r#"{"Name":"ghost","ID":"7f"}"#).await;
    assert_eq!(mounted["Mountpoint"].as_str(), fixture.mountpoint("ghost").to_str());
    assert!(fixture.mountpoint("ghost").join("mountID").exists());
    assert_eq!(fixture.ask(Operation::Get, r#"{"Name":"ghost"}"#).await, json!({"Err": "no such volume"}));
    fixture.ask(Operation::Remove, r#"{"Name":"ghost"}"#).await;
    assert!(fixture.mountpoint("ghost").exists(), "what is unknown is not removed");
    fixture.end().await;
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_is_refused_and_nothing_is_touched() {
    let fixture = Fixture::unix();
    let outside = fixture.place.path().join("outside");
    fs::create_dir(&outside).expect("the place is writable");
    for name in ["", "..", ".", "a/b", "../outside", "/etc", ".voltergeist", "a\u{0}b", &"x".repeat(256)] {
        for operation in Operation::ALL.into_iter().filter(|operation| operation.requires_volume()) {
            let body = json!({ "Name": name, "ID": "7f" }).to_string();
            let answer = fixture.ask(operation, &body).await;
            assert!(
                answer["Err"].as_str().is_some_and(|why| why.len() > 20),
                "{operation} {name:?}: {answer}"
            );
        }
    }
    assert!(
        fixture.ask(Operation::Mount, "").await["Err"].as_str().is_some_and(|why| why.contains("empty body"))
    );
    assert!(fixture.snapshot().volumes.is_empty());
    assert!(outside.exists());
    let left = fs::read_dir(fixture.place.path().join("volumes")).expect("the root is there").count();
    assert_eq!(left, 1, "only the records' own directory");
    fixture.end().await;
}

#[tokio::test]
async fn strange_names_that_are_one_plain_component_are_volumes_like_any_other() {
    let fixture = Fixture::unix();
    for name in ["...", "-x", "größe mit raum", "lock", "unfinished", "a\nb", &"x".repeat(255)] {
        let body = json!({ "Name": name, "ID": "7f" }).to_string();
        fixture.ask(Operation::Create, &body).await;
        fixture.ask(Operation::Mount, &body).await;
        assert_eq!(fixture.ask(Operation::Get, &body).await["Volume"]["Name"], *name);
        fixture.ask(Operation::Remove, &body).await;
        assert_eq!(fixture.ask(Operation::Get, &body).await, json!({"Err": "no such volume"}));
    }
    fixture.end().await;
}

#[tokio::test]
async fn what_is_not_in_the_protocol_is_refused_and_is_an_entry_too() {
    let fixture = Fixture::unix();
    let long = "x".repeat(1024 * 1024 + 1);
    let get = Operation::Get.path();
    for (method, path, body, status, text) in [
        ("POST", "/VolumeDriver.Snapshot", "{}", 404, "404 page not found\n"),
        ("POST", "/volumedriver.get", "{}", 404, "404 page not found\n"),
        ("GET", "/", "", 404, "404 page not found\n"),
        ("GET", get, "", 405, "GET is not allowed; each call is a POST\n"),
        ("POST", get, "{", 500, "the body is not a request: EOF while parsing an object"),
        ("POST", get, "[]", 500, "the body is not a request: expected a JSON object"),
        ("POST", get, r#"{"Name":5}"#, 500, "the body is not a request: invalid type: integer `5`"),
        ("POST", get, &long, 413, "the body is longer than 1048576 bytes; send a shorter one\n"),
    ] {
        let heard = fixture.plugin.exchange(&http(method, path, "Connection: close\r\n", body)).await;
        assert_eq!((heard.status(), heard.end), (Some(status), Ok(())), "{method} {path}");
        assert!(heard.body().starts_with(text), "{method} {path}: {heard:?}");
        let call = fixture.last_call();
        assert_eq!((call.outcome, call.status), (Outcome::Error, Some(status)));
        assert_eq!((call.request.length, call.reply.text()), (body.len(), heard.body().into()));
        let ordinary = method == "POST" && path == get;
        assert_eq!(call.request_line.as_deref(), (!ordinary).then_some(&*format!("{method} {path}")));
        assert_eq!(call.operation, (path == get).then_some(Operation::Get));
    }
    let counters = fixture.snapshot().counters;
    assert_eq!((counters.operation(Operation::Get), counters.unknown_requests), (5, 3));
    let numbers: Vec<_> = fixture.calls().iter().map(|call| (call.number, call.connection)).collect();
    assert_eq!(numbers, (1..=8).map(|number| (number, number)).collect::<Vec<_>>());
    fixture.end().await;
}

#[tokio::test]
async fn a_method_other_than_post_is_answered_with_a_text_and_the_allowed_method() {
    for fixture in [Fixture::unix(), Fixture::tcp()] {
        for operation in Operation::ALL {
            for method in ["GET", "PUT", "DELETE", "OPTIONS"] {
                let request = http(method, operation.path(), "Connection: close\r\n", "{}");
                let heard = fixture.plugin.exchange(&request).await;
                assert_eq!((heard.status(), heard.header("allow")), (Some(405), Some("POST")), "{heard:?}");
                assert_eq!(heard.body(), format!("{method} is not allowed; each call is a POST\n"));
                let call = fixture.last_call();
                assert_eq!((call.operation, call.status), (Some(operation), Some(405)));
                assert_eq!((call.request.text(), call.reply.text()), ("{}".into(), heard.body().into()));
            }
        }
        fixture.end().await;
    }
}

#[tokio::test]
async fn a_body_of_any_length_gets_its_answer_on_a_connection_that_goes_on() {
    let fixture = Fixture::tcp();
    let mut caller = fixture.plugin.connect().await.expect("the server listens");
    for length in [1024 * 1024, 1024 * 1024 + 1, 8 * 1024 * 1024] {
        let name = "x".repeat(length - r#"{"Name":""}"#.len());
        caller.say(&http("POST", Operation::Get.path(), "", &format!("{{\"Name\":\"{name}\"}}"))).await;
        let expected = if length > 1024 * 1024 { 413 } else { 200 };
        assert_eq!(caller.hear_one().await.status(), Some(expected), "{length}");
    }
    let call = fixture.last_call();
    assert_eq!((call.request.length, call.request.bytes.len()), (8 * 1024 * 1024, 16 * 1024));
    assert!(fixture.calls().iter().all(|call| call.connection == 1));
    fixture.end().await;
}

#[tokio::test]
async fn an_entry_contains_all_of_a_call() {
    let fixture = Fixture::unix();
    let body = r#"{"Name":"db1","ID":"7f"}"#;
    let docker = "User-Agent: Go-http-client/1.1\r\nAccept: application/vnd.docker.plugins.v1.2+json\r\nConnection: close\r\n";
    fixture.plugin.exchange(&http("POST", Operation::Mount.path(), docker, body)).await;
    let call = fixture.last_call();
    assert_eq!((call.operation, call.caller.as_str()), (Some(Operation::Mount), "docker"));
    assert_eq!((call.volume.as_deref(), call.mount_id.as_deref()), (Some("db1"), Some("7f")));
    assert_eq!((call.outcome, call.status, call.error), (Outcome::Ok, Some(200), None));
    let headers: Vec<_> = call.headers.0.iter().map(|(name, value)| (&**name, &**value)).collect();
    let length = body.len().to_string();
    assert_eq!(
        headers,
        [
            ("host", "plugin"),
            ("user-agent", "Go-http-client/1.1"),
            ("accept", "application/vnd.docker.plugins.v1.2+json"),
            ("connection", "close"),
            ("content-length", &length),
        ]
    );
    assert_eq!(call.request.text(), body);
    assert_eq!(serde_json::to_value(&call.changes).expect("a change is JSON")[0]["change"], "mounted");
    fixture.end().await;
}

#[tokio::test]
async fn an_answer_goes_to_the_caller_only_after_it_is_counted() {
    let fixture = Fixture::unix();
    let mut caller = fixture.plugin.connect().await.expect("the server listens");
    for count in 1..=200 {
        caller.say(&request(Operation::List, "{}").replace("Connection: close\r\n", "")).await;
        caller.hear_one().await;
        assert_eq!(fixture.snapshot().counters.operation(Operation::List), count);
    }
    fixture.end().await;
}
