//! Replies that the user has edited: they are sent, or their files are kept.

use std::path::PathBuf;

use super::Console;
use crate::{
    console::{
        editor::{EditFailed, Edited},
        input::action::KeyAction,
        jobs::EditedReply,
        model::{event::Event, reply_edit::ReplyEdit},
    },
    domain::{lang::command::Command, model::origin::Origin},
};

impl Console<'_> {
    /// Sends what the user made of a reply in the editor. If it cannot be sent, its file is kept.
    pub(super) fn edited(&mut self, edit: &ReplyEdit, edited: Result<Edited, EditFailed>) {
        let call = edit.call;
        let result = match edited {
            Err(failed) => {
                let why = failed.to_string();
                self.note_kept(call, failed.kept(), &why);
                Err(why)
            }
            Ok(edited) => {
                if let Some(command) = edit.command(&edited.text) {
                    let Some(problem) = edit.problem(&edited.text) else {
                        let key = self.app.key_label(KeyAction::EditReply);
                        return self.send(command, Origin::Key { key: key.into() }, Some((call, edited)));
                    };
                    let edit = edit.clone().with_text(edited.text.clone());
                    self.unsent = Some((call, edited));
                    self.app.update(Event::InvalidReply { edit, problem }, &self.snapshot);
                    return;
                }
                let emptied = edited.text.trim().is_empty() && !edit.text.trim().is_empty();
                let why = if emptied { "the reply is empty, so nothing is sent" } else { "no changes" };
                Ok(format!("{why}; call {call} is still held"))
            }
        };
        let line = format!("edit the reply to call {call}");
        self.app.update(Event::CommandDone { line, result }, &self.snapshot);
    }

    /// Sends an edited reply. The app has not made this command, so it must know it as one of its own.
    pub(super) fn send(&mut self, command: Command, origin: Origin, edited: Option<EditedReply>) {
        self.app.expect(&command.to_string(), &self.snapshot);
        self.jobs.run(command, origin, edited);
    }

    pub(super) fn note_kept(&self, call: u64, path: Option<PathBuf>, why: &str) {
        if let Some(path) = path {
            let path = path.display();
            let text = format!("the edited reply to call {call} was not sent, and is kept in {path}: {why}");
            self.source.note(text);
        }
    }
}
