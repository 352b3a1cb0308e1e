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

mod card;
mod check;
mod clear;
mod player;
mod reading;
mod report;
mod shelf;
mod stage;
mod trace;

pub use card::{Action, Calls, Card, Expectation, Names, Step};
pub use player::{Cast, Event, play};
pub use reading::CardError;
pub use report::{Report, Seen, StepReport, Verdict};
pub use shelf::{Shelf, ShelfError, Shelved};
pub use trace::{Line, Trace};
