//! Calls as a sequence diagram.

use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::{
    domain::{
        analysis::retries::Retries,
        model::entry::Entry,
        text::{
            sequence::{self, Drawing},
            symbols::Symbols,
        },
    },
    hub::Snapshot,
};

/// The calls as Mermaid.
pub fn mermaid<'e>(entries: impl Iterator<Item = &'e Arc<Entry>> + Clone, snapshot: &Snapshot) -> String {
    mermaid_with(entries.clone(), &retries(entries), snapshot)
}

/// The calls as Mermaid, with retries that were found in more entries than these.
pub(super) fn mermaid_with<'e>(
    entries: impl Iterator<Item = &'e Arc<Entry>> + Clone,
    retries: &Retries,
    snapshot: &Snapshot,
) -> String {
    let steps = sequence::steps(entries, retries);
    sequence::mermaid(&steps, snapshot.counters.usual_caller(), &snapshot.driver.name)
}

/// The calls as they are drawn on the screen, without cutting anything off.
pub fn text<'e>(
    entries: impl Iterator<Item = &'e Arc<Entry>> + Clone,
    snapshot: &Snapshot,
    symbols: &Symbols,
    zone: &TimeZone,
) -> String {
    let waited = |entry: &Entry| snapshot.waited(entry);
    let retries = retries(entries.clone());
    let steps = sequence::steps(entries, &retries);
    let drawing = Drawing::new(symbols, zone, &waited, 0).as_wide_as(&steps);
    drawing.text(&steps, snapshot.counters.usual_caller(), &snapshot.driver.name)
}

pub(super) fn retries<'e>(entries: impl Iterator<Item = &'e Arc<Entry>>) -> Retries {
    let mut retries = Retries::default();
    for entry in entries {
        retries.push(entry);
    }
    retries
}
