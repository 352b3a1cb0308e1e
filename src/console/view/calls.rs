//! The calls: who asked what about which volume, what was done to it, how it ended and how long it took.
//! Commands stand between them, so that cause and effect are read from top to bottom.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::{View, banner::since, mark, put};
use crate::{
    console::{
        action::Action,
        app::{Mode, Pane},
        text,
    },
    domain::{
        entry::{Call, Deed, Entry, FaultFate, Kind, Outcome, Waiting},
        fault::patience,
        protocol::{Caller, Operation},
    },
};

/// The widths of the columns; 0 where one is left out.
struct Columns {
    time: usize,
    caller: usize,
    call: usize,
    volume: usize,
    deed: usize,
    outcome: usize,
    took: usize,
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
}

/// Draws the pane.
pub fn render(view: &View<'_>, area: Rect, buffer: &mut Buffer) {
    let inner = view.pane(Pane::Calls, "Calls", &state(view), area, buffer);
    if view.app.calls.is_empty() && view.app.calls.is_filtered() {
        let back = view.key(Action::Back);
        let line =
            format!(" No entry passes the filter {}   {back} ends it", text::clean(&view.app.filter_text));
        return put(buffer, inner, 0, &Line::styled(line, view.theme.styles.quiet));
    }
    if view.app.calls.is_empty() {
        return first_minute(view, inner, buffer);
    }
    let columns = Columns::of(inner.width.into());
    let heads = view.screen.shape.has_frames();
    if heads {
        put(buffer, inner, 0, &heading(view, &columns));
    }
    let list = view.screen.list(Pane::Calls);
    let selected = view.app.calls.selected().map(|entry| entry.seq);
    let marked =
        view.app.focus == Pane::Calls && !view.app.calls.follows() && matches!(view.app.mode, Mode::Browse);
    for (row, entry) in view.app.calls.visible(list.height.into()).enumerate() {
        let row = row as u16;
        let is_selected = selected == Some(entry.seq);
        put(buffer, list, row, &row_of(view, &columns, entry));
        if is_selected && marked {
            mark(buffer, list, row, view.theme.styles.selection);
        }
    }
}

/// Whether the list follows, is frozen, or how much of everything it shows.
pub fn state(view: &View<'_>) -> Vec<Span<'static>> {
    let (calls, kept, styles) = (&view.app.calls, &view.seen.kept, &view.theme.styles);
    let mut spans = Vec::new();
    let mut say = |text: String, style: Style| {
        if !spans.is_empty() {
            spans.push(Span::styled(format!(" {} ", view.theme.glyphs.dot), styles.quiet));
        }
        spans.push(Span::styled(text, style));
    };
    if calls.is_filtered() {
        let shown =
            format!("/{}  {} shown", text::clean(&view.app.filter_text), text::grouped(calls.len() as u64));
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
        None if calls.follows() => say("following".into(), styles.quiet),
        None => say(format!("{} newer below", text::grouped(calls.newer() as u64)), styles.warning),
    }
    spans
}

fn heading(view: &View<'_>, columns: &Columns) -> Line<'static> {
    let fields = [
        ("time", columns.time),
        ("caller", columns.caller),
        ("call", columns.call),
        ("volume", columns.volume),
        ("done to it", columns.deed),
        ("outcome", columns.outcome),
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

fn row_of(view: &View<'_>, columns: &Columns, entry: &Entry) -> Line<'static> {
    let styles = &view.theme.styles;
    let is_hit = view.app.rehearsal.as_ref().is_some_and(|rehearsal| rehearsal.hits.contains(&entry.seq));
    let mut spans = vec![Span::styled(if is_hit { view.theme.glyphs.hit } else { " " }, styles.fault)];
    if columns.time > 0 {
        spans.push(Span::styled(time(view, entry, columns.time), styles.quiet));
        spans.push(Span::raw("  "));
    }
    let said = match &entry.kind {
        Kind::Call(call) => return call_row(view, columns, call, spans),
        Kind::Waiting(waiting) => return waiting_row(view, columns, entry, waiting, spans),
        Kind::Command(execution) => {
            spans.push(Span::styled(format!(": {}", text::clean(&execution.line)), styles.command));
            format!("  {} {}", view.theme.glyphs.arrow, execution.effect)
        }
        Kind::Fault(event) => {
            let fate = match event.event {
                FaultFate::Armed => "is armed",
                FaultFate::Disarmed => "is disarmed",
                FaultFate::Spent => "is spent",
                FaultFate::Expired => "is over, its time has passed",
            };
            spans.push(Span::styled(
                format!("{} rule {} {fate}", view.theme.glyphs.fault, event.id),
                styles.fault,
            ));
            format!("  {}", event.rule)
        }
        Kind::Driver { standing } => {
            spans.push(Span::styled("the driver ", styles.warning));
            standing.clone()
        }
        Kind::Note { text } => {
            spans.push(Span::styled("# ", styles.warning));
            text.clone()
        }
    };
    spans.push(Span::styled(text::clean(&said).into_owned(), styles.text));
    Line::from(spans)
}

/// The time of day, as exactly as there is room for.
pub fn time(view: &View<'_>, entry: &Entry, width: usize) -> String {
    let at = view.app.zone.to_datetime(entry.at);
    let (hour, minute, second, milli) =
        (at.hour(), at.minute(), at.second(), at.subsec_nanosecond() / 1_000_000);
    match width {
        12.. => format!("{hour:02}:{minute:02}:{second:02}.{milli:03}"),
        8..=11 => format!("{hour:02}:{minute:02}:{second:02}"),
        _ => format!("{minute:02}:{second:02}"),
    }
}

/// What was asked, in the words of the rule language.
fn call_word(operation: Option<Operation>, request_line: Option<&str>, width: usize) -> String {
    match (operation, request_line) {
        (Some(Operation::Capabilities), _) if width < 12 => "caps".to_owned(),
        (Some(operation), _) => operation.word().to_owned(),
        (None, Some(line)) => text::clean(line).into_owned(),
        (None, None) => "?".to_owned(),
    }
}

/// Who asked what about which volume. A call about none lets its own words have the room.
fn subject(
    view: &View<'_>,
    columns: &Columns,
    caller: Caller,
    call: (&str, Style),
    volume: Option<&str>,
    spans: &mut Vec<Span<'static>>,
) {
    if columns.caller > 0 {
        spans.push(Span::styled(view.pad(caller.word(), columns.caller), view.theme.styles.quiet));
        spans.push(Span::raw("  "));
    }
    let (word, style) = call;
    let Some(volume) = volume else {
        spans.push(Span::styled(view.pad(word, columns.call + 2 + columns.volume), style));
        spans.push(Span::raw("  "));
        return;
    };
    spans.push(Span::styled(view.pad(word, columns.call), style));
    spans.push(Span::raw("  "));
    spans.push(Span::raw(view.pad(&text::clean(volume), columns.volume)));
    spans.push(Span::raw("  "));
}

fn call_row(view: &View<'_>, columns: &Columns, call: &Call, mut spans: Vec<Span<'static>>) -> Line<'static> {
    let styles = &view.theme.styles;
    let word = call_word(call.operation, call.request_line.as_deref(), columns.call);
    let style = if call.operation.is_some() { styles.strong } else { styles.warning };
    subject(view, columns, call.caller, (&word, style), call.volume.as_deref(), &mut spans);
    let deed = call.fault.as_ref().map(|deed| deed_text(view, deed));
    let (mut words, style) = outcome(view, call);
    for lint in &call.lints {
        words.extend(["  (", lint.word(), ")"]);
    }
    ending(view, columns, &mut spans, deed, (words, style));
    if columns.took > 0 {
        spans.push(Span::raw("  "));
        let took = text::pad_left(&text::took(call.took), columns.took, "");
        spans.push(Span::styled(took, if call.took.as_secs() > 0 { styles.warning } else { styles.quiet }));
    }
    Line::from(spans)
}

fn waiting_row(
    view: &View<'_>,
    columns: &Columns,
    entry: &Entry,
    waiting: &Waiting,
    mut spans: Vec<Span<'static>>,
) -> Line<'static> {
    let styles = &view.theme.styles;
    let word = call_word(Some(waiting.operation), None, columns.call);
    subject(view, columns, waiting.caller, (&word, styles.strong), waiting.volume.as_deref(), &mut spans);
    let deed = Some(deed_text(view, &waiting.fault));
    let still = view.seen.waiting.iter().any(|other| other.seq == entry.seq);
    let outcome = if still {
        let waits = since(view.seen.at, entry.at);
        let left = patience(waiting.caller, waiting.operation).map(|limit| limit.saturating_sub(waits));
        let left = left.map_or_else(String::new, |left| format!(", given up in {}", text::clock(left)));
        (format!("WAITS {}{left}", text::clock(waits)), styles.warning)
    } else {
        ("waited".to_owned(), styles.quiet)
    };
    ending(view, columns, &mut spans, deed, outcome);
    Line::from(spans)
}

/// What was done to a call and how it ended, in two columns or in one.
fn ending(
    view: &View<'_>,
    columns: &Columns,
    spans: &mut Vec<Span<'static>>,
    deed: Option<String>,
    (outcome, style): (String, Style),
) {
    let styles = &view.theme.styles;
    if columns.deed > 0 {
        spans.push(Span::styled(view.pad(&deed.unwrap_or_default(), columns.deed), styles.fault));
        spans.push(Span::raw("  "));
        spans.push(Span::styled(view.pad(&outcome, columns.outcome), style));
        return;
    }
    let mut left = columns.outcome;
    if let Some(deed) = deed {
        // The first word says what was done; how it ended says the rest.
        let sign_and_word = deed.match_indices(' ').nth(1).map_or(&*deed, |(end, _)| &deed[..end]);
        let deed = view.fit(&format!("{sign_and_word} "), left);
        left -= text::width(&deed);
        spans.push(Span::styled(deed, styles.fault));
    }
    spans.push(Span::styled(view.pad(&outcome, left), style));
}

fn deed_text(view: &View<'_>, deed: &Deed) -> String {
    format!("{} {}", view.theme.glyphs.fault, text::clean(&deed.action))
}

/// How a call ended, in words.
pub fn outcome(view: &View<'_>, call: &Call) -> (String, Style) {
    let (styles, glyphs) = (&view.theme.styles, view.theme.glyphs);
    let error = call.error.as_deref().map(|error| text::clean(error.trim()).into_owned());
    match call.outcome {
        Outcome::Answered => {
            let id = call.id.as_deref().map(|id| format!("  {}", short_id(view, id))).unwrap_or_default();
            (format!("ok{id}"), if call.fault.is_some() { styles.text } else { styles.good })
        }
        Outcome::Failed => {
            let error = error.unwrap_or_default();
            let status = match call.status {
                Some(200) => String::new(),
                // Go's own texts begin with the status already.
                Some(status) if error.starts_with(&status.to_string()) => String::new(),
                Some(status) => format!("{status} "),
                None => "no answer: ".to_owned(),
            };
            // A plain no is a part of the protocol: docker asks for a volume before it creates one.
            let is_plain = call.fault.is_none() && call.status == Some(200);
            (format!("{} {status}{error}", glyphs.failed), if is_plain { styles.text } else { styles.bad })
        }
        Outcome::Abandoned => (format!("{} the caller gave up", glyphs.abandoned), styles.warning),
        Outcome::Panicked => {
            (format!("{} PANICKED {}", glyphs.failed, error.unwrap_or_default()), styles.bad)
        }
    }
}

/// The beginning of a mount ID, enough to tell one from another.
fn short_id(view: &View<'_>, id: &str) -> String {
    text::fit(&text::clean(id), 8, view.theme.glyphs.ellipsis).into_owned()
}

/// What to do when nothing has called yet.
fn first_minute(view: &View<'_>, area: Rect, buffer: &mut Buffer) {
    let styles = &view.theme.styles;
    let width = usize::from(area.width).saturating_sub(2);
    let mut lines: Vec<(String, Style)> = Vec::new();
    let mut say = |text: &str, style: Style| {
        lines.extend(text::wrap(text, width).into_iter().map(|line| (line, style)));
    };
    if let Some(remedy) = &view.seen.driver.remedy {
        say("docker does not find this driver yet. First, type", styles.warning);
        say(&text::clean(remedy), styles.strong);
        say("", styles.text);
    }
    say("Nobody has called yet. In another terminal, type", styles.text);
    say(&docker_command(&view.seen.driver.name), styles.strong);
    say("", styles.text);
    let copy = view.key(Action::CopyJson);
    let fault = view.key(Action::Preset("fail-mounts"));
    say(
        &format!(
            "({copy} copies it) and every request that docker makes appears here. Then press {fault} to make mounts \
             fail, and type it again: docker shows the error. {fault} once more ends it."
        ),
        styles.text,
    );
    for (row, (line, style)) in lines.into_iter().enumerate() {
        put(buffer, area, row as u16, &Line::styled(format!(" {line}"), style));
    }
}

/// The command with which a newcomer sees the first calls.
pub fn docker_command(driver: &str) -> String {
    format!("docker run --rm -v demo:/data --volume-driver {driver} busybox touch /data/hello")
}
