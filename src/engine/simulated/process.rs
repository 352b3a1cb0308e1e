//! What runs in a simulated container: a handful of busybox's commands, which see the container's volumes.
//!
//! Enough to write a file, to look for it later, and so to see data that is lost. Nothing outside the
//! directory that the daemon was given for it can be read or written, whatever mountpoint a plugin names.

use std::path::{Component, Path, PathBuf};

use super::{
    container::{BUNDLE, Mount},
    image::PROGRAMS,
};
use crate::engine_api::CliResult;

/// The inside of a container.
pub(super) struct Process<'c> {
    pub mounts: &'c [Mount],
    /// Where the files of volumes may be.
    pub files: &'c [PathBuf],
}

/// What is at a path of the container.
enum PathOrigin {
    /// In a volume.
    Volume(PathBuf),
    /// A volume whose directory was removed: it is mounted still, and there is nothing in it.
    Removed,
    /// In the container's own bundle, which is mounted in place of a volume without a mountpoint.
    Bundle(PathBuf),
    /// In the image, or out of bounds.
    Elsewhere,
}

impl Process<'_> {
    /// Runs a command to its end.
    pub(super) fn run(&self, words: &[String]) -> CliResult {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["sh", "-c", script] => self.script(script),
            words => self.command(words),
        }
    }

    /// Commands after `&&`, each with at most one `>`.
    fn script(&self, script: &str) -> CliResult {
        let mut all = CliResult::default();
        for command in script.split("&&") {
            let (command, target) = match command.split_once('>') {
                Some((command, target)) => (command, Some(target.trim())),
                None => (command, None),
            };
            let words = shlex::split(command).unwrap_or_default();
            let mut done = self.command(&words.iter().map(String::as_str).collect::<Vec<_>>());
            if let Some(target) = target.filter(|_| done.succeeded()) {
                done = self.write(target, &(done.stdout + "\n"));
            }
            let joined = [all.stdout, done.stdout].into_iter().filter(|text| !text.is_empty());
            all = CliResult { stdout: joined.collect::<Vec<_>>().join("\n"), ..done };
            if !all.succeeded() {
                break;
            }
        }
        all
    }

    fn command(&self, words: &[&str]) -> CliResult {
        match words {
            ["echo", words @ ..] => CliResult::success(words.join(" ")),
            ["touch", path] => self.write(path, ""),
            ["cat", path] => match self.read(path) {
                Some(text) => CliResult::success(text.trim_end()),
                None => CliResult::failure(1, format!("cat: can't open '{path}': No such file or directory")),
            },
            ["ls", path] => match self.list(path) {
                Some(names) => CliResult::success(names.join("\n")),
                None => CliResult::failure(1, format!("ls: {path}: No such file or directory")),
            },
            ["false"] => CliResult::failure(1, ""),
            _ => CliResult::default(),
        }
    }

    /// Whether the program that is to run is there. Those of the image are, unless a volume without it covers them.
    pub(super) fn finds(&self, program: &str) -> bool {
        let path = if program.contains('/') { program.to_owned() } else { format!("{PROGRAMS}/{program}") };
        let covers = |mount: &Mount| Path::new(&path).starts_with(&mount.destination);
        match self.origin(&path) {
            PathOrigin::Volume(path) => path.exists(),
            PathOrigin::Bundle(_) | PathOrigin::Removed => false,
            PathOrigin::Elsewhere => !self.mounts.iter().any(covers),
        }
    }

    /// The directory of a volume, if it is where volumes may be.
    pub(super) fn directory(&self, mount: &Mount) -> Option<PathBuf> {
        let path = PathBuf::from(&mount.path);
        self.is_within_bounds(&path, Path::new("")).then_some(path)
    }

    fn origin(&self, path: &str) -> PathOrigin {
        let path = Path::new(path);
        let below = |mount: &&Mount| path.starts_with(&mount.destination);
        let mount = self.mounts.iter().filter(below).max_by_key(|mount| mount.destination.len());
        let Some(mount) = mount else { return PathOrigin::Elsewhere };
        let rest = path.strip_prefix(&mount.destination).unwrap_or(path);
        if rest.components().any(|part| !matches!(part, Component::Normal(_))) {
            return PathOrigin::Elsewhere;
        }
        if !mount.path.starts_with('/') {
            return PathOrigin::Bundle(rest.to_owned());
        }
        if !Path::new(&mount.path).exists() {
            return PathOrigin::Removed;
        }
        let place = Path::new(&mount.path).join(rest);
        if self.is_within_bounds(&place, rest) { PathOrigin::Volume(place) } else { PathOrigin::Elsewhere }
    }

    /// Neither a mountpoint nor a link in a volume leads out of where volumes may be.
    fn is_within_bounds(&self, place: &Path, rest: &Path) -> bool {
        let directory = if rest.as_os_str().is_empty() { Some(place) } else { place.parent() };
        let Some(directory) = directory.and_then(|directory| directory.canonicalize().ok()) else {
            return false;
        };
        let bounds = self.files.iter().filter_map(|files| files.canonicalize().ok());
        !place.is_symlink() && bounds.into_iter().any(|bounds| directory.starts_with(bounds))
    }

    fn read(&self, path: &str) -> Option<String> {
        match self.origin(path) {
            PathOrigin::Volume(path) => std::fs::read_to_string(path).ok(),
            PathOrigin::Bundle(rest) => (rest == Path::new("config.json")).then(|| "{}".into()),
            PathOrigin::Elsewhere | PathOrigin::Removed => None,
        }
    }

    fn list(&self, path: &str) -> Option<Vec<String>> {
        match self.origin(path) {
            PathOrigin::Volume(path) => {
                let entries = std::fs::read_dir(path).ok()?.filter_map(Result::ok);
                let mut names: Vec<_> =
                    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
                names.sort();
                Some(names)
            }
            PathOrigin::Bundle(rest) if rest.as_os_str().is_empty() => {
                Some(BUNDLE.map(str::to_owned).to_vec())
            }
            PathOrigin::Removed if self.mounts.iter().any(|mount| mount.destination == path) => {
                Some(Vec::new())
            }
            PathOrigin::Bundle(_) | PathOrigin::Elsewhere | PathOrigin::Removed => None,
        }
    }

    fn write(&self, path: &str, text: &str) -> CliResult {
        let failed = |error: &str| CliResult::failure(1, format!("sh: can't create {path}: {error}"));
        match self.origin(path) {
            PathOrigin::Volume(place) => std::fs::write(place, text)
                .map_or_else(|error| failed(&error.to_string()), |()| CliResult::default()),
            PathOrigin::Removed => failed("No such file or directory"),
            PathOrigin::Bundle(_) | PathOrigin::Elsewhere => CliResult::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(destination: &str, path: &str) -> Mount {
        Mount {
            volume: "v".into(),
            driver: "ghost".into(),
            destination: destination.into(),
            anonymous: false,
            copy_up: false,
            id: None,
            active: 1,
            found: true,
            source: String::new(),
            known_path: String::new(),
            path: path.into(),
        }
    }

    fn run(mounts: &[Mount], files: &Path, line: &str) -> CliResult {
        Process { mounts, files: &[files.to_owned()] }.run(&shlex::split(line).expect("a test's line"))
    }

    #[test]
    fn what_is_written_to_a_volume_is_read_from_it() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let mounts = [mount("/data", &home.path().display().to_string())];
        let run = |line| run(&mounts, home.path(), line);
        assert_eq!(run("sh -c 'echo hello ghost > /data/f && cat /data/f'").stdout, "hello ghost");
        assert_eq!(run("ls /data").stdout, "f");
        assert_eq!(run("cat /data/g").code, 1);
        assert_eq!(run("cat /elsewhere").stderr, "cat: can't open '/elsewhere': No such file or directory");
    }

    #[test]
    fn nothing_outside_is_reached_whatever_the_mountpoint() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let files = home.path().join("volumes");
        std::fs::create_dir(&files).expect("a folder in a fresh one");
        std::fs::write(home.path().join("secret"), "x").expect("a file in a fresh folder");
        std::os::unix::fs::symlink(home.path().join("secret"), files.join("link")).expect("a link");
        let outside = home.path().display().to_string();
        for (mountpoint, line) in [
            (outside.clone(), "cat /data/secret"),
            (files.display().to_string(), "cat /data/../secret"),
            (format!("{}/..", files.display()), "cat /data/secret"),
            (files.display().to_string(), "cat /data/link"),
        ] {
            assert_eq!(run(&[mount("/data", &mountpoint)], &files, line).code, 1, "{mountpoint}: {line}");
        }
        run(&[mount("/data", &outside)], &files, "touch /data/new");
        assert!(!home.path().join("new").exists());
    }

    #[test]
    fn a_program_is_there_unless_a_volume_without_it_covers_it() {
        let home = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(home.path().join("true"), "").expect("a file in a fresh folder");
        let path = home.path().display().to_string();
        let over_bin = [mount("/bin", &path)];
        for (mounts, program, expected) in [
            (&[][..], "true", true),
            (&over_bin, "true", true),
            (&over_bin, "/bin/true", true),
            (&over_bin, "false", false),
            (&[mount("/data", &path)], "false", true),
        ] {
            let process = Process { mounts, files: &[home.path().to_owned()] };
            assert_eq!(process.finds(program), expected, "{program}");
        }
    }

    #[test]
    fn a_volume_that_was_removed_is_empty() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let gone = home.path().join("gone").display().to_string();
        let run = |line| run(&[mount("/data", &gone)], home.path(), line);
        assert_eq!(run("ls /data"), CliResult::default());
        for line in ["ls /data/x", "cat /data/x", "touch /data/x"] {
            assert_eq!(run(line).code, 1, "{line}");
        }
    }

    #[test]
    fn an_empty_mountpoint_shows_the_bundle() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let listed = run(&[mount("/data", "")], home.path(), "ls /data");
        assert!(listed.stdout.contains("config.json"));
    }
}
