//! What can be taken along: an entry as JSON, a call as a curl command, both over OSC 52.

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::{domain::entry::Entry, hub::Snapshot};

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
