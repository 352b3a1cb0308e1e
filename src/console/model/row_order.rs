//! The order of the calls while they are sorted by a column.
//!
//! It is kept while entries come and go. What is new is merged once for each batch, so that a frame costs little more
//! than a look at each row.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use crate::{
    console::column::{Column, Sort},
    domain::{
        model::entry::{Call, Entry, EntryKind, HeldCall},
        text::{describe, symbols},
    },
};

/// What a row has in a column, and so where it stands. Rows without a value come last in either direction.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SortValue {
    Number(u64),
    Text(Box<str>),
}

/// The value of a row, if it has one, and the row's place.
type Ranked = (Option<SortValue>, u64);

/// The places of the rows in their order.
#[derive(Clone, Debug)]
pub(super) struct RowOrder {
    sort: Sort,
    ranked: Vec<Ranked>,
    /// What is to be put in.
    fresh: BTreeMap<u64, Option<SortValue>>,
    /// What is to be taken out.
    stale: BTreeSet<u64>,
}

/// In which order two values stand.
pub(super) fn compare_values(sort: Sort, one: Option<&SortValue>, other: Option<&SortValue>) -> Ordering {
    match (one, other) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(one), Some(other)) if sort.descending => other.cmp(one),
        (Some(one), Some(other)) => one.cmp(other),
    }
}

fn compare(sort: Sort, one: &Ranked, other: &Ranked) -> Ordering {
    compare_values(sort, one.0.as_ref(), other.0.as_ref()).then(one.1.cmp(&other.1))
}

impl RowOrder {
    pub(super) fn new(sort: Sort) -> Self {
        Self { sort, ranked: Vec::new(), fresh: BTreeMap::new(), stale: BTreeSet::new() }
    }

    pub(super) const fn sort(&self) -> Sort {
        self.sort
    }

    pub(super) fn clear(&mut self) {
        self.ranked.clear();
        self.fresh.clear();
        self.stale.clear();
    }

    /// A row is there, or has another entry now.
    pub(super) fn put(&mut self, place: u64, entry: &Entry) {
        self.stale.insert(place);
        self.fresh.insert(place, value(self.sort.column, place, entry));
    }

    /// A row is gone.
    pub(super) fn remove(&mut self, place: u64) {
        self.stale.insert(place);
        self.fresh.remove(&place);
    }

    /// Takes in what has changed.
    pub(super) fn settle(&mut self) {
        if self.stale.is_empty() {
            return;
        }
        let stale = std::mem::take(&mut self.stale);
        self.ranked.retain(|(_, place)| !stale.contains(place));
        self.ranked.extend(std::mem::take(&mut self.fresh).into_iter().map(|(place, value)| (value, place)));
        // Most of it is sorted already, which this sort makes use of.
        let sort = self.sort;
        self.ranked.sort_by(|one, other| compare(sort, one, other));
    }

    /// The place of the row that has a rank.
    pub(super) fn place(&self, rank: usize) -> Option<u64> {
        self.ranked.get(rank).map(|(_, place)| *place)
    }

    /// The rank of a row.
    pub(super) fn rank(&self, place: u64, entry: &Entry) -> usize {
        let wanted = (value(self.sort.column, place, entry), place);
        let found = self.ranked.binary_search_by(|ranked| compare(self.sort, ranked, &wanted));
        found.unwrap_or_else(|rank| rank)
    }
}

fn text(text: impl Into<Box<str>>) -> SortValue {
    SortValue::Text(text.into())
}

fn number(number: impl Into<u64>) -> SortValue {
    SortValue::Number(number.into())
}

fn value(column: Column, place: u64, entry: &Entry) -> Option<SortValue> {
    match &entry.kind {
        _ if column == Column::Time => Some(SortValue::Number(place)),
        EntryKind::Call(call) => of_call(column, call),
        EntryKind::Held(held) => of_held(column, held),
        _ => None,
    }
}

fn of_call(column: Column, call: &Call) -> Option<SortValue> {
    match column {
        Column::Caller => Some(text(call.caller.as_str())),
        Column::Peer => call.peer.as_ref().map(|peer| text(peer.to_string())),
        Column::Connection => Some(number(call.connection)),
        Column::Call => Some(text(describe::call_word(call))),
        Column::Volume => call.volume.clone().map(text),
        Column::Status => call.status.map(number),
        Column::Bytes => Some(number(call.reply.length as u64)),
        Column::Fault => call.fault.as_ref().map(|fault| text(fault.to_string())),
        Column::Outcome => Some(text(describe::outcome(call, &symbols::ASCII).text)),
        Column::Took => Some(number(u64::try_from(call.duration.as_micros()).unwrap_or(u64::MAX))),
        _ => None,
    }
}

fn of_held(column: Column, held: &HeldCall) -> Option<SortValue> {
    match column {
        Column::Caller => Some(text(held.caller.as_str())),
        Column::Peer => held.peer.as_ref().map(|peer| text(peer.to_string())),
        Column::Connection => Some(number(held.connection)),
        Column::Call => Some(text(describe::held_word(held))),
        Column::Volume => held.volume.clone().map(text),
        Column::Fault => Some(text(held.fault.to_string())),
        Column::Outcome => Some(text("held")),
        _ => None,
    }
}
