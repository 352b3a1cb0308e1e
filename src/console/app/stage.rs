//! Scenario cards and the demo's pace: what is chosen, and what the keys ask of whoever plays.

use std::sync::Arc;

use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent};
use ratatui::layout::Rect;
use tui_input::{Input, backend::crossterm::EventHandler};

use super::{App, Effect, Mode, Status};
use crate::{
    console::{
        action::Action,
        view::scenarios,
        window::{Cursor, Step},
    },
    domain::{
        lang::command::{Command, ScenarioControl},
        model::{
            scenario::{ScenarioInfo, ScenarioState},
            speed::SpeedChange,
        },
    },
    state::Snapshot,
};

/// A card that is being chosen.
#[derive(Clone, Debug, Default)]
pub struct Picker {
    /// Words that a card must have.
    pub filter: Input,
    /// The place in what is left.
    pub cursor: Cursor,
    /// Whether each step waits for a key.
    pub stepwise: bool,
}

impl Picker {
    /// The cards that have all words of the filter; those whose name is the filter, begins with it, or has it, come first.
    pub fn catalog<'s>(&self, snapshot: &'s Snapshot) -> Vec<&'s ScenarioInfo> {
        let filter = self.filter.value().to_lowercase();
        let fits = |offer: &&ScenarioInfo| {
            let problem = offer.problem.as_deref().unwrap_or_default();
            let text =
                format!("{} {} {} {problem}", offer.name, offer.title, offer.description).to_lowercase();
            filter.split_whitespace().all(|word| text.contains(word))
        };
        let mut catalog: Vec<_> = snapshot.catalog.scenarios.iter().filter(fits).collect();
        let meant = filter.trim();
        catalog.sort_by_key(|ScenarioInfo { name, .. }| {
            (name != meant, !name.starts_with(meant), !name.contains(meant))
        });
        catalog
    }
}

impl App {
    /// Whether the latest play is on the screen.
    pub fn shows_play(&self, snapshot: &Snapshot) -> bool {
        let ScenarioState { play, run_request, .. } = &snapshot.scenario;
        let is_closed = |play| self.closed_play.as_ref().is_some_and(|closed| Arc::ptr_eq(closed, play));
        run_request.is_some() || play.as_ref().is_some_and(|play| !is_closed(play))
    }

    /// Opens the picker.
    pub(super) fn pick(&mut self, snapshot: &Snapshot) {
        if snapshot.catalog.scenarios.is_empty() {
            self.status = Status::say("no cards are played here; voltergeist play plays them");
        } else {
            self.mode = Mode::Pick(Picker::default());
        }
    }

    /// Takes a key while a card is chosen.
    pub(super) fn pick_key(&mut self, key: KeyEvent, snapshot: &Snapshot) -> Vec<Effect> {
        let height = scenarios::rows(Rect::new(0, 0, self.size.0, self.size.1)).max(1).into();
        let Mode::Pick(picker) = &mut self.mode else { return Vec::new() };
        let catalog = picker.catalog(snapshot);
        let mut go = |step| picker.cursor.go(step, catalog.len(), height);
        match key.code {
            KeyCode::Esc => self.mode = Mode::Browse,
            KeyCode::Up => go(Step::Up(1)),
            KeyCode::Down => go(Step::Down(1)),
            KeyCode::PageUp => go(Step::Up(height)),
            KeyCode::PageDown => go(Step::Down(height)),
            KeyCode::Tab => picker.stepwise = !picker.stepwise,
            KeyCode::Enter => {
                let stepwise = picker.stepwise;
                let chosen = catalog.get(picker.cursor.row.min(catalog.len().saturating_sub(1)));
                let Some(scenario) = chosen.map(|offer| offer.name.clone()) else { return Vec::new() };
                self.mode = Mode::Browse;
                return self.confirmed(Command::Play { scenario, stepwise, dangerous: false }, snapshot);
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

    /// Directs what is played: a card, or else, where it can be paused, the demo's life.
    pub(super) fn direct(&mut self, action: Action, snapshot: &Snapshot) -> Option<Effect> {
        let direction = match (&snapshot.scenario.run_request, snapshot.speed, action) {
            (None, Some(speed), Action::PausePlay) => {
                let change = if speed.paused { SpeedChange::Continue } else { SpeedChange::Pause };
                return Some(Command::Speed(change).into());
            }
            (None, ..) => {
                let key = self.keymap.key(Action::Scenarios, self.theme.glyphs.ascii);
                self.status = Status::say(format!("no card is being played; {key} chooses one"));
                return None;
            }
            (_, _, Action::NextStep) => ScenarioControl::Next,
            (_, _, Action::StopPlay) => ScenarioControl::Stop,
            (Some(run_request), ..) if run_request.is_paused() => ScenarioControl::Continue,
            _ => ScenarioControl::Pause,
        };
        Some(Command::ControlScenario(direction).into())
    }

    /// Makes the demo's life faster or slower.
    pub(super) fn speed(&mut self, action: Action, snapshot: &Snapshot) -> Option<Effect> {
        let Some(speed) = snapshot.speed else {
            self.status =
                Status::say("there is nothing to pace here; only `voltergeist demo` has a life of its own");
            return None;
        };
        let change = if action == Action::Faster { speed.faster() } else { speed.slower() };
        if change.is_none() {
            self.status = Status::say(format!("the demo's pace is {speed} already"));
        }
        change.map(|change| Command::Speed(change).into())
    }
}
