//! Volumes on disk: a directory for the data of each, and a record that persists across restarts.
//!
//! ```text
//! ROOT/NAME                                the data, which the engine mounts
//! ROOT/.voltergeist/NAME                   the record, as JSON
//! ROOT/.voltergeist/.voltergeist/          the staging directory: unfinished, trashed and corrupt files
//! ROOT/.voltergeist/.voltergeist/lost/NAME the record of a volume after `crash lose`
//! ```
//!
//! The staging directory cannot collide with a record, because no volume can have its name. A record is written to a
//! temporary file and then renamed, so that a kill at any moment leaves the old one or the new one. Data is deleted
//! in the same way: it is renamed, which is quick whatever its size, and then deleted by a background thread.
//!
//! All access goes through directory handles (cap-std), so that neither a name nor a symlink that a container has
//! created in its volume leads out of them.

use std::{
    io::{self, ErrorKind, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
};

use cap_std::{
    ambient_authority,
    fs::{Dir, OpenOptions},
};
use rustix::fs::{FlockOperation, flock};

use crate::{
    domain::model::{
        protocol::RESERVED_NAME,
        volume::{Change, Volume, Volumes},
    },
    hub::VolumeStore,
};

/// Why the volumes on disk cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// Mountpoints are sent as JSON, which is UTF-8.
    #[error("{0:?} is not UTF-8, and mountpoints must be; choose another root")]
    NotUtf8(PathBuf),
    /// Another process uses the same root.
    #[error("another voltergeist uses {0:?}; stop it, or choose another root")]
    InUse(PathBuf),
    /// The operating system refused.
    #[error("cannot use {path:?} for volumes: {error}; make it writable, or choose another root")]
    Unusable {
        /// The root.
        path: PathBuf,
        /// The error of the operating system.
        error: io::Error,
    },
}

/// The volumes on disk. Clones share them.
#[derive(Clone)]
pub struct DiskStore(Arc<Layout>);

struct Layout {
    root: String,
    data: Dir,
    records: Dir,
    /// Unfinished, trashed and corrupt files.
    staging: Dir,
    /// Records of volumes after `crash lose`, so that their data can still be deleted.
    lost: Dir,
    /// Locked while this process uses the root.
    _lock: cap_std::fs::File,
    /// Makes names in the staging directory unique.
    staged: AtomicU64,
    /// Names for the thread that deletes.
    trash: mpsc::Sender<String>,
    /// What was wrong with the records when they were read.
    corrupt_records: Vec<String>,
}

/// Names in the staging directory.
const LOCK: &str = "lock";
const LOST: &str = "lost";
const UNFINISHED: &str = "unfinished";
const TRASH: &str = "trash-";
const CORRUPT: &str = "corrupt-";

impl DiskStore {
    /// Opens the volumes under a directory, which is created if it is missing, and reads their records.
    pub fn open(root: &Path) -> Result<(Self, Volumes), DiskError> {
        let unusable = |error| DiskError::Unusable { path: root.to_owned(), error };
        let path = std::path::absolute(root).map_err(unusable)?;
        let text = path.to_str().ok_or_else(|| DiskError::NotUtf8(root.to_owned()))?.to_owned();
        Dir::create_ambient_dir_all(&path, ambient_authority()).map_err(unusable)?;
        let data = Dir::open_ambient_dir(&path, ambient_authority()).map_err(unusable)?;
        let records = subdirectory(&data, RESERVED_NAME).map_err(unusable)?;
        let staging = subdirectory(&records, RESERVED_NAME).map_err(unusable)?;
        let lost = subdirectory(&staging, LOST).map_err(unusable)?;
        let lock = staging.create(LOCK).map_err(unusable)?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|error| match error {
            rustix::io::Errno::WOULDBLOCK => DiskError::InUse(root.to_owned()),
            error => unusable(error.into()),
        })?;
        let trash = delete_in_background(subdirectory(&records, RESERVED_NAME).map_err(unusable)?);
        let mut layout = Layout {
            root: text,
            data,
            records,
            staging,
            lost,
            _lock: lock,
            staged: AtomicU64::new(0),
            trash,
            corrupt_records: Vec::new(),
        };
        let volumes = layout.read().map_err(unusable)?;
        Ok((Self(Arc::new(layout)), volumes))
    }

    /// The path of a volume's data, whether it exists or not.
    pub fn mountpoint(&self, name: &str) -> String {
        format!("{}/{name}", self.0.root.trim_end_matches('/'))
    }

    /// What was wrong with the records when they were read, each with the path it was moved to.
    pub fn corrupt_records(&self) -> &[String] {
        &self.0.corrupt_records
    }

    /// Creates a volume's directory, and writes the driver's address and the mount ID into it.
    pub fn prepare(&self, name: &str, address: &str, id: &str) -> io::Result<()> {
        let volume = subdirectory(&self.0.data, name)?;
        replace_file(&volume, "test", address)?;
        replace_file(&volume, "mountID", id)
    }
}

impl VolumeStore for DiskStore {
    fn persist(&mut self, change: &Change, after: Option<&Volume>) -> io::Result<()> {
        match change {
            Change::Removed { name } => self.0.delete(name),
            // Lost volumes too: nothing else would ever delete their data.
            Change::AllDeleted => {
                names(&self.0.records)?.chain(names(&self.0.lost)?).try_for_each(|name| self.0.delete(&name))
            }
            Change::StateLost => {
                names(&self.0.records)?.try_for_each(|name| self.0.records.rename(&name, &self.0.lost, &name))
            }
            _ => after.map_or(Ok(()), |volume| self.0.write(volume)),
        }
    }
}

impl Layout {
    fn write(&self, volume: &Volume) -> io::Result<()> {
        self.staging.write(UNFINISHED, serde_json::to_vec(volume)?)?;
        self.staging.rename(UNFINISHED, &self.records, &volume.name)
    }

    /// Deletes a volume's data, then its record: in this order a kill in between loses no volume.
    fn delete(&self, name: &str) -> io::Result<()> {
        let trash = self.staging_name(TRASH);
        match self.data.rename(name, &self.staging, &trash) {
            Ok(()) => drop(self.trash.send(trash)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        remove_if_exists(&self.lost, name)?;
        remove_if_exists(&self.records, name)
    }

    fn staging_name(&self, prefix: &str) -> String {
        let now = jiff::Timestamp::now().as_nanosecond();
        format!("{prefix}{now}-{}", self.staged.fetch_add(1, Ordering::Relaxed))
    }

    /// Reads all records, moves corrupt ones to the staging directory, and deletes what an earlier process trashed.
    fn read(&mut self) -> io::Result<Volumes> {
        for entry in self.staging.entries()? {
            if let Ok(name) = entry?.file_name().into_string()
                && name.starts_with(TRASH)
            {
                drop(self.trash.send(name));
            }
        }
        let mut volumes = Vec::new();
        for name in names(&self.records)? {
            match self.read_record(&name) {
                Ok(volume) => volumes.push(volume),
                Err(problem) => {
                    let staged = self.staging_name(CORRUPT);
                    self.records.rename(&name, &self.staging, &staged)?;
                    self.corrupt_records.push(format!(
                        "the record of volume {name:?} is corrupt ({problem}); the volume is unknown now, \
                         and the record was moved to {}/{RESERVED_NAME}/{RESERVED_NAME}/{staged}",
                        self.root
                    ));
                }
            }
        }
        Ok(volumes.into_iter().collect())
    }

    fn read_record(&self, name: &str) -> Result<Volume, String> {
        let bytes = self.records.read(name).map_err(|error| error.to_string())?;
        let volume: Volume = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        if volume.name == name { Ok(volume) } else { Err(format!("it belongs to {:?}", volume.name)) }
    }
}

/// The names of all records in a directory.
fn names(records: &Dir) -> io::Result<impl Iterator<Item = String> + use<>> {
    let names = records.entries()?.map(|entry| Ok(entry?.file_name().into_string().ok()));
    let names = names.collect::<io::Result<Vec<_>>>()?;
    Ok(names.into_iter().flatten().filter(|name| name != RESERVED_NAME))
}

fn remove_if_exists(directory: &Dir, name: &str) -> io::Result<()> {
    match directory.remove_file(name) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Opens a directory, which is created if it is missing.
fn subdirectory(parent: &Dir, name: &str) -> io::Result<Dir> {
    match parent.create_dir(name) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => parent.open_dir(name),
    }
}

/// Writes a file in a volume. What a container has put there is removed first: opening a pipe would block until
/// there is a reader.
fn replace_file(volume: &Dir, name: &str, text: &str) -> io::Result<()> {
    remove_if_exists(volume, name)?;
    volume.open_with(name, OpenOptions::new().write(true).create_new(true))?.write_all(text.as_bytes())
}

/// Starts a thread that deletes what is sent to it, until all senders are dropped.
fn delete_in_background(staging: Dir) -> mpsc::Sender<String> {
    let (sender, receiver) = mpsc::channel::<String>();
    std::thread::spawn(move || {
        for name in receiver {
            let deleted = match staging.symlink_metadata(&name) {
                Ok(metadata) if metadata.is_dir() => staging.remove_dir_all(&name),
                Ok(_) => staging.remove_file(&name),
                Err(error) => Err(error),
            };
            if let Err(error) = deleted {
                tracing::warn!(%error, name, "cannot delete the data of a removed volume; voltergeist retries at the next start");
            }
        }
    });
    sender
}
