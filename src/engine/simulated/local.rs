//! The driver `local`, which every daemon has: names, each with a directory for what containers write.

use std::{collections::BTreeMap, path::PathBuf};

use parking_lot::Mutex;
use tempfile::TempDir;

use super::{adapter::Described, client::CallError};

pub(super) const LOCAL: &str = "local";

/// The daemon's own driver. It survives restarts, as its directory does.
#[derive(Debug)]
pub(super) struct LocalDriver {
    volumes: Mutex<BTreeMap<String, Described>>,
    /// None where the machine has no place for it: then what containers write is lost.
    home: Option<TempDir>,
}

impl LocalDriver {
    pub(super) fn new() -> Self {
        Self { volumes: Mutex::default(), home: tempfile::tempdir().ok() }
    }

    /// Unlike plugins, this driver wants plain names, which makes the name safe in a path.
    pub(super) fn create(&self, name: &str) -> Result<(), CallError> {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        if name.len() < 2 {
            let short = "volume name is too short, names should be at least two alphanumeric characters";
            return Err(CallError::Refused(short.into()));
        }
        if !name.as_bytes()[0].is_ascii_alphanumeric() || !name.bytes().all(inner) {
            return Err(CallError::Refused(format!(
                "{name:?} includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use absolute path"
            )));
        }
        let directory = self.directory(name);
        if let Some(directory) = &directory {
            let made = std::fs::create_dir_all(directory);
            made.map_err(|error| CallError::Refused(error.to_string()))?;
        }
        let imagined = || PathBuf::from("/var/lib/docker/volumes").join(name);
        let volume = Described {
            name: name.to_owned(),
            mountpoint: directory.unwrap_or_else(imagined).display().to_string(),
            ..Described::default()
        };
        self.volumes.lock().entry(name.to_owned()).or_insert(volume);
        Ok(())
    }

    /// Where the volume of a checked name has its files.
    fn directory(&self, name: &str) -> Option<PathBuf> {
        self.home.as_ref().map(|home| home.path().join(name))
    }

    /// The directory of all directories.
    pub(super) fn home(&self) -> Option<PathBuf> {
        self.home.as_ref().map(|home| home.path().to_owned())
    }

    pub(super) fn get(&self, name: &str) -> Option<Described> {
        self.volumes.lock().get(name).cloned()
    }

    pub(super) fn list(&self) -> Vec<Described> {
        self.volumes.lock().values().cloned().collect()
    }

    /// Removes a volume that was created here, so that its name was checked then.
    pub(super) fn remove(&self, name: &str) {
        let removed = self.volumes.lock().remove(name);
        if let (Some(_), Some(directory)) = (removed, self.directory(name)) {
            // What is left of a volume that nobody knows is seen by nobody.
            let _ = std::fs::remove_dir_all(directory);
        }
    }
}
