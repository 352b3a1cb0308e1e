//! The calls that a rule keeps waiting, and the three ways out: let go, failed, or answered with an edited reply.

use std::sync::Arc;

use super::{App, Effect, Mode, Status};
use crate::{
    console::prompt::Purpose,
    domain::{
        command::{Command, Released},
        entry::{Entry, Kind, Natural},
        fault::{Action, Ending, ErrorShape, Phase},
        json,
    },
    hub::Snapshot,
};

/// The natural answer of a waiting call, on its way through the user's editor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The number of the call's waiting entry.
    pub seq: u64,
    /// What the editor is given: JSON laid out, any other text as it is.
    pub text: String,
    shape: ErrorShape,
}

impl Draft {
    fn new(seq: u64, natural: &Natural) -> Result<Self, String> {
        let Natural { status, body } = natural;
        if body.length > body.bytes.len() {
            let (length, kept) = (body.length, body.bytes.len());
            return Err(format!(
                "its natural reply of {length} bytes is too long to edit, {kept} are kept; type release {seq}: reply …"
            ));
        }
        let text = body.text();
        let shape = if *status == 200 { ErrorShape::Inband } else { ErrorShape::Text500 };
        let text = json::indented(&text).map_or_else(|| text.into_owned(), |text| text + "\n");
        Ok(Self { seq, text, shape })
    }

    /// The command that sends what came out of the editor. None if it says the same as what went in, or nothing:
    /// as with git, to empty the file is to give up.
    ///
    /// The driver's work is done, since what was edited is the answer to it.
    pub fn command(&self, edited: &str) -> Option<Command> {
        let reply = |text: &str| Action::reply(text, self.shape);
        let action = reply(edited);
        let ending = Some(Ending { action, phase: Phase::After });
        let is_another = !edited.trim().is_empty() && reply(&self.text) != reply(edited);
        is_another.then_some(Command::Release { which: Released::Seq(self.seq), ending, confirmed: false })
    }
}

impl App {
    /// The waiting call that a key is about: the selected one, or the oldest.
    fn held<'s>(&mut self, seen: &'s Snapshot) -> Option<&'s Arc<Entry>> {
        let selected = self.selected().map(|entry| entry.seq);
        let held = seen.waiting.iter().find(|entry| Some(entry.seq) == selected).or(seen.waiting.first());
        if held.is_none() {
            self.status = Status::say("no call is waiting");
        }
        held
    }

    /// Lets a waiting call go.
    pub(super) fn release(&mut self, seen: &Snapshot) -> Option<Effect> {
        let held = self.held(seen)?;
        let is_selected = self.selected().is_some_and(|entry| entry.seq == held.seq);
        let which = if is_selected { Released::Seq(held.seq) } else { Released::Oldest };
        Some(Command::Release { which, ending: None, confirmed: false }.into())
    }

    /// Begins the line that fails a waiting call; the message is still to be typed, between the quotes.
    pub(super) fn fail(&mut self, seen: &Snapshot) {
        if let Some(seq) = self.held(seen).map(|held| held.seq) {
            self.begin(Purpose::Command, &format!("release {seq}: fail \"\""), seen);
            if let Mode::Type(prompt) = &mut self.mode {
                prompt.step_into_quotes();
            }
        }
    }

    /// Gives the natural answer of a waiting call to the user's editor.
    pub(super) fn edit_reply(&mut self, seen: &Snapshot) -> Option<Effect> {
        let held = self.held(seen)?;
        let Kind::Waiting(waiting) = &held.kind else { return None };
        let draft = waiting.natural.as_ref().map_or_else(
            || Err("its answer is on its way already, and can no longer be another".to_owned()),
            |natural| Draft::new(held.seq, natural),
        );
        match draft {
            Ok(draft) => Some(Effect::Edit(draft)),
            Err(why) => {
                self.status = Status::Failed { line: format!("edit the reply to call {}", held.seq), why };
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
        let natural = |length: usize| Natural { status: 200, body: vec![b' '; length].into() };
        let error = Draft::new(41, &natural(16 * 1024 + 1)).expect_err("a part of it is gone");
        assert!(
            error.contains("16385 bytes is too long to edit") && error.ends_with("type release 41: reply …")
        );
        assert!(Draft::new(41, &natural(16 * 1024)).is_ok());
    }
}
