//! A search in a recording, piece by piece.

use crate::{
    domain::lang::seek::{Direction, Seek},
    recording::{Line, LineHead, RecordingError, RecordingFile},
};

/// How much of the file is searched in the first piece of work, and how much at most. Each piece is twice as long as the
/// one before, since what is wanted is often near.
const SEARCH_BYTES: (u64, u64) = (128 * 1024, 32 * 1024 * 1024);

/// A search that is under way.
pub(super) struct Search {
    direction: Direction,
    target: SearchTarget,
    /// Where it has begun.
    began: u64,
    /// How far it has come.
    offset: u64,
    /// How many bytes are searched next.
    length: u64,
}

impl Search {
    /// A search from the entry that ends at an offset. None for a place that needs none.
    pub fn new(wanted: &Seek, offset: u64) -> Option<Self> {
        let (direction, target) = match wanted {
            Seek::Failure(direction) => (*direction, SearchTarget::Failure),
            Seek::Command(direction) => (*direction, SearchTarget::Command),
            Seek::Step(direction) => (*direction, SearchTarget::Row),
            _ => return None,
        };
        Some(Self { direction, target, began: offset, offset, length: SEARCH_BYTES.0 })
    }

    /// Searches the next piece of the file. Returns where what was found ends, or that there is none.
    pub fn step(&mut self, recording: &RecordingFile) -> Result<Option<Result<u64, String>>, RecordingError> {
        let (start, end) = (recording.runs()[0].start, recording.end());
        let (from, to) = match self.direction {
            Direction::Forward => {
                (self.offset, recording.line_from(self.offset.saturating_add(self.length))?)
            }
            Direction::Back => {
                // The entry that is shown is neither a later one nor an earlier one.
                let is_first = self.offset == self.began;
                let to = if is_first { recording.line_before(self.offset)? } else { self.offset };
                let from = to.saturating_sub(self.length).max(start);
                (if from == start { start } else { recording.line_from(from)?.min(to) }, to)
            }
        };
        let mut lines = recording.lines(from, to);
        let mut found = None;
        while let Some(line) = lines.next_bytes()? {
            if self.target.is(line) {
                found = Some(lines.offset());
                if self.direction == Direction::Forward {
                    break;
                }
            }
        }
        self.length = (self.length * 2).min(SEARCH_BYTES.1);
        let is_over = match self.direction {
            Direction::Forward => to >= end,
            Direction::Back => from <= start,
        };
        self.offset = if self.direction == Direction::Forward { to } else { from };
        let none = || is_over.then(|| Err(self.target.none(self.direction)));
        Ok(found.map(Ok).or_else(none))
    }
}

/// What is searched for.
#[derive(Clone, Copy)]
enum SearchTarget {
    Failure,
    Command,
    Row,
}

impl SearchTarget {
    /// Whether a line is what is wanted. A failure is a call with an outcome other than ok.
    fn is(self, line: &[u8]) -> bool {
        let Some(head) = LineHead::parse(line) else { return false };
        match self {
            // In a text within the line, the quotes are escaped.
            Self::Failure => {
                head.kind == "call" && memchr::memmem::find(line, b"\"outcome\":\"ok\"").is_none()
            }
            Self::Command => head.kind == "command",
            Self::Row => {
                matches!(Line::parse(line), Ok(Line::Entry(entry)) if !entry.is_redundant())
            }
        }
    }

    fn none(self, direction: Direction) -> String {
        let which = match direction {
            Direction::Forward => "later",
            Direction::Back => "earlier",
        };
        let what = match self {
            Self::Failure => "failure",
            Self::Command => "command",
            Self::Row => "entry",
        };
        format!("no {which} {what}")
    }
}
