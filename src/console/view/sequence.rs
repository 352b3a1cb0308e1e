//! The calls as a sequence diagram between engine and plugin, for a room to follow.
//!
//! ```text
//!                docker                                   voltergeist
//! 15:41:07.214     ├── mount db1 ────────────────────────────▶│
//!                  │◀──── ⚡ fail  ✗ 500 invalid argument ────┤  0.2 ms
//! ```

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::{View, mark, put, row};
use crate::{
    console::{
        app::{Mode, Pane},
        text,
    },
    domain::{
        entry::{Call, Entry, Kind, Outcome, Waiting},
        protocol::Caller,
    },
};

/// How many lines an entry takes.
pub const LINES: u16 = 2;
/// The least width that it can be drawn in.
pub const LEAST: u16 = 56;

/// Columns before the engine's line, and behind the plugin's.
const BEFORE: usize = 17;
const BEHIND: usize = 12;

/// Draws the calls in view.
pub fn render(view: &View<'_>, list: Rect, lines: u16, buffer: &mut Buffer) {
    let selected = view.app.calls.selected().map(|entry| entry.seq);
    let marked =
        view.app.focus == Pane::Calls && !view.app.calls.follows() && matches!(view.app.mode, Mode::Browse);
    let diagram = Diagram { view, span: usize::from(list.width).saturating_sub(BEFORE + BEHIND) };
    for (index, entry) in view.app.calls.visible(usize::from(list.height / lines)).enumerate() {
        let top = index as u16 * lines;
        for (offset, line) in diagram.entry(entry).into_iter().enumerate() {
            put(buffer, list, top + offset as u16, &line);
            if marked && selected == Some(entry.seq) {
                mark(buffer, list, top + offset as u16, view.theme.styles.selection);
            }
        }
        for row in LINES..lines {
            put(buffer, list, top + row, &diagram.lifelines("", Vec::new(), false));
        }
    }
}

/// Who stands at which line.
pub fn heading(view: &View<'_>, width: u16) -> Line<'static> {
    let engine = match view.seen.tally.usual_caller() {
        Caller::Simulated => "docker (simulated)",
        caller => caller.word(),
    };
    let span = usize::from(width).saturating_sub(BEFORE + BEHIND);
    let plugin = text::clean(&view.seen.driver.name).into_owned();
    let left = BEFORE.saturating_sub(engine.len() / 2);
    let gap = (BEFORE + span + 1).saturating_sub(left + engine.len() + text::width(&plugin) / 2);
    Line::styled(format!("{:left$}{engine}{:gap$}{plugin}", "", ""), view.theme.styles.strong)
}

struct Diagram<'v> {
    view: &'v View<'v>,
    /// The cells between the two lines.
    span: usize,
}

impl Diagram<'_> {
    fn entry(&self, entry: &Entry) -> Vec<Line<'static>> {
        let time = row::time(self.view, entry, 12);
        match &entry.kind {
            Kind::Call(call) => {
                let word = row::call_word(call.operation, call.request_line.as_deref(), 12);
                let took = text::took(call.took);
                vec![self.request(&time, &word, call.volume.as_deref()), self.reply(call, &took)]
            }
            Kind::Waiting(waiting) => self.waiting(entry, waiting, &time),
            _ => {
                // What was said first, and what came of it below.
                let mut said = row::remark(self.view, entry);
                let outcome = if said.len() > 1 { said.split_off(1) } else { Vec::new() };
                vec![self.lifelines(&time, said, false), self.lifelines("", outcome, false)]
            }
        }
    }

    /// `├── mount db1 ───▶│`
    fn request(&self, time: &str, word: &str, volume: Option<&str>) -> Line<'static> {
        let (view, styles, line) = (self.view, &self.view.theme.styles, &self.view.theme.glyphs.sequence);
        let label = format!(" {word} {} ", volume.map(text::clean).unwrap_or_default()).replace("  ", " ");
        let label = view.fit(&label, self.span.saturating_sub(6));
        let rest = self.span.saturating_sub(text::width(&label) + 3);
        Line::from(vec![
            Span::styled(view.pad(&format!(" {time}"), BEFORE), styles.quiet),
            Span::styled(format!("{}{}", line.leaves, line.dash.repeat(2)), styles.text),
            Span::styled(label, styles.strong),
            Span::styled(format!("{}{}", line.dash.repeat(rest), line.right), styles.text),
            Span::styled(line.life, styles.quiet),
        ])
    }

    /// `│◀─── ok ───┤`, or how it broke off.
    fn reply(&self, call: &Call, took: &str) -> Line<'static> {
        let (view, styles, line) = (self.view, &self.view.theme.styles, &self.view.theme.glyphs.sequence);
        let (outcome, style) = row::outcome(view, call);
        // Where there is no room for all of it, the first word says what was done; how it ended says the rest.
        let deed = call.fault.as_ref().map(|deed| {
            let action = text::clean(&deed.action);
            let fits = text::width(&action) + text::width(&outcome) + 12 < self.span;
            let word = action.split(' ').next().unwrap_or_default();
            format!(" {} {} ", view.theme.glyphs.fault, if fits { &action } else { word })
        });
        let deed = view.fit(&deed.unwrap_or_default(), self.span / 2);
        let lints: String = call.lints.iter().flat_map(|lint| [" (", lint.word(), ")"]).collect();
        let room = self.span.saturating_sub(text::width(&deed) + 6);
        let outcome = view.fit(&format!(" {outcome}{lints} "), room);
        let rest = self.span.saturating_sub(text::width(&deed) + text::width(&outcome) + 3);
        // An answer that never arrived does not reach the engine's line.
        let head = if call.status.is_some() { line.left } else { line.lost };
        let style =
            if call.outcome == Outcome::Answered && call.fault.is_none() { styles.good } else { style };
        Line::from(vec![
            Span::raw(" ".repeat(BEFORE)),
            Span::styled(line.life, styles.quiet),
            Span::styled(format!("{head}{}", line.dash.repeat(rest)), styles.text),
            Span::styled(deed, styles.fault),
            Span::styled(outcome, style),
            Span::styled(format!("{}{}", line.dash.repeat(2), line.returns), styles.text),
            Span::styled(format!("  {took}"), styles.quiet),
        ])
    }

    /// The request of a call that waits, and how long it has.
    fn waiting(&self, entry: &Entry, waiting: &Waiting, time: &str) -> Vec<Line<'static>> {
        let view = self.view;
        let (waits, style) = row::waits(view, entry, waiting);
        let deed = format!(" {} {}  ", view.theme.glyphs.fault, text::clean(&waiting.fault.action));
        let said = vec![Span::styled(deed, view.theme.styles.fault), Span::styled(waits, style)];
        vec![
            self.request(time, waiting.operation.word(), waiting.volume.as_deref()),
            self.lifelines("", said, true),
        ]
    }

    /// Both lines of life, with something said between them: at the left, or at the plugin's side.
    fn lifelines(&self, time: &str, said: Vec<Span<'static>>, at_plugin: bool) -> Line<'static> {
        let (view, styles, line) = (self.view, &self.view.theme.styles, &self.view.theme.glyphs.sequence);
        let mut left = self.span;
        let mut shown = Vec::new();
        for span in said {
            let text = view.fit(&span.content, left.saturating_sub(2));
            left -= text::width(&text);
            shown.push(Span::styled(text, span.style));
        }
        let gap = Span::raw(" ".repeat(left.saturating_sub(1)));
        let mut spans = vec![
            Span::styled(view.pad(&format!(" {time}"), BEFORE), styles.quiet),
            Span::styled(line.life, styles.quiet),
        ];
        if at_plugin {
            spans.push(gap);
            spans.extend(shown);
            spans.push(Span::raw(" "));
        } else {
            spans.push(Span::raw(" "));
            spans.extend(shown);
            spans.push(gap);
        }
        spans.push(Span::styled(line.life, styles.quiet));
        Line::from(spans)
    }
}
