//! The calls: who asked what about which volume, what was done to it, how it ended and how long it took.
//! Commands stand between them, so that cause and effect are read from top to bottom.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::{View, episodes, mark, put, row, sequence, welcome};
use crate::console::{
    action::Action,
    app::{Mode, Pane},
    folding::Folding,
    text,
};

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
    pub deed: usize,
    /// How it ended.
    pub outcome: usize,
    /// How long it took.
    pub took: usize,
}

impl Columns {
    fn of(width: usize) -> Self {
        let (time, caller, call, took) = match width {
            96.. => (12, 9, 12, 8),
            60..=95 => (8, 0, 12, 8),
            48..=59 => (5, 0, 8, 7),
            _ => (0, 0, 8, 0),
        };
        let gaps = 1 + [time, caller, call, took].iter().filter(|width| **width > 0).count() * 2 + 2;
        let rest = width.saturating_sub(time + caller + call + took + gaps);
        let volume = (rest / 4).clamp(8, 20).min(rest);
        let rest = rest.saturating_sub(volume);
        // Where there is little room, what was done and how it ended share a column.
        let deed = if rest >= 44 { (rest * 2 / 5).min(36) } else { 0 };
        let outcome = rest.saturating_sub(if deed > 0 { deed + 2 } else { 0 });
        Self { time, caller, call, volume, deed, outcome, took }
    }

    /// The cells of all columns behind the time.
    pub fn width(&self) -> usize {
        let columns = [self.caller, self.call, self.volume, self.deed, self.outcome, self.took];
        columns.into_iter().filter(|width| *width > 0).map(|width| width + 2).sum::<usize>().saturating_sub(2)
    }
}

/// Draws the pane.
pub fn render(view: &View<'_>, area: Rect, buffer: &mut Buffer) {
    let folding = view.app.folding.as_ref();
    let title = if folding.is_some() { "Episodes" } else { "Calls" };
    let inner = view.pane(Pane::Calls, title, &state(view), area, buffer);
    let is_empty = folding.map_or(view.app.calls.is_empty(), Folding::is_empty);
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
        return sequence::render(view, list, lines, buffer);
    }
    let columns = Columns::of(inner.width.into());
    if heads {
        put(buffer, inner, 0, &heading(view, &columns));
    }
    if let Some(folding) = folding {
        return episodes::render(view, folding, &columns, list, buffer);
    }
    let selected = view.app.calls.selected().map(|entry| entry.seq);
    let marked =
        view.app.focus == Pane::Calls && !view.app.calls.follows() && matches!(view.app.mode, Mode::Browse);
    for (row, entry) in view.app.calls.visible(view.screen.rows(Pane::Calls)).enumerate() {
        let row = row as u16 * lines;
        put(buffer, list, row, &row::line(view, &columns, entry, ""));
        if marked && selected == Some(entry.seq) {
            mark(buffer, list, row, view.theme.styles.selection);
        }
    }
}

/// Whether the list follows, is frozen, or how much of everything it shows.
pub fn state(view: &View<'_>) -> Vec<Span<'static>> {
    let folding = view.app.folding.as_ref();
    let (calls, kept, styles) = (&view.app.calls, &view.seen.kept, &view.theme.styles);
    let mut spans = Vec::new();
    let mut say = |text: String, style: Style| {
        if !spans.is_empty() {
            spans.push(Span::styled(format!(" {} ", view.theme.glyphs.dot), styles.quiet));
        }
        spans.push(Span::styled(text, style));
    };
    if calls.is_filtered() {
        let shown = text::grouped(folding.map_or(calls.len(), Folding::items) as u64);
        let shown = format!("/{}  {shown} shown", text::clean(&view.app.filter_text));
        say(shown, styles.warning);
    }
    let gone = kept.start.saturating_sub(1);
    if gone > 0 && view.screen.shape.has_frames() {
        say(
            format!("{} kept of {}", text::grouped(kept.end - kept.start), text::grouped(kept.end - 1)),
            styles.quiet,
        );
    }
    match calls.held_back(kept) {
        Some(held) => say(format!("PAUSED +{}", text::grouped(held)), styles.warning),
        None if folding.map_or(calls.follows(), Folding::follows) => say("following".into(), styles.quiet),
        None => {
            let newer = folding.map_or(calls.newer(), Folding::newer);
            say(format!("{} newer below", text::grouped(newer as u64)), styles.warning);
        }
    }
    spans
}

/// The same where there is little room: a filter by its sign, and what matters most.
pub fn short_state(view: &View<'_>) -> Vec<Span<'static>> {
    let (calls, folding) = (&view.app.calls, view.app.folding.as_ref());
    let state = match calls.held_back(&view.seen.kept) {
        Some(held) => format!("PAUSED +{}", text::grouped(held)),
        None if calls.is_filtered() => {
            format!("{} shown", text::grouped(folding.map_or(calls.len(), Folding::items) as u64))
        }
        None => format!("{} newer", text::grouped(folding.map_or(calls.newer(), Folding::newer) as u64)),
    };
    let sign = if calls.is_filtered() { "/ " } else { "" };
    vec![Span::styled(format!("{sign}{state}"), view.theme.styles.warning)]
}

fn heading(view: &View<'_>, columns: &Columns) -> Line<'static> {
    let is_folded = view.app.folding.is_some();
    let ending = if is_folded && columns.deed > 0 {
        [("outcome", columns.deed), ("", columns.outcome)]
    } else {
        [("done to it", columns.deed), ("outcome", columns.outcome)]
    };
    let fields = [
        ("time", columns.time),
        ("caller", columns.caller),
        (if is_folded { "command" } else { "call" }, columns.call),
        ("volume", columns.volume),
        ending[0],
        ending[1],
    ];
    let mut line: String = " ".into();
    for (name, width) in fields.into_iter().filter(|(_, width)| *width > 0) {
        line.push_str(&view.pad(name, width));
        line.push_str("  ");
    }
    if columns.took > 0 {
        line.push_str(&text::pad_left("took", columns.took, ""));
    }
    Line::styled(line, view.theme.styles.quiet)
}
