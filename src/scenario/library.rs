//! The shipped scenarios, and those of the user.

use std::{
    fs,
    io::{self, Read as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use rustix::fs::OFlags;

use super::{file::Scenario, parse::ScenarioError};
use crate::domain::lang::suggest::did_you_mean;

macro_rules! shipped {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../assets/scenarios/", $name, ".toml")))),*]
    };
}

/// The shipped scenarios: first those after moby's test suite, then how daemons react to a bad plugin.
const SHIPPED: &[(&str, &str)] = shipped![
    "option-conflict"
    "named-volume"
    "anonymous-volume"
    "volumes-from"
    "delete-container"
    "lookup-not-blocked"
    "late-plugin"
    "bind-external-volume"
    "list"
    "get"
    "daemon-restart"
    "get-empty-response"
    "path-calls"
    "mount-id"
    "capabilities"
    "out-of-band-delete"
    "unmount-on-mount-fail"
    "unmount-on-cp"
    "empty-retry"
    "five-tries"
    "labels-lost"
    "data-lost"
    "shadow-volume"
    "leaked-mount"
    "reused-mount-id"
    "engine-directory-mounted"
    "missing-mountpoint"
    "down-at-boot"
    "hanging-activate"
    "short-outage"
    "duplicate-create"
    "orphan"
    "nameless-get"
    "another-name"
    "slow-remove"
    "others-not-blocked"
    "bad-time"
    "null-entry"
    "killed-daemon"
    "restart-always"
    "found-references"
    "lie"
    "copy-up"
    "copy-up-not-unmounted"
    "unmount-on-failed-cp"
    "anonymous-local"
    "error-with-success"
    "podman-counts-mounts"
    "two-hosts"
    "claims-every-name"
    "mount-works-later"
    "remove-while-mounted"
    "data-survives-removal"
    "late-at-boot"
    "pending-service"
    "live-restore"
    "live-restore-refused"
    "plugin-disabled"
];

/// Where scenarios are found.
#[derive(Clone, Debug, Default)]
pub struct ScenarioLibrary {
    own: Option<PathBuf>,
}

/// A scenario and its file.
#[derive(Clone, Debug)]
pub struct LoadedScenario {
    /// The scenario.
    pub scenario: Scenario,
    /// Its file; `None` for a shipped one.
    pub file: Option<PathBuf>,
}

/// Why a scenario cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum LibraryError {
    #[error("unknown scenario {name:?}{}; `voltergeist play` lists them, or give the path of a file", did_you_mean(.name, SHIPPED.iter().map(|(name, _)| *name)))]
    Unknown { name: String },
    #[error("{}: {error}; give the path of a scenario file", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    /// The file is not a valid scenario.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
}

impl LibraryError {
    /// The name of the scenario that could not be loaded.
    pub fn name(&self) -> String {
        let file = match self {
            Self::Unknown { name } => return name.clone(),
            Self::Unreadable { path, .. } => path.as_path(),
            Self::Scenario(error) => Path::new(&error.file),
        };
        file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// The user's files, each with its time and size, which change when it is written.
pub type OwnFiles = Vec<(PathBuf, Option<SystemTime>, u64)>;

impl ScenarioLibrary {
    /// The shipped scenarios, and those in the user's directory, if there is one.
    pub fn new(own: Option<PathBuf>) -> Self {
        Self { own }
    }

    /// The user's files as they are now: it changes when one is written, added or removed.
    pub fn own_files(&self) -> OwnFiles {
        let files = self.own.as_ref().and_then(|own| fs::read_dir(own).ok()).into_iter().flatten().flatten();
        let mut files: Vec<_> = files
            .filter(|file| file.path().extension().is_some_and(|extension| extension == "toml"))
            .filter_map(|file| {
                let about = fs::metadata(file.path()).ok()?;
                Some((file.path(), about.modified().ok(), about.len()))
            })
            .collect();
        files.sort();
        files
    }

    /// Loads a scenario by its name, or by the path of its file. A user's scenario shadows a shipped one of its name.
    pub fn find(&self, name: &str) -> Result<LoadedScenario, LibraryError> {
        let path = Path::new(name);
        let is_path =
            path.components().count() > 1 || path.extension().is_some_and(|extension| extension == "toml");
        if is_path {
            return from_file(path);
        }
        let own = self.own.as_ref().map(|own| own.join(format!("{name}.toml")));
        if let Some(own) = own.filter(|own| own.exists()) {
            return from_file(&own);
        }
        match SHIPPED.iter().find(|(known, _)| *known == name) {
            Some((name, text)) => Ok(parse_shipped(name, text)?),
            None => Err(LibraryError::Unknown { name: name.to_owned() }),
        }
    }

    /// All scenarios: the shipped ones in their order, then the user's by name. Invalid files are errors.
    pub fn all(&self) -> Vec<Result<LoadedScenario, LibraryError>> {
        let (own, unreadable) = match self.own.as_deref().map(own_files) {
            Some(Err(error)) => (Vec::new(), Some(Err(error))),
            Some(Ok(files)) => (files, None),
            None => (Vec::new(), None),
        };
        let is_shadowed =
            |name: &str| own.iter().any(|path| path.file_stem().is_some_and(|stem| stem == name));
        let shipped = SHIPPED.iter().filter(|(name, _)| !is_shadowed(name));
        let shipped = shipped.map(|(name, text)| Ok(parse_shipped(name, text)?));
        shipped.chain(own.iter().map(|path| from_file(path))).chain(unreadable).collect()
    }
}

/// The scenario files in a directory, by name. The directory need not exist.
fn own_files(directory: &Path) -> Result<Vec<PathBuf>, LibraryError> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries,
    };
    let paths = entries.and_then(|entries| {
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()
    });
    let mut paths = paths.map_err(|error| LibraryError::Unreadable { path: directory.to_owned(), error })?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    Ok(paths)
}

/// Reads a file, and neither waits for the writer of a pipe nor reads without end.
fn read(path: &Path) -> io::Result<String> {
    let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
    let file = fs::OpenOptions::new().read(true).custom_flags(nonblocking).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut text = String::new();
    file.take(MAX_FILE_LEN + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_FILE_LEN {
        return Err(io::Error::other(format!("it has more than {MAX_FILE_LEN} bytes")));
    }
    Ok(text)
}

/// The longest scenario file in bytes.
const MAX_FILE_LEN: u64 = 1024 * 1024;

fn parse_shipped(name: &str, text: &str) -> Result<LoadedScenario, ScenarioError> {
    let scenario = Scenario::parse(name, &format!("{name}.toml"), text)?;
    Ok(LoadedScenario { scenario, file: None })
}

fn from_file(path: &Path) -> Result<LoadedScenario, LibraryError> {
    let text = read(path).map_err(|error| LibraryError::Unreadable { path: path.to_owned(), error })?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let scenario = Scenario::parse(&name, &path.display().to_string(), &text)?;
    Ok(LoadedScenario { scenario, file: Some(path.to_owned()) })
}
