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
        let own = snapshot.held.iter().find(|entry| entry.node == snapshot.node);
        match self.selected_held(snapshot).or(own) {
            Some(held) if held.node == snapshot.node => Some(held),
            None if snapshot.held.is_empty() || !snapshot.is_all() => {
                self.say("no call is held");
                None
            }
            _ => {
                self.choose_one_first();
                None
            }
        }
    }

    /// The selected call, if it is visibly selected and held.
    pub fn selected_held<'s>(&self, snapshot: &'s Snapshot) -> Option<&'s Arc<Entry>> {
        let selected = self.visibly_selected()?.seq;
        snapshot.held.iter().find(|entry| entry.seq == selected)
    }

    /// Releases a held call.
    pub(super) fn release(&mut self, snapshot: &Snapshot) -> Option<Effect> {
        let selected = self.selected_held(snapshot);
        // Each instance has an oldest one.
        let call = if snapshot.is_all() && selected.is_none() && !snapshot.held.is_empty() {
            None
        } else {
            self.held(snapshot)?.call_number().filter(|_| selected.is_some())
        };
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
        let edit = held.original.as_ref().map_or_else(
            || Err("its reply is already being sent and cannot be changed".to_owned()),
            |original| ReplyEdit::new(held.number, original),
        );
        match edit {
            Ok(edit) => Some(Effect::Edit(edit)),
            Err(why) => {
                self.status =
                    StatusLine::Error { line: format!("edit the reply to call {}", held.number), why };
                None
            }
        }
    }
}
