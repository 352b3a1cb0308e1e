//! The calls: client, operation, volume, fault, outcome and duration.
//! Commands stand between them, so that cause and effect are read from top to bottom.

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
        model::{grouped_list::GroupedList, mode::Mode, row_list::RowList as _},
        view::{
            canvas::{View, mark, put},
            columns::{self, Columns, ContentWidths},
            empty_state, groups, row, sequence,
        },
    },
    domain::{model::peer::PeerForm, text},
};

/// Draws the pane.
pub fn render(view: &View<'_>, area: Rect, buffer: &mut Buffer) {
    let grouped_list = view.app.grouped_list.as_ref();
    let title = if grouped_list.is_some() { "Groups" } else { "Calls" };
    let mut states = [true, false].map(|has_keys| state(view, has_keys)).into_iter();
    let room = usize::from(area.width).saturating_sub(text::width(title) + 6);
    let fits = |state: &Vec<Span<'_>>| state.iter().map(Span::width).sum::<usize>() <= room;
    let state = states.find(fits).unwrap_or_default();
    let inner = view.pane(Pane::Calls, title, &state, area, buffer);
    let is_empty = view.app.rows().is_empty();
    if is_empty && view.app.calls.is_filtered() {
        let back = view.key(KeyAction::Back);
        let (filter, meant) = (text::clean(&view.app.filter_text), view.app.calls.filter().did_you_mean());
        let line = format!(" No entry matches {filter}{meant}   {back} clears the filter");
        return view.put_fitted(buffer, inner, 0, &Line::styled(line, view.theme.styles.dim));
    }
    if is_empty {
        return empty_state::render(view, inner, buffer);
    }
    if view.app.has_heard_nothing(view.snapshot) && !view.screen.is_sequence && grouped_list.is_none() {
        // Below the notes of the start.
        let used = (view.app.calls.len() as u16 * view.screen.entry_lines).saturating_add(2);
        let below =
            Rect { y: inner.y.saturating_add(used), height: inner.height.saturating_sub(used), ..inner };
        empty_state::render(view, below.intersection(inner), buffer);
    }
    let list = view.screen.list(Pane::Calls);
    let lines = view.screen.entry_lines;
    let heads = view.screen.shape.has_frames();
    if view.screen.is_sequence {
        if heads {
            put(buffer, inner, 0, &sequence::heading(view, inner.width));
        }
        return sequence::render(view, list, buffer);
    }
    let rows = view.screen.rows(Pane::Calls);
    let columns = columns(view, inner.width);
    if heads {
        let heading = columns.heading(view, grouped_list.is_some());
        put(buffer, inner, 0, &Line::styled(heading, view.theme.styles.dim));
    }
    if let Some(grouped_list) = grouped_list {
        return groups::render(view, grouped_list, &columns, list, buffer);
    }
    let selected = view.app.calls.selected().map(|entry| entry.seq);
    let marked = view.app.focus == Pane::Calls && matches!(view.app.mode, Mode::Browse);
    for (index, row) in view.app.calls.visible_rows(rows).enumerate() {
        let (top, entry) = (index as u16 * lines, &row.entry);
        put(buffer, list, top, &row::line(view, &columns, entry, row.began, ""));
        if marked && selected == Some(entry.seq) {
            mark(buffer, list, top, view.theme.styles.selection);
        }
    }
}

/// Whether the list scrolls, is paused or filtered, and the key that resumes it.
pub fn state(view: &View<'_>, has_keys: bool) -> Vec<Span<'static>> {
    let grouped_list = view.app.grouped_list.as_ref();
    let (calls, kept, styles) = (&view.app.calls, &view.snapshot.kept, &view.theme.styles);
    let mut spans = Vec::new();
    let mut say = |text: String, style: Style| {
        if !spans.is_empty() {
            spans.push(Span::styled(format!(" {} ", view.theme.glyphs.dot), styles.dim));
        }
        spans.push(Span::styled(text, style));
    };
    if calls.is_filtered() {
        let shown = text::grouped(grouped_list.map_or(calls.len(), GroupedList::items) as u64);
        let shown = format!("/{}  {shown} shown", text::clean(&view.app.filter_text));
        say(shown, styles.warning);
    }
    let dropped = view.snapshot.dropped;
    let in_all = kept.end - kept.start + dropped;
    if dropped > 0 && view.screen.shape.has_frames() {
        say(format!("{} kept of {}", text::grouped(in_all - dropped), text::grouped(in_all)), styles.dim);
    }
    match (calls.new_while_paused(view.snapshot.rows), sorted(view)) {
        (Some(new), _) => say(format!("PAUSED +{}", text::grouped(new)), styles.warning),
        (None, Some(by)) => say(by, styles.dim),
        (None, None) if view.app.rows().follows() => say("auto-scroll on".into(), styles.dim),
        (None, None) => match newer(view) {
            0 => say("auto-scroll off".into(), styles.warning),
            newer => say(format!("{} newer below", text::grouped(newer)), styles.warning),
        },
    }
    if has_keys && let Some((key, does)) = resume_key(view) {
        spans.push(Span::styled(format!("  {key}"), styles.key));
        spans.push(Span::styled(format!(" {does}"), styles.dim));
    }
    spans
}

/// By what the rows are sorted, if they are not in the order of time.
fn sorted(view: &View<'_>) -> Option<String> {
    let sort = view.app.calls.sort().filter(|_| view.app.grouped_list.is_none())?;
    let glyphs = view.theme.glyphs;
    let arrow = if sort.descending { glyphs.descending } else { glyphs.ascending };
    Some(format!("by {} {arrow}", sort.column.name()))
}

/// The width of the longest name of a peer, and of one at an instance that has several; and how these are named in so
/// many cells.
fn peer_widths(view: &View<'_>, width: usize) -> (usize, usize, PeerForm) {
    let snapshot = view.snapshot;
    let own = if snapshot.nodes.is_empty() { std::slice::from_ref(snapshot) } else { &snapshot.nodes[..] };
    let peers = |least: usize| {
        let several = own.iter().filter(move |node| node.peers.len() >= least);
        several.flat_map(|node| node.peers.iter().map(AsRef::as_ref))
    };
    let form = if width < columns::FULL { PeerForm::shortest(peers(2)) } else { PeerForm::Whole };
    let widest =
        |least, form: PeerForm| peers(least).map(|peer| text::width(&form.of(peer))).max().unwrap_or(0);
    (widest(1, PeerForm::Whole), widest(2, form), form)
}

/// The width of the longest name of an instance, where there are several.
fn node_width(view: &View<'_>) -> usize {
    let names = view.snapshot.nodes.iter().filter_map(|node| node.node.as_deref());
    names.map(|name| text::width(&text::clean(name))).max().map_or(0, |width| width.max(4))
}

/// How many rows are below those in view. The selected one is none of them where only what is open is in view.
fn newer(view: &View<'_>) -> u64 {
    let rows = view.app.rows();
    let below = rows.below(view.screen.rows(Pane::Calls));
    below.min(rows.len().saturating_sub(rows.selected_row() + 1)) as u64
}

/// The key that resumes the list, and what it does.
fn resume_key(view: &View<'_>) -> Option<(String, &'static str)> {
    let (action, does) = if view.app.calls.is_paused() {
        (KeyAction::Pause, "resumes")
    } else if view.app.rows().follows() || sorted(view).is_some() {
        return None;
    } else {
        (KeyAction::Last, "resumes")
    };
    let key = view.key(action);
    (!key.is_empty()).then_some((key, does))
}

/// The same in a short form.
pub fn short_state(view: &View<'_>) -> Vec<Span<'static>> {
    let (calls, grouped_list) = (&view.app.calls, view.app.grouped_list.as_ref());
    let state = match calls.new_while_paused(view.snapshot.rows) {
        Some(new) => format!("PAUSED +{}", text::grouped(new)),
        None if sorted(view).is_some() => {
            return vec![Span::styled(sorted(view).unwrap_or_default(), view.theme.styles.dim)];
        }
        None if calls.is_filtered() => {
            format!("{} shown", text::grouped(grouped_list.map_or(calls.len(), GroupedList::items) as u64))
        }
        None if view.app.rows().follows() => return vec![Span::styled("auto-scroll", view.theme.styles.dim)],
        None => match (newer(view), resume_key(view)) {
            (0, Some((key, does))) => format!("{key} {does}"),
            (newer, _) => format!("{} newer", text::grouped(newer)),
        },
    };
    let sign = if calls.is_filtered() { "/ " } else { "" };
    vec![Span::styled(format!("{sign}{state}"), view.theme.styles.warning)]
}

/// Whether a column is in view where it is chosen. Where the calls are not, it is not known.
pub fn has_room(view: &View<'_>, column: Column) -> bool {
    if view.screen.calls.is_none() {
        return true;
    }
    let chosen = view.app.columns.clone().with(column);
    columns_of(view, view.screen.list(Pane::Calls).width, &chosen).shows(column)
}

/// The columns in so many cells.
fn columns(view: &View<'_>, width: u16) -> Columns {
    columns_of(view, width, &view.app.columns)
}

fn columns_of(view: &View<'_>, width: u16, chosen: &ColumnChoice) -> Columns {
    let grouped_list = view.app.grouped_list.as_ref();
    let rows = view.screen.rows(Pane::Calls);
    let widths = view.app.calls.widths();
    let names = grouped_list
        .map_or(0, |list| list.visible(rows).map(|(row, _)| groups::name_overflow(row)).max().unwrap_or(0));
    let (widest_peer, peers, peer_form) = peer_widths(view, width.into());
    let shows_peer = chosen.shows(Column::Peer) && grouped_list.is_none();
    let content = ContentWidths {
        volume: widths.volume.max(names),
        fault: match widths.action {
            0 => 0,
            action => text::width(view.theme.glyphs.fault) + 1 + action,
        },
        node: node_width(view),
        peer: if shows_peer { 0 } else { peers },
        peer_form,
        widest_peer,
    };
    Columns::of(width.into(), content, grouped_list.is_some(), chosen)
}

/// The column whose head is at a place on the screen.
pub fn column_at(view: &View<'_>, at: Position) -> Option<Column> {
    let list = view.screen.list(Pane::Calls);
    let is_head =
        view.screen.shape.has_frames() && at.y + 1 == list.y && (list.left()..list.right()).contains(&at.x);
    if !is_head || view.screen.calls.is_none() || view.screen.is_sequence {
        return None;
    }
    columns(view, list.width).at((at.x - list.x).into(), view.app.grouped_list.is_some())
}
