//! Calls as an HTTP archive (HAR 1.2), which browsers, proxies and viewers read.

use std::{
    io::{self, Write},
    sync::Arc,
    time::Duration,
};

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::{
    domain::{
        analysis::retries::began,
        model::entry::{Body, Call, Entry, Headers},
    },
    hub::Snapshot,
};

/// Writes the calls that have ended.
pub fn write<'e>(
    out: &mut impl Write,
    entries: impl Iterator<Item = &'e Arc<Entry>>,
    snapshot: &Snapshot,
) -> io::Result<()> {
    let creator = json!({ "name": "voltergeist", "version": env!("CARGO_PKG_VERSION") });
    let driver = format!("driver {} at {}", snapshot.driver.name, snapshot.driver.address);
    write!(
        out,
        "{{\"log\":{{\"version\":\"1.2\",\"creator\":{creator},\"comment\":{},\"entries\":[",
        json!(driver)
    )?;
    for (index, (entry, call)) in entries.filter_map(|entry| Some((entry, entry.call()?))).enumerate() {
        write!(out, "{}\n{}", if index > 0 { "," } else { "" }, exchange(entry, call))?;
    }
    out.write_all(b"\n]}}\n")
}

/// One call. What only voltergeist knows is in a field of its own, as HAR has it.
fn exchange(entry: &Entry, call: &Call) -> Value {
    let time = millis(call.duration);
    let mut exchange = json!({
        "startedDateTime": began(entry).to_string(),
        "time": time,
        "request": request(call),
        "response": response(call),
        "cache": {},
        "timings": { "send": 0, "wait": time, "receive": 0 },
        "connection": call.connection.to_string(),
        "_voltergeist": {
            "seq": entry.seq, "call": call.number, "operation": call.operation, "caller": call.caller,
            "volume": call.volume, "fault": call.fault, "outcome": call.outcome, "lints": call.lints,
        },
    });
    if let Some(fault) = &call.fault {
        exchange["comment"] = json!(format!("fault: {fault}"));
    }
    exchange
}

fn request(call: &Call) -> Value {
    let line = call.request_line.as_deref().and_then(|line| line.split_once(' '));
    let path = call.operation.map_or("/", |operation| operation.path());
    let (method, path) = line.unwrap_or(("POST", path));
    let header = |name: &str| {
        let Headers(headers) = &call.headers;
        headers.iter().find(|(known, _)| **known == *name).map(|(_, value)| &**value)
    };
    // On a Unix socket an engine names no host, or one that is none.
    let is_host = |host: &&str| {
        !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-:[]".contains(c))
    };
    let host = header("host").filter(is_host).unwrap_or("localhost");
    let query = path.split_once('?').map_or("", |(_, query)| query);
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        json!({ "name": name, "value": value })
    });
    let Headers(headers) = &call.headers;
    let mut request = json!({
        "method": method,
        "url": format!("http://{host}/{}", path.trim_start_matches('/')),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": headers.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect::<Vec<_>>(),
        "queryString": pairs.collect::<Vec<_>>(),
        "headersSize": -1,
        "bodySize": call.request.length,
    });
    if call.request.length > 0 {
        let media_type = header("content-type").unwrap_or("application/json");
        request["postData"] = json!({ "mimeType": media_type, "text": call.request.text() });
        mark_cut(&mut request["postData"], &call.request);
    }
    request
}

fn response(call: &Call) -> Value {
    let status = call.status.unwrap_or_default();
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(&call.reply.bytes).is_ok();
    let mut content = json!({
        "size": call.reply.length,
        "mimeType": if is_json { "application/json" } else { "text/plain" },
        "text": call.reply.text(),
    });
    mark_cut(&mut content, &call.reply);
    let mut response = json!({
        "status": status,
        "statusText": reason.unwrap_or_default(),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [],
        "content": content,
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": call.reply.length,
    });
    // As browsers have it for a request without a reply.
    if let (None, Some(error)) = (call.status, &call.error) {
        response["_error"] = json!(error);
    }
    response
}

fn mark_cut(body: &mut Value, from: &Body) {
    if from.bytes.len() < from.length {
        body["comment"] = json!(format!("the first {} of {} bytes", from.bytes.len(), from.length));
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::model::{
        entry::{EntryKind, Outcome},
        protocol::{Caller, Operation},
    };

    #[test]
    fn a_call_is_one_exchange() {
        let call = Call {
            number: 7,
            headers: Headers(
                [("host", "plugin.moby.localhost"), ("accept", "x")]
                    .map(|(name, value)| (name.into(), value.into()))
                    .into(),
            ),
            request: br#"{"Name":"db1"}"#.to_vec().into(),
            reply: b"busy\n".to_vec().into(),
            status: Some(500),
            outcome: Outcome::Error,
            duration: Duration::from_micros(1500),
            ..Call::ok(Operation::Get, Caller::Docker)
        };
        let lost = Call {
            request_line: Some("GET /x?a=1&b".into()),
            status: None,
            error: Some("reset".into()),
            ..Call::ok(Operation::Get, Caller::Other)
        };
        let at: Timestamp = "2026-01-02T03:04:05.678Z".parse().expect("a time");
        let entry = |call: &Call| Entry::new(9, at, EntryKind::Call(Box::new(call.clone())));
        let shown = exchange(&entry(&call), &call);
        assert_eq!(shown["startedDateTime"], "2026-01-02T03:04:05.6765Z");
        assert_eq!((&shown["time"], &shown["request"]["method"]), (&json!(1.5), &json!("POST")));
        assert_eq!(shown["request"]["url"], "http://plugin.moby.localhost/VolumeDriver.Get");
        assert_eq!(shown["request"]["postData"]["text"], "{\"Name\":\"db1\"}");
        assert_eq!(
            (&shown["response"]["status"], &shown["response"]["statusText"]),
            (&json!(500), &json!("Internal Server Error"))
        );
        assert_eq!(
            shown["response"]["content"],
            json!({ "size": 5, "mimeType": "text/plain", "text": "busy\n" })
        );
        let shown = exchange(&entry(&lost), &lost);
        assert_eq!(shown["request"]["url"], "http://localhost/x?a=1&b");
        assert_eq!(
            shown["request"]["queryString"],
            json!([{ "name": "a", "value": "1" }, { "name": "b", "value": "" }])
        );
        assert_eq!(
            (&shown["response"]["status"], &shown["response"]["_error"]),
            (&json!(0), &json!("reset"))
        );
    }
}
