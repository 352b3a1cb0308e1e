//! The columns of the calls, and how wide each is.

use std::ops::{Index, IndexMut};

use crate::{
    console::{
        column::{Column, ColumnChoice},
        layout::pane::Pane,
        view::canvas::View,
    },
    domain::{model::peer::PeerForm, text},
};

/// The heads of two columns, which are as narrow as these where their content is.
pub(super) const VOLUME: &str = "volume";
pub(super) const FAULT: &str = "fault";

/// The width of the column with a group's name.
pub const GROUP_NAME: usize = 12;

/// So many cells are left for how a call ended before a name is cut.
const BESIDE_NAMES: usize = 18;

/// From this width on, times and callers are whole.
pub(super) const FULL: usize = 96;

/// How a call ended keeps so many cells beside the columns that were chosen.
const MIN_OUTCOME: usize = 16;

/// From this width on, what a rule did has a column beside how the call ended.
const MIN_FAULT: usize = 44;

/// The widths of the columns of the calls.
pub struct Columns {
    /// By the column; 0 where it is left out.
    widths: [usize; Column::ALL.len()],
    /// The instance, where there are several. It is always shown, since any call can be of any instance.
    pub node: usize,
    /// How the clients are named in their column.
    pub peer_form: PeerForm,
}

impl Index<Column> for Columns {
    type Output = usize;

    fn index(&self, column: Column) -> &usize {
        &self.widths[column as usize]
    }
}

impl IndexMut<Column> for Columns {
    fn index_mut(&mut self, column: Column) -> &mut usize {
        &mut self.widths[column as usize]
    }
}

/// How wide the volumes and faults are.
#[derive(Clone, Copy, Debug, Default)]
pub struct ContentWidths {
    pub volume: usize,
    pub fault: usize,
    /// 0 where there is only one instance.
    pub node: usize,
    /// 0 where there is only one peer.
    pub peer: usize,
    /// How they are named.
    pub peer_form: PeerForm,
    /// The widest peer of all.
    pub widest_peer: usize,
}

impl Columns {
    /// How a call ended is what it is all about: no other column takes more than its content needs.
    pub fn of(width: usize, content: ContentWidths, is_grouped: bool, chosen: &ColumnChoice) -> Self {
        let call = if is_grouped { GROUP_NAME } else { 8 };
        // In less room only where there are several to tell apart, and names and how calls ended have enough of it.
        let names = content.volume.clamp(VOLUME.len(), 20) + 2 + BESIDE_NAMES;
        let peer = Some(content.peer.min(14)).filter(|peer| 25 + call + peer + names <= width).unwrap_or(0);
        let (time, caller, call, took) = match width {
            FULL.. => (12, content.peer.clamp(9, 20), 12, 8),
            60..FULL => (8, peer, call, 8),
            48..=59 => (8, 0, 8, 0),
            _ => (0, 0, 8, 0),
        };
        let if_shown = |column, width| if chosen.shows(column) { width } else { 0 };
        let node = content.node.min(if width < 60 { 6 } else { 16 });
        let mut columns = Self { widths: [0; Column::ALL.len()], node, peer_form: content.peer_form };
        for (column, width) in
            [(Column::Time, time), (Column::Caller, caller), (Column::Call, call), (Column::Took, took)]
        {
            columns[column] = if_shown(column, width);
        }
        let least = if_shown(Column::Volume, content.volume.clamp(VOLUME.len(), 8) + 2) + MIN_OUTCOME;
        // Each where there is room for it; a group has none of them.
        let peer = content.widest_peer.clamp(6, 20);
        for (column, needed) in
            [(Column::Status, 6), (Column::Connection, 6), (Column::Bytes, 7), (Column::Peer, peer)]
        {
            if !is_grouped && chosen.shows(column) && columns.taken() + needed + 2 + least <= width {
                columns[column] = needed;
            }
        }
        let rest = width.saturating_sub(columns.taken());
        if chosen.shows(Column::Volume) {
            let rest = rest.saturating_sub(2);
            // A name is whole where how calls ended has enough room beside it, and a column for faults if it has one.
            let beside = if rest >= MIN_FAULT + 20 { MIN_FAULT } else { BESIDE_NAMES };
            let most = rest.saturating_sub(beside).clamp(8, 32);
            columns[Column::Volume] = content.volume.clamp(VOLUME.len(), most).min(rest);
        }
        let rest = rest.saturating_sub(gapped(columns[Column::Volume]));
        // In little room, fault and outcome share a column.
        if rest >= MIN_FAULT && chosen.shows(Column::Fault) {
            columns[Column::Fault] = content.fault.clamp(FAULT.len(), (rest * 2 / 5).min(36));
        }
        columns[Column::Outcome] = rest.saturating_sub(gapped(columns[Column::Fault]));
        columns
    }

    /// What all columns take so far, with the gaps around them.
    fn taken(&self) -> usize {
        1 + gapped(self.node) + self.widths.into_iter().map(gapped).sum::<usize>()
    }

    /// The width of the operation where it takes the volume's column too.
    pub fn call_and_volume(&self) -> usize {
        (gapped(self[Column::Call]) + gapped(self[Column::Volume])).saturating_sub(2)
    }

    /// The width of all columns after the time and the instance.
    pub fn width(&self) -> usize {
        self.taken().saturating_sub(3 + gapped(self[Column::Time]) + gapped(self.node))
    }

    /// Whether a column of the calls is in view. That of the faults is in that of the outcome where there is little room.
    pub fn shows(&self, column: Column) -> bool {
        self[if column == Column::Fault { Column::Outcome } else { column }] > 0
    }

    /// What stands above the columns, from left to right, with the width of each. A group has one text for its name
    /// and its volume.
    fn heads(&self, is_grouped: bool) -> Vec<(Option<Column>, &'static str, usize)> {
        let mut heads = Vec::new();
        let joins_outcome = is_grouped && self[Column::Fault] > 0;
        for column in Column::of(Pane::Calls) {
            heads.push(match column {
                Column::Call if is_grouped => (None, "command, volume", self.call_and_volume()),
                Column::Fault if joins_outcome => {
                    (None, "outcome", gapped(self[Column::Fault]) + self[Column::Outcome])
                }
                Column::Volume if is_grouped => continue,
                Column::Outcome if joins_outcome => continue,
                Column::Connection => (Some(column), "conn", self[column]),
                _ => (Some(column), column.name(), self[column]),
            });
            if column == Column::Time {
                heads.push((None, "node", self.node));
            }
        }
        heads.retain(|(.., width)| *width > 0);
        heads
    }

    /// The line of the heads, with an arrow at the one by which the rows are sorted.
    pub fn heading(&self, view: &View<'_>, is_grouped: bool) -> String {
        let mut line: String = " ".into();
        for (column, name, width) in self.heads(is_grouped) {
            let sort = view.app.calls.sort().filter(|sort| !is_grouped && Some(sort.column) == column);
            let is_number = matches!(column, Some(Column::Took | Column::Bytes));
            line.push_str(&head(view, name, width, sort.map(|sort| sort.descending), is_number));
            line.push_str("  ");
        }
        line
    }

    /// The column whose head is so many cells from the left.
    pub fn at(&self, cell: usize, is_grouped: bool) -> Option<Column> {
        let mut right = 1;
        self.heads(is_grouped).into_iter().find_map(|(column, _, width)| {
            right += width + 2;
            (cell < right).then_some(column)
        })?
    }
}

/// The width of a column with the gap after it; nothing if it is left out.
const fn gapped(width: usize) -> usize {
    if width > 0 { width + 2 } else { 0 }
}

/// A column header, with an arrow if the rows are sorted by it.
pub(super) fn head(
    view: &View<'_>,
    name: &str,
    width: usize,
    descending: Option<bool>,
    is_number: bool,
) -> String {
    let arrow = match descending {
        None => "",
        Some(true) => view.theme.glyphs.descending,
        Some(false) => view.theme.glyphs.ascending,
    };
    let name = format!("{}{arrow}", text::fit(name, width.saturating_sub(text::width(arrow)), ""));
    if is_number { text::pad_left(&name, width, "") } else { view.pad(&name, width) }
}
