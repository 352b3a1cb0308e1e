//! Faults: the language of rules, and what an armed rule makes of a call.
//!
//! `rule` is the language, `rulebook` holds the armed rules and decides, `action` is what the
//! server acts out, `preset` names the faults that have a key of their own.

mod action;
mod preset;
mod rule;
mod rulebook;

pub use action::{Action, ErrorShape, Mountpoint, Phase};
pub use preset::{PRESETS, Preset};
pub use rule::{Rule, RuleError};
pub use rulebook::{Armed, Facts, Rulebook, Verdict};
