//! What a user takes along: entries as JSON lines, an HTTP archive, a report, sequence diagrams, a scenario, and the summary
//! at the end.

mod export_format;
mod har;
mod jsonl;
mod report;
mod rule_file;
mod save;
mod scenario_file;
mod sequence;
mod summary;
mod text_line;

pub use export_format::ExportFormat;
pub use report::markdown;
pub use save::{meant_filter, run_command, run_line, save};
pub use sequence::{mermaid, text};
pub use summary::summary;
pub use text_line::text_line;
