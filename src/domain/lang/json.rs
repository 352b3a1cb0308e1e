//! JSON as a text, laid out for a reader or set in one line for the wire.
//!
//! It goes token by token: a parsed value would keep neither the order of keys nor one that comes twice.

use serde_json::{
    Deserializer, Serializer,
    ser::{CompactFormatter, Formatter, PrettyFormatter},
};

/// An object or an array with line breaks. Nothing if the text is neither.
pub fn indented(text: &str) -> Option<String> {
    text.trim_start().starts_with(['{', '[']).then(|| set(text, PrettyFormatter::new()))?
}

/// JSON without a space that it can do without. Nothing if the text is no JSON.
pub fn compact(text: &str) -> Option<String> {
    set(text, CompactFormatter)
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
    fn what_is_no_document_is_not_touched() {
        for text in ["", "{", "{} {}", "plain", "{'a':1}", "[1,]"] {
            assert_eq!((compact(text), indented(text)), (None, None), "{text}");
        }
    }
}
