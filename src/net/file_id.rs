//! The identity of a file.

use std::{fmt, fs, io, os::unix::fs::MetadataExt, path::Path};

/// Tells our socket file from another one at its path: inode numbers alone are reused quickly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId {
    device: u64,
    inode: u64,
    modified: (i64, i64),
}

impl FileId {
    /// The file at a path.
    pub fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::symlink_metadata(path)?;
        let modified = (metadata.mtime(), metadata.mtime_nsec());
        Ok(Self { device: metadata.dev(), inode: metadata.ino(), modified })
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { device, inode, modified: (seconds, nanos) } = self;
        write!(f, "{device} {inode} {seconds}.{nanos}")
    }
}
