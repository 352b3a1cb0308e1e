//! Saving: entries in a file, in the form that its name asks for.
//!
//! It takes no lock but for moments: a slow disk must keep neither calls nor volumes waiting.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    path::Path,
};

use super::{
    CommandFailed, Hub,
    report::{self, Form},
};
use crate::domain::{lang::filter::Filter, text::counted};

impl Hub {
    /// Writes entries to a file in the form that its name asks for, and says what was written.
    pub(super) fn save(&self, path: &str, which: &Filter) -> Result<String, CommandFailed> {
        let all = self.all_entries();
        let passing = || all.iter().filter(|entry| which.matches(entry));
        let file = Path::new(path);
        let form = Form::of(file);
        let seen = self.snapshot();
        let page = report::page(form, &all, which, &seen);
        let write = |file: &mut BufWriter<File>| match &page {
            Some(page) => file.write_all(page.as_bytes()),
            None => passing().try_for_each(|entry| {
                serde_json::to_writer(&mut *file, entry)?;
                file.write_all(b"\n")
            }),
        };
        write_new(file, write).map_err(|error| CommandFailed::Save { path: path.into(), error })?;
        let of = if which.is_empty() { String::new() } else { format!("{} of ", passing().count()) };
        let entries = format!("{of}{}", counted(all.len() as u64, "entry"));
        Ok(match form {
            Form::Lines => entries,
            Form::Report => format!("a report of the run with {entries}"),
            Form::Mermaid => format!("a sequence of {entries} as Mermaid"),
            Form::Drawing => format!("a sequence of {entries} as text"),
        })
    }
}

/// Makes a new file; one that is there already is left as it is, and one that cannot be finished does not stay.
fn write_new(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let mut file = BufWriter::new(File::create_new(path)?);
    write(&mut file).and_then(|()| file.flush()).inspect_err(|_| drop(fs::remove_file(path)))
}
