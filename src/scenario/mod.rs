//! Scenarios: files with docker commands, faults and the expected results.
//!
//! ```text
//! assets/scenarios/*.toml ─▶ library ─▶ parse ─▶ run ──DockerCommand──▶ engine
//!                                                 │ └────Command──────▶ hub
//!                                                 ▼                      │ calls
//!                                  report ◀── expect ◀────── trace ◀─────┘
//! ```
//!
//! The same scenario runs on the simulated daemon and on a real engine, with the same expectations.

mod cleanup;
mod context;
mod events;
mod expect;
mod file;
mod fit;
mod library;
mod parse;
mod report;
mod run;
mod trace;

pub use context::{Progress, RunContext};
pub use file::{Names, Scenario, ScenarioAction, Step, StepExpectation};
pub use fit::EngineSetup;
pub use library::{LibraryError, LoadedScenario, OwnFiles, ScenarioLibrary};
pub use parse::ScenarioError;
pub use report::{Report, StepReport, TimedCall};
pub use run::run;
pub use trace::Trace;
