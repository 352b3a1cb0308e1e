//! The formats of saved files.

use std::path::Path;

/// The format of a saved file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// One entry per line as JSON, as in a recording.
    JsonLines,
    /// The report in Markdown.
    Report,
    /// The sequence diagram as Mermaid.
    Mermaid,
    /// The sequence diagram as text.
    Text,
    /// The calls as an HTTP archive.
    Har,
    /// A scenario that gives the same commands and expects the same calls.
    Scenario,
    /// The rules, one a line.
    Rules,
}

impl ExportFormat {
    /// The file extensions with their formats.
    pub const EXTENSIONS: [(&str, Self, &str); 7] = [
        ("jsonl", Self::JsonLines, "entries as JSON lines"),
        ("md", Self::Report, "a report in Markdown"),
        ("mmd", Self::Mermaid, "the sequence as Mermaid"),
        ("txt", Self::Text, "the sequence as text"),
        ("har", Self::Har, "the calls as an HTTP archive"),
        ("toml", Self::Scenario, "a scenario with the commands and the calls"),
        ("rules", Self::Rules, "the rules, one a line"),
    ];

    /// The format of a file, by its extension.
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let known = Self::EXTENSIONS.iter().find(|(known, ..)| *known == extension);
        known.map(|(_, format, _)| *format)
    }

    /// All extensions, for people: `.jsonl, .md`.
    pub fn known() -> String {
        Self::EXTENSIONS.map(|(extension, ..)| format!(".{extension}")).join(", ")
    }
}
