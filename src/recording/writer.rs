//! Writing a recording.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use jiff::Timestamp;
use rustix::{
    fs::{FlockOperation, OFlags, fcntl_getfl, fcntl_setfl, flock},
    io::Errno,
};

use super::{
    bytes::last_line_start,
    line::{write_checkpoint, write_entry},
    reader::{RecordingError, check_first_line, check_last_line},
};
use crate::domain::{
    model::entry::Entry,
    state::{State, journal::Bounds},
};

/// After so many entries, or so many bytes of them, a checkpoint is written.
const ENTRIES: u64 = 1024;
const BYTES: usize = 4 * 1024 * 1024;
/// A checkpoint takes at most this part of a file.
const SHARE: usize = 8;

/// Turns entries into lines, with checkpoints between them.
pub struct EntryEncoder {
    /// The offset of the run's first line.
    run: u64,
    state: State,
    /// Since the last checkpoint.
    entries: u64,
    bytes: usize,
    /// The length of the last checkpoint.
    checkpoint: usize,
}

impl EntryEncoder {
    /// An encoder of a run whose first line is at this offset of the file.
    pub fn new(run: u64) -> Self {
        // The state is needed for checkpoints alone, which have no entries.
        let state = State::new(Bounds { entries: 1, bytes: 0 });
        Self { run, state, entries: 0, bytes: 0, checkpoint: 0 }
    }

    /// The number of the last entry.
    pub fn last_seq(&self) -> u64 {
        self.state.journal().next_seq() - 1
    }

    /// Appends the next entry to a buffer, and a checkpoint if it is time for one.
    pub fn write(&mut self, out: &mut Vec<u8>, entry: &std::sync::Arc<Entry>) {
        let length = out.len();
        write_entry(out, entry);
        self.state.apply(entry);
        self.entries += 1;
        self.bytes += out.len() - length;
        let is_due = self.entries >= ENTRIES || self.bytes >= BYTES;
        if is_due && self.bytes >= self.checkpoint * SHARE {
            self.checkpoint(out, entry.at);
        }
    }

    /// Continues after a gap: from this state, whose entries are not written.
    pub fn resume(&mut self, out: &mut Vec<u8>, state: State, at: Timestamp) {
        self.state = state;
        self.checkpoint(out, at);
    }

    fn checkpoint(&mut self, out: &mut Vec<u8>, at: Timestamp) {
        let length = out.len();
        write_checkpoint(out, &self.state, self.run, at);
        self.checkpoint = out.len() - length;
        (self.entries, self.bytes) = (0, 0);
    }
}

/// Opens a file to append a run to it, and returns its length. An existing file must be a recording that no other
/// process writes to. A last line without its end, which a killed process has left behind, is cut off.
pub fn prepare_to_append(path: &Path) -> Result<(File, u64), RecordingError> {
    let failed = |error| RecordingError::Append { path: path.to_owned(), error };
    let mut options = OpenOptions::new();
    // Only the user may read what engines send.
    options.create(true).append(true).mode(0o600);
    let is_file = path.metadata().map_or(true, |metadata| metadata.is_file());
    if !is_file {
        return Ok((open_pipe(&mut options, path).map_err(failed)?, 0));
    }
    let file = options.read(true).open(path).map_err(failed)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => return Err(RecordingError::InUse(path.to_owned())),
        result => result.map_err(|error| failed(error.into()))?,
    }
    let length = file.metadata().map_err(failed)?.len();
    if length == 0 {
        return Ok((file, 0));
    }
    let end = last_line_start(&file, 0, length).map_err(failed)?;
    if end > 0 {
        check_first_line(&file, path)?;
        check_last_line(&file, path, end)?;
    } else {
        return Err(RecordingError::Foreign(path.to_owned()));
    }
    if end < length {
        file.set_len(end).map_err(failed)?;
    }
    Ok((file, end))
}

/// Opens what is no regular file. Opening a pipe that nobody reads would wait.
fn open_pipe(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let file = options.custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path);
    let file = file.map_err(|error| match error.raw_os_error() {
        Some(code) if code == Errno::NXIO.raw_os_error() => io::Error::other("nobody reads this pipe"),
        _ => error,
    })?;
    fcntl_setfl(&file, fcntl_getfl(&file)? - OFlags::NONBLOCK)?;
    Ok(file)
}
