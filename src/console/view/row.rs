//! One row of the calls: an entry in a line, in the columns that there is room for.

use jiff::Timestamp;
use ratatui::{
    style::Style,
    text::{Line, Span},
};

use crate::{
    console::{
        column::Column,
        view::{canvas::View, columns::Columns},
    },
    domain::{
        model::{
            entry::{AppliedFault, Call, Entry, EntryKind, HeldCall},
            peer::{Peer, PeerForm},
            protocol::{Caller, Operation},
        },
        text::{
            self,
            describe::{self, StyledText},
        },
    },
};

/// An entry in a line, with the time when it began. The indent is before the operation.
pub fn line(
    view: &View<'_>,
    columns: &Columns,
    entry: &Entry,
    began: Timestamp,
    indent: &'static str,
) -> Line<'static> {
    let styles = &view.theme.styles;
    let is_hit = view.app.dry_run.latest().is_some_and(|dry_run| dry_run.has(entry));
    // A single peer is not worth its name.
    let names_peers = view.snapshot.of_entry(entry).peers.len() > 1;
    let mut row = RowBuilder { view, columns, indent, names_peers, spans: Vec::new() };
    match view.app.marks.symbol(entry) {
        Some(mark) => row.say(&mark.to_string(), styles.key),
        None => row.say(if is_hit { view.theme.glyphs.hit } else { " " }, styles.fault),
    }
    row.column(&time(view, began, columns[Column::Time]), columns[Column::Time], styles.dim);
    row.column(&text::clean(entry.node.as_deref().unwrap_or_default()), columns.node, styles.bold);
    match &entry.kind {
        EntryKind::Call(call) => row.call(call),
        EntryKind::Held(held) => row.held(entry, held),
        _ => row.remark(entry),
    }
    Line::from(row.spans)
}

/// An entry that is no call, in words.
pub fn remark(view: &View<'_>, entry: &Entry) -> Vec<Span<'static>> {
    describe::remark(entry, view.theme.glyphs.symbols).into_iter().map(|said| span(view, said)).collect()
}

/// What is said, in the style of its tone.
pub fn span(view: &View<'_>, said: StyledText) -> Span<'static> {
    Span::styled(said.text, view.theme.styles.of(said.tone))
}

struct RowBuilder<'v> {
    view: &'v View<'v>,
    columns: &'v Columns,
    indent: &'static str,
    names_peers: bool,
    spans: Vec<Span<'static>>,
}

impl RowBuilder<'_> {
    fn say(&mut self, text: &str, style: Style) {
        self.spans.push(Span::styled(text.to_owned(), style));
    }

    /// A text in a column and the gap after it; nothing if the column is left out.
    fn column(&mut self, text: &str, width: usize, style: Style) {
        if width > 0 {
            self.spans.push(Span::styled(self.view.pad(text, width), style));
            self.say("  ", Style::new());
        }
    }

    fn call(&mut self, call: &Call) {
        let styles = &self.view.theme.styles;
        let style = if call.operation.is_some() { styles.bold } else { styles.warning };
        let word = call_word(call, self.columns[Column::Call].saturating_sub(self.indent.len()));
        let from = (call.caller, call.peer.as_deref(), call.connection);
        self.subject(from, (&word, style), call.volume.as_deref());
        let status = call.status.map_or_else(String::new, |status| status.to_string());
        self.column(&status, self.columns[Column::Status], styles.text);
        let bytes = text::pad_left(&text::grouped(call.reply.length as u64), self.columns[Column::Bytes], "");
        self.column(&bytes, self.columns[Column::Bytes], styles.text);
        let lints: String = call.lints.iter().flat_map(|lint| ["  (", lint.as_str(), ")"]).collect();
        self.outcome_columns(call.fault.as_deref(), outcome(self.view, call), &lints, 0);
        if self.columns[Column::Took] > 0 {
            let took = text::pad_left(&text::took(call.duration), self.columns[Column::Took], "");
            self.say("  ", Style::new());
            self.say(&took, if call.duration.as_secs() > 0 { styles.warning } else { styles.dim });
        }
    }

    fn held(&mut self, entry: &Entry, held: &HeldCall) {
        let strong = self.view.theme.styles.bold;
        let from = (held.caller, held.peer.as_deref(), held.connection);
        self.subject(from, (&describe::asked(held.head()), strong), held.volume.as_deref());
        self.column("", self.columns[Column::Status], strong);
        self.column("", self.columns[Column::Bytes], strong);
        // Its duration is not known yet and leaves its column to the outcome.
        let took = if self.columns[Column::Took] > 0 { self.columns[Column::Took] + 2 } else { 0 };
        self.outcome_columns(Some(&held.fault), self::held(self.view, entry, held), "", took);
    }

    /// What is no call. Where there is no room for all of it, what was typed at an engine is cut before its
    /// result.
    fn remark(&mut self, entry: &Entry) {
        let mut spans = remark(self.view, entry);
        let room = self.columns.width();
        let is_typed = matches!(entry.kind, EntryKind::EngineCommand(_) | EntryKind::Shell(_));
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

    /// Client, connection, operation and volume. A call without a volume uses both columns.
    fn subject(
        &mut self,
        (caller, peer, connection): (Caller, Option<&Peer>, u64),
        (word, style): (&str, Style),
        volume: Option<&str>,
    ) {
        let columns = self.columns;
        let dim = self.view.theme.styles.dim;
        let word = format!("{}{word}", self.indent);
        let named = |form: PeerForm| peer.map(|peer| text::clean(&form.of(peer)).into_owned());
        // Where there are several, who it was says more than which program.
        let has_one = !self.names_peers || columns[Column::Peer] > 0;
        let client = named(columns.peer_form).filter(|_| !has_one).unwrap_or_else(|| caller.to_string());
        self.column(&client, columns[Column::Caller], dim);
        self.column(&named(PeerForm::Whole).unwrap_or_default(), columns[Column::Peer], dim);
        self.column(&connection.to_string(), columns[Column::Connection], dim);
        match volume {
            Some(volume) => {
                self.column(&word, columns[Column::Call], style);
                self.column(&text::clean(volume), columns[Column::Volume], self.view.theme.styles.text);
            }
            None => self.column(&word, columns.call_and_volume(), style),
        }
    }

    /// What was done to a call and how it ended, in two columns or in one, and with so much more room after them.
    fn outcome_columns(
        &mut self,
        applied: Option<&AppliedFault>,
        (outcome, style): (String, Style),
        lints: &str,
        more: usize,
    ) {
        let (fault, warning) = (self.view.theme.styles.fault, self.view.theme.styles.warning);
        let is_outage = applied.is_some_and(|applied| applied.outage().is_some());
        let applied = applied
            .map(|applied| format!("{} {}", self.view.theme.glyphs.fault, text::clean(&applied.to_string())));
        let mut left = self.columns[Column::Outcome] + more;
        if self.columns[Column::Fault] > 0 {
            self.column(&applied.unwrap_or_default(), self.columns[Column::Fault], fault);
        } else if let Some(applied) = applied {
            // The first word says what was done, of an outage both; how it ended says the rest.
            let words = if is_outage { 2 } else { 1 };
            let symbol_and_word =
                applied.match_indices(' ').nth(words).map_or(&*applied, |(end, _)| &applied[..end]);
            // Of a failure its symbol says so too, where the message needs the room.
            let glyph = self.view.theme.glyphs.fault;
            let failed = format!("{glyph} fail");
            let is_long = text::width(symbol_and_word) + 1 + text::width(&outcome) > left;
            let word = if is_long && symbol_and_word == failed { glyph } else { symbol_and_word };
            let applied = self.view.fit(&format!("{word} "), left);
            left -= text::width(&applied);
            self.say(&applied, fault);
        }
        let outcome = self.view.fit(&outcome, left);
        left -= text::width(&outcome);
        self.say(&outcome, style);
        self.say(&self.view.pad(lints, left), warning);
    }
}

/// The time of day, as exactly as there is room for.
pub fn time(view: &View<'_>, at: Timestamp, width: usize) -> String {
    describe::time(at, &view.app.zone, width)
}

/// The operation, in a column that may be narrow.
fn call_word(call: &Call, width: usize) -> String {
    match call.operation {
        Some(Operation::Capabilities) if width < 12 => "caps".to_owned(),
        _ => describe::asked(call.head()),
    }
}

/// How a call ended, in words.
pub fn outcome(view: &View<'_>, call: &Call) -> (String, Style) {
    let StyledText { text, tone } = describe::outcome(call, view.theme.glyphs.symbols);
    (text, view.theme.styles.of(tone))
}

/// How long a call has waited, and how long its caller will bear it yet.
pub fn held(view: &View<'_>, entry: &Entry, held: &HeldCall) -> (String, Style) {
    let StyledText { text, tone } = describe::held_for(held, view.snapshot.waited(entry));
    (text, view.theme.styles.of(tone))
}
