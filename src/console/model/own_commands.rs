//! What new entries do to the bottom line: it shows the commands of others, and no result that is over.

use std::{collections::VecDeque, ops::Range, sync::Arc};

use crate::{
    console::model::mode::StatusLine,
    domain::model::{
        entry::{Entry, EntryKind},
        scenario::ScenarioEvent,
    },
    hub::Snapshot,
};

/// How many own commands are remembered that have left no entry yet.
const MAX_EXPECTED: usize = 64;

/// The entries that were seen, and the own commands whose entries are still to come.
#[derive(Clone, Debug, Default)]
pub(super) struct OwnCommands {
    /// The number of the first entry that is news; none before the first entries have come.
    next: Option<u64>,
    expected: VecDeque<String>,
}

impl OwnCommands {
    /// Commands of this console are on their way.
    pub fn expect(&mut self, commands: impl Iterator<Item = String>) {
        self.expected.extend(commands);
        let surplus = self.expected.len().saturating_sub(MAX_EXPECTED);
        self.expected.drain(..surplus);
    }

    /// Entries that are read again are no news.
    pub fn restart(&mut self) {
        self.next = None;
    }

    /// A command of this console has failed, and leaves no entry.
    pub fn failed(&mut self, line: &str) {
        if let Some(place) = self.expected.iter().position(|expected| expected == line) {
            self.expected.remove(place);
        }
    }

    /// Takes new entries. What was there before the console started is no news, nor what it reads again.
    pub fn take(
        &mut self,
        entries: &[Arc<Entry>],
        kept: &Range<u64>,
        snapshot: &Snapshot,
        status: &mut StatusLine,
    ) {
        let next = *self.next.get_or_insert(kept.end);
        // The commands of a recording are none of now.
        if snapshot.source.timeline().is_some() {
            return;
        }
        for entry in entries.iter().filter(|entry| entry.seq >= next) {
            match &entry.kind {
                EntryKind::Command(run) => {
                    let own = self.expected.iter().position(|expected| *expected == run.command);
                    match own {
                        Some(place) => drop(self.expected.remove(place)),
                        // The steps of a scenario have a pane of their own.
                        None if snapshot.scenario.play_request.is_some() => {}
                        None => {
                            let text = format!("{} ({})", run.result, run.origin);
                            *status = StatusLine::Message { line: Some(run.command.clone()), text };
                        }
                    }
                }
                EntryKind::Scenario(event) if matches!(**event, ScenarioEvent::Finished { .. }) => {
                    if matches!(status, StatusLine::Message { line: Some(line), .. } if line.starts_with("play "))
                    {
                        *status = StatusLine::Empty;
                    }
                }
                _ => {}
            }
            self.next = Some(entry.seq + 1);
        }
    }
}
