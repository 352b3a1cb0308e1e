//! The records of volumes: one JSON file each.

use std::io::{self, ErrorKind, Read as _, Write};

use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use rustix::fs::OFlags;

use super::{directory_name::directory_name, group_sync::GroupSync, trash::unique_name};
use crate::domain::model::volume::{Volume, Volumes};

/// How names in the staging directory begin.
const UNFINISHED: &str = "unfinished-";
const CORRUPT: &str = "corrupt-";

/// The longest record that is read: more than any that is within the limits of names, options and mounts.
const MAX_RECORD_LEN: u64 = 8 * 1024 * 1024;

/// The operations by which records are changed. What is not synced may be lost with the power.
pub trait RecordFiles {
    /// An open file.
    type File: Write;
    /// Creates a file in the staging directory.
    fn create(&self, name: &str) -> io::Result<Self::File>;
    /// Waits until the content of a file is on the disk.
    fn sync(&self, file: &Self::File) -> io::Result<()>;
    /// Renames a file of the staging directory to a record.
    fn rename(&self, staged: &str, record: &str) -> io::Result<()>;
    /// Removes a record, if there is one.
    fn remove(&self, record: &str) -> io::Result<()>;
    /// Removes a file of the staging directory, as far as that is possible.
    fn discard(&self, staged: &str);
    /// Waits until the names of the records are on the disk.
    fn sync_names(&self) -> io::Result<()>;
}

/// Writes the record of a volume: the old one or the new one is there at any moment, and the new one from the return on.
pub fn write(files: &impl RecordFiles, volume: &Volume) -> io::Result<()> {
    let (unfinished, content) = (unique_name(UNFINISHED), serde_json::to_vec(volume)?);
    let mut file = files.create(&unfinished)?;
    let written = file
        .write_all(&content)
        .and_then(|()| files.sync(&file))
        .and_then(|()| files.rename(&unfinished, &directory_name(&volume.name)));
    written.inspect_err(|_| files.discard(&unfinished))?;
    files.sync_names()
}

/// Removes the record of a volume, if there is one.
pub fn remove(files: &impl RecordFiles, name: &str) -> io::Result<()> {
    files.remove(name)?;
    files.sync_names()
}

/// The records in a directory, and the staging directory beside it.
pub struct RecordDirectory {
    /// The records.
    pub records: Dir,
    /// Where unfinished files are.
    pub staging: Dir,
    /// Syncs for all changes; none if records need not survive a loss of power.
    pub sync: Option<GroupSync>,
}

impl RecordFiles for RecordDirectory {
    type File = cap_std::fs::File;

    fn create(&self, name: &str) -> io::Result<Self::File> {
        new_file(&self.staging, name, OpenOptions::new().create_new(true))
    }

    fn sync(&self, file: &Self::File) -> io::Result<()> {
        if self.sync.is_some() { file.sync_data() } else { Ok(()) }
    }

    fn rename(&self, staged: &str, record: &str) -> io::Result<()> {
        self.staging.rename(staged, &self.records, record)
    }

    fn remove(&self, record: &str) -> io::Result<()> {
        remove_if_exists(&self.records, record)
    }

    fn discard(&self, staged: &str) {
        drop(self.staging.remove_file(staged));
    }

    fn sync_names(&self) -> io::Result<()> {
        self.sync.as_ref().map_or(Ok(()), |group| group.wait(|| Ok(rustix::fs::fsync(&self.records)?)))
    }
}

/// Reads all records, and moves corrupt ones to the staging directory, which has this path. Returns what a user should
/// know about these.
pub fn read_all(records: &Dir, staging: &Dir, path: &str) -> io::Result<(Volumes, Vec<String>)> {
    for name in names(staging)?.filter(|name| name.starts_with(UNFINISHED)) {
        remove_if_exists(staging, &name)?;
    }
    let (mut volumes, mut notes) = (Vec::new(), Vec::new());
    for name in names(records)? {
        match read(records, &name) {
            Ok(volume) => volumes.push(volume),
            Err(problem) => {
                let staged = unique_name(CORRUPT);
                records.rename(&name, staging, &staged)?;
                notes.push(format!(
                    "the record of volume {name:?} is corrupt ({problem}); the volume is unknown now, and the record \
                     was moved to {path}/{staged}"
                ));
            }
        }
    }
    Ok((volumes.into_iter().collect(), notes))
}

fn read(records: &Dir, name: &str) -> Result<Volume, String> {
    let bytes = || {
        let mut options = OpenOptions::new();
        // Opening a pipe would wait for its writer.
        options.read(true).custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
        let file = records.open_with(name, &options)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        let mut bytes = Vec::new();
        file.take(MAX_RECORD_LEN).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = bytes().map_err(|error| error.to_string())?;
    let volume: Volume = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    match volume.excess() {
        Some(excess) => Err(excess),
        None if directory_name(&volume.name) == name => Ok(volume),
        None => Err(format!("it belongs to {:?}", volume.name)),
    }
}

/// The names of all entries of a directory.
pub fn names(directory: &Dir) -> io::Result<impl Iterator<Item = String> + use<>> {
    let names = directory.entries()?.map(|entry| Ok(entry?.file_name().into_string().ok()));
    let names = names.collect::<io::Result<Vec<_>>>()?;
    Ok(names.into_iter().flatten())
}

/// Removes a file, which need not exist.
pub fn remove_if_exists(directory: &Dir, name: &str) -> io::Result<()> {
    match directory.remove_file(name) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Opens a file for writing that only this user can open, whatever the umask is.
fn new_file(directory: &Dir, name: &str, options: &mut OpenOptions) -> io::Result<cap_std::fs::File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    directory.open_with(name, options.write(true).mode(0o600).custom_flags(flags))
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

    use jiff::Timestamp;

    use super::*;

    type Content = Rc<RefCell<Vec<u8>>>;

    /// Files that forget what was not synced, and whose operations end with the power.
    #[derive(Default)]
    struct Unsynced {
        /// How many operations are left until the power ends.
        power: RefCell<usize>,
        staged: RefCell<BTreeMap<String, Synced>>,
        /// The records now, and those whose names are on the disk.
        names: RefCell<[BTreeMap<String, Synced>; 2]>,
    }

    #[derive(Clone, Default)]
    struct Synced {
        now: Content,
        on_disk: Content,
    }

    impl Write for Synced {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.now.borrow_mut().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Unsynced {
        fn operation(&self) -> io::Result<()> {
            let mut power = self.power.borrow_mut();
            *power = power.checked_sub(1).ok_or_else(|| io::Error::other("no power"))?;
            Ok(())
        }

        /// The records after the power came back. The disk may have more names than were synced.
        fn after_crash(&self, with_later_names: bool) -> BTreeMap<String, Option<Volume>> {
            let names = self.names.borrow();
            let names = names[usize::from(!with_later_names)].iter();
            let read = |file: &Synced| serde_json::from_slice(&file.on_disk.borrow()).ok();
            names.map(|(name, file)| (name.clone(), read(file))).collect()
        }
    }

    impl RecordFiles for Unsynced {
        type File = Synced;

        fn create(&self, name: &str) -> io::Result<Synced> {
            self.operation()?;
            let file = Synced::default();
            self.staged.borrow_mut().insert(name.to_owned(), file.clone());
            Ok(file)
        }

        fn sync(&self, file: &Synced) -> io::Result<()> {
            self.operation()?;
            file.on_disk.borrow_mut().clone_from(&file.now.borrow());
            Ok(())
        }

        fn rename(&self, staged: &str, record: &str) -> io::Result<()> {
            self.operation()?;
            let file = self.staged.borrow_mut().remove(staged).expect("it was created");
            self.names.borrow_mut()[0].insert(record.to_owned(), file);
            Ok(())
        }

        fn remove(&self, record: &str) -> io::Result<()> {
            self.operation()?;
            self.names.borrow_mut()[0].remove(record);
            Ok(())
        }

        fn discard(&self, staged: &str) {
            self.staged.borrow_mut().remove(staged);
        }

        fn sync_names(&self) -> io::Result<()> {
            self.operation()?;
            let mut names = self.names.borrow_mut();
            names[1] = names[0].clone();
            Ok(())
        }
    }

    fn volume(name: &str, mounts: u32) -> Volume {
        Volume {
            name: name.into(),
            options: [("life".to_owned(), "x".repeat(100))].into(),
            created: Timestamp::UNIX_EPOCH,
            mask: None,
            exists: true,
            mounts: [("7f".to_owned(), mounts)].into(),
        }
    }

    /// The name of a volume, and its record; none if that is removed.
    type RecordChange = (String, Option<Volume>);

    /// Writes and removes records until the power ends. Returns what was done for sure, and the change under way.
    fn run(files: &Unsynced) -> (BTreeMap<String, Volume>, Option<RecordChange>) {
        let mut done = BTreeMap::new();
        for round in 1.. {
            for name in ["a", "b", "c"] {
                let new = (round % 3 != 0 || name == "a").then(|| volume(name, round));
                let changed = match &new {
                    Some(volume) => write(files, volume),
                    None => remove(files, name),
                };
                if changed.is_err() {
                    return (done, Some((name.to_owned(), new)));
                }
                match new {
                    Some(volume) => drop(done.insert(name.to_owned(), volume)),
                    None => drop(done.remove(name)),
                }
            }
        }
        (done, None)
    }

    #[test]
    fn what_was_written_survives_a_loss_of_power_at_any_operation() {
        for power in 0..200 {
            let files = Unsynced { power: power.into(), ..Unsynced::default() };
            let (done, under_way) = run(&files);
            let (changing, new) = under_way.expect("the power ends");
            for with_later_names in [false, true] {
                let found = files.after_crash(with_later_names);
                for name in ["a", "b", "c"] {
                    let (found, old) = (found.get(name), done.get(name));
                    let is_old = found.map(Option::as_ref) == old.map(Some);
                    let is_new = name == changing && found.map(Option::as_ref) == new.as_ref().map(Some);
                    assert!(is_old || is_new, "{name} after {power} operations: {found:?}, not {old:?}");
                }
            }
        }
    }
}
