//! JSON as a text, laid out for a reader or set in one line for the wire.
//!
//! It goes token by token: a parsed value would keep neither the order of keys nor one that comes twice.

use std::io;

use serde::Serialize;
use serde_json::{
    Deserializer, Serializer,
    ser::{CompactFormatter, Formatter, PrettyFormatter},
};

use crate::domain::text::is_unsafe;

/// An object or an array with line breaks. Nothing if the text is neither.
pub fn indented(text: &str) -> Option<String> {
    text.trim_start().starts_with(['{', '[']).then(|| set(text, PrettyFormatter::new()))?
}

/// JSON without a space that it can do without. Nothing if the text is no JSON.
pub fn compact(text: &str) -> Option<String> {
    set(text, CompactFormatter)
}

/// A value as one line of JSON in which nothing moves a terminal's cursor or turns the direction of writing: what JSON
/// itself would leave as it is, such as U+009B, is escaped too.
pub fn write_line(out: &mut impl io::Write, value: &impl Serialize) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(&mut *out, SafeFormatter))?;
    out.write_all(b"\n")
}

/// The same as a text, without the end of the line.
pub fn line(value: &impl Serialize) -> serde_json::Result<String> {
    let mut text = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut text, SafeFormatter))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Escapes what is not safe to show.
struct SafeFormatter;

impl Formatter for SafeFormatter {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_unsafe(*c)) {
            out.write_all(&rest.as_bytes()[..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = &rest[at + c.len_utf8()..];
        }
        out.write_all(rest.as_bytes())
    }
}

fn set(text: &str, formatter: impl Formatter) -> Option<String> {
    let (mut read, mut written) = (Deserializer::from_str(text), Vec::new());
    serde_transcode::transcode(&mut read, &mut Serializer::with_formatter(&mut written, formatter)).ok()?;
    read.end().ok()?;
    String::from_utf8(written).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_stays_the_same_however_it_is_set() {
        for (line, pretty) in [
            (r#"{"b":1,"a":{},"a":[]}"#, Some("{\n  \"b\": 1,\n  \"a\": {},\n  \"a\": []\n}")),
            (r#"[{"x":"{ \" }"}]"#, Some("[\n  {\n    \"x\": \"{ \\\" }\"\n  }\n]")),
            ("null", None),
            ("\"text\"", None),
        ] {
            assert_eq!(compact(line).as_deref(), Some(line));
            assert_eq!(indented(line).as_deref(), pretty);
            assert_eq!(pretty.map(compact), pretty.map(|_| Some(line.to_owned())));
        }
    }

    #[test]
    fn a_line_shows_nothing_that_a_terminal_obeys_and_reads_back_equal() {
        let text = "a\u{9b}31m\u{202e}b\u{7f}\n\u{1b}]0;x\u{7}\"ü😀";
        let line = line(&text).expect("a text is JSON");
        assert_eq!(line, r#""a\u009b31m\u202eb\u007f\n\u001b]0;x\u0007\"ü😀""#);
        assert_eq!(serde_json::from_str::<String>(&line).expect("it is JSON"), text);
        let mut written = Vec::new();
        write_line(&mut written, &text).expect("memory does not fail");
        assert_eq!(written, format!("{line}\n").into_bytes());
    }

    #[test]
    fn what_is_no_document_is_not_touched() {
        for text in ["", "{", "{} {}", "plain", "{'a':1}", "[1,]"] {
            assert_eq!((compact(text), indented(text)), (None, None), "{text}");
        }
    }
}
