//! The symbols beside the words. Every meaning has both, and each symbol has an ASCII form.

/// The symbols in the text of an entry, as a line or in a diagram.
#[derive(Debug)]
pub struct Symbols {
    /// A rule acts or acted.
    pub fault: &'static str,
    /// It came as expected.
    pub passed: &'static str,
    /// A reply that says no.
    pub failed: &'static str,
    /// An end without a reply.
    pub cancelled: &'static str,
    /// Leads to.
    pub arrow: &'static str,
    /// Something is missing here.
    pub ellipsis: &'static str,
    /// In a diagram: one that takes part, as time passes.
    pub life: &'static str,
    /// The same, where nothing happens for a while.
    pub pause: &'static str,
    /// A request leaves.
    pub leaves: &'static str,
    /// A reply leaves.
    pub returns: &'static str,
    /// On the way.
    pub dash: &'static str,
    /// A request arrives.
    pub right: &'static str,
    /// A reply arrives.
    pub left: &'static str,
    /// A reply never arrives.
    pub lost: &'static str,
}

/// For all who read UTF-8.
pub const UNICODE: Symbols = Symbols {
    fault: "⚡",
    passed: "✓",
    failed: "✗",
    cancelled: "○",
    arrow: "→",
    ellipsis: "…",
    life: "│",
    pause: "┊",
    leaves: "├",
    returns: "┤",
    dash: "─",
    right: "▶",
    left: "◀",
    lost: "╳",
};

/// For all others.
pub const ASCII: Symbols = Symbols {
    fault: "!",
    passed: "+",
    failed: "x",
    cancelled: "o",
    arrow: "->",
    ellipsis: "~",
    life: "|",
    pause: ":",
    leaves: "|",
    returns: "|",
    dash: "-",
    right: ">",
    left: "<",
    lost: "x",
};
