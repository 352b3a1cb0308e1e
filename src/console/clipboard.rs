//! What can be taken along: an entry as JSON, a call as a curl command, both over OSC 52.

use std::fmt::Write as _;

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::{
    domain::{
        lang::json,
        model::{driver::DriverInfo, entry::Entry},
        text::shell::{quote, quote_bytes},
    },
    hub::Snapshot,
};

/// An entry as one line of JSON, as in a recording.
pub fn json(entry: &Entry) -> String {
    json::line(entry).expect("an entry is plain data with text keys")
}

/// A bash command that makes the same request again, if the entry is a call. A newline at the end of the body is left
/// out; engines send one after the JSON.
pub fn curl(entry: &Entry, snapshot: &Snapshot) -> Option<String> {
    let call = entry.call()?;
    let (method, path) = match (&call.request_line, call.operation) {
        (Some(line), _) => line.split_once(' ')?,
        (None, Some(operation)) => ("POST", operation.path()),
        (None, None) => return None,
    };
    let mut words = vec!["curl".into(), "-X".into(), quote_bytes(method.as_bytes())];
    // Without these, curl would expand brackets and resolve dots.
    words.extend(path.contains(['[', ']', '{', '}']).then_some("--globoff".into()));
    words.extend(path.contains("/.").then_some("--path-as-is".into()));
    for (name, value) in call.headers.0.iter() {
        if !matches!(&**name, "content-length" | "host" | "connection" | "transfer-encoding") {
            // A colon with nothing after it would remove the header.
            let header = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
            words.extend(["-H".into(), quote_bytes(header.as_bytes()).into_owned().into()]);
        }
    }
    let is_cut = call.request.bytes.len() < call.request.length;
    let body = &*call.request.bytes;
    let body = if is_cut { body } else { body.strip_suffix(b"\n").unwrap_or(body) };
    // No word can contain NUL, so such a body is piped.
    let parts: Vec<_> = body.split(|byte| *byte == 0).map(quote_bytes).collect();
    let mut command = String::new();
    if is_cut {
        command = format!("# the body is cut: the first {} of {} bytes\n", body.len(), call.request.length);
    }
    if parts.len() > 1 {
        let format = vec!["%s"; parts.len()].join(r"\0");
        let _ = write!(command, "printf '{format}' {} | ", parts.join(" "));
        words.extend(["--data-binary".into(), "@-".into()]);
    } else if !body.is_empty() {
        words.extend(["--data-raw".into(), parts[0].clone()]);
    }
    let address = &snapshot.driver.address;
    let url = if let Some(socket) = address.strip_prefix("unix://") {
        words.extend(["--unix-socket".into(), quote_bytes(socket.as_bytes())]);
        format!("http://localhost{path}")
    } else {
        let host = address.split_once("://").map_or(address.as_str(), |(_, host)| host);
        format!("http://{host}{path}")
    };
    words.push(quote_bytes(url.as_bytes()));
    command.push_str(&words.join(" "));
    Some(command)
}

/// The escape sequence that asks the terminal to put a text on its clipboard. It works over SSH too.
pub fn osc52(text: &str) -> String {
    format!("\x1b]52;c;{}\x07", BASE64_STANDARD.encode(text))
}

/// The command with which a newcomer sees the first calls.
pub fn docker_command(driver: &DriverInfo) -> String {
    if driver.upstream.is_some() {
        // Another plugin may want options to create a volume.
        return "docker volume ls".to_owned();
    }
    let driver = &driver.name;
    format!("docker run --rm -v demo:/data --volume-driver {} busybox touch /data/hello", quote(driver))
}
