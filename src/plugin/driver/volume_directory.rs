//! The directory of one volume: its owner, the two files that a mount writes into it, and its bind mount.

use std::{
    io::{self, ErrorKind, Write as _},
    os::fd::OwnedFd,
    path::Path,
};

use cap_std::fs::{Dir, Metadata, MetadataExt, OpenOptions};
use rustix::{
    fs::{self, Gid, Mode, OFlags, Timespec, Timestamps, Uid},
    mount::{MoveMountFlags, OpenTreeFlags, UnmountFlags, move_mount, open_tree, unmount},
};

use crate::domain::model::directory_options::DirectoryOptions;

/// The permissions of a volume's directory, unless an option says otherwise: those of Docker's local driver.
const MODE: u32 = 0o755;

/// The permissions of the files that a mount writes.
const FILE_MODE: u32 = 0o644;

/// When the files that a mount writes were changed last, as they say: in 2001. It distinguishes them from files of the
/// same name that a container has written.
const FILE_TIME: i64 = 981_173_106;

/// Opens a directory, and none that a symbolic link leads to.
pub fn open(parent: &Dir, name: &str) -> io::Result<Dir> {
    open_with(parent, name, OFlags::RDONLY).map(|fd| Dir::from_std_file(fd.into()))
}

fn open_with(parent: &Dir, name: &str, flags: OFlags) -> io::Result<OwnedFd> {
    let flags = flags | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(fs::openat(parent, name, flags, Mode::empty())?)
}

/// Creates a directory that nobody else can read before it has its mode. Returns false if there is one.
pub fn create(parent: &Dir, name: &str) -> io::Result<bool> {
    match fs::mkdirat(parent, name, Mode::RWXU) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::EXIST) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Whether there is an entry with a name.
pub fn exists(parent: &Dir, name: &str) -> io::Result<bool> {
    match parent.symlink_metadata(name) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Sets owner and mode as the options say; for a new directory also where they say nothing.
pub fn set_permissions(directory: &Dir, options: &DirectoryOptions, is_new: bool) -> io::Result<()> {
    let DirectoryOptions { uid, gid, mode, .. } = *options;
    if uid.is_some() || gid.is_some() {
        fs::fchown(directory, uid.map(Uid::from_raw), gid.map(Gid::from_raw))?;
    }
    if let Some(mode) = mode.or_else(|| is_new.then_some(MODE)) {
        fs::fchmod(directory, Mode::from_raw_mode(mode))?;
    }
    Ok(())
}

/// Writes the driver's address and the mount ID into a volume, where a container has nothing of that name.
pub fn write_files(directory: &Dir, address: &str, id: &str) -> io::Result<()> {
    write_file(directory, "test", address)?;
    write_file(directory, "mountID", id)
}

fn write_file(directory: &Dir, name: &str, text: &str) -> io::Result<()> {
    match directory.symlink_metadata(name) {
        Ok(metadata) if is_own(&metadata) => directory.remove_file(name)?,
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut file = match directory.open_with(name, OpenOptions::new().write(true).create_new(true)) {
        // A container was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(()),
        file => file?,
    };
    file.write_all(text.as_bytes())?;
    fs::fchmod(&file, Mode::from_raw_mode(FILE_MODE))?;
    let time = Timespec { tv_sec: FILE_TIME, tv_nsec: 0 };
    Ok(fs::futimens(&file, &Timestamps { last_access: time, last_modification: time })?)
}

/// Whether a mount has written a file, and nobody has changed it.
fn is_own(metadata: &Metadata) -> bool {
    metadata.is_file() && (metadata.mtime(), metadata.mtime_nsec()) == (FILE_TIME, 0)
}

/// Makes the files of one directory appear in another one.
pub fn bind(data: (&Dir, &str), mountpoint: (&Dir, &str)) -> io::Result<()> {
    let source = open_with(data.0, data.1, OFlags::PATH)?;
    let target = open_with(mountpoint.0, mountpoint.1, OFlags::PATH)?;
    let clone = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let tree = open_tree(&source, "", clone | OpenTreeFlags::AT_EMPTY_PATH)?;
    let handles = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    Ok(move_mount(&tree, "", &target, "", handles)?)
}

/// Ends what [`bind`] has made.
pub fn unbind(mountpoint: &Path) -> io::Result<()> {
    Ok(unmount(mountpoint, UnmountFlags::NOFOLLOW)?)
}
