//! Faults: the language of rules, and what an armed rule makes of a call.
//!
//! A [`Rule`] says which calls (`calls`, `selector`), when (`trigger`), what (`action`, in a chain of
//! steps) and for how long (`lifetime`); `parse` reads it and `print` prints it. The [`RuleSet`]
//! holds the `armed` rules and decides, with chance from `draw`; the plugin carries the [`Injection`] out.
//! A [`ReleaseAction`]
//! lets a waiting call go otherwise than naturally. `dry_run` tells which calls of the journal a rule would have hit, `forecast` what the engine will
//! make of it, and `preset` names the rules that have a key of their own.

mod action;
mod armed;
mod calls;
mod draw;
mod dry_run;
mod forecast;
mod format;
mod lifetime;
mod parse;
mod preset;
mod reference;
mod release_action;
mod rule;
mod selector;
mod set;
#[cfg(test)]
mod tests;
mod trigger;

pub use action::{Action, ErrorShape, Mountpoint, Phase};
pub use armed::{Armed, Injection, Remaining, RuleState, RuleStatus};
pub use calls::Calls;
pub use dry_run::{DryRun, dry_run};
pub use forecast::{
    ENGINE_REACTIONS, EngineReaction, Forecast, client_timeout, forecast, forecast_outage, reaction,
};
pub use lifetime::{Flap, Lifetime};
pub use preset::{PRESETS, Preset};
pub use reference::{EXAMPLES, KEYWORD_GROUPS, KeywordGroup, meaning};
pub use release_action::ReleaseAction;
pub use rule::{Rule, RuleError, Step};
pub use selector::{Pattern, RequestContext, Selector};
pub use set::RuleSet;
pub use trigger::{Probability, Trigger};
