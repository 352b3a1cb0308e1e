//! Scenarios: which can be played, and the run that is played, as its events describe it.
//!
//! What a scenario is and how it is played is not known here: only its steps with what is expected of each, and their
//! results.

mod catalog;
mod event;
mod run;

pub use catalog::{ScenarioCatalog, ScenarioInfo};
pub use event::{End, ScenarioEvent, ScenarioResult, StepAction, StepKey, StepSpec};
pub use run::{PlayRequest, ScenarioRun, ScenarioState, StepRun, StepState};
