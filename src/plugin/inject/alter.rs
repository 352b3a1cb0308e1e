//! Replies as a rule alters them.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{
    domain::{
        model::protocol::CONTENT_TYPE,
        rules::{Action, CallValues, ErrorForm, Mountpoint, fill},
    },
    plugin::http_reply::{HttpReply, TEXT},
};

/// Sent where JSON is expected: the error page of a proxy.
const GARBAGE: &str = "<html><body><h1>502 Bad Gateway</h1></body></html>\n";
/// Sent after a complete reply.
const SECOND_BODY: &str = "{\"Err\":\"this is a second body\"}\n";
/// A path that does not exist.
const NONEXISTENT: &str = "/nonexistent/voltergeist";

/// The original reply as an action alters it. An action that does not concern the reply, or does not fit it, leaves it
/// unchanged.
pub fn altered(action: &Action, original: HttpReply, values: &CallValues<'_>) -> HttpReply {
    match action {
        Action::Fail { message, form } => failure(message, *form),
        Action::Reply { body, form } => given(&fill(body, values), *form),
        Action::Set { path, value } => with_json(original, |document| {
            if let Ok(value) = serde_json::from_str(&filled_value(value, values)) {
                path.set(document, &value);
            }
        }),
        Action::Unset(path) => with_json(original, |document| path.unset(document)),
        Action::Empty => HttpReply::json(StatusCode::OK, "{}\n"),
        Action::Null => HttpReply::json(StatusCode::OK, "null\n"),
        Action::Garbage => HttpReply::json(StatusCode::OK, GARBAGE).with_error("the reply is not JSON"),
        Action::TwoBodies => {
            let body = [&original.body, SECOND_BODY.as_bytes()].concat();
            HttpReply { body: body.into(), ..original }
        }
        Action::WrongType => {
            with_json(original, |value| *value = json!([value.take()])).with_error("the reply is an array")
        }
        Action::Mountpoint(mountpoint) => with_json(original, |value| {
            for description in descriptions(value) {
                if let Some(path) = description.get_mut("Mountpoint") {
                    *path = altered_path(path.as_str().unwrap_or_default(), mountpoint).into();
                }
            }
        }),
        Action::Rename(name) => with_json(original, |value| {
            for description in descriptions(value) {
                replace(description, "Name", name.as_str().into());
            }
        }),
        Action::Scope(scope) => with_json(original, |value| {
            replace(&mut value["Capabilities"], "Scope", scope.as_str().into());
        }),
        Action::Implements(list) => with_json(original, |value| replace(value, "Implements", json!(list))),
        Action::BadTime => with_json(original, |value| {
            for description in descriptions(value) {
                if let Some(time) = description.get_mut("CreatedAt") {
                    *time = go_time(time.as_str().unwrap_or_default()).into();
                }
            }
        }),
        Action::NullEntry => with_json(original, |value| {
            if let Some(Value::Array(volumes)) = value.get_mut("Volumes") {
                volumes.push(Value::Null);
            }
        }),
        Action::Pass
        | Action::Hang
        | Action::Hold
        | Action::Barrier { .. }
        | Action::Delay { .. }
        | Action::Drip { .. }
        | Action::Truncate
        | Action::Reset
        | Action::Eof
        | Action::Stale
        | Action::Lie => original,
    }
}

/// Whether two bodies say the same.
pub fn is_same(one: &[u8], other: &[u8]) -> bool {
    let value = |body| serde_json::from_slice::<Value>(body).ok();
    one == other || value(one).is_some_and(|one| Some(one) == value(other))
}

/// A JSON value with its placeholders filled in. A text is one in JSON too.
fn filled_value(value: &str, values: &CallValues<'_>) -> String {
    let filled = fill(&format!("[{value}]"), values);
    filled[1..filled.len() - 1].to_owned()
}

/// The status and the media type of a form.
fn head_of(form: ErrorForm) -> (StatusCode, &'static str) {
    match form {
        ErrorForm::Inband => (StatusCode::OK, CONTENT_TYPE),
        ErrorForm::Json500 => (StatusCode::INTERNAL_SERVER_ERROR, CONTENT_TYPE),
        ErrorForm::Text500 => (StatusCode::INTERNAL_SERVER_ERROR, TEXT),
        ErrorForm::Http404 => (StatusCode::NOT_FOUND, TEXT),
        ErrorForm::Http400 => (StatusCode::BAD_REQUEST, TEXT),
    }
}

fn failure(message: &str, form: ErrorForm) -> HttpReply {
    match head_of(form) {
        (status, TEXT) => HttpReply::text(status, message),
        (status, _) => {
            HttpReply::json(status, format!("{}\n", json!({ "Err": message }))).with_error(message)
        }
    }
}

/// A reply given by the user, and the error in it as far as it can be recognised.
fn given(body: &str, form: ErrorForm) -> HttpReply {
    let (status, content_type) = head_of(form);
    let error: Option<Box<str>> = match serde_json::from_str::<Value>(body) {
        Ok(reply) => reply["Err"].as_str().filter(|error| !error.is_empty()).map(Box::from),
        Err(_) if status == StatusCode::OK => Some("the reply is not JSON".into()),
        Err(_) => None,
    };
    let error = error.or_else(|| (status != StatusCode::OK).then(|| body.trim_end().into()));
    HttpReply { status, content_type, body: body.to_owned().into(), error, head: None }
}

/// Alters the JSON document, if the reply is one.
fn with_json(reply: HttpReply, alter: impl FnOnce(&mut Value)) -> HttpReply {
    let Ok(mut value) = serde_json::from_slice(&reply.body) else { return reply };
    alter(&mut value);
    HttpReply { body: format!("{value}\n").into(), ..reply }
}

/// The parts of a reply that describe a volume: all of it for `Mount` and `Path`, one part for `Get`, many for `List`.
fn descriptions(value: &mut Value) -> Vec<&mut Value> {
    if value.get("Mountpoint").is_some() {
        return vec![value];
    }
    let Value::Object(whole) = value else { return Vec::new() };
    let description = whole.values_mut().flat_map(|part| match part {
        Value::Array(volumes) => volumes.iter_mut().collect(),
        _ => vec![part],
    });
    description.collect()
}

/// Replaces a part, if it exists.
fn replace(value: &mut Value, key: &str, part: Value) {
    if let Some(old) = value.get_mut(key) {
        *old = part;
    }
}

fn altered_path(path: &str, mountpoint: &Mountpoint) -> String {
    match mountpoint {
        Mountpoint::Empty => String::new(),
        Mountpoint::Missing => format!("{NONEXISTENT}{path}"),
        Mountpoint::Relative => path.trim_start_matches('/').to_owned(),
        Mountpoint::Path(path) => path.clone(),
    }
}

/// A time as Go's `Time.String` prints it, which real drivers have sent by mistake.
fn go_time(rfc3339: &str) -> String {
    rfc3339.replace('T', " ").replace('Z', " +0000 UTC")
}
