//! The columns of the calls, and how wide each is.

use crate::{
    console::{
        column::{Column, ColumnChoice},
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

/// The widths of the columns; 0 where one is left out.
pub struct Columns {
    /// The time of day.
    pub time: usize,
    /// The instance, where there are several.
    pub node: usize,
    /// The client, or its process or address where there are several.
    pub caller: usize,
    /// The process or address, where that is a column of its own.
    pub peer: usize,
    /// The number of the connection.
    pub connection: usize,
    /// The operation.
    pub call: usize,
    /// About which volume.
    pub volume: usize,
    /// The HTTP status of the reply.
    pub status: usize,
    /// The length of the reply.
    pub bytes: usize,
    /// What a rule did to it.
    pub fault: usize,
    /// How it ended.
    pub outcome: usize,
    /// How long it took.
    pub took: usize,
    /// How the clients are named in their column.
    pub peer_form: PeerForm,
}

/// How wide the volumes and faults are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Content {
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
    pub fn of(width: usize, content: Content, is_grouped: bool, chosen: &ColumnChoice) -> Self {
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
        let mut columns = Self {
            time: if_shown(Column::Time, time),
            // Always shown, since any call can be of any instance.
            node: content.node.min(if width < 60 { 6 } else { 16 }),
            caller: if_shown(Column::Caller, caller),
            peer: 0,
            connection: 0,
            call,
            volume: 0,
            status: 0,
            bytes: 0,
            fault: 0,
            outcome: 0,
            took: if_shown(Column::Took, took),
            peer_form: content.peer_form,
        };
        let least = if_shown(Column::Volume, content.volume.clamp(VOLUME.len(), 8) + 2) + MIN_OUTCOME;
        if !is_grouped {
            // Each where there is room for it; a group has none of them.
            let mut add = |column, place: fn(&mut Self) -> &mut usize, needed| {
                if chosen.shows(column) && columns.taken() + needed + 2 + least <= width {
                    *place(&mut columns) = needed;
                }
            };
            add(Column::Status, |columns| &mut columns.status, 6);
            add(Column::Connection, |columns| &mut columns.connection, 6);
            add(Column::Bytes, |columns| &mut columns.bytes, 7);
            add(Column::Peer, |columns| &mut columns.peer, content.widest_peer.clamp(6, 20));
        }
        let rest = width.saturating_sub(columns.taken());
        if chosen.shows(Column::Volume) {
            let rest = rest.saturating_sub(2);
            // A name is whole where how calls ended has enough room beside it, and a column for faults if it has one.
            let beside = if rest >= MIN_FAULT + 20 { MIN_FAULT } else { BESIDE_NAMES };
            let most = rest.saturating_sub(beside).clamp(8, 32);
            columns.volume = content.volume.clamp(VOLUME.len(), most).min(rest);
        }
        let rest = rest.saturating_sub(columns.volume_with_gap());
        // In little room, fault and outcome share a column.
        if rest >= MIN_FAULT && chosen.shows(Column::Fault) {
            columns.fault = content.fault.clamp(FAULT.len(), (rest * 2 / 5).min(36));
        }
        columns.outcome = rest.saturating_sub(if columns.fault > 0 { columns.fault + 2 } else { 0 });
        columns
    }

    /// What the columns of a fixed width take, with the gaps around them.
    fn taken(&self) -> usize {
        let fixed = [
            self.time,
            self.node,
            self.caller,
            self.peer,
            self.connection,
            self.call,
            self.status,
            self.bytes,
            self.took,
        ];
        1 + fixed.into_iter().filter(|width| *width > 0).map(|width| width + 2).sum::<usize>()
    }

    fn volume_with_gap(&self) -> usize {
        if self.volume > 0 { self.volume + 2 } else { 0 }
    }

    /// The width of the operation where it takes the volume's column too.
    pub fn call_and_volume(&self) -> usize {
        self.call + if self.volume > 0 { 2 + self.volume } else { 0 }
    }

    /// The width of all columns after the time and the instance.
    pub fn width(&self) -> usize {
        let columns = [
            self.caller,
            self.peer,
            self.connection,
            self.call,
            self.volume,
            self.status,
            self.bytes,
            self.fault,
            self.outcome,
            self.took,
        ];
        columns.into_iter().filter(|width| *width > 0).map(|width| width + 2).sum::<usize>().saturating_sub(2)
    }

    /// Whether a column of the calls is in view. That of the faults is in that of the outcome where there is little room.
    pub fn shows(&self, column: Column) -> bool {
        let width = match column {
            Column::Time => self.time,
            Column::Caller => self.caller,
            Column::Peer => self.peer,
            Column::Connection => self.connection,
            Column::Call => self.call,
            Column::Volume => self.volume,
            Column::Status => self.status,
            Column::Bytes => self.bytes,
            Column::Took => self.took,
            _ => self.outcome,
        };
        width > 0
    }

    /// What stands above the columns, from left to right, with the width of each. A group has one text for its name
    /// and its volume.
    fn heads(&self, is_grouped: bool) -> Vec<(Option<Column>, &'static str, usize)> {
        let head = |column: Column, width| (Some(column), column.name(), width);
        let mut heads =
            vec![head(Column::Time, self.time), (None, "node", self.node), head(Column::Caller, self.caller)];
        if is_grouped {
            heads.push((None, "command, volume", self.call_and_volume()));
        } else {
            heads.extend([
                head(Column::Peer, self.peer),
                (Some(Column::Connection), "conn", self.connection),
                head(Column::Call, self.call),
                head(Column::Volume, self.volume),
                head(Column::Status, self.status),
                head(Column::Bytes, self.bytes),
            ]);
        }
        if is_grouped && self.fault > 0 {
            heads.push((None, "outcome", self.fault + 2 + self.outcome));
        } else {
            heads.extend([head(Column::Fault, self.fault), head(Column::Outcome, self.outcome)]);
        }
        heads.push(head(Column::Took, self.took));
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
