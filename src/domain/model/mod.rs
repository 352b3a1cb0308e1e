//! What exists: entries, volumes, the plugin protocol, scenario runs.

pub mod entry;
pub mod protocol;
pub mod scenario;
pub mod speed;
pub mod undo_log;
pub mod volume;
