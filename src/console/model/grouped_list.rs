//! The calls in groups: a header for each, and its calls below it if it is expanded.
//!
//! It stands in for the list of calls and takes the same steps. What is no engine's call has a row of its own.
//! Rows are counted and never stored, so that a frame costs what is in view and what is expanded.

use std::{
    collections::{BTreeSet, VecDeque},
    ops::Range,
    sync::Arc,
};

use crate::{
    console::model::{
        list::{EntryList, is_repeated, unseen},
        row_list::RowList,
        window,
    },
    domain::{
        analysis::groups::{CallGroup, CallGroups, Member},
        lang::filter::Filter,
        model::entry::Entry,
    },
};

/// A row of the list.
#[derive(Clone, Copy, Debug)]
pub enum GroupedRow<'f> {
    /// A group, and whether its calls are below it.
    Header(&'f CallGroup, bool),
    /// A call of the expanded group above.
    Member(&'f Member),
    /// An entry outside groups.
    Entry(&'f Arc<Entry>),
}

impl<'f> GroupedRow<'f> {
    /// The entry of the row; of a group, its deciding call.
    pub fn entry(self) -> &'f Arc<Entry> {
        match self {
            Self::Header(group, _) => &group.decisive().entry,
            Self::Member(member) => &member.entry,
            Self::Entry(entry) => entry,
        }
    }
}

/// A group by its number, or an entry outside groups.
#[derive(Clone, Debug)]
enum GroupedItem {
    Group(u64),
    /// With the place that it keeps: a call that was held stays where it was held.
    Entry(u64, Arc<Entry>),
}

impl GroupedItem {
    fn number(&self) -> u64 {
        match self {
            Self::Group(id) => *id,
            Self::Entry(place, _) => *place,
        }
    }
}

/// A place that stays where it is while rows come and go: an item, and one of its calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Anchor {
    item: u64,
    call: Option<u64>,
}

/// The grouped list and the position in it.
#[derive(Clone, Debug, Default)]
pub struct GroupedList {
    groups: CallGroups,
    /// In the order of their numbers.
    items: VecDeque<GroupedItem>,
    /// The expanded groups.
    expanded: BTreeSet<u64>,
    filter: Filter,
    hides_commands: bool,
    paused_at: Option<u64>,
    /// The number of the last entry that was looked at.
    last: u64,
    /// What is selected; none while the newest is followed.
    selected: Option<Anchor>,
    /// What is at the top of the view.
    top: Anchor,
}

impl GroupedList {
    /// Nothing yet. The selected entry of the list, or its group, stays selected.
    pub fn of(calls: &EntryList) -> Self {
        let seq = calls.selected().filter(|_| !calls.follows()).map(|entry| entry.seq);
        let selected = seq.map(|seq| Anchor { item: seq, call: Some(seq) });
        Self {
            filter: calls.filter().clone(),
            hides_commands: calls.hides_commands(),
            selected,
            ..Self::default()
        }
    }

    /// The number of the next entry to take in, unless the list is paused and has all it may show.
    pub fn wants(&self) -> Option<u64> {
        self.paused_at.is_none_or(|last| self.last < last).then_some(self.last + 1)
    }

    /// Takes in what is new, as the list of calls does. A group is shown if any of its
    /// calls passes the filter.
    pub fn take(&mut self, entries: &[Arc<Entry>], kept: &Range<u64>, calls: &EntryList) {
        self.paused_at = calls.paused_at();
        if self.filter != *calls.filter() || self.hides_commands != calls.hides_commands() {
            self.hides_commands = calls.hides_commands();
            // The list reads all entries again, and so does this one. Expanded groups stay expanded.
            self.filter = calls.filter().clone();
            self.groups = CallGroups::default();
            self.items.clear();
            self.last = 0;
        }
        for entry in unseen(entries, &mut self.last, self.paused_at) {
            self.take_one(entry, calls);
        }
        if self.paused_at.is_none() || kept.is_empty() {
            while self.items.front().is_some_and(|item| item.number() < kept.start) {
                self.items.pop_front();
            }
            self.groups.drop_before(kept.start);
            self.expanded = self.expanded.split_off(&kept.start);
        }
    }

    fn take_one(&mut self, entry: &Arc<Entry>, calls: &EntryList) {
        if entry.is_redundant() {
            return;
        }
        if entry.is_journal_reset() && entry.node.is_none() {
            self.groups = CallGroups::default();
            self.items.clear();
            self.expanded = self.expanded.split_off(&entry.seq);
            self.selected = self.selected.filter(|anchor| anchor.item > entry.seq);
        }
        let is_shown = calls.shows(entry);
        let waited = entry.continues();
        if let Some(anchor) =
            self.selected.as_mut().filter(|anchor| anchor.call.is_some() && anchor.call == waited)
        {
            anchor.call = Some(entry.seq);
        }
        match self.groups.push(entry) {
            Some(id) => self.take_member(entry.seq, id, is_shown),
            None => self.take_other(entry, waited, is_shown),
        }
    }

    /// A call of a group, which may have made one of several. An anchor follows its group: resolved here, and not for
    /// each frame, since what the filter hides is in no item.
    fn take_member(&mut self, seq: u64, id: u64, mut is_shown: bool) {
        let merged = self.groups.merged().to_vec();
        for anchor in self.selected.iter_mut().chain([&mut self.top]) {
            if anchor.call == Some(seq) || merged.contains(&anchor.item) {
                anchor.item = id;
            }
        }
        for merged in merged {
            is_shown |= self.remove(merged);
            self.expanded.remove(&merged);
        }
        if is_shown && let Err(index) = self.index(id) {
            self.items.insert(index, GroupedItem::Group(id));
        }
    }

    /// An entry outside groups.
    fn take_other(&mut self, entry: &Arc<Entry>, waited: Option<u64>, is_shown: bool) {
        if is_shown
            && let Some(GroupedItem::Entry(_, last)) = self.items.back_mut()
            && is_repeated(last, entry)
        {
            *last = Arc::clone(entry);
            return;
        }
        let place = waited.unwrap_or(entry.seq);
        match self.index(place) {
            Ok(index) if is_shown => self.items[index] = GroupedItem::Entry(place, Arc::clone(entry)),
            Ok(index) => drop(self.items.remove(index)),
            Err(index) if is_shown => {
                self.items.insert(index, GroupedItem::Entry(place, Arc::clone(entry)));
            }
            Err(_) => {}
        }
    }

    fn remove(&mut self, number: u64) -> bool {
        self.index(number).map(|index| self.items.remove(index)).is_ok()
    }

    fn index(&self, number: u64) -> Result<usize, usize> {
        self.items.binary_search_by_key(&number, GroupedItem::number)
    }

    /// The expanded groups that are shown, in order, with their index and number of calls.
    fn spread(&self) -> impl Iterator<Item = (usize, usize)> {
        let calls = |id: &u64| self.groups.get(*id).map_or(0, |group| group.members().len());
        self.expanded.iter().filter_map(move |id| Some((self.index(*id).ok()?, calls(id))))
    }

    /// How many groups and other entries there are.
    pub fn items(&self) -> usize {
        self.items.len()
    }

    /// The item of a row, and which of its calls, from 1; 0 for itself.
    fn place(&self, row: usize) -> (usize, usize) {
        let mut below = 0;
        for (index, calls) in self.spread() {
            let header = index + below;
            if row <= header {
                break;
            }
            if row <= header + calls {
                return (index, row - header);
            }
            below += calls;
        }
        (row - below, 0)
    }

    fn row(&self, (index, call): (usize, usize)) -> Option<GroupedRow<'_>> {
        Some(match self.items.get(index)? {
            GroupedItem::Entry(_, entry) => GroupedRow::Entry(entry),
            GroupedItem::Group(id) => {
                let group = self.groups.get(*id)?;
                match call.checked_sub(1) {
                    Some(call) => GroupedRow::Member(group.members().get(call)?),
                    None => GroupedRow::Header(group, self.expanded.contains(id)),
                }
            }
        })
    }

    fn anchor(&self, row: usize) -> Option<Anchor> {
        let place = self.place(row);
        let item = self.items.get(place.0)?.number();
        match self.row(place)? {
            GroupedRow::Member(member) => Some(Anchor { item, call: Some(member.entry.seq) }),
            _ => Some(Anchor { item, call: None }),
        }
    }

    fn row_of(&self, anchor: Anchor) -> usize {
        let row = |index: usize| {
            index + self.spread().filter(|(other, _)| *other < index).map(|(_, calls)| calls).sum::<usize>()
        };
        let index = match self.index(anchor.item) {
            Ok(index) => index,
            Err(index) => return row(index).min(self.len().saturating_sub(1)),
        };
        let id = self.items[index].number();
        let call = anchor
            .call
            .filter(|_| self.expanded.contains(&id))
            .and_then(|seq| self.groups.get(id).and_then(|group| group.position(seq)));
        row(index) + call.map_or(0, |call| call + 1)
    }

    /// The selected row: the newest one while the list follows.
    pub fn selected(&self) -> Option<GroupedRow<'_>> {
        self.row(self.place(self.selected_row()))
    }

    /// The rows that `height` lines can show, and whether each is selected.
    pub fn visible(&self, height: usize) -> impl Iterator<Item = (GroupedRow<'_>, bool)> {
        let selected = self.selected_row();
        self.range(height).filter_map(move |row| Some((self.row(self.place(row))?, row == selected)))
    }

    /// Expands or collapses the selected group, if a group is selected.
    pub fn toggle(&mut self, height: usize) -> bool {
        let Some(GroupedRow::Header(group, is_expanded)) = self.selected() else { return false };
        let (id, calls) = (group.id(), group.members().len());
        self.keep_view(height);
        self.selected = Some(Anchor { item: id, call: None });
        if is_expanded {
            self.expanded.remove(&id);
            return true;
        }
        self.expanded.insert(id);
        // The calls come into view, as far as the header stays there.
        let header = self.selected_row();
        let top = self.range(height).start.max((header + calls + 1).saturating_sub(height)).min(header);
        if let Some(top) = self.anchor(top) {
            self.top = top;
        }
        true
    }

    /// Whether any group is expanded.
    pub fn is_expanded(&self) -> bool {
        self.spread().next().is_some()
    }

    /// Collapses all groups, if any is expanded.
    pub fn collapse_all(&mut self) -> bool {
        let is_any = self.is_expanded();
        if let Some(anchor) = &mut self.selected {
            anchor.call = None;
        }
        self.expanded.clear();
        is_any
    }
}

impl RowList for GroupedList {
    fn len(&self) -> usize {
        self.items.len() + self.spread().map(|(_, calls)| calls).sum::<usize>()
    }

    fn selection(&self) -> Option<usize> {
        self.selected.map(|anchor| self.row_of(anchor))
    }

    fn set_selection(&mut self, row: Option<usize>) {
        self.selected = row.and_then(|row| self.anchor(row));
    }

    fn top(&self) -> usize {
        self.row_of(self.top)
    }

    fn set_top(&mut self, row: usize) {
        self.top = self.anchor(row).unwrap_or(self.top);
    }

    /// Groups and entries are looked for, and not the calls of a group by themselves.
    fn find(&self, wanted: &Filter, forward: bool) -> Option<(usize, bool)> {
        let selected = self.place(self.selected_row()).0;
        let (index, wrapped) =
            window::seek(self.items.len(), selected, forward, |index| match &self.items[index] {
                GroupedItem::Entry(_, entry) => wanted.matches(entry),
                GroupedItem::Group(id) => self
                    .groups
                    .get(*id)
                    .is_some_and(|group| group.members().iter().any(|member| wanted.matches(&member.entry))),
            })?;
        Some((self.row_of(Anchor { item: self.items[index].number(), call: None }), wrapped))
    }
}

#[cfg(test)]
mod tests;
