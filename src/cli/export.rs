//! `voltergeist export`: a recording as another file.

use std::{path::Path, process::ExitCode};

use super::output::print;
use crate::{
    domain::{lang::filter::Filter, model::scenario::ScenarioCatalog},
    export,
    hub::Snapshot,
    recording::{Line, RecordingFile},
};

/// Writes the entries of the last run that pass a filter, in the format of the new file's extension.
pub fn run(file: &Path, out: &Path, which: &Filter) -> anyhow::Result<ExitCode> {
    let recording = RecordingFile::open(file)?;
    let Some(run) = recording.runs().last() else {
        anyhow::bail!("nothing is recorded in {}", file.display())
    };
    let mut entries = Vec::new();
    let mut lines = recording.lines(run.start, run.end);
    while let Some(line) = lines.next_line()? {
        if let Line::Entry(entry) = line {
            entries.push(entry);
        }
    }
    let state = recording.state_at(run, run.end)?;
    let at = recording.time_before(run, run.end)?;
    let snapshot = Snapshot::of(&state, at, ScenarioCatalog::default());
    let saved = export::save(&out.display().to_string(), which, &entries, &snapshot)?;
    let meant = export::meant_filter(which, &entries);
    print(format!("{saved} saved to {}{meant}\n", out.display()).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
