//! voltergeist haunts Docker volumes: a volume plugin with a console, and one key to make it misbehave.
//!
//! # Data flow
//!
//! ```text
//! engine ──HTTP──▶ plugin: recorder ─▶ fault injection ─▶ driver
//!                     │ one entry per request
//!                     ▼
//!                  hub: State::apply(&Entry) ─▶ journal, counters, volumes, rules, held calls
//!                     │ snapshot, change notification
//!                     ▼
//!                  console: update(event) ─▶ effects; view ─▶ frame
//!
//! key, ":" line, HTTP request, scenario step ─▶ Command ─▶ hub
//! ```
//!
//! # Layers
//!
//! ```text
//! cli          arguments, environment, config file; printing; exit status
//! app          wiring and long-running services
//! plugin │ api │ engine │ scenario │ console      siblings
//! source · export · recording · hub · net · engine_api      what siblings share
//! domain       pure: no I/O, clock, random numbers, async or terminal
//! ```
//!
//! A module imports its own children and the layers that `tests/layers.rs` lists for it;
//! `docs/architecture.md` explains them.

pub mod api;
pub mod app;
pub mod cli;
pub mod console;
pub mod domain;
pub mod engine;
pub mod engine_api;
pub mod export;
pub mod hub;
pub mod net;
pub mod plugin;
pub mod recording;
pub mod scenario;
pub mod source;
