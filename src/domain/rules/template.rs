//! Placeholders in replies: `{volume}`, `{id}`, `{mountpoint}`, `{opt.KEY}` and `{original}`.
//!
//! Only a brace before a small letter begins a placeholder, so that JSON needs no escapes. `{{` is a brace.

use crate::domain::{lang::suggest::did_you_mean, model::protocol::Options};

/// The placeholders with their meanings.
pub const PLACEHOLDERS: [(&str, &str); 5] = [
    ("volume", "the volume that the request names"),
    ("id", "the mount ID in the request"),
    ("mountpoint", "where the volume is mounted"),
    ("original", "the original reply"),
    ("opt.KEY", "an option of the volume"),
];

/// What the placeholders stand for.
#[derive(Clone, Copy, Debug)]
pub struct CallValues<'c> {
    /// The volume that the request names.
    pub volume: &'c str,
    /// The mount ID in the request.
    pub id: &'c str,
    /// Where the volume is mounted.
    pub mountpoint: &'c str,
    /// The original reply.
    pub original: &'c str,
    /// The options of the volume.
    pub options: &'c Options,
}

/// Where in a text a placeholder stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TemplatePosition {
    /// In a text that is not JSON.
    Text,
    /// In a string of a JSON document.
    String,
    /// In a JSON document, where a value is expected.
    Value,
}

/// A part of a text.
enum Piece<'t> {
    Literal(&'t str),
    Placeholder(&'t str, TemplatePosition),
}

/// Splits a text; an error names the placeholder that is not known, with its place in bytes.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>, (usize, String)> {
    let is_json = match text.trim_start().as_bytes() {
        [b'[', ..] => true,
        [b'{', next, ..] => *next != b'{' && !next.is_ascii_lowercase(),
        _ => false,
    };
    let (mut pieces, mut begin, mut in_string, mut at) = (Vec::new(), 0, false, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'\\', Some(b'"' | b'\\')) if in_string => at += 2,
            (b'"', _) => {
                in_string = is_json && !in_string;
                at += 1;
            }
            (b'{', Some(b'{')) => {
                pieces.push(Piece::Literal(&text[begin..=at]));
                at += 2;
                begin = at;
            }
            (b'{', Some(b'a'..=b'z')) => {
                let length = text[at..].find('}').ok_or_else(|| {
                    (at, "a placeholder without its closing brace; write {{ for a brace".to_owned())
                })?;
                let name = &text[at + 1..at + length];
                check(name).map_err(|problem| (at, problem))?;
                let place = match (is_json, in_string) {
                    (false, _) => TemplatePosition::Text,
                    (true, true) => TemplatePosition::String,
                    (true, false) => TemplatePosition::Value,
                };
                pieces.extend([Piece::Literal(&text[begin..at]), Piece::Placeholder(name, place)]);
                at += length + 1;
                begin = at;
            }
            _ => at += 1,
        }
    }
    pieces.push(Piece::Literal(&text[begin..]));
    Ok(pieces)
}

fn check(name: &str) -> Result<(), String> {
    let is_option = name.strip_prefix("opt.").is_some_and(|key| !key.is_empty());
    if is_option || PLACEHOLDERS.iter().any(|(known, _)| *known == name && !known.starts_with("opt.")) {
        return Ok(());
    }
    let meant = did_you_mean(name, PLACEHOLDERS.map(|(known, _)| known));
    let known = PLACEHOLDERS.map(|(known, _)| format!("{{{known}}}")).join(" ");
    Err(format!("unknown placeholder {{{name}}}{meant}; expected one of {known}, or {{{{ for a brace"))
}

/// Whether all placeholders are known. An error has its place, in characters.
pub(super) fn validate(text: &str) -> Result<(), (usize, String)> {
    pieces(text).map(drop).map_err(|(at, problem)| (text[..at].chars().count(), problem))
}

/// A text without placeholders that stands for exactly this one.
pub fn escape(text: &str) -> String {
    let mut escaped = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        escaped.push(c);
        if c == '{' && rest.peek().is_some_and(|next| *next == '{' || next.is_ascii_lowercase()) {
            escaped.push('{');
        }
    }
    escaped
}

/// The text with its placeholders filled in.
pub fn fill(text: &str, values: &CallValues<'_>) -> String {
    // Rules are checked when they are parsed.
    let Ok(pieces) = pieces(text) else { return text.to_owned() };
    pieces.into_iter().fold(String::new(), |mut filled, piece| {
        match piece {
            Piece::Literal(literal) => filled.push_str(literal),
            Piece::Placeholder("original", TemplatePosition::Text | TemplatePosition::Value) => {
                filled.push_str(values.original.trim_end());
            }
            Piece::Placeholder(name, place) => {
                let value = match name {
                    "volume" => values.volume,
                    "id" => values.id,
                    "mountpoint" => values.mountpoint,
                    "original" => values.original.trim_end(),
                    option => {
                        let key = option.strip_prefix("opt.").unwrap_or_default();
                        values.options.get(key).map_or("", String::as_str)
                    }
                };
                let quoted = serde_json::Value::from(value).to_string();
                filled.push_str(match place {
                    TemplatePosition::Text => value,
                    TemplatePosition::String => &quoted[1..quoted.len() - 1],
                    TemplatePosition::Value => &quoted,
                });
            }
        }
        filled
    })
}

/// A field in a JSON document: keys of objects, and numbers of elements or `*` for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPath(pub Vec<String>);

impl FieldPath {
    /// Sets the field to a value; objects on the way to it are made.
    pub fn set(&self, document: &mut serde_json::Value, value: &serde_json::Value) {
        set(document, &self.0, value);
    }

    /// Removes the field.
    pub fn unset(&self, document: &mut serde_json::Value) {
        unset(document, &self.0);
    }
}

fn set(document: &mut serde_json::Value, path: &[String], value: &serde_json::Value) {
    use serde_json::{Map, Value};
    let Some((first, rest)) = path.split_first() else {
        return document.clone_from(value);
    };
    match document {
        Value::Array(items) if first == "*" => items.iter_mut().for_each(|item| set(item, rest, value)),
        Value::Array(items) => {
            if let Some(item) = first.parse::<usize>().ok().and_then(|index| items.get_mut(index)) {
                set(item, rest, value);
            }
        }
        other => {
            if !other.is_object() {
                *other = Value::Object(Map::new());
            }
            if let Value::Object(fields) = other {
                set(fields.entry(first.as_str()).or_insert(Value::Null), rest, value);
            }
        }
    }
}

fn unset(document: &mut serde_json::Value, path: &[String]) {
    use serde_json::Value;
    let Some((first, rest)) = path.split_first() else { return };
    match (document, rest.is_empty()) {
        (Value::Object(fields), true) => drop(fields.remove(first)),
        (Value::Array(items), true) if first == "*" => items.clear(),
        (Value::Array(items), false) if first == "*" => items.iter_mut().for_each(|item| unset(item, rest)),
        (Value::Array(items), is_last) => {
            let Some(index) = first.parse().ok().filter(|index: &usize| *index < items.len()) else { return };
            if is_last {
                items.remove(index);
            } else {
                unset(&mut items[index], rest);
            }
        }
        (Value::Object(fields), false) => {
            if let Some(field) = fields.get_mut(first) {
                unset(field, rest);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn filled(text: &str) -> String {
        let options = [("tier".to_owned(), "g\"old".to_owned())].into();
        let original = "{\"Mountpoint\":\"/m\"}\n";
        fill(text, &CallValues { volume: "db1", id: "7f", mountpoint: "/m", original, options: &options })
    }

    #[test]
    fn a_placeholder_is_replaced_as_its_place_demands() {
        for (text, expected) in [
            ("{volume} {id} {mountpoint} {opt.tier} {opt.none}.", "db1 7f /m g\"old ."),
            (r#"{"Name":"{volume}","T":"{opt.tier}"}"#, r#"{"Name":"db1","T":"g\"old"}"#),
            (r#"{"Name":{volume},"N":{original}}"#, r#"{"Name":"db1","N":{"Mountpoint":"/m"}}"#),
            (r#"["{original}"]"#, r#"["{\"Mountpoint\":\"/m\"}"]"#),
            (r#"{"a\"{{b":"{{volume}","c":{}}"#, r#"{"a\"{b":"{volume}","c":{}}"#),
            ("{original}", "{\"Mountpoint\":\"/m\"}"),
            ("{ {1 {", "{ {1 {"),
        ] {
            assert_eq!(filled(text), expected, "{text}");
        }
    }

    #[test]
    fn an_unknown_placeholder_is_an_error_with_a_suggestion() {
        for (text, at, problem) in [
            ("ü {volum}", 2, "unknown placeholder {volum}, did you mean \"volume\"?"),
            ("{opt.}", 0, "unknown placeholder {opt.}"),
            ("{volume", 0, "a placeholder without its closing brace"),
        ] {
            let (found, said) = validate(text).expect_err(text);
            assert!(found == at && said.starts_with(problem), "{text}: {found} {said}");
        }
    }

    #[test]
    fn one_field_is_set_or_removed() {
        let path = |text: &str| FieldPath(text.split('.').map(str::to_owned).collect());
        let document =
            json!({"Volume": {"Name": "v", "Status": null}, "Volumes": [{"Name": "a"}, {"Name": "b"}]});
        for (field, set, unset) in [
            (
                "Volume.Status.x",
                json!({"Name": "v", "Status": {"x": 1}}),
                json!({"Name": "v", "Status": null}),
            ),
            ("Volume.Name", json!({"Name": 1, "Status": null}), json!({"Status": null})),
        ] {
            let (mut one, mut other) = (document.clone(), document.clone());
            path(field).set(&mut one, &json!(1));
            path(field).unset(&mut other);
            assert_eq!((&one["Volume"], &other["Volume"]), (&set, &unset), "{field}");
        }
        let mut all = document.clone();
        path("Volumes.*.Name").set(&mut all, &json!("x"));
        path("Volumes.0.Name").unset(&mut all);
        path("Volumes.7.Name").set(&mut all, &json!("y"));
        assert_eq!(all["Volumes"], json!([{}, {"Name": "x"}]));
        path("Volumes.*").unset(&mut all);
        assert_eq!(all["Volumes"], Value::Array(Vec::new()));
    }

    proptest! {
        #[test]
        fn an_escaped_text_stands_for_itself(text in "[{}a\"\\\\ ]{0,12}|.{0,12}") {
            prop_assert!(validate(&escape(&text)).is_ok());
            prop_assert_eq!(filled(&escape(&text)), text);
        }
    }
}
