//! The language and the rule set as wholes.

mod draws;
mod language;
mod lifetime;
mod rule_set;
