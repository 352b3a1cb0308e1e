//! Taking the place of a plugin's socket, and giving it back.
//!
//! ```text
//! before      NAME.sock  the plugin's                .NAME.voltergeist  none
//! in place    NAME.sock  ours                        .NAME.voltergeist  the plugin's
//! ```
//!
//! Engines remember the path, so a new socket at it is found without a restart, and `renameat2(RENAME_EXCHANGE)` leaves
//! no moment without one. They ignore the other name. The lock file keeps the path, in its first line, and which sockets
//! were ours, so that another process can [`restore`] the plugin's after a kill.

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

/// How long another process may have the place that is about to end, or restores what a killed one has left.
const LOCK_TIMEOUT: Duration = Duration::from_millis(500);

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
    /// Prepares to take the place of a socket on which a plugin listens, after restoring what a killed process has
    /// left.
    pub fn prepare(path: &Path) -> Result<Self, BindError> {
        let unusable = |error| BindError::Unusable { address: path.display().to_string(), error };
        let path = std::path::absolute(path).map_err(unusable)?;
        let places = Places::of(&path);
        let in_use = || BindError::TakenOver(path.clone());
        let lock = acquire(&places.aside).map_err(unusable)?.ok_or_else(in_use)?;
        begin(&places, &lock).map_err(unusable)?;
        if fs::symlink_metadata(&places.aside).is_ok() {
            // Somebody listens there, who may have no other name.
            return Err(in_use());
        }
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
    pub fn take(&mut self) -> io::Result<UnixListener> {
        self.lock_again()?;
        let Places { path, aside, unfinished } = &self.places;
        let is_plugin_there = self.at_path() == AtPath::Another;
        let (place, model) = if is_plugin_there { (aside, path) } else { (unfinished, aside) };
        remove_if_exists(place)?;
        let listener = UnixListener::bind(place)?;
        copy_attributes(model, place)?;
        self.lock.append(&FileId::of(place)?.to_string())?;
        if is_plugin_there {
            exchange(place, path)?;
        } else {
            fs::rename(place, path)?;
        }
        Ok(listener)
    }

    /// Acquires the lock again, if its file was removed, perhaps with its directory.
    fn lock_again(&mut self) -> io::Result<()> {
        if self.lock.is_in_place() {
            return Ok(());
        }
        let lock = LockFile::acquire(&self.places.aside)?;
        let lock = lock.ok_or_else(|| io::Error::other("another voltergeist has taken it; stop that one"))?;
        self.lock.read()?.lines().try_for_each(|line| lock.append(line))?;
        self.lock = lock;
        Ok(())
    }

    /// Removes our socket, if it is at the path.
    pub fn remove(&self) {
        if self.at_path() == AtPath::Ours {
            drop(fs::remove_file(&self.places.path));
        }
    }

    /// Removes our socket from the path as [`Takeover::remove`] does, and puts the plugin's there.
    pub fn give_back(&self) -> io::Result<()> {
        let is_lost = || LockFile::acquire(&self.places.aside).is_ok_and(|lock| lock.is_none());
        if !self.lock.is_in_place() && is_lost() {
            // Another process gives it back.
            return Ok(());
        }
        restore_places(&self.places, &self.lock)
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
    /// What was left is restored.
    Done,
    /// Nothing was left.
    Nothing,
    /// A running process has the place.
    InUse,
}

/// Restores what a killed process has left at a plugin's path.
pub fn restore(path: &Path) -> io::Result<Restored> {
    let places = Places::of(path);
    let Some(lock) = LockFile::acquire(&places.aside)? else { return Ok(Restored::InUse) };
    let left = [&places.aside, &places.unfinished].into_iter().any(|path| fs::symlink_metadata(path).is_ok());
    let ours = FileId::of(path).is_ok_and(|file| is_ours(&lock, file));
    restore_places(&places, &lock)?;
    Ok(if left || ours { Restored::Done } else { Restored::Nothing })
}

/// The paths in a directory of sockets at which a process has taken a plugin's place, or has left something of it.
pub fn taken_in(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries
        .flat_map(|entry| {
            let path = entry.path();
            if path.is_dir() {
                // NAME/NAME.sock, and a managed plugin's.
                return taken_in(&path);
            }
            let name = entry.file_name();
            let is_lock =
                name.to_str().is_some_and(|name| name.ends_with(".voltergeist.lock")) && path.is_file();
            let text = if is_lock { fs::read_to_string(&path).unwrap_or_default() } else { String::new() };
            taken_path(&text, directory).into_iter().collect()
        })
        .collect();
    paths.sort_unstable();
    paths
}

/// Whether a process has taken the place of the plugin at this path, or has left something of it.
pub fn is_taken(path: &Path) -> io::Result<bool> {
    let text = match fs::read_to_string(LockFile::path_of(&Places::of(path).aside)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        text => text?,
    };
    Ok(path.parent().and_then(|directory| taken_path(&text, directory)).as_deref() == Some(path))
}

/// Whose dead socket is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// That of a running process of ours: it is down.
    Running,
    /// That of a killed one, in front of a plugin.
    Killed,
}

/// Whose socket is at a path at which nobody listens; none if it is no process of ours.
pub fn holder(path: &Path) -> Option<Holder> {
    let aside = Places::of(path).aside;
    if LockFile::is_held(&aside) {
        return Some(Holder::Running);
    }
    // Who may not read the lock file sees the plugin's socket. The plugin may be a process of ours too.
    if is_taken(path).unwrap_or(false) || fs::symlink_metadata(&aside).is_ok() {
        return Some(Holder::Killed);
    }
    LockFile::is_held(path).then_some(Holder::Running)
}

/// The path in this directory to which the text of a lock file belongs.
fn taken_path(text: &str, directory: &Path) -> Option<PathBuf> {
    let path = Path::new(text.lines().next()?);
    // The directory may be mounted at another place.
    if path.is_absolute() { Some(directory.join(path.file_name()?)) } else { None }
}

/// Restores what a killed process has left, and writes the path into the lock file.
fn begin(places: &Places, lock: &LockFile) -> io::Result<()> {
    let directory = places.path.parent().unwrap_or(Path::new("/"));
    // `p` and `p.sock` have the same lock file.
    if let Some(path) = taken_path(&lock.read()?, directory) {
        restore_places(&Places { path, ..places.clone() }, lock)?;
    }
    restore_places(places, lock)?;
    lock.clear()?;
    // What cannot be a line is not found again.
    let line = places.path.to_str().filter(|path| !path.contains('\n'));
    line.map_or(Ok(()), |path| lock.append(path))
}

/// Removes our sockets, and puts the plugin's back, whatever has happened between.
fn restore_places(places: &Places, lock: &LockFile) -> io::Result<()> {
    let Places { path, aside, unfinished } = places;
    let owner = |path: &Path| FileId::of(path).ok().map(|file| is_ours(lock, file));
    match (owner(path), owner(aside)) {
        (Some(true), Some(false)) => {
            // The plugin may have changed the mode after it was put aside.
            copy_attributes(path, aside)?;
            match exchange(aside, path) {
                // The plugin has removed its path in this moment.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return restore_places(places, lock),
                exchanged => exchanged?,
            }
            if owner(aside) == Some(false) {
                // It has even bound it again.
                exchange(aside, path)?;
            }
            remove_if_exists(aside)?;
        }
        (Some(true), _) => {
            remove_if_exists(path)?;
            remove_if_exists(aside)?;
        }
        (_, Some(false)) if is_listening(aside)? => {
            // An outage had removed ours. Otherwise both are needed: this may be the only name of a plugin that another
            // process has put aside.
            if !is_listening(path)? {
                fs::rename(aside, path)?;
            }
        }
        // The plugin is at its path again, or was never away. A dead socket was removed by the plugin's own end.
        _ => remove_if_exists(aside)?,
    }
    remove_if_exists(unfinished)
}

fn acquire(path: &Path) -> io::Result<Option<LockFile>> {
    let started = Instant::now();
    loop {
        let lock = LockFile::acquire(path)?;
        if lock.is_some() || started.elapsed() > LOCK_TIMEOUT {
            return Ok(lock);
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn is_ours(lock: &LockFile, file: FileId) -> bool {
    let file = file.to_string();
    lock.read().is_ok_and(|text| text.lines().any(|line| line == file))
}

fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
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
mod tests;
