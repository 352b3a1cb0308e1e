//! Looks for calls that follow each other directly, among those about one volume.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use super::verdict::Verdict;
use crate::domain::{
    lang::{expectation::includes, filter::Filter},
    model::entry::{Entry, EntryKind},
    rules::Calls,
    text::describe,
};

/// How many calls wait for an earlier one that has not ended, before it is given up.
const EARLY: usize = 10_000;

/// The latest calls, not more than the sequence has.
type Window = VecDeque<Arc<Entry>>;

/// Looks for a sequence in the calls in the order of their arrival.
#[derive(Clone, Debug)]
pub struct SequenceFinder {
    calls: Vec<Calls>,
    which: Filter,
    /// The number of the next call.
    next: u64,
    /// The calls that arrived later than one that has not ended, and those that wait, by their numbers.
    early: BTreeMap<u64, Arc<Entry>>,
    /// Those that were given up while they waited. Their ends are not looked at.
    given_up: BTreeSet<u64>,
    windows: Windows,
}

#[derive(Clone, Debug, Default)]
struct Windows {
    of_volumes: HashMap<Box<str>, Window>,
    /// The calls that name no volume, but that the sequence names.
    nameless: Window,
    /// The longest beginning of the sequence that was found, and what came instead of the next call.
    best: (Window, Option<Arc<Entry>>),
}

impl SequenceFinder {
    pub fn new(calls: Vec<Calls>, which: Filter) -> Self {
        Self {
            calls,
            which,
            next: 1,
            early: BTreeMap::new(),
            given_up: BTreeSet::new(),
            windows: Windows::default(),
        }
    }

    pub fn push(&mut self, entry: &Arc<Entry>) {
        let Some(number) = entry.call_number().filter(|number| !self.given_up.remove(number)) else { return };
        self.early.insert(number, Arc::clone(entry));
        if self.early.len() > EARLY {
            self.next = self.early.keys().next().copied().unwrap_or(self.next);
        }
        while let Some(first) = self.early.first_entry() {
            let has_ended = matches!(first.get().kind, EntryKind::Call(_));
            // One that comes late takes the place that is left.
            if *first.key() > self.next || !(has_ended || self.early.len() > EARLY) {
                break;
            }
            let Some((number, entry)) = self.early.pop_first() else { break };
            self.next = self.next.max(number + 1);
            if !has_ended {
                self.given_up.insert(number);
            }
            self.windows.push(&self.calls, &self.which, &entry);
        }
    }

    pub fn verdict(&self) -> Verdict {
        let mut windows = self.windows.clone();
        for entry in self.early.values() {
            windows.push(&self.calls, &self.which, entry);
        }
        let (found, instead) = windows.best;
        let passed = found.len() == self.calls.len();
        let mut text = match found.len() {
            0 => format!("no {}", self.calls[0].as_str()),
            _ => format!("found {}", found.iter().map(word).collect::<Vec<_>>().join(" ")),
        };
        if !passed && !found.is_empty() {
            let next = self.calls[found.len()].as_str();
            let then = instead.as_ref().map(|instead| format!("{} instead of", word(instead)));
            text.extend([", then ", then.as_deref().unwrap_or("no"), " ", next]);
        }
        Verdict { passed, found: text, calls: found.into_iter().chain(instead.filter(|_| !passed)).collect() }
    }
}

fn word(entry: &Arc<Entry>) -> String {
    entry.head().map_or_else(String::new, describe::asked)
}

impl Windows {
    fn push(&mut self, calls: &[Calls], which: &Filter, entry: &Arc<Entry>) {
        if self.best.0.len() == calls.len() || !which.matches(entry) {
            return;
        }
        match entry.about().0 {
            Some(volume) => {
                let window = match self.of_volumes.get_mut(volume) {
                    Some(window) => window,
                    None => self.of_volumes.entry(volume.into()).or_insert(self.nameless.clone()),
                };
                slide(window, &mut self.best, calls, entry);
            }
            None if includes(calls, entry) => {
                slide(&mut self.nameless, &mut self.best, calls, entry);
                for window in self.of_volumes.values_mut() {
                    slide(window, &mut self.best, calls, entry);
                }
            }
            None => {}
        }
    }
}

/// Adds a call to a window, and keeps what is the longest beginning so far.
fn slide(window: &mut Window, best: &mut (Window, Option<Arc<Entry>>), calls: &[Calls], entry: &Arc<Entry>) {
    let is_next =
        best.1.is_none() && best.0.back().zip(window.back()).is_some_and(|(one, other)| one.seq == other.seq);
    window.push_back(Arc::clone(entry));
    if window.len() > calls.len() {
        window.pop_front();
    }
    let begins = |length: &usize| {
        let latest = window.range(window.len() - length..);
        latest.zip(calls).all(|(entry, call)| includes(std::slice::from_ref(call), entry))
    };
    let length = (0..=window.len()).rev().find(begins).unwrap_or(0);
    if length > best.0.len() {
        *best = (window.range(window.len() - length..).cloned().collect(), None);
    } else if is_next {
        best.1 = Some(Arc::clone(entry));
    }
}
