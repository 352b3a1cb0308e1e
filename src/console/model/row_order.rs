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
        model::entry::Entry,
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
    if column == Column::Time {
        return Some(SortValue::Number(place));
    }
    let (head, ended) = (entry.head()?, entry.call());
    match column {
        Column::Caller => Some(text(head.caller.as_str())),
        Column::Peer => head.peer.map(|peer| text(peer.to_string())),
        Column::Connection => Some(number(head.connection)),
        Column::Call => Some(text(describe::asked(head))),
        Column::Volume => head.volume.map(text),
        Column::Status => ended?.status.map(number),
        Column::Bytes => Some(number(ended?.reply.length as u64)),
        Column::Fault => head.fault.map(|fault| text(fault.to_string())),
        Column::Outcome => Some(
            ended.map_or_else(|| text("held"), |call| text(describe::outcome(call, &symbols::ASCII).text)),
        ),
        Column::Took => Some(number(u64::try_from(ended?.duration.as_micros()).unwrap_or(u64::MAX))),
        _ => None,
    }
}
