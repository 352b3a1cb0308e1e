//! Replies as Go's `encoding/json` reads them: the first value, keys in any case, and its complaints.

use serde_json::{Deserializer, Map, Value};

/// Why a body is no JSON value, in Go's words.
fn complaint(body: &[u8], error: &serde_json::Error) -> String {
    if error.is_eof() {
        return "unexpected EOF".into();
    }
    let line: usize =
        body.split(|&byte| byte == b'\n').take(error.line() - 1).map(|line| line.len() + 1).sum();
    let offset = (line + error.column()).saturating_sub(1);
    let found = body.get(offset).map_or_else(|| "EOF".into(), |&byte| format!("{:?}", char::from(byte)));
    let start = body.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
    let place = if offset <= start { "looking for beginning of value" } else { "in the middle of a value" };
    format!("invalid character {found} {place}")
}

/// Reads the first value of a body. `None` means that it has not ended yet.
pub(super) fn first_value(body: &[u8]) -> Option<Result<Value, String>> {
    let value = Deserializer::from_slice(body).into_iter::<Value>().next()?;
    match value {
        Ok(value) => Some(Ok(value)),
        Err(error) if error.is_eof() => None,
        Err(error) => Some(Err(complaint(body, &error))),
    }
}

/// An object's fields, found in any case. `null` has none, as in Go.
#[derive(Debug, Default)]
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// Takes a value for an object of Go type `name`.
    pub(super) fn of(value: Value, name: &str) -> Result<Self, String> {
        match value {
            Value::Object(fields) => Ok(Self(fields)),
            Value::Null => Ok(Self::default()),
            other => Err(format!("json: cannot unmarshal {} into Go value of type {name}", go_kind(&other))),
        }
    }

    /// The object itself.
    pub(super) fn into_value(self) -> Value {
        Value::Object(self.0)
    }

    fn take(&mut self, field: &str) -> Option<Value> {
        let exact = self.0.contains_key(field).then(|| field.to_owned());
        let key = exact.or_else(|| self.0.keys().find(|key| key.eq_ignore_ascii_case(field)).cloned())?;
        self.0.remove(&key).filter(|value| !value.is_null())
    }

    /// A text; empty where it is absent.
    pub(super) fn text(&mut self, field: &str) -> Result<String, String> {
        match self.take(field) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text),
            Some(other) => Err(mismatch(&other, field, "string")),
        }
    }

    /// A list; empty where it is absent.
    pub(super) fn list(&mut self, field: &str, of: &str) -> Result<Vec<Value>, String> {
        match self.take(field) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items),
            Some(other) => Err(mismatch(&other, field, of)),
        }
    }

    /// An object, or nothing.
    pub(super) fn object(&mut self, field: &str, of: &str) -> Result<Option<Self>, String> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(Self(fields))),
            Some(other) => Err(mismatch(&other, field, of)),
        }
    }

    /// A moment in RFC 3339, or nothing.
    pub(super) fn time(&mut self, field: &str) -> Result<Option<String>, String> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::String(text)) if is_rfc3339(&text) => Ok(Some(text)),
            Some(Value::String(text)) => Err(format!(
                "parsing time {text:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse {text:?} as \"2006\""
            )),
            Some(_) => Err("Time.UnmarshalJSON: input is not a JSON string".into()),
        }
    }
}

/// jiff reads more than RFC 3339: a space for the `T`, an offset without its colon.
fn is_rfc3339(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"-:.TZ+".contains(&byte));
    let zone = text.ends_with('Z') || text.as_bytes().iter().rev().nth(2) == Some(&b':');
    plain && zone && text.as_bytes().get(10) == Some(&b'T') && text.parse::<jiff::Timestamp>().is_ok()
}

fn mismatch(found: &Value, field: &str, wanted: &str) -> String {
    format!("json: cannot unmarshal {} into Go struct field .{field} of type {wanted}", go_kind(found))
}

const fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_counts_and_what_follows_does_not() {
        for (body, expected) in [
            ("{}", Some(Ok("{}"))),
            (" {\"a\":1} rubbish", Some(Ok("{\"a\":1}"))),
            ("{} {}", Some(Ok("{}"))),
            ("null", Some(Ok("null"))),
            ("", None),
            ("  ", None),
            ("{\"Err\":", None),
            ("<html>", Some(Err("invalid character '<' looking for beginning of value"))),
            ("{\"a\" x}", Some(Err("invalid character 'x' in the middle of a value"))),
        ] {
            let read = first_value(body.as_bytes()).map(|value| value.map(|value| value.to_string()));
            let expected = expected.map(|value| value.map(str::to_owned).map_err(str::to_owned));
            assert_eq!(read, expected, "{body}");
        }
    }

    #[test]
    fn keys_count_in_any_case_and_types_do_not_bend() {
        let fields = |json: &str| {
            Fields::of(serde_json::from_str(json).expect("a test's JSON"), "drivers.Reply")
                .expect("an object")
        };
        assert_eq!(fields(r#"{"err":"boom"}"#).text("Err"), Ok("boom".into()));
        assert_eq!(fields(r#"{"ERR":null}"#).text("Err"), Ok(String::new()));
        assert_eq!(
            fields(r#"{"Err":5}"#).text("Err"),
            Err("json: cannot unmarshal number into Go struct field .Err of type string".into())
        );
        let array = Fields::of(Value::Array(vec![]), "drivers.Reply").expect_err("an array");
        assert_eq!(array, "json: cannot unmarshal array into Go value of type drivers.Reply");
    }

    #[test]
    fn only_rfc_3339_is_a_time() {
        for (time, good) in [
            ("2026-01-02T03:04:05Z", true),
            ("2026-01-02T03:04:05.123456789+01:00", true),
            ("2026-01-02 03:04:05 +0000 UTC", false),
            ("2026-01-02T03:04:05", false),
            ("", false),
        ] {
            assert_eq!(is_rfc3339(time), good, "{time}");
        }
    }
}
