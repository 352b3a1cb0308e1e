//! What a user takes along: entries as JSON lines, a report, sequence diagrams, and the summary at the end.

mod export_format;
mod jsonl;
mod report;
mod rule_file;
mod save;
mod sequence;
mod summary;
mod text_line;

pub use export_format::ExportFormat;
pub use report::markdown;
pub use save::{run_command, run_line, save};
pub use sequence::{mermaid, text};
pub use summary::summary;
pub use text_line::text_line;
