//! voltergeist haunts Docker volumes: a volume plugin with a console, and one key to make it misbehave.
//!
//! # The flow
//!
//! Everything moves one way, and one arrow leads back: it carries a [`domain::lang::command::Command`].
//!
//! ```text
//! engine ──HTTP──▶ server::record ──▶ hub.admit ─▶ a rule's verdict, acted out
//!                      ├─▶ server::plugin: the driver's real work ─▶ reply
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
//! # The floors
//!
//! ```text
//!  3  cli                                     wires everything; reads argv, env and config files
//!  2  server | engine | console               siblings that never see each other
//!  1  hub                                     the one shared, locked place
//!  0  domain                                  pure: no I/O, no clock, no chance
//! ```
//!
//! A module uses its own children and the floors below, never upwards or sideways; `tests/floors.rs`
//! holds it to that.

pub mod api;
pub mod app;
pub mod cli;
pub mod console;
pub mod domain;
pub mod engine;
pub mod net;
pub mod plugin;
pub mod state;
