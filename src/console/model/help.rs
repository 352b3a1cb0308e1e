//! The open help: scrolled, searched by what is typed after the filter's key, and run line by line.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::{
    console::{
        input::action::KeyAction,
        model::{
            app::App,
            event::Effect,
            mode::{HelpRun, HelpState, Mode, StatusLine},
            prompt::PromptKind,
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
        let height = usize::from(self.size.1).saturating_sub(2);
        let page = height.div_ceil(2);
        let last = self.scroll_limits.help;
        let rows: Vec<usize> = self.help_rows.iter().map(|(row, _)| *row).collect();
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
            (reading.top, reading.selected) = (0, 0);
            return Vec::new();
        }
        match action {
            Some(KeyAction::Up) => reading.up(&rows, height),
            Some(KeyAction::Down) => reading.down(&rows, height, last),
            Some(KeyAction::PageUp) => reading.scroll(reading.top.saturating_sub(page), &rows, height),
            Some(KeyAction::PageDown | KeyAction::Pause) => {
                reading.scroll((reading.top + page).min(last), &rows, height);
            }
            Some(KeyAction::First) => (reading.top, reading.selected) = (0, 0),
            Some(KeyAction::Last) => (reading.top, reading.selected) = (last, rows.len().saturating_sub(1)),
            Some(KeyAction::Filter) => reading.is_typing = true,
            Some(KeyAction::CopyJson) => return self.copy_fix_command(snapshot).into_iter().collect(),
            Some(KeyAction::Back) if !reading.wanted.is_empty() => *reading = HelpState::default(),
            Some(KeyAction::Help | KeyAction::Back | KeyAction::Quit) => self.mode = Mode::Browse,
            Some(KeyAction::Open) => {
                let run = self.help_rows.get(reading.selected).map(|(_, run)| run.clone());
                self.mode = Mode::Browse;
                return run.map_or_else(Vec::new, |run| self.run_help(run, snapshot));
            }
            _ => {}
        }
        Vec::new()
    }

    /// Does what a line of the help is about.
    fn run_help(&mut self, run: HelpRun, snapshot: &Snapshot) -> Vec<Effect> {
        match run {
            HelpRun::Action(action) => self.act(action, snapshot),
            HelpRun::Begin(line) => {
                self.begin(PromptKind::Command, &line, snapshot);
                self.retyped()
            }
            HelpRun::Line(line) => self.run_line(line, snapshot).unwrap_or_else(|why| {
                self.status = StatusLine::Error { line: line.to_owned(), why };
                Vec::new()
            }),
        }
    }
}

impl HelpState {
    /// Selects the row above, or scrolls to what cannot be run.
    fn up(&mut self, rows: &[usize], height: usize) {
        match self.selected.checked_sub(1) {
            Some(above) => self.select(above, rows, height),
            None => self.top = self.top.saturating_sub(1),
        }
        // What stands above the first row that can be run.
        if self.selected == 0 && rows.first().is_some_and(|first| *first < height) {
            self.top = 0;
        }
    }

    /// Selects the row below, or scrolls to what cannot be run.
    fn down(&mut self, rows: &[usize], height: usize, last: usize) {
        if self.selected + 1 < rows.len() {
            self.select(self.selected + 1, rows, height);
        } else {
            self.top = (self.top + 1).min(last);
        }
    }

    fn select(&mut self, index: usize, rows: &[usize], height: usize) {
        self.selected = index;
        let row = rows[index];
        // A terminal of two rows has none left for the text.
        self.top = self.top.clamp((row + 1).saturating_sub(height.max(1)), row);
    }

    /// Scrolls, and selects a row that is in view then.
    fn scroll(&mut self, top: usize, rows: &[usize], height: usize) {
        self.top = top;
        let first = rows.partition_point(|row| *row < top);
        let end = rows.partition_point(|row| *row < top + height);
        if first < end {
            self.selected = self.selected.clamp(first, end - 1);
        }
    }
}
