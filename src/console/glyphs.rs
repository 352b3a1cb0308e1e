//! The signs beside the words. Every meaning has both, and each sign has an ASCII form.

use ratatui::symbols::border;

/// The signs that the views draw with.
#[derive(Debug)]
pub struct Glyphs {
    /// A rule acts or acted.
    pub fault: &'static str,
    /// An answer that says no.
    pub failed: &'static str,
    /// An end without an answer.
    pub abandoned: &'static str,
    /// What is selected.
    pub cursor: &'static str,
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
    /// The lines of the sequence diagram.
    pub sequence: Sequence,
    /// Borders of a pane.
    pub border: border::Set<'static>,
    /// Borders of the pane that has the keys.
    pub focus: border::Set<'static>,
    /// Whether all of this is ASCII.
    pub ascii: bool,
}

/// What a sequence diagram is drawn with.
#[derive(Debug)]
pub struct Sequence {
    /// One that takes part, as time passes.
    pub life: &'static str,
    /// A request leaves.
    pub leaves: &'static str,
    /// An answer leaves.
    pub returns: &'static str,
    /// On the way.
    pub dash: &'static str,
    /// A request arrives.
    pub right: &'static str,
    /// An answer arrives.
    pub left: &'static str,
    /// An answer never arrives.
    pub lost: &'static str,
}

/// For terminals that show UTF-8.
pub const UNICODE: Glyphs = Glyphs {
    fault: "⚡",
    failed: "✗",
    abandoned: "○",
    cursor: "▸",
    hit: "◆",
    mounted: "●",
    idle: "○",
    forgotten: "◌",
    ellipsis: "…",
    arrow: "→",
    dot: "·",
    spark: [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    sequence: Sequence {
        life: "│", leaves: "├", returns: "┤", dash: "─", right: "▶", left: "◀", lost: "╳"
    },
    border: border::PLAIN,
    focus: border::THICK,
    ascii: false,
};

/// For all others.
pub const ASCII: Glyphs = Glyphs {
    fault: "!",
    failed: "x",
    abandoned: "o",
    cursor: ">",
    hit: "*",
    mounted: "*",
    idle: "-",
    forgotten: "?",
    ellipsis: "~",
    arrow: "->",
    dot: "-",
    spark: [" ", "_", ".", "-", "=", "+", "*", "%", "#"],
    sequence: Sequence { life: "|", leaves: "|", returns: "|", dash: "-", right: ">", left: "<", lost: "x" },
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
