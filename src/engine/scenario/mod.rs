//! Scenarios: cards that say what to type, what to break meanwhile, and what must come of it.
//!
//! ```text
//! assets/scenarios/*.toml ─▶ shelf ─▶ card ─▶ player ──DockerCommand──▶ an engine
//!                                               │ └────Command────────▶ the hub
//!                                               ▼                         │ calls
//!                                             report ◀─────── trace ◀─────┘
//! ```
//!
//! A card is data, and the same one plays on the simulated daemon and on a real engine: what it
//! expects of both is the same.

mod check;
mod clear;
mod format;
mod library;
mod player;
mod reading;
mod report;
mod stage;
mod trace;

pub use format::{Action, Calls, Expectation, Names, Scenario, Step};
pub use library::{LibraryError, LoadedScenario, ScenarioLibrary};
pub use player::{Event, RunContext, play};
pub use reading::ScenarioError;
pub use report::{Report, ScenarioResult, Seen, StepReport};
pub use trace::{Line, Trace};
