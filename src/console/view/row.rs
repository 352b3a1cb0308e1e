//! One row of the calls: an entry in a line, in the columns that there is room for.

use ratatui::{
    style::Style,
    text::{Line, Span},
};

use super::{View, banner::since, calls::Columns};
use crate::{
    console::text,
    domain::{
        entry::{Call, Deed, Entry, FaultFate, Kind, Outcome, Waiting},
        fault::patience,
        protocol::{Caller, Operation},
    },
};

/// An entry in a line.
pub fn line(view: &View<'_>, columns: &Columns, entry: &Entry) -> Line<'static> {
    let styles = &view.theme.styles;
    let is_hit =
        view.app.rehearsal.as_ref().is_some_and(|rehearsal| rehearsal.hits.binary_search(&entry.seq).is_ok());
    let mut row = Row { view, columns, spans: Vec::new() };
    row.say(if is_hit { view.theme.glyphs.hit } else { " " }, styles.fault);
    row.column(&time(view, entry, columns.time), columns.time, styles.quiet);
    match &entry.kind {
        Kind::Call(call) => row.call(call),
        Kind::Waiting(waiting) => row.waiting(entry, waiting),
        _ => row.remark(entry),
    }
    Line::from(row.spans)
}

/// An entry that is no call, in words.
pub fn remark(view: &View<'_>, entry: &Entry) -> Vec<Span<'static>> {
    let styles = &view.theme.styles;
    let said = |text: &str, style: Style| Span::styled(text::clean(text).into_owned(), style);
    match &entry.kind {
        Kind::Call(_) | Kind::Waiting(_) => Vec::new(),
        Kind::Command(execution) => vec![
            said(&format!(": {}", execution.line), styles.command),
            said(&format!("  {} {}", view.theme.glyphs.arrow, execution.effect), styles.text),
        ],
        Kind::Fault(event) => {
            let fate = match event.event {
                FaultFate::Armed => "is armed",
                FaultFate::Disarmed => "is disarmed",
                FaultFate::Spent => "is spent",
                FaultFate::Expired => "is over, its time has passed",
            };
            vec![
                said(&format!("{} rule {} {fate}", view.theme.glyphs.fault, event.id), styles.fault),
                said(&format!("  {}", event.rule), styles.text),
            ]
        }
        Kind::Driver { standing } => {
            vec![said("the driver ", styles.warning), said(standing, styles.text)]
        }
        // What was typed at an engine, with what came of it.
        Kind::Note { text } if text.starts_with("$ ") => match text.split_once("  → ") {
            Some((line, outcome)) => vec![
                said(line, styles.strong),
                said(&format!("  {} {outcome}", view.theme.glyphs.arrow), styles.warning),
            ],
            None => vec![said(text, styles.strong)],
        },
        Kind::Note { text } => vec![said("# ", styles.warning), said(text, styles.text)],
    }
}

struct Row<'v> {
    view: &'v View<'v>,
    columns: &'v Columns,
    spans: Vec<Span<'static>>,
}

impl Row<'_> {
    fn say(&mut self, text: &str, style: Style) {
        self.spans.push(Span::styled(text.to_owned(), style));
    }

    /// A text in a column and the gap behind it; nothing where the column is left out.
    fn column(&mut self, text: &str, width: usize, style: Style) {
        if width > 0 {
            self.spans.push(Span::styled(self.view.pad(text, width), style));
            self.say("  ", Style::new());
        }
    }

    fn call(&mut self, call: &Call) {
        let styles = &self.view.theme.styles;
        let style = if call.operation.is_some() { styles.strong } else { styles.warning };
        let word = call_word(call.operation, call.request_line.as_deref(), self.columns.call);
        self.subject(call.caller, (&word, style), call.volume.as_deref());
        let lints: String = call.lints.iter().flat_map(|lint| ["  (", lint.word(), ")"]).collect();
        self.ending(call.fault.as_ref(), outcome(self.view, call), &lints);
        if self.columns.took > 0 {
            let took = text::pad_left(&text::took(call.took), self.columns.took, "");
            self.say("  ", Style::new());
            self.say(&took, if call.took.as_secs() > 0 { styles.warning } else { styles.quiet });
        }
    }

    fn waiting(&mut self, entry: &Entry, waiting: &Waiting) {
        let word = call_word(Some(waiting.operation), None, self.columns.call);
        let strong = self.view.theme.styles.strong;
        self.subject(waiting.caller, (&word, strong), waiting.volume.as_deref());
        self.ending(Some(&waiting.fault), waits(self.view, entry, waiting), "");
    }

    /// What is no call. Where there is no room for all of it, what was typed at an engine gives way to what
    /// came of it.
    fn remark(&mut self, entry: &Entry) {
        let mut spans = remark(self.view, entry);
        let room = self.columns.width();
        let is_typed = matches!(&entry.kind, Kind::Note { text } if text.starts_with("$ "));
        if is_typed && spans.len() > 1 && spans.iter().map(Span::width).sum::<usize>() > room {
            let outcome: usize = spans[1..].iter().map(Span::width).sum();
            let least = room * 2 / 5;
            spans[0].content =
                self.view.fit(&spans[0].content, room.saturating_sub(outcome).max(least)).into();
        }
        let mut left = room;
        for span in spans {
            let text = self.view.fit(&span.content, left);
            left -= text::width(&text);
            self.say(&text, span.style);
        }
    }

    /// Who asked what about which volume. A call about none lets its own words have the room.
    fn subject(&mut self, caller: Caller, (word, style): (&str, Style), volume: Option<&str>) {
        let Columns { caller: callers, call, volume: volumes, .. } = *self.columns;
        self.column(caller.word(), callers, self.view.theme.styles.quiet);
        match volume {
            Some(volume) => {
                self.column(word, call, style);
                self.column(&text::clean(volume), volumes, self.view.theme.styles.text);
            }
            None => self.column(word, call + 2 + volumes, style),
        }
    }

    /// What was done to a call and how it ended, in two columns or in one.
    fn ending(&mut self, deed: Option<&Deed>, (outcome, style): (String, Style), lints: &str) {
        let (fault, warning) = (self.view.theme.styles.fault, self.view.theme.styles.warning);
        let deed = deed.map(|deed| format!("{} {}", self.view.theme.glyphs.fault, text::clean(&deed.action)));
        let mut left = self.columns.outcome;
        if self.columns.deed > 0 {
            self.column(&deed.unwrap_or_default(), self.columns.deed, fault);
        } else if let Some(deed) = deed {
            // The first word says what was done; how it ended says the rest.
            let sign_and_word = deed.match_indices(' ').nth(1).map_or(&*deed, |(end, _)| &deed[..end]);
            let deed = self.view.fit(&format!("{sign_and_word} "), left);
            left -= text::width(&deed);
            self.say(&deed, fault);
        }
        let outcome = self.view.fit(&outcome, left);
        left -= text::width(&outcome);
        self.say(&outcome, style);
        self.say(&self.view.pad(lints, left), warning);
    }
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
pub fn call_word(operation: Option<Operation>, request_line: Option<&str>, width: usize) -> String {
    match (operation, request_line) {
        (Some(Operation::Capabilities), _) if width < 12 => "caps".to_owned(),
        (Some(operation), _) => operation.word().to_owned(),
        (None, Some(line)) => text::clean(line).into_owned(),
        (None, None) => "?".to_owned(),
    }
}

/// How a call ended, in words.
pub fn outcome(view: &View<'_>, call: &Call) -> (String, Style) {
    let (styles, glyphs) = (&view.theme.styles, view.theme.glyphs);
    let error = call.error.as_deref().map(|error| text::clean(error.trim()).into_owned()).unwrap_or_default();
    match call.outcome {
        // What a rule let go out may be anything, so it is shown as it was.
        Outcome::Answered if call.fault.is_some() => {
            (format!("answered {}", text::clean(call.reply.text().trim())), styles.text)
        }
        Outcome::Answered => {
            let id = call.id.as_deref().map(|id| view.fit(&text::clean(id), 8)).unwrap_or_default();
            (format!("ok  {id}").trim_end().to_owned(), styles.good)
        }
        Outcome::Failed => {
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
        Outcome::Panicked => (format!("{} PANICKED {error}", glyphs.failed), styles.bad),
    }
}

/// How long a call has waited, and how long its caller will bear it yet.
pub fn waits(view: &View<'_>, entry: &Entry, waiting: &Waiting) -> (String, Style) {
    let styles = &view.theme.styles;
    if !view.seen.waiting.iter().any(|other| other.seq == entry.seq) {
        return ("waited".to_owned(), styles.quiet);
    }
    let waited = since(view.seen.at, entry.at);
    let left = patience(waiting.caller, waiting.operation).map(|limit| limit.saturating_sub(waited));
    let left = left.map_or_else(String::new, |left| format!(", given up in {}", text::clock(left)));
    (format!("WAITS {}{left}", text::clock(waited)), styles.warning)
}
