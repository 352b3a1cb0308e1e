//! Tests expectations on the entries of a run, one after another, and on the state that they add up to.

mod sequence;
mod tally;
#[cfg(test)]
mod tests;
mod verdict;

use std::{borrow::Cow, collections::BTreeMap, sync::Arc, time::Duration};

pub use verdict::Verdict;

use self::{sequence::SequenceFinder, tally::Tally};
use crate::domain::{
    lang::{
        expectation::{Expectation, Measure, Operator, Value},
        lexer::quote,
    },
    model::{
        entry::{Entry, EntryKind},
        volume::Volumes,
    },
    state::counters::Counters,
    text,
};

/// The state that goes with the entries.
#[derive(Clone, Copy, Debug)]
pub struct Totals<'s> {
    /// All counters.
    pub counters: &'s Counters,
    /// All volumes.
    pub volumes: &'s Volumes,
    /// How many calls are held.
    pub held: u64,
    /// How many connections are open.
    pub connections: u64,
    /// The entries that are not in them.
    pub missing: Missing,
}

/// How many entries are not in a state that was made of those of a file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Missing {
    counters: u64,
    state: u64,
}

impl Missing {
    /// Takes in an entry, where the one with a number would be next. Another run begins again; a `reset` counts again.
    pub fn push(&mut self, entry: &Entry, next: u64) {
        if matches!(entry.kind, EntryKind::Session(_)) {
            *self = Self::default();
            return;
        }
        let missing = entry.seq.saturating_sub(next);
        self.state += missing;
        self.counters = if entry.is_journal_reset() { 0 } else { self.counters + missing };
    }
}

/// Tests expectations. Entries that are no longer kept are no reason to guess: what needs them is not met.
#[derive(Clone, Debug)]
pub struct Checker {
    expectations: Vec<Expectation>,
    checks: Vec<Check>,
    /// The number of the latest entry, if all entries have to come.
    last: Option<u64>,
    missed: u64,
}

/// What is collected from the entries for an expectation.
#[derive(Clone, Debug)]
enum Check {
    Comparison { values: [Value; 2], operator: Operator, sides: Box<[Tally; 2]> },
    Sequence(SequenceFinder),
}

/// The value of one side.
enum Found {
    Number(u64),
    Time(Duration),
    Unknown(String),
}

/// How many volumes are named.
const NAMED: usize = 10;

impl Checker {
    /// Tests these expectations on all entries after the one with a number; without one, on some entries that are chosen.
    pub fn new(expectations: &[Expectation], after: Option<u64>) -> Self {
        let checks = expectations.iter().map(Check::new).collect();
        Self { expectations: expectations.to_vec(), checks, last: after, missed: 0 }
    }

    /// Takes in the next entry. Another run, and a `reset`, begin again.
    pub fn push(&mut self, entry: &Arc<Entry>) {
        if entry.is_journal_reset() || matches!(entry.kind, EntryKind::Session(_)) {
            self.checks = self.expectations.iter().map(Check::new).collect();
            self.missed = 0;
        } else if let Some(last) = self.last {
            self.missed += entry.seq.saturating_sub(last + 1);
        }
        self.last = self.last.map(|_| entry.seq);
        for check in &mut self.checks {
            match check {
                Check::Comparison { sides, .. } => sides.iter_mut().for_each(|side| side.push(entry)),
                Check::Sequence(finder) => finder.push(entry),
            }
        }
    }

    /// Whether each expectation is met now, with the state after the latest entry.
    pub fn verdicts(&self, totals: Totals<'_>) -> Vec<Verdict> {
        self.checks.iter().map(|check| check.verdict(totals, self.missed)).collect()
    }
}

impl Check {
    fn new(expectation: &Expectation) -> Self {
        match expectation {
            Expectation::Comparison { left, operator, right } => {
                let values = [left.clone(), right.clone()];
                let sides = Box::new(values.each_ref().map(Tally::of));
                Self::Comparison { values, operator: *operator, sides }
            }
            Expectation::Sequence { calls, which } => {
                Self::Sequence(SequenceFinder::new(calls.clone(), which.clone()))
            }
        }
    }

    fn verdict(&self, totals: Totals<'_>, missed: u64) -> Verdict {
        let unseen = || {
            let are = if missed == 1 { "is" } else { "are" };
            let entries = text::counted(missed, "earlier entry");
            let why = format!("not known: {entries} {are} no longer kept; use --record, and check the file");
            (missed > 0).then_some(why)
        };
        match self {
            Self::Comparison { values, operator, sides } => {
                compare(values.each_ref(), *operator, sides, totals, unseen)
            }
            Self::Sequence(finder) => {
                let verdict = finder.verdict();
                match unseen().filter(|_| !verdict.passed) {
                    Some(found) => Verdict { found, ..verdict },
                    None => verdict,
                }
            }
        }
    }
}

fn compare(
    values: [&Value; 2],
    operator: Operator,
    sides: &[Tally; 2],
    totals: Totals<'_>,
    unseen: impl Fn() -> Option<String>,
) -> Verdict {
    let found = [0, 1].map(|side: usize| value(values[side], &sides[side], totals, &unseen));
    let passed = match (&found[0], &found[1]) {
        (Found::Number(left), Found::Number(right)) => operator.holds(left, right),
        (Found::Time(left), Found::Time(right)) => operator.holds(left, right),
        _ => false,
    };
    let measured = values.iter().zip(&found).filter_map(|(value, found)| {
        let Value::Measure(measure) = value else { return None };
        let is = match found {
            Found::Number(number) => number.to_string(),
            Found::Time(time) => text::exact(*time),
            Found::Unknown(why) => why.clone(),
        };
        let names = if *measure == Measure::OpenMounts { mounted(totals.volumes) } else { String::new() };
        Some(format!("{measure} is {is}{names}"))
    });
    let are_counts = matches!(values, [Value::Measure(Measure::Count(_)), Value::Measure(Measure::Count(_))]);
    let found = measured.collect::<Vec<_>>().join(", ");
    let unpaired = if are_counts && operator == Operator::Equal { unpaired(sides) } else { Vec::new() };
    let calls = if unpaired.is_empty() { sides.iter().flat_map(Tally::shown).collect() } else { unpaired };
    Verdict { passed, found, calls: in_order(calls) }
}

fn value(value: &Value, tally: &Tally, totals: Totals<'_>, unseen: &impl Fn() -> Option<String>) -> Found {
    let Totals { counters, volumes, held, connections, missing } = totals;
    let total = |missing: u64, number: u64| {
        let lacks = || format!("not known: the recording lacks {}", text::counted(missing, "earlier entry"));
        if missing > 0 { Found::Unknown(lacks()) } else { Found::Number(number) }
    };
    match value {
        Value::Number(number) => Found::Number(*number),
        Value::Time(time) => Found::Time(*time),
        Value::Measure(Measure::Count(selection)) => match selection.operations() {
            // They are counted, also those that are no longer kept.
            Some(operations) => {
                total(missing.counters, operations.iter().map(|one| counters.operation(*one)).sum())
            }
            None => unseen().map_or_else(|| Found::Number(tally.count()), Found::Unknown),
        },
        Value::Measure(Measure::Time(percentile, _)) => {
            let none = || Found::Unknown("not known: no such call has ended".to_owned());
            let time = || tally.within(*percentile).map_or_else(none, Found::Time);
            unseen().map_or_else(time, Found::Unknown)
        }
        Value::Measure(Measure::Lints) => total(missing.counters, counters.lints()),
        Value::Measure(Measure::OpenMounts) => total(missing.state, volumes.open_mounts()),
        Value::Measure(Measure::HeldCalls) => total(missing.state, held),
        Value::Measure(Measure::Volumes) => {
            total(missing.state, volumes.iter().filter(|volume| volume.exists).count() as u64)
        }
        Value::Measure(Measure::OpenConnections) => total(missing.state, connections),
    }
}

/// The volumes with open mounts: `: db1 2, db2 1`.
fn mounted(volumes: &Volumes) -> String {
    let mut mounted = volumes.iter().filter(|volume| volume.is_mounted());
    let named: Vec<_> = mounted
        .by_ref()
        .take(NAMED)
        .map(|one| format!("{} {}", quoted(&one.name), one.open_mounts()))
        .collect();
    let more = mounted.count();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    if named.is_empty() { String::new() } else { format!(": {}{more}", named.join(", ")) }
}

/// A name, in quotes if it could be taken for something else.
fn quoted(name: &str) -> Cow<'_, str> {
    let is_plain = !name.is_empty()
        && !name.contains(|c: char| c.is_whitespace() || "\",:".contains(c))
        && text::clean(name) == name;
    if is_plain { name.into() } else { text::clean(&quote(name)).into_owned().into() }
}

/// The calls on one side that the other has no call for, about the same volume and with the same mount ID. None if not all
/// calls are at hand.
fn unpaired(sides: &[Tally; 2]) -> Vec<Arc<Entry>> {
    let [left, right] = sides.each_ref().map(Tally::complete);
    let (Some(left), Some(right)) = (left, right) else { return Vec::new() };
    let mut open = BTreeMap::new();
    for entry in &left {
        open.entry(entry.about()).or_insert_with(Vec::new).push(entry);
    }
    let mut single = Vec::new();
    for entry in &right {
        if open.get_mut(&entry.about()).and_then(Vec::pop).is_none() {
            single.push(Arc::clone(entry));
        }
    }
    single.extend(open.into_values().flatten().cloned());
    single
}

fn in_order(mut calls: Vec<Arc<Entry>>) -> Vec<Arc<Entry>> {
    calls.sort_by_key(|entry| entry.seq);
    calls.dedup_by_key(|entry| entry.seq);
    calls
}
