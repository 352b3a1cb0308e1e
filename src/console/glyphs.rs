//! The symbols. Every meaning also has a word, and each symbol has an ASCII form.

use ratatui::symbols::border;

use crate::domain::text::symbols::{self, Symbols};

/// The symbols that the views draw with.
#[derive(Debug)]
pub struct Glyphs {
    /// A rule acts or acted.
    pub fault: &'static str,
    /// It came as expected.
    pub passed: &'static str,
    /// A failed call.
    pub failed: &'static str,
    /// An end without a reply.
    pub cancelled: &'static str,
    /// What is selected.
    pub cursor: &'static str,
    /// A collapsed group.
    pub collapsed: &'static str,
    /// An expanded group.
    pub expanded: &'static str,
    /// A call that a rule would have hit.
    pub hit: &'static str,
    /// A volume with open mounts.
    pub mounted: &'static str,
    /// A volume without any.
    pub idle: &'static str,
    /// A forgotten volume.
    pub forgotten: &'static str,
    /// Something is missing here.
    pub ellipsis: &'static str,
    /// Leads to.
    pub arrow: &'static str,
    /// The rows are sorted, the smallest first.
    pub ascending: &'static str,
    /// The same, the largest first.
    pub descending: &'static str,
    /// Between two facts.
    pub dot: &'static str,
    /// The sparkline's steps, from nothing to all.
    pub spark: [&'static str; 9],
    /// The symbols in entry texts.
    pub symbols: &'static Symbols,
    /// Borders of a pane.
    pub border: border::Set<'static>,
    /// Borders of the pane that has the keys.
    pub focus: border::Set<'static>,
    /// Whether all of this is ASCII.
    pub ascii: bool,
}

/// For terminals that show UTF-8.
pub const UNICODE: Glyphs = Glyphs {
    fault: symbols::UNICODE.fault,
    passed: symbols::UNICODE.passed,
    failed: symbols::UNICODE.failed,
    cancelled: symbols::UNICODE.cancelled,
    cursor: "▸",
    collapsed: "▸",
    expanded: "▾",
    hit: "◆",
    mounted: "●",
    idle: "○",
    forgotten: "◌",
    ellipsis: symbols::UNICODE.ellipsis,
    arrow: symbols::UNICODE.arrow,
    ascending: "↑",
    descending: "↓",
    dot: "·",
    spark: [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    symbols: &symbols::UNICODE,
    border: border::PLAIN,
    focus: border::THICK,
    ascii: false,
};

/// For all others.
pub const ASCII: Glyphs = Glyphs {
    fault: symbols::ASCII.fault,
    passed: symbols::ASCII.passed,
    failed: symbols::ASCII.failed,
    cancelled: symbols::ASCII.cancelled,
    cursor: ">",
    collapsed: ">",
    expanded: "v",
    hit: "*",
    mounted: "*",
    idle: "-",
    forgotten: "?",
    ellipsis: symbols::ASCII.ellipsis,
    arrow: symbols::ASCII.arrow,
    ascending: "^",
    descending: "v",
    dot: "-",
    spark: [" ", "_", ".", "-", "=", "+", "*", "%", "#"],
    symbols: &symbols::ASCII,
    border: border::Set {
        top_left: "+",
        top_right: "+",
        bottom_left: "+",
        bottom_right: "+",
        vertical_left: "|",
        vertical_right: "|",
        horizontal_top: "-",
        horizontal_bottom: "-",
    },
    focus: border::Set {
        top_left: "#",
        top_right: "#",
        bottom_left: "#",
        bottom_right: "#",
        vertical_left: "#",
        vertical_right: "#",
        horizontal_top: "=",
        horizontal_bottom: "=",
    },
    ascii: true,
};
