//! A line of a recording.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{lang::json, model::entry::Entry, state::State};

/// The kind of a line that is no entry.
const CHECKPOINT: &str = "checkpoint";

/// What is at the beginning of each line, so that a reader finds its place without parsing the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineHead<'l> {
    /// The number of the entry, or of the last one before a checkpoint.
    pub seq: u64,
    /// When it was recorded.
    pub at: Timestamp,
    /// The kind of the entry, or `checkpoint`.
    pub kind: &'l str,
}

impl<'l> LineHead<'l> {
    /// The longest head: three fields, a number of 20 digits, a time with nanoseconds.
    pub const LONGEST: usize = 160;

    /// Reads the head of a line from its first bytes.
    pub fn parse(line: &'l [u8]) -> Option<Self> {
        let line = &line[..line.len().min(Self::LONGEST)];
        let rest = line.strip_prefix(b"{\"seq\":")?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (seq, rest) = rest.split_at(digits);
        let rest = rest.strip_prefix(b",\"at\":\"")?;
        let (at, rest) = rest.split_at(rest.iter().position(|byte| *byte == b'"')?);
        let rest = rest.strip_prefix(b"\",\"kind\":\"")?;
        let kind = &rest[..rest.iter().position(|byte| *byte == b'"')?];
        let text = |bytes: &'l [u8]| std::str::from_utf8(bytes).ok();
        Some(Self { seq: text(seq)?.parse().ok()?, at: text(at)?.parse().ok()?, kind: text(kind)? })
    }

    /// Whether it begins a run.
    pub fn is_session(&self) -> bool {
        self.kind == "session"
    }

    /// Whether it is a checkpoint.
    pub fn is_checkpoint(&self) -> bool {
        self.kind == CHECKPOINT
    }
}

/// A whole line.
#[derive(Clone, Debug)]
pub enum Line {
    /// An entry.
    Entry(Arc<Entry>),
    /// The state after the entry before it, and the offset of the run's first line in the file.
    Checkpoint(Box<State>, u64),
    /// A checkpoint of another version, whose state this one does not understand.
    ForeignCheckpoint,
}

#[derive(Deserialize)]
struct Checkpoint {
    run: u64,
    state: State,
}

#[derive(Serialize)]
struct CheckpointLine<'s> {
    seq: u64,
    at: Timestamp,
    kind: &'static str,
    run: u64,
    state: &'s State,
}

impl Line {
    /// Reads a line without its line break.
    pub fn parse(line: &[u8]) -> serde_json::Result<Self> {
        if LineHead::parse(line).is_some_and(|head| head.is_checkpoint()) {
            let checkpoint = serde_json::from_slice(line);
            return Ok(checkpoint.map_or(Self::ForeignCheckpoint, |Checkpoint { run, state }| {
                Self::Checkpoint(Box::new(state), run)
            }));
        }
        Entry::from_json(line).map(|entry| Self::Entry(Arc::new(entry)))
    }
}

/// Appends an entry's line to a buffer.
pub fn write_entry(out: &mut Vec<u8>, entry: &Entry) {
    json::write_line(out, entry).expect("an entry has only text keys, and memory does not fail");
}

/// Appends a checkpoint's line to a buffer.
pub fn write_checkpoint(out: &mut Vec<u8>, state: &State, run: u64, at: Timestamp) {
    let seq = state.journal().next_seq() - 1;
    let line = CheckpointLine { seq, at, kind: CHECKPOINT, run, state };
    json::write_line(out, &line).expect("a state is JSON, and memory does not fail");
}
