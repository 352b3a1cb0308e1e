//! Volumes on disk: a directory for each one's data, and a record that outlives the process.
//!
//! ```text
//! ROOT/NAME                                the data, which the engine mounts
//! ROOT/.voltergeist/NAME                   the record, as JSON
//! ROOT/.voltergeist/.voltergeist/          what is being written, thrown away, or was found damaged
//! ROOT/.voltergeist/.voltergeist/lost/NAME the record of a volume that the driver has lost the memory of
//! ```
//!
//! The inner `.voltergeist` can have no record's name, because no volume can have that name. A record
//! is written aside and then renamed into its place, so that a kill at any moment leaves the old one
//! or the new one. Data is thrown away in the same manner: a rename, which is quick however much there
//! is, and then a thread that deletes it where no call waits for it.
//!
//! All access goes through directory handles (cap-std), so that neither a name nor a symlink that a
//! container has left in its volume leads out of them.

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
    state::VolumeStore,
};

/// Why the volumes on disk cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// The paths that engines are told are JSON texts.
    #[error("{0:?} is not UTF-8, so no engine can be told of it; choose another root")]
    NotUtf8(PathBuf),
    /// Another process has the same root.
    #[error("another voltergeist uses {0:?}; end it, or choose another root")]
    InUse(PathBuf),
    /// The system said no.
    #[error("cannot use {path:?} for volumes: {error}; make it writable, or choose another root")]
    Unusable {
        /// The root.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

/// The volumes' place on disk. Clones share it.
#[derive(Clone)]
pub struct DiskStore(Arc<Layout>);

struct Layout {
    root: String,
    data: Dir,
    records: Dir,
    /// What is being written, thrown away, or was found damaged.
    staging: Dir,
    /// Records of volumes that the driver has lost the memory of, so that their files can still be found.
    lost: Dir,
    /// Its lock says whose the root is.
    _lock: cap_std::fs::File,
    /// Makes names in the attic unique.
    moved: AtomicU64,
    /// To the thread that deletes.
    trash: mpsc::Sender<String>,
    /// What was wrong with the records when they were read.
    damage: Vec<String>,
}

/// What the attic holds.
const LOCK: &str = "lock";
const LOST: &str = "lost";
const UNFINISHED: &str = "unfinished";
const RUBBISH: &str = "rubbish-";
const DAMAGED: &str = "damaged-";

impl DiskStore {
    /// Opens the volumes under a directory, which is made if it is missing, and reads their records.
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
        let mut shelves = Layout {
            root: text,
            data,
            records,
            staging,
            lost,
            _lock: lock,
            moved: AtomicU64::new(0),
            trash,
            damage: Vec::new(),
        };
        let volumes = shelves.read().map_err(unusable)?;
        Ok((Self(Arc::new(shelves)), volumes))
    }

    /// Where a volume's data is, or would be.
    pub fn mountpoint(&self, name: &str) -> String {
        format!("{}/{name}", self.0.root.trim_end_matches('/'))
    }

    /// What was wrong with the records when they were read, each with where it was set aside.
    pub fn damage(&self) -> &[String] {
        &self.0.damage
    }

    /// Makes a volume's directory, and writes down in it who serves it and for which mount.
    pub fn prepare(&self, name: &str, address: &str, id: &str) -> io::Result<()> {
        let volume = subdirectory(&self.0.data, name)?;
        write_anew(&volume, "test", address)?;
        write_anew(&volume, "mountID", id)
    }
}

impl VolumeStore for DiskStore {
    fn persist(&mut self, change: &Change, after: Option<&Volume>) -> io::Result<()> {
        match change {
            Change::Removed { name } => self.0.discard(name),
            // Also those that it no longer knows of: nobody else will ever remove their files.
            Change::AllDeleted => {
                names(&self.0.records)?.chain(names(&self.0.lost)?).try_for_each(|name| self.0.discard(&name))
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

    /// Throws away a volume's data, then its record: in this order a kill in between loses no volume.
    fn discard(&self, name: &str) -> io::Result<()> {
        let trash = self.attic_name(RUBBISH);
        match self.data.rename(name, &self.staging, &trash) {
            Ok(()) => drop(self.trash.send(trash)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        remove_if_there(&self.lost, name)?;
        remove_if_there(&self.records, name)
    }

    fn attic_name(&self, prefix: &str) -> String {
        let now = jiff::Timestamp::now().as_nanosecond();
        format!("{prefix}{now}-{}", self.moved.fetch_add(1, Ordering::Relaxed))
    }

    /// Reads all records, sets aside those that are damaged, and clears what an earlier life left.
    fn read(&mut self) -> io::Result<Volumes> {
        for left in self.staging.entries()? {
            if let Ok(name) = left?.file_name().into_string()
                && name.starts_with(RUBBISH)
            {
                drop(self.trash.send(name));
            }
        }
        let mut volumes = Vec::new();
        for name in names(&self.records)? {
            match self.read_record(&name) {
                Ok(volume) => volumes.push(volume),
                Err(problem) => {
                    let aside = self.attic_name(DAMAGED);
                    self.records.rename(&name, &self.staging, &aside)?;
                    self.damage.push(format!(
                        "the record of volume {name:?} is damaged ({problem}); the volume is unknown now, \
                         and the record was moved to {}/{RESERVED_NAME}/{RESERVED_NAME}/{aside}",
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
        if volume.name == name { Ok(volume) } else { Err(format!("it is about {:?}", volume.name)) }
    }
}

/// The names of all volumes that have a record in a directory.
fn names(records: &Dir) -> io::Result<impl Iterator<Item = String> + use<>> {
    let names = records.entries()?.map(|entry| Ok(entry?.file_name().into_string().ok()));
    let names = names.collect::<io::Result<Vec<_>>>()?;
    Ok(names.into_iter().flatten().filter(|name| name != RESERVED_NAME))
}

fn remove_if_there(directory: &Dir, name: &str) -> io::Result<()> {
    match directory.remove_file(name) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Opens a directory, which is made if it is missing.
fn subdirectory(parent: &Dir, name: &str) -> io::Result<Dir> {
    match parent.create_dir(name) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => parent.open_dir(name),
    }
}

/// Writes a file in a volume. What a container has put in its place goes first: opening a pipe would wait for a reader.
fn write_anew(volume: &Dir, name: &str, text: &str) -> io::Result<()> {
    remove_if_there(volume, name)?;
    volume.open_with(name, OpenOptions::new().write(true).create_new(true))?.write_all(text.as_bytes())
}

/// Deletes what is named to it until nobody is left to name anything.
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
                tracing::warn!(%error, name, "cannot delete a removed volume's data; it is tried again at the next start");
            }
        }
    });
    sender
}
