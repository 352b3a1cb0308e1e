//! Held calls, and how they end: released, failed, or answered with an edited reply.

use std::sync::Arc;

use crate::{
    console::model::{
        app::App,
        event::Effect,
        mode::{Mode, StatusLine},
        prompt::PromptKind,
        reply_edit::ReplyEdit,
    },
    domain::{
        lang::command::{Command, ReleaseTarget},
        model::entry::{Entry, EntryKind},
    },
    hub::Snapshot,
};

impl App {
    /// The held call that a key applies to: the selected one if that is visibly selected, else the oldest.
    fn held<'s>(&mut self, snapshot: &'s Snapshot) -> Option<&'s Arc<Entry>> {
        let selected = self.visibly_selected().map(|entry| entry.seq);
        let held = snapshot.held.iter().find(|entry| Some(entry.seq) == selected).or(snapshot.held.first());
        if held.is_none() {
            self.status = StatusLine::say("no call is held");
        }
        held
    }

    /// Releases a held call.
    pub(super) fn release(&mut self, snapshot: &Snapshot) -> Option<Effect> {
        let held = self.held(snapshot)?;
        let is_selected = self.visibly_selected().is_some_and(|entry| entry.seq == held.seq);
        let call = held.call_number().filter(|_| is_selected);
        let which = call.map_or(ReleaseTarget::Oldest, ReleaseTarget::Call);
        Some(Command::Release { which, release_action: None, confirmed: false }.into())
    }

    /// Begins the line that fails a held call; the message is typed between the quotes.
    pub(super) fn fail(&mut self, snapshot: &Snapshot) {
        if let Some(call) = self.held(snapshot).and_then(|held| held.call_number()) {
            self.begin(PromptKind::Command, &format!("release {call}: fail \"\""), snapshot);
            if let Mode::Type(prompt) = &mut self.mode {
                prompt.step_into_quotes();
            }
        }
    }

    /// Opens the original reply of a held call in the user's editor.
    pub(super) fn edit_reply(&mut self, snapshot: &Snapshot) -> Option<Effect> {
        let held = self.held(snapshot)?;
        let EntryKind::Held(held) = &held.kind else { return None };
        let draft = held.original.as_ref().map_or_else(
            || Err("its reply is already being sent and cannot be changed".to_owned()),
            |original| ReplyEdit::new(held.number, original),
        );
        match draft {
            Ok(draft) => Some(Effect::Edit(draft)),
            Err(why) => {
                self.status =
                    StatusLine::Error { line: format!("edit the reply to call {}", held.number), why };
                None
            }
        }
    }
}
