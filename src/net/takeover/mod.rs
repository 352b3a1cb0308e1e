//! Taking the place of a plugin's socket, and giving it back.
//!
//! ```text
//! before      NAME.sock  the plugin's                .NAME.voltergeist  none
//! in place    NAME.sock  ours                        .NAME.voltergeist  the plugin's
//! ```
//!
//! Engines remember the path, so a new socket at it is found without a restart, and `renameat2(RENAME_EXCHANGE)` leaves
//! no moment without one. They ignore the other name. The lock file keeps which sockets were ours, so that another
//! process can put things right after a kill: see [`restore`].

use std::{
    fs, io,
    os::unix::{
        fs::{FileTypeExt, MetadataExt, PermissionsExt},
        net::UnixListener,
    },
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rustix::fs::{CWD, RenameFlags, XattrFlags, lgetxattr, lsetxattr, renameat_with};

use super::{bind_error::BindError, file_id::FileId, lock_file::LockFile, probe::is_listening};

/// How long another process may have the place that is about to end, or puts right what a killed one has left.
const PATIENCE: Duration = Duration::from_millis(500);

/// The place of a plugin's socket, taken or about to be taken. It is given back when this is dropped.
#[derive(Debug)]
pub struct Takeover {
    places: Places,
    lock: LockFile,
}

/// What is at the path of the plugin's socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtPath {
    /// Our socket.
    Ours,
    /// Another one: the plugin has started again.
    Another,
    /// None: the plugin has removed it, or we have.
    Nothing,
}

/// The three names in the directory.
#[derive(Clone, Debug)]
struct Places {
    /// Where engines look.
    path: PathBuf,
    /// Where the plugin's socket is meanwhile.
    aside: PathBuf,
    /// Where ours is until it replaces another one of ours.
    unfinished: PathBuf,
}

impl Places {
    fn of(path: &Path) -> Self {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        Self {
            path: path.to_owned(),
            aside: path.with_file_name(format!(".{name}.voltergeist")),
            unfinished: path.with_file_name(format!(".{name}.voltergeist-unfinished")),
        }
    }
}

impl Takeover {
    /// Prepares to take the place of a socket on which a plugin listens, after putting right what a killed process has
    /// left.
    pub fn prepare(path: &Path) -> Result<Self, BindError> {
        let unusable = |error| BindError::Unusable { address: path.display().to_string(), error };
        let path = std::path::absolute(path).map_err(unusable)?;
        let places = Places::of(&path);
        let in_use = || BindError::TakenOver(path.clone());
        let lock = acquire(&places.aside).map_err(unusable)?.ok_or_else(in_use)?;
        put_right(&places, &lock).map_err(unusable)?;
        match fs::symlink_metadata(&path) {
            Ok(metadata) if !metadata.file_type().is_socket() => return Err(BindError::NotASocket(path)),
            Ok(_) if is_listening(&path).map_err(unusable)? => {}
            Ok(_) => return Err(BindError::DeadUpstream(path)),
            Err(error) => return Err(unusable(error)),
        }
        Ok(Self { places, lock })
    }

    /// The path that engines know.
    pub fn path(&self) -> &Path {
        &self.places.path
    }

    /// Where the plugin's socket is while its place is taken.
    pub fn upstream(&self) -> &Path {
        &self.places.aside
    }

    /// What is at the path.
    pub fn at_path(&self) -> AtPath {
        match FileId::of(&self.places.path) {
            Ok(file) if is_ours(&self.lock, file) => AtPath::Ours,
            Ok(_) => AtPath::Another,
            Err(_) => AtPath::Nothing,
        }
    }

    /// Puts a new socket of ours at the path, and the plugin's aside if it is there. Engines find a socket at each
    /// moment.
    pub fn take(&self) -> io::Result<UnixListener> {
        let Places { path, aside, unfinished } = &self.places;
        let is_plugin_there = self.at_path() == AtPath::Another;
        let (place, model) = if is_plugin_there { (aside, path) } else { (unfinished, aside) };
        remove_if_exists(place)?;
        let listener = UnixListener::bind(place)?;
        copy_attributes(model, place)?;
        self.lock.append(&FileId::of(place)?.to_string())?;
        if is_plugin_there {
            renameat_with(CWD, place, CWD, path, RenameFlags::EXCHANGE)?;
        } else {
            fs::rename(place, path)?;
        }
        Ok(listener)
    }

    /// Removes our socket, if it is at the path.
    pub fn remove(&self) {
        if self.at_path() == AtPath::Ours {
            drop(fs::remove_file(&self.places.path));
        }
    }

    /// Removes our socket from the path as [`Takeover::remove`] does, and puts the plugin's there.
    pub fn give_back(&self) -> io::Result<()> {
        put_right(&self.places, &self.lock)
    }
}

impl Drop for Takeover {
    fn drop(&mut self) {
        if let Err(error) = self.give_back() {
            let path = self.places.path.display();
            tracing::error!(%error, "cannot give {path} back; run voltergeist restore");
        }
    }
}

/// What [`restore`] has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restored {
    /// There was something to put right.
    PutRight,
    /// Nothing was left.
    Nothing,
    /// A running process has the place.
    InUse,
}

/// Puts right what a killed process has left at a plugin's path.
pub fn restore(path: &Path) -> io::Result<Restored> {
    let places = Places::of(path);
    let Some(lock) = LockFile::acquire(&places.aside)? else { return Ok(Restored::InUse) };
    let left = [&places.aside, &places.unfinished].into_iter().any(|path| fs::symlink_metadata(path).is_ok());
    let ours = FileId::of(path).is_ok_and(|file| is_ours(&lock, file));
    put_right(&places, &lock)?;
    Ok(if left || ours { Restored::PutRight } else { Restored::Nothing })
}

/// The paths in a directory of sockets at which a process has taken a plugin's place, or has left something of it.
pub fn taken_in(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries
        .flat_map(|entry| {
            let path = entry.path();
            let own = entry.file_name().to_str().and_then(|name| {
                let name = name.strip_prefix("..").and_then(|rest| rest.strip_suffix(".voltergeist.lock"));
                name.map(|name| directory.join(format!("{name}.sock")))
            });
            // NAME/NAME.sock, and a managed plugin's.
            own.into_iter()
                .chain(if path.is_dir() { taken_in(&path) } else { Vec::new() })
                .collect::<Vec<_>>()
        })
        .collect();
    paths.sort_unstable();
    paths
}

/// Removes our sockets, and puts the plugin's back, whatever has happened between.
fn put_right(places: &Places, lock: &LockFile) -> io::Result<()> {
    let Places { path, aside, unfinished } = places;
    let owner = |path: &Path| FileId::of(path).ok().map(|file| is_ours(lock, file));
    match (owner(path), owner(aside)) {
        (Some(true), Some(false)) => {
            // The plugin may have changed the mode after it was put aside.
            copy_attributes(path, aside)?;
            fs::rename(aside, path)?;
        }
        (Some(true), _) => remove_if_exists(path)?,
        // An outage had removed ours. A dead socket was removed by the plugin's own end.
        (_, Some(false)) if is_listening(aside)? && !is_listening(path)? => fs::rename(aside, path)?,
        // The plugin is at its path again, or was never away.
        _ => {}
    }
    remove_if_exists(aside)?;
    remove_if_exists(unfinished)
}

fn acquire(path: &Path) -> io::Result<Option<LockFile>> {
    let started = Instant::now();
    loop {
        let lock = LockFile::acquire(path)?;
        if lock.is_some() || started.elapsed() > PATIENCE {
            return Ok(lock);
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn is_ours(lock: &LockFile, file: FileId) -> bool {
    let file = file.to_string();
    lock.read().is_ok_and(|text| text.lines().any(|line| line == file))
}

fn remove_if_exists(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Gives a socket the mode, owner and security label of another.
fn copy_attributes(from: &Path, to: &Path) -> io::Result<()> {
    const LABEL: &str = "security.selinux";
    let Ok(metadata) = fs::symlink_metadata(from) else { return Ok(()) };
    std::os::unix::fs::lchown(to, Some(metadata.uid()), Some(metadata.gid()))?;
    fs::set_permissions(to, fs::Permissions::from_mode(metadata.mode() & 0o7777))?;
    let mut label = [0; 1024];
    if let Ok(length) = lgetxattr(from, LABEL, &mut label) {
        lsetxattr(to, LABEL, &label[..length], XattrFlags::empty())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    struct Plugin {
        place: TempDir,
        listener: UnixListener,
    }

    impl Plugin {
        fn start() -> Self {
            let place = tempfile::tempdir().expect("a temporary directory can be made");
            let listener = UnixListener::bind(place.path().join("p.sock")).expect("it can be bound");
            listener.set_nonblocking(true).expect("it can be polled");
            Self { place, listener }
        }

        fn path(&self) -> PathBuf {
            self.place.path().join("p.sock")
        }

        /// Whether a connection to the path reaches the plugin.
        fn is_reached(&self) -> bool {
            while self.listener.accept().is_ok() {}
            let _connection = std::os::unix::net::UnixStream::connect(self.path());
            self.listener.accept().is_ok()
        }

        fn files(&self) -> Vec<String> {
            let entries = fs::read_dir(self.place.path()).expect("the directory exists");
            let mut files: Vec<_> = entries
                .map(|entry| entry.expect("it is readable").file_name().to_string_lossy().into())
                .collect();
            files.sort();
            files
        }

        fn is_untouched(&self) -> bool {
            self.is_reached() && self.files() == ["p.sock"]
        }
    }

    #[test]
    fn a_place_is_taken_and_given_back_with_its_mode() {
        let plugin = Plugin::start();
        fs::set_permissions(plugin.path(), fs::Permissions::from_mode(0o640)).expect("it can be changed");
        let takeover = Takeover::prepare(&plugin.path()).expect("it is free");
        let _ours = takeover.take().expect("it can be taken");
        assert_eq!(takeover.at_path(), AtPath::Ours);
        assert!(!plugin.is_reached());
        let mode = |path: &Path| fs::metadata(path).expect("it exists").mode() & 0o7777;
        assert_eq!(mode(&plugin.path()), 0o640);
        assert_eq!(plugin.files(), ["..p.voltergeist.lock", ".p.voltergeist", "p.sock"]);
        assert!(matches!(Takeover::prepare(&plugin.path()), Err(BindError::TakenOver(_))));
        assert_eq!(restore(&plugin.path()).expect("it can be read"), Restored::InUse);
        assert_eq!(taken_in(plugin.place.path()), [plugin.path()]);
        drop(takeover);
        assert!(plugin.is_untouched(), "{:?}", plugin.files());
        assert_eq!(restore(&plugin.path()).expect("it can be read"), Restored::Nothing);
        assert_eq!(mode(&plugin.path()), 0o640);
    }

    /// A process that is killed leaves its files and its unlocked lock file.
    fn kill(takeover: Takeover) {
        let name = takeover.places.aside.file_name().expect("it has a name").to_string_lossy().into_owned();
        let lock = takeover.places.aside.with_file_name(format!(".{name}.lock"));
        let text = fs::read_to_string(&lock).expect("it can be read");
        let directory = lock.parent().expect("it has a directory").to_owned();
        let kept = tempfile::tempdir_in(directory.parent().expect("it has a parent")).expect("a directory");
        let mut files = Vec::new();
        for entry in fs::read_dir(&directory).expect("it exists").flatten() {
            let moved = kept.path().join(entry.file_name());
            fs::rename(entry.path(), &moved).expect("it can be moved");
            files.push((moved, entry.path()));
        }
        drop(takeover);
        for (moved, path) in files {
            fs::rename(moved, path).expect("it can be moved back");
        }
        fs::write(lock, text).expect("it can be written");
    }

    #[test]
    fn what_a_killed_process_leaves_is_put_right_at_each_step() {
        for step in ["bound", "taken", "taken again", "removed", "opened again"] {
            let plugin = Plugin::start();
            let takeover = Takeover::prepare(&plugin.path()).expect("it is free");
            let aside = takeover.places.aside.clone();
            let _ours = match step {
                "bound" => UnixListener::bind(&aside).expect("it can be bound"),
                _ => takeover.take().expect("it can be taken"),
            };
            let _second = match step {
                "removed" => {
                    takeover.remove();
                    None
                }
                "taken again" => Some(takeover.take().expect("it can be taken")),
                "opened again" => {
                    let unfinished = takeover.places.unfinished.clone();
                    let listener = UnixListener::bind(&unfinished).expect("it can be bound");
                    let file = FileId::of(&unfinished).expect("it exists").to_string();
                    takeover.lock.append(&file).expect("it can be written");
                    Some(listener)
                }
                _ => None,
            };
            kill(takeover);
            assert_eq!(restore(&plugin.path()).expect("it works"), Restored::PutRight, "{step}");
            assert!(plugin.is_untouched(), "{step}: {:?}", plugin.files());
        }
    }

    #[test]
    fn a_plugin_that_starts_again_is_left_at_its_path() {
        let plugin = Plugin::start();
        let takeover = Takeover::prepare(&plugin.path()).expect("it is free");
        let _ours = takeover.take().expect("it can be taken");
        let Plugin { place, listener } = plugin;
        drop(listener);
        fs::remove_file(place.path().join("p.sock")).expect("the plugin removes what is at its path");
        assert_eq!(takeover.at_path(), AtPath::Nothing);
        let listener = UnixListener::bind(place.path().join("p.sock")).expect("it binds again");
        listener.set_nonblocking(true).expect("it can be polled");
        let plugin = Plugin { place, listener };
        assert_eq!(takeover.at_path(), AtPath::Another);
        let _again = takeover.take().expect("it can be taken again");
        assert!(!plugin.is_reached());
        drop(takeover);
        assert!(plugin.is_untouched(), "{:?}", plugin.files());
    }
}
