//! voltergeist haunts Docker volumes: a volume plugin with a console, and one key to make it misbehave.
//!
//! # The flow
//!
//! Everything moves one way, and one arrow leads back: it carries a [`domain::lang::command::Command`].
//!
//! ```text
//! engine ──HTTP──▶ plugin::recorder ─▶ routes ─▶ hub.admit ─▶ inject: what a rule does to the call
//!                      ├─▶ plugin::driver: the work and the reply
//!                      ▼
//!                  an Entry ─▶ hub.record ─▶ journal · tally · volumes ──notify──▶ console
//!                                                                                   │ hub.glance
//! key, ":" line, HTTP, scenario ─▶ Command ─▶ hub.command                           ▼
//!                                                                            one frame
//! ```
//!
//! The journal is the truth: every change that the console can show is an entry in it. The console
//! pulls, and the server never waits for it.
//!
//! # The layers
//!
//! ```text
//!  4  cli                               argv, environment, config file; printing; exit codes
//!  3  app                               wiring
//!  2  plugin | api | engine | console   siblings that do not import each other
//!  1  state · net                       the shared state behind one lock; addresses and listeners
//!  0  domain                            pure: no I/O, clock, randomness, async, terminal
//! ```
//!
//! A module imports its own children and the layers below.

pub mod api;
pub mod app;
pub mod cli;
pub mod console;
pub mod domain;
pub mod engine;
pub mod engine_api;
pub mod export;
pub mod net;
pub mod plugin;
pub mod scenario;
pub mod state;
