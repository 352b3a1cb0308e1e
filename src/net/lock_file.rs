//! The right to a socket or a spec: a lock beside it, for as long as a process lives.
//!
//! Whether somebody answers on a socket does not tell whether it is somebody's: a driver that is down on
//! purpose answers nobody. The kernel lets go of the lock when its process dies, however it dies.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

/// Nobody else has the path while this lives.
#[derive(Debug)]
pub struct LockFile {
    lock: PathBuf,
    _file: File,
}

impl LockFile {
    /// Claims a path; `None` if another process has it.
    pub fn take(path: &Path) -> io::Result<Option<Self>> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let lock = path.with_file_name(format!(".{name}.lock"));
        loop {
            let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&lock)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
            // Its last owner may have removed it between the opening and the locking.
            let inode = file.metadata()?.ino();
            if fs::metadata(&lock).is_ok_and(|there| there.ino() == inode) {
                return Ok(Some(Self { lock, _file: file }));
            }
        }
    }
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
    fn a_path_belongs_to_one_until_it_lets_go() {
        let place = tempfile::tempdir().expect("a place for the test");
        let path = place.path().join("p.sock");
        let first = LockFile::take(&path).expect("the place is writable");
        assert!(first.is_some());
        assert!(LockFile::take(&path).expect("the place is writable").is_none());
        drop(first);
        assert_eq!(fs::read_dir(place.path()).expect("the place is there").count(), 0);
        assert!(LockFile::take(&path).expect("the place is writable").is_some());
    }
}
