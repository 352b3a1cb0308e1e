//! What can be taken along: an entry as JSON, a call as a curl command, both over OSC 52.

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::text::clean;
use crate::{
    domain::entry::{Entry, Kind},
    hub::Snapshot,
};

/// An entry as one line of JSON, as in a recording.
pub fn json(entry: &Entry) -> String {
    serde_json::to_string(entry).expect("an entry is plain data with text keys")
}

/// A command that makes the same request again, if the entry is a call.
pub fn curl(entry: &Entry, seen: &Snapshot) -> Option<String> {
    let call = entry.call()?;
    let path = match (&call.request_line, call.operation) {
        (Some(line), _) => line.split_whitespace().nth(1)?.to_owned(),
        (None, Some(operation)) => operation.path().to_owned(),
        (None, None) => return None,
    };
    let address = &seen.driver.address;
    let place = if let Some(socket) = address.strip_prefix("unix://") {
        format!("--unix-socket {} http://localhost{}", quoted(socket), quoted(&path))
    } else {
        let host = address.split_once("://").map_or(address.as_str(), |(_, host)| host);
        quoted(&format!("http://{host}{path}"))
    };
    let method = call.request_line.as_ref().and_then(|line| line.split_whitespace().next()).unwrap_or("POST");
    let mut command = format!("curl -X {method}");
    for (name, value) in call.headers.0.iter() {
        if !matches!(&**name, "content-length" | "host" | "connection" | "transfer-encoding") {
            command.push_str(" -H ");
            command.push_str(&quoted(&format!("{name}: {value}")));
        }
    }
    if call.body.length > 0 {
        command.push_str(" --data-raw ");
        command.push_str(&quoted(call.body.text().trim_end()));
    }
    command.push(' ');
    command.push_str(&place);
    Some(command)
}

/// The calls as a Mermaid sequence diagram, with the commands between them as notes.
pub fn mermaid<'e>(entries: impl Iterator<Item = &'e Arc<Entry>>, seen: &Snapshot) -> String {
    // Mermaid ends a message at a semicolon and a line at its break.
    let plain = |text: &str| clean(text).replace(';', ",").replace('#', "no. ");
    let engine = seen.tally.usual_caller();
    let mut diagram = format!(
        "sequenceDiagram\n    participant {engine}\n    participant plugin as {}\n",
        plain(&seen.driver.name)
    );
    let mut line = |text: String| diagram.extend(["    ", &text, "\n"]);
    for entry in entries {
        match &entry.kind {
            Kind::Call(call) => {
                let word = call.operation.map_or_else(|| "?".to_owned(), |operation| operation.to_string());
                let volume = call.volume.as_deref().unwrap_or_default();
                line(format!("{engine}->>plugin: {}", plain(&format!("{word} {volume}"))));
                if let Some(deed) = &call.fault {
                    line(format!(
                        "Note right of plugin: {}",
                        plain(&format!("rule {}: {}", deed.id, deed.action))
                    ));
                }
                let error = plain(call.error.as_deref().unwrap_or("ok").trim());
                let status = call.status.map_or_else(String::new, |status| format!("{status} "));
                let arrow = if call.status.is_some() { "-->>" } else { "--x" };
                line(format!("plugin{arrow}{engine}: {status}{error}"));
            }
            Kind::Waiting(waiting) => {
                let volume = waiting.volume.as_deref().unwrap_or_default();
                line(format!("{engine}->>plugin: {}", plain(&format!("{} {volume}", waiting.operation))));
                line(format!("Note right of plugin: waits, {}", plain(&waiting.fault.action)));
            }
            Kind::Command(execution) => line(format!("Note over plugin: {}", plain(&execution.line))),
            Kind::Note { text } => line(format!("Note over {engine}: {}", plain(text))),
            Kind::Fault(_) | Kind::Driver { .. } => {}
        }
    }
    diagram
}

/// A text as one word of a POSIX shell.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The escape sequence that asks the terminal to put a text on its clipboard. It works over SSH too.
pub fn osc52(text: &str) -> String {
    format!("\x1b]52;c;{}\x07", BASE64_STANDARD.encode(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_the_shell_can_hold_anything() {
        for (text, word) in [
            ("/run/x.sock", "/run/x.sock"),
            ("", "''"),
            ("two words", "'two words'"),
            ("it's", r"'it'\''s'"),
            ("$HOME;rm", "'$HOME;rm'"),
        ] {
            assert_eq!(quoted(text), word);
        }
    }
}
