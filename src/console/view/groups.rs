//! The calls in groups: each command, its outcome and its timing.

use std::time::Duration;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use crate::{
    console::{
        column::Column,
        layout::pane::Pane,
        model::{
            grouped_list::{GroupedList, GroupedRow},
            mode::Mode,
        },
        view::{
            canvas::{View, mark, put},
            columns::{Columns, GROUP_NAME},
            row,
        },
    },
    domain::{
        analysis::{
            groups::{CallGroup, Timing},
            retries::{NextAttempt, began},
        },
        model::entry::{EntryKind, Outcome},
        text,
    },
};

/// An outcome gives way to the time that its retries took while it keeps so many cells.
const MIN_OUTCOME_WIDTH: usize = 10;

/// Draws the rows in view.
pub fn render(
    view: &View<'_>,
    grouped_list: &GroupedList,
    columns: &Columns,
    list: Rect,
    buffer: &mut Buffer,
) {
    let is_marked = view.app.focus == Pane::Calls && matches!(view.app.mode, Mode::Browse);
    let lines = view.screen.entry_lines;
    for (index, (row, is_selected)) in grouped_list.visible(view.screen.rows(Pane::Calls)).enumerate() {
        let line = match row {
            GroupedRow::Header(group, is_expanded) => header(view, columns, group, is_expanded),
            GroupedRow::Member(member) => row::line(view, columns, &member.entry, member.began(), "  "),
            GroupedRow::Entry(entry) => row::line(view, columns, entry, began(entry), ""),
        };
        let top = index as u16 * lines;
        put(buffer, list, top, &line);
        if is_marked && is_selected {
            mark(buffer, list, top, view.theme.styles.selection);
        }
    }
}

/// How wide the column of the volumes has to be for a row's name and volume, which have two columns together.
pub fn name_overflow(row: GroupedRow<'_>) -> usize {
    let GroupedRow::Header(group, _) = row else { return 0 };
    let volume = text::width(&text::clean(group.volume().unwrap_or_default()));
    (2 + text::width(&group.name()) + 2 + volume).saturating_sub(GROUP_NAME + 2)
}

/// `15:41:07.214  docker  ▸ create  db1    2 calls  ok  plugin 0.4 ms + engine 0.1 ms    0.5 ms`
fn header(view: &View<'_>, columns: &Columns, group: &CallGroup, is_expanded: bool) -> Line<'static> {
    let (styles, glyphs) = (&view.theme.styles, view.theme.glyphs);
    let members = group.members();
    let mut spans = vec![Span::raw(" ")];
    let mut say = |text: String, style: Style| spans.push(Span::styled(text, style));
    if columns[Column::Time] > 0 {
        let time = row::time(view, members[0].began(), columns[Column::Time]);
        say(view.pad(&time, columns[Column::Time] + 2), styles.dim);
    }
    if columns.node > 0 {
        let node = text::clean(group.node().unwrap_or_default());
        say(view.pad(&node, columns.node + 2), styles.bold);
    }
    if columns[Column::Caller] > 0 {
        say(view.pad(group.caller().as_str(), columns[Column::Caller] + 2), styles.dim);
    }
    let symbol = if is_expanded { glyphs.expanded } else { glyphs.collapsed };
    let volume = text::clean(group.volume().unwrap_or_default()).into_owned();
    let room = columns[Column::Call] + columns[Column::Volume];
    // Of a long name the end is what can be missed; of a long volume too.
    let name =
        view.fit(&format!("{symbol} {}", group.name()), room.saturating_sub(text::width(&volume).min(8)));
    let left = (room + 2).saturating_sub(text::width(&name) + 2);
    say(format!("{name}  "), styles.bold);
    say(view.pad(&volume, left), styles.text);
    say("  ".into(), Style::new());
    let (mut outcome, style) = outcome(view, group);
    let timing = group.timing(view.snapshot.at);
    // Where there is no room for all of it, the pauses matter most.
    let short = Timing { plugin: Duration::ZERO, engine: Duration::ZERO, ..timing }.parts();
    let mut left =
        columns[Column::Fault] + columns[Column::Outcome] + if columns[Column::Fault] > 0 { 2 } else { 0 };
    let symbol = if group.has_fault() { format!("{} ", glyphs.fault) } else { String::new() };
    let count = format!("{:<9} ", text::counted(members.len() as u64, "call"));
    let mut room_for_count = left.saturating_sub(count.len() + 1);
    if !timing.retries.is_zero() && !is_open(view, group) {
        // The duration of retries matters more than the end of an error message.
        let rest = text::width(&symbol) + 2 + text::width(&short);
        let with_count = left.saturating_sub(count.len() + rest);
        let room = if with_count >= MIN_OUTCOME_WIDTH { with_count } else { left.saturating_sub(rest) };
        if room >= MIN_OUTCOME_WIDTH {
            outcome = view.fit(&outcome, room);
            room_for_count = with_count;
        }
    }
    let mut outcome_spans = vec![(symbol, styles.fault), (format!("{outcome}  "), style)];
    if text::width(&outcome) <= room_for_count {
        outcome_spans.insert(0, (count, styles.dim));
    }
    let taken: usize = outcome_spans.iter().map(|(text, _)| text::width(text)).sum();
    let parts = [timing.parts(), short].into_iter().find(|parts| taken + text::width(parts) <= left);
    outcome_spans.extend(parts.map(|parts| (parts, styles.dim)));
    for (text, style) in outcome_spans {
        let text = view.fit(&text, left);
        left -= text::width(&text);
        say(text, style);
    }
    say(" ".repeat(left), Style::new());
    if columns[Column::Took] > 0 {
        let took = text::pad_left(&text::took(timing.wall), columns[Column::Took], "");
        let style = if timing.wall.as_secs() > 0 { styles.warning } else { styles.dim };
        say(format!("  {took}"), style);
    }
    Line::from(spans)
}

/// Whether it is still running, so that its outcome counts down.
fn is_open(view: &View<'_>, group: &CallGroup) -> bool {
    let next = view.app.retries.next_attempt(&group.decisive().entry, view.snapshot.at);
    next.is_some_and(NextAttempt::is_open)
}

/// The outcome of a group so far.
pub fn outcome(view: &View<'_>, group: &CallGroup) -> (String, Style) {
    let entry = &group.decisive().entry;
    let next = view.app.retries.next_attempt(entry, view.snapshot.at).filter(|next| next.is_open());
    match (&entry.kind, next) {
        (EntryKind::Held(held), _) => row::held(view, entry, held),
        (_, Some(next)) => (next.to_string(), view.theme.styles.warning),
        (EntryKind::Call(call), _) if call.outcome == Outcome::Ok => match group.first_fault() {
            Some((operation, fault)) => {
                (format!("ok, after {operation}: {}", text::clean(&fault.action)), view.theme.styles.warning)
            }
            None => ("ok".into(), view.theme.styles.good),
        },
        (EntryKind::Call(call), _) => row::outcome(view, call),
        _ => (String::new(), view.theme.styles.text),
    }
}
