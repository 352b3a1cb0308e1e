//! Reading a recording: only the parts that are asked for.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;

use super::{
    bytes::{find_back, last_line_start, next_line_start, read_at},
    line::{Line, LineHead},
    runs::{self, RecordedRun},
};
use crate::domain::{
    model::entry::{Entry, FORMAT},
    state::{State, journal::Bounds},
};

/// Why a file cannot be read as a recording, or appended to.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum RecordingError {
    #[error("cannot read {path:?}: {error}")]
    Read { path: PathBuf, error: io::Error },
    #[error("cannot record to {path:?}: {error}; choose another file")]
    Append { path: PathBuf, error: io::Error },
    #[error("another voltergeist records to {0:?}; stop it, or choose another file")]
    InUse(PathBuf),
    #[error("{0:?} is empty: nothing has been recorded to it")]
    Empty(PathBuf),
    #[error(
        "{0:?} is not a recording of voltergeist: its first line is not a session; `voltergeist --record FILE` makes one"
    )]
    Foreign(PathBuf),
    #[error(
        "{path:?} was recorded by voltergeist {version} in format {format}, and this version reads format {FORMAT}; use voltergeist {version}"
    )]
    Newer { path: PathBuf, format: u32, version: String },
    #[error(
        "the beginning of {path:?} is missing: it begins with entry {first}; a part of a recording, such as `save … where …` writes, cannot be replayed"
    )]
    Headless { path: PathBuf, first: u64 },
    #[error("{path:?} is damaged at byte {offset}: {problem}")]
    Damaged { path: PathBuf, offset: u64, problem: String },
    #[error("{0:?} has become shorter since it was opened; open it again")]
    Shrunk(PathBuf),
}

/// A file with the entries of one or more runs.
#[derive(Debug)]
pub struct RecordingFile {
    file: File,
    path: PathBuf,
    /// The offset after the last whole line.
    end: u64,
    runs: Vec<RecordedRun>,
}

impl RecordingFile {
    /// Opens a file, and finds its runs.
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        let read = |error| RecordingError::Read { path: path.to_owned(), error };
        let file = File::open(path).map_err(read)?;
        let metadata = file.metadata().map_err(read)?;
        if !metadata.is_file() {
            return Err(read(io::Error::other(
                "it is not a regular file; save what it sends to a file first",
            )));
        }
        let length = metadata.len();
        if length == 0 {
            return Err(RecordingError::Empty(path.to_owned()));
        }
        check_first_line(&file, path)?;
        // A last line without its end was being written when the program was killed, or is being written now.
        let end = last_line_start(&file, 0, length).map_err(read)?;
        check_last_line(&file, path, end)?;
        let runs = runs::find(&file, 0, end).map_err(read)?;
        if runs.is_empty() {
            return Err(RecordingError::Foreign(path.to_owned()));
        }
        Ok(Self { file, path: path.to_owned(), end, runs })
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its runs, the first one first. There is at least one.
    pub fn runs(&self) -> &[RecordedRun] {
        &self.runs
    }

    /// The offset after the last whole line.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// The number of the run that a line belongs to which ends at an offset.
    pub fn run_at(&self, offset: u64) -> usize {
        self.runs.partition_point(|run| run.end < offset).min(self.runs.len() - 1)
    }

    /// Looks whether lines have been added. Returns whether there are any.
    pub fn refresh(&mut self) -> Result<bool, RecordingError> {
        let length = self.file.metadata().map_err(|error| self.read_error(error))?.len();
        if length < self.end {
            return Err(RecordingError::Shrunk(self.path.clone()));
        }
        let end = last_line_start(&self.file, self.end, length).map_err(|error| self.read_error(error))?;
        if end == self.end {
            return Ok(false);
        }
        let last = self.runs.last().map_or(0, |run| run.start);
        let grown = || {
            let is_session = |_, line: &[u8]| LineHead::parse(line).filter(LineHead::is_session).map(drop);
            match find_back(&self.file, self.end, end, LineHead::LONGEST, is_session)? {
                Some(()) => runs::find(&self.file, last, end),
                None => Ok(RecordedRun::between(&self.file, last, end)?.into_iter().collect()),
            }
        };
        let grown = grown().map_err(|error| self.read_error(error))?;
        self.runs.pop();
        self.runs.extend(grown);
        self.end = end;
        Ok(true)
    }

    /// The lines between two offsets, at which lines begin or end.
    pub fn lines(&self, from: u64, to: u64) -> Lines<'_> {
        Lines { recording: self, offset: from, to, buffer: Vec::new(), position: 0 }
    }

    /// The offset after the last entry of a run with this number or a smaller one.
    pub fn offset_after_seq(&self, run: &RecordedRun, seq: u64) -> Result<u64, RecordingError> {
        run.partition(&self.file, |head| head.seq <= seq).map_err(|error| self.read_error(error))
    }

    /// The offset after the last entry of a run at this time or before it.
    pub fn offset_after_time(&self, run: &RecordedRun, time: Timestamp) -> Result<u64, RecordingError> {
        run.partition(&self.file, |head| head.at <= time).map_err(|error| self.read_error(error))
    }

    /// A line with its line break.
    fn line_at(&self, offset: u64, end: u64) -> Result<Vec<u8>, RecordingError> {
        let read = || {
            let line_end = next_line_start(&self.file, offset, end)?.unwrap_or(end);
            read_at(&self.file, offset, (line_end - offset) as usize)
        };
        read().map_err(|error| self.read_error(error))
    }

    /// The state of a run after the line that ends at an offset. Its journal has a few of the last entries.
    pub fn state_at(&self, run: &RecordedRun, offset: u64) -> Result<State, RecordingError> {
        let mut upper = offset;
        let (mut state, from) = loop {
            let checkpoint = find_back(&self.file, run.start, upper, LineHead::LONGEST, |offset, line| {
                LineHead::parse(line).filter(LineHead::is_checkpoint).map(|_| offset)
            });
            let Some(checkpoint) = checkpoint.map_err(|error| self.read_error(error))? else {
                break (State::new(Bounds::default()), run.start);
            };
            let line = self.line_at(checkpoint, offset)?;
            if let Line::Checkpoint(state, _) = self.parse(checkpoint, &line)? {
                break (*state, checkpoint + line.len() as u64);
            }
            // Of another version: the one before, or the entries from the start.
            upper = checkpoint;
        };
        let mut lines = self.lines(from, offset);
        while let Some(line) = lines.next_line()? {
            apply_line(&mut state, line);
        }
        Ok(state)
    }

    /// Fills the journal of a run's state with entries before those that it has: at most so many.
    pub fn fill(&self, run: &RecordedRun, state: &mut State, count: u64) -> Result<(), RecordingError> {
        let journal = state.journal();
        let entries = self.entries_before(run, journal.first_seq(), count.min(journal.missing()))?;
        state.prepend(&entries);
        Ok(())
    }

    /// The entries of a run before the one with a number: the last ones, at most so many.
    pub fn entries_before(
        &self,
        run: &RecordedRun,
        first: u64,
        count: u64,
    ) -> Result<Vec<Arc<Entry>>, RecordingError> {
        if count == 0 || first <= 1 {
            return Ok(Vec::new());
        }
        let from = self.offset_after_seq(run, first.saturating_sub(count + 1))?;
        let to = self.offset_after_seq(run, first - 1)?;
        let mut entries: Vec<Arc<Entry>> = Vec::new();
        let mut lines = self.lines(from, to);
        while let Some(line) = lines.next_line()? {
            if let Line::Entry(entry) = line {
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    /// The time of the last line of a run before an offset.
    pub fn time_before(&self, run: &RecordedRun, offset: u64) -> Result<Timestamp, RecordingError> {
        let line = self.line_before(offset)?;
        let head = read_at(&self.file, line, LineHead::LONGEST).map_err(|error| self.read_error(error))?;
        Ok(LineHead::parse(&head).map_or(run.first_at, |head| head.at))
    }

    /// Where the first line at or after an offset begins, or the end.
    pub fn line_from(&self, offset: u64) -> Result<u64, RecordingError> {
        let next = next_line_start(&self.file, offset.saturating_sub(1), self.end);
        Ok(next.map_err(|error| self.read_error(error))?.unwrap_or(self.end))
    }

    /// Where the line begins that ends at an offset.
    pub fn line_before(&self, offset: u64) -> Result<u64, RecordingError> {
        last_line_start(&self.file, 0, offset.saturating_sub(1)).map_err(|error| self.read_error(error))
    }

    fn parse(&self, offset: u64, line: &[u8]) -> Result<Line, RecordingError> {
        Line::parse(line).map_err(|error| RecordingError::Damaged {
            path: self.path.clone(),
            offset,
            problem: error.to_string(),
        })
    }

    fn read_error(&self, error: io::Error) -> RecordingError {
        RecordingError::Read { path: self.path.clone(), error }
    }
}

/// Applies a line to the state before it. A checkpoint counts only after a gap.
pub fn apply_line(state: &mut State, line: Line) {
    match line {
        Line::Entry(entry) => state.apply(&entry),
        Line::Checkpoint(checkpoint, _) => {
            if checkpoint.journal().next_seq() > state.journal().next_seq() {
                *state = *checkpoint;
            }
        }
        Line::ForeignCheckpoint => {}
    }
}

/// Lines of a recording, one after another.
pub struct Lines<'r> {
    recording: &'r RecordingFile,
    /// The offset of the next line.
    offset: u64,
    to: u64,
    buffer: Vec<u8>,
    /// Where the next line begins in the buffer.
    position: usize,
}

impl Lines<'_> {
    /// How many bytes are read at a time.
    const CHUNK: usize = 256 * 1024;

    /// The offset after the last line.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The next line, parsed.
    pub fn next_line(&mut self) -> Result<Option<Line>, RecordingError> {
        let recording = self.recording;
        let offset = self.offset;
        match self.next_bytes()? {
            Some(line) => recording.parse(offset, line).map(Some),
            None => Ok(None),
        }
    }

    /// The next line as it is in the file, with its line break.
    pub fn next_bytes(&mut self) -> Result<Option<&[u8]>, RecordingError> {
        if self.offset >= self.to {
            return Ok(None);
        }
        let mut searched = self.position;
        let length = loop {
            if let Some(index) = memchr::memchr(b'\n', &self.buffer[searched..]) {
                break searched + index + 1 - self.position;
            }
            searched = self.buffer.len() - self.position;
            self.buffer.drain(..self.position);
            self.position = 0;
            let from = self.offset + self.buffer.len() as u64;
            let length = self.to.saturating_sub(from).min(Self::CHUNK as u64) as usize;
            let more = read_at(&self.recording.file, from, length)
                .map_err(|error| self.recording.read_error(error))?;
            if more.is_empty() {
                return Err(RecordingError::Shrunk(self.recording.path.clone()));
            }
            self.buffer.extend(more);
        };
        let line = self.position..self.position + length;
        self.position = line.end;
        self.offset += length as u64;
        Ok(Some(&self.buffer[line]))
    }
}

/// Checks that a file begins with a session that this version can read.
pub(super) fn check_first_line(file: &File, path: &Path) -> Result<(), RecordingError> {
    let read = |error| RecordingError::Read { path: path.to_owned(), error };
    let foreign = || RecordingError::Foreign(path.to_owned());
    let head = read_at(file, 0, LineHead::LONGEST).map_err(read)?;
    let head = LineHead::parse(&head).ok_or_else(foreign)?;
    // Where even the first entries were lost, the file begins after the gap.
    if head.is_checkpoint() {
        return Ok(());
    }
    if !head.is_session() {
        return Err(RecordingError::Headless { path: path.to_owned(), first: head.seq });
    }
    let length = file.metadata().map_err(read)?.len();
    let line_end = next_line_start(file, 0, length).map_err(read)?;
    let Some(line_end) = line_end else { return Err(RecordingError::Empty(path.to_owned())) };
    let line = read_at(file, 0, line_end as usize).map_err(read)?;
    let session: serde_json::Value = serde_json::from_slice(&line).map_err(|_| foreign())?;
    let format = session["format"].as_u64().and_then(|format| u32::try_from(format).ok());
    match format {
        Some(format) if format > FORMAT => Err(RecordingError::Newer {
            path: path.to_owned(),
            format,
            version: session["version"].as_str().unwrap_or("of a later version").to_owned(),
        }),
        Some(_) => Ok(()),
        None => Err(foreign()),
    }
}

/// Checks that the last whole line is one of a recording.
pub(super) fn check_last_line(file: &File, path: &Path, end: u64) -> Result<(), RecordingError> {
    let read = |error| RecordingError::Read { path: path.to_owned(), error };
    let offset = last_line_start(file, 0, end - 1).map_err(read)?;
    let line = read_at(file, offset, (end - offset) as usize).map_err(read)?;
    let problem = match Line::parse(&line) {
        Ok(_) if LineHead::parse(&line).is_some() => return Ok(()),
        Ok(_) => "the line is not an entry".to_owned(),
        Err(error) => error.to_string(),
    };
    Err(RecordingError::Damaged { path: path.to_owned(), offset, problem })
}
