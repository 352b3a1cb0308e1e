//! The simulated daemon's one image: which directories it has, and which files are in them.
//!
//! It is what a real daemon makes of an image with nothing but busybox in it: `/bin` and `/tmp` are the image's own, the
//! others are there in every container.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

const DIRECTORIES: [(&str, &[&str]); 6] = [
    ("/bin", &["busybox", "cat", "echo", "false", "ls", "sh", "sleep", "tail", "top", "touch", "true"]),
    ("/dev", &["console", "pts", "shm"]),
    ("/etc", &["hostname", "hosts", "mtab", "resolv.conf"]),
    ("/proc", &[]),
    ("/sys", &[]),
    ("/tmp", &[]),
];

/// Where its programs are.
pub(super) const PROGRAMS: &str = "/bin";

/// Whether a new container has something at a path: the image's, or its working directory, which docker makes.
pub(super) fn has(path: &str, workdir: Option<&str>) -> bool {
    let directories = DIRECTORIES.iter().map(|(directory, _)| *directory);
    directories.chain(workdir).any(|directory| Path::new(directory).starts_with(path))
}

/// Fills an empty directory with what the image has at a path.
pub(super) fn copy(path: &str, into: &Path) -> std::io::Result<()> {
    if fs::read_dir(into)?.next().is_some() {
        return Ok(());
    }
    let files =
        DIRECTORIES.iter().find(|(directory, _)| *directory == path).map_or(&[][..], |(_, files)| files);
    for file in files {
        let file = into.join(file);
        fs::write(&file, "")?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_has_the_directories_of_the_image_those_above_them_and_its_working_directory() {
        for (path, workdir, expected) in [
            ("/bin", None, true),
            ("/tmp", None, true),
            ("/foo", None, false),
            ("/foo", Some("/foo"), true),
            ("/foo", Some("/foo/bar"), true),
            ("/foo/bar", Some("/foo"), false),
            ("/fo", Some("/foo"), false),
        ] {
            assert_eq!(has(path, workdir), expected, "{path} with {workdir:?}");
        }
    }

    #[test]
    fn only_an_empty_directory_is_filled() {
        let volume = tempfile::tempdir().expect("a temporary folder");
        copy("/bin", volume.path()).expect("the folder is ours");
        assert!(volume.path().join("true").exists());
        let used = tempfile::tempdir().expect("a temporary folder");
        fs::write(used.path().join("mine"), "x").expect("a file in a fresh folder");
        copy("/bin", used.path()).expect("the folder is ours");
        assert!(!used.path().join("true").exists());
    }
}
