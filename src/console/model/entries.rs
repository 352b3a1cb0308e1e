//! How entries come to the lists, and which of them is selected.

use std::{ops::Range, sync::Arc};

use crate::{
    console::{
        layout::pane::Pane,
        model::{
            app::{App, WhenClosed},
            grouped_list::{GroupedList, GroupedRow},
            list::EntryList,
            row_list::RowList,
            volume_list::CallFacts,
        },
    },
    domain::model::entry::Entry,
    hub::Snapshot,
};

impl App {
    /// Hands new entries to all that keeps some.
    pub(super) fn take_entries(&mut self, entries: &[Arc<Entry>], kept: &Range<u64>, snapshot: &Snapshot) {
        for entry_list in self.lists() {
            entry_list.take(entries, kept);
        }
        if let Some(grouped_list) = &mut self.grouped_list {
            grouped_list.take(entries, kept, &self.calls);
        }
        for entry in entries {
            self.retries.push(entry);
        }
        self.retries.drop_before(kept.start);
        // A paused list shows them still.
        if !self.calls.is_paused() {
            self.marks.drop_before(kept.start);
        }
        if let Some(facts) = &mut self.call_facts {
            facts.take(entries, snapshot);
        }
        self.own_commands.take(entries, kept, snapshot, &mut self.status);
    }

    pub(super) fn lists(&mut self) -> impl Iterator<Item = &mut EntryList> {
        std::iter::once(&mut self.calls).chain(self.history.as_mut().map(|history| &mut history.entries))
    }

    /// The number of the next entry to take in.
    pub fn wants(&mut self) -> u64 {
        let grouped = self.grouped_list.as_ref().and_then(GroupedList::wants);
        let retried = self.retries.wants();
        let facts = self.call_facts.as_ref().map(CallFacts::wants);
        self.lists()
            .filter_map(|entry_list| entry_list.wants())
            .chain(grouped)
            .chain(facts)
            .min()
            .unwrap_or(retried)
            .min(retried)
    }

    /// The rows of the calls: groups while they are shown so.
    pub fn rows(&self) -> &dyn RowList {
        match &self.grouped_list {
            Some(grouped_list) => grouped_list,
            None => &self.calls,
        }
    }

    pub(super) fn rows_mut(&mut self) -> &mut dyn RowList {
        self.when_closed = WhenClosed::Stays;
        match &mut self.grouped_list {
            Some(grouped_list) => grouped_list,
            None => &mut self.calls,
        }
    }

    /// The selected entry among the calls; of a group, its deciding call.
    pub fn selected(&self) -> Option<&Arc<Entry>> {
        match &self.grouped_list {
            Some(grouped_list) => grouped_list.selected().map(GroupedRow::entry),
            None => self.calls.selected(),
        }
    }

    /// The selected entry, if its row is marked as such: the pane of the calls has the keys then.
    pub fn visibly_selected(&self) -> Option<&Arc<Entry>> {
        self.selected().filter(|_| self.focus == Pane::Calls)
    }
}
