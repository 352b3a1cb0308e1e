//! The diagram as lines of text, for a screen and for a file.
//!
//! ```text
//!                docker                                   voltergeist
//! 15:41:07.214     ├── mount db1 ────────────────────────────▶│
//! 15:41:07.215     │◀──── ⚡ fail  ✗ 500 invalid argument ────┤  0.2 ms
//! ```

use std::time::Duration;

use jiff::tz::TimeZone;

use super::{DiagramStep, Part};
use crate::domain::{
    model::{
        entry::{Call, Entry, HeldCall, Outcome},
        protocol::Caller,
    },
    text::{
        self,
        describe::{self, StyledText, Tone},
        symbols::Symbols,
    },
};

/// How many lines an entry takes, without a pause before it.
pub const LINES: u16 = 2;
/// The least width that it can be drawn in.
pub const LEAST: u16 = 56;

/// Columns before the engine's line, and after the plugin's.
const BEFORE: usize = 17;
const AFTER: usize = 12;
/// The most columns of a drawing whose width nobody gave.
const MOST: usize = 160;

/// How the diagram is drawn.
#[derive(Clone, Copy)]
pub struct Drawing<'d> {
    symbols: &'d Symbols,
    zone: &'d TimeZone,
    /// How long a call has waited, if it waits still.
    waited: &'d dyn Fn(&Entry) -> Option<Duration>,
    /// The cells between the two lines.
    span: usize,
}

impl<'d> Drawing<'d> {
    /// One in so many columns.
    pub fn new(
        symbols: &'d Symbols,
        zone: &'d TimeZone,
        waited: &'d dyn Fn(&Entry) -> Option<Duration>,
        width: usize,
    ) -> Self {
        Self { symbols, zone, waited, span: width.saturating_sub(BEFORE + AFTER) }
    }

    /// The same, as wide as these steps need.
    #[must_use]
    pub fn as_wide_as(self, steps: &[DiagramStep<'_>]) -> Self {
        let least = usize::from(LEAST) - BEFORE - AFTER;
        let span = steps.iter().map(|step| self.needs(step)).max().unwrap_or(0);
        Self { span: span.clamp(least, MOST - BEFORE - AFTER), ..self }
    }

    /// The cells between the two lines that a step needs to be drawn in full.
    fn needs(&self, step: &DiagramStep<'_>) -> usize {
        match &step.part {
            Part::Pause(pause) => describe::pause(pause).len() + 2,
            Part::Request(asked) => text::width(asked) + 9,
            Part::Held(held) => {
                let time = describe::held_for(held, (self.waited)(step.entry)).text;
                text::width(&time) + text::width(&held.fault.action) + 10
            }
            Part::Reply { call, to } => {
                // The fault may take half of it.
                let fault = call.fault.as_ref().map_or(0, |fault| text::width(&fault.to_string()) + 4);
                let ended = text::width(&describe::reply(call, to.as_deref(), self.symbols).text);
                (ended + fault + 12).max(fault * 2)
            }
            Part::Remark => {
                let said = describe::remark(step.entry, self.symbols);
                said.iter().map(|said| text::width(&said.text) + 4).max().unwrap_or(0)
            }
        }
    }

    /// The whole of it as text: who takes part, and every step.
    pub fn text(&self, steps: &[DiagramStep<'_>], engine: Caller, plugin: &str) -> String {
        let zone = self.zone.iana_name().map(|name| format!(" {name}")).unwrap_or_default();
        let heading = self.heading(engine, plugin);
        let room = heading.len() - heading.trim_start().len();
        let zone = text::fit(&zone, room.saturating_sub(1), self.symbols.ellipsis);
        let mut page = format!("{zone}{}\n", &heading[text::width(&zone)..]);
        for line in steps.iter().flat_map(|step| self.step(step)) {
            let line: String = line.into_iter().map(|said| said.text).collect();
            page.push_str(line.trim_end());
            page.push('\n');
        }
        page
    }

    /// Who stands at which line.
    pub fn heading(&self, engine: Caller, plugin: &str) -> String {
        let engine = describe::engine(engine);
        let plugin = text::clean(plugin);
        let left = BEFORE.saturating_sub(engine.len() / 2);
        let gap = (BEFORE + self.span + 1).saturating_sub(left + engine.len() + text::width(&plugin) / 2);
        format!("{:left$}{engine}{:gap$}{plugin}", "", "")
    }

    /// The lines of a step.
    pub fn step(&self, step: &DiagramStep<'_>) -> Vec<Vec<StyledText>> {
        let time = describe::time(step.at, self.zone, 12);
        match &step.part {
            Part::Pause(pause) => {
                let said = vec![StyledText::new(describe::pause(pause), Tone::Warning)];
                vec![self.between(self.symbols.pause, "", said, false)]
            }
            Part::Request(asked) => vec![self.request(&time, asked)],
            Part::Held(held) => vec![self.held(step.entry, held)],
            Part::Reply { call, to } => vec![self.reply(&time, call, to.as_deref())],
            Part::Remark => {
                // The command first, and its result below.
                let mut said = describe::remark(step.entry, self.symbols);
                let outcome = if said.len() > 1 { said.split_off(1) } else { Vec::new() };
                vec![self.lifelines(&time, said, false), self.lifelines("", outcome, false)]
            }
        }
    }

    /// Both lines of life, with nothing between them.
    pub fn gap(&self) -> Vec<StyledText> {
        self.lifelines("", Vec::new(), false)
    }

    fn fit(&self, text: &str, width: usize) -> String {
        text::fit(text, width, self.symbols.ellipsis).into_owned()
    }

    fn margin(&self, time: &str) -> StyledText {
        StyledText::new(text::pad(&format!(" {time}"), BEFORE, self.symbols.ellipsis), Tone::Dim)
    }

    fn life(&self) -> StyledText {
        StyledText::new(self.symbols.life, Tone::Dim)
    }

    /// `├── mount db1 ───▶│`
    fn request(&self, time: &str, asked: &str) -> Vec<StyledText> {
        let symbols = self.symbols;
        let label = self.fit(&format!(" {asked} "), self.span.saturating_sub(6));
        let rest = self.span.saturating_sub(text::width(&label) + 3);
        vec![
            self.margin(time),
            StyledText::new(format!("{}{}", symbols.leaves, symbols.dash.repeat(2)), Tone::Text),
            StyledText::new(label, Tone::Bold),
            StyledText::new(format!("{}{}", symbols.dash.repeat(rest), symbols.right), Tone::Text),
            self.life(),
        ]
    }

    /// `│◀─── ok ───┤`, or how it broke off.
    fn reply(&self, time: &str, call: &Call, to: Option<&str>) -> Vec<StyledText> {
        let symbols = self.symbols;
        let outcome = describe::reply(call, to, symbols);
        // Where there is no room for all of it, the first word says what was done; how it ended says the rest.
        let fault = call.fault.as_ref().map(|fault| {
            let action = fault.to_string();
            let action = text::clean(&action);
            let fits = text::width(&action) + text::width(&outcome.text) + 12 < self.span;
            let word = action.split(' ').next().unwrap_or_default();
            format!(" {} {} ", symbols.fault, if fits { &action } else { word })
        });
        let fault = self.fit(&fault.unwrap_or_default(), self.span / 2);
        let room = self.span.saturating_sub(text::width(&fault) + 6);
        let ended = self.fit(&format!(" {} ", outcome.text), room);
        let rest = self.span.saturating_sub(text::width(&fault) + text::width(&ended) + 3);
        // A reply that never arrived does not reach the engine's line.
        let head = if call.status.is_some() { symbols.left } else { symbols.lost };
        let is_plain = call.outcome == Outcome::Ok && call.fault.is_none();
        vec![
            self.margin(time),
            self.life(),
            StyledText::new(format!("{head}{}", symbols.dash.repeat(rest)), Tone::Text),
            StyledText::new(fault, Tone::Fault),
            StyledText::new(ended, if is_plain { Tone::Good } else { outcome.tone }),
            StyledText::new(format!("{}{}", symbols.dash.repeat(2), symbols.returns), Tone::Text),
            StyledText::new(format!("  {}", text::took(call.duration)), Tone::Dim),
        ]
    }

    /// What keeps a call held, and how long it has.
    fn held(&self, entry: &Entry, held: &HeldCall) -> Vec<StyledText> {
        let fault = format!(" {} {}  ", self.symbols.fault, held.fault.action);
        let said = vec![StyledText::new(fault, Tone::Fault), describe::held_for(held, (self.waited)(entry))];
        self.lifelines("", said, true)
    }

    /// Both lifelines, with a text between them: at the left, or at the plugin's side.
    fn lifelines(&self, time: &str, said: Vec<StyledText>, at_plugin: bool) -> Vec<StyledText> {
        self.between(self.symbols.life, time, said, at_plugin)
    }

    fn between(&self, life: &str, time: &str, said: Vec<StyledText>, at_plugin: bool) -> Vec<StyledText> {
        let life = StyledText::new(life, Tone::Dim);
        let mut left = self.span;
        let mut shown = Vec::new();
        for said in said {
            let text = self.fit(&said.text, left.saturating_sub(2));
            left -= text::width(&text);
            shown.push(StyledText { text, ..said });
        }
        let gap = StyledText::new(" ".repeat(left.saturating_sub(1)), Tone::Text);
        let space = StyledText::new(" ", Tone::Text);
        let between: Vec<StyledText> = if at_plugin {
            [gap].into_iter().chain(shown).chain([space]).collect()
        } else {
            [space].into_iter().chain(shown).chain([gap]).collect()
        };
        [self.margin(time), life.clone()].into_iter().chain(between).chain([life]).collect()
    }
}
