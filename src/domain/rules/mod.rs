//! Fault rules: their language, and what armed rules do to calls.
//!
//! A [`Rule`] says which calls (`calls`, `selector`), when (`trigger`), what (`action`, in a chain of steps) and for how
//! long (`lifetime`); `parse` parses it and `format` prints it. The [`RuleSet`] holds the tracked rules and decides for
//! each request, with random numbers from `draw`; the plugin server executes the [`Injection`]. A [`ReleaseAction`]
//! replaces the original reply of a held call. `dry_run` finds the recorded calls that a rule would have matched,
//! `forecast` how the engine reacts, and `preset` has the rules with a key of their own.

mod action;
mod calls;
mod draw;
mod dry_run;
mod forecast;
mod format;
mod key;
mod lifetime;
mod parse;
mod preset;
mod reference;
mod release_action;
mod rule;
mod selector;
mod set;
mod template;
#[cfg(test)]
mod tests;
mod tracked_rule;
mod trigger;

use action::FAILURE;
pub use action::{Action, ErrorForm, Mountpoint, Phase};
pub use calls::Calls;
pub use dry_run::{DryRun, Hit, dry_run};
pub use forecast::{
    ENGINE_REACTIONS, EngineReaction, Forecast, client_timeout, forecast, forecast_outage, reaction,
};
pub use key::{CallKey, Per};
pub use lifetime::{Flap, Lifetime};
pub use preset::{PRESETS, Preset};
pub use reference::{EXAMPLES, KEYWORD_GROUPS, KeywordGroup, meaning};
pub use release_action::ReleaseAction;
pub use rule::{ChainStep, Rule, RuleError};
pub use selector::{Pattern, RequestContext, Selector};
pub use set::{DisarmedRule, RuleSet};
#[cfg(test)]
pub(super) use template::escape;
pub use template::{CallValues, FieldPath, PLACEHOLDERS, fill};
pub use tracked_rule::{Injection, Remaining, RuleState, TrackedRule};
pub use trigger::{Probability, Trigger};
