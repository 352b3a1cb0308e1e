//! The calls that a rule keeps waiting, and the three ways out: let go, failed, or answered with an edited reply.

use std::sync::Arc;

use super::{App, Effect, Mode, Status};
use crate::{
    console::prompt::Purpose,
    domain::{
        lang::{
            command::{Command, ReleaseTarget},
            json,
        },
        model::entry::{Entry, EntryKind, OriginalReply},
        rules::{Action, ErrorShape, Phase, ReleaseAction},
    },
    state::Snapshot,
};

/// The natural answer of a waiting call, on its way through the user's editor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyEdit {
    /// The number of the call.
    pub call: u64,
    /// What the editor is given: JSON laid out, any other text as it is.
    pub text: String,
    shape: ErrorShape,
}

impl ReplyEdit {
    fn new(call: u64, natural: &OriginalReply) -> Result<Self, String> {
        let OriginalReply { status, body } = natural;
        if body.length > body.bytes.len() {
            let (length, kept) = (body.length, body.bytes.len());
            return Err(format!(
                "its natural reply of {length} bytes is too long to edit, {kept} are kept; type release {call}: reply …"
            ));
        }
        let text = body.text();
        let shape = if *status == 200 { ErrorShape::Inband } else { ErrorShape::Text500 };
        let text = json::indented(&text).map_or_else(|| text.into_owned(), |text| text + "\n");
        Ok(Self { call, text, shape })
    }

    /// The command that sends what came out of the editor. None if it says the same as what went in, or nothing:
    /// as with git, to empty the file is to give up.
    ///
    /// The driver's work is done, since what was edited is the answer to it.
    pub fn command(&self, edited: &str) -> Option<Command> {
        let reply = |text: &str| Action::reply(text, self.shape);
        let action = reply(edited);
        let release_action = Some(ReleaseAction { action, phase: Phase::After });
        let is_another = !edited.trim().is_empty() && reply(&self.text) != reply(edited);
        is_another.then_some(Command::Release {
            which: ReleaseTarget::Call(self.call),
            release_action,
            confirmed: false,
        })
    }
}

impl App {
    /// The waiting call that a key is about: the selected one, or the oldest.
    fn held<'s>(&mut self, snapshot: &'s Snapshot) -> Option<&'s Arc<Entry>> {
        let selected = self.selected().map(|entry| entry.seq);
        let held = snapshot.held.iter().find(|entry| Some(entry.seq) == selected).or(snapshot.held.first());
        if held.is_none() {
            self.status = Status::say("no call is waiting");
        }
        held
    }

    /// Lets a waiting call go.
    pub(super) fn release(&mut self, snapshot: &Snapshot) -> Option<Effect> {
        let held = self.held(snapshot)?;
        let is_selected = self.selected().is_some_and(|entry| entry.seq == held.seq);
        let call = held.call_number().filter(|_| is_selected);
        let which = call.map_or(ReleaseTarget::Oldest, ReleaseTarget::Call);
        Some(Command::Release { which, release_action: None, confirmed: false }.into())
    }

    /// Begins the line that fails a waiting call; the message is still to be typed, between the quotes.
    pub(super) fn fail(&mut self, snapshot: &Snapshot) {
        if let Some(call) = self.held(snapshot).and_then(|held| held.call_number()) {
            self.begin(Purpose::Command, &format!("release {call}: fail \"\""), snapshot);
            if let Mode::Type(prompt) = &mut self.mode {
                prompt.step_into_quotes();
            }
        }
    }

    /// Gives the natural answer of a waiting call to the user's editor.
    pub(super) fn edit_reply(&mut self, snapshot: &Snapshot) -> Option<Effect> {
        let held = self.held(snapshot)?;
        let EntryKind::Held(waiting) = &held.kind else { return None };
        let draft = waiting.original.as_ref().map_or_else(
            || Err("its answer is on its way already, and can no longer be another".to_owned()),
            |natural| ReplyEdit::new(waiting.call, natural),
        );
        match draft {
            Ok(draft) => Some(Effect::Edit(draft)),
            Err(why) => {
                self.status =
                    Status::Failed { line: format!("edit the reply to call {}", waiting.call), why };
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_that_the_journal_has_cut_is_not_edited() {
        let natural = |length: usize| OriginalReply { status: 200, body: vec![b' '; length].into() };
        let error = ReplyEdit::new(41, &natural(16 * 1024 + 1)).expect_err("a part of it is gone");
        assert!(
            error.contains("16385 bytes is too long to edit") && error.ends_with("type release 41: reply …")
        );
        assert!(ReplyEdit::new(41, &natural(16 * 1024)).is_ok());
    }
}
