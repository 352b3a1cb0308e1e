//! Entries as JSON lines.

use std::{
    io::{self, Write},
    sync::Arc,
};

use crate::domain::model::entry::Entry;

/// Writes one entry per line.
pub fn write<'e>(out: &mut impl Write, mut entries: impl Iterator<Item = &'e Arc<Entry>>) -> io::Result<()> {
    entries.try_for_each(|entry| {
        serde_json::to_writer(&mut *out, entry)?;
        out.write_all(b"\n")
    })
}
