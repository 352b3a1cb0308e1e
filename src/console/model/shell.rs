//! Commands in the user's shell. One runs at a time, so that the calls that come meanwhile are its.

use crate::{
    console::{
        input::action::KeyAction,
        model::{
            app::App,
            event::Effect,
            mode::{Mode, StatusLine},
            prompt::Prompt,
        },
    },
    domain::{model::entry::ShellResult, text},
    hub::Snapshot,
};

impl App {
    /// Begins a line for the shell.
    pub(super) fn begin_shell(&mut self, snapshot: &Snapshot) {
        if self.is_shell_busy() {
            return;
        }
        let volume = self.selected_volume(snapshot).map(|volume| volume.name.clone()).unwrap_or_default();
        self.edited = None;
        self.mode = Mode::Type(Prompt::shell(&volume, &self.themes, snapshot));
    }

    /// Runs a line.
    pub(super) fn run_shell(&mut self, line: &str) -> Vec<Effect> {
        if line.is_empty() || self.is_shell_busy() {
            return Vec::new();
        }
        let key = self.key_label(KeyAction::StopScenario);
        self.say(format!("$ {line} is running; {key} ends it"));
        self.shell_line = Some(line.to_owned());
        vec![Effect::Shell(line.to_owned())]
    }

    fn is_shell_busy(&mut self) -> bool {
        let key = self.key_label(KeyAction::StopScenario);
        if let Some(line) = &self.shell_line {
            self.say(format!("$ {line} is still running; {key} ends it"));
        }
        self.shell_line.is_some()
    }

    /// Shows how the line ended.
    pub(super) fn shell_ended(&mut self, result: Result<ShellResult, String>) {
        let line = self.shell_line.take().unwrap_or_default();
        self.status = match result {
            Ok(result) => {
                let says = result.main_line();
                let says = if says.is_empty() { says } else { format!(": {says}") };
                StatusLine::say(format!("$ {line}: {result} after {}{says}", text::took(result.duration)))
            }
            Err(why) => StatusLine::Error { line: format!("! {line}"), why },
        };
    }
}
