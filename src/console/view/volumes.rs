//! The volumes: name, open mounts, what is special about them, options.

use std::ops::Range;

use jiff::Timestamp;
use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
    text::{Line, Span},
};

use crate::{
    console::{
        column::{Column, ColumnChoice},
        input::action::KeyAction,
        layout::pane::Pane,
        model::{mode::Mode, obstacle::obstacle, volume_list::options, window::Cursor},
        view::{
            canvas::{View, mark, put},
            columns, nodes, row,
        },
    },
    domain::{model::volume::Volume, text},
    hub::Snapshot,
};

/// Draws the pane.
pub fn render(view: &View<'_>, area: Rect, buffer: &mut Buffer) {
    let snapshot = view.snapshot;
    let title = format!("Volumes {}", snapshot.volume_count());
    let open_mounts = open_mounts(snapshot);
    let mounts = text::counted(open_mounts, "open mount");
    let node = nodes::chosen(view);
    let state = [node, Span::styled(mounts, super::header::count_style(open_mounts, view))];
    let inner = view.pane(Pane::Volumes, &title, &state, area, buffer);
    if snapshot.is_all() {
        let size = (inner.width.into(), inner.height.into());
        for (row, line) in overview(view, view.app.volume.1, size).iter().enumerate() {
            view.put_fitted(buffer, inner, row as u16, line);
        }
        return;
    }
    if snapshot.volumes.is_empty() {
        let says = match obstacle(KeyAction::Forget, snapshot) {
            _ if snapshot.driver.upstream.is_some() => {
                "The volumes of the plugin are not known yet.\n`docker volume ls` shows them."
            }
            None => "No volumes yet.\nAn engine creates them; `conjure NAME` does too.",
            Some(_) => "No volumes yet.",
        };
        for (row, line) in text::wrap(says, usize::from(inner.width).saturating_sub(2)).iter().enumerate() {
            put(buffer, inner, row as u16, &Line::styled(format!(" {line}"), view.theme.styles.dim));
        }
        return;
    }
    let columns = VolumeColumns::of(view);
    if view.screen.shape.has_frames() {
        put(buffer, inner, 0, &Line::styled(columns.heading(view), view.theme.styles.dim));
    }
    let list = view.screen.list(Pane::Volumes);
    let rows = rows_in_view(view);
    let selected = view.app.volume_row(snapshot);
    for (line, (row, volume)) in rows.clone().zip(view.app.volumes_in(rows, snapshot)).enumerate() {
        let is_chosen = row == selected && view.app.chosen_volume(snapshot).is_some();
        let volume = row_of(view, volume, &columns, is_chosen);
        view.put_fitted(buffer, list, line as u16, &volume);
        if row == selected && view.app.focus == Pane::Volumes && matches!(view.app.mode, Mode::Browse) {
            mark(buffer, list, line as u16, view.theme.styles.selection);
        }
    }
}

fn rows_in_view(view: &View<'_>) -> Range<usize> {
    let cursor = Cursor { row: view.app.volume_row(view.snapshot), top: view.app.volume.1 };
    cursor.visible(view.snapshot.volumes.len(), view.screen.list(Pane::Volumes).height.into())
}

/// With less room the options are not worth a column.
const MIN_OPTIONS: usize = 4;

/// The columns that are shown, from left to right, with the width of each. The last one has what is left.
struct VolumeColumns(Vec<(Column, usize)>);

impl VolumeColumns {
    /// The cells for the symbol of the selected row.
    const SIGN: usize = 2;

    fn of(view: &View<'_>) -> Self {
        Self::of_chosen(view, &view.app.columns)
    }

    fn of_chosen(view: &View<'_>, chosen: &ColumnChoice) -> Self {
        let room = usize::from(view.screen.list(Pane::Volumes).width);
        let volumes = view.app.volumes_in(rows_in_view(view), view.snapshot);
        let shown = Column::of(Pane::Volumes).filter(|column| chosen.shows(*column));
        let width = |column| {
            let widest = volumes.iter().map(|volume| text::width(&cell(view, column, volume).0)).max();
            let widest = widest.unwrap_or(0);
            match column {
                Column::Name => widest.clamp(6, (room / 2).max(8)),
                Column::State => widest.max(13),
                Column::Mountpoint => widest.clamp(10, (room / 3).max(10)),
                Column::Scope => widest.max(5),
                Column::LastUsed => widest.max(10),
                _ => widest,
            }
        };
        // The options have what is left. Any other column is shown where there is room for it.
        let mut left = room.saturating_sub(Self::SIGN);
        let fits = |(column, width): &(Column, usize)| {
            let least = if *column == Column::Options { MIN_OPTIONS } else { *width };
            if column.is_fixed() || least <= left {
                left = left.saturating_sub(width + 2);
                return true;
            }
            false
        };
        Self(shown.map(|column| (column, width(column))).filter(fits).collect())
    }

    fn heading(&self, view: &View<'_>) -> String {
        let sort = view.app.columns.sort(Pane::Volumes);
        let is_sorted = |column| column == sort.column && !sort.is_usual();
        self.0.iter().fold(" ".repeat(Self::SIGN), |line, (column, width)| {
            let width = if *column == Column::Options { 9 } else { *width };
            let descending = is_sorted(*column).then_some(sort.descending);
            format!("{line}{}  ", columns::head(view, column.name(), width, descending, false))
        })
    }

    fn at(&self, cell: usize) -> Option<Column> {
        let mut right = Self::SIGN;
        self.0.iter().find_map(|(column, width)| {
            right += width + 2;
            (cell < right || *column == Column::Options).then_some(*column)
        })
    }
}

/// Whether a column is in view where it is chosen. Where the volumes are not, it is not known.
pub fn has_room(view: &View<'_>, column: Column) -> bool {
    if view.screen.volumes.is_none() || view.snapshot.is_all() {
        return true;
    }
    let chosen = view.app.columns.clone().with(column);
    VolumeColumns::of_chosen(view, &chosen).0.iter().any(|(shown, _)| *shown == column)
}

/// The column whose head is at a place on the screen.
pub fn column_at(view: &View<'_>, at: Position) -> Option<Column> {
    let list = view.screen.list(Pane::Volumes);
    let is_head = at.y + 1 == list.y && (list.left()..list.right()).contains(&at.x);
    let is_shown = view.screen.shape.has_frames() && view.screen.volumes.is_some();
    if !is_head || !is_shown || view.snapshot.volumes.is_empty() {
        return None;
    }
    VolumeColumns::of(view).at((at.x - list.x).into())
}

/// What a volume has in a column.
fn cell(view: &View<'_>, column: Column, volume: &Volume) -> (String, Style) {
    let styles = &view.theme.styles;
    let facts = view.app.call_facts.as_ref();
    let said = facts.and_then(|facts| facts.of(&volume.name));
    match column {
        Column::State => state_of(view, volume),
        Column::Mountpoint => {
            let path = said.and_then(|said| said.mountpoint.as_deref()).unwrap_or_default();
            (text::clean(path).into_owned(), styles.text)
        }
        Column::Scope => {
            let scope = facts.and_then(|facts| facts.scope.as_deref()).unwrap_or_default();
            (text::clean(scope).into_owned(), styles.text)
        }
        Column::LastUsed => {
            let used = said.and_then(|said| said.last_used).map(|at| last_used(view, at));
            (used.unwrap_or_default(), styles.dim)
        }
        Column::Options => (text::clean(&options(volume)).into_owned(), styles.text),
        _ => (text::clean(&volume.name).into_owned(), styles.text),
    }
}

/// The time of day, with the date if that is another one.
fn last_used(view: &View<'_>, at: Timestamp) -> String {
    let [used, now] = [at, view.snapshot.at].map(|at| view.app.zone.to_datetime(at).date());
    let time = row::time(view, at, 8);
    if used == now { time } else { format!("{used} {time}") }
}

fn open_mounts(snapshot: &Snapshot) -> u64 {
    let nodes = if snapshot.is_all() { &snapshot.nodes[..] } else { std::slice::from_ref(snapshot) };
    nodes.iter().map(|node| node.volumes.open_mounts()).sum()
}

/// The volumes of all instances, from a line on.
fn overview(view: &View<'_>, top: usize, (width, height): (usize, usize)) -> Vec<Line<'static>> {
    let styles = &view.theme.styles;
    let mut lines = Vec::new();
    let mut skipped = top;
    for node in &view.snapshot.nodes {
        if lines.len() >= height {
            break;
        }
        let count = 1 + node.volumes.len();
        if skipped >= count {
            skipped -= count;
            continue;
        }
        if skipped == 0 {
            let mounts = text::counted(node.volumes.open_mounts(), "open mount");
            let count_of = text::counted(node.volumes.len() as u64, "volume");
            lines.push(Line::from(vec![
                Span::styled(format!(" {}", nodes::name(node)), styles.bold),
                Span::styled(format!("  {count_of}, {mounts}"), styles.dim),
            ]));
        }
        let first = skipped.saturating_sub(1);
        let shown = first..node.volumes.len().min(first + height - lines.len());
        let volumes: Vec<_> = node.volumes.rows(shown).collect();
        let names = volumes.iter().map(|volume| text::width(&text::clean(&volume.name)));
        let name = names.max().unwrap_or(0).clamp(6, (width / 2).max(8));
        lines.extend(volumes.iter().map(|volume| overview_row(view, volume, name)));
        skipped = 0;
    }
    lines.truncate(height);
    lines
}

/// A row of a volume that is not selected.
fn overview_row(view: &View<'_>, volume: &Volume, name: usize) -> Line<'static> {
    let (state, style) = state_of(view, volume);
    Line::from(vec![
        Span::raw(format!("  {}  ", view.pad(&text::clean(&volume.name), name))),
        Span::styled(view.pad(&state, 13), style),
        Span::raw(format!("  {}", text::clean(&options(volume))).trim_end().to_owned()),
    ])
}

/// What is special about a volume, in words.
fn state_of(view: &View<'_>, volume: &Volume) -> (String, Style) {
    let (styles, glyphs) = (&view.theme.styles, view.theme.glyphs);
    if let Some(mask) = volume.mask {
        let mounts = volume.open_mounts();
        let mounted = if mounts > 0 { format!(", mounted {mounts}") } else { String::new() };
        return (format!("{} masked: {}{mounted}", glyphs.forgotten, mask.as_str()), styles.fault);
    }
    match (volume.exists, volume.open_mounts()) {
        (false, 0) => (format!("{} forgotten", glyphs.forgotten), styles.fault),
        (false, mounts) => (format!("{} forgotten, mounted {mounts}", glyphs.forgotten), styles.fault),
        (true, 0) => (format!("{} not mounted", glyphs.idle), styles.dim),
        (true, mounts) => (format!("{} mounted {mounts}", glyphs.mounted), styles.good),
    }
}

fn row_of(view: &View<'_>, volume: &Volume, columns: &VolumeColumns, selected: bool) -> Line<'static> {
    let (styles, glyphs) = (&view.theme.styles, view.theme.glyphs);
    let symbol = format!("{:1} ", if selected { glyphs.cursor } else { "" });
    let mut spans = vec![Span::styled(symbol, styles.focus)];
    let notes: Vec<_> =
        notes_on(volume).map(|note| Span::styled(format!("{note}  "), styles.warning)).collect();
    for (column, width) in &columns.0 {
        let (text, style) = cell(view, *column, volume);
        // What is odd about it has no column of its own, and stands before its options.
        if *column == Column::Options {
            spans.extend(notes.iter().cloned());
        }
        let text = if *column == Column::Options { text } else { view.pad(&text, *width) };
        spans.push(Span::styled(if text.is_empty() { text } else { text + "  " }, style));
    }
    if !view.app.columns.shows(Column::Options) {
        spans.extend(notes);
    }
    if !volume.exists && volume.mask.is_none() {
        spans.push(Span::styled("still known to the engine", styles.dim));
    }
    // Trailing spaces would be cut with an ellipsis.
    if let Some(last) = spans.last_mut() {
        last.content = last.content.trim_end().to_owned().into();
    }
    Line::from(spans)
}

fn notes_on(volume: &Volume) -> impl Iterator<Item = &'static str> {
    let ninja = volume.is_ninja().then_some("ninja: not in List, {} on Get");
    ninja.into_iter().chain(volume.cannot_mount().then_some("cannot be mounted"))
}
