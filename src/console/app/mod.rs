//! The console's state, and the one function that changes it.
//!
//! `update` takes an event and what was on the screen, and returns what is to be done outside as
//! [`Effect`]s: it touches neither the hub nor the terminal, so that every key is tested as a row of a
//! table.

mod act;
mod asked;
mod event;
pub mod faults;
mod held;
mod help;
mod line;
mod mode;
mod place;
mod stage;

use std::sync::Arc;

use crossterm::event::{KeyEvent, KeyEventKind};

pub use event::{Effect, Event};
pub use faults::FaultRow;
pub use held::ReplyEdit;
pub use help::Reading;
pub use mode::{LastKey, Mode, Pane, Question, Status};
pub use place::Life;
pub use stage::Picker;

use super::{
    action::Action,
    entry_list::EntryList,
    grouped_list::{GroupedList, Row},
    key::{Chord, Keymap},
    prompt::{History, Prompt},
    theme::Theme,
    view::SPARK,
    window::Cursor,
};
use crate::{
    domain::{
        analysis::retries::Retries,
        lang::command::Outage,
        model::{entry::Entry, scenario::ScenarioRun},
        rules::{DryRun, RuleState},
    },
    state::{DriverStatus, Snapshot},
};

/// The console's state.
#[derive(Clone, Debug)]
pub struct App {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The pane that has the keys.
    pub focus: Pane,
    /// The list of calls.
    pub calls: EntryList,
    /// The calls folded into episodes, while they are shown so.
    pub grouped_list: Option<GroupedList>,
    /// What the engines try again.
    pub retries: Retries,
    /// The name of the selected volume, and the place of the view.
    pub volume: (Option<String>, usize),
    /// The place in the faults pane.
    pub fault: Cursor,
    /// How far the view of what is selected is scrolled, if it is open.
    pub detail: Option<usize>,
    /// The life of the selected volume, if it is open.
    pub life: Option<Life>,
    /// What has the keys first.
    pub mode: Mode,
    /// The bottom line.
    pub status: Status,
    /// The kind of outage that the next one will be.
    pub outage: Outage,
    /// Styles and signs.
    pub theme: Theme,
    /// Which key does what.
    pub keymap: Keymap,
    /// The zone that times are shown in.
    pub zone: jiff::tz::TimeZone,
    /// Whether the mouse selects and scrolls.
    pub mouse: bool,
    /// Whether the calls are drawn as a sequence diagram.
    pub sequence: bool,
    /// Whether it is shown to a room.
    pub presenting: bool,
    /// The last key that did something.
    pub last_key: Option<LastKey>,
    /// The filter, as it was typed.
    pub filter_text: String,
    /// What the rule that is being typed would have hit.
    pub dry_run: Option<DryRun>,
    /// The play that was closed after its end.
    closed_play: Option<Arc<ScenarioRun>>,
    /// The rule that is being edited: what is typed takes its place.
    edited: Option<u32>,
    /// The line that was typed last, until it is known what came of it.
    handed_in: Option<Prompt>,
    /// The command lines so far, those of keys too, and the filters.
    lines: History,
    filters: History,
}

impl App {
    /// A console that has seen nothing yet.
    pub fn new(size: (u16, u16), theme: Theme, keymap: Keymap, zone: jiff::tz::TimeZone) -> Self {
        Self {
            size,
            focus: Pane::Calls,
            calls: EntryList::default(),
            grouped_list: None,
            retries: Retries::default(),
            volume: (None, 0),
            fault: Cursor::default(),
            detail: None,
            life: None,
            mode: Mode::Browse,
            status: Status::Quiet,
            outage: Outage::Refuse,
            theme,
            keymap,
            zone,
            mouse: true,
            sequence: false,
            presenting: false,
            last_key: None,
            filter_text: String::new(),
            dry_run: None,
            closed_play: None,
            edited: None,
            handed_in: None,
            lines: History::default(),
            filters: History::default(),
        }
    }

    /// Takes an event in view of what is on the screen.
    pub fn update(&mut self, event: Event, snapshot: &Snapshot) -> Vec<Effect> {
        match event {
            Event::Key(key) if key.kind == KeyEventKind::Release => Vec::new(),
            Event::Key(key) => self.key(key, snapshot),
            Event::Mouse(mouse) => self.mouse(mouse, snapshot).into_iter().collect(),
            Event::Paste(text) => {
                let Mode::Type(prompt) = &mut self.mode else { return Vec::new() };
                prompt.paste(&text, snapshot);
                self.retyped()
            }
            Event::Resize(width, height) => {
                self.size = (width, height);
                Vec::new()
            }
            Event::Entries(entries, kept) => {
                for entry_list in self.listings() {
                    entry_list.take(&entries, &kept);
                }
                if let Some(grouped_list) = &mut self.grouped_list {
                    grouped_list.take(&entries, &kept, &self.calls);
                }
                for entry in &entries {
                    self.retries.push(entry);
                }
                self.retries.forget_before(kept.start);
                Vec::new()
            }
            Event::Rehearsed(dry_run) => {
                self.dry_run = Some(dry_run);
                Vec::new()
            }
            Event::Done { line, result } => {
                self.done(line, result, snapshot);
                Vec::new()
            }
        }
    }

    fn key(&mut self, key: KeyEvent, snapshot: &Snapshot) -> Vec<Effect> {
        let chord = Chord::from(key);
        let action = self.keymap.action(self.focus.place(), chord);
        if action == Some(Action::QuitNow) {
            return vec![Effect::Interrupt];
        }
        match &mut self.mode {
            Mode::Browse => {
                self.handed_in = None;
                self.press(chord, action, snapshot)
            }
            Mode::Help(_) => self.help_key(key, action, snapshot),
            Mode::Ask(question) => {
                let answer = chord.to_string();
                let yes = matches!(answer.as_str(), "y" | "Y" | "enter");
                if !yes && !matches!(answer.as_str(), "n" | "N" | "esc" | "q") {
                    return Vec::new();
                }
                let effect = match question.clone() {
                    Question::Leave => Effect::Leave,
                    Question::Suspend => Effect::Suspend,
                    Question::Run(command) => Effect::Run(command),
                };
                self.mode = Mode::Browse;
                yes.then_some(effect).into_iter().collect()
            }
            Mode::Type(_) => self.type_key(key, snapshot),
            Mode::Pick(_) => self.pick_key(key, snapshot),
        }
    }

    fn listings(&mut self) -> impl Iterator<Item = &mut EntryList> {
        std::iter::once(&mut self.calls).chain(self.life.as_mut().map(|life| &mut life.entries))
    }

    /// The number of the next entry to take in.
    pub fn wants(&mut self) -> u64 {
        let folded = self.grouped_list.as_ref().and_then(GroupedList::wants);
        let retried = self.retries.wants();
        self.listings()
            .filter_map(|entry_list| entry_list.wants())
            .chain(folded)
            .min()
            .unwrap_or(retried)
            .min(retried)
    }

    /// The selected entry among the calls; of an episode that which says how it went.
    pub fn selected(&self) -> Option<&Arc<Entry>> {
        match &self.grouped_list {
            Some(grouped_list) => grouped_list.selected().map(Row::entry),
            None => self.calls.selected(),
        }
    }

    /// Whether something on the screen changes by the mere passing of time, so that a slow tick must draw it.
    pub fn is_ticking(&self, snapshot: &Snapshot) -> bool {
        let comes_up = matches!(snapshot.driver_state.status, DriverStatus::Down { until: Some(_), .. });
        let runs_out = snapshot
            .faults
            .iter()
            .any(|rule| rule.state == RuleState::Armed && rule.remaining.until.is_some());
        let is_busy = snapshot.counters.rate(snapshot.at).iter().rev().take(SPARK).any(|count| *count > 0);
        comes_up || runs_out || is_busy || !snapshot.held.is_empty() || self.retries.is_due(snapshot.at)
    }
}
