//! The reply of a held call on its way through the user's editor.

use crate::domain::{
    lang::{
        command::{Command, ReleaseTarget},
        json,
    },
    model::entry::OriginalReply,
    rules::{Action, ErrorForm, Phase, ReleaseAction},
};

/// The original reply of a held call, while it is edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyEdit {
    /// The number of the held call.
    pub call: u64,
    /// What the editor is given: JSON laid out, any other text as it is.
    pub text: String,
    /// The text before the first edit.
    original: String,
    form: ErrorForm,
}

impl ReplyEdit {
    /// The reply to a held call, unless it was too long to be recorded whole.
    pub(super) fn new(call: u64, original: &OriginalReply) -> Result<Self, String> {
        let OriginalReply { status, body } = original;
        if body.length > body.bytes.len() {
            let (length, kept) = (body.length, body.bytes.len());
            return Err(format!(
                "the original reply has {length} bytes, of which {kept} are recorded, so it cannot be edited; type release {call}: reply …"
            ));
        }
        let text = body.text();
        let form = if *status == 200 { ErrorForm::Inband } else { ErrorForm::Text500 };
        let text = json::indented(&text).map_or_else(|| text.into_owned(), |text| text + "\n");
        Ok(Self { call, original: text.clone(), text, form })
    }

    /// The same reply with the text as it is now.
    #[must_use]
    pub fn with_text(self, text: String) -> Self {
        Self { text, ..self }
    }

    /// Why a client cannot read the edited reply, if it was JSON before.
    pub fn problem(&self, edited: &str) -> Option<String> {
        let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text);
        let was_json = parsed(&self.original).is_ok();
        parsed(edited).err().filter(|_| was_json).map(|error| error.to_string())
    }

    /// The command that sends the edited reply. None if it is unchanged or empty:
    /// as with git, to empty the file is to give up.
    ///
    /// The driver's work is done, since what was edited is the reply to it.
    pub fn command(&self, edited: &str) -> Option<Command> {
        let reply = |text: &str| Action::reply(text, self.form);
        let action = reply(edited);
        let release_action = Some(ReleaseAction { action, phase: Phase::After });
        let is_another = !edited.trim().is_empty() && reply(&self.original) != reply(edited);
        is_another.then_some(Command::Release {
            which: ReleaseTarget::Call(self.call),
            release_action,
            confirmed: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_that_the_journal_has_cut_is_not_edited() {
        let original = |length: usize| OriginalReply { status: 200, body: vec![b' '; length].into() };
        let error = ReplyEdit::new(41, &original(16 * 1024 + 1)).expect_err("a part of it is gone");
        assert!(error.contains("has 16385 bytes") && error.ends_with("type release 41: reply …"));
        assert!(ReplyEdit::new(41, &original(16 * 1024)).is_ok());
    }

    #[test]
    fn only_what_was_json_must_stay_json() {
        for (sent, edited, is_wrong) in
            [("{}", "{\"Err\": \"\"}", false), ("{}", "{\"Err\": }", true), ("not found", "gone", false)]
        {
            let body = sent.as_bytes().to_vec().into();
            let edit = ReplyEdit::new(41, &OriginalReply { status: 200, body }).expect("it is whole");
            assert_eq!(edit.problem(edited).is_some(), is_wrong, "{edited}");
        }
    }
}
