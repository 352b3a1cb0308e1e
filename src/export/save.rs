//! Saves entries to a file, in the format of its extension.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::Arc,
};

use jiff::tz::TimeZone;

use super::{export_format::ExportFormat, har, jsonl, report, rule_file, scenario_file, sequence};
use crate::{
    domain::{
        lang::{command::Command, filter::Filter},
        model::{entry::Entry, origin::Origin},
        text::{counted, symbols},
    },
    hub::{CommandFailed, CommandOutput, Hub, Snapshot},
};

/// Parses a command line and runs it.
pub fn run_line(hub: &Hub, line: &str, origin: Origin) -> Result<CommandOutput, CommandFailed> {
    run_command(hub, &line.trim().parse()?, origin)
}

/// Runs a command: `save` and `load` here, since the shared state has no files, and any other on the state.
pub fn run_command(hub: &Hub, command: &Command, origin: Origin) -> Result<CommandOutput, CommandFailed> {
    let (path, which) = match command {
        Command::Save { path, which } => (path, which),
        Command::Load { path, confirmed } => return rule_file::load(hub, path, *confirmed, origin),
        _ => return hub.command(command, origin),
    };
    if ExportFormat::of(Path::new(path)) == Some(ExportFormat::Rules) && !which.is_empty() {
        return Err(CommandFailed::FilteredRules);
    }
    // Entries are shared, not copied, and no lock is held while the file is written.
    let entries = hub.all_entries();
    let snapshot = hub.snapshot();
    let saved = save(path, which, &entries, &snapshot)?;
    let meant = meant_filter(which, &entries);
    Ok(hub.record_command(command, format!("{saved} saved to {path}{meant}"), origin))
}

/// Writes the entries that pass a filter to a new file, and says what was written.
pub fn save(
    path: &str,
    which: &Filter,
    entries: &[Arc<Entry>],
    snapshot: &Snapshot,
) -> Result<String, CommandFailed> {
    let format = ExportFormat::of(Path::new(path))
        .ok_or_else(|| CommandFailed::SaveFormat { path: path.to_owned(), known: ExportFormat::known() })?;
    let scenario = (format == ExportFormat::Scenario)
        .then(|| scenario_file::scenario(entries.iter().filter(|entry| which.matches(entry)), snapshot))
        .transpose()
        .map_err(|problem| CommandFailed::NoScenario { path: path.to_owned(), problem })?;
    let passing = || entries.iter().filter(|entry| which.matches(entry));
    let written = write_new(Path::new(path), |file| match format {
        ExportFormat::JsonLines => jsonl::write(file, passing()),
        ExportFormat::Report => file.write_all(report::markdown(entries.iter(), which, snapshot).as_bytes()),
        ExportFormat::Mermaid => file.write_all(sequence::mermaid(passing(), snapshot).as_bytes()),
        ExportFormat::Har => har::write(file, passing(), snapshot),
        ExportFormat::Scenario => file.write_all(scenario.as_deref().unwrap_or_default().as_bytes()),
        ExportFormat::Rules => file.write_all(rule_file::write(snapshot).as_bytes()),
        ExportFormat::Text => {
            let text = sequence::text(passing(), snapshot, &symbols::UNICODE, &TimeZone::UTC);
            file.write_all(text.as_bytes())
        }
    });
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => CommandFailed::SaveExists(path.to_owned()),
        _ => CommandFailed::Save { path: path.to_owned(), error },
    })?;
    let of = if which.is_empty() { String::new() } else { format!("{} of ", passing().count()) };
    let number = format!("{of}{}", counted(entries.len() as u64, "entry"));
    Ok(match format {
        ExportFormat::JsonLines => number,
        ExportFormat::Rules => counted(snapshot.rules.len() as u64, "rule"),
        ExportFormat::Report => format!("a report of the run with {number}"),
        ExportFormat::Har => format!("an HTTP archive of {number}"),
        ExportFormat::Scenario => format!("a scenario of {number}"),
        ExportFormat::Mermaid => format!("a sequence of {number} as Mermaid"),
        ExportFormat::Text => format!("a sequence of {number} as text"),
    })
}

/// The question about a filter that no entry passes; empty if some do.
pub fn meant_filter(which: &Filter, entries: &[Arc<Entry>]) -> String {
    let is_passed = entries.iter().any(|entry| which.matches(entry));
    if is_passed { String::new() } else { which.did_you_mean() }
}

/// Creates a new file. An existing one is not changed, and one that cannot be completed is removed.
fn write_new(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    // A run has the options of volumes in it, and so perhaps passwords.
    let mut file = BufWriter::new(OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?);
    write(&mut file).and_then(|()| file.flush()).inspect_err(|_| drop(fs::remove_file(path)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::entry::EntryKind;

    /// The commands in the journal.
    fn commands(hub: &Hub) -> usize {
        hub.all_entries().iter().filter(|entry| matches!(entry.kind, EntryKind::Command(_))).count()
    }

    #[test]
    fn a_failed_save_says_why_and_leaves_no_entry() {
        let hub = Hub::for_tests();
        let there = tempfile::Builder::new().suffix(".md").tempfile().expect("a temporary file");
        let there = there.path().display();
        for (line, why) in [
            ("save /nowhere/x.md".to_owned(), "cannot save to /nowhere/x.md: "),
            (format!("save {there}"), "exists; choose another name"),
            (
                "save /nowhere/x.pcap".to_owned(),
                "x.pcap: unknown format; end the name in one of: .jsonl, .md",
            ),
            ("save /nowhere/x".to_owned(), "x: unknown format"),
        ] {
            let error = run_line(&hub, &line, Origin::Line).expect_err("it cannot be saved").to_string();
            assert!(error.contains(why), "{error}");
        }
        assert_eq!(commands(&hub), 0);
    }

    #[test]
    fn the_state_itself_saves_nothing() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("run.jsonl").display().to_string();
        let hub = Hub::for_tests();
        let line = format!("save {path:?}");
        assert!(hub.command_line(&line, Origin::Line).is_err() && !Path::new(&path).exists());
        run_line(&hub, &line, Origin::Line).expect("it is saved");
        assert!(Path::new(&path).exists() && commands(&hub) == 1);
    }
}
