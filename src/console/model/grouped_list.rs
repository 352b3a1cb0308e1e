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
        list::{EntryList, is_repeated},
        window::{self, ListStep},
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
    frozen: Option<u64>,
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

    /// The number of the next entry to take in, unless the list is frozen and has all it may show.
    pub fn wants(&self) -> Option<u64> {
        self.frozen.is_none_or(|last| self.last < last).then_some(self.last + 1)
    }

    /// Takes in what is new, as the list of calls does. A group is shown if any of its
    /// calls passes the filter.
    pub fn take(&mut self, entries: &[Arc<Entry>], kept: &Range<u64>, calls: &EntryList) {
        self.frozen = calls.frozen();
        if self.filter != *calls.filter() || self.hides_commands != calls.hides_commands() {
            self.hides_commands = calls.hides_commands();
            // The list reads all entries again, and so does this one. Expanded groups stay expanded.
            self.filter = calls.filter().clone();
            self.groups = CallGroups::default();
            self.items.clear();
            self.last = 0;
        }
        let last = self.last;
        for entry in entries.iter().skip_while(|entry| entry.seq <= last) {
            if let Some(last) = self.frozen.filter(|last| entry.seq > *last) {
                self.last = last;
                break;
            }
            self.last = entry.seq;
            self.admit(entry, calls);
        }
        if self.frozen.is_none() || kept.is_empty() {
            while self.items.front().is_some_and(|item| item.number() < kept.start) {
                self.items.pop_front();
            }
            self.groups.forget_before(kept.start);
            self.expanded = self.expanded.split_off(&kept.start);
        }
    }

    fn admit(&mut self, entry: &Arc<Entry>, calls: &EntryList) {
        if entry.is_redundant() {
            return;
        }
        if entry.is_journal_reset() && entry.node.is_none() {
            self.groups = CallGroups::default();
            self.items.clear();
            self.expanded = self.expanded.split_off(&entry.seq);
            self.selected = self.selected.filter(|anchor| anchor.item > entry.seq);
        }
        let mut is_shown = calls.shows(entry);
        let waited = entry.continues();
        if let Some(anchor) =
            self.selected.as_mut().filter(|anchor| anchor.call.is_some() && anchor.call == waited)
        {
            anchor.call = Some(entry.seq);
        }
        let Some(id) = self.groups.push(entry) else {
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
            return;
        };
        // An anchor follows its group, which may have been merged into another. Resolved here, and not for each
        // frame, since what the filter hides is in no item.
        let merged = self.groups.merged().to_vec();
        for anchor in self.selected.iter_mut().chain([&mut self.top]) {
            if anchor.call == Some(entry.seq) || merged.contains(&anchor.item) {
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

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.items.len() + self.spread().map(|(_, calls)| calls).sum::<usize>()
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many groups and other entries there are.
    pub fn items(&self) -> usize {
        self.items.len()
    }

    /// Whether the newest row is always in view.
    pub fn follows(&self) -> bool {
        self.selected.is_none()
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

    fn selected_row(&self) -> usize {
        self.selected.map_or(self.len().saturating_sub(1), |anchor| self.row_of(anchor))
    }

    /// The selected row: the newest one while the list follows.
    pub fn selected(&self) -> Option<GroupedRow<'_>> {
        self.row(self.place(self.selected_row()))
    }

    /// How many rows are below the `height` lines in view.
    pub fn below(&self, height: usize) -> usize {
        self.len() - self.range(height).end
    }

    /// The rows that `height` lines can show, and whether each is selected.
    pub fn visible(&self, height: usize) -> impl Iterator<Item = (GroupedRow<'_>, bool)> {
        let selected = self.selected_row();
        self.range(height).filter_map(move |row| Some((self.row(self.place(row))?, row == selected)))
    }

    fn range(&self, height: usize) -> Range<usize> {
        let top = if self.follows() { usize::MAX } else { self.row_of(self.top) };
        window::visible(self.len(), Some(self.selected_row()), top, height)
    }

    /// Keeps the view where it is, so that only the selection moves while there is room for it.
    fn hold(&mut self, height: usize) {
        if let Some(top) = self.anchor(self.range(height).start) {
            self.top = top;
        }
    }

    /// Takes a step. Beyond the last row the list follows again.
    pub fn go(&mut self, step: ListStep, height: usize) {
        let (row, len) = (self.selected_row(), self.len());
        let beyond = matches!(step, ListStep::Down(_)) && row + 1 >= len;
        if step == ListStep::Last || beyond || len == 0 {
            self.selected = None;
            return;
        }
        self.hold(height);
        self.selected = self.anchor(step.from(row, len));
        self.hold(height);
    }

    /// Keeps the selected row selected: the list no longer follows.
    pub fn stay(&mut self, height: usize) {
        self.hold(height);
        self.selected = self.anchor(self.selected_row());
    }

    /// Selects the next or the previous group or entry that passes a filter, and says whether it began again at the
    /// other end.
    pub fn seek(&mut self, wanted: &Filter, forward: bool, height: usize) -> Option<bool> {
        let selected = self.place(self.selected_row()).0;
        let (index, wrapped) =
            window::seek(self.items.len(), selected, forward, |index| match &self.items[index] {
                GroupedItem::Entry(_, entry) => wanted.matches(entry),
                GroupedItem::Group(id) => self
                    .groups
                    .get(*id)
                    .is_some_and(|group| group.members().iter().any(|member| wanted.matches(&member.entry))),
            })?;
        self.hold(height);
        self.selected = Some(Anchor { item: self.items[index].number(), call: None });
        self.hold(height);
        Some(wrapped)
    }

    /// Selects the row in a line of the view.
    pub fn select_line(&mut self, line: usize, height: usize) {
        let range = self.range(height);
        self.hold(height);
        if range.start + line < range.end {
            self.selected = self.anchor(range.start + line);
        }
    }

    /// Expands or collapses the selected group, if a group is selected.
    pub fn toggle(&mut self, height: usize) -> bool {
        let Some(GroupedRow::Header(group, is_expanded)) = self.selected() else { return false };
        let (id, calls) = (group.id(), group.members().len());
        self.hold(height);
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
        let is_any = self.spread().next().is_some();
        if let Some(anchor) = &mut self.selected {
            anchor.call = None;
        }
        self.expanded.clear();
        is_any
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::model::{
        entry::{Call, EntryKind},
        protocol::{Caller, Operation},
    };

    proptest! {
        #[test]
        fn every_row_is_found_again_by_its_place_and_the_selection_is_in_view(
            calls in prop::collection::vec((0_usize..3, 0_usize..4, 0_i64..900), 1..60),
            steps in prop::collection::vec((0_usize..4, 1_usize..9), 0..30),
            height in 1_usize..12,
        ) {
            let (mut list, mut grouped_list, mut now) = (EntryList::default(), GroupedList::of(&EntryList::default()), 0);
            let mut steps = steps.into_iter();
            for (index, (volume, operation, gap)) in calls.iter().enumerate() {
                now += gap;
                let operations = [Operation::Get, Operation::Get, Operation::Mount, Operation::Unmount];
                let caller = if *gap % 7 == 0 { Caller::Other } else { Caller::Docker };
                let call = Call {
                    volume: Some(format!("v{volume}").into()),
                    ..Call::ok(operations[*operation], caller)
                };
                let at = Timestamp::from_millisecond(now).expect("a time");
                let seq = index as u64 + 1;
                let entries = [Arc::new(Entry::new(seq, at, EntryKind::Call(Box::new(call))))];
                let kept = seq.saturating_sub(40).max(1)..seq + 1;
                list.take(&entries, &kept);
                grouped_list.take(&entries, &kept, &list);
                match steps.next() {
                    Some((0, by)) => grouped_list.go(ListStep::Up(by), height),
                    Some((1, by)) => grouped_list.go(ListStep::Down(by), height),
                    Some((2, _)) => {
                        grouped_list.toggle(height);
                    }
                    Some((3, by)) => grouped_list.select_line(by, height),
                    _ => {}
                }
                let mut seqs = Vec::new();
                for row in 0..grouped_list.len() {
                    let anchor = grouped_list.anchor(row).expect("each row has a place");
                    prop_assert_eq!(grouped_list.row_of(anchor), row);
                    match grouped_list.row(grouped_list.place(row)).expect("each place has a row") {
                        GroupedRow::Entry(entry) => seqs.push(entry.seq),
                        GroupedRow::Member(_) => {}
                        GroupedRow::Header(group, _) => {
                            seqs.extend(group.members().iter().map(|member| member.entry.seq));
                        }
                    }
                }
                seqs.sort_unstable();
                prop_assert!(seqs.is_sorted_by(|one, other| one < other), "something is shown twice: {seqs:?}");
                let rows: Vec<_> = grouped_list.visible(height).collect();
                prop_assert_eq!(rows.len(), grouped_list.len().min(height));
                prop_assert_eq!(rows.iter().filter(|(_, is_selected)| *is_selected).count(), 1);
            }
        }
    }
}
