//! The records of volumes: one JSON file each.

use std::io::{self, ErrorKind, Read as _, Write as _};

use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use rustix::fs::OFlags;

use super::{directory_name::directory_name, trash::unique_name};
use crate::domain::model::volume::{Volume, Volumes};

/// How names in the staging directory begin.
const UNFINISHED: &str = "unfinished-";
const CORRUPT: &str = "corrupt-";

/// The longest record that is read: more than any that is within the limits of names, options and mounts.
const MAX_RECORD_LEN: u64 = 8 * 1024 * 1024;

/// Writes the record of a volume: the old one or the new one is there at any moment.
pub fn write(records: &Dir, staging: &Dir, volume: &Volume) -> io::Result<()> {
    let unfinished = unique_name(UNFINISHED);
    let mut file = new_file(staging, &unfinished, OpenOptions::new().create_new(true))?;
    let written = file
        .write_all(&serde_json::to_vec(volume)?)
        .and_then(|()| staging.rename(&unfinished, records, directory_name(&volume.name)));
    written.inspect_err(|_| drop(staging.remove_file(&unfinished)))
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
pub fn new_file(directory: &Dir, name: &str, options: &mut OpenOptions) -> io::Result<cap_std::fs::File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    directory.open_with(name, options.write(true).mode(0o600).custom_flags(flags))
}
