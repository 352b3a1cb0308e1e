//! The top: who it is, how engines find it, how busy it is, and the nine counters.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::{SPARK, View, put, put_right};
use crate::{
    console::{action::Action, glyphs::Glyphs, text},
    domain::model::protocol::{Caller, Operation},
    state::{DriverStatus, Snapshot},
};

/// How many cells of an address are worth showing.
const ADDRESS: usize = 16;

/// How many rows the header needs: one more where it tells what would register the driver.
pub fn height(snapshot: &Snapshot, roomy: bool) -> u16 {
    1 + u16::from(roomy && snapshot.driver.fix_command.is_some())
}

/// Draws header and counters.
pub fn render(view: &View<'_>, buffer: &mut Buffer) {
    let (styles, driver) = (&view.theme.styles, &view.snapshot.driver);
    let area = view.screen.header;
    let load = load(view);
    let room = usize::from(area.width);
    let status = view.snapshot.driver_state.status;
    let (glyph, style, registration) = match (status, &*driver.registration) {
        (DriverStatus::Down { .. }, _) => (view.theme.glyphs.idle, styles.warning, status.to_string().into()),
        (DriverStatus::Up, "registered") => (view.theme.glyphs.mounted, styles.good, "registered".into()),
        (DriverStatus::Up, other) => (view.theme.glyphs.idle, styles.warning, text::clean(other)),
    };
    let registration = Span::styled(format!("{glyph} {registration}"), style);
    let name = Span::styled(" voltergeist", styles.strong);
    // Name and registration stay; the load takes what it needs of the rest, and the address what is left then.
    let taken = name.width() + registration.width() + 5;
    let load = load.iter().find(|load| taken + load.width() <= room);
    let left = room.saturating_sub(taken + load.map_or(0, Line::width) + 2);
    let mut spans = vec![name, "  ".into()];
    if left >= ADDRESS {
        spans.push(Span::styled(view.fit(&text::clean(&driver.address), left), styles.quiet));
        spans.push("  ".into());
    }
    spans.push(registration);
    let line = Line::from(spans);
    view.put_fitted(buffer, area, 0, &line);
    if let Some(load) = load {
        put_right(buffer, area, 0, line.width(), load);
    }
    if let Some(fix_command) = &driver.fix_command {
        let line = Line::from(vec![
            Span::styled(" to register it: ", styles.warning),
            Span::styled(text::clean(fix_command).into_owned(), styles.strong),
        ]);
        render_remedy(
            view,
            &line,
            Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area },
            buffer,
        );
    }
    let rows = counter_lines(
        view.snapshot,
        view.screen.counters.width.into(),
        view.screen.counters.height.into(),
        view.theme.glyphs,
    );
    for (row, counters) in rows.iter().enumerate() {
        let mut spans = Vec::new();
        for counter in &counters.shown {
            let (label, digits) = match counter {
                Counter { odd: true, .. } => (styles.warning, styles.warning),
                Counter { number: 0, .. } => (styles.quiet, styles.quiet),
                _ => (styles.text, styles.strong),
            };
            spans.push(Span::raw(if spans.is_empty() { " " } else { counters.gap }));
            spans.push(Span::styled(format!("{} ", counter.name), label));
            spans.push(Span::styled(counter.digits.clone(), digits));
        }
        put(buffer, view.screen.counters, row as u16, &Line::from(spans));
    }
}

/// The command that would register the driver, and where all of it stands if there is no room for it here.
fn render_remedy(view: &View<'_>, line: &Line<'_>, area: Rect, buffer: &mut Buffer) {
    if line.width() <= area.width.into() || area.height == 0 {
        return put(buffer, area, 0, line);
    }
    let where_else = Line::raw(format!(" [{}] shows all ", view.key(Action::Help)));
    let room = area.width.saturating_sub(where_else.width() as u16);
    view.put_fitted(buffer, Rect { width: room, ..area }, 0, line);
    put(buffer, Rect { x: area.x + room, width: area.width - room, ..area }, 0, &where_else);
}

/// How busy it is, in as many words as there may be room for.
fn load(view: &View<'_>) -> Vec<Line<'static>> {
    let (snapshot, styles) = (view.snapshot, &view.theme.styles);
    let rate = snapshot.counters.rate(snapshot.at);
    let last = rate.len().checked_sub(2).map_or(0, |index| rate[index]);
    let callers: Vec<_> = Caller::ALL
        .into_iter()
        .filter(|one| snapshot.counters.caller(*one) > 0)
        .map(Caller::as_str)
        .collect();
    let caller = (!callers.is_empty())
        .then(|| Span::styled(format!("called by {}  ", callers.join(", ")), styles.text));
    let per_second = Span::styled(format!("{last}/s "), styles.strong);
    let spark = Span::styled(sparkline(&rate, view.theme.glyphs), styles.graph);
    let within = |share: f64, within: &str| {
        let took = text::took(std::time::Duration::from_micros(snapshot.counters.latency(share)?));
        Some(Span::styled(format!("  {}%{within} {took}", share * 100.0), styles.text))
    };
    let rate = [per_second.clone(), spark];
    // It explains the rate, and outlasts it where there is little room.
    let speed = speed(snapshot);
    let only = speed.iter().map(|speed| Span::styled(format!("{speed} "), styles.strong)).collect();
    let speed = speed.map(|speed| Span::styled(format!("demo {speed} "), styles.strong));
    let (most, end) = (within(0.99, " within"), Span::raw(" "));
    let shares = [within(0.5, " within"), within(0.9, ""), within(0.99, "")];
    let all: Vec<_> = shares.into_iter().flatten().collect();
    let forms: [Vec<Span<'static>>; 7] = [
        caller.iter().chain(&speed).chain(&rate).chain(&all).chain([&end]).cloned().collect(),
        speed.iter().chain(&rate).chain(&all).chain([&end]).cloned().collect(),
        caller.iter().chain(&speed).chain(&rate).chain(&most).chain([&end]).cloned().collect(),
        speed.iter().chain(&rate).chain(&most).chain([&end]).cloned().collect(),
        speed.iter().chain([&per_second]).cloned().collect(),
        speed.into_iter().collect(),
        only,
    ];
    forms.into_iter().filter(|spans| !spans.is_empty()).map(Line::from).collect()
}

/// How fast the demo's life goes, if this is one.
fn speed(snapshot: &Snapshot) -> Option<String> {
    let speed = snapshot.speed?;
    // It stands still while a card is played.
    Some(if snapshot.scenario.run_request.is_some() { "waits".into() } else { speed.to_string() })
}

fn sparkline(rate: &[u32], glyphs: &Glyphs) -> String {
    let latest = &rate[rate.len().saturating_sub(SPARK)..];
    let most = latest.iter().copied().max().unwrap_or(0).max(1);
    let missing = std::iter::repeat_n(&0, SPARK - latest.len());
    // Whatever happened at all gets the first step, so that one call among thousands is seen.
    missing.chain(latest).map(|count| glyphs.spark[(*count as usize * 8).div_ceil(most as usize)]).collect()
}

/// One counter with its name.
#[derive(Clone, Debug)]
pub struct Counter {
    name: &'static str,
    number: u64,
    digits: String,
    /// Whether it counts what should not be.
    odd: bool,
}

/// Counters that stand in one row.
#[derive(Clone, Debug, Default)]
pub struct CounterLine {
    shown: Vec<Counter>,
    gap: &'static str,
}

/// The counters in as few rows as they need, with shorter names and smaller gaps where that saves one.
pub fn counter_lines(snapshot: &Snapshot, width: usize, most: usize, glyphs: &Glyphs) -> Vec<CounterLine> {
    let forms = [(false, "   "), (true, "   "), (true, "  "), (true, " ")];
    let flowed = forms.map(|(short, gap)| flow(counters(snapshot, short), gap, width));
    let needed = flowed.iter().map(Vec::len).min().unwrap_or(1).min(most.max(1));
    let mut lines = flowed
        .into_iter()
        .find(|lines| lines.len() <= needed)
        .unwrap_or_else(|| flow(counters(snapshot, true), " ", width));
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut().and_then(|line| line.shown.last_mut()) {
            last.digits.push_str(glyphs.ellipsis);
        }
    }
    lines
}

fn counters(snapshot: &Snapshot, short: bool) -> Vec<Counter> {
    let nine = Operation::ALL.map(|operation| {
        let name = match operation {
            Operation::Activate if short => "act",
            Operation::Capabilities if short => "caps",
            operation => operation.as_str(),
        };
        (name, snapshot.counters.operation(operation), false)
    });
    let odd =
        [("other", snapshot.counters.unknown_requests, true), ("lints", snapshot.counters.lints(), true)];
    nine.into_iter()
        .chain(odd.into_iter().filter(|(_, number, _)| *number > 0))
        .map(|(name, number, odd)| Counter { name, number, digits: text::grouped(number), odd })
        .collect()
}

fn flow(counters: Vec<Counter>, gap: &'static str, width: usize) -> Vec<CounterLine> {
    let mut lines: Vec<CounterLine> = Vec::new();
    let mut left = 0;
    for counter in counters {
        let cells = counter.name.len() + 1 + counter.digits.len();
        match lines.last_mut() {
            Some(line) if left >= gap.len() + cells => {
                left -= gap.len() + cells;
                line.shown.push(counter);
            }
            _ => {
                left = width.saturating_sub(1 + cells);
                lines.push(CounterLine { shown: vec![counter], gap });
            }
        }
    }
    lines
}

/// The style of a count that may be nothing.
pub fn count_style(number: u64, view: &View<'_>) -> Style {
    if number == 0 { view.theme.styles.quiet } else { view.theme.styles.strong }
}
