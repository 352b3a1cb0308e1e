//! The answer to a question. Enter answers none, so that a line typed twice destroys nothing.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::{
    console::{
        input::keymap::Chord,
        model::{
            app::App,
            event::Effect,
            mode::{Mode, Question},
        },
    },
    domain::lang::command::Command,
    hub::Snapshot,
};

impl App {
    /// Takes a key while a question is open.
    pub(super) fn answer_key(&mut self, key: KeyEvent, snapshot: &Snapshot) -> Vec<Effect> {
        let Mode::Ask(question) = &mut self.mode else { return Vec::new() };
        if let Question::Wipe { typed } = question {
            match key.code {
                KeyCode::Esc => self.mode = Mode::Browse,
                KeyCode::Enter if *typed == snapshot.driver.name => {
                    self.mode = Mode::Browse;
                    return vec![Command::Wipe.into()];
                }
                KeyCode::Backspace => drop(typed.pop()),
                KeyCode::Char(c) if !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) => {
                    typed.push(c);
                }
                _ => {}
            }
            return Vec::new();
        }
        let answer = Chord::from(key).to_string();
        let effect = match (answer.as_str(), &*question) {
            ("y", Question::Leave) => Some(Effect::Leave),
            ("y", Question::Suspend) => Some(Effect::Suspend),
            ("y", Question::Run(command)) => Some(Effect::Run(command.clone())),
            ("y", Question::SendInvalid { edit, .. }) => Some(Effect::SendEdited(edit.clone())),
            ("e", Question::SendInvalid { edit, .. }) => Some(Effect::Edit(edit.clone())),
            ("n" | "N" | "q" | "esc", Question::SendInvalid { edit, problem }) => {
                Some(Effect::KeepEdited(edit.call, problem.clone()))
            }
            ("n" | "N" | "q" | "esc", _) => None,
            _ => return Vec::new(),
        };
        self.mode = Mode::Browse;
        effect.into_iter().collect()
    }
}
