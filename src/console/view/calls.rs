//! The calls: who asked what about which volume, what was done to it, how it ended and how long it took.
//! Commands stand between them, so that cause and effect are read from top to bottom.

use std::sync::Arc;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::{View, groups, mark, put, row, sequence, welcome};
use crate::{
    console::{
        action::Action,
        app::{Mode, Pane},
        grouped_list::GroupedList,
        text,
    },
    domain::model::entry::{Entry, EntryKind},
};

/// The heads of two columns, which are as narrow as these where their content is.
const VOLUME: &str = "volume";
const DEED: &str = "done to it";

/// The width of the column with an episode's name.
pub const EPISODE: usize = 12;

/// The widths of the columns; 0 where one is left out.
pub struct Columns {
    /// The time of day.
    pub time: usize,
    /// Who asked.
    pub caller: usize,
    /// What was asked.
    pub call: usize,
    /// About which volume.
    pub volume: usize,
    /// What a rule did to it.
    pub fault: usize,
    /// How it ended.
    pub outcome: usize,
    /// How long it took.
    pub took: usize,
}

/// How wide the words in view are that share what room is left.
#[derive(Clone, Copy, Debug, Default)]
struct Content {
    volume: usize,
    fault: usize,
}

impl Content {
    fn of<'e>(entries: impl Iterator<Item = &'e Entry>, fault: &str) -> Self {
        entries.fold(Self::default(), |widest, entry| {
            let (volume, applied) = match &entry.kind {
                EntryKind::Call(call) => (call.volume.as_deref(), call.fault.as_ref()),
                EntryKind::Held(waiting) => (waiting.volume.as_deref(), Some(&waiting.fault)),
                _ => (None, None),
            };
            let volume = volume.map_or(0, |volume| text::width(&text::clean(volume)));
            let fault = applied
                .map_or(0, |applied| text::width(fault) + 1 + text::width(&text::clean(&applied.action)));
            Self { volume: widest.volume.max(volume), fault: widest.fault.max(fault) }
        })
    }
}

impl Columns {
    /// How a call ended is what it is all about: no other column takes more than its content needs.
    fn of(width: usize, content: Content, is_folded: bool) -> Self {
        let call = if is_folded { EPISODE } else { 8 };
        let (time, caller, call, took) = match width {
            96.. => (12, 9, 12, 8),
            60..=95 => (8, 0, call, 8),
            48..=59 => (5, 0, 8, 7),
            _ => (0, 0, 8, 0),
        };
        let gaps = 1 + [time, caller, call, took].iter().filter(|width| **width > 0).count() * 2 + 2;
        let rest = width.saturating_sub(time + caller + call + took + gaps);
        let volume = content.volume.clamp(VOLUME.len(), (rest / 4).clamp(8, 20)).min(rest);
        let rest = rest.saturating_sub(volume);
        // Where there is little room, what was done and how it ended share a column.
        let fault = if rest >= 44 { content.fault.clamp(DEED.len(), (rest * 2 / 5).min(36)) } else { 0 };
        let outcome = rest.saturating_sub(if fault > 0 { fault + 2 } else { 0 });
        Self { time, caller, call, volume, fault, outcome, took }
    }

    /// The cells of all columns behind the time.
    pub fn width(&self) -> usize {
        let columns = [self.caller, self.call, self.volume, self.fault, self.outcome, self.took];
        columns.into_iter().filter(|width| *width > 0).map(|width| width + 2).sum::<usize>().saturating_sub(2)
    }
}

/// Draws the pane.
pub fn render(view: &View<'_>, area: Rect, buffer: &mut Buffer) {
    let grouped_list = view.app.grouped_list.as_ref();
    let title = if grouped_list.is_some() { "Episodes" } else { "Calls" };
    let mut states = [true, false].map(|has_keys| state(view, has_keys)).into_iter();
    let room = usize::from(area.width).saturating_sub(text::width(title) + 6);
    let fits = |state: &Vec<Span<'_>>| state.iter().map(Span::width).sum::<usize>() <= room;
    let state = states.find(fits).unwrap_or_default();
    let inner = view.pane(Pane::Calls, title, &state, area, buffer);
    let is_empty = grouped_list.map_or(view.app.calls.is_empty(), GroupedList::is_empty);
    if is_empty && view.app.calls.is_filtered() {
        let back = view.key(Action::Back);
        let line =
            format!(" No entry passes the filter {}   {back} ends it", text::clean(&view.app.filter_text));
        return view.put_fitted(buffer, inner, 0, &Line::styled(line, view.theme.styles.quiet));
    }
    if is_empty {
        return welcome::render(view, inner, buffer);
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
    let sign = view.theme.glyphs.fault;
    let content = match grouped_list {
        Some(grouped_list) => {
            let content = Content::of(grouped_list.visible(rows).map(|(row, _)| row.entry().as_ref()), sign);
            let names = grouped_list.visible(rows).map(|(row, _)| groups::name_overflow(row)).max();
            Content { volume: content.volume.max(names.unwrap_or(0)), ..content }
        }
        None => Content::of(view.app.calls.visible(rows).map(Arc::as_ref), sign),
    };
    let columns = Columns::of(inner.width.into(), content, grouped_list.is_some());
    if heads {
        put(buffer, inner, 0, &heading(view, &columns));
    }
    if let Some(grouped_list) = grouped_list {
        return groups::render(view, grouped_list, &columns, list, buffer);
    }
    let selected = view.app.calls.selected().map(|entry| entry.seq);
    let marked =
        view.app.focus == Pane::Calls && !view.app.calls.follows() && matches!(view.app.mode, Mode::Browse);
    for (row, entry) in view.app.calls.visible(rows).enumerate() {
        let row = row as u16 * lines;
        put(buffer, list, row, &row::line(view, &columns, entry, ""));
        if marked && selected == Some(entry.seq) {
            mark(buffer, list, row, view.theme.styles.selection);
        }
    }
}

/// Whether the list follows, is frozen, or how much of everything it shows; and with which key it goes on.
pub fn state(view: &View<'_>, has_keys: bool) -> Vec<Span<'static>> {
    let grouped_list = view.app.grouped_list.as_ref();
    let (calls, kept, styles) = (&view.app.calls, &view.snapshot.kept, &view.theme.styles);
    let mut spans = Vec::new();
    let mut say = |text: String, style: Style| {
        if !spans.is_empty() {
            spans.push(Span::styled(format!(" {} ", view.theme.glyphs.dot), styles.quiet));
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
        say(format!("{} kept of {}", text::grouped(in_all - dropped), text::grouped(in_all)), styles.quiet);
    }
    match calls.held_back(view.snapshot.rows) {
        Some(held) => say(format!("PAUSED +{}", text::grouped(held)), styles.warning),
        None if follows(view) => say("following".into(), styles.quiet),
        None => match newer(view) {
            0 => say("the newest; not following".into(), styles.warning),
            newer => say(format!("{} newer below", text::grouped(newer)), styles.warning),
        },
    }
    if has_keys && let Some((key, does)) = way_on(view) {
        spans.push(Span::styled(format!("  {key}"), styles.key));
        spans.push(Span::styled(format!(" {does}"), styles.quiet));
    }
    spans
}

fn follows(view: &View<'_>) -> bool {
    view.app.grouped_list.as_ref().map_or(view.app.calls.follows(), GroupedList::follows)
}

/// How many rows are below the selected one.
fn newer(view: &View<'_>) -> u64 {
    view.app.grouped_list.as_ref().map_or(view.app.calls.newer(), GroupedList::newer) as u64
}

/// The key that lets the list go on, and what it does.
fn way_on(view: &View<'_>) -> Option<(String, &'static str)> {
    let (action, does) = if view.app.calls.is_frozen() {
        (Action::Pause, "goes on")
    } else if follows(view) {
        return None;
    } else {
        (Action::Last, "follows")
    };
    let key = view.key(action);
    (!key.is_empty()).then_some((key, does))
}

/// The same where there is little room: a filter by its sign, and what matters most.
pub fn short_state(view: &View<'_>) -> Vec<Span<'static>> {
    let (calls, grouped_list) = (&view.app.calls, view.app.grouped_list.as_ref());
    let state = match calls.held_back(view.snapshot.rows) {
        Some(held) => format!("PAUSED +{}", text::grouped(held)),
        None if calls.is_filtered() => {
            format!("{} shown", text::grouped(grouped_list.map_or(calls.len(), GroupedList::items) as u64))
        }
        None if follows(view) => return Vec::new(),
        None => match (newer(view), way_on(view)) {
            (0, Some((key, does))) => format!("{key} {does}"),
            (newer, _) => format!("{} newer", text::grouped(newer)),
        },
    };
    let sign = if calls.is_filtered() { "/ " } else { "" };
    vec![Span::styled(format!("{sign}{state}"), view.theme.styles.warning)]
}

fn heading(view: &View<'_>, columns: &Columns) -> Line<'static> {
    let is_folded = view.app.grouped_list.is_some();
    let release_action = if is_folded && columns.fault > 0 {
        [("outcome", columns.fault), ("", columns.outcome)]
    } else {
        [(DEED, columns.fault), ("outcome", columns.outcome)]
    };
    let (time, caller) = (("time", columns.time), ("caller", columns.caller));
    // An episode has one text for both of them.
    let subject = if is_folded {
        [("command, volume", columns.call + 2 + columns.volume), ("", 0)]
    } else {
        [("call", columns.call), (VOLUME, columns.volume)]
    };
    let fields = [[time, caller], subject, release_action];
    let mut line: String = " ".into();
    for (name, width) in fields.into_iter().flatten().filter(|(_, width)| *width > 0) {
        line.push_str(&view.pad(name, width));
        line.push_str("  ");
    }
    if columns.took > 0 {
        line.push_str(&text::pad_left("took", columns.took, ""));
    }
    Line::styled(line, view.theme.styles.quiet)
}
