//! A lock file beside a socket or a spec file, which shows that a running process owns it.
//!
//! Connecting to a socket does not show whether a process owns it: a driver that is down on purpose refuses
//! connections too. The kernel releases the lock when its process ends, however it ends.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{FlockOperation, OFlags, flock},
    io::Errno,
};

/// Exclusive ownership of a path until this is dropped.
#[derive(Debug)]
pub struct LockFile {
    lock: PathBuf,
    file: File,
}

impl LockFile {
    /// Where the lock file of a path is.
    pub fn path_of(path: &Path) -> PathBuf {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path.with_file_name(format!(".{name}.lock"))
    }

    /// Whether a running process has a path, as far as this user may know.
    pub fn is_held(path: &Path) -> bool {
        let Ok(file) = File::open(Self::path_of(path)) else { return false };
        flock(&file, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK)
    }

    /// Takes ownership of a path; `None` if another process has it.
    pub fn acquire(path: &Path) -> io::Result<Option<Self>> {
        let lock = Self::path_of(path);
        loop {
            let file = open(&lock)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
            // Its last owner may have removed the file between `open` and `flock`.
            if is_at(&file, &lock) {
                return Ok(Some(Self { lock, file }));
            }
        }
    }

    /// Whether the file is still where other processes look for it.
    pub fn is_in_place(&self) -> bool {
        is_at(&self.file, &self.lock)
    }

    /// What its owners have appended to the lock file, the earlier ones too.
    pub fn read(&self) -> io::Result<String> {
        let mut bytes = vec![0; self.file.metadata()?.len().try_into().unwrap_or(0)];
        self.file.read_exact_at(&mut bytes, 0)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Removes what was appended before.
    pub fn clear(&self) -> io::Result<()> {
        self.file.set_len(0)
    }

    /// Appends a line to the lock file. It outlives a killed owner.
    pub fn append(&self, line: &str) -> io::Result<()> {
        (&self.file).write_all(format!("{line}\n").as_bytes())
    }
}

/// Whether this file is at this path.
fn is_at(file: &File, path: &Path) -> bool {
    let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    file.metadata().is_ok_and(|own| fs::metadata(path).is_ok_and(|there| id(there) == id(own)))
}

/// Opens a lock file, but no file that another user has put or linked there.
fn open(lock: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).read(true).append(true).mode(0o600);
    // A pipe would wait for its reader.
    options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    let file = options.open(lock).and_then(|file| {
        let metadata = file.metadata()?;
        let is_own = metadata.is_file() && metadata.uid() == rustix::process::geteuid().as_raw();
        if is_own { Ok(file) } else { Err(io::Error::other("it is no file of this user")) }
    });
    file.map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("cannot use the lock file {}: {error}; remove it", lock.display()),
        )
    })
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // Another process may have made its own, after this one was removed from outside.
        if self.is_in_place() {
            drop(fs::remove_file(&self.lock));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_owner_until_it_is_dropped() {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let path = directory.path().join("p.sock");
        let first = LockFile::acquire(&path).expect("the directory is writable");
        assert!(first.is_some());
        assert!(LockFile::acquire(&path).expect("the directory is writable").is_none());
        drop(first);
        assert_eq!(fs::read_dir(directory.path()).expect("the directory exists").count(), 0);
        assert!(LockFile::acquire(&path).expect("the directory is writable").is_some());
    }

    #[test]
    fn the_end_of_an_owner_leaves_the_lock_of_the_next_one() {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let path = directory.path().join("p.sock");
        let acquire = || LockFile::acquire(&path).expect("the directory is writable");
        let first = acquire().expect("it is free");
        fs::remove_file(directory.path().join(".p.sock.lock")).expect("it is there");
        assert!(!first.is_in_place());
        let second = acquire().expect("it is free");
        drop(first);
        assert!(second.is_in_place() && acquire().is_none());
    }

    #[test]
    fn what_another_user_has_put_there_is_no_lock() {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let (path, lock) = (directory.path().join("p.sock"), directory.path().join(".p.sock.lock"));
        let target = directory.path().join("target");
        let refused = || LockFile::acquire(&path).expect_err("it is not ours").to_string();
        std::os::unix::fs::symlink(&target, &lock).expect("the directory is writable");
        assert!(refused().contains("cannot use the lock file") && !target.exists());
        fs::remove_file(&lock).expect("it is there");
        rustix::fs::mknodat(rustix::fs::CWD, &lock, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0)
            .expect("the directory is writable");
        refused();
        fs::remove_file(&lock).expect("it is there");
        fs::write(&lock, "").expect("the directory is writable");
        if std::os::unix::fs::chown(&lock, Some(65534), None).is_ok() {
            refused();
        }
    }
}
