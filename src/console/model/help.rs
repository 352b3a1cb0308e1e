//! The open help: scrolled, and searched by what is typed after the filter's key.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::{
    console::{
        input::action::KeyAction,
        model::{
            app::App,
            event::Effect,
            mode::{HelpState, Mode},
        },
    },
    hub::Snapshot,
};

impl App {
    /// Takes a key while the help is open.
    pub(super) fn help_key(
        &mut self,
        key: KeyEvent,
        action: Option<KeyAction>,
        snapshot: &Snapshot,
    ) -> Vec<Effect> {
        let page = usize::from(self.size.1 / 2);
        let last = self.scroll_limits.help;
        let Mode::Help(reading) = &mut self.mode else { return Vec::new() };
        if reading.is_typing {
            match key.code {
                KeyCode::Char(letter)
                    if !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) =>
                {
                    reading.wanted.push(letter);
                }
                KeyCode::Backspace => drop(reading.wanted.pop()),
                KeyCode::Esc => reading.wanted.clear(),
                _ => {}
            }
            reading.is_typing = matches!(key.code, KeyCode::Char(_) | KeyCode::Backspace);
            reading.top = 0;
            return Vec::new();
        }
        let top = reading.top;
        match action {
            Some(KeyAction::Up) => reading.top = top.saturating_sub(1),
            Some(KeyAction::Down) => reading.top = (top + 1).min(last),
            Some(KeyAction::PageUp) => reading.top = top.saturating_sub(page),
            Some(KeyAction::PageDown | KeyAction::Pause) => reading.top = (top + page).min(last),
            Some(KeyAction::First) => reading.top = 0,
            Some(KeyAction::Last) => reading.top = last,
            Some(KeyAction::Filter) => reading.is_typing = true,
            Some(KeyAction::CopyJson) => return self.copy_fix_command(snapshot).into_iter().collect(),
            Some(KeyAction::Back) if !reading.wanted.is_empty() => *reading = HelpState::default(),
            Some(KeyAction::Help | KeyAction::Back | KeyAction::Quit | KeyAction::Open) => {
                self.mode = Mode::Browse;
            }
            _ => {}
        }
        Vec::new()
    }
}
