//! The nine calls without any fault.

use std::{fs, path::Path};

use serde_json::{Value, json};
use voltergeist::{
    domain::model::{entry::Outcome, protocol::Operation},
    hub::InMemoryStore,
};

use crate::fixture::{Fixture, http, request};

#[tokio::test]
async fn all_nine_calls_answer_as_the_protocol_says() {
    for fixture in [Fixture::unix(), Fixture::tcp()] {
        let mountpoint = fixture.mountpoint("db1");
        let place = mountpoint.to_str().expect("a text");
        let created = fixture.ask(Operation::Create, r#"{"Name":"db1","Opts":{"tier":"gold"}}"#).await;
        assert_eq!(created, json!({}));
        let created = fixture.snapshot().volumes.get(0).expect("a volume").created;
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
    assert_eq!(fs::read_dir(&volume).expect("it is made").count(), 0);
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
    assert_eq!(fs::read_dir(fixture.mountpoint("bad")).expect("it is there").count(), 0);
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
async fn what_exceeds_a_limit_is_refused_and_says_which() {
    let fixture = Fixture::unix();
    let (long, huge) = ("x".repeat(1025), "x".repeat(64 * 1024));
    for (operation, body, limit) in [
        (Operation::Mount, json!({}), "empty body"),
        (Operation::Create, json!({"Name": ""}), "empty body"),
        (Operation::Create, json!({ "Name": long }), "at most 1024 bytes"),
        (Operation::Get, json!({ "Name": long }), "at most 1024 bytes"),
        (Operation::Mount, json!({"Name": "v", "ID": "x".repeat(256)}), "at most 255 bytes"),
        (Operation::Unmount, json!({"Name": "v", "ID": "x".repeat(256)}), "at most 255 bytes"),
        (Operation::Create, json!({"Name": "v", "Opts": {"k": huge}}), "at most 65536 bytes"),
        (Operation::Create, json!({"Name": "v", "Opts": {"mode": "rwx"}}), "write octal digits, as in 0750"),
    ] {
        let answer = fixture.ask(operation, &body.to_string()).await;
        assert!(
            answer["Err"].as_str().is_some_and(|why| why.contains(limit)),
            "{operation} {limit}: {answer}"
        );
    }
    assert!(fixture.snapshot().volumes.is_empty());
    let left = fs::read_dir(fixture.place.path().join("volumes")).expect("the root is there").count();
    assert_eq!(left, 1, "only the driver's own directory");
    fixture.end().await;
}

#[tokio::test]
async fn a_volume_has_a_limit_of_open_mounts() {
    let fixture = Fixture::unix();
    let place = fixture.end().await;
    let record = place.path().join("volumes/.voltergeist/records/v");
    let with_mounts = |mounts: Value| {
        let volume = json!({
            "name": "v", "options": {}, "created": "2026-01-01T00:00:00Z", "exists": true, "mounts": mounts
        });
        fs::write(&record, volume.to_string()).expect("the place is writable");
    };
    with_mounts(json!({"7f": 9999}));
    let fixture = Fixture::at(place, |_| {}).expect("the place is free");
    let body = r#"{"Name":"v","ID":"8a"}"#;
    fixture.ask(Operation::Mount, body).await;
    let answer = fixture.ask(Operation::Mount, body).await;
    assert_eq!(answer["Err"], "cannot mount \"v\": 10000 mounts of it are open; unmount some first");
    fixture.ask(Operation::Unmount, body).await;
    fixture.ask(Operation::Mount, body).await;
    let place = fixture.end().await;
    for mounts in [json!({"7f": u32::MAX}), json!({"7f": u32::MAX, "8a": 1}), json!({"x".repeat(256): 1})] {
        with_mounts(mounts);
        let fixture = Fixture::at(place.clone(), |_| {}).expect("a corrupt record is not fatal");
        assert!(fixture.notes()[0].contains("is corrupt (it has more than"), "{:?}", fixture.notes());
        assert!(fixture.snapshot().volumes.is_empty());
        fixture.end().await;
    }
}

#[tokio::test]
async fn every_name_is_a_volume_like_any_other_and_nothing_leaves_the_root() {
    const NAMES: [&str; 17] = [
        ".",
        "..",
        "...",
        "-x",
        "a/b",
        "../outside",
        "/etc",
        "/",
        "a//b/../c",
        ".voltergeist",
        "records",
        "50%",
        "a\0b",
        "größe mit raum",
        "lock",
        "a\nb",
        " ",
    ];
    let fixture = Fixture::unix();
    let root = fixture.place.path().join("volumes");
    fs::create_dir(fixture.place.path().join("outside")).expect("the place is writable");
    let long = ["x".repeat(255), "x".repeat(256), "ü".repeat(512), "/".repeat(1024)];
    let names: Vec<_> = NAMES.into_iter().chain(long.iter().map(String::as_str)).collect();
    let body = |name: &str| json!({ "Name": name, "ID": "7f" }).to_string();
    for name in &names {
        fixture.ask(Operation::Create, &body(name)).await;
        fixture.ask(Operation::Mount, &body(name)).await;
    }
    let place = fixture.end().await;
    let fixture = Fixture::at(place, |_| {}).expect("the place is free");
    assert_eq!(fixture.snapshot().volumes.len(), names.len(), "all are different, also after a restart");
    for name in &names {
        let volume = fixture.ask(Operation::Get, &body(name)).await["Volume"].clone();
        assert_eq!(volume["Name"], **name);
        let mountpoint = Path::new(volume["Mountpoint"].as_str().expect("a path"));
        assert_eq!(mountpoint.parent(), Some(&*root), "{name:?}");
        assert!(mountpoint.join("mountID").is_file(), "{name:?}");
        fixture.ask(Operation::Remove, &body(name)).await;
        assert!(!mountpoint.exists(), "{name:?}");
        assert_eq!(fixture.ask(Operation::Get, &body(name)).await, json!({"Err": "no such volume"}));
    }
    let left: Vec<_> = fs::read_dir(fixture.place.path()).expect("it is there").collect();
    assert!(fixture.place.path().join("outside").exists() && left.len() <= 4, "{left:?}");
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
async fn a_body_of_any_length_gets_its_reply_on_a_connection_that_goes_on() {
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
async fn a_reply_goes_to_the_caller_only_after_it_is_counted() {
    let fixture = Fixture::unix();
    let mut caller = fixture.plugin.connect().await.expect("the server listens");
    for count in 1..=200 {
        caller.say(&request(Operation::List, "{}").replace("Connection: close\r\n", "")).await;
        caller.hear_one().await;
        assert_eq!(fixture.snapshot().counters.operation(Operation::List), count);
    }
    fixture.end().await;
}

#[tokio::test]
async fn a_long_list_is_sent_in_parts_that_are_the_whole_list() {
    let fixture = Fixture::with_store(Box::new(InMemoryStore), |_| {});
    for number in 0..1500 {
        fixture.command(&format!("conjure v{number:04}")).await;
    }
    fixture.command("forget v0000").await;
    fixture.command("forget v0700").await;
    let heard = fixture.call(Operation::List, "{}").await;
    assert!(heard.is_whole(), "{:?}", heard.header("content-length"));
    let listed = heard.json();
    let listed: Vec<_> =
        listed["Volumes"].as_array().expect("a list").iter().map(|volume| &volume["Name"]).collect();
    let expected: Vec<_> =
        (1..1500).filter(|number| *number != 700).map(|number| format!("v{number:04}")).collect();
    assert_eq!(listed, expected.iter().collect::<Vec<_>>());
    let call = fixture.last_call();
    assert_eq!((call.outcome, call.status, call.reply.length), (Outcome::Ok, Some(200), heard.body().len()));
    assert!(heard.body().as_bytes().starts_with(&call.reply.bytes) && call.reply.bytes.len() == 16 * 1024);
    // A fault alters the whole reply.
    fixture.command("arm list: delay 1ms").await;
    assert_eq!(fixture.call(Operation::List, "{}").await.body(), heard.body());
    fixture.end().await;
}
