//! Entries as JSON lines.

use std::{
    io::{self, Write},
    sync::Arc,
};

use crate::domain::{lang::json, model::entry::Entry};

/// Writes one entry per line.
pub fn write<'e>(out: &mut impl Write, mut entries: impl Iterator<Item = &'e Arc<Entry>>) -> io::Result<()> {
    entries.try_for_each(|entry| json::write_line(out, entry))
}
