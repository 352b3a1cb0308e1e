//! The calls that a rule keeps waiting, and the three ways out: let go, failed, or answered with an edited reply.

use std::sync::Arc;

use crate::{
    console::model::{
        app::App,
        event::Effect,
        mode::{Mode, Status},
        prompt::Purpose,
        reply_edit::ReplyEdit,
    },
    domain::{
        lang::command::{Command, ReleaseTarget},
        model::entry::{Entry, EntryKind},
    },
    state::Snapshot,
};

impl App {
    /// The waiting call that a key is about: the selected one, or the oldest.
    fn held<'s>(&mut self, snapshot: &'s Snapshot) -> Option<&'s Arc<Entry>> {
        let selected = self.selected().map(|entry| entry.seq);
        let held =
            snapshot.waiting.iter().find(|entry| Some(entry.seq) == selected).or(snapshot.waiting.first());
        if held.is_none() {
            self.status = Status::say("no call is waiting");
        }
        held
    }

    /// Lets a waiting call go.
    pub(super) fn release(&mut self, snapshot: &Snapshot) -> Option<Effect> {
        let held = self.held(snapshot)?;
        let is_selected = self.selected().is_some_and(|entry| entry.seq == held.seq);
        let which = if is_selected { ReleaseTarget::Seq(held.seq) } else { ReleaseTarget::Oldest };
        Some(Command::Release { which, release_action: None, confirmed: false }.into())
    }

    /// Begins the line that fails a waiting call; the message is still to be typed, between the quotes.
    pub(super) fn fail(&mut self, snapshot: &Snapshot) {
        if let Some(seq) = self.held(snapshot).map(|held| held.seq) {
            self.begin(Purpose::Command, &format!("release {seq}: fail \"\""), snapshot);
            if let Mode::Type(prompt) = &mut self.mode {
                prompt.step_into_quotes();
            }
        }
    }

    /// Gives the natural answer of a waiting call to the user's editor.
    pub(super) fn edit_reply(&mut self, snapshot: &Snapshot) -> Option<Effect> {
        let held = self.held(snapshot)?;
        let EntryKind::Held(waiting) = &held.kind else { return None };
        let draft = waiting.natural.as_ref().map_or_else(
            || Err("its answer is on its way already, and can no longer be another".to_owned()),
            |natural| ReplyEdit::new(held.seq, natural),
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
