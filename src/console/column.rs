//! The columns of the calls and of the volumes: which there are, which are shown, and by which one the rows are sorted.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::console::layout::pane::Pane;

/// A column of the calls or of the volumes.
#[expect(missing_docs, reason = "the help of each says it")]
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Column {
    Time,
    Caller,
    Peer,
    Connection,
    Call,
    Volume,
    Status,
    Bytes,
    Fault,
    Outcome,
    Took,
    Name,
    State,
    Mountpoint,
    Scope,
    LastUsed,
    Options,
}

impl Column {
    /// All of them, in the order of the screen.
    pub const ALL: [Self; Self::VARIANTS.len()] = *Self::VARIANTS.first_chunk().expect("all of them");

    /// Those of a pane. The faults have none.
    pub fn of(pane: Pane) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |column| column.pane() == pane)
    }

    /// The pane that it is in.
    pub const fn pane(self) -> Pane {
        match self {
            Self::Name | Self::State | Self::Mountpoint | Self::Scope | Self::LastUsed | Self::Options => {
                Pane::Volumes
            }
            _ => Pane::Calls,
        }
    }

    /// Its name after `:sort` and above it.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What is in it.
    pub const fn help(self) -> &'static str {
        match self {
            Self::Time => "when the call began",
            Self::Caller => "the program that sent it",
            Self::Peer => "the process or address that connected",
            Self::Connection => "the number of the connection",
            Self::Call => "the operation",
            Self::Volume => "the volume that the request names",
            Self::Status => "the HTTP status of the reply",
            Self::Bytes => "the length of the reply's body",
            Self::Fault => "what a rule or an outage did to it",
            Self::Outcome => "how it ended",
            Self::Took => "the time to the reply",
            Self::Name => "the name of the volume",
            Self::State => "its open mounts, and whether it is forgotten",
            Self::Mountpoint => "its path in the latest reply that had one",
            Self::Scope => "the scope in the latest reply to Capabilities",
            Self::LastUsed => "when the latest call about it ended",
            Self::Options => "its options",
        }
    }

    /// Whether it is always shown.
    pub const fn is_fixed(self) -> bool {
        matches!(self, Self::Call | Self::Outcome | Self::Name)
    }

    /// Whether it is shown unless the user has chosen otherwise.
    const fn is_usual(self) -> bool {
        !matches!(
            self,
            Self::Peer
                | Self::Connection
                | Self::Status
                | Self::Bytes
                | Self::Mountpoint
                | Self::Scope
                | Self::LastUsed
        )
    }

    /// Whether the largest value is what one looks for, and so comes first.
    const fn descends(self) -> bool {
        matches!(self, Self::Bytes | Self::Took | Self::LastUsed)
    }
}

/// The order of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sort {
    /// The column whose values decide.
    pub column: Column,
    /// Whether the largest value comes first.
    pub descending: bool,
}

impl Sort {
    /// By a column, with what is looked for first, or the other way round.
    pub const fn by(column: Column, is_reversed: bool) -> Self {
        Self { column, descending: column.descends() != is_reversed }
    }

    /// Whether rows come in this order anyway: calls as they began, volumes by name.
    pub const fn is_usual(self) -> bool {
        matches!(self, Self { column: Column::Time | Column::Name, descending: false })
    }
}

/// What the user has chosen for one pane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PaneColumns {
    shown: BTreeSet<Column>,
    sort: Sort,
}

impl PaneColumns {
    fn usual(pane: Pane) -> Self {
        let first = if pane == Pane::Volumes { Column::Name } else { Column::Time };
        Self {
            shown: Column::of(pane).filter(|column| column.is_usual()).collect(),
            sort: Sort::by(first, false),
        }
    }
}

/// What the user has chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ColumnChoice {
    calls: PaneColumns,
    volumes: PaneColumns,
}

impl Default for ColumnChoice {
    fn default() -> Self {
        Self { calls: PaneColumns::usual(Pane::Calls), volumes: PaneColumns::usual(Pane::Volumes) }
    }
}

impl ColumnChoice {
    const fn of(&self, pane: Pane) -> &PaneColumns {
        if matches!(pane, Pane::Volumes) { &self.volumes } else { &self.calls }
    }

    const fn of_mut(&mut self, pane: Pane) -> &mut PaneColumns {
        if matches!(pane, Pane::Volumes) { &mut self.volumes } else { &mut self.calls }
    }

    /// Whether a column is shown, where there is room for it.
    pub fn shows(&self, column: Column) -> bool {
        column.is_fixed() || self.of(column.pane()).shown.contains(&column)
    }

    /// The order of a pane's rows.
    pub fn sort(&self, pane: Pane) -> Sort {
        self.of(pane).sort
    }

    /// Hides a column, or shows it. Rows that were sorted by a hidden column are in their usual order.
    pub fn toggle(&mut self, column: Column) {
        let chosen = self.of_mut(column.pane());
        if column.is_fixed() || chosen.shown.insert(column) {
            return;
        }
        chosen.shown.remove(&column);
        if chosen.sort.column == column {
            chosen.sort = PaneColumns::usual(column.pane()).sort;
        }
    }

    /// The same with one column shown.
    #[must_use]
    pub fn with(mut self, column: Column) -> Self {
        self.of_mut(column.pane()).shown.insert(column);
        self
    }

    /// Sorts the rows of a pane, and shows the column that decides.
    pub fn sort_by(&mut self, sort: Sort) {
        let chosen = self.of_mut(sort.column.pane());
        chosen.sort = sort;
        chosen.shown.insert(sort.column);
    }

    /// The order after a choice of a column: by it, or the reverse if the rows are sorted by it.
    pub fn next_sort(&self, column: Column) -> Sort {
        let now = self.sort(column.pane());
        if now.column == column {
            Sort { descending: !now.descending, ..now }
        } else {
            Sort::by(column, false)
        }
    }

    /// The rows of a pane in their usual order again.
    pub fn unsort(&mut self, pane: Pane) {
        self.of_mut(pane).sort = PaneColumns::usual(pane).sort;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_column_sorts_no_more_and_one_that_sorts_is_shown() {
        let mut chosen = ColumnChoice::default();
        assert!(!chosen.shows(Column::Peer) && chosen.sort(Pane::Calls).is_usual());
        chosen.sort_by(chosen.next_sort(Column::Peer));
        assert!(chosen.shows(Column::Peer));
        assert_eq!(chosen.sort(Pane::Calls), Sort { column: Column::Peer, descending: false });
        chosen.sort_by(chosen.next_sort(Column::Peer));
        assert!(chosen.sort(Pane::Calls).descending);
        chosen.toggle(Column::Peer);
        assert_eq!(chosen, ColumnChoice::default());
        chosen.toggle(Column::Call);
        assert_eq!(chosen, ColumnChoice::default(), "the operation is always shown");
        assert!(chosen.next_sort(Column::Took).descending, "the slowest comes first");
    }
}
