//! The counters below the header, in as few rows as they need.

use crate::{
    domain::{model::protocol::Operation, text},
    hub::Snapshot,
};

/// The name of the counter of lints.
pub const LINTS: &str = "lints";

/// One counter with its name.
#[derive(Clone, Debug)]
pub struct Counter {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub number: u64,
    /// The value as it is shown.
    pub digits: String,
    /// Whether it counts what should not happen.
    pub odd: bool,
}

/// Counters that stand in one row.
#[derive(Clone, Debug, Default)]
pub struct CounterLine {
    /// The counters.
    pub shown: Vec<Counter>,
    /// What separates them.
    pub gap: &'static str,
}

/// The counters in as few rows as they need, with shorter names and smaller gaps where that saves one.
pub fn counter_lines(
    snapshot: &Snapshot,
    width: usize,
    max_lines: usize,
    ellipsis: &str,
) -> Vec<CounterLine> {
    let forms = [(false, "   "), (true, "   "), (true, "  "), (true, " ")];
    let flowed = forms.map(|(short, gap)| flow(counters(snapshot, short), gap, width));
    let needed = flowed.iter().map(Vec::len).min().unwrap_or(1).min(max_lines.max(1));
    let mut lines = flowed
        .into_iter()
        .find(|lines| lines.len() <= needed)
        .unwrap_or_else(|| flow(counters(snapshot, true), " ", width));
    if lines.len() > max_lines {
        lines.truncate(max_lines);
        if let Some(last) = lines.last_mut().and_then(|line| line.shown.last_mut()) {
            last.digits.push_str(ellipsis);
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
    let odd = [("other", snapshot.counters.unknown_requests, true), (LINTS, snapshot.counters.lints(), true)];
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
