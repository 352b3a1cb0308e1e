//! Scenario cards and the demo's pace: what is chosen, and what the keys ask of whoever plays.

use std::sync::Arc;

use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent};
use ratatui::layout::Rect;
use tui_input::{Input, backend::crossterm::EventHandler};

use super::{App, Effect, Mode, Status};
use crate::{
    console::{
        action::Action,
        view::cards,
        window::{Cursor, Step},
    },
    domain::{
        command::{Command, Direction},
        pace::PaceChange,
        playbill::{Offer, Playbill},
    },
    hub::Snapshot,
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
    pub fn offers<'s>(&self, seen: &'s Snapshot) -> Vec<&'s Offer> {
        let filter = self.filter.value().to_lowercase();
        let fits = |offer: &&Offer| {
            let problem = offer.problem.as_deref().unwrap_or_default();
            let text = format!("{} {} {} {problem}", offer.name, offer.title, offer.shows).to_lowercase();
            filter.split_whitespace().all(|word| text.contains(word))
        };
        let mut offers: Vec<_> = seen.playbill.offers.iter().filter(fits).collect();
        let meant = filter.trim();
        offers.sort_by_key(|Offer { name, .. }| {
            (name != meant, !name.starts_with(meant), !name.contains(meant))
        });
        offers
    }
}

impl App {
    /// Whether the latest play is on the screen.
    pub fn shows_play(&self, seen: &Snapshot) -> bool {
        let Playbill { play, cue, .. } = &seen.playbill;
        let is_closed = |play| self.closed_play.as_ref().is_some_and(|closed| Arc::ptr_eq(closed, play));
        cue.is_some() || play.as_ref().is_some_and(|play| !is_closed(play))
    }

    /// Opens the picker.
    pub(super) fn pick(&mut self, seen: &Snapshot) {
        if seen.playbill.offers.is_empty() {
            self.status = Status::say("no cards are played here; voltergeist play plays them");
        } else {
            self.mode = Mode::Pick(Picker::default());
        }
    }

    /// Takes a key while a card is chosen.
    pub(super) fn pick_key(&mut self, key: KeyEvent, seen: &Snapshot) -> Vec<Effect> {
        let height = cards::rows(Rect::new(0, 0, self.size.0, self.size.1)).max(1).into();
        let Mode::Pick(picker) = &mut self.mode else { return Vec::new() };
        let offers = picker.offers(seen);
        let mut go = |step| picker.cursor.go(step, offers.len(), height);
        match key.code {
            KeyCode::Esc => self.mode = Mode::Browse,
            KeyCode::Up => go(Step::Up(1)),
            KeyCode::Down => go(Step::Down(1)),
            KeyCode::PageUp => go(Step::Up(height)),
            KeyCode::PageDown => go(Step::Down(height)),
            KeyCode::Tab => picker.stepwise = !picker.stepwise,
            KeyCode::Enter => {
                let stepwise = picker.stepwise;
                let chosen = offers.get(picker.cursor.row.min(offers.len().saturating_sub(1)));
                let Some(card) = chosen.map(|offer| offer.name.clone()) else { return Vec::new() };
                self.mode = Mode::Browse;
                return self.confirmed(Command::Play { card, stepwise, dangerous: false }, seen);
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
    pub(super) fn direct(&mut self, action: Action, seen: &Snapshot) -> Option<Effect> {
        let direction = match (&seen.playbill.cue, seen.pace, action) {
            (None, Some(pace), Action::PausePlay) => {
                let change = if pace.paused { PaceChange::Go } else { PaceChange::Pause };
                return Some(Command::Pace(change).into());
            }
            (None, ..) => {
                let key = self.keymap.key(Action::Cards, self.theme.glyphs.ascii);
                self.status = Status::say(format!("no card is being played; {key} chooses one"));
                return None;
            }
            (_, _, Action::NextStep) => Direction::Next,
            (_, _, Action::StopPlay) => Direction::Stop,
            (Some(cue), ..) if cue.is_paused() => Direction::Go,
            _ => Direction::Pause,
        };
        Some(Command::Direct(direction).into())
    }

    /// Makes the demo's life faster or slower.
    pub(super) fn pace(&mut self, action: Action, seen: &Snapshot) -> Option<Effect> {
        let Some(pace) = seen.pace else {
            self.status =
                Status::say("there is nothing to pace here; only `voltergeist demo` has a life of its own");
            return None;
        };
        let change = if action == Action::Faster { pace.faster() } else { pace.slower() };
        if change.is_none() {
            self.status = Status::say(format!("the demo's pace is {pace} already"));
        }
        change.map(|change| Command::Pace(change).into())
    }
}
