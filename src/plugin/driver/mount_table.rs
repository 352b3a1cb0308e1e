//! What is mounted where, as the kernel lists it for this process.

use std::{
    ffi::OsStr,
    fs, io,
    os::{fd::AsRawFd, unix::ffi::OsStrExt},
    path::{Path, PathBuf},
};

use rustix::fs::readlink;

/// The kernel's list of mounts. Device numbers would not do: a bind mount has those of its source.
const MOUNT_TABLE: &str = "/proc/self/mountinfo";

/// The mount points at a path and below it. The path must be without symbolic links.
pub fn mounts_at_or_below(path: &Path) -> io::Result<Vec<PathBuf>> {
    let table = fs::read(MOUNT_TABLE)
        .map_err(|error| io::Error::new(error.kind(), format!("cannot read {MOUNT_TABLE}: {error}")))?;
    Ok(mount_points(&table).filter(|point| point.starts_with(path)).collect())
}

/// Refuses to go on if anything is mounted at a directory or below it.
pub fn check_unmounted(parent: &impl AsRawFd, name: &str) -> io::Result<()> {
    match mounts_at_or_below(&path_of(parent)?.join(name))?.first() {
        None => Ok(()),
        Some(mount) => {
            let mount = mount.display().to_string();
            let text = format!("{mount:?} is a mount point; nothing was deleted; unmount it first");
            Err(io::Error::new(io::ErrorKind::ResourceBusy, text))
        }
    }
}

/// The path of an open directory at this moment, without symbolic links.
pub fn path_of(directory: &impl AsRawFd) -> io::Result<PathBuf> {
    let path = readlink(format!("/proc/self/fd/{}", directory.as_raw_fd()), Vec::new())?;
    Ok(PathBuf::from(OsStr::from_bytes(path.as_bytes())))
}

/// The mount points of a mount table: the fifth field of each line.
fn mount_points(table: &[u8]) -> impl Iterator<Item = PathBuf> {
    let fields =
        table.split(|byte| *byte == b'\n').filter_map(|line| line.split(|byte| *byte == b' ').nth(4));
    fields.map(|field| PathBuf::from(OsStr::from_bytes(&unescaped(field))))
}

/// Spaces, tabs, line ends, `\` and `#` are written as a backslash and three octal digits.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        let octal = (*first == b'\\').then(|| after.get(..3)).flatten();
        let octal = octal.and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = octal.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        text.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[3..] } else { after };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_read_as_the_kernel_writes_them() {
        let table = b"22 1 0:20 / / rw - ext4 /dev/vda rw\n\
            36 22 0:31 / /volumes/a\\040b\\134c rw,relatime shared:1 - tmpfs tmpfs rw\n\
            37 22 0:31 / /volumes/a rw - tmpfs tmpfs rw\n38 22 0:3 / /volumes/ab/c rw - tmpfs x rw\n";
        let points: Vec<_> = mount_points(table).collect();
        let expected = ["/", "/volumes/a b\\c", "/volumes/a", "/volumes/ab/c"].map(PathBuf::from);
        assert_eq!(points, expected);
        let below = |path: &str| points.iter().filter(|point| point.starts_with(path)).count();
        assert_eq!((below("/volumes/a"), below("/volumes/ab"), below("/volumes/b")), (1, 1, 0));
    }

    #[test]
    fn the_root_of_this_process_is_mounted() {
        assert!(mounts_at_or_below(Path::new("/")).expect("/proc is mounted").contains(&PathBuf::from("/")));
    }
}
