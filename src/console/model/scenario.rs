//! The keys for scenarios and the demo speed.

use std::sync::Arc;

use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent};
use ratatui::layout::Rect;
use tui_input::backend::crossterm::EventHandler;

use crate::{
    console::{
        input::action::KeyAction,
        layout::picker,
        model::{
            app::App,
            event::Effect,
            mode::{Mode, StatusLine},
            picker::Picker,
            window::{Cursor, ListStep},
        },
    },
    domain::{
        lang::command::{Command, ScenarioControl},
        model::{scenario::ScenarioState, speed::SpeedChange},
    },
    hub::Snapshot,
};

impl App {
    /// Whether the latest scenario run is on the screen.
    pub fn shows_run(&self, snapshot: &Snapshot) -> bool {
        let ScenarioState { latest_run, play_request, .. } = &snapshot.scenario;
        let is_closed = |run| self.closed_run.as_ref().is_some_and(|closed| Arc::ptr_eq(closed, run));
        play_request.is_some() || latest_run.as_ref().is_some_and(|run| !is_closed(run))
    }

    /// Opens the picker.
    pub(super) fn pick(&mut self, snapshot: &Snapshot) {
        if snapshot.catalog.scenarios.is_empty() {
            self.say("no scenarios here; use voltergeist play");
        } else {
            // For an audience, each step waits for a key.
            self.mode = Mode::Pick(Picker { stepwise: self.presenting, ..Picker::default() });
        }
    }

    /// Handles a key in the picker.
    pub(super) fn pick_key(&mut self, key: KeyEvent, snapshot: &Snapshot) -> Vec<Effect> {
        let height = picker::rows(Rect::new(0, 0, self.size.0, self.size.1)).max(1).into();
        let Mode::Pick(picker) = &mut self.mode else { return Vec::new() };
        let catalog = picker.catalog(snapshot);
        let mut go = |step| picker.cursor.go(step, catalog.len(), height);
        match key.code {
            KeyCode::Esc => self.mode = Mode::Browse,
            KeyCode::Up => go(ListStep::Up(1)),
            KeyCode::Down => go(ListStep::Down(1)),
            KeyCode::PageUp => go(ListStep::Up(height)),
            KeyCode::PageDown => go(ListStep::Down(height)),
            KeyCode::Tab => picker.stepwise = !picker.stepwise,
            KeyCode::Enter => {
                let stepwise = picker.stepwise;
                let Some(scenario) = picker.selected(snapshot) else { return Vec::new() };
                let name = scenario.name.clone();
                // The picker says in full what is wrong with it, and where.
                if let Some(why) = scenario.problem.clone() {
                    self.status = StatusLine::Error { line: format!("play {name}"), why };
                    return Vec::new();
                }
                self.mode = Mode::Browse;
                return self
                    .ask_or_run(Command::Play { scenario: name, stepwise, dangerous: false }, snapshot);
            }
            _ => {
                let before = picker.filter.value().to_owned();
                picker.filter.handle_event(&TerminalEvent::Key(key));
                if picker.filter.value() != before {
                    picker.cursor = Cursor::default();
                }
            }
        }
        Vec::new()
    }

    /// Controls the running scenario, else the demo.
    pub(super) fn control_scenario(&mut self, action: KeyAction, snapshot: &Snapshot) -> Option<Effect> {
        let direction = match (&snapshot.scenario.play_request, snapshot.speed, action) {
            (None, Some(speed), KeyAction::PauseOrContinue) => {
                let change = if speed.paused { SpeedChange::Continue } else { SpeedChange::Pause };
                return Some(Command::Speed(change).into());
            }
            (None, ..) => {
                let key = self.key_label(KeyAction::Scenarios);
                self.say(format!("no scenario is running; {key} chooses one"));
                return None;
            }
            (_, _, KeyAction::NextStep) => ScenarioControl::Next,
            (_, _, KeyAction::StopScenario) => ScenarioControl::Stop,
            (Some(play_request), ..) if play_request.is_paused() => ScenarioControl::Continue,
            _ => ScenarioControl::Pause,
        };
        Some(Command::ControlScenario(direction).into())
    }

    /// Changes the demo speed.
    pub(super) fn speed(&mut self, action: KeyAction, snapshot: &Snapshot) -> Option<Effect> {
        let Some(speed) = snapshot.speed else {
            self.say("speed keys work only in the demo");
            return None;
        };
        let change = if action == KeyAction::Faster { speed.faster() } else { speed.slower() };
        if change.is_none() {
            self.say(if speed.paused {
                "the demo is already paused".to_owned()
            } else {
                format!("the demo already runs at its highest speed, {speed}")
            });
        }
        change.map(|change| Command::Speed(change).into())
    }
}
