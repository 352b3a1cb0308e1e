//! Hiding the values of options, such as passwords, before anything is recorded.
//!
//! Recording, screen and control API all show entries, so a value that no entry has is in none of them.

use std::sync::Arc;

use serde_json::Value;

use super::model::{
    entry::{Body, EntryKind, ShellEvent},
    protocol::Options,
    volume::{Change, Volume, Volumes},
};

/// What stands in the place of a hidden value.
pub const HIDDEN: &str = "(hidden)";

/// The options whose values are hidden.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redaction(Vec<String>);

impl Redaction {
    /// Hides the values of these options.
    pub fn new(keys: impl IntoIterator<Item = String>) -> Self {
        Self(keys.into_iter().collect())
    }

    /// Whether nothing is hidden.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the value of an option is hidden.
    pub fn hides(&self, key: &str) -> bool {
        self.0.iter().any(|hidden| hidden == key)
    }

    /// Hides values in an entry.
    pub fn entry(&self, kind: &mut EntryKind) {
        if self.is_empty() {
            return;
        }
        match kind {
            EntryKind::Session(session) => session.volumes = self.volumes(&session.volumes),
            EntryKind::Call(call) => {
                self.body(&mut call.request);
                self.body(&mut call.reply);
                call.changes.iter_mut().for_each(|change| self.change(change));
                if let Some(error) = &mut call.error {
                    *error = self.text(error).into();
                }
            }
            EntryKind::Held(held) => {
                if let Some(original) = &mut held.original {
                    self.body(&mut original.body);
                }
            }
            EntryKind::Volume(volume) => self.change(&mut volume.change),
            EntryKind::Command(run) => {
                run.command = self.text(&run.command);
                run.changes.iter_mut().for_each(|change| self.change(change));
            }
            EntryKind::EngineCommand(run) => {
                run.command = self.text(&run.command);
                run.result = self.text(&run.result);
            }
            EntryKind::Shell(ShellEvent::Started { command }) => *command = self.text(command),
            EntryKind::Shell(ShellEvent::Finished(result)) => {
                result.command = self.text(&result.command);
                result.output.bytes = self.text(&result.output.text()).into_bytes().into();
            }
            EntryKind::Note { text } => *text = self.text(text),
            _ => {}
        }
    }

    fn volumes(&self, volumes: &Volumes) -> Volumes {
        let hide = |volume: &Arc<Volume>| {
            let mut volume = Volume::clone(volume);
            self.options(&mut volume.options);
            volume
        };
        volumes.iter().map(hide).collect()
    }

    /// Hides values in a change of a volume.
    pub fn change(&self, change: &mut Change) {
        if let Change::Created { options, .. } | Change::Masked { options, .. } = change {
            self.options(options);
        }
    }

    fn options(&self, options: &mut Options) {
        for (key, value) in options {
            if self.hides(key) {
                HIDDEN.clone_into(value);
            }
        }
    }

    /// Hides the members with these names in a JSON body. A body that is no JSON is hidden as a whole if it has one of
    /// the names in it.
    fn body(&self, body: &mut Body) {
        let hidden = match serde_json::from_slice::<Value>(&body.bytes) {
            Ok(mut value) if body.bytes.len() == body.length => {
                self.value(&mut value).then(|| serde_json::to_vec(&value).unwrap_or_default())
            }
            _ => {
                let text = body.text();
                self.0.iter().any(|key| text.contains(key.as_str())).then(|| HIDDEN.into())
            }
        };
        if let Some(hidden) = hidden {
            *body = hidden.into();
        }
    }

    fn value(&self, value: &mut Value) -> bool {
        match value {
            Value::Object(members) => {
                let mut found = false;
                for (key, value) in members {
                    if self.hides(key) {
                        *value = HIDDEN.into();
                        found = true;
                    } else {
                        found |= self.value(value);
                    }
                }
                found
            }
            Value::Array(values) => {
                let mut found = false;
                for value in values {
                    found |= self.value(value);
                }
                found
            }
            _ => false,
        }
    }

    /// Hides what follows `KEY=` in a text, up to the end of the word or of its quotes.
    fn text(&self, text: &str) -> String {
        let mut shown = text.to_owned();
        for key in &self.0 {
            let mut from = 0;
            let assigned = format!("{key}=");
            while let Some(index) = shown[from..].find(&assigned) {
                let start = from + index;
                let value = start + assigned.len();
                let is_word =
                    !shown[..start].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
                if !is_word {
                    from = value;
                    continue;
                }
                let rest = &shown[value..];
                let length = match rest.chars().next() {
                    Some(quote @ ('"' | '\'')) => {
                        rest[1..].find(quote).map_or(rest.len(), |length| length + 2)
                    }
                    _ => rest
                        .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';'))
                        .unwrap_or(rest.len()),
                };
                shown.replace_range(value..value + length, HIDDEN);
                from = value + HIDDEN.len();
            }
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::model::{
        entry::{Call, Cause, CommandRun, EngineCommand, Session, VolumeChange},
        protocol::{Caller, Operation},
    };

    const SECRET: &str = "hunter2";

    fn redaction() -> Redaction {
        Redaction::new(["password".to_owned(), "token".to_owned()])
    }

    fn options() -> Options {
        [("password".to_owned(), SECRET.to_owned()), ("tier".to_owned(), "gold".to_owned())].into()
    }

    fn created() -> Change {
        Change::Created { name: "v".into(), options: options(), at: Timestamp::UNIX_EPOCH }
    }

    #[test]
    fn no_entry_has_a_hidden_value_in_any_place() {
        let body = format!(r#"{{"Name":"v","Opts":{{"pass\u0077ord":"{SECRET}","tier":"gold"}}}}"#);
        let mut volumes = Volumes::default();
        volumes.apply(&created());
        let cut = Body { bytes: format!("{{\"token\":\"{SECRET}").into_bytes().into(), length: 99_999 };
        let call = |request: Body| {
            EntryKind::Call(Box::new(Call {
                reply: request.clone(),
                request,
                changes: vec![created()],
                error: Some(format!("cannot mount with password={SECRET}").into()),
                ..Call::ok(Operation::Create, Caller::Docker)
            }))
        };
        let command = |line: &str| {
            Box::new(CommandRun {
                command: line.into(),
                result: String::new(),
                origin: Box::default(),
                changes: vec![created()],
            })
        };
        for mut kind in [
            EntryKind::Session(Box::new(Session::new(7, volumes))),
            call(body.into_bytes().into()),
            call(cut),
            EntryKind::Volume(Box::new(VolumeChange { cause: Cause::Command, change: created() })),
            EntryKind::Command(command(&format!("conjure v password={SECRET} tier=gold"))),
            EntryKind::Command(command(&format!("conjure v password=\"{SECRET} {SECRET}\" tier=gold"))),
            EntryKind::EngineCommand(Box::new(EngineCommand {
                command: format!("docker volume create -o password={SECRET} -o tier=gold v"),
                result: format!("unknown option token='{SECRET}'"),
                ok: false,
            })),
            EntryKind::Note { text: format!("password={SECRET}") },
        ] {
            redaction().entry(&mut kind);
            let shown = serde_json::to_string(&kind).expect("an entry is JSON");
            assert!(!shown.contains(SECRET) && shown.contains(HIDDEN), "{shown}");
        }
    }

    #[test]
    fn all_else_stays_as_it_is() {
        let text = "{ \"Name\": \"v\",  \"Opts\": {\"tier\":\"gold\"} }";
        let mut body = Body::from(text.as_bytes().to_vec());
        redaction().body(&mut body);
        assert_eq!(body.text(), text);
        for text in ["mypassword=x", "password", "no secret"] {
            assert_eq!(redaction().text(text), text);
        }
    }
}
