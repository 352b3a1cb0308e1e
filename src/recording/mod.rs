//! Recordings: files with an entry per line, and checkpoints between them.
//!
//! ```text
//! {"seq":1,"at":"…","kind":"session",…}         the start of a run; a file can have several
//! {"seq":2,"at":"…","kind":"call",…}
//! {"seq":2,"at":"…","kind":"checkpoint","state":{…}}   the state after entry 2
//! ```
//!
//! A checkpoint is not an entry: it has the number of the entry before it. It lets a reader start anywhere, and continue
//! after a gap. Other readers can leave it out.

mod bytes;
mod line;
mod reader;
mod runs;
#[cfg(test)]
mod tests;
mod writer;

pub use line::{Line, LineHead};
pub use reader::{Lines, RecordingError, RecordingFile, apply_line};
pub use runs::RecordedRun;
pub use writer::{EntryEncoder, prepare_to_append};
