//! Volumes on disk: a directory for each, and a record that persists across restarts.
//!
//! ```text
//! ROOT/NAME                      what the engine mounts: the data, or where it is mounted
//! ROOT/.voltergeist/lock         locked by the process that uses the root
//! ROOT/.voltergeist/records/NAME the record, as JSON
//! ROOT/.voltergeist/lost/NAME    the record of a volume after `crash lose`
//! ROOT/.voltergeist/data/NAME    the data of a volume with the option `mount`
//! ROOT/.voltergeist/staging/     unfinished, trashed and corrupt files
//! ```
//!
//! NAME is the volume's [`directory_name`]. A record is written to a temporary file and then renamed, so that a kill at
//! any moment leaves the old one or the new one. Data is deleted in the same way: it is renamed, which is quick whatever
//! its size, and then deleted by the [`Trash`]. What is mounted in a volume is never deleted.
//!
//! All access goes through directory handles, so that neither a name nor a symlink that a container has created in its
//! volume leads out of them.

mod mounts;

use std::{
    fs::{DirBuilder, File},
    io::{self, ErrorKind},
    os::{fd::OwnedFd, unix::fs::DirBuilderExt},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use cap_std::{
    ambient_authority,
    fs::{Dir, MetadataExt},
};
use rustix::fs::{FlockOperation, Mode, OFlags, fchmod, flock, openat};

use super::{
    directory_name::{PRIVATE, directory_name},
    group_sync::GroupSync,
    mount_table::check_unmounted,
    records::{self, RecordDirectory, RecordFiles as _, names, remove_if_exists},
    trash::Trash,
    volume_directory as directory,
};
use crate::{
    domain::model::{
        directory_options::DirectoryOptions,
        volume::{Change, Volume, Volumes},
    },
    hub::VolumeStore,
};

/// Why the volumes on disk cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum DiskError {
    /// Mountpoints are sent as JSON, which is UTF-8.
    #[error("{0:?} is not UTF-8, and mountpoints must be; choose another root")]
    NotUtf8(PathBuf),
    #[error("another voltergeist uses {0:?}; stop it, or choose another root")]
    InUse(PathBuf),
    #[error("{0:?} belongs to another user; choose another root, or remove it")]
    NotPrivate(PathBuf),
    #[error("cannot use {path:?} for volumes: {error}; make it writable, or choose another root")]
    Unusable { path: PathBuf, error: io::Error },
}

/// The volumes on disk. Clones share them.
#[derive(Clone)]
pub struct DiskStore(Arc<Layout>);

struct Layout {
    root: String,
    volumes: Dir,
    records: RecordDirectory,
    /// Records of volumes after `crash lose`, so that their data can still be deleted.
    lost: Dir,
    data: Dir,
    staging: Dir,
    /// Locked while this process uses the root.
    _lock: OwnedFd,
    trash: Trash,
    /// The driver's address, which is written into each volume at a mount.
    address: OnceLock<String>,
    /// For volumes whose options say nothing.
    defaults: DirectoryOptions,
    /// What a user should know about what was found on the disk.
    notes: Vec<String>,
}

impl DiskStore {
    /// Opens the volumes under a directory, which is created if it is missing, and reads their records.
    pub fn open(root: &Path) -> Result<(Self, Volumes), DiskError> {
        Self::open_with(root, DirectoryOptions::default(), false)
    }

    /// The same, with defaults for volumes whose options say nothing. With `sync`, a change survives a loss of power too.
    pub fn open_with(
        root: &Path,
        defaults: DirectoryOptions,
        sync: bool,
    ) -> Result<(Self, Volumes), DiskError> {
        let unusable = |error| DiskError::Unusable { path: root.to_owned(), error };
        let path = std::path::absolute(root).map_err(unusable)?;
        let text = path.to_str().ok_or_else(|| DiskError::NotUtf8(root.to_owned()))?.to_owned();
        // Others may pass through it to a volume, as a container's own users must, but not list it.
        DirBuilder::new().recursive(true).mode(0o711).create(&path).map_err(unusable)?;
        let volumes = Dir::open_ambient_dir(&path, ambient_authority()).map_err(unusable)?;
        let private = |parent: &Dir, name: &str| {
            private_directory(parent, name)
                .map_err(unusable)?
                .ok_or_else(|| DiskError::NotPrivate(path.join(PRIVATE)))
        };
        let own = private(&volumes, PRIVATE)?;
        let staging = private(&own, "staging")?;
        // Not for writing, which would keep the file system from becoming read-only.
        let flags = OFlags::CREATE | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let lock =
            openat(&own, "lock", flags, Mode::RUSR | Mode::WUSR).map_err(|error| unusable(error.into()))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|error| match error {
            rustix::io::Errno::WOULDBLOCK => DiskError::InUse(root.to_owned()),
            error => unusable(error.into()),
        })?;
        let mut layout = Layout {
            root: text,
            records: RecordDirectory {
                records: private(&own, "records")?,
                staging: private(&own, "staging")?,
                sync: sync.then(GroupSync::default),
            },
            lost: private(&own, "lost")?,
            data: private(&own, "data")?,
            trash: Trash::start(private(&own, "staging")?),
            volumes,
            staging,
            _lock: lock,
            address: OnceLock::new(),
            defaults,
            notes: Vec::new(),
        };
        if sync {
            // The names of the directories may be new.
            rustix::fs::fsync(&own).map_err(|error| unusable(error.into()))?;
            File::open(&path).and_then(|root| root.sync_all()).map_err(unusable)?;
            // That directory need not be readable.
            drop(path.parent().map(|parent| File::open(parent).and_then(|parent| parent.sync_all())));
        }
        let staging = format!("{}/{PRIVATE}/staging", layout.root);
        let (volumes, notes) =
            records::read_all(&layout.records.records, &layout.staging, &staging).map_err(unusable)?;
        layout.notes = notes;
        layout.find_mounts(&volumes).map_err(unusable)?;
        Ok((Self(Arc::new(layout)), volumes))
    }

    /// Sets the driver's address, which is written into each volume at a mount.
    pub fn set_address(&self, address: String) {
        // A store has one driver.
        let _ = self.0.address.set(address);
    }

    /// The path at which an engine finds a volume, whether it exists or not.
    pub fn mountpoint(&self, name: &str) -> String {
        [self.0.root.trim_end_matches('/'), "/", &*directory_name(name)].concat()
    }

    /// What a user should know about what was found on the disk: corrupt records with the path they were moved to, and
    /// mounts that an earlier process has left.
    pub fn notes(&self) -> &[String] {
        &self.0.notes
    }

    /// Ends the bind mounts of all volumes.
    pub fn unmount_all(&self) -> io::Result<()> {
        names(&self.0.data)?.try_for_each(|name| self.0.unbind(&name))
    }
}

impl VolumeStore for DiskStore {
    fn persist(&self, change: &Change, after: Option<&Volume>) -> io::Result<()> {
        let layout = &*self.0;
        layout.persist(change, after).map_err(|error| layout.explain(error))
    }
}

impl Layout {
    fn persist(&self, change: &Change, after: Option<&Volume>) -> io::Result<()> {
        match (change, after) {
            (Change::Removed { name }, _) => self.delete(&directory_name(name)),
            // The hub removes the volumes that it knows before. Nothing else would ever delete the data of lost ones.
            (Change::AllDeleted, _) => names(&self.records.records)?
                .chain(names(&self.lost)?)
                .try_for_each(|name| self.delete(&name)),
            (Change::StateLost, _) => self.lose_all(),
            (Change::Created { .. }, Some(volume)) => self.create(volume),
            (Change::Mounted { id, .. }, Some(volume)) => self.mount(volume, id),
            (Change::Unmounted { .. } | Change::MountsCleared { .. }, Some(volume)) => {
                if !volume.is_mounted() {
                    self.unbind(&directory_name(&volume.name))?;
                }
                records::write(&self.records, volume)
            }
            (_, Some(volume)) => records::write(&self.records, volume),
            (_, None) => Ok(()),
        }
    }

    /// Says so if the directories themselves are gone.
    fn explain(&self, error: io::Error) -> io::Error {
        let is_removed =
            |directory: &Dir| directory.dir_metadata().is_ok_and(|metadata| metadata.nlink() == 0);
        if error.kind() == ErrorKind::NotFound
            && [&self.volumes, &self.records.records, &self.staging].into_iter().any(is_removed)
        {
            let text = format!("the directory {:?} was removed; start voltergeist again", self.root);
            return io::Error::new(ErrorKind::NotFound, text);
        }
        error
    }

    fn options(&self, volume: &Volume) -> DirectoryOptions {
        // They are checked when a volume is created. A record of another version may have others.
        DirectoryOptions::read(&volume.options, self.defaults).unwrap_or(self.defaults)
    }

    /// Creates a volume's directory and writes its record.
    fn create(&self, volume: &Volume) -> io::Result<()> {
        let is_new = self.create_directory(volume, true)?;
        records::write(&self.records, volume).inspect_err(|_| self.undo(is_new, volume))
    }

    /// Creates a volume's directory if it is missing, makes its data appear in it, and writes its record.
    fn mount(&self, volume: &Volume, id: &str) -> io::Result<()> {
        let name = directory_name(&volume.name);
        let is_new = self.create_directory(volume, false)?;
        let bound = self.bind(&name).inspect_err(|_| self.undo(is_new, volume))?;
        let mounted = || {
            if !self.options(volume).plain {
                let address = self.address.get().map_or("", String::as_str);
                directory::write_files(&directory::open(self.holder(&name)?, &name)?, address, id)?;
            }
            records::write(&self.records, volume)
        };
        mounted().inspect_err(|_| {
            if bound {
                drop(self.unbind(&name));
            }
            self.undo(is_new, volume);
        })
    }

    /// Deletes a directory that was created for a change that has failed.
    fn undo(&self, is_new: bool, volume: &Volume) {
        if is_new && let Err(error) = self.delete_with(&directory_name(&volume.name), || Ok(())) {
            tracing::warn!(%error, "the directory of volume {:?}, which could not be created, is left", volume.name);
        }
    }

    /// The directory that holds a volume's data directory.
    fn holder(&self, name: &str) -> io::Result<&Dir> {
        Ok(if directory::exists(&self.data, name)? { &self.data } else { &self.volumes })
    }

    /// Creates what is missing of a volume's directories. Returns whether there was none.
    fn create_directory(&self, volume: &Volume, is_create: bool) -> io::Result<bool> {
        let (name, options) = (directory_name(&volume.name), self.options(volume));
        let mut is_new = false;
        if is_create && options.mount && !directory::exists(&self.data, &name)? {
            // What is there already becomes the data.
            match self.volumes.rename(&*name, &self.data, &*name) {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    is_new = directory::create(&self.data, &name)?;
                }
                moved => moved?,
            }
        }
        let is_separate = directory::exists(&self.data, &name)?;
        let is_missing = directory::create(&self.volumes, &name)?;
        if is_separate && is_missing {
            directory::set_permissions(&directory::open(&self.volumes, &name)?, &self.defaults, true)?;
        }
        is_new |= is_missing && !is_separate;
        if is_new || is_create {
            let data = directory::open(if is_separate { &self.data } else { &self.volumes }, &name)?;
            directory::set_permissions(&data, &options, is_new)?;
        }
        Ok(is_new)
    }

    /// Deletes a volume's data, then its record: in this order a kill in between loses no volume.
    fn delete(&self, name: &str) -> io::Result<()> {
        self.delete_with(name, || {
            remove_if_exists(&self.lost, name)?;
            records::remove(&self.records, name)
        })
    }

    /// Deletes a volume's data if something else succeeds after it was moved away, and if nothing is mounted in it.
    fn delete_with(&self, name: &str, then: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let mut trashed = Vec::new();
        let deleted = [&self.volumes, &self.data].into_iter().try_for_each(|holder| {
            let trash = Trash::name();
            check_unmounted(holder, name)?;
            match holder.rename(name, &self.staging, &trash) {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
                renamed => renamed?,
            }
            trashed.push((holder, trash.clone()));
            // Again, since it could have been mounted meanwhile.
            check_unmounted(&self.staging, &trash)
        });
        let deleted = deleted.and_then(|()| then());
        match &deleted {
            Ok(()) => self.trash.empty(),
            Err(_) => {
                for (holder, trash) in trashed {
                    if let Err(error) = self.staging.rename(&trash, holder, name) {
                        tracing::warn!(%error, "the data of volume {name:?} was not deleted, but is in {trash} now");
                    }
                }
            }
        }
        deleted
    }

    /// Moves all records to those of lost volumes, or none.
    fn lose_all(&self) -> io::Result<()> {
        let mut moved = Vec::new();
        let lost = names(&self.records.records)?.try_for_each(|name| {
            self.records.records.rename(&name, &self.lost, &name)?;
            moved.push(name);
            Ok(())
        });
        let lost = lost.and_then(|()| self.records.sync_names());
        if lost.is_err() {
            for name in moved {
                self.lost.rename(&name, &self.records.records, &name)?;
            }
        }
        lost
    }
}

/// Opens a directory that only this user can open, and creates it if it is missing. `None` if it is another user's.
fn private_directory(parent: &Dir, name: &str) -> io::Result<Option<Dir>> {
    directory::create(parent, name)?;
    let directory = directory::open(parent, name)?;
    let metadata = directory.dir_metadata()?;
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Ok(None);
    }
    fchmod(&directory, Mode::RWXU)?;
    Ok(Some(directory))
}
