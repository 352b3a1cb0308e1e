//! What the console remembers from one run to the next: typed lines and moved borders, and for each kind of source the
//! chosen columns and the order of the rows, in a file of the user's.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    path::Path,
};

use serde::{Deserialize, Serialize};
use strum::Display;

use crate::{
    console::{
        column::ColumnChoice,
        layout::borders::Borders,
        model::{App, prompt::History},
    },
    domain::model::source_status::SourceStatus,
    hub::Snapshot,
};

/// How many lines of each kind are kept.
const MAX_LINES: usize = 500;

/// A kind of source. What is looked for in a recording is not what is watched in a running driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display)]
#[strum(serialize_all = "lowercase")]
pub enum SourceKind {
    /// The driver of this process.
    Driver,
    /// The same, with the demo's workload.
    Demo,
    /// Other processes.
    Attached,
    /// A recording.
    Recording,
}

impl SourceKind {
    /// That of a snapshot.
    pub const fn of(snapshot: &Snapshot) -> Self {
        match snapshot.source {
            SourceStatus::Local if snapshot.speed.is_some() => Self::Demo,
            SourceStatus::Local => Self::Driver,
            SourceStatus::Remote(_) | SourceStatus::Nodes => Self::Attached,
            SourceStatus::Recording(_) => Self::Recording,
        }
    }
}

/// The content of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    borders: Borders,
    /// By the name of the kind of source. A later version may know more of them.
    views: BTreeMap<String, ColumnChoice>,
    lines: History,
    filters: History,
    shell_lines: History,
}

impl Memory {
    /// Reads a file. One that is missing or damaged is as good as empty.
    pub fn read(path: &Path) -> Self {
        fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Gives a console what is remembered.
    pub fn restore(mut self, app: &mut App, kind: SourceKind) {
        (app.borders, app.lines, app.filters) = (self.borders, self.lines, self.filters);
        app.shell_lines = self.shell_lines;
        app.columns = self.views.remove(&kind.to_string()).unwrap_or_default();
        app.follow_columns();
    }

    /// Writes what a console is to remember. Lines that another console has added meanwhile are kept.
    pub fn write(app: &App, kind: SourceKind, path: &Path) -> io::Result<()> {
        let mut before = Self::read(path);
        before.views.insert(kind.to_string(), app.columns.clone());
        let memory = Self {
            borders: app.borders,
            views: before.views,
            lines: before.lines.followed_by(&app.lines, MAX_LINES),
            filters: before.filters.followed_by(&app.filters, MAX_LINES),
            shell_lines: before.shell_lines.followed_by(&app.shell_lines, MAX_LINES),
        };
        let directory = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(directory)?;
        // Only readable by the user: a line may contain a secret.
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(&serde_json::to_vec(&memory)?)?;
        file.persist(path)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::{ConsoleOptions, input::keymap::Keymap};

    #[test]
    fn lines_of_two_consoles_are_both_kept() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("state/console.json");
        let app = || {
            let mut app = App::new(
                (80, 24),
                ConsoleOptions::default().theme,
                Keymap::default(),
                jiff::tz::TimeZone::UTC,
            );
            Memory::read(&path).restore(&mut app, SourceKind::Driver);
            app
        };
        let (mut one, mut two) = (app(), app());
        one.lines.keep("note one");
        two.lines.keep("note two");
        Memory::write(&one, SourceKind::Driver, &path).expect("it can be written");
        Memory::write(&two, SourceKind::Driver, &path).expect("it can be written");
        let mut expected = History::default();
        expected.keep("note one");
        expected.keep("note two");
        assert_eq!(app().lines, expected);
        let text = fs::read_to_string(&path).expect("it was written").replace("driver", "cluster");
        fs::write(&path, text).expect("it can be written");
        Memory::write(&app(), SourceKind::Driver, &path).expect("it can be written");
        assert_eq!(app().lines, expected, "what it does not know does no harm");
        assert!(Memory::read(&path).views.contains_key("cluster"), "and is kept");
        fs::write(&path, "{").expect("it can be written");
        assert_eq!(Memory::read(&path), Memory::default());
    }
}
