//! Answers as a rule alters them: what goes over the wire instead of the natural answer.

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::{
    domain::{
        model::protocol::CONTENT_TYPE,
        rules::{Action, ErrorShape, Mountpoint},
    },
    plugin::http_reply::{HttpReply, TEXT},
};

/// What is sent where JSON is due: the page of some proxy in between.
const GARBAGE: &str = "<html><body><h1>502 Bad Gateway</h1></body></html>\n";
/// What follows a complete answer.
const SECOND_BODY: &str = "{\"Err\":\"this is a second body\"}\n";
/// A place at which there is nothing.
const NOWHERE: &str = "/nonexistent/voltergeist";

/// What an action makes of the natural answer. One that is not about an answer, or does not fit it, leaves it as it is.
pub fn altered(action: &Action, natural: HttpReply) -> HttpReply {
    match action {
        Action::Fail { message, shape } => failure(message, *shape),
        Action::Reply { body, shape } => given(body, *shape),
        Action::Empty => HttpReply::json(StatusCode::OK, "{}\n"),
        Action::Null => HttpReply::json(StatusCode::OK, "null\n"),
        Action::Garbage => HttpReply::json(StatusCode::OK, GARBAGE).wrong("the answer is no JSON"),
        Action::TwoBodies => {
            let body = [&natural.body, SECOND_BODY.as_bytes()].concat();
            HttpReply { body: body.into(), ..natural }
        }
        Action::WrongType => {
            with_json(natural, |value| *value = json!([value.take()])).wrong("the answer is an array")
        }
        Action::Mountpoint(mountpoint) => with_json(natural, |value| {
            for described in descriptions(value) {
                if let Some(path) = described.get_mut("Mountpoint") {
                    *path = mislead(path.as_str().unwrap_or_default(), mountpoint).into();
                }
            }
        }),
        Action::Rename(name) => with_json(natural, |value| {
            for described in descriptions(value) {
                replace(described, "Name", name.as_str().into());
            }
        }),
        Action::Scope(scope) => with_json(natural, |value| {
            replace(&mut value["Capabilities"], "Scope", scope.as_str().into());
        }),
        Action::Implements(list) => with_json(natural, |value| replace(value, "Implements", json!(list))),
        Action::BadTime => with_json(natural, |value| {
            for described in descriptions(value) {
                if let Some(time) = described.get_mut("CreatedAt") {
                    *time = go_time(time.as_str().unwrap_or_default()).into();
                }
            }
        }),
        Action::NullEntry => with_json(natural, |value| {
            if let Some(Value::Array(volumes)) = value.get_mut("Volumes") {
                volumes.push(Value::Null);
            }
        }),
        Action::Pass
        | Action::Hang
        | Action::Hold
        | Action::Delay { .. }
        | Action::Drip { .. }
        | Action::Truncate
        | Action::Reset
        | Action::Eof
        | Action::Stale
        | Action::Lie => natural,
    }
}

fn failure(message: &str, shape: ErrorShape) -> HttpReply {
    let in_json = |status| HttpReply::json(status, format!("{}\n", json!({ "Err": message }))).wrong(message);
    match shape {
        ErrorShape::Inband => in_json(StatusCode::OK),
        ErrorShape::Json500 => in_json(StatusCode::INTERNAL_SERVER_ERROR),
        ErrorShape::Text500 => HttpReply::text(StatusCode::INTERNAL_SERVER_ERROR, message),
        ErrorShape::Http404 => HttpReply::text(StatusCode::NOT_FOUND, message),
        ErrorShape::Http400 => HttpReply::text(StatusCode::BAD_REQUEST, message),
    }
}

/// A given answer, and what is wrong with it as far as that can be told.
fn given(body: &str, shape: ErrorShape) -> HttpReply {
    let (status, media) = match shape {
        ErrorShape::Inband => (StatusCode::OK, CONTENT_TYPE),
        ErrorShape::Json500 => (StatusCode::INTERNAL_SERVER_ERROR, CONTENT_TYPE),
        ErrorShape::Text500 => (StatusCode::INTERNAL_SERVER_ERROR, TEXT),
        ErrorShape::Http404 => (StatusCode::NOT_FOUND, TEXT),
        ErrorShape::Http400 => (StatusCode::BAD_REQUEST, TEXT),
    };
    let error: Option<Box<str>> = match serde_json::from_str::<Value>(body) {
        Ok(answer) => answer["Err"].as_str().filter(|error| !error.is_empty()).map(Box::from),
        Err(_) if status == StatusCode::OK => Some("the answer is no JSON".into()),
        Err(_) => None,
    };
    let error = error.or_else(|| (status != StatusCode::OK).then(|| body.trim_end().into()));
    HttpReply { status, media, body: body.to_owned().into(), error }
}

/// Alters the document, if the answer is one.
fn with_json(answer: HttpReply, alter: impl FnOnce(&mut Value)) -> HttpReply {
    let Ok(mut value) = serde_json::from_slice(&answer.body) else { return answer };
    alter(&mut value);
    HttpReply { body: format!("{value}\n").into(), ..answer }
}

/// What in an answer describes a volume: the whole for `Mount` and `Path`, a part for `Get`, many for `List`.
fn descriptions(value: &mut Value) -> Vec<&mut Value> {
    if value.get("Mountpoint").is_some() {
        return vec![value];
    }
    let Value::Object(whole) = value else { return Vec::new() };
    let described = whole.values_mut().flat_map(|part| match part {
        Value::Array(volumes) => volumes.iter_mut().collect(),
        _ => vec![part],
    });
    described.collect()
}

/// Replaces a part that is there.
fn replace(value: &mut Value, key: &str, part: Value) {
    if let Some(old) = value.get_mut(key) {
        *old = part;
    }
}

fn mislead(path: &str, mountpoint: &Mountpoint) -> String {
    match mountpoint {
        Mountpoint::Empty => String::new(),
        Mountpoint::Missing => format!("{NOWHERE}{path}"),
        Mountpoint::Relative => path.trim_start_matches('/').to_owned(),
        Mountpoint::Path(path) => path.clone(),
    }
}

/// A time as Go's `Time.String` prints it, which real drivers have sent by mistake.
fn go_time(rfc3339: &str) -> String {
    rfc3339.replace('T', " ").replace('Z', " +0000 UTC")
}
