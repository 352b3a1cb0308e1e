//! What a server sends is what the documents in `docs/schema` describe.

use std::{collections::BTreeSet, fs, path::Path, sync::LazyLock};

use jsonschema::Validator;
use serde_json::{Map, Value, json};
use voltergeist::domain::model::protocol::Operation;

use crate::fixture::{Fixture, Heard, http};

static ENTRY: LazyLock<Value> = LazyLock::new(|| document(include_str!("../../docs/schema/entry.v1.json")));
static OPENAPI: LazyLock<Value> =
    LazyLock::new(|| document(include_str!("../../docs/schema/openapi.v1.json")));
static IS_ENTRY: LazyLock<Validator> = LazyLock::new(|| validator(&ENTRY));

fn document(text: &str) -> Value {
    serde_json::from_str(text).expect("the document is JSON")
}

fn validator(schema: &Value) -> Validator {
    jsonschema::validator_for(schema).expect("the document is a schema")
}

pub fn assert_is_entry(entry: &Value) {
    let errors: Vec<_> = IS_ENTRY.iter_errors(entry).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{entry}: {errors:?}");
}

/// A schema of the `OpenAPI` document as one that stands alone: with the schema of entries, and with the named schemas in
/// `$defs`, where a validator looks for them.
fn resolved(schema: &Value) -> Value {
    match schema {
        Value::Object(object) if object.get("$ref") == Some(&json!("entry.v1.json")) => ENTRY.clone(),
        Value::Object(object) => {
            object.iter().map(|(key, value)| (key.clone(), resolved(value))).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(resolved).collect(),
        Value::String(text) => text.replace("#/components/schemas/", "#/$defs/").into(),
        other => other.clone(),
    }
}

fn assert_matches(schema: &Value, instance: &Value) {
    let named = resolved(&OPENAPI["components"]["schemas"]);
    let schema = json!({ "allOf": [resolved(schema)], "$defs": named });
    let errors: Vec<_> = validator(&schema).iter_errors(instance).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{instance}: {errors:?}");
}

/// The instances in a body: one document, one per line, or one per event.
fn instances(kind: &str, heard: &Heard) -> Vec<Value> {
    let lines = || heard.body().lines();
    match kind {
        "application/json" => vec![heard.json()],
        "application/x-ndjson" => lines().filter(|line| line.starts_with('{')).map(document).collect(),
        "text/event-stream" => lines()
            .filter_map(|line| line.strip_prefix("data: "))
            .filter(|data| data.starts_with('{'))
            .map(document)
            .collect(),
        _ => vec![json!(heard.body())],
    }
}

const CLOSE: &str = "Connection: close\r\n";
const BROWSER: &str = "Connection: close\r\nOrigin: http://example.org\r\n";

/// A method, a path of the document, a query, headers and a body.
const REQUESTS: [(&str, &str, &str, &str, &str); 18] = [
    ("GET", "/v1/state", "", CLOSE, ""),
    ("GET", "/v1/state", "", BROWSER, ""),
    ("GET", "/v1/checkpoint", "", CLOSE, ""),
    ("GET", "/v1/checkpoint", "", BROWSER, ""),
    ("GET", "/v1/entries", "?after=1&limit=400", CLOSE, ""),
    ("GET", "/v1/entries", "?limit=x", CLOSE, ""),
    ("GET", "/v1/entries", "", BROWSER, ""),
    ("GET", "/v1/entries/stream", "?after=0", CLOSE, ""),
    ("GET", "/v1/entries/stream", "?after=x", CLOSE, ""),
    ("GET", "/v1/entries/stream", "", "Connection: close\r\nLast-Event-ID: x\r\n", ""),
    ("GET", "/v1/entries/stream", "", BROWSER, ""),
    ("POST", "/v1/commands", "", CLOSE, "note from a script"),
    ("POST", "/v1/commands", "", "Connection: close\r\nAccept: application/json\r\n", "note as JSON"),
    ("POST", "/v1/commands", "", CLOSE, "nothing"),
    ("POST", "/v1/commands", "", BROWSER, "note from a page"),
    ("POST", "/v1/commands", "", CLOSE, "up"),
    ("GET", "/metrics", "", CLOSE, ""),
    ("GET", "/metrics", "", BROWSER, ""),
];

#[tokio::test]
async fn every_reply_is_as_the_openapi_document_says() {
    let fixture = Fixture::unix();
    fixture.ask(Operation::Create, r#"{"Name":"db1","Opts":{"tier":"gold"}}"#).await;
    fixture.ask(Operation::Mount, r#"{"Name":"db1","ID":"7f"}"#).await;
    fixture.command("arm get: hold once for 1h as bp").await;
    let mut held = fixture.plugin.connect().await.expect("the server listens");
    held.say(&http("POST", Operation::Get.path(), "", r#"{"Name":"db1"}"#)).await;
    fixture.until("the call is held", |now| now.held.len() == 1).await;
    // `up` cannot open the socket.
    let socket = fixture.place.path().join("plugins/ghost.sock");
    std::fs::remove_file(&socket).expect("it is there");
    std::fs::write(&socket, "").expect("the place is writable");
    fixture.until("it is noticed", |_| fixture.hub.bind_error().is_some()).await;

    let mut seen = BTreeSet::new();
    for (method, path, query, headers, body) in REQUESTS {
        let request = http(method, &format!("{path}{query}"), headers, body);
        let mut caller = fixture.control.connect().await.expect("the API listens");
        caller.say(&request).await;
        let is_stream = path.ends_with("/stream") && query == "?after=0";
        let heard = if is_stream {
            let mut text = caller
                .hear_until(|text| {
                    text.split("\"kind\":\"held\"").nth(1).is_some_and(|rest| rest.contains("\n\n"))
                })
                .await;
            // The event after it may have come only in part.
            text.truncate(text.rfind("\n\n").expect("an event has come") + 2);
            Heard { text, end: Ok(()) }
        } else {
            caller.hear().await
        };
        let status = heard.status().expect(path).to_string();
        let operation = &OPENAPI["paths"][path][method.to_lowercase()];
        let kinds = operation["responses"][&status]["content"].as_object();
        let kinds =
            kinds.unwrap_or_else(|| panic!("{method} {path}{query}: {status} is not in the document"));
        let found = heard.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
        let content = kinds.get(found);
        let content =
            content.unwrap_or_else(|| panic!("{method} {path}{query}: {found} is not in the document"));
        let kind = found;
        let instances = instances(kind, &heard);
        assert!(!instances.is_empty(), "{method} {path}{query}: {heard:?}");
        for instance in &instances {
            assert_matches(&content["schema"], instance);
        }
        seen.insert((path.to_owned(), method.to_lowercase(), status));
    }
    // A panic cannot be asked for, and a Unix socket wants no token.
    let documented = operations().into_iter().flat_map(|(path, method)| {
        let responses = OPENAPI["paths"][&path][&method]["responses"].as_object().expect("responses");
        let statuses: Vec<_> =
            responses.keys().filter(|status| !matches!(status.as_str(), "401" | "500")).cloned().collect();
        statuses.into_iter().map(move |status| (path.clone(), method.clone(), status))
    });
    assert_eq!(seen, documented.collect());

    for (path, method) in operations() {
        let other = if method == "get" { "POST" } else { "GET" };
        let heard = fixture.control.exchange(&http(other, &path, CLOSE, "")).await;
        assert_eq!(heard.status(), Some(405), "{other} {path}");
    }
    assert_eq!(fixture.control.exchange(&http("GET", "/v2/state", CLOSE, "")).await.status(), Some(404));
    fixture.command("release all").await;
    fixture.end().await;
}

/// The paths of the document with their methods.
fn operations() -> BTreeSet<(String, String)> {
    let paths = OPENAPI["paths"].as_object().expect("paths");
    let of = |(path, methods): (&String, &Value)| {
        let methods: Vec<_> = methods.as_object().expect("methods").keys().cloned().collect();
        methods.into_iter().map(|method| (path.clone(), method)).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of).collect()
}

#[test]
fn every_route_is_in_the_openapi_document() {
    let mut routes = BTreeSet::new();
    collect_routes(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut routes);
    assert_eq!(routes, operations());
}

/// The routes with a literal path, as in `.route("/v1/state", get(state))`.
fn collect_routes(folder: &Path, routes: &mut BTreeSet<(String, String)>) {
    for entry in fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect_routes(&path, routes);
            continue;
        }
        let source = fs::read_to_string(&path).expect("a source is text");
        for route in source.split(".route(\"").skip(1) {
            let (route, handlers) = route.split_once("\", ").expect("a route has handlers");
            let method = handlers.split('(').next().expect("a method");
            routes.insert((route.to_owned(), method.to_owned()));
        }
    }
}
