//! Faults: the language of rules, and what an armed rule makes of a call.
//!
//! A [`Rule`] says which calls (`calls`, `selector`), when (`trigger`), what (`action`, in a chain of
//! steps) and for how long (`lifetime`); `parse` reads it and `print` prints it. The [`Rulebook`]
//! holds the `armed` rules and decides, with chance from `draw`; the server acts the [`Verdict`] out.
//! An [`Ending`]
//! lets a waiting call go otherwise than naturally. `rehearsal` tells which calls of the journal a rule would have hit, `forecast` what the engine will
//! make of it, and `preset` names the rules that have a key of their own.

mod action;
mod armed;
mod calls;
mod draw;
mod ending;
mod forecast;
mod glossary;
mod lifetime;
mod parse;
mod preset;
mod print;
mod rehearsal;
mod rule;
mod rulebook;
mod selector;
#[cfg(test)]
mod tests;
mod trigger;

pub use action::{Action, ErrorShape, Mountpoint, Phase};
pub use armed::{Armed, Remaining, RuleState, Verdict};
pub use calls::Calls;
pub use ending::Ending;
pub use forecast::{FACTS, Fact, Forecast, aftermath, forecast, forecast_outage, patience};
pub use glossary::{EXAMPLES, PARTS, Part, meaning};
pub use lifetime::{Flap, Lifetime};
pub use preset::{PRESETS, Preset};
pub use rehearsal::{Rehearsal, would_hit};
pub use rule::{Rule, RuleError, Step};
pub use rulebook::Rulebook;
pub use selector::{Facts, Pattern, Selector};
pub use trigger::{Chance, Trigger};
