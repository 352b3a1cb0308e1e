//! The calls of one side of a comparison: how many, how long they took, and the latest of them.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use hdrhistogram::Histogram;

use crate::domain::{
    lang::{
        expectation::{Measure, Percentile, Selection, Value},
        filter::Filter,
    },
    model::{
        entry::{Entry, EntryKind},
        protocol::Operation,
    },
    rules::Calls,
};

/// The longest time that is distinguished, in microseconds: a day.
const LONGEST: u64 = 86_400_000_000;
/// How many calls are kept to be shown.
const KEPT: usize = 1000;

/// The calls that one side of a comparison measures.
#[derive(Clone, Debug)]
pub struct Tally {
    /// None if no calls are measured.
    selection: Option<Selection>,
    ended: u64,
    /// The held calls, by their numbers.
    held: BTreeMap<u64, Arc<Entry>>,
    /// The latest calls; where their time is measured, the slowest.
    kept: VecDeque<Arc<Entry>>,
    /// Microseconds of the calls that have ended, where their time is measured.
    times: Option<Histogram<u64>>,
}

impl Tally {
    /// Of nothing yet.
    pub fn of(value: &Value) -> Self {
        let any = |filter: &str| {
            let which: Filter = filter.parse().expect("a filter");
            Selection { calls: vec![Calls::Any], which }
        };
        let (selection, is_timed) = match value {
            Value::Measure(Measure::Count(selection)) => (Some(selection.clone()), false),
            Value::Measure(Measure::Time(_, selection)) => (Some(selection.clone()), true),
            Value::Measure(Measure::Lints) => (Some(any("lint:*")), false),
            Value::Measure(Measure::HeldCalls) => (Some(any("outcome:held")), false),
            _ => (None, false),
        };
        // Five digits: exact up to a quarter of a second, and then off by a hundred thousandth at most.
        let times = is_timed.then(|| Histogram::new(5).expect("a histogram that grows"));
        Self { selection, ended: 0, held: BTreeMap::new(), kept: VecDeque::new(), times }
    }

    pub fn push(&mut self, entry: &Arc<Entry>) {
        let Some(selection) = &self.selection else { return };
        match &entry.kind {
            // How long one takes that waits is not known.
            EntryKind::Held(held) if self.times.is_none() && selection.includes(entry) => {
                self.held.insert(held.number, Arc::clone(entry));
            }
            EntryKind::Call(call) => {
                self.held.remove(&call.number);
                if selection.includes(entry) {
                    self.ended += 1;
                    self.keep(entry, call.duration);
                }
            }
            _ => {}
        }
    }

    fn keep(&mut self, entry: &Arc<Entry>, duration: Duration) {
        let place = match &mut self.times {
            None => self.kept.len(),
            Some(times) => {
                times.record(micros(duration)).expect("the histogram grows with its values");
                self.kept.partition_point(|kept| kept.call().is_some_and(|kept| kept.duration <= duration))
            }
        };
        self.kept.insert(place, Arc::clone(entry));
        if self.kept.len() > KEPT {
            self.kept.pop_front();
        }
    }

    /// How many calls there were.
    pub fn count(&self) -> u64 {
        self.ended + self.held.len() as u64
    }

    /// The time within which a percentage of them ended, if any has.
    pub fn within(&self, percentile: Percentile) -> Option<Duration> {
        let times = self.times.as_ref().filter(|times| !times.is_empty())?;
        let slowest = self.kept.back().and_then(|entry| entry.call())?;
        if percentile == Percentile::ALL {
            return Some(Duration::from_micros(micros(slowest.duration)));
        }
        // The lower end of a range of times that are not distinguished: such as a whole number of milliseconds.
        Some(Duration::from_micros(times.lowest_equivalent(times.value_at_quantile(percentile.quantile()))))
    }

    /// Those to be shown: the latest or the slowest.
    pub fn shown(&self) -> impl Iterator<Item = Arc<Entry>> {
        self.kept.iter().chain(self.held.values()).cloned()
    }

    /// All of them, if they are at hand.
    pub fn complete(&self) -> Option<Vec<Arc<Entry>>> {
        (self.ended == self.kept.len() as u64).then(|| self.shown().collect())
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(LONGEST).min(LONGEST)
}

impl Selection {
    /// The operations, if nothing else is asked of the calls.
    pub fn operations(&self) -> Option<Vec<Operation>> {
        if !self.which.is_empty() || self.calls.iter().any(|calls| matches!(calls, Calls::Method(_))) {
            return None;
        }
        let included =
            |operation: &Operation| self.calls.iter().any(|one| one.operations().contains(operation));
        Some(Operation::ALL.into_iter().filter(included).collect())
    }
}
