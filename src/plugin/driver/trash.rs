//! Deletes directory trees in the background, and never what is mounted in them.
//!
//! What is to be deleted is renamed into the staging directory, with a name that begins with [`TRASH`]. A subdirectory
//! is renamed there too before its turn comes, so that neither memory nor open files grow with the depth of a tree.

use std::{
    collections::HashSet,
    ffi::{CStr, CString},
    io,
    path::Path,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
};

use cap_std::fs::Dir;
use rustix::{
    fs::{self, AtFlags, FileType, Mode, OFlags, ResolveFlags},
    io::Errno,
};

/// How the names of what is to be deleted begin.
const TRASH: &str = "trash-";

/// Distinguishes the names of one process.
static COUNT: AtomicU64 = AtomicU64::new(0);

/// A name that nothing in a staging directory has.
pub fn unique_name(prefix: &str) -> String {
    let now = jiff::Timestamp::now().as_nanosecond();
    format!("{prefix}{now}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A thread that deletes.
pub struct Trash(SyncSender<()>);

impl Trash {
    /// Starts the thread, which ends when this is dropped. What an earlier process has left is deleted too.
    pub fn start(staging: Dir) -> Self {
        let (wake_up, wake_ups) = sync_channel(1);
        std::thread::spawn(move || {
            let mut kept = HashSet::new();
            loop {
                if let Err(error) = empty(&staging, TRASH, &mut kept) {
                    tracing::warn!(%error, "cannot read the staging directory of the volumes");
                }
                if wake_ups.recv().is_err() {
                    return;
                }
            }
        });
        Self(wake_up)
    }

    /// A new name for something that is to be deleted.
    pub fn name() -> String {
        unique_name(TRASH)
    }

    /// Deletes what was renamed.
    pub fn empty(&self) {
        // One waiting wake-up is enough.
        let _ = self.0.try_send(());
    }
}

/// Deletes a directory with all that is in it and not mounted there.
pub fn delete_directory(path: &Path) -> io::Result<()> {
    let directory = Dir::from_std_file(std::fs::File::open(path)?);
    empty(&directory, "", &mut HashSet::new())?;
    std::fs::remove_dir(path)
}

/// Deletes the entries of a directory whose names begin so. What cannot be deleted is kept, with a warning.
fn empty(staging: &Dir, prefix: &str, kept: &mut HashSet<CString>) -> io::Result<()> {
    loop {
        let mut progress = false;
        for entry in fs::Dir::read_from(staging)? {
            let entry = entry?;
            let name = entry.file_name();
            if !is_own(name) || !name.to_bytes().starts_with(prefix.as_bytes()) || kept.contains(name) {
                continue;
            }
            match delete(staging, name) {
                Ok(()) => progress = true,
                // Another process was faster.
                Err((_, Errno::NOENT)) => {}
                Err((path, error)) => {
                    let reason = if matches!(error, Errno::XDEV | Errno::BUSY) {
                        "something is mounted there".to_owned()
                    } else {
                        error.to_string()
                    };
                    tracing::warn!(
                        "cannot delete {path} of a removed volume in the staging directory: {reason}; it is tried \
                         again at the next start"
                    );
                    kept.insert(name.to_owned());
                }
            }
        }
        if !progress {
            return Ok(());
        }
    }
}

fn is_own(name: &CStr) -> bool {
    !matches!(name.to_bytes(), b"." | b"..")
}

/// Deletes a file, or a directory whose subdirectories it moves into the staging directory. The error has a path.
fn delete(staging: &Dir, name: &CStr) -> Result<(), (String, Errno)> {
    let at = |inner: Option<&CStr>| {
        let path = [Some(name), inner].into_iter().flatten().map(CStr::to_string_lossy);
        path.collect::<Vec<_>>().join("/")
    };
    let failed = |error| (at(None), error);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let within = ResolveFlags::NO_XDEV | ResolveFlags::NO_SYMLINKS | ResolveFlags::BENEATH;
    let directory = match fs::openat2(staging, name, flags, Mode::empty(), within) {
        Ok(directory) => directory,
        Err(Errno::NOTDIR | Errno::LOOP) => {
            return fs::unlinkat(staging, name, AtFlags::empty()).map_err(failed);
        }
        Err(error) => return Err(failed(error)),
    };
    let mut outcome = Ok(());
    for entry in fs::Dir::read_from(&directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let inner = entry.file_name();
        if !is_own(inner) {
            continue;
        }
        let deleted = match entry.file_type() {
            FileType::Directory => Err(Errno::ISDIR),
            _ => fs::unlinkat(&directory, inner, AtFlags::empty()),
        };
        let deleted = match deleted {
            // The kernel refuses to rename a mount point.
            Err(Errno::ISDIR) => fs::renameat(&directory, inner, staging, Trash::name()),
            deleted => deleted,
        };
        outcome = outcome.and(deleted.map_err(|error| (at(Some(inner)), error)));
    }
    outcome?;
    match fs::unlinkat(staging, name, AtFlags::REMOVEDIR) {
        // A process in a container may still write. What is new is deleted in the next pass.
        Err(Errno::NOTEMPTY) => Ok(()),
        removed => removed.map_err(failed),
    }
}
