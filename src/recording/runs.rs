//! The runs of a recording: each begins with a session.

use std::{fs::File, io};

use jiff::Timestamp;

use super::{
    bytes::{find_back, last_line_start, next_line_start, read_at},
    line::{Line, LineHead},
};

/// One run of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordedRun {
    /// The offset of its first line.
    pub start: u64,
    /// The offset after its last line.
    pub end: u64,
    /// When it began.
    pub first_at: Timestamp,
    /// The number of its last entry.
    pub last_seq: u64,
    /// When that was recorded.
    pub last_at: Timestamp,
}

impl RecordedRun {
    /// The run between two offsets. None if its first or last line has no head.
    pub(super) fn between(file: &File, start: u64, end: u64) -> io::Result<Option<Self>> {
        let last = last_line_start(file, start, end - 1)?;
        let heads = [start, last].map(|offset| read_at(file, offset, LineHead::LONGEST));
        let [first, last] = heads;
        let (first, last) = (first?, last?);
        Ok(LineHead::parse(&first).zip(LineHead::parse(&last)).map(|(first, last)| Self {
            start,
            end,
            first_at: first.at,
            last_seq: last.seq,
            last_at: last.at,
        }))
    }

    /// Bisects: the offset of the first line whose head fails a condition that those before it pass and those after it
    /// fail.
    pub(super) fn partition(&self, file: &File, passes: impl Fn(&LineHead<'_>) -> bool) -> io::Result<u64> {
        let passes_at = |offset| -> io::Result<bool> {
            let head = read_at(file, offset, LineHead::LONGEST)?;
            Ok(LineHead::parse(&head).is_some_and(|head| passes(&head)))
        };
        let end_of = |line| next_line_start(file, line, self.end).map(|next| next.unwrap_or(self.end));
        // A line begins at `low`, and those before it pass. Lines that begin at `high` or later fail.
        let (mut low, mut high) = (self.start, self.end);
        while low < high {
            if high - low == 1 {
                return if passes_at(low)? { end_of(low) } else { Ok(low) };
            }
            let middle = low + (high - low) / 2;
            match next_line_start(file, middle - 1, high)?.filter(|line| *line < high) {
                Some(line) if passes_at(line)? => low = end_of(line)?,
                Some(line) => high = line,
                None => high = middle,
            }
        }
        Ok(low)
    }
}

/// The runs between two offsets, the first one first.
pub fn find(file: &File, begin: u64, end: u64) -> io::Result<Vec<RecordedRun>> {
    let mut runs = Vec::new();
    let mut upper = end;
    while upper > begin {
        let start = start_of_last(file, begin, upper)?;
        let Some(run) = RecordedRun::between(file, start, upper)? else { break };
        runs.push(run);
        upper = start;
    }
    runs.reverse();
    Ok(runs)
}

/// Where the last run before an offset begins. The nearest checkpoint says it.
fn start_of_last(file: &File, begin: u64, end: u64) -> io::Result<u64> {
    let nearest = find_back(file, begin, end, LineHead::LONGEST, |offset, line| {
        let head = LineHead::parse(line)?;
        (head.is_session() || head.is_checkpoint()).then_some((offset, head.is_session()))
    })?;
    let Some((offset, is_session)) = nearest else { return Ok(begin) };
    if is_session {
        return Ok(offset);
    }
    let line_end = next_line_start(file, offset, end)?.unwrap_or(end);
    let line = read_at(file, offset, (line_end - offset) as usize)?;
    if let Ok(Line::Checkpoint(_, run)) = Line::parse(&line)
        && (begin..offset).contains(&run)
        && LineHead::parse(&read_at(file, run, LineHead::LONGEST)?).is_some_and(|head| head.is_session())
    {
        return Ok(run);
    }
    // The file was put together from others, or written by another version.
    let session = find_back(file, begin, offset, LineHead::LONGEST, |offset, line| {
        LineHead::parse(line)?.is_session().then_some(offset)
    })?;
    Ok(session.unwrap_or(begin))
}
