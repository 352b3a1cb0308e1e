//! The diagram as lines of text, for a screen and for a file.
//!
//! ```text
//!                docker                                   voltergeist
//! 15:41:07.214     ├── mount db1 ────────────────────────────▶│
//! 15:41:07.215     │◀──── ⚡ fail  ✗ 500 invalid argument ────┤  0.2 ms
//! ```

use std::time::Duration;

use jiff::tz::TimeZone;

use super::{Part, Step};
use crate::domain::{
    entry::{Call, Entry, Outcome, Waiting},
    protocol::Caller,
    signs::Signs,
    telling::{self, Said, Tone},
    text,
};

/// How many lines an entry takes, without a pause before it.
pub const LINES: u16 = 2;
/// The least width that it can be drawn in.
pub const LEAST: u16 = 56;

/// Columns before the engine's line, and behind the plugin's.
const BEFORE: usize = 17;
const BEHIND: usize = 12;
/// The most columns of a drawing whose width nobody gave.
const MOST: usize = 160;

/// How the diagram is drawn.
#[derive(Clone, Copy)]
pub struct Drawing<'d> {
    signs: &'d Signs,
    zone: &'d TimeZone,
    /// How long a call has waited, if it waits still.
    waited: &'d dyn Fn(&Entry) -> Option<Duration>,
    /// The cells between the two lines.
    span: usize,
}

impl<'d> Drawing<'d> {
    /// One in so many columns.
    pub fn new(
        signs: &'d Signs,
        zone: &'d TimeZone,
        waited: &'d dyn Fn(&Entry) -> Option<Duration>,
        width: usize,
    ) -> Self {
        Self { signs, zone, waited, span: width.saturating_sub(BEFORE + BEHIND) }
    }

    /// The same, as wide as these steps need.
    #[must_use]
    pub fn as_wide_as(self, steps: &[Step<'_>]) -> Self {
        let least = usize::from(LEAST) - BEFORE - BEHIND;
        let span = steps.iter().map(|step| self.needs(step)).max().unwrap_or(0);
        Self { span: span.clamp(least, MOST - BEFORE - BEHIND), ..self }
    }

    /// The cells between the two lines that a step needs to be told in full.
    fn needs(&self, step: &Step<'_>) -> usize {
        match &step.part {
            Part::Pause(pause) => telling::pause(pause).len() + 2,
            Part::Request(asked) => text::width(asked) + 9,
            Part::Waits(waiting) => {
                let waits = telling::waits(waiting, (self.waited)(step.entry)).text;
                text::width(&waits) + text::width(&waiting.fault.action) + 10
            }
            Part::Reply { call, to } => {
                // The deed may take half of it.
                let deed = call.fault.as_ref().map_or(0, |deed| text::width(&deed.action) + 4);
                let ended = text::width(&telling::reply(call, to.as_deref(), self.signs).text);
                (ended + deed + 12).max(deed * 2)
            }
            Part::Remark => {
                let said = telling::remark(step.entry, self.signs);
                said.iter().map(|said| text::width(&said.text) + 4).max().unwrap_or(0)
            }
        }
    }

    /// The whole of it as text: who takes part, and every step.
    pub fn text(&self, steps: &[Step<'_>], engine: Caller, plugin: &str) -> String {
        let zone = self.zone.iana_name().map(|name| format!(" {name}")).unwrap_or_default();
        let heading = self.heading(engine, plugin);
        let room = heading.len() - heading.trim_start().len();
        let zone = text::fit(&zone, room.saturating_sub(1), self.signs.ellipsis);
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
        let engine = telling::engine(engine);
        let plugin = text::clean(plugin);
        let left = BEFORE.saturating_sub(engine.len() / 2);
        let gap = (BEFORE + self.span + 1).saturating_sub(left + engine.len() + text::width(&plugin) / 2);
        format!("{:left$}{engine}{:gap$}{plugin}", "", "")
    }

    /// The lines of a step.
    pub fn step(&self, step: &Step<'_>) -> Vec<Vec<Said>> {
        let time = telling::time(step.at, self.zone, 12);
        match &step.part {
            Part::Pause(pause) => {
                let said = vec![Said::new(telling::pause(pause), Tone::Warning)];
                vec![self.between(self.signs.pause, "", said, false)]
            }
            Part::Request(asked) => vec![self.request(&time, asked)],
            Part::Waits(waiting) => vec![self.waits(step.entry, waiting)],
            Part::Reply { call, to } => vec![self.reply(&time, call, to.as_deref())],
            Part::Remark => {
                // What was said first, and what came of it below.
                let mut said = telling::remark(step.entry, self.signs);
                let outcome = if said.len() > 1 { said.split_off(1) } else { Vec::new() };
                vec![self.lifelines(&time, said, false), self.lifelines("", outcome, false)]
            }
        }
    }

    /// Both lines of life, with nothing between them.
    pub fn gap(&self) -> Vec<Said> {
        self.lifelines("", Vec::new(), false)
    }

    fn fit(&self, text: &str, width: usize) -> String {
        text::fit(text, width, self.signs.ellipsis).into_owned()
    }

    fn margin(&self, time: &str) -> Said {
        Said::new(text::pad(&format!(" {time}"), BEFORE, self.signs.ellipsis), Tone::Quiet)
    }

    fn life(&self) -> Said {
        Said::new(self.signs.life, Tone::Quiet)
    }

    /// `├── mount db1 ───▶│`
    fn request(&self, time: &str, asked: &str) -> Vec<Said> {
        let signs = self.signs;
        let label = self.fit(&format!(" {asked} "), self.span.saturating_sub(6));
        let rest = self.span.saturating_sub(text::width(&label) + 3);
        vec![
            self.margin(time),
            Said::new(format!("{}{}", signs.leaves, signs.dash.repeat(2)), Tone::Text),
            Said::new(label, Tone::Strong),
            Said::new(format!("{}{}", signs.dash.repeat(rest), signs.right), Tone::Text),
            self.life(),
        ]
    }

    /// `│◀─── ok ───┤`, or how it broke off.
    fn reply(&self, time: &str, call: &Call, to: Option<&str>) -> Vec<Said> {
        let signs = self.signs;
        let outcome = telling::reply(call, to, signs);
        // Where there is no room for all of it, the first word says what was done; how it ended says the rest.
        let deed = call.fault.as_ref().map(|deed| {
            let action = text::clean(&deed.action);
            let fits = text::width(&action) + text::width(&outcome.text) + 12 < self.span;
            let word = action.split(' ').next().unwrap_or_default();
            format!(" {} {} ", signs.fault, if fits { &action } else { word })
        });
        let deed = self.fit(&deed.unwrap_or_default(), self.span / 2);
        let room = self.span.saturating_sub(text::width(&deed) + 6);
        let ended = self.fit(&format!(" {} ", outcome.text), room);
        let rest = self.span.saturating_sub(text::width(&deed) + text::width(&ended) + 3);
        // An answer that never arrived does not reach the engine's line.
        let head = if call.status.is_some() { signs.left } else { signs.lost };
        let is_plain = call.outcome == Outcome::Answered && call.fault.is_none();
        vec![
            self.margin(time),
            self.life(),
            Said::new(format!("{head}{}", signs.dash.repeat(rest)), Tone::Text),
            Said::new(deed, Tone::Fault),
            Said::new(ended, if is_plain { Tone::Good } else { outcome.tone }),
            Said::new(format!("{}{}", signs.dash.repeat(2), signs.returns), Tone::Text),
            Said::new(format!("  {}", text::took(call.took)), Tone::Quiet),
        ]
    }

    /// What keeps a call waiting, and how long it has.
    fn waits(&self, entry: &Entry, waiting: &Waiting) -> Vec<Said> {
        let deed = format!(" {} {}  ", self.signs.fault, waiting.fault.action);
        let said = vec![Said::new(deed, Tone::Fault), telling::waits(waiting, (self.waited)(entry))];
        self.lifelines("", said, true)
    }

    /// Both lines of life, with something said between them: at the left, or at the plugin's side.
    fn lifelines(&self, time: &str, said: Vec<Said>, at_plugin: bool) -> Vec<Said> {
        self.between(self.signs.life, time, said, at_plugin)
    }

    fn between(&self, life: &str, time: &str, said: Vec<Said>, at_plugin: bool) -> Vec<Said> {
        let life = Said::new(life, Tone::Quiet);
        let mut left = self.span;
        let mut shown = Vec::new();
        for said in said {
            let text = self.fit(&said.text, left.saturating_sub(2));
            left -= text::width(&text);
            shown.push(Said { text, ..said });
        }
        let gap = Said::new(" ".repeat(left.saturating_sub(1)), Tone::Text);
        let space = Said::new(" ", Tone::Text);
        let between: Vec<Said> = if at_plugin {
            [gap].into_iter().chain(shown).chain([space]).collect()
        } else {
            [space].into_iter().chain(shown).chain([gap]).collect()
        };
        [self.margin(time), life.clone()].into_iter().chain(between).chain([life]).collect()
    }
}
