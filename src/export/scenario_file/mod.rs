//! A run as a scenario: the commands that were given, with the calls that were seen as expectations.

mod containers;
mod played;
mod recognised;
mod write;

use std::sync::Arc;

use self::write::{Draft, text};
use crate::{domain::model::entry::Entry, hub::Snapshot};

/// The text of a scenario file. If a scenario was played, its latest run is in it; else the engine's commands are
/// found from the calls. The error says why there is nothing to play.
pub fn scenario<'e>(
    entries: impl Iterator<Item = &'e Arc<Entry>>,
    snapshot: &Snapshot,
) -> Result<String, String> {
    let entries: Vec<_> = entries.cloned().collect();
    let draft: Draft = match played::draft(&entries) {
        Some(draft) => draft,
        None => recognised::draft(&entries, &snapshot.driver.name),
    };
    if draft.steps.is_empty() {
        return Err("there are no commands and no calls of an engine to make a scenario of".to_owned());
    }
    Ok(text(&draft))
}
