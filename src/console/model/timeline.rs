//! The keys for a recording's timeline.

use crate::{
    console::{
        input::action::KeyAction,
        model::{
            app::App, event::Effect, grouped_list::GroupedList, marks::Marks, mode::StatusLine,
            volume_list::CallFacts,
        },
    },
    domain::{
        analysis::retries::Retries,
        lang::{
            command::Command,
            seek::{Direction, Seek},
        },
        model::{
            source_status::{Playback, PlaybackState},
            speed::SpeedChange,
        },
    },
    hub::Snapshot,
};

impl App {
    /// What a key does to the timeline of a recording. None if the console does not show one, or the key does not
    /// concern it.
    pub(super) fn timeline_key(&mut self, action: KeyAction, snapshot: &Snapshot) -> Option<Vec<Effect>> {
        let seek = match action {
            KeyAction::PreviousFailure => Some(Seek::Failure(Direction::Back)),
            KeyAction::NextFailure => Some(Seek::Failure(Direction::Forward)),
            KeyAction::PreviousCommand => Some(Seek::Command(Direction::Back)),
            KeyAction::NextCommand => Some(Seek::Command(Direction::Forward)),
            KeyAction::StepBack => Some(Seek::Step(Direction::Back)),
            KeyAction::NextStep if snapshot.source.timeline().is_some() => {
                Some(Seek::Step(Direction::Forward))
            }
            _ => None,
        };
        let Some(timeline) = snapshot.source.timeline() else {
            seek.as_ref()?;
            self.say("only a recording has a timeline: voltergeist replay FILE");
            return Some(Vec::new());
        };
        if let Some(seek) = seek {
            return Some(vec![self.seek(seek)]);
        }
        let Playback { speed, state } = timeline.playback;
        let is_paused = state == PlaybackState::Paused;
        let change = match action {
            KeyAction::PauseOrContinue | KeyAction::Pause | KeyAction::Faster if is_paused => {
                SpeedChange::Continue
            }
            KeyAction::PauseOrContinue | KeyAction::Pause => SpeedChange::Pause,
            KeyAction::Faster => SpeedChange::Times((speed * 2.0).min(*Playback::RANGE.end())),
            KeyAction::Slower if speed / 2.0 < *Playback::RANGE.start() => SpeedChange::Pause,
            KeyAction::Slower => SpeedChange::Times(speed / 2.0),
            _ => return None,
        };
        Some(vec![Command::Speed(change).into()])
    }

    /// Goes to a place. The newest entry there is followed, so that it is in view.
    pub(super) fn seek(&mut self, seek: Seek) -> Effect {
        self.calls.select(None);
        self.calls.pause(None, 0);
        self.detail = None;
        self.history = None;
        Effect::Seek(seek)
    }

    /// Shows why a place was not found.
    pub(super) fn seek_done(&mut self, result: Result<(), String>) {
        self.status = match result {
            Ok(()) => StatusLine::Empty,
            Err(problem) => StatusLine::say(problem),
        };
    }

    /// Begins all lists again: what is kept are other entries. In a recording they have the numbers that they had.
    pub(super) fn restart(&mut self, snapshot: &Snapshot) {
        if snapshot.source.timeline().is_none() {
            self.marks = Marks::default();
        }
        for entry_list in self.lists() {
            entry_list.restart();
        }
        if self.grouped_list.is_some() {
            self.grouped_list = Some(GroupedList::of(&self.calls));
        }
        self.retries = Retries::default();
        self.call_facts = self.call_facts.take().map(|_| CallFacts::default());
        self.own_commands.restart();
        // The numbers in a list of several instances are others then.
        if !snapshot.nodes.is_empty() {
            self.calls.select(None);
        }
    }
}
