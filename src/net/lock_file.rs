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
    /// Takes ownership of a path; `None` if another process has it.
    pub fn acquire(path: &Path) -> io::Result<Option<Self>> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let lock = path.with_file_name(format!(".{name}.lock"));
        loop {
            let file = open(&lock)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
            // Its last owner may have removed the file between `open` and `flock`.
            let inode = file.metadata()?.ino();
            if fs::metadata(&lock).is_ok_and(|metadata| metadata.ino() == inode) {
                return Ok(Some(Self { lock, file }));
            }
        }
    }

    /// What its owners have appended to the lock file, the earlier ones too.
    pub fn read(&self) -> io::Result<String> {
        let mut bytes = vec![0; self.file.metadata()?.len().try_into().unwrap_or(0)];
        self.file.read_exact_at(&mut bytes, 0)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Appends a line to the lock file. It outlives a killed owner.
    pub fn append(&self, line: &str) -> io::Result<()> {
        (&self.file).write_all(format!("{line}\n").as_bytes())
    }
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
        drop(fs::remove_file(&self.lock));
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
