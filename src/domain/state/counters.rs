//! Counters: exact counts, the rate of the last minute, and a latency histogram.
//!
//! Every entry is counted, so that the counters equal the requests sent.

use std::collections::VecDeque;

use hdrhistogram::Histogram;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::durations::DurationHistogram;
use crate::domain::model::{
    entry::{Call, Entry, EntryKind, Outcome},
    lint::Lint,
    protocol::{Caller, Operation},
};

/// How many seconds of the request rate are kept.
pub const RATE_SECONDS: usize = 60;

/// The longest latency that is recorded, in microseconds: an hour. Longer ones count as this.
const LONGEST: u64 = 3_600_000_000;

/// Everything that is counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Counters {
    /// Requests by operation, in the order of [`Operation::ALL`].
    operations: [u64; Operation::ALL.len()],
    /// Requests that are none of the nine operations.
    pub unknown_requests: u64,
    /// Finished requests by operation (unknown ones last), caller and outcome, in the order of their `ALL`.
    finished: [[[u64; Outcome::ALL.len()]; Caller::ALL.len()]; Operation::ALL.len() + 1],
    /// How long finished requests took, by operation (unknown ones last).
    durations: [DurationHistogram; Operation::ALL.len() + 1],
    /// How long the upstream took for them, for those that were forwarded.
    upstream_durations: [DurationHistogram; Operation::ALL.len() + 1],
    /// Requests by caller, in the order of [`Caller::ALL`].
    callers: [u64; Caller::ALL.len()],
    /// Calls that a rule acted on, or that an outage answered.
    pub faults_injected: u64,
    /// Lints, in the order of [`Lint::ALL`].
    lints: [u64; Lint::ALL.len()],
    /// Microseconds to the reply, for calls without a fault.
    #[serde(with = "recorded_values")]
    latency: Histogram<u64>,
    /// Requests in each of the latest seconds, and the second (since 1970) of the last.
    rate: VecDeque<u32>,
    second: i64,
}

fn empty_histogram() -> Histogram<u64> {
    Histogram::new(2).expect("two significant digits are within the histogram's range")
}

/// The place of an operation in the arrays that also count unknown ones.
fn index(operation: Option<Operation>) -> usize {
    operation.map_or(Operation::ALL.len(), |operation| operation as usize)
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            operations: [0; Operation::ALL.len()],
            unknown_requests: 0,
            finished: Default::default(),
            durations: Default::default(),
            upstream_durations: Default::default(),
            callers: [0; Caller::ALL.len()],
            faults_injected: 0,
            lints: [0; Lint::ALL.len()],
            latency: empty_histogram(),
            rate: VecDeque::with_capacity(RATE_SECONDS),
            second: 0,
        }
    }
}

/// A histogram as its recorded values with their counts.
mod recorded_values {
    use hdrhistogram::Histogram;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(histogram: &Histogram<u64>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(
            histogram.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value())),
        )
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Histogram<u64>, D::Error> {
        let mut histogram = super::empty_histogram();
        for (value, count) in Vec::<(u64, u64)>::deserialize(deserializer)? {
            histogram.record_n(value, count).map_err(serde::de::Error::custom)?;
        }
        Ok(histogram)
    }
}

impl Counters {
    /// Counts one entry. A held call is counted as soon as it is held.
    pub fn count(&mut self, entry: &Entry) {
        match &entry.kind {
            EntryKind::Held(held) => self.arrived(held.operation, held.caller, entry.at),
            EntryKind::Call(call) => {
                if call.held_seq.is_none() {
                    self.arrived(call.operation, call.caller, entry.at);
                }
                self.ended(call);
            }
            _ => {}
        }
    }

    /// Counts what another instance has counted.
    pub fn add(&mut self, other: &Self) {
        fn add_all<'c>(own: impl IntoIterator<Item = &'c mut u64>, more: impl IntoIterator<Item = &'c u64>) {
            own.into_iter().zip(more).for_each(|(own, more)| *own += more);
        }
        add_all(&mut self.operations, &other.operations);
        add_all(&mut self.callers, &other.callers);
        add_all(&mut self.lints, &other.lints);
        let finished = other.finished.iter().flatten().flatten();
        add_all(self.finished.iter_mut().flatten().flatten(), finished);
        for (own, more) in self.durations.iter_mut().zip(&other.durations) {
            own.add(more);
        }
        for (own, more) in self.upstream_durations.iter_mut().zip(&other.upstream_durations) {
            own.add(more);
        }
        self.unknown_requests += other.unknown_requests;
        self.faults_injected += other.faults_injected;
        self.latency.add(&other.latency).expect("the histogram grows with its values");
        self.add_rate(other);
    }

    /// Adds the requests of each second.
    fn add_rate(&mut self, other: &Self) {
        let end = Timestamp::from_second(self.second.max(other.second)).unwrap_or_default();
        self.set_to(end);
        let more = other.rate(end);
        while self.rate.len() < more.len() {
            self.rate.push_front(0);
        }
        for (own, more) in self.rate.iter_mut().rev().zip(more.iter().rev()) {
            *own += more;
        }
    }

    fn arrived(&mut self, operation: Option<Operation>, caller: Caller, at: Timestamp) {
        self.callers[caller as usize] += 1;
        match operation {
            Some(operation) => self.operations[operation as usize] += 1,
            None => self.unknown_requests += 1,
        }
        self.set_to(at);
        if let Some(now) = self.rate.back_mut() {
            *now += 1;
        }
    }

    fn ended(&mut self, call: &Call) {
        let operation = index(call.operation);
        self.finished[operation][call.caller as usize][call.outcome as usize] += 1;
        self.durations[operation].record(call.duration);
        if let Some(upstream) = &call.upstream {
            self.upstream_durations[operation].record(upstream.duration);
        }
        self.faults_injected += u64::from(call.fault.is_some());
        for lint in &call.lints {
            self.lints[*lint as usize] += 1;
        }
        if call.fault.is_none() && call.operation.is_some() {
            let micros = u64::try_from(call.duration.as_micros()).unwrap_or(LONGEST).min(LONGEST);
            self.latency.record(micros).expect("the histogram grows with its values");
        }
    }

    fn set_to(&mut self, at: Timestamp) {
        let second = at.as_second();
        let passed = usize::try_from(second - self.second).unwrap_or(0).min(RATE_SECONDS);
        for _ in 0..passed {
            if self.rate.len() == RATE_SECONDS {
                self.rate.pop_front();
            }
            self.rate.push_back(0);
        }
        self.second = self.second.max(second);
    }

    /// Requests in each second of the last minute up to `now`, oldest first. The last second is not over yet.
    pub fn rate(&self, now: Timestamp) -> Vec<u32> {
        let idle = usize::try_from(now.as_second() - self.second).unwrap_or(0).min(RATE_SECONDS);
        let mut rate: Vec<u32> = self.rate.iter().copied().chain(std::iter::repeat_n(0, idle)).collect();
        rate.drain(..rate.len().saturating_sub(RATE_SECONDS));
        rate
    }

    /// How many requests of an operation arrived.
    pub fn operation(&self, operation: Operation) -> u64 {
        self.operations[operation as usize]
    }

    /// How many requests a caller sent.
    pub fn caller(&self, caller: Caller) -> u64 {
        self.callers[caller as usize]
    }

    /// The caller with the most requests; docker if there were none.
    pub fn usual_caller(&self) -> Caller {
        Caller::ALL.into_iter().rev().max_by_key(|caller| self.caller(*caller)).unwrap_or(Caller::Docker)
    }

    /// How many requests finished with an outcome.
    pub fn outcome(&self, outcome: Outcome) -> u64 {
        self.finished.iter().flatten().map(|outcomes| outcomes[outcome as usize]).sum()
    }

    /// How many requests by a caller finished with an outcome. `None` stands for requests that are no operation.
    pub fn finished(&self, operation: Option<Operation>, caller: Caller, outcome: Outcome) -> u64 {
        self.finished[index(operation)][caller as usize][outcome as usize]
    }

    /// How long finished requests took. `None` stands for requests that are no operation.
    pub fn durations(&self, operation: Option<Operation>) -> &DurationHistogram {
        &self.durations[index(operation)]
    }

    /// How long the upstream took. `None` stands for requests that are no operation.
    pub fn upstream_durations(&self, operation: Option<Operation>) -> &DurationHistogram {
        &self.upstream_durations[index(operation)]
    }

    /// How many calls showed a lint.
    pub fn lint(&self, lint: Lint) -> u64 {
        self.lints[lint as usize]
    }

    /// How many lints there were in all.
    pub fn lints(&self) -> u64 {
        self.lints.iter().sum()
    }

    /// The time in microseconds within which a share of the calls without a fault got a reply, if there were any.
    pub fn latency(&self, quantile: f64) -> Option<u64> {
        (!self.latency.is_empty()).then(|| self.latency.value_at_quantile(quantile))
    }
}
