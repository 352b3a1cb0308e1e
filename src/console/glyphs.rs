//! The signs beside the words. Every meaning has both, and each sign has an ASCII form.

use ratatui::symbols::border;

use crate::domain::text::symbols::{self, Symbols};

/// The signs that the views draw with.
#[derive(Debug)]
pub struct Glyphs {
    /// A rule acts or acted.
    pub fault: &'static str,
    /// It came as expected.
    pub held: &'static str,
    /// An answer that says no.
    pub failed: &'static str,
    /// An end without an answer.
    pub abandoned: &'static str,
    /// What is selected.
    pub cursor: &'static str,
    /// An episode whose calls are not shown.
    pub folded: &'static str,
    /// An episode whose calls are below it.
    pub unfolded: &'static str,
    /// A call that a rule would have hit.
    pub hit: &'static str,
    /// A volume with open mounts.
    pub mounted: &'static str,
    /// A volume without any.
    pub idle: &'static str,
    /// A volume that the driver does not admit to.
    pub forgotten: &'static str,
    /// Something is missing here.
    pub ellipsis: &'static str,
    /// Leads to.
    pub arrow: &'static str,
    /// Between two facts.
    pub dot: &'static str,
    /// The sparkline's steps, from nothing to all.
    pub spark: [&'static str; 9],
    /// Those that an entry is told with.
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
    held: symbols::UNICODE.held,
    failed: symbols::UNICODE.failed,
    abandoned: symbols::UNICODE.abandoned,
    cursor: "▸",
    folded: "▸",
    unfolded: "▾",
    hit: "◆",
    mounted: "●",
    idle: "○",
    forgotten: "◌",
    ellipsis: symbols::UNICODE.ellipsis,
    arrow: symbols::UNICODE.arrow,
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
    held: symbols::ASCII.held,
    failed: symbols::ASCII.failed,
    abandoned: symbols::ASCII.abandoned,
    cursor: ">",
    folded: ">",
    unfolded: "v",
    hit: "*",
    mounted: "*",
    idle: "-",
    forgotten: "?",
    ellipsis: symbols::ASCII.ellipsis,
    arrow: symbols::ASCII.arrow,
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
