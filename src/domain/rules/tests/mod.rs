//! The language and the rulebook as wholes.

mod language;
mod rule_set;
